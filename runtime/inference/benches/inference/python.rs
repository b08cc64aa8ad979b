//! The same runs in Python's onnxruntime, where it is installed: `python3 tools/setup.py bench` puts it beside the models.

use std::process::Command;

use crate::host_path::{RUNS, TOKENS, WARM_UP_RUNS};
use crate::load::tools;

/// Times a session on random input of the right shape; prints the median in microseconds.
const SCRIPT: &str = r#"
import sys, time, statistics
import numpy, onnxruntime
model, file, tokens, warm_up, runs = sys.argv[1], sys.argv[2], *map(int, sys.argv[3:6])
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = 1
session = onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])
if model == "minilm":
    of = lambda value: numpy.full((1, tokens), value, numpy.int64)
    inputs, output = {"input_ids": of(1037), "attention_mask": of(1), "token_type_ids": of(0)}, "sentence_embedding"
else:
    inputs, output = {"bytes": numpy.random.default_rng(1).integers(32, 127, (1, 2048), numpy.int32)}, "target_label"
times = []
for _ in range(warm_up + runs):
    began = time.perf_counter()
    session.run([output], inputs)
    times.append((time.perf_counter() - began) * 1e6)
print(statistics.median(times[warm_up:]))
"#;

fn python() -> Command {
    let mut command = Command::new("python3");
    command.env("PYTHONPATH", tools().join("bench-python"));
    command
}

pub(crate) fn is_there() -> bool {
    python().args(["-c", "import numpy, onnxruntime"]).output().is_ok_and(|output| output.status.success())
}

pub(crate) fn median_us(model: &str) -> f64 {
    let file = tools().join(format!("models/{model}/model.onnx"));
    let numbers = [TOKENS, WARM_UP_RUNS, RUNS].map(|number| number.to_string());
    let output = python().args(["-c", SCRIPT, model]).arg(file).args(numbers).output().unwrap();
    assert!(output.status.success(), "Python: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().parse().unwrap()
}
