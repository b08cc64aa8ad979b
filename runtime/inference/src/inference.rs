//! The handle: starting, looking around, and one method per kind of request.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};
use std::time::{Duration, Instant};

use crate::backend::Backend;
use crate::backend::onnx::OnnxRuntime;
use crate::error::{Error, Result};
use crate::funds::{Funds, unpaid};
use crate::info::{EngineStatus, ModelInfo, ModelStatus, RefusedPackage, Status, Task};
use crate::limits;
use crate::listing::{Listing, Relisted};
use crate::memory::Memory;
use crate::metrics::ModelMetrics;
use crate::model::{Model, RunSettings};
use crate::package::{Package, Pipeline, packages_in};
use crate::providers::ProviderSettings;
use crate::scheduler::queue::Bounds;
use crate::scheduler::table::RunCost;
use crate::usage::Rates;

/// What the operator decides.
#[derive(Clone, Debug)]
pub struct InferenceOptions {
    /// The ONNX Runtime shared library; `None`: this node runs no models.
    pub library: Option<PathBuf>,
    /// Folders that each hold one model package.
    pub model_folders: Vec<PathBuf>,
    /// Execution providers; default: the processor alone.
    pub providers: ProviderSettings,
    /// Processor threads that one model may use; default 1.
    pub threads_per_model: usize,
    /// Rows that may wait per model; default 1,024.
    pub queue_max: usize,
    /// Rows that one tenant may have waiting per model; default 256. Bounds the items of one call too.
    pub queue_per_tenant_max: usize,
    /// A model without requests for so long leaves memory; `None`: never. Default 10 minutes.
    pub idle_unload: Option<Duration>,
    /// Whether rows of several requests run together where that was measured to be faster; default yes.
    pub batching: bool,
    /// Bytes that all loaded models of a device may take together; `None`: no bound. Default none.
    pub memory_bytes: Option<u64>,
    /// The operator's price cards, by model, in place of those of the packages.
    pub prices: BTreeMap<String, Rates>,
    /// Sessions of each model. Default 0: one for each device of the provider that is tried first.
    pub sessions: usize,
    /// Bytes of keys and values that a model which generates may keep, running rows counted twice; default 1 GiB.
    pub cache_bytes_max: u64,
}

impl Default for InferenceOptions {
    fn default() -> Self {
        Self {
            library: None,
            model_folders: Vec::new(),
            providers: ProviderSettings::default(),
            threads_per_model: 1,
            queue_max: 1024,
            queue_per_tenant_max: limits::ITEMS_MAX,
            idle_unload: Some(Duration::from_secs(600)),
            batching: true,
            memory_bytes: None,
            prices: BTreeMap::new(),
            sessions: 0,
            cache_bytes_max: limits::CACHE_BYTES_MAX,
        }
    }
}

impl InferenceOptions {
    /// The library and the models that `./justw setup` puts into `.tools`, given that folder.
    pub fn from_tools(tools: &Path) -> Self {
        let library = tools.join("lib").join("libonnxruntime.so");
        Self { library: Some(library), model_folders: packages_in(&tools.join("models")), ..Self::default() }
    }
}

/// Who asks, until when, and for how much at most.
#[derive(Clone, Debug)]
pub struct Request {
    /// The account that the fair order counts by.
    pub tenant: Arc<str>,
    /// When the answer has no worth any more; the work is dropped then, uncharged.
    pub deadline: Option<Instant>,
    /// Most that the call may cost, in micro-units.
    pub max_cost: Option<u64>,
    /// 0 = interactive to 3 = batch: the order among the tenant's own requests, and the price where the model's card says so.
    pub priority: u8,
    /// Run alone, so that the result does not depend on what others ask at the same time.
    pub exclusive: bool,
    /// What pays.
    pub funds: Arc<dyn Funds>,
}

impl Request {
    /// A request without deadline and cap, that nobody pays for.
    pub fn new(tenant: impl Into<Arc<str>>) -> Self {
        Self { tenant: tenant.into(), deadline: None, max_cost: None, priority: 1, exclusive: false, funds: unpaid() }
    }
}

