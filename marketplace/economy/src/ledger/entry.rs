//! Entries of the log: each holds commands in their exact bytes, their results, the time, and the hash of the one before.

use minicbor::bytes::ByteVec;
use minicbor::{Decode, Encode};

use super::result::CommandResult;
use crate::digest::Digest;

/// An entry. It is stored and passed on as its hash (32 bytes) followed by its CBOR; the hash covers the CBOR exactly.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Entry {
    /// Its number, from 1.
    #[n(0)]
    pub seq: u64,
    /// The hash of the entry before; all zero in the first.
    #[n(1)]
    pub prev_hash: Digest,
    /// Log time, Unix nanoseconds; rises strictly. The n-th event in the entry happens n − 1 nanoseconds later.
    #[n(2)]
    pub timestamp_ns: u64,
    /// The signed commands, exact bytes.
    #[n(3)]
    pub commands: Vec<ByteVec>,
    /// What each came to.
    #[n(4)]
    pub results: Vec<CommandResult>,
}

/// Why stored bytes are no entry.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum EntryError {
    /// Too short, or no CBOR of an entry.
    #[error("not an entry of the log: {0}")]
    Malformed(String),
    /// The bytes were changed.
    #[error("the entry's bytes have hash {found}, stored is {stored}")]
    Hash {
        /// What stands with the bytes.
        stored: Digest,
        /// What they hash to.
        found: Digest,
    },
}

impl Entry {
    /// The bytes to store, and the entry's hash.
    pub fn seal(&self) -> (Vec<u8>, Digest) {
        let commands = self.commands.iter().map(|command| command.len()).sum::<usize>();
        // Results take about half of what commands take.
        let mut bytes = Vec::with_capacity(2 * commands + 1024);
        bytes.resize(32, 0);
        minicbor::encode(self, &mut bytes).expect("writing to memory cannot fail");
        let hash = hash(&bytes[32..]);
        bytes[..32].copy_from_slice(&hash.0);
        (bytes, hash)
    }

    /// The entry in stored bytes, and its hash, which was compared.
    pub fn open(bytes: &[u8]) -> Result<(Entry, Digest), EntryError> {
        let (stored, body) = bytes.split_first_chunk::<32>().ok_or_else(|| EntryError::Malformed("too short".into()))?;
        let (stored, found) = (Digest(*stored), hash(body));
        if stored != found {
            return Err(EntryError::Hash { stored, found });
        }
        let entry = minicbor::decode(body).map_err(|error| EntryError::Malformed(error.to_string()))?;
        Ok((entry, found))
    }
}

fn hash(body: &[u8]) -> Digest {
    Digest::of_parts("hansa ledger entry", &[body])
}
