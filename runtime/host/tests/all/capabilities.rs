//! State, context, log, lifecycle and inference, as a guest sees them.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use futures::future::{BoxFuture, FutureExt as _};
use hansa_host::{
    CallInfo, Capabilities, Invocation, LifecycleError, PricingError, Tender,
    log::{LogLevel, LogSource},
    store::{AgentStore, Keys, StoreError},
};
use serde_json::json;

use crate::models::Models;
use crate::support::{HOG, KEEPER, Lines, THINKER, agent, alone, call, host};

#[derive(Default)]
struct Memory(Mutex<BTreeMap<String, Vec<u8>>>);

impl AgentStore for Memory {
    fn get(&self, key: String) -> BoxFuture<'_, Result<Option<Vec<u8>>, StoreError>> {
        async move { Ok(self.0.lock().unwrap().get(&key).cloned()) }.boxed()
    }
    fn set(&self, key: String, value: Vec<u8>) -> BoxFuture<'_, Result<(), StoreError>> {
        async move {
            self.0.lock().unwrap().insert(key, value);
            Ok(())
        }
        .boxed()
    }
    fn delete(&self, key: String) -> BoxFuture<'_, Result<(), StoreError>> {
        async move {
            self.0.lock().unwrap().remove(&key);
            Ok(())
        }
        .boxed()
    }
    fn exists(&self, key: String) -> BoxFuture<'_, Result<bool, StoreError>> {
        async move { Ok(self.0.lock().unwrap().contains_key(&key)) }.boxed()
    }
    fn list_keys(&self, _: Option<String>) -> BoxFuture<'_, Result<Keys, StoreError>> {
        async move { Ok(Keys { keys: self.0.lock().unwrap().keys().cloned().collect(), cursor: None }) }.boxed()
    }
}

#[tokio::test]
async fn state_outlives_the_instance() {
    let keeper = agent(&host(), "keeper");
    let store = Arc::new(Memory::default());
    let with = || Capabilities { store: store.clone(), ..alone() };
    for (function, args, answer) in [
        ("put", json!(["k", "AQI="]), json!({"ok": null})),
        ("get", json!(["k"]), json!({"ok": "AQI="})),
        ("get", json!(["none"]), json!({"ok": null})),
        ("keys", json!({}), json!({"ok": ["k"]})),
        ("remove", json!(["k"]), json!({"ok": true})),
        ("remove", json!(["k"]), json!({"ok": false})),
        ("open", json!(["default"]), json!({"ok": null})),
        ("open", json!(["other"]), json!({"err": {"failed": "Error::NoSuchStore"}})),
    ] {
        assert_eq!(call(&keeper, (KEEPER, function), args, with()).await.unwrap(), answer, "{function}");
    }
    let long = call(&keeper, (KEEPER, "get"), json!(["k".repeat(600)]), with()).await.unwrap();
    assert!(long["err"]["failed"].as_str().unwrap().contains("at most 512"), "{long}");
    let hoard = call(&keeper, (KEEPER, "hoard"), json!({}), with()).await.unwrap();
    assert!(hoard["ok"].as_u64().unwrap() <= 1024, "{hoard}");
    let absent = call(&keeper, (KEEPER, "get"), json!(["k"]), alone()).await.unwrap();
    assert!(absent["err"]["failed"].as_str().unwrap().contains("no store on this node"), "{absent}");
}

#[tokio::test]
async fn items_are_counted_for_a_served_call_alone() {
    let pricer = agent(&host(), "pricer");
    let deadline = Instant::now() + Duration::from_secs(5);
    let info = CallInfo { id: [1; 32], buyer: String::new(), deadline };
    let served = Capabilities { call: Some(info), ..alone() };
    for (capabilities, items) in [(served, 7), (alone(), 0)] {
        let (interface, function) = ("fixture:pricing/pricer@0.1.0".to_owned(), "pack".to_owned());
        let args = vec![0x81, 7].into();
        let outcome = pricer.call(Invocation { interface, function, args, deadline, capabilities }).await;
        assert_eq!((outcome.result.unwrap().to_vec(), outcome.items), (vec![0x82, 0, 7], items));
    }
}

