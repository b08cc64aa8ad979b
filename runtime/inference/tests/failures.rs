//! The failure table on the real ONNX Runtime: what goes wrong, who hears it, and that nobody else does.
//!
//! | failure | test |
//! | --- | --- |
//! | wrong shape, dtype, name | `tensors_that_do_not_fit_are_refused_by_name`; `models.rs`: `raw_tensors_give_what_the_pipeline_gives` |
//! | token out of range inside a shared batch | `a_token_out_of_range_fails_its_own_request_in_a_shared_run` |
//! | too long | `what_is_too_long_or_too_much_is_refused`; `models.rs`: `tokens_are_counted_and_charged_without_padding_and_cut_at_the_limit` |
//! | NaN out | `numbers_that_are_not_finite_are_one_requests_fault` |
//! | garbage, truncated, wrong-hash models | `models.rs`: `a_package_that_is_not_what_it_says_is_refused`, `a_graph_that_the_runtime_cannot_read_is_one_clear_line` |
//! | external-data, path-escaping models | `models.rs`: `weights_in_files_that_are_not_listed_are_refused`; `import.rs`: `a_tar_that_reaches_outside_is_refused`, `links_out_of_the_folder_are_refused_but_those_of_a_cache_are_followed` |
//! | out of memory | `out_of_memory_evicts_an_idle_model_fails_one_request_and_the_next_is_served` |
//! | two models, room for one | `models_that_do_not_fit_together_take_turns` |
//! | deadline, cancel in a run | `a_deadline_ends_the_run_that_nobody_waits_for`, `leaving_ends_the_run_that_nobody_waits_for` |
//! | missing provider | `providers.rs`: `a_model_that_wants_a_provider_is_not_run_elsewhere`, `a_provider_that_the_library_lacks_is_passed_over_aloud_or_refuses_the_model` |
//! | missing or foreign shared library | `library.rs`: `a_missing_or_foreign_library_is_said_and_a_good_one_works_after_it` |
//! | a model that was not granted | `runtime/host/tests/all`: `inference_is_limited_to_the_granted_models`, `generation_is_limited_to_the_granted_models` |
//! | a flood | `a_flood_is_refused_at_once_and_the_others_are_served` |
#![expect(clippy::unwrap_used, reason = "tests")]

mod tools;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use hansa_inference::{
    Dtype, Error, Example, Inference, InferenceOptions, ModelMetrics, Outcome, Request, Result, Tensor, limits,
};
use sha2::{Digest, Sha256};
use tokio::task::JoinHandle;
use tools::tools;

fn started(options: InferenceOptions) -> Inference {
    let tools = InferenceOptions::from_tools(&tools());
    Inference::start(InferenceOptions { library: tools.library, model_folders: tools.model_folders, ..options })
}

fn ints(shape: [u32; 2], value: impl Fn(usize) -> i64) -> Tensor {
    let bytes: Vec<u8> = (0..(shape[0] * shape[1]) as usize).flat_map(|index| value(index).to_le_bytes()).collect();
    Tensor::from_bytes(Dtype::Int64, &shape, &bytes).unwrap()
}

fn floats(values: &[f32]) -> Tensor {
    let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
    Tensor::from_bytes(Dtype::Fp32, &[values.len() as u32], &bytes).unwrap()
}

/// MiniLM's three inputs for such tokens.
fn tokens(shape: [u32; 2], token: i64) -> Vec<(String, Tensor)> {
    let ids = ints(shape, |index| if index == 1 { token } else { 1037 });
    let port = |name: &str, tensor| (name.to_owned(), tensor);
    vec![port("input_ids", ids), port("attention_mask", ints(shape, |_| 1)), port("token_type_ids", ints(shape, |_| 0))]
}

type Inputs = Vec<(String, Tensor)>;

fn spawn(inference: &Inference, model: &'static str, request: Request, inputs: Inputs) -> JoinHandle<Result<Outcome>> {
    let inference = inference.clone();
    let output = if model == "minilm" { "sentence_embedding" } else { "y" };
    tokio::spawn(async move { inference.run(&request, model, inputs, vec![output.to_owned()]).await })
}

fn exclusive(tenant: &str) -> Request {
    Request { exclusive: true, ..Request::new(tenant) }
}

