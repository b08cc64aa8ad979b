//! The golden log: entries that an earlier program wrote. They must open, replay to the same results, and seal to the same bytes,
//! for ever; whoever breaks this has changed the format or the rules, and every ledger in the world with them.
//!
//! Written by `simulate --log`; a new one is added beside the old when commands are added, never in its place.

mod corpus;

use std::collections::BTreeSet;

use hansa_economy::ledger::{Entry, State, Verified, audit};

/// The hash of the last entry.
const HEAD: &str = "148eea051cde58c15ed60cbbdfbf18148b224d2525790c858ba7768bc699f02b";
const ENTRIES: usize = 160;

#[test]
fn the_golden_log_replays_to_its_head() {
    let entries = corpus::entries();
    assert_eq!(entries.len(), ENTRIES);
    let mut replayed: Option<State> = None;
    let (mut done, mut refused) = (BTreeSet::new(), BTreeSet::new());
    for bytes in &entries {
        let (entry, hash) = Entry::open(bytes).unwrap();
        assert_eq!(entry.seal(), (bytes.clone(), hash), "entry {} is written another way today", entry.seq);
        let commands: Vec<Verified> = entry.commands.iter().map(|bytes| Verified::open(bytes).unwrap()).collect();
        for (command, result) in commands.iter().zip(&entry.results) {
            let kinds = if result.accepted().is_ok() { &mut done } else { &mut refused };
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
    let state = replayed.unwrap();
    assert_eq!(state.head().hash.to_string(), HEAD);
    audit::audit(&state).unwrap();
    let kinds = ["asset.create", "account.open", "transfer", "issue", "redeem", "channel.open", "channel.topup"];
    let kinds = kinds.into_iter().chain(["channel.redeem", "channel.answer", "channel.close", "channel.finalize"]);
    for kind in kinds {
        assert!(done.contains(kind), "no {kind} was done");
        assert!(refused.contains(kind) || kind == "transfer", "no {kind} was refused");
    }
}
