//! Checkpoints: the ledger that they speak of continues them, an old copy and another ledger do not.

mod town;

use hansa_economy::ledger::{Checkpoint, CheckpointBreach, RootKey};
use hansa_economy::{Digest, Signed};
use hansa_ledger::{BreachError, Ledger};
use town::*;

/// An operator restored last week's copy. The ledger was valid, and had forgotten what it had promised since.
#[tokio::test]
async fn a_restored_old_copy_is_noticed() {
    let (folder, copy) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let town = Town::found(folder.path()).await;
    let (alice, bob) = (town.account(&key(1), 10).await, town.account(&key(2), 0).await);
    let first = town.ledger.checkpoint(&operator()).unwrap();
    let town = town.restart(folder.path());
    assert_eq!(town.ledger.continues(&first).unwrap(), Ok(()));
    let Town { ledger, clock, next_id } = town;
    drop(ledger);
    std::fs::copy(folder.path().join("ledger.redb"), copy.path().join("ledger.redb")).unwrap();
    let town = Town { ledger: Ledger::open(folder.path(), options(&clock)).unwrap(), clock, next_id };
    town.done(&key(1), payment(1, alice, bob, 5)).await;
    let second = town.ledger.checkpoint(&operator()).unwrap();
    assert_eq!(Signed::<Checkpoint>::open(second.bytes()).as_ref(), Ok(&second));
    assert_eq!((town.ledger.continues(&first).unwrap(), town.ledger.continues(&second).unwrap()), (Ok(()), Ok(())));
    let town = town.restart(folder.path());
    assert_eq!(town.ledger.continues(&second).unwrap(), Ok(()));
    let old = Ledger::open(copy.path(), options(&town.clock)).unwrap();
    assert_eq!(old.continues(&first).unwrap(), Ok(()));
    let breach = old.continues(&second).unwrap().unwrap_err();
    let forgotten = CheckpointBreach::Forgotten { promised: second.body.seq, newest: first.body.seq };
    assert_eq!(breach, BreachError::Breach(forgotten));
}

#[tokio::test]
async fn only_the_operators_word_on_this_ledger_counts() {
    let folder = tempfile::tempdir().unwrap();
    let town = Town::found(folder.path()).await;
    let forged = town.ledger.checkpoint(&key(1)).unwrap();
    assert!(matches!(town.ledger.continues(&forged).unwrap(), Err(BreachError::Signer { .. })));
    let honest = town.ledger.checkpoint(&operator()).unwrap().body;
    let says = |body: Checkpoint| town.ledger.continues(&Signed::new(body, &operator())).unwrap();
    let other = Checkpoint { ledger: Digest::of(b"other"), ..honest.clone() };
    assert!(matches!(says(other), Err(BreachError::Breach(CheckpointBreach::Ledger { .. }))));
    let rewritten = Checkpoint { hash: Digest::of(b"other"), ..honest.clone() };
    assert!(matches!(says(rewritten), Err(BreachError::Breach(CheckpointBreach::History { .. }))));
    let richer = Checkpoint { state_root: Digest::of(b"other"), ..honest.clone() };
    assert!(matches!(says(richer), Err(BreachError::Breach(CheckpointBreach::State { .. }))));
    assert_eq!(says(honest), Ok(()));
}

/// Whoever holds a checkpoint and a proof needs nobody's word for a balance.
#[tokio::test]
async fn a_balance_is_proven_from_a_checkpoint() {
    let folder = tempfile::tempdir().unwrap();
    let town = Town::found(folder.path()).await;
    let alice = town.account(&key(1), 10).await;
    for n in 2..60 {
        town.account(&key(n), u64::from(n)).await;
    }
    let checkpoint = town.ledger.checkpoint(&operator()).unwrap().body;
    let proven = town.ledger.prove(alice).unwrap().unwrap();
    assert_eq!(Some(&proven.account), town.ledger.account(alice).unwrap().as_ref());
    let row = minicbor::to_vec(&proven.account).unwrap();
    assert_eq!(proven.proof.root(RootKey::Account(alice), &row), Some(checkpoint.state_root));
    assert_eq!(town.ledger.prove(hansa_economy::channel::AccountId(7)).unwrap(), None);
}
