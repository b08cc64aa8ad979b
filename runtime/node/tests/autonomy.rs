//! An agent that wakes up by itself on a real market: topics, clock, purchases on its own account, its daily limit, its books.
#![expect(clippy::unwrap_used, reason = "tests")]

mod shared;

use std::sync::Arc;
use std::time::Duration;

use hansa_bus::testing::TestServer;
use hansa_bus::{Bus, BusOptions, Subscription};
use hansa_economy::Amount;
use hansa_node::{Client, Node};
use shared::*;
use tempfile::TempDir;

const DESK: &str = "commons:news/desk@0.1.0";

/// A node with models, an embedder and a summariser, and a desk that publishes every second and spends at most `limit` a day.
struct Press {
    node: Arc<Node>,
    bus: Bus,
    digests: Subscription,
    server: TestServer,
    folder: TempDir,
}

async fn press(limit: &str) -> Press {
    let (server, folder) = (hansa_bus::testing::server().await, tempfile::tempdir().unwrap());
    let mut config = config("north", &folder.path().join("north"), &server.url(), true);
    (config.inference.library, config.inference.models) = (None, Some(tools().join("models")));
    let node = Arc::new(Box::pin(Node::start(config)).await.unwrap());
    let bus = Bus::connect(BusOptions::at(server.url())).await.unwrap();
    let digests = bus.subscribe("hansa.topic.news.digest").await.unwrap();
    for name in ["embedder", "summariser", "newsdesk"] {
        let text = std::fs::read_to_string(workspace().join("agents").join(name).join("agent.toml")).unwrap();
        let text = text.replace("every = \"10m\"", "every = \"1s\"").replace("\"0.50\"", &format!("\"{limit}\""));
        node.deploy(&text, component(&format!("agent-{name}"))).await.unwrap();
    }
    Press { node, bus, digests, server, folder }
}

impl Press {
    async fn give(&self, name: &str, units: u128) {
        let account = account_of(&self.node, name).await;
        let key = hansa_node::keys::load(&self.node.data().join("operator.key")).unwrap();
        let port = self.node.ledger_port();
        port.issue(hansa_node::ledger::CREDITS, account, Amount(units), "capital", &key).await.unwrap();
    }

    async fn tell(&self, story: &str) {
        self.bus.publish("hansa.topic.news.items", story.to_owned().into()).await.unwrap();
        self.bus.flush().await.unwrap();
    }

    async fn digest(&mut self) -> String {
        let message = tokio::time::timeout(Duration::from_secs(30), self.digests.next()).await;
        String::from_utf8(message.expect("a digest within thirty seconds").unwrap().payload.to_vec()).unwrap()
    }

    async fn client(&self) -> Client {
        let client = Client::connect(&self.server.url(), &self.folder.path().join("reader")).await.unwrap();
        let key = hansa_node::keys::load(&self.node.data().join("operator.key")).unwrap();
        let port = self.node.ledger_port();
        port.issue(hansa_node::ledger::CREDITS, client.account(), Amount::credits(1), "reader", &key).await.unwrap();
        client
    }

    async fn lines(&self, level: &str) -> Vec<String> {
        let lines = self.node.agents().await["newsdesk"].logs(1000, 0);
        lines.into_iter().filter(|line| line.level == level).map(|line| line.text).collect()
    }
}

const STORY: &str = "Cog leaves Lübeck\nThe cog left Lübeck at dawn. It carried salt and cloth. The crew sang. Bread is dear in Bergen this year.";

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_news_desk_buys_publishes_sells_and_keeps_books() {
    let mut press = press("0.50").await;
    press.give("newsdesk", 100_000).await;
    press.give("summariser", 100_000).await;
    press.tell("nothing below the headline").await;
    press.tell(STORY).await;
    let digest = press.digest().await;
    assert!(digest.starts_with("Cog leaves Lübeck\n- "), "{digest}");
    assert!(digest.contains("- The cog left Lübeck at dawn.\n"), "{digest}");
    let reader = press.client().await;
    see(&reader, DESK, 1).await;
    let bought = call(&reader, DESK, "latest", NO_ARGS.to_vec()).await.unwrap();
    assert_eq!(bought.charged, Amount(2_000));
    assert!(press.lines("buy").await.iter().any(|line| line.starts_with("commons:summary/summariser@0.1.0 summarise from")));
    assert!(press.lines("wake").await.iter().any(|line| line.starts_with("topic news.items: ")));
    assert!(press.lines("wake").await.iter().any(|line| line.starts_with("every 1 s: ")));
    assert!(press.lines("warn").await.iter().any(|line| line.contains("a headline and, below it")));
    let books = call(&reader, DESK, "books", NO_ARGS.to_vec()).await.unwrap();
    // [0, [digests, readers, earned, spent]]
    let mut cbor = minicbor::Decoder::new(&books.answer);
    assert_eq!((cbor.array().unwrap(), cbor.u8().unwrap(), cbor.array().unwrap()), (Some(2), 0, Some(4)));
    let [digests, readers, earned, spent] = std::array::from_fn(|_| cbor.u64().unwrap());
    assert_eq!((digests, readers, earned), (1, 1, 2_000));
    assert!(spent > 0 && spent <= 6_000, "{spent}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn beyond_its_daily_limit_it_buys_nothing_even_after_a_new_version() {
    let mut press = press("0.002").await;
    press.give("newsdesk", 1_000_000).await;
    press.give("summariser", 100_000).await;
    press.tell(STORY).await;
    assert!(press.digest().await.contains("\n- "), "the first fits the limit");
    press.tell(&STORY.replace("Cog", "Hulk")).await;
    assert_eq!(press.digest().await, "Hulk leaves Lübeck\n", "nothing is left for the second");
    let text = std::fs::read_to_string(workspace().join("agents/newsdesk/agent.toml")).unwrap();
    let next =
        text.replace("every = \"10m\"", "every = \"1s\"").replace("\"0.50\"", "\"0.002\"").replace("\"0.1.0\"", "\"0.1.1\"");
    press.node.deploy(&next, component("agent-newsdesk")).await.unwrap();
    press.tell(&STORY.replace("Cog", "Kogge")).await;
    assert_eq!(press.digest().await, "Kogge leaves Lübeck\n");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_runs_and_what_can_be_woken_must_fit() {
    let town = town().await;
    let runs = |name: &str| format!("{name}[runs]\nevery = \"1s\"\n");
    let error = town.north.deploy(&runs(&greeter("fixture/greeter", "0.001")), component("fixture-greeter")).await.unwrap_err();
    assert!(error.0.contains("HA0012") && error.0.contains("cannot be woken"), "{error}");
    let text = std::fs::read_to_string(workspace().join("agents/newsdesk/agent.toml")).unwrap();
    let never = text.replace("every = \"10m\"\n", "").replace("topics = [\"news.items\"]\n", "");
    let error = town.north.deploy(&never, component("agent-newsdesk")).await.unwrap_err();
    assert!(error.0.contains("nothing wakes it"), "{error}");
    let unlimited = text.replace("wallet.spend-per-day = \"0.50\"\n", "");
    let error = town.north.deploy(&unlimited, component("agent-newsdesk")).await.unwrap_err();
    assert!(error.0.contains("wallet.spend-per-day"), "{error}");
}
