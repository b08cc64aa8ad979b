//! Do expressions read what is there? Inputs by their names, values of steps that come before, items of the `map` around, rounds of the `loop` around.

use hansa_catalogue::strict_toml::nearest;

use crate::definition::{Call, Expression, Step, Template, Until, Work, Workflow};
use crate::jq::{self, Read};
use crate::place::Problem;

/// Members of the run's data that are always there: the inputs, values of steps, the run itself (`id`, `workflow`, `version`), and what it has spent so far.
const ALWAYS: [&str; 4] = ["input", "steps", "run", "spent"];
/// Where a message starts a run: the message, and nothing else.
const MESSAGE: [&str; 1] = ["message"];
/// Within a `loop`: the round, from 0.
const ROUND: &str = "round";

/// Every expression that is no jq, uses what may not be used, or reads what is not there; in the file's order.
pub fn check(workflow: &Workflow) -> Vec<Problem> {
    let inputs = workflow.inputs.iter().map(|input| input.name.as_str()).collect();
    let mut names = Names { always: &MESSAGE, inputs, steps: Vec::new(), around: Vec::new(), problems: Vec::new() };
    for trigger in &workflow.start {
        std::iter::once(&trigger.with).chain(trigger.labels.values()).for_each(|template| names.template(template));
    }
    names.always = &ALWAYS;
    names.list(&workflow.steps);
    workflow.output.iter().for_each(|output| names.template(output));
    names.problems.sort_by_key(|problem| problem.place);
    names.problems
}

/// What can be read at one place.
struct Names<'a> {
    always: &'static [&'static str],
    inputs: Vec<&'a str>,
    steps: Vec<&'a str>,
    /// Items of maps around, and `round`.
    around: Vec<&'a str>,
    problems: Vec<Problem>,
}

impl<'a> Names<'a> {
    /// Steps one after another; each sees those before it.
    fn list(&mut self, steps: &'a [Step]) {
        for step in steps {
            self.step(step);
            self.steps.push(&step.id);
        }
    }

    /// The same for steps within another: what is after that other one sees its value alone.
    fn within(&mut self, steps: &'a [Step], around: Option<&'a str>) {
        let (known, outside) = (self.steps.len(), self.around.len());
        self.around.extend(around);
        self.list(steps);
        self.steps.truncate(known);
        self.around.truncate(outside);
    }

    fn step(&mut self, step: &'a Step) {
        match &step.work {
            Work::Call(call) => self.call(call, &step.id),
            Work::Map(fan) => {
                self.expression(&fan.over);
                self.within(&fan.steps, Some(&fan.item));
            }
            Work::Parallel(branches) => branches.iter().for_each(|branch| self.within(&branch.steps, None)),
            Work::Switch { cases, otherwise } => {
                for case in cases {
                    self.expression(&case.when);
                    self.within(&case.steps, None);
                }
                self.within(otherwise, None);
            }
            Work::Loop { while_true, steps, .. } => {
                // It is looked at before each round, with the values of the round before.
                let (known, outside) = (self.steps.len(), self.around.len());
                self.steps.extend(steps.iter().map(|step| step.id.as_str()));
                self.around.push(ROUND);
                self.expression(while_true);
                self.steps.truncate(known);
                self.around.truncate(outside);
                self.within(steps, Some(ROUND));
            }
            Work::Wait(wait) => {
                if let Until::Time(time) = &wait.until {
                    self.template(time);
                }
            }
            Work::Approve(approval) => self.template(&approval.message),
            Work::Run { with, .. } | Work::Set(with) => self.template(with),
        }
    }

    /// What undoes a call sees its answer too.
    fn call(&mut self, call: &'a Call, id: &'a str) {
        self.template(&call.with);
        if let Some(compensate) = &call.compensate {
            self.steps.push(id);
            self.template(&compensate.with);
            self.steps.pop();
        }
    }

    fn template(&mut self, template: &Template) {
        template.expressions().into_iter().for_each(|expression| self.expression(expression));
    }

    fn expression(&mut self, expression: &Expression) {
        match jq::check(expression) {
            Ok(reads) => reads.iter().for_each(|read| self.read(expression, read)),
            Err(problem) => self.problems.push(problem),
        }
    }

