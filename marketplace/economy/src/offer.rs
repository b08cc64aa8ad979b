//! Offers: signed terms under which an agent sells a service.

use std::collections::BTreeMap;

use minicbor::{Decode, Encode};
use serde::Serialize;

use crate::amount::Amount;
use crate::channel::AccountId;
use crate::digest::Digest;
use crate::key::PublicKey;
use crate::limits::{FREE_CALLS_MAX, NAME_BYTES_MAX, OFFER_FUNCTIONS_MAX};
pub use crate::price::{Measure, Price, PriceError, Rates, Step};
use crate::statement::Statement;

/// Bounds within which a seller takes calls.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
#[serde(rename_all = "kebab-case")]
#[cbor(map)]
pub struct CallBounds {
    /// The longest that one call may take, milliseconds.
    #[n(0)]
    pub deadline_ms_max: u32,
    /// The longest encoded arguments, bytes.
    #[n(1)]
    pub request_bytes_max: u64,
    /// Calls served at the same time; more are refused at once.
    #[n(2)]
    pub concurrency: u32,
}

/// An offer, signed by the agent's key. Its digest is named by each receipt for a call under it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
#[serde(rename_all = "kebab-case")]
#[cbor(map)]
pub struct Offer {
    /// The interface sold, `namespace:package/interface@version`.
    #[n(0)]
    pub service: String,
    /// Price of each function.
    #[n(1)]
    pub functions: BTreeMap<String, Price>,
    /// Functions that may be repeated without harm, so that a buyer may fail over after a timeout.
    #[n(2)]
    pub idempotent: Vec<String>,
    /// SHA-256 of the component that answers.
    #[n(3)]
    pub component: Digest,
    /// Package of the component, `publisher/name@version`.
    #[n(4)]
    pub package: String,
    /// The selling agent.
    #[n(5)]
    pub agent: PublicKey,
    /// The account that is paid.
    #[n(6)]
    pub account: AccountId,
    /// The node that runs the agent.
    #[n(7)]
    pub node: PublicKey,
    /// The node's name, for people.
    #[n(8)]
    pub node_name: String,
    /// The ledger on which payment is settled.
    #[n(9)]
    pub ledger: Digest,
    /// The asset of all prices.
    #[n(10)]
    pub asset: u32,
    /// Properties that a buyer can require: name to accepted values.
    #[n(11)]
    pub labels: BTreeMap<String, Vec<String>>,
    /// Bounds of each call.
    #[n(12)]
    pub bounds: CallBounds,
    /// Unix time in milliseconds after which the offer is void unless it is renewed.
    #[n(13)]
    pub valid_until_ms: u64,
    /// Rises with each new version of the offer.
    #[n(14)]
    pub revision: u64,
    /// How many of a customer's answered calls, the first ones, are charged nothing; all functions with a price count together.
    #[cbor(n(15), default, skip_if = "is_none_free")]
    #[serde(skip_serializing_if = "is_none_free")]
    pub free_calls: u32,
}

fn is_none_free(free_calls: &u32) -> bool {
    *free_calls == 0
}

impl Statement for Offer {
    const CONTENT_TYPE: &'static str = "hansa/offer.1";
}

/// Why an offer is not worth keeping, whoever signed it.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum OfferError {
    /// Signed by another key than the agent it speaks for.
    #[error("the offer of {agent} is signed by {signer}")]
    Signer {
        /// The agent the offer names.
        agent: PublicKey,
        /// Who signed.
        signer: PublicKey,
    },
    /// Past its time.
    #[error("the offer expired at {0} ms")]
    Expired(u64),
    /// A bound of `limits.rs` is passed, or a name is empty.
    #[error("the offer is malformed: {0}")]
    Malformed(&'static str),
    /// A price that makes no sense.
    #[error("the price of `{function}`: {error}")]
    Price {
        /// What it is for.
        function: String,
        /// What is wrong with it.
        error: PriceError,
    },
}

impl Offer {
    /// Is this offer, signed by `signer`, good at `now_ms` (Unix milliseconds)?
    pub fn check(&self, signer: PublicKey, now_ms: u64) -> Result<(), OfferError> {
        if signer != self.agent {
            return Err(OfferError::Signer { agent: self.agent, signer });
        }
        if self.valid_until_ms <= now_ms {
            return Err(OfferError::Expired(self.valid_until_ms));
        }
        let names = self.functions.keys().chain([&self.service, &self.package, &self.node_name]);
        if names.clone().any(|name| name.is_empty() || name.len() > NAME_BYTES_MAX) {
            return Err(OfferError::Malformed("a name is empty or too long"));
        }
        if self.functions.is_empty() || self.functions.len() > OFFER_FUNCTIONS_MAX {
            return Err(OfferError::Malformed("no functions, or too many"));
        }
        if self.free_calls > FREE_CALLS_MAX {
            return Err(OfferError::Malformed("too many free calls"));
        }
        let mut prices = self.functions.iter();
        prices.try_for_each(|(function, price)| {
            price.check().map_err(|error| OfferError::Price { function: function.clone(), error })
        })
    }

