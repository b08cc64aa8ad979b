//! What the host adds to ONNX Runtime: the same request through [`Inference`] and on a bare session.
//!
//! A process can hold one ONNX Runtime environment, so that each side runs in a child of its own; they take turns, and
//! the best median of each side counts, because another process on the machine only ever makes a run slower.
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a benchmark at the terminal")]

use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use hansa_inference::{Example, Inference, InferenceOptions, Request};
use ort::session::{Session, SessionInputValue};
use ort::value::Tensor;

const ROUNDS: usize = 5;
const RUNS: usize = 150;
const WARM_UP_RUNS: usize = 20;
/// `[CLS]`, thirty times `a`, `[SEP]`.
const TOKENS: usize = 32;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    match arguments.first().map(String::as_str) {
        Some("host-minilm") => println!("{}", host("minilm")),
        Some("host-magika") => println!("{}", host("magika")),
        Some("raw-minilm") => println!("{}", raw("minilm")),
        Some("raw-magika") => println!("{}", raw("magika")),
        _ => compare(),
    }
}

fn compare() {
    println!("median of {RUNS} runs in microseconds, best of {ROUNDS} rounds, one thread");
    for (model, what) in [("minilm", "MiniLM, 32 tokens, tokenising included"), ("magika", "Magika, 4 KiB")] {
        let (mut host, mut raw) = (f64::INFINITY, f64::INFINITY);
        for _ in 0..ROUNDS {
            host = host.min(child(&format!("host-{model}")));
            raw = raw.min(child(&format!("raw-{model}")));
        }
        println!("{what}: host {host:.0}, bare session {raw:.0}, ratio {:.3}", host / raw);
    }
}

fn child(side: &str) -> f64 {
    let output = Command::new(std::env::current_exe().unwrap()).arg(side).output().unwrap();
    assert!(output.status.success(), "{side}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().parse().unwrap()
}

fn median(mut run: impl FnMut()) -> f64 {
    (0..WARM_UP_RUNS).for_each(|_| run());
    let mut times: Vec<f64> = (0..RUNS)
        .map(|_| {
            let began = Instant::now();
            run();
            began.elapsed().as_secs_f64() * 1e6
        })
        .collect();
    times.sort_by(f64::total_cmp);
    times[RUNS / 2]
}

fn tools() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../.tools")
}

/// 4 KiB of a source file.
fn example() -> Vec<u8> {
    include_bytes!("../src/model.rs")[..4096].to_vec()
}

fn host(model: &str) -> f64 {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let inference = Inference::start(InferenceOptions::from_tools(&tools()));
    let request = Request::new("bench");
    match model {
        "minilm" => median(|| {
            let found = runtime.block_on(inference.embed(&request, model, vec!["a ".repeat(TOKENS - 2)])).unwrap();
            assert_eq!(found.usage.input_units, TOKENS as u64);
        }),
        _ => median(|| {
            runtime.block_on(inference.classify(&request, model, vec![Example::Bytes(example())], 1)).unwrap();
        }),
    }
}

fn raw(model: &str) -> f64 {
    let environment = ort::init_from(tools().join("lib/libonnxruntime.so")).unwrap().with_telemetry(false).build().unwrap();
    environment.set_log_level(ort::logging::LogLevel::Fatal);
    let mut builder = Session::builder(&environment).unwrap().with_intra_threads(1).unwrap();
    let mut session = builder.commit_from_file(tools().join(format!("models/{model}/model.onnx"))).unwrap();
    let (inputs, output): (Vec<(Cow<'_, str>, SessionInputValue<'_>)>, _) = match model {
        "minilm" => {
            let port = |name: &'static str, value: i64| {
                (Cow::Borrowed(name), Tensor::from_array(([1, TOKENS], vec![value; TOKENS])).unwrap().into())
            };
            (vec![port("input_ids", 1037), port("attention_mask", 1), port("token_type_ids", 0)], "sentence_embedding")
        }
        _ => {
            let features: Vec<i32> = example()[..2048].iter().map(|byte| i32::from(*byte)).collect();
            (vec![(Cow::Borrowed("bytes"), Tensor::from_array(([1, 2048], features)).unwrap().into())], "target_label")
        }
    };
    median(|| {
        let views: Vec<(Cow<'_, str>, SessionInputValue<'_>)> =
            inputs.iter().map(|(name, value)| (name.clone(), SessionInputValue::View(value.view()))).collect();
        let found = session.run(views).unwrap();
        let _copy = found[output].try_extract_tensor::<f32>().unwrap().1.to_vec();
    })
}
