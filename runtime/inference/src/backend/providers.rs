//! Sessions on the providers that were asked for: tried in order, never a silent fall to the processor.

use ort::ep;
use ort::session::Session as OrtSession;
use ort::session::builder::SessionBuilder;

use super::onnx::{OnnxRuntime, one_line};
use super::{LoadOptions, provider};
use crate::info::{PassedOver, Provider, ProviderKind};
use crate::package::Graph;
use crate::providers::{ProviderSettings, names};

/// A session on the first provider that takes enough of the graph, and the providers that did not.
pub(super) fn open(runtime: &OnnxRuntime, graph: &Graph, options: &LoadOptions) -> Result<(OrtSession, Provider), String> {
    let mut passed_over = Vec::new();
    for kind in &options.order {
        match attempt(runtime, graph, options, *kind) {
            Ok((session, provider)) => return Ok((session, Provider { passed_over, ..provider })),
            Err(reason) => {
                tracing::warn!(provider = kind.name(), reason, "provider passed over");
                passed_over.push(PassedOver { provider: *kind, reason });
            }
        }
    }
    if let [only] = passed_over.as_slice() {
        return Err(only.reason.clone());
    }
    let reasons: Vec<String> = passed_over.iter().map(|tried| format!("{}: {}", tried.provider.name(), tried.reason)).collect();
    Err(format!("none of {} takes it. {}", names(&options.order), reasons.join("; ")))
}

fn attempt(
    runtime: &OnnxRuntime,
    graph: &Graph,
    options: &LoadOptions,
    kind: ProviderKind,
) -> Result<(OrtSession, Provider), String> {
    let mut builder = prepare(runtime, options, kind)?;
    for file in &graph.data {
        builder = builder
            .with_external_initializer_file_in_memory(&file.location, file.bytes.clone())
            .map_err(|cause| one_line(&cause))?;
    }
    let session = builder
        .commit_from_memory(&graph.bytes)
        .map_err(|cause| format!("ONNX Runtime refuses the graph: {}", one_line(&cause)))?;
    let provider = provider::on(&session, kind).map_err(|cause| one_line(&cause))?;
    if provider.share < options.min_share || provider.share == 0.0 {
        return Err(format!(
            "it took {:.1} % of the graph's nodes, and {:.1} % are asked for",
            provider.share * 100.0,
            options.min_share * 100.0
        ));
    }
    Ok((session, provider))
}

/// What a session begins with: the provider's libraries are loaded and it has agreed.
pub(super) fn prepare(runtime: &OnnxRuntime, options: &LoadOptions, kind: ProviderKind) -> Result<SessionBuilder, String> {
    let builder = runtime.builder(options.threads).map_err(|cause| one_line(&cause))?;
    with_provider(runtime, builder, options, kind)
}

fn with_provider(
    runtime: &OnnxRuntime,
    builder: SessionBuilder,
    options: &LoadOptions,
    kind: ProviderKind,
) -> Result<SessionBuilder, String> {
    let (settings, seat) = (&options.providers, options.seat);
    let built = match kind {
        ProviderKind::Cpu => return Ok(builder),
        ProviderKind::Cuda => builder.with_execution_providers([cuda(settings, seat).build().error_on_failure()]),
        ProviderKind::Tensorrt => builder.with_execution_providers([
            tensorrt(settings, seat).build().error_on_failure(),
            cuda(settings, seat).build().error_on_failure(),
        ]),
        ProviderKind::Webgpu => return webgpu(runtime, builder, settings),
    };
    built.map_err(|cause| format!("{}; run `hansa node doctor`", one_line(&cause)))
}

fn cuda(settings: &ProviderSettings, seat: usize) -> ep::CUDA {
    let cuda = ep::CUDA::default()
        .with_device_id(i32::try_from(settings.cuda_device(seat)).unwrap_or(i32::MAX))
        .with_arena_extend_strategy(ep::ArenaExtendStrategy::SameAsRequested);
    match settings.cuda.memory_bytes.and_then(|bytes| usize::try_from(bytes).ok()) {
        Some(bytes) => cuda.with_memory_limit(bytes),
        None => cuda,
    }
}

fn tensorrt(settings: &ProviderSettings, seat: usize) -> ep::TensorRT {
    let tensorrt = ep::TensorRT::default()
        .with_device_id(i32::try_from(settings.cuda_device(seat)).unwrap_or(i32::MAX))
        .with_fp16(settings.tensorrt.fp16);
    match &settings.tensorrt.cache {
        Some(folder) => tensorrt.with_engine_cache(true).with_engine_cache_path(folder.display()),
        None => tensorrt,
    }
}

/// The plugin's device goes by ONNX Runtime's list of devices, not by the name of a built-in provider.
fn webgpu(runtime: &OnnxRuntime, builder: SessionBuilder, settings: &ProviderSettings) -> Result<SessionBuilder, String> {
    let plugin = settings.webgpu.plugin.as_deref().ok_or(
        "no WebGPU plugin is set; install `onnxruntime-ep-webgpu` and name its library as `plugin` under [inference.webgpu] of node.toml",
    )?;
    runtime.register_webgpu(plugin)?;
    let wanted = settings.webgpu.device as usize;
    let name = ProviderKind::Webgpu.onnx_name();
    let mut devices = runtime.environment().devices().filter(|device| device.ep().is_ok_and(|ep| ep == name));
    let device = devices.nth(wanted).ok_or_else(|| {
        format!(
            "the WebGPU plugin finds no device number {wanted}; run `hansa node doctor` to see what it finds and what it needs"
        )
    })?;
    builder.with_devices([device], None).map_err(|cause| one_line(&cause))
}
