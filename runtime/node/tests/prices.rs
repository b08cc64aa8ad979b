//! Prices by what an agent counts, prices that it names, and bids in tenders, with real components and over the bus.
#![expect(clippy::unwrap_used, reason = "tests")]

mod shared;

use std::time::Duration;

use hansa_economy::Amount;
use hansa_host::Fault;
use hansa_node::{Client, Node};
use hansa_trade::{Bought, Tendered};
use shared::*;

const PRICER: &str = "fixture:pricing/pricer@0.1.0";

fn pricer(name: &str, rest: &str) -> String {
    format!(
        "[agent]\nname = \"{name}\"\nversion = \"1.0.0\"\n[sells.\"{PRICER}\"]\n\
         price.pack = {{ base = \"0.001\", per.item = \"0.0001\", max = \"0.003\" }}\n{rest}\n"
    )
}

async fn deploy(node: &Node, rest: &str) -> Result<(), String> {
    let deployed = node.deploy(&pricer("fixture/pricer", rest), component("fixture-pricer")).await;
    deployed.map(drop).map_err(|error| error.to_string())
}

const DIFFER: &str = "commons:comparison/differ@0.1.0";
/// `tariff::MAX` of `agents/differ`.
const DIFFER_MAX: Amount = Amount(50_000);

