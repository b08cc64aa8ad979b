//! Calls: their attempts, and what they cost.

use hansa_economy::{Amount, PublicKey};

use super::Report;
use super::cost::Cost;
use super::event::{Did, Event, What};
use super::step::{Answer, Attempt, Fault, Kind, Outcome, StepState};
use crate::run::{Answered, Attempted};

impl Report {
    pub(super) fn attempted(&mut self, begun: &Attempted, at_ms: u64) {
        let nth = self.at(&begun.step, Did::Attempt(0), at_ms);
        self.is(nth, Kind::Call);
        self.set_aside(nth, begun.price_max);
        let attempt = Attempt {
            nth: begun.nth,
            seller: Some(begun.seller),
            package: Some(begun.package.clone()),
            price_max: Some(begun.price_max),
            began_ms: at_ms,
            until_ms: Some(begun.until_ms),
            ended_ms: None,
            outcome: Outcome::Open,
            faults: Vec::new(),
        };
        let attempts = &mut self.steps[nth].attempts;
        attempts.push(attempt);
        let did = Did::Attempt(last(attempts));
        self.name_last(did);
        self.turn(nth, StepState::Running, at_ms);
    }

    /// What the event that was just added is.
    fn name_last(&mut self, did: Did) {
        if let Some(Event { what: What::Step(_, last), .. }) = self.events.last_mut() {
            *last = did;
        }
    }

    pub(super) fn set_aside(&mut self, nth: usize, price: Amount) {
        let before = std::mem::replace(&mut self.steps[nth].set_aside, price);
        self.facts.set_aside = self.facts.set_aside.saturating_sub(before).saturating_add(price);
    }

    /// It cost so much, by its last attempt.
    pub(super) fn charge(&mut self, nth: usize, cost: &Cost) {
        let step = &mut self.steps[nth];
        step.charged = step.charged.saturating_add(cost.charged);
        step.at_risk = step.at_risk.saturating_add(cost.at_risk);
        self.facts.spent = self.facts.spent.saturating_add(cost.total());
        let attempt = step.attempts.last();
        let seller: Option<(PublicKey, &str)> =
            attempt.and_then(|attempt| Some((attempt.seller?, attempt.package.as_deref().unwrap_or_default())));
        self.costs.add(step.pattern(), seller, cost);
    }

    pub(super) fn answered(&mut self, answered: &Answered, at_ms: u64) {
        let nth = self.at(&answered.step, Did::Answer, at_ms);
        self.set_aside(nth, Amount::ZERO);
        self.close_attempt(nth, Outcome::Answered, at_ms);
        self.charge(nth, &Cost { calls: 1, charged: answered.charged, ..Cost::default() });
        self.steps[nth].receipt = answered.receipt;
        self.steps[nth].answer = Some(Answer::new(&answered.value, self.keeps_values));
        self.end(nth, StepState::Done, at_ms);
    }

    /// Its attempt under way has come to that. None is: false.
    pub(super) fn close_attempt(&mut self, nth: usize, outcome: Outcome, at_ms: u64) -> bool {
        let last = self.steps[nth].attempts.last_mut();
        let open = last.filter(|attempt| matches!(attempt.outcome, Outcome::Open | Outcome::Unclear));
        open.is_some_and(|attempt| {
            attempt.outcome = outcome;
            attempt.ended_ms = (outcome != Outcome::Unclear).then_some(at_ms);
            true
        })
    }

    pub(super) fn missed(&mut self, step: &str, number: u32, (what, again_ms): (&str, u64), is_unclear: bool, at_ms: u64) {
        let nth = self.at(step, Did::Begin, at_ms);
        let outcome = if is_unclear { Outcome::Unclear } else { Outcome::Missed };
        if !is_unclear {
            self.set_aside(nth, Amount::ZERO);
        }
        if !self.close_attempt(nth, outcome, at_ms) {
            // Nobody could be asked.
            let attempt = Attempt {
                nth: number,
                seller: None,
                package: None,
                price_max: None,
                began_ms: at_ms,
                until_ms: None,
                ended_ms: Some(at_ms),
                outcome,
                faults: Vec::new(),
            };
            self.steps[nth].attempts.push(attempt);
        } else if !is_unclear {
            self.charge(nth, &Cost { failed: 1, ..Cost::default() });
        }
        let attempts = &mut self.steps[nth].attempts;
        let attempt = last(attempts);
        if let Some(faulty) = attempts.last_mut() {
            faulty.faults.push(Fault { at_ms, what: what.to_owned(), again_ms });
            let fault = last(&faulty.faults);
            self.name_last(Did::Miss { attempt, fault, is_unclear });
        }
        self.turn(nth, StepState::Running, at_ms);
    }

    pub(super) fn broke(&mut self, step: &str, what: &str, at_risk: Amount, is_item: bool, at_ms: u64) {
        let nth = self.at(step, Did::Break, at_ms);
        self.set_aside(nth, Amount::ZERO);
        if self.close_attempt(nth, Outcome::Failed, at_ms) || at_risk > Amount::ZERO {
            self.charge(nth, &Cost { failed: 1, at_risk, ..Cost::default() });
        }
        self.end(nth, StepState::Failed, at_ms);
        (self.steps[nth].why, self.steps[nth].is_item) = (Some(what.to_owned()), is_item);
    }
}

fn last<T>(list: &[T]) -> u32 {
    u32::try_from(list.len().saturating_sub(1)).unwrap_or(u32::MAX)
}
