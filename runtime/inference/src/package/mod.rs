//! Model packages: a folder with `hansa-model.toml` and the files it lists by sha256.
//!
//! Nothing of a package reaches a loader before its hash was checked, and nothing outside its folder is read.

mod files;
mod golden;
mod manifest;
mod onnx_scan;
mod settings;
mod summary;
#[cfg(test)]
mod table_tests;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sha2::{Digest, Sha256};

pub(crate) use files::ListedFile;
pub(crate) use golden::{Golden, GoldenCase, GoldenInput, GoldenPrompt, GoldenText};
pub(crate) use manifest::{LabelsText, Manifest, ManifestText, PortText};
pub(crate) use settings::{Activation, BytesSettings, GenerateSettings, Pipeline, Pooling, RuntimeSettings, TextSettings};
pub use summary::{FileSummary, PackageSummary, read_package, verify_package};

use crate::info::DeviceClass;
use crate::limits;
use crate::usage::Rates;

/// Name of the manifest inside a package.
pub const MANIFEST_FILE: &str = "hansa-model.toml";

/// What a small model takes beside its weights: the session, and the arena of its runs.
const WORKING_BYTES: u64 = 16 << 20;

/// Why a package was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PackageError {
    /// A file could not be read.
    #[error("cannot read `{path}`: {cause}")]
    Unreadable {
        /// The file.
        path: String,
        /// What the operating system said.
        cause: String,
    },
    /// The manifest is not what it must be.
    #[error("{MANIFEST_FILE}: {0}")]
    Manifest(String),
    /// A listed path leaves the package.
    #[error("`{0}` lies outside the package; list only files inside its folder")]
    Outside(String),
    /// A file is not the one that the manifest lists.
    #[error("`{path}` has {what} `{found}`, but {MANIFEST_FILE} lists `{listed}`; fetch the package again")]
    Altered {
        /// The file.
        path: String,
        /// `sha256` or `size`.
        what: &'static str,
        /// What the file has.
        found: String,
        /// What the manifest says.
        listed: String,
    },
    /// The ONNX file cannot be accepted.
    #[error("`{path}`: {cause}")]
    Graph {
        /// The file.
        path: String,
        /// What is wrong with it.
        cause: String,
    },
}

/// The verified bytes of a graph.
#[derive(Clone)]
pub(crate) struct Graph {
    /// The ONNX file.
    pub(crate) bytes: Arc<[u8]>,
    /// Weights that it keeps in other files.
    pub(crate) data: Vec<DataFile>,
}

/// The verified bytes of a file of weights.
#[derive(Clone)]
pub(crate) struct DataFile {
    /// Its name in the graph.
    pub(crate) location: String,
    pub(crate) bytes: Arc<[u8]>,
}

/// A package whose manifest was read and found valid; its files are read and verified when they are needed.
#[derive(Clone, Debug)]
pub(crate) struct Package {
    pub(crate) manifest: Manifest,
    folder: PathBuf,
}

impl Package {
    /// Reads and validates the manifest, and looks whether the listed files are there.
    pub(crate) fn open(folder: &Path) -> Result<Self, PackageError> {
        let package = Self::open_draft(folder)?;
        match package.manifest.golden.is_empty() {
            true => Err(PackageError::Manifest(
                "there is no [[golden]]; without one a wrong model could not be told from a right one".to_owned(),
            )),
            false => Ok(package),
        }
    }

    /// The same for a package whose golden vectors are still to be made.
    pub(crate) fn open_draft(folder: &Path) -> Result<Self, PackageError> {
        let path = folder.join(MANIFEST_FILE);
        let unreadable =
            |cause: std::io::Error| PackageError::Unreadable { path: path.display().to_string(), cause: cause.to_string() };
        let size = std::fs::metadata(&path).map_err(unreadable)?.len();
        if size > limits::MANIFEST_BYTES_MAX {
            return Err(PackageError::Manifest(format!("it has `{size}` bytes; the limit is {}", limits::MANIFEST_BYTES_MAX)));
        }
        let bytes = std::fs::read(&path).map_err(unreadable)?;
        let text = std::str::from_utf8(&bytes).map_err(|_| PackageError::Manifest("it is not UTF-8 text".to_owned()))?;
        let manifest = Manifest::parse(text, Sha256::digest(&bytes).into()).map_err(PackageError::Manifest)?;
        for file in &manifest.files {
            file.locate(folder)?;
        }
        Ok(Self { manifest, folder: folder.to_owned() })
    }

    /// With the operator's price card in place of its own, where there is one.
    pub(crate) fn priced(mut self, prices: &BTreeMap<String, Rates>) -> Result<Self, String> {
        if let Some(rates) = prices.get(&self.manifest.name) {
            rates.check()?;
            self.manifest.rates = *rates;
        }
        Ok(self)
    }

