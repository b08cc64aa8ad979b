//! What is for sale before a run: whoever checks or quotes a workflow says what is known of offers and of other workflows. Nothing is bought, and no seller is asked.

use std::collections::BTreeMap;

use hansa_economy::{Amount, PublicKey};
use serde_json::Value as Json;

use crate::run::Wanted;

/// Something that may not be known here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Known<T> {
    /// It is this.
    Yes(T),
    /// Nobody who knows could be asked; that is never complained of.
    No,
}

/// The offers and workflows that are known.
pub trait Market {
    /// Every offer of the wanted function, whatever else the terms say, best first by their `prefer`: which of them meets the terms is told here, so that it can be
    /// said which term excludes it.
    fn offers(&self, wanted: &Wanted) -> Known<Vec<Listing>>;
    /// The same offers, priced for a call with these arguments; none where their size cannot be told here.
    fn priced(&self, wanted: &Wanted, args: &Json) -> Option<Vec<Listing>>;
    /// The file of another workflow; none where there is no such workflow.
    fn workflow(&self, name: &str) -> Known<Option<String>>;
}

/// A market that nothing is known of.
pub struct Unseen;

impl Market for Unseen {
    fn offers(&self, _: &Wanted) -> Known<Vec<Listing>> {
        Known::No
    }

    fn priced(&self, _: &Wanted, _: &Json) -> Option<Vec<Listing>> {
        None
    }

    fn workflow(&self, _: &str) -> Known<Option<String>> {
        Known::No
    }
}

/// An offer of one function, as far as it is known without its seller being asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listing {
    /// The agent that sells.
    pub seller: PublicKey,
    /// What it runs, as `acme/reader@1.0.0`.
    pub package: String,
    /// The node that it runs on.
    pub node: PublicKey,
    /// The node's name, for people.
    pub node_name: String,
    /// Properties that terms can require: name to values.
    pub labels: BTreeMap<String, Vec<String>>,
    /// The least that an answer costs, free calls aside: what is not known of arguments and answer as short as can be, the last step of its volume prices.
    pub price_min: Amount,
    /// What terms and budgets must allow for it to be asked at all: the ceiling of a call with the shortest arguments, or with those that are known; of a price named on request its least.
    pub price_needed: Amount,
    /// The most that a call costs.
    pub price_max: Amount,
    /// Its seller names the price of each call when it is asked.
    pub is_quoted: bool,
    /// So many calls may be charged nothing.
    pub free_calls: u32,
}

/// A term that excludes offers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Term<'a> {
    Sellers,
    Nodes,
    Label(&'a str, &'a str),
    Price(Amount),
}

impl Listing {
    /// The most that a call under these terms costs.
    pub(crate) fn most(&self, wanted: &Wanted) -> Amount {
        self.price_max.min(wanted.terms.max_price.unwrap_or(Amount::MAX))
    }

    /// The least that an answer costs.
    pub(crate) fn least(&self) -> Amount {
        if self.free_calls > 0 { Amount::ZERO } else { self.price_min.min(self.price_max) }
    }

    /// What must be left of a budget for it.
    pub(crate) fn needed(&self) -> Amount {
        if self.free_calls > 0 { Amount::ZERO } else { self.price_needed.min(self.price_max) }
    }

    /// What each call costs, where that is known.
    pub(crate) fn exact(&self) -> Option<Amount> {
        (self.price_min == self.price_max && !self.is_quoted && self.free_calls == 0).then_some(self.price_max)
    }

    /// Does it meet one of the terms?
    pub(crate) fn meets(&self, wanted: &Wanted, term: Term<'_>) -> bool {
        let among = |keys: &Option<Vec<PublicKey>>, key| keys.as_ref().is_none_or(|keys| keys.contains(key));
        match term {
            Term::Sellers => among(&wanted.terms.sellers, &self.seller),
            Term::Nodes => among(&wanted.nodes, &self.node),
            Term::Label(name, value) => self.labels.get(name).is_some_and(|values| values.iter().any(|known| known == value)),
            Term::Price(most) => self.price_needed <= most,
        }
    }

    /// Does it meet all of them?
    pub(crate) fn fits(&self, wanted: &Wanted) -> bool {
        terms(wanted).into_iter().all(|term| self.meets(wanted, term))
    }
}

/// The terms of `wanted` that can exclude an offer, the price last.
pub(crate) fn terms(wanted: &Wanted) -> Vec<Term<'_>> {
    let mut terms = Vec::new();
    terms.extend(wanted.terms.sellers.as_ref().map(|_| Term::Sellers));
    terms.extend(wanted.nodes.as_ref().map(|_| Term::Nodes));
    terms.extend(wanted.terms.labels.iter().map(|(name, value)| Term::Label(name, value)));
    terms.extend(wanted.terms.max_price.map(Term::Price));
    terms
}

#[cfg(test)]
pub(crate) mod tests;
