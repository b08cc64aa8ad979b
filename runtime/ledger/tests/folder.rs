//! Folders that hold no ledger, another one, a newer one, a damaged one, one that is in use; and logs that were changed.
#![expect(clippy::unwrap_used, reason = "tests")]

mod town;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use hansa_economy::Digest;
use hansa_economy::ledger::{AccountOpen, Command, Id128, SignedCommand};
use hansa_ledger::{Ledger, OpenError, check_folder};
use redb::{Database, ReadableDatabase, ReadableTable, TableDefinition, TableHandle};
use town::*;

const LOG: TableDefinition<'static, u64, &[u8]> = TableDefinition::new("log.1");
const META: TableDefinition<'static, &str, &[u8]> = TableDefinition::new("meta");
/// The tables that format 3 has in the place of those of formats 1 and 2.
const NEWER: [&str; 3] = ["accounts.2", "transfers.2", "outcomes.2"];
const OLDER: [TableDefinition<'static, u128, &[u8]>; 3] =
    [TableDefinition::new("accounts.1"), TableDefinition::new("transfers.1"), TableDefinition::new("outcomes.1")];
const ACCOUNTS: TableDefinition<'static, u128, &[u8]> = TableDefinition::new("accounts.2");

fn open(folder: &Path) -> Result<Ledger, OpenError> {
    Ledger::open(folder, options(&Arc::new(AtomicU64::new(1))))
}

fn file(folder: &Path) -> std::path::PathBuf {
    folder.join("ledger.redb")
}

/// A ledger with some history, stopped.
async fn stopped(folder: &Path) {
    let town = Town::found(folder).await;
    let (alice, bob) = (town.account(&key(1), 10).await, town.account(&key(2), 0).await);
    for n in 1..20 {
        town.done(&key(1), payment(n, alice, bob, n)).await;
    }
    assert_eq!(town.sound().commands, 24);
}

#[tokio::test]
async fn what_is_no_ledger_is_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    assert!(!Ledger::exists(folder.path()));
    assert!(matches!(open(folder.path()), Err(OpenError::Missing(_))));
    std::fs::write(file(folder.path()), "a letter to a friend, long enough to be read as a header. ".repeat(99)).unwrap();
    assert!(matches!(open(folder.path()), Err(OpenError::Foreign { .. })));
    assert!(matches!(
        Ledger::create(folder.path(), &genesis(), options(&Arc::new(AtomicU64::new(1)))),
        Err(OpenError::Exists(_))
    ));
    std::fs::write(file(folder.path()), "").unwrap();
    assert!(matches!(open(folder.path()), Err(OpenError::Foreign { .. })));
    std::fs::remove_file(file(folder.path())).unwrap();
    drop(Database::create(file(folder.path())).unwrap());
    assert!(matches!(open(folder.path()), Err(OpenError::Foreign { .. })));
}

#[tokio::test]
async fn another_ledger_and_a_ledger_in_use_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let town = Town::found(folder.path()).await;
    assert!(matches!(open(folder.path()), Err(OpenError::Locked(_))));
    let found = town.ledger.id();
    drop(town);
    let expected = Digest::of(b"another");
    let options = hansa_ledger::LedgerOptions { expect: Some(expected), ..options(&Arc::new(AtomicU64::new(1))) };
    let error = Ledger::open(folder.path(), options).err().unwrap();
    assert!(matches!(&error, OpenError::OtherLedger { found: f, expected: e, .. } if (f, e) == (&found, &expected)), "{error}");
    assert!(open(folder.path()).is_ok());
}

#[tokio::test]
async fn a_newer_format_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    stopped(folder.path()).await;
    let database = Database::open(file(folder.path())).unwrap();
    let tx = database.begin_write().unwrap();
    tx.open_table(META).unwrap().insert("format", 7u32.to_le_bytes().as_slice()).unwrap();
    tx.commit().unwrap();
    drop(database);
    assert!(matches!(open(folder.path()), Err(OpenError::Newer { found: 7, known: 3, .. })));
}

/// Of an older format the log is what counts: the newest one is made from it by opening.
#[tokio::test]
async fn an_older_format_is_read_and_made_newer() {
    for format in [1u32, 2] {
        let folder = tempfile::tempdir().unwrap();
        stopped(folder.path()).await;
        let database = Database::open(file(folder.path())).unwrap();
        let tx = database.begin_write().unwrap();
        let newer: Vec<_> = tx.list_tables().unwrap().filter(|table| NEWER.contains(&table.name())).collect();
        assert_eq!(newer.len(), NEWER.len());
        newer.into_iter().for_each(|table| assert!(tx.delete_table(table).unwrap()));
        OLDER.iter().for_each(|table| drop(tx.open_table(*table).unwrap().insert(1, b"as it was".as_slice()).unwrap()));
        let mut meta = tx.open_table(META).unwrap();
        meta.insert("format", format.to_le_bytes().as_slice()).unwrap();
        assert!(meta.remove("rows").unwrap().is_some() && meta.remove("root").unwrap().is_some());
        drop(meta);
        tx.commit().unwrap();
        drop(database);
        let ledger = open(folder.path()).unwrap();
        assert_eq!(ledger.check().unwrap().problem, None);
        assert_eq!(ledger.transfer(Id128(5)).unwrap().map(|record| record.is_hold()), Some(false));
        let account = Command::AccountOpen(AccountOpen::new(1, "later"));
        let bytes = SignedCommand::sign(ledger.id(), Id128(7777), account, &key(1)).bytes().to_vec();
        assert!(ledger.submit(bytes).await.unwrap().result.accepted().is_ok());
        drop(ledger);
        let database = Database::open(file(folder.path())).unwrap();
        let tx = database.begin_read().unwrap();
        assert_eq!(tx.open_table(META).unwrap().get("format").unwrap().unwrap().value(), 3u32.to_le_bytes());
        assert_eq!(
            tx.list_tables()
                .unwrap()
                .filter(|table| table.name().ends_with("s.1") && OLDER.iter().any(|old| old.name() == table.name()))
                .count(),
            0
        );
        drop(tx);
        drop(database);
        assert_eq!(check_folder(folder.path()).unwrap().problem, None);
    }
}

