//! Purchases: several at once, plain ones, faults as values, rubbish answers.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use bytes::Bytes;
use futures::future::BoxFuture;
use hansa_host::{
    Crossing, FailureKind, Fault, HostOptions,
    market::{Bid, Limits, Market, Offer, Purchase},
};
use serde_json::{Value, json};

use crate::support::{BUYER, GREETER, Seller, agent, call, call_within, host, host_of, host_with, trading};

fn person(name: &str) -> Value {
    json!({"name": name, "age": 40, "nicknames": ["a"], "language": "german", "score": 0.5})
}

/// Answers after a while, as the name of the person says; counts what is in flight and what was dropped.
#[derive(Default, Clone)]
struct Slow(Arc<Counts>);

#[derive(Default)]
struct Counts {
    running: AtomicUsize,
    most: AtomicUsize,
    dropped: AtomicUsize,
}

impl Slow {
    /// Waits until nothing runs: an abandoned purchase ends when its task is next looked at.
    async fn settled(&self) {
        while self.0.running.load(SeqCst) > 0 {
            tokio::task::yield_now().await;
        }
    }
    fn dropped(&self) -> usize {
        self.0.dropped.load(SeqCst)
    }
}

struct Running<'a>(&'a Counts, bool);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.running.fetch_sub(1, SeqCst);
        self.0.dropped.fetch_add(usize::from(!self.1), SeqCst);
    }
}

impl Market for Slow {
    fn buy(&self, purchase: Purchase) -> BoxFuture<'_, Result<Bytes, Fault>> {
        Box::pin(async move {
            self.0.most.fetch_max(self.0.running.fetch_add(1, SeqCst) + 1, SeqCst);
            let mut running = Running(&self.0, false);
            let args = purchase.schema.args_to_json(&purchase.args).unwrap();
            let name = args["who"]["name"].as_str().unwrap();
            let patience = if name == "slow" { 60_000 } else { 50 };
            tokio::time::sleep(Duration::from_millis(patience)).await;
            running.1 = true;
            Ok(purchase.schema.result_from_json(&json!({"ok": format!("hi {name}")})).unwrap().into())
        })
    }
    fn narrow(&self, service: &str, limits: Limits) -> Result<(), String> {
        if limits.max_price > Some(100) { Err(format!("`{service}` may cost 100 at most")) } else { Ok(()) }
    }
    fn offers(&self, service: String, function: String) -> BoxFuture<'_, Result<Vec<Offer>, String>> {
        let package = format!("{service}.{function}");
        let offer = Offer { seller: "did:key:z6MkSeller".into(), package, node: "n".into(), price_max: 7, latency_ms: None };
        Box::pin(async { Ok(vec![offer]) })
    }
    fn tender(&self, purchase: Purchase, wait: Duration) -> BoxFuture<'_, Result<Vec<Bid>, String>> {
        let args = purchase.schema.args_to_json(&purchase.args).unwrap();
        let package = format!("{}.{} {args} {} ms", purchase.service, purchase.function, wait.as_millis());
        let bid =
            |price, out| Bid { seller: "did:key:z6MkSeller".into(), package: package.clone(), node: "n".into(), price, out };
        let bids = vec![bid(Some(7), None), bid(None, Some("late".into()))];
        Box::pin(async { Ok(bids) })
    }
}

#[tokio::test]
async fn several_purchases_run_at_once() {
    let caller = agent(&host(), "caller");
    let market = Slow::default();
    let people = json!([[person("a"), person("b"), person("c")]]);
    let answer = call(&caller, (BUYER, "all"), people, trading(market.clone())).await.unwrap();
    assert_eq!(answer, json!({"ok": ["hi a", "hi b", "hi c"]}));
    assert_eq!(market.0.most.load(SeqCst), 3);
}

#[tokio::test]
async fn the_loser_of_a_race_is_dropped() {
    let caller = agent(&host(), "caller");
    let market = Slow::default();
    let args = json!([person("slow"), person("quick")]);
    let answer = call(&caller, (BUYER, "first"), args, trading(market.clone())).await.unwrap();
    assert_eq!(answer, json!({"ok": "hi quick"}));
    market.settled().await;
    assert_eq!(market.dropped(), 1);
}

#[tokio::test]
async fn a_deadline_drops_the_purchases_of_a_call() {
    let caller = agent(&host(), "caller");
    let market = Slow::default();
    for (function, args) in [("all", json!([[person("slow"), person("slow")]])), ("plain", json!([person("slow")]))] {
        let failed = call_within(&caller, (BUYER, function), args, trading(market.clone()), Duration::from_millis(100)).await;
        assert_eq!(failed.unwrap_err().kind, FailureKind::Deadline);
        market.settled().await;
    }
    assert_eq!(market.dropped(), 3);
}

#[tokio::test]
async fn a_component_sells_to_another() {
    for crossing in [Crossing::Direct, Crossing::Values] {
        let host = host_of(crossing);
        let (caller, greeter) = (agent(&host, "caller"), agent(&host, "greeter"));
        let market = || trading(Seller(greeter.clone()));
        let answer = call(&caller, (BUYER, "plain"), json!([person("ada")]), market()).await.unwrap();
        assert_eq!(answer, json!({"ok": "HALLO ADA"}));
        let answer = call(&caller, (BUYER, "all"), json!([[person("ada"), person("bo")]]), market()).await.unwrap();
        assert_eq!(answer, json!({"ok": ["hallo ada", "hallo bo"]}));
    }
}

