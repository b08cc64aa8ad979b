//! Replies that sellers keep by call, for a buyer that repeats the call through whatever channel: on another node, or after it lost its books.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard};

use bytes::Bytes;
use hansa_economy::PublicKey;
use hansa_economy::channel::CallId;
use redb::{Database, ReadableDatabase, ReadableTable, TableDefinition};

use super::BooksError;
use crate::limits::{KEPT_BYTES_MAX, KEPT_ROWS_MAX};

/// agent's key, payer's key (zeros: nobody paid), call → the time until which it is kept (Unix milliseconds, 8 bytes, little-endian), encoded reply
/// (empty: there was no room for it)
const KEPT: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new("kept");
/// that time (big-endian), key of [`KEPT`] → bytes of the reply
const KEPT_UNTIL: TableDefinition<'_, &[u8], u64> = TableDefinition::new("kept_until");

/// A call of a payer at an agent.
pub(crate) type KeptKey = [u8; 96];

pub(crate) fn kept_key(agent: PublicKey, payer: Option<PublicKey>, call: CallId) -> KeptKey {
    let mut key = [0; 96];
    key[..32].copy_from_slice(&agent.0);
    key[32..64].copy_from_slice(&payer.map_or([0; 32], |payer| payer.0));
    key[64..].copy_from_slice(&call.0);
    key
}

/// A reply to be kept.
#[derive(Clone)]
pub(super) struct KeptReply {
    pub(super) key: KeptKey,
    pub(super) until_ms: u64,
    pub(super) reply: Bytes,
}

/// Replies that are not on disk yet, and what is.
#[derive(Default)]
pub(super) struct Kept(Mutex<Fresh>);

#[derive(Default)]
struct Fresh {
    replies: HashMap<KeptKey, Bytes>,
    rows: u64,
    bytes: u64,
}

impl Kept {
    pub(super) fn open(database: &Database) -> Result<Kept, BooksError> {
        let (mut rows, mut bytes) = (0, 0);
        for row in database.begin_read()?.open_table(KEPT_UNTIL)?.iter()? {
            rows += 1;
            bytes += row?.1.value();
        }
        Ok(Kept(Mutex::new(Fresh { replies: HashMap::new(), rows, bytes })))
    }

    fn lock(&self) -> MutexGuard<'_, Fresh> {
        self.0.lock().expect("no panic while kept replies are locked")
    }

    /// May one more be kept?
    pub(super) fn has_room(&self) -> bool {
        let fresh = self.lock();
        fresh.rows + (fresh.replies.len() as u64) < KEPT_ROWS_MAX
    }

    /// From now on it is found. What is to be written.
    pub(super) fn add(&self, key: KeptKey, until_ms: u64, reply: Bytes) -> KeptReply {
        let mut fresh = self.lock();
        let fits = fresh.bytes.saturating_add(reply.len() as u64) <= KEPT_BYTES_MAX;
        let reply = if fits { reply } else { Bytes::new() };
        fresh.bytes += reply.len() as u64;
        fresh.replies.insert(key, reply.clone());
        KeptReply { key, until_ms, reply }
    }

    /// The reply; empty where there was no room for it.
    pub(super) fn get(&self, database: &Database, key: &KeptKey) -> Result<Option<Bytes>, BooksError> {
        if let Some(reply) = self.lock().replies.get(key) {
            return Ok(Some(reply.clone()));
        }
        let table = database.begin_read()?.open_table(KEPT)?;
        let row = table.get(key.as_slice())?;
        Ok(row.and_then(|row| row.value().get(8..).map(Bytes::copy_from_slice)))
    }

    pub(super) fn write(&self, write: &redb::WriteTransaction, replies: &[KeptReply]) -> Result<(), BooksError> {
        if replies.is_empty() {
            return Ok(());
        }
        let (mut kept, mut until) = (write.open_table(KEPT)?, write.open_table(KEPT_UNTIL)?);
        for KeptReply { key, until_ms, reply } in replies {
            kept.insert(key.as_slice(), [&until_ms.to_le_bytes()[..], reply].concat().as_slice())?;
            until.insert([&until_ms.to_be_bytes()[..], key].concat().as_slice(), reply.len() as u64)?;
        }
        Ok(())
    }

    /// These are on disk.
    pub(super) fn written(&self, replies: &[KeptReply]) {
        let mut fresh = self.lock();
        for reply in replies {
            fresh.replies.remove(&reply.key);
            fresh.rows += 1;
        }
    }

    /// Drop what was to be kept until before `now_ms`, if `wanted`.
    pub(super) fn expire(&self, write: &redb::WriteTransaction, now_ms: Option<u64>) -> Result<(), BooksError> {
        let Some(now_ms) = now_ms else { return Ok(()) };
        let (mut kept, mut until) = (write.open_table(KEPT)?, write.open_table(KEPT_UNTIL)?);
        let (mut rows, mut bytes) = (0, 0);
        let over = until.extract_from_if(..&now_ms.to_be_bytes()[..], |_, _| true)?;
        for row in over {
            let (key, size) = row?;
            if let Some(key) = key.value().get(8..) {
                kept.remove(key)?;
            }
            (rows, bytes) = (rows + 1, bytes + size.value());
        }
        let mut fresh = self.lock();
        (fresh.rows, fresh.bytes) = (fresh.rows.saturating_sub(rows), fresh.bytes.saturating_sub(bytes));
        Ok(())
    }
}

pub(super) fn prepare(write: &redb::WriteTransaction) -> Result<(), BooksError> {
    write.open_table(KEPT)?;
    write.open_table(KEPT_UNTIL)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::Books;
    use super::*;
    use hansa_economy::Digest;

    fn key(n: u8) -> KeptKey {
        kept_key(PublicKey([1; 32]), Some(PublicKey([2; 32])), Digest::of(&[n]))
    }

    fn sizes(books: &Books) -> (u64, u64) {
        let fresh = books.kept.lock();
        (fresh.rows, fresh.bytes)
    }

    #[tokio::test]
    async fn replies_are_kept_over_restarts_until_their_time() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("books.redb");
        {
            let books = Books::open(&path).unwrap();
            assert_eq!(books.kept(&key(1)).unwrap(), None);
            books.keep(key(1), 1_000, Bytes::from_static(b"soon over"));
            books.keep(key(2), 2_000, Bytes::from_static(b"later"));
            assert_eq!(books.kept(&key(1)).unwrap().unwrap(), "soon over", "before it is written");
            books.flush().await;
            assert!(books.kept.lock().replies.is_empty());
            assert_eq!(books.kept(&key(1)).unwrap().unwrap(), "soon over");
        }
        let books = super::super::tests::reopen(&path).await;
        assert_eq!(sizes(&books), (2, 14));
        books.expire_kept(1_500).await;
        books.flush().await;
        assert_eq!(books.kept(&key(1)).unwrap(), None);
        assert_eq!(books.kept(&key(2)).unwrap().unwrap(), "later");
        assert_eq!(sizes(&books), (1, 5));
    }

    #[tokio::test]
    async fn where_there_is_no_room_it_is_known_all_the_same_that_the_call_ran() {
        let folder = tempfile::tempdir().unwrap();
        let books = Books::open(&folder.path().join("books.redb")).unwrap();
        books.kept.lock().bytes = KEPT_BYTES_MAX;
        books.keep(key(1), 1_000, Bytes::from_static(b"too much"));
        books.flush().await;
        assert_eq!(books.kept(&key(1)).unwrap().unwrap(), "");
    }
}
