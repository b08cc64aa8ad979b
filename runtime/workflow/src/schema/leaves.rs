//! How single values are written: names, amounts, time spans, expressions.

use serde_json::{Value, json};

use super::{Named, Offer as _};
use crate::limits::{CRON_BYTES_MAX, TOPIC_BYTES_MAX};
use crate::schedule::NAMES;

const CRON: &str = "Minute, hour, day, month and weekday of a wall clock, or `@hourly`, `@daily`, `@weekly`, `@monthly`, `@yearly`. \
    Takes `*`, `,`, `-`, `/`, names such as `MON`, `L` for the last, `W` for the nearest weekday, `5#2` for the second Friday. Where day and weekday are \
    both said, either is enough. A minute that clocks jump over starts its run right after the jump; a minute that comes twice starts one run.";
const TOPIC: &str =
    "Tokens of letters, digits, `-` and `_` between dots; `*` stands for one token, `>` at the end for all further ones.";
const EXPRESSION: &str =
    "jq over the run's data, `${ … }`: `.input.NAME`, `.steps.ID`, `.run`, `.spent`, and the items and rounds around.";
const VALUE: &str = "Any value; texts in it may hold expressions, `${ … }`. A text that is one expression becomes what it gives.";
const ARGUMENTS: &str =
    "A map of names to values, which may hold expressions, `${ … }`; or one expression that gives such a map.";
const FUNCTION: &str = "An interface and a function of it: `acme:translate/translator@1.0.0 translate`.";
const ID: &str = "^[A-Za-z][A-Za-z0-9_-]{0,63}$";

pub(super) fn all() -> Vec<Named> {
    let name = "[a-z0-9][a-z0-9-]{0,63}";
    let number = "(0|[1-9][0-9]*)";
    let package = pattern("`publisher/name`: lower-case letters, digits and dashes.", &format!("^{name}/{name}$"));
    let version = pattern("Three numbers, `1.2.0`.", &format!(r"^{number}\.{number}\.{number}$"));
    let span = pattern("A time span with its unit: `500ms`, `30s`, `1h 30m`, `2d`.", "^([0-9]+ *[A-Za-zµ]+ *)+$");
    let function = pattern(FUNCTION, r"^[^:@\s]+:[^/@\s]+/[^@\s]+(@\S*)?\s+[a-z0-9-]+\s*$");
    vec![
        ("id", pattern("A letter, then at most 63 letters, digits, `-` and `_`.", ID)),
        ("package", package.for_example(["acme/intake"])),
        ("version", version.for_example(["1.0.0"])),
        ("amount", amount()),
        ("span", span.for_example(["30s", "10m", "2d"])),
        ("key", pattern("A public key, `did:key:z6Mk…`.", "^did:key:z[1-9A-HJ-NP-Za-km-z]{20,64}$")),
        ("class", pattern("The name of a class of data that `data` at the top of the file declares.", ID)),
        ("topic", topic()),
        ("cron", cron().for_example(["0 2 * * *", "*/15 9-17 * * MON-FRI", "@daily"])),
        ("expression", pattern(EXPRESSION, r"^\$\{[\s\S]*\S[\s\S]*\}\s*$").for_example(["${ .input.text }"])),
        ("value", json!({ "description": VALUE })),
        ("arguments", json!({ "description": ARGUMENTS, "anyOf": [{ "type": "object" }, { "$ref": "#/$defs/expression" }] })),
        ("function", function.for_example(["acme:translate/translator@1.0.0 translate"])),
    ]
}

fn topic() -> Value {
    let token = r"(\*|[A-Za-z0-9_-]+)";
    bounded(TOPIC, TOPIC_BYTES_MAX, &format!(r"^(>|{token}(\.{token})*(\.>)?)$"))
}

/// Names in any case, or five fields.
fn cron() -> Value {
    let any_case = |name: &str| -> String {
        let letters = name.trim_start_matches('@').chars();
        letters.fold("@".to_owned(), |text, letter| text + &format!("[{letter}{}]", letter.to_ascii_uppercase()))
    };
    let field = "[0-9A-Za-z*/,#-]+";
    bounded(CRON, CRON_BYTES_MAX, &format!("^({}|{field}( +{field}){{4}})$", NAMES.map(any_case).join("|")))
}

fn bounded(description: &str, most: usize, pattern: &str) -> Value {
    json!({ "description": description, "type": "string", "maxLength": most, "pattern": pattern })
}

fn pattern(description: &str, pattern: &str) -> Value {
    json!({ "description": description, "type": "string", "pattern": pattern })
}

/// Quoted or not; quotes keep YAML from rounding it.
fn amount() -> Value {
    json!({
        "description": "Credits, with at most six decimal places: `\"0.50\"`.",
        "anyOf": [{ "type": "string", "pattern": r"^[0-9]+(\.[0-9]{1,6})?$" }, { "type": "number", "minimum": 0 }],
        "examples": ["0.50"],
    })
}
