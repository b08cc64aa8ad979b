//! Who an agent is, what it may do and how much of it.

use std::time::Duration;

use crate::program::satisfies;

/// Who an agent is; `hansa:agent/context.whoami` tells the guest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgentIdentity {
    /// The agent's key, `did:key:…`.
    pub agent: String,
    /// Package name, `publisher/name`.
    pub name: String,
    /// Package version.
    pub version: String,
    /// The node's key, `did:key:…`.
    pub node: String,
}

/// What an agent may use: what its manifest asks and the operator's policy grants. Empty by default.
/// `hansa:agent/context`, `hansa:agent/log`, clocks, random numbers and empty standard streams are always granted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Grants {
    /// Models by name; `*` stands for all.
    pub inference_models: Vec<String>,
    /// Link `hansa:inference` though no model may be granted: for agents that look with `list` and can do without.
    pub inference_optional: bool,
    /// The agent's own key-value store.
    pub keyvalue: bool,
    /// The agent's own account.
    pub wallet: bool,
    /// Publishing on topics.
    pub topics: bool,
    /// Services that it may buy, with or without (part of) a version: `a:b/c@1.2.0`, `a:b/c@1`, `a:b/c`.
    pub market_imports: Vec<String>,
    /// Link `wasi:sockets` though every use of it fails: for language run-times that import it unused.
    pub closed_sockets: bool,
}

impl Grants {
    pub(crate) fn allows_model(&self, model: &str) -> bool {
        self.inference_models.iter().any(|granted| granted == "*" || granted == model)
    }

    pub(crate) fn allows_service(&self, service: &str) -> bool {
        self.market_imports.iter().any(|granted| satisfies(service, granted))
    }
}

/// How much one call may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CallLimits {
    /// Linear memory, in bytes. Default 64 MiB.
    pub memory_bytes_max: usize,
    /// Processor time, in milliseconds, checked at every tick. Default 2 s.
    pub cpu_ms_max: u64,
    /// What may leave the guest in one crossing, in bytes: its result, the arguments of a purchase or of a
    /// capability. Default 16 MiB.
    pub output_bytes_max: usize,
    /// Log lines, stdout and stderr together, in bytes. Default 64 KiB.
    pub log_bytes_max: usize,
}

impl Default for CallLimits {
    fn default() -> Self {
        CallLimits { memory_bytes_max: 64 << 20, cpu_ms_max: 2_000, output_bytes_max: 16 << 20, log_bytes_max: 64 << 10 }
    }
}

/// Everything that makes an agent of a program.
#[derive(Debug, Clone)]
pub struct AgentSpec {
    /// Who it is.
    pub identity: AgentIdentity,
    /// What it may use.
    pub grants: Grants,
    /// How much one call may use.
    pub limits: CallLimits,
    /// Whether instances serve one call after another; none: each serves one.
    pub reuse: Option<Reuse>,
}

/// How long one instance serves one call after another, whichever of the two comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reuse {
    /// Calls.
    pub calls_max: u32,
    /// Time since it was made.
    pub age_max: Duration,
}