#[tokio::test]
async fn deterministic_engines_trade_too() {
    let host = host_with(HostOptions { deterministic: true, ..HostOptions::default() });
    let (caller, greeter) = (agent(&host, "caller"), agent(&host, "greeter"));
    let answer = call(&caller, (BUYER, "plain"), json!([person("ada")]), trading(Seller(greeter))).await.unwrap();
    assert_eq!(answer, json!({"ok": "HALLO ADA"}));
}

#[tokio::test]
async fn terms_and_offers_reach_the_market() {
    let caller = agent(&host(), "caller");
    let market = Slow::default();
    let with = || trading(market.clone());
    let narrowed = call(&caller, (BUYER, "narrow"), json!([GREETER, "50"]), with()).await.unwrap();
    assert_eq!(narrowed, json!({"ok": null}));
    let refused = call(&caller, (BUYER, "narrow"), json!([GREETER, "500"]), with()).await.unwrap();
    assert_eq!(refused, json!({"err": {"failed": format!("`{GREETER}` may cost 100 at most")}}));
    let found = call(&caller, (BUYER, "search"), json!([GREETER, "greet"]), with()).await.unwrap();
    assert_eq!(found, json!({"ok": ["did:key:z6MkSeller 7"]}));
}

#[tokio::test]
async fn a_call_is_put_out_in_the_types_of_its_import() {
    const HAGGLER: &str = "fixture:pricing/haggler@0.1.0";
    const PRICER: &str = "fixture:pricing/pricer@0.1.0";
    let haggler = agent(&host(), "haggler");
    let put_out = async |args: Value| call(&haggler, (HAGGLER, "put-out"), args, trading(Slow::default())).await.unwrap();
    let told = put_out(json!([PRICER, "carve", r#"["oak"]"#, 50])).await;
    assert_eq!(
        told,
        json!({"ok": [format!("{PRICER}.carve {{\"text\":\"oak\"}} 50 ms 7"), format!("{PRICER}.carve {{\"text\":\"oak\"}} 50 ms late")]})
    );
    for (args, why) in [
        (json!([PRICER, "carve", "[7]", 50]), "the arguments do not fit `carve: async func(text: string)"),
        (json!([PRICER, "carve", "oak", 50]), "the arguments are not JSON"),
        (json!([PRICER, "saw", "[]", 50]), "has no function `saw`"),
        (json!(["a:b/c@0.1.0", "carve", "[]", 50]), "`a:b/c@0.1.0` is not an import"),
        (json!(["hansa:market/tenders@0.1.0", "open", "[]", 50]), "is not an import of this component that is bought"),
        (json!([PRICER, "carve", r#"["oak"]"#, 49]), "wait 50 to 10000 ms"),
        (json!([PRICER, "carve", r#"["oak"]"#, 10_001]), "wait 50 to 10000 ms"),
    ] {
        let told = put_out(args).await;
        assert!(told["err"]["failed"].as_str().is_some_and(|told| told.contains(why)), "{told}");
    }
}

/// Answers every purchase with the same bytes or fault.
struct Fixed(Result<Bytes, Fault>);

impl Market for Fixed {
    fn buy(&self, _: Purchase) -> BoxFuture<'_, Result<Bytes, Fault>> {
        Box::pin(async { self.0.clone() })
    }
    fn narrow(&self, _: &str, _: Limits) -> Result<(), String> {
        Ok(())
    }
    fn offers(&self, _: String, _: String) -> BoxFuture<'_, Result<Vec<Offer>, String>> {
        Box::pin(async { Err("no market".into()) })
    }
    fn tender(&self, _: Purchase, _: Duration) -> BoxFuture<'_, Result<Vec<Bid>, String>> {
        Box::pin(async { Err("no market".into()) })
    }
}

#[tokio::test]
async fn faults_reach_the_guest_as_values() {
    for crossing in [Crossing::Direct, Crossing::Values] {
        let caller = agent(&host_of(crossing), "caller");
        for (fault, case) in [
            (Fault::NoOffer("x".into()), "no-offer"),
            (Fault::OverBudget("x".into()), "over-budget"),
            (Fault::Deadline("x".into()), "deadline"),
            (Fault::Unavailable("x".into()), "unavailable"),
            (Fault::SellerFailed("x".into()), "seller-failed"),
            (Fault::Refused("x".into()), "refused"),
            (Fault::InvalidInput("x".into()), "invalid-input"),
            (Fault::Failed("x".into()), "failed"),
        ] {
            for (function, args) in [("all", json!([[person("ada")]])), ("plain", json!([person("ada")]))] {
                let with = trading(Fixed(Err(fault.clone())));
                let answer = call(&caller, (BUYER, function), args, with).await.unwrap();
                assert_eq!(answer, json!({"err": {case: "x"}}), "{function}");
            }
        }
    }
}

#[tokio::test]
async fn a_rubbish_answer_is_a_fault_and_no_trap() {
    for crossing in [Crossing::Direct, Crossing::Values] {
        let caller = agent(&host_of(crossing), "caller");
        for rubbish in
            [&b""[..], b"\x09\x09", b"\x82\x00\x01", b"\x82\x00\x61\xff", b"\x82\x00\x60\x00", b"\x81\x00", b"\x82\x02\x60"]
        {
            for (function, args) in [("all", json!([[person("ada")]])), ("plain", json!([person("ada")]))] {
                let with = trading(Fixed(Ok(rubbish.to_vec().into())));
                let answer = call(&caller, (BUYER, function), args, with).await.unwrap();
                let text = answer["err"]["seller-failed"].as_str().unwrap_or_else(|| panic!("{answer}"));
                assert!(text.contains(GREETER) && text.contains("declared type"), "{text}");
            }
        }
    }
}
