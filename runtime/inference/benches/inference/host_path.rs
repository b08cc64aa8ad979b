//! What the host adds to ONNX Runtime: the same request through [`Inference`], on a bare session, and in Python.
//!
//! A process can hold one ONNX Runtime environment, so that each side runs in a child of its own; they take turns.

use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use hansa_inference::{Dtype, Example, Inference, InferenceOptions, Request, Tensor as HostTensor};
use ort::session::SessionInputValue;
use ort::value::Tensor;
use sha2::{Digest, Sha256};
use tokenizers::Tokenizer;

use crate::load::{bare_session, runtime, tools};
use crate::python;

const ROUNDS: usize = 15;
pub(crate) const RUNS: usize = 100;
pub(crate) const WARM_UP_RUNS: usize = 20;
/// `[CLS]`, thirty times `a`, `[SEP]`.
pub(crate) const TOKENS: usize = 32;
/// Elements of the one-node graph's tensor.
const ELEMENTS: usize = 256;

pub(crate) fn compare() {
    println!(
        "median of {RUNS} runs in microseconds; medians of {ROUNDS} rounds, of ratios too, in which the sides take turns; one thread"
    );
    let python = python::is_there();
    for (model, what) in
        [("minilm", "MiniLM, 32 tokens, tokenising included"), ("magika", "Magika, 4 KiB"), ("one-node", "a graph of one node")]
    {
        let [mut host, mut raw, mut text, mut py] = [const { Vec::new() }; 4];
        for _ in 0..ROUNDS {
            host.push(child(&format!("host-{model}")));
            raw.push(child(&format!("raw-{model}")));
            if model == "minilm" {
                text.push(child("raw-minilm-text"));
            }
            if python && model != "one-node" {
                py.push(python::median_us(model));
            }
        }
        let us = median_of(&host);
        println!("{what}: host {us:.1}");
        let differences = host.iter().zip(&raw).map(|(host, raw)| host - raw).collect::<Vec<_>>();
        println!(
            "    bare session {:.1}: ratio {:.3}, difference {:.1}",
            median_of(&raw),
            ratio(&host, &raw),
            median_of(&differences)
        );
        for (other, of) in [(&text, "a bare tokenizer and session"), (&py, "Python's onnxruntime")] {
            if !other.is_empty() {
                println!("    {of} {:.1}: ratio {:.3}", median_of(other), ratio(&host, other));
            }
        }
    }
    if !python {
        println!("(Python's onnxruntime and numpy are not installed; `python3 tools/setup.py bench` fetches them)");
    }
}

fn median_of(numbers: &[f64]) -> f64 {
    crate::load::median(numbers.to_vec())
}

/// The median of the rounds' ratios: the machine is as fast for both sides of a round, more or less.
fn ratio(host: &[f64], other: &[f64]) -> f64 {
    crate::load::median(host.iter().zip(other).map(|(host, other)| host / other).collect())
}

/// What a child measures.
pub(crate) fn side(side: &str) -> f64 {
    match side.split_once('-') {
        Some(("host", "generate")) => crate::generate::host(),
        Some(("raw", "generate")) => crate::generate::raw(),
        Some(("raw", cells)) if cells.contains(' ') => crate::grid::measured(cells),
        Some(("raw", "minilm-text")) => raw_text(),
        Some(("host", model)) => host(model),
        Some(("raw", model)) => raw(model),
        _ => panic!("no side `{side}`"),
    }
}