/// The inference part of a node. Cheap to clone; all clones are one. When the last is dropped, its models end.
#[derive(Clone)]
pub struct Inference(Arc<Inner>);

struct Inner {
    backend: std::result::Result<Arc<dyn Backend>, String>,
    settings: RunSettings,
    prices: BTreeMap<String, Rates>,
    listing: RwLock<Listing>,
    memory: Arc<[Memory]>,
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.listed().all().for_each(|model| model.stop());
    }
}

impl Inner {
    /// No code that can panic runs under the lock, so that a poisoned list is still whole.
    fn listed(&self) -> RwLockReadGuard<'_, Listing> {
        self.listing.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// The package in a folder, as this node would lend it.
    fn open(&self, backend: &Arc<dyn Backend>, folder: PathBuf) -> std::result::Result<Arc<Model>, RefusedPackage> {
        let opened = Package::open(&folder).map_err(|error| error.to_string());
        match opened.and_then(|package| package.priced(&self.prices)) {
            Ok(package) => {
                let (backend, memory) = (Arc::clone(backend), Arc::clone(&self.memory));
                Ok(Arc::new(Model::new(package, folder, backend, memory, self.settings.clone())))
            }
            Err(reason) => Err(RefusedPackage { folder, reason }),
        }
    }
}

impl Inference {
    /// Reads the manifests and opens the runtime library. Never fails: what is wrong stands in [`Inference::status`].
    ///
    /// Models are loaded by their first request, so that a node that lends nothing stays small. Blocks for some
    /// milliseconds.
    pub fn start(options: InferenceOptions) -> Self {
        let missing = || "no ONNX Runtime library is set; run `./justw setup` or set its path".to_owned();
        let backend = options.library.as_deref().ok_or_else(missing).and_then(OnnxRuntime::open);
        Self::assemble(backend.map(|runtime| Arc::new(runtime) as Arc<dyn Backend>), options)
    }

    /// The same on the deterministic backend, for tests of queues and of callers.
    #[cfg(any(test, feature = "testing"))]
    pub fn start_fake(backend: crate::backend::fake::FakeBackend, options: InferenceOptions) -> Self {
        Self::assemble(Ok(Arc::new(backend)), options)
    }

    fn assemble(backend: std::result::Result<Arc<dyn Backend>, String>, options: InferenceOptions) -> Self {
        let sessions = if options.sessions == 0 { options.providers.devices() } else { options.sessions };
        let settings = RunSettings {
            threads: options.threads_per_model.max(1),
            bounds: Bounds { total_max: options.queue_max, per_tenant_max: options.queue_per_tenant_max },
            idle: options.idle_unload,
            batching: options.batching,
            providers: Arc::new(options.providers),
            cache_bytes_max: options.cache_bytes_max,
        };
        let memory: Arc<[Memory]> = (0..sessions).map(|_| Memory::new(options.memory_bytes)).collect();
        if let Err(reason) = &backend {
            tracing::warn!(reason, "this node runs no models");
        }
        let inner = Inner { backend, settings, prices: options.prices, listing: RwLock::default(), memory };
        let inference = Self(Arc::new(inner));
        inference.relist(options.model_folders);
        inference
    }

    /// Lends the packages in these folders from now on, and no others. A model whose package is what it was stays as it is; one
    /// that goes serves what waits for it. Blocks for some milliseconds; what is wrong stands in [`Inference::status`].
    pub fn relist(&self, model_folders: Vec<PathBuf>) -> Relisted {
        let Ok(backend) = &self.0.backend else { return Relisted::default() };
        let found: Vec<_> = model_folders.into_iter().map(|folder| self.0.open(backend, folder)).collect();
        let mut listing = self.0.listing.write().unwrap_or_else(PoisonError::into_inner);
        listing.follow(found)
    }

