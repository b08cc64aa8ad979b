//! The price of a call that its agent names, in an instance that can neither buy nor infer.

use std::sync::Arc;

use hansa_economy::Amount;
use hansa_host::{Absent, Capabilities, PricingError};
use hansa_trade::Asked;

use super::serve::AgentServe;

/// Ask the agent. Error: why there is no price, for the buyer.
pub(crate) async fn price(serve: &AgentServe, asked: Asked) -> Result<Amount, String> {
    let absent = Arc::new(Absent);
    let capabilities = Capabilities {
        market: absent.clone(),
        inference: absent.clone(),
        store: serve.store.clone(),
        log: Arc::new(serve.logs.clone()),
        wallet: absent.clone(),
        topics: absent,
        call: None,
    };
    let named = serve.prepared.price(&asked.service, &asked.function, &asked.args, capabilities, asked.deadline).await;
    named.map(|units| Amount(units.into())).map_err(|error| match error {
        PricingError::Failed(failure) => {
            serve.logs.write("error", format!("naming a price of `{}` failed: {failure}", asked.function));
            "the agent broke while it worked the price out".to_owned()
        }
        other => other.to_string(),
    })
}
