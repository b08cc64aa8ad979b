//! Terms that no offer meets: which of them excludes the offers, and which offer comes nearest.

use std::collections::BTreeSet;

use hansa_economy::Amount;

use super::spots::Spots;
use super::{doubtful, wrong};
use crate::definition::Call;
use crate::market::{Listing, Term, terms};
use crate::place::{Place, Problem};
use crate::run::Wanted;
use crate::types::Finding;

/// Values of a label, or keys, that a message names.
const NAMED_MAX: usize = 5;

/// Whom a call can be bought from.
pub(super) struct Search<'a> {
    pub(super) call: &'a Call,
    pub(super) wanted: &'a Wanted,
    /// The class of its data.
    pub(super) class: Option<&'a str>,
    /// Every offer of the function.
    pub(super) listings: &'a [Listing],
    pub(super) spots: &'a Spots,
}

pub(super) fn check(search: &Search<'_>) -> Vec<Finding> {
    let Search { call, wanted, listings, .. } = search;
    if listings.is_empty() {
        let what = format!("nobody sells `{}` of `{}` now", call.function, call.service);
        return vec![wrong(Problem::new(call.place, what))];
    }
    let fitting: Vec<&Listing> = listings.iter().filter(|listing| listing.fits(wanted)).collect();
    match fitting.is_empty() {
        true => search.excluded(),
        false => search.too_few(&fitting).into_iter().collect(),
    }
}

impl Search<'_> {
    /// Terms that exclude all offers by themselves; else one that does together with the others.
    fn excluded(&self) -> Vec<Finding> {
        let terms = terms(self.wanted);
        let alone: Vec<Term<'_>> =
            terms.iter().copied().filter(|term| self.listings.iter().all(|listing| !listing.meets(self.wanted, *term))).collect();
        if !alone.is_empty() {
            return alone.into_iter().map(|term| self.told(term, &self.listings.iter().collect::<Vec<_>>())).collect();
        }
        let without = |left_out: Term<'_>| -> Vec<&Listing> {
            let others = || terms.iter().copied().filter(|term| *term != left_out);
            self.listings.iter().filter(|listing| others().all(|term| listing.meets(self.wanted, term))).collect()
        };
        // The price first: it is what is raised most easily.
        let culprit = terms.iter().rev().copied().map(|term| (term, without(term))).find(|(_, left)| !left.is_empty());
        match culprit {
            Some((term, left)) => vec![self.told(term, &left)],
            None => {
                let count = self.listings.len();
                let what = format!("{count} offers exist, and each misses two of the terms or more; loosen them");
                vec![wrong(Problem::new(self.call.place, what))]
            }
        }
    }

    /// Of `left`, offers that meet the other terms, none meets this one.
    fn told(&self, term: Term<'_>, left: &[&Listing]) -> Finding {
        let count = match left.len() {
            1 => "the one offer".to_owned(),
            more => format!("none of the {more} offers"),
        };
        let count = if left.len() == self.listings.len() {
            count
        } else {
            format!("{count} that {} the other terms", if left.len() == 1 { "meets" } else { "meet" })
        };
        let not = if left.len() == 1 { " not" } else { "" };
        let nearest = left.iter().min_by_key(|listing| listing.price_max).map(|listing| offer(listing)).unwrap_or_default();
        let what = match term {
            Term::Sellers => format!("{count} is{not} of the sellers that the terms name; nearest: {nearest}"),
            Term::Nodes => {
                let of = self.class.map_or(String::new(), |class| format!(", or the class `{class}`,"));
                format!("{count} is{not} on the nodes that the terms{of} name; nearest: {nearest}")
            }
            Term::Label(name, value) => {
                let has = has(name, left);
                let lacks = if left.len() == 1 { "lacks" } else { "has" };
                format!("{count} {lacks} the label `{name}: {value}`; {has}; nearest: {nearest}")
            }
            Term::Price(most) => return self.dear(most, left, &count, not),
        };
        wrong(Problem::new(self.place(term), what))
    }

    fn dear(&self, most: Amount, left: &[&Listing], count: &str, not: &str) -> Finding {
        let cheapest = left.iter().min_by_key(|listing| listing.price_needed);
        let nearest = cheapest.map_or(String::new(), |listing| {
            let up_to = if listing.exact().is_some() { "" } else { " at least" };
            format!("the cheapest, {}, costs{up_to} {}", named(listing), listing.price_needed)
        });
        let what = format!("{count} is{not} within `max-price`, `{most}`; {nearest}");
        wrong(Problem::new(self.place(Term::Price(most)), what))
    }

    fn place(&self, term: Term<'_>) -> Place {
        let keys: &[&str] = match &term {
            Term::Sellers => &["sellers"],
            Term::Nodes => &["nodes"],
            Term::Label(name, _) => &["labels", name],
            Term::Price(_) => &["max-price"],
        };
        self.spots.term(self.call, keys).unwrap_or(self.call.place)
    }

    /// Fewer sellers than are to be asked.
    fn too_few(&self, fitting: &[&Listing]) -> Option<Finding> {
        let ask = self.call.ask.as_ref()?;
        let sellers = fitting.iter().map(|listing| listing.seller.0).collect::<BTreeSet<_>>().len();
        if sellers >= ask.sellers as usize {
            return None;
        }
        let place = self.spots.within(self.call.place, &["ask", "sellers"]).unwrap_or(ask.place);
        let problem = Problem::new(
            place,
            format!("{} sellers are to be asked, {} must answer, and {sellers} meet the terms now", ask.sellers, ask.min),
        );
        Some(if sellers < ask.min as usize { wrong(problem) } else { doubtful(problem) })
    }
}

fn named(listing: &Listing) -> String {
    match listing.node_name.is_empty() {
        true => format!("`{}`", listing.package),
        false => format!("`{}` on `{}`", listing.package, listing.node_name),
    }
}

/// An offer with its price and keys, to be put into the terms.
fn offer(listing: &Listing) -> String {
    let price = match listing.exact() {
        Some(price) => format!("at {price}"),
        None => format!("at up to {}", listing.price_max),
    };
    format!("{} {price} (seller {}, node {})", named(listing), listing.seller, listing.node)
}

/// Which values of a label offers have.
fn has(name: &str, left: &[&Listing]) -> String {
    let values: BTreeSet<&str> =
        left.iter().filter_map(|listing| listing.labels.get(name)).flatten().map(String::as_str).collect();
    let shown: Vec<&str> = values.iter().copied().take(NAMED_MAX).collect();
    match &shown[..] {
        [] => format!("none says its `{name}`"),
        shown => format!("there are `{}`{}", shown.join("`, `"), if values.len() > NAMED_MAX { " and others" } else { "" }),
    }
}
