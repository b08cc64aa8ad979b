//! What is measured in each round; every function gives a rate per second, or says what else.

use std::io::Write as _;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use hansa_economy::Amount;
use hansa_economy::ledger::{RootRow, RootTree, Verified};

use crate::sqlite::Sqlite;
use crate::town::{Town, scatter};
use crate::{BATCH, PER_COMMAND, WINDOW};

/// Appends of 512 bytes, each followed by fsync.
pub(crate) fn bare_appends(folder: &Path, for_s: f64) -> f64 {
    let mut file = std::fs::File::create(folder.join("bare")).unwrap();
    let (began, mut count) = (Instant::now(), 0);
    while began.elapsed().as_secs_f64() < for_s {
        file.write_all(&[7; 512]).unwrap();
        file.sync_all().unwrap();
        count += 1;
    }
    f64::from(count) / began.elapsed().as_secs_f64()
}

/// Commands of one payment from `clients` at the same time; `count` in all.
pub(crate) async fn singles(town: &Town, count: usize, clients: usize, signed: bool) -> f64 {
    let commands = town.payments(count, 1);
    let began = Instant::now();
    match signed {
        true => town.drive_signed(&commands, clients).await,
        false => town.drive(commands, clients).await,
    }
    count as f64 / began.elapsed().as_secs_f64()
}

/// Transfers in full batches.
pub(crate) async fn batches(town: &Town, count: usize) -> f64 {
    let commands = town.payments(count * BATCH / PER_COMMAND, PER_COMMAND);
    let began = Instant::now();
    town.drive(commands, WINDOW).await;
    (count * BATCH) as f64 / began.elapsed().as_secs_f64()
}

/// The same job in SQLite.
pub(crate) fn sqlite_job(town: &Town, sqlite: &mut Sqlite, count: usize) -> f64 {
    let commands = town.payments(count * BATCH / PER_COMMAND, PER_COMMAND);
    let began = Instant::now();
    sqlite.keep(&commands, BATCH / PER_COMMAND);
    (count * BATCH) as f64 / began.elapsed().as_secs_f64()
}

/// The least that SQLite can do for a payment.
pub(crate) fn sqlite_batches(sqlite: &mut Sqlite, count: usize) -> f64 {
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

/// Balances read by one thread while batches are written, and the longest that one took, in microseconds.
pub(crate) async fn reads(town: &Town, count: usize) -> (f64, f64) {
    let commands = town.payments(count * BATCH / PER_COMMAND, PER_COMMAND);
    let written = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let (began, mut reads, mut longest) = (Instant::now(), 0u64, Duration::ZERO);
            while !written.load(Ordering::Relaxed) {
                let read = Instant::now();
                let account = town.accounts[(scatter(reads) % town.accounts.len() as u64) as usize];
                assert!(town.ledger.account(account).unwrap().unwrap().balance() > Amount::ZERO);
                longest = longest.max(read.elapsed());
                reads += 1;
            }
            (reads as f64 / began.elapsed().as_secs_f64(), longest.as_secs_f64() * 1e6)
        });
        tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(town.drive(commands, WINDOW)));
        written.store(true, Ordering::Relaxed);
        reader.join().unwrap()
    })
}

/// Transfers per second of one core that reads commands and checks their signatures.
pub(crate) fn verification(town: &Town, count: usize, each: usize) -> f64 {
    let commands = town.payments(count, each);
    let began = Instant::now();
    for command in &commands {
        std::hint::black_box(Verified::open(command.bytes()).unwrap());
    }
    (count * each) as f64 / began.elapsed().as_secs_f64()
}
