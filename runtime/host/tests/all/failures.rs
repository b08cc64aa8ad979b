//! Every way in which a guest fails: what the caller is told, and that the host goes on.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use hansa_host::{CallLimits, Capabilities, Failure, FailureKind, HostOptions, log::LogSource};
use serde_json::{Value, json};

use crate::support::{HOG, Lines, agent, agent_with, alone, call, call_bytes, call_within, host, host_with};

async fn fails(function: &str, args: Value, limits: CallLimits) -> Failure {
    let hog = agent_with(&host(), "hog", limits);
    let failure = call(&hog, (HOG, function), args, alone()).await.unwrap_err();
    // The next call finds a fresh instance.
    assert_eq!(call(&hog, (HOG, "count"), json!({}), alone()).await.unwrap(), json!({"ok": 1}));
    failure
}

#[tokio::test]
async fn a_panic_is_told_in_the_guests_words() {
    let failure = fails("boom", json!({"message": "out of\u{1b}[31m luck"}), CallLimits::default()).await;
    assert_eq!(failure.kind, FailureKind::Panic);
    assert!(failure.message.contains("boom: out of\\u{1b}[31m luck"), "{failure}");
    assert!(failure.message.starts_with("`boom` of `fixture/hog`"), "{failure}");
    assert!(failure.stderr.unwrap().contains("panicked at"));
    assert!(!failure.backtrace.is_empty());
}

#[tokio::test]
async fn a_loop_ends_with_its_processor_time() {
    for function in ["spin", "spin-async"] {
        let limits = CallLimits { cpu_ms_max: 60, ..CallLimits::default() };
        let begun = Instant::now();
        let failure = fails(function, json!({}), limits).await;
        assert_eq!(failure.kind, FailureKind::CpuLimit, "{failure}");
        assert!(failure.message.contains("60 ms"), "{failure}");
        assert!(begun.elapsed() < Duration::from_secs(8));
    }
}

#[tokio::test]
async fn a_loop_ends_at_the_deadline() {
    let hog = agent(&host(), "hog");
    let begun = Instant::now();
    let failure = call_within(&hog, (HOG, "spin"), json!({}), alone(), Duration::from_millis(100)).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Deadline, "{failure}");
    assert!(failure.kind.may_have_effect() && failure.kind.may_pass_later());
    assert!(begun.elapsed() < Duration::from_millis(1500), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn a_sleep_ends_at_the_deadline() {
    let hog = agent(&host(), "hog");
    let place = (HOG, "sleep");
    let failure =
        call_within(&hog, place, json!({"milliseconds": 60_000}), alone(), Duration::from_millis(50)).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Deadline, "{failure}");
    assert_eq!(call(&hog, place, json!({"milliseconds": 5}), alone()).await.unwrap(), json!({"ok": null}));
}

#[tokio::test]
async fn memory_is_bounded() {
    let limits = CallLimits { memory_bytes_max: 16 << 20, ..CallLimits::default() };
    let failure = fails("alloc", json!({"mebibytes": 100}), limits).await;
    assert_eq!(failure.kind, FailureKind::MemoryLimit, "{failure}");
    assert!(failure.message.contains("16777216 bytes") && failure.message.contains("send less"), "{failure}");
    assert!(failure.for_author().contains("agent.toml") && !failure.message.contains("agent.toml"), "{failure}");
    let hog = agent(&host(), "hog");
    assert_eq!(call(&hog, (HOG, "alloc"), json!([40]), alone()).await.unwrap(), json!({"ok": 40}));
    let failure = call(&hog, (HOG, "alloc"), json!([100]), alone()).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::MemoryLimit, "{failure}");
}

#[tokio::test]
async fn the_stack_is_bounded() {
    let failure = fails("recurse", json!({"depth": 100_000_000}), CallLimits::default()).await;
    assert_eq!(failure.kind, FailureKind::StackOverflow, "{failure}");
}

#[tokio::test]
async fn output_is_bounded() {
    let limits = CallLimits { output_bytes_max: 1 << 20, ..CallLimits::default() };
    let failure = fails("huge", json!({"bytes": 2 << 20}), limits).await;
    assert_eq!(failure.kind, FailureKind::OutputTooLarge, "{failure}");
    assert!(failure.message.contains("1048576 bytes"), "{failure}");
    let hog = agent_with(&host(), "hog", limits);
    let result = call(&hog, (HOG, "huge"), json!({"bytes": 1 << 19}), alone()).await.unwrap();
    assert!(result["ok"].as_str().unwrap().len() > 1 << 19);
}

