//! Tests with a disk that fails: nobody gets an answer from a commit that failed, and the ledger goes on after it.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use hansa_economy::channel::AccountId;
use hansa_economy::ledger::{
    AccountOpen, AssetCreate, Command, Genesis, Id128, SignedCommand, State, Transfer, TransferBatch, Verified, account_id,
};
use hansa_economy::{Amount, Digest, Keypair};
use redb::{Builder, StorageBackend};

use crate::error::SubmitError;
use crate::handle::{Ledger, LedgerOptions, Outcome};
use crate::store::Store;

/// Bytes in memory. After `left` writes and syncs one fails, or, once `dead`, all. Once `full`, it grows no more, and after
/// `left` writes and syncs there is no room for any of them.
#[derive(Debug, Default)]
struct Disk {
    bytes: Vec<u8>,
    left: Option<u32>,
    dead: bool,
    full: bool,
}

#[derive(Debug, Clone, Default)]
struct Faulty(Arc<Mutex<Disk>>);

impl Faulty {
    fn change<T>(&self, change: impl FnOnce(&mut Disk) -> T) -> Result<T, std::io::Error> {
        let mut disk = self.0.lock().unwrap();
        let fails = disk.dead || disk.left == Some(0);
        if disk.full {
            disk.left = disk.left.map(|left| left.saturating_sub(1));
            return if fails { Err(std::io::ErrorKind::StorageFull.into()) } else { Ok(change(&mut disk)) };
        }
        disk.left = disk.left.and_then(|left| left.checked_sub(1));
        match fails {
            true => Err(std::io::Error::other("the disk does not answer")),
            false => Ok(change(&mut disk)),
        }
    }

    fn fill_after(&self, left: u32) {
        let mut disk = self.0.lock().unwrap();
        (disk.full, disk.left) = (true, Some(left));
    }

    fn make_room(&self) {
        let mut disk = self.0.lock().unwrap();
        (disk.full, disk.left) = (false, None);
    }

    fn fail_after(&self, left: Option<u32>) {
        self.0.lock().unwrap().left = left;
    }
}

