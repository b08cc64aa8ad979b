//! Journals made up: what the report says after each of their entries.

use super::*;

const HEAD: &str = "workflow: a/b\nversion: 1.0.0\nbudget: \"0.05\"\ninputs: { x: { type: any, default: 1 } }\nsteps:\n";
const CALL: &str = "  - { id: a, call: 'i:i/i@1.0.0 f' }\n";

fn begin(steps: &str) -> Journal {
    let file = format!("{HEAD}{steps}");
    assert!(crate::Workflow::read(&file).is_ok(), "{:?}", crate::Workflow::read(&file));
    Journal::begin(&file)
}

#[test]
fn attempts_are_told_with_their_faults_and_their_money() {
    let mut journal = begin(CALL);
    let money = |journal: &Journal| {
        let facts = &journal.report.facts;
        (facts.spent.0, facts.set_aside.0)
    };
    journal.add([attempted("a", 1, 1, 1_000)]);
    assert_eq!(money(&journal), (0, 1_000));
    journal.add([missed("a", 1, "\u{1b}[2Jbusy\nrun-1 · completed")]);
    assert_eq!(money(&journal), (0, 0));
    journal.add([missed("a", 1, "nobody is there")]).add([attempted("a", 2, 2, 2_000)]).add([unclear("a", 2, "no answer")]);
    assert_eq!(money(&journal), (0, 2_000), "it may have been charged");
    journal.add([unclear("a", 2, "no answer yet")]).add([answered("a", 2, json!({ "big": "x".repeat(200) }), 1_500)]);
    assert_eq!(money(&journal), (1_500, 0));
    let step = journal.report.step("a").unwrap();
    let outcomes: Vec<_> =
        step.attempts.iter().map(|one| (one.nth, one.outcome, one.seller.is_some(), one.faults.len())).collect();
    assert_eq!(
        outcomes,
        [(1, Outcome::Missed, true, 1), (1, Outcome::Missed, false, 1), (2, Outcome::Answered, true, 2)],
        "nobody could be asked in between"
    );
    assert_eq!((step.state, step.charged, step.at_risk), (StepState::Done, Amount(1_500), Amount::ZERO));
    journal.add([ended(Ending::Completed, 1_500)]);
    let wanted = "\
run-1 · a/b 1.0.0 · completed after 8.0 s
0.001500 of 0.050000 spent
started 2027-01-15 08:00:00 UTC by a test · customer=acme

08:00:00.000  ·  started by a test
08:00:01.000  a  asks …1cfZ76, at most 0.001000, seller/1@1.0.0
08:00:02.000  a  missed, again at 08:00:30.000: \\u{1b}[2Jbusy\\u{a}run-1 · completed
08:00:03.000  a  nobody asked, again at 08:00:30.000: nobody is there
08:00:04.000  a  attempt 2: asks …4DQtRo, at most 0.002000, seller/2@1.0.0
08:00:05.000  a  no clear answer, repeated at 08:00:30.000: no answer
08:00:06.000  a  no clear answer, repeated at 08:00:30.000: no answer yet
08:00:07.000  a  answered for 0.001500, receipt ca978112
                 {\"big\":\"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx… 210 bytes; --json shows it
08:00:08.000  ·  completed, 0.001500 spent: null
";
    assert_eq!(timeline(&journal.report, journal.report.facts.last_ms), wanted);
    let wanted = "\
run-1 · a/b 1.0.0 · completed after 8.0 s
0.001500 of 0.050000 spent

STEP             CALLS   FAILED       CHARGED
a                    1        1      0.001500

SELLER           CALLS   FAILED       CHARGED
…1cfZ76              0        1      0.000000  seller/1@1.0.0
…4DQtRo              1        0      0.001500  seller/2@1.0.0

LABEL            CALLS   FAILED       CHARGED
customer=acme        1        1      0.001500
";
    assert_eq!(costs(&journal.report), wanted);
}

#[test]
fn what_is_waited_for_stands_there_with_the_command_that_ends_it() {
    let awaits = |step: &str, awaited: Awaited| Change::Awaits { step: step.into(), awaited };
    let paused = |step: Option<&str>, why: &str| Change::Paused { step: step.map(str::to_owned), why: why.into() };
    let until_ms = BEGIN_MS + 86_400_000;
    let diverged = format!("another list; {}", crate::run::DIVERGED);
    let approval = Awaited::Approval { message: "pay 1?".into(), until_ms };
    let signal = Awaited::Signal { name: "go".into(), until_ms: None };
    for (changes, state, words, command) in [
        (
            vec![awaits("a", approval.clone())],
            State::Waiting,
            "`a` asks for an approval until 2027-01-16 08:00:00 UTC: pay 1?",
            Some("hansa workflow approve run-1 a"),
        ),
        (vec![awaits("a", signal)], State::Waiting, "`a` waits for the signal `go`", Some("hansa workflow signal run-1 go")),
        (vec![awaits("a", Awaited::Time { until_ms })], State::Waiting, "`a` waits until 2027-01-16 08:00:00 UTC", None),
        (vec![attempted("a", 1, 1, 9)], State::Running, "`a` asks …1cfZ76 (seller/1@1.0.0), since 08:00:01.000", None),
        (
            vec![attempted("a", 1, 1, 9), missed("a", 1, "busy")],
            State::Running,
            "`a` tries again at 08:00:30.000, after: busy",
            None,
        ),
        (
            vec![attempted("a", 1, 1, 9), unclear("a", 1, "silence")],
            State::Running,
            "`a` repeats its call at 08:00:30.000, after: silence",
            None,
        ),
        (
            vec![attempted("a", 1, 1, 9), missed("a", 1, "busy"), paused(Some("a"), "busy, after 3 attempts")],
            State::Paused,
            "`a` stands still: busy, after 3 attempts",
            Some("hansa workflow resume run-1"),
        ),
        (
            vec![paused(Some("a"), &diverged)],
            State::Paused,
            "`a` stands still: another list; this program goes through it differently from the one before: go on with that one, or cancel the run",
            Some("hansa workflow cancel run-1"),
        ),
        (
            vec![awaits("a", approval), paused(None, "the month is over")],
            State::Paused,
            "the run is paused: the month is over",
            Some("hansa workflow resume run-1"),
        ),
    ] {
        let mut journal = begin(CALL);
        for change in &changes {
            journal.at_ms = BEGIN_MS;
            journal.add([change.clone()]);
        }
        let waits = journal.report.waits_for();
        assert_eq!((&*waits[0].words, waits[0].command.as_deref()), (words, command));
        assert_eq!((journal.report.facts.state, waits[0].since_ms), (state, BEGIN_MS + 1_000), "{words}");
        journal.add([Change::Resumed { by: "me".into() }]);
        let stands = |report: &Report| report.waits_for().iter().any(|wait| matches!(wait.what, WaitsFor::Resume { .. }));
        assert!(!stands(&journal.report), "{words}");
        journal.add([ended(Ending::Cancelled, 0)]);
        assert!(journal.report.waits_for().is_empty());
        assert!(
            timeline(&journal.report, journal.report.facts.last_ms).lines().all(|line| line.chars().count() <= 100),
            "{words}"
        );
    }
}

/// Steps with others within them: what the journal does not say, and yet follows.
#[test]
fn steps_around_others_end_with_them() {
    use StepState::{Done, Failed, Left, Running};
    const MAP: &str = "  - { id: m, map: '${ [1, 2] }', do: [{ id: b, set: 1 }, { id: c, set: 1 }] }\n  - { id: z, set: 1 }\n";
    let spare = |on_error: &str| MAP.replace("{ id: c, set: 1 }", &format!("{{ id: c, set: 1, on-error: {on_error} }}"));
    const PARALLEL: &str = "  - { id: p, parallel: { l: [{ id: b, set: 1 }], r: [{ id: c, set: 1 }, { id: d, set: 1 }] } }\n";
    const SWITCH: &str = "  - { id: s, switch: [{ when: '${ true }', do: [{ id: b, set: 1 }] }] }\n  - { id: z, set: 1 }\n";
    const LOOP: &str = "  - { id: o, loop: { while: '${ true }', max: 9, do: [{ id: b, set: 1 }] } }\n";
    const RUN: &str = "  - { id: n, run: c/inner }\n";
    const ASK: &str = "  - { id: q, call: 'i:i/i@1.0.0 f', ask: { sellers: 2 } }\n";
    let one = |step: &str| given(step, json!(1));
    let chose = |step: &str, case: u32| Change::Chose { step: step.into(), case };
    let inner = |step: &str| Change::Nested { step: step.into(), file: format!("{HEAD}  - {{ id: z, set: 1 }}\n") };
    let asked = |step: &str| attempted(step, 1, 1, 10);
    for (steps, changes, wanted) in [
        (MAP.to_owned(), vec![opened("m", 2), one("m#0/b"), one("m#0/c"), one("m#1/b")], vec![("m", Running), ("m#1/b", Done)]),
        (MAP.to_owned(), vec![opened("m", 2), one("m#0/b"), one("m#0/c"), one("m#1/b"), one("m#1/c")], vec![("m", Done)]),
        (MAP.to_owned(), vec![opened("m", 0)], vec![("m", Done)]),
        (MAP.to_owned(), vec![opened("m", 2), one("m#0/b"), broke("m#0/c", "no", 0)], vec![("m", Running), ("m#0/c", Failed)]),
        (
            MAP.to_owned(),
            vec![opened("m", 2), asked("m#1/b"), broke("m#0/b", "no", 0), broke("m", "no, in `m#0/b`", 0)],
            vec![("m", Failed), ("m#1/b", Left)],
        ),
        (spare("item"), vec![opened("m", 1), one("m#0/b"), broke("m#0/c", "no", 0)], vec![("m", Done), ("m#0/c", Failed)]),
        (spare("step"), vec![opened("m", 1), one("m#0/b"), broke("m#0/c", "no", 0)], vec![("m", Done)]),
        (PARALLEL.to_owned(), vec![one("p.l/b"), one("p.r/c")], vec![("p", Running)]),
        (PARALLEL.to_owned(), vec![one("p.l/b"), one("p.r/c"), one("p.r/d")], vec![("p", Done)]),
        (SWITCH.to_owned(), vec![chose("s", 0)], vec![("s", Running)]),
        (SWITCH.to_owned(), vec![chose("s", 0), one("s/b")], vec![("s", Done)]),
        (SWITCH.to_owned(), vec![chose("s", 1)], vec![("s", Done)]),
        (SWITCH.to_owned(), vec![chose("s", 0), broke("s/b", "no", 0)], vec![("s", Failed)]),
        (LOOP.to_owned(), vec![chose("o#0", 1), one("o#0/b")], vec![("o", Running)]),
        (LOOP.to_owned(), vec![chose("o#0", 1), one("o#0/b"), chose("o#1", 0)], vec![("o", Done)]),
        (LOOP.to_owned(), vec![chose("o#0", 1), broke("o#0/b", "no", 0)], vec![("o", Failed)]),
        (RUN.to_owned(), vec![inner("n")], vec![("n", Running)]),
        (RUN.to_owned(), vec![inner("n"), one("n/z")], vec![("n", Done)]),
        (ASK.to_owned(), vec![asked("q~0"), asked("q~1"), answered("q~0", 1, json!(1), 5)], vec![("q", Running)]),
        (
            ASK.to_owned(),
            vec![asked("q~0"), asked("q~1"), answered("q~0", 1, json!(1), 5), broke("q~1", "no", 0)],
            vec![("q", Done), ("q~1", Failed)],
        ),
        // An item that was done, and then failed all the same, is one item.
        (
            spare("item"),
            vec![opened("m", 2), one("m#0/b"), one("m#0/c"), broke("m#0/c", "no", 0)],
            vec![("m", Running), ("m#0/c", Failed)],
        ),
        // Its time was over, and its failure is spared: the journal says nothing of that, but the next step begins.
        (
            format!("  - {{ id: w, timeout: 1s, on-error: step, wait: {{ for: 1h }} }}\n{MAP}"),
            vec![Change::Began { step: "w".into() }, opened("m", 2), asked("m#0/b"), one("z")],
            vec![("w", Left), ("m", Done), ("m#0/b", Left), ("z", Done)],
        ),
    ] {
        let mut journal = begin(&steps);
        for change in &changes {
            journal.add([change.clone()]);
        }
        for (path, state) in wanted {
            assert_eq!(journal.state(path), Some(state), "{path} after {changes:?}");
        }
    }
    // What fails behind its last step, in the same entry, has failed; so have those around it.
    let mut journal = begin("  - { id: s, if: '${ true }', then: [{ id: n, run: c/inner }] }\n");
    journal.add([chose("s", 0), inner("s/n"), one("s/n/z"), broke("s/n", "its output", 0)]);
    assert_eq!((journal.state("s/n/z"), journal.state("s/n"), journal.state("s")), (Some(Done), Some(Failed), Some(Failed)));
    assert_eq!(journal.report.step("s").unwrap().why.as_deref(), Some("its output, in `s/n`"));
    assert_eq!(journal.report.step("s/n").unwrap().runs.as_deref(), Some("a/b 1.0.0"));
}

#[test]
fn progress_counts_what_is_known() {
    let steps = "  - { id: m, map: '${ [1] }', do: [{ id: b, set: 1 }, { id: c, set: 1 }] }\n  - { id: i, if: '${ true }', then: [{ id: d, set: 1 }] }\n  - { id: z, set: 1 }\n";
    let mut journal = begin(steps);
    let one = |step: &str| given(step, json!(1));
    let chose = Change::Chose { step: "i".into(), case: 0 };
    for (change, done, failed, total, at_least) in [
        (Change::Held { amount: Amount(5) }, 0, 0, 3, true),
        (opened("m", 3), 0, 0, 7, true),
        (one("m#0/b"), 1, 0, 7, true),
        (broke("m#0/c", "no", 0), 1, 1, 7, true),
        (broke("m#1/b", "no", 0), 1, 2, 6, true),
        (chose, 1, 2, 7, false),
        (ended(Ending::Completed, 0), 1, 2, 3, false),
    ] {
        journal.add([change.clone()]);
        let wanted = Progress { done, failed, total, at_least, undone: 0 };
        assert_eq!(journal.report.progress(), wanted, "{change:?}");
    }
}

#[test]
fn a_run_that_is_ended_at_once_counts_what_may_have_been_charged() {
    let mut journal = begin(CALL);
    let cancelled = Change::Cancelled { by: "me".into(), why: "enough".into(), at_once: true };
    journal.add([attempted("a", 1, 1, 1_000)]).add([cancelled, ended(Ending::Terminated, 1_000)]);
    let Report { facts, costs, .. } = &journal.report;
    assert_eq!((facts.state, facts.spent, facts.set_aside), (State::Terminated, Amount(1_000), Amount::ZERO));
    assert_eq!((costs.total().at_risk, costs.by_label[0].cost.at_risk), (Amount(1_000), Amount(1_000)));
    assert_eq!(journal.state("a"), Some(StepState::Left));
    assert_eq!(journal.report.step("a").unwrap().attempts[0].outcome, Outcome::Unclear);
    assert!(super::costs(&journal.report).contains("AT RISK"));
}

#[test]
fn engines_signals_and_people_are_told() {
    let mut journal = begin("  - { id: s, wait: { signal: go } }\n  - { id: t, wait: { signal: go } }\n");
    let signal = |payload: u32| Change::Signalled { name: "go".into(), payload: json!(payload), by: "me".into() };
    let awaits =
        |step: &str| Change::Awaits { step: step.into(), awaited: Awaited::Signal { name: "go".into(), until_ms: None } };
    journal.add([signal(1)]).add([signal(2)]).add([awaits("s"), given("s", json!(1))]);
    journal.engine = "b";
    journal.add([Change::Taken { why: "a is silent".into() }]).add([awaits("t"), given("t", json!(2))]);
    let taken = journal.report.happened.iter().filter_map(|happening| match &happening.what {
        Happened::Signalled { taken_by, .. } => taken_by.clone(),
        _ => None,
    });
    assert_eq!(taken.collect::<Vec<_>>(), ["s", "t"]);
    let engines: Vec<_> = journal.report.facts.engines.iter().map(|engine| (&*engine.name, engine.why.as_deref())).collect();
    assert_eq!((engines, journal.report.facts.takeovers), (vec![("a", None), ("b", Some("a is silent"))], 1));
    assert!(
        timeline(&journal.report, journal.report.facts.last_ms)
            .contains("08:00:04.000  ·  engine b goes on with it: a is silent\n")
    );
    let wanted = "taken over 1 time; engine b has it since 2027-01-15 08:00:04 UTC\n";
    assert!(live(&journal.report, BEGIN_MS).contains(wanted));
}

#[test]
fn a_file_that_cannot_be_read_leaves_what_the_journal_says() {
    let mut journal = Journal::begin("workflow: of the future\n");
    journal.add([opened("m", 1), attempted("m#0/b", 1, 1, 10)]).add([answered("m#0/b", 1, json!(7), 10)]);
    journal.add([attempted("undo/m#0/b", 1, 1, 10)]);
    assert_eq!(journal.report.step("undo/m#0/b").unwrap().undoes.as_deref(), Some("m#0/b"));
    journal.add([ended(Ending::Completed, 10)]);
    assert_eq!((journal.state("m"), journal.state("m#0/b")), (Some(StepState::Done), Some(StepState::Done)));
    let wanted = "\
run-1 · completed after 4.0 s
0.000010 of 0.050000 spent
└─ m  0.000020 · map of 1 item
   └─ #0  0.000020
      └─ b  0.000020 · by …1cfZ76 seller/1@1.0.0 · receipt ffee0f1e
         └─ undo  0.000010 · left
";
    assert_eq!(tree(&journal.report), wanted);
}

/// Not what an engine does, and yet nothing that a journal says gets lost.
#[test]
fn a_step_that_was_left_may_go_on() {
    let mut journal = begin("  - { id: m, map: '${ [1] }', do: [{ id: b, call: 'i:i/i@1.0.0 f' }] }\n");
    journal.add([opened("m", 1), attempted("m#0/b", 1, 1, 10)]).add([broke("m", "no", 0)]);
    assert_eq!(journal.state("m#0/b"), Some(StepState::Left));
    journal.add([unclear("m#0/b", 1, "silence")]);
    assert_eq!((journal.state("m#0/b"), journal.report.waits_for().len()), (Some(StepState::Running), 1));
    journal.add([answered("m#0/b", 1, json!(1), 7)]);
    assert_eq!((journal.state("m#0/b"), journal.report.facts.spent), (Some(StepState::Done), Amount(7)));
    assert_eq!((journal.state("m"), journal.report.waits_for().len()), (Some(StepState::Failed), 0));
}

#[test]
fn items_stand_by_their_number_and_what_undoes_a_step_stands_last() {
    let mut journal = begin("  - { id: m, map: '${ [1] }', do: [{ id: b, call: 'i:i/i@1.0.0 f', ask: { sellers: 2 } }] }\n");
    let asked = |step: &str| attempted(step, 1, 1, 10);
    journal.add([opened("m", 11), asked("m#10/b~0"), asked("m#2/b~1"), asked("undo/m#2/b"), asked("m#2/b~0")]);
    let tree = journal.report.tree();
    let names = |nodes: &[Node<'_>]| nodes.iter().map(|node| node.name.to_owned()).collect::<Vec<_>>();
    assert_eq!(names(&tree[0].children), ["#2", "#10"]);
    assert_eq!(names(&tree[0].children[0].children[0].children), ["~0", "~1", "undo"]);
}

#[test]
fn provenance_hangs_below_the_receipts() {
    let mut journal = begin("  - { id: a, call: 'i:i/i@1.0.0 f' }\n  - { id: z, set: 1 }\n");
    journal.add([attempted("a", 1, 1, 10), answered("a", 1, json!(1), 10), given("z", json!(1))]);
    let text = tree_with(&journal.report, &mut |receipt| vec![format!("made from {}", receipt.short()), "\u{1b}[1m".into()]);
    let wanted = "\
├─ a  0.000010 · by …1cfZ76 seller/1@1.0.0 · receipt ca978112
│     made from ca978112
│     \\u{1b}[1m
└─ z  set
";
    assert!(text.ends_with(wanted), "{text}");
}

#[test]
fn json_has_stable_names_and_no_secret() {
    let journal = |mut report: Report| {
        let changes = vec![started(&format!("{HEAD}{CALL}")), attempted("a", 1, 1, 10), answered("a", 1, json!("word"), 7)];
        report.add(&Entry { version: VERSION, id: "x".into(), at_ms: BEGIN_MS, engine: "a".into(), changes });
        serde_json::to_value(&report).unwrap()
    };
    let (with, without) = (journal(Report::new("r")), journal(Report::without_values("r")));
    assert!(!with.to_string().contains("secret"));
    assert_eq!(
        (&with["steps"][0]["answer"], &without["steps"][0]["answer"]),
        (&json!({ "bytes": 6, "value": "word" }), &json!({ "bytes": 6 }))
    );
    assert_eq!(without["input"], json!({ "bytes": 7 }));
    let names = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>().join(" ");
    assert_eq!(
        names(&with),
        "run workflow version state why by input labels from started-ms ended-ms last-ms output budget spent set-aside held drawn returned engines takeovers progress waits-for costs happened steps"
            .split(' ')
            .collect::<std::collections::BTreeSet<_>>()
            .into_iter()
            .collect::<Vec<_>>()
            .join(" ")
    );
    let cost = json!({ "calls": 1, "failed": 0, "charged": "0.000007", "at-risk": "0.000000" });
    let mut by_step = cost.as_object().unwrap().clone();
    by_step.insert("step".into(), json!("a"));
    assert_eq!(with["costs"]["by-step"], json!([by_step]));
    assert_eq!((&with["spent"], &with["state"]), (&json!("0.000007"), &json!("running")));
}
