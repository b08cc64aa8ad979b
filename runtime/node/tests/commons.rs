//! The agents of the commons on a node with real models: rankings and composed texts, sold, paid and receipted.
#![expect(clippy::unwrap_used, reason = "a test")]

mod shared;

use hansa_economy::Amount;
use hansa_economy::receipt::ModelRun;
use hansa_node::{Client, Node};
use minicbor::Decoder;
use shared::*;

const EMBEDDER: &str = "commons:embedding/embedder@0.1.0";
const SUMMARISER: &str = "commons:summary/summariser@0.1.0";
const TEXT: &str = "The library opens at ten in the morning. Books may be kept for four weeks. Whoever is late pays a small fee. \
                    The reading room is closed on Sundays.";

/// A bus, a node with the models of set-up, and who buys there.
struct Commons {
    town: Town,
    node: Node,
    client: Client,
}

async fn commons() -> Commons {
    let town = town().await;
    let mut config = config("south", &town.folder.path().join("south"), &town.server.url(), false);
    let models = town.folder.path().join("models");
    std::fs::create_dir(&models).unwrap();
    for model in ["models/minilm", "fixtures/tinyllama"].map(|path| tools().join(path)) {
        std::os::unix::fs::symlink(&model, models.join(model.file_name().unwrap())).unwrap();
    }
    config.inference.models = Some(models);
    config.inference.library = Some(tools().join("lib/libonnxruntime.so"));
    let node = Node::start(config).await.unwrap();
    let client = town.client("client", Amount::credits(1)).await;
    let commons = Commons { town, node, client };
    commons.deploy("embedder", |manifest| manifest).await;
    see(&commons.client, EMBEDDER, 1).await;
    commons
}

impl Commons {
    /// Deploys an agent with its own manifest, changed.
    async fn deploy(&self, name: &str, change: fn(String) -> String) {
        let manifest = std::fs::read_to_string(workspace().join(format!("agents/{name}/agent.toml"))).unwrap();
        self.node.deploy(&change(manifest), component(&format!("agent-{name}"))).await.unwrap();
        self.town.fund(account_of(&self.node, name).await, Amount::credits(1)).await;
    }

