//! `wasi:nn`: a guest that knows nothing else runs granted models, and what it may not do has the standard's error.

use std::sync::Arc;

use hansa_host::{AgentSpec, CallLimits, Capabilities, Failure, FailureKind, Grants, Prepared, limits};
use serde_json::{Value, json};

use crate::models::Models;
use crate::support::{alone, call, host, program, spec};

const CLASSIC: &str = "fixture:nn/classic@0.1.0";
const MODELS: &[&str] = &["adder", "echo", "zeros", "odd", "gone"];

fn classic(memory_bytes_max: usize) -> Arc<Prepared> {
    let host = host();
    let grants = Grants { inference_models: MODELS.iter().map(|name| (*name).to_owned()).collect(), ..Grants::default() };
    let limits = CallLimits { memory_bytes_max, ..CallLimits::default() };
    host.prepare(&program(&host, "nn_classic"), AgentSpec { limits, ..spec("nn-classic", grants) }).unwrap()
}

async fn ask(memory_bytes_max: usize, function: &str, args: Value) -> Result<Value, Failure> {
    let with = Capabilities { inference: Arc::new(Models::default()), ..alone() };
    call(&classic(memory_bytes_max), (CLASSIC, function), args, with).await
}

async fn answer(function: &str, args: Value) -> Value {
    ask(64 << 20, function, args).await.unwrap()
}

/// The error's code and data.
async fn refusal(function: &str, args: Value) -> String {
    let answer = answer(function, args).await;
    answer["err"]["failed"].as_str().unwrap_or_else(|| panic!("no refusal: {answer}")).to_owned()
}

