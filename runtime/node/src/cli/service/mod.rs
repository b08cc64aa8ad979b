//! `hansa service …`: what is on offer, what it looks like, and buying it.

mod call;
mod compare;
mod search;
mod show;
mod tender;

use std::collections::BTreeSet;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Subcommand;
use hansa_catalogue::strict_toml::nearest;
use hansa_economy::offer::{Price, Rates};
use hansa_host::{Compiler, Host, HostOptions, Program};
use hansa_node::Client;
use hansa_trade::Listed;

use super::{Context, Failure, Limits};

#[derive(Subcommand)]
#[command(after_help = "\
Examples:
  hansa service search embed
  hansa service search --label region=eu --max-price 0.01 --why translate
  hansa service show commons:embedding/embedder --schema
  hansa service compare commons:embedding/embedder
  hansa service quote commons:embedding/embedder embed '[[\"hello\"]]'
  hansa service tender commons:embedding/embedder embed '[[\"hello\"]]' --wait 2s --award
  hansa service call commons:embedding/embedder embed '[[\"hello\", \"good day\"]]' --max-price 0.01")]
pub(crate) enum Command {
    /// Published packages by words and properties, with what is on offer now.
    Search(search::Search),
    /// Functions, types, prices and sellers of one service; with `--json`, the JSON Schemas too.
    Show {
        /// The interface, with or without version.
        service: String,
        /// Also print the JSON Schema of each function's arguments and result.
        #[arg(long)]
        schema: bool,
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
    /// Buy one call. Arguments are a JSON array; bytes are base64, 64-bit integers decimal strings. A fault is an error.
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

/// The exit code: a bought answer that is a fault is told in full, and yet no success.
pub(crate) async fn run(context: &Context, command: Command) -> Result<ExitCode, Failure> {
    let client = context.client().await?;
    match command {
        Command::Search(search) => search::run(context, &client, search).await?,
        Command::Show { service, schema } => show::show(context, &client, &service, schema).await?,
        Command::Compare { service } => compare::compare(context, &client, &service).await?,
        Command::Quote { service, function, args, limits } => {
            compare::quote(context, &client, (&service, &function), args, &limits).await?
        }
        Command::Call { service, function, args, limits } => {
            return call::call(context, &client, (&service, &function), args, &limits).await;
        }
        Command::Tender(tender) => return tender::run(context, &client, tender).await,
    }
    Ok(ExitCode::SUCCESS)
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
        true => Err(nobody_offers(client, service).await),
        false => Ok(found),
    }
}

async fn nobody_offers(client: &Client, service: &str) -> Failure {
    let offered = client.offers("").await;
    let bare = |name: &str| name.split('@').next().unwrap_or_default().to_owned();
    let names: BTreeSet<&str> = offered.iter().map(|listed| &*listed.offer.service).collect();
    let other_versions: Vec<&str> = names.iter().copied().filter(|name| bare(name) == bare(service)).collect();
    if !other_versions.is_empty() {
        return format!("HA0009: nobody offers `{service}`; on offer is `{}`", other_versions.join("`, `"));
    }
    let bare_names: BTreeSet<String> = names.iter().map(|name| bare(name)).collect();
    match nearest(&bare(service), bare_names.iter().map(String::as_str)) {
        Some(near) => format!("HA0009: nobody offers `{service}`; did you mean `{near}`?"),
        None => format!("HA0009: nobody offers `{service}`; see `hansa service search`"),
    }
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
