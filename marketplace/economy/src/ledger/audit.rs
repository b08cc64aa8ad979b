//! Auditors: what must be true of every state, and of every step from one state to the next. The numbers are those of the
//! design's list of invariants. Tests run them after each entry, `check` after a replay of the whole log.

use std::collections::BTreeMap;

use super::account::{Account, AccountFlags, AccountKind};
use super::account_key::AccountKey;
use super::channel::{Channel, ChannelPhase, Lane};
use super::id::TransferId;
use super::movement::{Movement, MovementKind as M};
use super::refund::{RefundTarget, Refunded};
use super::state::State;
use super::transfer::{HoldState, Transfer, TransferFlags, TransferRecord};
use crate::amount::Amount;
use crate::channel::AccountId;

/// An invariant that does not hold: a defect, or a damaged store.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("invariant {rule} is broken: {what}")]
pub struct Breach {
    /// Which, `I1` to `I25`.
    pub rule: &'static str,
    /// Where and how.
    pub what: String,
}

/// Sums over all accounts of one asset.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Totals {
    /// Σ pending debits.
    pub debits_pending: Amount,
    /// Σ posted debits.
    pub debits_posted: Amount,
    /// Σ pending credits.
    pub credits_pending: Amount,
    /// Σ posted credits.
    pub credits_posted: Amount,
}

/// Sums over all accounts, per asset; an overflowing sum stays at the largest amount.
pub fn totals(state: &State) -> BTreeMap<u32, Totals> {
    let mut totals: BTreeMap<u32, Totals> = BTreeMap::new();
    for account in state.accounts() {
        let sum = totals.entry(account.asset).or_default();
        sum.debits_pending = sum.debits_pending.saturating_add(account.debits_pending);
        sum.debits_posted = sum.debits_posted.saturating_add(account.debits_posted);
        sum.credits_pending = sum.credits_pending.saturating_add(account.credits_pending);
        sum.credits_posted = sum.credits_posted.saturating_add(account.credits_posted);
    }
    totals
}

/// All that must be true of a state. Holds are checked as far as they are in memory.
pub fn audit(state: &State) -> Result<(), Breach> {
    balanced(state)?;
    limited(state)?;
    supply(state)?;
    holds(state)?;
    budgets(state)?;
    refunds(state)?;
    state.channels().try_for_each(|channel| escrow(state, channel))
}

/// I1: per asset, pending and posted debits equal credits.
fn balanced(state: &State) -> Result<(), Breach> {
    for (asset, sum) in totals(state) {
        ensure("I1", sum.debits_posted == sum.credits_posted, || {
            format!("asset {asset}: posted {} against {}", sum.debits_posted, sum.credits_posted)
        })?;
        ensure("I1", sum.debits_pending == sum.credits_pending, || {
            format!("asset {asset}: pending {} against {}", sum.debits_pending, sum.credits_pending)
        })?;
    }
    Ok(())
}

/// I2: no limited account below zero, holds counted.
fn limited(state: &State) -> Result<(), Breach> {
    for account in state.accounts() {
        ensure("I2", !account.debits_exceed_credits(Amount::ZERO), || format!("account {} is overdrawn", account.id))?;
        ensure("I2", !account.credits_exceed_debits(Amount::ZERO), || format!("account {} is overfilled", account.id))?;
        let unlimited = !account.flags.has(AccountFlags::DEBITS_MUST_NOT_EXCEED_CREDITS);
        ensure("I2", !(unlimited && account.kind == AccountKind::Escrow), || format!("escrow {} has no limit", account.id))?;
    }
    Ok(())
}

/// I3: the supply is what `issue` and `redeem` made it.
fn supply(state: &State) -> Result<(), Breach> {
    for asset in state.assets() {
        let Some(issuance) = state.account(asset.issuance) else {
            return Err(Breach { rule: "I3", what: format!("asset {} has no issuance account", asset.id) });
        };
        let same = issuance.debits_posted == asset.issued && issuance.credits_posted == asset.redeemed;
        ensure("I3", same && issuance.debits_pending == Amount::ZERO && issuance.credits_pending == Amount::ZERO, || {
            format!("asset {}: issuance account and supply differ", asset.id)
        })?;
    }
    Ok(())
}

