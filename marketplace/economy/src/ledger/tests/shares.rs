//! Payments that are split among the accounts of a channel's terms: by table, at random, and over a channel's life.

use proptest::prelude::*;

use super::channels::{Trade, trade_with};
use super::*;
use crate::channel::{ChannelTerms, Share};
use crate::digest::Digest;
use crate::ledger::channel_shares::split;

const PAYEE: u128 = 1000;

fn terms(points: &[u16]) -> ChannelTerms {
    let shares = points.iter().zip(1..).map(|(points, n)| Share { account: AccountId(n), basis_points: *points }).collect();
    let (ledger, key) = (Digest::default(), key(1).public());
    let (payer, payee) = (AccountId(2000), AccountId(PAYEE));
    ChannelTerms { ledger, payer, payer_key: key, payee, payee_key: key, asset: 1, grace_s: 60, nonce: 1, shares }
}

fn parts(points: &[u16], paid: u128) -> Vec<u128> {
    split(&terms(points), Amount(paid)).into_iter().map(|(_, part)| part.0).collect()
}

#[test]
fn what_is_left_over_goes_to_the_largest_remainders() {
    let table: &[(&[u16], u128, &[u128])] = &[
        (&[], 7, &[7]),
        (&[2500], 0, &[0, 0]),
        (&[2500], 100, &[75, 25]),
        // 2.25 and 0.75: the unit left over is the share's.
        (&[2500], 3, &[2, 1]),
        // 0.75 and 0.25.
        (&[2500], 1, &[1, 0]),
        // Halves: the payee is first among equals, then the first in the terms.
        (&[5000], 1, &[1, 0]),
        (&[2500, 2500], 2, &[1, 1, 0]),
        (&[5000, 5000], 1, &[0, 1, 0]),
        (&[10_000], 9, &[0, 9]),
        (&[3333, 3333, 3333], 10, &[0, 4, 3, 3]),
    ];
    for (points, paid, expected) in table {
        assert_eq!(parts(points, *paid), *expected, "{points:?} of {paid}");
    }
    // Nothing overflows, even of all that can be.
    assert_eq!(parts(&[1, 9998], u128::MAX).iter().sum::<u128>(), u128::MAX);
}

proptest! {
    #[test]
    fn every_unit_goes_to_somebody_and_nobody_is_a_unit_off(
        points in prop::collection::vec(1..600u16, 0..16), paid in prop_oneof![0..50_000u128, any::<u128>()],
    ) {
        let parts = parts(&points, paid);
        prop_assert_eq!(parts.iter().sum::<u128>(), paid);
        for (part, points) in parts[1..].iter().zip(&points) {
            let exact = |n: u128| n / 10_000 * u128::from(*points) + n % 10_000 * u128::from(*points) / 10_000;
            prop_assert!((exact(paid)..=exact(paid) + 1).contains(part));
        }
    }
}

/// 20% to Carol, 5% to Dave; their ids are in the order of the keys' digests.
fn shared() -> (Trade, AccountId, AccountId) {
    let mut accounts = (AccountId(0), AccountId(0));
    let trade = trade_with(|world, terms| {
        accounts = (world.account(&key(20), "main", 0), world.account(&key(21), "main", 0));
        terms.shares = vec![Share { account: accounts.0, basis_points: 2000 }, Share { account: accounts.1, basis_points: 500 }];
        terms.shares.sort_by_key(|share| share.account);
    });
    (trade, accounts.0, accounts.1)
}

