//! How a channel's payments are split among the accounts that its terms name: in the entry of the payment, every unit to somebody.
//!
//! The largest-remainder method: everyone gets the whole units of its part, and the units left over go one each to the largest
//! remainders, first to the payee among equals, then in the order of the terms. Each payment is split alone, so that it needs no
//! memory of those before; nobody is ever more than one unit per payment away from its part.

use super::account::{Account, AccountKind};
use super::authority::{Authority, Denial};
use super::channel::Channel;
use super::id::Id128;
use super::movement::{MovementKind, check_move, post};
use super::reason::Reason;
use super::state::State;
use crate::amount::Amount;
use crate::channel::{AccountId, ChannelTerms};
use crate::limits::CHANNEL_SHARES_MAX;

/// Basis points of the whole.
const WHOLE: u128 = 10_000;

/// Are the shares in the terms such that payments can be split? Every account must be there, of the asset, open and anybody's.
pub(super) fn check_shares(state: &State, terms: &ChannelTerms) -> Result<(), Reason> {
    let shares = &terms.shares;
    let sum: u128 = shares.iter().map(|share| u128::from(share.basis_points)).sum();
    let rising = shares.windows(2).all(|pair| pair[0].account < pair[1].account);
    let parties = shares.iter().any(|share| share.account == terms.payer || share.account == terms.payee);
    let empty = shares.iter().any(|share| share.basis_points == 0);
    if shares.len() > CHANNEL_SHARES_MAX || sum > WHOLE || !rising || parties || empty {
        return Err(Reason::BadShares);
    }
    for share in shares {
        let account = state.account(share.account).ok_or(Reason::AccountNotFound)?;
        if account.kind != AccountKind::Ordinary {
            return Err(Reason::AccountIsReserved);
        }
        if account.asset != terms.asset {
            return Err(Reason::AssetDiffers);
        }
        if account.is_closed() {
            return Err(Reason::AccountClosed);
        }
    }
    Ok(())
}

/// May `amount` leave `payer` for a channel with these terms, on this word? Whoever fills the deposit pays everybody who shares in it.
pub(super) fn may_deposit(
    state: &State,
    authority: Authority,
    payer: &Account,
    terms: &ChannelTerms,
    amount: Amount,
) -> Result<(), Denial> {
    authority.may_debit(state, payer, terms.payee, amount)?;
    terms.shares.iter().try_for_each(|share| authority.may_debit(state, payer, share.account, Amount::ZERO))
}

/// Who gets how much of `paid`: the payee first, then the shares in their order.
pub(super) fn split(terms: &ChannelTerms, paid: Amount) -> Vec<(AccountId, Amount)> {
    let shared: u128 = terms.shares.iter().map(|share| u128::from(share.basis_points)).sum();
    let points = std::iter::once((terms.payee, WHOLE.saturating_sub(shared)))
        .chain(terms.shares.iter().map(|share| (share.account, u128::from(share.basis_points))));
    // paid = whole · 10000 + rest, so that no product exceeds what an amount holds.
    let (whole, rest) = (paid.0 / WHOLE, paid.0 % WHOLE);
    let mut parts: Vec<(AccountId, u128, u128)> =
        points.map(|(account, points)| (account, whole * points + rest * points / WHOLE, rest * points % WHOLE)).collect();
    let given: u128 = parts.iter().map(|(_, units, _)| units).sum();
    let mut order: Vec<usize> = (0..parts.len()).collect();
    // A stable sort: the first of equals stays the first. There are fewer units left than parts with a remainder.
    order.sort_by_key(|at| std::cmp::Reverse(parts[*at].2));
    for at in order.into_iter().zip(given..paid.0).map(|(at, _)| at) {
        parts[at].1 += 1;
    }
    parts.into_iter().map(|(account, units, _)| (account, Amount(units))).collect()
}

/// Check that `paid` can leave the channel's escrow for all who have a part in it.
pub(super) fn check_payment(state: &State, channel: &Channel, paid: Amount) -> Result<(), Reason> {
    let escrow = state.account(channel.terms.escrow()).ok_or(Reason::AccountNotFound)?;
    for (account, part) in split(&channel.terms, paid) {
        check_move(escrow, state.account(account).ok_or(Reason::AccountNotFound)?, part)?;
    }
    let payee = state.account(channel.terms.payee).ok_or(Reason::AccountNotFound)?;
    check_move(escrow, payee, paid)
}

/// Pay what [`check_payment`] found to be in order. A closed account gets its part nevertheless: it must not stand in the
/// others' way.
pub(super) fn pay(state: &mut State, terms: &ChannelTerms, paid: Amount, cause: Id128) {
    let escrow = terms.escrow();
    for (account, part) in split(terms, paid).into_iter().filter(|(_, part)| *part > Amount::ZERO) {
        post(state, MovementKind::ChannelPayment, escrow, account, part, cause);
    }
}
