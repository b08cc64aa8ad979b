//! Reports of runs as the engine writes them.

use std::collections::HashMap;
use std::time::Duration;

use super::*;
use crate::run::History;
use crate::run::tests::fake::{Dice, Fake, Faults};

const FILE: &str = r#"
workflow: acme/intake
version: 1.2.0
budget: "0.05"
inputs: { rows: list }
steps:
  - { id: first, call: 'i:i/i@1.0.0 first', with: { x: 1 }, compensate: { call: 'i:i/i@1.0.0 unfirst' } }
  - id: rows
    map: "${ .input.rows }"
    as: row
    concurrency: CONCURRENCY
    on-error: item
    do:
      - { id: read, call: 'i:i/i@1.0.0 read', with: { x: "${ .row }" } }
      - { id: odd, if: "${ .row % 2 == 1 }", then: [{ id: more, call: 'i:i/i@1.0.0 more' }], else: [{ id: bad, call: 'i:i/i@1.0.0 bad' }] }
  - id: both
    parallel:
      left: [{ id: pause, wait: { for: 20s } }]
      right: [{ id: r, call: 'i:i/i@1.0.0 right', ask: { sellers: 2, agree: 2 }, with: { x: "${ \"long \" * 30 }" } }]
  - id: again
    loop: { while: "${ .round < 1 }", max: 5, do: [{ id: poll, set: "${ .round }" }] }
  - { id: inner, run: c/inner }
  - { id: ok, approve: { message: "pay ${ .spent }?", expires: 1d, on-expiry: approve } }
  - { id: end, call: 'i:i/i@1.0.0 END' }
output: "${ .steps.again }"
"#;
const INNER: &str = "workflow: c/inner\nversion: 2.0.0\nbudget: \"0.01\"\nsteps:\n  - { id: f, call: 'i:i/i@1.0.0 f' }\n";

fn world(end: &str, concurrency: u32) -> Fake {
    let world = Fake::new();
    {
        let mut shared = world.lock();
        shared.useless.push("bad".into());
        shared.files.insert("c/inner".into(), INNER.into());
    }
    world.start(&FILE.replace("END", end).replace("CONCURRENCY", &concurrency.to_string()), json!({ "rows": [1, 2] }));
    world
}

fn report(world: &Fake) -> Report {
    let mut report = Report::new("run-1");
    world.lock().journal.iter().for_each(|entry| report.add(entry));
    report
}

#[tokio::test(start_paused = true)]
async fn a_failed_run_reads_well() {
    let world = world("bad", 1);
    let run = world.run();
    let people = async {
        tokio::time::sleep(Duration::from_secs(60)).await;
        let report = report(&world);
        assert_eq!(live(&report, report.facts.last_ms + 5_000), LIVE);
        run.decide(None, true, "the boss", Some("fine".into())).await.unwrap();
    };
    let (over, ()) = tokio::join!(run.go(), people);
    let report = report(&world);
    assert_eq!(report.facts.spent, over.unwrap().spent);
    assert_eq!(timeline(&report, report.facts.last_ms), TIMELINE);
    assert_eq!(tree(&report), TREE);
    assert_eq!(costs(&report), COSTS);
    assert_eq!(report.progress(), Progress { done: 9, failed: 2, total: 11, at_least: false, undone: 1 });
}

const LIVE: &str = r#"run-1 · acme/intake 1.2.0 · waiting · started 25.0 s ago
0.005250 of 0.050000 spent
[■■■■■■■■■■■■■■■■■■■■■■■■······] 8 of 11 steps done, 1 failed

WAITING FOR
       5.0 s  `ok` asks for an approval until 2027-01-16 08:00:20 UTC: pay 0.00525?
              hansa workflow approve run-1 ok

LAST
08:00:20.025  again#0/poll  gives: 0
08:00:20.025  again         ends after 1 round
08:00:20.025  inner         runs c/inner 2.0.0
08:00:20.025  inner/f       asks …1cfZ76, at most 0.001000, seller/1@1.0.0
08:00:20.030  inner/f       answered for 0.000750, receipt c37d8ad3: {"of":"f","was":null}
08:00:20.030  ok            asks until 2027-01-16 08:00:20 UTC: pay 0.00525?
"#;

const TIMELINE: &str = r#"run-1 · acme/intake 1.2.0 · failed after 1 min 00 s
since `end` failed: that makes no sense
0.006000 of 0.050000 spent
started 2027-01-15 08:00:00 UTC by a test

