//! What can be measured of a ledger; every function gives a rate per second, or says what else.

use std::io::Write as _;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::town::{Town, scatter};
use super::{BATCH, BenchError, PER_COMMAND, WINDOW};

/// Appends of 512 bytes to a file in `folder`, each followed by fsync, for so many seconds.
pub fn bare_appends(folder: &Path, for_s: f64) -> Result<f64, BenchError> {
    let mut file = std::fs::File::create(folder.join("appends"))?;
    let (began, mut count) = (Instant::now(), 0);
    while began.elapsed().as_secs_f64() < for_s {
        file.write_all(&[7; 512])?;
        file.sync_all()?;
        count += 1;
    }
    Ok(f64::from(count) / began.elapsed().as_secs_f64())
}

/// Commands of one payment from `clients` at the same time; `count` in all. `signed`: their signatures are checked on the way.
pub async fn singles(town: &Town, count: usize, clients: usize, signed: bool) -> Result<f64, BenchError> {
    let commands = town.payments(count, 1)?;
    let began = Instant::now();
    town.drive(commands, clients, signed).await?;
    Ok(rate(count, began.elapsed()))
}

/// Transfers in full batches; `count` of them.
pub async fn batches(town: &Town, count: usize) -> Result<f64, BenchError> {
    let commands = town.payments(count * BATCH / PER_COMMAND, PER_COMMAND)?;
    let began = Instant::now();
    town.drive(commands, WINDOW, false).await?;
    Ok(rate(count * BATCH, began.elapsed()))
}

/// Balances read by one thread while `count` batches are written, and the longest that one took, in microseconds.
pub async fn reads(town: &Town, count: usize) -> Result<(f64, f64), BenchError> {
    let commands = town.payments(count * BATCH / PER_COMMAND, PER_COMMAND)?;
    let written = std::sync::Arc::new(AtomicBool::new(false));
    let (ledger, accounts, done) = (town.ledger.clone(), town.accounts.clone(), written.clone());
    let reader = tokio::task::spawn_blocking(move || {
        let (began, mut reads, mut longest) = (Instant::now(), 0usize, Duration::ZERO);
        while !done.load(Ordering::Relaxed) {
            let read = Instant::now();
            let at = usize::try_from(scatter(reads as u64)).unwrap_or_default() % accounts.len();
            ledger.account(accounts[at])?;
            longest = longest.max(read.elapsed());
            reads += 1;
        }
        Ok((rate(reads, began.elapsed()), longest.as_secs_f64() * 1e6))
    });
    let driven = town.drive(commands, WINDOW, false).await;
    written.store(true, Ordering::Relaxed);
    driven?;
    reader.await.map_err(|error| BenchError::Refused(error.to_string()))?
}

#[expect(clippy::cast_precision_loss, reason = "rates are for people")]
fn rate(count: usize, took: Duration) -> f64 {
    count as f64 / took.as_secs_f64()
}
