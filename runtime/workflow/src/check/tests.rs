//! Files, and what is found in them before they run.

use std::collections::BTreeMap;

use serde_json::json;

use super::*;
use crate::market::tests::{Stalls, fixed, up_to};
use crate::market::{Listing, Unseen};
use crate::types::{Parameter, Shape, Signature, Texts};

/// Seller 1 and its node as terms name them.
fn key(n: u8) -> String {
    hansa_economy::PublicKey([n; 32]).to_string()
}

fn contracts() -> BTreeMap<(String, String), Signature> {
    let text = Shape::Text(Texts::Plain);
    let signature = |name: &str| Signature {
        parameters: vec![Parameter { name: name.to_owned(), shape: text.clone(), required: false }],
        value: text.clone(),
    };
    ["one", "two", "units", "none", "translate"]
        .map(|function| (("i:i/i@1.0.0".to_owned(), function.to_owned()), signature("x")))
        .into()
}

const OTHER: &str = "workflow: o/o\nversion: 1.0.0\nbudget: \"0.005\"\ninputs: { count: number, text: { type: text, default: x } }\nsteps: [{ id: m, call: 'i:i/i@1.0.0 one' }]\n";

fn market() -> Stalls {
    Stalls::default()
        .with("one", &[fixed(1, 1_000)])
        .with("two", &[fixed(1, 2_000), fixed(2, 5_000), fixed(3, 9_000)])
        .with("units", &[up_to(3, 100, 900)])
        .with("elsewhere", &[fixed(1, 1)])
        .file("o/o", OTHER)
        .file("o/broken", "workflow: o/broken\nsteps: 1\n")
        .file("o/poor", &OTHER.replace("o/o", "o/poor").replace("0.005", "0.0005"))
        .file("o/ring", "workflow: o/ring\nversion: 1.0.0\nbudget: 1\nsteps: [{ id: r, run: a/b }]\n")
}

const HEAD: &str = "workflow: a/b\nversion: 1.0.0\nbudget: \"0.1\"\ninputs: { x: { type: text, default: a } }\nsteps:\n";

fn told(file: &str) -> Vec<String> {
    let found = check(file, &contracts(), &market()).findings;
    found
        .iter()
        .map(|finding| format!("{}{}", if finding.level == Level::Doubtful { "?" } else { "" }, finding.problem))
        .collect()
}

#[test]
fn what_is_good_is_good() {
    let file = format!(
        "{HEAD}  - {{ id: a, call: 'i:i/i@1.0.0 two', ask: {{ sellers: 3 }}, with: {{ x: '${{ .input.x }}' }} }}\n  - {{ id: n, run: o/o, with: {{ count: 1 }} }}\n"
    );
    let checked = check(&file, &contracts(), &market());
    assert!(checked.is_good() && checked.findings.is_empty(), "{:?}", checked.findings);
    assert_eq!((checked.workflow().unwrap().name.as_str(), checked.quote.as_ref().unwrap().total.most), ("a/b", Amount(17_000)));
}

fn call(rest: &str) -> String {
    format!("  - {{ id: a, call: 'i:i/i@1.0.0 {rest} }}\n")
}

/// Steps, and how everything begins that is found in them.
fn assert_found(cases: Vec<(String, &[&str])>) {
    let mut others = Vec::new();
    for (steps, wanted) in cases {
        let told = told(&format!("{HEAD}{steps}"));
        if told.len() != wanted.len() || !told.iter().zip(wanted).all(|(told, wanted)| told.starts_with(wanted)) {
            others.push(format!("{steps}{told:#?}\n"));
        }
    }
    assert!(others.is_empty(), "{}", others.concat());
}

#[test]
fn form_types_and_services() {
    assert_found(vec![
        // Form, names, expressions, types.
        ("  - { id: a, set: 1, sett: 2 }\n".into(), &["6:22: unknown key `sett`; did you mean `set`?"]),
        ("  - { id: a, set: '${ .input.y }' }\n".into(), &["6:30: `y` is no input"]),
        ("  - { id: a, set: '${ now }' }\n".into(), &["6:23: `now` is not used here"]),
        (call("one', with: { x: 1 }"), &["6:20: `x` wants `string`"]),
        (call("one', with: { y: a }"), &["6:20: `y` is no parameter of `one`"]),
        // Services and functions.
        (call("transalte'"), &["6:20: `transalte` is no function of `i:i/i@1.0.0`; did you mean `translate`?"]),
        (
            "  - { id: a, call: 'i:i/j@1.0.0 f' }\n".into(),
            &["6:20: no service `i:i/j@1.0.0` is known, and nobody sells `f` of it; did you mean `i:i/i@1.0.0`?"],
        ),
        ("  - { id: a, call: 'z:q/w@1.0.0 elsewhere' }\n".into(), &["?6:20: the types of `z:q/w@1.0.0` are not known here"]),
        (call("none'"), &["6:20: nobody sells `none` of `i:i/i@1.0.0` now"]),
        (call("one', compensate: { call: 'i:i/i@1.0.0 none' }"), &["6:59: nobody sells `none`"]),
    ]);
}

