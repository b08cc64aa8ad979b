//! Workflows on whole nodes: what a run buys, costs and gives, and how it goes on when its engine is gone.
#![expect(clippy::unwrap_used, reason = "tests")]

mod shared;

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use hansa_economy::channel::AccountId;
use hansa_economy::ledger::account_id;
use hansa_economy::{Amount, PublicKey};
use hansa_node::ledger::CREDITS;
use hansa_node::workflow::{JournalPart, Order, Start, State, Steer, Summary};
use hansa_node::{Node, NodeConfig, keys};
use hansa_workflow::run::Change;
use serde_json::{Value, json};
use shared::*;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

const FILE: &str = r#"
workflow: test/relay
version: 1.0.0
budget: "0.05"
inputs: { parts: list }
steps:
  - id: parts
    map: "${ .input.parts }"
    as: part
    concurrency: 3
    do:
      - { id: echo, call: 'fixture:parts/greeter@0.1.0 echo-bytes', with: { bytes: "${ .part }" } }
  - { id: again, call: 'fixture:parts/greeter@0.1.0 echo-bytes', with: { bytes: "${ .steps.parts[0] }" } }
output: { parts: "${ .steps.parts }", again: "${ .steps.again }" }
"#;

/// Nodes that run the workflows of one business.
struct Business {
    town: Town,
    key: PublicKey,
}

impl Business {
    async fn open(funds: Amount) -> Business {
        let town = town().await;
        let key = keys::load_or_make(&town.folder.path().join("business.key")).unwrap().public();
        let business = Business { town, key };
        // The account is there as soon as somebody opens it.
        let engine = business.node("east").await;
        business.town.fund(business.main(), funds).await;
        engine.stop().await;
        business
    }

    fn config(&self, name: &str) -> NodeConfig {
        let mut config = config(name, &self.town.folder.path().join(name), &self.town.server.url(), false);
        config.workflow.key = Some(self.town.folder.path().join("business.key"));
        config
    }

