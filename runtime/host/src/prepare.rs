//! A program made ready to serve calls as an agent: grants checked, imports linked, exports looked up.

use std::{collections::HashMap, fmt, sync::Arc};

use wasmtime::component::{ComponentExportIndex, InstancePre};

use crate::{
    grants::{AgentIdentity, AgentSpec, CallLimits, Grants, Reuse},
    host::{Crossing, Host},
    kept::Kept,
    limits::ARGUMENTS_BYTES_MAX,
    link,
    program::{Interface, InterfaceKind, NotTradable, Program},
    raw,
    state::State,
    wire::FunctionSchema,
};

/// Why a program cannot run as this agent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PrepareError {
    /// It needs a capability that was not granted.
    #[error("import `{import}` is not granted; ask for it in agent.toml: `{ask}`, and grant it in node.toml: `{grant}`")]
    NotGranted {
        /// The import.
        import: String,
        /// The line for the author's agent.toml.
        ask: String,
        /// The line for the operator's node.toml.
        grant: String,
    },
    /// It needs something that no Hansa node offers in this version.
    #[error("import `{import}` is not offered by this version: {instead}")]
    NotOffered {
        /// The import.
        import: String,
        /// What to do instead.
        instead: String,
    },
    /// It would buy through an interface that cannot cross the market.
    #[error("import `{import}`: {error}")]
    NotTradable {
        /// The import.
        import: String,
        /// Which function, why, and how to write it.
        error: NotTradable,
    },
    /// The imports and what the host offers differ in type.
    #[error("the component does not fit this host: {0}; build it against the WIT packages of this version")]
    Link(String),
}

/// Identity and rights of a prepared agent, as its instances see them, and what it imports.
pub(crate) struct Agent {
    pub(crate) identity: AgentIdentity,
    pub(crate) grants: Grants,
    pub(crate) program: Arc<Program>,
}

/// An agent that can be called. Each call has an instance to itself.
pub struct Prepared {
    pub(crate) host: Host,
    pub(crate) program: Arc<Program>,
    pub(crate) agent: Arc<Agent>,
    pub(crate) limits: CallLimits,
    pub(crate) instance: InstancePre<State>,
    pub(crate) reuse: Option<Reuse>,
    /// Instances that wait for their next call, where they may serve several.
    pub(crate) kept: Arc<Kept>,
    exports: HashMap<Arc<str>, HashMap<Arc<str>, Export>>,
}

/// An exported function.
pub(crate) struct Export {
    pub(crate) index: ComponentExportIndex,
    pub(crate) schema: Arc<FunctionSchema>,
    /// How to call it on the fast path; none takes the slow one.
    pub(crate) direct: Option<raw::Shape>,
}

impl Host {
    /// Checks grants, links imports and looks up exports. Cheap after `compile`: some hundred microseconds.
    ///
    /// # Errors
    /// See [`PrepareError`]; refusals name the line that would ask for or grant what is missing.
    pub fn prepare(&self, program: &Arc<Program>, spec: AgentSpec) -> Result<Arc<Prepared>, PrepareError> {
        check_imports(program, &spec)?;
        let AgentSpec { identity, grants, mut limits, reuse } = spec;
        limits.memory_bytes_max = limits.memory_bytes_max.min(self.shared.options.memory_bytes_max);
        limits.output_bytes_max = limits.output_bytes_max.min(ARGUMENTS_BYTES_MAX);
        let mut linker = self.shared.linker.clone();
        let crossing = self.shared.options.crossing;
        let services = program.imports().iter().filter(|import| is_service(import));
        let instance = link::services(&mut linker, services, crossing)
            .and_then(|()| linker.instantiate_pre(&program.component))
            .map_err(|error| PrepareError::Link(format!("{error:#}")))?;
        let exports = program.exports().iter().map(|interface| (interface.name.clone(), lookup(program, interface, crossing)));
        let exports = exports.collect();
        let agent = Arc::new(Agent { identity, grants, program: program.clone() });
        let (host, program, kept) = (self.clone(), program.clone(), Arc::default());
        Ok(Arc::new(Prepared { host, program, agent, limits, instance, reuse, kept, exports }))
    }
}

impl Prepared {
    /// The program behind it.
    pub fn program(&self) -> &Arc<Program> {
        &self.program
    }

    /// Who it is.
    pub fn identity(&self) -> &AgentIdentity {
        &self.agent.identity
    }

    /// The schema of an exported function; the interface may be of a compatible lower version than the export's.
    pub fn schema(&self, interface: &str, function: &str) -> Option<&Arc<FunctionSchema>> {
        self.find(interface, function).map(|export| &export.schema)
    }

    /// Drops the instances that wait for their next call.
    pub fn forget_instances(&self) {
        self.host.shared.idle.forget(&self.kept);
    }

