//! Types of mappings: tables of steps and what is found in them.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::*;

mod engine;

const BASE64: &str = "^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/][AQgw]==|[A-Za-z0-9+/]{2}[AEIMQUYcgkosw048]=)?$";

/// What the host makes of `arguments_json_schema`.
fn arguments(parameters: &[(&str, Value)], required: &[&str]) -> Value {
    let refs: Vec<Value> = parameters.iter().map(|(name, _)| json!({ "$ref": format!("#/$defs/{name}") })).collect();
    let properties: serde_json::Map<_, _> =
        parameters.iter().map(|(name, _)| ((*name).to_owned(), json!({ "$ref": format!("#/$defs/{name}") }))).collect();
    let types: serde_json::Map<_, _> = parameters.iter().map(|(name, ty)| ((*name).to_owned(), ty.clone())).collect();
    let list = match refs.len() {
        0 => json!({ "type": "array", "maxItems": 0 }),
        count => json!({ "type": "array", "prefixItems": refs, "items": false, "minItems": count }),
    };
    let named = json!({ "type": "object", "properties": properties, "required": required, "additionalProperties": false });
    json!({ "$schema": "https://json-schema.org/draft/2020-12/schema", "anyOf": [list, named], "$defs": types })
}

/// What the host makes of `result<ok, fault>`.
fn result(ok: Value) -> Value {
    let fault = json!({ "enum": ["unreadable", "too-large"] });
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema", "type": "object", "properties": { "ok": ok, "err": fault },
        "additionalProperties": false, "minProperties": 1, "maxProperties": 1,
    })
}

fn record(fields: &[(&str, Value)], required: &[&str]) -> Value {
    let properties: serde_json::Map<_, _> = fields.iter().map(|(name, ty)| ((*name).to_owned(), ty.clone())).collect();
    json!({ "type": "object", "properties": properties, "required": required, "additionalProperties": false })
}

fn one_of(cases: &[(&str, Value)]) -> Value {
    let properties: serde_json::Map<_, _> = cases.iter().map(|(name, ty)| ((*name).to_owned(), ty.clone())).collect();
    json!({ "type": "object", "properties": properties, "additionalProperties": false, "minProperties": 1, "maxProperties": 1 })
}

fn option(some: Value) -> Value {
    json!({ "anyOf": [{ "type": "null" }, some] })
}

fn list(items: Value) -> Value {
    json!({ "type": "array", "items": items })
}

fn string() -> Value {
    json!({ "type": "string" })
}

fn bytes() -> Value {
    json!({ "type": "string", "contentEncoding": "base64", "pattern": BASE64 })
}

fn whole(most: u64) -> Value {
    json!({ "type": "integer", "minimum": 0, "maximum": most })
}

fn u64() -> Value {
    json!({ "anyOf": [
        { "type": "string", "pattern": "^(?:0|[1-9][0-9]{0,18}|1[0-7][0-9]{18})$" },
        { "type": "integer", "minimum": 0, "maximum": u64::MAX },
    ] })
}

fn float() -> Value {
    json!({ "anyOf": [{ "type": "number" }, { "enum": ["NaN", "Infinity", "-Infinity"] }] })
}

/// `record kind { name, format, note: option, size: u64, score: f64, pages: list<page>, tags, origin: variant, extra: option<record> }`.
fn kind() -> Value {
    let page = record(&[("number", whole(u32::MAX.into())), ("text", string()), ("lang", option(string()))], &["number", "text"]);
    let origin = json!({ "anyOf": [{ "enum": ["unknown"] }, one_of(&[("scan", whole(65_535)), ("print", string())])] });
    let extra = option(record(&[("author", string())], &["author"]));
    let fields = [
        ("name", string()),
        ("format", json!({ "enum": ["pdf", "text", "image"] })),
        ("note", option(string())),
        ("size", u64()),
        ("score", float()),
        ("pages", list(page)),
        ("tags", list(string())),
        ("origin", origin),
        ("extra", extra),
    ];
    record(&fields, &["name", "format", "size", "score", "pages", "tags", "origin"])
}