    fn read(&mut self, expression: &Expression, read: &Read) {
        let Some((root, at)) = read.names.first() else { return };
        let known: Vec<&str> = self.always.iter().copied().chain(self.around.iter().copied()).collect();
        if !known.contains(&root.as_str()) {
            return self.unknown(expression, *at, root, "member of the run's data", &known);
        }
        let Some((name, at)) = read.names.get(1) else { return };
        match root.as_str() {
            "input" if !self.inputs.contains(&name.as_str()) => {
                let inputs = self.inputs.clone();
                self.unknown(expression, *at, name, "input", &inputs);
            }
            "steps" if !self.steps.contains(&name.as_str()) => {
                let steps = self.steps.clone();
                self.unknown(expression, *at, name, "step before this one", &steps);
            }
            _ => {}
        }
    }

    fn unknown(&mut self, expression: &Expression, at: usize, name: &str, what: &str, known: &[&str]) {
        let hint = match nearest(name, known.iter().copied()) {
            Some(nearest) => format!("did you mean `{nearest}`?"),
            None if known.is_empty() => "there is none".to_owned(),
            None => format!("there are `{}`", known.join("`, `")),
        };
        self.problems.push(Problem::new(expression.place_of(at), format!("`{name}` is no {what}; {hint}")));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "workflow: a/b\nversion: 1.0.0\nbudget: 1\ninputs: { text: text }\nsteps:\n";

    fn told(rest: &str) -> Vec<String> {
        let workflow = Workflow::read(&format!("{HEAD}{rest}")).unwrap_or_else(|problems| panic!("{problems:?}"));
        check(&workflow).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn what_is_there_can_be_read() {
        let fine = r#"  - { id: one, set: "${ .input.text + .run.id }" }
  - id: each
    map: "${ .steps.one.rows }"
    as: row
    do:
      - { id: in, set: "${ .row.x }" }
      - { id: out, set: "${ .steps.in + .steps.one }" }
  - { id: poll, loop: { while: "${ .round < 3 and .steps.look != 1 }", max: 3, do: [{ id: look, set: "${ .round }" }] } }
  - id: bought
    call: a:b/c@1.0.0 f
    compensate: { call: a:b/c@1.0.0 g, with: { id: "${ .steps.bought.id }" } }
  - { id: both, parallel: { l: [{ id: a, set: "${ .spent }" }], r: [{ id: b, set: 1 }] } }
output: "${ [.steps.each, .steps.both.l] }"
labels: { who: {} }
start: { topic: t, with: { text: "${ .message.text }" }, labels: { who: "${ .message.who }" } }
"#;
        assert_eq!(told(fine), Vec::<String>::new());
    }

    #[test]
    fn what_is_not_there_is_told_with_the_nearest() {
        for (rest, says) in [
            ("  - { id: a, set: '${ .input.txet }' }\n", "6:30: `txet` is no input; did you mean `text`?"),
            (
                "  - { id: a, set: '${ .steps.b }' }\n  - { id: b, set: 1 }\n",
                "6:30: `b` is no step before this one; there is none",
            ),
            ("  - { id: a, set: '${ .steps.a }' }\n", "`a` is no step before this one"),
            ("  - { id: a, set: '${ .inptu.text }' }\n", "6:24: `inptu` is no member of the run's data; did you mean `input`?"),
            ("  - { id: a, set: '${ .round }' }\n", "`round` is no member"),
            (
                "  - { id: m, map: '${ .input.text }', do: [{ id: in, set: 1 }] }\n  - { id: b, set: '${ .item }' }\noutput: '${ .steps.in }'\n",
                "`item` is no member",
            ),
            (
                "  - { id: m, map: '${ .input.text }', do: [{ id: in, set: 1 }] }\noutput: '${ .steps.in }'\n",
                "7:20: `in` is no step before",
            ),
            ("  - { id: a, set: '${ .input.text | foo }' }\n", "6:37: `foo` is not used here"),
            ("  - { id: a, set: '${ .message }' }\n", "6:24: `message` is no member of the run's data"),
            (
                "  - { id: a, set: 1 }\nstart: { topic: t, with: { text: '${ .message.text + .input.text }' } }\n",
                "7:55: `input` is no member of the run's data; there are `message`",
            ),
            ("  - { id: a, set: 1 }\nstart: [{ topic: t, with: '${ .mesage }' }]\n", "7:32: `mesage` is no member"),
        ] {
            let told = told(rest);
            assert!(told.first().is_some_and(|told| told.contains(says)), "{rest}: {told:?}");
        }
    }
}
