//! Entries of the log: each holds commands in their exact bytes, their results, the time, and the hash of the one before.

use minicbor::bytes::ByteVec;
use minicbor::{Decode, Encode};

use super::command::{Command, SignedCommand};
use super::id::TransferId;
use super::result::{Acceptance, CommandResult};
use super::transfer::Transfer;
use super::transfer_status::TransferStatus;
use super::verified::Verified;
use crate::digest::Digest;
use crate::statement::Unverified;

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
    /// The transfers of this entry that are plain and were made, each with its place: the command's and that in its batch.
    /// `commands` are the entry's.
    pub fn plain_transfers<'a>(&'a self, commands: &'a [Verified]) -> impl Iterator<Item = (TransferId, u32, u16)> + 'a {
        let batches = (0u32..).zip(commands.iter().zip(&self.results)).filter_map(|(at, (command, result))| {
            match (&command.body().command, result) {
                (Command::Transfer(batch), CommandResult::Accepted(Acceptance::Transfers(results))) => {
                    Some((0u16..).zip(batch.transfers.iter().zip(results)).map(move |(event, done)| (at, event, done)))
                }
                _ => None,
            }
        });
        let made = batches
            .flatten()
            .filter(|(_, _, (transfer, result))| result.status == TransferStatus::Created && transfer.is_plain());
        made.map(|(at, event, (transfer, _))| (transfer.id, at, event))
    }

    /// A plain transfer from its place in an entry's stored bytes, which are taken to be whole.
    pub fn plain_transfer(bytes: &[u8], command: u32, event: u16) -> Result<Transfer, EntryError> {
        let malformed = |error: &dyn std::fmt::Display| EntryError::Malformed(error.to_string());
        let body = bytes.get(32..).ok_or_else(|| malformed(&"too short"))?;
        let (signed, result) = command_at(body, command).map_err(|error| malformed(&error))?;
        let read = Unverified::<SignedCommand>::read(signed).map_err(|error| malformed(&error))?;
        let found = match (&read.body().command, result) {
            (Command::Transfer(batch), CommandResult::Accepted(Acceptance::Transfers(results))) => {
                let event = usize::from(event);
                batch.transfers.get(event).zip(results.get(event)).map(|(transfer, result)| transfer.made(result))
            }
            _ => None,
        };
        found.ok_or_else(|| malformed(&"no transfer at this place"))
    }

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

/// One command of an entry and its result; the others are passed over unread.
fn command_at(body: &[u8], at: u32) -> Result<(&[u8], CommandResult), minicbor::decode::Error> {
    let mut decoder = minicbor::Decoder::new(body);
    let (mut command, mut result) = (None, None);
    for _ in 0..decoder.map()?.unwrap_or_default() {
        match decoder.u32()? {
            3 => command = Some(nth(&mut decoder, at, |decoder| decoder.bytes())?),
            4 => result = Some(nth(&mut decoder, at, minicbor::Decoder::decode)?),
            _ => decoder.skip()?,
        }
    }
    command.zip(result).ok_or_else(|| minicbor::decode::Error::message("no such command"))
}

/// The element `at` of an array; the decoder goes on after the array.
fn nth<'b, T>(
    decoder: &mut minicbor::Decoder<'b>,
    at: u32,
    read: impl FnOnce(&mut minicbor::Decoder<'b>) -> Result<T, minicbor::decode::Error>,
) -> Result<T, minicbor::decode::Error> {
    let (count, at) = (decoder.array()?.unwrap_or_default(), u64::from(at));
    if at >= count {
        return Err(minicbor::decode::Error::message("no such command"));
    }
    (0..at).try_for_each(|_| decoder.skip())?;
    let found = read(decoder)?;
    (at + 1..count).try_for_each(|_| decoder.skip())?;
    Ok(found)
}

fn hash(body: &[u8]) -> Digest {
    Digest::of_parts("hansa ledger entry", &[body])
}
