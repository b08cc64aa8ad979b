//! What runs would cost: tables of steps, exact and between bounds.

use serde_json::json;

use super::*;
use crate::market::Unseen;
use crate::market::tests::{Stalls, fixed, up_to};

const HEAD: &str = "workflow: a/b\nversion: 1.0.0\nbudget: \"0.1\"\ninputs: { rows: { type: list, default: [] }, x: { type: any, default: 1 } }\nsteps:\n";
const OTHER: &str = "workflow: o/o\nversion: 1.0.0\nbudget: \"0.005\"\ninputs: { n: number }\nsteps: [{ id: m, map: '${ [range(.input.n)] }', do: [{ id: c, call: 'i:i/i@1.0.0 one' }] }]\n";

/// `one` costs 1000 at its only seller; `two` 2000 or 5000; `units` 100 to 900; `free` nothing.
fn market() -> Stalls {
    let other = OTHER.replace("[range(.input.n)]", "if .input.n > 2 then [1, 2, 3] else [1] end");
    Stalls::default()
        .with("one", &[fixed(1, 1_000)])
        .with("two", &[fixed(1, 2_000), fixed(2, 5_000)])
        .with("units", &[up_to(3, 100, 900)])
        .with("by-size", &[up_to(3, 100, 90_000)])
        .with("free", &[fixed(1, 0)])
        .with("dear", &[fixed(1, 60_000)])
        .with("three", &[fixed(1, 1_000), fixed(2, 2_000), fixed(3, 4_000)])
        .file("o/o", &other)
}

fn quoted(steps: &str, inputs: Option<Value>) -> Quote {
    let plan = Plan::new(&format!("{HEAD}{steps}")).unwrap_or_else(|problems| panic!("{steps}: {problems:?}"));
    let given = inputs.map(|inputs| plan.workflow.inputs_of(inputs.as_object().unwrap().clone()).unwrap());
    quote(&plan, &market(), given.as_ref())
}

fn call(id: &str, function: &str) -> String {
    format!("{{ id: {id}, call: 'i:i/i@1.0.0 {function}' }}")
}

/// The total as `least likely most`, `-` where nothing is likely.
fn total(quote: &Quote) -> String {
    let Cost { least, likely, most } = quote.total;
    format!("{} {} {}", least.0, likely.map_or("-".to_owned(), |likely| likely.0.to_string()), most.0)
}

