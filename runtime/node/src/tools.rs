//! Where `./justw setup` puts what a node needs: `.tools` in the folder of the project, or beside the program.

use std::path::{Path, PathBuf};

use hansa_inference::InferenceOptions;

/// Programs that may be the nats-server, best first.
pub fn nats_servers(given: Option<&Path>) -> Vec<PathBuf> {
    let named = given.map(Path::to_owned).into_iter();
    let tools = folders().into_iter().map(|tools| tools.join("bin/nats-server"));
    named.chain(tools).chain([PathBuf::from("nats-server")]).collect()
}

/// ONNX Runtime and the models of the first `.tools` that has them.
pub fn inference() -> InferenceOptions {
    let found = folders().into_iter().find(|tools| tools.join("lib").is_dir());
    found.map(|tools| InferenceOptions::from_tools(&tools)).unwrap_or_default()
}

/// The WebGPU plugin of the first `.tools` that has it: `python3 tools/setup.py webgpu` puts it there.
pub fn webgpu_plugin() -> Option<PathBuf> {
    folders().into_iter().map(|tools| tools.join("lib/libonnxruntime_providers_webgpu.so")).find(|plugin| plugin.is_file())
}

/// Every `.tools` from the current folder and the program's folder upwards.
fn folders() -> Vec<PathBuf> {
    let starts = [std::env::current_dir().ok(), std::env::current_exe().ok()];
    let mut found = Vec::new();
    for start in starts.into_iter().flatten() {
        let tools = start.ancestors().map(|folder| folder.join(".tools")).filter(|tools| tools.is_dir());
        found.extend(tools);
    }
    found.dedup();
    found
}
