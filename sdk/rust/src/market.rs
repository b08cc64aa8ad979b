//! The market an agent buys from: narrow the terms, look at the offers, let sellers bid. Buying itself is a call of the imported interface.

use crate::Fault;
pub use crate::bindings::hansa::market::types::{Bid, Limits, Offer, Prefer};
use crate::bindings::hansa::market::{offers as market_offers, tenders, terms};

impl Default for Limits {
    /// What `agent.toml` says.
    fn default() -> Self {
        Self { max_price: None, deadline_ms: None, prefer: None, sellers: None }
    }
}

impl Limits {
    /// The most that one call may cost, in the smallest unit of the node's asset.
    #[must_use]
    pub fn max_price(self, max_price: u64) -> Self {
        Self { max_price: Some(max_price), ..self }
    }

    /// The most time that one call may take, in milliseconds.
    #[must_use]
    pub fn deadline_ms(self, deadline_ms: u32) -> Self {
        Self { deadline_ms: Some(deadline_ms), ..self }
    }

    /// The order in which offers are tried.
    #[must_use]
    pub fn prefer(self, prefer: Prefer) -> Self {
        Self { prefer: Some(prefer), ..self }
    }

    /// Buy only from these agent keys (`did:key:…`).
    #[must_use]
    pub fn sellers(self, sellers: Vec<String>) -> Self {
        Self { sellers: Some(sellers), ..self }
    }
}

/// Narrow the terms for the purchases of `service` (for example `commons:embedding/embedder@0.1.0`) that follow in this call.
///
/// # Errors
/// [`Fault::Failed`]: not an import of this component, or the limits are wider than `agent.toml` allows.
pub fn narrow(service: &str, limits: &Limits) -> Result<(), Fault> {
    terms::narrow(service, limits)
        .map_err(|reason| Fault::Failed(format!("could not narrow the terms for `{service}`: {reason}")))
}

/// Offers that satisfy the present terms for `function` of `service`, best first.
///
/// # Errors
/// [`Fault::Failed`]: not an import of this component, or the market cannot be seen.
pub fn offers(service: &str, function: &str) -> Result<Vec<Offer>, Fault> {
    market_offers::search(service, function)
        .map_err(|reason| Fault::Failed(format!("could not look at the offers for `{service}`: {reason}")))
}

/// Let all sellers that the present terms allow bid for `function` of `service` with these arguments (JSON: an array, or an object by parameter):
/// wait `wait_ms` (50 to 10,000) for bids that nobody can read before that time is over, then open them. Bids that count come first, best
/// first. Calling the import with the same arguments then buys by these bids, from the best on, for half a minute:
///
/// ```ignore
/// let bids = market::tender("acme:translate/translator@1.0.0", "translate", r#"["Good day", "de"]"#, 500)?;
/// match bids.first().and_then(|best| best.price) {
///     Some(price) if price <= budget => translator::translate("Good day".into(), "de".into()).await,
///     _ => Err(Fault::failed("nobody translates for that")),
/// }
/// ```
///
/// # Errors
/// [`Fault::Failed`]: not an import of this component, nobody sells it, or the arguments do not fit. That nobody bids is no error.
pub fn tender(service: &str, function: &str, arguments_json: &str, wait_ms: u32) -> Result<Vec<Bid>, Fault> {
    tenders::open(service, function, arguments_json, wait_ms)
        .map_err(|reason| Fault::Failed(format!("could not put `{function}` of `{service}` out to tender: {reason}")))
}
