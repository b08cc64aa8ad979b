//! ONNX Runtime, loaded at run time. Only this folder knows `ort`.

use std::borrow::Cow;
use std::ffi::CStr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use ort::environment::Environment;
use ort::memory::MemoryInfo;
use ort::session::builder::SessionBuilder;
use ort::session::{RunOptions, Session as OrtSession, SessionInputValue};
use ort::value::{DynValue, Outlet, PrimitiveTensorElementType, TensorElementType, TensorRef, ValueType};

use super::held::{Feed, Floats, Held, Numbers};
use super::{Backend, Interrupt, LoadOptions, Session, onnx_held, provider, providers};
use crate::error::{Error, Result};
use crate::info::{Provider, ProviderKind};
use crate::package::Graph;
use crate::tensor::{Dim, Dtype, Elements, Port, Tensor};

/// The library that this process holds: the runtime can be loaded once and has one environment.
static LOADED: Mutex<Option<OnnxRuntime>> = Mutex::new(None);

/// ONNX Runtime's environment.
#[derive(Clone)]
pub(crate) struct OnnxRuntime {
    environment: Environment,
    library: PathBuf,
    version: String,
    /// The WebGPU plugin that the environment holds.
    webgpu: Arc<Mutex<Option<PathBuf>>>,
}

impl OnnxRuntime {
    /// Loads the shared library, or takes the one that is loaded already.
    ///
    /// # Errors
    /// One line that says why, and what to do.
    pub(crate) fn open(library: &Path) -> std::result::Result<Self, String> {
        let library = library.canonicalize().map_err(|cause| {
            format!("cannot open the ONNX Runtime library `{}`: {cause}; run `./justw setup` or set its path", library.display())
        })?;
        let mut loaded = LOADED.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        match &*loaded {
            Some(runtime) if runtime.library == library => Ok(runtime.clone()),
            Some(runtime) => Err(format!(
                "`{}` cannot be loaded beside `{}`, which this process uses already; use that one",
                library.display(),
                runtime.library.display()
            )),
            None => {
                let runtime = Self::load(library)?;
                Ok(loaded.insert(runtime).clone())
            }
        }
    }

    fn load(library: PathBuf) -> std::result::Result<Self, String> {
        let advice = format!("this needs ONNX Runtime 1.{} or newer; run `./justw setup`", ort::MINOR_VERSION);
        let builder = ort::init_from(&library).map_err(|cause| format!("cannot use the library: {cause}; {advice}"))?;
        let environment = builder
            .with_name("hansa")
            .with_telemetry(false)
            .build()
            .map_err(|cause| format!("`{}` does not start: {cause}; {advice}", library.display()))?;
        environment.set_log_level(ort::logging::LogLevel::Error);
        let version = version_of(&library).unwrap_or_else(|| "(unknown version)".to_owned());
        Ok(Self { environment, library, version, webgpu: Arc::default() })
    }

    pub(super) fn environment(&self) -> &Environment {
        &self.environment
    }

    /// What every session has, whatever provider it runs on.
    pub(super) fn builder(&self, threads: usize) -> ort::Result<SessionBuilder> {
        Ok(OrtSession::builder(&self.environment)?
            .with_intra_threads(threads)?
            .with_intra_op_spinning(false)?
            .with_log_level(ort::logging::LogLevel::Fatal)?
            .with_config_entry(provider::RECORD_KEY, "1")?)
    }

    /// Loads the WebGPU plugin, unless this process has it already.
    ///
    /// # Errors
    /// One line that says why, and what to do.
    pub(super) fn register_webgpu(&self, plugin: &Path) -> std::result::Result<(), String> {
        let advice = "install the package `onnxruntime-ep-webgpu` and name its library under [inference.webgpu] of node.toml";
        let path = plugin
            .canonicalize()
            .map_err(|cause| format!("cannot open the WebGPU plugin `{}`: {cause}; {advice}", plugin.display()))?;
        let mut loaded = self.webgpu.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        match &*loaded {
            Some(other) if *other == path => return Ok(()),
            Some(other) => {
                return Err(format!(
                    "`{}` cannot be loaded beside `{}`, which this process uses already; use that one",
                    path.display(),
                    other.display()
                ));
            }
            None => {}
        }
        self.environment.register_ep_library(ProviderKind::Webgpu.name(), &path).map_err(|cause| {
            format!("`{}` is no plugin for ONNX Runtime {}: {}; {advice}", path.display(), self.version, one_line(&cause))
        })?;
        *loaded = Some(path);
        Ok(())
    }
}

