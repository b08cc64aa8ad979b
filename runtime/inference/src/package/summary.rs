//! What people are shown of a package, without loading it.

use std::path::Path;

use super::{Package, PackageError, Pipeline};
use crate::info::{ProviderKind, Task};
use crate::tensor::Port;
use crate::usage::Rates;

/// A package as its manifest describes it.
#[derive(Clone, Debug)]
pub struct PackageSummary {
    /// Name by which it is asked for.
    pub name: String,
    /// Version, in its maker's words.
    pub version: String,
    /// SHA-256 of the manifest: the model's identity.
    pub manifest: [u8; 32],
    /// What it does.
    pub task: Task,
    /// SPDX expression of the model's licence.
    pub license: String,
    /// Where it comes from.
    pub source: String,
    /// Whether it may be offered to others.
    pub resale: bool,
    /// Its files.
    pub files: Vec<FileSummary>,
    /// Its inputs.
    pub inputs: Vec<Port>,
    /// Its outputs.
    pub outputs: Vec<Port>,
    /// Tokens kept of each text, or of prompt and answer together; `None` where there are no tokens.
    pub max_tokens: Option<u32>,
    /// Labels that it knows; 0 where it knows none.
    pub labels: usize,
    /// Providers that it may run on; empty: all.
    pub providers: Vec<ProviderKind>,
    /// The provider that it must run on.
    pub require_provider: Option<ProviderKind>,
    /// Bytes that it holds while it is loaded, as its maker measured.
    pub resident_bytes: Option<u64>,
    /// Bytes that it holds at most while it runs.
    pub peak_bytes: Option<u64>,
    /// Its price card.
    pub rates: Rates,
    /// Golden vectors that it has.
    pub golden: usize,
}

/// A file of a package.
#[derive(Clone, Debug)]
pub struct FileSummary {
    /// Path inside the package.
    pub path: String,
    /// SHA-256 of its bytes, in hexadecimal digits.
    pub sha256: String,
    /// Its bytes.
    pub size: u64,
}

/// Reads a package's manifest.
///
/// # Errors
/// What is wrong with it, or with where its files lie.
pub fn read_package(folder: &Path) -> Result<PackageSummary, PackageError> {
    Ok(Package::open(folder)?.summary())
}

/// Reads a package's manifest and compares every file with it. Blocks for as long as reading and hashing them takes.
///
/// # Errors
/// The first file that is not what the manifest lists.
pub fn verify_package(folder: &Path) -> Result<PackageSummary, PackageError> {
    let package = Package::open(folder)?;
    package.verify()?;
    Ok(package.summary())
}

impl Package {
    /// What people are shown.
    pub(crate) fn summary(&self) -> PackageSummary {
        let manifest = &self.manifest;
        let (labels, max_tokens) = match &manifest.pipeline {
            Pipeline::Classify(_, names) => (names.len(), None),
            Pipeline::ClassifyText(text, names) => (names.len(), Some(text.max_tokens)),
            Pipeline::Generate(generate) => (0, Some(generate.context)),
            pipeline => (0, pipeline.text().map(|text| text.max_tokens)),
        };
        let file =
            |file: &super::ListedFile| FileSummary { path: file.path.clone(), sha256: file.sha256.clone(), size: file.size };
        PackageSummary {
            name: manifest.name.clone(),
            version: manifest.version.clone(),
            manifest: manifest.id,
            task: manifest.task,
            license: manifest.license.clone(),
            source: manifest.source.clone(),
            resale: manifest.resale,
            files: manifest.files.iter().map(file).collect(),
            inputs: manifest.inputs.clone(),
            outputs: manifest.outputs.clone(),
            max_tokens,
            labels,
            providers: manifest.runtime.providers.clone(),
            require_provider: manifest.runtime.require_provider,
            resident_bytes: manifest.memory.resident_bytes,
            peak_bytes: manifest.memory.peak_bytes,
            rates: manifest.rates,
            golden: manifest.golden.len(),
        }
    }
}
