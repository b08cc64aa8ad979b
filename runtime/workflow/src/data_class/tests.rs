//! Classed data stays within its class, through values, items and loops, unless somebody releases it.

use super::*;

const KEY: &str = "did:key:z6Mkr7hMKHuWyb1Qmz7YANxBmE96fhDtwC31RDKumfDY1zbt";

/// The problems of a workflow with these steps, from line 9 on, the reasons only.
fn told(steps: &str) -> Vec<String> {
    let text = format!(
        "workflow: a/b\nversion: 1.0.0\nbudget: 1\ndata:\n  secret: {{ nodes: ['{KEY}'] }}\n  health: {{ nodes: ['{KEY}'] }}\n\
         inputs: {{ open: text, text: {{ type: text, data: secret }}, file: {{ type: any, data: health }} }}\nsteps:\n{steps}"
    );
    let workflow = Workflow::read(&text).unwrap_or_else(|problems| panic!("{steps}: {problems:?}"));
    assert_eq!(crate::names::check(&workflow), [], "{steps}");
    check(&workflow).iter().map(ToString::to_string).collect()
}

/// A step that buys, with `fields` before what it sends.
fn call(fields: &str, sends: &str) -> String {
    format!("  - {{ id: c, {fields}call: 'a:b/c@1.0.0 f', with: {{ x: '${{ {sends} }}' }} }}\n")
}

#[test]
fn a_call_reads_what_is_of_its_steps_class() {
    for (fields, sends) in [
        ("", ".input.open"),
        ("", ".run.id"),
        ("data: secret, ", ".input.text"),
        ("data: secret, ", ".input.open + .input.text"),
        ("data: health, ", "[.input.file.pages[] | tojson]"),
        ("release: true, ", ".input.text"),
        ("data: health, release: true, ", ". | tojson"),
        ("", "[\"a\", 1] | first | length"),
        ("", ". | .input.open"),
        ("", "first(.input.open)"),
        ("", "if .input.open == \"\" then 1 else 2 end"),
    ] {
        assert_eq!(told(&call(fields, sends)), Vec::<String>::new(), "{fields}{sends}");
    }
}

#[test]
fn what_is_of_another_class_is_refused_at_its_place() {
    for (fields, sends, says) in [
        ("", ".input.text", "9:59: `.input.text` is secret; this step may go to any node: give it `data: secret`"),
        ("data: health, ", ".input.text", "`.input.text` is secret; this step goes to nodes of `health`: give it `data: secret`"),
        ("data: secret, ", "[.input.text, .input.file]", "`.input.file` is health"),
        ("", ".input.open + (.input.text | length | tostring)", "`.input.text` is secret"),
        ("", ".input.text as $x | $x", "`.input.text` is secret"),
        ("", "{input}", "`.input` is health"),
        ("", ".input", "`.input` is health"),
        ("", ".input[.input.open]", "`.input` is health"),
        ("", ".[\"in\" + \"put\"].text", "all of the run's data is read here, and some of it is health"),
        ("", ".", "all of the run's data"),
        ("", "..", "all of the run's data"),
        ("", "tojson", "all of the run's data"),
        ("", "[.[] | .text?]", "all of the run's data"),
        ("", "if .run.id == \"x\" then 1 end", "all of the run's data"),
        ("", "first(.input.text)", "`.input.text` is secret"),
        ("", "\"a \\(.input.text)\"", "`.input.text` is secret"),
        ("", "try error(.input.text) catch .", "`.input.text` is secret"),
        ("", "{a: 1} + {b: -(.input.text | length)}", "`.input.text` is secret"),
    ] {
        let told = told(&call(fields, sends));
        assert!(told.len() == 1 && told[0].contains(says), "{fields}{sends}: {told:?}");
    }
}

