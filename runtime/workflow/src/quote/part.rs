//! What a part of a run costs: one step, several after or beside each other, one of several ways, or the same again and again.

use std::rc::Rc;

use hansa_economy::Amount;

use super::cost::{Cost, Count};
use super::purchase::Desk;
use crate::market::Listing;
use crate::place::Place;

/// A part of a run.
#[derive(Clone, Default)]
pub(super) struct Part {
    pub(super) cost: Cost,
    /// The least that a budget must be for it: more than it costs at least, as the most that a call may cost is set aside before.
    pub(super) needs: Amount,
    /// Steps that buy, and what undoes them.
    pub(super) entries: Vec<Entry>,
    /// The most that undoing it costs.
    pub(super) undo: Amount,
    /// A budget may end it before its time.
    pub(super) is_bound: bool,
    /// It fails for sure: a budget within it is too small.
    pub(super) fails: bool,
    /// A failure within it need not be one of the whole.
    pub(super) spares: bool,
}

/// A step that buys, as often as it does in this part.
#[derive(Clone)]
pub(super) struct Entry {
    pub(super) path: String,
    pub(super) place: Place,
    pub(super) desk: Rc<Desk>,
    /// Which of the fitting offers are chosen; of the first time.
    pub(super) chosen: Vec<usize>,
    /// The fitting offers, at what each of these calls can cost.
    pub(super) offers: Rc<Vec<Listing>>,
    pub(super) calls: Count,
    pub(super) cost: Cost,
}

impl Entry {
    /// With the prices of the other's calls.
    fn widen(&mut self, other: &Entry) {
        let differ = |(one, other): (&Listing, &Listing)| (one.price_min, one.price_max) != (other.price_min, other.price_max);
        if !self.offers.iter().zip(other.offers.iter()).any(differ) {
            return;
        }
        for (one, other) in Rc::make_mut(&mut self.offers).iter_mut().zip(other.offers.iter()) {
            one.price_min = one.price_min.min(other.price_min);
            one.price_max = one.price_max.max(other.price_max);
        }
    }
}

impl Part {
    /// Nothing is bought.
    pub(super) fn nothing() -> Part {
        Part { cost: Cost::NOTHING, ..Part::default() }
    }

    /// Anything may be bought.
    pub(super) fn unknown() -> Part {
        Part { cost: Cost::between(Amount::ZERO, None, Amount::MAX), ..Part::default() }
    }

    /// This, and then the other, which has other steps.
    pub(super) fn then(mut self, mut other: Part) -> Part {
        let needs = self.needs.max(self.cost.least.saturating_add(other.needs));
        self.entries.append(&mut other.entries);
        Part { needs, ..self.sum(&other) }
    }

    /// This and the other at the same time, which has other steps.
    pub(super) fn beside(mut self, mut other: Part) -> Part {
        let needs = self.needs.max(other.needs).max(self.cost.least.saturating_add(other.cost.least));
        self.entries.append(&mut other.entries);
        Part { needs, ..self.sum(&other) }
    }

    /// This, and then the same steps again.
    pub(super) fn again(mut self, mut other: Part) -> Part {
        let needs = self.needs.max(self.cost.least.saturating_add(other.needs));
        self.entries = merged(self.entries, std::mem::take(&mut other.entries));
        Part { needs, ..self.sum(&other) }
    }

    fn sum(self, other: &Part) -> Part {
        Part {
            cost: self.cost.plus(other.cost),
            undo: self.undo.saturating_add(other.undo),
            is_bound: self.is_bound || other.is_bound,
            fails: self.fails || other.fails,
            spares: self.spares || other.spares,
            ..self
        }
    }

    /// This or the other.
    pub(super) fn or(mut self, other: Part) -> Part {
        let perhaps = |mut entry: Entry| {
            (entry.calls.least, entry.cost) = (0, entry.cost.or_nothing());
            entry
        };
        self.entries = self.entries.into_iter().chain(other.entries).map(perhaps).collect();
        Part {
            cost: self.cost.or(other.cost),
            needs: self.needs.min(other.needs),
            undo: self.undo.max(other.undo),
            is_bound: self.is_bound || other.is_bound,
            fails: self.fails && other.fails,
            spares: self.spares || other.spares,
            ..self
        }
    }

    /// So often.
    pub(super) fn times(mut self, times: Count) -> Part {
        for entry in &mut self.entries {
            let calls = entry.calls.times(times);
            (entry.cost, entry.calls) = (entry.cost.times(times), calls);
            if entry.desk.undoes {
                (entry.calls.least, entry.cost.least) = (0, Amount::ZERO);
            }
        }
        let before = self.cost.least.saturating_mul(u128::from(times.least.saturating_sub(1)));
        Part {
            cost: self.cost.times(times),
            needs: if times.least == 0 { Amount::ZERO } else { before.saturating_add(self.needs) },
            undo: self.undo.saturating_mul(times.most.into()),
            is_bound: self.is_bound && times.most > 0,
            fails: self.fails && times.least > 0,
            ..self
        }
    }

    /// Within a budget. What undoes it is not: it counts for the run alone.
    pub(super) fn capped(mut self, budget: Amount) -> Part {
        for entry in self.entries.iter_mut().filter(|entry| !entry.desk.undoes) {
            entry.cap(budget);
        }
        self.is_bound |= self.cost.most > budget;
        Part { cost: self.cost.capped(budget), needs: self.needs.min(budget), ..self }
    }
}

impl Entry {
    /// No more calls are answered than the budget has prices in it.
    pub(super) fn cap(&mut self, budget: Amount) {
        self.cost = self.cost.capped(budget);
        if let Some(most) = budget.0.checked_div(self.desk.least.0) {
            self.calls.most = self.calls.most.min(u64::try_from(most).unwrap_or(u64::MAX));
            self.calls.least = self.calls.least.min(self.calls.most);
        }
    }
}

/// Steps of both, those of the same path made one.
fn merged(mut all: Vec<Entry>, others: Vec<Entry>) -> Vec<Entry> {
    for (nth, other) in others.into_iter().enumerate() {
        let same = |entry: &Entry| entry.desk.undoes == other.desk.undoes && entry.path == other.path;
        // The same steps stand at the same places, unless the quote became rough between them.
        let at = all.get(nth).filter(|entry| same(entry)).map(|_| nth).or_else(|| all.iter().position(same));
        match at {
            Some(at) => {
                all[at].widen(&other);
                (all[at].calls, all[at].cost) = (all[at].calls.plus(other.calls), all[at].cost.plus(other.cost));
            }
            None => all.push(other),
        }
    }
    all
}