#[test]
fn what_steps_cost() {
    let map = |over: &str, inner: &str| format!("{{ id: m, map: '${{ {over} }}', do: [{inner}] }}");
    let when =
        |when: &str| format!("{{ id: i, if: '${{ {when} }}', then: [{}], else: [{}] }}", call("t", "one"), call("e", "two"));
    let rounds =
        |goes_on: &str| format!("{{ id: l, loop: {{ while: '${{ {goes_on} }}', max: 4, do: [{}] }} }}", call("r", "one"));
    let run = |n: &str| format!("{{ id: n, run: o/o, with: {{ n: {n} }} }}");
    let rows = json!({ "rows": [1, 2, 3] });
    for (step, inputs, wanted) in [
        ("{ id: a, set: 1 }".to_owned(), None, "0 0 0"),
        (call("a", "free"), None, "0 0 0"),
        (call("a", "one"), None, "1000 1000 1000"),
        (call("a", "two"), None, "2000 2000 5000"),
        (call("a", "units"), None, "100 - 900"),
        // As often as the items that are known, or as many as the budget has prices.
        (map("[1, 2]", &call("c", "one")), None, "2000 2000 2000"),
        (map("[]", &call("c", "one")), None, "0 0 0"),
        (map(".input.rows", &call("c", "one")), None, "0 - 100000"),
        (map(".input.rows", &call("c", "one")), Some(rows.clone()), "3000 3000 3000"),
        (map(".input.rows | map(select(. > 1))", &call("c", "one")), Some(rows.clone()), "2000 2000 2000"),
        (map(".input.rows", &call("c", "free")), None, "0 0 0"),
        (map(".input.rows", &when(".item > 1")), Some(rows.clone()), "4000 4000 7000"),
        (map(".input.rows", &when(".item > 1")), None, "0 - 100000"),
        (map(".input.rows", &when(".steps.c == 1")).replace("do: [", "do: [{ id: c, set: '${ .item }' }, "), Some(rows.clone()), "5000 5000 11000"),
        // One way or the other.
        (when("true"), None, "1000 1000 1000"),
        (when(".input.x == 1"), None, "1000 - 5000"),
        (when(".input.x == 1"), Some(json!({})), "1000 1000 1000"),
        (when(".input.x == 1"), Some(json!({ "x": 2 })), "2000 2000 5000"),
        (when(".spent > 0"), Some(json!({})), "1000 - 5000"),
        ("{ id: s, switch: [{ when: '${ .input.x == 1 }', do: [ONE] }, { when: '${ true }', do: [{ id: x, set: 1 }] }], else: [TWO] }".replace("ONE", &call("t", "one")).replace("TWO", &call("e", "two")), None, "0 - 1000"),
        // Rounds.
        (rounds(".round < 3"), None, "3000 3000 3000"),
        (rounds(".round < .input.x"), Some(json!({})), "1000 1000 1000"),
        (rounds("false"), None, "0 0 0"),
        (rounds(".input.x == 1"), None, "0 - 4000"),
        (rounds(".steps.r != 1"), None, "1000 - 4000"),
        // Beside each other, and several sellers.
        (format!("{{ id: p, parallel: {{ l: [{}], r: [{}] }} }}", call("a", "one"), call("b", "two")), None, "3000 3000 6000"),
        ("{ id: a, call: 'i:i/i@1.0.0 three', ask: { sellers: 2 } }".to_owned(), None, "3000 3000 6000"),
        ("{ id: a, call: 'i:i/i@1.0.0 three', ask: { sellers: 3 } }".to_owned(), None, "7000 7000 7000"),
        // Terms, and what nobody sells.
        ("{ id: a, call: 'i:i/i@1.0.0 two', terms: { max-price: 0.003 } }".to_owned(), None, "2000 2000 2000"),
        ("{ id: a, call: 'i:i/i@1.0.0 units', terms: { max-price: 0.0005 } }".to_owned(), None, "0 - 500"),
        (call("a", "none"), None, "0 - 100000"),
        // Other workflows.
        (run("1"), None, "1000 1000 1000"),
        (run("3"), None, "3000 3000 3000"),
        (run("'${ .input.x }'"), None, "0 - 5000"),
        (run("'${ .input.x }'"), Some(json!({ "x": 5 })), "3000 3000 3000"),
        (run("1").replace("o/o", "no/ne"), None, "0 - 100000"),
        // Budgets.
        (map(".input.rows", &call("c", "one")).replace("do:", "budget: 0.0035, do:"), None, "0 - 3500"),
        (map("[1, 2]", &call("c", "two")).replace("do:", "item-budget: 0.003, do:"), None, "4000 4000 6000"),
        (call("a", "one").replace(" }", ", budget: 0.0004 }"), None, "400 - 400"),
    ] {
        let quote = quoted(&format!("  - {step}\n"), inputs.clone());
        assert_eq!(total(&quote), wanted, "{step} with {inputs:?}");
        let sum = quote.steps.iter().fold(Amount::ZERO, |sum, line| sum.saturating_add(line.cost.most));
        assert!(quote.total.least <= quote.total.most && quote.total.most <= quote.budget, "{step}");
        assert!(sum >= quote.total.most || quote.unknown.iter().any(|unknown| unknown.what == Missing::Workflow), "{step}");
    }
}

#[test]
fn what_a_map_gave_is_as_long_as_its_list() {
    let steps = format!(
        "  - {{ id: m, map: '${{ .input.rows }}', do: [{}] }}\n  - {{ id: n, map: '${{ .steps.m }}', do: [{}] }}\n",
        call("c", "one"),
        call("d", "two")
    );
    let rows = Some(json!({ "rows": [1, 2, 3] }));
    assert_eq!(total(&quoted(&steps, rows.clone())), "9000 9000 18000");
    // Null where it failed.
    assert_eq!(total(&quoted(&steps.replace("id: m,", "id: m, on-error: step,"), rows)), "3000 - 100000");
}

