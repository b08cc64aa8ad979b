//! Instances that serve one call after another: what stays, what does not, and what ends one.

use std::{sync::Arc, time::Duration};

use hansa_host::{AgentSpec, CallLimits, Capabilities, Grants, Host, HostOptions, Prepared, Reuse};
use serde_json::{Value, json};

use crate::support::{HOG, Lines, agent, alone, call, call_within, host, host_with, program, spec};

const REUSE: Reuse = Reuse { calls_max: 100, age_max: Duration::from_secs(60) };

fn serial(host: &Host, reuse: Reuse) -> Arc<Prepared> {
    let limits = CallLimits { cpu_ms_max: 100, log_bytes_max: 100, ..CallLimits::default() };
    let spec = AgentSpec { limits, reuse: Some(reuse), ..spec("hog", Grants::default()) };
    host.prepare(&program(host, "hog"), spec).unwrap()
}

/// How many calls this instance has counted.
async fn counted(hog: &Prepared) -> Value {
    call(hog, (HOG, "count"), json!({}), alone()).await.unwrap()["ok"].clone()
}

#[tokio::test]
async fn an_instance_serves_until_its_calls_or_its_time_are_over() {
    let host = host();
    let hog = serial(&host, Reuse { calls_max: 3, ..REUSE });
    for wanted in [1, 2, 3, 1, 2] {
        assert_eq!(counted(&hog).await, wanted);
    }
    hog.forget_instances();
    assert_eq!(counted(&hog).await, 1);
    let hog = serial(&host, Reuse { age_max: Duration::ZERO, ..REUSE });
    assert_eq!((counted(&hog).await, counted(&hog).await), (json!(1), json!(1)));
}

#[tokio::test]
async fn whatever_breaks_ends_its_instance() {
    let hog = serial(&host(), REUSE);
    for (function, args) in [("boom", json!({"message": "x"})), ("spin", json!({})), ("sleep", json!({"milliseconds": 60_000}))] {
        assert_eq!((counted(&hog).await, counted(&hog).await), (json!(1), json!(2)));
        call_within(&hog, (HOG, function), args, alone(), Duration::from_millis(300)).await.unwrap_err();
    }
    assert_eq!(counted(&hog).await, 1);
}

#[tokio::test]
async fn one_that_has_grown_serves_no_other_call() {
    let hog = serial(&host(), REUSE);
    for (mebibytes, then) in [(20, 2), (40, 1)] {
        hog.forget_instances();
        assert_eq!(counted(&hog).await, 1);
        call(&hog, (HOG, "alloc"), json!([mebibytes]), alone()).await.unwrap();
        assert_eq!(counted(&hog).await, then, "after {mebibytes} MiB");
    }
}

#[tokio::test]
async fn two_calls_at_once_have_two_instances() {
    let hog = serial(&host(), REUSE);
    counted(&hog).await;
    let sleeps = call(&hog, (HOG, "sleep"), json!({"milliseconds": 50}), alone());
    let (slept, other) = tokio::join!(sleeps, counted(&hog));
    slept.unwrap();
    assert_eq!(other, 1);
}

#[tokio::test]
async fn lines_and_their_limit_are_of_one_call() {
    let hog = serial(&host(), REUSE);
    for _ in 0..5 {
        let lines = Arc::new(Lines::default());
        let with = Capabilities { log: lines.clone(), ..alone() };
        call(&hog, (HOG, "say"), json!({"text": "x".repeat(30)}), with).await.unwrap();
        assert_eq!(lines.0.lock().unwrap().len(), 2, "none of them was cut");
    }
    assert_eq!(counted(&hog).await, 1, "all in one instance");
}

#[tokio::test]
async fn a_full_pool_takes_idle_instances_back() {
    let host = host_with(HostOptions { pool_instances: 2, ..HostOptions::default() });
    let (hog, other) = (serial(&host, REUSE), agent(&host, "hog"));
    assert_eq!(counted(&hog).await, 1);
    let sleep = || call(&other, (HOG, "sleep"), json!({"milliseconds": 30}), alone());
    let (one, two) = tokio::join!(sleep(), sleep());
    one.unwrap();
    two.unwrap();
    assert_eq!(counted(&hog).await, 1, "it had to go");
    assert_eq!(counted(&hog).await, 2);
    // Of two that end at once, one is kept: half of the pool.
    let sleep = || call(&hog, (HOG, "sleep"), json!({"milliseconds": 30}), alone());
    let (one, two) = tokio::join!(sleep(), sleep());
    one.unwrap();
    two.unwrap();
    let full = call(&other, (HOG, "count"), json!({}), alone()).await.unwrap();
    assert_eq!(full["ok"], 1);
}
