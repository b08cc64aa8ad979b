//! The queue, the deadlines and a model's life, on the fake backend: what runs, in which order, and what is refused.

use std::time::{Duration, Instant};

use tokio::task::JoinHandle;

use crate::tensor::Elements;
use crate::{Error, FakeBackend, Inference, InferenceOptions, ModelState, Outcome, Request, Result, Tensor};

/// A whole ONNX file to the eyes of the scan: one empty graph.
const EMPTY_GRAPH: [u8; 2] = [0x3a, 0];
const EMPTY_GRAPH_SHA256: &str = "7648eb81c4e9fef7b51879c6fcd6fb4b8863eea0cb2a978c508711dc52c80041";

/// The package of a model that doubles its input.
pub(crate) fn package(golden: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let manifest = format!(
        r#"
        format = 1
        name = "double"
        version = "1"
        task = "raw"
        license = "Apache-2.0"
        source = "tests"
        graph = "model.onnx"
        file = [{{ path = "model.onnx", sha256 = "{EMPTY_GRAPH_SHA256}", size = 2 }}]
        input = [{{ name = "x", type = "fp32", shape = ["batch"] }}]
        output = [{{ name = "y", type = "fp32", shape = ["batch"] }}]
        price = {{ per_request = 3, per_1k_input = 500 }}
        golden = [{{ input = [{{ name = "x", shape = [2], values = [1, -4] }}], output = "y", expect = {golden}, tolerance = 1e-6 }}]
        "#
    );
    std::fs::write(folder.path().join("model.onnx"), EMPTY_GRAPH).unwrap();
    std::fs::write(folder.path().join("hansa-model.toml"), manifest).unwrap();
    folder
}

struct Bench {
    backend: FakeBackend,
    inference: Inference,
    _folder: tempfile::TempDir,
}

impl Bench {
    /// A loaded model whose first run waits at a closed gate, with an empty queue behind it.
    async fn busy(options: InferenceOptions) -> (Self, JoinHandle<Result<Outcome>>) {
        let folder = package("[2, -8]");
        let backend = FakeBackend::default();
        let options = InferenceOptions { model_folders: vec![folder.path().to_owned()], batching: false, ..options };
        let bench = Self { inference: Inference::start_fake(backend.clone(), options), backend, _folder: folder };
        bench.inference.load("double").await.unwrap();
        bench.backend.allow(0);
        let first = bench.spawn("first", 0.0, None);
        let backend = bench.backend.clone();
        tokio::task::spawn_blocking(move || backend.wait_for_run()).await.unwrap();
        (bench, first)
    }

    fn spawn(&self, tenant: &str, x: f32, deadline: Option<Instant>) -> JoinHandle<Result<Outcome>> {
        let (inference, request) = (self.inference.clone(), Request { deadline, ..Request::new(tenant) });
        tokio::spawn(async move { inference.run(&request, "double", vec![("x".to_owned(), vector(&[x]))], vec![]).await })
    }

    /// Spawns a call and waits until it stands in the queue, so that the order of arrival is certain.
    async fn queue(&self, tenant: &str, x: f32) -> JoinHandle<Result<Outcome>> {
        let before = self.queued();
        let call = self.spawn(tenant, x, None);
        self.until(|bench| bench.queued() == before + 1).await;
        call
    }

    fn queued(&self) -> usize {
        self.inference.status().models[0].queued
    }

    fn state(&self) -> ModelState {
        self.inference.status().models[0].state.clone()
    }

