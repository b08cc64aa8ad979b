//! Going through a workflow's steps.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard};

use futures::FutureExt;
use futures::future::BoxFuture;
use hansa_economy::{Amount, Digest};
use serde_json::Value as Json;

use super::budget::Budget;
use super::control::{Cancel, Control};
use super::entry::{Change, Ending};
use super::history::{Decision, History, Outcome};
use super::plan::{Plan, PlanStep, PlanWork};
use super::undo::Undo;
use super::world::{Lost, World};
use crate::definition::OnError;
use crate::eval::{Map, Number, Scope, Value};
use crate::place::Problem;

/// One run, in the hands of one engine.
pub struct Run<W> {
    pub(super) world: W,
    /// Its name.
    pub(super) id: String,
    pub(super) plan: Arc<Plan>,
    pub(super) history: Mutex<History>,
    pub(super) control: Control,
    pub(super) secret: String,
    pub(super) budget: Budget,
    pub(super) undo: Mutex<Vec<Undo>>,
    input: Json,
    deadline_ms: Option<u64>,
    /// Steps that were not begun when it began to be undone are not begun any more.
    undoing: Option<String>,
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq)]
pub struct Over {
    /// How.
    pub how: Ending,
    /// Its output.
    pub output: Option<Json>,
    /// Why, where it did not complete.
    pub what: Option<String>,
    /// What it cost.
    pub spent: Amount,
}

/// Why a run does not go on as it was told.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Nobody asks for that.
    #[error("{0}")]
    NotAsked(String),
    /// See [`Lost`].
    #[error(transparent)]
    Lost(#[from] Lost),
}

/// Why a step gives no value.
#[derive(Clone, Debug)]
pub(super) enum Stop {
    /// It failed.
    Failed(Failure),
    /// The run is to end, or a neighbour failed: nothing new is begun.
    Halted,
    /// Another engine has the run.
    Lost,
}

#[derive(Clone, Debug)]
pub(super) struct Failure {
    pub(super) step: String,
    pub(super) what: String,
    /// It makes the item null that it happened in.
    pub(super) is_item: bool,
}

impl From<Lost> for Stop {
    fn from(_: Lost) -> Stop {
        Stop::Lost
    }
}

/// Steps beside each other: where one of them failed, the others begin nothing new.
#[derive(Clone, Default)]
pub(super) struct Halt(Arc<(AtomicBool, Option<Halt>)>);

impl Halt {
    pub(super) fn within(&self) -> Halt {
        Halt(Arc::new((AtomicBool::new(false), Some(self.clone()))))
    }

    pub(super) fn set(&self) {
        self.0.0.store(true, Relaxed);
    }

    pub(super) fn is_set(&self) -> bool {
        std::iter::successors(Some(self), |halt| halt.0.1.as_ref()).any(|halt| halt.0.0.load(Relaxed))
    }
}

/// Where a step stands: what its neighbours share.
#[derive(Clone)]
pub(super) struct Frame {
    /// What its id is put behind.
    pub(super) path: String,
    pub(super) budget: Budget,
    pub(super) deadline_ms: Option<u64>,
    pub(super) halt: Halt,
    /// It undoes what was done: neither a failure nor a wish to cancel ends it.
    pub(super) undoes: bool,
    /// Workflows within each other.
    pub(super) depth: u32,
}

impl<W: World> Run<W> {
    /// A run as its journal has it so far, to go on with it.
    ///
    /// # Errors
    /// Its journal has no beginning, or its file cannot be read.
    pub fn new(id: &str, history: History, world: W) -> Result<Run<W>, Vec<Problem>> {
        let file = history.started.as_ref().map(|started| started.file.as_str()).unwrap_or_default();
        let plan = Arc::new(Plan::new(file)?);
        Run::with(plan, id, history, world)
    }

    /// The same, where the plan of its file is known already: runs of one file share it.
    ///
    /// # Errors
    /// Its journal has no beginning.
    pub fn with(plan: Arc<Plan>, id: &str, history: History, world: W) -> Result<Run<W>, Vec<Problem>> {
        let none = || vec![Problem::new(crate::Place { line: 1, column: 1 }, "the run's journal has no beginning")];
        let started = history.started.clone().ok_or_else(none)?;
        let (spent, reserved) = history.cost("");
        let timeout = plan.workflow.timeout;
        let control = Control::default();
        control.tell(|told| {
            told.paused.clone_from(&history.paused);
            told.cancel = history.cancelled.clone().map(|(why, at_once)| Cancel { why, at_once });
            told.signals.clone_from(&history.signals);
        });
        Ok(Run {
            world,
            id: id.to_owned(),
            budget: Budget::new("the run".to_owned(), started.budget, spent, reserved, None),
            secret: started.secret.clone(),
            input: Json::Object(started.input.clone()),
            deadline_ms: timeout.map(|timeout| history.started_ms.saturating_add(timeout.as_millis() as u64)),
            undoing: history.undoing.clone(),
            plan,
            history: Mutex::new(history),
            control,
            undo: Mutex::default(),
        })
    }