#[tokio::test]
async fn logs_are_capped_and_come_line_by_line() {
    let hog = agent_with(&host(), "hog", CallLimits { log_bytes_max: 1000, ..CallLimits::default() });
    let lines = Arc::new(Lines::default());
    let with = || Capabilities { log: lines.clone(), ..alone() };
    call(&hog, (HOG, "say"), json!({"text": "one\nbell \u{7}"}), with()).await.unwrap();
    let said: Vec<_> = lines.0.lock().unwrap().drain(..).map(|line| (line.source, line.text)).collect();
    assert_eq!(
        said,
        [
            (LogSource::Stdout, "out: one".to_owned()),
            (LogSource::Stdout, "bell \\u{7}".to_owned()),
            (LogSource::Stderr, "err: one".to_owned()),
            (LogSource::Stderr, "bell \\u{7}".to_owned()),
        ]
    );
    call(&hog, (HOG, "flood"), json!({"lines": 2000}), with()).await.unwrap();
    let lines = lines.0.lock().unwrap();
    assert!(lines.iter().map(|line| line.text.len()).sum::<usize>() < 1200);
    assert_eq!(lines.iter().filter(|line| line.source == LogSource::Host).count(), 1);
}

#[tokio::test]
async fn arguments_are_checked_before_the_guest_sees_them() {
    let hog = agent(&host(), "hog");
    for args in [&b"\x80"[..], b"\x82\x01\x02", b"\x81\x20", b"\x81\x18\x01", b"\x81\x01\x00", b""] {
        let result = call_bytes(&hog, (HOG, "alloc"), args.to_vec().into(), alone(), Duration::from_secs(1)).await;
        let failure = result.unwrap_err();
        assert_eq!(failure.kind, FailureKind::BadArguments, "{failure}");
        assert!(failure.message.contains("alloc: func(mebibytes: u32) -> result<u32, fault>"), "{failure}");
        assert!(!failure.kind.may_have_effect());
    }
    for place in [("a:b/c@1.0.0", "alloc"), (HOG, "none")] {
        let result = call_bytes(&hog, place, vec![0x80].into(), alone(), Duration::from_secs(1)).await;
        assert_eq!(result.unwrap_err().kind, FailureKind::NoSuchFunction);
    }
}

#[tokio::test]
async fn a_full_pool_refuses_and_recovers() {
    let hog = agent(&host_with(HostOptions { pool_instances: 2, ..HostOptions::default() }), "hog");
    let sleep = |ms: u32| call_within(&hog, (HOG, "sleep"), json!([ms]), alone(), Duration::from_millis(300));
    let full = futures::future::join3(sleep(60_000), sleep(60_000), async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        sleep(1).await
    });
    let (one, two, three) = full.await;
    assert_eq!(one.unwrap_err().kind, FailureKind::Deadline);
    assert_eq!(two.unwrap_err().kind, FailureKind::Deadline);
    let failure = three.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Overloaded, "{failure}");
    assert!(!failure.kind.may_have_effect() && failure.kind.may_pass_later());
    // The two instances were dropped at their deadline; dropping a call's future frees its instance too.
    drop(tokio::time::timeout(Duration::from_millis(20), futures::future::join(sleep(60_000), sleep(60_000))).await);
    let (one, two) = futures::future::join(sleep(1), sleep(1)).await;
    assert!(one.is_ok() && two.is_ok());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_call_has_an_instance_of_its_own() {
    let hog = agent(&host(), "hog");
    let calls = (0..200).map(|_| {
        let hog = hog.clone();
        tokio::spawn(async move { call(&hog, (HOG, "count"), json!({}), alone()).await })
    });
    // Thirty-two at a time fit into the pool.
    let mut calls: Vec<_> = calls.collect();
    let mut served = 0;
    for call in calls.drain(..) {
        match call.await.unwrap() {
            Ok(count) => {
                assert_eq!(count, json!({"ok": 1}));
                served += 1;
            }
            Err(failure) => assert_eq!(failure.kind, FailureKind::Overloaded),
        }
    }
    assert!(served > 0);
}

#[tokio::test(flavor = "current_thread")]
async fn a_busy_guest_lets_others_run() {
    let hog = agent(&host(), "hog");
    let spin = call_within(&hog, (HOG, "spin"), json!({}), alone(), Duration::from_millis(400));
    let ticks = async {
        let mut ticks = 0;
        let until = Instant::now() + Duration::from_millis(350);
        while Instant::now() < until {
            tokio::time::sleep(Duration::from_millis(5)).await;
            ticks += 1;
        }
        ticks
    };
    let (spun, ticks) = futures::future::join(spin, ticks).await;
    assert_eq!(spun.unwrap_err().kind, FailureKind::Deadline);
    assert!(ticks >= 5, "only {ticks} turns beside a busy guest");
}
