//! What each kind of step does, calls aside.

use futures::StreamExt;
use futures::future::Either;
use futures::stream::FuturesUnordered;
use hansa_economy::{Amount, Digest};
use serde_json::{Value as Json, json};

use super::entry::{Awaited, Change};
use super::history::{Outcome, Past};
use super::plan::{Plan, PlanStep, PlanWork};
use super::walk::{Frame, Run, Stop, failed};
use super::world::World;
use crate::definition::{Approval, Expiry, Fan, OnError, Until, Wait};
use crate::eval::{Compiled, CompiledTemplate, List, Map, Scope, Value};
use crate::limits::{NESTED_RUNS_MAX, ROUNDS_MAX};

/// What a step that stands still since its walk leads elsewhere says of it, last.
pub(crate) const DIVERGED: &str =
    "this program goes through it differently from the one before: go on with that one, or cancel the run";

impl<W: World> Run<W> {
    pub(super) async fn work(&self, step: &PlanStep, path: &str, scope: &Scope, frame: &Frame) -> Result<Value, Stop> {
        match &step.work {
            PlanWork::Call(call) => self.call(call, path, scope, frame).await,
            PlanWork::Map { fan, over, steps } => {
                let spares = step.step.on_error == OnError::Item;
                Box::pin(self.map(fan, over, steps, (path, spares), scope, frame)).await
            }
            PlanWork::Parallel(branches) => Box::pin(self.parallel(branches, path, scope, frame)).await,
            PlanWork::Switch { cases, otherwise } => self.switch(cases, otherwise, path, scope, frame).await,
            PlanWork::Loop { condition, rounds_max, steps } => {
                self.repeated((condition, *rounds_max), steps, path, scope, frame).await
            }
            PlanWork::Wait { wait, until } => Box::pin(self.wait(wait, until.as_ref(), path, scope, frame)).await,
            PlanWork::Approve { approval, message } => Box::pin(self.approve(approval, message, path, scope, frame)).await,
            PlanWork::Run { workflow, with, nodes } => {
                Box::pin(self.nested((workflow, nodes.as_deref()), with, path, scope, frame)).await
            }
            PlanWork::Set(with) => self.set(with, path, scope, frame).await,
        }
    }

    /// The steps within one that failed before.
    pub(super) async fn within(&self, step: &PlanStep, path: &str, scope: &Scope, frame: &Frame) -> Result<(), Stop> {
        match &step.work {
            PlanWork::Map { .. } | PlanWork::Parallel(_) => self.work(step, path, scope, frame).await.map(drop),
            _ => Ok(()),
        }
    }

    /// Steps beside each other: one of them failed, and so they all did.
    fn all_broke(&self, path: &str, stop: Stop, frame: &Frame) -> Stop {
        match stop {
            Stop::Failed(failure) if !frame.halt.is_set() => {
                let what = format!("{}, in `{}`", failure.what, failure.step);
                let failure = super::walk::Failure { step: path.to_owned(), what, is_item: failure.is_item };
                self.failed_for_good(failure, Amount::ZERO)
            }
            stop => stop,
        }
    }

    /// What the journal knows of a step that is done.
    fn known(&self, path: &str) -> Result<Past, Value> {
        let mut past = self.history().take(path);
        match past.outcome.take() {
            Some(Outcome::Value(value)) => Err(Value::try_from(value).unwrap_or(Value::Null)),
            outcome => Ok(Past { outcome, ..past }),
        }
    }

    fn given(&self, path: &str, value: Value) -> Value {
        self.world.note(Change::Given { step: path.to_owned(), value: (&value).into() });
        value
    }

    async fn set(&self, with: &CompiledTemplate, path: &str, scope: &Scope, frame: &Frame) -> Result<Value, Stop> {
        if let Err(value) = self.known(path) {
            return Ok(value);
        }
        self.gate(frame).await?;
        let scope = self.spent_in(scope, self.budget.spent())?;
        let value = with.make(&scope).map_err(|error| self.broke(path, &error, Amount::ZERO))?;
        Ok(self.given(path, value))
    }

