//! What is measured beside the ledger's own points; every function gives a rate per second, or says what else.

use std::time::Instant;

use hansa_economy::ledger::{RootRow, RootTree, Verified};
use hansa_ledger::bench::{BATCH, PER_COMMAND, Town};

use crate::sqlite::Sqlite;

/// The same job in SQLite.
pub(crate) fn sqlite_job(town: &Town, sqlite: &mut Sqlite, count: usize) -> f64 {
    let commands = town.payments(count * BATCH / PER_COMMAND, PER_COMMAND).unwrap();
    let began = Instant::now();
    sqlite.keep(&commands, BATCH / PER_COMMAND);
    (count * BATCH) as f64 / began.elapsed().as_secs_f64()
}

/// The least that SQLite can do for a payment.
pub(crate) fn sqlite_least(sqlite: &mut Sqlite, count: usize) -> f64 {
    let began = Instant::now();
    sqlite.pay(count, BATCH);
    (count * BATCH) as f64 / began.elapsed().as_secs_f64()
}

/// Nanoseconds that the state root costs a transfer, where every account has changed in between and `transfers` share it.
pub(crate) fn root(town: &Town, transfers: usize) -> f64 {
    let accounts: Vec<_> = town.accounts.iter().map(|id| town.ledger.account(*id).unwrap().unwrap()).collect();
    let mut tree = RootTree::default();
    accounts.iter().for_each(|account| tree.put(RootRow::Account(account)));
    tree.root();
    let began = Instant::now();
    accounts.iter().for_each(|account| tree.put(RootRow::Account(account)));
    std::hint::black_box(tree.root());
    began.elapsed().as_secs_f64() * 1e9 / transfers as f64
}

/// Transfers per second of one core that reads commands and checks their signatures.
pub(crate) fn verification(town: &Town, count: usize, each: usize) -> f64 {
    let commands = town.payments(count, each).unwrap();
    let began = Instant::now();
    for command in &commands {
        std::hint::black_box(Verified::open(command.bytes()).unwrap());
    }
    (count * each) as f64 / began.elapsed().as_secs_f64()
}
