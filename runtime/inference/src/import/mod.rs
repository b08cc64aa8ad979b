//! Models from where others keep them: a folder or tar is read, understood, tried out, and becomes a package of this node.
//!
//! The new package is put together in a hidden folder beside the others and moved to its place last, so that a failure
//! leaves nothing behind and a running node never sees half a package.

mod config;
mod decoder;
#[cfg(test)]
mod decoder_tests;
mod encoder;
mod genai;
mod golden;
mod license;
mod source;
mod stage;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crate::backend::onnx::OnnxRuntime;
use crate::backend::{Backend, LoadOptions, Session};
use crate::info::{ProviderKind, Task};
use crate::package::{Graph, MANIFEST_FILE, Package, PackageSummary};
use crate::providers::ProviderSettings;
use source::Source;

/// What to add, where, and what the operator says about it.
#[derive(Clone, Debug, Default)]
pub struct ImportOptions {
    /// A package of Hansa, an ONNX export of Hugging Face's Optimum, or one for onnxruntime-genai: a folder, or a `.tar` of one.
    pub from: PathBuf,
    /// The folder of this node's packages; made where it is missing.
    pub models: PathBuf,
    /// The ONNX Runtime library that tries the model out.
    pub library: Option<PathBuf>,
    /// The model's name here. Default: what the export calls itself, else the folder's name.
    pub name: Option<String>,
    /// Its licence, an SPDX expression. Default: what the export says.
    pub license: Option<String>,
    /// Whether it may be sold. Default: only what its licence plainly permits.
    pub resale: Option<bool>,
    /// Where it comes from. Default: what the export says.
    pub source: Option<String>,
    /// What it does. Default: what its architecture says.
    pub task: Option<Task>,
    /// The ONNX file, relative to the folder. Default: `model.onnx`, there or in `onnx`.
    pub graph: Option<String>,
}

/// A model that was added.
#[derive(Clone, Debug)]
pub struct Imported {
    /// Its package's folder.
    pub folder: PathBuf,
    /// What it is.
    pub package: PackageSummary,
    /// What was found and decided, a line each.
    pub notes: Vec<String>,
}

/// How the names of folders begin in which a package is put together.
const ADDING: &str = ".adding-";
/// How the names of folders begin that are on their way out; a node lends nothing whose name begins with a point.
pub const REMOVING: &str = ".removing-";
/// What nobody has changed for so long is nobody's work in progress.
const UNFINISHED_FOR: Duration = Duration::from_secs(24 * 3600);

/// Why a model was not added: one line that says what to do. Nothing was written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ImportError(String);

impl From<String> for ImportError {
    fn from(text: String) -> Self {
        Self(text)
    }
}

/// Adds a model to the folder of packages. Blocks for as long as reading, hashing and a few runs of the model take.
///
/// # Errors
/// What is missing or wrong about it, and what to do. Nothing was written then.
pub fn add_model(options: &ImportOptions) -> Result<Imported, ImportError> {
    std::fs::create_dir_all(&options.models).map_err(|cause| cannot("make the folder", &options.models, &cause))?;
    let stage = tempfile::Builder::new()
        .prefix(ADDING)
        .tempdir_in(&options.models)
        .map_err(|cause| cannot("write to", &options.models, &cause))?;
    sweep(&options.models, stage.path());
    let unpacked = stage.path().join("unpacked");
    let source = Source::open(&options.from, &unpacked)?;
    let target = stage.path().join("package");
    std::fs::create_dir(&target).map_err(|cause| cannot("make the folder", &target, &cause))?;
    let runtime = runtime(options.library.as_deref())?;
    let notes = match &source {
        Source::Package(folder) => copy_package(folder, &target, options, &runtime)?,
        Source::HuggingFace(folder) => export(folder, &target, options, &runtime, stage::Layout::HuggingFace)?,
        Source::Genai(folder) => export(folder, &target, options, &runtime, stage::Layout::Genai)?,
    };
    let package = Package::open(&target).map_err(|error| error.to_string())?.summary();
    let folder = options.models.join(&package.name);
    place(&target, &folder)?;
    Ok(Imported { folder, package, notes })
}

