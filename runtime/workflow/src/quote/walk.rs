//! Going through a workflow's steps before a run, and adding up what they cost.

use std::collections::{HashMap, hash_map};
use std::rc::Rc;
use std::sync::Arc;

use hansa_economy::Amount;
use serde_json::{Map, Value as Json};

use super::cost::{Cost, Count};
use super::data::{Data, Meter};
use super::part::{Entry, Part};
use super::purchase::Desk;
use super::{Missing, Owner, Shortfall, Unknown};
use crate::definition::{Expression, Fan, OnError, Step, Template, Work};
use crate::eval::{Compiled, CompiledTemplate, List, Value};
use crate::limits::{NESTED_RUNS_MAX, QUOTE_STEPS_MAX, ROUNDS_MAX};
use crate::market::{Known, Market};
use crate::place::Place;
use crate::run::{Plan, PlanCall, PlanStep, PlanWork};

/// What the whole of a workflow comes to.
pub(super) struct Outcome {
    pub(super) part: Part,
    pub(super) unknown: Vec<Unknown>,
    pub(super) shortfalls: Vec<Shortfall>,
    pub(super) is_rough: bool,
}

/// Goes through `plan`.
pub(super) fn whole(plan: &Plan, market: &dyn Market, inputs: Option<&Map<String, Json>>) -> Outcome {
    let mut walk = Walk {
        market,
        meter: Meter::begin(),
        desks: HashMap::new(),
        plans: HashMap::new(),
        steps_left: QUOTE_STEPS_MAX,
        muted: 0,
        unknown: Vec::new(),
        shortfalls: Vec::new(),
        told: HashMap::new(),
    };
    let budget = plan.workflow.budget;
    let frame = Frame { path: String::new(), place: None, rooms: vec![budget], depth: 0, spares: false };
    let given = walk.list(&plan.steps, &mut Data::new(inputs), &frame);
    let place = Place { line: 1, column: 1 };
    let mut part = walk.within(given.part, budget, Owner::Run, "", place, &frame);
    part.entries.iter_mut().filter(|entry| entry.desk.undoes).for_each(|entry| entry.cap(budget));
    let Walk { unknown, shortfalls, steps_left, .. } = walk;
    Outcome { part, unknown, shortfalls, is_rough: steps_left == 0 }
}

/// What a step or several come to.
struct Given {
    part: Part,
    /// The last one's value, where it is known.
    value: Option<Value>,
    /// How many items that has, where it is a list and that is known.
    length: Option<u64>,
}

impl From<Part> for Given {
    fn from(part: Part) -> Given {
        Given { part, value: None, length: None }
    }
}

/// Where a step stands.
#[derive(Clone)]
struct Frame {
    /// What its id is put behind.
    path: String,
    /// Within another workflow: where that one is run.
    place: Option<Place>,
    /// What is left of each budget around, as far as that is known.
    rooms: Vec<Amount>,
    depth: u32,
    /// A failure need not be one of the run.
    spares: bool,
}

impl Frame {
    fn room(&self) -> Amount {
        self.rooms.iter().copied().min().unwrap_or(Amount::MAX)
    }

    fn spend(&mut self, cost: Cost) {
        let spent = cost.likely.unwrap_or(cost.least);
        self.rooms.iter_mut().for_each(|room| *room = room.saturating_sub(spent));
    }

    fn with_room(&self, budget: Option<Amount>) -> Frame {
        let mut frame = self.clone();
        frame.rooms.extend(budget);
        frame
    }
}

struct Walk<'a> {
    market: &'a dyn Market,
    meter: Meter,
    /// By the address of the call; plans are kept as long as this is.
    desks: HashMap<*const PlanCall, Rc<Desk>>,
    plans: HashMap<String, Option<Rc<Plan>>>,
    steps_left: u32,
    /// Above 0: what is gone through is not done, and nothing is said about it.
    muted: u32,
    unknown: Vec<Unknown>,
    shortfalls: Vec<Shortfall>,
    /// What is said already, and where in the lists that stands.
    told: HashMap<(Told, String), usize>,
}

#[derive(PartialEq, Eq, Hash)]
enum Told {
    Unknown(Missing),
    Short(Owner),
}