08:00:00.000  ·                started by a test
08:00:00.000  first            asks …1cfZ76, at most 0.001000, seller/1@1.0.0
08:00:00.005  first            answered for 0.000750, receipt 9c54f871: {"of":"first","was":1}
08:00:00.005  rows             begins 2 items
08:00:00.005  rows#0/read      asks …1cfZ76, at most 0.001000, seller/1@1.0.0
08:00:00.010  rows#0/read      answered for 0.000750, receipt 6f74fe2f: {"of":"read","was":1}
08:00:00.010  rows#0/odd       its condition holds
08:00:00.010  rows#0/odd/more  asks …1cfZ76, at most 0.001000, seller/1@1.0.0
08:00:00.015  rows#0/odd/more  answered for 0.000750, receipt be3a945d: {"of":"more","was":null}
08:00:00.015  rows#1/read      asks …1cfZ76, at most 0.001000, seller/1@1.0.0
08:00:00.020  rows#1/read      answered for 0.000750, receipt 5de64c4e: {"of":"read","was":2}
08:00:00.020  rows#1/odd       its condition does not hold
08:00:00.020  rows#1/odd/bad   asks …1cfZ76, at most 0.001000, seller/1@1.0.0
08:00:00.025  rows#1/odd/bad   failed: that makes no sense
08:00:00.025  both.right/r~0   asks …1cfZ76, at most 0.001000, seller/1@1.0.0
08:00:00.025  both.right/r~1   asks …4DQtRo, at most 0.001000, seller/2@1.0.0
08:00:00.025  both.left/pause  waits until 2027-01-15 08:00:20 UTC
08:00:20.025  both.right/r~0   answered for 0.000750, receipt ebbe493a
                               {"of":"right","was":"long long long long … 173 bytes; --json shows it
08:00:20.025  both.right/r~1   answered for 0.000750, receipt f1e29b86
                               {"of":"right","was":"long long long long … 173 bytes; --json shows it
08:00:20.025  both.left/pause  goes on
08:00:20.025  again            round 1 begins
08:00:20.025  again#0/poll     gives: 0
08:00:20.025  again            ends after 1 round
08:00:20.025  inner            runs c/inner 2.0.0
08:00:20.025  inner/f          asks …1cfZ76, at most 0.001000, seller/1@1.0.0
08:00:20.030  inner/f          answered for 0.000750, receipt c37d8ad3: {"of":"f","was":null}
08:00:20.030  ok               asks until 2027-01-16 08:00:20 UTC: pay 0.00525?
08:01:00.000  ok               approved by the boss: fine
08:01:00.000  ok               gives: {"approved":true,"by":"the boss","note":"fine"}
08:01:00.000  end              asks …1cfZ76, at most 0.001000, seller/1@1.0.0
08:01:00.005  end              failed: that makes no sense
08:01:00.005  ·                what was done is undone, since `end` failed: that makes no sense
08:01:00.005  undo/first       asks …1cfZ76, at most 0.001000, seller/1@1.0.0
08:01:00.010  undo/first       answered for 0.000750, receipt 515e3a39: {"of":"unfirst","was":null}
08:01:00.010  ·                failed, 0.006000 spent: `end` failed: that makes no sense
"#;

const TREE: &str = r#"run-1 · acme/intake 1.2.0 · failed after 1 min 00 s
since `end` failed: that makes no sense
0.006000 of 0.050000 spent
├─ first  0.001500 · by …1cfZ76 seller/1@1.0.0 · receipt 9c54f871
│  └─ undo  0.000750 · by …1cfZ76 seller/1@1.0.0 · receipt 515e3a39
├─ rows  0.002250 · map of 2 items, 1 failed
│  ├─ #0  0.001500
│  │  ├─ read  0.000750 · by …1cfZ76 seller/1@1.0.0 · receipt 6f74fe2f
│  │  └─ odd  0.000750 · its condition holds
│  │     └─ more  0.000750 · by …1cfZ76 seller/1@1.0.0 · receipt be3a945d
│  └─ #1  0.000750
│     ├─ read  0.000750 · by …1cfZ76 seller/1@1.0.0 · receipt 5de64c4e
│     └─ odd  its condition does not hold · failed: that makes no sense, in `rows#1/odd/bad`
│        └─ bad  failed: that makes no sense
├─ both  0.001500 · parallel
│  ├─ .right  0.001500
│  │  └─ r  0.001500
│  │     ├─ ~0  0.000750 · by …1cfZ76 seller/1@1.0.0 · receipt ebbe493a
│  │     └─ ~1  0.000750 · by …4DQtRo seller/2@1.0.0 · receipt f1e29b86
│  └─ .left
│     └─ pause  wait
├─ again  loop, 1 round
│  └─ #0
│     └─ poll  set
├─ inner  0.000750 · runs c/inner 2.0.0
│  └─ f  0.000750 · by …1cfZ76 seller/1@1.0.0 · receipt c37d8ad3
├─ ok  approve · approved by the boss
└─ end  failed: that makes no sense
"#;

const COSTS: &str = r#"run-1 · acme/intake 1.2.0 · failed after 1 min 00 s
since `end` failed: that makes no sense
0.006000 of 0.050000 spent

STEP             CALLS   FAILED       CHARGED
first                1        0      0.000750
rows/read            2        0      0.001500
rows/odd/more        1        0      0.000750
rows/odd/bad         0        1      0.000000
both.right/r         2        0      0.001500
inner/f              1        0      0.000750
end                  0        1      0.000000
undo/first           1        0      0.000750

SELLER           CALLS   FAILED       CHARGED
…1cfZ76              7        2      0.005250  seller/1@1.0.0
…4DQtRo              1        0      0.000750  seller/2@1.0.0
"#;

/// Whatever happens, and after each entry: the money is the engine's own, nothing is left open at the end, and no line is too long.
#[tokio::test(start_paused = true)]
async fn reports_keep_to_the_journal() {
    for seed in 0..60 {
        let world = world(if seed % 3 == 0 { "bad" } else { "good" }, 1 + seed as u32 % 2);
        let faults = Faults { lost_answers: seed % 4 * 5, refusals: 10, breaks: 5, crashes: seed % 5 * 2 };
        (world.lock().dice, world.lock().faults) = (Some(Dice(seed)), faults);
        let over = world.finish().await;
        let (mut report, mut small, mut history) = (Report::new("r"), Report::without_values("r"), History::default());
        let mut aside = HashMap::new();
        for entry in &world.lock().journal {
            report.add(entry);
            small.add(entry);
            history.add(entry.clone());
            entry.changes.iter().for_each(|change| set_aside(change, &mut aside));
            let facts = &report.facts;
            assert_eq!(facts.spent, history.spent(), "seed {seed}");
            assert_eq!(facts.set_aside, Amount(aside.values().sum()), "seed {seed}");
            let progress = report.progress();
            assert!(progress.done + progress.failed <= progress.total, "seed {seed}: {progress:?}");
            assert_eq!((small.progress(), small.facts.state), (progress, facts.state), "seed {seed}");
        }
        assert_eq!((report.facts.spent, report.costs.total().total()), (over.spent, over.spent), "seed {seed}");
        let how = if over.how == Ending::Completed { State::Completed } else { State::Failed };
        assert_eq!(report.facts.state, how, "seed {seed}");
        assert!(report.steps.iter().all(|step| step.is_over() && step.state != StepState::Left), "seed {seed}");
        let progress = report.progress();
        assert_eq!((progress.done + progress.failed, progress.at_least), (progress.total, false), "seed {seed}: {progress:?}");
        assert_eq!(report.facts.takeovers, 0, "the engines of this world say nothing of it");
        let sum = report.tree().iter().fold(Amount::ZERO, |sum, node| sum.saturating_add(node.cost));
        assert_eq!(sum, over.spent, "seed {seed}");
        let texts = [timeline(&report, report.facts.last_ms), tree(&report), costs(&report), live(&report, report.facts.last_ms)];
        assert!(texts.iter().flat_map(|text| text.lines()).all(|line| line.chars().count() <= 100), "seed {seed}");
    }
}

fn set_aside(change: &Change, aside: &mut HashMap<String, u128>) {
    match change {
        Change::Attempted(begun) => drop(aside.insert(begun.step.clone(), begun.price_max.0)),
        Change::Answered(answered) => drop(aside.remove(&answered.step)),
        Change::Missed { step, .. } | Change::Broke { step, .. } => drop(aside.remove(step)),
        _ => {}
    }
}
