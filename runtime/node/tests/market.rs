//! Two nodes and a buyer: offers, calls, receipts, settlement, a purchase inside a purchase, and a seller that infers by `wasi:nn`.
#![expect(clippy::unwrap_used, reason = "tests")]

mod shared;

use hansa_economy::Amount;
use hansa_economy::channel::ChannelTerms;
use hansa_economy::receipt::Ending;
use hansa_node::tree;
use hansa_trade::LedgerPort;
use shared::*;

const PRICE_LOW: Amount = Amount(2_000);
const CLASSIC: &str = "fixture:nn/classic@0.1.0";

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_buyer_chooses_pays_and_everybody_is_settled() {
    let town = town().await;
    let south = town.node("south").await;
    town.north.deploy(&greeter("fixture/greeter", "0.003"), component("fixture-greeter")).await.unwrap();
    south.deploy(&greeter("fixture/greeter", "0.002"), component("fixture-greeter")).await.unwrap();
    let client = town.client("client", Amount::credits(10)).await;
    see(&client, GREETER, 2).await;
    let seller = south.agents().await["greeter"].agent();

    let mut charged = Amount::ZERO;
    for n in 0..20u8 {
        let bought = call(&client, GREETER, "echo-bytes", bytes_arg(&[n])).await.unwrap();
        assert_eq!(bought.answer, ok_bytes(&[n]));
        assert_eq!((bought.seller, bought.charged), (seller, PRICE_LOW), "the cheapest is chosen");
        let receipt = client.receipt(bought.receipt.unwrap()).await.unwrap();
        let receipt = receipt.expect("the receipt is there as soon as the answer");
        assert_eq!((receipt.signer, receipt.body.charged, receipt.body.node), (seller, PRICE_LOW, south.key()));
        assert!(receipt.body.charged <= receipt.body.price_max);
        charged = charged.saturating_add(bought.charged);
    }
    let refused = call(&client, GREETER, "refuse", text_arg("no such thing")).await.unwrap();
    assert_eq!(refused.charged, Amount::ZERO, "a fault costs nothing");
    assert_eq!(fault_in(&refused.answer).1, "no such thing");

    client.settle().await;
    south.settle().await;
    town.north.settle().await;
    assert_eq!(town.balance(account_of(&south, "greeter").await).await, charged);
    assert_eq!(town.balance(account_of(&town.north, "greeter").await).await, Amount::ZERO);

    let spent = Amount::credits(10).saturating_sub(client.balance().await.unwrap());
    assert_eq!(spent, charged.saturating_add(town.escrow()));
    let report = town.check();
    assert_eq!(report.assets[0].supply, Amount::credits(10));
    let everybody = [
        client.account(),
        account_of(&south, "greeter").await,
        account_of(&town.north, "greeter").await,
        town.north.operator(),
        south.operator(),
    ];
    let mut total = town.escrow();
    for account in everybody {
        total = total.saturating_add(town.balance(account).await);
    }
    assert_eq!(total, report.assets[0].supply);

    assert_eq!(client.close().await, 1);
    assert_eq!(town.escrow(), Amount::ZERO, "a closed channel gives back what is left");
    assert_eq!(client.balance().await.unwrap(), Amount::credits(10).saturating_sub(charged));
    town.check();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_purchase_inside_a_purchase_shows_in_the_tree() {
    let town = town().await;
    let south = town.node("south").await;
    town.north.deploy(&greeter("fixture/greeter", "0.002"), component("fixture-greeter")).await.unwrap();
    town.north.deploy(&caller("0.01"), component("fixture-caller")).await.unwrap();
    south.deploy(&greeter("fixture/far-greeter", "0.001"), component("fixture-greeter")).await.unwrap();
    let client = town.client("client", Amount::credits(1)).await;
    see(&client, GREETER, 2).await;
    town.fund(account_of(&town.north, "caller").await, Amount::credits(1)).await;

    // Far first, then near: the same way to buy, over the bus and straight on the node.
    for (seller, price) in [("fixture/far-greeter@1.0.0", Amount(1_000)), ("fixture/greeter@1.0.0", Amount(2_000))] {
        let bought = relayed(&client).await;
        assert_eq!(bought.answer, ok_bytes(b"through two hands"));
        let branch = tree::fetch(&client, bought.receipt.unwrap()).await.unwrap();
        let root = branch.receipt.as_ref().unwrap();
        assert_eq!((root.service.as_str(), root.charged), (BUYER, Amount(10_000)));
        assert!(matches!(root.ending, Ending::Answered(_)));
        assert_eq!(branch.children.len(), 1, "{:?}", branch.lines());
        let child = branch.children[0].receipt.as_ref().unwrap();
        assert_eq!((child.service.as_str(), child.package.as_str(), child.charged), (GREETER, seller, price));
        assert_eq!(branch.lines().len(), 4);
        if price == Amount(1_000) {
            south.stop_agent("far-greeter").await.unwrap();
            see(&client, GREETER, 1).await;
        }
    }
    client.settle().await;
    town.north.settle().await;
    assert_eq!(town.balance(account_of(&town.north, "greeter").await).await, Amount(2_000));
    town.check();
}

/// The node's own index may learn a moment later than the client that a seller left.
async fn relayed(client: &hansa_node::Client) -> hansa_trade::Bought {
    for _ in 0..20 {
        let bought = call(client, BUYER, "relay-bytes", bytes_arg(b"through two hands")).await.unwrap();
        if !hansa_host::is_fault(&bought.answer) {
            return bought;
        }
    }
    panic!("the caller never got an answer")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn agents_and_channels_outlive_a_restart() {
    let town = town().await;
    let south = town.node("south").await;
    south.deploy(&greeter("fixture/greeter", "0.002"), component("fixture-greeter")).await.unwrap();
    let client = town.client("client", Amount::credits(1)).await;
    see(&client, GREETER, 1).await;
    call(&client, GREETER, "nothing", NO_ARGS.to_vec()).await.unwrap();
    south.stop().await;
    let south = town.node("south").await;
    let mut answered = None;
    for _ in 0..40 {
        // Until the renewed offer has come round, the seller says that the old one is no longer made.
        answered = call(&client, GREETER, "nothing", NO_ARGS.to_vec()).await.ok();
        if answered.is_some() {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(25)).await;
    }
    assert_eq!(answered.expect("the agent came up again").charged, PRICE_LOW);
    assert_eq!(town.north.ledger().unwrap().channels().unwrap().len(), 1, "the channel goes on");
    client.settle().await;
    south.settle().await;
    assert_eq!(town.balance(account_of(&south, "greeter").await).await, Amount(4_000));
    town.check();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_small_purse_is_spent_to_the_end() {
    let town = town().await;
    town.north.deploy(&greeter("fixture/greeter", "0.1"), component("fixture-greeter")).await.unwrap();
    let client = town.client("client", Amount::credits(1)).await;
    see(&client, GREETER, 1).await;
    // The deposit is a quarter of the purse, 0.25: each top-up comes while some of it is left.
    for n in 0..10 {
        let bought = call(&client, GREETER, "nothing", NO_ARGS.to_vec()).await;
        assert!(bought.is_ok(), "call {n}: {bought:?}");
    }
    let fault = call(&client, GREETER, "nothing", NO_ARGS.to_vec()).await.unwrap_err();
    assert!(matches!(fault, hansa_host::Fault::OverBudget(_)), "{fault:?}");
    client.settle().await;
    town.north.settle().await;
    assert_eq!(town.balance(account_of(&town.north, "greeter").await).await, Amount::credits(1));
    town.check();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_buyer_that_lost_its_last_moments_goes_on() {
    let town = town().await;
    town.north.deploy(&greeter("fixture/greeter", "0.002"), component("fixture-greeter")).await.unwrap();
    let client = town.client("client", Amount::credits(1)).await;
    see(&client, GREETER, 1).await;
    call(&client, GREETER, "nothing", NO_ARGS.to_vec()).await.unwrap();
    client.settle().await;
    // What a crash leaves: the key, and books from before the last three calls.
    let (before, after) = (town.folder.path().join("client"), town.folder.path().join("client-again"));
    std::fs::create_dir(&after).unwrap();
    for file in ["account.key", "trade.redb"] {
        std::fs::copy(before.join(file), after.join(file)).unwrap();
    }
    for _ in 0..3 {
        call(&client, GREETER, "nothing", NO_ARGS.to_vec()).await.unwrap();
    }
    drop(client);

    let client = town.client("client-again", Amount::ZERO).await;
    see(&client, GREETER, 1).await;
    for n in 0..3 {
        let bought = call(&client, GREETER, "nothing", NO_ARGS.to_vec()).await;
        assert!(bought.is_ok(), "call {n} after the crash: {bought:?}");
    }
    client.settle().await;
    town.north.settle().await;
    assert_eq!(town.balance(account_of(&town.north, "greeter").await).await, Amount(2_000 * 7), "every call is paid once");
    assert_eq!(town.north.ledger().unwrap().channels().unwrap().len(), 1, "the channel goes on");
    town.check();
}

/// A deposit must come back when the seller is gone for good and the payer closes alone.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_channel_closed_by_its_payer_alone_ends_by_itself() {
    let town = town().await;
    let client = town.client("client", Amount::credits(10)).await;
    let key = std::sync::Arc::new(client.key().clone());
    let terms = ChannelTerms {
        ledger: client.ledger().link().id(),
        payer: client.account(),
        payer_key: key.public(),
        payee: town.north.operator(),
        payee_key: town.operator_key().public(),
        asset: 1,
        grace_s: 1,
        nonce: 1,
        shares: vec![],
    };
    client.ledger().open_channel(terms.clone(), Amount::credits(4), key.clone()).await.unwrap();
    client.ledger().close(terms.id(), false, key).await.unwrap();
    assert_eq!(town.escrow(), Amount::credits(4), "the grace time is not over");
    let returned = async {
        while town.escrow() > Amount::ZERO {
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(30), returned).await.expect("the deposit comes back");
    assert_eq!(client.balance().await.unwrap(), Amount::credits(10));
    town.check();
}

/// Text, label and score that the package of Magika itself is checked by.
struct Golden {
    text: String,
    label: u32,
    score: f64,
}

fn goldens() -> Vec<Golden> {
    let manifest = std::fs::read_to_string(tools().join("models/magika/hansa-model.toml")).unwrap();
    let manifest: toml::Table = manifest.parse().unwrap();
    let labels = manifest["labels"]["names"].as_array().unwrap();
    let golden = |golden: &toml::Value| {
        let label = labels.iter().position(|label| *label == golden["labels"][0]).unwrap();
        let score = golden["expect"][0].as_float().unwrap();
        Golden { text: golden["text"].as_str().unwrap().to_owned(), label: label as u32, score }
    };
    manifest["golden"].as_array().unwrap().iter().map(golden).collect()
}

/// The guest knows nothing of Hansa's own inference, and its model is real: what it sells is right, and the receipt names what was run.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_guest_of_wasi_nn_alone_sells_what_a_real_model_says() {
    let town = town().await;
    let mut config = config("south", &town.folder.path().join("south"), &town.server.url(), false);
    config.inference.models = Some(tools().join("models"));
    config.inference.library = Some(tools().join("lib/libonnxruntime.so"));
    let south = hansa_node::Node::start(config).await.unwrap();
    let functions = ["run", "reflect", "load", "hoard", "churn", "repeat", "identify"];
    let asks = "deadline-ms-max = 30000\n[capabilities]\ninference.models = [\"magika\"]\n";
    let manifest = manifest("fixture/nn-classic", CLASSIC, &functions, "0.002", asks);
    south.deploy(&manifest, component("fixture-nn-classic")).await.unwrap();
    let client = town.client("client", Amount::credits(1)).await;
    see(&client, CLASSIC, 1).await;

    for Golden { text, label, score } in goldens() {
        let args = bytes_arg(text.as_bytes());
        let bought = client.call(CLASSIC, "identify", args, Amount::credits(1), 30_000).await.unwrap();
        let (ok, (found, near)): (u8, (u32, f32)) = minicbor::decode(&bought.answer).unwrap();
        assert_eq!((ok, found, bought.charged), (0, label, PRICE_LOW), "{text}");
        assert!((f64::from(near) - score).abs() < 1e-3, "{near} is not {score} for {text}");
        let receipt = client.receipt(bought.receipt.unwrap()).await.unwrap().unwrap();
        let runs: Vec<_> = receipt.body.models.iter().map(|run| (&*run.model, run.input_units)).collect();
        assert_eq!(runs, [("magika@standard_v3_3", 2)], "2,048 elements are two units");
    }
    let bought = call(&client, CLASSIC, "load", bytes_arg(b"a model of its own")).await.unwrap();
    let (_, refusal) = fault_in(&bought.answer);
    assert!(refusal.starts_with("ErrorCode::Security: "), "{refusal}");
    assert_eq!(bought.charged, Amount::ZERO);
}