impl Backend for OnnxRuntime {
    fn version(&self) -> String {
        format!("ONNX Runtime {}", self.version)
    }

    fn library(&self) -> Option<PathBuf> {
        Some(self.library.clone())
    }

    fn load(&self, graph: &Graph, options: &LoadOptions) -> Result<Box<dyn Session>> {
        let (session, provider) = providers::open(self, graph, options).map_err(load_error)?;
        let inputs = session.inputs().iter().map(port).collect::<Result<_>>()?;
        let outputs = session.outputs().iter().map(port).collect::<Result<_>>()?;
        let failed = |cause: ort::Error| Error::Backend(one_line(&cause));
        let number = options.providers.cuda_device(options.seat);
        let device = onnx_held::device_memory(&provider.name, number).map_err(failed)?;
        let options = Arc::new(RunOptions::new().map_err(failed)?);
        Ok(Box::new(OnnxSession { session, options, inputs, outputs, provider, device }))
    }
}

/// What the loaded library calls itself; `ort` checks this number but does not hand it out.
fn version_of(library: &Path) -> Option<String> {
    // SAFETY: `ort` has loaded this very file, so that its initialisers ran; the entry point has had this signature
    // since ONNX Runtime 1.0, and the string it leads to is static.
    unsafe {
        let library = libloading::Library::new(library).ok()?;
        let base: libloading::Symbol<'_, unsafe extern "system" fn() -> *const ort::sys::OrtApiBase> =
            library.get(b"OrtGetApiBase").ok()?;
        let base = base().as_ref()?;
        Some(CStr::from_ptr((base.GetVersionString)()).to_string_lossy().into_owned())
    }
}

struct OnnxSession {
    session: OrtSession,
    options: Arc<RunOptions>,
    inputs: Vec<Port>,
    outputs: Vec<Port>,
    provider: Provider,
    /// Where held outputs stay; `None`: in the host's memory.
    device: Option<MemoryInfo<'static>>,
}

impl Session for OnnxSession {
    fn inputs(&self) -> &[Port] {
        &self.inputs
    }

    fn outputs(&self) -> &[Port] {
        &self.outputs
    }

    fn provider(&self) -> Provider {
        self.provider.clone()
    }

    fn interrupt(&self) -> Arc<dyn Interrupt> {
        Arc::clone(&self.options) as Arc<dyn Interrupt>
    }

    fn run(&mut self, inputs: &[(&str, &Tensor)], outputs: &[&str]) -> Result<Vec<Tensor>> {
        let values = input_values(inputs).map_err(|cause| run_error(&cause))?;
        let found = self.session.run_with_options(values, &*self.options).map_err(|cause| run_error(&cause))?;
        let take = |name: &&str| match found.get(name) {
            Some(value) => tensor(name, value),
            None => Err(Error::BadInput(format!("the model has no output `{name}`; ask for one that it has"))),
        };
        outputs.iter().map(take).collect()
    }

    fn run_held(&mut self, inputs: &[(&str, Feed<'_>)], copy: &[&str], hold: &[&str]) -> Result<(Vec<Floats>, Vec<Held>)> {
        onnx_held::run(&mut self.session, self.device.as_ref(), inputs, copy, hold).map_err(|cause| run_error(&cause))
    }

    fn keep(&mut self, shape: [usize; 4], numbers: Numbers<'_>) -> Result<Held> {
        onnx_held::keep(&self.session, shape, numbers).map_err(|cause| run_error(&cause))
    }

    fn read<'a>(&mut self, held: &'a Held) -> Result<Numbers<'a>> {
        onnx_held::read(held).map_err(|cause| run_error(&cause))
    }
}

impl Interrupt for RunOptions {
    fn stop(&self) {
        // it only fails for a missing handle, which is not so here
        let _ = self.terminate();
    }

    fn clear(&self) {
        let _ = self.unterminate();
    }
}

fn input_values<'a>(inputs: &[(&'a str, &'a Tensor)]) -> ort::Result<Vec<(Cow<'a, str>, SessionInputValue<'a>)>> {
    inputs.iter().map(|&(name, tensor)| Ok((Cow::Borrowed(name), input_value(tensor)?))).collect()
}

