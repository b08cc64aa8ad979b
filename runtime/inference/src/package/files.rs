//! Files of a package: where they lie, and whether they are what the manifest lists.

use std::io::Read;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::PackageError;

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
    /// Refuses what could never be a listed file of at most so many bytes.
    pub(crate) fn validate(&self, bytes_max: u64) -> Result<(), String> {
        if self.sha256.len() != 64 || !self.sha256.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')) {
            return Err(format!("sha256 `{}` of `{}` is not 64 lower-case hexadecimal digits", self.sha256, self.path));
        }
        if self.size > bytes_max {
            return Err(format!("`{}` has `{}` bytes; the limit is {bytes_max}", self.path, self.size));
        }
        Ok(())
    }

    /// Lists a file of a folder as it is.
    pub(crate) fn of(folder: &Path, path: &str) -> std::io::Result<Self> {
        let mut file = std::fs::File::open(folder.join(path))?;
        let (mut hash, mut size, mut block) = (Sha256::new(), 0, vec![0; 1 << 20]);
        loop {
            let count = file.read(&mut block)?;
            if count == 0 {
                break;
            }
            hash.update(&block[..count]);
            size += count as u64;
        }
        Ok(Self { path: path.to_owned(), sha256: hex(&hash.finalize()), size })
    }

    /// Whether a path is no plain path inside a folder.
    pub(crate) fn leaves(path: &str) -> bool {
        path.is_empty() || !Path::new(path).components().all(|part| matches!(part, Component::Normal(_)))
    }

    /// The file's real path, inside the package even when symbolic links are followed.
    pub(crate) fn locate(&self, folder: &Path) -> Result<PathBuf, PackageError> {
        let relative = Path::new(&self.path);
        if Self::leaves(&self.path) {
            return Err(PackageError::Outside(self.path.clone()));
        }
        let real = |path: &Path| path.canonicalize().map_err(|cause| self.unreadable(&cause));
        let (root, path) = (real(folder)?, real(&folder.join(relative))?);
        if path.starts_with(&root) { Ok(path) } else { Err(PackageError::Outside(self.path.clone())) }
    }

    /// The file's bytes, once size and hash were found right. One allocation, so that large weights are in memory once.
    pub(crate) fn read(&self, folder: &Path) -> Result<Arc<[u8]>, PackageError> {
        let mut file = std::fs::File::open(self.locate(folder)?).map_err(|cause| self.unreadable(&cause))?;
        let found = file.metadata().map_err(|cause| self.unreadable(&cause))?.len();
        if found != self.size {
            return Err(self.altered("size", found.to_string(), self.size.to_string()));
        }
        let size = usize::try_from(self.size).map_err(|_| self.unreadable(&std::io::ErrorKind::OutOfMemory.into()))?;
        let mut bytes: Arc<[u8]> = std::iter::repeat_n(0, size).collect();
        let unshared = Arc::get_mut(&mut bytes).expect("it was made just now");
        file.read_exact(unshared).map_err(|cause| self.unreadable(&cause))?;
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
