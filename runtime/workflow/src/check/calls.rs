//! Services and functions that a workflow calls: is there such a function, and does anybody sell it under the terms?

use hansa_catalogue::strict_toml::nearest;

use super::spots::Spots;
use super::{doubtful, offers, wrong};
use crate::definition::{Call, Work, Workflow};
use crate::market::{Known, Market};
use crate::place::Problem;
use crate::run::Wanted;
use crate::types::{Contracts, Finding};

pub(super) fn check(workflow: &Workflow, contracts: &dyn Contracts, market: &dyn Market, spots: &Spots) -> Vec<Finding> {
    let classes = workflow.data_classes();
    let mut findings = Vec::new();
    for step in workflow.all_steps() {
        let Work::Call(bought) = &step.work else { continue };
        for call in std::iter::once(&**bought).chain(bought.compensate.as_deref()) {
            let class = classes.get(step.id.as_str()).copied();
            let wanted = Wanted::of(workflow, call, class);
            let known = market.offers(&wanted);
            let contract = contract(call, contracts, &known);
            let is_told = contract.is_some();
            findings.extend(contract);
            if let (Known::Yes(listings), false) = (&known, is_told && is_empty(&known)) {
                findings.extend(offers::check(&offers::Search { call, wanted: &wanted, class, listings, spots }));
            }
        }
    }
    findings
}

fn is_empty<T>(known: &Known<Vec<T>>) -> bool {
    matches!(known, Known::Yes(all) if all.is_empty())
}

/// What is said where a contract is not known, or has no such function.
fn contract<T>(call: &Call, contracts: &dyn Contracts, offers: &Known<Vec<T>>) -> Option<Finding> {
    let Call { service, function, place, .. } = call;
    if let Some(functions) = contracts.functions(service) {
        if functions.contains(&function.as_str()) {
            return None;
        }
        let hint = match nearest(function, functions.iter().copied()) {
            Some(nearest) => format!("did you mean `{nearest}`?"),
            None => format!("it has `{}`", functions.join("`, `")),
        };
        return Some(wrong(Problem::new(*place, format!("`{function}` is no function of `{service}`; {hint}"))));
    }
    let hint = match nearest(service, contracts.interfaces().into_iter().filter(|known| *known != service)) {
        Some(nearest) => format!("did you mean `{nearest}`?"),
        None => "see `hansa service search`".to_owned(),
    };
    Some(match offers {
        Known::Yes(offers) if offers.is_empty() => {
            wrong(Problem::new(*place, format!("no service `{service}` is known, and nobody sells `{function}` of it; {hint}")))
        }
        Known::Yes(_) => doubtful(Problem::new(
            *place,
            format!(
                "the types of `{service}` are not known here, so that neither arguments nor answer of `{function}` are checked"
            ),
        )),
        Known::No => doubtful(Problem::new(*place, format!("no service `{service}` is known here; {hint}"))),
    })
}
