//! The schema and the reader say the same: the same keys, and the same mistakes where a schema can tell them.

use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::Workflow;
use crate::definition::tests::{INTAKE, STEPS_WRONG, TOP_WRONG, around, maps, with};

/// What the schema says against files.
struct Judge {
    schemas: boon::Schemas,
    schema: boon::SchemaIndex,
}

impl Judge {
    fn new() -> Judge {
        let (mut schemas, mut compiler) = (boon::Schemas::new(), boon::Compiler::new());
        compiler.add_resource("workflow.schema.json", json_schema()).unwrap();
        let schema = compiler.compile("workflow.schema.json", &mut schemas).unwrap();
        Judge { schemas, schema }
    }

    fn complaint(&self, text: &str) -> Option<String> {
        let written = crate::yaml::read(text).unwrap().to_json();
        self.schemas.validate(&written, self.schema).err().map(|error| error.to_string())
    }
}

/// What the reader calls a map, and what the schema calls it.
const MAPS: [(&str, &str); 16] = [
    ("a workflow,", ""),
    ("an input", "input"),
    ("a class of data,", "data-class"),
    ("a label,", "label"),
    ("a cap,", "cap"),
    ("a schedule,", "schedule"),
    ("a start,", "start"),
    ("terms,", "terms"),
    ("a retry policy,", "retry"),
    ("a map with `sellers`", "ask"),
    ("a call,", "compensation"),
    ("a case,", "case"),
    ("a loop,", "loop"),
    ("a map with one of `for`", "wait"),
    ("a map with `message`", "approve"),
    ("a step,", "step-"),
];

const KINDS: [&str; 10] = ["call", "map", "parallel", "if", "switch", "loop", "wait", "approve", "run", "set"];

#[test]
fn the_reader_knows_the_schemas_keys_and_no_others() {
    let schema = json_schema();
    let keys = |definition: &Value| definition["properties"].as_object().unwrap().keys().cloned().collect::<BTreeSet<String>>();
    let defined = schema["$defs"].as_object().unwrap().iter().filter(|(_, one)| one.get("properties").is_some());
    let mut told: BTreeMap<String, BTreeSet<String>> = defined.map(|(name, one)| (name.clone(), keys(one))).collect();
    told.insert(String::new(), keys(&schema));
    let mut read: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (what, known, there) in maps(INTAKE) {
        let (_, name) = MAPS.iter().find(|(begin, _)| what.starts_with(begin)).unwrap_or_else(|| panic!("{what}"));
        let kind = KINDS.iter().find(|kind| there.iter().any(|key| key == *kind)).filter(|_| *name == "step-");
        // A step is looked at for all kinds; the others' keys are none of this one's.
        let others = |key: &&str| kind.is_none_or(|kind| key == kind || !KINDS.contains(key));
        let name = format!("{name}{}", kind.unwrap_or(&""));
        read.entry(name).or_default().extend(known.into_iter().filter(others).map(str::to_owned));
    }
    assert_eq!(told, read);
}

#[test]
fn every_key_says_what_it_means_and_every_reference_leads_somewhere() {
    fn walk(value: &Value, at: &str, root: &Value) {
        if let Some(name) = value.get("$ref").and_then(Value::as_str) {
            let target = name.strip_prefix("#/$defs/").and_then(|name| root["$defs"].get(name));
            assert!(target.is_some_and(|target| target.get("description").is_some()), "{at}: {name}");
        }
        for (key, property) in value["properties"].as_object().into_iter().flatten() {
            let said = property["description"].as_str().unwrap_or_default();
            assert!(said.len() > 5 && said.ends_with('.'), "{at}.{key}: {property}");
        }
        match value {
            Value::Object(entries) => entries.iter().for_each(|(key, value)| walk(value, &format!("{at}.{key}"), root)),
            Value::Array(items) => items.iter().for_each(|item| walk(item, at, root)),
            _ => {}
        }
    }
    let schema = json_schema();
    // Properties of conditions name keys that are told elsewhere.
    let mut told = schema.clone();
    told["$defs"]["ask"].as_object_mut().unwrap().remove("allOf");
    walk(&told, "", &schema);
}

#[test]
fn what_the_reader_takes_the_schema_takes() {
    let judge = Judge::new();
    assert!(Workflow::read(INTAKE).is_ok());
    assert_eq!(judge.complaint(INTAKE), None);
    for text in [
        around("start: [{ topic: '>' }, { topic: 'a.*.>', with: '${ .message }' }]"),
        around("schedules: [{ id: n, cron: '@Daily' }, { id: m, cron: '0 9-17/2 L * MON-FRI' }]"),
        around("inputs: { a: any, b: { type: list, default: [1] } }\noutput: ${ .steps.s }"),
        around("terms: { sellers: [], deadline: 1m 30s }"),
        with("  - { id: a, set: ~, budget: 1 }\n"),
        with("  - { id: a, call: 'a:b/c f', with: '${ .input }', ask: { sellers: 9, agree: 5 } }\n"),
        with("  - { id: a, call: 'a:b/c@1 f', ask: { sellers: 2, min: 1 }, retry: {} }\n"),
        with("  - { id: a, wait: { until: '${ .input.at }' } }\n"),
    ] {
        assert!(Workflow::read(&text).is_ok(), "{text}: {:?}", Workflow::read(&text));
        assert_eq!(judge.complaint(&text), None, "{text}");
    }
}

/// What no schema can tell: the reader's words for it.
const BEYOND: [&str; 17] = [
    "stands twice",
    "this `${` has no `}`",
    "a time span here is above zero",
    "is more than",
    "runs itself",
    "sellers are asked",
    "a budget of 0",
    "a cap of 0",
    "is no class of data",
    "no such day ever comes",
    "is no time zone",
    "which is no input",
    "which is no label",
    "is not of its type",
    "does not give the input",
    "does not give the label",
    "a schedule has nothing to read from",
];

#[test]
fn what_the_reader_refuses_the_schema_refuses_where_it_can_tell() {
    let judge = Judge::new();
    let steps = STEPS_WRONG.iter().map(|(steps, says)| (with(steps), *says));
    let top = TOP_WRONG.iter().map(|(top, says)| (around(top), *says));
    for (text, says) in steps.chain(top) {
        let beyond = BEYOND.iter().any(|beyond| says.contains(beyond));
        assert_eq!(judge.complaint(&text).is_none(), beyond, "{says}\n{text}");
    }
    for text in ["workflow: a\n", "[]\n", "a: 1\n"] {
        assert!(judge.complaint(text).is_some(), "{text}");
    }
}
