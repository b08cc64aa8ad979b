//! What an answered call costs: computed by the seller, and again by the buyer from what the receipt states.

use hansa_economy::limits::RECEIPT_MODELS_MAX;
use hansa_economy::offer::{Measure, Offer};
use hansa_economy::quote::Quote;
use hansa_economy::receipt::{Metered, ModelRun, Receipt};
use hansa_economy::{Amount, Digest, Signed};

use crate::limits::RUN_SLACK_MS;
use crate::port::Done;

/// A call that was answered.
pub(crate) struct Answered<'a> {
    pub(crate) offer: &'a Offer,
    pub(crate) function: &'a str,
    /// The price that was agreed for it alone.
    pub(crate) quote: Option<&'a Signed<Quote>>,
    pub(crate) request_bytes: usize,
    pub(crate) response_bytes: usize,
}

impl Answered<'_> {
    /// What it costs, going by `metered`.
    pub(crate) fn cost(&self, metered: &Metered) -> Amount {
        let listed = self.offer.due(self.function, &self.measure(metered), metered.calls_before);
        match self.quote {
            None => listed,
            Some(_) if self.offer.is_free(metered.calls_before) => Amount::ZERO,
            Some(quote) if self.offer.functions.get(self.function).is_some_and(|price| price.quoted) => quote.body.price,
            // A bid makes nothing dearer than it would be without it.
            Some(bid) => bid.body.price.min(listed),
        }
    }

    fn measure(&self, metered: &Metered) -> Measure {
        Measure {
            request_bytes: self.request_bytes,
            response_bytes: self.response_bytes,
            run_ms: metered.run_ms,
            inference_units: metered.inference_units,
            items: metered.items,
        }
    }

    /// What the receipt has to state; nothing where the cost follows from the sizes alone.
    pub(crate) fn metered(&self, done: &Done, calls_before: u64) -> Option<Metered> {
        let rates = self.offer.functions.get(self.function).map(|price| price.rates()).unwrap_or_default();
        let needed = self.quote.is_some() || self.offer.counts_customers() || rates.is_metered();
        let only = |rate: Amount, count: u64| if rate.is_zero() { 0 } else { count };
        needed.then(|| Metered {
            run_ms: only(rates.per_second, done.run_ms),
            inference_units: only(rates.per_inference_unit, units(&done.models)),
            items: only(rates.per_item, done.items),
            calls_before,
            free: self.offer.is_free(calls_before),
            quote: self.quote.map(Signed::digest),
        })
    }

    /// The most that `receipt` may charge, or what it states falsely. `waited_ms` passed until the answer came.
    pub(crate) fn agreed(&self, receipt: &Receipt, waited_ms: u64) -> Result<Amount, String> {
        let metered = receipt.metered.clone().unwrap_or_default();
        let agreed = self.cost(&metered);
        if receipt.charged.is_zero() {
            return Ok(agreed);
        }
        let quote: Option<Digest> = self.quote.map(Signed::digest);
        if metered.quote != quote {
            return Err("its receipt names another quote than the one that was accepted".into());
        }
        if metered.run_ms > waited_ms.saturating_add(RUN_SLACK_MS) {
            return Err(format!("its receipt states a run of {} ms, and its answer came after {waited_ms} ms", metered.run_ms));
        }
        let (stated, listed) = (metered.inference_units, units(&receipt.models));
        if receipt.models.len() < RECEIPT_MODELS_MAX && stated > listed {
            return Err(format!("its receipt charges {stated} inference units, and its models account for {listed}"));
        }
        if metered.free {
            return Err(format!("its receipt charges {} for a free call", receipt.charged));
        }
        Ok(agreed)
    }
}

fn units(models: &[ModelRun]) -> u64 {
    models.iter().fold(0, |sum, run| sum.saturating_add(run.input_units).saturating_add(run.output_units))
}
