//! A workflow with everything in it, run by engines that die at any moment, with sellers that refuse, break, and lose their answers: it ends as its file says, nothing is bought
//! twice, and every unit is accounted for. By seed.

use hansa_economy::Amount;
use serde_json::json;

use super::super::*;
use super::fake::*;

const FILE: &str = r#"
workflow: test/everything
version: 1.0.0
budget: "0.05"
inputs: { rows: list }
steps:
  - { id: first, call: 'i:i/i@1.0.0 first', with: { x: 1 }, compensate: { call: 'i:i/i@1.0.0 unfirst', with: { x: "${ .steps.first.was }" } } }
  - id: rows
    map: "${ .input.rows }"
    as: row
    concurrency: 3
    do:
      - { id: read, call: 'i:i/i@1.0.0 read', with: { x: "${ .row }" }, compensate: { call: 'i:i/i@1.0.0 unread', with: { x: "${ .row }" } } }
      - { id: odd, if: "${ .row % 2 == 1 }", then: [{ id: more, call: 'i:i/i@1.0.0 more', with: { x: "${ .steps.read.was }" } }] }
      - { id: row-out, set: "${ [.row, .steps.odd.was] }" }
  - id: both
    budget: "0.01"
    parallel:
      left: [{ id: l, call: 'i:i/i@1.0.0 left', with: { x: 1 } }, { id: pause, wait: { for: 20s } }, { id: l2, set: "${ .steps.l.was }" }]
      right: [{ id: r, call: 'i:i/i@1.0.0 right', ask: { sellers: 2, agree: 2 }, with: { x: 2 } }]
  - id: again
    loop: { while: "${ .round < 3 }", max: 5, do: [{ id: poll, call: 'i:i/i@1.0.0 poll', with: { x: "${ .round }" } }] }
LAST
output: { rows: "${ .steps.rows }", both: "${ .steps.both }", last: "${ .steps.again.was }" }
"#;

fn file(last: &str) -> String {
    FILE.replace("LAST", last)
}

fn world(seed: u64, faults: Faults) -> Fake {
    let world = Fake::new();
    {
        let mut shared = world.lock();
        (shared.dice, shared.faults) = (Some(Dice(seed)), faults);
        shared.useless.push("bad".into());
    }
    world
}

fn count(world: &Fake, function: &str) -> usize {
    world.lock().ran.iter().filter(|(ran, _)| ran == function).count()
}

/// Every reservation that the journal shows is within the budget at every moment.
fn within_budget(world: &Fake, most: Amount) {
    let (mut spent, mut reserved) = (Amount::ZERO, std::collections::HashMap::new());
    for change in world.changes() {
        match change {
            Change::Attempted(begun) => drop(reserved.insert(begun.step, begun.price_max)),
            Change::Answered(answered) => {
                reserved.remove(&answered.step);
                spent = spent.saturating_add(answered.charged);
            }
            Change::Missed { step, .. } => drop(reserved.remove(&step)),
            _ => {}
        }
        let open = reserved.values().fold(Amount::ZERO, |sum, price| sum.saturating_add(*price));
        assert!(spent.saturating_add(open) <= most, "{spent} and {open}");
    }
}

#[tokio::test(start_paused = true)]
async fn whatever_dies_the_run_ends_as_its_file_says() {
    let mut crashes = 0;
    for seed in 0..150 {
        let faults = Faults { lost_answers: seed % 4 * 5, refusals: 5, breaks: 5, crashes: seed % 5 * 2 };
        let world = world(seed, faults);
        world.start(&file(""), json!({ "rows": [1, 2, 3, 4, 5] }));
        let over = world.finish().await;
        let rows = json!([[1, 1], [2, null], [3, 3], [4, null], [5, 5]]);
        let wanted = json!({ "rows": rows, "both": { "left": 1, "right": { "of": "right", "was": 2 } }, "last": 2 });
        assert_eq!((over.how, over.output.as_ref()), (Ending::Completed, Some(&wanted)), "seed {seed}: {:?}", over.what);
        assert_eq!(over.spent, world.lock().charged, "seed {seed}: every charge is known, and none is twice");
        for (function, times) in [("first", 1), ("read", 5), ("more", 3), ("left", 1), ("right", 2), ("poll", 3), ("unfirst", 0)]
        {
            assert_eq!(count(&world, function), times, "seed {seed}: {function}");
        }
        within_budget(&world, Amount(50_000));
        crashes += world.lock().crashes;
    }
    assert!(crashes > 100, "engines died {crashes} times only");
}

