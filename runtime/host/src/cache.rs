//! Compiled components on disk, by digest of the component and by wasmtime's version and settings.

use std::{
    fs,
    hash::{DefaultHasher, Hash as _, Hasher as _},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use sha2::{Digest as _, Sha256};
use wasmtime::{Engine, component::Component};

/// A folder of `<digest>-<settings>.cwasm` files, each with its SHA-256 in a `.sha256` file beside it.
pub(crate) struct Cache {
    folder: PathBuf,
}

impl Cache {
    /// Opens the folder, making it for its owner alone.
    pub(crate) fn open(folder: &Path) -> io::Result<Cache> {
        let mut builder = fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(folder)?;
        Ok(Cache { folder: folder.to_owned() })
    }

    /// Loads the compiled form of a component; none where there is none that fits and is whole.
    pub(crate) fn load(&self, engine: &Engine, digest: &[u8; 32]) -> Option<Component> {
        let path = self.path(engine, digest);
        let compiled = fs::read(&path).ok()?;
        let wanted = fs::read_to_string(path.with_extension("sha256")).ok()?;
        if wanted.trim() != hex(&Sha256::digest(&compiled)) {
            tracing::warn!(path = %path.display(), "compiled component is damaged; compiling again");
            return None;
        }
        // SAFETY: wasmtime trusts these bytes to be its own compiler's output. They were written by `save` into a
        // folder that only the node's owner may enter, and the digest above shows that they are whole; who can write
        // there could as well replace the node's binary. wasmtime checks its version and settings in the header.
        // The file, not the bytes read, is opened so that code pages are shared with the page cache.
        let loaded = unsafe { Component::deserialize_file(engine, &path) };
        loaded.inspect_err(|error| tracing::warn!(path = %path.display(), %error, "compiled component refused")).ok()
    }

    /// Keeps the compiled form of a component. A failure only costs the next start some time.
    pub(crate) fn save(&self, engine: &Engine, digest: &[u8; 32], compiled: &[u8]) {
        let path = self.path(engine, digest);
        let sum = hex(&Sha256::digest(compiled));
        let saved = replace(&path, compiled).and_then(|()| replace(&path.with_extension("sha256"), sum.as_bytes()));
        if let Err(error) = saved {
            tracing::warn!(path = %path.display(), %error, "compiled component cannot be kept");
        }
    }

    fn path(&self, engine: &Engine, digest: &[u8; 32]) -> PathBuf {
        let mut hasher = DefaultHasher::new();
        engine.precompile_compatibility_hash().hash(&mut hasher);
        self.folder.join(format!("{}-{:016x}.cwasm", hex(digest), hasher.finish()))
    }
}

/// Writes a file whole or not at all.
fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let unfinished = path.with_extension(format!("{}.tmp", std::process::id()));
    let mut file = fs::File::create(&unfinished)?;
    file.write_all(bytes)?;
    file.sync_data()?;
    fs::rename(&unfinished, path)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
