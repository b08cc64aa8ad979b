//! Steps one after another, each with the shapes of those before it.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use super::fit::{Misfit, fit, unknown_key};
use super::infer;
use super::schema::{Contracts, Signature};
use super::scope::Scope;
use super::shape::{Key, Keys, Numbers, Shape, Texts, is_base64};
use super::{Finding, Findings, Level, words};
use crate::definition::{Ask, Call, Case, Expression, OnError, Part, Sort, Step, Template, Trigger, Until, Work, Workflow};
use crate::jq;
use crate::place::{Place, Problem};

/// Looks through the whole of `workflow`.
pub(super) fn check(workflow: &Workflow, contracts: &dyn Contracts) -> Findings {
    let mut walk = Walk { contracts, found: Vec::new() };
    walk.defaults(workflow);
    workflow.start.iter().for_each(|trigger| walk.trigger(trigger, workflow));
    let mut data = Data::of(workflow);
    walk.list(&workflow.steps, &mut data);
    let output = workflow.output.as_ref().map_or(Shape::Null, |output| walk.template(output, &data));
    walk.found.sort_by_key(|finding| (finding.problem.place, finding.level));
    walk.found.dedup();
    Findings { found: walk.found, output }
}

/// The run's data at one place, as jq sees it: a map of `input`, `steps` and so on.
#[derive(Clone)]
struct Data(Shape);

impl Data {
    fn of(workflow: &Workflow) -> Data {
        let inputs = workflow.inputs.iter().map(|input| (input.name.clone(), always(Shape::of_input(input.sort))));
        let text = || Shape::Text(Texts::Plain);
        let members = [
            ("input", open(inputs.collect())),
            ("run", Shape::closed([("id", text()), ("workflow", text()), ("version", text())])),
            ("spent", Shape::Number(Numbers::Float)),
            ("steps", open(BTreeMap::new())),
        ];
        Data(open(members.into_iter().map(|(name, shape)| (name.to_owned(), always(shape))).collect()))
    }

    /// The same where `condition` is as `holds` says.
    fn narrowed(&self, condition: &Expression, holds: bool) -> Data {
        match jq::parse(condition) {
            Ok(term) => Data(Scope::data(self.0.clone()).narrowed(&term, holds).dot),
            Err(_) => self.clone(),
        }
    }

    fn with(&self, name: &str, shape: Shape) -> Data {
        let mut data = self.clone();
        put(&mut data.0, name, shape);
        data
    }

    fn put_step(&mut self, id: &str, shape: Shape) {
        if let Shape::Map(keys) = &mut self.0
            && let Some(steps) = Arc::make_mut(keys).known.get_mut("steps")
        {
            put(&mut steps.shape, id, shape);
        }
    }

    fn step(&self, id: &str) -> Shape {
        let under = |shape: &Shape, name: &str| match shape {
            Shape::Map(keys) => keys.known.get(name).map(|key| key.shape.clone()),
            _ => None,
        };
        under(&self.0, "steps").and_then(|steps| under(&steps, id)).unwrap_or(Shape::Any)
    }
}

fn put(map: &mut Shape, name: &str, shape: Shape) {
    if let Shape::Map(keys) = map {
        Arc::make_mut(keys).known.insert(name.to_owned(), always(shape));
    }
}

fn always(shape: Shape) -> Key {
    Key { shape, always: true }
}

/// A map of which unknown names are told elsewhere. However large, it is no value of an expression and has no bound.
fn open(known: BTreeMap<String, Key>) -> Shape {
    Shape::Map(Arc::new(Keys { known, rest: Some(Shape::Any) }))
}

struct Walk<'a> {
    contracts: &'a dyn Contracts,
    found: Vec<Finding>,
}

