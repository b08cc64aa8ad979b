//! What a manifest and a component make together: offers for what is sold, terms for what is bought.

use std::collections::BTreeMap;

use hansa_catalogue::manifest::{Manifest, Prefer, Purchase, Sale};
use hansa_economy::channel::AccountId;
use hansa_economy::offer::{CallBounds, Offer};
use hansa_economy::{Digest, PublicKey};
use hansa_host::{InterfaceKind, Program};
use hansa_trade::Terms;

/// Encoded arguments that an agent takes at most, bytes.
const REQUEST_BYTES_MAX: u64 = 6 << 20;

/// Where an offer is made.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub(crate) agent: PublicKey,
    pub(crate) account: AccountId,
    pub(crate) node: PublicKey,
    pub(crate) node_name: String,
    pub(crate) ledger: Digest,
    pub(crate) asset: u32,
}

/// Offers for everything that `manifest` sells, or why it cannot be sold.
pub(crate) fn offers(manifest: &Manifest, program: &Program, place: &Place) -> Result<Vec<Offer>, String> {
    check_exports(manifest, program)?;
    manifest.sells.iter().map(|(service, sale)| offer(manifest, program, place, service, sale)).collect()
}

fn offer(manifest: &Manifest, program: &Program, place: &Place, service: &str, sale: &Sale) -> Result<Offer, String> {
    let interface = program.export(service).filter(|interface| &*interface.name == service);
    let interface = interface.ok_or_else(|| {
        format!("HA0012: agent.toml sells `{service}`, which the component does not export; it exports: {}", exported(program))
    })?;
    if let Err(problem) = &interface.tradable {
        return Err(format!("HA0011: `{service}` cannot be sold: {problem}"));
    }
    if let Some(function) = interface.functions.iter().find(|function| !sale.price.contains_key(&*function.name)) {
        return Err(format!(
            "HA0012: agent.toml names no price for `{}` of `{service}`; add `price.{} = \"free\"` or an amount",
            function.name, function.name
        ));
    }
    if let Some(name) = sale.price.keys().find(|name| !interface.functions.iter().any(|function| *function.name == ***name)) {
        return Err(format!("HA0012: agent.toml prices `{name}`, which `{service}` does not have"));
    }
    if let Some((name, _)) = sale.price.iter().find(|(_, tag)| tag.0.quoted && !program.names_prices()) {
        return Err(format!(
            "HA0012: agent.toml has a quoted price for `{name}` of `{service}`, and the component does not export \
             `hansa:market/pricing@0.1.0`, which would name it; export that, or write an amount"
        ));
    }
    Ok(Offer {
        service: service.to_owned(),
        functions: sale.price.iter().map(|(name, tag)| (name.clone(), tag.0.clone())).collect(),
        idempotent: sale.idempotent.clone(),
        component: Digest(program.digest()),
        package: manifest.package(),
        agent: place.agent,
        account: place.account,
        node: place.node,
        node_name: place.node_name.clone(),
        ledger: place.ledger,
        asset: place.asset,
        labels: sale.labels.clone(),
        bounds: CallBounds {
            deadline_ms_max: sale.deadline_ms_max,
            request_bytes_max: REQUEST_BYTES_MAX,
            concurrency: sale.concurrency,
        },
        valid_until_ms: 0,
        revision: 0,
        free_calls: sale.free_calls,
    })
}

/// A service that the component exports must be priced: an agent does not give away by accident what it made.
fn check_exports(manifest: &Manifest, program: &Program) -> Result<(), String> {
    let services =
        program.exports().iter().filter(|interface| interface.kind == InterfaceKind::Service && !interface.functions.is_empty());
    match services.into_iter().find(|interface| !manifest.sells.contains_key(&*interface.name)) {
        Some(interface) => Err(format!(
            "HA0012: the component exports `{}`, which agent.toml does not sell; add `[sells.\"{}\"]`",
            interface.name, interface.name
        )),
        None => Ok(()),
    }
}

fn exported(program: &Program) -> String {
    let names: Vec<_> = program.exports().iter().map(|interface| interface.name.to_string()).collect();
    if names.is_empty() { "nothing".into() } else { names.join(", ") }
}

/// The terms for everything that `manifest` buys.
pub(crate) fn terms(manifest: &Manifest) -> BTreeMap<String, Terms> {
    manifest.buys.iter().map(|(service, purchase)| (service.clone(), term(purchase))).collect()
}

fn term(purchase: &Purchase) -> Terms {
    Terms {
        max_price: purchase.max_price,
        deadline_ms: purchase.deadline_ms,
        prefer: match purchase.prefer {
            Prefer::Cheapest => hansa_trade::Prefer::Cheapest,
            Prefer::Fastest => hansa_trade::Prefer::Fastest,
        },
        labels: purchase.labels.clone(),
        sellers: purchase.sellers.clone(),
        nodes: None,
        retries: purchase.retries,
    }
}
