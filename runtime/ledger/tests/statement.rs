//! Statements and histories of accounts: balances at both ends, what stands in a line, periods, and what is refused.
#![expect(clippy::unwrap_used, reason = "tests")]

mod town;

use std::sync::atomic::Ordering;

use hansa_economy::Amount;
use hansa_economy::channel::AccountId;
use hansa_economy::ledger::*;
use hansa_ledger::statement::{History, HistoryError, Period, Statement, history_folder, statement_folder};
use hansa_ledger::{Ledger, OpenError};
use town::*;

/// 2026-10-31T00:00:00Z.
const OCTOBER_31: u64 = 1_793_404_800 * SECOND;
const DAY_S: u64 = 24 * 3600;

/// Money in October, a channel and a hold in November, a payment back in December.
struct Autumn {
    town: Town,
    alice: AccountId,
    bob: AccountId,
    receipt: hansa_economy::Digest,
}

async fn autumn(folder: &std::path::Path) -> Autumn {
    let town = Town::found(folder).await;
    town.clock.store(OCTOBER_31, Ordering::Relaxed);
    let (alice, bob) = (town.account(&key(1), 10).await, town.account(&key(2), 1).await);
    town.done(&key(1), payment(1, alice, bob, 250_000)).await;
    town.wait(2 * DAY_S);
    let terms = terms(&town, (alice, &key(1)), (bob, &key(2)));
    town.done(&key(1), Command::ChannelOpen(ChannelOpen { terms: terms.clone(), deposit: Amount::credits(2) })).await;
    let proof = claim(&terms, &key(1), &key(2), 0, 1, 750_000);
    let receipt = hansa_economy::Signed::<hansa_economy::receipt::Receipt>::open(&proof.receipt).unwrap().digest();
    town.done(&key(2), Command::ChannelRedeem(ChannelRedeem { channel: terms.id(), claims: vec![proof] })).await;
    let hold = Transfer {
        id: Id128(2),
        debit: alice,
        credit: bob,
        amount: Amount::credits(1),
        asset: 1,
        code: 1,
        flags: TransferFlags::PENDING,
        timeout_s: 60,
        ..Transfer::default()
    };
    town.done(&key(1), Command::Transfer(TransferBatch { transfers: vec![hold] })).await;
    town.wait(30 * DAY_S);
    town.done(&key(2), Command::ChannelClose(ChannelClose { channel: terms.id(), at_once: true })).await;
    town.done(&key(2), payment(3, bob, alice, 500_000)).await;
    Autumn { town, alice, bob, receipt }
}

fn month(ledger: &Ledger, account: AccountId, text: &str) -> Statement {
    ledger.statement(account, Period::month(text).unwrap()).unwrap()
}

/// Reads the text of an amount with six places.
fn units(text: &str) -> i128 {
    text.replace('.', "").parse().unwrap()
}

fn ends(statement: &Statement) -> (&str, &str) {
    (&statement.opening, &statement.closing)
}

#[tokio::test]
async fn opening_and_lines_come_to_closing_month_by_month() {
    let folder = tempfile::tempdir().unwrap();
    let Autumn { town, alice, bob, .. } = autumn(folder.path()).await;
    let months = ["2026-09", "2026-10", "2026-11", "2026-12", "2027-01"];
    for account in [alice, bob] {
        let statements = months.map(|text| month(&town.ledger, account, text));
        for statement in &statements {
            let moved: i128 = statement.lines.iter().map(|line| units(&line.change)).sum();
            assert_eq!(units(&statement.opening) + moved, units(&statement.closing));
            assert_eq!(units(&statement.incoming) - units(&statement.outgoing), moved);
            assert_eq!(statement.lines.last().map_or(&statement.opening, |line| &line.balance), &statement.closing);
        }
        assert!(statements.windows(2).all(|pair| pair[0].closing == pair[1].opening));
        let balance = town.ledger.account(account).unwrap().unwrap().balance();
        assert_eq!(statements[4].closing, balance.to_string());
    }
    let of_alice = months.map(|text| month(&town.ledger, alice, text));
    assert_eq!(ends(&of_alice[0]), ("0.000000", "0.000000"));
    assert_eq!(ends(&of_alice[1]), ("0.000000", "9.750000"));
    assert_eq!(ends(&of_alice[2]), ("9.750000", "7.750000"));
    assert_eq!(ends(&of_alice[3]), ("7.750000", "9.500000"));
    assert_eq!(of_alice.map(|statement| statement.lines.len()), [0, 2, 1, 2, 0]);
    // The issuance account owes what it issued.
    let issuance = town.ledger.asset(1).unwrap().unwrap().issuance;
    assert_eq!(month(&town.ledger, issuance, "2026-10").closing, "-11.000000");
}

