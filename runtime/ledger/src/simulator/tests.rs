//! Seeds in the ordinary suite: fixed ones, a few fresh ones, and that a seed decides everything.

use std::collections::BTreeMap;
use std::time::UNIX_EPOCH;

use super::{Stage, run};

const STEPS: u64 = 150;
/// Each kind that the simulator plays must come to the log, done and refused.
const KINDS: [&str; 11] = [
    "asset.create",
    "account.open",
    "transfer",
    "issue",
    "redeem",
    "channel.open",
    "channel.topup",
    "channel.redeem",
    "channel.answer",
    "channel.close",
    "channel.finalize",
];

fn play(seeds: impl Iterator<Item = u64>) -> BTreeMap<&'static str, (u64, u64)> {
    let stage = Stage::new().unwrap();
    let mut results: BTreeMap<_, (u64, u64)> = BTreeMap::new();
    for seed in seeds {
        let run = run(&stage, seed, STEPS).unwrap_or_else(|failure| panic!("{failure}"));
        for (kind, (done, refused)) in run.counts.results {
            let sum = results.entry(kind).or_default();
            *sum = (sum.0 + done, sum.1 + refused);
        }
    }
    results
}

#[test]
fn fixed_seeds_hold_and_play_everything() {
    let results = play(1..=40);
    for kind in KINDS {
        let (done, refused) = results.get(kind).copied().unwrap_or_default();
        assert!(done > 0 && refused > 0, "{kind}: {done} done, {refused} refused");
    }
}

#[test]
#[expect(clippy::disallowed_methods, reason = "fresh seeds are the point of this test; a failure prints its seed")]
fn fresh_seeds_hold() {
    let first = std::time::SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos() as u64;
    println!("seeds {first} and the nine after it");
    play(first..first + 10);
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    let (one, other) = (Stage::new().unwrap(), Stage::new().unwrap());
    for seed in 100..104 {
        let first = run(&one, seed, STEPS).unwrap();
        assert_eq!(first, run(&other, seed, STEPS).unwrap());
        assert_ne!(first.digest, run(&one, seed + 10, STEPS).unwrap().digest);
    }
}