    /// Which case was chosen; the first time, by the conditions as they are now.
    async fn chosen(&self, path: &str, frame: &Frame, choose: impl FnOnce() -> Result<u32, Stop>) -> Result<u32, Stop> {
        let known = self.history().take(path).chose;
        match known {
            Some(case) => Ok(case),
            None => {
                self.gate(frame).await?;
                let case = choose()?;
                self.world.note(Change::Chose { step: path.to_owned(), case });
                Ok(case)
            }
        }
    }

    /// Is it true? Null and false are not, as in jq.
    fn holds(&self, condition: &Compiled, path: &str, scope: &Scope) -> Result<bool, Stop> {
        let scope = self.spent_in(scope, self.budget.spent())?;
        let value = condition.run(&scope).map_err(|error| self.broke(path, &error, Amount::ZERO))?;
        Ok(!matches!(value, Value::Null | Value::Bool(false)))
    }

    async fn switch(
        &self,
        cases: &[(Compiled, Vec<PlanStep>)],
        otherwise: &[PlanStep],
        path: &str,
        scope: &Scope,
        frame: &Frame,
    ) -> Result<Value, Stop> {
        let choose = || {
            for (nth, (condition, _)) in cases.iter().enumerate() {
                if self.holds(condition, path, scope)? {
                    return Ok(u32::try_from(nth).unwrap_or(u32::MAX));
                }
            }
            Ok(u32::try_from(cases.len()).unwrap_or(u32::MAX))
        };
        let case = self.chosen(path, frame, choose).await?;
        let steps = cases.get(case as usize).map_or(otherwise, |(_, steps)| steps);
        self.steps(steps, scope.clone(), frame.clone()).await.map(|(last, _)| last)
    }

    async fn repeated(
        &self,
        (condition, rounds_max): (&Compiled, u32),
        steps: &[PlanStep],
        path: &str,
        scope: &Scope,
        frame: &Frame,
    ) -> Result<Value, Stop> {
        let mut last = Value::Null;
        // The condition sees what the round before gave.
        let mut seen = scope.clone();
        for step in steps {
            seen = seen.with_step(&step.step.id, Value::Null).map_err(|error| failed(path, &error))?;
        }
        for round in 0u32.. {
            let place = format!("{path}#{round}");
            seen = seen.with("round", i64::from(round).into()).map_err(|error| failed(path, &error))?;
            let goes_on = self.chosen(&place, frame, || self.holds(condition, path, &seen).map(u32::from)).await? == 1;
            if !goes_on {
                break;
            }
            if round >= rounds_max {
                return Err(self.broke(
                    path,
                    &format!("it would go on after {rounds_max} rounds; see `while` and `max`"),
                    Amount::ZERO,
                ));
            }
            let inner = scope.with("round", i64::from(round).into()).map_err(|error| failed(path, &error))?;
            let frame = Frame { path: format!("{place}/"), ..frame.clone() };
            (last, seen) = self.steps(steps, inner, frame).await?;
        }
        Ok(last)
    }

    async fn map(
        &self,
        fan: &Fan,
        over: &Compiled,
        steps: &[PlanStep],
        (path, spares): (&str, bool),
        scope: &Scope,
        frame: &Frame,
    ) -> Result<Value, Stop> {
        let items = self.opened(over, path, scope, frame).await?;
        let halt = frame.halt.within();
        let mut results = vec![Value::Null; items.len()];
        let (mut running, mut waiting) = (FuturesUnordered::new(), items.into_iter().enumerate());
        let mut stopped = None;
        loop {
            while stopped.is_none()
                && running.len() < fan.concurrency as usize
                && let Some((nth, item)) = waiting.next()
            {
                let frame = self.item_frame(fan, &format!("{path}#{nth}"), frame, &halt);
                let scope = scope.with(&fan.item, item).map_err(|error| failed(path, &error))?;
                running.push(async move { (nth, self.steps(steps, scope, frame).await) });
            }
            let Some((nth, outcome)) = running.next().await else { break };
            match outcome {
                Ok((last, _)) => results[nth] = last,
                Err(Stop::Failed(failure)) if spares || failure.is_item => {}
                Err(stop) => {
                    self.halt(&halt);
                    stopped = worse(stopped, stop);
                }
            }
        }
        match stopped {
            Some(stop) => Err(self.all_broke(path, stop, frame)),
            None => List::new(results).map(Into::into).map_err(|error| self.broke(path, &error, Amount::ZERO)),
        }
    }

