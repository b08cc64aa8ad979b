//! Types of mappings: tables of steps and what is found in them.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::*;

const BASE64: &str = "^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/][AQgw]==|[A-Za-z0-9+/]{2}[AEIMQUYcgkosw048]=)?$";

/// What the host makes of `arguments_json_schema`.
fn arguments(parameters: &[(&str, Value)], required: &[&str]) -> Value {
    let refs: Vec<Value> = parameters.iter().map(|(name, _)| json!({ "$ref": format!("#/$defs/{name}") })).collect();
    let properties: serde_json::Map<_, _> = parameters.iter().map(|(name, _)| ((*name).to_owned(), json!({ "$ref": format!("#/$defs/{name}") }))).collect();
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
        ("name", string()), ("format", json!({ "enum": ["pdf", "text", "image"] })), ("note", option(string())), ("size", u64()),
        ("score", float()), ("pages", list(page)), ("tags", list(string())), ("origin", origin), ("extra", extra),
    ];
    record(&fields, &["name", "format", "size", "score", "pages", "tags", "origin"])
}

/// A few functions, by the name alone.
fn contracts() -> BTreeMap<(String, String), Signature> {
    let size = record(&[("width", whole(255)), ("height", whole(255))], &["width", "height"]);
    let target = json!({ "anyOf": [{ "enum": ["nowhere"] }, one_of(&[("page", whole(255)), ("box", size.clone())])] });
    let functions = [
        ("identify", arguments(&[("data", bytes())], &["data"]), result(kind())),
        (
            "summarise",
            arguments(&[("text", string()), ("words", option(whole(u32::MAX.into()))), ("style", option(json!({ "enum": ["short", "long"] })))], &["text"]),
            result(string()),
        ),
        ("count", arguments(&[("number", whole(u32::MAX.into())), ("letters", list(string()))], &["number", "letters"]), result(whole(u32::MAX.into()))),
        ("weigh", arguments(&[("weight", float()), ("size", u64()), ("mark", json!({ "type": "string", "minLength": 1, "maxLength": 1 }))], &["weight", "size", "mark"]), result(json!({ "type": "null" }))),
        ("draw", arguments(&[("size", size), ("target", target), ("flags", json!({ "type": "array", "items": { "enum": ["bold", "thin"] }, "uniqueItems": true }))], &["size", "target", "flags"]), result(bytes())),
        ("place", arguments(&[("at", json!({ "type": "array", "prefixItems": [float(), float()], "items": false, "minItems": 2 }))], &["at"]), result(option(string()))),
        ("clear", arguments(&[], &[]), result(json!({ "type": "null" }))),
    ];
    let signature = |arguments, result| Signature::of_schemas(&arguments, &result).unwrap();
    functions.into_iter().map(|(name, arguments, result)| (("a:b/c@1.0.0".to_owned(), name.to_owned()), signature(arguments, result))).collect()
}

const HEAD: &str = "workflow: a/b\nversion: 1.0.0\nbudget: 1\ninputs: { doc: bytes, lang: text, most: integer, share: number, rows: list, any: any }\nsteps:\n  - { id: kind, call: 'a:b/c@1.0.0 identify', with: { data: '${ .input.doc }' } }\n";

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
fn set(jq: &str) -> String {
    format!("  - id: a\n    set: |-\n      ${{{jq}}}\n")
}

/// A step that calls with these.
fn call(function: &str, with: &str) -> String {
    format!("  - {{ id: a, call: 'a:b/c@1.0.0 {function}', with: {with} }}\n")
}

fn assert_found(rest: &str, says: &str) {
    let told = found(rest);
    let only = told.len() == 1 && told[0].starts_with('?') == says.starts_with('?') && told[0].contains(says.trim_start_matches('?'));
    assert!(only, "{rest}wanted {says}\nfound {told:#?}");
}

#[test]
fn what_surely_fails_or_is_always_null_is_told_at_its_place() {
    for (jq, says) in [
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
        (".steps.kind.pages | to_entries | map(.valeu)", "did you mean `value`?"),
        ("{a: 1} | .b", "`b` is no key of this map"),
        ("[1, 2] | join(\", \") | .[0]", "`[0]` wants a list"),
        ("-(.steps.kind.name)", "`-` wants a number"),
        ("\"\\(.steps.kind.nmae)\"", "did you mean `name`?"),
        (".steps.kind as $k | $k.nmae", "did you mean `name`?"),
        (".steps.kind as {nmae: $x} | $x", "did you mean `name`?"),
        (".steps.kind.extra.auhtor", "did you mean `author`?"),
        (".steps.kind.origin | objects | .skan", "did you mean `scan`?"),
        ("try .steps.kind.nmae catch \"x\"", "did you mean `name`?"),
    ] {
        assert_found(&set(jq), says);
    }
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
        ("if .steps.kind.format == \"pdf\" then 1 elif .steps.kind.format == \"pdf\" then 2 else 3 end", "?so that this is always false"),
    ] {
        let told = found(&set(jq));
        assert!(!told.is_empty(), "{jq}");
        let says = says.trim_start_matches('?');
        assert!(told.iter().any(|told| told.contains(says)), "{jq}: {told:#?}");
    }
}
