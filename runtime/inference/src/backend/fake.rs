//! A deterministic backend for tests of queues and of callers: no library, no model file, time under the test's control.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, PoisonError};

use super::{Backend, LoadOptions, Session};
use crate::error::{Error, Result};
use crate::info::{DeviceClass, Provider};
use crate::package::Graph;
use crate::tensor::{Dim, Dtype, Elements, Port, Tensor};

/// Runs `y = 2x` on fp32 `[batch]` tensors, whatever the graph's bytes are. Clones share one gate and one diary.
#[derive(Clone, Default)]
pub struct FakeBackend {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// Runs that wait at the closed gate.
    waiting: usize,
    /// Runs let through; `None` lets all through.
    gate: Option<usize>,
    /// First input element of each run, in order.
    diary: VecDeque<f32>,
}

impl FakeBackend {
    /// Lets `runs` more runs through and stops then. Call with 0 to stop at once.
    pub fn allow(&self, runs: usize) {
        self.shared.state.lock().unwrap_or_else(PoisonError::into_inner).gate = Some(runs);
        self.shared.changed.notify_all();
    }

    /// Lets everything through.
    pub fn open(&self) {
        self.shared.state.lock().unwrap_or_else(PoisonError::into_inner).gate = None;
        self.shared.changed.notify_all();
    }

    /// Blocks until a run waits at the gate.
    pub fn wait_for_run(&self) {
        let state = self.shared.state.lock().unwrap_or_else(PoisonError::into_inner);
        drop(self.shared.changed.wait_while(state, |state| state.waiting == 0));
    }

    /// First input element of each run so far, in the order of the runs.
    pub fn diary(&self) -> Vec<f32> {
        self.shared.state.lock().unwrap_or_else(PoisonError::into_inner).diary.iter().copied().collect()
    }

    fn pass(&self, first: f32) {
        let mut state = self.shared.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.waiting += 1;
        self.shared.changed.notify_all();
        let mut state =
            self.shared.changed.wait_while(state, |state| state.gate == Some(0)).unwrap_or_else(PoisonError::into_inner);
        state.waiting -= 1;
        state.gate = state.gate.map(|left| left.saturating_sub(1));
        state.diary.push_back(first);
    }
}

impl Backend for FakeBackend {
    fn version(&self) -> String {
        "fake".to_owned()
    }

    fn library(&self) -> Option<PathBuf> {
        None
    }

    fn load(&self, _graph: &Graph, _options: &LoadOptions) -> Result<Box<dyn Session>> {
        let port = |name: &str| Port { name: name.to_owned(), dtype: Dtype::Fp32, shape: vec![Dim::Free("batch".to_owned())] };
        Ok(Box::new(FakeSession { backend: self.clone(), input: [port("x")], output: [port("y")] }))
    }
}

struct FakeSession {
    backend: FakeBackend,
    input: [Port; 1],
    output: [Port; 1],
}

impl Session for FakeSession {
    fn inputs(&self) -> &[Port] {
        &self.input
    }

    fn outputs(&self) -> &[Port] {
        &self.output
    }

    fn provider(&self) -> Provider {
        Provider { name: "Fake".to_owned(), share: 1.0, device: DeviceClass::Cpu, passed_over: Vec::new() }
    }

    fn run(&mut self, inputs: &[(&str, &Tensor)], outputs: &[&str]) -> Result<Vec<Tensor>> {
        let x = inputs.first().and_then(|(_, x)| Some((x, x.as_fp32()?)));
        let (tensor, x) = x.ok_or_else(|| Error::BadInput("the fake model takes `x` as fp32".to_owned()))?;
        self.backend.pass(x[0]);
        let doubled = Tensor::new(tensor.shape(), Elements::Fp32(x.iter().map(|n| n * 2.0).collect()))?;
        Ok(outputs.iter().map(|_| doubled.clone()).collect())
    }
}
