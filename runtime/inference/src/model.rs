//! A listed model and its life: loaded by its first request, verified, served by its own thread, unloaded when idle.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tokio::sync::watch;

use crate::backend::{Backend, Session};
use crate::error::{Error, Result};
use crate::generate::{self, Decoding, Speech};
use crate::golden;
use crate::info::ModelState;
use crate::package::Package;
use crate::pipeline::Row;
use crate::pipeline::text::TextTokens;
use crate::queue::Bounds;
use crate::tensor::Port;
use crate::worker::{Finished, Worker, call};

/// How models are run here.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RunSettings {
    pub(crate) threads: usize,
    pub(crate) bounds: Bounds,
    pub(crate) idle: Option<Duration>,
    /// Bytes of keys and values that a model which generates may keep.
    pub(crate) cache_bytes_max: u64,
}

#[derive(Clone)]
enum Slot {
    Listed,
    Loading,
    Ready(Arc<Worker>),
    Failed(Error),
}

/// One model of this node.
pub(crate) struct Model {
    pub(crate) package: Package,
    pub(crate) folder: PathBuf,
    backend: Arc<dyn Backend>,
    settings: RunSettings,
    slot: watch::Sender<Slot>,
    tokens: Mutex<Option<Arc<TextTokens>>>,
    pub(crate) speech: Mutex<Option<Arc<Speech>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Model {
    pub(crate) fn new(package: Package, folder: PathBuf, backend: Arc<dyn Backend>, settings: RunSettings) -> Self {
        let slot = watch::Sender::new(Slot::Listed);
        Self {
            package,
            folder,
            backend,
            settings,
            slot,
            tokens: Mutex::new(None),
            speech: Mutex::new(None),
            thread: Mutex::new(None),
        }
    }

    fn name(&self) -> &str {
        &self.package.manifest.name
    }

    pub(crate) fn bounds(&self) -> Bounds {
        self.settings.bounds
    }

    /// The worker, when the model is in memory.
    pub(crate) fn loaded(&self) -> Option<Arc<Worker>> {
        match &*self.slot.borrow() {
            Slot::Ready(worker) => Some(Arc::clone(worker)),
            _ => None,
        }
    }

    pub(crate) fn state(&self) -> ModelState {
        match &*self.slot.borrow() {
            Slot::Listed => ModelState::Listed,
            Slot::Loading => ModelState::Loading,
            Slot::Ready(_) => ModelState::Ready,
            Slot::Failed(error) => ModelState::Failed(error.to_string()),
        }
    }

    /// Runs weighted rows in fair order and waits for them, loading the model first where needed.
    pub(crate) async fn run(
        self: &Arc<Self>,
        tenant: &Arc<str>,
        deadline: Option<Instant>,
        rows: Vec<(u64, Row)>,
    ) -> Result<Finished> {
        let (mut jobs, answer) = call(rows, deadline);
        loop {
            let worker = before(deadline, self.worker()).await??;
            if worker.submit(tenant, &mut jobs)? {
                break;
            }
            before(deadline, self.gone(&worker)).await?;
        }
        before(deadline, answer).await?.unwrap_or(Err(Error::Cancelled))
    }

    /// Waits until this worker, which takes nothing in any more, is not the model's worker.
    pub(crate) async fn gone(&self, worker: &Arc<Worker>) {
        let gone = |slot: &Slot| !matches!(slot, Slot::Ready(other) if Arc::ptr_eq(other, worker));
        // The sender lives in `self`, so that this only ends with a change.
        let _ = self.slot.subscribe().wait_for(gone).await;
    }

    /// Bytes of keys and values that it may keep.
    pub(crate) fn cache_bytes_max(&self) -> u64 {
        self.settings.cache_bytes_max
    }

    /// Loads the model; a failed one is tried again.
    pub(crate) async fn load(self: &Arc<Self>) -> Result<()> {
        self.slot.send_if_modified(|slot| {
            let failed = matches!(slot, Slot::Failed(_));
            if failed {
                *slot = Slot::Listed;
            }
            failed
        });
        self.worker().await.map(drop)
    }

    /// The worker, once the model is in memory.
    pub(crate) async fn worker(self: &Arc<Self>) -> Result<Arc<Worker>> {
        let mut slots = self.slot.subscribe();
        loop {
            let slot = slots.borrow_and_update().clone();
            match slot {
                Slot::Ready(worker) => return Ok(worker),
                Slot::Failed(error) => return Err(error),
                Slot::Listed => self.start(),
                Slot::Loading => {}
            }
            // The sender lives in `self`, so that this only ends with a change.
            let _ = slots.changed().await;
        }
    }

    /// Starts the owner thread, unless somebody else did.
    fn start(self: &Arc<Self>) {
        let first = self.slot.send_if_modified(|slot| {
            let listed = matches!(slot, Slot::Listed);
            if listed {
                *slot = Slot::Loading;
            }
            listed
        });
        if !first {
            return;
        }
        let model = Arc::clone(self);
        let spawned = std::thread::Builder::new().name(format!("model {}", self.name())).spawn(move || model.own());
        match spawned {
            Ok(thread) => *self.thread.lock().unwrap_or_else(PoisonError::into_inner) = Some(thread),
            Err(cause) => {
                self.settle(Slot::Failed(Error::Backend(format!("cannot start a thread for `{}`: {cause}", self.name()))));
            }
        }
    }

    /// The life of the owner thread: the session never leaves it.
    fn own(&self) {
        // A defect in a backend must not leave callers waiting for ever.
        let mut leave = Leave { model: self, worker: None };
        match self.open_session() {
            Ok((mut session, decoding)) => {
                let worker = Arc::new(Worker::new(session.provider(), self.settings.bounds));
                tracing::info!(
                    model = self.name(),
                    provider = worker.provider.name,
                    share = worker.provider.share,
                    "model loaded"
                );
                give_memory_back();
                leave.worker = Some(Arc::clone(&worker));
                if self.settle(Slot::Ready(Arc::clone(&worker))) {
                    match decoding {
                        Some(decoding) => generate::serve(&worker.line, &decoding, session.as_mut(), self.settings.idle),
                        None => worker.serve(&self.package.manifest, session.as_mut(), self.settings.idle),
                    }
                }
                drop(session);
                *self.tokens.lock().unwrap_or_else(PoisonError::into_inner) = None;
                *self.speech.lock().unwrap_or_else(PoisonError::into_inner) = None;
                tracing::info!(model = self.name(), "model unloaded");
            }
            Err(error) => {
                tracing::warn!(model = self.name(), %error, "model refused");
                self.settle(Slot::Failed(error));
            }
        }
        give_memory_back();
    }

    /// Ends `Loading`. `false`: the model was stopped meanwhile.
    fn settle(&self, next: Slot) -> bool {
        self.slot.send_if_modified(|slot| {
            let loading = matches!(slot, Slot::Loading);
            if loading {
                *slot = next;
            }
            loading
        })
    }

    /// Verified files, a session with the declared ports, and golden vectors that are right on it; with what a decoder needs.
    fn open_session(&self) -> Result<(Box<dyn Session>, Option<Decoding>)> {
        let manifest = &self.package.manifest;
        let graph = self.package.graph().map_err(|cause| self.refused(&cause))?;
        let mut session = self.backend.load(&graph, self.settings.threads).map_err(|cause| self.refused(&cause))?;
        drop(graph);
        for (side, declared, found) in
            [("input", &manifest.inputs, session.inputs()), ("output", &manifest.outputs, session.outputs())]
        {
            compare_ports(side, declared, found).map_err(|cause| self.refused(&cause))?;
        }
        let decoding = self.decoding(session.as_mut()).map_err(|cause| self.refused(&cause))?;
        if decoding.is_none() {
            let tokens = self.tokens_blocking()?;
            golden::check(manifest, tokens.as_deref(), session.as_mut()).map_err(|cause| self.refused(&cause))?;
        }
        Ok((session, decoding))
    }

    fn refused(&self, cause: &dyn std::fmt::Display) -> Error {
        Error::Backend(format!("model `{}` cannot be loaded: {cause}", self.name()))
    }

    /// The tokenizer of a text model, read on first use; `None` for other models.
    fn tokens_blocking(&self) -> Result<Option<Arc<TextTokens>>> {
        let Some(settings) = self.package.manifest.pipeline.text() else { return Ok(None) };
        let mut tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(tokens) = &*tokens {
            return Ok(Some(Arc::clone(tokens)));
        }
        let json = self.package.file(&settings.tokenizer).map_err(|cause| self.refused(&cause))?;
        let made = Arc::new(TextTokens::new(settings, &json)?);
        Ok(Some(Arc::clone(tokens.insert(made))))
    }

    /// The same without blocking the async worker.
    pub(crate) async fn tokens(self: &Arc<Self>) -> Result<Arc<TextTokens>> {
        let ready = self.tokens.try_lock().ok().and_then(|tokens| tokens.clone());
        if let Some(tokens) = ready {
            return Ok(tokens);
        }
        let model = Arc::clone(self);
        let made = tokio::task::spawn_blocking(move || model.tokens_blocking()).await;
        let tokens = made.map_err(|cause| Error::Backend(format!("the tokenizer failed: {cause}")))??;
        tokens.ok_or_else(|| Error::BadInput(format!("`{}` takes no text", self.name())))
    }

    /// Takes the model out of memory; calls that wait are cancelled. The next request loads it again.
    pub(crate) fn unload(&self) {
        if let Some(worker) = self.loaded() {
            self.leave(&worker);
            worker.close();
        }
    }

    /// Back to `Listed`, if this worker is still the one.
    fn leave(&self, worker: &Arc<Worker>) {
        self.slot.send_if_modified(|slot| {
            let own = matches!(slot, Slot::Ready(other) if Arc::ptr_eq(other, worker));
            if own {
                *slot = Slot::Listed;
            }
            own
        });
    }

    /// Ends the model for good; its thread ends after the run it is in.
    pub(crate) fn stop(&self) {
        let stopped = Slot::Failed(Error::NoProvider("inference has stopped on this node".to_owned()));
        if let Slot::Ready(worker) = self.slot.send_replace(stopped) {
            worker.close();
        }
    }

    /// Waits for the owner thread. Blocks.
    pub(crate) fn join(&self) {
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread
            && thread.join().is_err()
        {
            tracing::error!(model = self.name(), "the model's thread panicked");
        }
    }
}

/// Runs when an owner thread ends, by whatever way. The model may have been loaded anew meanwhile, so that a thread only
/// takes back what is its own.
struct Leave<'a> {
    model: &'a Model,
    worker: Option<Arc<Worker>>,
}