#[tokio::test(start_paused = true)]
async fn whatever_dies_a_failed_run_is_undone_once() {
    for seed in 0..100 {
        let faults = Faults { lost_answers: 10, refusals: 5, breaks: 5, crashes: seed % 5 * 2 };
        let world = world(seed, faults);
        world.start(&file("  - { id: end, call: 'i:i/i@1.0.0 bad' }"), json!({ "rows": [1, 2, 3] }));
        let over = world.finish().await;
        assert_eq!(over.how, Ending::Failed, "seed {seed}");
        for (function, times) in [("first", 1), ("read", 3), ("unread", 3), ("unfirst", 1), ("bad", 0)] {
            assert_eq!(count(&world, function), times, "seed {seed}: {function}");
        }
        assert_eq!(world.lock().ran.last().unwrap().0, "unfirst", "seed {seed}: the first is undone last");
        assert_eq!(over.spent, world.lock().charged, "seed {seed}");
        within_budget(&world, Amount(50_000));
    }
}

#[tokio::test(start_paused = true)]
async fn one_that_fails_beside_others_fails_the_same_way_again() {
    let steps = r#"
workflow: test/beside
version: 1.0.0
budget: "0.05"
steps:
  - id: both
    on-error: step
    parallel:
      left: [{ id: l, call: 'i:i/i@1.0.0 bad' }]
      right: [{ id: r, call: 'i:i/i@1.0.0 one' }, { id: r2, wait: { for: 1s } }, { id: r3, call: 'i:i/i@1.0.0 two' }]
  - { id: after, call: 'i:i/i@1.0.0 after', with: { x: "${ .steps.both }" } }
  - { id: later, call: 'i:i/i@1.0.0 later' }
output: "${ .steps.after.was }"
"#;
    for seed in 0..100 {
        let world = world(seed, Faults { crashes: 15, ..Faults::default() });
        world.start(steps, json!({}));
        let over = world.finish().await;
        assert_eq!((over.how, over.output), (Ending::Completed, Some(json!(null))), "seed {seed}: {:?}", over.what);
        assert_eq!(over.spent, world.lock().charged, "seed {seed}");
        let changes = world.changes();
        let failed = changes.iter().position(|change| matches!(change, Change::Broke { .. })).unwrap();
        let begins = |change: &Change| matches!(change, Change::Attempted(begun) if begun.step == "both.right/r3");
        assert!(!changes[failed..].iter().any(begins), "seed {seed}: nothing new was begun beside what is known to have failed");
        assert!(count(&world, "after") == 1 && count(&world, "two") < 2, "seed {seed}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_run_that_goes_on_from_a_step_buys_nothing_before_it_again() {
    let world = world(1, Faults::default());
    let last = "  - { id: end, call: 'i:i/i@1.0.0 bad' }";
    let without_undo =
        |file: String| file.replace(", compensate: { call: 'i:i/i@1.0.0 unfirst', with: { x: \"${ .steps.first.was }\" } }", "");
    world.start(
        &without_undo(file(last)).replace(", compensate: { call: 'i:i/i@1.0.0 unread', with: { x: \"${ .row }\" } }", ""),
        json!({ "rows": [1, 2, 3] }),
    );
    assert_eq!(world.finish().await.how, Ending::Failed);
    let entries = world.lock().journal.clone();
    let wrong = carried(&entries, "read").unwrap_err();
    assert!(wrong.contains("`first`, `rows`, `both`, `again`, `end`"), "{wrong}");
    let (started, changes) = carried(&entries, "both").unwrap();
    let ran = world.lock().ran.len();
    {
        let mut shared = world.lock();
        shared.useless.clear();
        let mut entry = shared.journal[0].clone();
        entry.changes = std::iter::once(Change::Started(Box::new(started))).chain(changes).collect();
        shared.journal = vec![entry];
        shared.kept.clear();
        shared.charged = Amount::ZERO;
    }
    let over = world.finish().await;
    assert_eq!((over.how, over.spent), (Ending::Completed, world.lock().charged));
    let again: Vec<String> = world.lock().ran[ran..].iter().map(|(function, _)| function.clone()).collect();
    assert!(!again.iter().any(|function| ["first", "read", "more"].contains(&function.as_str())), "{again:?}");
    assert_eq!(again.iter().filter(|function| *function == "bad").count(), 1);
}
