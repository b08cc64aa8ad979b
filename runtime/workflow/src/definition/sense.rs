//! What only the whole file tells: do budgets, classes, labels, and inputs of schedules and triggers fit what the workflow declares?

use serde_json::Value;

use super::fields::{Problems, hint};
use super::step::{Step, Work};
use super::template::Template;
use super::{Input, Workflow};
use crate::place::Place;

pub(super) fn check(workflow: &Workflow, budget: Place, problems: &mut Problems) {
    budgets(workflow, budget, problems);
    classes(workflow, problems);
    for step in workflow.all_steps() {
        match &step.work {
            Work::Call(_) => call(workflow, step, problems),
            Work::Run { workflow: name, .. } if name == workflow.name.as_str() => problems.add(
                step.place,
                format!("`{name}` runs itself, and would never end; use `loop`, or put what repeats into a workflow of its own"),
            ),
            _ => {}
        }
    }
    for schedule in &workflow.schedules {
        let given: Vec<(&str, Option<&Value>)> = schedule.with.iter().map(|(name, value)| (&**name, Some(value))).collect();
        let from = Start { what: format!("the schedule `{}`", schedule.id), place: schedule.place };
        from.inputs(&given, &workflow.inputs, problems);
        from.labels(&schedule.labels.keys().map(String::as_str).collect::<Vec<_>>(), workflow, problems);
    }
    for trigger in &workflow.start {
        let from = Start { what: format!("the topic `{}`", trigger.topic), place: trigger.place };
        match &trigger.with {
            Template::Map(entries) => from.inputs(&entries.iter().map(given).collect::<Vec<_>>(), &workflow.inputs, problems),
            // What it gives is seen when a message comes.
            Template::Expression(_) => {}
            _ => problems.add(trigger.place, "`with` is a map of inputs, or an expression that gives one"),
        }
        from.labels(&trigger.labels.keys().map(String::as_str).collect::<Vec<_>>(), workflow, problems);
    }
}

/// The value of an input, where the file says it.
fn given((name, template): &(String, Template)) -> (&str, Option<&Value>) {
    let value = match template {
        Template::Value(value) => Some(value),
        _ => None,
    };
    (name, value)
}

fn budgets(workflow: &Workflow, place: Place, problems: &mut Problems) {
    let buys = |step: &&Step| matches!(step.work, Work::Call(_) | Work::Run { .. });
    if let Some(step) = workflow.all_steps().into_iter().find(buys).filter(|_| workflow.budget.is_zero()) {
        problems.add(place, format!("a budget of 0 buys nothing; step `{}` buys, so give an amount above it", step.id));
        return;
    }
    for (budget, place) in std::mem::take(&mut problems.1.budgets) {
        if budget > workflow.budget {
            problems.add(
                place,
                format!(
                    "`{budget}` is more than the whole run may cost, `{}`; lower it, or raise the workflow's budget",
                    workflow.budget
                ),
            );
        }
    }
}

fn classes(workflow: &Workflow, problems: &mut Problems) {
    let known: Vec<&str> = workflow.data.keys().map(String::as_str).collect();
    for (name, place) in std::mem::take(&mut problems.1.classes) {
        if !known.contains(&name.as_str()) {
            let hint = match known[..] {
                [] => "declare it in `data` at the top of the file".to_owned(),
                _ => hint(&name, &known),
            };
            problems.add(place, format!("`{name}` is no class of data; {hint}"));
        }
    }
}

/// Can the sellers and nodes that it may have ever be enough?
fn call(workflow: &Workflow, step: &Step, problems: &mut Problems) {
    let Work::Call(call) = &step.work else { return };
    let sellers = call.terms.sellers.as_ref().or(workflow.terms.sellers.as_ref());
    if let (Some(ask), Some(sellers)) = (&call.ask, sellers)
        && sellers.len() < ask.sellers as usize
    {
        problems.add(ask.place, format!("{} sellers are asked, but the terms allow only {}", ask.sellers, sellers.len()));
    }
    let class = workflow.data_classes().get(step.id.as_str()).copied();
    for call in std::iter::once(&**call).chain(call.compensate.as_deref()) {
        if let (Some(class), Some([])) = (class, workflow.nodes_of(call, class).as_deref()) {
            problems.add(call.place, format!("no node of `{class}` is among those of the terms; name one of them there"));
        }
    }
}

/// What starts runs by itself.
struct Start {
    what: String,
    place: Place,
}

impl Start {
    /// `given`: inputs, with their values where the file says them.
    fn inputs(&self, given: &[(&str, Option<&Value>)], inputs: &[Input], problems: &mut Problems) {
        let what = &self.what;
        let known: Vec<&str> = inputs.iter().map(|input| input.name.as_str()).collect();
        for (name, value) in given {
            match inputs.iter().find(|input| input.name == *name) {
                None => problems.add(self.place, format!("{what} gives `{name}`, which is no input; {}", hint(name, &known))),
                Some(input) if value.is_some_and(|value| !input.sort.fits(value)) => {
                    problems.add(self.place, format!("{what} gives `{name}` a value that is not of its type, `{}`", input.sort));
                }
                Some(_) => {}
            }
        }
        let missing = |input: &&Input| input.default.is_none() && !given.iter().any(|(name, _)| *name == input.name);
        for input in inputs.iter().filter(missing) {
            problems.add(
                self.place,
                format!("{what} does not give the input `{}`; add it to `with`, or give it a default", input.name),
            );
        }
    }

    fn labels(&self, given: &[&str], workflow: &Workflow, problems: &mut Problems) {
        let known: Vec<&str> = workflow.labels.iter().map(|label| label.name.as_str()).collect();
        for name in given.iter().filter(|name| !known.contains(name)) {
            problems.add(self.place, format!("{} gives `{name}`, which is no label; {}", self.what, hint(name, &known)));
        }
        for label in workflow.labels.iter().filter(|label| label.required && !given.contains(&&*label.name)) {
            problems.add(self.place, format!("{} does not give the label `{}`; add it to its `labels`", self.what, label.name));
        }
    }
}