#[test]
fn what_may_be_null_decides_nothing() {
    let steps = format!(
        "  - {{ id: m, map: '${{ [1] }}', do: [{}, {{ id: v, set: 1 }}] }}\n  - {{ id: i, if: '${{ .steps.m == [1] }}', then: [{}] }}\n",
        call("c", "free"),
        call("t", "one")
    );
    assert_eq!(total(&quoted(&steps, None)), "1000 1000 1000");
    for spared in [steps.replace("id: c,", "id: c, on-error: item,"), steps.replace("id: m,", "id: m, on-error: item,")] {
        assert_eq!(total(&quoted(&spared, None)), "0 - 1000", "{spared}");
    }
}

#[test]
fn each_step_has_a_line() {
    let steps = format!(
        "  - {}\n  - {{ id: m, map: '${{ .input.rows }}', do: [{{ id: i, if: '${{ .item > 1 }}', then: [{}], else: [{}] }}] }}\n  - {{ id: n, run: o/o, with: {{ n: 1 }} }}\n",
        call("a", "two").replace(" }", ", compensate: { call: 'i:i/i@1.0.0 one' } }"),
        call("t", "one"),
        call("e", "units"),
    );
    let quote = quoted(&steps, Some(json!({ "rows": [1, 2, 3] })));
    let lines: Vec<String> =
        quote.steps.iter().map(|line| format!("{} {} {} {}", line.place, line.path, line.calls.least, line.calls.most)).collect();
    assert_eq!(lines, ["6:5 a 1 1", "7:82 m/i/t 2 2", "7:126 m/i/e 1 1", "8:5 n/m/c 1 1"]);
    let packages = |choices: &[Choice]| choices.iter().map(|choice| choice.package.clone()).collect::<Vec<_>>();
    assert_eq!(
        (packages(&quote.steps[0].chosen), packages(&quote.steps[0].runners_up)),
        (vec!["shop/s1@1.0.0".to_owned()], vec!["shop/s2@1.0.0".to_owned()])
    );
    assert_eq!((quote.undo.len(), quote.undo_most, quote.undo[0].calls), (1, Amount(1_000), Count { least: 0, most: 1 }));
    assert_eq!(total(&quote), "5100 - 8900");
}

#[test]
fn budgets_suffice_or_not() {
    let cases = [
        (call("a", "dear"), Verdict::Suffices, ""),
        (format!("{}\n  - {}", call("a", "dear"), call("b", "dear")), Verdict::CannotSuffice, "run  120000"),
        (
            format!("{{ id: p, parallel: {{ l: [{}], r: [{}] }} }}", call("a", "dear"), call("b", "dear")),
            Verdict::CannotSuffice,
            "run  120000",
        ),
        ("{ id: m, map: '${ .input.rows }', do: [ONE] }".replace("ONE", &call("a", "dear")), Verdict::MayNotSuffice, ""),
        (
            "{ id: m, budget: 0.05, map: '${ .input.rows }', do: [ONE] }".replace("ONE", &call("a", "dear")),
            Verdict::MayNotSuffice,
            "",
        ),
        (
            "{ id: m, item-budget: 0.05, map: '${ .input.rows }', do: [ONE] }".replace("ONE", &call("a", "dear")),
            Verdict::MayNotSuffice,
            "item m 60000",
        ),
        (
            "{ id: m, item-budget: 0.05, map: '${ [1] }', do: [ONE] }".replace("ONE", &call("a", "dear")),
            Verdict::CannotSuffice,
            "item m 60000",
        ),
        (
            "{ id: m, item-budget: 0.05, on-error: item, map: '${ [1] }', do: [ONE] }".replace("ONE", &call("a", "dear")),
            Verdict::MayNotSuffice,
            "item m 60000 spared",
        ),
        (call("a", "dear").replace(" }", ", budget: 0.05 }"), Verdict::CannotSuffice, "step a 60000"),
        // What a call may cost is set aside before, whatever it costs then.
        (call("a", "units").replace(" }", ", budget: 0.0005 }"), Verdict::CannotSuffice, "step a 900"),
        ("{ id: n, run: o/o, with: { n: 3 } }".to_owned(), Verdict::Suffices, ""),
        (call("a", "none"), Verdict::MayNotSuffice, ""),
    ];
    for (step, verdict, short) in cases {
        let quote = quoted(&format!("  - {step}\n"), None);
        let told = quote.shortfalls.iter().map(|short| {
            let owner = json!(short.owner).as_str().unwrap().to_owned();
            format!("{owner} {} {}{}", short.path, short.needed.0, if short.is_spared { " spared" } else { "" })
        });
        assert_eq!((quote.verdict, told.collect::<Vec<_>>().join(", ").as_str()), (verdict, short), "{step}");
    }
}

