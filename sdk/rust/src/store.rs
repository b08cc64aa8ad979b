//! The agent's own state on its node: bytes under keys, kept over calls and restarts.
//!
//! Asks for `keyvalue.bytes-max` in `agent.toml`. Writes of one call are seen by the next; two calls that run at once can
//! overwrite each other's values, so read a value again just before writing what was made from it.

use crate::bindings::wasi::keyvalue::store;
pub use crate::bindings::wasi::keyvalue::store::Error;

/// What a [`Result`] of this module fails with.
pub type Result<T> = std::result::Result<T, Error>;

/// The agent's store.
#[derive(Debug)]
pub struct Bucket(store::Bucket);

impl Bucket {
    /// Open the agent's store; the only one it has.
    ///
    /// # Errors
    /// [`Error::AccessDenied`] where the operator did not grant key-value storage.
    pub fn open() -> Result<Self> {
        store::open("").map(Self)
    }

    /// The value under `key`, if there is one.
    ///
    /// # Errors
    /// [`Error::Other`] with the host's reason.
    pub fn get(&self, key: &str) -> Result<Option<Vec<u8>>> {
        self.0.get(key)
    }

    /// Put `value` under `key`, in place of what was there.
    ///
    /// # Errors
    /// [`Error::Other`] with the host's reason, for example that `keyvalue.bytes-max` is used up.
    pub fn set(&self, key: &str, value: &[u8]) -> Result<()> {
        self.0.set(key, value)
    }

    /// Take away the value under `key`; nothing happens where there is none.
    ///
    /// # Errors
    /// [`Error::Other`] with the host's reason.
    pub fn delete(&self, key: &str) -> Result<()> {
        self.0.delete(key)
    }

    /// Is there a value under `key`?
    ///
    /// # Errors
    /// [`Error::Other`] with the host's reason.
    pub fn exists(&self, key: &str) -> Result<bool> {
        self.0.exists(key)
    }

    /// All keys that begin with `prefix`. Walks over every key of the agent.
    ///
    /// # Errors
    /// [`Error::Other`] with the host's reason.
    pub fn list(&self, prefix: &str) -> Result<Vec<String>> {
        let mut keys = Vec::new();
        let mut cursor: Option<String> = None;
        loop {
            let page = self.0.list_keys(cursor.as_deref())?;
            keys.extend(page.keys.into_iter().filter(|key| key.starts_with(prefix)));
            cursor = page.cursor;
            if cursor.is_none() {
                return Ok(keys);
            }
        }
    }

    /// The value under `key` as text.
    ///
    /// # Errors
    /// [`Error::Other`] where the value is not UTF-8, or with the host's reason.
    pub fn get_text(&self, key: &str) -> Result<Option<String>> {
        let text = self.get(key)?.map(String::from_utf8).transpose();
        text.map_err(|_| Error::Other(format!("the value under `{key}` is not UTF-8 text")))
    }

    /// Put text under `key`.
    ///
    /// # Errors
    /// As [`Bucket::set`].
    pub fn set_text(&self, key: &str, value: &str) -> Result<()> {
        self.set(key, value.as_bytes())
    }

    /// The number under `key`, as [`Bucket::set_number`] wrote it.
    ///
    /// # Errors
    /// [`Error::Other`] where the value is not 8 bytes, or with the host's reason.
    pub fn get_number(&self, key: &str) -> Result<Option<u64>> {
        let Some(value) = self.get(key)? else { return Ok(None) };
        let bytes = value.try_into().map_err(|_| Error::Other(format!("the value under `{key}` is not a number")))?;
        Ok(Some(u64::from_le_bytes(bytes)))
    }

    /// Put a number under `key`, little-endian in 8 bytes.
    ///
    /// # Errors
    /// As [`Bucket::set`].
    pub fn set_number(&self, key: &str, value: u64) -> Result<()> {
        self.set(key, &value.to_le_bytes())
    }
}

/// What went wrong, in words for the agent's author.
#[must_use]
pub fn explain(error: &Error) -> String {
    match error {
        Error::NoSuchStore => "the agent has no such store; open the default one".into(),
        Error::AccessDenied => "the agent's store may not be used; ask for `keyvalue.bytes-max` in agent.toml".into(),
        Error::Other(reason) => format!("the agent's store failed: {reason}"),
    }
}