    pub(crate) fn find(&self, interface: &str, function: &str) -> Option<&Export> {
        let functions = match self.exports.get(interface) {
            Some(functions) => functions,
            None => self.exports.get(&self.program.export(interface)?.name)?,
        };
        functions.get(function)
    }
}

impl fmt::Debug for Prepared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Prepared").field("identity", &self.agent.identity).finish_non_exhaustive()
    }
}

fn lookup(program: &Program, interface: &Interface, crossing: Crossing) -> HashMap<Arc<str>, Export> {
    let component = &program.component;
    let Some(instance) = component.get_export_index(None, &*interface.name) else { return HashMap::new() };
    let exports = interface.functions.iter().filter_map(|function| {
        let index = component.get_export_index(Some(&instance), &*function.name)?;
        let direct = if crossing == Crossing::Direct { raw::Shape::of(&function.schema) } else { None };
        Some((function.name.clone(), Export { index, schema: function.schema.clone(), direct }))
    });
    exports.collect()
}

fn is_service(import: &Interface) -> bool {
    import.kind == InterfaceKind::Service && import.functions_all > 0
}

fn check_imports(program: &Program, spec: &AgentSpec) -> Result<(), PrepareError> {
    if let Some(import) = program.bare_imports.first() {
        let instead = "a function outside an interface has no seller; import it within an interface".into();
        return Err(PrepareError::NotOffered { import: import.clone(), instead });
    }
    program.imports().iter().filter(|import| import.functions_all > 0).try_for_each(|import| check_import(import, spec))
}

fn check_import(import: &Interface, spec: &AgentSpec) -> Result<(), PrepareError> {
    let name = &*import.name;
    let grants = &spec.grants;
    let path = name.split('@').next().unwrap_or(name);
    if is_service(import) {
        if let Err(error) = &import.tradable {
            return Err(PrepareError::NotTradable { import: name.into(), error: error.clone() });
        }
        let ask = format!("[buys.\"{name}\"] max-price = \"0.01\" deadline-ms = 1000");
        return granted(grants.allows_service(name), name, spec, ask, &format!("buys = [\"{path}\"]"));
    }
    match path {
        "hansa:agent/context" | "hansa:agent/log" | "hansa:agent/metering" => Ok(()),
        "hansa:market/terms" | "hansa:market/offers" | "hansa:market/tenders" => {
            let ask = "[buys.\"namespace:package/interface@version\"]".to_owned();
            granted(!grants.market_imports.is_empty(), name, spec, ask, "buys = [\"namespace:package/interface\"]")
        }
        "hansa:inference/models"
        | "hansa:inference/tensors"
        | "hansa:inference/text"
        | "hansa:inference/generate"
        | "wasi:nn/tensor"
        | "wasi:nn/graph"
        | "wasi:nn/inference"
        | "wasi:nn/errors" => {
            let ask = "[capabilities] inference.models = [\"MODEL\"]".to_owned();
            let allowed = grants.inference_optional || !grants.inference_models.is_empty();
            granted(allowed, name, spec, ask, "inference = [\"MODEL\"]")
        }
        "wasi:keyvalue/store" => {
            let ask = "[capabilities] keyvalue.bytes-max = \"10MiB\"".to_owned();
            granted(grants.keyvalue, name, spec, ask, "keyvalue = \"10MiB\"")
        }
        "hansa:wallet/wallet" => {
            let ask = "[capabilities] wallet.spend-per-day = \"1\"".to_owned();
            granted(grants.wallet, name, spec, ask, "spend-per-day = \"1\"")
        }
        "hansa:agent/topics" => {
            let ask = "[capabilities] topics.publish = [\"TOPIC\"]".to_owned();
            granted(grants.topics, name, spec, ask, "topics = [\"TOPIC\"]")
        }
        _ => check_wasi(name, path, grants),
    }
}

fn check_wasi(name: &str, path: &str, grants: &Grants) -> Result<(), PrepareError> {
    let package = path.split('/').next().unwrap_or(path);
    let instead = match package {
        "wasi:cli" | "wasi:clocks" | "wasi:filesystem" | "wasi:io" | "wasi:random" => return Ok(()),
        "wasi:sockets" if grants.closed_sockets => return Ok(()),
        "wasi:sockets" => "agents have no network; buy a service that has what you need",
        "wasi:http" => "agents have no network yet; buy a service that has what you need",
        _ => "nothing implements it; leave it out of the component's world",
    };
    Err(PrepareError::NotOffered { import: name.into(), instead: instead.into() })
}

fn granted(yes: bool, import: &str, spec: &AgentSpec, ask: String, key: &str) -> Result<(), PrepareError> {
    if yes {
        return Ok(());
    }
    let grant = format!("[[grant]] package = \"{}\" {key}", spec.identity.name);
    Err(PrepareError::NotGranted { import: import.into(), ask, grant })
}
