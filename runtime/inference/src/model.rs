//! A listed model and its life: loaded by its first request, verified, served by its own thread, unloaded when idle.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tokio::sync::{oneshot, watch};

use crate::backend::{Backend, LoadOptions, Session};
use crate::error::{Error, Result};
use crate::generate::{self, Decoding, Speech};
use crate::golden;
use crate::info::ModelState;
use crate::memory::{self, Memory, Residence, Tenancy};
use crate::metrics::Metrics;
use crate::package::Package;
use crate::pipeline::Row;
use crate::pipeline::text::TextTokens;
use crate::providers::ProviderSettings;
use crate::scheduler::call::{Begun, Call, Finished};
use crate::scheduler::queue::{Bounds, Ticket};
use crate::scheduler::table::{AtOnce, CostTable, RunCost};
use crate::scheduler::worker::{Seat, Worker};
use crate::tensor::compare_ports;

/// How models are run here.
#[derive(Clone, Debug)]
pub(crate) struct RunSettings {
    pub(crate) threads: usize,
    pub(crate) bounds: Bounds,
    pub(crate) idle: Option<Duration>,
    pub(crate) batching: bool,
    /// Bytes of keys and values that a model which generates may keep.
    pub(crate) cache_bytes_max: u64,
    pub(crate) providers: Arc<ProviderSettings>,
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
    threads: Mutex<Vec<JoinHandle<()>>>,
    /// Not lent any more.
    retired: AtomicBool,
    /// The worker that only serves what waited.
    draining: Mutex<Weak<Worker>>,
    /// One for each device.
    memory: Arc<[Memory]>,
    /// What runs cost, per device; kept when the model leaves memory.
    tables: Vec<Mutex<CostTable>>,
    pub(crate) metrics: Arc<Metrics>,
}

impl Model {
    /// Listed, not loaded; `memory` has one entry for each device to run on.
    pub(crate) fn new(
        package: Package,
        folder: PathBuf,
        backend: Arc<dyn Backend>,
        memory: Arc<[Memory]>,
        settings: RunSettings,
    ) -> Self {
        let tables = memory.iter().map(|_| Mutex::new(CostTable::new(settings.batching))).collect();
        Self {
            package,
            folder,
            backend,
            settings,
            slot: watch::Sender::new(Slot::Listed),
            tokens: Mutex::default(),
            speech: Mutex::default(),
            threads: Mutex::default(),
            retired: AtomicBool::default(),
            draining: Mutex::new(Weak::new()),
            memory,
            tables,
            metrics: Arc::default(),
        }
    }

    fn name(&self) -> &str {
        &self.package.manifest.name
    }

    /// Whether another one is of the same package.
    pub(crate) fn is_of(&self, other: &Self) -> bool {
        self.folder == other.folder && self.package.manifest.id == other.package.manifest.id
    }

    /// Lends it no more: what waits is served, what comes later finds nothing.
    pub(crate) fn retire(&self) {
        self.retired.store(true, Ordering::Release);
        self.drain();
    }

    fn is_retired(&self) -> bool {
        self.retired.load(Ordering::Acquire)
    }

