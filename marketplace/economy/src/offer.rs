//! Offers: signed terms under which an agent sells a service.

use std::collections::BTreeMap;

use minicbor::{Decode, Encode};
use serde::Serialize;

use crate::amount::Amount;
use crate::channel::AccountId;
use crate::digest::Digest;
use crate::key::PublicKey;
use crate::limits::{NAME_BYTES_MAX, OFFER_FUNCTIONS_MAX};
use crate::statement::Statement;

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
}

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
}

impl Statement for Offer {
    const CONTENT_TYPE: &'static str = "hansa/offer.1";
}

impl Price {
    /// No charge at all.
    pub const FREE: Price =
        Price { base: Amount::ZERO, per_request_kib: Amount::ZERO, per_response_kib: Amount::ZERO, max: Amount::ZERO };

    /// A fixed amount for each call.
    pub const fn per_call(amount: Amount) -> Price {
        Price { base: amount, per_request_kib: Amount::ZERO, per_response_kib: Amount::ZERO, max: amount }
    }

    /// The most that a call with arguments of `request_bytes` can cost: exact where the answer's size plays no part.
    pub fn ceiling(&self, request_bytes: usize) -> Amount {
        match self.per_response_kib {
            Amount::ZERO => self.charge(request_bytes, 0),
            _ => self.max,
        }
    }

    /// What an answered call costs, given the encoded sizes in bytes.
    pub fn charge(&self, request_bytes: usize, response_bytes: usize) -> Amount {
        let kib = |bytes: usize| bytes.div_ceil(1024) as u128;
        let request = self.per_request_kib.saturating_mul(kib(request_bytes));
        let response = self.per_response_kib.saturating_mul(kib(response_bytes));
        self.base.saturating_add(request).saturating_add(response).min(self.max)
    }
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
        Ok(())
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
    fn charges_started_kib_up_to_the_ceiling() {
        let price = Price { base: Amount(100), per_request_kib: Amount(10), per_response_kib: Amount(1), max: Amount(130) };
        assert_eq!(price.charge(0, 0), Amount(100));
        assert_eq!(price.charge(1, 1025), Amount(112));
        assert_eq!(price.charge(1 << 20, 0), Amount(130));
        assert_eq!(price.ceiling(1), Amount(130));
        assert_eq!(Price::per_call(Amount(5)).ceiling(9999), Amount(5));
        assert_eq!(Price::FREE.charge(9999, 9999), Amount::ZERO);
    }
}