    fn item_frame(&self, fan: &Fan, place: &str, frame: &Frame, halt: &super::walk::Halt) -> Frame {
        let budget = match fan.item_budget {
            Some(most) => self.budget_of(place, &format!("`{place}`"), most, &frame.budget),
            None => frame.budget.clone(),
        };
        Frame { path: format!("{place}/"), halt: halt.clone(), budget, ..frame.clone() }
    }

    /// The list of a map: the same each time, or the run stands still.
    async fn opened(&self, over: &Compiled, path: &str, scope: &Scope, frame: &Frame) -> Result<Vec<Value>, Stop> {
        let known = self.history().take(path).opened;
        if known.is_none() {
            self.gate(frame).await?;
        }
        let value = over.run(scope).map_err(|error| self.broke(path, &error, Amount::ZERO))?;
        let Some(items) = value.as_list().map(<[Value]>::to_vec) else {
            let what = format!("a list is wanted, and this is {}", value.sort());
            return Err(self.broke(path, &what, Amount::ZERO));
        };
        let count = u32::try_from(items.len()).ok().filter(|count| *count <= ROUNDS_MAX);
        let Some(count) = count else {
            let what = format!("a list of {} items; at most {ROUNDS_MAX}, so split it", items.len());
            return Err(self.broke(path, &what, Amount::ZERO));
        };
        let list = digest(&(&value).into());
        match known {
            Some(known) if known != (count, list) => {
                return Err(self.diverged(path, "the list of this map is another one than when it was begun", frame).await);
            }
            Some(_) => {}
            None => self.world.note(Change::Opened { step: path.to_owned(), items: count, list }),
        }
        Ok(items)
    }

    /// Going through the file anew does not lead where it led before: nothing more is done until somebody ends the run.
    pub(super) async fn diverged(&self, path: &str, what: &str, frame: &Frame) -> Stop {
        let why = format!("{what}; {DIVERGED}");
        if let Err(lost) = self.world.record(Change::Paused { step: Some(path.to_owned()), why: why.clone() }).await {
            return lost.into();
        }
        self.control.tell(|told| drop(told.waiting.insert(path.to_owned(), why)));
        let stop = self.until(u64::MAX, &Frame { deadline_ms: None, ..frame.clone() }).await;
        stop.err().unwrap_or(Stop::Halted)
    }

    async fn parallel(
        &self,
        branches: &[(String, Vec<PlanStep>)],
        path: &str,
        scope: &Scope,
        frame: &Frame,
    ) -> Result<Value, Stop> {
        let halt = frame.halt.within();
        let mut running = FuturesUnordered::new();
        for (name, steps) in branches {
            let frame = Frame { path: format!("{path}.{name}/"), halt: halt.clone(), ..frame.clone() };
            let walk = self.steps(steps, scope.clone(), frame);
            running.push(async move { (name, walk.await) });
        }
        let (mut members, mut stopped) = (Vec::new(), None);
        while let Some((name, outcome)) = running.next().await {
            match outcome {
                Ok((last, _)) => members.push((name.as_str().into(), last)),
                Err(stop) => {
                    self.halt(&halt);
                    stopped = worse(stopped, stop);
                }
            }
        }
        match stopped {
            Some(stop) => Err(self.all_broke(path, stop, frame)),
            None => Map::new(members).map(Into::into).map_err(|error| self.broke(path, &error, Amount::ZERO)),
        }
    }

