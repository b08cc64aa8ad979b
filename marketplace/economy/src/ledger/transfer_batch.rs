//! `transfer`: a batch of transfers with chains in it, each chain all or nothing. The order of results is TigerBeetle's.

use minicbor::{Decode, Encode};

use super::authority::Authority;
use super::id::TransferId;
use super::reason::Reason;
use super::result::{Acceptance, TransferResult};
use super::state::State;
use super::transfer::{Transfer, TransferFlags, TransferRecord};
use super::transfer_status::TransferStatus;
use super::{expiry, transfer_create};
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

/// A chain that is being worked on.
struct Chain {
    first: usize,
    broken: bool,
}

pub(super) fn apply(state: &mut State, batch: &TransferBatch, authority: Authority) -> Result<Acceptance, Reason> {
    let count = batch.transfers.len();
    if count == 0 || count > TRANSFERS_MAX {
        state.tick();
        return Err(Reason::BadBatch);
    }
    let mut results: Vec<TransferResult> = Vec::with_capacity(count);
    let mut chain: Option<Chain> = None;
    for (index, event) in batch.transfers.iter().enumerate() {
        let now_ns = state.tick();
        if event.flags.has(TransferFlags::LINKED) && chain.is_none() {
            state.open_scope();
            chain = Some(Chain { first: index, broken: false });
        }
        expiry::release_until(state, now_ns);
        let open_end = event.flags.has(TransferFlags::LINKED) && index + 1 == count;
        let result = match &chain {
            _ if open_end => failed(event, TransferStatus::LinkedEventChainOpen, now_ns),
            Some(Chain { broken: true, .. }) => failed(event, TransferStatus::LinkedEventFailed, now_ns),
            _ => transfer_create::create(state, event, authority, now_ns),
        };
        let status = result.status;
        results.push(result);
        if let Some(chain) = chain.as_mut().filter(|chain| status != TransferStatus::Created && !chain.broken) {
            chain.broken = true;
            state.discard_scope();
            // The holds whose time has come were taken back too; the next event may be long in coming.
            expiry::release_until(state, now_ns);
            fail_from(&mut results[chain.first..index]);
        }
        if status.is_transient() {
            state.put_transfer(event.id, TransferRecord::Burnt);
        }
        if open_end || !event.flags.has(TransferFlags::LINKED) {
            state.keep_scope();
            chain = None;
        }
    }
    Ok(Acceptance::Transfers(results))
}

/// The transfers of a chain that had been done before it broke.
fn fail_from(results: &mut [TransferResult]) {
    for result in results {
        result.status = TransferStatus::LinkedEventFailed;
        result.amount = Amount::ZERO;
    }
}

pub(super) fn failed(event: &Transfer, status: TransferStatus, now_ns: u64) -> TransferResult {
    let id: TransferId = event.id;
    TransferResult { id, status, timestamp_ns: now_ns, amount: Amount::ZERO }
}