#[test]
fn terms_that_nobody_meets() {
    assert_found(vec![
        (
            call("two', terms: { max-price: 0.001 }"),
            &[
                "6:59: none of the 3 offers is within `max-price`, `0.001000`; the cheapest, `shop/s1@1.0.0` on `node1`, costs 0.002000",
            ],
        ),
        (
            call("units', terms: { max-price: 0.0001 }"),
            &[
                "6:61: the one offer is not within `max-price`, `0.000100`; the cheapest, `shop/s3@1.0.0` on `node3`, costs at least 0.000900",
            ],
        ),
        (
            call("two', terms: { labels: { region: asia } }"),
            &[
                "6:66: none of the 3 offers has the label `region: asia`; there are `eu`, `us`; nearest: `shop/s1@1.0.0` on `node1` at 0.002000 (seller did:key:z6M",
            ],
        ),
        (
            call("one', terms: { labels: { size: big } }"),
            &["6:64: the one offer lacks the label `size: big`; none says its `size`"],
        ),
        (
            call(&format!("one', terms: {{ sellers: ['{}'] }}", key(9))),
            &["6:57: the one offer is not of the sellers that the terms name; nearest: `shop/s1@1.0.0`"],
        ),
        (
            call(&format!("two', terms: {{ nodes: ['{}'] }}", key(9))),
            &["6:55: none of the 3 offers is on the nodes that the terms name"],
        ),
        (
            call("two', terms: { max-price: 0.001, labels: { region: asia } }"),
            &["6:59: none of the 3 offers is within", "6:84: none of the 3 offers has the label"],
        ),
        // Each term alone is met, all together are not.
        (
            call("two', terms: { max-price: 0.003, labels: { region: us } }"),
            &[
                "6:59: the one offer that meets the other terms is not within `max-price`, `0.003000`; the cheapest, `shop/s2@1.0.0`",
            ],
        ),
        (
            call("two', ask: { sellers: 4, min: 2 }"),
            &["?6:55: 4 sellers are to be asked, 2 must answer, and 3 meet the terms now"],
        ),
        (call("two', ask: { sellers: 4 }"), &["6:55: 4 sellers are to be asked, 4 must answer, and 3 meet"]),
    ]);
}

#[test]
fn budgets_and_other_workflows() {
    assert_found(vec![
        (
            call("one', budget: 0.0004"),
            &[
                "6:47: the budget of `a`, `0.000400`, cannot suffice: at today's offers the step needs 0.001000 at least, 0.000600 more; raise it",
            ],
        ),
        (call("one', on-error: step, budget: 0.0004"), &["?6:63: the budget of `a`"]),
        (
            "  - { id: m, map: '${ [1] }', item-budget: 0.0004, do: [{ id: c, call: 'i:i/i@1.0.0 one' }] }\n".into(),
            &["6:44: the budget of an item of `m`"],
        ),
        (
            "  - { id: l, loop: { while: '${ .round < 101 }', max: 200, do: [{ id: c, call: 'i:i/i@1.0.0 one' }] } }\n".into(),
            &[
                "3:9: the budget, `0.100000`, cannot suffice: at today's offers a run that comes to its end needs 0.101000 at least, 0.001000 more",
            ],
        ),
        // Other workflows.
        ("  - { id: n, run: o/no }\n".into(), &["6:19: there is no workflow `o/no`"]),
        ("  - { id: n, run: o/broken }\n".into(), &["6:19: `o/broken` cannot be read: 1:1:"]),
        ("  - { id: n, run: o/ring }\n".into(), &["6:19: this would never end: `a/b` runs `o/ring` runs `a/b` again"]),
        (
            "  - { id: n, run: o/o, with: { cuont: 1 } }\n".into(),
            &["6:19: the input `count` of `o/o` is missing", "6:39: `cuont` is no input of `o/o`; did you mean `count`?"],
        ),
        ("  - { id: n, run: o/o, with: { count: a } }\n".into(), &["6:39: `count` of `o/o` is a number, and this is none"]),
        (
            "  - { id: n, run: o/poor, with: { count: 1 } }\n".into(),
            &["6:19: the budget of the workflow that `n` runs, `0.000500`, cannot suffice"],
        ),
    ]);
}

#[test]
fn terms_of_the_workflow_are_told_where_they_stand() {
    let terms = HEAD.replace("steps:", "terms: { max-price: 0.0001 }\nsteps:");
    let steps = "  - { id: a, call: 'i:i/i@1.0.0 one' }\n  - { id: b, call: 'i:i/i@1.0.0 one' }\n";
    let told = told(&format!("{terms}{steps}"));
    assert!(
        told.len() == 1 && told[0].starts_with("5:21: the one offer is not within"),
        "once, though two steps have them: {told:?}"
    );
}

#[test]
fn data_stays_on_nodes_of_its_class() {
    let head = HEAD.replace("steps:", &format!("data: {{ secret: {{ nodes: ['{}'] }} }}\nsteps:", key(9)));
    let told = told(&format!("{head}  - {{ id: a, data: secret, call: 'i:i/i@1.0.0 one' }}\n"));
    assert!(told.len() == 1 && told[0].contains("the terms, or the class `secret`, name"), "{told:?}");
    assert!(told[0].starts_with("7:34:"), "{told:?}");
}

