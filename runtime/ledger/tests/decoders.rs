//! Whatever comes from outside is read or refused, never a panic: the decoders of signed statements, commands and entries, fed
//! with damaged pieces of the golden logs. The targets are those of `fuzz/`; here they run bounded, on a stable compiler.
#![expect(clippy::unwrap_used, reason = "tests")]

mod corpus;
#[path = "../../../fuzz/fuzz_targets/targets/mod.rs"]
mod targets;

use hansa_economy::ledger::{Command, Entry, Refund, RefundOf, SignedCommand, Verified};
use hansa_economy::{Digest, Signed};
use proptest::prelude::*;

/// Signed commands, vouchers, receipts, and entries.
fn seeds() -> Vec<Vec<u8>> {
    let mut seeds = Vec::new();
    for bytes in corpus::logs().into_iter().flatten() {
        let (entry, _) = Entry::open(&bytes).unwrap();
        for command in &entry.commands {
            seeds.push(command.to_vec());
            let signed = Signed::<SignedCommand>::open_trusted(command).unwrap();
            match signed.body.command {
                Command::ChannelRedeem(redeem) => {
                    seeds.extend(redeem.claims.iter().flat_map(|claim| [claim.voucher.to_vec(), claim.receipt.to_vec()]));
                }
                Command::ChannelEquivocation(shown) => seeds.extend([shown.first.to_vec(), shown.second.to_vec()]),
                Command::Refund(Refund { of: RefundOf::Receipt(receipt), .. }) => seeds.push(receipt.to_vec()),
                Command::ChannelAnswer(answer) => seeds.extend(answer.receipts.iter().map(|receipt| receipt.to_vec())),
                _ => {}
            }
        }
        seeds.push(bytes);
    }
    seeds
}

/// One way to damage bytes.
#[derive(Clone, Debug)]
enum Damage {
    Flip(usize, u8),
    Set(usize, u8),
    Cut(usize),
    Remove(usize, usize),
    Double(usize, usize),
    Insert(usize, Vec<u8>),
}

fn damage() -> impl Strategy<Value = Damage> {
    let at = any::<usize>;
    // Heads of CBOR items, which say how long something claims to be.
    let heads =
        prop::sample::select(vec![0x1b, 0x3b, 0x5b, 0x5f, 0x7b, 0x7f, 0x9b, 0x9f, 0xbb, 0xbf, 0xc2, 0xd8, 0xf6, 0xfb, 0xff]);
    prop_oneof![
        4 => (at(), 0..8u8).prop_map(|(at, bit)| Damage::Flip(at, 1 << bit)),
        4 => (at(), prop_oneof![any::<u8>(), heads]).prop_map(|(at, byte)| Damage::Set(at, byte)),
        1 => at().prop_map(Damage::Cut),
        1 => (at(), 1..40usize).prop_map(|(at, count)| Damage::Remove(at, count)),
        1 => (at(), 1..40usize).prop_map(|(at, count)| Damage::Double(at, count)),
        1 => (at(), prop::collection::vec(any::<u8>(), 1..20)).prop_map(|(at, bytes)| Damage::Insert(at, bytes)),
    ]
}

fn apply(bytes: &mut Vec<u8>, damage: Damage) {
    let len = bytes.len().max(1);
    let range = |at: usize, count: usize| at % len..(at % len + count).min(bytes.len());
    match damage {
        _ if bytes.is_empty() => {}
        Damage::Flip(at, bits) => bytes[at % len] ^= bits,
        Damage::Set(at, byte) => bytes[at % len] = byte,
        Damage::Cut(at) => bytes.truncate(at % len),
        Damage::Remove(at, count) => drop(bytes.drain(range(at, count))),
        Damage::Double(at, count) => {
            let part = bytes[range(at, count)].to_vec();
            bytes.splice(at % len..at % len, part);
        }
        Damage::Insert(at, more) => drop(bytes.splice(at % len..at % len, more)),
    }
}

#[test]
fn the_corpus_itself_is_read() {
    let seeds = seeds();
    let read = seeds.iter().filter(|bytes| Verified::open(bytes).is_ok()).count();
    assert!(read > 200 && seeds.len() > 500, "{read} commands of {} seeds", seeds.len());
    seeds.iter().for_each(|bytes| targets::all(bytes));
}

/// `just fuzz` has the fuzzers begin with these: one file a seed, named by its digest, in a folder for each target.
#[test]
#[ignore = "writes files; `just fuzz` runs it"]
fn seeds_are_written_for_the_fuzzers() {
    let corpus = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus");
    for target in ["statements", "commands", "entries"] {
        std::fs::create_dir_all(corpus.join(target)).unwrap();
        for seed in seeds() {
            std::fs::write(corpus.join(target).join(Digest::of(&seed).to_string()), &seed).unwrap();
        }
    }
}

/// `just fuzz` asks for more cases.
fn config() -> ProptestConfig {
    let cases = std::env::var("HANSA_FUZZ_CASES").map_or(3000, |cases| cases.parse().unwrap());
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn damaged_bytes_are_refused_or_read(at in any::<prop::sample::Index>(), damages in prop::collection::vec(damage(), 1..6)) {
        thread_local!(static SEEDS: Vec<Vec<u8>> = seeds());
        let mut bytes = SEEDS.with(|seeds| at.get(seeds).clone());
        for damage in damages {
            apply(&mut bytes, damage);
        }
        targets::all(&bytes);
    }

    #[test]
    fn noise_is_refused_or_read(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        targets::all(&bytes);
    }

    /// A signature covers every byte that means something: a command that still opens says the same.
    #[test]
    fn a_flipped_bit_never_changes_what_was_signed(at in any::<prop::sample::Index>(), bit in any::<prop::sample::Index>()) {
        thread_local!(static SEEDS: Vec<Vec<u8>> = seeds().into_iter().filter(|bytes| Verified::open(bytes).is_ok()).collect());
        let before = SEEDS.with(|seeds| at.get(seeds).clone());
        let mut after = before.clone();
        let bit = bit.index(after.len() * 8);
        after[bit / 8] ^= 1 << (bit % 8);
        if let Ok(changed) = Verified::open(&after) {
            let original = Verified::open(&before).unwrap();
            prop_assert_eq!((changed.body(), changed.signer()), (original.body(), original.signer()));
            prop_assert_ne!(changed.digest(), Digest::of(&before));
        }
    }
}
