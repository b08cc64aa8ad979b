//! Workflows are read whole, and every mistake of form is told at its place.

use super::*;

/// A workflow with everything, which the reference shows.
pub(crate) const INTAKE: &str = include_str!("../../tests/reference/example.yaml");

#[test]
fn a_whole_workflow_is_read() {
    let workflow = Workflow::read(INTAKE).unwrap_or_else(|problems| panic!("{problems:?}"));
    assert_eq!((crate::names::check(&workflow), crate::data_class::check(&workflow)), (vec![], vec![]));
    assert_eq!((workflow.name.as_str(), workflow.budget), ("acme/intake", Amount(500_000)));
    let ids: Vec<&str> = workflow.all_steps().iter().map(|step| step.id.as_str()).collect();
    assert_eq!(
        ids,
        [
            "kind", "pages", "summary", "public", "both", "a", "b", "dear", "asked", "pause", "sort", "x", "y", "again", "poll",
            "inner"
        ]
    );
    let Work::Call(call) = &workflow.steps[0].work else { panic!("a call") };
    assert_eq!((&*call.service, &*call.function, call.retry.max_attempts), ("commons:files/files@0.1.0", "identify", 3));
    assert_eq!(call.compensate.as_ref().map(|call| &*call.function), Some("forget"));
    let Work::Map(fan) = &workflow.steps[1].work else { panic!("a map") };
    assert_eq!((&*fan.item, fan.concurrency, workflow.steps[1].on_error), ("page", 4, OnError::Item));
    assert_eq!(workflow.inputs[1].default, Some("en".into()));
}

#[test]
fn what_is_around_the_steps_is_read() {
    let workflow = Workflow::read(INTAKE).unwrap_or_else(|problems| panic!("{problems:?}"));
    assert_eq!((workflow.timeout, workflow.max_running), (Some(Duration::from_secs(2 * 24 * 3600)), Some(100)));
    assert_eq!(workflow.labels[0].cap, Some(Cap { amount: Amount::credits(20), per: Period::Month }));
    assert_eq!((workflow.labels[0].required, workflow.labels[1].required), (true, false));
    let nightly = &workflow.schedules[0];
    assert_eq!((nightly.cron.to_string(), nightly.zone.to_string()), ("0 2 * * *".into(), "Europe/Berlin".into()));
    assert_eq!((nightly.overlap, nightly.catch_up.as_secs(), nightly.paused), (Overlap::BufferOne, 3600, true));
    assert_eq!((&nightly.with["document"], &*nightly.labels["customer"]), (&"aGVsbG8=".into(), "acme"));
    let noon = &workflow.schedules[1];
    let usual = (Overlap::Skip, Duration::from_secs(60), false, "UTC".to_owned());
    assert_eq!((noon.overlap, noon.catch_up, noon.paused, noon.zone.to_string()), usual);
    assert_eq!(workflow.start[0].topic, "acme.inbox.*.>");
}

#[test]
fn a_class_of_data_holds_for_all_within_a_step() {
    let workflow = Workflow::read(INTAKE).unwrap_or_else(|problems| panic!("{problems:?}"));
    let held: Vec<&str> = workflow.data_classes().into_keys().collect();
    assert_eq!(held, ["kind", "pages", "summary"]);
    assert_eq!((workflow.inputs[0].data.as_deref(), workflow.steps[2].release), (Some("confidential"), true));
    let Work::Call(call) = &workflow.steps[0].work else { panic!("a call") };
    assert_eq!(call.ask.as_ref().map(|ask| (ask.sellers, ask.agree, ask.min)), Some((3, Some(2), 2)));
    assert_eq!(workflow.nodes_of(call, Some("confidential")), Some(workflow.data["confidential"].nodes.clone()));
    assert_eq!(workflow.nodes_of(call, None), workflow.terms.nodes);
}

#[test]
fn how_many_must_answer() {
    for (ask, wanted) in [
        ("{ sellers: 3 }", (3, None, 3)),
        ("{ sellers: 4, min: 2 }", (4, None, 2)),
        ("{ sellers: 9, agree: 5 }", (9, Some(5), 5)),
        ("{ sellers: 2, agree: 2 }", (2, Some(2), 2)),
    ] {
        let workflow = Workflow::read(&with(&format!("  - {{ id: a, call: 'a:b/c@1.0.0 f', ask: {ask} }}\n"))).unwrap();
        let Work::Call(call) = &workflow.steps[0].work else { panic!("a call") };
        assert_eq!(call.ask.as_ref().map(|ask| (ask.sellers, ask.agree, ask.min)), Some(wanted), "{ask}");
    }
}

#[test]
fn waits_between_attempts_grow_up_to_their_most() {
    let retry = Retry::default();
    let seconds: Vec<u64> = (1..=8).map(|nth| retry.backoff.after(nth).as_secs()).collect();
    assert_eq!(seconds, [1, 2, 4, 8, 16, 32, 60, 60]);
}