    /// Whether no thread of its own is left.
    pub(crate) fn has_ended(&self) -> bool {
        self.threads.lock().unwrap_or_else(PoisonError::into_inner).iter().all(JoinHandle::is_finished)
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

    /// Runs rows in fair order and waits for them, loading the model first where needed. Dropping the wait takes back what
    /// has not run.
    pub(crate) async fn run(
        self: &Arc<Self>,
        tenant: &Arc<str>,
        deadline: Option<Instant>,
        rows: Vec<(Ticket, Row)>,
    ) -> Result<Finished> {
        let Begun { call, mut jobs, answer } = Call::of(tenant, deadline, rows);
        let worker = loop {
            let worker = before(deadline, self.worker()).await??;
            if worker.submit(tenant, &mut jobs)? {
                break worker;
            }
            before(deadline, self.gone(&worker)).await?;
        };
        let mut waiting = Waiting { worker, call, answer };
        before(deadline, &mut waiting.answer).await?.unwrap_or(Err(Error::Cancelled))
    }

    /// Waits until this worker, which takes nothing in any more, is not the model's worker.
    pub(crate) async fn gone(&self, worker: &Arc<Worker>) {
        let gone = |slot: &Slot| !matches!(slot, Slot::Ready(other) if Arc::ptr_eq(other, worker));
        // The sender lives in `self`, so that this only ends with a change.
        let _ = self.slot.subscribe().wait_for(gone).await;
    }

    pub(crate) fn settings(&self) -> &RunSettings {
        &self.settings
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
        self.forget_what_may_pass();
        let mut slots = self.slot.subscribe();
        loop {
            let slot = slots.borrow_and_update().clone();
            match slot {
                Slot::Ready(worker) => return Ok(worker),
                Slot::Failed(error) => return Err(error),
                Slot::Listed if self.is_retired() => return Err(Error::NotFound(self.name().to_owned())),
                Slot::Listed => self.start(),
                Slot::Loading => {}
            }
            // The sender lives in `self`, so that this only ends with a change.
            let _ = slots.changed().await;
        }
    }

    /// A load that found no room is tried again by the next request; who waited for it has its answer.
    fn forget_what_may_pass(&self) {
        self.slot.send_if_modified(|slot| {
            let passing = matches!(slot, Slot::Failed(error) if error.is_transient());
            if passing {
                *slot = Slot::Listed;
            }
            passing
        });
    }

    /// Starts the owner thread of the first device, unless somebody else did.
    fn start(self: &Arc<Self>) {
        let first = self.slot.send_if_modified(|slot| {
            let listed = matches!(slot, Slot::Listed);
            if listed {
                *slot = Slot::Loading;
            }
            listed
        });
        if first && let Err(error) = self.spawn(0, None) {
            self.settle(Slot::Failed(error));
        }
    }

    /// A thread that owns this model's session on one device.
    fn spawn(self: &Arc<Self>, device: usize, worker: Option<Arc<Worker>>) -> Result<()> {
        let model = Arc::clone(self);
        let name = format!("model {} {device}", self.name());
        let spawned = std::thread::Builder::new().name(name).spawn(move || model.own(device, worker));
        let thread = spawned.map_err(|cause| Error::Backend(format!("cannot start a thread for `{}`: {cause}", self.name())))?;
        let mut threads = self.threads.lock().unwrap_or_else(PoisonError::into_inner);
        threads.retain(|thread| !thread.is_finished());
        threads.push(thread);
        Ok(())
    }

    /// The life of an owner thread: the session never leaves it. The first device's thread makes the worker, and those of
    /// the others join it.
    fn own(self: &Arc<Self>, device: usize, worker: Option<Arc<Worker>>) {
        // A defect in a backend must not leave callers waiting for ever.
        let mut leave = Leave { model: self, worker };
        match self.open_session(device) {
            Ok(Opened { mut session, decoding, place }) => {
                let worker = leave.worker.get_or_insert_with(|| self.new_worker(session.as_ref()));
                let worker = Arc::clone(worker);
                if device > 0 || self.settle(Slot::Ready(Arc::clone(&worker))) {
                    if self.is_retired() {
                        self.drain();
                    }
                    match decoding {
                        // a sequence stays where its keys and values are: one device serves them all
                        Some(decoding) => generate::serve(&worker.line, &decoding, session.as_mut(), self.settings.idle),
                        None => {
                            if device == 0 {
                                self.start_others(&worker);
                            }
                            self.serve(device, &worker, session.as_mut());
                        }
                    }
                }
                drop(session);
                *self.tokens.lock().unwrap_or_else(PoisonError::into_inner) = None;
                *self.speech.lock().unwrap_or_else(PoisonError::into_inner) = None;
                memory::give_back();
                drop(place);
                self.metrics.unloaded();
                tracing::info!(model = self.name(), device, "model unloaded");
            }
            Err(error) => {
                tracing::warn!(model = self.name(), device, %error, "model refused");
                // The other devices go on without this one; a model that is being loaded anew is none of its business.
                match device {
                    0 => drop(self.settle(Slot::Failed(error))),
                    _ => leave.worker = None,
                }
                memory::give_back();
            }
        }
    }

    fn new_worker(&self, session: &dyn Session) -> Arc<Worker> {
        Arc::new(Worker::new(session.provider(), self.settings.bounds, Arc::clone(&self.metrics)))
    }

    fn start_others(self: &Arc<Self>, worker: &Arc<Worker>) {
        for device in 1..self.memory.len() {
            if let Err(error) = self.spawn(device, Some(Arc::clone(worker))) {
                tracing::warn!(%error, device, "the model runs on fewer devices");
            }
        }
    }

    fn serve(self: &Arc<Self>, device: usize, worker: &Worker, session: &mut dyn Session) {
        let make_room = || self.memory[device].evict_idle(self.name());
        let manifest = &self.package.manifest;
        let table = &self.tables[device];
        worker.serve(&mut Seat { device, manifest, session, table, make_room: &make_room }, self.settings.idle);
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

    /// Room on the device, verified files, a session with the declared ports, and golden vectors that are right on it.
    fn open_session(self: &Arc<Self>, device: usize) -> Result<Opened<'_>> {
        let manifest = &self.package.manifest;
        let room = self.memory[device].room(self.name(), self.package.expected_bytes())?;
        memory::give_back();
        let before = memory::process_bytes();
        let graph = self.package.graph().map_err(|cause| self.refused(&cause))?;
        let options = self.load_options(device).map_err(|cause| self.refused(&cause))?;
        let mut session = self.backend.load(&graph, &options).map_err(|cause| self.not_loaded(cause))?;
        drop(graph);
        for (side, declared, found) in
            [("input", &manifest.inputs, session.inputs()), ("output", &manifest.outputs, session.outputs())]
        {
            compare_ports(side, declared, found).map_err(|cause| self.refused(&cause))?;
        }
        let decoding = self.decoding(session.as_mut()).map_err(|cause| self.refused(&cause))?;
        if decoding.is_none() {
            self.check_rows(device, session.as_mut())?;
        }
        let provider = session.provider();
        memory::give_back();
        let bytes = self.package.measured_bytes(provider.device, memory::process_bytes().saturating_sub(before));
        tracing::info!(model = self.name(), device, provider = provider.name, share = provider.share, bytes, "model loaded");
        self.metrics.loaded();
        let model: Weak<Self> = Arc::downgrade(self);
        Ok(Opened { session, decoding, place: room.taken(bytes, model) })
    }

    /// Golden vectors of a model of rows, and whether its rows may run together.
    fn check_rows(&self, device: usize, session: &mut dyn Session) -> Result<()> {
        let tokens = self.tokens_blocking()?;
        let rows = golden::check(&self.package.manifest, tokens.as_deref(), session).map_err(|cause| self.refused(&cause))?;
        if rows == golden::Rows::Alone {
            tracing::warn!(model = self.name(), "rows that run together differ from rows alone; they will run alone");
            self.table(device).run_alone();
        }
        Ok(())
    }

    fn table(&self, device: usize) -> MutexGuard<'_, CostTable> {
        self.tables[device].lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many of so many rows of this length to run at once, so that others come in between; one as long as no device knows.
    pub(crate) fn rows_at_once(&self, rows: u32, length: u32) -> u32 {
        let devices: Vec<AtOnce> = (0..self.tables.len()).map(|device| self.table(device).at_once(rows, length)).collect();
        if devices.contains(&AtOnce::All) {
            return rows;
        }
        let most = |device: &AtOnce| if let AtOnce::Most(most) = device { Some(*most) } else { None };
        devices.iter().filter_map(most).min().unwrap_or(1)
    }

    /// What runs were measured to take, per device.
    pub(crate) fn measured(&self) -> Vec<Vec<RunCost>> {
        (0..self.tables.len()).map(|device| self.table(device).measured()).collect()
    }

    /// What the operator allows and the model wants.
    fn load_options(&self, seat: usize) -> std::result::Result<LoadOptions, String> {
        let (runtime, settings) = (&self.package.manifest.runtime, &self.settings);
        Ok(LoadOptions {
            threads: settings.threads,
            seat,
            order: settings.providers.narrowed(runtime)?,
            min_share: runtime.min_share(),
            providers: Arc::clone(&settings.providers),
        })
    }

    /// What may pass stays what it is, so that the next request tries again.
    fn not_loaded(&self, cause: Error) -> Error {
        if cause.is_transient() { cause } else { self.refused(&cause) }
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
        let draining = self.draining.lock().unwrap_or_else(PoisonError::into_inner).upgrade();
        if let Some(worker) = draining {
            worker.close();
        }
    }

    /// Waits for the owner threads, also for those that one of them starts meanwhile. Blocks.
    pub(crate) fn join(&self) {
        let next = || self.threads.lock().unwrap_or_else(PoisonError::into_inner).pop();
        while let Some(thread) = next() {
            if thread.join().is_err() {
                tracing::error!(model = self.name(), "the model's thread panicked");
            }
        }
    }
}

/// A session that may serve.
struct Opened<'a> {
    session: Box<dyn Session>,
    /// What a model that generates is served with.
    decoding: Option<Decoding>,
    place: Residence<'a>,
}

