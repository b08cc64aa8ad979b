//! Random accounts and transfers, by seed: the ledger's rules against a reference that is written from the specification.
//!
//! `HANSA_MODEL_EVENTS` says how many events (default 300000), `HANSA_MODEL_SEED` with which world to begin. A failure names
//! the seed of its world.
#![expect(clippy::unwrap_used, reason = "tests")]

mod compare;
mod random;
mod reference;
mod reference_accounts;
mod reference_transfers;

use std::collections::{BTreeMap, BTreeSet};

use hansa_economy::ledger::{AccountStatus, TransferStatus};

use crate::compare::Pair;
use crate::random::Story;
use crate::reference::{ACCOUNT_ORDER, Outcome, TRANSFER_ORDER};

const EVENTS_DEFAULT: u64 = 300_000;
const SEED_DEFAULT: u64 = 1;
/// Steps of one world: many small worlds hold more surprises than one large one.
const STEPS_PER_WORLD: u64 = 150;

/// A simulation has no owners, and no issuance or escrow.
const NOT_IN_SIMULATIONS: [&str; 6] = [
    "account_is_reserved",
    "signer_may_not_debit",
    "payee_not_allowed",
    "signer_may_not_close",
    "signer_may_not_resolve",
    "exceeds_budget",
];

/// How often what occurred.
#[derive(Default)]
struct Coverage {
    events: u64,
    accounts: BTreeMap<&'static str, u64>,
    transfers: BTreeMap<&'static str, u64>,
    /// Of transfers to which several statuses applied, the first two.
    pairs: BTreeSet<(&'static str, &'static str)>,
}

impl Coverage {
    fn note_accounts(&mut self, outcomes: &[Outcome]) {
        self.events += outcomes.len() as u64;
        outcomes.iter().for_each(|outcome| *self.accounts.entry(outcome.status).or_default() += 1);
    }

    fn note_transfers(&mut self, outcomes: &[Outcome]) {
        self.events += outcomes.len() as u64;
        for outcome in outcomes {
            *self.transfers.entry(outcome.status).or_default() += 1;
            self.pairs.extend(outcome.reasons.first_chunk().map(|[first, second]| (*first, *second)));
        }
    }

    fn missing(&self) -> Vec<&'static str> {
        let accounts = ACCOUNT_ORDER.split(' ').filter(|status| !self.accounts.contains_key(status));
        let transfers = TRANSFER_ORDER.split(' ').filter(|status| !self.transfers.contains_key(status));
        accounts.chain(transfers.filter(|status| !NOT_IN_SIMULATIONS.contains(status))).collect()
    }
}

#[test]
fn the_order_is_that_of_the_specification() {
    assert!(TransferStatus::ALL.iter().map(|status| status.name()).eq(TRANSFER_ORDER.split(' ')));
    assert!(AccountStatus::ALL.iter().map(|status| status.name()).eq(ACCOUNT_ORDER.split(' ')));
}

#[test]
fn the_rules_agree_with_the_reference() {
    let number = |name: &str| std::env::var(name).ok().map(|text| text.parse::<u64>().unwrap());
    let events = number("HANSA_MODEL_EVENTS").unwrap_or(EVENTS_DEFAULT);
    let first_seed = number("HANSA_MODEL_SEED").unwrap_or(SEED_DEFAULT);
    let mut coverage = Coverage::default();
    let mut seed = first_seed;
    while coverage.events < events {
        one_world(seed, &mut coverage);
        seed += 1;
    }
    println!("{} events in {} worlds", coverage.events, seed - first_seed);
    println!("accounts: {:?}", coverage.accounts);
    println!("transfers: {:?}", coverage.transfers);
    println!("{} pairs of statuses met in one transfer", coverage.pairs.len());
    if events >= EVENTS_DEFAULT {
        assert_eq!(coverage.missing(), [""; 0], "statuses that never occurred");
    }
}

fn one_world(seed: u64, coverage: &mut Coverage) {
    let mut story = Story::new(seed);
    let mut pair = Pair::new(seed);
    for step in story.opening() {
        pair.step(&step, coverage);
    }
    for _ in 0..STEPS_PER_WORLD {
        let step = story.step(pair.reference());
        pair.step(&step, coverage);
    }
    pair.finish();
}