impl Walk<'_> {
    fn list(&mut self, steps: &[PlanStep], data: &mut Data, frame: &Frame) -> Given {
        let (mut frame, mut all) = (frame.clone(), Given::from(Part::nothing()));
        all.value = Some(Value::Null);
        for step in steps {
            let given = self.step(step, data, &frame);
            frame.spend(given.part.cost);
            data.put_step(&step.step.id, given.value.clone(), given.length);
            all = Given { part: all.part.then(given.part), ..given };
        }
        all
    }

    /// What these steps would come to that are not done.
    fn idle(&mut self, steps: &[PlanStep], data: &Data, frame: &Frame) -> Part {
        self.muted += 1;
        let part = self.list(steps, &mut data.clone(), frame).part.times(Count::exactly(0));
        self.muted -= 1;
        part
    }

    fn step(&mut self, step: &PlanStep, data: &Data, around: &Frame) -> Given {
        let Some(left) = self.steps_left.checked_sub(1).filter(|left| *left > 0) else {
            self.steps_left = 0;
            return Part::unknown().into();
        };
        self.steps_left = left;
        let path = format!("{}{}", around.path, step.step.id);
        let place = around.place.unwrap_or(step.step.place);
        let spares = step.step.on_error != OnError::Run;
        let mut frame = around.with_room(step.step.budget);
        frame.path = format!("{path}/");
        frame.spares |= spares;
        let mut given = self.work(step, (&path, place), data, &frame);
        if spares {
            // Where it fails it is null.
            given = Given::from(given.part);
            given.part.spares |= given.part.cost.most > Amount::ZERO;
        }
        if let Some(budget) = step.step.budget {
            given.part = self.within(given.part, budget, Owner::Step, &path, place, &frame);
        }
        given
    }

    fn work(&mut self, step: &PlanStep, at: (&str, Place), data: &Data, frame: &Frame) -> Given {
        match (&step.work, &step.step.work) {
            (PlanWork::Call(call), _) => self.call(call, at, data, frame).into(),
            (PlanWork::Map { fan, over, steps }, _) => self.map((fan, over), steps, at, data, frame),
            (PlanWork::Parallel(branches), _) => {
                let parts = branches.iter().map(|(name, steps)| {
                    let frame = Frame { path: format!("{}.{name}/", at.0), ..frame.clone() };
                    self.list(steps, &mut data.clone(), &frame).part
                });
                parts.reduce(Part::beside).unwrap_or_else(Part::nothing).into()
            }
            (PlanWork::Switch { cases, otherwise }, Work::Switch { cases: written, .. }) => {
                let cases = cases.iter().zip(written).map(|((when, steps), case)| (&case.when, when, &steps[..]));
                self.switch(&cases.collect::<Vec<_>>(), otherwise, at, data, frame)
            }
            (PlanWork::Loop { condition, rounds_max, steps }, Work::Loop { while_true, .. }) => {
                self.rounds((while_true, condition, *rounds_max), steps, at, data, frame)
            }
            (PlanWork::Run { workflow, with, .. }, Work::Run { with: written, .. }) => {
                self.nested(workflow, (written, with), at, data, frame).into()
            }
            (PlanWork::Set(with), Work::Set(written)) => {
                let value = data.made(written, with, &self.meter);
                let length = value.as_ref().and_then(Value::as_list).map(|list| list.len() as u64);
                Given { part: Part::nothing(), value, length }
            }
            _ => Part::nothing().into(),
        }
    }

    fn desk(&mut self, call: &Arc<PlanCall>, undoes: bool) -> Rc<Desk> {
        let desk = self.desks.entry(Arc::as_ptr(call));
        desk.or_insert_with(|| Rc::new(Desk::new(call, undoes, self.market))).clone()
    }

    fn call(&mut self, call: &Arc<PlanCall>, (path, place): (&str, Place), data: &Data, frame: &Frame) -> Part {
        let desk = self.desk(call, false);
        let args = data.made(&call.call.with, &call.with, &self.meter).map(|args| Json::from(&args));
        let bill = desk.bill(frame.room(), args.as_ref(), self.market);
        if bill.chosen.is_empty() {
            self.note(path, place, Missing::Sellers, None);
        }
        let (path, cost, needs) = (path.to_owned(), bill.cost, bill.needs);
        let entry = Entry { path: path.clone(), place, desk, chosen: bill.chosen, offers: bill.offers, calls: bill.calls, cost };
        let mut part = Part { cost, needs, entries: vec![entry], ..Part::nothing() };
        if let Some(undo) = &call.compensate {
            let desk = self.desk(undo, true);
            let bill = desk.bill(frame.rooms.first().copied().unwrap_or(Amount::MAX), None, self.market);
            part.undo = bill.cost.most;
            let place = frame.place.unwrap_or(undo.call.place);
            let (calls, cost) = (Count::up_to(bill.calls.most), bill.cost.or_nothing());
            part.entries.push(Entry { path, place, desk, chosen: bill.chosen, offers: bill.offers, calls, cost });
        }
        part
    }

    fn map(
        &mut self,
        (fan, over): (&Fan, &Compiled),
        steps: &[PlanStep],
        (path, place): (&str, Place),
        data: &Data,
        frame: &Frame,
    ) -> Given {
        let list = data.value(&fan.over, over, &self.meter);
        let items = list.as_ref().and_then(Value::as_list);
        let length = items.map(|items| items.len() as u64).or_else(|| data.length(&fan.over));
        if let Some(items) = items.filter(|items| self.is_worth_it(items.len(), steps)) {
            return self.each(items, fan, steps, (path, place), data, frame);
        }
        let mut inner = data.clone();
        inner.put_around(&fan.item, None);
        if length == Some(0) {
            return Given { part: self.idle(steps, &inner, frame), value: list, length };
        }
        let part = self.item(fan, steps, (path, place), inner, frame).part;
        let times = length.map_or(Count::up_to(ROUNDS_MAX.into()), Count::exactly);
        if length.is_none() && part.cost.most > Amount::ZERO {
            self.note(path, place, Missing::Items, Some(part.cost));
        }
        Given { part: part.times(times), value: None, length }
    }

    /// Can what is known of the items make a difference, and is there time to go through all of them?
    fn is_worth_it(&self, items: usize, steps: &[PlanStep]) -> bool {
        fn size(steps: &[PlanStep]) -> usize {
            let within = |step: &PlanStep| match &step.work {
                PlanWork::Map { steps, .. } | PlanWork::Loop { steps, .. } => size(steps),
                PlanWork::Parallel(branches) => branches.iter().map(|(_, steps)| size(steps)).sum(),
                PlanWork::Switch { cases, otherwise } => {
                    cases.iter().map(|(_, steps)| size(steps)).sum::<usize>() + size(otherwise)
                }
                _ => 0,
            };
            steps.iter().map(|step| 1 + within(step)).sum()
        }
        items > 0 && self.muted == 0 && items.saturating_mul(size(steps)) < self.steps_left as usize / 2
    }

    /// Items that are known, one by one.
    fn each(&mut self, items: &[Value], fan: &Fan, steps: &[PlanStep], at: (&str, Place), data: &Data, frame: &Frame) -> Given {
        let (mut all, mut values, mut frame) = (None, Vec::new(), frame.clone());
        for item in items {
            let mut inner = data.clone();
            inner.put_around(&fan.item, Some(item.clone()));
            let given = self.item(fan, steps, at, inner, &frame);
            frame.spend(given.part.cost);
            values.extend(given.value);
            all = Some(match all {
                None => given.part,
                Some(part) => Part::again(part, given.part),
            });
        }
        let is_whole = values.len() == items.len() && !steps.iter().any(may_be_null);
        let value = is_whole.then(|| List::new(values).ok()).flatten().map(Value::List);
        Given { part: all.unwrap_or_else(Part::nothing), value, length: Some(items.len() as u64) }
    }

    fn item(&mut self, fan: &Fan, steps: &[PlanStep], (path, place): (&str, Place), mut data: Data, frame: &Frame) -> Given {
        let mut frame = frame.with_room(fan.item_budget);
        // One that gives up its item spares the item what comes after it.
        frame.spares |= steps.iter().any(may_be_null);
        let mut given = self.list(steps, &mut data, &frame);
        if let Some(budget) = fan.item_budget {
            given.part = self.within(given.part, budget, Owner::Item, path, place, &frame);
        }
        given
    }

    fn switch(
        &mut self,
        cases: &[(&Expression, &Compiled, &[PlanStep])],
        otherwise: &[PlanStep],
        (path, place): (&str, Place),
        data: &Data,
        frame: &Frame,
    ) -> Given {
        // Ways that it may go; done: the last of them is sure to be gone where none before it is.
        let (mut ways, mut idle, mut done): (Vec<Given>, Part, bool) = (Vec::new(), Part::nothing(), false);
        for (expression, compiled, steps) in cases {
            let truth = if done { Some(false) } else { data.truth(expression, compiled, &self.meter) };
            match truth {
                Some(false) => idle = idle.then(self.idle(steps, data, frame)),
                _ => ways.push(self.list(steps, &mut data.clone(), frame)),
            }
            done |= truth == Some(true);
        }
        match done {
            true => idle = idle.then(self.idle(otherwise, data, frame)),
            false => ways.push(self.list(otherwise, &mut data.clone(), frame)),
        }
        let (value, length) = match &ways[..] {
            [only] => (only.value.clone(), only.length),
            _ => (None, None),
        };
        let is_open = ways.len() > 1;
        let part = ways.into_iter().map(|way| way.part).reduce(Part::or).unwrap_or_else(Part::nothing);
        if is_open && part.cost.most > Amount::ZERO {
            self.note(path, place, Missing::Way, Some(part.cost));
        }
        Given { part: part.then(idle), value, length }
    }

    fn rounds(
        &mut self,
        (while_true, condition, rounds_max): (&Expression, &Compiled, u32),
        steps: &[PlanStep],
        (path, place): (&str, Place),
        data: &Data,
        frame: &Frame,
    ) -> Given {
        let (mut all, mut frame, mut seen): (Option<Given>, _, _) = (None, frame.clone(), data.clone());
        steps.iter().for_each(|step| seen.put_step(&step.step.id, Some(Value::Null), None));
        for round in 0..rounds_max {
            seen.put_around("round", Some(i64::from(round).into()));
            let goes_on = is_time_left(self.steps_left).then(|| seen.truth(while_true, condition, &self.meter)).flatten();
            let mut inner = data.clone();
            inner.put_around("round", goes_on.map(|_| i64::from(round).into()));
            if goes_on == Some(false) {
                return all.unwrap_or_else(|| Given { value: Some(Value::Null), ..self.idle(steps, &inner, &frame).into() });
            }
            let given = self.list(steps, &mut inner, &frame);
            frame.spend(given.part.cost);
            if goes_on.is_none() {
                if given.part.cost.most > Amount::ZERO {
                    self.note(path, place, Missing::Rounds, Some(given.part.cost));
                }
                let rest = given.part.times(Count::up_to(u64::from(rounds_max - round)));
                return all.map(|all| all.part).map_or(rest.clone(), |part| part.again(rest)).into();
            }
            seen = inner;
            all =
                Some(Given { part: all.map(|all| all.part).map_or(given.part.clone(), |part| part.again(given.part)), ..given });
        }
        all.unwrap_or_else(|| Part::nothing().into())
    }

    fn nested(
        &mut self,
        name: &str,
        (written, with): (&Template, &CompiledTemplate),
        (path, place): (&str, Place),
        data: &Data,
        frame: &Frame,
    ) -> Part {
        let plan = if frame.depth < NESTED_RUNS_MAX { self.plan(name) } else { None };
        let Some(plan) = plan else {
            self.note(path, place, Missing::Workflow, None);
            return Part::unknown();
        };
        let given = data.made(written, with, &self.meter).map(|given| Json::from(&given));
        let inputs = given.and_then(|given| match given {
            Json::Object(given) => plan.workflow.inputs_of(given).ok(),
            _ => None,
        });
        let budget = plan.workflow.budget;
        let frame = Frame { place: Some(place), depth: frame.depth + 1, ..frame.with_room(Some(budget)) };
        let part = self.list(&plan.steps, &mut Data::new(inputs.as_ref()), &frame).part;
        self.within(part, budget, Owner::Workflow, path, place, &frame)
    }

    fn plan(&mut self, name: &str) -> Option<Rc<Plan>> {
        if let Some(plan) = self.plans.get(name) {
            return plan.clone();
        }
        let file = match self.market.workflow(name) {
            Known::Yes(file) => file,
            Known::No => None,
        };
        let plan = file.and_then(|file| Plan::new(&file).ok()).map(Rc::new);
        self.plans.insert(name.to_owned(), plan.clone());
        plan
    }

    /// A part within a budget of its own.
    fn within(&mut self, part: Part, budget: Amount, owner: Owner, path: &str, place: Place, frame: &Frame) -> Part {
        if part.needs > budget && self.muted == 0 {
            let short = Shortfall {
                owner,
                path: path.to_owned(),
                place,
                budget,
                needed: part.needs,
                is_spared: frame.spares || part.spares,
            };
            match self.told.entry((Told::Short(owner), path.to_owned())) {
                hash_map::Entry::Vacant(entry) => {
                    entry.insert(self.shortfalls.len());
                    self.shortfalls.push(short);
                }
                // Of several items, the one that needs most.
                hash_map::Entry::Occupied(entry) => {
                    let known = &mut self.shortfalls[*entry.get()];
                    known.needed = known.needed.max(short.needed);
                }
            }
        }
        let fails = part.fails || part.needs > budget && !frame.spares && !part.spares;
        Part { fails, ..part.capped(budget) }
    }

    fn note(&mut self, path: &str, place: Place, what: Missing, each: Option<Cost>) {
        if self.muted > 0 {
            return;
        }
        if let hash_map::Entry::Vacant(entry) = self.told.entry((Told::Unknown(what), path.to_owned())) {
            entry.insert(self.unknown.len());
            self.unknown.push(Unknown { path: path.to_owned(), place, what, each });
        }
    }
}

/// May a failure in this step, or in one within it, make the item around it null?
fn may_be_null(step: &PlanStep) -> bool {
    fn spares(step: &Step) -> bool {
        step.on_error == OnError::Item || step.within().into_iter().any(spares)
    }
    spares(&step.step)
}

/// Rounds are gone through one by one as long as there is time for it.
fn is_time_left(steps_left: u32) -> bool {
    steps_left > QUOTE_STEPS_MAX / 2
}
