//! How single values are written: names, amounts, time spans, expressions.

use serde_json::{Value, json};

use super::{Named, Offer as _};
use crate::limits::{CRON_BYTES_MAX, TOPIC_BYTES_MAX};
use crate::schedule::NAMES;

pub(super) fn all() -> Vec<Named> {
    let name = "[a-z0-9][a-z0-9-]{0,63}";
    let number = "(0|[1-9][0-9]*)";
    let token = r"(\*|[A-Za-z0-9_-]+)";
    let key = "^did:key:z[1-9A-HJ-NP-Za-km-z]{20,64}$";
    let topic = written(
        "Tokens of letters, digits, `-` and `_` between dots; `*` stands for one token, `>` at the end for all further ones.",
    );
    let cron = written(
        "Minute, hour, day, month and weekday of a wall clock, or `@hourly`, `@daily`, `@weekly`, `@monthly`, `@yearly`. Takes `*`, `,`, `-`, `/`, names such as `MON`, `L` for the last, `W` for the nearest weekday, `5#2` for the second Friday. A minute that clocks jump over starts its run right after the jump; a minute that comes twice starts one run.",
    );
    vec![
        ("id", pattern("A letter, then at most 63 letters, digits, `-` and `_`.", "^[A-Za-z][A-Za-z0-9_-]{0,63}$")),
        ("package", pattern("`publisher/name`: lower-case letters, digits and dashes.", &format!("^{name}/{name}$")).as_in(["acme/intake"])),
        ("version", pattern("Three numbers, `1.2.0`.", &format!(r"^{number}\.{number}\.{number}$")).as_in(["1.0.0"])),
        ("amount", amount()),
        ("span", pattern("A time span with its unit: `500ms`, `30s`, `1h 30m`, `2d`.", "^([0-9]+ *[A-Za-zµ]+ *)+$").as_in(["30s", "10m", "2d"])),
        ("key", pattern("A public key, `did:key:z6Mk…`.", key)),
        ("class", pattern("The name of a class of data that `data` at the top of the file declares.", "^[A-Za-z][A-Za-z0-9_-]{0,63}$")),
        ("topic", with(topic, json!({ "maxLength": TOPIC_BYTES_MAX, "pattern": format!(r"^(>|{token}(\.{token})*(\.>)?)$") }))),
        ("cron", with(cron, json!({ "maxLength": CRON_BYTES_MAX, "pattern": cron_pattern() })).as_in(["0 2 * * *", "*/15 9-17 * * MON-FRI", "@daily"])),
        ("expression", pattern("jq over the run's data, `${ … }`: `.input.NAME`, `.steps.ID`, `.run`, `.spent`, and the items and rounds around.", r"^\$\{[\s\S]*\S[\s\S]*\}\s*$").as_in(["${ .input.text }"])),
        ("value", json!({ "description": "Any value; texts in it may hold expressions, `${ … }`. A text that is one expression becomes what the expression gives." })),
        ("arguments", json!({
            "description": "A map of names to values, which may hold expressions, `${ … }`; or one expression that gives such a map.",
            "anyOf": [{ "type": "object" }, { "$ref": "#/$defs/expression" }],
        })),
        ("function", pattern("An interface and a function of it: `acme:translate/translator@1.0.0 translate`.", r"^[^:@\s]+:[^/@\s]+/[^@\s]+(@\S*)?\s+[a-z0-9-]+\s*$").as_in(["acme:translate/translator@1.0.0 translate"])),
    ]
}

fn written(description: &str) -> Value {
    json!({ "description": description, "type": "string" })
}

fn with(mut schema: Value, more: Value) -> Value {
    if let (Value::Object(schema), Value::Object(more)) = (&mut schema, more) {
        schema.extend(more);
    }
    schema
}

fn pattern(description: &str, pattern: &str) -> Value {
    with(written(description), json!({ "pattern": pattern }))
}

/// Quoted or not; quotes keep YAML from rounding it.
fn amount() -> Value {
    json!({
        "description": "Credits, with at most six decimal places: `\"0.50\"`.",
        "anyOf": [{ "type": "string", "pattern": r"^[0-9]+(\.[0-9]{1,6})?$" }, { "type": "number", "minimum": 0 }],
        "examples": ["0.50"],
    })
}

/// Names in any case, or five fields.
fn cron_pattern() -> String {
    let any_case = |name: &str| -> String {
        name.chars()
            .map(|letter| if letter == '@' { "@".to_owned() } else { format!("[{letter}{}]", letter.to_ascii_uppercase()) })
            .collect()
    };
    let field = "[0-9A-Za-z*/,#-]+";
    format!("^({}|{field}( +{field}){{4}})$", NAMES.map(any_case).join("|"))
}
