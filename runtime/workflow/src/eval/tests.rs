//! What expressions give, and what bounds them.

use super::*;
use crate::Workflow;
use crate::definition::{Template, Work};

mod bounds;
mod functions;
mod stack;
mod use_of_it;

/// The template of a workflow with this expression in it.
fn template(jq: &str) -> Template {
    let text = format!(
        "workflow: a/b\nversion: 1.0.0\nbudget: 1\nsteps:\n  - id: a\n    set: |-\n      ${{{}}}\n",
        jq.replace('\n', "\n      ")
    );
    let workflow = Workflow::read(&text).unwrap_or_else(|problems| panic!("{jq}: {problems:?}"));
    let Work::Set(template) = &workflow.steps[0].work else { panic!("a set") };
    template.clone()
}

fn compiled(jq: &str) -> Compiled {
    Compiled::new(template(jq).expressions()[0]).unwrap_or_else(|problem| panic!("{jq}: {problem}"))
}

fn value(json: &str) -> Value {
    Value::try_from(serde_json::from_str::<serde_json::Value>(json).unwrap_or_else(|error| panic!("{json}: {error}"))).unwrap()
}

fn map(value: Value) -> Map {
    value.as_map().unwrap().clone()
}

fn scope(input: Value) -> Scope {
    Scope::new(map(value("{}")), map(value("{}"))).unwrap().with("input", input).unwrap()
}

/// What `jq` gives for the input, as JSON, or its error.
fn run(jq: &str, input: &str) -> Result<String, String> {
    let program = compiled(&format!(".input | {jq}"));
    program.run(&scope(value(input))).map(|value| json::text(&value)).map_err(|error| error.what)
}
