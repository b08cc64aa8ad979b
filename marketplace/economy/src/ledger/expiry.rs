//! Expiry: holds let go by themselves, exactly when log time reaches their end.

use super::movement::{Movement, MovementKind};
use super::state::State;
use super::transfer::{HoldState, Transfer, TransferRecord};
use super::transfer_resolve::release;

/// Let go of every hold that ends at or before `now_ns`, oldest end first.
pub(super) fn release_until(state: &mut State, now_ns: u64) {
    while let Some(id) = state.next_expired(now_ns) {
        let Some(TransferRecord::Created(hold, _)) = state.transfer(id).cloned() else {
            unreachable!("the index of ends is derived from the open holds");
        };
        expire(state, hold);
    }
}

fn expire(state: &mut State, hold: Transfer) {
    release(state, &hold, true);
    state.note(Movement {
        kind: MovementKind::Expiry,
        timestamp_ns: hold.expires_ns().unwrap_or_default(),
        debit: hold.debit,
        credit: hold.credit,
        asset: hold.asset,
        amount: hold.amount,
        cause: hold.id,
    });
    state.put_transfer(hold.id, TransferRecord::Created(hold, Some(HoldState::Expired)));
}