    async fn until(&self, right: impl Fn(&Self) -> bool) {
        let wait = async {
            while !right(self) {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(10), wait).await.unwrap();
    }

    /// What ran after the golden vector, which runs alone and together with itself, and the run that `busy` holds at the gate.
    fn ran(&self) -> Vec<f32> {
        self.backend.diary().split_off(3)
    }
}

pub(crate) fn vector(values: &[f32]) -> Tensor {
    Tensor::new(&[values.len() as u32], Elements::Fp32(values.to_vec())).unwrap()
}

#[tokio::test]
async fn a_flood_leaves_a_small_tenants_turn_where_it_was() {
    let (bench, _first) = Bench::busy(InferenceOptions::default()).await;
    let mut calls = Vec::new();
    for x in [1.0, 2.0, 3.0, 4.0] {
        calls.push(bench.queue("flood", x).await);
    }
    calls.push(bench.queue("small", 10.0).await);
    calls.push(bench.queue("small", 11.0).await);
    bench.backend.open();
    for call in calls {
        call.await.unwrap().unwrap();
    }
    assert_eq!(bench.ran(), [1.0, 10.0, 2.0, 11.0, 3.0, 4.0]);
}

#[tokio::test]
async fn a_full_queue_answers_at_once_and_one_tenant_cannot_fill_it_for_all() {
    let options = InferenceOptions { queue_max: 4, queue_per_tenant_max: 2, ..InferenceOptions::default() };
    let (bench, _first) = Bench::busy(options).await;
    let _waiting = (bench.queue("a", 1.0).await, bench.queue("a", 2.0).await);
    let overloaded = |result: Result<Outcome>| matches!(result, Err(Error::Overloaded(ms)) if ms >= 1);
    assert!(overloaded(bench.spawn("a", 3.0, None).await.unwrap()));
    let _others = (bench.queue("b", 4.0).await, bench.queue("c", 5.0).await);
    assert!(overloaded(bench.spawn("d", 6.0, None).await.unwrap()));
    bench.backend.open();
}

#[tokio::test]
async fn what_is_past_its_deadline_is_answered_then_and_never_runs() {
    let (bench, first) = Bench::busy(InferenceOptions::default()).await;
    let late = bench.spawn("a", 1.0, Some(Instant::now() + Duration::from_millis(20)));
    assert_eq!(late.await.unwrap().unwrap_err(), Error::Deadline);
    let call = bench.queue("a", 2.0).await;
    bench.backend.open();
    first.await.unwrap().unwrap();
    call.await.unwrap().unwrap();
    assert_eq!(bench.ran(), [2.0]);
}

/// An account whose ledger does not answer.
#[derive(Debug)]
struct Silent;

impl crate::Funds for Silent {
    fn hold(&self, _most: u64) -> crate::HoldFuture<'_> {
        Box::pin(std::future::pending())
    }
}

#[tokio::test]
async fn a_silent_ledger_is_waited_for_until_the_deadline_and_no_longer() {
    let (bench, _first) = Bench::busy(InferenceOptions::default()).await;
    let deadline = Some(Instant::now() + Duration::from_millis(20));
    let request = Request { deadline, funds: std::sync::Arc::new(Silent), ..Request::new("a") };
    let call = bench.inference.run(&request, "double", vec![("x".to_owned(), vector(&[1.0]))], vec![]).await;
    assert_eq!(call.unwrap_err(), Error::Deadline);
    bench.backend.open();
}

#[tokio::test]
async fn what_nobody_waits_for_never_runs() {
    let (bench, _first) = Bench::busy(InferenceOptions::default()).await;
    let gone = bench.queue("a", 1.0).await;
    gone.abort();
    assert!(gone.await.unwrap_err().is_cancelled());
    let call = bench.queue("a", 2.0).await;
    bench.backend.open();
    call.await.unwrap().unwrap();
    assert_eq!(bench.ran(), [2.0]);
}

#[tokio::test]
async fn the_price_follows_from_the_request_alone_and_a_cap_is_kept() {
    let (bench, _first) = Bench::busy(InferenceOptions::default()).await;
    bench.backend.open();
    let inputs = || vec![("x".to_owned(), vector(&[1.5; 1025]))];
    let outcome = bench.inference.run(&Request::new("a"), "double", inputs(), vec![]).await.unwrap();
    assert_eq!((outcome.usage.input_units, outcome.usage.cost, outcome.usage.requests), (2, 4, 1));
    assert_eq!(outcome.outputs, [("y".to_owned(), vector(&[3.0; 1025]))]);
    let capped = Request { max_cost: Some(3), ..Request::new("a") };
    assert_eq!(bench.inference.run(&capped, "double", inputs(), vec![]).await.unwrap_err(), Error::Budget(4));
}

#[tokio::test]
async fn outputs_that_are_not_finite_are_an_error() {
    let (bench, _first) = Bench::busy(InferenceOptions::default()).await;
    bench.backend.open();
    let result = bench.spawn("a", f32::MAX, None).await.unwrap();
    assert_eq!(result.unwrap_err(), Error::NonFinite("y".to_owned()));
}

