//! A deterministic backend for tests of the scheduler and of callers: no library, no model file, time under the test's
//! control.

use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use super::{Backend, Interrupt, LoadOptions, Session};
use crate::error::{Error, Result};
use crate::info::{DeviceClass, Provider};
use crate::package::Graph;
use crate::tensor::{Dim, Dtype, Elements, Port, Tensor};

/// An input that makes a run fail, as a token outside the vocabulary does.
pub const POISON: f32 = -1e30;

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
    /// The input of each run, in order.
    diary: Vec<Vec<f32>>,
    /// Rows with which a run has no memory left; `None`: any number fits.
    rows_max: Option<usize>,
    /// Sessions opened.
    sessions: usize,
}

impl FakeBackend {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.shared.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets `runs` more runs through and stops then. Call with 0 to stop at once.
    pub fn allow(&self, runs: usize) {
        self.lock().gate = Some(runs);
        self.shared.changed.notify_all();
    }

    /// Lets everything through.
    pub fn open(&self) {
        self.lock().gate = None;
        self.shared.changed.notify_all();
    }

    /// More rows than these run out of memory.
    pub fn rows_max(&self, rows: usize) {
        self.lock().rows_max = Some(rows);
    }

    /// Blocks until a run waits at the gate.
    pub fn wait_for_run(&self) {
        self.wait_for_runs(1);
    }

    /// Blocks until so many runs wait at the gate.
    pub fn wait_for_runs(&self, runs: usize) {
        let state = self.lock();
        drop(self.shared.changed.wait_while(state, |state| state.waiting < runs));
    }

    /// First input element of each run so far, in the order of the runs.
    pub fn diary(&self) -> Vec<f32> {
        self.runs().iter().filter_map(|run| run.first().copied()).collect()
    }

    /// The inputs of each run so far, in the order of the runs.
    pub fn runs(&self) -> Vec<Vec<f32>> {
        self.lock().diary.clone()
    }

    /// Sessions opened so far.
    pub fn sessions(&self) -> usize {
        self.lock().sessions
    }

    fn pass(&self, x: &[f32], stopped: &Stopped) -> Result<()> {
        let mut state = self.lock();
        state.waiting += 1;
        self.shared.changed.notify_all();
        let closed = |state: &mut State| state.gate == Some(0) && !stopped.is_set();
        let mut state = self.shared.changed.wait_while(state, closed).unwrap_or_else(PoisonError::into_inner);
        state.waiting -= 1;
        if stopped.is_set() {
            return Err(Error::Backend("the run was stopped".to_owned()));
        }
        state.gate = state.gate.map(|left| left.saturating_sub(1));
        state.diary.push(x.to_vec());
        if state.rows_max.is_some_and(|most| x.len() > most) {
            return Err(Error::OutOfMemory);
        }
        if x.contains(&POISON) {
            return Err(Error::BadInput("the model refuses the input".to_owned()));
        }
        Ok(())
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
        self.lock().sessions += 1;
        let stopped = Arc::new(Stopped { backend: self.clone(), set: Mutex::new(false) });
        Ok(Box::new(FakeSession { backend: self.clone(), stopped, input: [port("x")], output: [port("y")] }))
    }
}

struct FakeSession {
    backend: FakeBackend,
    stopped: Arc<Stopped>,
    input: [Port; 1],
    output: [Port; 1],
}

struct Stopped {
    backend: FakeBackend,
    set: Mutex<bool>,
}

impl Stopped {
    fn is_set(&self) -> bool {
        *self.set.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, stopped: bool) {
        *self.set.lock().unwrap_or_else(PoisonError::into_inner) = stopped;
        // Whoever waits at the gate looks with this lock held.
        drop(self.backend.lock());
        self.backend.shared.changed.notify_all();
    }
}

impl Interrupt for Stopped {
    fn stop(&self) {
        self.set(true);
    }

    fn clear(&self) {
        self.set(false);
    }
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

    fn interrupt(&self) -> Arc<dyn Interrupt> {
        Arc::clone(&self.stopped) as Arc<dyn Interrupt>
    }

    fn run(&mut self, inputs: &[(&str, &Tensor)], outputs: &[&str]) -> Result<Vec<Tensor>> {
        let x = inputs.first().and_then(|(_, x)| Some((x, x.as_fp32()?)));
        let (tensor, x) = x.ok_or_else(|| Error::BadInput("the fake model takes `x` as fp32".to_owned()))?;
        self.backend.pass(x, &self.stopped)?;
        let doubled = Tensor::new(tensor.shape(), Elements::Fp32(x.iter().map(|n| n * 2.0).collect()))?;
        Ok(outputs.iter().map(|_| doubled.clone()).collect())
    }
}
