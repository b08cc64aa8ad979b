//! The reference of a workflow's file as Markdown, made of its JSON Schema.

use std::collections::BTreeSet;
use std::fmt::Write;

use serde_json::Value;

const HEAD: &str = "\
# A workflow's file

<!-- Made from runtime/workflow/src/schema by `./justw docs-reference`. Change the texts there, not this file. -->

Every key, with its type, its default and what it means. An unknown key is an error that names the nearest known one.

[workflow.schema.json](workflow.schema.json) is the same as JSON Schema, for editors that complete and check YAML files. With the YAML language server, as in
VS Code, begin the file with the line `# yaml-language-server: $schema=PATH`, which leads there.
";

/// Steps: the kinds' sections begin so.
const STEP: &str = "step-";

/// The reference, with a whole file as `example`.
pub(super) fn reference(schema: &Value, example: &str) -> String {
    let mut text = format!("{HEAD}\n## A file with everything\n\n```yaml\n{example}```\n");
    let mut book = Book { schema, told: BTreeSet::new() };
    book.section(&mut text, "The workflow", schema, &[]);
    book.leaves(&mut text);
    text
}

struct Book<'a> {
    schema: &'a Value,
    /// Definitions that have their section.
    told: BTreeSet<&'a str>,
}

impl<'a> Book<'a> {
    /// A table of keys, then those that it leads to.
    fn section(&mut self, text: &mut String, title: &str, schema: &'a Value, known: &[&str]) {
        let _ = writeln!(text, "\n## {title}\n\n{}", said(schema));
        self.keys(text, schema, known);
        let mut names = Vec::new();
        led_to(&schema["properties"], &mut names);
        for name in names {
            self.definition(text, name);
        }
    }

    fn definition(&mut self, text: &mut String, name: &'a str) {
        let definition = &self.schema["$defs"][name];
        if !self.told.insert(name) {
            return;
        }
        match name {
            "steps" => self.definition(text, "step"),
            "step" => self.steps(text, definition),
            _ if definition.get("properties").is_some() => self.section(text, title(definition), definition, &[]),
            _ => {}
        }
    }

    /// What all kinds have, then what each has beyond it.
    fn steps(&mut self, text: &mut String, step: &'a Value) {
        let kinds = self.schema["$defs"].as_object().into_iter().flatten().filter(|(name, _)| name.starts_with(STEP));
        let kinds: Vec<(&'a String, &'a Value)> = kinds.collect();
        let first = kinds[0].1;
        let has = |kind: &Value, key: &str| kind["properties"].get(key).is_some();
        let keys = first["properties"].as_object().into_iter().flatten().map(|(key, _)| key.as_str());
        let common: Vec<&str> = keys.filter(|key| kinds.iter().all(|(_, kind)| has(kind, key))).collect();
        let own: Vec<&str> = strings(first, "properties").filter(|key| !common.contains(key)).collect();
        let _ = writeln!(text, "\n## Step\n\n{} Every step may have:", said(step));
        self.keys(text, first, &own);
        for name in strings(step, "oneOf") {
            self.told.insert(name);
            let kind = &self.schema["$defs"][name];
            self.section(text, title(kind), kind, &common);
        }
    }

    /// A table of the keys of a map, without those that are `known`.
    fn keys(&self, text: &mut String, schema: &'a Value, known: &[&str]) {
        let required: Vec<&str> = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let _ = writeln!(text, "\n| key | type | default | meaning |\n|---|---|---|---|");
        let rows = schema["properties"].as_object().into_iter().flatten();
        let mut rows: Vec<(&String, &Value)> = rows.filter(|(key, _)| !known.contains(&key.as_str())).collect();
        rows.sort_by_key(|(key, _)| !required.contains(&key.as_str()));
        for (key, value) in rows {
            let default = match value.get("default") {
                _ if required.contains(&key.as_str()) => "required".to_owned(),
                Some(default) => format!("`{}`", default.as_str().map_or(default.to_string(), str::to_owned)).replace("``", ""),
                None => String::new(),
            };
            let _ = writeln!(text, "| `{key}` | {} | {default} | {} |", self.kind(value), meaning(value));
        }
    }