impl StorageBackend for Faulty {
    fn len(&self) -> Result<u64, std::io::Error> {
        Ok(self.0.lock().unwrap().bytes.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> Result<(), std::io::Error> {
        let disk = self.0.lock().unwrap();
        let offset = offset as usize;
        let bytes = disk.bytes.get(offset..offset + out.len()).ok_or(std::io::ErrorKind::UnexpectedEof)?;
        out.copy_from_slice(bytes);
        Ok(())
    }

    fn set_len(&self, len: u64) -> Result<(), std::io::Error> {
        if self.0.lock().unwrap().full && len > self.len()? {
            return Err(std::io::ErrorKind::StorageFull.into());
        }
        self.change(|disk| disk.bytes.resize(len as usize, 0))
    }

    fn sync_data(&self) -> Result<(), std::io::Error> {
        self.change(|_| ())
    }

    fn write(&self, offset: u64, data: &[u8]) -> Result<(), std::io::Error> {
        self.change(|disk| disk.bytes[offset as usize..offset as usize + data.len()].copy_from_slice(data))
    }
}

fn key() -> Keypair {
    Keypair::from_seed(&[1; 32])
}

fn ledger_on(disk: &Faulty) -> Ledger {
    let database = Builder::new().create_with_backend(disk.clone()).unwrap();
    let genesis = Verified::open(Genesis::sign("faults", Id128(1), &key()).bytes()).unwrap();
    let (mut state, appended) = State::found(&genesis, 1).unwrap();
    Store::found(&database, &mut state, &appended).unwrap();
    drop(database);
    let again = disk.clone();
    let store =
        Store::open_with(PathBuf::from("memory"), Box::new(move || Builder::new().create_with_backend(again.clone()))).unwrap();
    let clock = AtomicU64::new(1_000_000);
    Ledger::start(store, LedgerOptions::new(Arc::new(move || clock.fetch_add(1, Ordering::Relaxed)))).unwrap()
}

fn open_account(ledger: Digest, n: u32) -> Vec<u8> {
    let command = Command::AccountOpen(AccountOpen::new(1, n.to_string()));
    SignedCommand::sign(ledger, Id128(1000 + u128::from(n)), command, &key()).bytes().to_vec()
}

async fn with_asset(disk: &Faulty) -> Ledger {
    let ledger = ledger_on(disk);
    let asset = AssetCreate { asset: 1, code: "X".into(), scale: 0, issuer: key().public() };
    ledger
        .submit(SignedCommand::sign(ledger.id(), Id128(2), Command::AssetCreate(asset), &key()).bytes().to_vec())
        .await
        .unwrap();
    ledger
}

/// Every single write and sync of a commit fails once. The submitter never gets an answer from it, and submits again.
#[tokio::test]
async fn a_failed_commit_is_never_answered_and_can_be_repeated() {
    let disk = Faulty::default();
    let ledger = with_asset(&disk).await;
    let mut unknown = 0;
    for n in 0..60 {
        let command = open_account(ledger.id(), n);
        disk.fail_after(Some(n));
        let first = ledger.submit(command.clone()).await;
        disk.fail_after(None);
        if let Err(error) = &first {
            assert!(
                matches!(error, SubmitError::Unknown { .. }) && error.may_retry() && error.may_have_taken_effect(),
                "{error}"
            );
            unknown += 1;
        }
        let outcome = ledger.submit(command).await.unwrap();
        assert!(outcome.result.accepted().is_ok());
        assert!(outcome.repeated || first.is_err());
        assert!(ledger.account(account_id(key().public(), 1, &n.to_string())).unwrap().is_some());
        assert_eq!(ledger.check().unwrap().problem, None);
    }
    assert!(unknown >= 5, "only {unknown} commits failed");
}

/// Enough large commands for several groups that are applied ahead of their commits. One write fails: what was answered stands, and
/// everything can be submitted again, for the one outcome.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn groups_that_were_applied_ahead_fall_with_the_one_before() {
    let disk = Faulty::default();
    let ledger = with_asset(&disk).await;
    let (mut answered, mut unanswered) = (0, 0);
    for round in 0..6u32 {
        let commands: Vec<_> = (0..48).map(|n| many_transfers(&ledger, 48 * round + n)).collect();
        disk.fail_after(Some(40 + 60 * round));
        let first = submit_all(&ledger, &commands).await;
        disk.fail_after(None);
        for (again, first) in submit_all(&ledger, &commands).await.into_iter().zip(first) {
            let again = again.unwrap();
            match first {
                Ok(first) => {
                    assert!(again.repeated && (again.seq, &again.result) == (first.seq, &first.result), "another outcome");
                    answered += 1;
                }
                Err(error) => {
                    assert!(matches!(error, SubmitError::Unknown { .. }), "{error}");
                    unanswered += 1;
                }
            }
        }
        assert_eq!(ledger.check().unwrap().problem, None);
    }
    assert!(answered > 0 && unanswered > 0, "{answered} answered, {unanswered} not");
}

/// 256 transfers that all fail for a passing reason, and burn their ids.
fn many_transfers(ledger: &Ledger, n: u32) -> Vec<u8> {
    let first = u128::from(n) << 64;
    let transfer = |at| Transfer {
        id: Id128(first + at),
        debit: AccountId(1),
        credit: AccountId(2),
        amount: Amount(1),
        asset: 1,
        code: 1,
        ..Transfer::default()
    };
    let command = Command::Transfer(TransferBatch { transfers: (1..=256).map(transfer).collect() });
    SignedCommand::sign(ledger.id(), Id128(first + 1000), command, &key()).bytes().to_vec()
}

async fn submit_all(ledger: &Ledger, commands: &[Vec<u8>]) -> Vec<Result<Outcome, SubmitError>> {
    let submit = |command: &Vec<u8>| {
        let (ledger, command) = (ledger.clone(), command.clone());
        tokio::spawn(async move { ledger.submit(command).await })
    };
    let submitted: Vec<_> = commands.iter().map(submit).collect();
    let mut outcomes = Vec::new();
    for outcome in submitted {
        outcomes.push(outcome.await.unwrap());
    }
    outcomes
}

#[tokio::test]
async fn a_lost_disk_stops_the_ledger() {
    let disk = Faulty::default();
    let ledger = with_asset(&disk).await;
    disk.0.lock().unwrap().dead = true;
    let first = ledger.submit(open_account(ledger.id(), 1)).await;
    assert!(matches!(first, Err(SubmitError::Unknown { .. })), "{first:?}");
    let mut error = ledger.submit(open_account(ledger.id(), 2)).await.unwrap_err();
    // The writer may just be on its way out.
    while error.may_have_taken_effect() {
        error = ledger.submit(open_account(ledger.id(), 2)).await.unwrap_err();
    }
    assert!(matches!(error, SubmitError::Stopped { .. }), "{error}");
    assert!(ledger.entries(1, 1).is_err());
}

/// A full disk, at every kind of moment: nobody is told that something was done, whatever was answered before stands, and when
/// there is room again the ledger goes on, without anybody's help.
#[tokio::test]
async fn a_full_disk_refuses_and_goes_on_when_there_is_room() {
    let disk = Faulty::default();
    let ledger = with_asset(&disk).await;
    let mut refused = 0;
    for n in [0, 1, 3, 6, 10, 20] {
        let (before, command) = (open_account(ledger.id(), 2 * n), open_account(ledger.id(), 2 * n + 1));
        ledger.submit(before.clone()).await.unwrap();
        disk.fill_after(n);
        let first = ledger.submit(command.clone()).await;
        if let Err(error) = &first {
            assert!(error.may_retry(), "{error}");
            // Known to have failed, or not known because the file could not be opened again; then refused at once.
            assert!(matches!(error, SubmitError::Full { .. } | SubmitError::Unknown { .. }), "{error}");
            let next = ledger.submit(open_account(ledger.id(), 1000)).await.unwrap_err();
            assert!(matches!(next, SubmitError::Full { retry_after_ms: 1.. }) && !next.may_have_taken_effect(), "{next}");
            assert!(next.to_string().contains("disk is full"), "{next}");
            refused += 1;
        }
        disk.make_room();
        let again = patiently(&ledger, &command).await;
        assert!(again.result.accepted().is_ok() && (again.repeated || first.is_err()));
        assert!(ledger.submit(before).await.unwrap().repeated);
        assert_eq!(ledger.check().unwrap().problem, None);
    }
    assert!(refused >= 4, "only {refused} commits met a full disk");
}

/// Submit until the disk has room, waiting as long as the ledger says.
async fn patiently(ledger: &Ledger, command: &[u8]) -> Outcome {
    loop {
        match ledger.submit(command.to_vec()).await {
            Ok(outcome) => return outcome,
            Err(SubmitError::Full { retry_after_ms }) => {
                tokio::time::sleep(std::time::Duration::from_millis(retry_after_ms.into())).await;
            }
            Err(SubmitError::Unknown { .. }) => {}
            Err(error) => panic!("{error}"),
        }
    }
}
