//! Models for the tests: each does something small that shows in its answer.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::SeqCst},
};

use futures::future::{BoxFuture, FutureExt as _};
use hansa_host::{
    Absent,
    inference::{
        BadShape, Chunk, DeviceClass, Dim, Done, Dtype, Embeddings, Error, Event, Example, Finish, Generation, Infer,
        InferFuture, Labels, ModelInfo, ModelRef, Opts, Port, Prompt, Ranking, Rates, Sampling, Tensor, TensorOutcome, Usage,
    },
};
use tokio::sync::Notify;

/// `minilm` embeds and generates; `adder`, `echo`, `zeros` and `odd` run on tensors; `secret` is nobody's.
#[derive(Default)]
pub(crate) struct Models {
    pub(crate) seen: Arc<Seen>,
}

/// What the test sees of generations.
#[derive(Default)]
pub(crate) struct Seen {
    /// Generations that were started.
    pub(crate) started: AtomicUsize,
    /// Of these, not yet dropped.
    pub(crate) open: AtomicUsize,
    /// Told when one waits at `gate`.
    pub(crate) waits: Notify,
    /// Opens the `gate` for one.
    pub(crate) gate: Notify,
}

static ABSENT: Absent = Absent;

fn usage(cost: u64) -> Usage {
    Usage { requests: 1, input_units: 1, output_units: cost, device_us: 1, queue_us: 0, batch_rows: 1, cost }
}

fn port(name: &str, ty: Dtype) -> Port {
    Port { name: name.into(), ty, shape: vec![Dim { name: Some("n".into()), size: None }] }
}

fn model(name: &str, inputs: Vec<Port>, outputs: Vec<Port>) -> ModelInfo {
    ModelInfo {
        model: ModelRef { name: name.into(), version: "1".into(), manifest: vec![0; 32] },
        license: "MIT".into(),
        tasks: Vec::new(),
        inputs,
        outputs,
        device: DeviceClass::Cpu,
        provider: "CPUExecutionProvider".into(),
        provider_share: 1.0,
        max_batch: 1,
        max_tokens: None,
        loaded: true,
    }
}

fn all() -> Vec<ModelInfo> {
    let summands = vec![port("a", Dtype::Fp32), port("b", Dtype::Fp32)];
    vec![
        model("minilm", Vec::new(), Vec::new()),
        model("secret", Vec::new(), Vec::new()),
        model("adder", summands, vec![port("sum", Dtype::Fp32)]),
        model("echo", Vec::new(), Vec::new()),
        model("zeros", vec![port("count", Dtype::Int64), port("bytes", Dtype::Int64)], vec![port("0", Dtype::Uint8)]),
        model("odd", Vec::new(), vec![port("yes", Dtype::Boolean)]),
    ]
}

fn floats(tensor: &Tensor) -> Vec<f32> {
    tensor.data.as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect()
}

fn number(tensor: &Tensor) -> usize {
    i64::from_le_bytes(tensor.data[..].try_into().unwrap()) as usize
}

fn add(inputs: &[(String, Tensor)]) -> Result<Tensor, Error> {
    let named = |wanted: &str| inputs.iter().find(|(name, _)| name == wanted).map(|(_, tensor)| tensor);
    let (Some(a), Some(b)) = (named("a"), named("b")) else { return Err(Error::BadInput("`a` and `b` are the inputs".into())) };
    if a.shape != b.shape {
        let want = a.shape.iter().map(|size| Dim { name: None, size: Some(*size) }).collect();
        return Err(Error::Shape(BadShape { port: "b".into(), want, got: b.shape.clone() }));
    }
    let data = floats(a).iter().zip(floats(b)).flat_map(|(a, b)| (a + b).to_le_bytes()).collect();
    Ok(Tensor { ty: Dtype::Fp32, shape: a.shape.clone(), data })
}

fn run(model: &str, inputs: Vec<(String, Tensor)>) -> Result<Vec<(String, Tensor)>, Error> {
    match model {
        "adder" => Ok(vec![("sum".into(), add(&inputs)?)]),
        "echo" => Ok(inputs),
        "zeros" => {
            let (count, bytes) = (number(&inputs[0].1), number(&inputs[1].1));
            let zeros = || Tensor { ty: Dtype::Uint8, shape: vec![bytes as u32], data: vec![0; bytes] };
            Ok((0..count).map(|index| (index.to_string(), zeros())).collect())
        }
        _ => Err(Error::Overloaded(7)),
    }
}

