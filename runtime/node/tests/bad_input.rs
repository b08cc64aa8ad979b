//! What people get wrong: each mistake is refused with words that say what to do, and nothing else breaks.
#![expect(clippy::unwrap_used, reason = "tests")]

mod shared;

use std::path::Path;

use hansa_economy::Amount;
use hansa_host::Fault;
use hansa_node::config::Grant;
use hansa_node::{Node, NodeConfig};
use shared::*;

async fn fails(config: NodeConfig) -> String {
    match Node::start(config).await {
        Ok(_) => panic!("the node started"),
        Err(error) => error.to_string(),
    }
}

fn says(text: &str, words: &[&str]) {
    for word in words {
        assert!(text.contains(word), "`{word}` is missing in: {text}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bus_that_is_not_there() {
    let folder = tempfile::tempdir().unwrap();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let mut config = config("north", &folder.path().join("a"), "", true);
    config.bus.url = None;
    config.bus.port = Some(port);
    config.bus.server = Some(hansa_bus::testing::binary());
    says(&fails(config.clone()).await, &[&format!("port {port}"), "in use"]);
    drop(listener);
    config.bus.server = None;
    config.bus.port = None;
    config.bus.url = Some(format!("nats://127.0.0.1:{port}"));
    says(&fails(config.clone()).await, &["nothing listens", "hansa up"]);
    config.bus.url = Some("http://".into());
    says(&fails(config).await, &["nats://HOST:PORT"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_data_folder_that_is_not_ours() {
    let town = town().await;
    let at = |name: &str, folder: &Path| config(name, folder, &town.server.url(), false);
    says(&fails(at("north", town.north.data())).await, &["another process uses the data folder"]);
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("node.json"), r#"{"version":1,"node":"west"}"#).unwrap();
    says(&fails(at("south", folder.path())).await, &["belongs to node `west`, not `south`"]);
    std::fs::write(folder.path().join("node.json"), r#"{"version":2,"node":"south"}"#).unwrap();
    says(&fails(at("south", folder.path())).await, &["version 2", "newer program"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_ledger_that_is_missing_or_another() {
    let server = hansa_bus::testing::server().await;
    let folder = tempfile::tempdir().unwrap();
    let mut config = config("south", &folder.path().join("south"), &server.url(), false);
    says(&fails(config.clone()).await, &["no node on the bus keeps a ledger", "host = true"]);
    config.ledger.host = true;
    config.ledger.id = Some("0".repeat(64));
    says(&fails(config).await, &["node.toml wants", "ledger.id"]);
}

/// Start where another node of this process has just stopped; it lets go of its files a moment later.
async fn restarted(config: &NodeConfig) -> Result<Node, String> {
    loop {
        match Node::start(config.clone()).await {
            Err(error) if error.0.contains("in use") || error.0.contains("open in another process") => {
                tokio::time::sleep(std::time::Duration::from_millis(10)).await;
            }
            started => return started.map_err(|error| error.0),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_ledger_that_was_restored_from_an_old_copy() {
    let server = hansa_bus::testing::server().await;
    let folder = tempfile::tempdir().unwrap();
    let mut config = config("south", &folder.path().join("south"), &server.url(), true);
    config.ledger.checkpoint = Some(folder.path().join("elsewhere/south.checkpoint"));
    let (file, copy) = (config.data.join("ledger/ledger.redb"), folder.path().join("copy"));
    let node = Node::start(config.clone()).await.unwrap();
    stopped(node, &config).await;
    std::fs::copy(&file, &copy).unwrap();
    let node = restarted(&config).await.unwrap();
    let operator = hansa_node::keys::load(&config.data.join("operator.key")).unwrap();
    node.ledger_port().issue(hansa_node::ledger::CREDITS, node.operator(), Amount(5), "test", &operator).await.unwrap();
    stopped(node, &config).await;
    let node = restarted(&config).await.unwrap();
    stopped(node, &config).await;
    std::fs::copy(&copy, &file).unwrap();
    let refused = restarted(&config).await.err().unwrap();
    says(&refused, &["HA0018", "old copy", "restore a newer one"]);
    std::fs::remove_file(&file).unwrap();
    says(&restarted(&config).await.err().unwrap(), &["HA0018", "there is no ledger in", "has seen one"]);
    std::fs::write(config.ledger.checkpoint.as_ref().unwrap(), "rubbish").unwrap();
    says(&restarted(&config).await.err().unwrap(), &["is no checkpoint"]);
}

/// Stop a node, and wait until its ledger's file is closed: the writer's thread ends a moment later.
async fn stopped(node: Node, config: &NodeConfig) {
    node.stop().await;
    while let Err(hansa_ledger::OpenError::Locked(_)) = hansa_ledger::check_folder(&config.data.join("ledger")) {
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_agent_that_cannot_be_deployed() {
    let town = town().await;
    let good = greeter("fixture/greeter", "0.001");
    town.north.deploy(&good, component("fixture-greeter")).await.unwrap();
    let core_module = b"\0asm\x01\0\0\0".to_vec();
    let bare = "[agent]\nname = \"fixture/bare\"\nversion = \"1.0.0\"\n[sells.\"fixture:parts/bare@0.1.0\"]\nprice.shout = \"0.1\"\n[buys.\"fixture:parts/bare-import@0.1.0\"]\n";
    let sells_more = good.replace(GREETER, "fixture:parts/other@0.1.0");
    let unpriced = good.replace("price.refuse = \"0.001\"\n", "");
    let cases: [(&str, &str, Vec<u8>, &[&str]); 9] = [
        ("core module", &good, core_module, &["core WASM module", "wasm-tools component new"]),
        ("text", &good, b"hello".to_vec(), &["no WASM binary"]),
        ("empty", &good, Vec::new(), &["no bytes"]),
        ("damaged", &good, component("fixture-greeter")[..5000].to_vec(), &["cannot be compiled"]),
        ("not tradable", bare, component("fixture-bare"), &["cannot be traded", "write `"]),
        ("not exported", &sells_more, component("fixture-greeter"), &["does not"]),
        ("no price", &unpriced, component("fixture-greeter"), &["no price for `refuse`", "price.refuse = \"free\""]),
        (
            "unknown key",
            &good.replace("idempotent", "idempotnet"),
            component("fixture-greeter"),
            &["agent.toml:", "did you mean `idempotent`?"],
        ),
        ("bad price", &good.replace("\"0.001\"", "\"cheap\""), component("fixture-greeter"), &["price"]),
    ];
    for (name, manifest, component, words) in cases {
        let error = match town.north.deploy(manifest, component).await {
            Ok(_) => panic!("{name}: was deployed"),
            Err(error) => error.to_string(),
        };
        says(&format!("{name}: {error}"), words);
    }
    let agents = town.north.agents().await;
    assert!(agents.contains_key("greeter"), "what ran goes on where its successor is refused");
    drop(agents);
    let error = town.north.stop_agent("gretter").await.unwrap_err().to_string();
    says(&error, &["no agent `gretter`", "greeter"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_capability_that_was_not_granted() {
    let server = hansa_bus::testing::server().await;
    let folder = tempfile::tempdir().unwrap();
    let mut config = config("north", folder.path(), &server.url(), true);
    let nothing = Grant { package: "*".into(), ..Grant::default() };
    config.grant = vec![nothing];
    let north = Node::start(config).await.unwrap();
    let error = north.deploy(&caller("0.1"), component("fixture-caller")).await.unwrap_err().to_string();
    says(&error, &["[[grant]]", "package = \"fixture/caller\"", &format!("buys = [\"{GREETER}\"]")]);
    let thinker = manifest(
        "fixture/thinker",
        "fixture:parts/thinker@0.1.0",
        &["embed", "models"],
        "0.1",
        "[capabilities]\ninference.models = [\"minilm\"]\n",
    );
    let error = north.deploy(&thinker, component("fixture-thinker")).await.unwrap_err().to_string();
    says(&error, &["the model `minilm`", "inference = [\"minilm\"]"]);
    // What the component needs and agent.toml does not even ask for.
    let silent = manifest("fixture/caller", BUYER, &BUYER_FUNCTIONS, "0.1", "");
    let error = north.deploy(&silent, component("fixture-caller")).await.unwrap_err().to_string();
    says(&error, &["is not granted", "agent.toml", "node.toml", GREETER]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn purchases_that_cannot_be_made() {
    let town = town().await;
    town.north.deploy(&caller("free"), component("fixture-caller")).await.unwrap();
    let poor = town.client("poor", Amount::ZERO).await;
    see(&poor, BUYER, 1).await;
    // Nobody sells what the agent imports: it runs, and its own purchase gets the fault.
    let bought = call(&poor, BUYER, "relay-bytes", bytes_arg(b"x")).await.unwrap();
    let (case, text) = fault_in(&bought.answer);
    assert_eq!(case, 0, "no-offer: {text}");
    says(&text, &["nobody sells", GREETER, "hansa service search"]);

    let fault = call(&poor, "nobody:sells/this@1.0.0", "x", NO_ARGS.to_vec()).await.unwrap_err();
    assert!(matches!(&fault, Fault::NoOffer(text) if text.contains("nobody sells `nobody:sells/this@1.0.0`")), "{fault:?}");
    let fault = call(&poor, BUYER, "dance", NO_ARGS.to_vec()).await.unwrap_err();
    assert!(matches!(&fault, Fault::NoOffer(text) if text.contains("do not offer `dance`")), "{fault:?}");

    // Somebody sells it, but there is no money: first the client's, then the agent's.
    town.north.deploy(&greeter("fixture/greeter", "0.001"), component("fixture-greeter")).await.unwrap();
    see(&poor, GREETER, 1).await;
    let fault = call(&poor, GREETER, "nothing", NO_ARGS.to_vec()).await.unwrap_err();
    assert!(matches!(&fault, Fault::OverBudget(_)), "{fault:?}");
    says(fault.text(), &[&poor.account().to_string(), "holds 0.000000", "hansa account fund"]);
    let bought = call(&poor, BUYER, "relay-bytes", bytes_arg(b"x")).await.unwrap();
    let (case, text) = fault_in(&bought.answer);
    assert_eq!(case, 1, "over-budget: {text}");
    says(&text, &[&account_of(&town.north, "caller").await.to_string(), "hansa account fund"]);

    // Too dear for the terms.
    let fault = poor.call(GREETER, "nothing", NO_ARGS.to_vec(), Amount(10), 1000).await.unwrap_err();
    assert!(matches!(&fault, Fault::OverBudget(text) if text.contains("raise max-price")), "{fault:?}");
    // Arguments of another type.
    town.fund(poor.account(), Amount::credits(1)).await;
    let fault = call(&poor, GREETER, "echo-bytes", text_arg("not bytes")).await.unwrap_err();
    assert!(matches!(&fault, Fault::InvalidInput(text) if text.contains("do not fit")), "{fault:?}");
    let fault = poor.call(GREETER, "nothing", NO_ARGS.to_vec(), Amount::credits(1), 0).await.unwrap_err();
    assert!(matches!(fault, Fault::Deadline(_)), "{fault:?}");
    town.check();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn models_that_cannot_be_lent() {
    let server = hansa_bus::testing::server().await;
    let folder = tempfile::tempdir().unwrap();
    let models = folder.path().join("models/magika");
    std::fs::create_dir_all(&models).unwrap();
    for file in ["hansa-model.toml", "model.onnx"] {
        std::fs::copy(tools().join("models/magika").join(file), models.join(file)).unwrap();
    }
    let mut graph = std::fs::read(models.join("model.onnx")).unwrap();
    graph[1000] ^= 1;
    std::fs::write(models.join("model.onnx"), graph).unwrap();

    let mut config = config("north", &folder.path().join("north"), &server.url(), true);
    config.inference.models = Some(folder.path().join("models"));
    config.inference.library = Some(tools().join("lib/libonnxruntime.so"));
    let north = Node::start(config).await.unwrap();
    // The package is verified when it is first used, before any of it reaches a loader.
    sells_no_inference(&north, &server.url(), folder.path(), &["magika", "sha256", "fetch the package again"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_without_onnx_runtime() {
    let server = hansa_bus::testing::server().await;
    let folder = tempfile::tempdir().unwrap();
    let mut config = config("north", &folder.path().join("north"), &server.url(), true);
    config.inference.models = Some(tools().join("models"));
    let north = Node::start(config).await.unwrap();
    let hansa_inference::EngineStatus::Unavailable { reason } = north.inference().status().engine else {
        panic!("there is no library, and yet it is ready");
    };
    says(&reason, &["no-library"]);
    sells_no_inference(&north, &server.url(), folder.path(), &["no-library"]).await;
}

/// An agent that needs a model runs, and says clearly why it cannot answer; nobody pays for that.
async fn sells_no_inference(north: &Node, url: &str, folder: &Path, words: &[&str]) {
    let agent = workspace().join("agents/filetype");
    let manifest = std::fs::read_to_string(agent.join("agent.toml")).unwrap();
    north.deploy(&manifest, component("agent-filetype")).await.unwrap();
    let client = hansa_node::Client::connect(url, &folder.join("client")).await.unwrap();
    let key = hansa_node::keys::load(&north.data().join("operator.key")).unwrap();
    north.ledger_port().issue(hansa_node::ledger::CREDITS, client.account(), Amount::credits(1), "test", &key).await.unwrap();
    let service = "commons:files/identifier@0.1.0";
    see(&client, service, 1).await;
    let bought = call(&client, service, "identify", identify(b"# A text in Markdown\n\nwith *words* in it.\n")).await.unwrap();
    let (_, text) = fault_in(&bought.answer);
    says(&text, words);
    assert_eq!(bought.charged, Amount::ZERO);
}

/// Arguments of `identify`: the files' bytes.
fn identify(file: &[u8]) -> Vec<u8> {
    minicbor::to_vec([[minicbor::bytes::ByteVec::from(file.to_vec())]]).unwrap()
}

#[test]
fn unknown_keys_name_the_nearest() {
    let parse = |text: &str| NodeConfig::parse("node.toml", text, Path::new(".")).unwrap_err().to_string();
    says(&parse("name = \"n\"\n[buss]\n"), &["node.toml:2", "`buss`", "did you mean `bus`?"]);
    says(&parse("name = \"n\"\n[[grant]]\npackage = \"*\"\ninferense = []\n"), &["did you mean `inference`?"]);
    says(&parse("name = \"n\"\n[bus]\nprot = 4222\n"), &["did you mean `port`?"]);
}
