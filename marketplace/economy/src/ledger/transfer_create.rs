//! One transfer that moves or holds money: the checks in their order, then the writes.

use super::account::{Account, AccountFlags, AccountKind};
use super::authority::{Authority, Denial};
use super::id::Id128;
use super::movement::{Movement, MovementKind};
use super::result::TransferResult;
use super::state::State;
use super::transfer::{HoldRule, HoldState, Transfer, TransferFlags, TransferRecord, timeout_ns};
use super::transfer_batch::failed;
use super::transfer_exists::exists;
use super::transfer_resolve;
use super::transfer_status::TransferStatus;
use crate::amount::Amount;
use crate::channel::AccountId;
use crate::limits::LOG_TIME_NS_MAX;

use TransferStatus as S;

const RESOLVING: TransferFlags = TransferFlags::POST_PENDING.with(TransferFlags::VOID_PENDING);
const CLOSING: TransferFlags = TransferFlags::CLOSING_DEBIT.with(TransferFlags::CLOSING_CREDIT);

/// Do `event` at `now_ns`, or say why not.
pub(super) fn create(state: &mut State, event: &Transfer, authority: Authority, now_ns: u64) -> TransferResult {
    if let Err(status) = check_identity(event) {
        return failed(event, status, now_ns);
    }
    match state.transfer(event.id) {
        Some(TransferRecord::Burnt) => return failed(event, S::IdAlreadyFailed, now_ns),
        Some(TransferRecord::Created(earlier, _)) => return repeat(state, event, earlier, now_ns),
        None => {}
    }
    let outcome = match event.flags.any(RESOLVING) {
        true => transfer_resolve::resolve(state, event, authority, now_ns),
        false => move_or_hold(state, event, authority, now_ns),
    };
    match outcome {
        Ok(amount) => TransferResult { id: event.id, status: S::Created, timestamp_ns: now_ns, amount },
        Err(status) => failed(event, status, now_ns),
    }
}

fn repeat(state: &State, event: &Transfer, earlier: &Transfer, now_ns: u64) -> TransferResult {
    match exists(state, event, earlier) {
        S::Exists => {
            TransferResult { id: event.id, status: S::Exists, timestamp_ns: earlier.timestamp_ns, amount: earlier.amount }
        }
        status => failed(event, status, now_ns),
    }
}

fn check_identity(event: &Transfer) -> Result<(), TransferStatus> {
    if event.timestamp_ns != 0 {
        return Err(S::TimestampMustBeZero);
    }
    if event.flags.0 & !TransferFlags::ALL.0 != 0 {
        return Err(S::ReservedFlag);
    }
    if event.id.is_zero() {
        return Err(S::IdMustNotBeZero);
    }
    if event.id == Id128::MAX {
        return Err(S::IdMustNotBeIntMax);
    }
    Ok(())
}

/// The checks that need no state.
fn check_fields(event: &Transfer) -> Result<(), TransferStatus> {
    let is_hold = event.flags.has(TransferFlags::PENDING);
    let ends = AccountId(u128::MAX);
    let checks = [
        (event.debit == AccountId(0), S::DebitAccountIdMustNotBeZero),
        (event.debit == ends, S::DebitAccountIdMustNotBeIntMax),
        (event.credit == AccountId(0), S::CreditAccountIdMustNotBeZero),
        (event.credit == ends, S::CreditAccountIdMustNotBeIntMax),
        (event.credit == event.debit, S::AccountsMustBeDifferent),
        (!event.pending_id.is_zero(), S::PendingIdMustBeZero),
        (!is_hold && event.timeout_s != 0, S::TimeoutReservedForPendingTransfer),
        (!is_hold && event.flags.any(CLOSING), S::ClosingTransferMustBePending),
        (!is_hold && event.posted_by != HoldRule::Payer, S::PostedByReservedForPendingTransfer),
        (event.posted_by == HoldRule::Payee && event.timeout_s == 0, S::PayeeHoldNeedsTimeout),
        (event.asset == 0, S::LedgerMustNotBeZero),
        (event.code == 0, S::CodeMustNotBeZero),
    ];
    first(&checks)
}

fn check_accounts(
    state: &State,
    event: &Transfer,
    debit: &Account,
    credit: &Account,
    authority: Authority,
) -> Result<(), TransferStatus> {
    let denial = authority.may_debit(state, debit, credit.id, Amount::ZERO).err();
    let closing_debit = event.flags.has(TransferFlags::CLOSING_DEBIT) && !authority.owns(debit);
    let closing_credit = event.flags.has(TransferFlags::CLOSING_CREDIT) && !authority.owns(credit);
    let ordinary = debit.kind == AccountKind::Ordinary && credit.kind == AccountKind::Ordinary;
    let checks = [
        (debit.asset != credit.asset, S::AccountsMustHaveTheSameLedger),
        (event.asset != debit.asset, S::TransferMustHaveTheSameLedgerAsAccounts),
        (!ordinary, S::AccountIsReserved),
        (denial == Some(Denial::NotPermitted), S::SignerMayNotDebit),
        (denial == Some(Denial::PayeeNotAllowed), S::PayeeNotAllowed),
        (closing_debit || closing_credit, S::SignerMayNotClose),
        (debit.is_closed(), S::DebitAccountAlreadyClosed),
        (credit.is_closed(), S::CreditAccountAlreadyClosed),
    ];
    first(&checks)
}