/// I6: pending totals are the open holds; a hold is resolved at most once and never above its amount.
fn holds(state: &State) -> Result<(), Breach> {
    let mut pending: BTreeMap<AccountId, (Amount, Amount)> = BTreeMap::new();
    let mut resolved: BTreeMap<TransferId, u32> = BTreeMap::new();
    for (id, record) in state.transfers() {
        let TransferRecord::Created(transfer, hold) = record else { continue };
        if *hold == Some(HoldState::Open) {
            let debits = &mut pending.entry(transfer.debit).or_default().0;
            *debits = debits.saturating_add(transfer.amount);
            let credits = &mut pending.entry(transfer.credit).or_default().1;
            *credits = credits.saturating_add(transfer.amount);
        }
        if transfer.flags.any(TransferFlags::POST_PENDING.with(TransferFlags::VOID_PENDING)) {
            *resolved.entry(transfer.pending_id).or_default() += 1;
            resolution(state, id, transfer)?;
        }
    }
    for account in state.accounts() {
        let (debits, credits) = pending.get(&account.id).copied().unwrap_or_default();
        ensure("I6", (account.debits_pending, account.credits_pending) == (debits, credits), || {
            format!("account {}: pending totals are not its open holds", account.id)
        })?;
    }
    resolved.into_iter().try_for_each(|(id, times)| ensure("I6", times == 1, || format!("hold {id} was resolved {times} times")))
}

fn resolution(state: &State, id: TransferId, transfer: &Transfer) -> Result<(), Breach> {
    // The hold of a resolution that was brought back to memory may be elsewhere.
    let Some(TransferRecord::Created(hold, after)) = state.transfer(transfer.pending_id) else { return Ok(()) };
    let expected = if transfer.flags.has(TransferFlags::POST_PENDING) { HoldState::Posted } else { HoldState::Voided };
    ensure("I6", transfer.amount <= hold.amount && *after == Some(expected), || {
        format!("transfer {id} does not fit hold {}", hold.id)
    })
}

/// I16: no key spends above its budget, and none owns its account too.
fn budgets(state: &State) -> Result<(), Breach> {
    state.keys().try_for_each(|key| {
        let within = key.limits.budget.is_none_or(|budget| key.spent <= budget);
        ensure("I16", within, || format!("account {}: a key spent more than its budget", key.account))?;
        let further = state.account(key.account).is_some_and(|account| account.owner != key.key);
        ensure("I16", further, || format!("account {}: a further key is the owner's too", key.account))
    })
}

/// I22: what was refunded is at most what was charged, and that is what was paid.
fn refunds(state: &State) -> Result<(), Breach> {
    state.all_refunded().try_for_each(|row| {
        ensure("I22", row.refunded <= row.charged, || format!("{:?}: refunded above what was charged", row.target))?;
        let paid = match row.target {
            RefundTarget::Channel(id) => state.channel(id).is_some_and(|channel| row.charged <= channel.redeemed),
            RefundTarget::Transfer(id) => match state.transfer(id) {
                Some(TransferRecord::Created(transfer, hold)) => hold.is_none() && transfer.amount == row.charged,
                Some(TransferRecord::Burnt) => false,
                // Settled transfers need not be in memory.
                None => true,
            },
            RefundTarget::Receipt(_) => true,
        };
        ensure("I22", paid, || format!("{:?}: refunded and not paid", row.target))
    })
}

/// I14: lanes sum up, never above the deposit, and escrow is what is left. I15: no lane above its ceiling. I17: the end is empty.
fn escrow(state: &State, channel: &Channel) -> Result<(), Breach> {
    let lanes = channel.lanes.values().map(|lane| lane.redeemed).fold(Amount::ZERO, Amount::saturating_add);
    ensure("I14", lanes == channel.redeemed, || {
        format!("channel {}: its lanes were paid {lanes}, it {}", channel.id, channel.redeemed)
    })?;
    let spent = channel.redeemed.checked_add(channel.returned);
    ensure("I14", spent.is_some_and(|spent| spent <= channel.deposit), || {
        format!("channel {} paid more than its deposit", channel.id)
    })?;
    let held = state.account(channel.terms.escrow()).map(Account::balance);
    ensure("I14", held == Some(channel.left()), || {
        format!("channel {}: {held:?} in escrow, {} left", channel.id, channel.left())
    })?;
    let capped = channel.lanes.values().all(|lane| lane.redeemed <= lane.ceiling);
    ensure("I15", capped, || format!("channel {}: a lane was paid above what the payer signed", channel.id))?;
    let ended = channel.phase != ChannelPhase::Final || channel.left() == Amount::ZERO && channel.claimed() == Amount::ZERO;
    ensure("I17", ended, || format!("channel {} is final and not empty", channel.id))
}