/// A workflow with these steps.
pub(crate) fn with(steps: &str) -> String {
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

/// Steps that make no sense, and what is said against them.
pub(crate) const STEPS_WRONG: &[(&str, &str)] = &[
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
    ("  - { id: a, call: 'a:b/c@1.0.0 f', ask: { agree: 2 } }\n", "5:42: `sellers` is missing"),
    ("  - { id: a, call: 'a:b/c@1.0.0 f', ask: { sellers: 1 } }\n", "5:53: `1` is no whole number from 2 to 9"),
    ("  - { id: a, call: 'a:b/c@1.0.0 f', ask: { sellers: 4, agree: 2 } }\n", "5:63: `2` of 4 is not more than half"),
    ("  - { id: a, call: 'a:b/c@1.0.0 f', ask: { sellers: 4, agree: 5 } }\n", "5:63: `5` is no whole number from 1 to 4"),
    ("  - { id: a, call: 'a:b/c@1.0.0 f', ask: { sellers: 3, agree: 2, min: 2 } }\n", "5:71: `min` stands beside `agree`"),
    (
        "  - { id: a, call: 'a:b/c@1.0.0 f', compensate: { call: 'a:b/c@1.0.0 g', ask: { sellers: 2 } } }\n",
        "5:74: unknown key `ask`",
    ),
    ("  - { id: a, set: 1, ask: { sellers: 2 } }\n", "5:22: unknown key `ask`"),
    ("  - { id: a, call: 'a:b/c@1.0.0 f', terms: { nodes: [] } }\n", "5:53: 0 nodes are named here"),
    ("  - { id: a, call: 'a:b/c@1.0.0 f', terms: { nodes: [me] } }\n", "5:54: `me` is no key"),
    ("  - { id: a, set: 1, release: maybe }\n", "5:31: a text stands here; `true` or `false` is wanted"),
    ("  - { id: a, set: 1, data: secret }\n", "5:28: `secret` is no class of data; declare it in `data`"),
    ("  - { id: a, set: 1, budget: 2 }\n", "5:30: `2.000000` is more than the whole run may cost, `1.000000`"),
    ("  - { id: a, map: '${ [] }', item-budget: 2, do: [{ id: b, set: 1 }] }\n", "5:43: `2.000000` is more than"),
    ("  - { id: a, run: a/b }\n", "5:5: `a/b` runs itself"),
    ("  - { id: a, call: 'a:b/c@1.0.0 f', terms: { sellers: [] }, ask: { sellers: 2 } }\n", "5:66: 2 sellers are asked"),
];

#[test]
fn steps_that_make_no_sense_are_refused() {
    for (steps, says) in STEPS_WRONG {
        let problems = Workflow::read(&with(steps)).unwrap_err();
        assert!(problems.iter().any(|problem| problem.to_string().starts_with(says)), "{steps}: {problems:?}");
    }
}

/// What makes no sense around the steps, and what is said against it.
pub(crate) const TOP_WRONG: &[(&str, &str)] = &[
    ("budget: 0", "3:9: a budget of 0 buys nothing; step `s` buys"),
    ("max-running: 0", "4:14: `0` is no whole number from 1"),
    ("timeout: 400d", "4:10: a time span here is above zero"),
    ("data: { secret: {} }", "4:17: `nodes` is missing"),
    (
        "data: { secret: { nodes: [KEY] } }\ninputs: { x: { type: text, data: secrte } }",
        "5:34: `secrte` is no class of data; did you mean `secret`?",
    ),
    ("labels: [customer]", "4:9: a list stands here; labels, a map"),
    ("labels: { customer: { cap: { amount: 0, per: day } } }", "4:38: a cap of 0"),
    ("labels: { customer: { cap: { amount: 1, per: year } } }", "4:46: `year` is not known here; one of `day`"),
    ("schedules: [{ cron: '@daily' }]", "4:13: `id` is missing"),
    ("schedules: [{ id: n, cron: '0 2 * *' }]", "4:28: `0 2 * *` is no cron schedule: it has 4 fields"),
    ("schedules: [{ id: n, cron: '0 2 30 2 *' }]", "4:28: `0 2 30 2 *` is no cron schedule: no such day ever comes"),
    (
        "schedules: [{ id: n, cron: '@daily', time-zone: Europe/Berln }]",
        "4:49: `Europe/Berln` is no time zone: did you mean `Europe/Berlin`?",
    ),
    (
        "schedules: [{ id: n, cron: '@daily', time-zone: berlin }]",
        "4:49: `berlin` is no time zone: did you mean `Europe/Berlin`?",
    ),
    ("schedules: [{ id: n, cron: '@daily' }, { id: n, cron: '@daily' }]", "4:40: the schedule `n` stands twice; first at 4:13"),
    ("schedules: [{ id: n, cron: '@daily', overlap: wait }]", "4:47: `wait` is not known here"),
    (
        "schedules: [{ id: n, cron: '@daily', with: { txt: a } }]\ninputs: { text: text }",
        "4:13: the schedule `n` gives `txt`, which is no input; did you mean `text`?",
    ),
    (
        "schedules: [{ id: n, cron: '@daily', with: { text: 1 } }]\ninputs: { text: text }",
        "4:13: the schedule `n` gives `text` a value that is not of its type, `text`",
    ),
    ("schedules: [{ id: n, cron: '@daily' }]\ninputs: { text: text }", "4:13: the schedule `n` does not give the input `text`"),
    (
        "schedules: [{ id: n, cron: '@daily', with: { text: '${ .a }' } }]\ninputs: { text: text }",
        "4:56: a schedule has nothing to read from",
    ),
    (
        "schedules: [{ id: n, cron: '@daily' }]\nlabels: { who: { required: true } }",
        "4:13: the schedule `n` does not give the label `who`",
    ),
    (
        "schedules: [{ id: n, cron: '@daily', labels: { whoo: me } }]\nlabels: { who: {} }",
        "4:13: the schedule `n` gives `whoo`, which is no label; did you mean `who`?",
    ),
    ("start: { with: {} }", "4:8: `topic` is missing"),
    ("start: { topic: 'a..b' }", "4:17: `a..b` is no topic"),
    ("start: { topic: 'a.>.b' }", "4:17: `a.>.b` is no topic"),
    ("start: { topic: 'a.b*' }", "4:17: `a.b*` is no topic"),
    ("start: [{ topic: a, with: { y: 1 } }]", "4:9: the topic `a` gives `y`, which is no input; there is none"),
    ("start: { topic: a }\ninputs: { text: text }", "4:8: the topic `a` does not give the input `text`"),
    ("start: { topic: a, with: x }", "4:8: `with` is a map of inputs, or an expression"),
];

/// A workflow with `top` around one step that buys; `KEY` stands for a key.
pub(crate) fn around(top: &str) -> String {
    let budget = if top.starts_with("budget") { "" } else { "budget: 1\n" };
    let top = top.replace("KEY", "did:key:z6Mkr7hMKHuWyb1Qmz7YANxBmE96fhDtwC31RDKumfDY1zbt");
    format!("workflow: a/b\nversion: 1.0.0\n{budget}{top}\nsteps: [{{ id: s, call: 'a:b/c@1.0.0 f' }}]\n")
}

#[test]
fn what_makes_no_sense_around_the_steps_is_refused() {
    for (top, says) in TOP_WRONG {
        let problems = Workflow::read(&around(top)).unwrap_err();
        assert!(problems.iter().any(|problem| problem.to_string().starts_with(says)), "{top}: {problems:#?}");
    }
}

#[test]
fn what_makes_sense_is_read() {
    for top in [
        "inputs: { text: { type: text, default: a } }\nschedules: [{ id: n, cron: '@daily' }]\nstart: { topic: a.b-c.d_e }",
        "inputs: { text: text }\nstart: { topic: '>', with: '${ .message }' }",
        "inputs: { text: text }\nstart: [{ topic: '*.x', with: { text: '${ .message.a }' } }, { topic: y, with: { text: z } }]",
    ] {
        let text = format!("workflow: a/b\nversion: 1.0.0\nbudget: 0\n{top}\nsteps: [{{ id: s, set: 1 }}]\n");
        Workflow::read(&text).unwrap_or_else(|problems| panic!("{top}: {problems:#?}"));
    }
}

#[test]
fn nodes_of_a_class_that_the_terms_leave_out_are_told() {
    let (one, other) =
        ("did:key:z6Mkr7hMKHuWyb1Qmz7YANxBmE96fhDtwC31RDKumfDY1zbt", "did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK");
    let text = format!(
        "workflow: a/b\nversion: 1.0.0\nbudget: 1\ndata: {{ x: {{ nodes: ['{one}'] }} }}\nsteps:\n  - {{ id: a, data: x, call: 'a:b/c@1.0.0 f', terms: {{ nodes: ['{other}'] }} }}\n"
    );
    let told = Workflow::read(&text).unwrap_err()[0].to_string();
    assert!(told.starts_with("6:29: no node of `x` is among those of the terms"), "{told}");
    assert!(Workflow::read(&text.replace(other, one)).is_ok());
}

/// Maps of `text`: what they are, which keys they may have, which they have.
pub(crate) fn maps(text: &str) -> Vec<(String, Vec<&'static str>, Vec<String>)> {
    let mut problems = Problems::default();
    read(&yaml::read(text).unwrap(), &mut problems);
    problems.1.maps
}
