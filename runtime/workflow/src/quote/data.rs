//! What is known of a run's data before it runs: inputs that are given, and what expressions make of them.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map as JsonMap, Value as Json};

use crate::data_class::reads;
use crate::definition::{Expression, Template};
use crate::eval::{self, Compiled, CompiledTemplate, Map, Scope, Value};
use crate::limits::QUOTE_EVAL_STEPS_MAX;

/// Members of the run's data that items of maps could hide.
const ROOTS: [&str; 4] = ["input", "steps", "run", "spent"];

/// The data at one place of the run, as far as it is known.
#[derive(Clone)]
pub(super) struct Data {
    scope: Option<Scope>,
    /// Are the inputs known?
    input: bool,
    /// Steps whose values are known.
    steps: BTreeSet<String>,
    /// Items and `round`, where they are known.
    around: BTreeSet<String>,
    /// Steps whose values are lists of known lengths.
    lengths: BTreeMap<String, u64>,
}

/// How much evaluating may still be done.
pub(super) struct Meter(u64);

impl Meter {
    pub(super) fn begin() -> Meter {
        Meter(eval::taken())
    }

    fn is_used_up(&self) -> bool {
        eval::taken().wrapping_sub(self.0) > QUOTE_EVAL_STEPS_MAX
    }
}

impl Data {
    /// A workflow that begins; its inputs, where they are known.
    pub(super) fn new(inputs: Option<&JsonMap<String, Json>>) -> Data {
        let value = inputs.and_then(|inputs| Value::try_from(Json::Object(inputs.clone())).ok());
        let given = match &value {
            Some(Value::Map(map)) => Some(map.clone()),
            _ => None,
        };
        let empty = || Map::new(Vec::new());
        let input = given.is_some();
        let scope = given.map_or_else(empty, Ok).and_then(|given| Scope::new(given, empty()?)).ok();
        Data { scope, input, steps: BTreeSet::new(), around: BTreeSet::new(), lengths: BTreeMap::new() }
    }

    /// What `step` gives.
    pub(super) fn put_step(&mut self, id: &str, value: Option<Value>, length: Option<u64>) {
        self.lengths.remove(id);
        self.lengths.extend(length.map(|length| (id.to_owned(), length)));
        let scope = value.and_then(|value| self.scope.as_ref()?.with_step(id, value).ok());
        match scope {
            Some(scope) => {
                self.scope = Some(scope);
                self.steps.insert(id.to_owned());
            }
            None => drop(self.steps.remove(id)),
        }
    }

    /// An item or `round`.
    pub(super) fn put_around(&mut self, name: &str, value: Option<Value>) {
        if ROOTS.contains(&name) {
            // It hides what else is known.
            self.scope = None;
            return;
        }
        let scope = value.and_then(|value| self.scope.as_ref()?.with(name, value).ok());
        match scope {
            Some(scope) => {
                self.scope = Some(scope);
                self.around.insert(name.to_owned());
            }
            None => drop(self.around.remove(name)),
        }
    }

    /// What `expression` gives, where that is known.
    pub(super) fn value(&self, expression: &Expression, compiled: &Compiled, meter: &Meter) -> Option<Value> {
        let scope = self.scope.as_ref().filter(|_| self.knows(expression) && !meter.is_used_up())?;
        compiled.run(scope).ok()
    }

    /// Does it hold? As in jq.
    pub(super) fn truth(&self, expression: &Expression, compiled: &Compiled, meter: &Meter) -> Option<bool> {
        self.value(expression, compiled, meter).map(|value| !matches!(value, Value::Null | Value::Bool(false)))
    }

    /// What a template makes.
    pub(super) fn made(&self, template: &Template, compiled: &CompiledTemplate, meter: &Meter) -> Option<Value> {
        let known = template.expressions().into_iter().all(|expression| self.knows(expression));
        let scope = self.scope.as_ref().filter(|_| known && !meter.is_used_up())?;
        compiled.make(scope).ok()
    }

    /// How many items a list has that is a step's value and nothing else, as `.steps.pages`.
    pub(super) fn length(&self, expression: &Expression) -> Option<u64> {
        self.scope.as_ref()?;
        let id = expression.text.trim().strip_prefix(".steps.")?;
        self.lengths.get(id).copied()
    }

    fn knows(&self, expression: &Expression) -> bool {
        let known = |read: reads::Reads| match &read.names.iter().map(String::as_str).collect::<Vec<_>>()[..] {
            ["input", ..] => self.input,
            ["steps", id, ..] => self.steps.contains(*id),
            [] | ["steps" | "run" | "spent", ..] => false,
            [name, ..] => self.around.contains(*name),
        };
        reads::of(expression).into_iter().all(known)
    }
}