    /// The workflow.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// What it has spent so far.
    pub fn spent(&self) -> Amount {
        self.budget.spent()
    }

    /// Go through it to its end.
    ///
    /// # Errors
    /// Another engine goes on with it.
    pub async fn go(&self) -> Result<Over, Lost> {
        if let Some((how, output, what, spent)) = self.history().ended.clone() {
            return Ok(Over { how, output, what, spent });
        }
        let frame = Frame {
            path: String::new(),
            budget: self.budget.clone(),
            deadline_ms: self.deadline_ms,
            halt: Halt::default(),
            undoes: false,
            depth: 0,
        };
        let over = match self.outcome(&frame).await {
            Ok(output) => self.over(Ending::Completed, Some(output), None),
            Err(Stop::Lost) => return Err(Lost),
            Err(stop) => self.ended_early(&stop, &frame).await?,
        };
        let Over { how, output, what, spent } = over.clone();
        self.world.record(Change::Ended { how, output, what, spent }).await?;
        Ok(over)
    }

    async fn outcome(&self, frame: &Frame) -> Result<Json, Stop> {
        let input = Value::try_from(self.input.clone()).map_err(|error| failed("", &error))?;
        let workflow = &self.plan.workflow;
        let scope = self.scope(input, workflow.name.as_str(), &workflow.version.to_string())?;
        let (last, scope) = self.steps(&self.plan.steps, scope, frame.clone()).await?;
        match &self.plan.output {
            Some(output) => {
                let made = self
                    .spent_in(&scope, self.budget.spent())
                    .and_then(|scope| output.make(&scope).map_err(|error| failed("output", &error)));
                made.map(|output| (&output).into())
            }
            None => Ok((&last).into()),
        }
    }

    /// The data of a workflow that begins.
    pub(super) fn scope(&self, input: Value, name: &str, version: &str) -> Result<Scope, Stop> {
        let input = match input {
            Value::Map(map) => map,
            _ => Map::new(Vec::new()).map_err(|error| failed("", &error))?,
        };
        let run = [("id", self.id.as_str()), ("version", version), ("workflow", name)];
        let run = Map::new(run.into_iter().map(|(name, text)| (name.into(), text.into())).collect());
        run.and_then(|run| Scope::new(input, run)).map_err(|error| failed("", &error))
    }

    /// With what was spent so far, credits.
    pub(super) fn spent_in(&self, scope: &Scope, spent: Amount) -> Result<Scope, Stop> {
        // To the sixth decimal a float of this size is exact enough to compare with.
        let credits = Number::float(spent.0 as f64 / 1e6).map_or(Value::Null, Value::Number);
        scope.with("spent", credits).map_err(|error| failed("", &error))
    }

    async fn ended_early(&self, stop: &Stop, frame: &Frame) -> Result<Over, Lost> {
        let cancel = self.control.lock().cancel.clone();
        let (how, what) = match (stop, cancel) {
            (_, Some(cancel)) if cancel.at_once => {
                let over = self.over(Ending::Terminated, None, Some(cancel.why));
                // What is not known to have cost nothing counts.
                return Ok(Over { spent: self.budget.used(), ..over });
            }
            (Stop::Failed(failure), _) => (Ending::Failed, format!("`{}` failed: {}", failure.step, failure.what)),
            (_, Some(cancel)) => (Ending::Cancelled, cancel.why),
            (_, None) => (Ending::Failed, self.undoing.clone().unwrap_or_else(|| "its time was over".to_owned())),
        };
        if self.undoing.is_none() {
            self.world.note(Change::Undoing { why: what.clone() });
        }
        let left = self.undo_all(frame).await?;
        let what = if left.is_empty() { what } else { format!("{what}; not undone: {}", left.join("; ")) };
        Ok(self.over(how, None, Some(what)))
    }

    fn over(&self, how: Ending, output: Option<Json>, what: Option<String>) -> Over {
        Over { how, output, what, spent: self.budget.spent() }
    }

