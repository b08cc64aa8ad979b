//! `hansa service search`: what the catalogue finds, with what is on offer now, and why it stands where it stands.

use std::collections::BTreeSet;
use std::sync::Arc;

use clap::Args;
use hansa_catalogue::version::satisfies;
use hansa_economy::Amount;
use hansa_economy::offer::Offer;
use hansa_node::Client;
use hansa_node::catalogue::{CatalogueError, CatalogueLink, HitView, ResultsView, Wanted};
use hansa_trade::Listed;
use serde_json::json;

use super::super::output::{self, line, note, table};
use super::super::{Context, Failure};
use super::priced;

/// What to search for.
#[derive(Args)]
pub(crate) struct Search {
    /// Words; none for all.
    #[arg(default_value = "")]
    text: String,
    /// Only what sells this interface, with or without version.
    #[arg(long, value_name = "INTERFACE")]
    interface: Option<String>,
    /// Only what has this label, `name=value`; may be given several times.
    #[arg(long = "label", value_name = "NAME=VALUE", value_parser = label)]
    labels: Vec<(String, String)>,
    /// Only packages of this publisher.
    #[arg(long, value_name = "NAME")]
    publisher: Option<String>,
    /// Only packages with this keyword.
    #[arg(long, value_name = "WORD")]
    keyword: Option<String>,
    /// Only what knows this language.
    #[arg(long, value_name = "LANGUAGE")]
    language: Option<String>,
    /// Only functions of which one call costs at most this, credits.
    #[arg(long, value_name = "CREDITS")]
    max_price: Option<Amount>,
    /// The most packages.
    #[arg(long, default_value_t = 20, value_name = "N")]
    limit: usize,
    /// Explain the order.
    #[arg(long)]
    why: bool,
}

fn label(text: &str) -> Result<(String, String), String> {
    let pair = text.split_once('=').filter(|(name, value)| !name.is_empty() && !value.is_empty());
    let (name, value) = pair.ok_or_else(|| "write it as `name=value`, for example `region=eu`".to_owned())?;
    Ok((name.to_owned(), value.to_owned()))
}

/// One function of an offer.
struct Row {
    offer: Arc<Listed>,
    function: String,
}

pub(super) async fn run(context: &Context, client: &Client, search: Search) -> Result<(), Failure> {
    let found = published(client, &search).await?;
    let text = if search.text.is_empty() { search.interface.clone().unwrap_or_default() } else { search.text.clone() };
    let matching = client.offers(&text).await;
    let all = client.exchange().index().all(client.exchange().now_ms());
    let rows = rows(&search, &found, all, &matching);
    if context.json {
        rows.iter().map(|row| &row.offer.offer).fold(BTreeSet::new(), |mut seen, offer| {
            if seen.insert((offer.agent, &offer.service)) {
                output::json(offer);
            }
            seen
        });
        found.hits.iter().for_each(|hit| output::json(&json!({ "published": hit })));
        return Ok(());
    }
    print(&search, &found, &rows);
    Ok(())
}

/// What is published; nothing where no node keeps a catalogue.
async fn published(client: &Client, search: &Search) -> Result<ResultsView, Failure> {
    let link = CatalogueLink::new(client.exchange().bus()).map_err(|error| error.to_string())?;
    let wanted = Wanted {
        text: search.text.clone(),
        interface: search.interface.clone(),
        labels: search.labels.clone(),
        publisher: search.publisher.clone(),
        keyword: search.keyword.clone(),
        language: search.language.clone(),
        offset: 0,
        limit: search.limit,
    };
    match link.find(wanted).await {
        Err(CatalogueError::Nobody) => Ok(ResultsView { total: 0, hits: Vec::new(), corrections: Vec::new(), loosened: false }),
        found => found.map_err(|error| error.to_string()),
    }
}

