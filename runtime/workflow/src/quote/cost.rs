//! Amounts and numbers of calls between bounds. All sums saturate.

use hansa_economy::Amount;
use serde::Serialize;

/// What something costs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Cost {
    /// At least, with the cheapest offers and without failures.
    pub least: Amount,
    /// With the chosen offers, where both prices and numbers of calls are known.
    pub likely: Option<Amount>,
    /// At most, with any offer that meets the terms; budgets bound it.
    pub most: Amount,
}

/// How often something happens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Count {
    /// At least.
    pub least: u64,
    /// At most.
    pub most: u64,
}

impl Count {
    /// Exactly so often.
    pub(super) const fn exactly(times: u64) -> Count {
        Count { least: times, most: times }
    }

    pub(super) const fn up_to(most: u64) -> Count {
        Count { least: 0, most }
    }

    /// The number, where it is known.
    pub fn exact(self) -> Option<u64> {
        (self.least == self.most).then_some(self.least)
    }

    pub(super) fn plus(self, other: Count) -> Count {
        Count { least: self.least.saturating_add(other.least), most: self.most.saturating_add(other.most) }
    }

    pub(super) fn times(self, times: Count) -> Count {
        Count { least: self.least.saturating_mul(times.least), most: self.most.saturating_mul(times.most) }
    }
}

impl Cost {
    pub(super) const NOTHING: Cost = Cost { least: Amount::ZERO, likely: Some(Amount::ZERO), most: Amount::ZERO };

    /// Between these; `likely` where that is known.
    pub(super) fn between(least: Amount, likely: Option<Amount>, most: Amount) -> Cost {
        Cost { least: least.min(most), likely, most }
    }

    /// The amount, where no offer and no course of the run makes it another one.
    pub fn exact(self) -> Option<Amount> {
        self.likely.filter(|likely| self.least == self.most && self.most == *likely)
    }

    pub(super) fn plus(self, other: Cost) -> Cost {
        let likely = self.likely.zip(other.likely).map(|(one, other)| one.saturating_add(other));
        Cost::between(self.least.saturating_add(other.least), likely, self.most.saturating_add(other.most))
    }

    pub(super) fn times(self, times: Count) -> Cost {
        let known = self.likely.zip(times.exact()).map(|(each, times)| each.saturating_mul(times.into()));
        // However often, what is free is free.
        let likely = known.or_else(|| (self.most.is_zero() || times.most == 0).then_some(Amount::ZERO));
        Cost::between(self.least.saturating_mul(times.least.into()), likely, self.most.saturating_mul(times.most.into()))
    }

    /// One or the other.
    pub(super) fn or(self, other: Cost) -> Cost {
        let likely = self.likely.filter(|likely| other.likely == Some(*likely));
        Cost::between(self.least.min(other.least), likely, self.most.max(other.most))
    }

    /// It, or nothing.
    pub(super) fn or_nothing(self) -> Cost {
        self.or(Cost::NOTHING)
    }

    /// Within a budget: what is beyond is not bought.
    pub(super) fn capped(self, budget: Amount) -> Cost {
        let likely = self.likely.filter(|likely| *likely <= budget);
        Cost { least: self.least.min(budget), likely, most: self.most.min(budget) }
    }
}