    async fn wait(
        &self,
        wait: &Wait,
        until: Option<&CompiledTemplate>,
        path: &str,
        scope: &Scope,
        frame: &Frame,
    ) -> Result<Value, Stop> {
        let past = match self.known(path) {
            Err(value) => return Ok(value),
            Ok(past) => past,
        };
        self.gate(frame).await?;
        let now_ms = self.world.now_ms();
        let awaited = match past.awaits {
            Some(awaited) => awaited,
            None => {
                let after = |span: std::time::Duration| now_ms.saturating_add(span.as_millis() as u64);
                let awaited = match (&wait.until, until) {
                    (Until::For(span), _) => Awaited::Time { until_ms: after(*span) },
                    (Until::Signal(name), _) => Awaited::Signal { name: name.clone(), until_ms: wait.timeout.map(after) },
                    (Until::Time(_), Some(time)) => Awaited::Time { until_ms: self.time(time, path, scope)? },
                    (Until::Time(_), None) => return Err(self.broke(path, &"it has no time", Amount::ZERO)),
                };
                self.world.record(Change::Awaits { step: path.to_owned(), awaited: awaited.clone() }).await?;
                awaited
            }
        };
        match awaited {
            Awaited::Time { until_ms } => {
                self.until(until_ms, frame).await?;
                self.gate(frame).await?;
                Ok(self.given(path, Value::Null))
            }
            Awaited::Signal { name, until_ms } => self.signalled(&name, until_ms, path, frame).await,
            Awaited::Approval { .. } => Err(self.diverged(path, "it waited for an approval", frame).await),
        }
    }

    fn time(&self, time: &CompiledTemplate, path: &str, scope: &Scope) -> Result<u64, Stop> {
        let scope = self.spent_in(scope, self.budget.spent())?;
        let value = time.make(&scope).map_err(|error| self.broke(path, &error, Amount::ZERO))?;
        let point = value.as_text().and_then(|text| chrono::DateTime::parse_from_rfc3339(text).ok());
        let wrong = || self.broke(path, &"a point in time is wanted, as `2027-01-31T08:00:00+01:00`", Amount::ZERO);
        point.map(|point| u64::try_from(point.timestamp_millis()).unwrap_or(0)).ok_or_else(wrong)
    }

    async fn signalled(&self, name: &str, until_ms: Option<u64>, path: &str, frame: &Frame) -> Result<Value, Stop> {
        let came = self.control.when(|told| told.signals.get_mut(name).and_then(std::collections::VecDeque::pop_front));
        let over = Box::pin(self.until(until_ms.unwrap_or(u64::MAX), frame));
        match futures::future::select(Box::pin(came), over).await {
            Either::Left((payload, _)) => {
                let value = Value::try_from(payload).map_err(|error| self.broke(path, &error, Amount::ZERO))?;
                Ok(self.given(path, value))
            }
            Either::Right((Err(stop), _)) => Err(stop),
            Either::Right((Ok(()), _)) => Err(self.broke(path, &format!("no signal `{name}` came in time"), Amount::ZERO)),
        }
    }

    async fn approve(
        &self,
        approval: &Approval,
        message: &CompiledTemplate,
        path: &str,
        scope: &Scope,
        frame: &Frame,
    ) -> Result<Value, Stop> {
        let past = match self.known(path) {
            Err(value) => return Ok(value),
            Ok(past) => past,
        };
        self.gate(frame).await?;
        let (message, until_ms) = match past.awaits {
            Some(Awaited::Approval { message, until_ms }) => (message, until_ms),
            _ => {
                let scope = self.spent_in(scope, self.budget.spent())?;
                let message = message.make(&scope).map_err(|error| self.broke(path, &error, Amount::ZERO))?;
                let message = message.as_text().map_or_else(|| Json::from(&message).to_string(), str::to_owned);
                let until_ms = self.world.now_ms().saturating_add(approval.expires.as_millis() as u64);
                let awaited = Awaited::Approval { message: message.clone(), until_ms };
                self.world.record(Change::Awaits { step: path.to_owned(), awaited }).await?;
                (message, until_ms)
            }
        };
        self.control.tell(|told| {
            told.asking.insert(path.to_owned(), message);
            told.decisions.extend(past.decided.map(|decided| (path.to_owned(), decided)));
        });
        let decided = self.decided(path, until_ms, frame).await;
        self.control.tell(|told| drop(told.asking.remove(path)));
        let value = |approved: bool, by: Option<&str>, note: Option<&str>| {
            let value = Value::try_from(json!({ "approved": approved, "by": by, "note": note })).unwrap_or(Value::Null);
            Ok(self.given(path, value))
        };
        match (decided?, approval.on_expiry) {
            (Some(decided), _) => value(decided.approved, Some(&decided.by), decided.note.as_deref()),
            (None, Expiry::Approve) => value(true, None, None),
            (None, Expiry::Reject) => value(false, None, None),
            (None, Expiry::Fail) => Err(self.broke(path, &"nobody approved in time", Amount::ZERO)),
        }
    }

