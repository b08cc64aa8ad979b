//! `hansa service …`: what is on offer, what it looks like, and buying it.

mod compare;
mod search;
mod tender;

use std::sync::Arc;

use clap::Subcommand;
use hansa_economy::offer::{Price, Rates};
use hansa_host::{Compiler, FunctionSchema, Host, HostOptions, Program};
use hansa_node::Client;
use hansa_trade::{Bought, Listed};
use serde_json::Value;

use super::output::{json, line, note, table};
use super::{Context, Failure, Limits};

#[derive(Subcommand)]
#[command(after_help = "\
Examples:
  hansa service search embed
  hansa service search --label region=eu --max-price 0.01 --why translate
  hansa service show commons:embedding/embedder
  hansa service compare commons:embedding/embedder
  hansa service quote commons:embedding/embedder embed '[[\"hello\"]]'
  hansa service tender commons:embedding/embedder embed '[[\"hello\"]]' --wait 2s --award
  hansa service call commons:embedding/embedder embed '[[\"hello\", \"good day\"]]' --max-price 0.01")]
pub(crate) enum Command {
    /// Published packages by words and properties, with what is on offer now.
    Search(search::Search),
    /// Functions, types, prices and sellers of one service.
    Show {
        /// The interface, with or without version.
        service: String,
    },
    /// The sellers of one service beside each other, cheapest first.
    Compare {
        /// The interface, with or without version.
        service: String,
    },
    /// What a call would cost at each seller; a price that is named on request is asked for. Nothing is bought.
    Quote {
        /// The interface, with or without version.
        service: String,
        /// The function.
        function: String,
        /// JSON array of the arguments; `-` reads it from standard input.
        #[arg(default_value = "[]")]
        args: String,
        #[command(flatten)]
        limits: Limits,
    },
    /// Let all sellers bid for one call, unseen by each other, and show the bids; nothing is bought without `--award`.
    Tender(tender::Tender),
    /// Buy one call. Arguments are a JSON array; bytes are base64, 64-bit integers decimal strings.
    Call {
        /// The interface, with or without version.
        service: String,
        /// The function.
        function: String,
        /// JSON array of the arguments; `-` reads it from standard input.
        #[arg(default_value = "[]")]
        args: String,
        #[command(flatten)]
        limits: Limits,
    },
}

pub(crate) async fn run(context: &Context, command: Command) -> Result<(), Failure> {
    let client = context.client().await?;
    match command {
        Command::Search(search) => search::run(context, &client, search).await,
        Command::Show { service } => show(context, &client, &service).await,
        Command::Compare { service } => compare::compare(context, &client, &service).await,
        Command::Quote { service, function, args, limits } => {
            compare::quote(context, &client, (&service, &function), args, &limits).await
        }
        Command::Tender(tender) => tender::run(context, &client, tender).await,
        Command::Call { service, function, args, limits } => call(context, &client, &service, &function, args, &limits).await,
    }
}

/// A price in one line.
pub(super) fn priced(price: &Price) -> String {
    if *price == Price::FREE {
        return "free".into();
    }
    if price.quoted {
        return format!("named on request, at most {}", price.max);
    }
    let steps: Vec<String> =
        price.steps.iter().map(|step| format!("; {} from call {} on", rated(&step.rates), step.from)).collect();
    rated(&price.rates()) + &steps.concat()
}

fn rated(rates: &Rates) -> String {
    let parts = [
        (rates.per_request_kib, "KiB in"),
        (rates.per_response_kib, "KiB out"),
        (rates.per_second, "second"),
        (rates.per_inference_unit, "inference unit"),
        (rates.per_item, "item"),
    ];
    let mut text = rates.base.to_string();
    for (rate, unit) in parts.into_iter().filter(|(rate, _)| !rate.is_zero()) {
        text += &format!(" + {rate}/{unit}");
    }
    match rates.max > rates.base {
        true => format!("{text}, at most {}", rates.max),
        false => text,
    }
}

/// Offers of one service, given with or without version.
async fn offers_of(client: &Client, service: &str) -> Result<Vec<Arc<Listed>>, Failure> {
    let mut found = client.offers(service).await;
    found.retain(|listed| listed.offer.service == service || listed.offer.service.split('@').next() == Some(service));
    match found.is_empty() {
        true => Err(format!("HA0009: nobody offers `{service}`; see `hansa service search`")),
        false => Ok(found),
    }
}

