//! The golden logs: entries that an earlier program wrote. They must open, replay to the same results, and seal to the same bytes,
//! for ever; whoever breaks this has changed the format or the rules, and every ledger in the world with them.
//!
//! Written by `just golden-log FILE [SEED]`; a new one is added beside the old when commands are added, never in its
//! place.
#![expect(clippy::unwrap_used, reason = "tests")]

mod corpus;

use std::collections::BTreeSet;

use hansa_economy::Amount;
use hansa_economy::ledger::{Entry, State, Verified, audit};

/// Per log, how many entries it has and the hash of the last one.
const ENDS: [(usize, &str); 2] = [
    (160, "148eea051cde58c15ed60cbbdfbf18148b224d2525790c858ba7768bc699f02b"),
    (222, "9bf1d874f7c1465386532fd0772b21500c2cada4da7c15549a102c11963990dd"),
];

/// What was done, and what was refused, in each log.
const FIRST: [&str; 11] = [
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
/// Only in the second.
const SECOND: [&str; 4] = ["account.key", "refund", "receipt.anchor", "channel.equivocation"];

/// The kinds of command that were done, and those that were refused.
#[derive(Default)]
struct Kinds {
    done: BTreeSet<&'static str>,
    refused: BTreeSet<&'static str>,
}

impl Kinds {
    fn insist_on(&self, kinds: &[&str]) {
        for kind in kinds {
            assert!(self.done.contains(kind), "no {kind} was done");
            assert!(self.refused.contains(kind) || *kind == "transfer", "no {kind} was refused");
        }
    }
}

fn replay(entries: &[Vec<u8>]) -> (State, Kinds) {
    let mut replayed: Option<State> = None;
    let mut kinds = Kinds::default();
    for bytes in entries {
        let (entry, hash) = Entry::open(bytes).unwrap();
        assert_eq!(entry.seal(), (bytes.clone(), hash), "entry {} is written another way today", entry.seq);
        let commands: Vec<Verified> = entry.commands.iter().map(|bytes| Verified::open(bytes).unwrap()).collect();
        for (command, result) in commands.iter().zip(&entry.results) {
            let kinds = if result.accepted().is_ok() { &mut kinds.done } else { &mut kinds.refused };
            kinds.insert(command.body().command.kind());
        }
        let again = match &mut replayed {
            None => {
                let (state, again) = State::found(&commands[0], entry.timestamp_ns).unwrap();
                replayed = Some(state);
                again
            }
            Some(state) => state.append(entry.timestamp_ns, &commands).unwrap(),
        };
        assert_eq!(again.entry.results, entry.results, "entry {} comes to something else today", entry.seq);
        assert_eq!(again.hash, hash, "entry {}", entry.seq);
    }
    (replayed.unwrap(), kinds)
}

#[test]
fn the_golden_logs_replay_to_their_heads() {
    for ((entries, (count, head)), number) in corpus::logs().iter().zip(ENDS).zip(1..) {
        let (state, kinds) = replay(entries);
        assert_eq!((entries.len(), state.head().hash.to_string().as_str()), (count, head), "log {number}");
        audit::audit(&state).unwrap();
        kinds.insist_on(&FIRST);
        if number > 1 {
            kinds.insist_on(&SECOND);
            let shared = state.channels().any(|channel| !channel.terms.shares.is_empty() && channel.redeemed > Amount::ZERO);
            assert!(shared, "no payment was shared");
        }
    }
}
