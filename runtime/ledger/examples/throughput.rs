//! Measures durable commands a second: `cargo run --release -p hansa-ledger --example throughput [FOLDER]`.
//!
//! Each command is one signed transfer of one event. Signing is not timed; verifying, applying, committing is.
#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a measurement for people, which may stop at the first error"
)]

use std::path::Path;
use std::sync::Arc;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use hansa_economy::channel::AccountId;
use hansa_economy::ledger::{
    AccountOpen, AssetCreate, Command, Genesis, Id128, Issue, SignedCommand, Transfer, TransferBatch, account_id,
};
use hansa_economy::{Amount, Keypair};
use hansa_ledger::{Ledger, LedgerOptions};

fn key(n: u8) -> Keypair {
    Keypair::from_seed(&[n; 32])
}

fn sign(ledger: &Ledger, key: &Keypair, id: u128, command: Command) -> Vec<u8> {
    SignedCommand::sign(ledger.id(), Id128(id), command, key).bytes().to_vec()
}

fn payment(id: u128, debit: AccountId, credit: AccountId) -> Command {
    let transfer = Transfer { id: Id128(id), debit, credit, amount: Amount(1), asset: 1, code: 1, ..Transfer::default() };
    Command::Transfer(TransferBatch { transfers: vec![transfer] })
}

#[tokio::main]
async fn main() {
    let folder = std::env::args().nth(1).unwrap_or_else(|| "throughput-ledger".into());
    let clock = Arc::new(|| SystemTime::now().duration_since(UNIX_EPOCH).map_or(1, |now| now.as_nanos() as u64));
    let ledger =
        Ledger::create(Path::new(&folder), Genesis::sign("throughput", Id128(1), &key(1)).bytes(), LedgerOptions::new(clock))
            .unwrap();
    let (from, to) = (account_id(key(2).public(), 1, "a"), account_id(key(3).public(), 1, "a"));
    let asset = AssetCreate { asset: 1, code: "CRED".into(), scale: 6, issuer: key(1).public() };
    let start = [
        sign(&ledger, &key(1), 2, Command::AssetCreate(asset)),
        sign(&ledger, &key(2), 3, Command::AccountOpen(AccountOpen::new(1, "a"))),
        sign(&ledger, &key(3), 4, Command::AccountOpen(AccountOpen::new(1, "a"))),
        sign(
            &ledger,
            &key(1),
            5,
            Command::Issue(Issue { asset: 1, to: from, amount: Amount::credits(1_000_000), reference: "r".into() }),
        ),
    ];
    for command in start {
        ledger.submit(command).await.unwrap().result.accepted().unwrap();
    }
    let mut next = 100u128;
    for (submitters, each) in [(1, 500), (64, 500), (1024, 60)] {
        let work: Vec<Vec<Vec<u8>>> = (0..submitters)
            .map(|submitter| {
                (0..each)
                    .map(|n| next + n * submitters + submitter)
                    .map(|id| sign(&ledger, &key(2), id, payment(id, from, to)))
                    .collect()
            })
            .collect();
        next += submitters * each;
        let entries = ledger.head().unwrap().seq;
        let started = Instant::now();
        let tasks: Vec<_> = work.into_iter().map(|commands| tokio::spawn(submit_all(ledger.clone(), commands))).collect();
        for task in tasks {
            task.await.unwrap();
        }
        let seconds = started.elapsed().as_secs_f64();
        let entries = ledger.head().unwrap().seq - entries;
        println!(
            "{submitters} submitters: {:.0} commands/s, {entries} entries for {} commands",
            (submitters * each) as f64 / seconds,
            submitters * each
        );
    }
    let started = Instant::now();
    let balance = (0..20_000).fold(Amount::ZERO, |_, _| ledger.account(from).unwrap().unwrap().balance());
    println!("read of an account: {:.2} µs (balance {balance})", started.elapsed().as_secs_f64() / 20_000.0 * 1e6);
    let started = Instant::now();
    let report = ledger.check().unwrap();
    println!("check of {} commands: {:.2} s, problem: {:?}", report.commands, started.elapsed().as_secs_f64(), report.problem);
}

async fn submit_all(ledger: Ledger, commands: Vec<Vec<u8>>) {
    for command in commands {
        ledger.submit(command).await.unwrap().result.accepted().unwrap();
    }
}