/// A few functions, by the name alone.
pub(super) fn contracts() -> BTreeMap<(String, String), Signature> {
    let size = record(&[("width", whole(255)), ("height", whole(255))], &["width", "height"]);
    let target = json!({ "anyOf": [{ "enum": ["nowhere"] }, one_of(&[("page", whole(255)), ("box", size.clone())])] });
    let functions = [
        ("identify", arguments(&[("data", bytes())], &["data"]), result(kind())),
        (
            "summarise",
            arguments(
                &[
                    ("text", string()),
                    ("words", option(whole(u32::MAX.into()))),
                    ("style", option(json!({ "enum": ["short", "long"] }))),
                ],
                &["text"],
            ),
            result(string()),
        ),
        (
            "count",
            arguments(&[("number", whole(u32::MAX.into())), ("letters", list(string()))], &["number", "letters"]),
            result(whole(u32::MAX.into())),
        ),
        (
            "weigh",
            arguments(
                &[("weight", float()), ("size", u64()), ("mark", json!({ "type": "string", "minLength": 1, "maxLength": 1 }))],
                &["weight", "size", "mark"],
            ),
            result(json!({ "type": "null" })),
        ),
        (
            "draw",
            arguments(
                &[
                    ("size", size),
                    ("target", target),
                    ("flags", json!({ "type": "array", "items": { "enum": ["bold", "thin"] }, "uniqueItems": true })),
                ],
                &["size", "target", "flags"],
            ),
            result(bytes()),
        ),
        (
            "place",
            arguments(
                &[("at", json!({ "type": "array", "prefixItems": [float(), float()], "items": false, "minItems": 2 }))],
                &["at"],
            ),
            result(option(string())),
        ),
        ("clear", arguments(&[], &[]), result(json!({ "type": "null" }))),
    ];
    let signature = |arguments, result| Signature::of_schemas(&arguments, &result).unwrap();
    functions
        .into_iter()
        .map(|(name, arguments, result)| (("a:b/c@1.0.0".to_owned(), name.to_owned()), signature(arguments, result)))
        .collect()
}

pub(super) const HEAD: &str = "workflow: a/b\nversion: 1.0.0\nbudget: 1\ninputs: { doc: bytes, lang: text, most: integer, share: number, rows: list, any: any }\nsteps:\n  - { id: kind, call: 'a:b/c@1.0.0 identify', with: { data: '${ .input.doc }' } }\n";

/// What is found in these steps, from line 7 on; doubtful ones begin with `?`.
fn found(rest: &str) -> Vec<String> {
    let workflow = Workflow::read(&format!("{HEAD}{rest}")).unwrap_or_else(|problems| panic!("{rest}: {problems:?}"));
    assert_eq!(crate::names::check(&workflow), [], "{rest}");
    let findings = check(&workflow, &contracts());
    let told = |finding: &Finding| match finding.level {
        Level::Wrong => finding.problem.to_string(),
        Level::Doubtful => format!("?{}", finding.problem),
    };
    findings.found.iter().map(told).collect()
}

/// A step that makes this.
pub(super) fn set(jq: &str) -> String {
    format!("  - id: a\n    set: |-\n      ${{{jq}}}\n")
}

/// A step that calls with these.
fn call(function: &str, with: &str) -> String {
    format!("  - {{ id: a, call: 'a:b/c@1.0.0 {function}', with: {with} }}\n")
}