/// Functions on offer: those of packages that were found, in the catalogue's order, then those that match and are not published.
fn rows(search: &Search, found: &ResultsView, all: Vec<Arc<Listed>>, matching: &[Arc<Listed>]) -> Vec<Row> {
    let place = |offer: &Offer| found.hits.iter().position(|hit| name(&hit.package) == name(&offer.package));
    let is_plain = search.publisher.is_none() && search.keyword.is_none() && search.language.is_none();
    let matches = |listed: &Arc<Listed>| matching.iter().any(|other| other.digest == listed.digest);
    let fits = |listed: &Arc<Listed>| place(&listed.offer).is_some() || is_plain && matches(listed);
    let mut offers: Vec<Arc<Listed>> = all.into_iter().filter(|listed| fits(listed) && suits(search, &listed.offer)).collect();
    offers.sort_by_key(|listed| {
        (place(&listed.offer).unwrap_or(usize::MAX), listed.offer.service.clone(), listed.offer.node_name.clone())
    });
    let rows = offers.into_iter().flat_map(|offer| {
        let cheap = |price: Amount| search.max_price.is_none_or(|most| price <= most);
        let names: Vec<String> =
            offer.offer.functions.iter().filter(|(_, price)| cheap(price.max)).map(|(name, _)| name.clone()).collect();
        names.into_iter().map(move |function| Row { offer: offer.clone(), function })
    });
    rows.collect()
}

fn suits(search: &Search, offer: &Offer) -> bool {
    let labelled = |(name, value): &(String, String)| offer.labels.get(name).is_some_and(|values| values.contains(value));
    search.interface.as_ref().is_none_or(|wanted| satisfies(&offer.service, wanted)) && search.labels.iter().all(labelled)
}

/// `publisher/name` of a package with version.
fn name(package: &str) -> &str {
    package.split('@').next().unwrap_or(package)
}

fn print(search: &Search, found: &ResultsView, rows: &[Row]) {
    for (typed, used) in &found.corrections {
        note(format!("no package has `{typed}`; looked for `{used}`"));
    }
    if found.loosened {
        note("no package has all the words; these have some of them");
    }
    if rows.is_empty() && found.hits.is_empty() {
        note("nothing on offer matches; deploy an agent (`hansa agent deploy FOLDER`), or look on another bus (`--nats URL`)");
        return;
    }
    let cells = rows.iter().map(|row| {
        let offer = &row.offer.offer;
        let price = offer.functions.get(&row.function).map(priced).unwrap_or_default();
        vec![offer.service.clone(), row.function.clone(), price, offer.package.clone(), offer.node_name.clone()]
    });
    if !rows.is_empty() {
        table(&["SERVICE", "FUNCTION", "PRICE (CRED)", "BY", "NODE"], &cells.collect::<Vec<_>>());
    }
    let on_offer = |hit: &HitView| rows.iter().any(|row| name(&row.offer.offer.package) == name(&hit.package));
    let idle: Vec<&HitView> = found.hits.iter().filter(|hit| !on_offer(hit)).collect();
    if !idle.is_empty() && search.max_price.is_none() {
        line("");
        line("published, and offered by nobody now (`hansa agent deploy PACKAGE` does):");
        let cells = idle.iter().map(|hit| vec![hit.package.clone(), hit.description.clone()]);
        table(&["PACKAGE", "DESCRIPTION"], &cells.collect::<Vec<_>>());
    }
    if search.why {
        explain(found, rows);
    }
}

fn explain(found: &ResultsView, rows: &[Row]) {
    line("");
    line("why in this order: packages of the catalogue by their score, then unpublished offers whose names contain the text");
    for hit in &found.hits {
        let why = if hit.why.is_empty() { "no words were asked for: newest first".to_owned() } else { hit.why.join("; ") };
        line(format!("  {:<32} {:>8.3}  {why}", hit.package, hit.score as f64 / 1000.0));
    }
    let published: BTreeSet<&str> = found.hits.iter().map(|hit| name(&hit.package)).collect();
    let others: BTreeSet<&str> = rows.iter().map(|row| row.offer.offer.package.as_str()).collect();
    for package in others.into_iter().filter(|package| !published.contains(name(package))) {
        line(format!("  {package:<32} {:>8}  not published; its offer contains the text", "-"));
    }
}
