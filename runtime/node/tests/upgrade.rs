//! A new version of an agent takes over from the one that runs: its state, its key and its calls; one that does not start leaves the
//! old version in place.
#![expect(clippy::unwrap_used, reason = "tests")]

mod shared;

use hansa_economy::Amount;
use shared::*;

const KEEPER: &str = "fixture:parts/keeper@0.1.0";
const FUNCTIONS: [&str; 8] = ["put", "get", "remove", "keys", "open", "hoard", "who", "log"];

fn keeper(version: &str, bytes_max: &str) -> String {
    let rest = format!("[capabilities]\nkeyvalue.bytes-max = \"{bytes_max}\"\n");
    manifest("fixture/keeper", KEEPER, &FUNCTIONS, "0.001", &rest).replace("\"1.0.0\"", &format!("\"{version}\""))
}

fn put_args(key: &str, value: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut cbor = minicbor::Encoder::new(&mut out);
    cbor.array(2).unwrap().str(key).unwrap().bytes(value).unwrap();
    out
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn state_goes_on_and_a_version_that_does_not_start_changes_nothing() {
    let town = town().await;
    town.north.deploy(&keeper("1.0.0", "1KiB"), component("fixture-keeper")).await.unwrap();
    let client = town.client("client", Amount::credits(1)).await;
    see(&client, KEEPER, 1).await;
    call(&client, KEEPER, "put", put_args("a", b"first")).await.unwrap();
    let key = town.north.agents().await["keeper"].agent();
    for version in ["1.0.1", "1.1.0", "1.2.0"] {
        town.north.deploy(&keeper(version, "1KiB"), component("fixture-keeper")).await.unwrap();
        see(&client, KEEPER, 1).await;
        assert_eq!(kept(&client).await, b"first", "{version}");
    }
    // Starting it takes more state than it asks for.
    call(&client, KEEPER, "remove", text_arg("started")).await.unwrap();
    let refused = town.north.deploy(&keeper("1.3.0", "4B"), component("fixture-keeper")).await.unwrap_err().to_string();
    assert!(refused.contains("no room to start") && refused.ends_with("the version before runs on"), "{refused}");
    see(&client, KEEPER, 1).await;
    assert_eq!(kept(&client).await, b"first");
    let agents = town.north.agents().await;
    let status = agents["keeper"].status().await;
    assert_eq!((status.package.as_str(), agents["keeper"].agent()), ("fixture/keeper@1.2.0", key));
}

/// What lies under the key `a`. A buyer may hold the offer of the version before for a moment.
async fn kept(client: &hansa_node::Client) -> Vec<u8> {
    let bought = call(client, KEEPER, "get", text_arg("a")).await.unwrap();
    // [0, bytes]: `ok` of an option that is there
    let mut cbor = minicbor::Decoder::new(&bought.answer);
    assert_eq!((cbor.array().unwrap(), cbor.u8().unwrap()), (Some(2), 0));
    cbor.bytes().unwrap().to_vec()
}
