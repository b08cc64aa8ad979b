//! An agent's inference capability for one call: the node's models, and what was run for the receipt and the bill.

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use futures::FutureExt;
use futures::future::BoxFuture;
use hansa_economy::Digest;
use hansa_economy::receipt::ModelRun;
use hansa_host::inference as wit;
use hansa_host::inference::{Infer, InferFuture};
use hansa_inference as engine;
use hansa_inference::Inference;

use super::generation::{self, CallGeneration};

/// Priority of a request that names none: neither interactive nor batch.
const PRIORITY_DEFAULT: u8 = 1;

/// The capability. Made anew for each call.
pub(crate) struct CallInference {
    inference: Inference,
    tenant: Arc<str>,
    funds: Arc<dyn engine::Funds>,
    deadline: Instant,
    sells: bool,
    used: Counting,
}

/// What one call ran.
#[derive(Clone, Debug, Default)]
pub(crate) struct Used {
    pub(crate) models: Vec<ModelRun>,
    /// By the models' price cards, in the asset's smallest unit.
    pub(crate) cost: u64,
}

/// The same while it is counted: generations go on counting when the guest has left `generate`.
#[derive(Clone, Default)]
struct Counting(Arc<Mutex<Used>>);

/// One model's line in it.
pub(super) struct Run {
    used: Counting,
    inference: Inference,
    /// The model's name on this node.
    name: String,
    model: ModelRun,
}

impl Counting {
    fn lock(&self) -> MutexGuard<'_, Used> {
        self.0.lock().expect("no panic while usage is locked")
    }
}

impl Run {
    /// Counts more units; the model is listed with its first.
    pub(super) fn add(&mut self, usage: engine::Usage) {
        if self.model.provider.is_none() {
            self.find_provider();
        }
        let mut used = self.used.lock();
        used.cost = used.cost.saturating_add(usage.cost);
        if !used.models.iter().any(|run| run.manifest == self.model.manifest) {
            used.models.push(self.model.clone());
        }
        for run in used.models.iter_mut().filter(|run| run.manifest == self.model.manifest) {
            run.input_units = run.input_units.saturating_add(usage.input_units);
            run.output_units = run.output_units.saturating_add(usage.output_units);
        }
    }

    /// Only a loaded model says where it runs. One that was replaced meanwhile is another.
    fn find_provider(&mut self) {
        let info = self.inference.info(&self.name).ok().filter(|info| Digest(info.manifest) == self.model.manifest);
        if let Some(provider) = info.and_then(|info| info.provider) {
            self.model.provider_share_permille = Some((provider.share * 1000.0).round() as u16);
            self.model.provider = Some(provider.name);
        }
    }
}

impl CallInference {
    /// For a call of `tenant` that has to end at `deadline` and is paid from `funds`; `sells`: the agent sells what it makes.
    pub(crate) fn new(
        inference: Inference,
        tenant: Arc<str>,
        funds: Arc<dyn engine::Funds>,
        deadline: Instant,
        sells: bool,
    ) -> CallInference {
        CallInference { inference, tenant, funds, deadline, sells, used: Counting::default() }
    }

    /// What was run so far.
    pub(crate) fn used(&self) -> Used {
        self.used.lock().clone()
    }

    fn request(&self, opts: &wit::Opts) -> engine::Request {
        let wished = opts.deadline_ms.map(|ms| Instant::now() + Duration::from_millis(ms.into()));
        engine::Request {
            deadline: Some(wished.map_or(self.deadline, |wished| wished.min(self.deadline))),
            max_cost: opts.max_cost,
            priority: opts.priority.unwrap_or(PRIORITY_DEFAULT),
            exclusive: opts.exclusive,
            funds: self.funds.clone(),
            ..engine::Request::new(self.tenant.clone())
        }
    }

    /// The line of a model that is about to run. The list of models can change while an agent is deployed, so that the licence
    /// is looked at here too.
    fn begin(&self, model: &str) -> Result<Run, wit::Error> {
        let info = self.inference.info(model).map_err(error)?;
        if self.sells && !info.resale {
            let text = format!("the licence of `{model}` ({}) does not allow an agent that sells to use it here", info.license);
            return Err(wit::Error::NotPermitted(text));
        }
        let model = ModelRun {
            model: format!("{}@{}", info.name, info.version),
            manifest: Digest(info.manifest),
            input_units: 0,
            output_units: 0,
            provider_share_permille: None,
            provider: None,
        };
        Ok(Run { used: self.used.clone(), inference: self.inference.clone(), name: info.name, model })
    }
}