    async fn decided(&self, path: &str, until_ms: u64, frame: &Frame) -> Result<Option<super::history::Decision>, Stop> {
        let decided = self.control.when(|told| told.decisions.get(path).cloned());
        let over = Box::pin(self.until(until_ms, frame));
        match futures::future::select(Box::pin(decided), over).await {
            Either::Left((decided, _)) => Ok(Some(decided)),
            Either::Right((over, _)) => over.map(|()| None),
        }
    }

    async fn nested(
        &self,
        (workflow, nodes): (&str, Option<&[hansa_economy::PublicKey]>),
        with: &CompiledTemplate,
        path: &str,
        scope: &Scope,
        frame: &Frame,
    ) -> Result<Value, Stop> {
        let wrong = |what: &dyn std::fmt::Display| self.broke(path, what, Amount::ZERO);
        if frame.depth >= NESTED_RUNS_MAX {
            return Err(wrong(&format!("workflows within each other more than {NESTED_RUNS_MAX} deep; does one run itself?")));
        }
        let known = self.history().take(path).nested;
        let file = match known {
            Some(file) => file,
            None => {
                self.gate(frame).await?;
                let file = self.world.workflow(workflow).await.map_err(|what| wrong(&what))?;
                self.world.record(Change::Nested { step: path.to_owned(), file: file.clone() }).await?;
                file
            }
        };
        let plan = Plan::within(&file, nodes)
            .map_err(|problems| wrong(&format!("`{workflow}` cannot be read: {}", shown(&problems))))?;
        let given = self.spent_in(scope, self.budget.spent())?;
        let given = with.make(&given).map_err(|error| wrong(&error))?;
        let Json::Object(given) = Json::from(&given) else { return Err(wrong(&"its inputs are no map")) };
        let input = plan.workflow.inputs_of(given).map_err(|what| wrong(&what))?;
        let input = Value::try_from(Json::Object(input)).map_err(|error| wrong(&error))?;
        let inner = self.scope(input, plan.workflow.name.as_str(), &plan.workflow.version.to_string())?;
        let budget = self.budget_of(path, &format!("`{path}`"), plan.workflow.budget, &frame.budget);
        let frame = Frame { budget, depth: frame.depth + 1, ..frame.clone() };
        let (last, seen) = self.steps(&plan.steps, inner, frame).await?;
        match &plan.output {
            Some(output) => output.make(&self.spent_in(&seen, self.budget.spent())?).map_err(|error| wrong(&error)),
            None => Ok(last),
        }
    }
}

/// A failure is told rather than that others halted for it, and that the run is lost rather than either.
fn worse(one: Option<Stop>, other: Stop) -> Option<Stop> {
    match (one, other) {
        (Some(Stop::Lost), _) | (_, Stop::Lost) => Some(Stop::Lost),
        (Some(Stop::Failed(failure)), _) => Some(Stop::Failed(failure)),
        (_, other) => Some(other),
    }
}

fn shown(problems: &[crate::Problem]) -> String {
    problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

pub(super) fn digest(value: &Json) -> Digest {
    Digest::of(value.to_string().as_bytes())
}
