//! Buying one call: chosen, paid for and answered once, however often it is tried and whoever goes on with it.

use std::sync::Arc;

use hansa_economy::{Amount, PublicKey};
use serde_json::Value as Json;

use super::entry::{Answered, Attempted, Change};
use super::history::{Outcome, Past};
use super::plan::PlanCall;
use super::several::Fellows;
use super::undo::Undo;
use super::walk::{Failure, Frame, Run, Stop};
use super::works::digest;
use super::world::{Bought, Certainty, Missed, Offered, Purchase, World};
use crate::definition::{OnExhausted, Retry};
use crate::eval::{Scope, Value};
use crate::limits::{CALL_KNOWN_FOR, CALL_TIME_USUAL, CLOCK_SKEW_MAX};

/// Where a call stands between two tries.
struct Progress {
    /// Attempts so far.
    nth: u32,
    /// Failures since it was last let go on.
    failures: u32,
    /// When the next try is due, Unix milliseconds.
    again_ms: u64,
    /// The attempt whose end is not known.
    open: Option<Attempted>,
    /// Why the last try failed.
    why: String,
}

/// One call of one step.
struct Asking<'a> {
    call: &'a PlanCall,
    args: &'a Json,
    path: &'a str,
    frame: &'a Frame,
    retry: Retry,
    /// What `.spent` was for the arguments.
    spent: Amount,
    /// Others that ask the same of other sellers.
    fellows: Option<&'a Fellows>,
}

/// Of offers, best first, the one that is taken: the best that `room` is left for, or else the cheapest.
pub(crate) fn best<T: Copy>(offers: Vec<T>, price_max: impl Fn(T) -> Amount, room: Amount) -> Option<T> {
    let fitting = offers.iter().copied().find(|offered| price_max(*offered) <= room);
    fitting.or_else(|| offers.into_iter().min_by_key(|offered| price_max(*offered)))
}

impl<W: World> Run<W> {
    /// A call step.
    pub(super) async fn call(&self, call: &Arc<PlanCall>, path: &str, scope: &Scope, frame: &Frame) -> Result<Value, Stop> {
        let value = match &call.call.ask {
            Some(ask) => Box::pin(self.ask(call, ask, path, scope, frame)).await?,
            None => {
                let past = self.history().take(path);
                self.one(call, past, path, scope, frame, call.call.retry, None).await?.0
            }
        };
        let value = Value::try_from(value).map_err(|error| self.broke(path, &error, Amount::ZERO))?;
        if let Some(compensate) = &call.compensate {
            let id = path.rsplit(['/']).next().unwrap_or(path);
            let scope = scope.with_step(id, value.clone()).map_err(|error| self.broke(path, &error, Amount::ZERO))?;
            self.undo_later(Undo { path: path.to_owned(), call: compensate.clone(), scope, order: self.undo_order(path) });
        }
        Ok(value)
    }

    /// One call, with the seller that answered where that is known.
    #[expect(clippy::too_many_arguments, reason = "each of them is a thing of its own, and one place calls it with all")]
    pub(super) async fn one(
        &self,
        call: &PlanCall,
        past: Past,
        path: &str,
        scope: &Scope,
        frame: &Frame,
        retry: Retry,
        fellows: Option<&Fellows>,
    ) -> Result<(Json, Option<PublicKey>), Stop> {
        match past.outcome {
            Some(Outcome::Value(value)) => return Ok((value, past.seller)),
            Some(Outcome::Broke { what, is_item }) => return Err(Stop::Failed(Failure { step: path.to_owned(), what, is_item })),
            None => {}
        }
        let known = past.attempt.as_ref();
        if known.is_none_or(|attempt| attempt.is_over) {
            self.gate(frame).await?;
        }
        let open = known.filter(|attempt| !attempt.is_over).map(|attempt| attempt.begun.clone());
        // A call that may have run is repeated with the same arguments.
        let spent = open.as_ref().map_or_else(|| self.budget.spent(), |begun| begun.spent);
        let args = self.args(call, path, &self.spent_in(scope, spent)?)?;
        if open.as_ref().is_some_and(|begun| begun.args != digest(&args)) {
            return Err(self.diverged(path, "the arguments of this call are others than when it was begun", frame).await);
        }
        let progress = Progress {
            nth: known.map_or(0, |attempt| attempt.begun.nth),
            failures: past.failures,
            again_ms: known.map_or(0, |attempt| attempt.again_ms),
            open,
            why: "it was interrupted".to_owned(),
        };
        let asking = Asking { call, args: &args, path, frame, retry, spent, fellows };
        self.buy(&asking, progress).await
    }

    fn args(&self, call: &PlanCall, path: &str, scope: &Scope) -> Result<Json, Stop> {
        let args = call.with.make(scope).map_err(|error| self.broke(path, &error, Amount::ZERO))?;
        Ok((&args).into())
    }