fn base64(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

fn array(name: &str, element: &str, shape: &[u32], data: &[u8]) -> Value {
    json!({"name": name, "element": element, "shape": shape, "data": base64(data)})
}

fn floats(name: &str, shape: &[u32], floats: &[f32]) -> Value {
    let bytes: Vec<u8> = floats.iter().flat_map(|float| float.to_le_bytes()).collect();
    array(name, "fp32", shape, &bytes)
}

fn long(name: &str, number: i64) -> Value {
    array(name, "int64", &[1], &number.to_le_bytes())
}

#[tokio::test]
async fn a_classic_guest_computes_with_a_granted_model() {
    let inputs = [floats("a", &[2, 2], &[1.0, 2.0, 3.0, 4.0]), floats("b", &[2, 2], &[0.5; 4])];
    let sum = json!({"ok": [floats("sum", &[2, 2], &[1.5, 2.5, 3.5, 4.5])]});
    assert_eq!(answer("run", json!(["adder", inputs, true])).await, sum);
    // The execution context goes on without its graph.
    assert_eq!(answer("run", json!(["adder", inputs, false])).await, sum);
}

#[tokio::test]
async fn every_type_goes_in_and_comes_out_as_it_was() {
    let arrays: Vec<_> = [("fp16", 2), ("fp32", 4), ("fp64", 8), ("bf16", 2), ("uint8", 1), ("int32", 4), ("int64", 8)]
        .map(|(element, bytes)| array(element, element, &[3, 1], &(0..3 * bytes).collect::<Vec<u8>>()))
        .into();
    assert_eq!(answer("reflect", json!([arrays])).await, json!({"ok": arrays}));
    assert_eq!(answer("run", json!(["echo", arrays, true])).await, json!({"ok": arrays}));
}

#[tokio::test]
async fn what_is_refused_has_the_standards_code_and_says_what_to_do() {
    let a = || floats("a", &[2], &[1.0, 2.0]);
    let b = || floats("b", &[2], &[1.0, 2.0]);
    let short = array("b", "fp32", &[2], &[0; 7]);
    let vast = array("b", "fp64", &[u32::MAX; 3], &[]);
    for (function, args, code, says) in [
        ("run", json!(["secret", [], true]), "Security", "agent.toml: `[capabilities] inference.models = [\"secret\"]`"),
        ("hoard", json!(["secret", "graphs", 1, 0]), "Security", "model `secret` is not granted"),
        ("load", json!(["AQID"]), "Security", "publish a model package"),
        ("run", json!(["gone", [], true]), "NotFound", "gone"),
        ("run", json!(["odd", [], true]), "UnsupportedOperation", "output `yes`"),
        ("run", json!(["adder", [a()], true]), "InvalidArgument", "`a` and `b`"),
        ("run", json!(["adder", [a(), floats("b", &[1], &[1.0])], true]), "InvalidArgument", "`b` takes the shape [2], not [1]"),
        ("run", json!(["adder", [a(), short], true]), "InvalidArgument", "`b` has 7 bytes of data; its dimensions [2]"),
        ("run", json!(["adder", [a(), vast], true]), "InvalidArgument", "more bytes than there can be"),
        ("run", json!(["zeros", [long("count", 257), long("bytes", 1)], true]), "TooLarge", "256 tensors"),
        (
            "run",
            json!(["zeros", [long("count", 64), long("bytes", 1 << 20)], true]),
            "TooLarge",
            "author's to ask for (`[limits] memory`",
        ),
    ] {
        let text = refusal(function, args).await;
        assert!(text.starts_with(&format!("ErrorCode::{code}: ")) && text.contains(says), "{text}");
    }
    assert!(answer("run", json!(["adder", [a(), b()], true])).await["ok"].is_array());
}

#[tokio::test]
async fn a_node_without_models_says_so() {
    let absent = call(&classic(64 << 20), (CLASSIC, "run"), json!(["adder", [], true]), alone()).await.unwrap();
    let text = absent["err"]["failed"].as_str().unwrap();
    assert!(text.starts_with("ErrorCode::NotFound: ") && text.contains("no models on this node"), "{text}");
}

#[tokio::test]
async fn a_guest_holds_so_much_and_no_more() {
    for (thing, most) in [("graphs", limits::NN_GRAPHS_MAX), ("contexts", limits::NN_CONTEXTS_MAX)] {
        assert_eq!(answer("hoard", json!(["adder", thing, most, 0])).await, json!({"ok": most}));
        let text = refusal("hoard", json!(["adder", thing, most + 1, 0])).await;
        assert!(text.starts_with("ErrorCode::TooLarge: ") && text.contains(&format!("{most} ")), "{text}");
    }
    // The contract gives a tensor's constructor no way to say no, nor an error for want of an error.
    let most = limits::NN_TENSORS_MAX;
    assert_eq!(answer("hoard", json!(["adder", "tensors", most, 8])).await, json!({"ok": most}));
    for (thing, count, says) in [("tensors", most + 1, "256 tensors"), ("errors", 2000, "1024 resources")] {
        let failure = ask(64 << 20, "hoard", json!(["adder", thing, count, 8])).await.unwrap_err();
        assert!(failure.kind == FailureKind::Trap && failure.message.contains(says), "{failure}");
    }
}

/// Ten tensors of a mebibyte are too much for eight mebibytes of memory, and a thousand one after another are not.
#[tokio::test]
async fn tensors_count_towards_the_calls_memory() {
    let (memory, bytes) = (8 << 20, 1_u32 << 20);
    let failure = ask(memory, "hoard", json!(["adder", "tensors", 10, bytes])).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::MemoryLimit, "{failure}");
    assert_eq!(ask(memory, "churn", json!([1000, bytes])).await.unwrap(), json!({"ok": null}));
    // So are the inputs and outputs of runs.
    let half = array("x", "uint8", &[bytes / 2], &vec![7; bytes as usize / 2]);
    assert_eq!(ask(memory, "repeat", json!(["echo", [half], 100])).await.unwrap(), json!({"ok": null}));
}

/// The text of an error is cut: a thousand errors with a mebibyte of name each must not fill the host.
#[tokio::test]
async fn an_errors_text_is_short() {
    let text = refusal("run", json!(["x".repeat(1 << 20), [], true])).await;
    assert!(text.len() < limits::FAULT_TEXT_BYTES_MAX + 100, "{}", text.len());
}
