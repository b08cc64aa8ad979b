//! What the parts share: the models that set-up fetched, callers that ask again and again, times of their answers.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use hansa_inference::{Example, Inference, InferenceOptions, Request};
use ort::session::Session;

pub(crate) fn tools() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../.tools")
}

pub(crate) fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap()
}

/// Inference with the models of set-up, and the decoder of the tests.
pub(crate) fn inference(batching: bool) -> Inference {
    let mut options = InferenceOptions { queue_per_tenant_max: 1024, batching, ..InferenceOptions::from_tools(&tools()) };
    options.model_folders.push(tools().join("fixtures/tinyllama"));
    Inference::start(options)
}

/// A session and nothing else, on one thread. Once in a process, because one can hold one ONNX Runtime environment.
pub(crate) fn bare_session(file: &Path) -> Session {
    let environment = ort::init_from(tools().join("lib/libonnxruntime.so")).unwrap().with_telemetry(false).build().unwrap();
    environment.set_log_level(ort::logging::LogLevel::Fatal);
    let builder = Session::builder(&environment).unwrap().with_intra_threads(1).unwrap();
    builder.with_intra_op_spinning(false).unwrap().commit_from_file(file).unwrap()
}

/// Random numbers by seed (splitmix64).
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % sides
    }
}

/// What a caller asks for.
#[derive(Clone, Copy)]
pub(crate) enum Work {
    /// A text of so many to so many tokens, `[CLS]` and `[SEP]` included.
    Embed(u64, u64),
    /// 4 KiB.
    Classify,
}

/// What came back to the callers of one kind.
#[derive(Default)]
pub(crate) struct Answers {
    pub(crate) count: u64,
    /// Tokens, or examples.
    pub(crate) units: u64,
    pub(crate) p50: Duration,
    pub(crate) p99: Duration,
}

/// Callers of one kind.
pub(crate) struct Callers {
    pub(crate) count: usize,
    /// The tenant of each; `{}` stands for the caller's number.
    pub(crate) tenant: &'static str,
    pub(crate) work: Work,
}

/// Lets all callers ask for so long, each one request after the other; what each kind had.
pub(crate) fn ask(inference: &Inference, kinds: &[Callers], time: Duration) -> Vec<Answers> {
    runtime().block_on(async {
        let until = Instant::now() + time;
        let mut tasks = Vec::new();
        for (kind, callers) in kinds.iter().enumerate() {
            for number in 0..callers.count {
                let tenant = callers.tenant.replace("{}", &number.to_string());
                let seed = 1 + kind as u64 * 1000 + number as u64;
                tasks.push((kind, tokio::spawn(caller(inference.clone(), tenant, callers.work, seed, until))));
            }
        }
        let mut all: Vec<(u64, Vec<Duration>)> = kinds.iter().map(|_| (0, Vec::new())).collect();
        for (kind, task) in tasks {
            let (units, times) = task.await.unwrap();
            all[kind].0 += units;
            all[kind].1.extend(times);
        }
        all.into_iter().map(|(units, times)| answers(units, times)).collect()
    })
}

async fn caller(inference: Inference, tenant: String, work: Work, seed: u64, until: Instant) -> (u64, Vec<Duration>) {
    let (request, mut dice) = (Request::new(tenant), Dice(seed));
    let (mut units, mut times) = (0, Vec::new());
    while Instant::now() < until {
        let began = Instant::now();
        let usage = match work {
            Work::Embed(least, most) => {
                let tokens = least + dice.roll(most - least + 1);
                let text = "a ".repeat(tokens as usize - 2);
                inference.embed(&request, "minilm", vec![text]).await.unwrap().usage
            }
            Work::Classify => {
                let example = Example::Bytes(crate::host_path::example());
                inference.classify(&request, "magika", vec![example], 1).await.unwrap().usage
            }
        };
        // What ended after the time is not counted: it had less company.
        if Instant::now() < until {
            units += usage.input_units;
            times.push(began.elapsed());
        }
    }
    (units, times)
}

fn answers(units: u64, mut times: Vec<Duration>) -> Answers {
    times.sort();
    let at = |percent: usize| times.get(times.len() * percent / 100).copied().unwrap_or_default();
    Answers { count: times.len() as u64, units, p50: at(50), p99: at(99) }
}

pub(crate) fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers[numbers.len() / 2]
}