    async fn buy(&self, asking: &Asking<'_>, mut progress: Progress) -> Result<(Json, Option<PublicKey>), Stop> {
        loop {
            if progress.failures >= asking.retry.max_attempts {
                self.exhausted(asking, &mut progress).await?;
            }
            self.pause_between(asking, &progress).await?;
            if progress.failures > 0 && progress.open.is_none() && asking.fellows.is_some_and(Fellows::is_enough) {
                return Err(self.give_up(asking, None, "it is not tried again, as enough others have answered"));
            }
            let is_repeat = progress.open.is_some();
            let begun = match progress.open.take() {
                Some(begun) => begun,
                None => match self.begin(asking, &mut progress).await? {
                    Some(begun) => begun,
                    None => continue,
                },
            };
            match self.attempt(asking, &begun, is_repeat).await {
                Ok(bought) => return Ok((self.answered(asking, &begun, bought), Some(begun.seller))),
                Err(missed) => self.missed(asking, begun, missed, is_repeat, &mut progress)?,
            }
        }
    }

    /// Wait until the next try is due. One whose end is not known is not given up for a neighbour's failure.
    async fn pause_between(&self, asking: &Asking<'_>, progress: &Progress) -> Result<(), Stop> {
        let resolves = progress.open.is_some();
        let frame = Frame { undoes: asking.frame.undoes || resolves, ..asking.frame.clone() };
        let due = Box::pin(self.until(progress.again_ms, &frame));
        match asking.fellows.filter(|_| progress.failures > 0 && !resolves) {
            Some(fellows) => match futures::future::select(due, Box::pin(fellows.enough())).await {
                futures::future::Either::Left((due, _)) => due?,
                futures::future::Either::Right(_) => {}
            },
            None => due.await?,
        }
        match resolves {
            true => Ok(()),
            false => self.gate(asking.frame).await,
        }
    }

    /// Choose a seller, set its price aside, and write both down. None: nobody could be asked this time.
    async fn begin(&self, asking: &Asking<'_>, progress: &mut Progress) -> Result<Option<Attempted>, Stop> {
        let wanted = &asking.call.wanted;
        let most = wanted.terms.max_price.unwrap_or(Amount::MAX);
        let offers = match self.world.offers(wanted, asking.args, most).await {
            Ok(offers) => offers,
            Err(missed) if missed.certainty == Certainty::Useless => {
                return Err(self.broke(asking.path, &missed.what, Amount::ZERO));
            }
            Err(missed) => {
                self.nobody(asking, missed.what, progress);
                return Ok(None);
            }
        };
        let Some(offered) = self.choose(asking, offers, progress).await? else { return Ok(None) };
        progress.nth += 1;
        let begun = Attempted {
            step: asking.path.to_owned(),
            nth: progress.nth,
            seller: offered.seller,
            package: offered.package,
            price_max: offered.price_max,
            until_ms: self.call_until(asking),
            args: digest(asking.args),
            spent: asking.spent,
        };
        self.world.record(Change::Attempted(begun.clone())).await?;
        Ok(Some(begun))
    }

    fn call_until(&self, asking: &Asking<'_>) -> u64 {
        let span = asking.call.wanted.terms.deadline.unwrap_or(CALL_TIME_USUAL);
        let until_ms = self.world.now_ms().saturating_add(span.as_millis() as u64);
        match (asking.frame.deadline_ms, asking.frame.undoes) {
            (Some(deadline_ms), false) => until_ms.min(deadline_ms),
            _ => until_ms,
        }
    }

    /// The best offer that the budgets leave room for, its price set aside.
    async fn choose(&self, asking: &Asking<'_>, offers: Vec<Offered>, progress: &mut Progress) -> Result<Option<Offered>, Stop> {
        let budget = &asking.frame.budget;
        let free = |offered: &&Offered| asking.fellows.is_none_or(|fellows| fellows.is_free(offered.seller));
        let room = budget.room();
        let offers: Vec<&Offered> = offers.iter().filter(free).collect();
        let Some(chosen) = best(offers, |offered| offered.price_max, room) else {
            self.nobody(asking, "there are fewer sellers than are to be asked".to_owned(), progress);
            return Ok(None);
        };
        if asking.fellows.is_some_and(|fellows| !fellows.take(chosen.seller)) {
            return Ok(None);
        }
        if let Err(why) = budget.reserve_when_free(chosen.price_max).await {
            return Err(self.broke(asking.path, &why, Amount::ZERO));
        }
        Ok(Some(chosen.clone()))
    }

    /// Nobody could be asked.
    fn nobody(&self, asking: &Asking<'_>, why: String, progress: &mut Progress) {
        progress.failures += 1;
        progress.again_ms = self.again_ms(asking, progress.failures);
        let missed =
            Change::Missed { step: asking.path.to_owned(), nth: progress.nth, fault: why.clone(), again_ms: progress.again_ms };
        self.world.note(missed);
        progress.why = why;
    }

    fn again_ms(&self, asking: &Asking<'_>, failures: u32) -> u64 {
        self.world.now_ms().saturating_add(asking.retry.backoff.after(failures).as_millis() as u64)
    }

