//! The price of a call that its agent names: its export `hansa:market/pricing`, in an instance that can neither buy nor infer.

use std::sync::Arc;

use hansa_economy::Amount;
use hansa_host::{Absent, Capabilities, Invocation, Program};
use hansa_trade::Asked;
use minicbor::Decoder;

use super::serve::AgentServe;

/// What an agent with a quoted price has to export.
const PRICING: &str = "hansa:market/pricing@0.1.0";
const PRICE: &str = "price";

/// Can this program name prices?
pub(crate) fn names_prices(program: &Program) -> bool {
    program.export(PRICING).is_some_and(|interface| interface.functions.iter().any(|function| &*function.name == PRICE))
}

/// Ask the agent. Error: why there is no price, for the buyer.
pub(crate) async fn price(serve: &AgentServe, asked: Asked) -> Result<Amount, String> {
    let args = question(serve, &asked)?;
    let absent = Arc::new(Absent);
    let capabilities = Capabilities {
        market: absent.clone(),
        inference: absent,
        store: serve.store.clone(),
        log: Arc::new(serve.logs.clone()),
        call: None,
    };
    let (interface, function, deadline) = (PRICING.to_owned(), PRICE.to_owned(), asked.deadline);
    let outcome = serve.prepared.call(Invocation { interface, function, args: args.into(), deadline, capabilities }).await;
    let answer = outcome.result.map_err(|failure| {
        serve.logs.write("error", format!("naming a price of `{}` failed: {failure}", asked.function));
        "the agent broke while it worked the price out".to_owned()
    })?;
    named(&answer).unwrap_or_else(|error| Err(format!("the agent named no price: {error}")))
}

/// The arguments of `price`.
fn question(serve: &AgentServe, asked: &Asked) -> Result<Vec<u8>, String> {
    let schema = serve.prepared.schema(&asked.service, &asked.function);
    let schema = schema.ok_or_else(|| format!("`{}` has no function `{}`", asked.service, asked.function))?;
    let json = schema.args_to_json(&asked.args).map_err(|error| error.to_string())?.to_string();
    Ok(minicbor::to_vec((&asked.service, &asked.function, json)).expect("writing to memory cannot fail"))
}

/// Reads the `result<amount, string>` that came back.
fn named(answer: &[u8]) -> Result<Result<Amount, String>, minicbor::decode::Error> {
    let mut decoder = Decoder::new(answer);
    decoder.array()?;
    Ok(match decoder.u8()? {
        0 => Ok(Amount(decoder.u64()?.into())),
        _ => Err(decoder.str()?.to_owned()),
    })
}