impl Walk<'_> {
    fn tell(&mut self, level: Level, place: Place, what: String) {
        self.found.push(Finding { level, problem: Problem::new(place, what) });
    }

    /// Types of defaults are looked at when the file is read; bytes are texts there.
    fn defaults(&mut self, workflow: &Workflow) {
        for input in &workflow.inputs {
            let text = input.default.as_ref().and_then(Value::as_str);
            if let (Sort::Bytes, Some(text)) = (input.sort, text)
                && !is_base64(text)
            {
                self.tell(
                    Level::Wrong,
                    input.place,
                    format!("the default of `{}` is no base64, as inputs that are bytes have", input.name),
                );
            }
        }
    }

    /// What a message gives, held against the inputs. Of the message nothing is known.
    fn trigger(&mut self, trigger: &Trigger, workflow: &Workflow) {
        let data = Data(open([("message".to_owned(), always(Shape::Any))].into()));
        let inputs = workflow
            .inputs
            .iter()
            .map(|input| (input.name.clone(), Key { shape: Shape::of_input(input.sort), always: input.default.is_none() }));
        let wanted = Shape::Map(Arc::new(Keys { known: inputs.collect(), rest: None }));
        self.held(&trigger.with, &wanted, "", trigger.place, &data);
        for (name, label) in &trigger.labels {
            self.held(label, &Shape::Text(Texts::Plain), name, trigger.place, &data);
        }
    }

    /// The value of the last of steps one after another.
    fn list(&mut self, steps: &[Step], data: &mut Data) -> Shape {
        let mut last = Shape::Null;
        for step in steps {
            last = self.step(step, data);
            data.put_step(&step.id, last.clone());
        }
        last
    }

    /// The same for steps within another.
    fn within(&mut self, steps: &[Step], data: &Data) -> Shape {
        self.list(steps, &mut data.clone())
    }

    fn step(&mut self, step: &Step, data: &Data) -> Shape {
        let value = match &step.work {
            Work::Call(call) => self.bought(call, &step.id, data),
            Work::Map(fan) => {
                let list = self.expression(&fan.over, data);
                let item = self.list_wanted(&list, fan.over.place());
                let each = self.within(&fan.steps, &data.with(&fan.item, item));
                let nulled = step.on_error == OnError::Item || fan.steps.iter().any(gives_up_its_item);
                Shape::list(if nulled { each.or_null() } else { each })
            }
            Work::Parallel(branches) => {
                let values = branches.iter().map(|branch| (branch.name.clone(), self.within(&branch.steps, data)));
                Shape::closed(values.collect::<Vec<_>>())
            }
            Work::Switch { cases, otherwise } => self.switch(cases, otherwise, data),
            Work::Loop { while_true, rounds_max, steps } => self.rounds(while_true, *rounds_max, steps, data),
            Work::Wait(wait) => match &wait.until {
                Until::For(_) => Shape::Null,
                Until::Time(time) => {
                    self.held(time, &Shape::Text(Texts::Plain), "until", step.place, data);
                    Shape::Null
                }
                Until::Signal(_) => Shape::Any,
            },
            Work::Approve(approval) => {
                let text = Shape::Text(Texts::Plain).or(Shape::Number(Numbers::Any));
                self.held(&approval.message, &text, "message", step.place, data);
                let said = || Shape::Text(Texts::Plain).or_null();
                Shape::closed([("approved", Shape::BOOL), ("by", said()), ("note", said())])
            }
            Work::Run { with, .. } => {
                self.template(with, data);
                Shape::Any
            }
            Work::Set(template) => self.template(template, data),
        };
        if step.on_error == OnError::Step { value.or_null() } else { value }
    }

    fn switch(&mut self, cases: &[Case], otherwise: &[Step], data: &Data) -> Shape {
        let (mut rest, mut values) = (data.clone(), Vec::new());
        for case in cases {
            self.condition(&case.when, &rest);
            values.push(self.within(&case.steps, &rest.narrowed(&case.when, true)));
            rest = rest.narrowed(&case.when, false);
        }
        // Nothing was done: null.
        values.push(self.within(otherwise, &rest));
        Shape::union(values)
    }

    fn rounds(&mut self, while_true: &Expression, rounds_max: u32, steps: &[Step], data: &Data) -> Shape {
        let most = i128::from(rounds_max);
        let within = |least, most| data.with("round", Shape::Number(Numbers::Whole { least, most }));
        let mut each = within(0, most - 1).narrowed(while_true, true);
        let last = self.list(steps, &mut each);
        // Before the first round no step of it has a value.
        let (mut after, mut first) = (within(0, most), within(0, 0));
        for step in steps {
            after.put_step(&step.id, each.step(&step.id).or_null());
            first.put_step(&step.id, Shape::Null);
        }
        self.condition(while_true, &after);
        let told = self.found.len();
        let begins = self.expression(while_true, &first).truth();
        self.found.truncate(told);
        if begins == Some(true) { last } else { last.or_null() }
    }

    /// A condition of the workflow: true or false, or else most likely a mistake.
    fn condition(&mut self, expression: &Expression, data: &Data) {
        let shape = self.expression(expression, data);
        let may = |member: &Shape| matches!(member, Shape::Any | Shape::Bool(_));
        if shape == Shape::Nothing || shape.members().iter().any(may) {
            return;
        }
        let advice = match shape.truth() {
            None => "; `!= null` asks whether it is there",
            Some(true) => ", which always holds",
            Some(false) => ", which never holds",
        };
        self.tell(
            Level::Doubtful,
            expression.place(),
            format!("a condition wants true or false; this gives {}{advice}", words::given(&shape)),
        );
    }

    /// The items of a list.
    fn list_wanted(&mut self, list: &Shape, place: Place) -> Shape {
        if let Err(misfit) = fit(list, &Shape::list(Shape::Any)) {
            let what = if misfit.level == Level::Wrong { "gives" } else { "may be" };
            let other = list.keep(|member| (!matches!(member, Shape::List(_) | Shape::Tuple(_))).then(|| member.clone()));
            let advice = if other == Shape::Null { "; `// []` gives it another value" } else { "" };
            self.tell(misfit.level, place, format!("`map` wants a list; this {what} {}{advice}", words::given(&other)));
        }
        Shape::union(list.members().iter().map(|member| match member {
            Shape::List(item) => (**item).clone(),
            Shape::Tuple(items) => Shape::union(items.iter().cloned()),
            Shape::Any => Shape::Any,
            _ => Shape::Nothing,
        }))
        .or_any()
    }

    fn bought(&mut self, call: &Call, id: &str, data: &Data) -> Shape {
        let answer = self.call(call, data);
        let value = match &call.ask {
            Some(Ask { agree: None, .. }) => {
                Shape::list(Shape::closed([("seller", Shape::Text(Texts::Plain)), ("answer", answer)]))
            }
            _ => answer,
        };
        if let Some(compensate) = &call.compensate {
            let mut after = data.clone();
            after.put_step(id, value.clone());
            self.call(compensate, &after);
        }
        value
    }

    fn call(&mut self, call: &Call, data: &Data) -> Shape {
        let Some(signature) = self.contracts.function(&call.service, &call.function) else {
            self.template(&call.with, data);
            return Shape::Any;
        };
        match &call.with {
            Template::Map(entries) => self.arguments(call, signature, entries, data),
            Template::List(_) => self.held(&call.with, &signature.positional(), "", call.place, data),
            with => {
                let wanted = signature.named().or(signature.positional());
                let given = self.template(with, data);
                let alike = given.members().iter().all(|member| matches!(member, Shape::Map(_)));
                let wanted = if alike { signature.named() } else { wanted };
                let place = place(with, call.place);
                self.fits(&given, &wanted, "", place);
            }
        }
        signature.value.clone()
    }

    /// Arguments by parameter.
    fn arguments(&mut self, call: &Call, signature: &Signature, entries: &[(String, Template)], data: &Data) {
        for (name, template) in entries {
            match signature.parameters.iter().find(|parameter| parameter.name == *name) {
                Some(parameter) => self.held(template, &parameter.shape, name, call.place, data),
                None => {
                    let hint = unknown_key(name, signature.parameters.iter().map(|parameter| parameter.name.as_str()));
                    let hint = if signature.parameters.is_empty() { "it takes none".to_owned() } else { hint };
                    self.tell(
                        Level::Wrong,
                        place(template, call.place),
                        format!("`{name}` is no parameter of `{}`; {hint}", call.function),
                    );
                    self.template(template, data);
                }
            }
        }
        for parameter in signature.parameters.iter().filter(|parameter| parameter.required) {
            if entries.iter().all(|(name, _)| *name != parameter.name) {
                let wanted = words::wanted(&parameter.shape);
                self.tell(
                    Level::Wrong,
                    call.place,
                    format!("`{}` is missing: `{}` wants {wanted}", parameter.name, call.function),
                );
            }
        }
    }

    /// Holds what a template gives against what is wanted, part by part, so that each misfit is told at its expression.
    fn held(&mut self, template: &Template, wanted: &Shape, path: &str, near: Place, data: &Data) {
        let maps: Vec<&Shape> = wanted.members().iter().filter(|member| matches!(member, Shape::Map(_))).collect();
        let lists: Vec<&Shape> = wanted.members().iter().filter(|member| matches!(member, Shape::List(_))).collect();
        match (template, &maps[..], &lists[..]) {
            (Template::Map(entries), [Shape::Map(keys)], _) => self.record(entries, keys, path, near, data),
            (Template::List(items), _, [Shape::List(item)]) => {
                for (at, template) in items.iter().enumerate() {
                    self.held(template, item, &format!("{path}[{at}]"), near, data);
                }
            }
            _ => {
                let given = self.template(template, data);
                self.fits(&given, wanted, path, place(template, near));
            }
        }
    }

    fn record(&mut self, entries: &[(String, Template)], keys: &Keys, path: &str, near: Place, data: &Data) {
        let full = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
        for (name, template) in entries {
            match (keys.known.get(name), &keys.rest) {
                (Some(key), _) => self.held(template, &key.shape, &full(name), near, data),
                (None, Some(rest)) => self.held(template, rest, &full(name), near, data),
                (None, None) => {
                    let hint = unknown_key(name, keys.known.keys().map(String::as_str));
                    self.tell(Level::Wrong, place(template, near), format!("`{}` is no key here; {hint}", full(name)));
                    self.template(template, data);
                }
            }
        }
        for (name, key) in keys.known.iter().filter(|(_, key)| key.always) {
            if entries.iter().all(|(given, _)| given != name) {
                self.tell(Level::Wrong, near, format!("`{}` is missing; {} is wanted", full(name), words::wanted(&key.shape)));
            }
        }
    }

    fn fits(&mut self, given: &Shape, wanted: &Shape, path: &str, place: Place) {
        if let Err(Misfit { level, path: within, what }) = fit(given, wanted) {
            let full = format!("{path}{within}");
            let what = match full.trim_start_matches('.') {
                "" => what,
                path => format!("`{path}` {what}"),
            };
            self.tell(level, place, what);
        }
    }

    /// What a template gives.
    fn template(&mut self, template: &Template, data: &Data) -> Shape {
        match template {
            Template::Value(value) => Shape::of_value(value),
            Template::Expression(expression) => self.expression(expression, data),
            Template::Text(parts) => {
                parts.iter().for_each(|part| self.part(part, data));
                Shape::TEXT
            }
            Template::List(items) => Shape::tuple(items.iter().map(|item| self.template(item, data)).collect()),
            Template::Map(entries) => {
                Shape::closed(entries.iter().map(|(name, value)| (name.clone(), self.template(value, data))).collect::<Vec<_>>())
            }
        }
    }

    /// Null, lists and maps have no place in a text: an evaluation fails there.
    fn part(&mut self, part: &Part, data: &Data) {
        let Part::Expression(expression) = part else { return };
        let shape = self.expression(expression, data);
        let reads = |member: &Shape| matches!(member, Shape::Any | Shape::Bool(_) | Shape::Number(_) | Shape::Text(_));
        let Some(other) = shape.members().iter().find(|member| !reads(member)) else { return };
        if shape.hushed() && shape.members().iter().any(reads) {
            return;
        }
        let (says, gives) = match other {
            Shape::Null => ("`// \"\"` gives it another value", words::given(other)),
            _ => ("`| tojson` writes it out", words::given(other)),
        };
        let (level, may) = match shape.members().iter().any(reads) {
            true => (Level::Doubtful, "may be"),
            false => (Level::Wrong, "gives"),
        };
        self.tell(level, expression.place(), format!("this {may} {gives}, which has no place in a text; {says}"));
    }

    fn expression(&mut self, expression: &Expression, data: &Data) -> Shape {
        // What is no jq is told by `names::check`.
        let Ok(term) = jq::parse(expression) else { return Shape::Any };
        let (shape, found) = infer::infer(&expression.text, &term, &Scope::data(data.0.clone()));
        let failed = found.iter().any(|found| found.level == Level::Wrong);
        for found in found {
            self.tell(found.level, expression.place_of(found.at), found.what);
        }
        if failed { Shape::Any } else { shape }
    }
}

/// May a failure in this step, or in one within it, make the item around it null? Maps within have items of their own.
fn gives_up_its_item(step: &Step) -> bool {
    match (&step.work, step.on_error) {
        (Work::Map(_), _) | (_, OnError::Step) => false,
        (_, OnError::Item) => true,
        (_, OnError::Run) => step.within().into_iter().any(gives_up_its_item),
    }
}

impl Shape {
    /// Anything, where nothing is known of it.
    fn or_any(self) -> Shape {
        if self == Shape::Nothing { Shape::Any } else { self }
    }
}

/// Where a template stands, as near as is known.
fn place(template: &Template, near: Place) -> Place {
    match template {
        Template::Expression(expression) => expression.place(),
        Template::Text(_) => template.expressions().first().map_or(near, |expression| expression.place()),
        _ => near,
    }
}
