//! A child process fills a ledger and is killed while it writes; its memory and file are measured, and how soon it opens again.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use hansa_ledger::Ledger;
use hansa_ledger::bench::{PER_COMMAND, Town, WINDOW};

/// What a filled ledger costs.
pub(crate) struct Filled {
    /// Transfers acknowledged before the kill.
    pub(crate) transfers: u64,
    /// Bytes of the file, before the kill.
    pub(crate) file_bytes: u64,
    /// Bytes that the process grew by since it had its accounts.
    pub(crate) memory_bytes: u64,
    /// Seconds to open the file after the kill.
    pub(crate) open_s: f64,
}

/// The child: `transfers` payments, one line about it, and more payments until it is killed.
pub(crate) async fn fill(folder: &Path, transfers: usize) {
    let town = Town::found(folder).await.unwrap();
    let before = resident_bytes();
    let mut paid = 0;
    while paid < transfers {
        let count = ((transfers - paid).div_ceil(PER_COMMAND)).min(512);
        town.drive(town.payments(count, PER_COMMAND).unwrap(), WINDOW, false).await.unwrap();
        paid += count * PER_COMMAND;
    }
    let file = std::fs::metadata(folder.join("ledger.redb")).unwrap().len();
    println!("filled {paid} {file} {}", resident_bytes().saturating_sub(before));
    loop {
        town.drive(town.payments(128, PER_COMMAND).unwrap(), WINDOW, false).await.unwrap();
        println!("more");
    }
}

/// Start the child, kill it while it writes, open what it left.
pub(crate) fn measure(folder: &Path, transfers: usize) -> Filled {
    let mut child = start(folder, transfers);
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    let filled = lines.next().unwrap();
    let numbers: Vec<u64> = filled.split(' ').skip(1).map(|number| number.parse().unwrap()).collect();
    lines.next().unwrap();
    std::thread::sleep(std::time::Duration::from_millis(100));
    child.kill().unwrap();
    child.wait().unwrap();
    let began = Instant::now();
    let ledger = Ledger::open(folder, Town::options()).unwrap();
    let open_s = began.elapsed().as_secs_f64();
    assert!(ledger.head().unwrap().seq > numbers[0] / (16 * PER_COMMAND as u64));
    Filled { transfers: numbers[0], file_bytes: numbers[1], memory_bytes: numbers[2], open_s }
}

fn start(folder: &Path, transfers: usize) -> Child {
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.arg("--fill").arg(folder).arg("--transfers").arg(transfers.to_string());
    child.stdout(Stdio::piped()).spawn().unwrap()
}

/// `VmRSS` of this process.
fn resident_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1024
}