    /// Does what a call costs depend on how many this customer has had answered? They are counted only then.
    pub fn counts_customers(&self) -> bool {
        self.free_calls > 0 || self.functions.values().any(|price| !price.steps.is_empty())
    }

    /// Is a customer's next answered call one of its free ones, after `calls_before`?
    pub fn is_free(&self, calls_before: u64) -> bool {
        calls_before < u64::from(self.free_calls)
    }

    /// What an answered call of `function` costs a customer that has had `calls_before` answered. Nothing for a quoted price, which
    /// its quote names, and for a function that is not sold.
    pub fn due(&self, function: &str, measure: &Measure, calls_before: u64) -> Amount {
        match self.functions.get(function).filter(|_| !self.is_free(calls_before)) {
            Some(price) => price.due(measure, calls_before.saturating_add(1)),
            None => Amount::ZERO,
        }
    }

    /// Does an import of `wanted` accept this service? Same namespace, package and interface, and a semantic version
    /// that is compatible (semver.org §8: same major version, or same minor version while the major one is 0) and not lower.
    pub fn satisfies(&self, wanted: &str) -> bool {
        compatible(wanted, &self.service)
    }

    /// May `function` be repeated without harm?
    pub fn is_idempotent(&self, function: &str) -> bool {
        self.idempotent.iter().any(|name| name == function)
    }
}

/// Whether an import of interface `wanted` is satisfied by an export of `offered`. See [`Offer::satisfies`].
pub fn compatible(wanted: &str, offered: &str) -> bool {
    if wanted == offered {
        return true;
    }
    let (Some((wanted, wanted_version)), Some((offered, offered_version))) = (wanted.split_once('@'), offered.split_once('@'))
    else {
        return false;
    };
    let (Some(wanted_version), Some(offered_version)) = (version(wanted_version), version(offered_version)) else {
        return false;
    };
    let [major, minor, _] = wanted_version;
    let same_line = offered_version[0] == major && (major > 0 || offered_version[1] == minor);
    wanted == offered && same_line && offered_version >= wanted_version
}

fn version(text: &str) -> Option<[u32; 3]> {
    let mut parts = text.split('.').map(|part| part.parse().ok());
    let version = [parts.next()??, parts.next()??, parts.next()??];
    parts.next().is_none().then_some(version)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_follow_semver() {
        assert!(compatible("a:b/c@1.2.0", "a:b/c@1.3.1"));
        assert!(!compatible("a:b/c@1.2.0", "a:b/c@1.1.9"));
        assert!(!compatible("a:b/c@1.2.0", "a:b/c@2.0.0"));
        assert!(compatible("a:b/c@0.1.0", "a:b/c@0.1.4"));
        assert!(!compatible("a:b/c@0.1.0", "a:b/c@0.2.0"));
        assert!(!compatible("a:b/c@1.0.0", "a:b/d@1.0.0"));
        assert!(!compatible("a:b/c@1.0.0-rc", "a:b/c@1.0.0"));
        assert!(compatible("a:b/c", "a:b/c"));
    }

    #[test]
    fn a_customers_first_calls_are_free_where_the_offer_says_so() {
        let mut offer = offer();
        assert!(!offer.counts_customers());
        offer.free_calls = 2;
        assert!(offer.counts_customers());
        let one = Measure::default();
        for (calls_before, due) in [(0, 0), (1, 0), (2, 5), (u64::MAX, 5)] {
            assert_eq!(offer.due("f", &one, calls_before), Amount(due), "{calls_before}");
        }
        assert_eq!(offer.due("unknown", &one, 9), Amount::ZERO);
        offer.functions.get_mut("f").unwrap().steps =
            vec![Step { from: 4, rates: Rates { base: Amount(3), max: Amount(5), ..Rates::default() } }];
        assert_eq!([2, 3].map(|before| offer.due("f", &one, before)), [Amount(5), Amount(3)]);
        assert_eq!(offer.check(offer.agent, 0), Ok(()));
        offer.functions.get_mut("f").unwrap().steps[0].rates.base = Amount(6);
        assert!(matches!(offer.check(offer.agent, 0), Err(OfferError::Price { .. })));
    }

    fn offer() -> Offer {
        Offer {
            service: "a:b/c@1.0.0".into(),
            functions: BTreeMap::from([("f".to_owned(), Price::per_call(Amount(5)))]),
            idempotent: vec![],
            component: Digest::of(b"component"),
            package: "p/q@1.0.0".into(),
            agent: PublicKey([1; 32]),
            account: AccountId(1),
            node: PublicKey([2; 32]),
            node_name: "node".into(),
            ledger: Digest::of(b"ledger"),
            asset: 1,
            labels: BTreeMap::new(),
            bounds: CallBounds { deadline_ms_max: 1, request_bytes_max: 1, concurrency: 1 },
            valid_until_ms: 9,
            revision: 0,
            free_calls: 0,
        }
    }
}
