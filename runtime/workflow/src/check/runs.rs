//! Workflows that a workflow runs: are they there, do they end, and do they take what they are given?

use std::collections::HashSet;

use hansa_catalogue::strict_toml::nearest;

use super::spots::Spots;
use super::wrong;
use crate::definition::{Step, Template, Work, Workflow};
use crate::limits::NESTED_RUNS_MAX;
use crate::market::{Known, Market};
use crate::place::{Place, Problem};
use crate::types::Finding;

pub(super) fn check(workflow: &Workflow, market: &dyn Market, spots: &Spots) -> Vec<Finding> {
    let mut findings = Vec::new();
    for step in workflow.all_steps() {
        let Work::Run { workflow: name, with } = &step.work else { continue };
        let place = spots.within(step.place, &["run"]).unwrap_or(step.place);
        let file = match market.workflow(name) {
            Known::No => continue,
            Known::Yes(file) => file,
        };
        match file.as_deref().map(Workflow::read) {
            None => {
                findings.push(wrong(Problem::new(place, format!("there is no workflow `{name}`; add it, or correct its name"))))
            }
            Some(Err(problems)) => {
                let first = problems.first().map(ToString::to_string).unwrap_or_default();
                findings.push(wrong(Problem::new(place, format!("`{name}` cannot be read: {first}; check that file first"))));
            }
            Some(Ok(inner)) => {
                findings.extend(inputs(step, with, &inner, place, spots).into_iter().map(wrong));
                let mut way = Way { market, names: vec![workflow.name.to_string()], seen: HashSet::new() };
                findings.extend(way.endless(&inner).map(|what| wrong(Problem::new(place, what))));
            }
        }
    }
    findings
}

/// Inputs by name, where the file names them.
fn inputs(step: &Step, with: &Template, inner: &Workflow, near: Place, spots: &Spots) -> Vec<Problem> {
    let Template::Map(given) = with else { return Vec::new() };
    let known = || inner.inputs.iter().map(|input| input.name.as_str());
    let mut problems = Vec::new();
    for (name, value) in given {
        let place = spots.within(step.place, &["with", name]).unwrap_or(near);
        let what = match (inner.inputs.iter().find(|input| input.name == *name), value) {
            (None, _) => {
                let hint = match nearest(name, known()) {
                    Some(nearest) => format!("did you mean `{nearest}`?"),
                    None if inner.inputs.is_empty() => "it has none".to_owned(),
                    None => format!("there are `{}`", known().collect::<Vec<_>>().join("`, `")),
                };
                format!("`{name}` is no input of `{}`; {hint}", inner.name)
            }
            (Some(input), Template::Value(value)) if !input.sort.fits(value) => {
                format!("`{name}` of `{}` is a {}, and this is none", inner.name, input.sort)
            }
            _ => continue,
        };
        problems.push(Problem::new(place, what));
    }
    let missing = |name: &str| given.iter().all(|(given, _)| given != name);
    for input in inner.inputs.iter().filter(|input| input.default.is_none() && missing(&input.name)) {
        problems.push(Problem::new(near, format!("the input `{}` of `{}` is missing; add it to `with`", input.name, inner.name)));
    }
    problems
}

/// Workflows that run each other, from the file on.
struct Way<'a> {
    market: &'a dyn Market,
    names: Vec<String>,
    seen: HashSet<String>,
}

impl Way<'_> {
    /// Why `workflow` would not come to an end: it runs one that runs it, or too many are within each other.
    fn endless(&mut self, workflow: &Workflow) -> Option<String> {
        let name = workflow.name.to_string();
        if self.names.len() > NESTED_RUNS_MAX as usize {
            return Some(format!(
                "workflows within each other more than {NESTED_RUNS_MAX} deep: `{}` …",
                self.names.join("` runs `")
            ));
        }
        if !self.seen.insert(name.clone()) {
            return None;
        }
        self.names.push(name);
        let steps = workflow.all_steps();
        let found = steps.into_iter().find_map(|step| match &step.work {
            Work::Run { workflow: next, .. } if self.names.contains(next) => {
                Some(format!("this would never end: `{}` runs `{next}` again", self.names.join("` runs `")))
            }
            Work::Run { workflow: next, .. } => self.read(next).and_then(|inner| self.endless(&inner)),
            _ => None,
        });
        self.names.pop();
        found
    }

    fn read(&self, name: &str) -> Option<Workflow> {
        match self.market.workflow(name) {
            Known::Yes(Some(file)) => Workflow::read(&file).ok(),
            _ => None,
        }
    }
}
