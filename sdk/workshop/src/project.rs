//! A project: a folder with an `agent.toml` and the sources of a component.

use std::io;
use std::path::{Path, PathBuf};

use hansa_catalogue::Manifest;
use hansa_catalogue::manifest::ManifestError;

use crate::language::Language;

/// Name of the author's file.
pub const MANIFEST: &str = "agent.toml";
/// What a build leaves in the project's folder.
pub const COMPONENT: &str = "component.wasm";

/// A project that can be built.
#[derive(Clone, Debug)]
pub struct Project {
    /// Its folder, absolute.
    pub folder: PathBuf,
    /// What it is written in.
    pub language: Language,
    /// What its `agent.toml` says.
    pub manifest: Manifest,
}

/// Why a folder is no project.
#[derive(Debug, thiserror::Error)]
pub enum ProjectError {
    /// There is no such folder.
    #[error("HA0019: there is no folder {}; begin a project with `hansa new NAME`", .0.display())]
    NoFolder(PathBuf),
    /// There is no `agent.toml`.
    #[error("HA0019: {} has no agent.toml; give the folder of an agent, or begin one with `hansa new NAME`", .0.display())]
    NoManifest(PathBuf),
    /// The file system's word.
    #[error("cannot read {}: {error}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// The manifest is wrong.
    #[error("HA0012: {}: {error}", folder.display())]
    Manifest {
        /// The project.
        folder: PathBuf,
        /// What is wrong.
        error: ManifestError,
    },
    /// Nothing shows the language.
    #[error("HA0019: {} is no project of a known language: there is no Cargo.toml (Rust), src/component.py (Python) or src/component.js (JavaScript)", .0.display())]
    NoLanguage(PathBuf),
}

impl Project {
    /// The project in `folder`.
    ///
    /// # Errors
    /// See [`ProjectError`].
    pub fn open(folder: &Path) -> Result<Project, ProjectError> {
        let folder = std::path::absolute(folder).map_err(|error| ProjectError::Io { path: folder.to_owned(), error })?;
        if !folder.is_dir() {
            return Err(ProjectError::NoFolder(folder));
        }
        let path = folder.join(MANIFEST);
        if !path.is_file() {
            return Err(ProjectError::NoManifest(folder));
        }
        let text = std::fs::read_to_string(&path).map_err(|error| ProjectError::Io { path, error })?;
        let manifest = Manifest::parse(&text).map_err(|error| ProjectError::Manifest { folder: folder.clone(), error })?;
        let language = Language::of(&folder).ok_or_else(|| ProjectError::NoLanguage(folder.clone()))?;
        Ok(Project { folder, language, manifest })
    }

    /// Where its build leaves the component.
    pub fn component(&self) -> PathBuf {
        self.folder.join(COMPONENT)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_project_is_said() {
        let folder = tempfile::tempdir().unwrap();
        let open = || Project::open(folder.path()).unwrap_err().to_string();
        assert!(Project::open(&folder.path().join("none")).unwrap_err().to_string().contains("there is no folder"));
        assert!(open().contains("has no agent.toml"));
        std::fs::write(folder.path().join(MANIFEST), "[agent]\nname = \"a/b\"\nversion = \"1\"\n").unwrap();
        assert!(open().contains("semantic version"));
        std::fs::write(folder.path().join(MANIFEST), "[agent]\nname = \"a/b\"\nversion = \"1.0.0\"\n").unwrap();
        assert!(open().contains("no project of a known language"));
        std::fs::create_dir(folder.path().join("src")).unwrap();
        std::fs::write(folder.path().join("src/component.py"), "").unwrap();
        assert_eq!(Project::open(folder.path()).unwrap().language, Language::Python);
    }
}
