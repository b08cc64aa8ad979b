//! The simulation: its cases as tables, of accounts and transfers, and that no status and no neighbours in the order lack
//! one; then its door, line by line.
#![expect(clippy::unwrap_used, reason = "tests")]

mod accounts;
mod door;
mod table;
mod transfers;

use std::collections::BTreeSet;

use hansa_economy::ledger::{AccountStatus, TransferStatus};

use crate::table::{Case, Expected};

fn cases() -> Vec<Case> {
    accounts::CASES.iter().chain(transfers::CASES).map(|text| Case::parse(text)).collect()
}

#[test]
fn the_cases_hold() {
    let cases = cases();
    cases.iter().for_each(Case::run);
    assert!(cases.len() > 10);
}

#[test]
fn every_status_of_accounts_has_a_case_and_every_pair_of_neighbours() {
    let order: Vec<_> = AccountStatus::ALL.iter().map(|status| status.name()).collect();
    complete(&order, accounts::EXCLUSIVE, |expected| expected.is_account);
}

#[test]
fn every_status_of_transfers_has_a_case_and_every_pair_of_neighbours() {
    let known = TransferStatus::ALL.iter().map(|status| status.name());
    let order: Vec<_> = known.filter(|status| !transfers::ELSEWHERE.contains(status)).collect();
    complete(&order, transfers::EXCLUSIVE, |expected| !expected.is_account);
}

fn complete(order: &[&'static str], exclusive: &[(&'static str, &'static str, &str)], counts: fn(&Expected) -> bool) {
    let cases = cases();
    let expected: Vec<&Expected> = cases.iter().flat_map(Case::expected).filter(|expected| counts(expected)).collect();
    let statuses: BTreeSet<_> = expected.iter().map(|expected| expected.status).collect();
    let without: Vec<_> = order.iter().filter(|status| !statuses.contains(**status)).collect();
    assert_eq!(without, [&""; 0], "statuses without a case");
    let unknown: Vec<_> = statuses.iter().filter(|status| !order.contains(status)).collect();
    assert_eq!(unknown, [&""; 0], "cases with a status that is not in the order");

    let place = |status: &str| order.iter().position(|name| *name == status);
    let wrong = expected.iter().filter(|expected| expected.over.is_some_and(|over| place(expected.status) >= place(over)));
    assert_eq!(wrong.map(|expected| expected.line).collect::<Vec<_>>(), [""; 0], "the first in the order is the result");

    let pairs: BTreeSet<_> = expected.iter().filter_map(|expected| Some((expected.status, expected.over?))).collect();
    for pair in order.windows(2).map(|pair| (pair[0], pair[1])) {
        let excused = exclusive.iter().any(|(first, second, _)| (*first, *second) == pair);
        assert!(pairs.contains(&pair) != excused, "{pair:?} need a case, or a reason why there is none, and not both");
    }
}