    /// How things stand.
    pub fn status(&self) -> Status {
        let engine = match &self.0.backend {
            Ok(backend) => EngineStatus::Ready { version: backend.version(), library: backend.library() },
            Err(reason) => EngineStatus::Unavailable { reason: reason.clone() },
        };
        let model = |(name, model): (&String, &Arc<Model>)| ModelStatus {
            name: name.clone(),
            folder: model.folder.clone(),
            state: model.state(),
            queued: model.loaded().map_or(0, |worker| worker.queued()),
        };
        let listing = self.0.listed();
        Status { engine, models: listing.models.iter().map(model).collect(), refused: listing.refused.clone() }
    }

    /// The models that this node lends, by name.
    pub fn models(&self) -> Vec<ModelInfo> {
        self.0.listed().models.values().map(|model| info(model)).collect()
    }

    /// One model.
    ///
    /// # Errors
    /// `not-found`, or `no-provider` where no model can run at all.
    pub fn info(&self, name: &str) -> Result<ModelInfo> {
        Ok(info(&*self.model(name)?))
    }

    /// A model's price card.
    ///
    /// # Errors
    /// As [`Inference::info`].
    pub fn price(&self, name: &str) -> Result<Rates> {
        Ok(self.model(name)?.package.manifest.rates)
    }

    /// What each model did since it was listed.
    pub fn metrics(&self) -> BTreeMap<String, ModelMetrics> {
        self.0.listed().models.iter().map(|(name, model)| (name.clone(), model.metrics.snapshot())).collect()
    }

    /// What runs of a model were measured to take, per device: why rows run together, or do not.
    ///
    /// # Errors
    /// As [`Inference::info`].
    pub fn measured(&self, name: &str) -> Result<Vec<Vec<RunCost>>> {
        Ok(self.model(name)?.measured())
    }

    /// Bytes that the loaded models of each device take, as measured when they were loaded.
    pub fn memory_used(&self) -> Vec<u64> {
        self.0.memory.iter().map(Memory::used).collect()
    }

    /// Loads a model ahead of its first request: files verified, ports compared, golden vectors run. A model that failed
    /// before is tried again.
    ///
    /// # Errors
    /// `backend` with the reason why it was refused.
    pub async fn load(&self, name: &str) -> Result<()> {
        self.model(name)?.load().await
    }

    /// Takes a model out of memory; calls that wait for it are cancelled. The next request loads it again.
    ///
    /// # Errors
    /// As [`Inference::info`].
    pub fn unload(&self, name: &str) -> Result<()> {
        self.model(name)?.unload();
        Ok(())
    }

    /// Ends all models and waits for their threads, at most for the runs they are in. Call it before the process ends.
    pub async fn stop(&self) {
        let models: Vec<_> = self.0.listed().all().map(Arc::clone).collect();
        let joined = tokio::task::spawn_blocking(move || {
            models.iter().for_each(|model| model.stop());
            models.iter().for_each(|model| model.join());
        });
        if let Err(cause) = joined.await {
            tracing::error!(%cause, "stopping inference failed");
        }
    }

    pub(crate) fn model(&self, name: &str) -> Result<Arc<Model>> {
        if let Err(reason) = &self.0.backend {
            return Err(Error::NoProvider(reason.clone()));
        }
        let found = self.0.listed().models.get(name).map(Arc::clone);
        found.ok_or_else(|| Error::NotFound(name.to_owned()))
    }
}

fn info(model: &Model) -> ModelInfo {
    let manifest = &model.package.manifest;
    let tasks = match manifest.task {
        // raw runs would stall its answers, and its ports are its cache
        Task::Raw | Task::Generate => vec![manifest.task],
        task => vec![task, Task::Raw],
    };
    let max_tokens = match &manifest.pipeline {
        Pipeline::Generate(settings) => Some(settings.context),
        pipeline => pipeline.text().map(|settings| settings.max_tokens),
    };
    ModelInfo {
        name: manifest.name.clone(),
        version: manifest.version.clone(),
        manifest: manifest.id,
        license: manifest.license.clone(),
        source: manifest.source.clone(),
        tasks,
        inputs: manifest.inputs.clone(),
        outputs: manifest.outputs.clone(),
        provider: model.loaded().map(|worker| worker.provider.clone()),
        max_batch: model.items_max() as u32,
        max_tokens,
        resale: manifest.resale,
    }
}
