//! The seam to what runs graphs: a backend loads sessions, a session runs tensors.

#[cfg(any(test, feature = "testing"))]
pub(crate) mod fake;
pub(crate) mod onnx;
mod provider;

use std::path::PathBuf;
use std::sync::Arc;

use crate::error::Result;
use crate::info::Provider;
use crate::tensor::{Port, Tensor};

/// Something that can load graphs. Shared by all models.
pub(crate) trait Backend: Send + Sync + 'static {
    /// Name and version for people.
    fn version(&self) -> String;

    /// The library file, where there is one.
    fn library(&self) -> Option<PathBuf>;

    /// Makes a session of the verified bytes of a graph.
    fn load(&self, graph: &[u8], threads: usize) -> Result<Box<dyn Session>>;
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
}

/// Ends a run between two kernels.
pub(crate) trait Interrupt: Send + Sync {
    /// The run under way fails soon, and so do later ones.
    fn stop(&self);

    /// Runs go on again.
    fn clear(&self);
}
