//! A transfer whose id is taken: is it the same one?

use super::id::Id128;
use super::state::State;
use super::transfer::{Transfer, TransferFlags, TransferRecord};
use super::transfer_create::first;
use super::transfer_status::TransferStatus;
use crate::amount::Amount;
use crate::channel::AccountId;

use TransferStatus as S;

/// Compare `event` with the `earlier` transfer of the same id. Flags come first: they say what the rest means.
pub(super) fn exists(state: &State, event: &Transfer, earlier: &Transfer) -> TransferStatus {
    let checks = [
        (event.flags != earlier.flags, S::ExistsWithDifferentFlags),
        (event.pending_id != earlier.pending_id, S::ExistsWithDifferentPendingId),
        (event.timeout_s != earlier.timeout_s, S::ExistsWithDifferentTimeout),
    ];
    let resolving = event.flags.any(TransferFlags::POST_PENDING.with(TransferFlags::VOID_PENDING));
    let same = first(&checks).and_then(|()| match (resolving, state.transfer(earlier.pending_id)) {
        (true, Some(TransferRecord::Created(hold, _))) => same_resolution(event, earlier, hold),
        _ => same_movement(event, earlier),
    });
    same.err().unwrap_or(S::Exists)
}

fn same_movement(event: &Transfer, earlier: &Transfer) -> Result<(), TransferStatus> {
    // A balancing transfer states an upper limit, and was clamped below it.
    let balancing = event.flags.any(TransferFlags::BALANCING_DEBIT.with(TransferFlags::BALANCING_CREDIT));
    let amount_differs = if balancing { event.amount < earlier.amount } else { event.amount != earlier.amount };
    first(&[
        (event.debit != earlier.debit, S::ExistsWithDifferentDebitAccountId),
        (event.credit != earlier.credit, S::ExistsWithDifferentCreditAccountId),
        (amount_differs, S::ExistsWithDifferentAmount),
        (event.user_data_128 != earlier.user_data_128, S::ExistsWithDifferentUserData128),
        (event.user_data_64 != earlier.user_data_64, S::ExistsWithDifferentUserData64),
        (event.user_data_32 != earlier.user_data_32, S::ExistsWithDifferentUserData32),
        (event.asset != earlier.asset, S::ExistsWithDifferentLedger),
        (event.code != earlier.code, S::ExistsWithDifferentCode),
        (event.posted_by != earlier.posted_by, S::ExistsWithDifferentPostedBy),
    ])
}

/// Zeros stand for what the hold says. "All of it" matches only where all of it was posted.
fn same_resolution(event: &Transfer, earlier: &Transfer, hold: &Transfer) -> Result<(), TransferStatus> {
    let all = if event.flags.has(TransferFlags::VOID_PENDING) { Amount::ZERO } else { Amount::MAX };
    let amount = if event.amount == all { hold.amount } else { event.amount };
    let user_data_128 = if event.user_data_128 == Id128::ZERO { hold.user_data_128 } else { event.user_data_128 };
    let user_data_64 = if event.user_data_64 == 0 { hold.user_data_64 } else { event.user_data_64 };
    let user_data_32 = if event.user_data_32 == 0 { hold.user_data_32 } else { event.user_data_32 };
    first(&[
        (event.debit != AccountId(0) && event.debit != earlier.debit, S::ExistsWithDifferentDebitAccountId),
        (event.credit != AccountId(0) && event.credit != earlier.credit, S::ExistsWithDifferentCreditAccountId),
        (amount != earlier.amount, S::ExistsWithDifferentAmount),
        (user_data_128 != earlier.user_data_128, S::ExistsWithDifferentUserData128),
        (user_data_64 != earlier.user_data_64, S::ExistsWithDifferentUserData64),
        (user_data_32 != earlier.user_data_32, S::ExistsWithDifferentUserData32),
        (event.asset != 0 && event.asset != earlier.asset, S::ExistsWithDifferentLedger),
        (event.code != 0 && event.code != earlier.code, S::ExistsWithDifferentCode),
        (event.posted_by != earlier.posted_by, S::ExistsWithDifferentPostedBy),
    ])
}
