//! The sample as an acceptance test: two node processes, real models, a node killed in the middle, money accounted for.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

#[derive(serde::Deserialize)]
struct Expected {
    answer: Vec<ExpectedAnswer>,
}

#[derive(serde::Deserialize)]
struct ExpectedAnswer {
    ask: String,
    cites: String,
    says: String,
}

#[test]
fn the_story_ends_as_expected() {
    let sample = Path::new(env!("CARGO_MANIFEST_DIR"));
    let expected: Expected = toml::from_str(&std::fs::read_to_string(sample.join("expected.toml")).unwrap()).unwrap();
    let data = tempfile::tempdir().unwrap();
    let mut story = Command::new(env!("CARGO_BIN_EXE_hansa-reading-room"));
    story
        .current_dir(sample.join("../.."))
        .arg("--json")
        .arg("--data")
        .arg(data.path())
        .args(["--folder", "samples/reading-room/documents"]);
    for answer in &expected.answer {
        story.args(["--ask", &answer.ask]);
    }
    let output = story.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let told: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(told["shelved"]["documents"], 2);
    for (answer, expected) in told["answers"].as_array().unwrap().iter().zip(&expected.answer) {
        let first = answer["answer"]["citations"][0]["document"].as_str().unwrap();
        assert!(first.ends_with(&expected.cites), "{}: cites {first}", expected.ask);
        let text = answer["answer"]["text"].as_str().unwrap();
        assert!(text.contains(&expected.says), "{}: says {text}", expected.ask);
    }
    // The last question was asked while the cheaper embedder's node was being killed, so the other one sold it.
    let tree = told["tree"].to_string();
    assert!(tree.contains("south/embedder@0.1.0"), "{tree}");
    assert_eq!(told["check"]["problem"], Value::Null);
    assert_eq!(told["check"]["assets"][0]["supply"], "30.000000");
}
