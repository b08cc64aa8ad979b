//! The market as the host sees it: something that answers a purchase with a value or a fault.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use futures::future::BoxFuture;

pub use super::bindings::hansa::market::types::{Bid, Limits, Offer, Prefer};
use super::{Absent, bindings::hansa::market, ready};
use crate::{
    limits::FAULT_TEXT_BYTES_MAX,
    state::State,
    wire::{FunctionSchema, cbor},
};

/// One call of an imported function.
#[derive(Debug, Clone)]
pub struct Purchase {
    /// The import, for example `commons:embedding/embedder@0.1.0`.
    pub service: Arc<str>,
    /// The function, for example `embed`.
    pub function: Arc<str>,
    /// Its arguments, as `schema` wants them.
    pub args: Bytes,
    /// The function's shape as the buying component sees it.
    pub schema: Arc<FunctionSchema>,
}

/// Buys for one call of an agent.
pub trait Market: Send + Sync {
    /// Buys. The answer is the function's result, `ok` or the seller's own fault; the host checks it before the
    /// guest sees it. Dropping the future means that the guest no longer wants the answer.
    fn buy(&self, purchase: Purchase) -> BoxFuture<'_, Result<Bytes, Fault>>;

    /// Narrows the terms for the purchases that follow in this call.
    ///
    /// # Errors
    /// `service` is not imported, or the limits are wider than those that stand.
    fn narrow(&self, service: &str, limits: Limits) -> Result<(), String>;

    /// Offers that satisfy the present terms, best first.
    fn offers(&self, service: String, function: String) -> BoxFuture<'_, Result<Vec<Offer>, String>>;

    /// Puts a call out to all sellers and waits so long for their bids: those that count first, best first. Purchases of the same that follow in
    /// this call go by them.
    fn tender(&self, purchase: Purchase, wait: Duration) -> BoxFuture<'_, Result<Vec<Bid>, String>>;
}

impl Market for Absent {
    fn buy(&self, purchase: Purchase) -> BoxFuture<'_, Result<Bytes, Fault>> {
        ready(Err(Fault::NoOffer(format!("no market here to buy `{}` from", purchase.service))))
    }

    fn narrow(&self, service: &str, _: Limits) -> Result<(), String> {
        Err(format!("no market here to buy `{service}` from"))
    }

    fn offers(&self, service: String, _: String) -> BoxFuture<'_, Result<Vec<Offer>, String>> {
        ready(Err(format!("no market here to buy `{service}` from")))
    }

    fn tender(&self, purchase: Purchase, _: Duration) -> BoxFuture<'_, Result<Vec<Bid>, String>> {
        ready(Err(format!("no market here to buy `{}` from", purchase.service)))
    }
}

/// Why a traded call gave no answer; the variant `fault` of `hansa:service/types`, in its order.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// Nobody sells this under the buyer's terms.
    #[error("no offer: {0}")]
    NoOffer(String),
    /// The price, or what the account holds, is beyond the buyer's limit.
    #[error("over budget: {0}")]
    OverBudget(String),
    /// No answer before the deadline; the call may have had an effect.
    #[error("deadline: {0}")]
    Deadline(String),
    /// The seller could not be reached or is full; it did not run the call.
    #[error("unavailable: {0}")]
    Unavailable(String),
    /// The seller ran the call and broke.
    #[error("seller failed: {0}")]
    SellerFailed(String),
    /// The seller or a policy declined.
    #[error("refused: {0}")]
    Refused(String),
    /// The seller's own: these arguments cannot be served.
    #[error("invalid input: {0}")]
    InvalidInput(String),
    /// The seller's own: anything else.
    #[error("failed: {0}")]
    Failed(String),
}

impl Fault {
    /// Index of the case in the WIT variant, and its text.
    fn parts(&self) -> (u64, &str) {
        match self {
            Fault::NoOffer(text) => (0, text),
            Fault::OverBudget(text) => (1, text),
            Fault::Deadline(text) => (2, text),
            Fault::Unavailable(text) => (3, text),
            Fault::SellerFailed(text) => (4, text),
            Fault::Refused(text) => (5, text),
            Fault::InvalidInput(text) => (6, text),
            Fault::Failed(text) => (7, text),
        }
    }

    /// The text alone.
    pub fn text(&self) -> &str {
        self.parts().1
    }

    /// The wire form of `result::err(self)`, for any function that returns `result<_, fault>`; a text over 4 KiB is cut.
    pub fn to_result(&self) -> Bytes {
        let (case, text) = self.parts();
        let text = &text[..text.floor_char_boundary(FAULT_TEXT_BYTES_MAX)];
        let mut out = Vec::with_capacity(text.len() + 8);
        cbor::put_head(&mut out, cbor::ARRAY, 2);
        cbor::put_head(&mut out, cbor::UNSIGNED, 1);
        cbor::put_head(&mut out, cbor::ARRAY, 2);
        cbor::put_head(&mut out, cbor::UNSIGNED, case);
        cbor::put_text(&mut out, text);
        out.into()
    }

    /// Reads the fault out of a wire `result<_, fault>`; none where it is `ok` or not such a value.
    pub fn from_result(bytes: &[u8]) -> Option<Fault> {
        let mut reader = cbor::Reader::new(bytes);
        reader.array_of(2, "").ok()?;
        if reader.unsigned(1).ok()? != 1 {
            return None;
        }
        reader.array_of(2, "").ok()?;
        let case = reader.unsigned(7).ok()?;
        let text = reader.text().ok()?.to_owned();
        reader.end().ok()?;
        Some(match case {
            0 => Fault::NoOffer(text),
            1 => Fault::OverBudget(text),
            2 => Fault::Deadline(text),
            3 => Fault::Unavailable(text),
            4 => Fault::SellerFailed(text),
            5 => Fault::Refused(text),
            6 => Fault::InvalidInput(text),
            _ => Fault::Failed(text),
        })
    }
}

/// Is this wire `result` the `err` side? Looks at two bytes; the bytes must have been checked before.
pub fn is_fault(result: &[u8]) -> bool {
    matches!(result, [0x81 | 0x82, 1, ..])
}

impl market::types::Host for State {}

impl market::terms::Host for State {
    async fn narrow(&mut self, service: String, limits: Limits) -> Result<(), String> {
        self.capabilities.market.narrow(&service, limits)
    }
}

impl market::offers::Host for State {
    async fn search(&mut self, service: String, function: String) -> Result<Vec<Offer>, String> {
        self.capabilities.market.offers(service, function).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_keep_their_case_and_text() {
        let faults: [fn(String) -> Fault; 8] = [
            Fault::NoOffer,
            Fault::OverBudget,
            Fault::Deadline,
            Fault::Unavailable,
            Fault::SellerFailed,
            Fault::Refused,
            Fault::InvalidInput,
            Fault::Failed,
        ];
        for (case, fault) in faults.into_iter().enumerate() {
            let bytes = fault("why".into()).to_result();
            assert_eq!(&bytes[..], [0x82, 1, 0x82, case as u8, 0x63, b'w', b'h', b'y']);
            assert!(is_fault(&bytes));
            assert_eq!(Fault::from_result(&bytes), Some(fault("why".into())));
        }
        assert!(!is_fault(&[0x82, 0, 0x60]));
        assert_eq!(Fault::from_result(&[0x82, 0, 0x60]), None);
        let long = Fault::Failed("ü".repeat(FAULT_TEXT_BYTES_MAX)).to_result();
        assert!(Fault::from_result(&long).is_some_and(|fault| fault.text().len() == FAULT_TEXT_BYTES_MAX));
    }
}
