//! Hundreds of runs while engines, sellers and the bus are killed without warning. Every run ends as its file says, no step is paid twice, no budget is
//! passed, and every unit is accounted for.
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a test, which prints its seed")]

mod shared;

use std::collections::{HashMap, HashSet};
use std::process::Command;
use std::time::{Duration, Instant};

use hansa_bus::ServerState;
use hansa_economy::channel::AccountId;
use hansa_economy::ledger::account_id;
use hansa_economy::{Amount, PublicKey};
use hansa_node::admin::{self, Ask, Reply};
use hansa_node::ledger::{CREDITS, LedgerLink};
use hansa_node::workflow::{JournalPart, Order, Start, State, Summary};
use hansa_node::{ambient, keys};
use hansa_workflow::run::{Change, Ending};
use serde_json::{Value, json};
use shared::process::{Dice, Process};
use shared::*;

const RUNS: usize = 200;
const KILLS: u32 = 14;
const FUNDS: Amount = Amount::credits(100);
/// What the four calls and the one that undoes cost at most: one more would pass it.
const BUDGET: Amount = Amount(5_000);
/// No new kill after this, so that a slow machine does fewer instead of failing.
const KILLING: Duration = Duration::from_secs(45);
/// All that is under way must have ended so long after the last kill.
const ENDING: Duration = Duration::from_secs(150);

/// Four calls, some of them beside each other; every fifth run fails at its end, and undoes its first step.
const FILE: &str = r#"
workflow: test/kill
version: 1.0.0
budget: "0.005"
inputs: { parts: list, fails: boolean }
steps:
  - id: first
    call: 'fixture:parts/greeter@0.1.0 echo-bytes'
    with: { bytes: "${ .input.parts[0] }" }
    retry: { initial-interval: 100ms, max-interval: 1s, max-attempts: 500 }
    compensate: { call: 'fixture:parts/greeter@0.1.0 nothing', retry: { initial-interval: 100ms, max-interval: 1s, max-attempts: 500 } }
  - id: parts
    map: "${ .input.parts }"
    as: part
    concurrency: 2
    do:
      - id: echo
        call: 'fixture:parts/greeter@0.1.0 echo-bytes'
        with: { bytes: "${ .part }" }
        retry: { initial-interval: 100ms, max-interval: 1s, max-attempts: 500 }
  - { id: rest, wait: { for: 500ms } }
  - id: fails
    if: "${ .input.fails }"
    then:
      - { id: refuse, call: 'fixture:parts/greeter@0.1.0 refuse', with: { reason: "no" }, retry: { initial-interval: 100ms, max-interval: 1s, max-attempts: 500 } }
output: { first: "${ .steps.first }", parts: "${ .steps.parts }" }
"#;

const NORTH: usize = 0;
const SOUTH: usize = 1;
const EAST: usize = 2;
const WEST: usize = 3;

async fn order(node: &Process, order: Order) -> Option<Value> {
    match admin::ask(&node.data(), &Ask::Workflow { order }).await {
        Ok(Reply::Workflow { value }) => Some(value),
        _ => None,
    }
}

/// The runs that begin, until there are enough: by whichever engine is there.
async fn begin(node: &Process, nth: usize) -> bool {
    let part = |n: u8| Value::String(base64_of(&[n, nth as u8]));
    let input = json!({ "parts": [part(1), part(2), part(3)], "fails": nth % 5 == 4 });
    let Value::Object(input) = input else { return false };
    let start = Start { file: FILE.to_owned(), input, labels: [].into(), budget: None, by: "a test".to_owned() };
    order(node, Order::Start(Box::new(start))).await.is_some()
}

fn base64_of(bytes: &[u8; 2]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let bits = u32::from(bytes[0]) << 16 | u32::from(bytes[1]) << 8;
    let letter = |shift: u32| char::from(LETTERS[(bits >> shift & 63) as usize]);
    [letter(18), letter(12), letter(6), '='].iter().collect()
}

