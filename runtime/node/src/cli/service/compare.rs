//! `hansa service compare` and `quote`: sellers of one service beside each other, and what one call would cost.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use hansa_economy::offer::Price;
use hansa_economy::receipt::{Ending, Receipt};
use hansa_economy::{Amount, Signed};
use hansa_node::Client;
use hansa_node::catalogue::{CatalogueLink, SellerView};
use hansa_trade::{Candidate, Listed};
use serde::Serialize;
use serde_json::json;

use super::super::output::{self, line, note, table};
use super::super::receipt::own;
use super::super::{Context, Failure, Limits};
use super::call::{Typed, typed};
use super::{offers_of, priced};

/// Receipts that are read for a seller's quality, the newest.
const RECEIPTS_READ: usize = 10_000;

/// Sellers of `service` beside each other, cheapest first for a call of one KiB in and out.
pub(super) async fn compare(context: &Context, client: &Client, service: &str) -> Result<(), Failure> {
    let mut offers = offers_of(client, service).await?;
    let link = CatalogueLink::new(client.exchange().bus()).map_err(|error| error.to_string())?;
    // Where no node keeps a catalogue, nothing is published.
    let published = link.sellers(service).await.unwrap_or_default();
    let sum = |listed: &Arc<Listed>| listed.offer.functions.values().map(one_kib).fold(Amount::ZERO, Amount::saturating_add);
    offers.sort_by_key(sum);
    let receipts = own(client, RECEIPTS_READ)?;
    if context.json {
        for listed in &offers {
            let quality: BTreeMap<&String, Quality> =
                listed.offer.functions.keys().map(|name| (name, Quality::of(&receipts, listed, name))).collect();
            output::json(&json!({ "offer": listed.offer, "one-kib-total": sum(listed), "quality": quality }));
        }
        return Ok(());
    }
    let rows: Vec<Vec<String>> = offers.iter().flat_map(|listed| cells(listed, &published, &receipts)).collect();
    table(&["SELLER", "NODE", "FUNCTION", "PRICE (CRED)", "1 KIB CALL", "YOUR CALLS", "DEADLINE", "AT ONCE", "PUBLISHED"], &rows);
    note("1 KIB CALL: the most for one KiB of arguments and of answer. YOUR CALLS: by the receipts of what you bought.");
    Ok(())
}

fn cells(listed: &Arc<Listed>, published: &[SellerView], receipts: &[Signed<Receipt>]) -> Vec<Vec<String>> {
    let offer = &listed.offer;
    let standing = match published.iter().find(|seller| seller.package == offer.package) {
        Some(SellerView { deprecated: Some(message), .. }) => format!("deprecated: {message}"),
        Some(_) => "yes".to_owned(),
        None => "no".to_owned(),
    };
    let row = |(name, price): (&String, &Price)| {
        vec![
            offer.package.clone(),
            offer.node_name.clone(),
            name.clone(),
            priced(price),
            one_kib(price).to_string(),
            Quality::of(receipts, listed, name).to_string(),
            format!("{} ms", offer.bounds.deadline_ms_max),
            offer.bounds.concurrency.to_string(),
            standing.clone(),
        ]
    };
    offer.functions.iter().map(row).collect()
}

/// How a seller served this buyer: from paid receipts only, which it has signed.
#[derive(Default, Serialize)]
#[serde(rename_all = "kebab-case")]
struct Quality {
    calls: usize,
    answered: usize,
    /// Half of the calls took no longer, milliseconds by the seller's clock.
    p50_ms: u64,
    /// All but one in a hundred took no longer.
    p99_ms: u64,
}

impl Quality {
    fn of(receipts: &[Signed<Receipt>], listed: &Listed, function: &str) -> Quality {
        let offer = &listed.offer;
        let served = receipts.iter().map(|signed| &signed.body);
        let served: Vec<&Receipt> = served
            .filter(|body| (body.seller, &*body.service, &*body.function) == (offer.agent, &offer.service, function))
            .collect();
        let mut took: Vec<u64> = served.iter().map(|body| body.finished_ms.saturating_sub(body.started_ms)).collect();
        took.sort_unstable();
        let at = |hundredths: usize| took.get((took.len() * hundredths).div_ceil(100).saturating_sub(1)).copied().unwrap_or(0);
        let answered = served.iter().filter(|body| matches!(body.ending, Ending::Answered(_))).count();
        Quality { calls: served.len(), answered, p50_ms: at(50), p99_ms: at(99) }
    }
}

impl fmt::Display for Quality {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.calls {
            0 => f.write_str("none"),
            calls => write!(f, "{calls}, {} answered, p50 {} ms, p99 {} ms", self.answered, self.p50_ms, self.p99_ms),
        }
    }
}

fn one_kib(price: &Price) -> Amount {
    if price.quoted || price.rates().is_metered() { price.max } else { price.charge(1024, 1024) }
}

/// What one call would cost at each seller, without calling.
pub(super) async fn quote(
    context: &Context,
    client: &Client,
    (service, function): (&str, &str),
    args: String,
    limits: &Limits,
) -> Result<(), Failure> {
    let Typed { name, args, .. } = typed(context, client, service, function, args).await?;
    let found = client.quote(&name, function, args, limits.max_price, limits.deadline_ms).await;
    let found = found.map_err(|fault| hansa_node::fault_text(&fault))?;
    if context.json {
        for candidate in &found {
            output::json(&json!({
                "seller": candidate.listed.offer.agent, "package": candidate.listed.offer.package, "price-min": candidate.price_min,
                "price-max": candidate.price_max, "named": candidate.quote.is_some(),
            }));
        }
        return Ok(());
    }
    let row = |candidate: &Candidate| {
        let offer = &candidate.listed.offer;
        let how = if candidate.quote.is_some() { "named by the seller, for half a minute" } else { "by its offer" };
        let (least, most) = (candidate.price_min.to_string(), candidate.price_max.to_string());
        vec![offer.package.clone(), offer.node_name.clone(), least, most, how.to_owned()]
    };
    line(format!("{name} {function}, for these arguments:"));
    table(&["SELLER", "NODE", "AT LEAST", "AT MOST", "PRICE"], &found.iter().map(row).collect::<Vec<_>>());
    Ok(())
}
