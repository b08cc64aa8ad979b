//! A process is killed while it writes, again and again: whatever it had answered stands, and the log checks.
//!
//! `just kill` kills 500 times; the ordinary suite a few.
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "tests; the process that is killed prints its answers")]

mod town;

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command as Process, Stdio};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::{Duration, UNIX_EPOCH};

use hansa_economy::Amount;
use hansa_economy::channel::AccountId;
use hansa_economy::ledger::*;
use hansa_ledger::Ledger;
use town::*;

const FOLDER: &str = "HANSA_LEDGER_TEST_FOLDER";
const KILLS: &str = "HANSA_LEDGER_TEST_KILLS";
const KILLS_USUALLY: usize = 6;
/// The log is replayed whole every so many kills, and at the end.
const KILLS_PER_CHECK: usize = 50;

/// An answer that the dead process had printed.
struct Answer {
    command: CommandId,
    seq: u64,
    transfer: TransferId,
}

/// One life of the process that is killed: opens the ledger or creates it, and pays until it dies.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "started by `what_was_answered_survives_kills`"]
async fn writes_until_killed() {
    let Ok(folder) = std::env::var(FOLDER) else { return };
    let (folder, clock) = (Path::new(&folder), Arc::new(AtomicU64::new(1_000 * SECOND)));
    let ledger = match Ledger::exists(folder) {
        true => Ledger::open(folder, options(&clock)).unwrap(),
        false => Ledger::create(folder, &genesis(), options(&clock)).unwrap(),
    };
    // Ids that no other life has used for anything that came to the log.
    let mut next = u128::from(ledger.head().unwrap().seq) << 32;
    let mut fresh = || {
        next += 1;
        Id128(next)
    };
    let (alice, bob) = (account_id(key(1).public(), 1, "main"), account_id(key(2).public(), 1, "main"));
    let asset = AssetCreate { asset: 1, code: "CRED".into(), scale: 6, issuer: operator().public() };
    let issue = Issue { asset: 1, to: alice, amount: Amount::credits(1000), reference: "r".into() };
    for (key, command) in [
        (operator(), Command::AssetCreate(asset)),
        (key(1), Command::AccountOpen(AccountOpen::new(1, "main"))),
        (key(2), Command::AccountOpen(AccountOpen::new(1, "main"))),
        (operator(), Command::Issue(issue)),
    ] {
        // In a later life refused, which is an outcome too.
        let command = SignedCommand::sign(ledger.id(), fresh(), command, &key);
        ledger.submit(command.bytes().to_vec()).await.unwrap();
    }
    loop {
        let [a, b, c, d] = std::array::from_fn(|_| pay(&ledger, fresh(), alice, bob));
        tokio::join!(a, b, c, d);
    }
}

/// Pay with a transfer whose id is the command's, and print the answer.
async fn pay(ledger: &Ledger, id: CommandId, alice: AccountId, bob: AccountId) {
    let command = SignedCommand::sign(ledger.id(), id, payment(id.0, alice, bob, 1), &key(1));
    let outcome = ledger.submit(command.bytes().to_vec()).await.unwrap();
    println!("answered {} {} {id}.", outcome.id, outcome.seq.unwrap());
}

#[test]
#[expect(clippy::disallowed_methods, reason = "the moments of death are to differ from run to run; a failure prints their seed")]
fn what_was_answered_survives_kills() {
    let kills = std::env::var(KILLS).map_or(KILLS_USUALLY, |kills| kills.parse().unwrap());
    let seed = std::time::SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos() as u64;
    println!("{kills} kills with seed {seed}");
    let folder = tempfile::tempdir().unwrap();
    let (mut answered, mut answers_in_all, mut dice) = (0, 0, seed);
    for nth in 1..=kills {
        let answers = live_and_die(folder.path(), &mut dice);
        answers_in_all += answers.len();
        if !Ledger::exists(folder.path()) {
            assert!(answers.is_empty() && answered == 0, "kill {nth}: the ledger is gone");
            continue;
        }
        let ledger = Ledger::open(folder.path(), options(&Arc::new(AtomicU64::new(1)))).unwrap();
        answered = answers.iter().map(|answer| answer.seq).fold(answered, u64::max);
        assert!(ledger.head().unwrap().seq >= answered, "kill {nth}: entry {answered} was answered and is lost");
        for Answer { command, seq, transfer } in answers {
            let found =
                ledger.outcome(command).unwrap().unwrap_or_else(|| panic!("kill {nth}: {command} was answered and is lost"));
            assert_eq!(found.seq, Some(seq));
            assert!(ledger.transfer(transfer).unwrap().is_some(), "kill {nth}: transfer {transfer} is lost");
        }
        if nth % KILLS_PER_CHECK == 0 || nth == kills {
            assert_eq!(ledger.check().unwrap().problem, None, "kill {nth}");
        }
    }
    println!("{kills} kills, {answers_in_all} answers, none lost");
    assert!(answers_in_all > kills, "only {answers_in_all} answers");
    let ledger = Ledger::open(folder.path(), options(&Arc::new(AtomicU64::new(1)))).unwrap();
    let bob = ledger.account(account_id(key(2).public(), 1, "main")).unwrap().unwrap();
    assert!(bob.balance() >= Amount(answers_in_all as u128));
}

/// Start the process, kill it after some answers or before any, and take what it had printed.
fn live_and_die(folder: &Path, dice: &mut u64) -> Vec<Answer> {
    let mut child = start(folder);
    let (early, lines, pause) = (roll(dice, 5) == 0, roll(dice, 60), Duration::from_micros(roll(dice, 4000)));
    let output = BufReader::new(child.stdout.take().unwrap());
    let mut answers = Vec::new();
    if early {
        // Somewhere in the start.
        std::thread::sleep(pause * 10);
        child.kill().unwrap();
    }
    let mut killed = early;
    for line in output.lines() {
        answers.extend(parse(&line.unwrap()));
        if !killed && answers.len() as u64 > lines {
            std::thread::sleep(pause);
            child.kill().unwrap();
            killed = true;
        }
    }
    child.wait().unwrap();
    assert!(killed, "it ended by itself");
    answers
}

fn start(folder: &Path) -> Child {
    Process::new(std::env::current_exe().unwrap())
        .args(["--exact", "writes_until_killed", "--ignored", "--nocapture"])
        .env(FOLDER, folder)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// A whole line, which its full stop ends.
fn parse(line: &str) -> Option<Answer> {
    let words = line.split_once("answered ")?.1.strip_suffix('.')?;
    let mut words = words.split(' ');
    let mut next = || words.next();
    Some(Answer { command: next()?.parse().ok()?, seq: next()?.parse().ok()?, transfer: next()?.parse().ok()? })
}

fn roll(dice: &mut u64, end: u64) -> u64 {
    *dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    (*dice >> 33) % end
}