fn metrics(inference: &Inference, model: &str) -> ModelMetrics {
    inference.metrics().remove(model).unwrap()
}

fn queued(inference: &Inference, model: &str) -> usize {
    inference.status().models.iter().find(|status| status.name == model).unwrap().queued
}

async fn until(right: impl Fn() -> bool) {
    let wait = async {
        while !right() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), wait).await.unwrap();
}

/// A run that keeps the device busy, and has begun: all that is sent next waits together.
async fn hold_up(inference: &Inference, model: &'static str, inputs: Inputs) -> JoinHandle<Result<Outcome>> {
    let first = spawn(inference, model, exclusive("hold-up"), inputs);
    // On this runtime of one thread the call stands in the queue, or runs, once its task has had its turn.
    tokio::task::yield_now().await;
    until(|| queued(inference, model) == 0).await;
    first
}

/// One row of each number is measured, so that two that wait are tried together next.
async fn measure_alone(inference: &Inference, model: &'static str, inputs: impl Fn() -> Inputs) -> Outcome {
    for _ in 0..3 {
        spawn(inference, model, Request::new("warm-up"), inputs()).await.unwrap().unwrap();
    }
    spawn(inference, model, exclusive("warm-up"), inputs()).await.unwrap().unwrap()
}

#[tokio::test]
async fn a_token_out_of_range_fails_its_own_request_in_a_shared_run() {
    let inference = started(InferenceOptions::default());
    let right = measure_alone(&inference, "minilm", || tokens([1, 4], 4937)).await;
    let busy = hold_up(&inference, "minilm", tokens([16, 256], 4937)).await;
    let mut calls: Vec<_> =
        ["a", "c", "d", "e", "f"].map(|tenant| spawn(&inference, "minilm", Request::new(tenant), tokens([1, 4], 4937))).into();
    let bad = spawn(&inference, "minilm", Request::new("b"), tokens([1, 4], 99_999_999));
    until(|| queued(&inference, "minilm") == 6).await;
    busy.await.unwrap().unwrap();
    let refused = bad.await.unwrap().unwrap_err();
    assert!(matches!(&refused, Error::BadInput(text) if text.contains("refuses the input")), "{refused}");
    for call in calls.drain(..) {
        let found = call.await.unwrap().unwrap();
        let pairs = found.outputs[0].1.as_fp32().unwrap().iter().zip(right.outputs[0].1.as_fp32().unwrap());
        assert!(pairs.into_iter().all(|(a, b)| (a - b).abs() < 1e-5), "a neighbour's vector changed");
    }
    let counted = metrics(&inference, "minilm");
    // The bad row failed twice: in company, and alone.
    assert!(counted.failed_runs >= 2, "it shared no run: {counted:?}");
    let failed: Vec<&str> = counted.tenants.iter().filter(|(_, counts)| counts.failed > 0).map(|(name, _)| &**name).collect();
    assert_eq!(failed, ["b"]);
}

/// A protobuf field of bytes.
fn field(number: u8, content: &[u8]) -> Vec<u8> {
    assert!(content.len() < 128, "lengths of one byte");
    [&[number << 3 | 2, content.len() as u8], content].concat()
}

/// A port of numbers `[batch]`, as ONNX's `ValueInfoProto`.
fn port(name: &str) -> Vec<u8> {
    let dims = field(2, &field(1, &field(2, b"batch")));
    let tensor = field(1, &[&[0x08, 1], dims.as_slice()].concat());
    [field(1, name.as_bytes()), field(2, &tensor)].concat()
}

