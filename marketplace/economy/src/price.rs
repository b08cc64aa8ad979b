//! Prices: what one call of a function costs, by what can be counted of it. Integers only; no charge exceeds `max`.

use minicbor::{Decode, Encode};
use serde::Serialize;

use crate::amount::Amount;
use crate::limits::PRICE_STEPS_MAX;

/// What a function costs. The charge never exceeds `max`; a call that ends in a fault costs nothing.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
#[serde(rename_all = "kebab-case")]
#[cbor(map)]
pub struct Price {
    /// Charged for each answered call.
    #[n(0)]
    pub base: Amount,
    /// Charged for each started KiB (1024 bytes) of the encoded arguments.
    #[n(1)]
    pub per_request_kib: Amount,
    /// Charged for each started KiB of the encoded answer.
    #[n(2)]
    pub per_response_kib: Amount,
    /// The ceiling for one call.
    #[n(3)]
    pub max: Amount,
    /// Charged for each second of run time, by the millisecond: the sum is rounded up to the asset's smallest unit.
    #[cbor(n(4), default, skip_if = "Amount::is_zero")]
    #[serde(skip_serializing_if = "Amount::is_zero")]
    pub per_second: Amount,
    /// Charged for each input and output unit of the models that the call ran.
    #[cbor(n(5), default, skip_if = "Amount::is_zero")]
    #[serde(skip_serializing_if = "Amount::is_zero")]
    pub per_inference_unit: Amount,
    /// Charged for each item that the agent counts for the call.
    #[cbor(n(6), default, skip_if = "Amount::is_zero")]
    #[serde(skip_serializing_if = "Amount::is_zero")]
    pub per_item: Amount,
    /// Lower prices for a customer's later calls, in their order.
    #[cbor(n(7), default, skip_if = "Vec::is_empty")]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<Step>,
    /// The seller names the price of each call when it is asked with the arguments: a [`crate::quote::Quote`] of at most `max`.
    #[cbor(n(8), default, skip_if = "is_false")]
    #[serde(skip_serializing_if = "is_false")]
    pub quoted: bool,
}

/// A lower price from a customer's `from`-th answered call on.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
#[serde(rename_all = "kebab-case")]
#[cbor(map)]
pub struct Step {
    /// The first call that it holds for; the customer's first call is 1.
    #[n(0)]
    pub from: u64,
    /// The price from then on.
    #[n(1)]
    pub rates: Rates,
}

/// What the parts of a call cost: a [`Price`] without steps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode, Serialize)]
#[serde(rename_all = "kebab-case")]
#[cbor(map)]
pub struct Rates {
    /// As in [`Price`].
    #[n(0)]
    pub base: Amount,
    /// As in [`Price`].
    #[n(1)]
    pub per_request_kib: Amount,
    /// As in [`Price`].
    #[n(2)]
    pub per_response_kib: Amount,
    /// As in [`Price`].
    #[n(3)]
    pub max: Amount,
    /// As in [`Price`].
    #[n(4)]
    pub per_second: Amount,
    /// As in [`Price`].
    #[n(5)]
    pub per_inference_unit: Amount,
    /// As in [`Price`].
    #[n(6)]
    pub per_item: Amount,
}

/// What can be counted of an answered call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Measure {
    /// Bytes of the encoded arguments.
    pub request_bytes: usize,
    /// Bytes of the encoded answer.
    pub response_bytes: usize,
    /// From the start of the instance to its answer, waiting included, milliseconds.
    pub run_ms: u64,
    /// Input and output units of the models that it ran.
    pub inference_units: u64,
    /// What the agent counted.
    pub items: u64,
}

/// Why a price makes no sense.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum PriceError {
    /// Too many steps.
    #[error("it has {0} steps, more than {PRICE_STEPS_MAX}; leave some out")]
    Steps(usize),
    /// A step that holds from the first call on, or not after the one before it.
    #[error("the step `from = {from}` must begin above {above}; order steps by `from`, the first at 2 or later")]
    Order {
        /// Where it begins.
        from: u64,
        /// Where the one before it does.
        above: u64,
    },
    /// A step that costs more.
    #[error("the step `from = {from}` raises `{part}`; a step may only lower what was before it")]
    Rises {
        /// Where it begins.
        from: u64,
        /// The dearer part.
        part: &'static str,
    },
    /// A quoted price that is computed too.
    #[error("a quoted price has `max` alone; leave its other amounts and its steps out")]
    Quoted,
    /// Nothing could ever be charged.
    #[error("`max` is 0, so that nothing could be charged; write \"free\", or a higher `max`")]
    Nothing,
}

fn is_false(yes: &bool) -> bool {
    !yes
}

impl Price {
    /// No charge at all.
    pub const FREE: Price = Price::per_call(Amount::ZERO);

    /// A fixed amount for each call.
    pub const fn per_call(amount: Amount) -> Price {
        Price {
            base: amount,
            per_request_kib: Amount::ZERO,
            per_response_kib: Amount::ZERO,
            max: amount,
            per_second: Amount::ZERO,
            per_inference_unit: Amount::ZERO,
            per_item: Amount::ZERO,
            steps: Vec::new(),
            quoted: false,
        }
    }

