//! A node's own trade books in redb: channels, lanes, receipts given and got.
//!
//! Written behind the calls in groups ([`BOOKS_FLUSH`]), each group one durable commit. A crash loses the last
//! group at most: a buyer goes on from its own newest voucher, which the seller shows it; a seller loses the vouchers of
//! those milliseconds. FORMAT: see the table definitions below; version 2. Version 1 had another index of receipts, which is made anew.

mod customers;
mod kept;
mod rows;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use hansa_economy::Digest;
use hansa_economy::channel::ChannelId;
use minicbor::bytes::{ByteSlice, ByteVec};
use redb::{Database, ReadableDatabase, ReadableTable, TableDefinition};
use tokio::sync::{mpsc, oneshot};

use crate::limits::{BOOKS_FLUSH, BOOKS_QUEUE, RECEIPTS_PER_ROW};
use customers::Customers;
pub(crate) use customers::{Counted, Customer, customer};
use kept::{Kept, KeptReply};
pub(crate) use kept::{KeptKey, kept_key};
pub(crate) use rows::{ChannelOut, ClaimRow, ClaimWritten, LaneIn, LaneInWritten, LaneOut};

const VERSION: u32 = 2;
const META: TableDefinition<'_, &str, u32> = TableDefinition::new("meta");
/// channel id → [`ChannelOut`]
const CHANNELS_OUT: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new("channels_out");
/// channel id, lane (u32, big-endian) → [`LaneOut`]
const LANES_OUT: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new("lanes_out");
/// channel id, lane → [`LaneIn`]
const LANES_IN: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new("lanes_in");
/// row number → CBOR array of signed receipts, oldest first
const RECEIPTS: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("receipts");
/// row number of [`RECEIPTS`] → the first 8 bytes of each of its receipts' digests. Looked through from the newest: a key for each
/// receipt would touch a page of its own for each, as digests come in no order.
const RECEIPT_NAMES: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("receipt_names");
/// Version 1: first 8 bytes of a receipt's digest → row number.
const RECEIPT_INDEX_1: TableDefinition<'_, u64, u64> = TableDefinition::new("receipt_index");

/// Why the books cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum BooksError {
    /// Another process has them open.
    #[error("the trade books `{0}` are in use by another process; stop it, or give this node another data folder")]
    InUse(String),
    /// Written by a later version of Hansa.
    #[error("the trade books have format version {found}, this program knows up to {VERSION}; use the newer program")]
    Newer {
        /// Version of the file.
        found: u32,
    },
    /// The store's word.
    #[error("the trade books cannot be read or written: {0}")]
    Store(#[from] redb::Error),
    /// A row that does not decode.
    #[error("a row of the trade books is damaged: {0}; restore the file from a backup")]
    Damaged(String),
}

macro_rules! store_errors {
    ($($kind:ty),*) => {$(
        impl From<$kind> for BooksError {
            fn from(error: $kind) -> BooksError {
                BooksError::Store(error.into())
            }
        }
    )*};
}
store_errors!(redb::TransactionError, redb::TableError, redb::StorageError, redb::CommitError);

