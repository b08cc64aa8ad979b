//! Libraries that cannot be used: the node starts all the same, says why and lists nothing.
#![expect(clippy::unwrap_used, reason = "tests")]

mod tools;

use std::path::PathBuf;

use hansa_inference::{EngineStatus, Error, Inference, InferenceOptions, Request};
use tools::tools;

fn with(library: Option<PathBuf>) -> Inference {
    Inference::start(InferenceOptions { library, ..InferenceOptions::from_tools(&tools()) })
}

fn reason(inference: &Inference) -> String {
    assert!(inference.models().is_empty());
    match inference.status().engine {
        EngineStatus::Unavailable { reason } => reason,
        EngineStatus::Ready { .. } => panic!("the library was accepted"),
    }
}

/// A real shared library that is another one: the C library of this process.
fn foreign_library() -> PathBuf {
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
    let path = maps.lines().filter_map(|line| line.split_whitespace().nth(5)).find(|path| path.contains("/libc.so"));
    PathBuf::from(path.unwrap())
}

#[tokio::test]
async fn a_missing_or_foreign_library_is_said_and_a_good_one_works_after_it() {
    let folder = tempfile::tempdir().unwrap();
    let text = folder.path().join("libonnxruntime.so");
    std::fs::write(&text, "this is no library").unwrap();
    let foreign = foreign_library();
    for (library, says) in [
        (None, "no ONNX Runtime library is set"),
        (Some(folder.path().join("none.so")), "cannot open the ONNX Runtime library"),
        (Some(text), "cannot use the library"),
        (Some(foreign), "does not export"),
    ] {
        let inference = with(library);
        let reason = reason(&inference);
        assert!(reason.contains(says) && reason.contains("./justw setup"), "{reason}");
        let call = inference.embed(&Request::new("a"), "minilm", vec!["x".to_owned()]).await;
        assert_eq!(call.unwrap_err(), Error::NoProvider(reason));
    }
    let good = with(Some(tools().join("lib/libonnxruntime.so")));
    assert_eq!(good.models().len(), 2);

    let copy = folder.path().join("copy.so");
    std::fs::copy(tools().join("lib/libonnxruntime.so"), &copy).unwrap();
    assert!(reason(&with(Some(copy))).contains("cannot be loaded beside"));
    assert_eq!(with(Some(tools().join("lib/libonnxruntime.so"))).models().len(), 2);
}