    /// A type in words.
    fn kind(&self, value: &Value) -> String {
        if let Some(name) = value.get("$ref").and_then(Value::as_str).map(definition) {
            return self.named(name);
        }
        if let Some(forms) = value.get("anyOf").and_then(Value::as_array) {
            return forms.iter().map(|form| self.kind(form)).collect::<Vec<_>>().join(" or ");
        }
        if let Some(choices) = value.get("oneOf").and_then(Value::as_array) {
            return choices.iter().map(|choice| format!("`{}`", word(choice))).collect::<Vec<_>>().join(" or ");
        }
        match value["type"].as_str() {
            None => "anything".to_owned(),
            Some("array") => format!("list of {}", self.kind(&value["items"])),
            Some("object") if value["additionalProperties"].is_object() => {
                format!("map of names to {}", self.kind(&value["additionalProperties"]))
            }
            Some("object") => "map".to_owned(),
            Some("boolean") => "`true` or `false`".to_owned(),
            Some("integer") => format!("whole number, {} to {}", value["minimum"], value["maximum"]),
            Some("number") => format!("number, {} to {}", value["minimum"], value["maximum"]),
            Some("string") => "text".to_owned(),
            Some(other) => panic!("the reference has no words for the type `{other}` of {value}"),
        }
    }

    fn named(&self, name: &str) -> String {
        let target = &self.schema["$defs"][name];
        match target.get("title").and_then(Value::as_str) {
            Some(title) => format!("[{}](#{})", title.to_lowercase(), anchor(title)),
            None if name == "steps" => "list of [steps](#step)".to_owned(),
            None => format!("[{}](#how-values-are-written)", words(name)),
        }
    }

    fn leaves(&self, text: &mut String) {
        let _ = writeln!(text, "\n## How values are written\n");
        for (name, target) in self.schema["$defs"].as_object().into_iter().flatten() {
            if target.get("title").is_none() && name != "steps" {
                let _ = writeln!(text, "- **{}**: {}", words(name), meaning(target));
            }
        }
    }
}

/// Names of definitions, in the order in which `value` leads to them.
fn led_to<'a>(value: &'a Value, names: &mut Vec<&'a str>) {
    match value {
        Value::Object(entries) => {
            names.extend(entries.get("$ref").and_then(Value::as_str).map(definition));
            entries.values().for_each(|value| led_to(value, names));
        }
        Value::Array(items) => items.iter().for_each(|item| led_to(item, names)),
        _ => {}
    }
}

/// Keys of the map, or definitions of the list, under `key`.
fn strings<'a>(schema: &'a Value, key: &str) -> impl Iterator<Item = &'a str> {
    let keys = schema[key].as_object().into_iter().flatten().map(|(key, _)| key.as_str());
    let names = schema[key].as_array().into_iter().flatten().filter_map(|one| one["$ref"].as_str().map(definition));
    keys.chain(names)
}

fn definition(reference: &str) -> &str {
    reference.trim_start_matches("#/$defs/")
}

fn title(schema: &Value) -> &str {
    schema["title"].as_str().unwrap_or_else(|| panic!("no title: {schema}"))
}

/// As Markdown's readers make links of headings.
fn anchor(title: &str) -> String {
    title.to_lowercase().replace(' ', "-").replace(|letter: char| !letter.is_ascii_alphanumeric() && letter != '-', "")
}

/// What readers call a definition without keys.
fn words(name: &str) -> &str {
    match name {
        "class" => "class of data",
        "function" => "service and function",
        "id" => "name",
        "package" => "workflow's name",
        "sort" => "type",
        "span" => "time span",
        "value" => "any value",
        "amount" | "arguments" | "cron" | "expression" | "key" | "topic" | "version" => name,
        other => panic!("the reference has no word for `{other}`"),
    }
}

fn word(choice: &Value) -> &str {
    choice["const"].as_str().unwrap_or_default()
}

/// What it means, and what each of its words means.
fn meaning(value: &Value) -> String {
    let choices = value["oneOf"].as_array().into_iter().flatten();
    said(value) + &choices.map(|choice| format!(" `{}`: {}", word(choice), said(choice))).collect::<String>()
}

/// The description, on one line.
fn said(schema: &Value) -> String {
    let text = schema["description"].as_str().unwrap_or_else(|| panic!("no description: {schema}"));
    text.replace('|', "\\|")
}