fn input_value(tensor: &Tensor) -> ort::Result<SessionInputValue<'_>> {
    fn view<'a, T: PrimitiveTensorElementType + std::fmt::Debug + Clone + 'static>(
        shape: &[u32],
        data: &'a [T],
    ) -> ort::Result<SessionInputValue<'a>> {
        let shape: Vec<i64> = shape.iter().map(|size| i64::from(*size)).collect();
        Ok(TensorRef::from_array_view((shape, data))?.into())
    }
    match tensor.elements() {
        Elements::Fp32(data) => view(tensor.shape(), data),
        Elements::Fp64(data) => view(tensor.shape(), data),
        Elements::Uint8(data) => view(tensor.shape(), data),
        Elements::Int8(data) => view(tensor.shape(), data),
        Elements::Int32(data) => view(tensor.shape(), data),
        Elements::Int64(data) => view(tensor.shape(), data),
        Elements::Boolean(data) => view(tensor.shape(), data),
    }
}

fn tensor(name: &str, value: &DynValue) -> Result<Tensor> {
    fn copy<T: PrimitiveTensorElementType + Clone>(
        value: &DynValue,
        wrap: fn(Vec<T>) -> Elements,
    ) -> ort::Result<(Vec<i64>, Elements)> {
        let (shape, data) = value.try_extract_tensor::<T>()?;
        Ok((shape.to_vec(), wrap(data.to_vec())))
    }
    let copied = match element_type(value.dtype()) {
        Some(Dtype::Fp32) => copy(value, Elements::Fp32),
        Some(Dtype::Fp64) => copy(value, Elements::Fp64),
        Some(Dtype::Uint8) => copy(value, Elements::Uint8),
        Some(Dtype::Int8) => copy(value, Elements::Int8),
        Some(Dtype::Int32) => copy(value, Elements::Int32),
        Some(Dtype::Int64) => copy(value, Elements::Int64),
        Some(Dtype::Boolean) => copy(value, Elements::Boolean),
        _ => return Err(Error::Backend(format!("output `{name}` is {}, which cannot be handed out", value.dtype()))),
    };
    let (shape, elements) = copied.map_err(|cause| run_error(&cause))?;
    let shape: Vec<u32> = shape.iter().map(|size| u32::try_from(*size).unwrap_or(0)).collect();
    Tensor::new(&shape, elements).map_err(|cause| Error::Backend(format!("output `{name}`: {cause}")))
}

fn port(outlet: &Outlet) -> Result<Port> {
    let unknown = || Error::Backend(format!("port `{}` is {}, which is not supported", outlet.name(), outlet.dtype()));
    let dtype = element_type(outlet.dtype()).ok_or_else(unknown)?;
    let ValueType::Tensor { shape, dimension_symbols, .. } = outlet.dtype() else { return Err(unknown()) };
    let dim = |(size, symbol): (&i64, &String)| u32::try_from(*size).map_or_else(|_| Dim::Free(symbol.clone()), Dim::Fixed);
    Ok(Port { name: outlet.name().to_owned(), dtype, shape: shape.iter().zip(dimension_symbols.iter()).map(dim).collect() })
}

fn element_type(value: &ValueType) -> Option<Dtype> {
    Some(match value.tensor_type()? {
        TensorElementType::Float16 => Dtype::Fp16,
        TensorElementType::Bfloat16 => Dtype::Bf16,
        TensorElementType::Float32 => Dtype::Fp32,
        TensorElementType::Float64 => Dtype::Fp64,
        TensorElementType::Uint8 => Dtype::Uint8,
        TensorElementType::Int8 => Dtype::Int8,
        TensorElementType::Int32 => Dtype::Int32,
        TensorElementType::Int64 => Dtype::Int64,
        TensorElementType::Bool => Dtype::Boolean,
        TensorElementType::String => Dtype::Utf8,
        _ => return None,
    })
}

/// A failed run: what the caller could send better, what the machine lacks, or a defect of the model.
fn is_out_of_memory(text: &str) -> bool {
    text.contains("bad_alloc") || text.contains("Failed to allocate memory")
}

/// A failed load: what the machine lacks may be there later.
fn load_error(text: String) -> Error {
    if is_out_of_memory(&text) { Error::OutOfMemory } else { Error::Backend(text) }
}

fn run_error(cause: &ort::Error) -> Error {
    let text = one_line(cause);
    if is_out_of_memory(&text) {
        return Error::OutOfMemory;
    }
    match cause.code() {
        ort::ErrorCode::InvalidArgument => Error::BadInput(format!("the model refuses the input: {text}")),
        _ => Error::Backend(format!("the model failed: {text}")),
    }
}

pub(super) fn one_line<R>(cause: &ort::Error<R>) -> String {
    cause.message().split_whitespace().collect::<Vec<_>>().join(" ")
}
