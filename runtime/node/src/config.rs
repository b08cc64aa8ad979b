//! `node.toml`: what the operator decides.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use hansa_catalogue::strict_toml::{self, TomlError};
use hansa_catalogue::units::Bytes;
use hansa_economy::Amount;
use hansa_inference::{ProviderKind, Rates};
use serde::Deserialize;

/// A `node.toml`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct NodeConfig {
    /// Name of the node, for people: lower-case letters, digits, dashes.
    pub name: String,
    /// Folder for keys, books, ledger and agents; relative to the file. Default: `data`.
    #[serde(default = "default_data")]
    pub data: PathBuf,
    /// The bus.
    #[serde(default)]
    pub bus: BusConfig,
    /// The ledger.
    #[serde(default)]
    pub ledger: LedgerConfig,
    /// Inference.
    #[serde(default)]
    pub inference: InferenceConfig,
    /// Instances.
    #[serde(default)]
    pub host: HostConfig,
    /// Workflows.
    #[serde(default)]
    pub workflow: WorkflowConfig,
    /// What agents get. Nothing is granted by default.
    #[serde(default)]
    pub grant: Vec<Grant>,
}

/// `[bus]`: either a server that runs already, or one that this node starts.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct BusConfig {
    /// Address of a running nats-server, `nats://host:port`. None: this node starts its own.
    pub url: Option<String>,
    /// Credentials file for it.
    pub credentials: Option<PathBuf>,
    /// Port of the server that this node starts, on the loopback interface. Default: 4222.
    pub port: Option<u16>,
    /// The nats-server program. Default: the one that `./justw setup` installed, else the one on the PATH.
    pub server: Option<PathBuf>,
}

/// `[ledger]`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct LedgerConfig {
    /// Keep the ledger on this node. Default: use the one that is served on the bus.
    pub host: bool,
    /// Use only the ledger with this id (64 hexadecimal digits).
    pub id: Option<String>,
    /// File for the newest signed checkpoint, on the node that keeps the ledger; best on another disk than `data`. At the next start the
    /// ledger must continue it. Default: none.
    pub checkpoint: Option<PathBuf>,
}

/// `[inference]`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct InferenceConfig {
    /// Folder of model packages; relative to the file. Default: `models` in the data folder, and what `./justw setup` installed.
    pub models: Option<PathBuf>,
    /// ONNX Runtime's shared library. Default: what `./justw setup` installed.
    pub library: Option<PathBuf>,
    /// Threads for each model. Default: 1.
    pub threads: Option<usize>,
    /// Memory that all loaded models may take together. Default: no bound.
    pub memory: Option<Bytes>,
    /// Let requests of several agents run together where that was measured to be faster. Default: true.
    pub batching: Option<bool>,
    /// What an agent may owe for inference while its account is empty, credits. Default: 0.10.
    pub credit: Option<Amount>,
    /// Your price cards, by model, in place of those of the packages; micro-credits. Default: none.
    pub price: BTreeMap<String, Rates>,
    /// Execution providers in the order tried: `cuda`, `tensorrt`, `webgpu`, `cpu`. A model may narrow the list; without `cpu` in it no
    /// model falls to the processor. Default: `["cpu"]`.
    pub providers: Vec<ProviderKind>,
    /// For `cuda`, and for what `tensorrt` leaves.
    pub cuda: CudaConfig,
    /// For `tensorrt`.
    pub tensorrt: TensorrtConfig,
    /// For `webgpu`.
    pub webgpu: WebgpuConfig,
}

/// `[inference.cuda]`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct CudaConfig {
    /// Numbers of the devices, as `nvidia-smi` counts; each model runs on all of them. Default: `[0]`.
    pub devices: Vec<u32>,
    /// Device memory that one model's arena may take. Default: no limit.
    pub memory: Option<Bytes>,
}

