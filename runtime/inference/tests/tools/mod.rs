//! The real library and models that set-up fetched.

use std::path::{Path, PathBuf};

/// `.tools` at the workspace's root.
pub(crate) fn tools() -> PathBuf {
    let tools = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../.tools");
    let whole =
        ["lib/libonnxruntime.so", "models/minilm/model.onnx", "models/magika/model.onnx", "fixtures/tinyllama/model.onnx"]
            .iter()
            .all(|file| tools.join(file).exists());
    assert!(whole, "ONNX Runtime and the models are not in .tools; run `./justw setup`");
    tools
}
