//! `hansa service tender`: sealed bids of all sellers for one call, and buying by the best.

use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use hansa_catalogue::units::Span;
use hansa_economy::Digest;
use hansa_node::Client;
use hansa_trade::{Bid, Tendered};
use serde_json::{Value, json};

use super::super::output::{self, line, note, table};
use super::super::{Context, Failure, Limits};
use super::call::{Typed, show_bought, typed};

/// What to put out.
#[derive(Args)]
pub(crate) struct Tender {
    /// The interface, with or without version.
    service: String,
    /// The function.
    function: String,
    /// JSON array of the arguments; `-` reads it from standard input.
    #[arg(default_value = "[]")]
    args: String,
    /// How long to wait for bids, 50ms to 10s.
    #[arg(long, default_value = "1s", value_name = "TIME", value_parser = wait)]
    wait: Duration,
    /// Buy from the best bidder.
    #[arg(long)]
    award: bool,
    #[command(flatten)]
    limits: Limits,
}

fn wait(text: &str) -> Result<Duration, String> {
    text.parse::<Span>().map(|span| span.0)
}

pub(super) async fn run(context: &Context, client: &Client, tender: Tender) -> Result<ExitCode, Failure> {
    let Tender { service, function, args, wait, award, limits } = tender;
    let Typed { name, schema, args } = typed(context, client, &service, &function, args).await?;
    let (order, terms) = Client::order(&name, &function, args, limits.max_price, limits.deadline_ms);
    let told = |fault: hansa_host::Fault| hansa_node::fault_text(&fault);
    let tendered = client.tender(&order, &terms, wait).await.map_err(told)?;
    show(context, &format!("{name} {function}, for these arguments:"), &tendered);
    if !award {
        client.conclude(&tendered, None).await;
        note("nobody was taken; `--award` buys from the best bidder");
        return Ok(ExitCode::SUCCESS);
    }
    let bought = client.buy_by(&order, &terms, &tendered).await;
    client.conclude(&tendered, bought.as_ref().ok().map(|bought| bought.seller)).await;
    let bought = bought.map_err(told)?;
    show_bought(context, client, &schema, &bought).await
}

fn show(context: &Context, head: &str, tendered: &Tendered) {
    if context.json {
        output::json(&json!({ "tender": tendered.id, "bids": tendered.bids.iter().map(as_json).collect::<Vec<_>>() }));
        return;
    }
    line(head);
    table(&["SELLER", "NODE", "QUOTE", "BID (CRED)"], &tendered.bids.iter().map(cells).collect::<Vec<_>>());
}

fn as_json(bid: &Bid) -> Value {
    let offer = &bid.candidate.listed.offer;
    let price = bid.out.is_none().then_some(bid.candidate.price_max);
    json!({
        "seller": offer.agent, "package": offer.package, "node": offer.node_name, "price": price, "quote": quote(bid),
        "out": bid.out.as_ref().map(ToString::to_string),
    })
}

fn cells(bid: &Bid) -> Vec<String> {
    let offer = &bid.candidate.listed.offer;
    let end = match &bid.out {
        Some(out) => out.to_string(),
        None => bid.candidate.price_max.to_string(),
    };
    let named = quote(bid).map_or_else(|| "-".to_owned(), |quote| quote.short());
    vec![offer.package.clone(), offer.node_name.clone(), named, end]
}

/// What the receipt of a call by this bid names.
fn quote(bid: &Bid) -> Option<Digest> {
    bid.candidate.quote.as_ref().map(|held| held.quote.digest())
}