#[tokio::test]
async fn a_line_says_what_it_settles() {
    let folder = tempfile::tempdir().unwrap();
    let Autumn { town, alice, bob, receipt } = autumn(folder.path()).await;
    let statement = month(&town.ledger, bob, "2026-11");
    let [line] = statement.lines.as_slice() else { panic!("{statement:?}") };
    assert_eq!((line.kind, line.change.as_str(), line.receipts.as_slice()), ("channel-payment", "+0.750000", &[receipt][..]));
    assert!(line.channel.is_some() && line.time.starts_with("2026-11-02T00:00:00."));
    let issued = &month(&town.ledger, bob, "2026-10").lines[0];
    assert_eq!(
        (issued.kind, issued.reference.as_deref(), issued.counterparty_label.as_str()),
        ("issue", Some("r"), "issuance of CRED")
    );
    let text = statement.to_string();
    for expected in ["opening balance  1.250000", "closing balance  2.000000", &receipt.to_string(), "Statement of account"] {
        assert!(text.contains(expected), "`{expected}` in\n{text}");
    }
    let empty = month(&town.ledger, alice, "2030-01").to_string();
    assert!(empty.contains("nothing came in or went out") && empty.contains("opening balance  9.500000"), "{empty}");
}

#[tokio::test]
async fn a_history_is_the_newest_first_with_holds() {
    let folder = tempfile::tempdir().unwrap();
    let Autumn { town, alice, .. } = autumn(folder.path()).await;
    let kinds = |history: &History| history.lines.iter().map(|line| line.kind).collect::<Vec<_>>();
    let all = town.ledger.history(alice, Period::ALL, 100).unwrap();
    assert_eq!(kinds(&all), ["transfer", "channel-return", "expiry", "hold", "channel-deposit", "transfer", "issue"]);
    let changes: Vec<_> = all.lines.iter().map(|line| (line.change.as_str(), line.balance.as_str())).collect();
    assert_eq!(
        changes[..4],
        [("+0.500000", "9.500000"), ("+1.250000", "9.000000"), ("+1.000000", "7.750000"), ("-1.000000", "7.750000")]
    );
    let two = town.ledger.history(alice, Period::ALL, 2).unwrap();
    assert_eq!((kinds(&two), two.older), (vec!["transfer", "channel-return"], 5));
    assert!(two.to_string().contains("and 5 older lines"));
    let october = Period::days(None, "2026-10-31".parse().ok()).unwrap();
    assert_eq!(kinds(&town.ledger.history(alice, october, 100).unwrap()), ["transfer", "issue"]);
}

#[tokio::test]
async fn from_a_folder_and_what_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let Autumn { town, alice, .. } = autumn(folder.path()).await;
    let running = (month(&town.ledger, alice, "2026-11"), town.ledger.history(alice, Period::ALL, 9).unwrap());
    let locked = statement_folder(folder.path(), alice, Period::ALL);
    assert!(matches!(locked, Err(HistoryError::Open(OpenError::Locked(_)))));
    for limit in [0, 100_001] {
        assert!(matches!(town.ledger.history(alice, Period::ALL, limit), Err(HistoryError::BadLimit(_))));
    }
    let nobody = town.ledger.statement(AccountId(77), Period::ALL);
    assert!(nobody.unwrap_err().to_string().contains("knows no account"));
    drop(town);
    let again = statement_folder(folder.path(), alice, Period::month("2026-11").unwrap()).unwrap();
    assert_eq!((again, history_folder(folder.path(), alice, Period::ALL, 9).unwrap()), running);
}

/// A name that somebody else chose cannot write to the reader's terminal.
#[tokio::test]
async fn names_of_others_are_escaped() {
    let folder = tempfile::tempdir().unwrap();
    let town = Town::found(folder.path()).await;
    let alice = town.account(&key(1), 10).await;
    let label = "\u{1b}[2J\nclosing balance  99";
    town.done(&key(2), Command::AccountOpen(AccountOpen::new(1, label))).await;
    town.done(&key(1), payment(1, alice, account_id(key(2).public(), 1, label), 5)).await;
    let text = town.ledger.statement(alice, Period::ALL).unwrap().to_string();
    assert!(!text.contains('\u{1b}') && text.matches("\nclosing balance").count() == 1, "{text}");
}