    async fn attempt(&self, asking: &Asking<'_>, begun: &Attempted, is_repeat: bool) -> Result<Bought, Missed> {
        let (call, salt) = self.call_id(asking.path, begun.nth);
        let offered = Offered { seller: begun.seller, package: begun.package.clone(), price_max: begun.price_max };
        let until_ms = if is_repeat { self.call_until(asking) } else { begun.until_ms };
        let purchase =
            Purchase { wanted: &asking.call.wanted, args: asking.args, offered: &offered, call, salt, until_ms, is_repeat };
        self.world.buy(purchase).await
    }

    fn answered(&self, asking: &Asking<'_>, begun: &Attempted, bought: Bought) -> Json {
        asking.frame.budget.settle(begun.price_max, bought.charged);
        let Bought { value, charged, receipt } = bought;
        let (step, nth) = (asking.path.to_owned(), begun.nth);
        self.world.note(Change::Answered(Answered { step, nth, value: value.clone(), charged, receipt }));
        value
    }

    fn missed(
        &self,
        asking: &Asking<'_>,
        begun: Attempted,
        missed: Missed,
        is_repeat: bool,
        progress: &mut Progress,
    ) -> Result<(), Stop> {
        // What was sent before may still be under way: what the seller says of a repeat holds once that is over.
        let over_ms = begun.until_ms.saturating_add(CLOCK_SKEW_MAX.as_millis() as u64);
        let early = is_repeat && missed.certainty == Certainty::Nothing && self.world.now_ms() < over_ms;
        let certainty = if early { Certainty::Unclear } else { missed.certainty };
        let (step, nth, fault) = (asking.path.to_owned(), begun.nth, missed.what.clone());
        progress.failures += 1;
        progress.again_ms = self.again_ms(asking, progress.failures);
        let again_ms = progress.again_ms;
        progress.why = missed.what;
        match certainty {
            Certainty::Useless => {
                asking.frame.budget.settle(begun.price_max, Amount::ZERO);
                return Err(self.broke(asking.path, &fault, Amount::ZERO));
            }
            Certainty::Nothing => {
                asking.frame.budget.settle(begun.price_max, Amount::ZERO);
                if let Some(fellows) = asking.fellows {
                    fellows.leave(begun.seller);
                }
                self.world.note(Change::Missed { step, nth, fault, again_ms });
            }
            Certainty::Unclear => {
                self.world.note(Change::Unclear { step, nth, fault, again_ms });
                progress.open = Some(begun);
            }
        }
        Ok(())
    }

    /// All attempts are used up: the step fails, or waits until somebody lets it go on.
    async fn exhausted(&self, asking: &Asking<'_>, progress: &mut Progress) -> Result<(), Stop> {
        let attempts = progress.failures;
        let forgotten = progress.open.as_ref().is_some_and(|begun| self.is_forgotten(begun));
        let what = match forgotten {
            true => format!(
                "{}; whether it ran can no longer be found out, as its seller kept the answer for a day only",
                progress.why
            ),
            false => format!("{}, after {attempts} attempts", progress.why),
        };
        if asking.retry.on_exhausted == OnExhausted::Fail {
            return Err(self.give_up(asking, progress.open.as_ref(), &what));
        }
        self.world.record(Change::Paused { step: Some(asking.path.to_owned()), why: what.clone() }).await?;
        let before = self.control.lock().resumed;
        self.control.tell(|told| drop(told.waiting.insert(asking.path.to_owned(), what.clone())));
        let resumed = self.control.when(|told| (told.resumed > before).then_some(()));
        let over = Box::pin(self.until(u64::MAX, asking.frame));
        let outcome = match futures::future::select(Box::pin(resumed), over).await {
            futures::future::Either::Left(_) => Ok(()),
            futures::future::Either::Right((Err(stop), _)) => Err(stop),
            futures::future::Either::Right((Ok(()), _)) => Err(self.give_up(asking, progress.open.as_ref(), &what)),
        };
        self.control.tell(|told| drop(told.waiting.remove(asking.path)));
        match outcome {
            Ok(()) => {
                (progress.failures, progress.again_ms) = (0, 0);
                Ok(())
            }
            // The run ends, and what this may have cost counts.
            Err(Stop::Halted) if progress.open.is_some() => Err(self.give_up(asking, progress.open.as_ref(), &what)),
            Err(stop) => Err(stop),
        }
    }

    fn is_forgotten(&self, begun: &Attempted) -> bool {
        self.world.now_ms() > begun.until_ms.saturating_add(CALL_KNOWN_FOR.as_millis() as u64)
    }

    fn give_up(&self, asking: &Asking<'_>, open: Option<&Attempted>, what: &str) -> Stop {
        let at_risk = open.map_or(Amount::ZERO, |begun| begun.price_max);
        asking.frame.budget.settle(at_risk, at_risk);
        self.broke(asking.path, &what, at_risk)
    }
}
