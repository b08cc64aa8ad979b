//! The rows that a group changed, taken from the state once, so that the state can go on while they are committed.

use std::sync::Arc;

use hansa_economy::PublicKey;
use hansa_economy::channel::AccountId;
use hansa_economy::ledger::{
    Account, AccountKey, Asset, Channel, CommandId, Entry, Head, OutcomeRef, Refunded, State, TransferId, TransferRecord,
    Verified,
};

use crate::table::places::Place;

/// What a group changed, each row as it stands after the group, and where the log stands then.
#[derive(Debug)]
pub(crate) struct Rows {
    pub(crate) head: Head,
    pub(crate) accounts: Vec<Account>,
    /// Those of the accounts that are new or have another owner: where the index by owner changes.
    pub(crate) owned: Vec<(PublicKey, AccountId)>,
    /// Where it forgets.
    pub(crate) disowned: Vec<(PublicKey, AccountId)>,
    pub(crate) keys: Vec<AccountKey>,
    pub(crate) assets: Vec<Asset>,
    pub(crate) channels: Vec<Channel>,
    /// Plain transfers, which the log has.
    pub(crate) places: Vec<(TransferId, Place)>,
    /// Other transfers, and burnt ids.
    pub(crate) transfers: Vec<(TransferId, Arc<TransferRecord>)>,
    pub(crate) refunded: Vec<Refunded>,
    pub(crate) outcomes: Vec<(CommandId, OutcomeRef)>,
}

impl Rows {
    /// The rows of `state` that were written since the last time; `places`: where its plain transfers stand.
    pub(crate) fn take(state: &mut State, places: Vec<(TransferId, Place)>) -> Rows {
        let changes = state.take_changes();
        let state = &*state;
        let disowned = changes.owners_before.into_iter().filter(|(owner, id)| owner_of(state, *id) != Some(*owner));
        let disowned: Vec<_> = disowned.collect();
        let owned = changes.opened.iter().chain(disowned.iter().map(|(_, id)| id));
        Rows {
            head: state.head().clone(),
            owned: owned.filter_map(|id| Some((owner_of(state, *id)?, *id))).collect(),
            disowned,
            accounts: changes.accounts.iter().filter_map(|id| state.account(*id)).cloned().collect(),
            keys: changes.keys.iter().filter_map(|id| state.key(*id)).cloned().collect(),
            assets: changes.assets.iter().filter_map(|id| state.asset(*id)).cloned().collect(),
            channels: changes.channels.iter().filter_map(|id| state.channel(*id)).cloned().collect(),
            places,
            transfers: changes.transfers.iter().filter_map(|id| kept(state, *id)).collect(),
            refunded: changes.refunded.iter().filter_map(|target| state.refunded(*target)).copied().collect(),
            outcomes: changes.outcomes.iter().filter_map(|id| Some((*id, *state.outcome(*id)?))).collect(),
        }
    }
}

/// Where the plain transfers of an entry stand.
pub(crate) fn places_of<'a>(entry: &'a Entry, commands: &'a [Verified]) -> impl Iterator<Item = (TransferId, Place)> + 'a {
    entry.plain_transfers(commands).map(|(id, command, event)| (id, Place { seq: entry.seq, command, event }))
}

fn kept(state: &State, id: TransferId) -> Option<(TransferId, Arc<TransferRecord>)> {
    state.shared_transfer(id).filter(|record| !record.is_plain()).map(|record| (id, record.clone()))
}

fn owner_of(state: &State, id: AccountId) -> Option<PublicKey> {
    state.account(id).map(|account| account.owner)
}