const QUOTED: &str = "price.carve = { quoted = true, max = \"0.001\" }";

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn items_and_named_prices_are_paid() {
    let town = town().await;
    let south = town.node("south").await;
    deploy(&south, QUOTED).await.unwrap();
    let client = town.client("client", Amount::credits(1)).await;
    see(&client, PRICER, 1).await;

    let mut spent = Amount::ZERO;
    // 0.001 for the call and 0.0001 for each item, up to 0.003; a fault costs nothing.
    for (items, charged, counted) in [(0u64, 1_000, 0), (7, 1_700, 7), (1_000_000, 3_000, 1_000_000), (13, 0, 0)] {
        let bought = call(&client, PRICER, "pack", minicbor::to_vec([items]).unwrap()).await.unwrap();
        assert_eq!(bought.charged, Amount(charged), "{items} items");
        let receipt = client.receipt(bought.receipt.unwrap()).await.unwrap().unwrap().body;
        assert_eq!((receipt.price_max, receipt.metered.unwrap_or_default().items), (Amount(3_000), counted));
        spent = spent.saturating_add(bought.charged);
    }

    // Ten for each byte of {"text":"oak"}.
    let bought = call(&client, PRICER, "carve", text_arg("oak")).await.unwrap();
    assert_eq!(bought.charged, Amount(140));
    let receipt = client.receipt(bought.receipt.unwrap()).await.unwrap().unwrap().body;
    assert_eq!(receipt.price_max, Amount(140));
    assert!(receipt.metered.unwrap().quote.is_some());
    spent = spent.saturating_add(bought.charged);
    for (text, why) in [("granite".to_owned(), "too hard"), ("x".repeat(200), "above the offer's limit of 0.001000")] {
        let Err(Fault::Refused(what)) = call(&client, PRICER, "carve", text_arg(&text)).await else { panic!("it was called") };
        assert!(what.contains(why), "{what}");
    }

    client.settle().await;
    south.settle().await;
    assert_eq!(town.balance(account_of(&south, "pricer").await).await, spent);
    town.check();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn free_calls_outlive_a_restart_of_the_node() {
    let town = town().await;
    let south = town.node("south").await;
    deploy(&south, "price.carve = \"0.002\"\nfree-calls = 2").await.unwrap();
    let client = town.client("client", Amount::credits(1)).await;
    see(&client, PRICER, 1).await;
    assert_eq!(call(&client, PRICER, "carve", text_arg("a")).await.unwrap().charged, Amount::ZERO);
    client.close().await;
    south.stop().await;
    let south = town.node("south").await;
    see(&client, PRICER, 1).await;
    for charged in [0, 2_000] {
        assert_eq!(carved(&client).await.charged, Amount(charged));
    }
    drop(south);
    town.check();
}

/// Until the renewed offer has come round, the seller says that the old one is no longer made.
async fn carved(client: &Client) -> hansa_trade::Bought {
    for _ in 0..40 {
        if let Ok(bought) = call(client, PRICER, "carve", text_arg("b")).await {
            return bought;
        }
        tokio::time::sleep(std::time::Duration::from_millis(25)).await;
    }
    panic!("the agent did not come up again")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_component_that_names_no_prices_has_no_quoted_one() {
    let town = town().await;
    let manifest = greeter("fixture/greeter", "0.001")
        .replace("price.greet = \"0.001\"", "price.greet = { quoted = true, max = \"0.001\" }");
    let error = town.north.deploy(&manifest, component("fixture-greeter")).await.map(drop).unwrap_err().to_string();
    assert!(error.contains("HA0012") && error.contains("hansa:market/pricing"), "{error}");
}

const HAGGLER: &str = "fixture:pricing/haggler@0.1.0";
const WAIT: Duration = Duration::from_secs(1);

/// Two sellers on two nodes at the same list price, of which one bids half of it.
async fn sellers(town: &Town, south: &Node) {
    deploy(south, "price.carve = \"0.002\"").await.unwrap();
    let bidder = pricer("fixture/bidder", "price.carve = \"0.002\"");
    town.north.deploy(&bidder, component("fixture-bidder")).await.unwrap();
}

/// What an agent's log says of its bids.
async fn bids_told(node: &Node, agent: &str) -> Vec<String> {
    let lines = node.agents().await[agent].logs(1000, 0);
    lines.into_iter().filter(|line| line.level == "bid").map(|line| line.text).collect()
}

/// The same, once it says something of so many.
async fn bids_heard(node: &Node, agent: &str, count: usize) -> Vec<String> {
    for _ in 0..200 {
        let told = bids_told(node, agent).await;
        if told.len() >= count {
            return told;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("nothing was heard of {count} tenders in ten seconds")
}

async fn put_out(client: &Client, text: &str) -> (Tendered, Result<Bought, Fault>) {
    let (order, terms) = Client::order(PRICER, "carve", text_arg(text), Amount::credits(1), 5000);
    let tendered = client.tender(&order, &terms, WAIT).await.unwrap();
    let bought = client.buy_by(&order, &terms, &tendered).await;
    client.conclude(&tendered, bought.as_ref().ok().map(|bought| bought.seller)).await;
    (tendered, bought)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_lower_bid_wins_and_is_what_is_paid() {
    let town = town().await;
    let south = town.node("south").await;
    sellers(&town, &south).await;
    let client = town.client("client", Amount::credits(1)).await;
    see(&client, PRICER, 2).await;

    let (tendered, bought) = put_out(&client, "oak").await;
    let prices: Vec<_> = tendered.bids.iter().map(|bid| (bid.candidate.price_max, bid.out.clone())).collect();
    assert_eq!(prices, [(Amount(1_000), None), (Amount(2_000), None)]);
    let bought = bought.unwrap();
    assert_eq!(bought.charged, Amount(1_000));
    let receipt = client.receipt(bought.receipt.unwrap()).await.unwrap().unwrap().body;
    let quote = &tendered.winner().unwrap().candidate.quote.as_ref().unwrap().quote;
    assert_eq!((receipt.price_max, &*receipt.package), (Amount(1_000), "fixture/bidder@1.0.0"));
    assert_eq!((receipt.metered.unwrap().quote, quote.body.bid.map(|bid| bid.tender)), (Some(quote.digest()), Some(tendered.id)));
    assert_eq!(bids_told(&town.north, "bidder").await, ["carve for 0.001000: won; one of 2 bids"]);
    let lost = format!("carve for 0.002000: lost against 0.001000 of {}; one of 2 bids", receipt.seller.short());
    assert_eq!(bids_told(&south, "pricer").await, [lost]);
    // By itself the call costs what the offer says, at either seller.
    assert_eq!(call(&client, PRICER, "carve", text_arg("oak")).await.unwrap().charged, Amount(2_000));

    // No bid, one above its own list price, and one that breaks: the other seller is left.
    for (text, why) in [("granite", "it does not bid"), ("clay", "above the"), ("glass", "the agent broke")] {
        let (tendered, bought) = put_out(&client, text).await;
        let out = tendered.bids[1].out.as_ref().unwrap().to_string();
        assert!(out.contains(why), "{out}");
        let bought = bought.unwrap();
        assert_eq!((bought.seller, bought.charged), (tendered.bids[0].candidate.listed.offer.agent, Amount(2_000)));
    }

    client.settle().await;
    south.settle().await;
    town.north.settle().await;
    town.check();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_agent_puts_its_purchases_out_to_tender() {
    let town = town().await;
    let south = town.node("south").await;
    sellers(&town, &south).await;
    let client = town.client("client", Amount::credits(1)).await;
    see(&client, PRICER, 2).await;
    let buys = format!("[buys.\"{PRICER}\"]\nmax-price = \"0.0015\"\ndeadline-ms = 2000\n");
    let haggler = manifest("fixture/haggler", HAGGLER, &["carve", "put-out"], "0.01", &buys);
    town.north.deploy(&haggler, component("fixture-haggler")).await.unwrap();
    town.fund(account_of(&town.north, "haggler").await, Amount::credits(1)).await;
    see(&client, HAGGLER, 1).await;

    // Its limit is below both list prices: without a tender there is nothing to buy.
    let wait_ms = WAIT.as_millis() as u32;
    let bought = call(&client, HAGGLER, "carve", minicbor::to_vec(("oak", wait_ms)).unwrap()).await.unwrap();
    let (_, told): (u8, Vec<String>) = minicbor::decode(&bought.answer).unwrap();
    let dear = "fixture/pricer@1.0.0 its bid of 0.002000 is above the limit of 0.001500";
    assert_eq!(told, ["fixture/bidder@1.0.0 1000", dear, "oak"]);
    let receipt = client.receipt(bought.receipt.unwrap()).await.unwrap().unwrap().body;
    assert_eq!(receipt.children.len(), 1);
    let child = client.receipt(receipt.children[0]).await.unwrap().unwrap().body;
    assert_eq!((&*child.package, child.charged, child.price_max), ("fixture/bidder@1.0.0", Amount(1_000), Amount(1_000)));
    assert_eq!(
        bids_heard(&south, "pricer", 1).await,
        ["carve for 0.002000: lost against 0.001000 of ".to_owned() + &child.seller.short() + "; it did not count"]
    );

    // Nobody is within its limit: the purchase after the tender is like any other.
    let bought = call(&client, HAGGLER, "carve", minicbor::to_vec(("granite", wait_ms)).unwrap()).await.unwrap();
    let (_, why) = fault_in(&bought.answer);
    assert!(why.contains("above the limit of 0.001500"), "{why}");
    let told = bids_heard(&south, "pricer", 2).await;
    assert!(told[1].contains("nobody was taken"), "{told:?}");
    // A tender that outlasts the call is not put out.
    let late = client.call(HAGGLER, "carve", minicbor::to_vec(("oak", 5_000)).unwrap(), Amount::credits(1), 2_000).await.unwrap();
    assert!(fault_in(&late.answer).1.contains("wait less"), "{}", fault_in(&late.answer).1);
}

/// What the differ asks for this call.
async fn asked(client: &Client, args: &[u8]) -> Amount {
    let found = client.quote(DIFFER, "compare", args.to_vec(), Amount::credits(1), 5000).await.unwrap();
    assert_eq!(found.len(), 1);
    assert!(found[0].quote.is_some(), "the seller named it");
    found[0].price_max
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_agent_raises_its_price_with_what_it_serves_and_with_nothing_else() {
    let town = town().await;
    let south = town.node("south").await;
    let manifest = std::fs::read_to_string(workspace().join("agents/differ/agent.toml")).unwrap();
    south.deploy(&manifest, component("agent-differ")).await.unwrap();
    let client = town.client("client", Amount::credits(1)).await;
    see(&client, DIFFER, 1).await;

    // The floor: 0.0002 and 0.00002 for one KiB. Neither questions nor faults move it.
    let (floor, ceiling) = (Amount(220), Amount(880));
    let args = minicbor::to_vec(("salt\nherring", "salt\ncod")).unwrap();
    for _ in 0..60 {
        assert_eq!(asked(&client, &args).await, floor);
    }
    for _ in 0..20 {
        let bought = call(&client, DIFFER, "compare", minicbor::to_vec(("no\0text", "")).unwrap()).await.unwrap();
        assert!(fault_in(&bought.answer).1.contains("zero byte at `2`"));
        assert_eq!(bought.charged, Amount::ZERO);
    }
    assert_eq!(asked(&client, &args).await, floor);

    // Forty calls that count are the ceiling; some more, because the first fade while the last are made.
    let mut spent = Amount::ZERO;
    let mut last = floor;
    for nth in 0..60 {
        let charged = call(&client, DIFFER, "compare", args.clone()).await.unwrap().charged;
        assert!(nth > 0 || charged == floor, "the first call costs the floor, not {charged}");
        assert!((last..=ceiling).contains(&charged), "call {nth} cost {charged} after {last}");
        (spent, last) = (spent.saturating_add(charged), charged);
    }
    assert_eq!(last, ceiling);

    // Six bytes for each character in JSON: four times the floor of this would be above the most that `agent.toml` promises.
    let control = "\u{1}".repeat(60_000);
    let args = minicbor::to_vec((&control, &control)).unwrap();
    assert_eq!(asked(&client, &args).await, DIFFER_MAX);
    let bought = call(&client, DIFFER, "compare", args).await.unwrap();
    assert_eq!(bought.charged, DIFFER_MAX);
    spent = spent.saturating_add(bought.charged);

    client.settle().await;
    south.settle().await;
    assert_eq!(town.balance(account_of(&south, "differ").await).await, spent);
    town.check();
}