async fn runs(node: &Process) -> Option<Vec<Summary>> {
    serde_json::from_value(order(node, Order::List).await?).ok()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_is_killed_every_run_ends_and_every_unit_is_there() {
    let seed = std::env::var("HANSA_TEST_SEED").ok().and_then(|text| text.parse().ok()).unwrap_or_else(ambient::now_ns);
    println!("HANSA_TEST_SEED={seed}");
    let (server, folder) = (hansa_bus::testing::server().await, tempfile::tempdir().unwrap());
    let key_file = folder.path().join("business.key");
    let key = keys::load_or_make(&key_file).unwrap().public();
    let engine = |name| {
        let workflow =
            format!("[inference]\nlibrary = \"none\"\nmodels = \"none\"\n[workflow]\nkey = \"{}\"\n", key_file.display());
        Process::with(name, folder.path(), &server.url(), false, &workflow)
    };
    let plain = |name, keeps_ledger| Process::new(name, folder.path(), &server.url(), keeps_ledger);
    let mut nodes = [plain("north", true), plain("south", false), engine("east"), engine("west")];
    for node in &mut nodes {
        node.start().await;
    }
    nodes[SOUTH].deploy("greeter", &greeter("fixture/greeter", "0.001")).await;
    let business = account_id(key, CREDITS, "main");
    nodes[NORTH].issue(business, FUNDS).await;

    let mut dice = Dice(seed | 1);
    let (begun, kills) = kill_while_runs_begin(&mut nodes, &server, &mut dice).await;
    let summaries = all_over(&nodes).await;
    println!("{begun} runs began while {kills} times something was killed");
    assert!(begun >= RUNS / 2, "only {begun} runs began");
    // Of a start whose answer was lost with its engine there may be a run too.
    assert!(summaries.len() >= begun, "{begun} runs began, {} are known", summaries.len());
    let spent = judge(&nodes, &summaries).await;
    settle(&nodes).await;
    account(&nodes, &server, key, spent).await;
    for node in nodes.iter_mut().rev() {
        node.shut_down().await;
    }
    let report = hansa_ledger::check_folder(&nodes[NORTH].data().join("ledger")).unwrap();
    assert_eq!((report.problem, report.assets[0].supply), (None, FUNDS));
}

async fn kill_while_runs_begin(
    nodes: &mut [Process; 4],
    server: &hansa_bus::testing::TestServer,
    dice: &mut Dice,
) -> (usize, u32) {
    let started = Instant::now();
    let (mut begun, mut kills) = (0, 0);
    while begun < RUNS || kills < KILLS {
        if started.elapsed() > KILLING && begun >= RUNS / 2 {
            break;
        }
        for _ in 0..8 {
            let node = &nodes[[EAST, WEST][dice.below(2) as usize]];
            begun += usize::from(begun < RUNS && begin(node, begun).await);
        }
        if kills < KILLS && started.elapsed() <= KILLING {
            tokio::time::sleep(Duration::from_micros(dice.below(800_000))).await;
            match dice.below(5) {
                4 => kill_bus(server).await,
                // Engines twice as often as sellers.
                chosen => {
                    let victim = &mut nodes[[SOUTH, EAST, WEST, EAST][chosen as usize]];
                    victim.kill();
                    tokio::time::sleep(Duration::from_micros(dice.below(3_000_000))).await;
                    victim.start().await;
                }
            }
            kills += 1;
        }
    }
    (begun, kills)
}

/// Without warning; its supervisor starts it again.
async fn kill_bus(server: &hansa_bus::testing::TestServer) {
    let ServerState::Running { pid } = server.managed().state() else { return };
    assert!(Command::new("kill").args(["-9", &pid.to_string()]).status().unwrap().success());
    let again = |state: &ServerState| matches!(state, ServerState::Running { pid: now } if *now != pid);
    let back = tokio::time::timeout(Duration::from_secs(20), server.managed().states().wait_for(again)).await.is_ok();
    assert!(back, "the bus did not come back");
}

/// All runs, once each is over and its money settled.
async fn all_over(nodes: &[Process; 4]) -> Vec<Summary> {
    let deadline = Instant::now() + ENDING;
    loop {
        let runs = runs(&nodes[EAST]).await.unwrap_or_default();
        let open: Vec<&Summary> = runs.iter().filter(|run| !run.settled).collect();
        if open.is_empty() && !runs.is_empty() {
            return runs;
        }
        if Instant::now() > deadline {
            for node in nodes {
                println!("{}", node.log());
            }
            let journal = Order::Journal { run: open[0].run.clone(), after: 0 };
            let journal = order(&nodes[EAST], journal).await.unwrap_or_default();
            println!("{journal:#}\nwhat went wrong last, and how often: {:#?}", last_faults(nodes, &open).await);
            panic!("{} of {} runs do not end: {:?}", open.len(), runs.len(), open[0]);
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// The last thing that went wrong in each of these runs.
async fn last_faults(nodes: &[Process; 4], open: &[&Summary]) -> HashMap<String, usize> {
    let mut faults = HashMap::new();
    for summary in open {
        let journal = Order::Journal { run: summary.run.clone(), after: 0 };
        let value = order(&nodes[EAST], journal).await.unwrap_or_default();
        let Ok(part) = serde_json::from_value::<JournalPart>(value) else { continue };
        let mut last = part.entries.into_iter().flat_map(|entry| entry.changes).filter_map(|change| match change {
            Change::Missed { fault, .. } | Change::Unclear { fault, .. } => Some(fault),
            _ => None,
        });
        *faults.entry(last.next_back().unwrap_or_default()).or_default() += 1;
    }
    faults
}

/// Each run as its file says; what all of them spent.
async fn judge(nodes: &[Process; 4], summaries: &[Summary]) -> Amount {
    let (mut sum, mut taken, mut receipts) = (Amount::ZERO, 0, HashSet::new());
    for summary in summaries {
        let value = order(&nodes[WEST], Order::Journal { run: summary.run.clone(), after: 0 }).await.unwrap();
        let part: JournalPart = serde_json::from_value(value).unwrap();
        assert!(!part.more);
        let changes: Vec<Change> = part.entries.into_iter().flat_map(|entry| entry.changes).collect();
        let mut answers: HashMap<String, Amount> = HashMap::new();
        let mut input = json!(null);
        let mut over = None;
        for change in changes {
            match change {
                Change::Started(started) => input = Value::Object(started.input),
                Change::Taken { .. } => taken += 1,
                Change::Answered(answered) => {
                    assert!(answers.insert(answered.step.clone(), answered.charged).is_none(), "{} twice", answered.step);
                    assert!(receipts.insert(answered.receipt.unwrap()), "one receipt pays for two steps");
                }
                Change::Ended { how, output, spent, .. } => over = Some((how, output, spent)),
                _ => {}
            }
        }
        let (how, output, spent) = over.expect("it is over");
        let fails = input["fails"] == true;
        let wanted = if fails { (Ending::Failed, State::Failed) } else { (Ending::Completed, State::Completed) };
        assert_eq!((how, summary.state), wanted, "{}: {:?}", summary.run, summary.why);
        let steps = if fails { 5 } else { 4 };
        assert_eq!(answers.len(), steps, "{}: {answers:?}", summary.run);
        assert_eq!(answers.contains_key("undo/first"), fails);
        if !fails {
            let wanted = json!({ "first": input["parts"][0], "parts": input["parts"] });
            assert_eq!(output, Some(wanted), "{}", summary.run);
        }
        let charged = answers.values().fold(Amount::ZERO, |sum, charged| sum.saturating_add(*charged));
        assert_eq!((spent, summary.spent), (charged, charged), "{}", summary.run);
        assert!(charged <= BUDGET);
        sum = sum.saturating_add(charged);
    }
    println!("{} runs cost {sum}, and changed hands {taken} times", summaries.len());
    assert!(taken > 0, "no run was taken over");
    sum
}

/// Everything that is earned is collected, and every deposit comes back.
async fn settle(nodes: &[Process; 4]) {
    for _ in 0..3 {
        for node in [EAST, WEST, SOUTH] {
            nodes[node].ask(Ask::Settle { close: true }).await;
        }
    }
}

/// What runs spent left the business's account, and nothing else did; the sellers have no more than that.
async fn account(nodes: &[Process; 4], server: &hansa_bus::testing::TestServer, key: PublicKey, spent: Amount) {
    nodes[NORTH].check(FUNDS).await;
    let link = LedgerLink::find(&server.bus().await).await.unwrap();
    let balance = async |id: AccountId| link.account(id).await.unwrap().unwrap().available();
    let main = balance(account_id(key, CREDITS, "main")).await;
    assert_eq!(main, FUNDS.saturating_sub(spent), "the business's account");
    let earned = balance(nodes[SOUTH].account_of("greeter").await).await;
    println!("the seller has {earned} of {spent}");
    assert!(earned <= spent, "the seller has {earned}, and runs spent {spent}");
    assert!(earned > Amount::ZERO);
}
