//! Balances over time of the accounts that have the flag `history`, made from the movements.

use std::collections::BTreeMap;

use hansa_economy::channel::AccountId;
use hansa_economy::ledger::{AccountFlags, Movement, MovementKind, State, TransferRecord};
use serde::Serialize;

use super::output::decimal;

/// An account's balances after a movement.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct BalanceRow {
    #[serde(serialize_with = "decimal")]
    account: u128,
    #[serde(serialize_with = "decimal")]
    timestamp: u64,
    #[serde(serialize_with = "decimal")]
    debits_pending: u128,
    #[serde(serialize_with = "decimal")]
    debits_posted: u128,
    #[serde(serialize_with = "decimal")]
    credits_pending: u128,
    #[serde(serialize_with = "decimal")]
    credits_posted: u128,
}

/// Balances over time, by account.
#[derive(Default)]
pub(super) struct History {
    rows: BTreeMap<AccountId, Vec<BalanceRow>>,
}

/// What a movement does to one side of an account.
struct Change {
    posted: u128,
    held: u128,
    released: u128,
}

impl History {
    /// The rows of an account, oldest first.
    pub(super) fn of(&self, account: AccountId) -> &[BalanceRow] {
        self.rows.get(&account).map_or(&[], Vec::as_slice)
    }

    /// Note movements that have happened, oldest first.
    pub(super) fn follow(&mut self, movements: &[Movement], state: &State) {
        for movement in movements {
            let change = Change::of(movement, state);
            self.note(movement.debit, movement.timestamp_ns, state, |row| {
                change.apply(&mut row.debits_pending, &mut row.debits_posted);
            });
            self.note(movement.credit, movement.timestamp_ns, state, |row| {
                change.apply(&mut row.credits_pending, &mut row.credits_posted);
            });
        }
    }

    fn note(&mut self, account: AccountId, timestamp: u64, state: &State, change: impl FnOnce(&mut BalanceRow)) {
        if !state.account(account).is_some_and(|account| account.flags.has(AccountFlags::HISTORY)) {
            return;
        }
        let rows = self.rows.entry(account).or_default();
        let mut row = BalanceRow { account: account.0, timestamp, ..rows.last().cloned().unwrap_or_default() };
        change(&mut row);
        rows.push(row);
    }
}

impl Change {
    fn of(movement: &Movement, state: &State) -> Change {
        let amount = movement.amount.0;
        let (posted, held, released) = match movement.kind {
            MovementKind::Hold => (0, amount, 0),
            MovementKind::Post => (amount, 0, held_before(movement, state)),
            MovementKind::Void | MovementKind::Expiry => (0, 0, amount),
            _ => (amount, 0, 0),
        };
        Change { posted, held, released }
    }

    fn apply(&self, pending: &mut u128, posted_total: &mut u128) {
        // The rules have checked these sums.
        *pending = pending.wrapping_add(self.held).wrapping_sub(self.released);
        *posted_total = posted_total.wrapping_add(self.posted);
    }
}

/// The amount of the hold that a post paid out; all of it left the pending totals.
fn held_before(post: &Movement, state: &State) -> u128 {
    let record = |id| match state.transfer(id) {
        Some(TransferRecord::Created(transfer, _)) => Some(transfer),
        _ => None,
    };
    let hold = record(post.cause).and_then(|post| record(post.pending_id));
    hold.map_or(0, |hold| hold.amount.0)
}
