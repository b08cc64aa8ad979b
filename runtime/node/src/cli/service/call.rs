//! `hansa service call`: one call, bought; and what was bought, shown.

use std::process::ExitCode;
use std::sync::Arc;

use hansa_host::{Fault, FunctionSchema};
use hansa_node::Client;
use hansa_trade::Bought;
use serde_json::{Value, json};

use super::super::output::{self, fail_with, line, note};
use super::super::{Context, Failure, Limits};
use super::{nearest, offers_of, program};

/// A call in the types of its function.
pub(super) struct Typed {
    /// The interface with its version.
    pub(super) name: String,
    pub(super) schema: Arc<FunctionSchema>,
    /// CBOR array of the arguments.
    pub(super) args: Vec<u8>,
}

/// Read a call's arguments by the types of the component behind the first offer.
pub(super) async fn typed(
    context: &Context,
    client: &Client,
    service: &str,
    function: &str,
    args: String,
) -> Result<Typed, Failure> {
    let offers = offers_of(client, service).await?;
    let program = program(context, client, &offers[0]).await?;
    let name = offers[0].offer.service.clone();
    let interface = program.export(&name).ok_or("the component does not export what it offers")?;
    let found = interface.functions.iter().find(|candidate| &*candidate.name == function);
    let schema = match found {
        Some(found) => found.schema.clone(),
        None => return Err(no_function(&name, function, interface.functions.iter().map(|function| &*function.name))),
    };
    let text = if args == "-" { std::io::read_to_string(std::io::stdin()).map_err(|error| error.to_string())? } else { args };
    let value: Value = serde_json::from_str(&text)
        .map_err(|error| format!("the arguments are not JSON: {error}; write an array, for example '[\"text\"]'"))?;
    let args =
        schema.args_from_json(&value).map_err(|error| format!("the arguments do not fit `{}`: {error}", schema.signature()))?;
    Ok(Typed { name, schema, args })
}

fn no_function<'a>(service: &str, function: &str, known: impl Iterator<Item = &'a str> + Clone) -> Failure {
    match nearest(function, known.clone()) {
        Some(near) => format!("`{service}` has no function `{function}`; did you mean `{near}`?"),
        None => format!("`{service}` has no function `{function}`; it has: {}", known.collect::<Vec<_>>().join(", ")),
    }
}

/// Buy it, and show the answer.
pub(super) async fn call(
    context: &Context,
    client: &Client,
    (service, function): (&str, &str),
    args: String,
    limits: &Limits,
) -> Result<ExitCode, Failure> {
    let Typed { name, schema, args } = typed(context, client, service, function, args).await?;
    let bought = client
        .call(&name, function, args, limits.max_price, limits.deadline_ms)
        .await
        .map_err(|fault| hansa_node::fault_text(&fault))?;
    show_bought(context, client, &schema, &bought).await
}

/// Show what was bought, and acknowledge it. An answer that is a fault is an error: what was asked for was not done.
pub(super) async fn show_bought(
    context: &Context,
    client: &Client,
    schema: &FunctionSchema,
    bought: &Bought,
) -> Result<ExitCode, Failure> {
    client.settle().await;
    let answer = schema.result_to_json(&bought.answer).map_err(|error| format!("the answer cannot be read: {error}"))?;
    let fault = Fault::from_result(&bought.answer);
    if context.json {
        let Bought { charged, seller, receipt, .. } = bought;
        let value = json!({ "answer": answer, "charged": charged, "seller": seller, "receipt": receipt });
        return Ok(match fault {
            Some(fault) => fail_with(&fault.to_string(), value),
            None => {
                output::json(&value);
                ExitCode::SUCCESS
            }
        });
    }
    let code = match fault {
        Some(fault) => output::fail(&fault.to_string(), false),
        None => {
            line(serde_json::to_string_pretty(&answer).unwrap_or_default());
            ExitCode::SUCCESS
        }
    };
    let receipt = bought.receipt.map_or_else(|| "no receipt (free)".into(), |digest| format!("receipt {}", digest.short()));
    note(format!("charged {} CRED · by {} · {receipt}", bought.charged, bought.seller.short()));
    Ok(code)
}