    pub(super) fn history(&self) -> MutexGuard<'_, History> {
        self.history.lock().expect("no panic while the history is locked")
    }

    /// Steps one after another: the last one's value, and the data with all of theirs.
    pub(super) fn steps<'a>(
        &'a self,
        steps: &'a [PlanStep],
        scope: Scope,
        frame: Frame,
    ) -> BoxFuture<'a, Result<(Value, Scope), Stop>> {
        let walk = async move {
            let (mut last, mut scope) = (Value::Null, scope);
            for step in steps {
                last = self.step(step, &scope, &frame).await?;
                scope = scope.with_step(&step.step.id, last.clone()).map_err(|error| failed(&step.step.id, &error))?;
            }
            Ok((last, scope))
        };
        walk.boxed()
    }

    async fn step(&self, step: &PlanStep, scope: &Scope, around: &Frame) -> Result<Value, Stop> {
        let path = format!("{}{}", around.path, step.step.id);
        let frame = self.frame(step, &path, around);
        let outcome = match self.broke_before(&path) {
            Some(failure) => {
                // What was done within it may have to be undone; nothing new is begun there.
                let frame = Frame { halt: frame.halt.within(), ..frame };
                frame.halt.set();
                if let Err(Stop::Lost) = self.within(step, &path, scope, &frame).await {
                    return Err(Stop::Lost);
                }
                Err(Stop::Failed(failure))
            }
            None => self.work(step, &path, scope, &frame).await,
        };
        match (outcome, step.step.on_error, &step.work) {
            (Err(Stop::Failed(_)), OnError::Step, _) => Ok(Value::Null),
            // Of a map, its items' failures were looked at there.
            (Err(Stop::Failed(failure)), OnError::Item, work) if !matches!(work, PlanWork::Map { .. }) => {
                Err(Stop::Failed(Failure { is_item: true, ..failure }))
            }
            (outcome, ..) => outcome,
        }
    }

    fn broke_before(&self, path: &str) -> Option<Failure> {
        let history = self.history();
        match history.steps.get(path).and_then(|past| past.outcome.as_ref()) {
            Some(Outcome::Broke { what, is_item }) => {
                Some(Failure { step: path.to_owned(), what: what.clone(), is_item: *is_item })
            }
            _ => None,
        }
    }

    /// What holds for a step and all within it.
    fn frame(&self, step: &PlanStep, path: &str, around: &Frame) -> Frame {
        let mut frame = Frame { path: format!("{path}/"), ..around.clone() };
        if let Some(most) = step.step.budget {
            frame.budget = self.budget_of(path, &format!("`{path}`"), most, &around.budget);
        }
        if let Some(timeout) = step.step.timeout {
            let known = self.history().steps.get(path).and_then(|past| past.began_ms);
            let began_ms = known.unwrap_or_else(|| {
                self.world.note(Change::Began { step: path.to_owned() });
                self.world.now_ms()
            });
            let deadline_ms = began_ms.saturating_add(timeout.as_millis() as u64);
            frame.deadline_ms = Some(frame.deadline_ms.unwrap_or(u64::MAX).min(deadline_ms));
        }
        frame
    }

    /// A budget for what lies below `path`, with what is spent and set aside of it already.
    pub(super) fn budget_of(&self, path: &str, owner: &str, most: Amount, around: &Budget) -> Budget {
        let (spent, reserved) = self.history().cost(path);
        Budget::new(owner.to_owned(), most, spent, reserved, Some(around))
    }

    /// May something new be begun?
    pub(super) async fn gate(&self, frame: &Frame) -> Result<(), Stop> {
        let goes_on = self.control.when(|told| match () {
            () if told.lost => Some(Err(Stop::Lost)),
            () if told.cancel.as_ref().is_some_and(|cancel| cancel.at_once || !frame.undoes) => Some(Err(Stop::Halted)),
            () if !frame.undoes && (frame.halt.is_set() || self.undoing.is_some()) => Some(Err(Stop::Halted)),
            () if told.paused.is_some() => None,
            () => Some(Ok(())),
        });
        goes_on.await?;
        match frame.deadline_ms.is_some_and(|deadline_ms| self.world.now_ms() >= deadline_ms) && !frame.undoes {
            true => Err(failed(frame.path.trim_end_matches('/'), &"its time is over")),
            false => Ok(()),
        }
    }

    /// Wait until then, or until the frame's deadline; ends early where nothing new is to be begun.
    pub(super) async fn until(&self, at_ms: u64, frame: &Frame) -> Result<(), Stop> {
        let at_ms = if frame.undoes { at_ms } else { at_ms.min(frame.deadline_ms.unwrap_or(u64::MAX)) };
        if self.world.now_ms() >= at_ms {
            return Ok(());
        }
        let stopped = self.control.when(|told| match () {
            () if told.lost => Some(Stop::Lost),
            () if told.cancel.as_ref().is_some_and(|cancel| cancel.at_once || !frame.undoes) => Some(Stop::Halted),
            () if !frame.undoes && frame.halt.is_set() => Some(Stop::Halted),
            () => None,
        });
        let (sleep, stopped) = (self.world.sleep_until(at_ms), Box::pin(stopped));
        match futures::future::select(sleep, stopped).await {
            futures::future::Either::Left(_) => Ok(()),
            futures::future::Either::Right((stop, _)) => Err(stop),
        }
    }

    /// Somewhere beside, something failed.
    pub(super) fn halt(&self, halt: &Halt) {
        halt.set();
        self.control.wake();
    }

    /// A step failed for good; the journal knows from now on.
    pub(super) fn broke(&self, path: &str, what: &dyn std::fmt::Display, at_risk: Amount) -> Stop {
        self.failed_for_good(Failure { step: path.to_owned(), what: what.to_string(), is_item: false }, at_risk)
    }

    pub(super) fn failed_for_good(&self, failure: Failure, at_risk: Amount) -> Stop {
        let Failure { step, what, is_item } = failure.clone();
        self.world.note(Change::Broke { step, what, at_risk, is_item });
        Stop::Failed(failure)
    }

    /// The id of an attempt's call, and what goes with it.
    pub(super) fn call_id(&self, path: &str, nth: u32) -> (Digest, [u8; 16]) {
        let nth = nth.to_le_bytes();
        let parts: [&[u8]; 4] = [self.secret.as_bytes(), self.id.as_bytes(), path.as_bytes(), &nth];
        let mut salt = [0; 16];
        salt.copy_from_slice(&Digest::of_parts("hansa run salt", &parts).0[..16]);
        (Digest::of_parts("hansa run call", &parts), salt)
    }

    /// A signal for it: the next step that waits for one of this name has it.
    ///
    /// # Errors
    /// See [`Lost`].
    pub async fn signal(&self, name: &str, payload: Json, by: &str) -> Result<(), Lost> {
        self.world.record(Change::Signalled { name: name.to_owned(), payload: payload.clone(), by: by.to_owned() }).await?;
        self.control.tell(|told| told.signals.entry(name.to_owned()).or_default().push_back(payload));
        Ok(())
    }

    /// Somebody approves or rejects; `step` may be left out where only one asks.
    ///
    /// # Errors
    /// No such step asks for that; see [`Lost`].
    pub async fn decide(&self, step: Option<&str>, approved: bool, by: &str, note: Option<String>) -> Result<String, Refused> {
        let step = self.asking(step)?;
        let decided = Change::Decided { step: step.clone(), approved, by: by.to_owned(), note: note.clone() };
        self.world.record(decided).await?;
        self.control.tell(|told| drop(told.decisions.insert(step.clone(), Decision { approved, by: by.to_owned(), note })));
        Ok(step)
    }

    fn asking(&self, step: Option<&str>) -> Result<String, Refused> {
        let told = self.control.lock();
        let mut asking: Vec<&String> = told.asking.keys().collect();
        asking.sort();
        let found = match step {
            Some(step) => asking.iter().find(|known| **known == step),
            None if asking.len() == 1 => asking.first(),
            None => None,
        };
        let known = || asking.iter().map(|step| format!("`{step}`")).collect::<Vec<_>>().join(", ");
        found.map(|step| (*step).clone()).ok_or_else(|| match (asking.is_empty(), step) {
            (true, _) => Refused::NotAsked("no step of this run waits for an approval".to_owned()),
            (false, Some(step)) => Refused::NotAsked(format!("`{step}` does not wait for an approval; {} does", known())),
            (false, None) => Refused::NotAsked(format!("several steps wait for an approval; name one of {}", known())),
        })
    }

    /// Buy nothing new until it is resumed.
    ///
    /// # Errors
    /// See [`Lost`].
    pub async fn pause(&self, why: &str) -> Result<(), Lost> {
        self.world.record(Change::Paused { step: None, why: why.to_owned() }).await?;
        self.control.tell(|told| told.paused = Some(why.to_owned()));
        Ok(())
    }

    /// Go on: the run, and all steps that wait for it.
    ///
    /// # Errors
    /// See [`Lost`].
    pub async fn resume(&self, by: &str) -> Result<(), Lost> {
        self.world.record(Change::Resumed { by: by.to_owned() }).await?;
        self.control.tell(|told| {
            told.paused = None;
            told.resumed += 1;
        });
        Ok(())
    }

    /// End it, and undo what was done; `at_once`: end it, and undo nothing.
    ///
    /// # Errors
    /// See [`Lost`].
    pub async fn cancel(&self, by: &str, why: &str, at_once: bool) -> Result<(), Lost> {
        self.world.record(Change::Cancelled { by: by.to_owned(), why: why.to_owned(), at_once }).await?;
        self.control.tell(|told| told.cancel = Some(Cancel { why: why.to_owned(), at_once }));
        Ok(())
    }

    /// Another engine has it: end, and write nothing more.
    pub fn lose(&self) {
        self.control.tell(|told| told.lost = true);
    }
}

pub(super) fn failed(step: &str, what: &dyn std::fmt::Display) -> Stop {
    Stop::Failed(Failure { step: step.to_owned(), what: what.to_string(), is_item: false })
}
