//! Workflows are read whole, and every mistake of form is told at its place.

use super::*;

const INTAKE: &str = r#"
workflow: acme/intake
version: 1.0.0
description: Reads a document and files what it is about.
inputs:
  document: bytes
  language: { type: text, default: en, description: Its language. }
budget: "0.50"
terms: { deadline: 30s, labels: { region: eu } }
steps:
  - id: kind
    call: commons:files/files@0.1.0 identify
    with: { data: "${ .input.document }" }
    terms: { max-price: "0.001", prefer: fastest }
    retry: { max-attempts: 3, initial-interval: 500ms, backoff-coefficient: 1.5, on-exhausted: fail }
    compensate:
      call: acme:files/shelf@1.0.0 forget
      with: { name: "${ .steps.kind.name }" }
  - id: pages
    map: "${ .steps.kind.pages }"
    as: page
    concurrency: 4
    item-budget: "0.01"
    on-error: item
    do:
      - { id: summary, call: "commons:summary/summariser@0.1.0 summarise", with: { text: "${ .page }" } }
  - id: both
    parallel:
      left: [{ id: a, set: 1 }]
      right: [{ id: b, set: "${ .input.language } text" }]
  - id: dear
    if: "${ .spent > 0.1 }"
    then:
      - id: asked
        approve: { message: "It costs ${ .spent }.", expires: 2d, on-expiry: reject }
    else: [{ id: pause, wait: { for: 5s } }]
  - id: sort
    switch:
      - { when: "${ .steps.kind.name == \"pdf\" }", do: [{ id: x, set: 1 }] }
    else: [{ id: y, set: 2 }]
  - id: again
    loop: { while: "${ .round < 3 }", max: 5, do: [{ id: poll, wait: { signal: ready, timeout: 1h } }] }
  - id: inner
    run: acme/other
    with: { all: "${ .steps.pages }" }
output: { pages: "${ .steps.pages }" }
"#;

#[test]
fn a_whole_workflow_is_read() {
    let workflow = Workflow::read(INTAKE).unwrap_or_else(|problems| panic!("{problems:?}"));
    assert_eq!((workflow.name.as_str(), workflow.budget), ("acme/intake", Amount(500_000)));
    let ids: Vec<&str> = workflow.all_steps().iter().map(|step| step.id.as_str()).collect();
    assert_eq!(
        ids,
        ["kind", "pages", "summary", "both", "a", "b", "dear", "asked", "pause", "sort", "x", "y", "again", "poll", "inner"]
    );
    let Work::Call(call) = &workflow.steps[0].work else { panic!("a call") };
    assert_eq!((&*call.service, &*call.function, call.retry.max_attempts), ("commons:files/files@0.1.0", "identify", 3));
    assert_eq!(call.compensate.as_ref().map(|call| &*call.function), Some("forget"));
    let Work::Map(fan) = &workflow.steps[1].work else { panic!("a map") };
    assert_eq!((&*fan.item, fan.concurrency, workflow.steps[1].on_error), ("page", 4, OnError::Item));
    assert_eq!(workflow.inputs[1].default, Some("en".into()));
}

#[test]
fn waits_between_attempts_grow_up_to_their_most() {
    let retry = Retry::default();
    let seconds: Vec<u64> = (1..=8).map(|nth| retry.backoff.after(nth).as_secs()).collect();
    assert_eq!(seconds, [1, 2, 4, 8, 16, 32, 60, 60]);
}

/// A workflow with these steps.
fn with(steps: &str) -> String {
    format!("workflow: a/b\nversion: 1.0.0\nbudget: 1\nsteps:\n{steps}")
}

#[test]
fn every_mistake_is_told_at_its_place_and_all_at_once() {
    let text = "workflow: intake\nversion: one\nbugdet: 1\nsteps: []\ninputs: { x: string }\n";
    let told: Vec<String> = Workflow::read(text).unwrap_err().iter().map(ToString::to_string).collect();
    let wanted = [
        "1:1: `budget` is missing",
        "1:11: `intake` is no name of a workflow",
        "2:10: `one` is no version",
        "3:1: unknown key `bugdet`; did you mean `budget`?",
        "4:8: no step stands here",
        "5:14: `string` is no type of an input; one of `text`",
    ];
    assert_eq!(told.len(), wanted.len(), "{told:#?}");
    for (told, wanted) in told.iter().zip(wanted) {
        assert!(told.starts_with(wanted), "{told}");
    }
}

#[test]
fn steps_that_make_no_sense_are_refused() {
    for (steps, says) in [
        ("  - set: 1\n", "5:5: `id` is missing"),
        ("  - id: a\n", "5:5: this step does nothing"),
        ("  - id: a\n    set: 1\n    wait: { for: 1s }\n", "6:10: a step does one thing"),
        ("  - id: a b\n    set: 1\n", "5:9: `a b` is no name here"),
        ("  - { id: a, set: 1 }\n  - { id: a, set: 2 }\n", "6:5: the id `a` stands twice; first at 5:5"),
        ("  - { id: a, call: translate }\n", "5:20: `translate` names no function"),
        ("  - { id: a, call: 'a:b/c@1.0.0 f', with: { x: '${ .b' } }\n", "5:49: this `${` has no `}`"),
        (
            "  - { id: a, call: 'a:b/c@1.0.0 f', compensate: { call: 'a:b/c@1.0.0 g', compensate: 1 } }\n",
            "5:74: unknown key `compensate`",
        ),
        ("  - { id: a, map: [1, 2], do: [{ id: b, set: 1 }] }\n", "5:19: a list is wanted, as an expression"),
        ("  - { id: a, wait: {} }\n", "5:20: a wait has one of"),
        ("  - { id: a, wait: { for: 1s, signal: x } }\n", "5:20: a wait has one of"),
        ("  - { id: a, wait: { for: soon } }\n", "5:27: `soon` is no time span"),
        ("  - { id: a, loop: { while: '${ true }', do: [{ id: b, set: 1 }] } }\n", "5:20: `max` is missing"),
        ("  - { id: a, approve: { message: ok, expires: 1d, on-expiry: ignore } }\n", "5:62: `ignore` is not known here"),
        ("  - { id: a, set: 1, timeout: 9000d }\n", "5:31: a time span here is above zero"),
        ("  - { id: a, call: 'a:b/c@1.0.0 f', retry: { max-attempts: 0 } }\n", "5:60: `0` is no whole number from 1"),
    ] {
        let problems = Workflow::read(&with(steps)).unwrap_err();
        assert!(problems.iter().any(|problem| problem.to_string().starts_with(says)), "{steps}: {problems:?}");
    }
}
