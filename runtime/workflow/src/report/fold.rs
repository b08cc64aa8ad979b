//! Taking a journal's entries in.

use hansa_economy::Amount;
use serde_json::Value;

use super::cost::Cost;
use super::event::{Did, Event, What};
use super::facts::{Engine, Happened, Happening, State};
use super::outline::Outline;
use super::step::{Answer, Chosen, Decided, Items, Kind, Outcome, Step, StepState};
use super::{Report, Spot, path};
use crate::run::{Awaited, Change, Ending, Entry, Started};

impl Report {
    /// The journal's next entry.
    pub fn add(&mut self, entry: &Entry) {
        let at_ms = entry.at_ms;
        self.facts.last_ms = at_ms;
        if self.facts.engines.last().is_none_or(|engine| engine.name != entry.engine) {
            self.facts.engines.push(Engine { name: entry.engine.clone(), since_ms: at_ms, why: None });
        }
        entry.changes.iter().for_each(|change| self.change(change, at_ms));
        self.count_ended(at_ms);
        (self.facts.state, self.facts.why) = self.state();
    }

    fn change(&mut self, change: &Change, at_ms: u64) {
        match change {
            Change::Started(started) => self.started(started, at_ms),
            Change::Attempted(begun) => self.attempted(begun, at_ms),
            Change::Answered(answered) => self.answered(answered, at_ms),
            Change::Missed { step, nth, fault, again_ms } => self.missed(step, *nth, (fault, *again_ms), false, at_ms),
            Change::Unclear { step, nth, fault, again_ms } => self.missed(step, *nth, (fault, *again_ms), true, at_ms),
            Change::Given { step, value } => self.given(step, value, at_ms),
            Change::Chose { step, case } => self.chose(step, *case, at_ms),
            Change::Opened { step, items, .. } => self.opened(step, *items, at_ms),
            Change::Nested { step, file } => self.nested(step, file, at_ms),
            Change::Began { step } => drop(self.at(step, Did::Begin, at_ms)),
            Change::Awaits { step, awaited } => {
                let nth = self.at(step, Did::Await, at_ms);
                self.is(nth, if matches!(awaited, Awaited::Approval { .. }) { Kind::Approve } else { Kind::Wait });
                self.steps[nth].awaited = Some(awaited.clone());
                self.turn(nth, StepState::Waiting, at_ms);
            }
            Change::Decided { step, approved, by, note } => {
                let nth = self.at(step, Did::Decide, at_ms);
                let (approved, by, note) = (*approved, by.clone(), note.clone());
                self.steps[nth].decided = Some(Decided { approved, by, note, at_ms });
                self.turn(nth, StepState::Running, at_ms);
            }
            Change::Broke { step, what, at_risk, is_item } => self.broke(step, what, *at_risk, *is_item, at_ms),
            Change::Ended { how, output, what, spent } => self.over(*how, output.as_ref(), what.as_ref(), *spent, at_ms),
            _ => self.whole(change, at_ms),
        }
    }

    /// What happens to the run as a whole.
    fn whole(&mut self, change: &Change, at_ms: u64) {
        let what = match change.clone() {
            Change::Taken { why } => self.taken(why, at_ms),
            Change::Held { amount } => {
                self.facts.held = Some(amount);
                Happened::Held { amount }
            }
            Change::Drawn { nth, amount } => {
                self.facts.drawn = self.facts.drawn.saturating_add(amount);
                Happened::Drawn { nth, amount }
            }
            Change::Signalled { name, payload, by } => {
                self.signals.entry(name.clone()).or_default().push_back(self.happened.len());
                Happened::Signalled { name, by, payload: Answer::new(&payload, self.keeps_values), taken_by: None }
            }
            Change::Paused { step, why } => {
                match &step {
                    Some(step) => self.paused(step, &why, at_ms),
                    None => self.told.paused = Some((why.clone(), at_ms)),
                }
                Happened::Paused { step, why }
            }
            Change::Resumed { by } => {
                self.told.paused = None;
                self.let_go_on(at_ms);
                Happened::Resumed { by }
            }
            Change::Cancelled { by, why, at_once } => {
                self.told.cancelled = (!at_once).then(|| why.clone());
                Happened::Cancelled { by, why, at_once }
            }
            Change::Undoing { why } => {
                // Nothing new is begun; what was begun and has no end has been left.
                self.told.undoing = Some(why.clone());
                self.count_ended(at_ms);
                self.leave_all(false, at_ms);
                Happened::Undoing { why }
            }
            Change::Settled { returned } => {
                self.facts.returned = Some(returned);
                Happened::Settled { returned }
            }
            _ => return,
        };
        self.events.push(Event { at_ms, what: What::Happened(self.happened.len()) });
        self.happened.push(Happening { at_ms, what });
    }

