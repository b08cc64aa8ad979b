//! Movements: what a command did to balances, for exports and for whoever follows the log. And the one way in which
//! commands other than transfers move money.

use serde::Serialize;

use super::account::Account;
use super::id::Id128;
use super::reason::Reason;
use super::state::State;
use crate::amount::Amount;
use crate::channel::AccountId;

/// What kind of movement it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum MovementKind {
    /// A transfer.
    Transfer,
    /// A hold: pending totals rose by the amount.
    Hold,
    /// A hold was paid out with this amount; all of it left the pending totals.
    Post,
    /// A hold of this amount was let go.
    Void,
    /// A hold of this amount let go by itself.
    Expiry,
    /// Units came into being.
    Issue,
    /// Units went out of being.
    Redeem,
    /// A deposit, payer to escrow.
    ChannelDeposit,
    /// A payment, escrow to payee, or to an account that has a share in it.
    ChannelPayment,
    /// The rest, escrow to payer.
    ChannelReturn,
    /// What was paid, payee to payer.
    Refund,
}

/// One movement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Movement {
    /// What kind.
    pub kind: MovementKind,
    /// Log time, Unix nanoseconds.
    pub timestamp_ns: u64,
    /// From.
    pub debit: AccountId,
    /// To.
    pub credit: AccountId,
    /// What is moved.
    pub asset: u32,
    /// How much.
    pub amount: Amount,
    /// The transfer, or the command where it was none.
    pub cause: Id128,
}

/// Check that posting `amount` from `debit` to `credit` overflows nothing and breaks no limit.
pub(super) fn check_move(debit: &Account, credit: &Account, amount: Amount) -> Result<(), Reason> {
    let debits = debit.debits_pending.checked_add(debit.debits_posted).and_then(|sum| sum.checked_add(amount));
    let credits = credit.credits_pending.checked_add(credit.credits_posted).and_then(|sum| sum.checked_add(amount));
    if debits.is_none() || credits.is_none() {
        return Err(Reason::Overflow);
    }
    if debit.debits_exceed_credits(amount) {
        return Err(Reason::ExceedsCredits);
    }
    Ok(())
}

/// Post `amount` from `debit` to `credit`, which [`check_move`] found to be in order.
pub(super) fn post(state: &mut State, kind: MovementKind, debit: AccountId, credit: AccountId, amount: Amount, cause: Id128) {
    let timestamp_ns = state.now_ns();
    let payer = state.account_mut(debit);
    payer.debits_posted = payer.debits_posted.saturating_add(amount);
    let asset = payer.asset;
    let payee = state.account_mut(credit);
    payee.credits_posted = payee.credits_posted.saturating_add(amount);
    state.note(Movement { kind, timestamp_ns, debit, credit, asset, amount, cause });
}
