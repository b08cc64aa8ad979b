//! Refunds of transfers, channels and receipts: what goes back, to whom, and never more than was paid.

use super::channels::{Trade, trade};
use super::*;
use crate::Signed;

const POST: TransferFlags = TransferFlags::POST_PENDING;
const VOID: TransferFlags = TransferFlags::VOID_PENDING;

fn refund(of: RefundOf, amount: u128) -> Command {
    Command::Refund(Refund { of, amount: Amount(amount) })
}

fn of_transfer(id: u128, amount: u128) -> Command {
    refund(RefundOf::Transfer(Id128(id)), amount)
}

/// Each command by each key comes to this total of refunds, or to this reason.
fn run(world: &mut World, table: &[(u8, Command, Result<u128, Reason>)]) {
    for (line, (who, command, expected)) in table.iter().enumerate() {
        let expected = expected.map(|total| Acceptance::Refunded(Amount(total)));
        assert_eq!(world.act(&key(*who), command.clone()), expected, "line {line}: {command:?}");
    }
}

#[test]
fn a_transfer_is_refunded_once_over() {
    let mut world = World::new();
    let (alice, bob) = (world.account(&key(1), "main", 100), world.account(&key(2), "main", 0));
    let payment = |id, amount, flags| Transfer {
        id: Id128(id),
        debit: alice,
        credit: bob,
        amount: Amount(amount),
        asset: 1,
        code: 1,
        flags,
        ..Transfer::default()
    };
    let resolve =
        |id, hold, flags, amount| Transfer { id: Id128(id), pending_id: Id128(hold), flags, amount, ..Transfer::default() };
    let (all, pending) = (Amount::MAX, TransferFlags::PENDING);
    for transfer in [
        payment(1, 10, TransferFlags::NONE),
        payment(2, 20, pending),
        resolve(3, 2, POST, Amount(15)),
        payment(4, 5, pending),
        resolve(5, 4, VOID, Amount::ZERO),
        payment(6, 5, pending),
    ] {
        assert_eq!(world.transfer(&key(1), transfer), TransferStatus::Created);
    }
    assert_eq!(world.transfer(&key(1), payment(7, 1000, TransferFlags::NONE)), TransferStatus::ExceedsCredits);
    assert_eq!(world.transfer(&key(1), resolve(8, 6, POST, all)), TransferStatus::Created);
    run(
        &mut world,
        &[
            (2, of_transfer(99, 1), Err(Reason::TransferNotFound)),
            (2, of_transfer(2, 1), Err(Reason::NothingWasPaid)),
            (2, of_transfer(5, 1), Err(Reason::NothingWasPaid)),
            (2, of_transfer(7, 1), Err(Reason::NothingWasPaid)),
            (1, of_transfer(1, 1), Err(Reason::NotPermitted)),
            (2, of_transfer(1, 0), Err(Reason::AmountMustNotBeZero)),
            (2, of_transfer(1, 11), Err(Reason::ExceedsCharged)),
            (2, of_transfer(1, 4), Ok(4)),
            (2, of_transfer(1, 7), Err(Reason::ExceedsCharged)),
            (2, of_transfer(1, 6), Ok(10)),
            (2, of_transfer(1, 1), Err(Reason::ExceedsCharged)),
            (2, of_transfer(3, 16), Err(Reason::ExceedsCharged)),
            (2, of_transfer(3, 15), Ok(15)),
            (2, of_transfer(8, 5), Ok(5)),
        ],
    );
    assert_eq!((world.available(alice), world.available(bob)), (100, 0));
}

/// The same bytes again are the same refund; the money must still be there.
#[test]
fn a_refund_counts_once_and_needs_the_money() {
    let mut world = World::new();
    let (alice, bob) = (world.account(&key(1), "main", 100), world.account(&key(2), "main", 0));
    let payment = |id, debit, credit| Transfer {
        id: Id128(id),
        debit,
        credit,
        amount: Amount(10),
        asset: 1,
        code: 1,
        ..Transfer::default()
    };
    assert_eq!(world.transfer(&key(1), payment(1, alice, bob)), TransferStatus::Created);
    let first = world.sign(&key(2), of_transfer(1, 3));
    world.append(first.clone());
    assert!(matches!(world.state.admit(&first), Admission::Repeat(_)));
    let carol = world.account(&key(3), "main", 3);
    let change = KeyChange::Add {
        key: key(9).public(),
        role: KeyRole::Spend,
        limits: KeyLimits { budget: Some(Amount(2)), payees: vec![alice], expires_ns: None },
    };
    world.done(&key(2), Command::AccountKey(AccountKeyChange { account: bob, change }));
    run(&mut world, &[(9, of_transfer(1, 3), Err(Reason::ExceedsBudget)), (9, of_transfer(1, 2), Ok(5))]);
    assert_eq!(world.transfer(&key(2), Transfer { amount: Amount(5), ..payment(2, bob, carol) }), TransferStatus::Created);
    run(&mut world, &[(2, of_transfer(1, 5), Err(Reason::ExceedsCredits))]);
    assert_eq!(world.transfer(&key(3), Transfer { amount: Amount(8), ..payment(3, carol, bob) }), TransferStatus::Created);
    run(&mut world, &[(2, of_transfer(1, 5), Ok(10))]);
}

fn of_receipt(trade: &Trade, by: &Keypair, seq: u64, cumulative: u128, charged: u128) -> RefundOf {
    let receipt = crate::receipt::Receipt { charged: Amount(charged), ..trade.receipt(0, seq, cumulative) };
    RefundOf::Receipt(Signed::new(receipt, by).bytes().to_vec().into())
}

#[test]
fn receipts_and_channels_are_refunded_up_to_what_was_paid() {
    let mut trade = trade();
    let agent = trade.agent.clone();
    trade.redeem(vec![trade.acknowledged(0, 2, 30, 50)]).unwrap();
    let channel = RefundOf::Channel(trade.terms.id());
    let (first, second) = (of_receipt(&trade, &agent, 1, 20, 20), of_receipt(&trade, &agent, 2, 30, 10));
    let (foreign, unpaid) = (of_receipt(&trade, &key(9), 1, 20, 20), of_receipt(&trade, &agent, 3, 90, 60));
    let nowhere = RefundOf::Channel(crate::Digest::of(b"nowhere"));
    run(
        &mut trade.world,
        &[
            (3, refund(nowhere, 1), Err(Reason::ChannelNotFound)),
            (1, refund(channel.clone(), 1), Err(Reason::NotPermitted)),
            // The key that signs receipts does not spend.
            (4, refund(first.clone(), 1), Err(Reason::NotPermitted)),
            (3, refund(foreign, 1), Err(Reason::ClaimKey)),
            (3, refund(first.clone(), 21), Err(Reason::ExceedsCharged)),
            (3, refund(first.clone(), 15), Ok(15)),
            (3, refund(first.clone(), 6), Err(Reason::ExceedsCharged)),
            (3, refund(second, 4), Ok(4)),
            (3, refund(unpaid.clone(), 12), Err(Reason::ExceedsCharged)),
            (3, refund(channel.clone(), 1), Ok(20)),
        ],
    );
    // Nothing comes after the end but this: the channel's own row does not change.
    assert!(trade.close(&agent, true).is_ok());
    run(&mut trade.world, &[(3, refund(channel.clone(), 11), Err(Reason::ExceedsCharged)), (3, refund(channel, 10), Ok(30))]);
    run(&mut trade.world, &[(3, refund(first, 1), Err(Reason::ExceedsCharged))]);
    assert_eq!(trade.balances(), (1000, 0));
}