/// A package whose graph takes the square root: not a number for what is negative.
fn root_package() -> tempfile::TempDir {
    let node = [field(1, b"x"), field(2, b"y"), field(4, b"Sqrt")].concat();
    let graph = [field(1, &node), field(2, b"root"), field(11, &port("x")), field(12, &port("y"))].concat();
    let model = [&[0x08, 8], field(7, &graph).as_slice(), &field(8, &[0x10, 17])].concat();
    let hash: String = Sha256::digest(&model).iter().map(|byte| format!("{byte:02x}")).collect();
    let manifest = format!(
        r#"
        format = 1
        name = "root"
        version = "1"
        task = "raw"
        license = "Apache-2.0"
        source = "tests"
        graph = "model.onnx"
        file = [{{ path = "model.onnx", sha256 = "{hash}", size = {} }}]
        input = [{{ name = "x", type = "fp32", shape = ["batch"] }}]
        output = [{{ name = "y", type = "fp32", shape = ["batch"] }}]
        golden = [{{ input = [{{ name = "x", shape = [2], values = [4, 9] }}], output = "y", expect = [2, 3], tolerance = 1e-6 }}]
        "#,
        model.len()
    );
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("model.onnx"), model).unwrap();
    std::fs::write(folder.path().join("hansa-model.toml"), manifest).unwrap();
    folder
}

#[tokio::test]
async fn numbers_that_are_not_finite_are_one_requests_fault() {
    let folder = root_package();
    let models = vec![folder.path().to_owned()];
    let inference = Inference::start(InferenceOptions { model_folders: models, ..InferenceOptions::from_tools(&tools()) });
    let x = |value: f32| vec![("x".to_owned(), floats(&[value]))];
    measure_alone(&inference, "root", || x(4.0)).await;
    // Whether the two were in time to share a run is read from the counters.
    for _ in 0..50 {
        let busy = hold_up(&inference, "root", vec![("x".to_owned(), floats(&vec![4.0; 8 << 20]))]).await;
        let calls = [("a", 9.0), ("b", -1.0)].map(|(tenant, value)| spawn(&inference, "root", Request::new(tenant), x(value)));
        let [good, bad] = calls;
        busy.await.unwrap().unwrap();
        let good = good.await.unwrap().unwrap();
        assert_eq!(good.outputs[0].1.as_fp32().unwrap(), [3.0]);
        assert_eq!(bad.await.unwrap().unwrap_err(), Error::NonFinite("y".to_owned()));
        if good.usage.batch_rows == 2 {
            let counted = metrics(&inference, "root");
            assert_eq!((counted.failed_runs, counted.tenants["a"].failed), (0, 0));
            assert!(counted.tenants["b"].failed > 0 && counted.tenants["b"].cost == 0);
            return;
        }
    }
    panic!("the two never shared a run");
}

#[tokio::test]
async fn tensors_that_do_not_fit_are_refused_by_name() {
    let inference = started(InferenceOptions::default());
    let run = |inputs: Inputs, outputs: Vec<String>| {
        let inference = inference.clone();
        async move { inference.run(&Request::new("a"), "minilm", inputs, outputs).await.unwrap_err() }
    };
    let with = |at: usize, name: &str, tensor: Tensor| {
        let mut inputs = tokens([1, 4], 4937);
        inputs[at] = (name.to_owned(), tensor);
        inputs
    };
    let flat = Tensor::from_bytes(Dtype::Int64, &[4], &[0; 32]).unwrap();
    let halves = Tensor::from_bytes(Dtype::Int32, &[1, 4], &[0; 16]).unwrap();
    assert!(matches!(run(with(0, "input_ids", flat), vec![]).await, Error::Shape(shape) if shape.got == [4]));
    let uneven = with(1, "attention_mask", ints([1, 5], |_| 1));
    assert!(matches!(run(uneven, vec![]).await, Error::Shape(shape) if shape.port == "attention_mask"));
    for (inputs, outputs, says) in [
        (with(0, "input_ids", halves), vec![], "takes int64, not int32"),
        (with(0, "ids", ints([1, 4], |_| 1)), vec![], "no input `ids`"),
        (tokens([1, 4], 4937).split_off(1), vec![], "`input_ids` is missing"),
        (tokens([1, 4], 4937), vec!["pooled".to_owned()], "no output `pooled`"),
    ] {
        let refused = run(inputs, outputs).await;
        assert!(matches!(&refused, Error::BadInput(text) if text.contains(says)), "{refused}");
    }
    assert!(!inference.info("minilm").unwrap().is_loaded(), "bad input loaded the model");
}

