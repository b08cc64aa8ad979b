//! The seam to what runs graphs: a backend loads sessions, a session runs tensors.

pub(crate) mod examine;
#[cfg(any(test, feature = "testing"))]
pub(crate) mod fake;
#[cfg(test)]
pub(crate) mod fake_decoder;
pub(crate) mod held;
pub(crate) mod onnx;
mod onnx_held;
mod provider;
mod providers;

use std::path::PathBuf;
use std::sync::Arc;

use crate::backend::held::{Feed, Floats, Held, Numbers};
use crate::error::{Error, Result};
use crate::info::{Provider, ProviderKind};
use crate::package::Graph;
use crate::providers::ProviderSettings;
use crate::tensor::{Port, Tensor};

/// How a session is to run.
#[derive(Clone, Debug)]
pub(crate) struct LoadOptions {
    /// Processor threads of one run.
    pub(crate) threads: usize,
    /// Providers in the order tried.
    pub(crate) order: Vec<ProviderKind>,
    /// Fraction of the graph's nodes, 0 to 1, that a provider must take; otherwise the next one is tried.
    pub(crate) min_share: f32,
    /// Which of several devices of a provider, from 0; see [`ProviderSettings::devices`].
    pub(crate) seat: usize,
    /// The operator's settings of each provider.
    pub(crate) providers: Arc<ProviderSettings>,
}

/// Something that can load graphs. Shared by all models.
pub(crate) trait Backend: Send + Sync + 'static {
    /// Name and version for people.
    fn version(&self) -> String;

    /// The library file, where there is one.
    fn library(&self) -> Option<PathBuf>;

    /// Makes a session of the verified bytes of a graph, on the first provider of the order that takes it.
    fn load(&self, graph: &Graph, options: &LoadOptions) -> Result<Box<dyn Session>>;
}

/// A loaded graph. One thread owns it; runs follow each other.
pub(crate) trait Session {
    /// The graph's inputs.
    fn inputs(&self) -> &[Port];

    /// The graph's outputs.
    fn outputs(&self) -> &[Port];

    /// Where it runs, read back.
    fn provider(&self) -> Provider;

    /// What ends the run that this session is in, from another thread.
    fn interrupt(&self) -> Arc<dyn Interrupt>;

    /// Runs the graph once. Inputs were checked against the ports; the tensors come back in the order of `outputs`.
    fn run(&mut self, inputs: &[(&str, &Tensor)], outputs: &[&str]) -> Result<Vec<Tensor>>;

    /// Runs the graph once with tensors that stay between runs: the outputs of `copy` come to the host, those of `hold`
    /// stay where the session runs. What goes in stays whole, so that a failed run can be tried with other rows.
    fn run_held(&mut self, _inputs: &[(&str, Feed<'_>)], _copy: &[&str], _hold: &[&str]) -> Result<(Vec<Floats>, Vec<Held>)> {
        Err(not_held())
    }

    /// Numbers of the host as a tensor that stays; a dimension may be 0.
    fn keep(&mut self, _shape: [usize; 4], _numbers: Numbers<'_>) -> Result<Held> {
        Err(not_held())
    }

    /// The numbers of a tensor that stays.
    fn read<'a>(&mut self, _held: &'a Held) -> Result<Numbers<'a>> {
        Err(not_held())
    }
}

fn not_held() -> Error {
    Error::Backend("this backend keeps no tensors between runs".to_owned())
}

/// Ends a run between two kernels.
pub(crate) trait Interrupt: Send + Sync {
    /// The run under way fails soon, and so do later ones.
    fn stop(&self);

    /// Runs go on again.
    fn clear(&self);
}