impl Tenancy for Model {
    fn idle_for(&self) -> Option<Duration> {
        self.loaded().map_or(Some(Duration::MAX), |worker| worker.idle_for())
    }

    fn drain(&self) {
        if let Some(worker) = self.loaded() {
            *self.draining.lock().unwrap_or_else(PoisonError::into_inner) = Arc::downgrade(&worker);
            self.leave(&worker);
            worker.finish();
        }
    }
}

/// A caller's wait. When it ends early, the rows are wanted no more.
struct Waiting {
    worker: Arc<Worker>,
    call: Arc<Call>,
    answer: oneshot::Receiver<Result<Finished>>,
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.answer.close();
        self.worker.left(&self.call);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::fake::FakeBackend;
    use crate::package::Graph;
    use crate::scheduler::tests::package;

    /// A device that takes no model.
    struct Broken;

    impl Backend for Broken {
        fn version(&self) -> String {
            "broken".to_owned()
        }

        fn library(&self) -> Option<PathBuf> {
            None
        }

        fn load(&self, _graph: &Graph, _options: &LoadOptions) -> Result<Box<dyn Session>> {
            Err(Error::Backend("no such device".to_owned()))
        }
    }

    fn model(backend: impl Backend) -> (Arc<Model>, tempfile::TempDir) {
        let folder = package("[2, -8]");
        let settings = RunSettings {
            threads: 1,
            bounds: Bounds { total_max: 8, per_tenant_max: 8 },
            idle: None,
            batching: true,
            cache_bytes_max: 1,
            providers: Arc::default(),
        };
        let opened = Package::open(folder.path()).unwrap();
        let memory = [Memory::new(None), Memory::new(None)].into();
        (Arc::new(Model::new(opened, folder.path().to_owned(), Arc::new(backend), memory, settings)), folder)
    }

