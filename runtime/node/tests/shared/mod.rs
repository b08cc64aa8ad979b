//! What the tests of whole nodes stand on: a bus, nodes with real parts, components that were built, money for buyers.
#![allow(dead_code, unreachable_pub, clippy::allow_attributes, reason = "each test uses the parts that it needs")]

pub mod process;
pub mod publishing;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use hansa_bus::testing::TestServer;
use hansa_economy::channel::AccountId;
use hansa_economy::{Amount, Keypair};
use hansa_host::{Fault, is_fault};
use hansa_ledger::CheckReport;
use hansa_node::config::{BusConfig, LedgerConfig};
use hansa_node::ledger::CREDITS;
use hansa_node::{Client, Node, NodeConfig, keys};
use hansa_trade::Bought;
use minicbor::data::Type;
use tempfile::TempDir;

pub const GREETER: &str = "fixture:parts/greeter@0.1.0";
pub const BUYER: &str = "fixture:parts/buyer@0.1.0";
pub const HOG: &str = "fixture:parts/hog@0.1.0";
pub const GREETER_FUNCTIONS: [&str; 11] = [
    "greet",
    "greet-plain",
    "echo",
    "echo-plain",
    "echo-list",
    "echo-small",
    "echo-shape",
    "echo-bytes",
    "echo-floats",
    "nothing",
    "refuse",
];
pub const BUYER_FUNCTIONS: [&str; 8] = ["all", "first", "plain", "relay", "relay-plain", "relay-bytes", "narrow", "search"];
pub const HOG_FUNCTIONS: [&str; 12] =
    ["spin", "spin-async", "alloc", "recurse", "boom", "huge", "flood", "say", "count", "sleep", "work", "surroundings"];

pub fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// The bytes of a component, by the name of its crate without `hansa-`.
pub fn component(name: &str) -> Vec<u8> {
    let file = format!("wasm32-wasip2/agent/hansa_{}.wasm", name.replace('-', "_"));
    let named = std::env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
    let targets = [Some(workspace().join("target")), named];
    let found = targets.into_iter().flatten().find_map(|target| std::fs::read(target.join(&file)).ok());
    found.unwrap_or_else(|| panic!("no component {file}: run ./justw agents"))
}

/// Where `./justw setup` put models and ONNX Runtime.
pub fn tools() -> PathBuf {
    let tools = workspace().join(".tools");
    assert!(tools.join("models").is_dir(), "no models in {}: run ./justw setup", tools.display());
    tools
}

/// An `agent.toml` that sells every function of `service` at `price`.
pub fn manifest(name: &str, service: &str, functions: &[&str], price: &str, rest: &str) -> String {
    let prices: String = functions.iter().map(|function| format!("price.{function} = \"{price}\"\n")).collect();
    format!("[agent]\nname = \"{name}\"\nversion = \"1.0.0\"\n[sells.\"{service}\"]\n{prices}{rest}")
}

pub fn greeter(name: &str, price: &str) -> String {
    manifest(name, GREETER, &GREETER_FUNCTIONS, price, "idempotent = [\"echo-bytes\", \"nothing\"]\n")
}

pub fn caller(price: &str) -> String {
    let buys = format!("[buys.\"{GREETER}\"]\nmax-price = \"1\"\ndeadline-ms = 2000\n");
    manifest("fixture/caller", BUYER, &BUYER_FUNCTIONS, price, &buys)
}

/// A configuration that grants everything and runs no models.
pub fn config(name: &str, data: &Path, url: &str, keeps_ledger: bool) -> NodeConfig {
    let mut config = NodeConfig::for_one_machine(name, data, None);
    config.bus = BusConfig { url: Some(url.to_owned()), ..BusConfig::default() };
    config.ledger = LedgerConfig { host: keeps_ledger, ..LedgerConfig::default() };
    config.inference.library = Some(data.join("no-library"));
    config.inference.models = Some(data.join("no-models"));
    config.host.instances = Some(32);
    config
}

/// A bus with one node, `north`, which keeps the ledger.
pub struct Town {
    pub north: Arc<Node>,
    pub server: TestServer,
    pub folder: TempDir,
}

