//! What an agent asks for a call, in an instance that can neither buy nor infer: its price, and its bid in a tender.

use std::sync::Arc;

use hansa_economy::Amount;
use hansa_host::{Absent, Capabilities, PricingError, Tender};
use hansa_trade::{Asked, Invited, Told};

use super::logs::{BID, Unpaid};
use super::serve::AgentServe;

/// Ask the agent. Error: why there is no price, for the buyer.
pub(crate) async fn price(serve: &AgentServe, asked: Asked) -> Result<Amount, String> {
    let named = serve.prepared.price(&asked.service, &asked.function, &asked.args, nothing(serve), asked.deadline).await;
    named.map(amount).map_err(|error| unpriced(serve, &asked.function, error))
}

/// What it bids: what it says where it has a word on it, else its price. Error: why there is no bid, for the buyer.
pub(crate) async fn bid(serve: &AgentServe, invited: Invited) -> Result<Option<Amount>, String> {
    let Invited { asked, tender, buyer, list } = invited;
    let bid = match (serve.prepared.program().bids(), list) {
        (true, list) => {
            let tender = Tender {
                id: tender.to_string(),
                buyer: buyer.to_string(),
                service: &asked.service,
                function: &asked.function,
                args: &asked.args,
                list_price: list.map(|list| u64::try_from(list.0).unwrap_or(u64::MAX)),
            };
            let bid = serve.prepared.bid(&tender, nothing(serve), asked.deadline).await;
            let bid = bid.map(|bid| bid.map(amount)).map_err(|error| unpriced(serve, &asked.function, error));
            let why = match &bid {
                Ok(Some(bid)) if list.is_some_and(|list| *bid > list) => Some(format!("{bid} is above the list price")),
                Ok(Some(_)) => None,
                Ok(None) => Some("the agent makes none".to_owned()),
                Err(why) => Some(why.clone()),
            };
            if let Some(why) = why {
                serve.logs.write(BID, format!("no bid for {}: {why}", asked.function));
            }
            bid?
        }
        (false, Some(list)) => Some(list),
        (false, None) => Some(price(serve, asked).await?),
    };
    Ok(bid)
}

/// A line for the author on how a tender ended.
pub(crate) fn told(serve: &AgentServe, told: &Told<'_>) {
    let end = match told.winner {
        Some((winner, _)) if winner == serve.buyer.payer().key.public() => "won".to_owned(),
        Some((winner, price)) => format!("lost against {price} of {}", winner.short()),
        None => "nobody was taken".to_owned(),
    };
    let others = match (told.counted, told.bids) {
        (false, _) => "it did not count".to_owned(),
        (true, 1) => "the only bid".to_owned(),
        (true, bids) => format!("one of {bids} bids"),
    };
    serve.logs.write(BID, format!("{} for {}: {end}; {others}", told.function, told.bid));
}

/// The outside of an instance that only names a price.
fn nothing(serve: &AgentServe) -> Capabilities {
    let absent = Arc::new(Absent);
    Capabilities {
        market: absent.clone(),
        inference: absent.clone(),
        store: serve.store.clone(),
        log: Arc::new(Unpaid(serve.logs.clone())),
        wallet: absent.clone(),
        topics: absent,
        call: None,
    }
}

fn amount(units: u64) -> Amount {
    Amount(units.into())
}

fn unpriced(serve: &AgentServe, function: &str, error: PricingError) -> String {
    match error {
        PricingError::Failed(failure) => {
            serve.logs.write_unpaid("error", format!("naming a price of `{function}` failed: {failure}"));
            "the agent broke while it worked the price out".to_owned()
        }
        other => other.to_string(),
    }
}