/// What another process measures.
pub(crate) fn child(side: &str) -> f64 {
    let output = Command::new(std::env::current_exe().unwrap()).args(["side", side]).output().unwrap();
    assert!(output.status.success(), "{side}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().parse().unwrap()
}

fn median(mut run: impl FnMut()) -> f64 {
    (0..WARM_UP_RUNS).for_each(|_| run());
    let time = |_| {
        let began = Instant::now();
        run();
        began.elapsed().as_secs_f64() * 1e6
    };
    crate::load::median((0..RUNS).map(time).collect())
}

/// 4 KiB of a source file.
pub(crate) fn example() -> Vec<u8> {
    include_bytes!("../../src/model.rs")[..4096].to_vec()
}

fn host(model: &str) -> f64 {
    let runtime = runtime();
    let folder = tempfile::tempdir().unwrap();
    let mut options = InferenceOptions::from_tools(&tools());
    if model == "one-node" {
        one_node_package(folder.path());
        options.model_folders = vec![folder.path().to_owned()];
    }
    let inference = Inference::start(options);
    let request = Request::new("bench");
    match model {
        "minilm" => median(|| {
            let found = runtime.block_on(inference.embed(&request, model, vec!["a ".repeat(TOKENS - 2)])).unwrap();
            assert_eq!(found.usage.input_units, TOKENS as u64);
        }),
        "magika" => median(|| {
            runtime.block_on(inference.classify(&request, model, vec![Example::Bytes(example())], 1)).unwrap();
        }),
        _ => {
            let bytes: Vec<u8> = (0..ELEMENTS).flat_map(|n| (n as f32).to_le_bytes()).collect();
            let x = HostTensor::from_bytes(Dtype::Fp32, &[1, ELEMENTS as u32], &bytes).unwrap();
            median(|| {
                let inputs = vec![("x".to_owned(), x.clone())];
                runtime.block_on(inference.run(&request, "one-node", inputs, vec![])).unwrap();
            })
        }
    }
}

type Inputs = Vec<(Cow<'static, str>, SessionInputValue<'static>)>;

fn raw(model: &str) -> f64 {
    let folder = tempfile::tempdir().unwrap();
    let file: PathBuf = if model == "one-node" {
        one_node_package(folder.path());
        folder.path().join("model.onnx")
    } else {
        tools().join(format!("models/{model}/model.onnx"))
    };
    let mut session = bare_session(&file);
    let (inputs, output): (Inputs, &str) = match model {
        "minilm" => {
            let port = |name: &'static str, value: i64| {
                (Cow::Borrowed(name), Tensor::from_array(([1, TOKENS], vec![value; TOKENS])).unwrap().into())
            };
            (vec![port("input_ids", 1037), port("attention_mask", 1), port("token_type_ids", 0)], "sentence_embedding")
        }
        "magika" => {
            let features: Vec<i32> = example()[..2048].iter().map(|byte| i32::from(*byte)).collect();
            (vec![(Cow::Borrowed("bytes"), Tensor::from_array(([1, 2048], features)).unwrap().into())], "target_label")
        }
        _ => {
            let x: Vec<f32> = (0..ELEMENTS).map(|n| n as f32).collect();
            (vec![(Cow::Borrowed("x"), Tensor::from_array(([1, ELEMENTS], x)).unwrap().into())], "y")
        }
    };
    median(|| {
        let views: Vec<(Cow<'_, str>, SessionInputValue<'_>)> =
            inputs.iter().map(|(name, value)| (name.clone(), SessionInputValue::View(value.view()))).collect();
        let found = session.run(views).unwrap();
        let _copy = found[output].try_extract_tensor::<f32>().unwrap().1.to_vec();
    })
}

/// MiniLM from text: what anybody does who has a tokenizer and a session.
fn raw_text() -> f64 {
    let tokenizer = Tokenizer::from_file(tools().join("models/minilm/tokenizer.json")).unwrap();
    let mut session = bare_session(&tools().join("models/minilm/model.onnx"));
    median(|| {
        let encoding = tokenizer.encode_fast("a ".repeat(TOKENS - 2), true).unwrap();
        let ids = &encoding.get_ids()[..TOKENS];
        let port =
            |of: fn(u32) -> i64| Tensor::from_array(([1, TOKENS], ids.iter().map(|id| of(*id)).collect::<Vec<_>>())).unwrap();
        let inputs =
            ort::inputs!["input_ids" => port(i64::from), "attention_mask" => port(|_| 1), "token_type_ids" => port(|_| 0)];
        let found = session.run(inputs).unwrap();
        let _copy = found["sentence_embedding"].try_extract_tensor::<f32>().unwrap().1.to_vec();
    })
}

/// A package whose graph is `y = -x`, so that a run takes next to nothing.
fn one_node_package(folder: &Path) {
    // dim_param "batch", dim_value 256
    let shape = [field(1, &field(2, b"batch")), field(1, &[8, 0x80, 2])].concat();
    let tensor_type = [vec![8, 1], field(2, &shape)].concat();
    let port = |name: &[u8]| [field(1, name), field(2, &field(1, &tensor_type))].concat();
    let node = [field(1, b"x"), field(2, b"y"), field(4, b"Neg")].concat();
    let graph = [field(1, &node), field(2, b"one-node"), field(11, &port(b"x")), field(12, &port(b"y"))].concat();
    let operators = [field(1, b""), vec![16, 18]].concat();
    let model = [vec![8, 9], field(7, &graph), field(8, &operators)].concat();
    let hash: String = Sha256::digest(&model).iter().map(|byte| format!("{byte:02x}")).collect();
    let manifest = format!(
        "format = 1\nname = \"one-node\"\nversion = \"1\"\ntask = \"raw\"\nlicense = \"Apache-2.0\"\nsource = \"benchmark\"\ngraph = \"model.onnx\"\n\
         file = [{{ path = \"model.onnx\", sha256 = \"{hash}\", size = {} }}]\n\
         input = [{{ name = \"x\", type = \"fp32\", shape = [\"batch\", {ELEMENTS}] }}]\noutput = [{{ name = \"y\", type = \"fp32\", shape = [\"batch\", {ELEMENTS}] }}]\n\
         golden = [{{ input = [{{ name = \"x\", shape = [1, {ELEMENTS}], values = [{}] }}], output = \"y\", expect = [-1], tolerance = 1e-6 }}]\n",
        model.len(),
        vec!["1"; ELEMENTS].join(", ")
    );
    std::fs::write(folder.join("model.onnx"), model).unwrap();
    std::fs::write(folder.join("hansa-model.toml"), manifest).unwrap();
}

/// A protobuf field of bytes, shorter than 16 KiB.
fn field(number: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len();
    let mut bytes = vec![number << 3 | 2];
    if length < 128 {
        bytes.push(length as u8)
    } else {
        bytes.extend([(length & 0x7f) as u8 | 0x80, (length >> 7) as u8])
    }
    bytes.extend_from_slice(content);
    bytes
}