#[tokio::test]
async fn what_is_too_long_or_too_much_is_refused() {
    let inference = started(InferenceOptions::default());
    let request = Request::new("a");
    let long = vec!["a".repeat(limits::TEXT_BYTES_MAX + 1)];
    let too_large = |most: usize| Error::TooLarge(most as u64);
    assert_eq!(inference.embed(&request, "minilm", long).await.unwrap_err(), too_large(limits::TEXT_BYTES_MAX));
    let many = vec!["a".to_owned(); limits::ITEMS_MAX + 1];
    assert_eq!(inference.embed(&request, "minilm", many).await.unwrap_err(), too_large(limits::ITEMS_MAX));
    let wide = inference.run(&request, "minilm", tokens([1, 3 << 20], 4937), vec![]).await;
    assert_eq!(wide.unwrap_err(), too_large(limits::TENSOR_BYTES_MAX));
    // 6 MiB of inputs, and 384 MiB of hidden states.
    let much = inference.run(&request, "minilm", tokens([1024, 256], 4937), vec!["last_hidden_state".to_owned()]).await;
    assert_eq!(much.unwrap_err(), Error::TooLarge(limits::OUTPUT_BYTES_MAX));
    // MiniLM has 512 positions: what fits the ports and not the graph is the graph's to refuse.
    let beyond = inference.run(&request, "minilm", tokens([1, 513], 4937), vec![]).await.unwrap_err();
    assert!(matches!(beyond, Error::BadInput(_) | Error::Backend(_)), "{beyond}");
    inference.run(&request, "minilm", tokens([1, 4], 4937), vec![]).await.unwrap();
}

/// The long run has ended without an output: it would be counted as a run otherwise, when the next one is.
async fn ended_early(inference: &Inference) {
    spawn(inference, "minilm", Request::new("next"), tokens([1, 4], 4937)).await.unwrap().unwrap();
    let counted = metrics(inference, "minilm");
    assert_eq!((counted.runs, counted.failed_runs, counted.batch_rows.sum), (1, 1, 1), "{counted:?}");
    assert_eq!((counted.tenants["slow"].requests, counted.tenants["slow"].cost), (0, 0));
}

#[tokio::test]
async fn a_deadline_ends_the_run_that_nobody_waits_for() {
    let inference = started(InferenceOptions::default());
    inference.load("minilm").await.unwrap();
    let request = Request { deadline: Some(Instant::now() + Duration::from_millis(200)), ..exclusive("slow") };
    let late = spawn(&inference, "minilm", request, tokens([128, 256], 4937));
    tokio::task::yield_now().await;
    until(|| queued(&inference, "minilm") == 0).await;
    assert_eq!(late.await.unwrap().unwrap_err(), Error::Deadline);
    ended_early(&inference).await;
}

#[tokio::test]
async fn leaving_ends_the_run_that_nobody_waits_for() {
    let inference = started(InferenceOptions::default());
    inference.load("minilm").await.unwrap();
    let gone = spawn(&inference, "minilm", exclusive("slow"), tokens([128, 256], 4937));
    tokio::task::yield_now().await;
    until(|| queued(&inference, "minilm") == 0).await;
    // Well into the run; were it not yet begun, it would not be counted as failed, and the test would say so.
    tokio::time::sleep(Duration::from_millis(100)).await;
    gone.abort();
    assert!(gone.await.unwrap_err().is_cancelled());
    ended_early(&inference).await;
}

/// Magika, said to need so many bytes.
fn hungry_magika(bytes: u64) -> tempfile::TempDir {
    let (folder, source) = (tempfile::tempdir().unwrap(), tools().join("models/magika"));
    let manifest = std::fs::read_to_string(source.join("hansa-model.toml")).unwrap();
    std::fs::write(folder.path().join("hansa-model.toml"), format!("{manifest}\n[memory]\npeak_bytes = {bytes}\n")).unwrap();
    std::fs::copy(source.join("model.onnx"), folder.path().join("model.onnx")).unwrap();
    folder
}

