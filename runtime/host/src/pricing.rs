//! The price of a call that its agent names: the export `hansa:market/pricing`.

use std::time::Instant;

use crate::{
    call::Invocation,
    capability::Capabilities,
    failure::Failure,
    prepare::Prepared,
    program::Program,
    wire::{WireError, cbor},
};

const PRICING: &str = "hansa:market/pricing@0.1.0";
const PRICE: &str = "price";

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

impl Program {
    /// Can it name prices? An agent has to where `agent.toml` has a quoted price.
    pub fn names_prices(&self) -> bool {
        self.export(PRICING).is_some_and(|interface| interface.functions.iter().any(|function| &*function.name == PRICE))
    }
}

impl Prepared {
    /// What a call of `function` of `service` with `args` (CBOR array) would cost, in the asset's smallest unit. `capabilities` should
    /// let the agent neither buy nor infer, as nobody pays for that.
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
        let schema = self.schema(service, function);
        let schema = schema.ok_or_else(|| PricingError::Asked(format!("`{service}` has no function `{function}`")))?;
        let json = schema.args_to_json(args).map_err(|error| PricingError::Asked(error.to_string()))?.to_string();
        let mut question = Vec::with_capacity(json.len() + 64);
        cbor::put_head(&mut question, cbor::ARRAY, 3);
        for text in [service, function, &json] {
            cbor::put_text(&mut question, text);
        }
        let (interface, function) = (PRICING.to_owned(), PRICE.to_owned());
        let outcome = self.call(Invocation { interface, function, args: question.into(), deadline, capabilities }).await;
        let answer = outcome.result?;
        read(&answer)
            .map_err(|error| PricingError::Asked(format!("the agent named no price: {error}")))?
            .map_err(PricingError::Declined)
    }
}

/// The `result<u64, string>` that came back.
fn read(answer: &[u8]) -> Result<Result<u64, String>, WireError> {
    let mut reader = cbor::Reader::new(answer);
    reader.array_of(2, "a result")?;
    Ok(match reader.unsigned(1)? {
        0 => Ok(reader.unsigned(u64::MAX)?),
        _ => Err(reader.text()?.to_owned()),
    })
}