/// `[inference.tensorrt]`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct TensorrtConfig {
    /// Folder for built engines; relative to the file. Default: none are kept, and every load builds its own.
    pub cache: Option<PathBuf>,
    /// Compute in half precision where that is faster. Default: false.
    pub fp16: bool,
}

/// `[inference.webgpu]`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct WebgpuConfig {
    /// The plugin's library. Default: what `python3 tools/setup.py webgpu` installed.
    pub plugin: Option<PathBuf>,
    /// Which of the plugin's devices, from 0. Default: 0.
    pub device: u32,
}

/// `[workflow]`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct WorkflowConfig {
    /// Run workflows on this node. Default: where a key is given.
    pub run: Option<bool>,
    /// File of the key whose account pays for runs; relative to the file. Nodes with the same key on the same bus are one business: each of
    /// them goes on with the runs of those that are gone. Default: the operator's key, and the operator's account.
    pub key: Option<PathBuf>,
    /// Begin and steer runs by HTTP at this address, as `127.0.0.1:7070`, for those who have the token in `http.token` of the data folder. Default: none.
    pub http: Option<SocketAddr>,
}

impl WorkflowConfig {
    /// Are workflows run here?
    pub fn runs(&self) -> bool {
        self.run.unwrap_or(self.key.is_some())
    }
}

/// `[host]`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct HostConfig {
    /// Instances that can run at the same time on this node. Default: 128.
    pub instances: Option<u32>,
    /// The program in whose process components are compiled, see [`hansa_host::Compiler`]; set by the command line, not by the file.
    #[serde(skip)]
    pub compiler: Option<PathBuf>,
}

/// `[[grant]]`: what agents whose package matches may have, if they ask.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Grant {
    /// Package name, `publisher/name`, `publisher/*` or `*`.
    pub package: String,
    /// Models that may be run; `*` for all.
    #[serde(default)]
    pub inference: Vec<String>,
    /// Bytes of own state.
    #[serde(default)]
    pub keyvalue: Option<Bytes>,
    /// Services that may be bought, `namespace:package/interface` with or without version; `*` for all.
    #[serde(default)]
    pub buys: Vec<String>,
    /// Linear memory of one instance. Default: 64MiB.
    #[serde(default)]
    pub memory: Option<Bytes>,
    /// The most that an agent may spend from its own account between two midnights, UTC; credits. Default: nothing.
    #[serde(default)]
    pub spend_per_day: Option<Amount>,
    /// Topics that may be published and followed, with `*` and `>`. Default: none.
    #[serde(default)]
    pub topics: Vec<String>,
}

fn default_data() -> PathBuf {
    "data".into()
}

/// Why a `node.toml` cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file system's word.
    #[error("cannot read {}: {error}; give a file with `--config`", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// Not toml, or not these keys.
    #[error("HA0012: {0}")]
    Toml(#[from] TomlError),
    /// A value that makes no sense.
    #[error("{0}")]
    Value(String),
}

impl NodeConfig {
    /// Read and check the file; paths in it become relative to its folder.
    pub fn load(path: &Path) -> Result<NodeConfig, ConfigError> {
        let text = std::fs::read_to_string(path).map_err(|error| ConfigError::Io { path: path.to_owned(), error })?;
        let base = path.parent().unwrap_or(Path::new("."));
        NodeConfig::parse(&path.display().to_string(), &text, base)
    }

    /// Read and check `text`; relative paths in it start at `base`.
    pub fn parse(file: &str, text: &str, base: &Path) -> Result<NodeConfig, ConfigError> {
        let mut config: NodeConfig = strict_toml::from_str(file, text)?;
        let well_formed = config.name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        if config.name.is_empty() || config.name.len() > 40 || !well_formed {
            let message = format!("{file}: name `{}` must be 1 to 40 lower-case letters, digits and dashes", config.name);
            return Err(ConfigError::Value(message));
        }
        if config.bus.url.is_some() && config.bus.port.is_some() {
            return Err(ConfigError::Value(format!("{file}: give bus.url or bus.port, not both")));
        }
        let providers = &config.inference.providers;
        if let Some(twice) = providers.iter().enumerate().find(|(index, kind)| providers[..*index].contains(kind)) {
            return Err(ConfigError::Value(format!("{file}: inference.providers names `{}` twice", twice.1.name())));
        }
        config.data = base.join(&config.data);
        let paths = [
            &mut config.bus.credentials,
            &mut config.bus.server,
            &mut config.ledger.checkpoint,
            &mut config.inference.models,
            &mut config.inference.library,
            &mut config.inference.tensorrt.cache,
            &mut config.inference.webgpu.plugin,
            &mut config.workflow.key,
        ];
        for path in paths.into_iter().flatten() {
            *path = base.join(&*path);
        }
        Ok(config)
    }

