//! Real processes that are killed without warning while money moves. Whatever is lost, the books of the economy stay true.
//!
//! A client buys from the caller on `south`, which buys from the greeter on `north`, which keeps the ledger. One of the two
//! nodes is killed again and again, so that buyer, seller and ledger each lose what they had not written yet.
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a test, which prints its seed")]

mod shared;

use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use hansa_economy::Amount;
use hansa_economy::channel::AccountId;
use hansa_economy::ledger::AccountKind;
use hansa_ledger::{Ledger, LedgerOptions};
use hansa_node::admin::Ask;
use hansa_node::{Client, ambient};
use shared::process::{Dice, Process};
use shared::*;

/// What a killed seller may lose: the group that its books collect and the one that they write, on a slow disk.
const UNWRITTEN: Duration = Duration::from_millis(250);
/// No new kill after this, so that a slow machine does fewer instead of failing.
const KILLING: Duration = Duration::from_secs(45);
const FUNDS: Amount = Amount::credits(100);
/// Of the client and the caller.
const SUPPLY: Amount = Amount::credits(200);
const CALLER_PRICE: Amount = Amount(3_000);

/// What the buyer saw.
#[derive(Default)]
struct Seen {
    stop: AtomicBool,
    answered: AtomicU64,
    failed: AtomicU64,
    /// By verified receipts, smallest units.
    charged: AtomicU64,
    /// Why the last call failed.
    why: Mutex<String>,
    /// When each answer came.
    at: Mutex<Vec<Instant>>,
    /// When the seller was killed.
    killed: Mutex<Vec<Instant>>,
}

impl Seen {
    /// Answers so shortly before a kill of the seller that it may not have written them down.
    fn doubtful(&self) -> u128 {
        let killed = self.killed.lock().unwrap();
        let near = |at: &&Instant| killed.iter().any(|kill| **at <= *kill + UNWRITTEN && **at + UNWRITTEN > *kill);
        self.at.lock().unwrap().iter().filter(near).count() as u128 + killed.len() as u128
    }
}

