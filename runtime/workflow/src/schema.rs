//! The JSON Schema of a workflow's file (draft 2020-12), so that editors complete and check it while it is written.
//!
//! It tells forms: keys, types, words, patterns, bounds. What only the whole file tells (ids that stand twice, budgets that do not fit, expressions that read
//! what is not there) is left to [`crate::Workflow::read`] and [`crate::names`]. A test holds both to the same keys.

mod leaves;
mod steps;
mod top;

use serde_json::{Map, Value, json};

/// Where the schema is published, relative to the repository.
pub const PATH: &str = "docs/businesses/workflow.schema.json";

/// The schema.
pub fn json_schema() -> Value {
    let mut definitions = Map::new();
    for (name, schema) in [leaves::all(), top::all(), steps::all()].into_iter().flatten() {
        definitions.insert(name.to_owned(), schema);
    }
    let mut root = top::workflow();
    root["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
    root["title"] = json!("Hansa workflow");
    root["$defs"] = Value::Object(definitions);
    root
}

/// A definition and its name.
type Named = (&'static str, Value);

/// A key of a map, and whether it must stand there.
struct Key {
    name: &'static str,
    schema: Value,
    needed: bool,
}

/// A key that may be left out.
fn may(name: &'static str, schema: Value) -> Key {
    Key { name, schema, needed: false }
}

/// A key that must stand there.
fn must(name: &'static str, schema: Value) -> Key {
    Key { name, schema, needed: true }
}

/// A map with these keys and no others.
fn map(title: &str, description: &str, keys: Vec<Key>) -> Value {
    let needed: Vec<&str> = keys.iter().filter(|key| key.needed).map(|key| key.name).collect();
    let properties: Map<String, Value> = keys.into_iter().map(|key| (key.name.to_owned(), key.schema)).collect();
    json!({
        "title": title, "description": description, "type": "object",
        "properties": properties, "required": needed, "additionalProperties": false,
    })
}

/// A map of names that the file gives, each with a `one`.
fn names(description: &str, one: Value, most: usize) -> Value {
    json!({
        "description": description, "type": "object", "maxProperties": most,
        "propertyNames": { "$ref": "#/$defs/id" }, "additionalProperties": one,
    })
}

fn list(description: &str, one: Value, least: usize, most: usize) -> Value {
    let mut list = json!({ "description": description, "type": "array", "items": one, "maxItems": most });
    if least > 0 {
        list["minItems"] = json!(least);
    }
    list
}

/// The definition `name`, with what it means here.
fn is(name: &str, description: &str) -> Value {
    json!({ "$ref": format!("#/$defs/{name}"), "description": description })
}

fn text(description: &str) -> Value {
    json!({ "type": "string", "description": description })
}

fn flag(description: &str) -> Value {
    json!({ "type": "boolean", "default": false, "description": description })
}

fn count(least: u32, most: u32, description: &str) -> Value {
    json!({ "type": "integer", "minimum": least, "maximum": most, "description": description })
}

/// One of the words of a table of the reader's, each with what it means.
fn words<T, const N: usize>(description: &str, table: &[(&str, T); N], means: [&str; N]) -> Value {
    let choices = table.iter().zip(means).map(|((word, _), means)| json!({ "const": word, "description": means }));
    json!({ "description": description, "type": "string", "oneOf": choices.collect::<Vec<_>>() })
}

/// The same with a default and examples, for what editors offer.
trait Offer {
    fn usual(self, default: impl Into<Value>) -> Value;
    fn for_example<const N: usize>(self, examples: [&str; N]) -> Value;
}

impl Offer for Value {
    fn usual(mut self, default: impl Into<Value>) -> Value {
        self["default"] = default.into();
        self
    }

    fn for_example<const N: usize>(mut self, examples: [&str; N]) -> Value {
        self["examples"] = examples.map(Value::from).to_vec().into();
        self
    }
}

#[cfg(test)]
mod tests;
