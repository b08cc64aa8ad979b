//! Providers by configuration: what was asked for is what runs, and a fall to the next one is said.
#![expect(clippy::unwrap_used, reason = "tests")]

mod tools;

use std::path::{Path, PathBuf};

use hansa_inference::{
    DeviceClass, EngineStatus, Inference, InferenceOptions, Provider, ProviderKind, ProviderSettings, Request, WebgpuSettings,
    examine,
};
use tools::tools;

fn started(providers: ProviderSettings, model_folders: Vec<PathBuf>) -> Inference {
    Inference::start(InferenceOptions { providers, model_folders, ..InferenceOptions::from_tools(&tools()) })
}

fn model(name: &str) -> PathBuf {
    tools().join("models").join(name)
}

fn order(order: &[ProviderKind]) -> ProviderSettings {
    ProviderSettings { order: order.to_vec(), ..ProviderSettings::default() }
}

fn webgpu(plugin: &Path) -> ProviderSettings {
    let webgpu = WebgpuSettings { plugin: Some(plugin.to_owned()), device: 0 };
    ProviderSettings { webgpu, ..order(&[ProviderKind::Webgpu]) }
}

/// Magika's package with more tables.
fn magika_with(tables: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let manifest = std::fs::read_to_string(model("magika").join("hansa-model.toml")).unwrap();
    std::fs::write(folder.path().join("hansa-model.toml"), manifest + tables).unwrap();
    std::fs::copy(model("magika").join("model.onnx"), folder.path().join("model.onnx")).unwrap();
    folder
}

/// Loads Magika, and says where it runs or why not.
async fn loaded(providers: ProviderSettings, folder: &Path) -> Result<Provider, String> {
    let inference = started(providers, vec![folder.to_owned()]);
    inference.load("magika").await.map_err(|error| error.to_string())?;
    Ok(inference.info("magika").unwrap().provider.unwrap())
}

#[tokio::test]
async fn a_provider_that_the_library_lacks_is_passed_over_aloud_or_refuses_the_model() {
    let both = loaded(order(&[ProviderKind::Cuda, ProviderKind::Cpu]), &model("magika")).await.unwrap();
    assert_eq!((both.name.as_str(), both.share, both.device), ("CPUExecutionProvider", 1.0, DeviceClass::Cpu));
    assert_eq!(both.passed_over.len(), 1);
    let passed = &both.passed_over[0];
    assert_eq!(passed.provider, ProviderKind::Cuda);
    assert!(passed.reason.contains("run `hansa node doctor`"), "{}", passed.reason);

    for only in [ProviderKind::Cuda, ProviderKind::Tensorrt] {
        let reason = loaded(order(&[only]), &model("magika")).await.unwrap_err();
        assert!(reason.contains("`magika` cannot be loaded") && reason.contains("hansa node doctor"), "{reason}");
    }
    let all = order(&[ProviderKind::Tensorrt, ProviderKind::Cuda]);
    let reason = loaded(all, &model("magika")).await.unwrap_err();
    assert!(reason.contains("none of `tensorrt`, `cuda` takes it. tensorrt: ") && reason.contains("; cuda: "), "{reason}");
}

#[tokio::test]
async fn a_model_that_wants_a_provider_is_not_run_elsewhere() {
    let wants = magika_with("[runtime]\nrequire_provider = \"cuda\"\n");
    let reason = loaded(order(&[ProviderKind::Cpu]), wants.path()).await.unwrap_err();
    assert!(reason.contains("runs on `cuda` only, but this node allows `cpu`"), "{reason}");
    let reason = loaded(order(&[ProviderKind::Cuda, ProviderKind::Cpu]), wants.path()).await.unwrap_err();
    assert!(reason.contains("hansa node doctor"), "{reason}");

    let narrows = magika_with("[runtime]\nproviders = [\"cpu\"]\nmin_provider_share = 1.0\n");
    let provider = loaded(order(&[ProviderKind::Cuda, ProviderKind::Cpu]), narrows.path()).await.unwrap();
    assert_eq!((provider.name.as_str(), provider.passed_over), ("CPUExecutionProvider", vec![]));
}