#[test]
fn arguments_that_are_known_have_their_own_price() {
    let by_size = |text: &str| format!("{{ id: c, call: 'i:i/i@1.0.0 by-size', with: {{ t: '{text}' }} }}");
    let map = format!("{{ id: m, map: '${{ .input.rows }}', do: [{}] }}", by_size("${ .item }"));
    let (x, rows) = (json!({ "x": "abc" }), json!({ "rows": ["a", "bcd"] }));
    for (step, inputs, wanted, each) in [
        // `{"t":"abc"}` has 11 letters.
        (by_size("abc"), None, "11 11 11", "0.000011"),
        (by_size("${ .input.x }"), None, "100 - 90000", "≤0.090000"),
        (by_size("${ .input.x }"), Some(x), "11 11 11", "0.000011"),
        (by_size("${ .spent }"), Some(json!({})), "100 - 90000", "≤0.090000"),
        (map, Some(rows), "20 20 20", "≤0.000011"),
    ] {
        let quote = quoted(&format!("  - {step}\n"), inputs);
        assert_eq!(total(&quote), wanted, "{step}");
        let line = text(&quote).lines().nth(3).unwrap_or_default().to_owned();
        assert!(line.contains(&format!(" {each} ")), "{step}: {line}");
    }
}

#[test]
fn the_seller_is_one_that_the_budget_has_room_for() {
    // The best by speed is the dear one.
    struct Fast(Stalls);
    impl Market for Fast {
        fn offers(&self, wanted: &crate::run::Wanted) -> crate::market::Known<Vec<Listing>> {
            match self.0.offers(wanted) {
                crate::market::Known::Yes(offers) => crate::market::Known::Yes(offers.into_iter().rev().collect()),
                none => none,
            }
        }
        fn priced(&self, _: &crate::run::Wanted, _: &serde_json::Value) -> Option<Vec<Listing>> {
            None
        }
        fn workflow(&self, name: &str) -> crate::market::Known<Option<String>> {
            self.0.workflow(name)
        }
    }
    for (budget, chosen) in [("0.005", "shop/s2@1.0.0"), ("0.004", "shop/s1@1.0.0"), ("0.001", "shop/s1@1.0.0")] {
        let step = call("a", "two").replace(" }", &format!(", budget: {budget} }}"));
        let plan = Plan::new(&format!("{HEAD}  - {step}\n")).unwrap();
        assert_eq!(quote(&plan, &Fast(market()), None).steps[0].chosen[0].package, chosen, "{budget}");
    }
    // What is spent before counts.
    let steps =
        "  - { id: p, budget: 0.007, parallel: { b: [A, B] } }\n".replace('A', &call("x", "two")).replace('B', &call("y", "two"));
    let plan = Plan::new(&format!("{HEAD}{steps}")).unwrap();
    let chosen: Vec<String> =
        quote(&plan, &Fast(market()), None).steps.iter().map(|line| line.chosen[0].package.clone()).collect();
    assert_eq!(chosen, ["shop/s2@1.0.0", "shop/s1@1.0.0"]);
}

#[test]
fn free_calls_may_cost_nothing() {
    let offers = [Listing { free_calls: 5, ..fixed(1, 1_000) }];
    let plan = Plan::new(&format!("{HEAD}  - {}\n", call("a", "one"))).unwrap();
    let quote = quote(&plan, &Stalls::default().with("one", &offers), None);
    assert_eq!(total(&quote), "0 - 1000");
}

