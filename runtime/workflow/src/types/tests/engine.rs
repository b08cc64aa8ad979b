//! What is found follows what the engine does: of functions, of several sellers, of items that fail, of messages that start runs.

use super::*;

#[test]
fn functions_want_what_the_engine_takes() {
    let cases = [
        (".steps.kind.pages | to_entries", "`to_entries` wants a map; here it gets a list of maps"),
        (
            ".steps.kind.tags | contains(\"a\")",
            "`contains` cannot take a list of texts and the text `a`; `any(. == …)` looks for",
        ),
        (".steps.kind.tags | has(\"a\")", "`has` wants a map; here it gets a list of texts"),
        (".steps.kind | has(0)", "`has` wants a list; here it gets a map"),
        (".steps.kind.pages | join(\", \")", "`join` wants a text or a number; here it gets a map"),
        (".steps.kind.tags | join(1)", "`join` wants a text; here it gets the number 1"),
        (".steps.kind.name | flatten", "`flatten` wants a list; here it gets a text"),
        (".steps.kind.name | abs", "`abs` wants a number; here it gets a text"),
        (".steps.kind.name | sqrt", "`sqrt` wants a number; here it gets a text"),
        (".steps.kind.tags | transpose", "`transpose` wants a list; here it gets a text"),
        (".steps.kind.name | index(1)", "`index` wants a text; here it gets the number 1"),
        (".steps.kind[0]", "`[0]` wants a list; here it gets a map"),
        (".input.most / 0", "`/` cannot take a whole number and the number 0"),
        (".input.most % 0", "`%` cannot take a whole number and the number 0"),
        (
            ".steps.kind.tags | ltrimstr(\"a\")",
            "?`ltrimstr` changes nothing here: it works on texts, and this is a list of texts",
        ),
        ("\"\\(.steps.kind.note)\" | trimstr(1)", "?`trimstr` changes nothing here"),
    ];
    assert_found(cases.map(|(jq, says)| (set(jq), says)));
    assert_nothing_found([
        set(".steps.kind.name | reverse | ascii_upcase"),
        set(".steps.kind.tags | contains([\"a\"]) and (.[0] | contains(\"a\"))"),
        set("[null | add, reverse, .[1:], index(\"a\")]"),
        set(".steps.kind.note[:3]"),
        set(".steps.kind.score | sqrt | toarray | .[0] + 1"),
        call("count", "{ number: '${ 6 / 2 }', letters: [] }"),
        call("count", "{ number: '${ .input.share % 2 }', letters: [] }"),
    ]);
    assert_found([(
        call("count", "{ number: '${ 7 / 2 }', letters: [] }"),
        "`number` wants `u32`; this gives a number, which may",
    )]);
}

#[test]
fn what_has_no_place_in_a_text_is_wrong_or_doubtful() {
    let text = |jq: &str| format!("  - {{ id: a, set: 'It is ${{ {jq} }}.' }}\n");
    assert_found([
        (text("null"), "this gives null, which has no place in a text; `// \"\"`"),
        (text(".steps.kind.tags"), "this gives a list of texts, which has no place in a text; `| tojson`"),
        (text(".steps.kind.note"), "?this may be null, which has no place in a text"),
    ]);
}

/// A list of answers, of which the first is given to `summarise`.
fn asked(ask: &str, given: &str) -> String {
    format!(
        "  - {{ id: q, call: 'a:b/c@1.0.0 summarise', with: {{ text: a }}, ask: {ask} }}\n  - {{ id: s, call: 'a:b/c@1.0.0 summarise', with: {{ text: '${{ {given} }}' }} }}\n"
    )
}

#[test]
fn several_sellers_give_a_list_unless_they_agree() {
    assert_nothing_found([
        asked("{ sellers: 3, agree: 2 }", ".steps.q"),
        asked("{ sellers: 3 }", ".steps.q[0].answer"),
        asked("{ sellers: 3, min: 2 }", ".steps.q | map(.seller + \": \" + .answer) | join(\", \")"),
    ]);
    assert_found([
        (asked("{ sellers: 3 }", ".steps.q"), "`text` wants `string`; this gives a list of maps"),
        (asked("{ sellers: 3 }", ".steps.q[0].anwser"), "did you mean `answer`?"),
        (asked("{ sellers: 3, agree: 2 }", ".steps.q[0].answer"), "`[0]` wants a list"),
    ]);
}

/// A map of pages with `steps` in it, whose value is given as letters.
fn mapped(steps: &str) -> String {
    format!(
        "  - {{ id: m, map: '${{ .steps.kind.pages }}', do: [{steps}] }}\n  - {{ id: c, call: 'a:b/c@1.0.0 count', with: {{ number: 1, letters: '${{ .steps.m }}' }} }}\n"
    )
}

#[test]
fn a_step_that_gives_up_its_item_makes_it_null() {
    let last = "{ id: z, set: '${ .item.text }' }";
    let null = "?`letters[]` wants `string`; this may be null";
    assert_found([
        (mapped(&format!("{{ id: x, on-error: item, run: a/other }}, {last}")), null),
        (
            mapped(&format!(
                "{{ id: p, parallel: {{ l: [{{ id: x, on-error: item, run: a/other }}], r: [{{ id: y, set: 1 }}] }} }}, {last}"
            )),
            null,
        ),
    ]);
    assert_nothing_found([
        mapped(last),
        mapped(&format!("{{ id: x, on-error: step, run: a/other }}, {last}")),
        // Its items are others.
        mapped(&format!("{{ id: n, map: '${{ .input.rows }}', do: [{{ id: x, on-error: item, run: a/other }}] }}, {last}")),
    ]);
}

#[test]
fn what_a_message_gives_is_held_against_the_inputs() {
    let start = |with: &str| {
        format!(
            "labels: {{ who: {{}} }}\nstart:\n  topic: t\n  with: {{ doc: '${{ .message.doc }}', lang: {with}, most: 1, share: 1, rows: [], any: 1 }}\n  labels: {{ who: '${{ .message.who }}' }}\n"
        )
    };
    assert_nothing_found([start("en"), start("'${ .message.lang }'"), start("'${ .message.lang // \"en\" }'")]);
    assert_found([
        (start("'${ .message | length }'"), "`lang` wants `string`; this gives"),
        (start("'${ .message.lang | ascii_upcase | keys }'"), "`keys` wants a list or a map"),
    ]);
}