#[tokio::test]
async fn an_agent_bids_as_it_likes() {
    let host = host();
    let bidder = agent(&host, "bidder");
    assert!(bidder.program().bids() && !bidder.program().names_prices() && !agent(&host, "pricer").program().bids());
    let bid = async |text: &str, list_price| {
        let args = [&[0x81, 0x60 + text.len() as u8], text.as_bytes()].concat();
        let (service, function) = ("fixture:pricing/pricer@0.1.0", "carve");
        let (id, buyer) = ("00".into(), "did:key:z6MkBuyer".into());
        let tender = Tender { id, buyer, service, function, args: &args, list_price };
        bidder.bid(&tender, alone(), Instant::now() + Duration::from_secs(5)).await
    };
    for (text, list, wanted) in
        [("oak", 100, Some(50)), ("oak", 1 << 40, Some(1 << 39)), ("granite", 100, None), ("clay", 100, Some(101))]
    {
        assert_eq!(bid(text, Some(list)).await, Ok(wanted), "{text}");
    }
    assert_eq!(bid("oak", None).await, Err(PricingError::Declined("there is no list price to halve".into())));
    assert!(matches!(bid("glass", Some(100)).await, Err(PricingError::Failed(_))));
}

#[tokio::test]
async fn a_guest_knows_who_it_is_and_whom_it_serves() {
    let keeper = agent(&host(), "keeper");
    let deadline = Instant::now() + Duration::from_secs(5);
    let info = CallInfo { id: [0xab; 32], buyer: "did:key:z6MkBuyer".into(), deadline };
    let with = Capabilities { call: Some(info), ..alone() };
    let who = call(&keeper, (KEEPER, "who"), json!({}), with).await.unwrap();
    let id = "ab".repeat(32);
    assert_eq!(who, json!({"ok": ["did:key:z6MkAgent", "fixture/keeper", "0.1.0", "did:key:z6MkNode", id, "did:key:z6MkBuyer"]}));
    let lines = Arc::new(Lines::default());
    let with = Capabilities { log: lines.clone(), ..alone() };
    call(&keeper, (KEEPER, "log"), json!(["two\nlines"]), with).await.unwrap();
    let lines = lines.0.lock().unwrap();
    assert_eq!((lines[0].level, lines[0].source, &*lines[0].text), (LogLevel::Error, LogSource::Log, "two\\nlines"));
}

#[tokio::test]
async fn an_agent_can_refuse_to_start() {
    let keeper = agent(&host(), "keeper");
    let deadline = || Instant::now() + Duration::from_secs(5);
    let store = Arc::new(Memory::default());
    keeper.start(Capabilities { store: store.clone(), ..alone() }, deadline()).await.unwrap();
    assert_eq!(store.0.lock().unwrap()["started"], b"yes");
    keeper.stop(alone(), deadline()).await.unwrap();
    let error = keeper.start(alone(), deadline()).await.unwrap_err();
    assert!(matches!(&error, LifecycleError::Refused(why) if why.contains("no room to start")), "{error}");
    // An agent without lifecycle just starts.
    agent(&host(), "hog").start(alone(), deadline()).await.unwrap();
}

#[tokio::test]
async fn the_surroundings_are_empty() {
    let hog = agent(&host(), "hog");
    assert_eq!(call(&hog, (HOG, "surroundings"), json!({}), alone()).await.unwrap(), json!({"ok": []}));
}

#[tokio::test]
async fn inference_is_limited_to_the_granted_models() {
    let thinker = agent(&host(), "thinker");
    let with = || Capabilities { inference: Arc::new(Models::default()), ..alone() };
    let models = call(&thinker, (THINKER, "models"), json!({}), with()).await.unwrap();
    assert_eq!(models, json!({"ok": ["minilm"]}));
    let vectors = call(&thinker, (THINKER, "embed"), json!(["minilm", ["a", "abc"]]), with()).await.unwrap();
    assert_eq!(vectors, json!({"ok": [0.5, 1.5]}));
    let denied = call(&thinker, (THINKER, "embed"), json!(["secret", ["a"]]), with()).await.unwrap();
    let text = denied["err"]["failed"].as_str().unwrap();
    assert!(text.contains("NotPermitted") && text.contains("agent.toml"), "{text}");
    let absent = call(&thinker, (THINKER, "embed"), json!(["minilm", ["a"]]), alone()).await.unwrap();
    assert!(absent["err"]["failed"].as_str().unwrap().contains("NotFound"), "{absent}");
}
