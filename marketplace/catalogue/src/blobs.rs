//! A folder of files named by their SHA-256. What is read is verified; a file that does not match its name is an error.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use hansa_economy::Digest;

/// A blob folder.
#[derive(Clone, Debug)]
pub struct Blobs {
    folder: PathBuf,
}

/// Why a blob cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum BlobError {
    /// The file system's word.
    #[error("cannot use the blob folder: {0}")]
    Io(#[from] io::Error),
    /// The content is not what its name says: a damaged disk, or somebody changed it.
    #[error("the blob {name} holds other content, with digest {found}; restore it from a backup or deploy again")]
    Damaged {
        /// The name asked for.
        name: Digest,
        /// The digest of what is there.
        found: Digest,
    },
}

impl Blobs {
    /// The blobs in `folder`, which is made if it is not there.
    pub fn open(folder: &Path) -> Result<Blobs, BlobError> {
        fs::create_dir_all(folder)?;
        Ok(Blobs { folder: folder.to_owned() })
    }

    /// Keep `bytes`; their name is returned. A file of this name with other content is replaced. A crash leaves the whole file or
    /// none.
    pub fn put(&self, bytes: &[u8]) -> Result<Digest, BlobError> {
        let name = Digest::of(bytes);
        let path = self.folder.join(name.to_string());
        if !fs::read(&path).is_ok_and(|kept| kept == bytes) {
            let part = self.folder.join(format!("{name}.{}.part", std::process::id()));
            fs::write(&part, bytes)?;
            fs::File::open(&part)?.sync_all()?;
            fs::rename(&part, &path)?;
        }
        Ok(name)
    }

    /// The bytes named `name`.
    pub fn get(&self, name: Digest) -> Result<Vec<u8>, BlobError> {
        let bytes = fs::read(self.folder.join(name.to_string()))?;
        let found = Digest::of(&bytes);
        match found == name {
            true => Ok(bytes),
            false => Err(BlobError::Damaged { name, found }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_and_verifies() {
        let folder = tempfile::tempdir().unwrap();
        let blobs = Blobs::open(folder.path()).unwrap();
        let name = blobs.put(b"content").unwrap();
        assert_eq!(blobs.get(name).unwrap(), b"content");
        fs::write(folder.path().join(name.to_string()), b"changed").unwrap();
        assert!(matches!(blobs.get(name), Err(BlobError::Damaged { .. })));
        blobs.put(b"content").unwrap();
        assert_eq!(blobs.get(name).unwrap(), b"content", "keeping it again puts it right");
    }
}