#[tokio::test]
async fn unloading_cancels_what_waits_and_the_next_request_loads_again() {
    let (bench, first) = Bench::busy(InferenceOptions::default()).await;
    let waiting = bench.queue("a", 1.0).await;
    bench.inference.unload("double").unwrap();
    assert_eq!(waiting.await.unwrap().unwrap_err(), Error::Cancelled);
    assert_eq!(bench.state(), ModelState::Listed);
    // The old thread is still in its run when the model is loaded anew, and must leave the new one alone.
    let again = bench.spawn("a", 2.0, None);
    bench.until(|bench| bench.state() == ModelState::Loading).await;
    bench.backend.open();
    first.await.unwrap().unwrap();
    again.await.unwrap().unwrap();
    for x in 0..20 {
        bench.spawn("a", x as f32, None).await.unwrap().unwrap();
    }
    assert_eq!(bench.state(), ModelState::Ready);
}

#[tokio::test]
async fn an_idle_model_leaves_and_comes_back() {
    let options = InferenceOptions { idle_unload: Some(Duration::from_millis(5)), ..InferenceOptions::default() };
    let (bench, first) = Bench::busy(options).await;
    bench.backend.open();
    first.await.unwrap().unwrap();
    bench.until(|bench| bench.state() == ModelState::Listed).await;
    for x in 0..20 {
        bench.spawn("a", x as f32, None).await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn after_stop_nothing_runs_and_nobody_hangs() {
    let (bench, first) = Bench::busy(InferenceOptions::default()).await;
    let waiting = bench.queue("a", 1.0).await;
    let backend = bench.backend.clone();
    let opened = tokio::spawn(async move {
        let cancelled = waiting.await.unwrap().unwrap_err();
        backend.open();
        cancelled
    });
    bench.inference.stop().await;
    assert_eq!(opened.await.unwrap(), Error::Cancelled);
    first.await.unwrap().unwrap();
    let refused = bench.spawn("a", 2.0, None).await.unwrap().unwrap_err();
    assert!(matches!(refused, Error::NoProvider(reason) if reason.contains("stopped")));
}

#[tokio::test]
async fn a_wrong_golden_vector_refuses_the_model_until_it_is_loaded_anew() {
    let folder = package("[2, -9]");
    let options = InferenceOptions { model_folders: vec![folder.path().to_owned()], ..InferenceOptions::default() };
    let inference = Inference::start_fake(FakeBackend::default(), options);
    let error = inference.load("double").await.unwrap_err().to_string();
    assert!(error.contains("golden vector 1 of `double` number 1 is `-8`, but -9"), "{error}");
    let call = inference.run(&Request::new("a"), "double", vec![("x".to_owned(), vector(&[1.0]))], vec![]).await;
    assert_eq!(call.unwrap_err().to_string(), error);
    assert!(matches!(&inference.status().models[0].state, ModelState::Failed(text) if *text == error));
    assert!(!inference.info("double").unwrap().is_loaded());
}

#[tokio::test]
async fn inputs_are_checked_before_they_wait() {
    let (bench, _first) = Bench::busy(InferenceOptions::default()).await;
    let run = |inputs: Vec<(&str, Tensor)>, outputs: Vec<String>| {
        let inputs = inputs.into_iter().map(|(name, tensor)| (name.to_owned(), tensor)).collect();
        let inference = bench.inference.clone();
        async move { inference.run(&Request::new("a"), "double", inputs, outputs).await.unwrap_err() }
    };
    let x = || vector(&[1.0]);
    let flat = Tensor::new(&[1, 1], Elements::Fp32(vec![1.0])).unwrap();
    let whole = Tensor::new(&[1], Elements::Int64(vec![1])).unwrap();
    assert!(matches!(run(vec![], vec![]).await, Error::BadInput(text) if text.contains("`x` is missing")));
    assert!(matches!(run(vec![("z", x())], vec![]).await, Error::BadInput(text) if text.contains("no input `z`")));
    assert!(matches!(run(vec![("x", x()), ("x", x())], vec![]).await, Error::BadInput(text) if text.contains("twice")));
    assert!(matches!(run(vec![("x", flat)], vec![]).await, Error::Shape(shape) if shape.got == [1, 1]));
    assert!(matches!(run(vec![("x", whole)], vec![]).await, Error::BadInput(text) if text.contains("takes fp32, not int64")));
    assert!(matches!(run(vec![("x", x())], vec!["w".into()]).await, Error::BadInput(text) if text.contains("no output `w`")));
    assert_eq!(bench.inference.info("treble").unwrap_err(), Error::NotFound("treble".to_owned()));
    bench.backend.open();
}
