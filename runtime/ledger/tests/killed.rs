//! A process is killed while it writes: whatever it had answered stands, and the log checks.

mod town;

use std::io::{BufRead, BufReader};
use std::process::{Command as Process, Stdio};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use hansa_economy::Amount;
use hansa_economy::ledger::Id128;
use hansa_ledger::Ledger;
use town::*;

const FOLDER: &str = "HANSA_LEDGER_TEST_FOLDER";

/// The part of the process that is killed; runs only when the other test starts it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "started by `what_was_answered_survives_kill`"]
async fn writes_until_killed() {
    let Ok(folder) = std::env::var(FOLDER) else { return };
    let town = Town::found(folder.as_ref()).await;
    let (alice, bob) = (town.account(&key(1), 1000).await, town.account(&key(2), 0).await);
    for n in (1u128..100_000).step_by(4) {
        let pay = |n| town.ledger.submit(town.sign(&key(1), payment(n, alice, bob, 1)));
        let all = tokio::join!(pay(n), pay(n + 1), pay(n + 2), pay(n + 3));
        assert!(all.0.is_ok() && all.1.is_ok() && all.2.is_ok() && all.3.is_ok());
        println!("answered {}", n + 3);
    }
}

#[test]
fn what_was_answered_survives_kill() {
    let folder = tempfile::tempdir().unwrap();
    let mut child = Process::new(std::env::current_exe().unwrap())
        .args(["--exact", "writes_until_killed", "--ignored", "--nocapture"])
        .env(FOLDER, folder.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut answered = 0u128;
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        if let Some(n) = line.unwrap().strip_prefix("answered ") {
            answered = n.parse().unwrap();
        }
        if answered > 80 {
            break;
        }
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(answered > 80);
    let ledger = Ledger::open(folder.path(), options(&Arc::new(AtomicU64::new(1)))).unwrap();
    assert_eq!(ledger.check().unwrap().problem, None);
    for n in 1..=answered {
        assert!(ledger.transfer(Id128(n)).unwrap().is_some(), "transfer {n} was answered and is lost");
    }
    let bob = ledger.account(hansa_economy::ledger::account_id(key(2).public(), 1, "main")).unwrap().unwrap();
    assert!(bob.balance() >= Amount(answered));
}
