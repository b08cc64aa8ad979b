//! A ledger's life through its handle: money, channels, repeats, restarts, many submitters.

mod town;

use hansa_economy::Amount;
use hansa_economy::ledger::*;
use hansa_ledger::SubmitError;
use town::*;

#[tokio::test]
async fn money_moves_and_survives_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let town = Town::found(folder.path()).await;
    let (alice, bob) = (town.account(&key(1), 10).await, town.account(&key(2), 0).await);
    town.done(&key(1), payment(1, alice, bob, 2_500_000)).await;
    let hold = Transfer {
        id: Id128(2),
        debit: alice,
        credit: bob,
        amount: Amount::credits(1),
        asset: 1,
        code: 1,
        flags: TransferFlags::PENDING,
        timeout_s: 30,
        ..Transfer::default()
    };
    town.done(&key(1), Command::Transfer(TransferBatch { transfers: vec![hold] })).await;
    let head = town.ledger.head().unwrap();
    let before = town.sound();
    let town = town.restart(folder.path());
    assert_eq!(town.ledger.head().unwrap(), head);
    assert_eq!(town.sound(), before);
    let of_alice = town.ledger.accounts_of(key(1).public()).unwrap();
    assert_eq!(
        of_alice.iter().map(|account| (account.id, account.available())).collect::<Vec<_>>(),
        [(alice, "6.5".parse().unwrap())]
    );
    // The hold is known after the restart: it lets go in time, and any command notices.
    town.wait(31);
    town.account(&key(3), 0).await;
    assert_eq!(town.ledger.account(alice).unwrap().unwrap().available(), "7.5".parse().unwrap());
    assert!(matches!(town.ledger.transfer(Id128(2)).unwrap(), Some(TransferRecord::Created(_, Some(HoldState::Expired)))));
    // And a transfer of before the restart is still the same one.
    let Acceptance::Transfers(again) = town.done(&key(1), payment(1, alice, bob, 2_500_000)).await else { panic!() };
    assert_eq!(again[0].status, TransferStatus::Exists);
    town.sound();
}

/// What a key may do, what it has spent, and who owns an account must be the same after a restart.
#[tokio::test]
async fn keys_survive_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let town = Town::found(folder.path()).await;
    let (alice, bob) = (town.account(&key(1), 10).await, town.account(&key(2), 0).await);
    let change = |change| Command::AccountKey(AccountKeyChange { account: alice, change });
    let limits = KeyLimits { budget: Some(Amount(10)), payees: vec![bob], expires_ns: None };
    town.done(&key(1), change(KeyChange::Add { key: key(7).public(), role: KeyRole::Spend, limits })).await;
    town.done(&key(7), payment(1, alice, bob, 6)).await;
    town.done(&key(1), change(KeyChange::RotateOwner { successor: key(8).public() })).await;
    let rows = town.ledger.keys_of(alice).unwrap();
    assert_eq!(rows.iter().map(|row| (row.key, row.spent)).collect::<Vec<_>>(), [(key(7).public(), Amount(6))]);
    let town = town.restart(folder.path());
    assert_eq!(town.ledger.keys_of(alice).unwrap(), rows);
    assert_eq!(town.ledger.accounts_of(key(1).public()).unwrap(), []);
    assert_eq!(town.ledger.accounts_of(key(8).public()).unwrap().len(), 1);
    let status = |acceptance| match acceptance {
        Acceptance::Transfers(results) => results[0].status,
        other => panic!("{other:?}"),
    };
    assert_eq!(status(town.done(&key(7), payment(2, alice, bob, 5)).await), TransferStatus::ExceedsBudget);
    assert_eq!(status(town.done(&key(7), payment(3, alice, bob, 4)).await), TransferStatus::Created);
    assert_eq!(status(town.done(&key(1), payment(4, alice, bob, 1)).await), TransferStatus::SignerMayNotDebit);
    town.sound();
}

#[tokio::test]
async fn the_same_bytes_have_the_same_outcome() {
    let folder = tempfile::tempdir().unwrap();
    let town = Town::found(folder.path()).await;
    let (alice, bob) = (town.account(&key(1), 10).await, town.account(&key(2), 0).await);
    let pay = town.sign(&key(1), payment(1, alice, bob, 5));
    let first = town.ledger.submit(pay.clone()).await.unwrap();
    let entries = town.ledger.head().unwrap().seq;
    let again = town.ledger.submit(pay.clone()).await.unwrap();
    assert_eq!(
        (again.seq, &again.result, again.timestamp_ns, again.repeated),
        (first.seq, &first.result, first.timestamp_ns, true)
    );
    assert_eq!(town.ledger.head().unwrap().seq, entries);
    assert_eq!(town.ledger.outcome(first.id).unwrap().unwrap(), first);
    let town = town.restart(folder.path());
    assert_eq!(town.ledger.submit(pay).await.unwrap().result, first.result);
    let other = SignedCommand::sign(town.ledger.id(), first.id, payment(9, alice, bob, 7), &key(1));
    let other = town.ledger.submit(other.bytes().to_vec()).await.unwrap();
    assert_eq!((other.seq, other.result), (None, CommandResult::Refused(Reason::IdTaken)));
    let foreign = SignedCommand::sign(hansa_economy::Digest::of(b"x"), Id128(77), payment(9, alice, bob, 7), &key(1));
    assert_eq!(town.ledger.submit(foreign.bytes().to_vec()).await.unwrap().result, CommandResult::Refused(Reason::WrongLedger));
    assert_eq!(town.ledger.account(bob).unwrap().unwrap().balance(), Amount(5));
}

