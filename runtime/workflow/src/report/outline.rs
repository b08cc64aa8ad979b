//! What a file says of its steps, by their ids: enough to tell when those that are written down nowhere have ended.

use std::collections::HashMap;

use super::step::Kind;
use crate::Workflow;
use crate::definition::{Call, OnError, Step, Work};

/// A workflow's file.
#[derive(Debug)]
pub(super) struct Outline {
    pub(super) workflow: Workflow,
    steps: HashMap<String, Def>,
}

/// One of its steps.
#[derive(Debug)]
pub(super) struct Def {
    pub(super) kind: Kind,
    pub(super) on_error: OnError,
    /// Nothing follows it in its list.
    pub(super) is_last: bool,
    /// Branches of a `parallel`, sellers that are asked, cases of a `switch` without its `else`.
    pub(super) width: u32,
    /// Of a `switch`, for each case and then for `else`: nothing is done there.
    pub(super) empty: Vec<bool>,
}

impl Outline {
    /// None: this program cannot read it.
    pub(super) fn new(file: &str) -> Option<Outline> {
        let workflow = Workflow::read(file).ok()?;
        let mut steps = HashMap::new();
        collect(&workflow.steps, &mut steps);
        Some(Outline { workflow, steps })
    }

    pub(super) fn step(&self, id: &str) -> Option<&Def> {
        self.steps.get(id)
    }
}

fn collect(list: &[Step], steps: &mut HashMap<String, Def>) {
    for (nth, step) in list.iter().enumerate() {
        let (kind, lists) = looked(&step.work);
        let empty = match kind {
            Kind::Switch => lists.iter().map(|list| list.is_empty()).collect(),
            _ => Vec::new(),
        };
        let width = width(&step.work);
        let def = Def { kind, on_error: step.on_error, is_last: nth + 1 == list.len(), width, empty };
        steps.insert(step.id.clone(), def);
        lists.into_iter().for_each(|list| collect(list, steps));
    }
}

fn looked(work: &Work) -> (Kind, Vec<&[Step]>) {
    match work {
        Work::Call(_) => (Kind::Call, Vec::new()),
        Work::Map(fan) => (Kind::Map, vec![&fan.steps]),
        Work::Parallel(branches) => (Kind::Parallel, branches.iter().map(|branch| &branch.steps[..]).collect()),
        Work::Switch { cases, otherwise } => {
            (Kind::Switch, cases.iter().map(|case| &case.steps[..]).chain([&otherwise[..]]).collect())
        }
        Work::Loop { steps, .. } => (Kind::Loop, vec![steps]),
        Work::Wait(_) => (Kind::Wait, Vec::new()),
        Work::Approve(_) => (Kind::Approve, Vec::new()),
        Work::Run { .. } => (Kind::Run, Vec::new()),
        Work::Set(_) => (Kind::Set, Vec::new()),
    }
}

fn width(work: &Work) -> u32 {
    let count = match work {
        Work::Call(call) => return asked(call),
        Work::Parallel(branches) => branches.len(),
        Work::Switch { cases, .. } => cases.len(),
        _ => 0,
    };
    u32::try_from(count).unwrap_or(u32::MAX)
}

fn asked(call: &Call) -> u32 {
    call.ask.as_ref().map_or(0, |ask| ask.sellers)
}