#[tokio::test]
async fn models_that_do_not_fit_together_take_turns() {
    // MiniLM is expected to take 124 MiB, and takes no less than its file's 86.
    let hungry = hungry_magika(50 << 20);
    let model_folders = vec![tools().join("models/minilm"), hungry.path().to_owned()];
    let options = InferenceOptions { memory_bytes: Some(125 << 20), model_folders, ..InferenceOptions::from_tools(&tools()) };
    let inference = Inference::start(options);
    let request = Request::new("a");
    for round in 1..=3 {
        inference.embed(&request, "minilm", vec!["a cat".to_owned()]).await.unwrap();
        assert!(!inference.info("magika").unwrap().is_loaded());
        let sorted = inference.classify(&request, "magika", vec![Example::Text("fn main() {}\n".repeat(9))], 1).await.unwrap();
        assert_eq!(sorted.rows[0][0].name, "rust");
        assert!(!inference.info("minilm").unwrap().is_loaded());
        assert_eq!((metrics(&inference, "minilm").loads, metrics(&inference, "magika").loads), (round, round));
    }
    assert_eq!((metrics(&inference, "minilm").unloads, metrics(&inference, "magika").unloads), (3, 2));
}

#[tokio::test]
async fn a_flood_is_refused_at_once_and_the_others_are_served() {
    let inference = started(InferenceOptions { queue_per_tenant_max: 16, ..InferenceOptions::default() });
    inference.load("minilm").await.unwrap();
    let busy = hold_up(&inference, "minilm", tokens([16, 256], 4937)).await;
    let flood: Vec<_> = (0..64).map(|_| spawn(&inference, "minilm", Request::new("flood"), tokens([1, 64], 4937))).collect();
    let small = spawn(&inference, "minilm", exclusive("small"), tokens([1, 4], 4937));
    until(|| queued(&inference, "minilm") == 17).await;
    assert_eq!(metrics(&inference, "minilm").tenants["flood"].refused, 48);
    small.await.unwrap().unwrap();
    let still_waiting = queued(&inference, "minilm");
    assert!(still_waiting > 0, "the small tenant waited for the whole flood");
    busy.await.unwrap().unwrap();
    let mut refused = 0;
    for call in flood {
        match call.await.unwrap() {
            Ok(_) => {}
            Err(Error::Overloaded(ms)) if ms >= 1 => refused += 1,
            Err(other) => panic!("{other}"),
        }
    }
    assert_eq!(refused, 48);
}

/// Set for the process that runs out of memory.
const SHORT_OF_MEMORY: &str = "HANSA_TEST_SHORT_OF_MEMORY";

#[test]
fn out_of_memory_evicts_an_idle_model_fails_one_request_and_the_next_is_served() {
    let own: PathBuf = std::env::current_exe().unwrap();
    let child = std::process::Command::new(own)
        .args(["--exact", "short_of_memory", "--ignored", "--nocapture"])
        .env(SHORT_OF_MEMORY, "1")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&child.stdout).into_owned() + &String::from_utf8_lossy(&child.stderr);
    assert!(child.status.success() && said.contains("1 passed"), "{said}");
}

#[cfg(target_os = "linux")]
#[tokio::test]
#[ignore = "limits the memory of its process; the test above runs it in one of its own"]
async fn short_of_memory() {
    assert!(std::env::var_os(SHORT_OF_MEMORY).is_some(), "run by the test above");
    let inference = started(InferenceOptions::default());
    let right = spawn(&inference, "minilm", exclusive("a"), tokens([1, 4], 4937)).await.unwrap().unwrap();
    inference.load("magika").await.unwrap();
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    let pages: u64 = statm.split_whitespace().next().unwrap().parse().unwrap();
    let most = pages * 4096 + (1 << 30);
    let limit = libc::rlimit { rlim_cur: most, rlim_max: most };
    // SAFETY: setrlimit reads the struct and limits this process alone.
    assert_eq!(unsafe { libc::setrlimit(libc::RLIMIT_AS, &limit) }, 0);
    let refused = spawn(&inference, "minilm", exclusive("big"), tokens([512, 512], 4937)).await.unwrap();
    assert_eq!(refused.unwrap_err(), Error::OutOfMemory);
    // The idle model made room, and the run was tried again before it failed.
    assert!(!inference.info("magika").unwrap().is_loaded());
    assert_eq!((metrics(&inference, "minilm").failed_runs, metrics(&inference, "minilm").tenants["big"].failed), (2, 1));
    let next = spawn(&inference, "minilm", exclusive("a"), tokens([1, 4], 4937)).await.unwrap().unwrap();
    assert_eq!(next.outputs, right.outputs);
}
