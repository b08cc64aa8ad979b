//! Model packages: a folder with `hansa-model.toml` and the files it lists by sha256.
//!
//! Nothing of a package reaches a loader before its hash was checked, and nothing outside its folder is read.

mod files;
mod golden;
mod manifest;
mod onnx_scan;
mod settings;
#[cfg(test)]
mod table_tests;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

pub(crate) use files::ListedFile;
pub(crate) use golden::{Golden, GoldenCase, GoldenPrompt};
pub(crate) use manifest::Manifest;
pub(crate) use settings::{BytesSettings, GenerateSettings, Pipeline, Pooling, TextSettings};

use crate::limits;

/// Name of the manifest inside a package.
pub const MANIFEST_FILE: &str = "hansa-model.toml";

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

/// A package whose manifest was read and found valid; its files are read and verified when they are needed.
#[derive(Clone, Debug)]
pub(crate) struct Package {
    pub(crate) manifest: Manifest,
    folder: PathBuf,
}

impl Package {
    /// Reads and validates the manifest, and looks whether the listed files are there.
    pub(crate) fn open(folder: &Path) -> Result<Self, PackageError> {
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

    /// The verified bytes of the graph, without external data and foreign operators.
    pub(crate) fn graph(&self) -> Result<Vec<u8>, PackageError> {
        let bytes = self.file(&self.manifest.graph)?;
        onnx_scan::check(&bytes).map_err(|cause| PackageError::Graph { path: self.manifest.graph.clone(), cause })?;
        Ok(bytes)
    }

    /// The verified bytes of a listed file.
    pub(crate) fn file(&self, path: &str) -> Result<Vec<u8>, PackageError> {
        let listed = self.manifest.files.iter().find(|file| file.path == path);
        listed.ok_or_else(|| PackageError::Manifest(format!("`{path}` is not listed as a [[file]]; list it")))?.read(&self.folder)
    }
}

/// The sub-folders of `folder` that hold a model package, in the order of their names; none when it cannot be read.
pub fn packages_in(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut found: Vec<PathBuf> = entries.map(|entry| entry.path()).filter(|path| path.join(MANIFEST_FILE).is_file()).collect();
    found.sort();
    found
}