    async fn node(&self, name: &str) -> Node {
        let deadline = Instant::now() + Duration::from_secs(10);
        loop {
            match Node::start(self.config(name)).await {
                Err(error) if error.0.contains("in use") && Instant::now() < deadline => {
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
                started => return started.unwrap(),
            }
        }
    }

    fn main(&self) -> AccountId {
        account_id(self.key, CREDITS, "main")
    }

    fn till(&self) -> AccountId {
        account_id(self.key, CREDITS, "till")
    }
}

async fn start(node: &Node, file: &str, input: Value) -> Result<String, String> {
    let Value::Object(input) = input else { panic!("a map") };
    let start = Start { file: file.to_owned(), input, labels: [].into(), budget: None, by: "a test".to_owned() };
    node.engine().unwrap().begin(start).await
}

async fn steer(node: &Node, steer: Steer) -> Result<Value, String> {
    node.engine().unwrap().order(Order::Steer(steer)).await
}

async fn part(node: &Node, run: &str) -> JournalPart {
    let value = node.engine().unwrap().order(Order::Journal { run: run.to_owned(), after: 0 }).await.unwrap();
    serde_json::from_value(value).unwrap()
}

async fn changes(node: &Node, run: &str) -> Vec<Change> {
    part(node, run).await.entries.into_iter().flat_map(|entry| entry.changes).collect()
}

/// How it stands, once `wanted` holds.
async fn until(node: &Node, run: &str, wanted: impl Fn(&Summary) -> bool) -> Summary {
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        let summary = part(node, run).await.summary;
        if wanted(&summary) {
            return summary;
        }
        assert!(Instant::now() < deadline, "it stands so: {summary:?}; {:#?}", changes(node, run).await);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn output(node: &Node, run: &str) -> Option<Value> {
    changes(node, run).await.into_iter().find_map(|change| match change {
        Change::Ended { output, .. } => output,
        _ => None,
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_run_buys_pays_and_gives_back_what_is_left() {
    let business = Business::open(Amount::credits(1)).await;
    let east = business.node("east").await;
    let north = &business.town.north;
    north.deploy(&greeter("fixture/greeter", "0.002"), component("fixture-greeter")).await.unwrap();
    see(&business.town.client("onlooker", Amount::ZERO).await, GREETER, 1).await;

    let run = start(&east, FILE, json!({ "parts": ["AQ==", "Ag==", "Aw=="] })).await.unwrap();
    let summary = until(&east, &run, |summary| summary.settled).await;
    assert_eq!((summary.state, summary.spent), (State::Completed, Amount(8_000)), "{:?}", summary.why);
    let wanted = json!({ "parts": ["AQ==", "Ag==", "Aw=="], "again": "AQ==" });
    assert_eq!(output(&east, &run).await, Some(wanted));

    east.settle().await;
    north.settle().await;
    east.close_channels().await;
    assert_eq!(business.town.balance(account_of(north, "greeter").await).await, Amount(8_000));
    assert_eq!(business.town.balance(business.main()).await, Amount(992_000));
    assert_eq!(business.town.balance(business.till()).await, Amount::ZERO);
    assert_eq!(business.town.escrow(), Amount::ZERO);
    business.town.check();

    let short = start(&east, &FILE.replace("0.05", "5"), json!({ "parts": [] })).await.unwrap_err();
    assert!(short.contains("cannot set 5.000000 aside") && short.contains("hansa account fund"), "{short}");
    let wrong = start(&east, FILE, json!({ "part": [] })).await.unwrap_err();
    assert!(wrong.contains("input `parts`"), "{wrong}");
    assert_eq!(business.town.balance(business.main()).await, Amount(992_000), "nothing is held");
    east.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_run_goes_on_where_its_engine_stopped_and_is_steered_from_any_node() {
    let business = Business::open(Amount::credits(1)).await;
    let (east, west) = (business.node("east").await, business.node("west").await);
    let north = &business.town.north;
    north.deploy(&greeter("fixture/greeter", "0.002"), component("fixture-greeter")).await.unwrap();
    see(&business.town.client("onlooker", Amount::ZERO).await, GREETER, 1).await;
    let file = FILE.replace(
        "  - { id: again",
        "  - { id: ask, approve: { message: 'Go on? ${ .spent } is spent.', expires: 1h, on-expiry: fail } }\n  - { id: tell, wait: { signal: done, timeout: 1h } }\n  - { id: again",
    );
    let run = start(&east, &file, json!({ "parts": ["AQ=="] })).await.unwrap();
    until(&west, &run, |summary| summary.state == State::Waiting).await;
    let bought = |changes: &[Change]| changes.iter().filter(|change| matches!(change, Change::Answered(_))).count();
    assert_eq!(bought(&changes(&west, &run).await), 1);

    // The order comes to a node that does not have the run.
    let wrong = Steer::Decide { run: run.clone(), step: Some("asks".into()), approved: true, by: "Kim".into(), note: None };
    let told = steer(&west, wrong).await.unwrap_err();
    assert!(told.contains("`ask` does"), "{told}");
    east.stop().await;
    let taken = until(&west, &run, |summary| summary.node == "west").await;
    assert!(!taken.state.is_over());
    let yes = Steer::Decide { run: run[..run.len() - 2].into(), step: None, approved: true, by: "Kim".into(), note: None };
    steer(&west, yes).await.unwrap();
    let signal = Steer::Signal { run: run.clone(), name: "done".into(), payload: json!(1), by: "a test".into() };
    steer(&west, signal).await.unwrap();
    let summary = until(&west, &run, |summary| summary.settled).await;
    assert_eq!((summary.state, summary.spent), (State::Completed, Amount(4_000)));
    assert_eq!(bought(&changes(&west, &run).await), 2, "nothing was bought again");
    let over = steer(&west, Steer::Pause { run: run.clone(), why: "late".into() }).await.unwrap_err();
    assert!(over.contains("is over: completed"), "{over}");
    west.close_channels().await;
    assert_eq!(business.town.balance(business.main()).await, Amount(996_000));
    business.town.check();
    west.stop().await;
}

/// One request over HTTP: the status and the JSON that came back.
async fn http(address: SocketAddr, request: &str, headers: &str, body: &str) -> (u16, Value) {
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    let head = format!("{request} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: {}\r\n{headers}\r\n", body.len());
    stream.write_all(format!("{head}{body}").as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), serde_json::from_str(body).unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn programs_begin_and_steer_runs_over_http() {
    let business = Business::open(Amount::credits(1)).await;
    let address = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut config = business.config("east");
    config.workflow.http = Some(address);
    let east = Node::start(config.clone()).await.unwrap();
    let token = std::fs::read_to_string(config.data.join("http.token")).unwrap();
    let known = format!("authorization: Bearer {}\r\n", token.trim());
    business.town.north.deploy(&greeter("fixture/greeter", "0.002"), component("fixture-greeter")).await.unwrap();
    see(&business.town.client("onlooker", Amount::ZERO).await, GREETER, 1).await;
    let file = FILE.replace("  - { id: again", "  - { id: ask, approve: { message: ok, expires: 1h, on-expiry: fail } }\n  - { id: tell, wait: { signal: go, timeout: 1h } }\n  - { id: again");
    east.engine().unwrap().order(Order::Deploy { file }).await.unwrap();

    let wish = r#"{ "workflow": "test/relay", "input": { "parts": ["AQ=="] }, "budget": "0.04" }"#;
    for (request, headers, body, status, what) in [
        ("POST /runs", "", wish, 401, "bring the token"),
        ("POST /runs", "authorization: Bearer no\r\n", wish, 401, "bring the token"),
        ("POST /runs", known.as_str(), "{", 400, "the body is not as it should be"),
        ("POST /runs", known.as_str(), r#"{ "workflow": "test/rely" }"#, 404, "did you mean `test/relay`"),
        ("POST /runs", known.as_str(), r#"{ "workflow": "test/relay", "input": {} }"#, 422, "input `parts` is missing"),
        ("DELETE /runs", known.as_str(), "", 405, "not for"),
        ("GET /run", known.as_str(), "", 404, "POST /runs"),
        ("GET /runs/nobody", known.as_str(), "", 404, "there is no run"),
    ] {
        let (found, told) = http(address, request, headers, body).await;
        assert_eq!(found, status, "{request} {body}: {told}");
        assert!(told["error"].as_str().unwrap().contains(what), "{request} {body}: {told}");
    }
    // The same request twice begins one run.
    let once = format!("{known}idempotency-key: order 7\r\n");
    let (status, begun) = http(address, "POST /runs", &once, wish).await;
    assert_eq!(status, 201, "{begun}");
    assert_eq!(http(address, "POST /runs", &once, wish).await, (200, begun.clone()));
    let run = begun["run"].as_str().unwrap().to_owned();
    until(&east, &run, |summary| summary.state == State::Waiting).await;
    let (status, told) = http(address, &format!("GET /runs/{run}"), &known, "").await;
    assert_eq!((status, &told["state"], &told["budget"]), (200, &json!("waiting"), &json!("0.040000")), "{told}");
    let word = r#"{ "approved": true, "by": "Kim" }"#;
    assert_eq!(http(address, &format!("POST /runs/{run}/approvals"), &known, word).await.0, 200);
    assert_eq!(http(address, &format!("POST /runs/{run}/signals/go"), &known, "1").await.0, 200);
    until(&east, &run, |summary| summary.settled).await;
    let (_, told) = http(address, &format!("GET /runs/{run}"), &known, "").await;
    assert_eq!((&told["state"], &told["output"]["again"]), (&json!("completed"), &json!("AQ==")), "{told}");
    assert_eq!(part(&east, &run).await.summary.by, "HTTP");
    east.stop().await;
}