impl Infer for CallInference {
    fn models(&self) -> BoxFuture<'_, Vec<wit::ModelInfo>> {
        async move { self.inference.models().into_iter().map(info).collect() }.boxed()
    }

    fn info(&self, model: String) -> InferFuture<'_, wit::ModelInfo> {
        async move { self.inference.info(&model).map(info).map_err(error) }.boxed()
    }

    fn price(&self, model: String) -> InferFuture<'_, wit::Rates> {
        let rates = move || {
            let rates = self.inference.price(&model).map_err(error)?;
            Ok(wit::Rates {
                per_request: rates.per_request,
                per_1k_input: rates.per_1k_input,
                per_1k_output: rates.per_1k_output,
                priority_percent: rates.priority_percent.into(),
            })
        };
        async move { rates() }.boxed()
    }

    fn count_tokens(&self, model: String, text: Vec<String>) -> InferFuture<'_, Vec<u32>> {
        async move { self.inference.count_tokens(&model, text).await.map_err(error) }.boxed()
    }

    fn run(
        &self,
        model: String,
        inputs: Vec<(String, wit::Tensor)>,
        outputs: Vec<String>,
        opts: wit::Opts,
    ) -> InferFuture<'_, wit::TensorOutcome> {
        let run = async move {
            let inputs: Result<Vec<_>, _> = inputs.into_iter().map(|(name, tensor)| Ok((name, from_guest(&tensor)?))).collect();
            let inputs = inputs.map_err(error)?;
            let mut run = self.begin(&model)?;
            let done = self.inference.run(&self.request(&opts), &model, inputs, outputs).await.map_err(error)?;
            run.add(done.usage);
            let usage = usage_out(done.usage);
            let outputs = done.outputs.into_iter().map(|(name, tensor)| (name, to_guest(&tensor))).collect();
            Ok(wit::TensorOutcome { outputs, usage })
        };
        run.boxed()
    }

    fn embed(&self, model: String, input: Vec<String>, opts: wit::Opts) -> InferFuture<'_, wit::Embeddings> {
        let embed = async move {
            let mut run = self.begin(&model)?;
            let done = self.inference.embed(&self.request(&opts), &model, input).await.map_err(error)?;
            run.add(done.usage);
            let usage = usage_out(done.usage);
            Ok(wit::Embeddings { dims: done.dims, data: done.data, truncated: done.truncated, usage })
        };
        embed.boxed()
    }

    fn classify(&self, model: String, input: Vec<wit::Example>, top_k: u32, opts: wit::Opts) -> InferFuture<'_, wit::Labels> {
        let classify = async move {
            let input = input.into_iter().map(|example| match example {
                wit::Example::Text(text) => engine::Example::Text(text),
                wit::Example::Bytes(bytes) => engine::Example::Bytes(bytes),
            });
            let mut run = self.begin(&model)?;
            let done = self.inference.classify(&self.request(&opts), &model, input.collect(), top_k).await.map_err(error)?;
            run.add(done.usage);
            let usage = usage_out(done.usage);
            let label = |label: engine::Label| wit::Label { name: label.name, score: label.score };
            let rows = done.rows.into_iter().map(|row| row.into_iter().map(label).collect()).collect();
            Ok(wit::Labels { rows, usage })
        };
        classify.boxed()
    }

    fn rerank(
        &self,
        model: String,
        query: String,
        documents: Vec<String>,
        top_k: u32,
        opts: wit::Opts,
    ) -> InferFuture<'_, wit::Ranking> {
        let rerank = async move {
            let mut run = self.begin(&model)?;
            let done = self.inference.rerank(&self.request(&opts), &model, query, documents, top_k).await.map_err(error)?;
            run.add(done.usage);
            let usage = usage_out(done.usage);
            let ranked = |ranked: engine::Ranked| wit::Ranked { index: ranked.index, score: ranked.score };
            Ok(wit::Ranking { rows: done.rows.into_iter().map(ranked).collect(), usage })
        };
        rerank.boxed()
    }

    fn generate(
        &self,
        model: String,
        prompt: wit::Prompt,
        sampling: wit::Sampling,
        opts: wit::Opts,
    ) -> InferFuture<'_, Box<dyn wit::Generation>> {
        let generate = async move {
            let (prompt, sampling) = (generation::prompt(prompt), generation::sampling(sampling)?);
            let run = self.begin(&model)?;
            let begun = self.inference.generate(&self.request(&opts), &model, prompt, sampling).await.map_err(error)?;
            Ok(Box::new(CallGeneration::new(begun, run)) as Box<dyn wit::Generation>)
        };
        generate.boxed()
    }
}

