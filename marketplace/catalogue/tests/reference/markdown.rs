//! The reference of `agent.toml` as Markdown, made of its JSON Schema.

use std::collections::BTreeSet;
use std::fmt::Write;

use serde_json::Value;

const HEAD: &str = "\
# `agent.toml`

<!-- Made from the types in marketplace/catalogue/src by `./justw docs-reference`. Change the comments there, not this file. -->

Every key, with its type, its default and what it means. `agent.toml` lies in the folder of an agent; `hansa build`, `hansa test` and
`hansa agent deploy` read it. An unknown key is an error that names the nearest known one. The author decides what stands here; the operator
of a node decides in `node.toml` what of it is granted.

[agent.schema.json](agent.schema.json) is the same as JSON Schema, for editors that complete and check TOML files, such as those
with Taplo or Even Better TOML. `hansa new` puts it into `vendor/hansa`, and begins `agent.toml` with the line `#:schema PATH`, which leads there.
";

/// The reference, with a whole file as `example`.
pub(super) fn reference(schema: &Value, example: &str) -> String {
    let mut text = format!("{HEAD}\n## A file with everything\n\n```toml\n{example}```\n");
    let mut book = Book { schema, told: BTreeSet::new() };
    book.section(&mut text, "Sections", "", schema);
    book.leaves(&mut text);
    text
}

struct Book<'a> {
    schema: &'a Value,
    /// Definitions that have their section.
    told: BTreeSet<&'a str>,
}

/// A table that has a section of its own.
struct Child<'a> {
    title: String,
    path: String,
    name: Option<&'a str>,
    schema: &'a Value,
}

/// The table that a type leads to, and how the path goes on to it.
struct Below<'a> {
    step: String,
    name: Option<&'a str>,
    schema: &'a Value,
}

impl<'a> Book<'a> {
    /// A table of keys, then the tables below them.
    fn section(&mut self, text: &mut String, title: &str, path: &str, schema: &'a Value) {
        let _ = writeln!(text, "\n## {title}\n\n{}", said(schema));
        let mut children = Vec::new();
        match schema.get("anyOf").and_then(Value::as_array) {
            Some(forms) => self.forms(text, path, forms, &mut children),
            None => self.keys(text, path, schema, &mut children),
        }
        for child in children {
            if child.name.is_none_or(|name| self.told.insert(name)) {
                self.section(text, &child.title, &child.path, child.schema);
            }
        }
    }

    fn keys(&self, text: &mut String, path: &str, schema: &'a Value, children: &mut Vec<Child<'a>>) {
        let required: Vec<&str> = strings(&schema["required"]).collect();
        let _ = writeln!(text, "\n| key | type | default | meaning |\n|---|---|---|---|");
        let mut rows: Vec<(&String, &Value)> = schema["properties"].as_object().into_iter().flatten().collect();
        rows.sort_by_key(|(key, _)| !required.contains(&key.as_str()));
        for (key, value) in rows {
            let (kind, child) = self.kind(value);
            let default = match value.get("default") {
                _ if required.contains(&key.as_str()) => "required".to_owned(),
                Some(default) => format!("`{default}`"),
                None => String::new(),
            };
            let _ = writeln!(text, "| `{key}` | {kind} | {default} | {} |", self.meaning(value));
            let below = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
            children.extend(child.map(|Below { step, name, schema }| {
                let path = below + &step;
                Child { title: format!("`{path}`"), path, name, schema }
            }));
        }
    }

    /// A value that can be written in several forms.
    fn forms(&self, text: &mut String, path: &str, forms: &'a [Value], children: &mut Vec<Child<'a>>) {
        let _ = writeln!(text);
        for form in forms {
            let (kind, child) = self.kind(form);
            let _ = writeln!(text, "- {kind}. {}", self.meaning(form));
            let title = format!("`{path}` as a table");
            children.extend(child.map(|Below { name, schema, .. }| Child { title, path: path.to_owned(), name, schema }));
        }
    }

