//! Files of a package: where they lie, and whether they are what the manifest lists.

use std::io::Read;
use std::path::{Component, Path, PathBuf};

use sha2::{Digest, Sha256};

use super::PackageError;
use crate::limits;

/// One `[[file]]` of a manifest.
#[derive(Clone, Debug, PartialEq, Eq, serde::Deserialize, serde::Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ListedFile {
    /// Path inside the package, with `/` between folders.
    pub(crate) path: String,
    /// SHA-256 of its bytes, 64 hexadecimal digits.
    pub(crate) sha256: String,
    /// Its length in bytes.
    pub(crate) size: u64,
}

impl ListedFile {
    /// Refuses what could never be a listed file.
    pub(crate) fn validate(&self) -> Result<(), String> {
        if self.sha256.len() != 64 || !self.sha256.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')) {
            return Err(format!("sha256 `{}` of `{}` is not 64 lower-case hexadecimal digits", self.sha256, self.path));
        }
        if self.size > limits::FILE_BYTES_MAX {
            return Err(format!("`{}` has `{}` bytes; the limit is {}", self.path, self.size, limits::FILE_BYTES_MAX));
        }
        Ok(())
    }

    /// The file's real path, inside the package even when symbolic links are followed.
    pub(crate) fn locate(&self, folder: &Path) -> Result<PathBuf, PackageError> {
        let relative = Path::new(&self.path);
        if self.path.is_empty() || !relative.components().all(|part| matches!(part, Component::Normal(_))) {
            return Err(PackageError::Outside(self.path.clone()));
        }
        let real = |path: &Path| path.canonicalize().map_err(|cause| self.unreadable(&cause));
        let (root, path) = (real(folder)?, real(&folder.join(relative))?);
        if path.starts_with(&root) { Ok(path) } else { Err(PackageError::Outside(self.path.clone())) }
    }

    /// The file's bytes, once size and hash were found right.
    pub(crate) fn read(&self, folder: &Path) -> Result<Vec<u8>, PackageError> {
        let file = std::fs::File::open(self.locate(folder)?).map_err(|cause| self.unreadable(&cause))?;
        let mut bytes = Vec::with_capacity(usize::try_from(self.size).unwrap_or(0) + 1);
        file.take(self.size + 1).read_to_end(&mut bytes).map_err(|cause| self.unreadable(&cause))?;
        if bytes.len() as u64 != self.size {
            let found = if bytes.len() as u64 > self.size { format!("more than {}", self.size) } else { bytes.len().to_string() };
            return Err(self.altered("size", found, self.size.to_string()));
        }
        let found = hex(&Sha256::digest(&bytes));
        if found == self.sha256 { Ok(bytes) } else { Err(self.altered("sha256", found, self.sha256.clone())) }
    }

    fn unreadable(&self, cause: &std::io::Error) -> PackageError {
        PackageError::Unreadable { path: self.path.clone(), cause: cause.to_string() }
    }

    fn altered(&self, what: &'static str, found: String, listed: String) -> PackageError {
        PackageError::Altered { path: self.path.clone(), what, found, listed }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
