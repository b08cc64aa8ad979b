//! Runs the simulator over many seeds: `just sim SEEDS [FIRST] [STEPS]`, `just sim-long` for a night; or writes a log of its making: `simulate --log FILE [SEED]`.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program for people")]

use std::process::ExitCode;
use std::time::Instant;

use hansa_ledger::simulator::{Counts, Stage, log, run};

/// Steps of one run, unless said otherwise: short runs reach more beginnings.
const STEPS: u64 = 150;
const SEEDS_PER_REPORT: u64 = 1000;
/// A log for the corpus: one seed's, without failures.
const LOG_SEED: u64 = 2034;
const LOG_STEPS: u64 = 1000;

fn main() -> ExitCode {
    let mut words = std::env::args().skip(1);
    let result = match words.next().as_deref() {
        Some("--log") => match (words.next(), words.next().map_or(Ok(LOG_SEED), |seed| seed.parse())) {
            (Some(file), Ok(seed)) => write_log(&file, seed),
            _ => Err("say --log FILE [SEED]".to_owned()),
        },
        first => numbers(first, &mut words).and_then(|[seeds, first, steps]| simulate(seeds, first, steps)),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn numbers(seeds: Option<&str>, rest: &mut impl Iterator<Item = String>) -> Result<[u64; 3], String> {
    let parse = |text: Option<&str>, default| match text {
        None => Ok(default),
        Some(text) => text.parse().map_err(|_| format!("`{text}` is no number; say SEEDS [FIRST] [STEPS]")),
    };
    Ok([parse(seeds, 100)?, parse(rest.next().as_deref(), 1)?, parse(rest.next().as_deref(), STEPS)?])
}

fn simulate(seeds: u64, first: u64, steps: u64) -> Result<(), String> {
    let stage = Stage::new()?;
    let started = Instant::now();
    let mut sum = Counts::default();
    for done in 0..seeds {
        let run = run(&stage, first + done, steps).map_err(|failure| format!("{failure}\nafter {done} good seeds"))?;
        add(&mut sum, &run.counts);
        if seeds == 1 {
            println!("{}", run.digest);
        }
        if (done + 1) % SEEDS_PER_REPORT == 0 || done + 1 == seeds {
            report([seeds, first, steps], done + 1, started.elapsed().as_secs_f64());
        }
    }
    let Counts { results, reasons, commands, submissions, power_losses, restarts, faults, unknown } = sum;
    println!(
        "{commands} commands of {submissions} submissions; {power_losses} losses of power, {restarts} restarts, {faults} planned failures, {unknown} unknown outcomes"
    );
    for (kind, (accepted, refused)) in results {
        println!("{kind}: {accepted} accepted, {refused} refused");
    }
    let reasons: Vec<String> = reasons.into_iter().map(|(name, count)| format!("{name} {count}")).collect();
    println!("transfers and refusals: {}", reasons.join(", "));
    Ok(())
}

/// How far it is: one line, which names the seeds, as other processes may play others.
fn report([seeds, first, steps]: [u64; 3], done: u64, seconds: f64) {
    let rate = done as f64 / seconds;
    let (percent, steps_rate, left_s) = (100 * done / seeds, rate * steps as f64, (seeds - done) as f64 / rate);
    let last = first + seeds - 1;
    eprintln!(
        "seeds {first} to {last}: {done} done, {percent} %, {rate:.1} seeds/s, {steps_rate:.0} steps/s, {left_s:.0} s to go"
    );
}

fn add(sum: &mut Counts, more: &Counts) {
    for (kind, (accepted, refused)) in &more.results {
        let counts = sum.results.entry(kind).or_default();
        *counts = (counts.0 + accepted, counts.1 + refused);
    }
    for (name, count) in &more.reasons {
        *sum.reasons.entry(name).or_default() += count;
    }
    sum.commands += more.commands;
    sum.submissions += more.submissions;
    sum.power_losses += more.power_losses;
    sum.restarts += more.restarts;
    sum.faults += more.faults;
    sum.unknown += more.unknown;
}

/// Each entry behind its length, u32 little-endian.
fn write_log(file: &str, seed: u64) -> Result<(), String> {
    let entries = log(&Stage::new()?, seed, LOG_STEPS).map_err(|failure| failure.to_string())?;
    let mut bytes = Vec::new();
    for entry in &entries {
        bytes.extend((entry.len() as u32).to_le_bytes());
        bytes.extend(entry);
    }
    std::fs::write(file, bytes).map_err(|error| format!("cannot write `{file}`: {error}"))?;
    println!("{} entries", entries.len());
    Ok(())
}