async fn shop(client: Arc<Client>, seen: Arc<Seen>) {
    while !seen.stop.load(Relaxed) {
        match client.call(BUYER, "relay-bytes", bytes_arg(b"money"), Amount::credits(1), 1500).await {
            Ok(bought) => {
                seen.charged.fetch_add(u64::try_from(bought.charged.0).unwrap(), Relaxed);
                match hansa_host::is_fault(&bought.answer) {
                    true => assert_eq!(bought.charged, Amount::ZERO, "a fault costs nothing"),
                    false => assert_eq!((bought.answer.as_ref(), bought.charged), (ok_bytes(b"money").as_slice(), CALLER_PRICE)),
                }
                if bought.charged == Amount::ZERO {
                    *seen.why.lock().unwrap() = String::from_utf8_lossy(&bought.answer).into_owned();
                }
                let counter = if bought.charged > Amount::ZERO { &seen.answered } else { &seen.failed };
                counter.fetch_add(1, Relaxed);
                seen.at.lock().unwrap().push(Instant::now());
            }
            Err(fault) => {
                *seen.why.lock().unwrap() = fault.to_string();
                seen.failed.fetch_add(1, Relaxed);
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        }
    }
}

/// Trade must come back after each kill: wait for `count` more answers.
async fn trade(seen: &Seen, count: u64, nodes: &[Process; 2]) {
    let (from, deadline) = (seen.answered.load(Relaxed), Instant::now() + Duration::from_secs(15));
    while seen.answered.load(Relaxed) < from + count {
        let why = || seen.why.lock().unwrap().clone();
        assert!(Instant::now() < deadline, "no trade any more: {}\n{}\n{}", why(), nodes[0].log(), nodes[1].log());
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_nodes_leave_true_books() {
    kill_and_audit(12, &[NORTH, SOUTH]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_ledger_loses_nothing() {
    kill_and_audit(4, &[NORTH]).await;
}

const NORTH: usize = 0;
const SOUTH: usize = 1;

async fn kill_and_audit(kills: u32, victims: &[usize]) {
    let seed = std::env::var("HANSA_TEST_SEED").ok().and_then(|text| text.parse().ok()).unwrap_or_else(ambient::now_ns);
    println!("HANSA_TEST_SEED={seed}");
    let (server, folder) = (hansa_bus::testing::server().await, tempfile::tempdir().unwrap());
    let mut nodes =
        [Process::new("north", folder.path(), &server.url(), true), Process::new("south", folder.path(), &server.url(), false)];
    nodes[0].start().await;
    nodes[1].start().await;
    nodes[0].deploy("greeter", &greeter("fixture/greeter", "0.001")).await;
    nodes[1].deploy("caller", &caller("0.003")).await;
    let client = Arc::new(Client::connect(&server.url(), &folder.path().join("client")).await.unwrap());
    let accounts = [client.account(), nodes[1].account_of("caller").await, nodes[0].account_of("greeter").await];
    nodes[0].issue(accounts[0], FUNDS).await;
    nodes[0].issue(accounts[1], FUNDS).await;

    let seen = Arc::new(Seen::default());
    let shopping = tokio::spawn(shop(client.clone(), seen.clone()));
    let kills = kill_again_and_again(&mut nodes, &seen, Dice(seed | 1), kills, victims).await;
    seen.stop.store(true, Relaxed);
    shopping.await.unwrap();

    client.settle().await;
    nodes[1].ask(Ask::Settle { close: false }).await;
    nodes[0].ask(Ask::Settle { close: false }).await;
    nodes[0].check(SUPPLY).await;
    client.settle().await;
    nodes[1].shut_down().await;
    nodes[0].shut_down().await;
    let (answered, failed) = (seen.answered.load(Relaxed), seen.failed.load(Relaxed));
    println!("{kills} kills, {answered} answers, {failed} failures");
    audit(&nodes[0].data().join("ledger"), accounts, &seen, kills);
}

async fn kill_again_and_again(nodes: &mut [Process; 2], seen: &Seen, mut dice: Dice, kills: u32, victims: &[usize]) -> u32 {
    let begun = Instant::now();
    for nth in 0..kills {
        if begun.elapsed() > KILLING {
            return nth;
        }
        trade(seen, 5, nodes).await;
        tokio::time::sleep(Duration::from_micros(dice.below(600_000))).await;
        let chosen = victims[dice.below(victims.len() as u64) as usize];
        let victim = &mut nodes[chosen];
        victim.kill();
        if chosen == SOUTH {
            seen.killed.lock().unwrap().push(Instant::now());
        }
        victim.start().await;
        nodes[0].check(SUPPLY).await;
    }
    trade(seen, 5, nodes).await;
    kills
}

/// Everything that can be said about the ledger when all is over.
fn audit(folder: &Path, [client, caller, greeter]: [AccountId; 3], seen: &Seen, kills: u32) {
    let report = hansa_ledger::check_folder(folder).unwrap();
    assert_eq!(report.problem, None);
    let supply = FUNDS.saturating_mul(2);
    assert_eq!(report.assets[0].supply, supply);
    let ledger = Ledger::open(folder, LedgerOptions::new(Arc::new(ambient::now_ns))).unwrap();
    let channels = ledger.channels().unwrap();
    let sum =
        |amounts: &mut dyn Iterator<Item = Amount>| amounts.fold(Amount::ZERO, |sum, amount| sum.checked_add(amount).unwrap());
    let from = |payer: AccountId| channels.iter().filter(move |channel| channel.terms.payer == payer);
    let to = |payee: AccountId| channels.iter().filter(move |channel| channel.terms.payee == payee);
    let balance = |id: AccountId| {
        let account = ledger.account(id).unwrap().unwrap();
        assert_eq!(account.kind, AccountKind::Ordinary);
        assert!(account.debits_posted.saturating_add(account.debits_pending) <= account.credits_posted, "{id} is negative");
        account.available()
    };
    for (account, funds) in [(client, FUNDS), (caller, FUNDS), (greeter, Amount::ZERO)] {
        let earned = sum(&mut to(account).map(|channel| channel.redeemed));
        let paid = sum(&mut from(account).map(|channel| channel.redeemed));
        let locked = sum(&mut from(account).map(|channel| channel.left()));
        let had = funds.checked_add(earned).unwrap();
        assert_eq!(had, sum(&mut [balance(account), paid, locked].into_iter()), "account {account}");
    }
    let held = sum(&mut channels.iter().map(|channel| channel.left()));
    assert_eq!(
        supply,
        sum(&mut [balance(client), balance(caller), balance(greeter), held].into_iter()),
        "nobody else has anything"
    );

    let paid = sum(&mut from(client).map(|channel| channel.redeemed));
    let charged = Amount(seen.charged.load(Relaxed).into());
    let lost = charged.saturating_sub(paid);
    println!("the client was charged {charged} and paid {paid}; {} channels", channels.len());
    assert!(paid <= charged, "paid {paid} for receipts of {charged}");
    // A killed seller loses the receipts of its last unwritten moments, and nothing else; one that lives loses nothing.
    let bound = CALLER_PRICE.saturating_mul(seen.doubtful());
    println!("the seller lost {lost}, it may have lost {bound}");
    assert!(lost <= bound, "the seller lost {lost}, more than {bound}");
    assert!(to(caller).count() <= 1 + kills as usize && to(greeter).count() <= 1 + kills as usize);
}
