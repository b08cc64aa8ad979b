//! `transfer`: a batch of transfers with chains in it. The order of results is TigerBeetle's.

use minicbor::{Decode, Encode};

use super::authority::Authority;
use super::chain::{self, Event};
use super::reason::Reason;
use super::result::{Acceptance, TransferResult};
use super::state::State;
use super::transfer::{Transfer, TransferFlags, TransferRecord};
use super::transfer_create;
use super::transfer_status::TransferStatus;
use crate::amount::Amount;
use crate::limits::TRANSFERS_MAX;

/// Move or hold money. Signed by the owner of the debit accounts; holds are resolved by whom their rule names.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct TransferBatch {
    /// The transfers, 1 to [`TRANSFERS_MAX`]; the flag `linked` chains one to the next.
    #[n(0)]
    pub transfers: Vec<Transfer>,
}

/// One transfer, and on whose word it is attempted.
struct Attempt<'a> {
    transfer: &'a Transfer,
    authority: Authority,
}

pub(super) fn apply(state: &mut State, batch: &TransferBatch, authority: Authority) -> Result<Acceptance, Reason> {
    let count = batch.transfers.len();
    if count == 0 || count > TRANSFERS_MAX {
        state.tick();
        return Err(Reason::BadBatch);
    }
    Ok(Acceptance::Transfers(run(state, &batch.transfers, authority)))
}

/// Any number of transfers.
pub(super) fn run(state: &mut State, transfers: &[Transfer], authority: Authority) -> Vec<TransferResult> {
    let attempts: Vec<Attempt<'_>> = transfers.iter().map(|transfer| Attempt { transfer, authority }).collect();
    chain::run(state, &attempts)
}

impl Event for Attempt<'_> {
    type Result = TransferResult;

    fn is_linked(&self) -> bool {
        self.transfer.flags.has(TransferFlags::LINKED)
    }

    fn attempt(&self, state: &mut State, now_ns: u64) -> TransferResult {
        transfer_create::create(state, self.transfer, self.authority, now_ns)
    }

    fn is_created(result: &TransferResult) -> bool {
        result.status == TransferStatus::Created
    }

    fn chain_failed(&self, now_ns: u64) -> TransferResult {
        failed(self.transfer, TransferStatus::LinkedEventFailed, now_ns)
    }

    fn chain_open(&self, now_ns: u64) -> TransferResult {
        failed(self.transfer, TransferStatus::LinkedEventChainOpen, now_ns)
    }

    /// What failed for a passing reason may not succeed later under the same id.
    fn remember(&self, state: &mut State, result: &TransferResult) {
        if result.status.is_transient() {
            state.put_transfer(self.transfer.id, TransferRecord::Burnt);
        }
    }
}

pub(super) fn failed(event: &Transfer, status: TransferStatus, now_ns: u64) -> TransferResult {
    TransferResult { id: event.id, status, timestamp_ns: now_ns, amount: Amount::ZERO }
}
