//! Key files: 32-byte seeds in hexadecimal, readable by their owner only.

use std::fs;
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use hansa_economy::Keypair;
use hansa_economy::digest::{from_hex, hex};

use crate::ambient;

/// Why a key cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    /// The file system's word.
    #[error("cannot use the key file {}: {error}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// Others can read it.
    #[error("the key file {} can be read by others (mode {mode:o}); run `chmod 600 {}`", path.display(), path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// Not a key.
    #[error("the key file {} holds no key (64 hexadecimal digits); restore it from a backup", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
    },
}

/// The key in `path`; made there if there is none.
pub fn load_or_make(path: &Path) -> Result<Keypair, KeyFileError> {
    match load(path) {
        Err(KeyFileError::Io { error, .. }) if error.kind() == ErrorKind::NotFound => make(path),
        other => other,
    }
}

/// The key in `path`.
pub fn load(path: &Path) -> Result<Keypair, KeyFileError> {
    let io = |error| KeyFileError::Io { path: path.to_owned(), error };
    let mode = fs::metadata(path).map_err(io)?.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(KeyFileError::Open { path: path.to_owned(), mode });
    }
    let text = fs::read_to_string(path).map_err(io)?;
    let seed = from_hex(text.trim()).and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
    seed.map(|seed| Keypair::from_seed(&seed)).ok_or_else(|| KeyFileError::Malformed { path: path.to_owned() })
}

fn make(path: &Path) -> Result<Keypair, KeyFileError> {
    let io = |error| KeyFileError::Io { path: path.to_owned(), error };
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(io)?;
    }
    let seed = ambient::random::<32>();
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(io)?;
    file.write_all(hex(&seed).as_bytes()).and_then(|()| file.sync_all()).map_err(io)?;
    Ok(Keypair::from_seed(&seed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_made_once_and_kept_private() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys/a.key");
        let key = load_or_make(&path).unwrap();
        assert_eq!(load_or_make(&path).unwrap().public(), key.public());
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        assert!(matches!(load(&path), Err(KeyFileError::Open { mode: 0o644, .. })));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        fs::write(&path, "no key").unwrap();
        assert!(matches!(load(&path), Err(KeyFileError::Malformed { .. })));
    }
}