/// In each of these just one thing is found, and said so.
fn assert_found(cases: impl IntoIterator<Item = (String, &'static str)>) {
    let mut others = Vec::new();
    for (rest, says) in cases {
        let told = found(&rest);
        let (doubtful, says) = (says.starts_with('?'), says.trim_start_matches('?'));
        let only = told.len() == 1 && told[0].starts_with('?') == doubtful && told[0].contains(says);
        others.extend((!only).then(|| format!("{rest}wanted {says}\nfound {told:#?}\n")));
    }
    assert!(others.is_empty(), "{}", others.join("\n"));
}

/// Nothing is found in any of these.
fn assert_nothing_found(cases: impl IntoIterator<Item = String>) {
    let told: Vec<_> = cases.into_iter().map(|rest| (found(&rest), rest)).filter(|(told, _)| !told.is_empty()).collect();
    assert!(told.is_empty(), "{told:#?}");
}

#[test]
fn what_surely_fails_or_is_always_null_is_told_at_its_place() {
    let cases = [
        (".steps.kind.nmae", "9:21: `nmae` is no key of this map, so that this is always null; did you mean `name`?"),
        (".steps.kind.pages[0].txt", "did you mean `text`?"),
        (".steps.kind | {nam}", "did you mean `name`?"),
        (".run.di", "`di` is no key"),
        (".steps.kind.name.first", "`.first` wants a map; here it gets a text"),
        (".steps.kind.tags.first", "`.first` wants a map; here it gets a list of texts"),
        (".steps.kind.name[]", "`[]` wants a list or a map; here it gets a text"),
        (".steps.kind.name[0]", "`[0]` wants a list"),
        (".steps.kind.name + 1", "9:10: `+` cannot take a text and the number 1; `| tonumber`"),
        (".steps.kind.name + .steps.kind.tags", "`+` cannot take a text and a list of texts"),
        (".steps.kind.size + 1", "`+` cannot take a 64-bit number as decimal text and the number 1; `| tonumber`"),
        (".steps.kind.size > 1000", "a text is greater than every number; `| tonumber`"),
        (".steps.kind.pages | ascii_upcase", "9:29: `ascii_upcase` wants a text; here it gets a list of maps"),
        (".steps.kind.pages | map(.txet)", "did you mean `text`?"),
        (".steps.kind.name | keys", "`keys` wants a list or a map"),
        (".steps.kind.name | map(.)", "`map` wants a list or a map"),
        (".steps.kind.score | test(\"a\")", "`test` wants a text; here it gets a number; `| tostring`"),
        (".steps.kind.tags | sort_by(.name)", "`.name` wants a map; here it gets a text"),
        (".steps.kind.pages | map(select(.number > 1 and (.lnag == \"en\")))", "did you mean `lang`?"),
        (".steps.kind | to_entries | map(.valeu)", "did you mean `value`?"),
        ("{a: 1} | .b", "`b` is no key of this map"),
        ("[1, 2] | join(\", \") | .[0]", "`[0]` wants a list"),
        ("-(.steps.kind.name)", "`-` wants a number"),
        ("\"\\(.steps.kind.nmae)\"", "did you mean `name`?"),
        (".steps.kind as $k | $k.nmae", "did you mean `name`?"),
        (".steps.kind as {nmae: $x} | $x", "did you mean `name`?"),
        (".steps.kind.extra.auhtor", "did you mean `author`?"),
        (".steps.kind.origin | objects | .skan", "did you mean `scan`?"),
        ("try .steps.kind.nmae catch \"x\"", "did you mean `name`?"),
    ];
    assert_found(cases.map(|(jq, says)| (set(jq), says)));
}

#[test]
fn what_may_fail_or_is_most_likely_not_meant_is_doubtful() {
    for (jq, says) in [
        (".steps.kind.note | ascii_upcase", "?9:28: `ascii_upcase` wants a text; here it may get null; `// \"\"`"),
        (".steps.kind.origin.scan", "?`.scan` wants a map; here it may get the text `unknown`"),
        (".steps.kind.format == \"pdff\"", "?is never the text `pdff`, so that this is always false; did you mean `pdf`?"),
        (".steps.kind.size == 5", "?so that this is always false; `| tonumber`"),
        ("if .steps.kind.name then 1 else 2 end", "?a condition wants true or false; this gives a text, which always holds"),
        (".steps.kind.pages | map(select(.text))", "?which always holds"),
        (".steps.kind.pages | map(.lang | length + 1, .lang - \"a\")", "?"),
        (
            "if .steps.kind.format == \"pdf\" then 1 elif .steps.kind.format == \"pdf\" then 2 else 3 end",
            "?so that this is always false",
        ),
    ] {
        let told = found(&set(jq));
        assert!(!told.is_empty(), "{jq}");
        let says = says.trim_start_matches('?');
        assert!(told.iter().any(|told| told.contains(says)), "{jq}: {told:#?}");
    }
}

#[test]
fn what_does_not_fit_a_parameter_is_told_with_its_type() {
    let cases = [
        ("identify", "{ data: '${ .steps.kind.score }' }", "7:62: `data` wants bytes as base64 text; this gives a number"),
        (
            "identify",
            "{ data: hello }",
            "7:20: `data` wants bytes as base64 text; this gives the text `hello`; `| @base64` encodes a text",
        ),
        ("identify", "{ data: '${ .input.lang }' }", "?`data` wants bytes as base64 text; this may be a text; `| @base64`"),
        (
            "identify",
            "{ daat: '${ .input.doc }', data: '${ .input.doc }' }",
            "7:62: `daat` is no parameter of `identify`; did you mean `data`?",
        ),
        ("identify", "{}", "7:20: `data` is missing: `identify` wants bytes as base64 text"),
        ("clear", "{ x: 1 }", "`x` is no parameter of `clear`; it takes none"),
        (
            "summarise",
            "{ text: '${ .steps.kind.note }' }",
            "?`text` wants `string`; this may be null; `// \"…\"` gives it another value",
        ),
        ("summarise", "{ text: '${ .steps.kind.pages }' }", "`text` wants `string`; this gives a list of maps"),
        (
            "summarise",
            "{ text: '${ .steps.kind.score }' }",
            "`text` wants `string`; this gives a number; `| tostring` makes it a text",
        ),
        ("summarise", "{ text: a, words: many }", "`words` wants `option<u32>`; this gives the text `many`"),
        ("summarise", "{ text: a, words: -1 }", "`words` wants `option<u32>`; this gives the number -1"),
        ("summarise", "{ text: a, words: 1.5 }", "`words` wants `option<u32>`; this gives a number, which may have a fraction"),
        (
            "summarise",
            "{ text: a, style: shrt }",
            "`style` wants `option<enum { short, long }>`; this gives the text `shrt`; did you mean `short`?",
        ),
        ("summarise", "{ text: a, style: '${ .steps.kind.format }' }", "`style` wants"),
        ("summarise", "'${ {txt: \"a\"} }'", "`txt` is no key here; did you mean `text`?"),
        ("summarise", "'${ {text: 5} }'", "`text` wants `string`; this gives the number 5"),
        (
            "count",
            "{ number: '${ .input.share }', letters: [] }",
            "?`number` wants `u32`; this may be a number, which may have a fraction; `| round` makes it whole",
        ),
        ("count", "{ number: '${ .input.lang }', letters: [] }", "?`number` wants `u32`; this may be a text; `| tonumber`"),
        ("count", "{ number: '${ .input.most / 2 }', letters: [] }", "?may have a fraction"),
        ("count", "{ number: 1, letters: '${ .steps.kind.name }' }", "`letters` wants `list<string>`; this gives a text"),
        ("count", "{ number: 1, letters: [a, 2] }", "`letters[1]` wants `string`; this gives the number 2"),
        (
            "count",
            "{ number: 1, letters: '${ .steps.kind.pages | map(.lang) }' }",
            "?`letters[]` wants `string`; this may be null",
        ),
        (
            "count",
            "{ number: 1, letters: '${ .steps.kind.pages | map(.number) }' }",
            "`letters[]` wants `string`; this gives a whole number",
        ),
    ];
    assert_found(cases.map(|(function, with, says)| (call(function, with), says)));
}

#[test]
fn what_does_not_fit_within_a_parameter_is_told_with_its_path() {
    let cases = [
        (
            "weigh",
            "{ weight: '${ .steps.kind.size }', size: 1, mark: x }",
            "`weight` wants `float`; this gives a 64-bit number as decimal text; `| tonumber`",
        ),
        ("weigh", "{ weight: 1, size: -1, mark: x }", "`size` wants `u64`; this gives the number -1"),
        ("weigh", "{ weight: 1, size: 1, mark: xy }", "`mark` wants `char`; this gives the text `xy`"),
        (
            "draw",
            "{ size: { width: 300, height: 1 }, target: nowhere, flags: [] }",
            "`size.width` wants `u8`; this gives the number 300",
        ),
        ("draw", "{ size: { width: 3 }, target: nowhere, flags: [] }", "7:20: `size.height` is missing; `u8` is wanted"),
        (
            "draw",
            "{ size: { width: 3, height: 1, depth: 1 }, target: nowhere, flags: [] }",
            "`size.depth` is no key here; there are `height`, `width`",
        ),
        (
            "draw",
            "{ size: '${ {width: 3, heihgt: 1} }', target: nowhere, flags: [] }",
            "7:58: `size.heihgt` is no key here; did you mean `height`?",
        ),
        ("draw", "{ size: { width: 3, height: 1 }, target: everywhere, flags: [] }", "}`; this gives the text `everywhere`"),
        (
            "draw",
            "{ size: { width: 3, height: 1 }, target: { page: many }, flags: [] }",
            "`target.page` wants `u8`; this gives the text `many`",
        ),
        ("draw", "{ size: { width: 3, height: 1 }, target: { pgae: 1 }, flags: [] }", "}`; this gives a map with `pgae`"),
        (
            "draw",
            "{ size: { width: 3, height: 1 }, target: nowhere, flags: [blod] }",
            "`flags[0]` wants `enum { bold, thin }`; this gives the text `blod`; did you mean `bold`?",
        ),
        ("place", "{ at: [1, 2, 3] }", "`at` wants `tuple<float, float>`; this gives a list of 3"),
        ("place", "{ at: '${ [1, \"a\"] }' }", "`at[1]` wants `float`; this gives the text `a`"),
        ("place", "[[1, a]]", "`[0][1]` wants `float`; this gives the text `a`"),
    ];
    assert_found(cases.map(|(function, with, says)| (call(function, with), says)));
}

#[test]
fn values_of_steps_are_known_to_those_after_them() {
    let cases = [
        // A map's value is a list; with `on-error: item` its items may be null.
        (
            "  - { id: m, map: '${ .steps.kind.pages }', as: page, do: [{ id: s, call: 'a:b/c@1.0.0 summarise', with: { text: '${ .page.txet }' } }] }\n",
            "did you mean `text`?",
        ),
        (
            "  - { id: m, map: '${ .steps.kind.pages }', on-error: item, do: [{ id: s, set: '${ .item.text }' }] }\n  - { id: c, call: 'a:b/c@1.0.0 count', with: { number: 1, letters: '${ .steps.m }' } }\n",
            "?`letters[]` wants `string`; this may be null",
        ),
        ("  - { id: m, map: '${ .steps.kind.name }', do: [{ id: s, set: 1 }] }\n", "7:23: `map` wants a list; this gives a text"),
        ("  - { id: p, parallel: { l: [{ id: x, set: 1 }] } }\n  - { id: c, set: '${ .steps.p.left }' }\n", "`left` is no key"),
        (
            "  - { id: i, if: '${ .input.most > 1 }', then: [{ id: x, set: text }] }\n  - { id: s, call: 'a:b/c@1.0.0 summarise', with: { text: '${ .steps.i }' } }\n",
            "?`text` wants `string`; this may be null",
        ),
        (
            "  - { id: l, loop: { while: '${ .input.most > .round }', max: 3, do: [{ id: x, set: text }] } }\n  - { id: s, call: 'a:b/c@1.0.0 summarise', with: { text: '${ .steps.l }' } }\n",
            "?`text` wants `string`; this may be null",
        ),
        (
            "  - { id: l, loop: { while: '${ .steps.x | startswith(\"t\") }', max: 3, do: [{ id: x, set: '${ .input.lang }' }] } }\n",
            "?`startswith` wants a text; here it may get null",
        ),
        (
            "  - { id: w, wait: { for: 1s } }\n  - { id: s, call: 'a:b/c@1.0.0 summarise', with: { text: '${ .steps.w }' } }\n",
            "this gives null",
        ),
        (
            "  - { id: q, approve: { message: ok, expires: 1d, on-expiry: reject } }\n  - { id: s, set: '${ .steps.q.aproved }' }\n",
            "did you mean `approved`?",
        ),
        ("  - { id: q, approve: { message: '${ .steps.kind.tags }', expires: 1d, on-expiry: reject } }\n", "`message` wants"),
        (
            "  - { id: q, approve: { message: 'It is ${ .steps.kind.note }.', expires: 1d, on-expiry: reject } }\n",
            "?this may be null, which has no place in a text",
        ),
        ("  - { id: w, wait: { until: '${ .steps.kind.score }' } }\n", "`until` wants `string`; this gives a number"),
        (
            "  - { id: f, on-error: step, call: 'a:b/c@1.0.0 summarise', with: { text: a } }\n  - { id: s, call: 'a:b/c@1.0.0 summarise', with: { text: '${ .steps.f }' } }\n",
            "?`text` wants `string`; this may be null",
        ),
        (
            "  - { id: f, call: 'a:b/c@1.0.0 summarise', with: { text: a }, compensate: { call: 'a:b/c@1.0.0 identify', with: { data: '${ .steps.f | length }' } } }\n",
            "`data` wants bytes as base64 text; this gives a whole number",
        ),
        (
            "  - { id: i, if: '${ .steps.kind.name }', then: [{ id: x, set: 1 }] }\n",
            "?a condition wants true or false; this gives a text, which always holds",
        ),
        ("  - { id: i, if: '${ .steps.kind.note }', then: [{ id: x, set: 1 }] }\n", "?`!= null` asks whether it is there"),
    ];
    assert_found(cases.map(|(steps, says)| (steps.to_owned(), says)));
}

#[test]
fn correct_workflows_are_left_alone() {
    let cases = [
        ".steps.kind.pages | map(select(.lang == \"en\")) | map(.lang | ascii_upcase) | join(\", \")",
        ".steps.kind.pages | map(select(.lang != null) | .lang | test(\"e\"))",
        ".steps.kind.pages | map(select(.lang) | .lang | length) | add",
        "if .steps.kind.note == null then \"none\" else (.steps.kind.note | ascii_upcase) end",
        "if .steps.kind.note then .steps.kind.note | split(\" \") | first else \"none\" end",
        "if (.steps.kind.note | length) > 0 then .steps.kind.note | ascii_upcase else \"\" end",
        "if (.steps.kind.note | not) then 1 else .steps.kind.note | utf8bytelength end",
        "if .steps.kind.note != null and (.steps.kind.note | test(\"x\")) then 1 else 2 end",
        "if .steps.kind.note == null or (.steps.kind.note | test(\"x\")) then 1 else 2 end",
        "(.steps.kind.note // \"\") | ascii_upcase",
        ".steps.kind.note | strings | ascii_upcase",
        ".steps.kind.origin | if type == \"object\" then .scan // .print else . end",
        ".steps.kind.origin.scan? // 0",
        "try (.steps.kind.origin.scan + 1) catch 0",
        ".steps.kind | with_entries(select(.value | type == \"string\")) | .foo",
        ".steps.kind | to_entries | map({(.key): (.value | tostring)}) | add",
        ".steps.kind.pages | group_by(.lang) | map({lang: .[0].lang, pages: map(.number), n: length})",
        ".steps.kind.pages | sort_by(.number) | reverse | .[:2] | map(.text[:80])",
        ".steps.kind.pages | min_by(.number).text | ascii_upcase",
        "[.steps.kind.pages[] | {text, n: (.number + 1)}] | map(select(.n > 3 and (.text | test(\"a\")))) | length",
        ".steps.kind as {name: $n, pages: [$first]} | {n: $n, t: $first.text}",
        ".steps.kind as $k | if $k.note then $k.note | ascii_upcase else $k.name end",
        "(.steps.kind.size | tonumber) + 1 > 1000",
        ".steps.kind.score * 100 | round",
        ".steps.kind | .note = \"x\" | .note | ascii_upcase",
        ".steps.kind | .pages |= map(.text) | .pages | join(\"\")",
        ".input.any.whatever[0] | ascii_upcase | . + \"1\"",
        ".input.rows | map(.a + .b) | add / length",
        ".input.rows[0].a.b // \"x\" | ascii_upcase",
        ".steps.kind.tags | index(\"a\") | . + 1",
        ".steps.kind.tags | any(. == \"a\") and (.[0] | startswith(\"b\"))",
        ".steps.kind.tags - [\"a\"] + [\"b\"] | unique | length == 2",
        ".steps.kind.extra.author // \"unknown\"",
        "[limit(3; .steps.kind.tags[])] | contains([\"a\"])",
        "\"\\(.steps.kind.name): \\(.steps.kind.pages | length) pages\\(if .steps.kind.note then \", \" + .steps.kind.note else \"\" end)\"",
        ".steps.kind.pages | [.[] | .lang | values] | map(ascii_upcase)",
        "[.steps.kind.pages[].text, .input.lang] | flatten | join(\" \")",
        ".steps.kind.pages | map(.lang // empty | ascii_upcase)",
        "[.input.share, .input.most] | max | floor",
        "{} | .a = 1 | .a + 1",
        "null | . + 1",
        "[] | map(.x) | first",
        ".run.id + \"-\" + (.spent | tostring)",
        "if .steps.kind.format == \"pdf\" then 1 elif .steps.kind.format == \"text\" then 2 else 3 end",
        ".input.lang | @base64 | @base64d | ascii_upcase",
        ".steps.kind.tags | map({key: ., value: length}) | from_entries | .foo + 1",
        ".steps.kind | del(.note) | keys",
    ];
    assert_nothing_found(cases.map(set));
}

#[test]
fn arguments_that_fit_are_left_alone() {
    let cases = [
        ("identify", "{ data: '${ .input.doc }' }"),
        ("identify", "{ data: aGk= }"),
        ("identify", "{ data: '${ .input.lang | @base64 }' }"),
        ("identify", "['${ .input.doc }']"),
        ("clear", "{}"),
        ("summarise", "{ text: '${ .steps.kind.note // \"-\" }', words: '${ .input.most }' }"),
        ("summarise", "{ text: '${ if .steps.kind.note then .steps.kind.note else \"-\" end }', words: null, style: long }"),
        ("summarise", "{ text: 'x ${ .steps.kind.score }', style: '${ if .input.most > 3 then \"long\" else \"short\" end }' }"),
        ("summarise", "'${ {text: .input.lang, words: (.steps.kind.tags | length)} }'"),
        ("summarise", "{ text: '${ .steps.kind.pages[0].text }', words: '5', style: '${ .input.lang }' }"),
        ("count", "{ number: '${ .steps.kind.size }', letters: '${ .steps.kind.pages | map(.lang // \"\") }' }"),
        ("count", "{ number: '${ .input.share | round }', letters: '${ .input.lang | split(\",\") }' }"),
        ("count", "{ number: '${ [.steps.kind.pages[].number] | add }', letters: ['${ .input.lang }', b] }"),
        ("count", "{ number: 3.0, letters: '${ [.steps.kind.pages[] | select(.lang) | .lang] }' }"),
        ("weigh", "{ weight: '${ .steps.kind.score }', size: '${ .steps.kind.size }', mark: '${ .input.lang[0:1] }' }"),
        ("weigh", "{ weight: NaN, size: 5, mark: é }"),
        ("draw", "{ size: { width: '${ .input.most }', height: 1 }, target: { box: { width: 1, height: 2 } }, flags: [bold] }"),
        (
            "draw",
            "{ size: '${ {width: 1, height: (.steps.kind.tags | length)} }', target: '${ if .input.most > 1 then \"nowhere\" else {page: 1} end }', flags: [] }",
        ),
        ("draw", "{ size: '${ .input.any }', target: '${ .input.rows[0] }', flags: '${ .input.rows }' }"),
        ("place", "{ at: ['${ .steps.kind.score }', 2] }"),
        ("place", "{ at: '${ [.steps.kind.score, 1] }' }"),
        ("place", "{ at: '${ .input.rows }' }"),
    ];
    assert_nothing_found(cases.map(|(function, with)| call(function, with)));
}

const LOOP: &str = "  - { id: l, loop: { while: '${ WHILE }', max: 3, do: [{ id: x, set: '${ .input.lang }' }] } }\n";

#[test]
fn conditions_of_the_workflow_say_what_holds_within() {
    let summary =
        |id: &str, text: &str| format!("{{ id: {id}, call: 'a:b/c@1.0.0 summarise', with: {{ text: '${{ {text} }}' }} }}");
    let note = summary("s", ".steps.kind.note");
    let fine = [
        format!("  - {{ id: i, if: '${{ .steps.kind.note != null }}', then: [{note}] }}\n"),
        format!("  - {{ id: i, if: '${{ .steps.kind.note == null }}', then: [{{ id: x, set: 1 }}], else: [{note}] }}\n"),
        format!("  - {{ id: i, if: '${{ .steps.kind.note | type == \"string\" }}', then: [{note}] }}\n"),
        // One is there where the other says so; that cannot be known here, and is not doubted.
        format!("  - {{ id: i, if: '${{ .steps.kind.format == \"pdf\" }}', then: [{note}] }}\n"),
        format!("  - {{ id: i, if: '${{ .steps.kind.tags | any(. == \"noted\") }}', then: [{note}] }}\n"),
        format!(
            "  - {{ id: w, switch: [{{ when: '${{ .steps.kind.note == null }}', do: [{{ id: x, set: 1 }}] }}, {{ when: '${{ .input.most > 1 }}', do: [{note}] }}] }}\n"
        ),
        format!(
            "  - {{ id: i, if: '${{ .input.any == 1 }}', then: [{}] }}\n  - {{ id: j, if: '${{ .input.any == 1 }}', then: [{}] }}\n",
            summary("s", ".steps.kind.name"),
            summary("t", ".steps.i"),
        ),
        format!("  - {{ id: i, if: '${{ .input.any == 1 }}', then: [{}] }}\n", summary("s", ".steps.kind.name"))
            + &set("if .input.any == 1 then .steps.i | ascii_upcase else 1 end"),
        // The first round is sure to come, so that the loop has a value.
        LOOP.replace("WHILE", ".round < 3") + "  - " + &summary("s", ".steps.l") + "\n",
        LOOP.replace("WHILE", ".steps.x != \"done\"") + "  - " + &summary("s", ".steps.l") + "\n",
    ];
    assert_nothing_found(fine);
    let elsewhere = format!("  - {{ id: i, if: '${{ .input.most == 1 }}', then: [{note}] }}\n");
    let otherwise =
        format!("  - {{ id: i, if: '${{ .steps.kind.note != null }}', then: [{{ id: x, set: 1 }}], else: [{note}] }}\n");
    assert_found([
        (elsewhere, "?`text` wants `string`; this may be null"),
        (otherwise, "`text` wants `string`; this gives null"),
    ]);
}

#[test]
fn the_output_has_a_shape() {
    let text = format!("{HEAD}output: {{ name: '${{ .steps.kind.name }}', all: ['${{ .steps.kind.tags | length }}'] }}\n");
    let findings = check(&Workflow::read(&text).unwrap(), &contracts());
    let wanted = Shape::closed([("name", Shape::Text(Texts::Plain)), ("all", Shape::tuple(vec![Shape::COUNT]))]);
    assert_eq!((findings.found, findings.output), (vec![], wanted));
    let none = check(&Workflow::read(HEAD).unwrap(), &BTreeMap::new());
    assert_eq!((none.found, none.output), (vec![], Shape::Null));
}

#[test]
fn unknown_functions_are_no_matter_of_types() {
    let steps = "  - { id: x, call: 'a:b/d@1.0.0 f', with: { z: '${ .steps.kind.nmae }' } }\n  - { id: y, set: '${ .steps.x.any.thing + 1 }' }\n";
    assert_found([(steps.to_owned(), "did you mean `name`?")]);
}

#[test]
fn defaults_that_are_bytes_are_base64() {
    let head = HEAD.replace("doc: bytes", "doc: { type: bytes, default: hello }");
    let findings = check(&Workflow::read(&head).unwrap(), &contracts());
    assert_eq!(findings.found.len(), 1, "{findings:?}");
    assert!(findings.found[0].problem.to_string().starts_with("4:11: the default of `doc` is no base64"), "{findings:?}");
}

#[test]
fn long_expressions_and_shapes_that_double_come_to_an_end() {
    let doubling = vec!["{a: ., b: .}"; 40].join(" | ");
    let pairs = vec!["[., .]"; 30].join(" | ");
    let sum = vec!["1"; 90].join("+");
    let either = vec!["(.steps.kind.note == null)"; 20].join(" or ");
    let nested = format!("{}.steps.kind.nmae{}", "map(".repeat(25), ")".repeat(25));
    for jq in [doubling, pairs, sum, either, nested] {
        found(&set(&jq));
    }
    let deep = (0..9).fold("{ id: x, set: 1 }".to_owned(), |inner, nth| {
        format!("{{ id: l{nth}, loop: {{ while: '${{ .round < 2 }}', max: 2, do: [{inner}] }} }}")
    });
    assert_eq!(found(&format!("  - {deep}\n")), [""; 0]);
}
