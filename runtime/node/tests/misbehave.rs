//! A component that breaks in every way, sold on a real market: the buyer pays nothing and the node goes on.
#![expect(clippy::unwrap_used, reason = "tests")]

mod shared;

use hansa_economy::Amount;
use hansa_economy::receipt::Ending;
use hansa_host::Fault;
use shared::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn every_way_to_break_costs_nothing_and_ends() {
    let town = town().await;
    let rest = "deadline-ms-max = 1500\n[limits]\nmemory = \"32MiB\"\ncpu-per-call = \"300ms\"\n";
    town.north.deploy(&manifest("fixture/hog", HOG, &HOG_FUNCTIONS, "0.001", rest), component("fixture-hog")).await.unwrap();
    let client = town.client("client", Amount::credits(1)).await;
    see(&client, HOG, 1).await;
    let cases = [
        ("boom", text_arg("over"), "boom: over"),
        ("spin", NO_ARGS.to_vec(), "processor time"),
        ("spin-async", NO_ARGS.to_vec(), "processor time"),
        ("alloc", number_arg(1000), "bytes of memory; send less"),
        ("recurse", number_arg(100_000_000), "ran out of stack"),
        ("huge", number_arg(24 << 20), "return less"),
        ("sleep", number_arg(60_000), "no result within"),
    ];
    let mut faulted = 0;
    for (function, args, word) in cases {
        let fault = call(&client, HOG, function, args).await.unwrap_err();
        assert!(matches!(fault, Fault::SellerFailed(_)), "{function}: {fault:?}");
        assert!(fault.text().contains(word), "{function}: {fault}");
        assert!(fault.text().contains("fixture/hog@1.0.0"), "{function}: {fault}");
        assert!(!fault.text().contains("agent.toml"), "the author's business: {fault}");
        let alive = call(&client, HOG, "count", NO_ARGS.to_vec()).await.unwrap();
        assert_eq!(alive.answer.as_ref(), [0x82, 0x00, 0x01], "after {function} each call still gets a fresh instance");
        faulted += 1;
    }
    client.settle().await;
    town.north.settle().await;
    let receipts = client.exchange().books().receipts(100).unwrap();
    let receipts =
        receipts.iter().map(|bytes| hansa_economy::Signed::<hansa_economy::receipt::Receipt>::open(bytes).unwrap().body);
    // North's own books are others; the client's hold one for each call.
    let (broken, answered): (Vec<_>, Vec<_>) = receipts.partition(|receipt| matches!(receipt.ending, Ending::Faulted(_)));
    assert_eq!((broken.len(), answered.len()), (faulted, faulted));
    assert!(broken.iter().all(|receipt| receipt.charged == Amount::ZERO));
    let earned = Amount(1_000).saturating_mul(faulted as u128);
    assert_eq!(town.balance(account_of(&town.north, "hog").await).await, earned);
    let logs = town.north.agents().await["hog"].logs(1000, 0);
    for words in ["boom: over", "raise `[limits] memory` in agent.toml", "raise `[limits] cpu-per-call` in agent.toml"] {
        assert!(logs.iter().any(|line| line.text.contains(words)), "{words}: {logs:?}");
    }
    town.check();
}
