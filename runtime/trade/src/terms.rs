//! Terms: what a buyer accepts. They come from `agent.toml` or the command line and are only ever narrowed.

use std::collections::BTreeMap;

use hansa_economy::{Amount, PublicKey};

/// Limits of one purchase.
#[derive(Clone, Debug)]
pub struct Terms {
    /// The most one call may cost.
    pub max_price: Amount,
    /// The longest it may take with all retries, milliseconds.
    pub deadline_ms: u32,
    /// How to choose.
    pub prefer: Prefer,
    /// Labels that an offer must have: name to value.
    pub labels: BTreeMap<String, String>,
    /// Only these sellers; none means any.
    pub sellers: Option<Vec<PublicKey>>,
    /// Only agents on these nodes; none means any.
    pub nodes: Option<Vec<PublicKey>>,
    /// Other offers to try after the first.
    pub retries: u32,
}

/// How to choose among offers that satisfy the terms.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Prefer {
    /// The lowest possible price; then the lowest latency.
    #[default]
    Cheapest,
    /// The lowest latency seen so far (an unknown one counts as low, so that each is tried); then the lowest price.
    Fastest,
}

/// Wishes that narrow terms; fields left out change nothing.
#[derive(Clone, Debug, Default)]
pub struct Narrowing {
    /// A lower price limit.
    pub max_price: Option<Amount>,
    /// A shorter deadline, milliseconds.
    pub deadline_ms: Option<u32>,
    /// Another preference.
    pub prefer: Option<Prefer>,
    /// Fewer sellers.
    pub sellers: Option<Vec<PublicKey>>,
}

impl Terms {
    /// These terms narrowed by `wish`. Error: the wish is wider than the terms.
    pub fn narrowed(&self, wish: &Narrowing) -> Result<Terms, String> {
        let mut terms = self.clone();
        if let Some(price) = wish.max_price {
            if price > self.max_price {
                return Err(format!(
                    "max-price {price} is above the {} of agent.toml; terms can only be narrowed",
                    self.max_price
                ));
            }
            terms.max_price = price;
        }
        if let Some(deadline_ms) = wish.deadline_ms {
            if deadline_ms > self.deadline_ms {
                return Err(format!("deadline {deadline_ms} ms is above the {} ms of agent.toml", self.deadline_ms));
            }
            terms.deadline_ms = deadline_ms;
        }
        if let Some(sellers) = &wish.sellers {
            let allowed = |key: &PublicKey| self.sellers.as_ref().is_none_or(|all| all.contains(key));
            if let Some(stranger) = sellers.iter().find(|key| !allowed(key)) {
                return Err(format!("seller {stranger} is not among those of agent.toml"));
            }
            terms.sellers = Some(sellers.clone());
        }
        terms.prefer = wish.prefer.unwrap_or(terms.prefer);
        Ok(terms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terms_only_narrow() {
        let (a, b) = (PublicKey([1; 32]), PublicKey([2; 32]));
        let terms = Terms {
            max_price: Amount(10),
            deadline_ms: 100,
            prefer: Prefer::Cheapest,
            labels: BTreeMap::new(),
            sellers: Some(vec![a]),
            nodes: None,
            retries: 1,
        };
        let wish = |wish: Narrowing| terms.narrowed(&wish);
        assert!(wish(Narrowing { max_price: Some(Amount(11)), ..Default::default() }).is_err());
        assert!(wish(Narrowing { deadline_ms: Some(101), ..Default::default() }).is_err());
        assert!(wish(Narrowing { sellers: Some(vec![b]), ..Default::default() }).is_err());
        let narrowed =
            wish(Narrowing { max_price: Some(Amount(3)), prefer: Some(Prefer::Fastest), ..Default::default() }).unwrap();
        assert_eq!((narrowed.max_price, narrowed.prefer, narrowed.deadline_ms), (Amount(3), Prefer::Fastest, 100));
    }
}