    /// The verified bytes of the graph and of the weights that it keeps in other files, without foreign operators.
    pub(crate) fn graph(&self) -> Result<Graph, PackageError> {
        read_files(&self.folder, &self.manifest.graph, &self.manifest.files)
    }

    /// Reads every listed file and compares size and sha256.
    pub(crate) fn verify(&self) -> Result<(), PackageError> {
        self.manifest.files.iter().try_for_each(|file| file.read(&self.folder).map(drop))
    }

    /// Bytes that the model is expected to take when it is loaded and runs: as its manifest says, else by the size of its
    /// files.
    pub(crate) fn expected_bytes(&self) -> u64 {
        let memory = self.manifest.memory;
        memory.peak_bytes.or(memory.resident_bytes).unwrap_or_else(|| self.file_bytes() / 4 * 5 + WORKING_BYTES)
    }

    /// Bytes that it takes, where the process grew by `grown` when it was loaded; on a device of its own memory, what is
    /// expected.
    pub(crate) fn measured_bytes(&self, device: DeviceClass, grown: u64) -> u64 {
        match device {
            // Other models run meanwhile, so that the growth is believed within reason only.
            DeviceClass::Cpu => grown.clamp(self.file_bytes(), 3 * self.file_bytes() + WORKING_BYTES),
            DeviceClass::Gpu | DeviceClass::Npu => self.expected_bytes(),
        }
    }

    fn file_bytes(&self) -> u64 {
        self.manifest.files.iter().map(|file| file.size).sum()
    }

    /// The verified bytes of a listed file.
    pub(crate) fn file(&self, path: &str) -> Result<Arc<[u8]>, PackageError> {
        let listed = self.manifest.files.iter().find(|file| file.path == path);
        listed.ok_or_else(|| PackageError::Manifest(format!("`{path}` is not listed as a [[file]]; list it")))?.read(&self.folder)
    }
}

/// A graph and its weights from the listed files of a folder.
pub(crate) fn read_files(folder: &Path, graph: &str, files: &[ListedFile]) -> Result<Graph, PackageError> {
    let listed = |path: &str| files.iter().find(|file| file.path == path);
    let refused = |cause: String| PackageError::Graph { path: graph.to_owned(), cause };
    let bytes = listed(graph).ok_or_else(|| refused("it is not listed as a [[file]]; list it".to_owned()))?.read(folder)?;
    let mut data = Vec::new();
    for (location, bytes_min) in onnx_scan::check(&bytes).map_err(refused)? {
        let path = beside(graph, &location);
        let file = listed(&path).ok_or_else(|| {
            refused(format!(
                "it keeps weights in `{path}` (external data), which is not listed as a [[file]]; list it, or save one file"
            ))
        })?;
        if file.size < bytes_min {
            return Err(refused(format!("it keeps weights in `{path}` up to byte {bytes_min}, but that file has {}", file.size)));
        }
        data.push(DataFile { location, bytes: file.read(folder)? });
    }
    Ok(Graph { bytes, data })
}

/// The files in which a graph of a folder keeps weights, as paths in that folder.
pub(crate) fn external_files(folder: &Path, graph: &str) -> Result<Vec<String>, PackageError> {
    let file = ListedFile::of(folder, graph)
        .map_err(|cause| PackageError::Unreadable { path: graph.to_owned(), cause: cause.to_string() })?;
    file.validate(limits::GRAPH_BYTES_MAX).map_err(PackageError::Manifest)?;
    let found = onnx_scan::check(&file.read(folder)?).map_err(|cause| PackageError::Graph { path: graph.to_owned(), cause })?;
    let paths: Vec<String> = found.keys().map(|location| beside(graph, location)).collect();
    match paths.iter().find(|path| ListedFile::leaves(path)) {
        Some(path) => Err(PackageError::Outside(path.clone())),
        None => Ok(paths),
    }
}

/// A place relative to the graph's folder, as a path in the package.
fn beside(graph: &str, location: &str) -> String {
    match graph.rsplit_once('/') {
        Some((folder, _)) if !location.starts_with('/') => format!("{folder}/{location}"),
        _ => location.to_owned(),
    }
}

/// The sub-folders of `folder` that hold a model package, in the order of their names; none when it cannot be read. Those
/// whose name begins with a dot are not looked at: `add_model` puts packages together in them.
pub fn packages_in(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let entries = entries.filter(|entry| !entry.file_name().as_encoded_bytes().starts_with(b"."));
    let mut found: Vec<PathBuf> = entries.map(|entry| entry.path()).filter(|path| path.join(MANIFEST_FILE).is_file()).collect();
    found.sort();
    found
}
