//! From `node.toml` to what inference is started with: which library, which providers, whose models.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use hansa_catalogue::Manifest;
use hansa_host::Absent;
use hansa_inference::{
    CudaSettings, Inference, InferenceOptions, ProviderKind, ProviderSettings, TensorrtSettings, Unpaid, WebgpuSettings,
    packages_in,
};
use hansa_workshop::cases::Models;

use crate::agent::CallInference;
use crate::config::{InferenceConfig, NodeConfig};
use crate::tools;

/// Where `hansa model add` puts packages: `[inference] models`, else `models` in the data folder.
pub fn folder(config: &NodeConfig) -> PathBuf {
    config.inference.models.clone().unwrap_or_else(|| config.data.join("models"))
}

/// What the node starts inference with. Without `[inference] models` those that set-up installed are lent too.
pub fn options(config: &NodeConfig) -> InferenceOptions {
    let defaults = tools::inference();
    let own = packages_in(&folder(config));
    let installed = if config.inference.models.is_some() { Vec::new() } else { defaults.model_folders };
    InferenceOptions {
        library: config.inference.library.clone().or(defaults.library),
        model_folders: own.into_iter().chain(installed).collect(),
        providers: providers(&config.inference),
        threads_per_model: config.inference.threads.unwrap_or(1),
        memory_bytes: config.inference.memory.map(|bytes| bytes.0),
        batching: config.inference.batching.unwrap_or(true),
        prices: config.inference.price.clone(),
        ..InferenceOptions::default()
    }
}

fn providers(config: &InferenceConfig) -> ProviderSettings {
    let order = match config.providers.is_empty() {
        true => vec![ProviderKind::Cpu],
        false => config.providers.clone(),
    };
    let plugin = config.webgpu.plugin.clone().or_else(tools::webgpu_plugin);
    ProviderSettings {
        order,
        cuda: CudaSettings { devices: config.cuda.devices.clone(), memory_bytes: config.cuda.memory.map(|bytes| bytes.0) },
        tensorrt: TensorrtSettings { cache: config.tensorrt.cache.clone(), fp16: config.tensorrt.fp16 },
        webgpu: WebgpuSettings { plugin, device: config.webgpu.device },
    }
}

/// The models of this configuration for the cases of an agent with this manifest: what runs is real, and nobody pays. The engine
/// starts with the first agent that asks for a model.
pub fn for_cases(config: &NodeConfig, manifest: &Manifest) -> Models {
    let asked = &manifest.capabilities.inference;
    if asked.models.is_empty() && asked.models_optional.is_empty() {
        return Arc::new(|_| Arc::new(Absent));
    }
    let engine = Inference::start(options(config));
    let sells = !manifest.sells.is_empty();
    Arc::new(move |deadline| Arc::new(CallInference::new(engine.clone(), "cases".into(), Arc::new(Unpaid), deadline, sells)))
}

/// The package of a model, among those that this configuration lends.
///
/// # Errors
/// The names that there are.
pub fn find(config: &NodeConfig, name: &str) -> Result<PathBuf, String> {
    let mut names = Vec::new();
    for folder in options(config).model_folders {
        match hansa_inference::read_package(&folder) {
            Ok(package) if package.name == name => return Ok(folder),
            Ok(package) => names.push(package.name),
            // a broken package is still found by its folder's name, so that it can be looked at and removed
            Err(_) if folder.file_name().is_some_and(|last| last == name) => return Ok(folder),
            Err(_) => {}
        }
    }
    let there = if names.is_empty() { "there are none yet".to_owned() } else { format!("there are {}", names.join(", ")) };
    Err(format!("there is no model `{name}`; {there}; add one with `hansa model add`"))
}

/// Whether a package lies in the folder that this node adds to, and not where set-up installs.
pub fn is_own(config: &NodeConfig, package: &Path) -> bool {
    package.parent() == Some(folder(config).as_path())
}
