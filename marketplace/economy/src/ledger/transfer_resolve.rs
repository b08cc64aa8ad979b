//! A transfer that resolves a hold: posts all or part of it, or voids it. Once.

use super::account::{Account, AccountFlags};
use super::authority::Authority;
use super::id::Id128;
use super::movement::MovementKind;
use super::state::State;
use super::transfer::{HoldRule, HoldState, Transfer, TransferFlags, TransferRecord};
use super::transfer_create::{first, note};
use super::transfer_status::TransferStatus;
use crate::amount::Amount;
use crate::channel::AccountId;

use TransferStatus as S;

const OTHERS: TransferFlags = TransferFlags::PENDING
    .with(TransferFlags::BALANCING_DEBIT)
    .with(TransferFlags::BALANCING_CREDIT)
    .with(TransferFlags::CLOSING_DEBIT)
    .with(TransferFlags::CLOSING_CREDIT);

/// Resolve the hold that `event` names.
pub(super) fn resolve(state: &mut State, event: &Transfer, authority: Authority, now_ns: u64) -> Result<Amount, TransferStatus> {
    check_fields(event)?;
    let Some(TransferRecord::Created(hold, hold_state)) = state.transfer(event.pending_id) else {
        return Err(S::PendingTransferNotFound);
    };
    let hold_state = hold_state.ok_or(S::PendingTransferNotPending)?;
    let voids = event.flags.has(TransferFlags::VOID_PENDING);
    let (debit, credit) = (side(state, hold.debit), side(state, hold.credit));
    let amount = amount_of(event, hold);
    check_resolver(state, hold, voids, authority)?;
    check_hold(event, hold, amount, voids)?;
    first(&[
        (hold_state == HoldState::Posted, S::PendingTransferAlreadyPosted),
        (hold_state == HoldState::Voided, S::PendingTransferAlreadyVoided),
        (hold_state == HoldState::Expired || hold.expires_ns().is_some_and(|end| end <= now_ns), S::PendingTransferExpired),
        (debit.is_closed() && !voids, S::DebitAccountAlreadyClosed),
        (credit.is_closed() && !voids, S::CreditAccountAlreadyClosed),
    ])?;
    let by_payer = !voids && hold.posted_by == HoldRule::Payer;
    if by_payer {
        authority.may_post(state, debit, hold, amount).map_err(|denial| denial.status(S::SignerMayNotResolve))?;
    }

    // Point of no return.
    let hold = hold.clone();
    if by_payer {
        authority.spend(state, hold.debit, authority.use_of_post(&hold, amount));
    }
    release(state, &hold, voids);
    if !voids {
        let debit = state.account_mut(hold.debit);
        debit.debits_posted = debit.debits_posted.saturating_add(amount);
        let credit = state.account_mut(hold.credit);
        credit.credits_posted = credit.credits_posted.saturating_add(amount);
    }
    let transfer = inherit(event, &hold, amount, now_ns);
    note(state, if voids { MovementKind::Void } else { MovementKind::Post }, &transfer);
    state.put_transfer(event.id, TransferRecord::Created(transfer, None));
    let after = if voids { HoldState::Voided } else { HoldState::Posted };
    state.put_transfer(hold.id, TransferRecord::Created(hold, Some(after)));
    Ok(amount)
}

fn check_fields(event: &Transfer) -> Result<(), TransferStatus> {
    let both = TransferFlags::POST_PENDING.with(TransferFlags::VOID_PENDING);
    first(&[
        (event.flags.has(both) || event.flags.any(OTHERS), S::FlagsAreMutuallyExclusive),
        (event.pending_id.is_zero(), S::PendingIdMustNotBeZero),
        (event.pending_id == Id128::MAX, S::PendingIdMustNotBeIntMax),
        (event.pending_id == event.id, S::PendingIdMustBeDifferent),
        (event.timeout_s != 0, S::TimeoutReservedForPendingTransfer),
        (event.posted_by != HoldRule::Payer, S::PostedByReservedForPendingTransfer),
    ])
}

/// Who may resolve it at all; a further key's budget is looked at last, as the account's own means are.
fn check_resolver(state: &State, hold: &Transfer, voids: bool, authority: Authority) -> Result<(), TransferStatus> {
    let (debit, credit) = (side(state, hold.debit), side(state, hold.credit));
    let allowed = match (hold.posted_by, voids) {
        (HoldRule::Payer, false) => {
            return authority.may_post(state, debit, hold, Amount::ZERO).map_err(|denial| denial.status(S::SignerMayNotResolve));
        }
        (HoldRule::Payer, true) => authority.may_void(state, debit, hold) || authority.owns(credit),
        (HoldRule::Payee, false) => authority.may_take(state, credit),
        (HoldRule::Payee, true) => authority.owns(credit),
    };
    first(&[(!allowed, S::SignerMayNotResolve)])
}

fn check_hold(event: &Transfer, hold: &Transfer, amount: Amount, voids: bool) -> Result<(), TransferStatus> {
    first(&[
        (event.debit != AccountId(0) && event.debit != hold.debit, S::PendingTransferHasDifferentDebitAccountId),
        (event.credit != AccountId(0) && event.credit != hold.credit, S::PendingTransferHasDifferentCreditAccountId),
        (event.asset != 0 && event.asset != hold.asset, S::PendingTransferHasDifferentLedger),
        (event.code != 0 && event.code != hold.code, S::PendingTransferHasDifferentCode),
        (amount > hold.amount, S::ExceedsPendingTransferAmount),
        (voids && amount < hold.amount, S::PendingTransferHasDifferentAmount),
    ])
}

fn amount_of(event: &Transfer, hold: &Transfer) -> Amount {
    let all = if event.flags.has(TransferFlags::VOID_PENDING) { Amount::ZERO } else { Amount::MAX };
    if event.amount == all { hold.amount } else { event.amount }
}

fn inherit(event: &Transfer, hold: &Transfer, amount: Amount, now_ns: u64) -> Transfer {
    Transfer {
        debit: hold.debit,
        credit: hold.credit,
        amount,
        asset: hold.asset,
        code: hold.code,
        user_data_128: if event.user_data_128.is_zero() { hold.user_data_128 } else { event.user_data_128 },
        user_data_64: if event.user_data_64 == 0 { hold.user_data_64 } else { event.user_data_64 },
        user_data_32: if event.user_data_32 == 0 { hold.user_data_32 } else { event.user_data_32 },
        timestamp_ns: now_ns,
        held_by: None,
        ..event.clone()
    }
}

/// Take a hold out of the pending totals; with `reopens`, undo the closing that it did.
pub(super) fn release(state: &mut State, hold: &Transfer, reopens: bool) {
    let debit = state.account_mut(hold.debit);
    debit.debits_pending = debit.debits_pending.saturating_sub(hold.amount);
    reopen_if(debit, reopens && hold.flags.has(TransferFlags::CLOSING_DEBIT));
    let credit = state.account_mut(hold.credit);
    credit.credits_pending = credit.credits_pending.saturating_sub(hold.amount);
    reopen_if(credit, reopens && hold.flags.has(TransferFlags::CLOSING_CREDIT));
}

fn reopen_if(account: &mut Account, reopens: bool) {
    if reopens {
        account.flags = account.flags.without(AccountFlags::CLOSED);
    }
}

fn side(state: &State, id: AccountId) -> &Account {
    state.account(id).expect("accounts never go, and a hold was made between two of them")
}