#[tokio::test]
async fn a_plugin_that_is_missing_or_none_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let text = folder.path().join("plugin.so");
    std::fs::write(&text, "this is no library").unwrap();
    for (providers, says) in [
        (order(&[ProviderKind::Webgpu]), "no WebGPU plugin is set"),
        (webgpu(&folder.path().join("none.so")), "cannot open the WebGPU plugin"),
        (webgpu(&text), "is no plugin for ONNX Runtime"),
        (webgpu(&tools().join("lib/libonnxruntime.so")), "is no plugin for ONNX Runtime"),
    ] {
        let reason = loaded(providers, &model("magika")).await.unwrap_err();
        assert!(reason.contains(says) && reason.contains("onnxruntime-ep-webgpu"), "{reason}");
    }
}

#[test]
fn the_doctor_says_what_each_provider_lacks_and_what_to_do() {
    let library = tools().join("lib/libonnxruntime.so");
    let found = examine(Some(&library), &order(&[ProviderKind::Cuda, ProviderKind::Cpu]));
    assert!(matches!(&found.engine, EngineStatus::Ready { version, .. } if version.starts_with("ONNX Runtime 1.")), "{found:?}");
    let kinds: Vec<ProviderKind> = found.providers.iter().map(|provider| provider.provider).collect();
    assert_eq!(kinds, [ProviderKind::Cuda, ProviderKind::Cpu, ProviderKind::Tensorrt, ProviderKind::Webgpu]);
    let asked: Vec<bool> = found.providers.iter().map(|provider| provider.asked).collect();
    assert_eq!(asked, [true, true, false, false]);
    let [cuda, cpu, tensorrt, webgpu] = found.providers.as_slice() else { panic!("{found:?}") };
    assert!(cpu.usable && cpu.findings.iter().all(|finding| finding.next.is_none()), "{cpu:?}");
    for (lacking, what) in
        [(cuda, "libonnxruntime_providers_cuda.so"), (tensorrt, "libonnxruntime_providers_tensorrt.so"), (webgpu, "plugin")]
    {
        let finding = lacking.findings.iter().find(|finding| finding.what == what).unwrap();
        assert!(!lacking.usable && finding.next.is_some(), "{lacking:?}");
    }
    assert!(matches!(examine(None, &order(&[])).engine, EngineStatus::Unavailable { reason } if reason.contains("justw setup")));
}

/// Runs where `HANSA_TEST_WEBGPU` names the plugin's library; docs/operators/gpu.md says how to get it and a software adapter.
#[tokio::test]
async fn minilm_runs_on_webgpu_and_its_golden_vectors_are_right() {
    let Some(plugin) = std::env::var_os("HANSA_TEST_WEBGPU") else { return };
    let inference = started(webgpu(Path::new(&plugin)), vec![model("minilm")]);
    inference.load("minilm").await.unwrap();
    let provider = inference.info("minilm").unwrap().provider.unwrap();
    assert_eq!((provider.name.as_str(), provider.device), ("WebGpuExecutionProvider", DeviceClass::Gpu));
    assert!(provider.share > 0.9, "{provider:?}");
    let texts = vec!["a cat".to_owned(), "ein Vertrag, der lang genug ist, um aufgefüllt zu werden".to_owned()];
    let there = inference.embed(&Request::new("reader"), "minilm", texts.clone()).await.unwrap();
    let here = started(order(&[ProviderKind::Cpu]), vec![model("minilm")]);
    let here = here.embed(&Request::new("reader"), "minilm", texts).await.unwrap();
    let difference = here.data.iter().zip(&there.data).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    eprintln!("share {}, largest difference to the processor {difference:e}", provider.share);
    assert!(difference < 1e-5, "{difference}");
}