enum Change {
    Row(Table, Vec<u8>, Vec<u8>),
    Receipt(Digest, Vec<u8>),
    Customer(Customer),
    Kept(KeptReply),
    /// Drop what was to be kept until before then.
    Expire(u64),
    Flush(oneshot::Sender<()>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Table {
    ChannelsOut,
    LanesOut,
    LanesIn,
}

/// Keys and values of a table.
type Pairs = Vec<(Vec<u8>, Vec<u8>)>;

/// The books. Cheap to share; the last one dropped ends the writer after a last commit.
#[derive(Clone)]
pub struct Books {
    queue: mpsc::Sender<Change>,
    database: Arc<Database>,
    /// Receipts that wait for the writer: whoever bought can read the receipt at once.
    fresh: Fresh,
    customers: Arc<Customers>,
    kept: Arc<Kept>,
}

type Fresh = Arc<Mutex<HashMap<Digest, Vec<u8>>>>;

impl Books {
    /// Open or make the books at `path`.
    pub fn open(path: &Path) -> Result<Books, BooksError> {
        let database = Database::create(path).map_err(|error| match error {
            redb::DatabaseError::DatabaseAlreadyOpen => BooksError::InUse(path.display().to_string()),
            error => BooksError::Store(error.into()),
        })?;
        prepare(&database)?;
        let database = Arc::new(database);
        let (queue, waiting) = mpsc::channel(BOOKS_QUEUE);
        let fresh = Fresh::default();
        let customers = Arc::new(Customers::open(&database)?);
        let kept = Arc::new(Kept::open(&database)?);
        let writer =
            Writer { database: database.clone(), fresh: fresh.clone(), customers: customers.clone(), kept: kept.clone() };
        let write = move || writer.write_all(waiting);
        let spawned = std::thread::Builder::new().name("hansa-books".into()).spawn(write);
        spawned.map_err(|error| BooksError::Store(redb::Error::Io(error)))?;
        Ok(Books { queue, database, fresh, customers, kept })
    }

    pub(crate) async fn put_channel_out(&self, id: ChannelId, row: &ChannelOut) {
        self.put(Table::ChannelsOut, id.0.to_vec(), encode(row)).await;
    }

    pub(crate) async fn put_lane_out(&self, id: ChannelId, lane: u32, row: &LaneOut) {
        self.put(Table::LanesOut, lane_key(id, lane), encode(row)).await;
    }

    /// Keep a lane's state; `row` is the encoded [`LaneInWritten`].
    pub(crate) async fn put_lane_in(&self, id: ChannelId, lane: u32, row: Vec<u8>) {
        self.put(Table::LanesIn, lane_key(id, lane), row).await;
    }

    /// Keep a signed receipt.
    pub(crate) async fn put_receipt(&self, digest: Digest, bytes: Vec<u8>) {
        self.fresh.lock().expect("no panic while receipts are locked").insert(digest, bytes.clone());
        drop(self.queue.send(Change::Receipt(digest, bytes)).await);
    }

    /// Count one more answered call of `customer`; none where it is new and there are too many.
    pub(crate) fn count(&self, customer: Customer) -> Result<Option<Counted>, BooksError> {
        self.customers.count(&self.database, customer)
    }

    /// Keep what is booked of a customer's count.
    pub(crate) async fn put_customer(&self, customer: Customer) {
        drop(self.queue.send(Change::Customer(customer)).await);
    }

    /// Keep a seller's reply until then, Unix milliseconds. Found from now on, and on disk with or before what is put after it.
    pub(crate) fn keep(&self, key: KeptKey, until_ms: u64, reply: Bytes) {
        let reply = Change::Kept(self.kept.add(key, until_ms, reply));
        if let Err(mpsc::error::TrySendError::Full(reply)) = self.queue.try_send(reply) {
            let queue = self.queue.clone();
            tokio::spawn(async move { drop(queue.send(reply).await) });
        }
    }

    /// The reply kept under `key`; empty where there was no room for it.
    pub(crate) fn kept(&self, key: &KeptKey) -> Result<Option<Bytes>, BooksError> {
        self.kept.get(&self.database, key)
    }

    /// Is there room for another reply to be kept?
    pub(crate) fn keeps_more(&self) -> bool {
        self.kept.has_room()
    }

    /// Drop replies whose time is over.
    pub(crate) async fn expire_kept(&self, now_ms: u64) {
        drop(self.queue.send(Change::Expire(now_ms)).await);
    }

    /// Wait until everything put before is on disk.
    pub async fn flush(&self) {
        let (done, wait) = oneshot::channel();
        if self.queue.send(Change::Flush(done)).await.is_ok() {
            drop(wait.await);
        }
    }

    /// The signed bytes of the receipt named `digest`, if these books have it.
    pub fn receipt(&self, digest: Digest) -> Result<Option<Vec<u8>>, BooksError> {
        if let Some(bytes) = self.fresh.lock().expect("no panic while receipts are locked").get(&digest) {
            return Ok(Some(bytes.clone()));
        }
        let read = self.database.begin_read()?;
        let receipts = read.open_table(RECEIPTS)?;
        for row in read.open_table(RECEIPT_NAMES)?.iter()?.rev() {
            let (number, names) = row?;
            if !names.value().chunks_exact(NAME_BYTES).any(|name| digest.0.starts_with(name)) {
                continue;
            }
            let row: Vec<ByteVec> = receipts.get(number.value())?.map_or(Ok(Vec::new()), |bytes| decode(bytes.value()))?;
            if let Some(found) = row.into_iter().find(|bytes| Digest::of(bytes) == digest) {
                return Ok(Some(found.into()));
            }
        }
        Ok(None)
    }

    /// The newest `count` signed receipts, newest first.
    pub fn receipts(&self, count: usize) -> Result<Vec<Vec<u8>>, BooksError> {
        let read = self.database.begin_read()?;
        let table = read.open_table(RECEIPTS)?;
        let mut found = Vec::new();
        for row in table.iter()?.rev() {
            let receipts: Vec<ByteVec> = decode(row?.1.value())?;
            found.extend(receipts.into_iter().rev().map(Vec::from));
            if found.len() >= count {
                break;
            }
        }
        found.truncate(count);
        Ok(found)
    }

    pub(crate) fn channels_out(&self) -> Result<Vec<(ChannelId, ChannelOut)>, BooksError> {
        let rows = self.rows(CHANNELS_OUT)?;
        rows.into_iter().map(|(key, value)| Ok((channel_of(&key)?, decode(&value)?))).collect()
    }

    pub(crate) fn lanes_out(&self) -> Result<Vec<(ChannelId, u32, LaneOut)>, BooksError> {
        let rows = self.rows(LANES_OUT)?;
        rows.into_iter().map(|(key, value)| Ok((channel_of(&key)?, lane_of(&key)?, decode(&value)?))).collect()
    }

    pub(crate) fn lanes_in(&self) -> Result<Vec<(ChannelId, u32, LaneIn)>, BooksError> {
        let rows = self.rows(LANES_IN)?;
        rows.into_iter().map(|(key, value)| Ok((channel_of(&key)?, lane_of(&key)?, decode(&value)?))).collect()
    }

    fn rows(&self, table: TableDefinition<'_, &[u8], &[u8]>) -> Result<Pairs, BooksError> {
        let read = self.database.begin_read()?;
        let table = read.open_table(table)?;
        table
            .iter()?
            .map(|row| row.map(|(key, value)| (key.value().to_vec(), value.value().to_vec())).map_err(BooksError::from))
            .collect()
    }

    async fn put(&self, table: Table, key: Vec<u8>, value: Vec<u8>) {
        drop(self.queue.send(Change::Row(table, key, value)).await);
    }
}

fn prepare(database: &Database) -> Result<(), BooksError> {
    let write = database.begin_write()?;
    {
        let mut meta = write.open_table(META)?;
        let found = meta.get("version")?.map(|version| version.value());
        if let Some(found) = found.filter(|found| *found > VERSION) {
            return Err(BooksError::Newer { found });
        }
        if found == Some(1) {
            name_receipts(&write)?;
        }
        meta.insert("version", VERSION)?;
        write.open_table(CHANNELS_OUT)?;
        write.open_table(LANES_OUT)?;
        write.open_table(LANES_IN)?;
        write.open_table(RECEIPTS)?;
        write.open_table(RECEIPT_NAMES)?;
        customers::prepare(&write)?;
        kept::prepare(&write)?;
    }
    Ok(write.commit()?)
}

/// From version 1 to 2.
fn name_receipts(write: &redb::WriteTransaction) -> Result<(), BooksError> {
    let receipts = write.open_table(RECEIPTS)?;
    let mut names = write.open_table(RECEIPT_NAMES)?;
    for row in receipts.iter()? {
        let (number, row) = row?;
        let row: Vec<ByteVec> = decode(row.value())?;
        names.insert(number.value(), names_of(row.iter().map(|bytes| Digest::of(bytes))).as_slice())?;
    }
    write.delete_table(RECEIPT_INDEX_1)?;
    Ok(())
}

#[derive(Default)]
struct Group {
    rows: BTreeMap<(Table, Vec<u8>), Vec<u8>>,
    receipts: Vec<(Digest, Vec<u8>)>,
    customers: BTreeSet<Customer>,
    kept: Vec<KeptReply>,
    expire_ms: Option<u64>,
    waiting: Vec<oneshot::Sender<()>>,
}

impl Group {
    fn take(&mut self, change: Change) {
        match change {
            Change::Row(table, key, value) => drop(self.rows.insert((table, key), value)),
            Change::Receipt(digest, bytes) => self.receipts.push((digest, bytes)),
            Change::Customer(customer) => drop(self.customers.insert(customer)),
            Change::Kept(reply) => self.kept.push(reply),
            Change::Expire(now_ms) => self.expire_ms = Some(now_ms),
            Change::Flush(done) => self.waiting.push(done),
        }
    }
}

/// The writer: collect for a moment, then commit the group. A newer row of a lane replaces an older one unwritten.
struct Writer {
    database: Arc<Database>,
    fresh: Fresh,
    customers: Arc<Customers>,
    kept: Arc<Kept>,
}

impl Writer {
    fn write_all(&self, mut queue: mpsc::Receiver<Change>) {
        while let Some(first) = queue.blocking_recv() {
            let mut group = Group::default();
            group.take(first);
            if group.waiting.is_empty() {
                std::thread::sleep(BOOKS_FLUSH);
            }
            while let Ok(next) = queue.try_recv() {
                group.take(next);
            }
            if let Err(error) = self.write(&group) {
                tracing::error!(%error, "the trade books could not be written; what this group held is lost");
            }
            let mut fresh = self.fresh.lock().expect("no panic while receipts are locked");
            group.receipts.iter().for_each(|(digest, _)| drop(fresh.remove(digest)));
            drop(fresh);
            for done in group.waiting {
                // Whoever waited may have given up.
                let _ = done.send(());
            }
        }
    }

    fn write(&self, group: &Group) -> Result<(), BooksError> {
        let write = self.database.begin_write()?;
        {
            let mut channels_out = write.open_table(CHANNELS_OUT)?;
            let mut lanes_out = write.open_table(LANES_OUT)?;
            let mut lanes_in = write.open_table(LANES_IN)?;
            for ((table, key), value) in &group.rows {
                match table {
                    Table::ChannelsOut => channels_out.insert(key.as_slice(), value.as_slice())?,
                    Table::LanesOut => lanes_out.insert(key.as_slice(), value.as_slice())?,
                    Table::LanesIn => lanes_in.insert(key.as_slice(), value.as_slice())?,
                };
            }
        }
        write_receipts(&write, &group.receipts)?;
        let counts = self.customers.write(&write, &group.customers)?;
        self.kept.write(&write, &group.kept)?;
        self.kept.expire(&write, group.expire_ms)?;
        write.commit()?;
        self.customers.written(&counts);
        self.kept.written(&group.kept);
        Ok(())
    }
}

fn write_receipts(write: &redb::WriteTransaction, receipts: &[(Digest, Vec<u8>)]) -> Result<(), BooksError> {
    if receipts.is_empty() {
        return Ok(());
    }
    let mut table = write.open_table(RECEIPTS)?;
    let mut names = write.open_table(RECEIPT_NAMES)?;
    let first = table.last()?.map_or(0, |(row, _)| row.value() + 1);
    for (row, chunk) in (first..).zip(receipts.chunks(RECEIPTS_PER_ROW)) {
        let bytes: Vec<&ByteSlice> = chunk.iter().map(|(_, bytes)| bytes[..].into()).collect();
        table.insert(row, encode(&bytes).as_slice())?;
        names.insert(row, names_of(chunk.iter().map(|(digest, _)| *digest)).as_slice())?;
    }
    Ok(())
}

/// Bytes of a digest in [`RECEIPT_NAMES`].
const NAME_BYTES: usize = 8;

fn names_of(digests: impl Iterator<Item = Digest>) -> Vec<u8> {
    digests.flat_map(|digest| digest.0.into_iter().take(NAME_BYTES)).collect()
}

fn lane_key(id: ChannelId, lane: u32) -> Vec<u8> {
    [id.0.as_slice(), &lane.to_be_bytes()].concat()
}

fn channel_of(key: &[u8]) -> Result<ChannelId, BooksError> {
    let bytes = key.get(..32).and_then(|bytes| bytes.try_into().ok());
    bytes.map(Digest).ok_or_else(|| BooksError::Damaged("a key without channel id".into()))
}

fn lane_of(key: &[u8]) -> Result<u32, BooksError> {
    let bytes = key.get(32..).and_then(|bytes| bytes.try_into().ok());
    bytes.map(u32::from_be_bytes).ok_or_else(|| BooksError::Damaged("a key without lane".into()))
}

fn encode<T: minicbor::Encode<()>>(row: &T) -> Vec<u8> {
    minicbor::to_vec(row).expect("writing to memory cannot fail")
}

fn decode<T: for<'b> minicbor::Decode<'b, ()>>(bytes: &[u8]) -> Result<T, BooksError> {
    minicbor::decode(bytes).map_err(|error| BooksError::Damaged(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use hansa_economy::Amount;

    #[tokio::test]
    async fn what_was_flushed_is_there_after_a_crash() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("books.redb");
        let digests: Vec<Digest> = (0..300u32).map(|n| Digest::of(&n.to_le_bytes())).collect();
        let lane = LaneIn { redeemed: Amount(7), ..LaneIn::default() };
        {
            let books = Books::open(&path).unwrap();
            for n in 0..300u32 {
                books.put_receipt(digests[n as usize], n.to_le_bytes().to_vec()).await;
            }
            books.put_lane_in(digests[0], 3, encode(&LaneIn::default())).await;
            books.put_lane_in(digests[0], 3, encode(&lane)).await;
            books.flush().await;
            assert!(matches!(Books::open(&path), Err(BooksError::InUse(_))));
        }
        let books = reopen(&path).await;
        assert_eq!(books.receipt(digests[123]).unwrap(), Some(123u32.to_le_bytes().to_vec()));
        assert_eq!(books.receipt(Digest::of(b"other")).unwrap(), None);
        assert_eq!(books.receipts(2).unwrap(), vec![299u32.to_le_bytes().to_vec(), 298u32.to_le_bytes().to_vec()]);
        assert_eq!(books.lanes_in().unwrap(), vec![(digests[0], 3, lane)]);
    }

    /// Books of version 1 found a receipt by an index with one key for each.
    #[tokio::test]
    async fn books_of_version_1_are_brought_up_to_date() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("books.redb");
        let (old, new) = (b"an old receipt".to_vec(), b"a new one".to_vec());
        {
            let database = Database::create(&path).unwrap();
            let write = database.begin_write().unwrap();
            write.open_table(META).unwrap().insert("version", 1).unwrap();
            let row = encode(&vec![ByteVec::from(old.clone())]);
            write.open_table(RECEIPTS).unwrap().insert(0, row.as_slice()).unwrap();
            write.open_table(RECEIPT_INDEX_1).unwrap().insert(7, 0).unwrap();
            write.commit().unwrap();
        }
        let books = Books::open(&path).unwrap();
        books.put_receipt(Digest::of(&new), new.clone()).await;
        books.flush().await;
        for receipt in [old, new] {
            assert_eq!(books.receipt(Digest::of(&receipt)).unwrap(), Some(receipt));
        }
    }

    /// The writer thread lets go of the file a moment after the last handle is dropped.
    pub(super) async fn reopen(path: &Path) -> Books {
        loop {
            match Books::open(path) {
                Err(BooksError::InUse(_)) => tokio::task::yield_now().await,
                other => return other.unwrap(),
            }
        }
    }
}