#[tokio::test]
async fn a_refusal_is_an_outcome_and_a_bad_signature_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let town = Town::found(folder.path()).await;
    let issue = Issue { asset: 1, to: hansa_economy::channel::AccountId(5), amount: Amount(1), reference: "r".into() };
    assert_eq!(town.refused(&operator(), Command::Issue(issue.clone())).await, Reason::AccountNotFound);
    let mut bytes = town.sign(&operator(), Command::Issue(issue));
    let entries = town.ledger.head().unwrap().seq;
    *bytes.last_mut().unwrap() ^= 1;
    let error = town.ledger.submit(bytes).await.unwrap_err();
    assert!(matches!(error, SubmitError::Statement(_)) && !error.may_retry() && !error.may_have_taken_effect());
    assert_eq!(town.ledger.head().unwrap().seq, entries);
}

#[tokio::test]
async fn a_channel_lives_on_the_ledger() {
    let folder = tempfile::tempdir().unwrap();
    let town = Town::found(folder.path()).await;
    let (alice, bob) = (town.account(&key(1), 10).await, town.account(&key(2), 0).await);
    let terms = terms(&town, (alice, &key(11)), (bob, &key(12)));
    let channel = terms.id();
    let redeem = |seq, total| {
        Command::ChannelRedeem(ChannelRedeem { channel, claims: vec![claim(&terms, &key(11), &key(12), 0, seq, total)] })
    };
    town.done(&key(1), Command::ChannelOpen(ChannelOpen { terms: terms.clone(), deposit: Amount(100) })).await;
    town.done(&key(1), Command::ChannelTopup(ChannelTopup { channel, amount: Amount(20) })).await;
    assert_eq!(
        town.done(&key(12), redeem(1, 30)).await,
        Acceptance::Redeemed { paid: Amount(30), claimed: Amount(0), redeemed: Amount(30) }
    );
    let town = town.restart(folder.path());
    assert_eq!(town.refused(&key(12), redeem(1, 30)).await, Reason::NothingToRedeem);
    assert_eq!(
        town.done(&key(12), redeem(2, 500)).await,
        Acceptance::Redeemed { paid: Amount(90), claimed: Amount(0), redeemed: Amount(120) }
    );
    assert_eq!(town.refused(&key(12), redeem(2, 500)).await, Reason::DepositExhausted);
    assert!(matches!(
        town.done(&key(11), Command::ChannelClose(ChannelClose { channel, at_once: false })).await,
        Acceptance::Closing(_)
    ));
    assert_eq!(town.refused(&key(9), Command::ChannelFinalize(ChannelFinalize { channel })).await, Reason::GraceNotOver);
    town.wait(61);
    let ended = town.done(&key(9), Command::ChannelFinalize(ChannelFinalize { channel })).await;
    assert_eq!(ended, Acceptance::Final { paid: Amount(0), returned: Amount(0) });
    assert_eq!(town.ledger.channel(channel).unwrap().unwrap().phase, ChannelPhase::Final);
    assert_eq!(town.sound().channels, 1);
}

/// 64 at once: every payment counts once, groups form, and the whole log checks.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_submit_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let town = Town::found(folder.path()).await;
    let (alice, bob) = (town.account(&key(1), 1000).await, town.account(&key(2), 0).await);
    let before = town.ledger.head().unwrap().seq;
    let tasks: Vec<_> = (0..64u128)
        .map(|n| {
            let commands: Vec<_> = (0..8).map(|m| town.sign(&key(1), payment(1 + n * 8 + m, alice, bob, 1))).collect();
            let ledger = town.ledger.clone();
            tokio::spawn(async move {
                for command in commands {
                    let (one, two) = tokio::join!(ledger.submit(command.clone()), ledger.submit(command));
                    let (one, two) = (one.unwrap(), two.unwrap());
                    assert_eq!((one.seq, &one.result), (two.seq, &two.result));
                    assert!(one.repeated != two.repeated);
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(town.ledger.account(bob).unwrap().unwrap().balance(), Amount(512));
    let entries = town.ledger.head().unwrap().seq - before;
    assert!(entries < 512, "{entries} entries for 512 commands: no groups formed");
    town.sound();
}

#[tokio::test]
async fn a_full_queue_says_when_to_try_again() {
    let folder = tempfile::tempdir().unwrap();
    let town = Town::found(folder.path()).await;
    let Town { ledger, clock, .. } = town;
    drop(ledger);
    let ledger =
        hansa_ledger::Ledger::open(folder.path(), hansa_ledger::LedgerOptions { queue_len: 1, ..options(&clock) }).unwrap();
    let command = |n| {
        SignedCommand::sign(ledger.id(), Id128(n), Command::AccountOpen(AccountOpen::new(1, format!("{n}"))), &key(1))
            .bytes()
            .to_vec()
    };
    // The writer may take the first while the others are still coming, so how many find the place taken is not certain.
    let mut submissions = tokio::task::JoinSet::new();
    for n in 900..964 {
        let (ledger, bytes) = (ledger.clone(), command(n));
        submissions.spawn(async move { ledger.submit(bytes).await });
    }
    let outcomes = submissions.join_all().await;
    let refused: Vec<_> = outcomes.iter().filter_map(|outcome| outcome.as_ref().err()).collect();
    assert!(outcomes.iter().any(Result::is_ok) && !refused.is_empty());
    for error in refused {
        assert!(
            matches!(error, SubmitError::Overloaded { retry_after_ms: 1.. })
                && error.may_retry()
                && !error.may_have_taken_effect()
        );
    }
    for n in 900..964 {
        assert!(ledger.submit(command(n)).await.is_ok(), "what was refused can be submitted again");
    }
}