    /// The new engine says anew which steps stand still.
    fn taken(&mut self, why: String, at_ms: u64) -> Happened {
        self.facts.takeovers += 1;
        self.let_go_on(at_ms);
        let engines = &mut self.facts.engines;
        let engine = engines.last().map_or_else(String::new, |engine| engine.name.clone());
        let is_new = engines.len() > 1 && engines.last().is_some_and(|last| last.since_ms == at_ms && last.why.is_none());
        match engines.last_mut() {
            Some(last) if is_new => last.why = Some(why.clone()),
            _ => engines.push(Engine { name: engine.clone(), since_ms: at_ms, why: Some(why.clone()) }),
        }
        Happened::Taken { engine, why }
    }

    fn started(&mut self, started: &Started, at_ms: u64) {
        self.events.push(Event { at_ms, what: What::Started });
        let outline = self.outline(&started.file);
        if let Some(outline) = &self.outlines[outline].1 {
            self.facts.workflow = outline.workflow.name.as_str().to_owned();
            self.facts.version = outline.workflow.version.to_string();
        }
        self.facts.input = Some(Answer::new(&Value::Object(started.input.clone()), self.keeps_values));
        self.facts.started_ms = Some(at_ms);
        self.facts.by.clone_from(&started.by);
        self.facts.labels.clone_from(&started.labels);
        self.facts.budget = started.budget;
        self.facts.from.clone_from(&started.from);
        started.labels.iter().for_each(|(label, value)| self.costs.label(label, value));
    }

    /// The place of a file among those read; each of them is read once.
    fn outline(&mut self, file: &str) -> usize {
        let known = self.outlines.iter().position(|(text, _)| text == file);
        known.unwrap_or_else(|| {
            self.outlines.push((file.to_owned(), Outline::new(file)));
            self.outlines.len() - 1
        })
    }

    /// Something happened at a step: its place among the steps.
    pub(super) fn at(&mut self, path: &str, did: Did, at_ms: u64) -> usize {
        let nth = self.reach(path, at_ms);
        self.events.push(Event { at_ms, what: What::Step(nth, did) });
        nth
    }

    /// A step, begun now where it is new, with all that it stands in.
    fn reach(&mut self, path: &str, at_ms: u64) -> usize {
        if let Some(nth) = self.index.get(path) {
            return *nth;
        }
        if let Some(undone) = self.undone(path) {
            let step = Step { undoes: Some(undone.to_owned()), kind: Some(Kind::Call), ..begun(path, at_ms) };
            let outline = self.index.get(undone).map_or(0, |nth| self.spots[*nth].outline);
            return self.begin(step, Spot { outline, ..Spot::default() });
        }
        let mut parent: Option<usize> = None;
        for part in path::parts(path).into_iter().filter(|part| !path::is_group(part) || *part == path) {
            let known = self.index.get(part).copied();
            parent = Some(known.unwrap_or_else(|| {
                self.count_ended(at_ms);
                let outline = parent.map_or(0, |nth| self.spots[nth].runs.unwrap_or(self.spots[nth].outline));
                let nth = self.begin(begun(part, at_ms), Spot { parent, outline, ..Spot::default() });
                self.steps[nth].kind = self.def(nth).map(|def| def.kind);
                if !path::is_asker(part) {
                    self.follow(nth, at_ms);
                }
                nth
            }));
        }
        parent.expect("every place has a part")
    }