#[tokio::test]
async fn a_file_cut_short_is_an_error_at_every_length() {
    let folder = tempfile::tempdir().unwrap();
    stopped(folder.path()).await;
    let whole = std::fs::read(file(folder.path())).unwrap();
    for length in
        [1, 8, 63, 64, 320, 511, 4095, 4096, 8192, whole.len() / 4, whole.len() / 2, whole.len() - 4096, whole.len() - 1]
    {
        std::fs::write(file(folder.path()), &whole[..length]).unwrap();
        let error = open(folder.path()).err().unwrap_or_else(|| panic!("a file of {length} of {} bytes opened", whole.len()));
        assert!(matches!(error, OpenError::Damaged { .. } | OpenError::Foreign { .. }), "{length}: {error}");
        assert_eq!(std::fs::metadata(file(folder.path())).unwrap().len(), length as u64, "it was written to");
    }
    std::fs::write(file(folder.path()), &whole).unwrap();
    assert_eq!(check_folder(folder.path()).unwrap().problem, None);
}

/// Change one row behind the ledger's back.
fn tamper(folder: &Path, change: impl FnOnce(&redb::WriteTransaction)) -> String {
    let database = Database::open(file(folder)).unwrap();
    let tx = database.begin_write().unwrap();
    change(&tx);
    tx.commit().unwrap();
    drop(database);
    check_folder(folder).unwrap().problem.expect("the change is found")
}

#[tokio::test]
async fn a_changed_log_is_found() {
    let folder = tempfile::tempdir().unwrap();
    stopped(folder.path()).await;
    let whole = std::fs::read(file(folder.path())).unwrap();
    let edit = |seq: u64, edit: &dyn Fn(&mut Vec<u8>)| {
        std::fs::write(file(folder.path()), &whole).unwrap();
        tamper(folder.path(), |tx| {
            let mut log = tx.open_table(LOG).unwrap();
            let mut bytes = log.get(seq).unwrap().unwrap().value().to_vec();
            edit(&mut bytes);
            log.insert(seq, bytes.as_slice()).unwrap();
        })
    };
    let problem = edit(9, &|bytes| *bytes.last_mut().unwrap() ^= 1);
    assert!(problem.starts_with("entry 9: the entry's bytes have hash"), "{problem}");
    let rehash = |bytes: &mut Vec<u8>| {
        let hash = Digest::of_parts("hansa ledger entry", &[&bytes[32..]]);
        bytes[..32].copy_from_slice(&hash.0);
    };
    // With a right hash, a changed signature or result still shows.
    let problem = edit(9, &|bytes| {
        let at = bytes.len() / 2;
        bytes[at] ^= 1;
        rehash(bytes);
    });
    assert!(problem.starts_with("entry 9: "), "{problem}");
    let problem = edit(9, &|bytes| {
        // The last result's amount, one CBOR byte.
        *bytes.last_mut().unwrap() ^= 1;
        rehash(bytes);
    });
    assert!(problem.starts_with("entry 9: command 0 comes to"), "{problem}");
    std::fs::write(file(folder.path()), &whole).unwrap();
    let problem = tamper(folder.path(), |tx| drop(tx.open_table(LOG).unwrap().remove(7).unwrap()));
    assert!(problem.starts_with("entry 8: "), "{problem}");
}

#[tokio::test]
async fn a_changed_balance_is_found() {
    let folder = tempfile::tempdir().unwrap();
    stopped(folder.path()).await;
    let problem = tamper(folder.path(), |tx| {
        let mut accounts = tx.open_table(ACCOUNTS).unwrap();
        let mut sheaf = accounts.get(0).unwrap().unwrap().value().to_vec();
        // The time at which the last account was opened ends the sheaf.
        *sheaf.last_mut().unwrap() ^= 1;
        accounts.insert(0, sheaf.as_slice()).unwrap();
    });
    assert!(problem.contains("state root") || problem.starts_with("account "), "{problem}");
    // Nobody has to ask: the rows do not have the root that the last commit wrote.
    let error = open(folder.path()).err().unwrap();
    assert!(matches!(&error, OpenError::Damaged { reason, .. } if reason.contains("state root")), "{error}");
}

/// A log whose end is gone does not meet the state: the ledger refuses to go on from it.
#[tokio::test]
async fn a_log_that_lost_its_end_does_not_open() {
    let folder = tempfile::tempdir().unwrap();
    stopped(folder.path()).await;
    tamper(folder.path(), |tx| drop(tx.open_table(LOG).unwrap().pop_last().unwrap()));
    assert!(matches!(open(folder.path()), Err(OpenError::Damaged { .. })));
}
