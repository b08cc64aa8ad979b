//! Does data go only where its class lets it?
//!
//! A class names nodes. An input can be of a class, and so can a step, with all within it: its calls then go to nodes of the class only. The rules are:
//!
//! 1. The value of a step is of the step's class, and of the classes of everything that its expressions and the steps within it read.
//!    So a `set` that reads a confidential input makes a confidential value, and the item of a `map` is of the classes of its list.
//! 2. A `call` (its compensation too) and a `run` may read what is of no class or of the class that holds for their step, and nothing else.
//! 3. `release: true` at a step lifts both rules for what this step's own expressions read, and not for the steps within it. Its value is of its own class
//!    alone: somebody has decided that it may go on.
//!
//! Which way an `if`, a `switch` or a `loop` goes is no data of the steps within it. What an expression reads is told by its form: one that could read all
//! of the run's data counts as if it did.

pub(crate) mod reads;

use std::collections::{BTreeMap, BTreeSet};

use crate::definition::{Expression, Step, Until, Work, Workflow};
use crate::place::Problem;
use reads::Reads;

/// Classes that a value is of.
type Classes<'a> = BTreeSet<&'a str>;

/// Every expression of a call that reads what its step's nodes may not see, in the file's order. Expressions that are no jq are left to [`crate::names`].
pub fn check(workflow: &Workflow) -> Vec<Problem> {
    if workflow.data.is_empty() {
        return Vec::new();
    }
    let inputs = workflow.inputs.iter().map(|input| (input.name.as_str(), input.data.as_deref().into_iter().collect()));
    let mut flow = Flow { inputs: inputs.collect(), values: BTreeMap::new(), items: Vec::new(), problems: Vec::new() };
    workflow.steps.iter().for_each(|step| flow.step(step, None));
    flow.problems.sort_by_key(|problem| problem.place);
    flow.problems
}

/// What is of which class, so far.
struct Flow<'a> {
    inputs: BTreeMap<&'a str, Classes<'a>>,
    /// Of steps; ids stand once in a workflow.
    values: BTreeMap<&'a str, Classes<'a>>,
    /// Of items of maps around.
    items: Vec<(&'a str, Classes<'a>)>,
    problems: Vec<Problem>,
}

impl<'a> Flow<'a> {
    fn step(&mut self, step: &'a Step, outer: Option<&'a str>) {
        let class = step.data.as_deref().or(outer);
        let mut value: Classes<'a> = class.into_iter().collect();
        let early = self.read(own(step), step, class);
        if let Work::Map(fan) = &step.work {
            self.items.push((&fan.item, early.clone()));
        }
        for inner in step.within() {
            self.step(inner, class);
            value.extend(self.values.get(inner.id.as_str()).into_iter().flatten());
        }
        if let Work::Map(_) = &step.work {
            self.items.pop();
        }
        value.extend(early);
        // A loop's condition is looked at again after its steps, and what undoes a call sees its answer.
        self.values.insert(&step.id, value.clone());
        value.extend(self.read(late(step), step, class));
        self.values.insert(&step.id, value);
    }

    /// The classes of what `step` reads for itself; problems where it sends that to nodes which may not see it.
    fn read(&mut self, expressions: Vec<&'a Expression>, step: &Step, class: Option<&str>) -> Classes<'a> {
        if step.release {
            return Classes::new();
        }
        let sends = matches!(step.work, Work::Call(_) | Work::Run { .. });
        let mut all = Classes::new();
        for expression in expressions {
            for read in reads::of(expression) {
                let classes = self.classes(&read);
                if let Some(foreign) = classes.iter().find(|read| sends && class != Some(**read)) {
                    self.problems.push(Problem::new(expression.place_of(read.at), refused(&read, foreign, class)));
                }
                all.extend(classes);
            }
        }
        all
    }

    fn classes(&self, read: &Reads) -> Classes<'a> {
        let every = |of: &BTreeMap<&'a str, Classes<'a>>| of.values().flatten().copied().collect::<Classes<'a>>();
        let one = |of: &BTreeMap<&'a str, Classes<'a>>, name: &str| of.get(name).cloned().unwrap_or_default();
        match &read.names[..] {
            [] => {
                let items = self.items.iter().flat_map(|(_, classes)| classes).copied();
                items.chain(every(&self.inputs)).chain(every(&self.values)).collect()
            }
            [root] if root == "input" => every(&self.inputs),
            [root] if root == "steps" => every(&self.values),
            [root, name, ..] if root == "input" => one(&self.inputs, name),
            [root, name, ..] if root == "steps" => one(&self.values, name),
            // The innermost item of that name.
            [root, ..] => {
                self.items.iter().rev().find(|(item, _)| item == root).map(|(_, classes)| classes.clone()).unwrap_or_default()
            }
        }
    }
}

fn refused(read: &Reads, foreign: &str, class: Option<&str>) -> String {
    let what = match &read.names[..] {
        [] => "all of the run's data is read here, and some of it".to_owned(),
        names => format!("`.{}`", names.join(".")),
    };
    let to = match class {
        None => "this step may go to any node".to_owned(),
        Some(class) => format!("this step goes to nodes of `{class}`"),
    };
    format!("{what} is {foreign}; {to}: give it `data: {foreign}`, or `release: true` where that may be seen there")
}

/// What a step reads before the steps within it.
fn own(step: &Step) -> Vec<&Expression> {
    match &step.work {
        Work::Call(call) => call.with.expressions(),
        Work::Map(fan) => vec![&fan.over],
        Work::Switch { cases, .. } => cases.iter().map(|case| &case.when).collect(),
        Work::Wait(wait) => match &wait.until {
            Until::Time(time) => time.expressions(),
            _ => Vec::new(),
        },
        Work::Approve(approval) => approval.message.expressions(),
        Work::Run { with, .. } | Work::Set(with) => with.expressions(),
        Work::Parallel(_) | Work::Loop { .. } => Vec::new(),
    }
}

/// What it reads after them, and after its own value is there.
fn late(step: &Step) -> Vec<&Expression> {
    match &step.work {
        Work::Call(call) => call.compensate.as_ref().map(|undo| undo.with.expressions()).unwrap_or_default(),
        Work::Loop { while_true, .. } => vec![while_true],
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests;