/// Usage as guests see it.
pub(super) fn usage_out(usage: engine::Usage) -> wit::Usage {
    wit::Usage {
        requests: usage.requests,
        input_units: usage.input_units,
        output_units: usage.output_units,
        device_us: usage.device_us,
        queue_us: usage.queue_us,
        batch_rows: usage.batch_rows,
        cost: usage.cost,
    }
}

fn from_guest(tensor: &wit::Tensor) -> Result<engine::Tensor, engine::Error> {
    engine::Tensor::from_bytes(dtype_in(tensor.ty), &tensor.shape, &tensor.data)
}

fn to_guest(tensor: &engine::Tensor) -> wit::Tensor {
    wit::Tensor { ty: dtype_out(tensor.dtype()), shape: tensor.shape().to_vec(), data: tensor.to_bytes() }
}

macro_rules! same_names {
    ($from:expr, $a:path => $b:path, [$($case:ident),*]) => {{
        use $a as From;
        use $b as To;
        match $from { $(From::$case => To::$case),* }
    }};
}

fn dtype_in(dtype: wit::Dtype) -> engine::Dtype {
    same_names!(dtype, wit::Dtype => engine::Dtype, [Fp16, Bf16, Fp32, Fp64, Uint8, Int8, Int32, Int64, Boolean, Utf8])
}

fn dtype_out(dtype: engine::Dtype) -> wit::Dtype {
    same_names!(dtype, engine::Dtype => wit::Dtype, [Fp16, Bf16, Fp32, Fp64, Uint8, Int8, Int32, Int64, Boolean, Utf8])
}

fn task(task: engine::Task) -> wit::Task {
    same_names!(task, engine::Task => wit::Task, [Raw, Embed, Classify, Rerank, Generate])
}

fn dim(dim: &engine::Dim) -> wit::Dim {
    match dim {
        engine::Dim::Fixed(size) => wit::Dim { name: None, size: Some(*size) },
        engine::Dim::Free(name) => wit::Dim { name: Some(name.clone()), size: None },
    }
}

fn port(port: &engine::Port) -> wit::Port {
    wit::Port { name: port.name.clone(), ty: dtype_out(port.dtype), shape: port.shape.iter().map(dim).collect() }
}

fn info(info: engine::ModelInfo) -> wit::ModelInfo {
    let loaded = info.is_loaded();
    let device = info.provider.as_ref().map_or(engine::DeviceClass::Cpu, |provider| provider.device);
    wit::ModelInfo {
        model: wit::ModelRef { name: info.name, version: info.version, manifest: info.manifest.to_vec() },
        license: info.license,
        tasks: info.tasks.into_iter().map(task).collect(),
        inputs: info.inputs.iter().map(port).collect(),
        outputs: info.outputs.iter().map(port).collect(),
        device: same_names!(device, engine::DeviceClass => wit::DeviceClass, [Cpu, Gpu, Npu]),
        provider_share: info.provider.as_ref().map_or(0.0, |provider| provider.share),
        provider: info.provider.map(|provider| provider.name).unwrap_or_default(),
        max_batch: info.max_batch,
        max_tokens: info.max_tokens,
        loaded,
    }
}

pub(super) fn error(error: engine::Error) -> wit::Error {
    use engine::Error as E;
    match error {
        E::NotFound(name) => wit::Error::NotFound(name),
        E::NotPermitted(why) => wit::Error::NotPermitted(why),
        E::BadInput(why) => wit::Error::BadInput(why),
        E::Shape(shape) => {
            wit::Error::Shape(wit::BadShape { port: shape.port, want: shape.want.iter().map(dim).collect(), got: shape.got })
        }
        E::TooLarge(limit) => wit::Error::TooLarge(limit),
        E::NonFinite(output) => wit::Error::NonFinite(output),
        E::Budget(quote) => wit::Error::Budget(quote),
        E::Overloaded(retry_ms) => wit::Error::Overloaded(retry_ms),
        E::Deadline => wit::Error::Deadline,
        E::Cancelled => wit::Error::Cancelled,
        E::NoProvider(why) => wit::Error::NoProvider(why),
        E::OutOfMemory => wit::Error::OutOfMemory,
        E::Backend(why) => wit::Error::Backend(why),
    }
}
