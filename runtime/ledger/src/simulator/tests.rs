//! Seeds in the ordinary suite: fixed ones, a few fresh ones, and that a seed decides everything.

use std::collections::BTreeMap;
use std::time::UNIX_EPOCH;

use super::{Stage, run};

const STEPS: u64 = 150;
/// Each kind that the simulator plays must come to the log, done and refused.
const KINDS: [&str; 15] = [
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
    "account.key",
    "refund",
    "receipt.anchor",
    "channel.equivocation",
];

/// What wrong commands on keys, shares, refunds and evidence must meet.
const REASONS: [&str; 17] = [
    "not_permitted",
    "signer_may_not_debit",
    "signer_may_not_resolve",
    "signer_may_not_close",
    "payee_not_allowed",
    "exceeds_budget",
    "bad_key",
    "bad_limits",
    "key_not_found",
    "key_taken",
    "channel_key",
    "bad_shares",
    "nothing_was_paid",
    "exceeds_charged",
    "transfer_not_found",
    "lane_frozen",
    "vouchers_agree",
];

/// Per kind, how many were done and refused; per reason and status, how many came to it.
type Played = (BTreeMap<&'static str, (u64, u64)>, BTreeMap<&'static str, u64>);

fn play(seeds: impl Iterator<Item = u64>) -> Played {
    let stage = Stage::new().unwrap();
    let (mut results, mut reasons) = Played::default();
    for seed in seeds {
        let run = run(&stage, seed, STEPS).unwrap_or_else(|failure| panic!("{failure}"));
        for (kind, (done, refused)) in run.counts.results {
            let sum = results.entry(kind).or_default();
            *sum = (sum.0 + done, sum.1 + refused);
        }
        run.counts.reasons.into_iter().for_each(|(name, count)| *reasons.entry(name).or_default() += count);
    }
    (results, reasons)
}

#[test]
fn fixed_seeds_hold_and_play_everything() {
    let (results, reasons) = play(1..=40);
    for kind in KINDS {
        let (done, refused) = results.get(kind).copied().unwrap_or_default();
        assert!(done > 0 && refused > 0, "{kind}: {done} done, {refused} refused");
    }
    for reason in REASONS {
        assert!(reasons.contains_key(reason), "nothing came to {reason}");
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
