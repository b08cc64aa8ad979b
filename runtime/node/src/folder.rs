//! A node's data folder: whose it is, which version wrote it, and that only one process uses it.

use std::fs::{self, File};
use std::io::Write;
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// Version of the folder's layout.
const VERSION: u32 = 1;

#[derive(Serialize, Deserialize)]
struct Marker {
    version: u32,
    node: String,
}

/// Why a data folder cannot be used. Each says what to do.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// Another node's.
    #[error("the data folder {} belongs to node `{found}`, not `{wanted}`; give this node another `data` folder, or start it under its own name", path.display())]
    OtherNode {
        /// The folder.
        path: PathBuf,
        /// Whose it is.
        found: String,
        /// Who wanted it.
        wanted: String,
    },
    /// Written by a later version.
    #[error("the data folder {} has version {found}, this program knows up to {VERSION}; use the newer program", path.display())]
    Newer {
        /// The folder.
        path: PathBuf,
        /// Its version.
        found: u32,
    },
    /// In use.
    #[error("another process uses the data folder {}; stop it first, or give this node another `data` folder", path.display())]
    InUse {
        /// The folder.
        path: PathBuf,
    },
    /// The marker is not readable.
    #[error("{} is damaged: {reason}; restore it from a backup", path.display())]
    Damaged {
        /// The marker file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// The file system's word.
    #[error("cannot use the data folder {}: {error}", path.display())]
    Io {
        /// The folder.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
}

/// Take `folder` for node `name`; made if it is not there. It is held for as long as the returned file is open.
pub fn claim(folder: &Path, name: &str) -> Result<File, FolderError> {
    let io = |error| FolderError::Io { path: folder.to_owned(), error };
    fs::create_dir_all(folder).map_err(io)?;
    let lock = File::options().create(true).truncate(false).write(true).open(folder.join("lock")).map_err(io)?;
    lock_now(&lock, folder)?;
    let path = folder.join("node.json");
    match fs::read(&path) {
        Ok(bytes) => check(folder, &path, &bytes, name)?,
        Err(_) => {
            let marker = serde_json::to_vec(&Marker { version: VERSION, node: name.to_owned() }).expect("a marker is plain data");
            File::create(&path).and_then(|mut file| file.write_all(&marker).and_then(|()| file.sync_all())).map_err(io)?;
        }
    }
    Ok(lock)
}

fn check(folder: &Path, path: &Path, bytes: &[u8], name: &str) -> Result<(), FolderError> {
    let marker: Marker = serde_json::from_slice(bytes)
        .map_err(|error| FolderError::Damaged { path: path.to_owned(), reason: error.to_string() })?;
    if marker.version > VERSION {
        return Err(FolderError::Newer { path: folder.to_owned(), found: marker.version });
    }
    match marker.node == name {
        true => Ok(()),
        false => Err(FolderError::OtherNode { path: folder.to_owned(), found: marker.node, wanted: name.to_owned() }),
    }
}

fn lock_now(lock: &File, folder: &Path) -> Result<(), FolderError> {
    // SAFETY: the descriptor is open for as long as `lock` lives, and flock touches no memory.
    let taken = unsafe { libc::flock(lock.as_raw_fd(), libc::LOCK_EX | libc::LOCK_NB) };
    match taken {
        0 => Ok(()),
        _ => Err(FolderError::InUse { path: folder.to_owned() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_has_one_owner_and_one_user() {
        let folder = tempfile::tempdir().unwrap();
        let held = claim(folder.path(), "north").unwrap();
        assert!(matches!(claim(folder.path(), "north"), Err(FolderError::InUse { .. })));
        drop(held);
        assert!(matches!(claim(folder.path(), "south"), Err(FolderError::OtherNode { .. })));
        drop(claim(folder.path(), "north").unwrap());
        fs::write(folder.path().join("node.json"), r#"{"version":9,"node":"north"}"#).unwrap();
        assert!(matches!(claim(folder.path(), "north"), Err(FolderError::Newer { found: 9, .. })));
        fs::write(folder.path().join("node.json"), "{").unwrap();
        assert!(matches!(claim(folder.path(), "north"), Err(FolderError::Damaged { .. })));
    }
}
