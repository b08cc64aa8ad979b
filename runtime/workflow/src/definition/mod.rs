//! What a workflow's file says, read into types. Reading finds every mistake of form at once, each with line and column; whether services,
//! types and prices fit is checked apart from it.

mod ask;
mod data;
mod fields;
mod label;
mod policy;
mod schedule;
mod sense;
mod start;
mod step;
mod template;

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hansa_catalogue::strict_toml::nearest;
use hansa_catalogue::version::{PackageName, Version};
use hansa_economy::Amount;
use serde_json::{Map, Value};

pub use ask::Ask;
pub use data::DataClass;
pub use label::{Cap, Label, Period};
pub use policy::{Backoff, OnError, OnExhausted, Prefer, Retry, Terms};
pub use schedule::{Overlap, Schedule};
pub use start::Trigger;
pub use step::{Approval, Branch, Call, Case, Expiry, Fan, Step, Until, Wait, Work};
pub use template::{Expression, Part, Template};

pub(crate) use schedule::CATCH_UP;
pub(crate) use step::{CONCURRENCY, ITEM};

use crate::limits::{RUNNING_MAX, STEPS_MAX, TIME_MAX};
use crate::place::{Place, Problem};
use crate::yaml;
use fields::{Fields, Problems};

/// A workflow.
#[derive(Clone, Debug, PartialEq)]
pub struct Workflow {
    /// `owner/name`.
    pub name: PackageName,
    /// For people and for runs, which go on with the version that they began with.
    pub version: Version,
    /// One sentence.
    pub description: String,
    /// What a run is given, by name.
    pub inputs: Vec<Input>,
    /// Classes of data, by name: what is of a class goes to its nodes only.
    pub data: BTreeMap<String, DataClass>,
    /// What a run can be marked with when it starts.
    pub labels: Vec<Label>,
    /// The most that a whole run may cost.
    pub budget: Amount,
    /// The longest that a whole run may take; none: as long as it takes.
    pub timeout: Option<Duration>,
    /// Runs at the same time; further ones wait until one ends.
    pub max_running: Option<u32>,
    /// When runs start by the clock.
    pub schedules: Vec<Schedule>,
    /// Topics whose messages start runs.
    pub start: Vec<Trigger>,
    /// Terms of all its calls, where they do not say otherwise.
    pub terms: Terms,
    /// What is done, one after another.
    pub steps: Vec<Step>,
    /// What a run gives; nothing where there is none.
    pub output: Option<Template>,
}

/// One input.
#[derive(Clone, Debug, PartialEq)]
pub struct Input {
    /// Its name.
    pub name: String,
    /// Its type.
    pub sort: Sort,
    /// What it is where nothing is given; none: it must be given.
    pub default: Option<Value>,
    /// The class of data that it is of.
    pub data: Option<String>,
    /// One sentence.
    pub description: String,
    /// Where it stands.
    pub place: Place,
}

/// Types of inputs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sort {
    /// A text.
    Text,
    /// A whole number or a fraction.
    Number,
    /// A whole number.
    Integer,
    /// True or false.
    Boolean,
    /// Bytes: base64 in JSON, a file on the command line.
    Bytes,
    /// A list of anything.
    List,
    /// A map of anything.
    Map,
    /// Anything.
    Any,
}

impl Sort {
    pub(crate) const ALL: [(&str, Sort); 8] = [
        ("text", Sort::Text),
        ("number", Sort::Number),
        ("integer", Sort::Integer),
        ("boolean", Sort::Boolean),
        ("bytes", Sort::Bytes),
        ("list", Sort::List),
        ("map", Sort::Map),
        ("any", Sort::Any),
    ];

    fn read(node: &yaml::Node, problems: &mut Problems) -> Option<Sort> {
        let text = problems.text(node, "a type, as `text`")?;
        let found = Sort::ALL.into_iter().find(|(name, _)| *name == text).map(|(_, sort)| sort);
        if found.is_none() {
            let known = Sort::ALL.map(|(name, _)| name).join("`, `");
            problems.add(node.place, format!("`{text}` is no type of an input; one of `{known}`"));
        }
        found
    }

    /// Is `value` of this type?
    pub fn fits(self, value: &Value) -> bool {
        match self {
            Sort::Text | Sort::Bytes => value.is_string(),
            Sort::Number => value.is_number(),
            Sort::Integer => value.is_i64() || value.is_u64(),
            Sort::Boolean => value.is_boolean(),
            Sort::List => value.is_array(),
            Sort::Map => value.is_object(),
            Sort::Any => true,
        }
    }
}

impl std::fmt::Display for Sort {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let name = Sort::ALL.iter().find(|(_, sort)| sort == self).map_or("any", |(name, _)| name);
        f.write_str(name)
    }
}

impl Workflow {
    /// Reads a workflow's file.
    ///
    /// # Errors
    /// Everything that is wrong with it, in the file's order.
    pub fn read(text: &str) -> Result<Workflow, Vec<Problem>> {
        let root = yaml::read(text).map_err(|problem| vec![problem])?;
        let mut problems = Problems::default();
        let workflow = read(&root, &mut problems);
        problems.0.sort_by_key(|problem| problem.place);
        match workflow {
            Some(workflow) if problems.0.is_empty() => Ok(workflow),
            _ => Err(problems.0),
        }
    }