impl Drop for Leave<'_> {
    fn drop(&mut self) {
        match &self.worker {
            Some(worker) => {
                self.model.leave(worker);
                worker.close();
            }
            None if std::thread::panicking() => {
                self.model
                    .settle(Slot::Failed(Error::Backend(format!("model `{}` crashed while it was loaded", self.model.name()))));
            }
            None => {}
        }
    }
}

/// Waits no longer than the deadline.
pub(crate) async fn before<T>(deadline: Option<Instant>, work: impl Future<Output = T>) -> Result<T> {
    match deadline {
        Some(deadline) => tokio::time::timeout_at(deadline.into(), work).await.map_err(|_| Error::Deadline),
        None => Ok(work.await),
    }
}

/// Declared and real ports must be the same, in any order.
fn compare_ports(side: &str, declared: &[Port], found: &[Port]) -> Result<()> {
    let wrong = |text: String| Err(Error::Backend(text));
    for port in declared {
        match found.iter().find(|other| other.name == port.name) {
            Some(other) if port.same_as(other) => {}
            Some(other) => return wrong(format!("its manifest declares the {side} {port}, but the graph has {other}")),
            None => return wrong(format!("its manifest declares the {side} {port}, but the graph has none of that name")),
        }
    }
    match found.iter().find(|port| !declared.iter().any(|other| other.name == port.name)) {
        Some(port) => wrong(format!("the graph has the {side} {port}, which its manifest does not declare")),
        None => Ok(()),
    }
}

/// Loading leaves hundreds of free megabytes with the allocator; an idle node should be small.
fn give_memory_back() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: malloc_trim takes a number and may be called at any time from any thread.
    unsafe {
        libc::malloc_trim(0);
    }
}