#[test]
fn redemptions_and_claims_are_split_in_their_own_entry() {
    let (mut trade, carol, dave) = shared();
    let balances = |trade: &Trade| {
        let world = &trade.world;
        (trade.balances(), world.available(carol), world.available(dave))
    };
    assert_eq!(trade.redeem(vec![trade.acknowledged(0, 1, 40, 50)]), Ok((40, 0)));
    assert_eq!(balances(&trade), ((900, 30), 8, 2));
    // 3 = 2.25 + 0.6 + 0.15.
    assert_eq!(trade.redeem(vec![trade.acknowledged(1, 1, 3, 50)]), Ok((3, 0)));
    assert_eq!(balances(&trade), ((900, 32), 9, 2));
    let voucher_key = trade.voucher_key.clone();
    trade.close(&voucher_key, false).unwrap();
    assert_eq!(trade.redeem(vec![trade.last(2, 1, 20, 20)]), Ok((0, 20)));
    // A share's account that closes stands in nobody's way.
    let flags = TransferFlags::PENDING.with(TransferFlags::CLOSING_DEBIT);
    let closing = Transfer { id: Id128(900), debit: dave, credit: carol, asset: 1, code: 1, flags, ..Transfer::default() };
    assert_eq!(trade.world.transfer(&key(21), closing), TransferStatus::Created);
    assert_eq!(trade.redeem(vec![trade.acknowledged(3, 1, 20, 50)]), Ok((20, 20)));
    trade.world.wait(61);
    assert_eq!(trade.finalize(), Ok((20, 17)));
    assert_eq!(balances(&trade), ((917, 62), 17, 4));
}

#[test]
fn shares_are_checked_when_the_channel_is_opened() {
    let (mut trade, carol, dave) = shared();
    let (buyer, payer, payee) = (trade.buyer.clone(), trade.terms.payer, trade.terms.payee);
    let (low, high) = (carol.min(dave), carol.max(dave));
    let share = |account, basis_points| Share { account, basis_points };
    let many = (1..=17).map(|n| share(AccountId(n), 1)).collect();
    let table = [
        (vec![share(low, 5000), share(high, 5001)], Err(Reason::BadShares)),
        (vec![share(high, 1), share(low, 1)], Err(Reason::BadShares)),
        (vec![share(low, 1), share(low, 1)], Err(Reason::BadShares)),
        (vec![share(low, 0)], Err(Reason::BadShares)),
        (vec![share(payer, 1)], Err(Reason::BadShares)),
        (vec![share(payee, 1)], Err(Reason::BadShares)),
        (many, Err(Reason::BadShares)),
        (vec![share(AccountId(5), 1)], Err(Reason::AccountNotFound)),
        (vec![share(issuance_account_id(1), 1)], Err(Reason::AccountIsReserved)),
        (vec![share(low, 5000), share(high, 5000)], Ok(())),
    ];
    for (nonce, (shares, expected)) in (2..).zip(table) {
        let terms = ChannelTerms { nonce, shares: shares.clone(), ..trade.terms.clone() };
        let opened = trade.world.act(&buyer, Command::ChannelOpen(ChannelOpen { terms, deposit: Amount(1) }));
        assert_eq!(opened.map(|_| ()), expected, "{shares:?}");
    }
    // A key that may pay the seller only opens no channel in which somebody else has a part.
    let limits = KeyLimits { payees: vec![payee], ..KeyLimits::default() };
    let change = KeyChange::Add { key: key(30).public(), role: KeyRole::Spend, limits };
    trade.world.done(&buyer, Command::AccountKey(AccountKeyChange { account: payer, change }));
    let topup = Command::ChannelTopup(ChannelTopup { channel: trade.terms.id(), amount: Amount(1) });
    assert_eq!(trade.world.act(&key(30), topup.clone()), Err(Reason::PayeeNotAllowed), "nor adds to one that the owner opened");
    assert!(trade.world.act(&buyer, topup).is_ok());
    let terms = ChannelTerms { nonce: 99, payer_key: buyer.public(), ..trade.terms.clone() };
    let open = |terms| Command::ChannelOpen(ChannelOpen { terms, deposit: Amount(1) });
    assert_eq!(trade.world.act(&key(30), open(terms.clone())), Err(Reason::PayeeNotAllowed));
    assert!(trade.world.act(&key(30), open(ChannelTerms { shares: vec![], ..terms })).is_ok());
}

/// The names of channels without shares are those of before there were any: the field is not written.
#[test]
fn terms_without_shares_keep_their_name() {
    let bytes = minicbor::to_vec(terms(&[])).unwrap();
    assert_eq!(bytes[0], 0xa8, "a map of eight");
    assert_eq!(minicbor::decode::<ChannelTerms>(&bytes).unwrap(), terms(&[]));
    assert_ne!(terms(&[]).id(), terms(&[1]).id());
}