    /// The inputs of a run: those given, and the defaults of those left out.
    ///
    /// # Errors
    /// One is missing, unknown or of another type.
    pub fn inputs_of(&self, mut given: Map<String, Value>) -> Result<Map<String, Value>, String> {
        let mut inputs = Map::new();
        for Input { name, sort, default, .. } in &self.inputs {
            let value = given.remove(name).or_else(|| default.clone());
            let value = value.ok_or_else(|| format!("the input `{name}` is missing; its type is {sort}"))?;
            if !sort.fits(&value) {
                return Err(format!("the input `{name}` is no {sort}"));
            }
            if *sort == Sort::Bytes && value.as_str().is_some_and(|text| STANDARD.decode(text).is_err()) {
                return Err(format!("the input `{name}` is no base64; `--input {name}=@FILE` takes a file's bytes"));
            }
            inputs.insert(name.clone(), value);
        }
        let Some(unknown) = given.keys().next() else { return Ok(inputs) };
        let known = self.inputs.iter().map(|input| input.name.as_str());
        Err(match nearest(unknown, known.clone()) {
            Some(nearest) => format!("there is no input `{unknown}`; did you mean `{nearest}`?"),
            None if self.inputs.is_empty() => format!("there is no input `{unknown}`; this workflow has none"),
            None => format!("there is no input `{unknown}`; there are `{}`", known.collect::<Vec<_>>().join("`, `")),
        })
    }

    /// Every step, those within others included, in the file's order.
    pub fn all_steps(&self) -> Vec<&Step> {
        let mut all = Vec::new();
        self.steps.iter().for_each(|step| step.collect(&mut all));
        all
    }
}

fn read(root: &yaml::Node, problems: &mut Problems) -> Option<Workflow> {
    let mut fields = Fields::of(root, "a workflow, a map that begins with `workflow: OWNER/NAME`", problems);
    let name = fields.need("workflow", "its name, as `acme/intake`", problems);
    let name = name.and_then(|node| problems.parsed::<PackageName>(node, "name of a workflow"));
    let version = fields.need("version", "as `1.0.0`", problems);
    let version = version.and_then(|node| problems.parsed::<Version>(node, "version"));
    let description = fields.get("description").and_then(|node| problems.text(node, "a text")).unwrap_or_default().to_owned();
    let inputs = fields.get("inputs").map(|node| inputs(node, problems)).unwrap_or_default();
    let data = fields.get("data").map(|node| data::read(node, problems)).unwrap_or_default();
    let labels = fields.get("labels").map(|node| label::read(node, problems)).unwrap_or_default();
    let budget_node = fields.need("budget", "the most that a run may cost, as `\"0.50\"`", problems);
    let budget = budget_node.and_then(|node| problems.parsed::<Amount>(node, "amount"));
    let timeout = fields.get("timeout").and_then(|node| policy::span(node, TIME_MAX, problems));
    let max_running = fields.get("max-running").and_then(|node| problems.count(node, 1, RUNNING_MAX));
    let schedules = fields.get("schedules").map(|node| schedule::read(node, problems)).unwrap_or_default();
    let start = fields.get("start").map(|node| start::read(node, problems)).unwrap_or_default();
    let terms = fields.get("terms").map(|node| Terms::read(node, problems)).unwrap_or_default();
    let steps = fields.need("steps", "what is done, a list", problems);
    let steps = steps.map(|node| step::list(node, problems)).unwrap_or_default();
    let output = fields.get("output").and_then(|node| Template::read(node, problems));
    fields.done(problems);
    let (name, version, budget) = (name?, version?, budget?);
    #[rustfmt::skip]
    let workflow = Workflow {
        name, version, description, inputs, data, labels, budget, timeout, max_running, schedules, start, terms, steps, output,
    };
    unique(&workflow, problems);
    sense::check(&workflow, budget_node.map_or(root.place, |node| node.place), problems);
    Some(workflow)
}

fn inputs(node: &yaml::Node, problems: &mut Problems) -> Vec<Input> {
    let entries = problems.map(node, "a map of inputs");
    entries.iter().filter_map(|entry| input(entry, problems)).collect()
}

/// `text: bytes`, or a map with `type`, `default`, `data`, `description`.
fn input(entry: &yaml::Entry, problems: &mut Problems) -> Option<Input> {
    let (name, place) = (entry.key.clone(), entry.place);
    step::check_id(&name, place, problems);
    if !matches!(entry.value.kind, yaml::Kind::Map(_)) {
        let sort = Sort::read(&entry.value, problems)?;
        return Some(Input { name, sort, default: None, data: None, description: String::new(), place });
    }
    let mut fields = Fields::of(&entry.value, "an input", problems);
    let sort = fields.need("type", "as `text`", problems).and_then(|node| Sort::read(node, problems));
    let default = fields.get("default");
    let data = fields.get("data").and_then(|node| problems.class(node));
    let description = fields.get("description").and_then(|node| problems.text(node, "a text")).unwrap_or_default().to_owned();
    fields.done(problems);
    let sort = sort?;
    if let Some(node) = default.filter(|node| !sort.fits(&node.to_json())) {
        problems.wrong(node, &format!("a value of the type of `{name}`"));
    }
    Some(Input { name, sort, default: default.map(yaml::Node::to_json), data, description, place })
}

/// Steps are told apart by their ids: in expressions, in the journal, and by the calls that they make.
fn unique(workflow: &Workflow, problems: &mut Problems) {
    let steps = workflow.all_steps();
    if let Some(beyond) = steps.get(STEPS_MAX) {
        problems.add(beyond.place, format!("more than {STEPS_MAX} steps; split the workflow"));
    }
    let mut seen: HashMap<&str, Place> = HashMap::new();
    for step in steps {
        match seen.get(&*step.id) {
            Some(first) => problems.add(step.place, format!("the id `{}` stands twice; first at {first}", step.id)),
            None => drop(seen.insert(&step.id, step.place)),
        }
    }
}

#[cfg(test)]
pub(crate) mod tests;
