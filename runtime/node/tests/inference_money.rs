//! What agents pay for inference: to the unit what was charged, however often the node is killed, whatever callers give up.
#![expect(clippy::unwrap_used, reason = "a test")]

mod shared;

use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use hansa_economy::Amount;
use hansa_economy::channel::AccountId;
use hansa_ledger::{Ledger, LedgerOptions};
use hansa_node::admin::{Ask, Reply};
use hansa_node::{Client, ambient};
use shared::process::{Dice, Process};
use shared::*;

const EMBEDDER: &str = "commons:embedding/embedder@0.1.0";
const FUNDS: Amount = Amount::credits(100);
/// What the embedder begins with: enough for some holds, then it lives on what it earns, and on credit meanwhile.
const CAPITAL: Amount = Amount(50_000);
const KILLS: u64 = 5;
const SHOPPERS: u64 = 6;

/// What the buyers saw.
#[derive(Default)]
struct Seen {
    stop: AtomicBool,
    answered: AtomicU64,
    /// By the receipts' units and MiniLM's price card, smallest units.
    cost: AtomicU64,
    receipts: Mutex<Vec<hansa_economy::Digest>>,
    /// What went wrong, each kind once, in the order in which it came.
    trouble: Mutex<Vec<String>>,
}

impl Seen {
    /// Numbers differ from one time to the next.
    fn note(&self, trouble: String) {
        let kind = |text: &str| text.replace(|letter: char| letter.is_ascii_digit(), "");
        let mut known = self.trouble.lock().unwrap();
        if known.len() < 50 && !known.iter().any(|other| kind(other) == kind(&trouble)) {
            known.push(trouble);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn charges_are_the_ledgers_movements_to_the_unit() {
    let seed = std::env::var("HANSA_TEST_SEED").ok().and_then(|text| text.parse().ok()).unwrap_or_else(ambient::now_ns);
    println!("HANSA_TEST_SEED={seed}");
    let mut dice = Dice(seed | 1);
    let (server, folder) = (hansa_bus::testing::server().await, tempfile::tempdir().unwrap());
    let tools = tools();
    let inference = format!(
        "[inference]\nlibrary = \"{}\"\nmodels = \"{}\"\n",
        tools.join("lib/libonnxruntime.so").display(),
        tools.join("models").display()
    );
    let mut node = Process::with("north", folder.path(), &server.url(), true, &inference);
    node.start().await;
    let manifest = std::fs::read_to_string(workspace().join("agents/embedder/agent.toml")).unwrap();
    node.deploy_component("embedder", &manifest, component("agent-embedder")).await;
    node.issue(node.account_of("embedder").await, CAPITAL).await;
    let Reply::Status(status) = node.ask(Ask::Status).await else { panic!("not a status") };
    let operator: AccountId = status.account.parse().unwrap();

    let seen = Arc::new(Seen::default());
    let journal = node.data().join("meter/journal.jsonl");
    let mut charged = 0;
    for life in 0..=KILLS {
        // New buyers each time: the lanes of those before are in doubt until their seller has looked through its books.
        let client = Arc::new(Client::connect(&server.url(), &folder.path().join(format!("client-{life}"))).await.unwrap());
        node.issue(client.account(), FUNDS).await;
        seen.stop.store(false, Relaxed);
        let shopper = |_| tokio::spawn(shop(client.clone(), seen.clone(), Dice(dice.below(u64::MAX) | 1)));
        let shopping: Vec<_> = (0..SHOPPERS).map(shopper).collect();
        answers(&seen, 10, &node).await;
        tokio::time::sleep(Duration::from_millis(dice.below(400))).await;
        if dice.below(2) == 0 {
            node.ask(Ask::Settle { close: false }).await;
        }
        if life < KILLS {
            node.kill();
            charged += charges(&journal);
        }
        seen.stop.store(true, Relaxed);
        for shopper in shopping {
            shopper.await.unwrap();
        }
        add_receipts(&client, &seen).await;
        if life < KILLS {
            node.start().await;
        } else {
            client.settle().await;
        }
    }
    // The embedder's last earnings are there after the first settling, and pay its debt in the second.
    node.ask(Ask::Settle { close: false }).await;
    node.ask(Ask::Settle { close: false }).await;
    node.check(FUNDS.saturating_mul(KILLS as u128 + 1).saturating_add(CAPITAL)).await;
    node.shut_down().await;
    charged += charges(&journal);

    let ledger = Ledger::open(&node.data().join("ledger"), LedgerOptions::new(Arc::new(ambient::now_ns))).unwrap();
    let paid = ledger.account(operator).unwrap().unwrap();
    println!("{} answers that cost {}, charged {charged}", seen.answered.load(Relaxed), seen.cost.load(Relaxed));
    assert_eq!(paid.credits_posted, Amount(charged.into()), "the operator got what was charged");
    assert_eq!((paid.debits_posted, paid.credits_pending), (Amount::ZERO, Amount::ZERO), "no hold is left");
    // Whoever was answered was charged for; others may have been, whose answer was lost with the node or came too late.
    assert!(seen.cost.load(Relaxed) <= charged, "{} was used by answered calls", seen.cost.load(Relaxed));
    assert!(seen.answered.load(Relaxed) > 10 * KILLS);
}

async fn shop(client: Arc<Client>, seen: Arc<Seen>, mut dice: Dice) {
    while !seen.stop.load(Relaxed) {
        let texts: Vec<String> = (0..1 + dice.below(4)).map(|_| "money ".repeat(1 + dice.below(60) as usize)).collect();
        let deadline_ms = 5 + dice.below(600) as u32;
        let call = client.call(EMBEDDER, "embed", minicbor::to_vec([texts]).unwrap(), Amount::credits(1), deadline_ms);
        // Some buyers give up.
        let patience = Duration::from_millis(if dice.below(4) == 0 { dice.below(40) } else { 2000 });
        match tokio::time::timeout(patience, call).await {
            Ok(Ok(bought)) if !hansa_host::is_fault(&bought.answer) => {
                seen.answered.fetch_add(1, Relaxed);
                seen.receipts.lock().unwrap().extend(bought.receipt);
            }
            Ok(Ok(bought)) => seen.note(format!("{:?}", fault_in(&bought.answer))),
            Err(_) => {}
            Ok(Err(fault)) => {
                seen.note(format!("{fault:?}"));
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        }
    }
}

/// What the answered calls used, by their receipts and the price card.
async fn add_receipts(client: &Client, seen: &Seen) {
    let digests = std::mem::take(&mut *seen.receipts.lock().unwrap());
    for digest in digests {
        let receipt = client.receipt(digest).await.unwrap().expect("a buyer keeps its receipts");
        for run in &receipt.body.models {
            seen.cost.fetch_add(10 + (400 * run.input_units).div_ceil(1000), Relaxed);
        }
    }
}

/// The service must come back after each kill: wait for `count` more answers.
async fn answers(seen: &Seen, count: u64, node: &Process) {
    let (from, deadline) = (seen.answered.load(Relaxed), std::time::Instant::now() + Duration::from_secs(60));
    while seen.answered.load(Relaxed) < from + count {
        assert!(std::time::Instant::now() < deadline, "no answers any more: {:#?}\n{}", seen.trouble.lock().unwrap(), node.log());
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// The charges that the journal of a node that does not run holds, without the sums that it began with.
fn charges(journal: &Path) -> u64 {
    let text = std::fs::read_to_string(journal).unwrap();
    let whole = &text[..text.rfind('\n').map_or(0, |last| last + 1)];
    let none = "0".repeat(64);
    let of_line = |line: &str| {
        let record: serde_json::Value = serde_json::from_str(line).unwrap();
        let charge = &record["charge"];
        if charge["model"].as_str().is_some_and(|model| model != none) { charge["cost"].as_u64().unwrap() } else { 0 }
    };
    whole.lines().map(of_line).sum()
}