impl Infer for Models {
    fn models(&self) -> BoxFuture<'_, Vec<ModelInfo>> {
        async { all() }.boxed()
    }
    fn info(&self, model: String) -> InferFuture<'_, ModelInfo> {
        async move { all().into_iter().find(|info| info.model.name == model).ok_or(Error::NotFound(model)) }.boxed()
    }
    fn price(&self, model: String) -> InferFuture<'_, Rates> {
        ABSENT.price(model)
    }
    fn count_tokens(&self, _: String, text: Vec<String>) -> InferFuture<'_, Vec<u32>> {
        async move { Ok(text.iter().map(|text| text.len() as u32).collect()) }.boxed()
    }
    fn run(&self, model: String, inputs: Vec<(String, Tensor)>, _: Vec<String>, _: Opts) -> InferFuture<'_, TensorOutcome> {
        async move { Ok(TensorOutcome { outputs: run(&model, inputs)?, usage: usage(1) }) }.boxed()
    }
    fn embed(&self, _: String, input: Vec<String>, _: Opts) -> InferFuture<'_, Embeddings> {
        let data = input.iter().map(|text| text.len() as f32 / 2.0).collect();
        async move { Ok(Embeddings { dims: 1, data, truncated: vec![false; input.len()], usage: usage(1) }) }.boxed()
    }
    fn classify(&self, model: String, input: Vec<Example>, top_k: u32, opts: Opts) -> InferFuture<'_, Labels> {
        ABSENT.classify(model, input, top_k, opts)
    }
    fn rerank(&self, model: String, query: String, documents: Vec<String>, k: u32, opts: Opts) -> InferFuture<'_, Ranking> {
        ABSENT.rerank(model, query, documents, k, opts)
    }
    fn generate(&self, _: String, prompt: Prompt, sampling: Sampling, _: Opts) -> InferFuture<'_, Box<dyn Generation>> {
        let text = match prompt {
            Prompt::Text(text) => text,
            Prompt::Chat(messages) => messages.iter().map(|message| format!("{:?} {}", message.role, message.content)).collect(),
            Prompt::Tokens(_) => return async { Err(Error::BadInput("not a text".into())) }.boxed(),
        };
        self.seen.started.fetch_add(1, SeqCst);
        self.seen.open.fetch_add(1, SeqCst);
        let words = text.split(' ').map(str::to_owned).collect();
        let speaking = Speaking { words, sampling, said: 0, cancelled: false, over: false, seen: self.seen.clone() };
        async move { Ok(Box::new(speaking) as Box<dyn Generation>) }.boxed()
    }
}

/// Says its prompt, a word at a time. It breaks at `break`, waits without end at `never`, and at `gate` until it opens.
struct Speaking {
    words: Vec<String>,
    sampling: Sampling,
    said: usize,
    cancelled: bool,
    over: bool,
    seen: Arc<Seen>,
}

impl Speaking {
    fn done(&mut self, finish: Finish) -> Option<Event> {
        self.over = true;
        Some(Event::Done(Done { finish, usage: self.usage() }))
    }
}

impl Generation for Speaking {
    fn next(&mut self) -> BoxFuture<'_, Option<Event>> {
        async move {
            assert!(!self.over, "asked again after the end");
            let word = self.words.get(self.said).cloned();
            match word.as_deref() {
                _ if self.cancelled => return self.done(Finish::Cancelled),
                Some("never") => std::future::pending().await,
                Some("gate") => {
                    self.seen.waits.notify_one();
                    self.seen.gate.notified().await;
                }
                Some("break") => {
                    self.over = true;
                    return Some(Event::Error(Error::Backend("it broke".into())));
                }
                Some(word) if self.sampling.stop.iter().any(|stop| stop == word) => return self.done(Finish::Stop),
                None => return self.done(Finish::Stop),
                _ if self.said >= self.sampling.max_tokens as usize => return self.done(Finish::Length),
                Some(_) => {}
            }
            self.said += 1;
            Some(Event::Chunk(Chunk { text: word?, tokens: vec![self.said as u32], so_far: self.usage() }))
        }
        .boxed()
    }

    fn cancel(&mut self) {
        self.cancelled = true;
    }

    fn usage(&self) -> Usage {
        usage(self.said as u64)
    }
}

impl Drop for Speaking {
    fn drop(&mut self) {
        self.seen.open.fetch_sub(1, SeqCst);
    }
}