    /// The comment of a key, and those of its choices.
    fn meaning(&self, value: &'a Value) -> String {
        let target = self.target(value).map_or(value, |(_, target)| target);
        let choices = target["oneOf"].as_array().into_iter().flatten();
        let choices = choices.map(|choice| format!(" {}: {}", choice["const"], said(choice)).replace('"', "`"));
        let own = if value.get("description").is_some() { said(value) } else { said(target) };
        own + &choices.collect::<String>()
    }

    /// A type in words, and the table that has a section.
    fn kind(&self, value: &'a Value) -> (String, Option<Below<'a>>) {
        if let Some((name, target)) = self.target(value) {
            let kind = if target.get("anyOf").is_some() { words(name).to_owned() } else { "table".to_owned() };
            return match table(target) {
                true => (kind, Some(Below { step: String::new(), name: Some(name), schema: target })),
                false => (leaf(name, target), None),
            };
        }
        if let Some(constant) = value.get("const") {
            return (format!("`{constant}`"), None);
        }
        match value["type"].as_str().unwrap_or_default() {
            "array" => self.many("list of", "[]".to_owned(), value, &value["items"]),
            "object" if value.get("additionalProperties").is_some_and(Value::is_object) => {
                let step = value["propertyNames"]["title"].as_str().unwrap_or("NAME");
                self.many("table of names, each with", format!(".{step}"), value, &value["additionalProperties"])
            }
            "boolean" => ("`true` or `false`".to_owned(), None),
            "integer" => (format!("whole number{}", bounds(value, "minimum", "maximum", "")), None),
            "string" => (format!("text{}", bounds(value, "minLength", "maxLength", " bytes")), None),
            other => panic!("the reference has no words for the type `{other}` of {value}"),
        }
    }

    fn many(&self, words: &str, step: String, value: &'a Value, one: &'a Value) -> (String, Option<Below<'a>>) {
        let (kind, child) = self.kind(one);
        let kind = if child.is_some() { format!("{words} a {kind}") } else { format!("{words} {kind}") };
        (kind + &bounds(value, "minItems", "maxItems", " of them"), child.map(|below| Below { step, ..below }))
    }

    fn target(&self, value: &'a Value) -> Option<(&'a str, &'a Value)> {
        let name = value.get("$ref")?.as_str()?.strip_prefix("#/$defs/")?;
        Some((name, &self.schema["$defs"][name]))
    }

    fn leaves(&self, text: &mut String) {
        let _ = writeln!(text, "\n## How values are written\n");
        for (name, target) in self.schema["$defs"].as_object().into_iter().flatten() {
            if !table(target) && target.get("oneOf").is_none() {
                let _ = writeln!(text, "- **{}**: {}", words(name), said(target));
            }
        }
    }
}

fn leaf(name: &str, target: &Value) -> String {
    match target["oneOf"].as_array() {
        Some(choices) => choices.iter().map(|choice| format!("`{}`", choice["const"])).collect::<Vec<_>>().join(" or "),
        None => format!("[{}](#how-values-are-written)", words(name)),
    }
}

fn table(schema: &Value) -> bool {
    schema.get("properties").is_some() || schema.get("anyOf").is_some()
}

/// What readers call a definition.
fn words(name: &str) -> &'static str {
    match name {
        "Bytes" => "size",
        "Credits" => "amount",
        "Did" => "key",
        "Price" => "price",
        "Span" => "time span",
        other => panic!("the reference has no word for `{other}`"),
    }
}

/// The comment, on one line.
fn said(schema: &Value) -> String {
    let text = schema["description"].as_str().unwrap_or_else(|| panic!("no comment: {schema}"));
    text.split_whitespace().collect::<Vec<_>>().join(" ").replace('|', "\\|")
}

fn bounds(schema: &Value, least: &str, most: &str, unit: &str) -> String {
    match (schema[least].as_u64(), schema[most].as_u64()) {
        (Some(least), Some(most)) => format!(", {least} to {most}{unit}"),
        (None, Some(most)) => format!(", at most {most}{unit}"),
        (Some(least), None) if least > 0 => format!(", at least {least}{unit}"),
        _ => String::new(),
    }
}

fn strings(list: &Value) -> impl Iterator<Item = &str> {
    list.as_array().into_iter().flatten().filter_map(Value::as_str)
}
