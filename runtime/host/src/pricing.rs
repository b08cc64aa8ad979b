//! What an agent asks for a call: the exports `hansa:market/pricing` and `hansa:market/bidding`.

use std::{sync::Arc, time::Instant};

use crate::{
    call::Invocation,
    capability::{Capabilities, store::ReadOnly},
    failure::Failure,
    prepare::Prepared,
    program::Program,
    wire::{WireError, cbor},
};

const PRICING: &str = "hansa:market/pricing@0.1.0";
const PRICE: &str = "price";
const BIDDING: &str = "hansa:market/bidding@0.1.0";
const BID: &str = "bid";

/// Why an agent named no price.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PricingError {
    /// The agent has none for these arguments, and says why.
    #[error("{0}")]
    Declined(String),
    /// Its component has no such function, or these are not its arguments.
    #[error("{0}")]
    Asked(String),
    /// The agent broke.
    #[error(transparent)]
    Failed(#[from] Failure),
}

/// A tender, for the agent to bid in.
#[derive(Debug, Clone)]
pub struct Tender<'a> {
    /// Names it, in hexadecimal.
    pub id: String,
    /// The key that would pay, `did:key:…`.
    pub buyer: String,
    /// The interface.
    pub service: &'a str,
    /// The function.
    pub function: &'a str,
    /// CBOR array of the arguments.
    pub args: &'a [u8],
    /// The most that the offer lets the call cost; none where its price is quoted.
    pub list_price: Option<u64>,
}

impl Program {
    /// Can it name prices? An agent has to where `agent.toml` has a quoted price.
    pub fn names_prices(&self) -> bool {
        self.has(PRICING, PRICE)
    }

    /// Does it bid in tenders as it likes?
    pub fn bids(&self) -> bool {
        self.has(BIDDING, BID)
    }

    fn has(&self, interface: &str, name: &str) -> bool {
        self.export(interface).is_some_and(|interface| interface.functions.iter().any(|function| *function.name == *name))
    }
}

impl Prepared {
    /// What a call of `function` of `service` with `args` (CBOR array) would cost, in the asset's smallest unit. The agent can read its store
    /// and not write it; `capabilities` should let it neither buy nor infer, as nobody pays for that.
    ///
    /// # Errors
    /// The agent declined or broke, or there is no such function.
    pub async fn price(
        &self,
        service: &str,
        function: &str,
        args: &[u8],
        capabilities: Capabilities,
        deadline: Instant,
    ) -> Result<u64, PricingError> {
        let json = self.as_json(service, function, args)?;
        let mut question = Vec::with_capacity(json.len() + 64);
        cbor::put_head(&mut question, cbor::ARRAY, 3);
        for text in [service, function, &json] {
            cbor::put_text(&mut question, text);
        }
        self.ask(PRICING, PRICE, question, capabilities, deadline, |reader| reader.unsigned(u64::MAX)).await
    }

    /// What the agent bids in `tender`, in the asset's smallest unit; `None` is no bid. As for [`Prepared::price`].
    ///
    /// # Errors
    /// The agent declined or broke, or there is no such function.
    pub async fn bid(
        &self,
        tender: &Tender<'_>,
        capabilities: Capabilities,
        deadline: Instant,
    ) -> Result<Option<u64>, PricingError> {
        let json = self.as_json(tender.service, tender.function, tender.args)?;
        let mut question = Vec::with_capacity(json.len() + 256);
        cbor::put_head(&mut question, cbor::ARRAY, 1);
        cbor::put_head(&mut question, cbor::ARRAY, 6);
        for text in [&*tender.id, &tender.buyer, tender.service, tender.function, &json] {
            cbor::put_text(&mut question, text);
        }
        match tender.list_price {
            Some(price) => cbor::put_head(&mut question, cbor::UNSIGNED, price),
            None => question.push(cbor::NULL),
        }
        let bid = |reader: &mut cbor::Reader<'_>| Ok(if reader.null() { None } else { Some(reader.unsigned(u64::MAX)?) });
        self.ask(BIDDING, BID, question, capabilities, deadline, bid).await
    }

    fn as_json(&self, service: &str, function: &str, args: &[u8]) -> Result<String, PricingError> {
        let schema = self.schema(service, function);
        let schema = schema.ok_or_else(|| PricingError::Asked(format!("`{service}` has no function `{function}`")))?;
        let json = schema.args_to_json(args).map_err(|error| PricingError::Asked(error.to_string()))?;
        Ok(json.to_string())
    }

    async fn ask<T>(
        &self,
        interface: &str,
        function: &str,
        question: Vec<u8>,
        capabilities: Capabilities,
        deadline: Instant,
        read: impl FnOnce(&mut cbor::Reader<'_>) -> Result<T, WireError>,
    ) -> Result<T, PricingError> {
        // Whoever asks for a price pays nothing, and so must change nothing.
        let capabilities = Capabilities { store: Arc::new(ReadOnly(capabilities.store)), ..capabilities };
        let (interface, function) = (interface.to_owned(), function.to_owned());
        let outcome = self.call(Invocation { interface, function, args: question.into(), deadline, capabilities }).await;
        let answer = outcome.result?;
        answered(&answer, read)
            .map_err(|error| PricingError::Asked(format!("the agent named no price: {error}")))?
            .map_err(PricingError::Declined)
    }
}

/// The `result<T, string>` that came back.
fn answered<T>(
    answer: &[u8],
    read: impl FnOnce(&mut cbor::Reader<'_>) -> Result<T, WireError>,
) -> Result<Result<T, String>, WireError> {
    let mut reader = cbor::Reader::new(answer);
    reader.array_of(2, "a result")?;
    Ok(match reader.unsigned(1)? {
        0 => Ok(read(&mut reader)?),
        _ => Err(reader.text()?.to_owned()),
    })
}