    /// Named by the seller for each call, up to `max`.
    pub fn quoted(max: Amount) -> Price {
        Price { max, quoted: true, ..Price::FREE }
    }

    /// The same as `rates` say, without steps.
    pub const fn of(rates: Rates) -> Price {
        let Rates { base, per_request_kib, per_response_kib, max, per_second, per_inference_unit, per_item } = rates;
        let steps = Vec::new();
        Price { base, per_request_kib, per_response_kib, max, per_second, per_inference_unit, per_item, steps, quoted: false }
    }

    /// What holds for a customer's first calls.
    pub const fn rates(&self) -> Rates {
        Rates {
            base: self.base,
            per_request_kib: self.per_request_kib,
            per_response_kib: self.per_response_kib,
            max: self.max,
            per_second: self.per_second,
            per_inference_unit: self.per_inference_unit,
            per_item: self.per_item,
        }
    }

    /// What holds for a customer's `nth` answered call; the first is 1.
    pub fn rates_at(&self, nth: u64) -> Rates {
        let step = self.steps.iter().take_while(|step| step.from <= nth).last();
        step.map_or_else(|| self.rates(), |step| step.rates)
    }

    /// The most that a call with arguments of `request_bytes` can cost: exact where nothing else plays a part.
    pub fn ceiling(&self, request_bytes: usize) -> Amount {
        match self.quoted || self.rates().depends_on_the_run() {
            true => self.max,
            false => self.charge(request_bytes, 0),
        }
    }

    /// The least that an answered call with arguments of `request_bytes` can cost, free calls aside: at the last step.
    pub fn floor(&self, request_bytes: usize) -> Amount {
        self.due(&Measure { request_bytes, ..Measure::default() }, u64::MAX)
    }

    /// What a customer's first answered call costs where only the encoded sizes count, in bytes.
    pub fn charge(&self, request_bytes: usize, response_bytes: usize) -> Amount {
        self.due(&Measure { request_bytes, response_bytes, ..Measure::default() }, 1)
    }

    /// What a customer's `nth` answered call costs; the first is 1. Nothing for a quoted price, which nobody can compute.
    pub fn due(&self, measure: &Measure, nth: u64) -> Amount {
        self.rates_at(nth).charge(measure)
    }

    /// Does it make sense?
    pub fn check(&self) -> Result<(), PriceError> {
        if self.quoted {
            return self.check_quoted();
        }
        if self.steps.len() > PRICE_STEPS_MAX {
            return Err(PriceError::Steps(self.steps.len()));
        }
        let (mut above, mut before) = (1, self.rates());
        for step in &self.steps {
            if step.from <= above {
                return Err(PriceError::Order { from: step.from, above });
            }
            if let Some(part) = before.dearer_in(&step.rates) {
                return Err(PriceError::Rises { from: step.from, part });
            }
            (above, before) = (step.from, step.rates);
        }
        Ok(())
    }

    fn check_quoted(&self) -> Result<(), PriceError> {
        if (Rates { max: Amount::ZERO, ..self.rates() }) != Rates::default() || !self.steps.is_empty() {
            return Err(PriceError::Quoted);
        }
        if self.max.is_zero() { Err(PriceError::Nothing) } else { Ok(()) }
    }
}

impl Rates {
    /// What an answered call costs: the sum of its parts, at most `max`.
    pub fn charge(&self, measure: &Measure) -> Amount {
        let kib = |bytes: usize| bytes.div_ceil(1024) as u128;
        let parts = [
            self.base,
            self.per_request_kib.saturating_mul(kib(measure.request_bytes)),
            self.per_response_kib.saturating_mul(kib(measure.response_bytes)),
            for_time(self.per_second, measure.run_ms),
            self.per_inference_unit.saturating_mul(measure.inference_units.into()),
            self.per_item.saturating_mul(measure.items.into()),
        ];
        parts.into_iter().fold(Amount::ZERO, Amount::saturating_add).min(self.max)
    }

    /// Does the charge depend on what the seller alone can count?
    pub fn is_metered(&self) -> bool {
        [self.per_second, self.per_inference_unit, self.per_item].iter().any(|rate| !rate.is_zero())
    }

    fn depends_on_the_run(&self) -> bool {
        self.is_metered() || !self.per_response_kib.is_zero()
    }

    /// The first part that costs more in `other`.
    fn dearer_in(&self, other: &Rates) -> Option<&'static str> {
        let parts = [
            ("base", self.base, other.base),
            ("per.request-kib", self.per_request_kib, other.per_request_kib),
            ("per.response-kib", self.per_response_kib, other.per_response_kib),
            ("per.second", self.per_second, other.per_second),
            ("per.inference-unit", self.per_inference_unit, other.per_inference_unit),
            ("per.item", self.per_item, other.per_item),
            ("max", self.max, other.max),
        ];
        parts.into_iter().find(|(_, before, after)| after > before).map(|(part, ..)| part)
    }
}

/// The smallest amount that is not below the exact one.
fn for_time(per_second: Amount, run_ms: u64) -> Amount {
    match per_second.0.checked_mul(run_ms.into()) {
        Some(thousandfold) => Amount(thousandfold.div_ceil(1000)),
        None => Amount::MAX,
    }
}

#[cfg(test)]
mod tests;
