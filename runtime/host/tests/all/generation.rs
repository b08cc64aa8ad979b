//! Generations: their events, their ends, and that none outlives its handle or its call.

use std::{
    sync::{Arc, atomic::Ordering::SeqCst},
    time::Duration,
};

use hansa_host::{Capabilities, FailureKind};
use serde_json::{Value, json};

use crate::models::{Models, Seen};
use crate::support::{THINKER, agent, alone, call, call_within, host};

const TELLER: &str = "fixture:telling/teller@0.1.0";

fn thinking() -> (Capabilities, Arc<Seen>) {
    let models = Models::default();
    let seen = models.seen.clone();
    (Capabilities { inference: Arc::new(models), ..alone() }, seen)
}

async fn generate(prompt: &str, cancel_after: Option<u32>) -> Value {
    let (with, seen) = thinking();
    let thinker = agent(&host(), "thinker");
    let answer = call(&thinker, (THINKER, "generate"), json!(["minilm", prompt, cancel_after]), with).await.unwrap();
    assert_eq!(seen.open.load(SeqCst), 0, "{prompt}");
    answer
}

#[tokio::test]
async fn events_come_in_their_order_with_usage_and_end_once() {
    for (prompt, cancel_after, events) in [
        ("one two stop three", None, json!(["one[1] for 1", "two[2] for 2", "Finish::Stop for 2", "2 in all"])),
        ("one two three", Some(1), json!(["one[1] for 1", "Finish::Cancelled for 1", "1 in all"])),
        ("one break two", None, json!(["one[1] for 1", "Error::Backend(\"it broke\")", "1 in all"])),
        // Cancelled after its end: nothing comes of it.
        ("one", Some(2), json!(["one[1] for 1", "Finish::Stop for 1", "1 in all"])),
    ] {
        assert_eq!(generate(prompt, cancel_after).await, json!({"ok": events}), "{prompt}");
    }
    let long = generate("a b c d e f g h i j", None).await;
    assert_eq!(long["ok"].as_array().unwrap()[8..], [json!("Finish::Length for 8"), json!("8 in all")]);
}

#[tokio::test]
async fn generation_is_limited_to_the_granted_models() {
    let thinker = agent(&host(), "thinker");
    let (with, seen) = thinking();
    let denied = call(&thinker, (THINKER, "generate"), json!(["secret", "one", null]), with).await.unwrap();
    let text = denied["err"]["failed"].as_str().unwrap();
    assert!(text.contains("NotPermitted") && text.contains("inference.models = ["), "{text}");
    assert_eq!(seen.started.load(SeqCst), 0);
    let absent = call(&thinker, (THINKER, "generate"), json!(["minilm", "one", null]), alone()).await.unwrap();
    assert!(absent["err"]["failed"].as_str().unwrap().contains("NotFound"), "{absent}");
}

#[tokio::test]
async fn a_call_has_so_many_generations_open_and_no_more() {
    let thinker = agent(&host(), "thinker");
    let (with, seen) = thinking();
    let most = hansa_host::limits::GENERATIONS_MAX;
    let answer = call(&thinker, (THINKER, "open"), json!(["minilm", most, 0]), with.clone()).await.unwrap();
    assert_eq!(answer, json!({"ok": most}));
    let answer = call(&thinker, (THINKER, "open"), json!(["minilm", most + 1, 0]), with).await.unwrap();
    assert!(answer["err"]["failed"].as_str().unwrap().contains("drop one before the next"), "{answer}");
    assert_eq!((seen.started.load(SeqCst), seen.open.load(SeqCst)), (2 * most, 0));
}

/// The guest goes on for a minute after it dropped its handles; they are cancelled long before.
async fn is_cancelled_at_once(fixture: &str, place: (&str, &str), args: Value, count: usize) {
    let agent = agent(&host(), fixture);
    let (with, seen) = thinking();
    let running = call_within(&agent, place, args, with, Duration::from_secs(90));
    let cancelled = async {
        while seen.started.load(SeqCst) < count || seen.open.load(SeqCst) > 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::select! {
        answer = running => panic!("the call ended first: {answer:?}"),
        () = cancelled => {}
    }
}

#[tokio::test]
async fn a_dropped_handle_cancels() {
    is_cancelled_at_once("thinker", (THINKER, "open"), json!(["minilm", 3, 60_000]), 3).await;
    is_cancelled_at_once("teller", (TELLER, "first"), json!(["one two", 60_000]), 1).await;
}

#[tokio::test]
async fn the_sdk_streams_and_collects() {
    let teller = agent(&host(), "teller");
    for (function, prompt, answer) in [
        ("parts", "one two stop", json!({"ok": ["one for 1", "two for 2", "Some(Finish::Stop) for 2"]})),
        ("parts", "one break", json!({"err": {"failed": "the node's inference broke: it broke"}})),
        ("whole", "one two stop three", json!({"ok": "onetwo"})),
        ("whole", "chat: one two", json!({"ok": "Role::Useronetwo"})),
        ("whole", "one break", json!({"err": {"failed": "the node's inference broke: it broke"}})),
    ] {
        let (with, seen) = thinking();
        assert_eq!(call(&teller, (TELLER, function), json!([prompt]), with).await.unwrap(), answer, "{function} {prompt}");
        assert_eq!(seen.open.load(SeqCst), 0);
    }
}

#[tokio::test]
async fn the_deadline_ends_a_generation_that_never_speaks() {
    let thinker = agent(&host(), "thinker");
    let (with, seen) = thinking();
    let args = json!(["minilm", "one never", null]);
    let failure = call_within(&thinker, (THINKER, "generate"), args, with, Duration::from_millis(300)).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Deadline, "{failure}");
    assert_eq!((seen.started.load(SeqCst), seen.open.load(SeqCst)), (1, 0));
}

/// Everything here runs on one thread: a guest that waits lets the test open the gate, and a dropped call takes its generation along.
#[tokio::test(flavor = "current_thread")]
async fn waiting_holds_no_thread_and_a_dropped_call_cancels() {
    let thinker = agent(&host(), "thinker");
    let (with, seen) = thinking();
    let args = || json!(["minilm", "one gate", null]);
    let opening = async {
        seen.waits.notified().await;
        seen.gate.notify_one();
    };
    let (answer, ()) = tokio::join!(call(&thinker, (THINKER, "generate"), args(), with.clone()), opening);
    assert_eq!(answer.unwrap()["ok"][1], json!("gate[2] for 2"));
    let waiting = async {
        seen.waits.notified().await;
        seen.open.load(SeqCst)
    };
    let open = tokio::select! {
        answer = call(&thinker, (THINKER, "generate"), args(), with) => panic!("nobody opened the gate: {answer:?}"),
        open = waiting => open,
    };
    assert_eq!((open, seen.open.load(SeqCst)), (1, 0));
}