pub async fn town() -> Town {
    let (server, folder) = (hansa_bus::testing::server().await, tempfile::tempdir().unwrap());
    let config = config("north", &folder.path().join("north"), &server.url(), true);
    let north = Arc::new(Node::start(config).await.unwrap());
    Town { north, server, folder }
}

impl Town {
    /// Another node, whose ledger is north's. One that stopped in this process lets go of its files a moment later.
    pub async fn node(&self, name: &str) -> Node {
        let deadline = Instant::now() + Duration::from_secs(10);
        loop {
            match Node::start(config(name, &self.folder.path().join(name), &self.server.url(), false)).await {
                Err(error) if error.0.contains("in use") && Instant::now() < deadline => {
                    tokio::time::sleep(Duration::from_millis(10)).await
                }
                started => return started.unwrap(),
            }
        }
    }

    pub async fn client(&self, name: &str, funds: Amount) -> Client {
        let client = Client::connect(&self.server.url(), &self.folder.path().join(name)).await.unwrap();
        if funds > Amount::ZERO {
            self.fund(client.account(), funds).await;
        }
        client
    }

    pub async fn fund(&self, account: AccountId, amount: Amount) {
        self.north.ledger_port().issue(CREDITS, account, amount, "for a test", &self.operator_key()).await.unwrap();
    }

    pub fn operator_key(&self) -> Keypair {
        keys::load(&self.north.data().join("operator.key")).unwrap()
    }

    pub async fn balance(&self, account: AccountId) -> Amount {
        self.north.ledger_port().link().account(account).await.unwrap().map(|account| account.available()).unwrap_or_default()
    }

    /// Replays the ledger; there must be no problem.
    pub fn check(&self) -> CheckReport {
        let report = self.north.ledger().unwrap().check().unwrap();
        assert_eq!(report.problem, None);
        report
    }

    /// What all open channels hold.
    pub fn escrow(&self) -> Amount {
        let channels = self.north.ledger().unwrap().channels().unwrap();
        channels.iter().map(|channel| channel.left()).fold(Amount::ZERO, Amount::saturating_add)
    }
}

pub async fn account_of(node: &Node, agent: &str) -> AccountId {
    node.agents().await[agent].account()
}

pub async fn calls_of(node: &Node, agent: &str) -> u64 {
    node.agents().await[agent].status().await.calls
}

/// Wait until the market shows `count` offers of a service.
pub async fn see(client: &Client, service: &str, count: usize) {
    let deadline = Instant::now() + Duration::from_secs(10);
    while client.offers(service).await.len() != count {
        assert!(Instant::now() < deadline, "expected {count} offers of {service}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

pub async fn call(client: &Client, service: &str, function: &str, args: Vec<u8>) -> Result<Bought, Fault> {
    client.call(service, function, args, Amount::credits(1), 5000).await
}

/// CBOR of an argument list of one byte string.
pub fn bytes_arg(bytes: &[u8]) -> Vec<u8> {
    minicbor::to_vec([minicbor::bytes::ByteVec::from(bytes.to_vec())]).unwrap()
}

pub fn number_arg(number: u64) -> Vec<u8> {
    minicbor::to_vec([number]).unwrap()
}

pub fn text_arg(text: &str) -> Vec<u8> {
    minicbor::to_vec([text]).unwrap()
}

pub const NO_ARGS: &[u8] = &[0x80];

/// CBOR of `ok(bytes)`.
pub fn ok_bytes(bytes: &[u8]) -> Vec<u8> {
    minicbor::to_vec((0u8, minicbor::bytes::ByteVec::from(bytes.to_vec()))).unwrap()
}

/// The seller's own fault in an answer: the case's index and its text.
pub fn fault_in(answer: &[u8]) -> (u64, String) {
    assert!(is_fault(answer), "not a fault: {answer:?}");
    let mut decoder = minicbor::Decoder::new(answer);
    decoder.array().unwrap();
    decoder.u64().unwrap();
    decoder.array().unwrap();
    let case = decoder.u64().unwrap();
    let text = match decoder.datatype() {
        Ok(Type::String) => decoder.str().unwrap().to_owned(),
        _ => String::new(),
    };
    (case, text)
}