    #[tokio::test]
    async fn a_load_that_found_no_room_is_tried_again_and_one_that_is_wrong_is_not() {
        let (model, _folder) = model(FakeBackend::default());
        model.slot.send_replace(Slot::Failed(Error::Overloaded(7)));
        model.worker().await.unwrap();
        model.stop();
        assert!(matches!(model.worker().await, Err(Error::NoProvider(_))));
    }

    #[tokio::test]
    async fn a_retired_model_serves_what_it_has_and_is_not_loaded_again() {
        let (model, _folder) = model(FakeBackend::default());
        let worker = model.worker().await.unwrap();
        model.retire();
        model.gone(&worker).await;
        assert!(matches!(model.worker().await, Err(Error::NotFound(name)) if name == "double"));
        model.join();
        assert!(model.has_ended());
    }

    /// The thread of a further device failed when its model had been unloaded and was being loaded anew: the new load was
    /// called failed, and stayed so.
    #[test]
    fn a_further_device_that_fails_leaves_a_new_load_alone() {
        let (model, _folder) = model(Broken);
        let session = FakeBackend::default();
        let options = model.load_options(0).unwrap();
        let session = session.load(&model.package.graph().unwrap(), &options).unwrap();
        let worker = model.new_worker(session.as_ref());
        model.slot.send_replace(Slot::Loading);
        model.own(1, Some(worker));
        assert_eq!(model.state(), ModelState::Loading);
    }
}