    /// Buys one call; its answer, what it cost and the models that its receipt names.
    async fn buy(&self, service: &str, function: &str, args: Vec<u8>) -> (Vec<u8>, Amount, Vec<ModelRun>) {
        let bought = self.client.call(service, function, args, Amount::credits(1), 30_000).await.unwrap();
        let models = match bought.receipt {
            Some(receipt) => self.client.receipt(receipt).await.unwrap().unwrap().body.models,
            None => Vec::new(),
        };
        (bought.answer.to_vec(), bought.charged, models)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn documents_are_ranked_by_a_real_model() {
    let commons = commons().await;
    let documents = ["Ships carry grain over the sea.", "A book may be kept for four weeks.", "The fee is small."];
    let args = minicbor::to_vec(("How long may I keep a book?", documents, 2_u32)).unwrap();
    let (answer, charged, models) = commons.buy(EMBEDDER, "rank", args).await;
    let (ok, (rows, model)): (u8, (Vec<(u32, f32)>, String)) = minicbor::decode(&answer).unwrap();
    assert_eq!((ok, rows.len(), rows[0].0), (0, 2, 1), "{rows:?}");
    assert!(rows[0].1 > 0.5 && rows[0].1 > rows[1].1, "{rows:?}");
    assert!(charged > Amount::ZERO);
    assert_eq!(models.iter().map(|run| &*run.model).collect::<Vec<_>>(), [model]);

    let args = minicbor::to_vec(("", documents, 0_u32)).unwrap();
    let (answer, charged, _) = commons.buy(EMBEDDER, "rank", args).await;
    assert!(fault_in(&answer).1.contains("`query` has `0` bytes"));
    assert_eq!(charged, Amount::ZERO);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_language_model_composes_what_is_paid_and_receipted() {
    let commons = commons().await;
    // Set-up's only model that generates has random weights, so that no shipped manifest asks for it.
    commons.deploy("summariser", |manifest| manifest.replace("[\"writer\"]", "[\"tinyllama\"]")).await;
    see(&commons.client, SUMMARISER, 1).await;
    let args = minicbor::to_vec((TEXT, "How long may I keep a book?", 20_u32)).unwrap();
    let (answer, charged, models) = commons.buy(SUMMARISER, "compose", args).await;
    let mut decoder = Decoder::new(&answer);
    assert_eq!((decoder.array().unwrap(), decoder.u8().unwrap()), (Some(2), 0), "{}", String::from_utf8_lossy(&answer));
    decoder.array().unwrap();
    let (text, model) = (decoder.str().unwrap(), decoder.str().unwrap());
    let sentences: Vec<(String, u32, f32)> = decoder.decode().unwrap();
    assert!(!text.trim().is_empty());
    assert_eq!(model, "tinyllama@fixture-1");
    assert!(sentences.iter().any(|(text, position, _)| (text.as_str(), *position) == ("Books may be kept for four weeks.", 1)));
    assert!(charged >= Amount(10_000), "the base price is paid: {charged}");
    let runs: Vec<&str> = models.iter().map(|run| &*run.model).collect();
    assert_eq!(runs, [model]);
    assert!(models[0].input_units > 0 && (1..=60).contains(&models[0].output_units), "{models:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn without_a_language_model_composing_declines_and_summarising_goes_on() {
    let commons = commons().await;
    commons.deploy("summariser", |manifest| manifest).await;
    see(&commons.client, SUMMARISER, 1).await;
    let args = minicbor::to_vec((TEXT, None::<&str>, 20_u32)).unwrap();
    let (answer, charged, _) = commons.buy(SUMMARISER, "compose", args).await;
    let (_, reason) = fault_in(&answer);
    assert!(reason.contains("hansa model add FOLDER --name writer") && reason.contains("inference = [\"writer\"]"), "{reason}");
    assert_eq!(charged, Amount::ZERO);
    let args = minicbor::to_vec((TEXT, None::<&str>, 2_u32)).unwrap();
    let (answer, _, models) = commons.buy(SUMMARISER, "summarise", args).await;
    let (ok, sentences): (u8, Vec<(String, u32, f32)>) = minicbor::decode(&answer).unwrap();
    assert_eq!((ok, sentences.len(), models.len()), (0, 2, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn agents_in_python_and_javascript_sell_and_buy_beside_those_in_rust() {
    let commons = Box::pin(commons()).await;
    let (extractor, converter, identifier) =
        ("commons:keywords/extractor@0.1.0", "commons:tables/converter@0.1.0", "commons:files/identifier@0.1.0");
    commons.deploy("keywords", |manifest| manifest).await;
    commons.deploy("tables", |manifest| manifest).await;
    see(&commons.client, extractor, 1).await;
    see(&commons.client, converter, 1).await;
    let text =
        "The Hanseatic League traded salt and herring. Salt kept herring for the winter; the Hanseatic League grew rich by salt.";
    let (answer, charged, _) = commons.buy(extractor, "extract", minicbor::to_vec((text, 3_u32)).unwrap()).await;
    type Phrases = (Vec<(String, f32, u32)>, Option<String>);
    let (ok, (rows, model)): (u8, Phrases) = minicbor::decode(&answer).unwrap();
    assert_eq!((ok, charged), (0, Amount(4_100)));
    assert!(rows.iter().any(|(phrase, ..)| phrase.to_lowercase().contains("hanseatic league")), "{rows:?}");
    assert!(model.is_some_and(|model| model.starts_with("minilm@")), "it bought vectors from the embedder");
    assert!(calls_of(&commons.node, "embedder").await > 0);

    // Nobody sells the kind of bytes yet: the agent in JavaScript finds out by itself, and says so.
    let csv = minicbor::bytes::ByteVec::from(b"port,ships\nRiga,3\nBergen,12\n".to_vec());
    let (answer, charged, _) = commons.buy(converter, "convert", minicbor::to_vec((csv, 0_u8)).unwrap()).await;
    type Table = (u8, Vec<(String, u8, u32)>, u32, String, String, Vec<String>);
    let (ok, (format, columns, rows, markdown, ..)): (u8, Table) = minicbor::decode(&answer).unwrap();
    assert_eq!((ok, format, rows, charged), (0, 1, 2, Amount(1_020)));
    assert_eq!(columns.iter().map(|(name, ..)| &**name).collect::<Vec<_>>(), ["port", "ships"]);
    assert!(markdown.contains("| Bergen |"), "{markdown}");
    let logs = commons.node.agents().await["tables"].logs(100, 0);
    assert!(logs.iter().any(|line| line.level == "buy" && line.text.starts_with(identifier)), "it asked the market: {logs:?}");
}