/// I5: posted totals never fall, and what an account is does not change.
pub fn account_step(before: &Account, after: &Account) -> Result<(), Breach> {
    let grows = before.debits_posted <= after.debits_posted && before.credits_posted <= after.credits_posted;
    ensure("I5", grows, || format!("account {}: a posted total fell", after.id))?;
    // The owner changes by `account.key` alone, which a replay of the log shows.
    let same = Account { flags: after.flags, owner: after.owner, ..balances_of(before, after) } == *after
        && before.flags.without(AccountFlags::CLOSED) == after.flags.without(AccountFlags::CLOSED);
    ensure("I5", same, || format!("account {}: more than its balances changed", after.id))
}

/// I16: what a key has spent never falls, and a revoked key does nothing.
pub fn key_step(before: &AccountKey, after: &AccountKey) -> Result<(), Breach> {
    ensure("I16", before.spent <= after.spent, || format!("account {}: what a key has spent fell", after.account))?;
    ensure("I16", before.revoked_ns.is_none() || before == after, || {
        format!("account {}: a revoked key changed or spent", after.account)
    })?;
    ensure("I16", before.timestamp_ns == after.timestamp_ns, || format!("account {}: a key began anew", after.account))
}

/// I16: escrow is filled by the channel's payer, and left for the payee, for those who share with it, or back to the payer.
pub fn movement(state: &State, movement: &Movement) -> Result<(), Breach> {
    let reserved = |id| state.account(id).is_some_and(|account| account.kind == AccountKind::Escrow);
    let right = match (reserved(movement.debit), reserved(movement.credit)) {
        (false, false) => !matches!(movement.kind, M::ChannelDeposit | M::ChannelPayment | M::ChannelReturn),
        (true, true) => false,
        (true, false) => state.channel_of(movement.debit).is_some_and(|channel| leaves_rightly(channel, movement)),
        (false, true) => state
            .channel_of(movement.credit)
            .is_some_and(|channel| movement.kind == M::ChannelDeposit && movement.debit == channel.terms.payer),
    };
    ensure("I16", right, || format!("{:?} of {} from {} to {}", movement.kind, movement.amount, movement.debit, movement.credit))
}

fn leaves_rightly(channel: &Channel, movement: &Movement) -> bool {
    let terms = &channel.terms;
    match movement.kind {
        M::ChannelPayment => movement.credit == terms.payee || terms.shares.iter().any(|share| share.account == movement.credit),
        M::ChannelReturn => movement.credit == terms.payer,
        _ => false,
    }
}

/// I22: what was refunded stays refunded.
pub fn refund_step(before: &Refunded, after: &Refunded) -> Result<(), Breach> {
    let grows = before.refunded <= after.refunded && before.charged <= after.charged;
    ensure("I22", grows, || format!("{:?}: a count of refunds fell", after.target))
}

/// I15: lanes never lose. I17: nothing after the end.
pub fn channel_step(before: &Channel, after: &Channel) -> Result<(), Breach> {
    ensure("I17", before.phase != ChannelPhase::Final || before == after, || {
        format!("channel {} changed after its end", after.id)
    })?;
    // A lane that was never paid may go again: its claim was superseded before it left anything.
    let paid = |number: &u32| after.lanes.get(number).map_or(Amount::ZERO, |lane| lane.redeemed);
    let grows = before.lanes.iter().all(|(number, lane)| paid(number) >= lane.redeemed);
    ensure("I15", grows, || format!("channel {}: a lane lost", after.id))?;
    let frozen = before.lanes.iter().all(|(number, lane)| stays_frozen(lane, after.lanes.get(number)));
    ensure("I15", frozen, || format!("channel {}: a frozen lane went on", after.id))?;
    let onwards = before.phase == ChannelPhase::Open || after.phase != ChannelPhase::Open;
    ensure("I17", onwards, || format!("channel {} is open again", after.id))?;
    ensure("I14", before.terms == after.terms && before.deposit <= after.deposit, || {
        format!("channel {}: terms or deposit changed", after.id)
    })
}

/// No receipt is paid that a voucher above the number of the freeze acknowledges, and no claim is above it.
fn stays_frozen(before: &Lane, after: Option<&Lane>) -> bool {
    let Some(seq) = before.frozen else { return true };
    after.is_some_and(|after| {
        let claim = after.claim.is_none_or(|claim| after.claim == before.claim || claim.seq <= seq);
        after.frozen == before.frozen && (after.seq == before.seq || after.seq < seq) && claim
    })
}

fn balances_of(before: &Account, after: &Account) -> Account {
    Account {
        debits_pending: after.debits_pending,
        debits_posted: after.debits_posted,
        credits_pending: after.credits_pending,
        credits_posted: after.credits_posted,
        ..before.clone()
    }
}

fn ensure(rule: &'static str, holds: bool, what: impl FnOnce() -> String) -> Result<(), Breach> {
    if holds { Ok(()) } else { Err(Breach { rule, what: what() }) }
}