/// What a balancing transfer comes to; others come to what they say.
fn balanced(event: &Transfer, debit: &Account, credit: &Account) -> Amount {
    let mut amount = event.amount;
    if event.flags.has(TransferFlags::BALANCING_DEBIT) {
        let debits = debit.debits_posted.saturating_add(debit.debits_pending);
        amount = amount.min(debit.credits_posted.saturating_sub(debits));
    }
    if event.flags.has(TransferFlags::BALANCING_CREDIT) {
        let credits = credit.credits_posted.saturating_add(credit.credits_pending);
        amount = amount.min(credit.debits_posted.saturating_sub(credits));
    }
    amount
}

fn check_amount(event: &Transfer, debit: &Account, credit: &Account, amount: Amount, now_ns: u64) -> Result<(), TransferStatus> {
    let overflows = |total: Amount| total.checked_add(amount).is_none();
    let is_hold = event.flags.has(TransferFlags::PENDING);
    let debits = debit.debits_pending.saturating_add(debit.debits_posted);
    let credits = credit.credits_pending.saturating_add(credit.credits_posted);
    let checks = [
        (is_hold && overflows(debit.debits_pending), S::OverflowsDebitsPending),
        (is_hold && overflows(credit.credits_pending), S::OverflowsCreditsPending),
        (overflows(debit.debits_posted), S::OverflowsDebitsPosted),
        (overflows(credit.credits_posted), S::OverflowsCreditsPosted),
        (overflows(debits), S::OverflowsDebits),
        (overflows(credits), S::OverflowsCredits),
        (now_ns.saturating_add(timeout_ns(event.timeout_s)) > LOG_TIME_NS_MAX, S::OverflowsTimeout),
        (debit.debits_exceed_credits(amount), S::ExceedsCredits),
        (credit.credits_exceed_debits(amount), S::ExceedsDebits),
    ];
    first(&checks)
}

fn move_or_hold(state: &mut State, event: &Transfer, authority: Authority, now_ns: u64) -> Result<Amount, TransferStatus> {
    check_fields(event)?;
    let debit_at = state.find_account(event.debit).ok_or(S::DebitAccountNotFound)?;
    let credit_at = state.find_account(event.credit).ok_or(S::CreditAccountNotFound)?;
    let (debit, credit) = (state.account_at(debit_at), state.account_at(credit_at));
    check_accounts(state, event, debit, credit, authority)?;
    let amount = balanced(event, debit, credit);
    check_amount(event, debit, credit, amount, now_ns)?;
    authority.may_debit(state, debit, credit.id, amount).map_err(|denial| denial.status(S::SignerMayNotDebit))?;

    // Point of no return.
    let is_hold = event.flags.has(TransferFlags::PENDING);
    let further = authority.further_key(debit);
    if further.is_some() {
        authority.spend(state, event.debit, amount);
    }
    let held_by = further.filter(|_| is_hold);
    let debit = state.account_at_mut(debit_at);
    let total = if is_hold { &mut debit.debits_pending } else { &mut debit.debits_posted };
    *total = total.saturating_add(amount);
    close_if(debit, event.flags.has(TransferFlags::CLOSING_DEBIT));
    let credit = state.account_at_mut(credit_at);
    let total = if is_hold { &mut credit.credits_pending } else { &mut credit.credits_posted };
    *total = total.saturating_add(amount);
    close_if(credit, event.flags.has(TransferFlags::CLOSING_CREDIT));
    let transfer = Transfer { amount, timestamp_ns: now_ns, held_by, ..event.clone() };
    note(state, if is_hold { MovementKind::Hold } else { MovementKind::Transfer }, &transfer);
    state.put_transfer(event.id, TransferRecord::Created(transfer, is_hold.then_some(HoldState::Open)));
    Ok(amount)
}

fn close_if(account: &mut Account, closing: bool) {
    if closing {
        account.flags = account.flags.with(AccountFlags::CLOSED);
    }
}

pub(super) fn note(state: &mut State, kind: MovementKind, transfer: &Transfer) {
    state.note(Movement {
        kind,
        timestamp_ns: transfer.timestamp_ns,
        debit: transfer.debit,
        credit: transfer.credit,
        asset: transfer.asset,
        amount: transfer.amount,
        cause: transfer.id,
    });
}

/// The status of the first check that fails.
pub(super) fn first(checks: &[(bool, TransferStatus)]) -> Result<(), TransferStatus> {
    checks.iter().find(|(fails, _)| *fails).map_or(Ok(()), |(_, status)| Err(*status))
}
