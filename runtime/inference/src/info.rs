//! What a node says about its models and its engine.

use std::path::PathBuf;

use crate::tensor::Port;

/// What a model does, as `task` in `hansa:inference/types`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Task {
    /// Tensors in, tensors out.
    Raw,
    /// Text to vectors.
    Embed,
    /// Text or bytes to labels.
    Classify,
    /// Query and documents to an order.
    Rerank,
    /// Text to more text.
    Generate,
}

impl Task {
    /// Name in manifests and in the WIT.
    pub fn name(self) -> &'static str {
        match self {
            Self::Raw => "raw",
            Self::Embed => "embed",
            Self::Classify => "classify",
            Self::Rerank => "rerank",
            Self::Generate => "generate",
        }
    }
}

/// Kind of device, as `device-class` in `hansa:inference/types`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeviceClass {
    /// The processor.
    Cpu,
    /// A graphics processor.
    Gpu,
    /// A neural processor.
    Npu,
}

/// An execution provider that an operator can allow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ProviderKind {
    /// NVIDIA's graphics processors, by kernels of ONNX Runtime's build for CUDA.
    Cuda,
    /// NVIDIA's graphics processors, by engines that TensorRT makes of a graph; what it leaves goes to CUDA.
    Tensorrt,
    /// Graphics processors of any make, by ONNX Runtime's WebGPU plugin.
    Webgpu,
    /// The processor: always there.
    Cpu,
}

impl ProviderKind {
    /// All of them, the fastest kinds first.
    pub const ALL: [Self; 4] = [Self::Tensorrt, Self::Cuda, Self::Webgpu, Self::Cpu];

    /// Name in manifests and in `node.toml`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Cuda => "cuda",
            Self::Tensorrt => "tensorrt",
            Self::Webgpu => "webgpu",
            Self::Cpu => "cpu",
        }
    }

    /// Its kind of device.
    pub fn device(self) -> DeviceClass {
        match self {
            Self::Cuda | Self::Tensorrt | Self::Webgpu => DeviceClass::Gpu,
            Self::Cpu => DeviceClass::Cpu,
        }
    }

    /// Name in ONNX Runtime.
    pub fn onnx_name(self) -> &'static str {
        match self {
            Self::Cuda => "CUDAExecutionProvider",
            Self::Tensorrt => "TensorrtExecutionProvider",
            Self::Webgpu => "WebGpuExecutionProvider",
            Self::Cpu => "CPUExecutionProvider",
        }
    }
}

/// Where a loaded model really runs, read back from the session.
#[derive(Clone, Debug, PartialEq)]
pub struct Provider {
    /// The execution provider, such as `CPUExecutionProvider`.
    pub name: String,
    /// Fraction of the graph's nodes on it, 0 to 1.
    pub share: f32,
    /// Its kind of device.
    pub device: DeviceClass,
    /// Providers that were tried before it, with the reason why they were not taken.
    pub passed_over: Vec<PassedOver>,
}

/// A provider that was asked for and could not be taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PassedOver {
    /// The provider.
    pub provider: ProviderKind,
    /// Why, and where it can be changed what to do.
    pub reason: String,
}

/// A model that this node lends.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelInfo {
    /// Name by which it is asked for.
    pub name: String,
    /// Version, in its maker's words.
    pub version: String,
    /// SHA-256 of the manifest: the model's identity.
    pub manifest: [u8; 32],
    /// SPDX expression of the model's licence.
    pub license: String,
    /// Where it comes from.
    pub source: String,
    /// What it does; `raw` is among it, but for a model that generates.
    pub tasks: Vec<Task>,
    /// Its inputs.
    pub inputs: Vec<Port>,
    /// Its outputs.
    pub outputs: Vec<Port>,
    /// Where it runs; `None` until it is loaded, because only then it is known.
    pub provider: Option<Provider>,
    /// Items that one call may carry.
    pub max_batch: u32,
    /// Tokens kept of each text; `None` where there are no tokens.
    pub max_tokens: Option<u32>,
    /// Whether it may be offered to others.
    pub resale: bool,
}

impl ModelInfo {
    /// Whether it is in memory now.
    pub fn is_loaded(&self) -> bool {
        self.provider.is_some()
    }
}

/// The state of the whole part.
#[derive(Clone, Debug, PartialEq)]
pub struct Status {
    /// The runtime library.
    pub engine: EngineStatus,
    /// The models, by name.
    pub models: Vec<ModelStatus>,
    /// Folders that hold no acceptable package, with the reason.
    pub refused: Vec<RefusedPackage>,
}

/// The runtime library.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EngineStatus {
    /// Models can be run.
    Ready {
        /// Name and version, such as `ONNX Runtime 1.31.0`.
        version: String,
        /// The library file; `None` where there is none.
        library: Option<PathBuf>,
    },
    /// No model can be run; the reason says what to do.
    Unavailable {
        /// One line.
        reason: String,
    },
}

/// One model's state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelStatus {
    /// Its name.
    pub name: String,
    /// Its package.
    pub folder: PathBuf,
    /// Where it stands.
    pub state: ModelState,
    /// Rows waiting.
    pub queued: usize,
}

/// Where a model stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ModelState {
    /// Its manifest is valid; the first request loads it.
    Listed,
    /// Being verified and loaded.
    Loading,
    /// In memory, its golden vectors were right.
    Ready,
    /// It could not be loaded; `Inference::load` tries again.
    Failed(String),
}

/// A folder whose package was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefusedPackage {
    /// The folder.
    pub folder: PathBuf,
    /// Why, and what to do.
    pub reason: String,
}
