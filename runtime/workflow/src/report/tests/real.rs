//! Reports of runs as the engine writes them.

use super::*;
use crate::run::tests::fake::Fake;

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
    concurrency: 1
    do:
      - { id: read, call: 'i:i/i@1.0.0 read', with: { x: "${ .row }" } }
      - { id: odd, if: "${ .row % 2 == 1 }", then: [{ id: more, set: "${ .steps.read.was }" }] }
  - id: both
    parallel:
      left: [{ id: pause, wait: { for: 20s } }]
      right: [{ id: r, call: 'i:i/i@1.0.0 right', ask: { sellers: 2, agree: 2 }, with: { x: "${ \"long \" * 30 }" } }]
  - id: again
    loop: { while: "${ .round < 1 }", max: 5, do: [{ id: poll, set: "${ .round }" }] }
  - { id: ok, approve: { message: "pay ${ .spent }?", expires: 1d, on-expiry: reject } }
  - LAST
output: "${ .steps.again }"
"#;

#[tokio::test(start_paused = true)]
async fn show() {
    let world = Fake::new();
    world.start(&FILE.replace("LAST", "{ id: end, call: 'i:i/i@1.0.0 bad' }"), json!({ "rows": [1, 2] }));
    world.lock().useless.push("bad".into());
    let run = world.run();
    let people = async {
        tokio::time::sleep(std::time::Duration::from_secs(60)).await;
        let mut report = Report::new("run-1");
        world.lock().journal.iter().for_each(|entry| report.add(entry));
        println!("{}", live(&report, report.facts.last_ms + 5_000));
        run.decide(None, true, "the boss", Some("fine".into())).await.unwrap();
    };
    let _ = tokio::join!(run.go(), people);
    let mut report = Report::new("run-1");
    world.lock().journal.iter().for_each(|entry| report.add(entry));
    println!("{}", timeline(&report));
    println!("{}", tree(&report));
    println!("{}", costs(&report));
    println!("{:?}", report.progress());
    println!("{}", serde_json::to_string_pretty(&report).unwrap());
}