/// Removes what earlier additions and removals left that were killed on their way: what is much older than a new folder.
fn sweep(models: &Path, new: &Path) {
    let modified = |path: &Path| path.metadata().and_then(|metadata| metadata.modified()).ok();
    let Some(now) = modified(new) else { return };
    for entry in std::fs::read_dir(models).into_iter().flatten().flatten() {
        let (name, path) = (entry.file_name(), entry.path());
        let unfinished = [ADDING, REMOVING].iter().any(|prefix| name.as_encoded_bytes().starts_with(prefix.as_bytes()));
        let age = modified(&path).and_then(|changed| now.duration_since(changed).ok());
        if unfinished && age.is_some_and(|age| age > UNFINISHED_FOR) {
            // it is tried again the next time
            let _ = std::fs::remove_dir_all(path);
        }
    }
}

/// A package as it is: every file must be what its manifest says, and its golden vectors right.
fn copy_package(
    folder: &Path,
    target: &Path,
    options: &ImportOptions,
    runtime: &OnnxRuntime,
) -> Result<Vec<String>, ImportError> {
    let package = Package::open(folder).map_err(|error| error.to_string())?;
    let manifest = &package.manifest;
    if options.name.is_some() || options.license.is_some() || options.resale.is_some() || options.task.is_some() {
        let text = format!(
            "`{}` has a {MANIFEST_FILE}, which settles name, licence, resale and task; leave these options out",
            options.from.display()
        );
        return Err(ImportError(text));
    }
    license::expression(&manifest.license).map_err(|error| format!("{MANIFEST_FILE}: {error}; its maker must correct it"))?;
    stage::copy(folder, target, MANIFEST_FILE)?;
    for file in &manifest.files {
        stage::copy(folder, target, &file.path)?;
    }
    let copied = Package::open(target).map_err(|error| error.to_string())?;
    copied.verify().map_err(|error| error.to_string())?;
    let mut notes = vec![format!("a package; files with the listed size and sha256: {}", manifest.files.len())];
    if manifest.runtime.require_provider.is_some_and(|kind| kind != ProviderKind::Cpu) {
        notes.push("it requires a provider other than the processor; `hansa model verify` tries it there".to_owned());
        return Ok(notes);
    }
    let graph = copied.graph().map_err(|error| error.to_string())?;
    golden::check(&copied, load(runtime, &graph)?.as_mut())?;
    notes.push(format!("golden vectors that are right on the processor: {}", manifest.golden.len()));
    Ok(notes)
}

/// An export of others: copied, looked at, tried out, described.
fn export(
    folder: &Path,
    target: &Path,
    options: &ImportOptions,
    runtime: &OnnxRuntime,
    layout: stage::Layout,
) -> Result<Vec<String>, ImportError> {
    let mut staged = stage::Staged::new(folder, target, options, layout)?;
    let graph = staged.graph()?;
    let mut session = load(runtime, &graph)?;
    drop(graph);
    staged.describe(session.as_ref())?;
    staged.write(&[])?;
    let golden = golden::make(target, session.as_mut())?;
    staged.notes.push(format!("golden vectors made on the processor: {}", golden.len()));
    staged.write(&golden)?;
    let package = Package::open(target).map_err(|error| error.to_string())?;
    golden::check(&package, session.as_mut())?;
    Ok(staged.notes)
}

fn runtime(library: Option<&Path>) -> Result<OnnxRuntime, String> {
    let library = library.ok_or("no ONNX Runtime library is set; run `./justw setup` or set its path")?;
    OnnxRuntime::open(library)
}

/// A session on the processor.
fn load(runtime: &OnnxRuntime, graph: &Graph) -> Result<Box<dyn Session>, String> {
    let options = LoadOptions {
        seat: 0,
        threads: std::thread::available_parallelism().map_or(1, usize::from),
        order: vec![ProviderKind::Cpu],
        min_share: 0.0,
        providers: Arc::new(ProviderSettings::default()),
    };
    runtime.load(graph, &options).map_err(|error| error.to_string())
}

fn place(package: &Path, folder: &Path) -> Result<(), String> {
    if folder.exists() {
        return Err(format!(
            "`{}` is there already; remove that model first, or give this one another `--name`",
            folder.display()
        ));
    }
    std::fs::rename(package, folder).map_err(|cause| cannot("move the package to", folder, &cause))
}

/// `cannot <what> <where>: <cause>`.
fn cannot(what: &str, path: &Path, cause: &std::io::Error) -> String {
    format!("cannot {what} `{}`: {cause}", path.display())
}
