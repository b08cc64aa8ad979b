//! Folders that hold no ledger, another one, a newer one, a damaged one, one that is in use; and logs that were changed.
#![expect(clippy::unwrap_used, reason = "tests")]

mod town;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use hansa_economy::Digest;
use hansa_ledger::{Ledger, OpenError, check_folder};
use redb::{Database, ReadableTable, TableDefinition};
use town::*;

const LOG: TableDefinition<'static, u64, &[u8]> = TableDefinition::new("log.1");
const META: TableDefinition<'static, &str, &[u8]> = TableDefinition::new("meta");
const BALANCES: TableDefinition<'static, u128, &[u8]> = TableDefinition::new("balances.1");

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
    assert!(matches!(open(folder.path()), Err(OpenError::Newer { found: 7, known: 2, .. })));
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
        let mut balances = tx.open_table(BALANCES).unwrap();
        let mut bytes = balances.get(0).unwrap().unwrap().value().to_vec();
        // The last account's posted debits.
        let at = bytes.len() - 66 + 16;
        bytes[at] ^= 1;
        balances.insert(0, bytes.as_slice()).unwrap();
    });
    assert!(problem.starts_with("account ") && problem.ends_with("is not what the log makes it"), "{problem}");
}

/// A log whose end is gone does not meet the state: the ledger refuses to go on from it.
#[tokio::test]
async fn a_log_that_lost_its_end_does_not_open() {
    let folder = tempfile::tempdir().unwrap();
    stopped(folder.path()).await;
    tamper(folder.path(), |tx| drop(tx.open_table(LOG).unwrap().pop_last().unwrap()));
    assert!(matches!(open(folder.path()), Err(OpenError::Damaged { .. })));
}