async fn show(context: &Context, client: &Client, service: &str) -> Result<(), Failure> {
    let offers = offers_of(client, service).await?;
    let first = &offers[0].offer;
    let program = program(context, client, &offers[0]).await?;
    let interface = program.export(&first.service).ok_or("the component does not export what it offers")?;
    if context.json {
        let functions: Vec<Value> = interface
            .functions
            .iter()
            .map(|function| serde_json::json!({ "name": &*function.name, "signature": function.schema.signature() }))
            .collect();
        json(
            &serde_json::json!({ "service": first.service, "functions": functions, "offers": offers.iter().map(|listed| &listed.offer).collect::<Vec<_>>() }),
        );
        return Ok(());
    }
    line(&first.service);
    interface.functions.iter().for_each(|function| line(format!("  {}", function.schema.signature())));
    line("");
    let rows = offers.iter().flat_map(|listed| {
        let offer = &listed.offer;
        offer.functions.iter().map(|(name, price)| {
            vec![
                offer.package.clone(),
                offer.node_name.clone(),
                name.clone(),
                priced(price),
                format!("{} ms", offer.bounds.deadline_ms_max),
            ]
        })
    });
    table(&["SELLER", "NODE", "FUNCTION", "PRICE (CRED)", "DEADLINE"], &rows.collect::<Vec<_>>());
    Ok(())
}

/// The component behind an offer, fetched by the digest in it: the types come from what will really run.
async fn program(context: &Context, client: &Client, listed: &Listed) -> Result<Arc<Program>, Failure> {
    let bytes = client.component(listed.offer.component).await.map_err(|error| error.to_string())?;
    let folder = context.home.join("compiled");
    let compiled = tokio::task::spawn_blocking(move || {
        let compiler = std::env::current_exe().ok().map(Compiler::new);
        let options = HostOptions { pool_instances: 1, cache_folder: Some(folder), compiler, ..HostOptions::default() };
        let host = Host::new(options).map_err(|error| error.to_string())?;
        host.compile(&bytes).map_err(|error| error.to_string())
    });
    compiled.await.map_err(|error| error.to_string())?
}

/// A call in the types of its function.
struct Typed {
    /// The interface with its version.
    name: String,
    schema: Arc<FunctionSchema>,
    /// CBOR array of the arguments.
    args: Vec<u8>,
}

/// Read a call's arguments by the types of the component behind the first offer.
async fn typed(context: &Context, client: &Client, service: &str, function: &str, args: String) -> Result<Typed, Failure> {
    let offers = offers_of(client, service).await?;
    let program = program(context, client, &offers[0]).await?;
    let name = offers[0].offer.service.clone();
    let interface = program.export(&name).ok_or("the component does not export what it offers")?;
    let found = interface.functions.iter().find(|candidate| &*candidate.name == function);
    let names = || interface.functions.iter().map(|function| function.name.to_string()).collect::<Vec<_>>().join(", ");
    let schema = found.ok_or_else(|| format!("`{name}` has no function `{function}`; it has: {}", names()))?.schema.clone();
    let text = if args == "-" { std::io::read_to_string(std::io::stdin()).map_err(|error| error.to_string())? } else { args };
    let value: Value = serde_json::from_str(&text)
        .map_err(|error| format!("the arguments are not JSON: {error}; write an array, for example '[\"text\"]'"))?;
    let args =
        schema.args_from_json(&value).map_err(|error| format!("the arguments do not fit `{}`: {error}", schema.signature()))?;
    Ok(Typed { name, schema, args })
}

async fn call(
    context: &Context,
    client: &Client,
    service: &str,
    function: &str,
    args: String,
    limits: &Limits,
) -> Result<(), Failure> {
    let Typed { name, schema, args } = typed(context, client, service, function, args).await?;
    let bought = client
        .call(&name, function, args, limits.max_price, limits.deadline_ms)
        .await
        .map_err(|fault| hansa_node::fault_text(&fault))?;
    show_bought(context, client, &schema, &bought).await
}

/// Print what was bought, and acknowledge it.
async fn show_bought(context: &Context, client: &Client, schema: &FunctionSchema, bought: &Bought) -> Result<(), Failure> {
    client.settle().await;
    let answer = schema.result_to_json(&bought.answer).map_err(|error| format!("the answer cannot be read: {error}"))?;
    if context.json {
        json(
            &serde_json::json!({ "answer": answer, "charged": bought.charged, "seller": bought.seller, "receipt": bought.receipt }),
        );
        return Ok(());
    }
    line(serde_json::to_string_pretty(&answer).unwrap_or_default());
    let receipt = bought.receipt.map_or_else(|| "no receipt (free)".into(), |digest| format!("receipt {}", digest.short()));
    note(format!("charged {} CRED · by {} · {receipt}", bought.charged, bought.seller.short()));
    Ok(())
}