#[test]
fn classes_go_on_with_values() {
    let send = "  - { id: z, call: 'a:b/c@1.0.0 f', with: { x: '${ .steps.a }' } }\n";
    for (steps, goes_on) in [
        ("  - { id: a, set: '${ .input.text }' }\n", true),
        ("  - { id: a, set: '${ .input.open }' }\n", false),
        ("  - { id: a, data: secret, set: 1 }\n", true),
        ("  - { id: a, release: true, set: '${ .input.text }' }\n", false),
        ("  - { id: a, data: secret, call: 'a:b/c@1.0.0 f', with: { x: '${ .input.text }' } }\n", true),
        ("  - { id: a, release: true, call: 'a:b/c@1.0.0 f', with: { x: '${ .input.text }' } }\n", false),
        ("  - { id: b, set: '${ .input.text }' }\n  - { id: a, set: '${ .steps.b }' }\n", true),
        ("  - { id: b, set: '${ .input.text }' }\n  - { id: a, set: '${ .steps }' }\n", true),
        ("  - { id: a, map: '${ .input.file }', do: [{ id: b, set: '${ .item }' }] }\n", true),
        ("  - { id: a, map: '${ .input.file }', release: true, do: [{ id: b, set: '${ .item }' }] }\n", false),
        ("  - { id: a, if: '${ .input.text == \"\" }', then: [{ id: b, set: 1 }] }\n", true),
        ("  - { id: a, parallel: { l: [{ id: b, set: 1 }], r: [{ id: d, set: '${ .input.text }' }] } }\n", true),
        ("  - { id: a, loop: { while: '${ .input.text == .steps.b }', max: 2, do: [{ id: b, set: 1 }] } }\n", true),
        ("  - { id: a, approve: { message: '${ .input.text }', expires: 1d, on-expiry: fail } }\n", true),
    ] {
        let told = told(&format!("{steps}{send}"));
        assert_eq!(told.iter().any(|told| told.contains("`.steps.a` is ")), goes_on, "{steps}: {told:?}");
    }
}

#[test]
fn steps_within_and_compensations_and_runs_are_looked_at() {
    for (steps, says) in [
        (
            "  - { id: a, map: '${ .input.file }', as: row, do: [{ id: b, call: 'a:b/c@1.0.0 f', with: { x: '${ .row }' } }] }\n",
            "`.row` is health",
        ),
        (
            "  - { id: a, data: health, map: '${ .input.file }', do: [{ id: b, call: 'a:b/c@1.0.0 f', with: { x: '${ .item }' } }] }\n",
            "",
        ),
        (
            "  - { id: a, data: health, map: '${ .input.file }', do: [{ id: b, data: secret, call: 'a:b/c@1.0.0 f', with: { x: '${ .item }' } }] }\n",
            "`.item` is health; this step goes to nodes of `secret`",
        ),
        (
            "  - { id: a, release: true, if: '${ 1 == 1 }', then: [{ id: b, call: 'a:b/c@1.0.0 f', with: { x: '${ .input.text }' } }] }\n",
            "`.input.text` is secret",
        ),
        (
            "  - { id: a, call: 'a:b/c@1.0.0 f', compensate: { call: 'a:b/c@1.0.0 g', with: { x: '${ .input.text }' } } }\n",
            "`.input.text` is secret",
        ),
        (
            "  - { id: a, data: secret, call: 'a:b/c@1.0.0 f', compensate: { call: 'a:b/c@1.0.0 g', with: { x: '${ .steps.a }' } } }\n",
            "",
        ),
        ("  - { id: a, run: a/other, with: { x: '${ .input.text }' } }\n", "`.input.text` is secret"),
        ("  - { id: a, data: secret, run: a/other, with: { x: '${ .input.text }' } }\n", ""),
    ] {
        let told = told(steps);
        match says {
            "" => assert_eq!(told, Vec::<String>::new(), "{steps}"),
            says => assert!(told.len() == 1 && told[0].contains(says), "{steps}: {told:?}"),
        }
    }
}

#[test]
fn without_classes_nothing_is_said() {
    let text = "workflow: a/b\nversion: 1.0.0\nbudget: 1\nsteps: [{ id: a, call: 'a:b/c@1.0.0 f', with: '${ . }' }]\n";
    assert_eq!(check(&Workflow::read(text).unwrap()), []);
}
