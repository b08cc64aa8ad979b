//! What each provider needs, what of it is there, and what to do about the rest: for `hansa node doctor`.

use std::ffi::{CStr, c_char, c_int};
use std::path::Path;

use libloading::Library;

use super::LoadOptions;
use super::onnx::{OnnxRuntime, one_line};
use super::providers;
use crate::info::{EngineStatus, ProviderKind};
use crate::providers::ProviderSettings;

/// What was found of the runtime library and of each provider.
#[derive(Clone, Debug)]
pub struct Examination {
    /// The runtime library.
    pub engine: EngineStatus,
    /// The providers, the operator's first.
    pub providers: Vec<ProviderExamination>,
}

/// What was found of one provider.
#[derive(Clone, Debug)]
pub struct ProviderExamination {
    /// The provider.
    pub provider: ProviderKind,
    /// Whether the operator's list names it.
    pub asked: bool,
    /// Whether sessions can be made on it.
    pub usable: bool,
    /// What it needs, one thing after another.
    pub findings: Vec<Finding>,
}

/// One thing that a provider needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The thing.
    pub what: String,
    /// What was found of it.
    pub found: String,
    /// What to do; `None` where it is as it must be.
    pub next: Option<String>,
}

impl Finding {
    fn good(what: &str, found: impl Into<String>) -> Self {
        Self { what: what.to_owned(), found: found.into(), next: None }
    }

    fn lacking(what: &str, found: impl Into<String>, next: impl Into<String>) -> Self {
        Self { what: what.to_owned(), found: found.into(), next: Some(next.into()) }
    }
}

/// Looks at everything. Loads the runtime library, the plugin, and the vendors' libraries into this process.
pub fn examine(library: Option<&Path>, settings: &ProviderSettings) -> Examination {
    let missing = || "no ONNX Runtime library is set; run `./justw setup` or set its path".to_owned();
    let runtime = library.ok_or_else(missing).and_then(OnnxRuntime::open);
    let rest = ProviderKind::ALL.into_iter().filter(|kind| !settings.order.contains(kind));
    let kinds: Vec<ProviderKind> = settings.order.iter().copied().chain(rest).collect();
    let engine = match &runtime {
        Ok(runtime) => super::Backend::version(runtime),
        Err(reason) => {
            let engine = EngineStatus::Unavailable { reason: reason.clone() };
            return Examination { engine, providers: Vec::new() };
        }
    };
    let engine = EngineStatus::Ready { version: engine, library: library.map(Path::to_owned) };
    let providers = runtime.iter().flat_map(|runtime| kinds.iter().map(|kind| provider(runtime, settings, *kind)));
    Examination { engine, providers: providers.collect() }
}