#[test]
fn all_rooms_are_in_one_list_in_the_files_order() {
    let steps = "  - { id: a, call: 'i:i/i@1.0.0 none', with: { x: 1 } }\n  - { id: b, set: '${ .input.y | now }' }\n  - { id: c, call: 'i:i/i@1.0.0 two', terms: { max-price: 0.001 } }\n";
    let told = told(&format!("{HEAD}{steps}"));
    let places: Vec<&str> = told.iter().map(|told| told.split(": ").next().unwrap()).collect();
    assert_eq!(places, ["6:20", "6:20", "7:34", "8:59"], "{told:#?}");
}

#[test]
fn where_nothing_is_known_nothing_is_refused() {
    let file = format!("{HEAD}  - {{ id: a, call: 'i:i/i@1.0.0 f' }}\n  - {{ id: n, run: o/o }}\n");
    let checked = check(&file, &BTreeMap::new(), &Unseen);
    assert!(checked.is_good() && checked.findings.len() == 1, "{:?}", checked.findings);
}

#[test]
fn people_see_the_line_and_a_mark() {
    let file = format!(
        "{HEAD}  - {{ id: a, call: 'i:i/i@1.0.0 transalte' }}\n  - {{ id: b, call: 'i:i/i@1.0.0 two', ask: {{ sellers: 4, min: 2 }} }}\n"
    );
    let wanted = "\
flow.yaml:6:20: error: `transalte` is no function of `i:i/i@1.0.0`; did you mean `translate`?
 6 |   - { id: a, call: 'i:i/i@1.0.0 transalte' }
   |                    ^
flow.yaml:7:55: warning: 4 sellers are to be asked, 2 must answer, and 3 meet the terms now
 7 |   - { id: b, call: 'i:i/i@1.0.0 two', ask: { sellers: 4, min: 2 } }
   |                                                       ^
";
    assert_eq!(check(&file, &contracts(), &market()).text("flow.yaml", &file), wanted);
}

#[test]
fn marks_stand_below_wide_letters_tabs_and_what_is_written_out() {
    for (line, column, wanted) in [
        ("漢字: x", 5, " 3 | 漢字: x\n   |       ^\n"),
        ("\ta: x", 2, " 3 |     a: x\n   |     ^\n"),
        ("a\u{1b}[0m: x", 8, " 3 | a\\u{1b}[0m: x\n   |             ^\n"),
        ("ab", 99, " 3 | ab\n   |   ^\n"),
        ("", 1, " 3 | \n   | ^\n"),
    ] {
        let finding = wrong(Problem::new(crate::Place { line: 3, column }, "no\nline \u{1b}"));
        let text = render::text(&[finding], "f", &format!("\n\n{line}\n"));
        assert_eq!(text, format!("f:3:{column}: error: no\\u{{a}}line \\u{{1b}}\n{wanted}"), "{line:?}");
    }
}

#[test]
fn of_a_long_line_what_is_around_the_mark_is_shown() {
    let line = format!("{}X{}", "漢".repeat(3_000), "b".repeat(3_000));
    let finding = wrong(Problem::new(crate::Place { line: 1, column: 3_001 }, "no"));
    let text = render::text(&[finding], "f", &line);
    let lines: Vec<&str> = text.lines().collect();
    assert!(crate::terminal::width(lines[1]) < 120, "{text}");
    let at = lines[2].chars().position(|letter| letter == '^').unwrap();
    let before: String = lines[1].chars().take_while(|letter| *letter != 'X').collect();
    assert_eq!(crate::terminal::width(&before), at);
    let beyond = wrong(Problem::new(crate::Place { line: 9, column: 1 }, "no"));
    assert_eq!(render::text(&[beyond], "f", "a"), "f:9:1: error: no\n");
}

#[test]
fn machines_read_it_as_json() {
    let file = format!("{HEAD}  - {{ id: a, call: 'i:i/i@1.0.0 none' }}\n");
    let json = json!(check(&file, &contracts(), &market()));
    let what = "nobody sells `none` of `i:i/i@1.0.0` now";
    assert_eq!(
        (&json["good"], &json["findings"]),
        (&json!(false), &json!([{ "level": "error", "line": 6, "column": 20, "what": what }]))
    );
    assert_eq!(json["quote"]["workflow"], "a/b");
    assert_eq!(json!(check("- 1\n", &contracts(), &market()))["quote"], json!(null));
}

#[test]
fn two_offers_of_one_seller_are_one_seller() {
    let market = Stalls::default().with("one", &[fixed(1, 1), Listing { package: "shop/s1@2.0.0".into(), ..fixed(1, 2) }]);
    let file = format!("{HEAD}  - {{ id: a, call: 'i:i/i@1.0.0 one', ask: {{ sellers: 2 }} }}\n");
    let found = check(&file, &contracts(), &market).findings;
    assert!(found.len() == 1 && found[0].problem.what.ends_with("and 1 meet the terms now"), "{found:?}");
}
