//! What each kind of step does, as its file says.

use std::time::Duration;

use hansa_economy::Amount;
use serde_json::{Value, json};

use super::super::*;
use super::fake::*;

const HEAD: &str = "workflow: a/b\nversion: 1.0.0\nbudget: \"0.02\"\ninputs: { x: { type: any, default: 1 } }\nsteps:\n";

async fn run(world: &Fake, steps: &str) -> Over {
    world.start(&format!("{HEAD}{steps}"), json!({}));
    world.finish().await
}

async fn gives(steps: &str) -> Value {
    let over = run(&Fake::new(), steps).await;
    assert_eq!(over.how, Ending::Completed, "{steps}: {:?}", over.what);
    over.output.unwrap()
}

fn ran(world: &Fake) -> Vec<String> {
    world.lock().ran.iter().map(|(function, _)| function.clone()).collect()
}

#[tokio::test(start_paused = true)]
async fn steps_give_what_the_file_says() {
    for (steps, wanted) in [
        ("  - { id: a, set: '${ .input.x + 1 }' }\n", json!(2)),
        ("  - { id: a, call: 'i:i/i@1.0.0 f', with: { x: 7 } }\n  - { id: b, set: '${ .steps.a.was }' }\n", json!(7)),
        (
            "  - { id: a, map: '${ [1, 2, 3] }', do: [{ id: b, call: 'i:i/i@1.0.0 f', with: { x: '${ .item }' } }, { id: c, set: '${ .steps.b.was * 10 }' }] }\n",
            json!([10, 20, 30]),
        ),
        ("  - { id: a, map: '${ [] }', do: [{ id: b, set: 1 }] }\n", json!([])),
        ("  - { id: a, parallel: { l: [{ id: b, set: 1 }], r: [{ id: c, set: 2 }] } }\n", json!({ "l": 1, "r": 2 })),
        ("  - { id: a, if: '${ .input.x == 1 }', then: [{ id: b, set: yes }], else: [{ id: c, set: no }] }\n", json!("yes")),
        ("  - { id: a, if: '${ .input.x == 2 }', then: [{ id: b, set: yes }] }\n", json!(null)),
        (
            "  - { id: a, switch: [{ when: '${ false }', do: [{ id: b, set: 1 }] }, { when: '${ true }', do: [{ id: c, set: 2 }] }] }\n",
            json!(2),
        ),
        (
            "  - { id: a, loop: { while: '${ (.steps.b // 0) < 3 }', max: 9, do: [{ id: b, set: '${ .round + 1 }' }] } }\n",
            json!(3),
        ),
        ("  - { id: a, wait: { for: 2h } }\n", json!(null)),
        ("  - { id: a, wait: { until: '2027-03-01T00:00:00Z' } }\n", json!(null)),
        ("  - { id: a, set: '${ .run.workflow + \" \" + .run.version }' }\n", json!("a/b 1.0.0")),
        ("  - { id: a, call: 'i:i/i@1.0.0 f' }\n  - { id: b, set: '${ .spent }' }\n", json!(0.00075)),
        ("  - { id: a, call: 'i:i/i@1.0.0 f', ask: { sellers: 3, agree: 2 }, with: { x: 5 } }\n", json!({ "of": "f", "was": 5 })),
        (
            "  - { id: a, call: 'i:i/i@1.0.0 f', ask: { sellers: 2 } }\n  - { id: b, set: '${ .steps.a | map(.seller) | unique | length }' }\n",
            json!(2),
        ),
    ] {
        assert_eq!(gives(steps).await, wanted, "{steps}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_failure_means_what_its_step_says() {
    let call = |on_error: &str| format!("{{ id: b, call: 'i:i/i@1.0.0 bad', on-error: {on_error} }}");
    let map = |on_error: &str, inner: &str| {
        format!(
            "  - {{ id: a, on-error: {on_error}, map: '${{ [1, 2] }}', do: [{}] }}\n  - {{ id: z, set: '${{ [.steps.a] }}' }}\n",
            call(inner)
        )
    };
    for (steps, wanted) in [
        (map("item", "run"), Some(json!([[null, null]]))),
        (map("run", "item"), Some(json!([[null, null]]))),
        (map("step", "run"), Some(json!([null]))),
        (map("run", "step"), Some(json!([[null, null]]))),
        (map("run", "run"), None),
        (format!("  - {}\n", call("step")), Some(json!(null))),
        (format!("  - {}\n", call("run")), None),
    ] {
        let world = Fake::new();
        world.lock().useless.push("bad".into());
        let over = run(&world, &steps).await;
        match wanted {
            Some(wanted) => assert_eq!((over.how, over.output), (Ending::Completed, Some(wanted)), "{steps}"),
            None => assert!(over.how == Ending::Failed && over.what.unwrap().contains("makes no sense"), "{steps}"),
        }
    }
}

/// A third seller that is not there is not waited for, once two have answered.
#[tokio::test(start_paused = true)]
async fn nobody_is_asked_again_once_enough_have_answered() {
    for (ask, sellers, ends) in [
        ("sellers: 3, agree: 2", 2, true),
        ("sellers: 3, min: 2", 2, true),
        ("sellers: 3, min: 2", 1, false),
        ("sellers: 2", 1, false),
    ] {
        let world = Fake::new();
        world.lock().sellers.truncate(sellers);
        let begun = tokio::time::Instant::now();
        let over = run(&world, &format!("  - {{ id: a, call: 'i:i/i@1.0.0 f', ask: {{ {ask} }} }}\n")).await;
        assert_eq!(over.how == Ending::Completed, ends, "{ask}: {:?}", over.what);
        assert_eq!(begun.elapsed() < Duration::from_millis(900), ends, "{ask}: {:?}", begun.elapsed());
        assert_eq!(ran(&world).len(), sellers, "{ask}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_done_is_undone_backwards() {
    let world = Fake::new();
    world.lock().useless.push("bad".into());
    let step = |id: &str| {
        format!(
            "  - {{ id: {id}, call: 'i:i/i@1.0.0 do-{id}', with: {{ x: {id} }}, compensate: {{ call: 'i:i/i@1.0.0 undo-{id}', with: {{ x: '${{ .steps.{id}.was }}' }} }} }}\n"
        )
    };
    let over = run(&world, &format!("{}{}  - {{ id: c, call: 'i:i/i@1.0.0 bad' }}\n{}", step("a"), step("b"), step("d"))).await;
    assert_eq!(over.how, Ending::Failed);
    assert_eq!(ran(&world), ["do-a", "do-b", "undo-b", "undo-a"]);
    assert_eq!(world.lock().ran[2].1, json!({ "x": "b" }), "it sees the step's answer");
    assert_eq!(over.spent, world.lock().charged);
}

#[tokio::test(start_paused = true)]
async fn the_budget_is_a_hard_cap() {
    // A call costs 0.00075 and may cost 0.001; twenty of these are within 0.02 only one after another.
    let over = run(
        &Fake::new(),
        "  - { id: a, map: '${ [1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26] }', concurrency: 26, do: [{ id: b, call: 'i:i/i@1.0.0 f' }] }\n",
    )
    .await;
    assert_eq!((over.how, over.spent), (Ending::Completed, Amount(19_500)), "{over:?}");
    let world = Fake::new();
    let over =
        run(&world, "  - { id: a, budget: \"0.0016\", map: '${ [1,2,3] }', do: [{ id: b, call: 'i:i/i@1.0.0 f' }] }\n").await;
    assert_eq!((over.how, over.spent), (Ending::Failed, Amount(750)));
    assert!(over.what.as_deref().unwrap().contains("`a`'s budget of 0.0016"), "{over:?}");
    let over = run(
        &Fake::new(),
        "  - { id: a, on-error: item, item-budget: \"0.0009\", map: '${ [1] }', do: [{ id: b, call: 'i:i/i@1.0.0 f' }] }\n",
    )
    .await;
    assert_eq!((over.output, over.spent), (Some(json!([null])), Amount::ZERO));
}

#[tokio::test(start_paused = true)]
async fn signals_approvals_and_people() {
    let world = Fake::new();
    let steps = "  - { id: s, wait: { signal: go } }\n  - { id: p, approve: { message: 'x ${ .input.x }', expires: 1d, on-expiry: fail } }\n  - { id: z, set: '${ [.steps.s, .steps.p] }' }\n";
    world.start(&format!("{HEAD}{steps}"), json!({}));
    let run = world.run();
    let people = async {
        assert!(matches!(run.decide(None, true, "me", None).await, Err(Refused::NotAsked(_))));
        run.signal("go", json!({ "n": 1 }), "me").await.unwrap();
        tokio::time::sleep(Duration::from_secs(3600)).await;
        assert!(
            matches!(run.decide(Some("q"), true, "me", None).await, Err(Refused::NotAsked(what)) if what.contains("`p` does"))
        );
        assert_eq!(run.decide(None, false, "the boss", Some("too dear".into())).await.unwrap(), "p");
    };
    let (over, ()) = tokio::join!(run.go(), people);
    let wanted = json!([{ "n": 1 }, { "approved": false, "by": "the boss", "note": "too dear" }]);
    assert_eq!(over.unwrap().output.unwrap(), wanted);
    let asked = world.changes().into_iter().find_map(|change| match change {
        Change::Awaits { awaited: Awaited::Approval { message, .. }, .. } => Some(message),
        _ => None,
    });
    assert_eq!(asked.unwrap(), "x 1");
    // Gone through anew, all of it is known.
    assert_eq!(world.successor().run().go().await.unwrap().output.unwrap(), wanted);
}

#[tokio::test(start_paused = true)]
async fn approvals_that_never_come_end_as_the_file_says() {
    for (on_expiry, wanted) in [("fail", None), ("approve", Some(true)), ("reject", Some(false))] {
        let steps = format!("  - {{ id: p, approve: {{ message: x, expires: 1d, on-expiry: {on_expiry} }} }}\n");
        let over = run(&Fake::new(), &steps).await;
        assert_eq!(over.output.map(|output| output["approved"] == json!(true)), wanted, "{on_expiry}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_run_that_is_cancelled_undoes_and_one_that_is_terminated_does_not() {
    for at_once in [false, true] {
        let world = Fake::new();
        let steps =
            "  - { id: a, call: 'i:i/i@1.0.0 do', compensate: { call: 'i:i/i@1.0.0 undo' } }\n  - { id: w, wait: { for: 9d } }\n";
        world.start(&format!("{HEAD}{steps}"), json!({}));
        let run = world.run();
        let cancel = async {
            tokio::time::sleep(Duration::from_secs(60)).await;
            run.cancel("me", "not needed", at_once).await.unwrap();
        };
        let (over, ()) = tokio::join!(run.go(), cancel);
        let over = over.unwrap();
        let wanted = if at_once { (Ending::Terminated, 1) } else { (Ending::Cancelled, 2) };
        assert_eq!((over.how, ran(&world).len()), wanted);
        assert_eq!(over.spent, world.lock().charged);
    }
}

#[tokio::test(start_paused = true)]
async fn a_step_without_sellers_pauses_and_goes_on_when_it_is_let() {
    let world = Fake::new();
    world.lock().sellers.clear();
    world.start(&format!("{HEAD}  - {{ id: a, call: 'i:i/i@1.0.0 f' }}\n"), json!({}));
    let run = world.run();
    let help = async {
        tokio::time::sleep(Duration::from_secs(3600)).await;
        assert!(world.changes().iter().any(|change| matches!(change, Change::Paused { step: Some(step), .. } if step == "a")));
        world.lock().sellers.push(seller(9));
        run.resume("me").await.unwrap();
    };
    let (over, ()) = tokio::join!(run.go(), help);
    assert_eq!(over.unwrap().how, Ending::Completed);
}

#[tokio::test(start_paused = true)]
async fn time_limits_end_what_takes_too_long() {
    for steps in [
        "  - { id: a, timeout: 1h, wait: { signal: never } }\n",
        "  - { id: a, timeout: 1h, map: '${ [1] }', do: [{ id: b, wait: { for: 2h } }] }\n",
        "  - { id: a, timeout: 10s, call: 'i:i/i@1.0.0 f', terms: { max-price: \"0.0001\" }, retry: { on-exhausted: pause } }\n",
    ] {
        let over = run(&Fake::new(), steps).await;
        assert_eq!(over.how, Ending::Failed, "{steps}: {over:?}");
    }
    let world = Fake::new();
    world.start("workflow: a/b\nversion: 1.0.0\nbudget: 1\ntimeout: 1h\nsteps:\n  - { id: a, wait: { for: 2h } }\n", json!({}));
    assert_eq!(world.finish().await.how, Ending::Failed);
}

#[tokio::test(start_paused = true)]
async fn workflows_run_others_with_the_file_of_that_time() {
    let world = Fake::new();
    let inner = "workflow: c/inner\nversion: 2.0.0\nbudget: \"0.01\"\ninputs: { n: integer }\nsteps:\n  - { id: f, call: 'i:i/i@1.0.0 f', with: { x: '${ .input.n }' } }\noutput: '${ .steps.f.was + 1 }'\n";
    world.lock().files.insert("c/inner".into(), inner.into());
    let steps =
        "  - { id: a, run: c/inner, with: { n: 41 } }\n  - { id: w, wait: { for: 1d } }\n  - { id: z, set: '${ .steps.a }' }\n";
    assert_eq!(run(&world, steps).await.output, Some(json!(42)));
    world.lock().files.clear();
    assert_eq!(world.successor().run().go().await.unwrap().output, Some(json!(42)));
    let over = run(&Fake::new(), steps).await;
    assert!(over.what.unwrap().contains("there is no workflow `c/inner`"));
    let world = Fake::new();
    world.lock().files.insert("c/inner".into(), inner.into());
    let over = run(&world, "  - { id: a, run: c/inner, with: { n: many } }\n").await;
    assert!(over.what.unwrap().contains("the input `n` is no"), "its inputs are looked at");
}

/// A journal whose list of a map is another one than the file makes now.
#[tokio::test(start_paused = true)]
async fn a_walk_that_diverges_stands_still() {
    let world = Fake::new();
    world.start(&format!("{HEAD}  - {{ id: a, map: '${{ [1, 2] }}', do: [{{ id: b, call: 'i:i/i@1.0.0 f' }}] }}\n"), json!({}));
    let list = hansa_economy::Digest::of(b"[1,2,3]");
    let entry = Entry {
        version: VERSION,
        id: "y".into(),
        at_ms: world.now_ms(),
        engine: "old".into(),
        changes: vec![Change::Opened { step: "a".into(), items: 3, list }],
    };
    world.lock().journal.push(entry);
    let run = world.run();
    let look = async {
        tokio::time::sleep(Duration::from_secs(5)).await;
        assert!(world.changes().iter().any(|change| matches!(change, Change::Paused { why, .. } if why.contains("another one"))));
        assert!(ran(&world).is_empty());
        run.cancel("me", "diverged", false).await.unwrap();
    };
    let (over, ()) = tokio::join!(run.go(), look);
    assert_eq!(over.unwrap().how, Ending::Cancelled);
}

#[tokio::test(start_paused = true)]
async fn an_engine_that_lost_its_run_writes_nothing_more() {
    let world = Fake::new();
    world.start(&format!("{HEAD}  - {{ id: w, wait: {{ for: 1h }} }}\n  - {{ id: a, call: 'i:i/i@1.0.0 f' }}\n"), json!({}));
    let old = world.run();
    let new = world.successor();
    let (lost, over) = tokio::join!(old.go(), new.finish());
    assert_eq!((lost, over.how), (Err(Lost), Ending::Completed));
    assert_eq!(ran(&world).len(), 1);
}

#[test]
fn journals_of_later_versions_are_left_alone() {
    let newer = br#"{ "version": 2, "something": "else" }"#;
    assert_eq!(Entry::read(newer), Err(EntryError::Newer(2)));
    assert!(matches!(Entry::read(b"{}"), Err(EntryError::Damaged(_))));
    assert_eq!(map(json!({ "a": 1 })).len(), 1);
}