fn provider(runtime: &OnnxRuntime, settings: &ProviderSettings, kind: ProviderKind) -> ProviderExamination {
    let asked = settings.order.contains(&kind);
    let mut findings = match kind {
        ProviderKind::Cpu => vec![Finding::good("processor", format!("{} cores", cores()))],
        ProviderKind::Cuda => cuda(runtime),
        ProviderKind::Tensorrt => tensorrt(runtime),
        ProviderKind::Webgpu => webgpu(runtime, settings),
    };
    let options =
        LoadOptions { threads: 1, seat: 0, order: vec![kind], min_share: 0.0, providers: std::sync::Arc::new(settings.clone()) };
    let tried = providers::prepare(runtime, &options, kind);
    if let Err(reason) = &tried
        && findings.iter().all(|finding| finding.next.is_none())
    {
        findings.push(Finding::lacking(
            "session",
            reason,
            "the message is the provider's own; docs/operators/gpu.md has what it needs",
        ));
    }
    ProviderExamination { provider: kind, asked, usable: tried.is_ok(), findings }
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

fn cuda(runtime: &OnnxRuntime) -> Vec<Finding> {
    let part = beside(
        runtime,
        "libonnxruntime_providers_cuda.so",
        "take the library of the package `onnxruntime-gpu` and keep its three .so files in one folder; name it as `library` under [inference]",
    );
    let wanted = ort::ep::cuda::CUDA_DYLIBS.iter().chain(&ort::ep::cuda::CUDNN_DYLIBS[..1]).copied();
    vec![
        part,
        driver(),
        libraries("CUDA 13 and cuDNN 9", wanted, "install CUDA 13 and cuDNN 9, or put their folder on LD_LIBRARY_PATH"),
    ]
}

fn tensorrt(runtime: &OnnxRuntime) -> Vec<Finding> {
    let part = beside(
        runtime,
        "libonnxruntime_providers_tensorrt.so",
        "take the library of the package `onnxruntime-gpu` and keep its three .so files in one folder; name it as `library` under [inference]",
    );
    let wanted = ["libnvinfer.so.10", "libnvonnxparser.so.10"].into_iter();
    vec![
        part,
        driver(),
        libraries("TensorRT 10", wanted, "install TensorRT 10, or put its folder on LD_LIBRARY_PATH; CUDA is needed too"),
    ]
}

/// A part of ONNX Runtime that must lie beside its library.
fn beside(runtime: &OnnxRuntime, name: &str, next: &str) -> Finding {
    let path = super::Backend::library(runtime).and_then(|library| Some(library.parent()?.join(name)));
    match path.filter(|path| path.is_file()) {
        Some(path) => Finding::good(name, path.display().to_string()),
        None => Finding::lacking(name, "not beside the library of ONNX Runtime", next),
    }
}

/// Shared libraries that the system's loader must find.
fn libraries(what: &str, names: impl Iterator<Item = &'static str>, next: &str) -> Finding {
    // SAFETY: these are the vendors' libraries, which the provider would load in the same way; their initialisers have no
    // precondition.
    let missing: Vec<&str> = names.filter(|name| unsafe { Library::new(*name) }.is_err()).collect();
    match missing.as_slice() {
        [] => Finding::good(what, "all libraries found"),
        missing => Finding::lacking(what, format!("not found: {}", missing.join(", ")), next),
    }
}

/// NVIDIA's driver: its version and its devices, by the driver's own interface.
///
/// Signatures: <https://docs.nvidia.com/cuda/cuda-driver-api/>.
fn driver() -> Finding {
    const WHAT: &str = "NVIDIA driver";
    match nvidia() {
        Ok(devices) if devices.is_empty() => {
            Finding::lacking(WHAT, "no device", "look at `nvidia-smi`; a container needs its devices passed through")
        }
        Ok(devices) => Finding::good(WHAT, devices.join(", ")),
        Err(found) => Finding::lacking(WHAT, found, "install NVIDIA's driver on a machine with such a device"),
    }
}

fn nvidia() -> Result<Vec<String>, String> {
    let missing = |cause: libloading::Error| format!("libcuda.so.1 cannot be loaded: {cause}");
    // SAFETY: the driver's library has no precondition for loading; the four functions have had these signatures since CUDA
    // 2.0, and are called in the order that its documentation asks for.
    unsafe {
        let library = Library::new("libcuda.so.1").map_err(missing)?;
        let init: libloading::Symbol<'_, unsafe extern "C" fn(u32) -> c_int> = library.get(b"cuInit").map_err(missing)?;
        let count: libloading::Symbol<'_, unsafe extern "C" fn(*mut c_int) -> c_int> =
            library.get(b"cuDeviceGetCount").map_err(missing)?;
        let version: libloading::Symbol<'_, unsafe extern "C" fn(*mut c_int) -> c_int> =
            library.get(b"cuDriverGetVersion").map_err(missing)?;
        let name: libloading::Symbol<'_, unsafe extern "C" fn(*mut c_char, c_int, c_int) -> c_int> =
            library.get(b"cuDeviceGetName").map_err(missing)?;
        let status = init(0);
        if status != 0 {
            return Err(format!("the driver does not start (CUDA error {status})"));
        }
        let (mut devices, mut driver) = (0, 0);
        if count(&raw mut devices) != 0 || version(&raw mut driver) != 0 {
            return Err("the driver does not say what it has".to_owned());
        }
        let named = (0..devices).map(|device| {
            let mut text: [c_char; 256] = [0; 256];
            let status = name(text.as_mut_ptr(), 255, device);
            let text = if status == 0 { CStr::from_ptr(text.as_ptr()).to_string_lossy() } else { "unknown".into() };
            format!("{device}: {text} (CUDA {}.{})", driver / 1000, driver % 1000 / 10)
        });
        Ok(named.collect())
    }
}

fn webgpu(runtime: &OnnxRuntime, settings: &ProviderSettings) -> Vec<Finding> {
    let vulkan = libraries(
        "Vulkan loader",
        ["libvulkan.so.1"].into_iter(),
        "install the Vulkan loader (Debian: libvulkan1) and your device's Vulkan driver",
    );
    let Some(plugin) = settings.webgpu.plugin.as_deref() else {
        let next = "run `python3 tools/setup.py webgpu`, or install `onnxruntime-ep-webgpu`, and name its library as `plugin` under [inference.webgpu]";
        return vec![Finding::lacking("plugin", "none is set", next), vulkan];
    };
    if let Err(reason) = runtime.register_webgpu(plugin) {
        return vec![Finding::lacking("plugin", reason, "take the library of the package `onnxruntime-ep-webgpu`"), vulkan];
    }
    vec![Finding::good("plugin", plugin.display().to_string()), vulkan, webgpu_devices(runtime)]
}

fn webgpu_devices(runtime: &OnnxRuntime) -> Finding {
    let name = ProviderKind::Webgpu.onnx_name();
    let devices = runtime.environment().devices().filter(|device| device.ep().is_ok_and(|ep| ep == name));
    let described: Vec<String> = devices
        .enumerate()
        .map(|(index, device)| {
            let hardware = device.hardware_device();
            let vendor = hardware.vendor().map_or_else(|cause| one_line(&cause), str::to_owned);
            format!("{index}: {:?} of {vendor}, id {:#x}", hardware.ty(), hardware.id())
        })
        .collect();
    match described.is_empty() {
        true => Finding::lacking(
            "devices",
            "the plugin finds none",
            "install a Vulkan driver; for a software adapter see docs/operators/gpu.md (ORT_WEBGPU_EP_ALLOW_SOFTWARE_ADAPTER=1)",
        ),
        false => Finding::good("devices", described.join("; ")),
    }
}
