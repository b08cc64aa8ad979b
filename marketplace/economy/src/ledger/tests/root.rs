//! The state root: by changes as from nothing, different for different states, and provable row by row.

use super::*;
use crate::digest::Digest;

/// Accounts, holds that open, resolve and expire; the tree follows. Enough accounts for a tree of two levels.
fn grown(accounts: u8, mut each: impl FnMut(&mut World, &mut RootTree)) -> World {
    let mut world = World::new();
    let mut tree = RootTree::default();
    let owner = key(1);
    let first = world.account(&owner, "first", 1_000_000);
    for n in 0..accounts {
        let to = world.account(&owner, &format!("account {n}"), 0);
        let flags = if n % 2 == 0 { TransferFlags::PENDING } else { TransferFlags::NONE };
        let hold = Transfer {
            id: Id128(1 + u128::from(n)),
            debit: first,
            credit: to,
            amount: Amount(u128::from(n) + 1),
            asset: 1,
            code: 1,
            flags,
            timeout_s: if n % 4 == 0 { 5 } else { 0 },
            ..Transfer::default()
        };
        assert_eq!(world.transfer(&owner, hold), TransferStatus::Created);
        if n % 8 == 2 {
            let flags = TransferFlags::VOID_PENDING;
            let void =
                Transfer { id: Id128(1000 + u128::from(n)), pending_id: Id128(1 + u128::from(n)), flags, ..Transfer::default() };
            assert_eq!(world.transfer(&owner, void), TransferStatus::Created);
        }
        world.wait(1);
        let changes = world.state.take_changes();
        tree.follow(&changes, &world.state);
        each(&mut world, &mut tree);
    }
    world
}

#[test]
fn the_root_by_changes_is_the_root_of_the_whole() {
    let mut seen = std::collections::BTreeSet::new();
    grown(150, |world, tree| {
        let root = tree.root();
        assert_eq!(root, RootTree::of(&world.state).root());
        assert!(seen.insert(root), "another state, another root");
    });
}

#[test]
fn a_row_proves_to_be_in_the_state_and_no_other_does() {
    let world = grown(150, |_, _| {});
    let mut tree = RootTree::of(&world.state);
    let root = tree.root();
    for account in world.state.accounts() {
        let key = RootKey::Account(account.id);
        let proof = tree.prove(key).unwrap();
        let row = minicbor::to_vec(account).unwrap();
        assert_eq!(proof.root(key, &row), Some(root));
        let richer = Account { credits_posted: Amount(account.credits_posted.0 + 1), ..account.clone() };
        assert_eq!(proof.root(key, &minicbor::to_vec(&richer).unwrap()), None);
        assert_eq!(proof.root(RootKey::Account(AccountId(account.id.0 ^ 1)), &row), None);
        let mut forged = proof.clone();
        forged.bucket.push(Digest::of(b"row"));
        assert_ne!(forged.root(key, &row), Some(root));
        forged = proof.clone();
        forged.path[0][0] = Digest::of(b"child");
        assert_ne!(forged.root(key, &row), Some(root));
        forged.path.clear();
        assert_ne!(forged.root(key, &row), Some(root));
    }
    assert_eq!(tree.prove(RootKey::Hold(Id128(2))), None, "not a hold");
    assert_eq!(tree.prove(RootKey::Hold(Id128(3))), None, "a hold that was let go");
    assert!(tree.prove(RootKey::Hold(Id128(7))).is_some(), "an open one");
}

#[test]
fn a_checkpoint_tells_an_old_copy_and_another_history() {
    let mut roots = Vec::new();
    let world = grown(3, |world, tree| roots.push((world.state.head().clone(), tree.root())));
    let (head, root) = roots.last().unwrap().clone();
    let newest = Checkpoint::of(&head, root);
    assert_eq!(head, *world.state.head());
    assert_eq!(newest.holds(&head, |_| Some(head.hash), Some(root)), Ok(()));
    let (old, old_root) = roots[0].clone();
    let breach = newest.holds(&old, |_| Some(old.hash), Some(old_root)).unwrap_err();
    assert_eq!(breach, CheckpointBreach::Forgotten { promised: head.seq, newest: old.seq });
    let earlier = Checkpoint::of(&old, old_root);
    assert_eq!(earlier.holds(&head, |_| Some(old.hash), Some(root)), Ok(()));
    assert!(matches!(earlier.holds(&head, |_| Some(head.hash), Some(root)), Err(CheckpointBreach::History { .. })));
    assert!(matches!(newest.holds(&head, |_| Some(head.hash), Some(old_root)), Err(CheckpointBreach::State { .. })));
    let other = Head { ledger: Digest::of(b"other"), ..head.clone() };
    assert!(matches!(newest.holds(&other, |_| Some(head.hash), Some(root)), Err(CheckpointBreach::Ledger { .. })));
}
