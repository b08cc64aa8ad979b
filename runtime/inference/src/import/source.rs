//! What lies at a path: which kind of model folder, and what a tar holds.

use std::fs::File;
use std::io::ErrorKind;
use std::path::{Component, Path, PathBuf};

use super::cannot;
use crate::limits;
use crate::package::MANIFEST_FILE;

/// A folder that can be added.
pub(super) enum Source {
    /// With a `hansa-model.toml`.
    Package(PathBuf),
    /// With a `config.json`.
    HuggingFace(PathBuf),
    /// With a `genai_config.json`.
    Genai(PathBuf),
}

impl Source {
    /// Looks at a folder, or at what a tar unpacks to in the folder `unpacked`.
    pub(super) fn open(from: &Path, unpacked: &Path) -> Result<Self, String> {
        if from.is_dir() {
            return Self::in_folder(from);
        }
        if from.extension().is_none_or(|extension| extension != "tar") {
            return Err(format!("`{}` is no folder and no .tar; give the folder of a model", from.display()));
        }
        unpack(from, unpacked)?;
        match only_folder(unpacked) {
            Some(inner) => Self::in_folder(&inner),
            None => Self::in_folder(unpacked),
        }
    }

    fn in_folder(folder: &Path) -> Result<Self, String> {
        let has = |name: &str| folder.join(name).is_file();
        if has(MANIFEST_FILE) {
            Ok(Self::Package(folder.to_owned()))
        } else if has("genai_config.json") {
            Ok(Self::Genai(folder.to_owned()))
        } else if has("config.json") {
            Ok(Self::HuggingFace(folder.to_owned()))
        } else {
            Err(format!(
                "`{}` holds none of {MANIFEST_FILE}, genai_config.json and config.json; give the folder of a package or of an ONNX export",
                folder.display()
            ))
        }
    }
}

/// Unpacks plain files and folders. Anything else, and whatever would leave the folder, is refused.
fn unpack(from: &Path, folder: &Path) -> Result<(), String> {
    let unreadable = |cause: std::io::Error| {
        format!("`{}` is no whole tar archive ({cause}); fetch it again, or pack it anew", from.display())
    };
    let mut archive = tar::Archive::new(File::open(from).map_err(|cause| cannot("read", from, &cause))?);
    let mut count = 0;
    for entry in archive.entries().map_err(unreadable)? {
        let mut entry = entry.map_err(unreadable)?;
        let path = entry.path().map_err(unreadable)?.into_owned();
        let kind = entry.header().entry_type();
        if kind.is_dir() || kind.is_pax_global_extensions() {
            continue;
        }
        let inside = path.components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
        if !kind.is_file() || !inside {
            return Err(format!(
                "`{}` holds `{}`, which is no plain file inside it; pack the folder anew",
                from.display(),
                path.display()
            ));
        }
        count += 1;
        if count > limits::TAR_FILES_MAX || entry.size() > limits::FILE_BYTES_MAX {
            return Err(format!(
                "`{}` holds more than {} files, or one that is too large",
                from.display(),
                limits::TAR_FILES_MAX
            ));
        }
        let size = entry.size();
        if write(&mut entry, &folder.join(&path))? < size {
            return Err(unreadable(ErrorKind::UnexpectedEof.into()));
        }
    }
    match count {
        0 => Err(format!("`{}` holds no file; give a .tar of a model's folder", from.display())),
        _ => Ok(()),
    }
}

/// How many bytes were written: of a tar that was cut off, the last file has too few.
fn write(entry: &mut impl std::io::Read, path: &Path) -> Result<u64, String> {
    let failed = |cause: std::io::Error| cannot("unpack", path, &cause);
    if let Some(parent) = path.parent() {
        std::fs::create_dir_all(parent).map_err(failed)?;
    }
    let mut file = File::create_new(path).map_err(failed)?;
    std::io::copy(entry, &mut file).map_err(failed)
}

/// The one folder in this one, when there is nothing else.
fn only_folder(folder: &Path) -> Option<PathBuf> {
    let mut entries = std::fs::read_dir(folder).ok()?.flatten();
    match (entries.next(), entries.next()) {
        (Some(only), None) if only.path().is_dir() => Some(only.path()),
        _ => None,
    }
}
