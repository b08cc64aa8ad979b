//! What a run needs of the world around it: time, sellers, a journal. Whoever runs it gives that.

use futures::future::BoxFuture;
use hansa_economy::{Amount, Digest, PublicKey};
use serde_json::Value;

use super::entry::Change;
use super::plan::Wanted;

/// A seller that can be asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offered {
    /// Its key.
    pub seller: PublicKey,
    /// What it runs, as `acme/reader@1.0.0`.
    pub package: String,
    /// The most that the call can cost.
    pub price_max: Amount,
}

/// One call to buy of one seller.
#[derive(Clone, Copy, Debug)]
pub struct Purchase<'a> {
    /// What, and under which terms.
    pub wanted: &'a Wanted,
    /// The arguments, by parameter.
    pub args: &'a Value,
    /// Of whom, and for how much at most.
    pub offered: &'a Offered,
    /// The call's id, for ever. A seller that answered it before gives the same answer, and charges nothing again.
    pub call: Digest,
    /// Goes with the id.
    pub salt: [u8; 16],
    /// Until when an answer is waited for, Unix milliseconds.
    pub until_ms: u64,
    /// May it have been sent before?
    pub is_repeat: bool,
}

/// A call that was answered.
#[derive(Clone, Debug, PartialEq)]
pub struct Bought {
    /// The answer.
    pub value: Value,
    /// What it cost.
    pub charged: Amount,
    /// The receipt; none for a free call.
    pub receipt: Option<Digest>,
}

/// A call that was not answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missed {
    /// Why, in words.
    pub what: String,
    /// What is known of it.
    pub certainty: Certainty,
}

/// What is known of a call that was not answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Certainty {
    /// It did not run, or ran and cost nothing: it may be tried again, here or elsewhere, as a new call.
    Nothing,
    /// The same, and trying again is of no use: the seller says that the arguments are wrong, or that it does not want to.
    Useless,
    /// Nobody knows: the same call must be repeated at the same seller.
    Unclear,
}

/// Another engine has the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("another engine goes on with this run")]
pub struct Lost;

/// The world around one run.
pub trait World: Send + Sync {
    /// Unix milliseconds.
    fn now_ms(&self) -> u64;
    /// Returns at that time, Unix milliseconds; at once where it is over.
    fn sleep_until(&self, at_ms: u64) -> BoxFuture<'_, ()>;
    /// Who can be asked, best first, for at most so much.
    fn offers<'a>(&'a self, wanted: &'a Wanted, args: &'a Value, most: Amount) -> BoxFuture<'a, Result<Vec<Offered>, Missed>>;
    /// Buy one call.
    fn buy<'a>(&'a self, purchase: Purchase<'a>) -> BoxFuture<'a, Result<Bought, Missed>>;
    /// The file of another workflow, or why there is none.
    fn workflow<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<String, String>>;
    /// Write what happened, after all that was written before. Returns when it is kept.
    fn record(&self, change: Change) -> BoxFuture<'_, Result<(), Lost>>;
    /// The same, without waiting for it: what is recorded next waits for this too.
    fn note(&self, change: Change);
}