    /// A configuration for one machine: this node keeps the ledger and starts its own bus, and grants what agents ask for.
    pub fn for_one_machine(name: &str, data: &Path, port: Option<u16>) -> NodeConfig {
        let everything = Grant {
            package: "*".into(),
            inference: vec!["*".into()],
            keyvalue: Some(Bytes(256 << 20)),
            buys: vec!["*".into()],
            memory: Some(Bytes(256 << 20)),
            spend_per_day: Some(Amount::credits(1_000_000)),
            topics: vec![">".into()],
        };
        NodeConfig {
            name: name.to_owned(),
            data: data.to_owned(),
            bus: BusConfig { port, ..BusConfig::default() },
            ledger: LedgerConfig { host: true, ..LedgerConfig::default() },
            inference: InferenceConfig::default(),
            host: HostConfig::default(),
            workflow: WorkflowConfig::default(),
            grant: vec![everything],
        }
    }
}

impl Grant {
    /// Does this grant speak of the package `name` (`publisher/name`)?
    pub fn matches(&self, name: &str) -> bool {
        match self.package.strip_suffix("/*") {
            Some(publisher) => name.split('/').next() == Some(publisher),
            None => self.package == "*" || self.package == name,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<NodeConfig, String> {
        NodeConfig::parse("node.toml", text, Path::new("base")).map_err(|error| error.to_string())
    }

    #[test]
    fn reads_and_resolves() {
        let config =
            parse("name = \"north\"\n[[grant]]\npackage = \"commons/*\"\ninference = [\"minilm\"]\nkeyvalue = \"1MiB\"\n")
                .unwrap();
        assert_eq!(config.data, Path::new("base/data"));
        assert!(config.grant[0].matches("commons/embedder"));
        assert!(!config.grant[0].matches("commonsense/embedder"));
    }

    #[test]
    fn providers_are_read_in_their_order() {
        let text = "name = \"n\"\n[inference]\nproviders = [\"cuda\", \"cpu\"]\n[inference.cuda]\ndevices = [1, 2]\nmemory = \"8GiB\"\n[inference.webgpu]\nplugin = \"ep.so\"";
        let inference = parse(text).unwrap().inference;
        assert_eq!(inference.providers, [ProviderKind::Cuda, ProviderKind::Cpu]);
        assert_eq!((inference.cuda.devices, inference.cuda.memory.unwrap().0), (vec![1, 2], 8 << 30));
        assert_eq!(inference.webgpu.plugin.unwrap(), Path::new("base/ep.so"));
        let wrong = |providers: &str| parse(&format!("name = \"n\"\n[inference]\nproviders = {providers}")).unwrap_err();
        assert!(wrong("[\"cpu\", \"cpu\"]").contains("names `cpu` twice"));
        assert!(wrong("[\"rocm\"]").contains("rocm"));
    }

    #[test]
    fn mistakes_are_named() {
        assert!(parse("name = \"north\"\n[leger]\nhost = true").unwrap_err().contains("did you mean `ledger`?"));
        assert!(parse("name = \"North Sea\"").unwrap_err().contains("lower-case"));
        assert!(parse("name = \"n\"\n[bus]\nurl = \"nats://x\"\nport = 1").unwrap_err().contains("not both"));
    }
}