#[test]
fn what_is_too_large_is_quoted_by_its_budget() {
    // Each runs the next twenty times: 20^7 runs.
    let mut market = Stalls::default().with("one", &[fixed(1, 1_000)]);
    for nth in 0..7 {
        let steps: String = (0..20).map(|step| format!("  - {{ id: s{step}, run: a/n{} }}\n", nth + 1)).collect();
        market = market.file(&format!("a/n{nth}"), &format!("workflow: a/n{nth}\nversion: 1.0.0\nbudget: 1\nsteps:\n{steps}"));
    }
    market = market.file("a/n7", &format!("workflow: a/n7\nversion: 1.0.0\nbudget: 1\nsteps:\n  - {}\n", call("a", "one")));
    let plan = Plan::new(&format!("{HEAD}  - {{ id: n, run: a/n0 }}\n")).unwrap();
    let quote = quote(&plan, &market, None);
    assert!(quote.is_rough && !quote.steps.is_empty() && quote.total.most == Amount(100_000), "{:?}", quote.total);
    assert!(text(&quote).contains("too large"));
}

const DESK: &str = r#"workflow: acme/desk
version: 1.2.0
budget: "0.05"
inputs: { pages: { type: list } }
steps:
  - { id: kind, call: 'i:i/i@1.0.0 three', ask: { sellers: 2 }, compensate: { call: 'i:i/i@1.0.0 one' } }
  - { id: pages, map: '${ .input.pages }', do: [{ id: summary, call: 'i:i/i@1.0.0 units' }] }
  - { id: check, if: '${ .steps.kind[0].answer.ok }', then: [{ id: deep, call: 'i:i/i@1.0.0 two' }] }
  - { id: other, call: 'i:i/i@1.0.0 none' }
"#;

const DESK_TEXT: &str = "\
acme/desk 1.2.0: costs 0.003000 to 0.050000; the budget of 0.050000 may not suffice

step           calls          each  at least    likely   at most  seller
kind           2           differs  0.003000  0.003000  0.006000  shop/s1@1.0.0 on node1, shop/s2@1…
    or shop/s3@1.0.0 on node3 at 0.004000
pages/summary  0 to 500  ≤0.000900  0.000000         ?  0.050000  shop/s3@1.0.0 on node3
check/deep     0 to 1     0.002000  0.000000         ?  0.005000  shop/s1@1.0.0 on node1
    or shop/s2@1.0.0 on node2 at 0.005000
other          1                 ?  0.000000         ?  0.050000  nobody under these terms
total                               0.003000         ?  0.050000

if it fails, undoing what was done costs at most 0.001000 of the budget:
  kind: one, 0 to 1 calls at 0.001000 from shop/s1@1.0.0 on node1

not known before the run:
  pages: how many items its list has; each costs 0.000100 to 0.000900
  check: which way it goes; it costs 0.000000 to 0.005000
  other: who sells it under its terms
";

#[test]
fn people_read_it_as_a_table() {
    let text = text(&quote(&Plan::new(DESK).unwrap(), &market(), None));
    assert_eq!(text, DESK_TEXT);
}

#[test]
fn no_line_is_too_long_whatever_the_market_says() {
    let odd = Listing { package: "\u{1b}[31m漢字".repeat(40), node_name: "x\n".repeat(60), ..fixed(1, u128::MAX / 3) };
    let plan = Plan::new(&format!("{HEAD}  - {}\n  - {}\n", call(&"a".repeat(64), "one"), call("b", "none"))).unwrap();
    for text in
        [text(&quote(&plan, &Stalls::default().with("one", &[odd.clone(), odd]), None)), text(&quote(&plan, &Unseen, None))]
    {
        for line in text.lines() {
            assert!(crate::terminal::width(line) <= crate::limits::TEXT_COLUMNS_MAX && !line.contains('\u{1b}'), "{line}");
        }
    }
}

#[test]
fn machines_read_it_as_json() {
    let quote = json!(quoted(&format!("  - {}\n", call("a", "two")), None));
    let wanted = json!({ "least": "0.002000", "likely": "0.002000", "most": "0.005000" });
    assert_eq!((&quote["total"], &quote["verdict"]), (&wanted, &json!("suffices")));
    assert_eq!(quote["steps"][0]["place"], json!({ "line": 6, "column": 5 }));
    assert_eq!(quote["steps"][0]["runners-up"][0]["package"], "shop/s2@1.0.0");
}