    /// The step that is undone there. A step may be called `undo`: then only a file that this program cannot read makes them one.
    fn undone<'a>(&self, path: &'a str) -> Option<&'a str> {
        let undone = path.strip_prefix(path::UNDO)?;
        let outline = self.outlines.first().and_then(|(_, outline)| outline.as_ref());
        let is_step = outline.is_some_and(|outline| outline.workflow.steps.iter().any(|step| step.id == "undo"));
        (!is_step).then_some(undone)
    }

    fn begin(&mut self, step: Step, spot: Spot) -> usize {
        let nth = self.steps.len();
        self.index.insert(step.path.clone(), nth);
        self.open.insert(nth);
        if let Some(parent) = spot.parent {
            self.spots[parent].open += 1;
        }
        self.steps.push(step);
        self.spots.push(spot);
        nth
    }

    /// What it must be, by what it did, where the file does not say it.
    pub(super) fn is(&mut self, nth: usize, kind: Kind) {
        self.steps[nth].kind.get_or_insert(kind);
    }

    pub(super) fn turn(&mut self, nth: usize, state: StepState, at_ms: u64) {
        let step = &mut self.steps[nth];
        (step.state, step.since_ms) = (state, at_ms);
        if !step.is_over() && self.open.insert(nth) {
            // It was taken for left, and goes on all the same.
            step.ended_ms = None;
            if let Some(parent) = self.spots[nth].parent {
                self.spots[parent].open += 1;
            }
        }
        if matches!(state, StepState::Running | StepState::Done) {
            self.steps[nth].why = None;
        }
    }

    fn given(&mut self, step: &str, value: &Value, at_ms: u64) {
        let nth = self.at(step, Did::Give, at_ms);
        self.is(nth, Kind::Set);
        self.steps[nth].answer = Some(Answer::new(value, self.keeps_values));
        if let Some(Awaited::Signal { name, .. }) = &self.steps[nth].awaited {
            // The first that came is the one that it had.
            let came = self.signals.get_mut(name).and_then(std::collections::VecDeque::pop_front);
            if let Some(Happened::Signalled { taken_by, .. }) = came.map(|place| &mut self.happened[place].what) {
                *taken_by = Some(step.to_owned());
            }
        }
        self.end(nth, StepState::Done, at_ms);
    }

    fn chose(&mut self, step: &str, case: u32, at_ms: u64) {
        let Some(round) = path::number(step) else {
            let nth = self.at(step, Did::Choose, at_ms);
            self.is(nth, Kind::Switch);
            let of = self.def(nth).map(|def| def.width);
            self.steps[nth].chosen = Some(Chosen { case, of });
            let is_empty = self.def(nth).and_then(|def| def.empty.get(case as usize).copied());
            if is_empty.unwrap_or_default() {
                self.end(nth, StepState::Done, at_ms);
            }
            return;
        };
        let goes_on = case == 1;
        let path = step.rsplit_once('#').map_or(step, |(path, _)| path);
        let nth = self.at(path, Did::Round { round, goes_on }, at_ms);
        self.is(nth, Kind::Loop);
        let rounds = self.steps[nth].rounds.get_or_insert(0);
        *rounds = (*rounds).max(round.saturating_add(case));
        self.count_ended(at_ms);
        match goes_on {
            true => self.leave_within(nth, at_ms),
            false => self.end(nth, StepState::Done, at_ms),
        }
    }

    fn opened(&mut self, step: &str, count: u32, at_ms: u64) {
        let nth = self.at(step, Did::Open, at_ms);
        self.is(nth, Kind::Map);
        self.steps[nth].items = Some(Items { count, ..Items::default() });
        if count == 0 {
            self.end(nth, StepState::Done, at_ms);
        }
    }

    fn nested(&mut self, step: &str, file: &str, at_ms: u64) {
        let nth = self.at(step, Did::Run, at_ms);
        self.is(nth, Kind::Run);
        let outline = self.outline(file);
        self.spots[nth].runs = Some(outline);
        let workflow = self.outlines[outline].1.as_ref().map(|outline| &outline.workflow);
        self.steps[nth].runs = workflow.map(|workflow| format!("{} {}", workflow.name.as_str(), workflow.version));
    }

    fn paused(&mut self, step: &str, why: &str, at_ms: u64) {
        let nth = self.reach(step, at_ms);
        self.turn(nth, StepState::Paused, at_ms);
        self.steps[nth].why = Some(why.to_owned());
    }

    fn let_go_on(&mut self, at_ms: u64) {
        let paused: Vec<usize> = self.open.iter().copied().filter(|nth| self.steps[*nth].state == StepState::Paused).collect();
        paused.into_iter().for_each(|nth| self.turn(nth, StepState::Running, at_ms));
    }

    fn over(&mut self, how: Ending, output: Option<&Value>, what: Option<&String>, spent: Amount, at_ms: u64) {
        self.events.push(Event { at_ms, what: What::Ended });
        self.count_ended(at_ms);
        // What may have been charged counts.
        for nth in self.open.clone() {
            let at_risk = self.steps[nth].set_aside;
            if at_risk > Amount::ZERO {
                self.set_aside(nth, Amount::ZERO);
                self.close_attempt(nth, Outcome::Unclear, at_ms);
                self.charge(nth, &Cost { at_risk, ..Cost::default() });
            }
        }
        self.leave_all(how == Ending::Completed, at_ms);
        self.facts.output = output.map(|output| Answer::new(output, self.keeps_values));
        (self.facts.ended_ms, self.facts.spent) = (Some(at_ms), spent);
        self.told.ended = Some((how, what.cloned()));
    }

    fn state(&self) -> (State, Option<String>) {
        if let Some((how, what)) = &self.told.ended {
            let state = match how {
                Ending::Completed => State::Completed,
                Ending::Failed => State::Failed,
                Ending::Cancelled => State::Cancelled,
                Ending::Terminated => State::Terminated,
            };
            return (state, what.clone());
        }
        if let Some(why) = self.told.undoing.as_ref().or(self.told.cancelled.as_ref()) {
            return (State::Undoing, Some(why.clone()));
        }
        if let Some((why, _)) = &self.told.paused {
            return (State::Paused, Some(why.clone()));
        }
        let first = |state: StepState| self.leaves().map(|nth| &self.steps[nth]).find(|step| step.state == state);
        let is_running = self.open.is_empty() || first(StepState::Running).is_some();
        match (is_running, self.facts.started_ms) {
            (_, None) => (State::Unknown, None),
            (true, _) => (State::Running, None),
            (false, _) => match first(StepState::Paused) {
                Some(step) => (State::Paused, Some(format!("`{}`: {}", step.path, step.why.as_deref().unwrap_or_default()))),
                None => (State::Waiting, None),
            },
        }
    }

    /// Steps that are begun and not over, and have none within them that are.
    fn leaves(&self) -> impl Iterator<Item = usize> {
        self.open.iter().copied().filter(|nth| self.spots[*nth].open == 0)
    }

    /// A step is over.
    pub(super) fn close(&mut self, nth: usize) {
        if self.open.remove(&nth)
            && let Some(parent) = self.spots[nth].parent
        {
            self.spots[parent].open -= 1;
        }
    }
}

fn begun(path: &str, at_ms: u64) -> Step {
    Step { path: path.to_owned(), since_ms: at_ms, began_ms: at_ms, ..Step::default() }
}
