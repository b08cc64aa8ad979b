//! What was committed since the rows were last written: the log has it on disk, this has it in memory. Readers look here first and
//! in the tables after.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use hansa_economy::PublicKey;
use hansa_economy::channel::{AccountId, ChannelId};
use hansa_economy::ledger::{
    Account, AccountKey, Asset, Channel, CommandId, Head, KeyId, OutcomeRef, RefundTarget, Refunded, RootRow, RootTree,
    TransferId, TransferRecord,
};
use redb::WriteTransaction;

use crate::rows::Rows;
use crate::store::StoreError;
use crate::table::places::Place;
use crate::table::{accounts, assets, channels, holds, keys, outcomes, owners, places, refunds, sheaf, transfers};

type Map<K, V> = HashMap<K, V, foldhash::fast::RandomState>;

/// Rows that the tables do not have yet.
#[derive(Debug, Default)]
pub(crate) struct Recent {
    /// Where the log stands with them; none: as the store says.
    pub(crate) head: Option<Head>,
    pub(crate) accounts: Map<AccountId, Account>,
    pub(crate) owned: BTreeSet<(PublicKey, AccountId)>,
    pub(crate) disowned: BTreeSet<(PublicKey, AccountId)>,
    pub(crate) keys: BTreeMap<KeyId, AccountKey>,
    pub(crate) assets: BTreeMap<u32, Asset>,
    pub(crate) channels: BTreeMap<ChannelId, Channel>,
    pub(crate) places: Map<TransferId, Place>,
    pub(crate) transfers: Map<TransferId, Arc<TransferRecord>>,
    pub(crate) refunded: BTreeMap<RefundTarget, Refunded>,
    pub(crate) outcomes: Map<CommandId, OutcomeRef>,
}

impl Recent {
    /// A group was committed.
    pub(crate) fn take_in(&mut self, rows: Rows) {
        self.head = Some(rows.head);
        self.accounts.extend(rows.accounts.into_iter().map(|account| (account.id, account)));
        for owner in rows.disowned {
            self.owned.remove(&owner);
            self.disowned.insert(owner);
        }
        for owner in rows.owned {
            self.disowned.remove(&owner);
            self.owned.insert(owner);
        }
        self.keys.extend(rows.keys.into_iter().map(|key| (key.id(), key)));
        self.assets.extend(rows.assets.into_iter().map(|asset| (asset.id, asset)));
        self.channels.extend(rows.channels.into_iter().map(|channel| (channel.id, channel)));
        self.places.extend(rows.places);
        self.transfers.extend(rows.transfers);
        self.refunded.extend(rows.refunded.into_iter().map(|row| (row.target, row)));
        self.outcomes.extend(rows.outcomes);
    }

    /// The rows were written: nothing is recent any more. Memory is kept for what comes.
    pub(crate) fn clear(&mut self) {
        let Recent { head: _, accounts, owned, disowned, keys, assets, channels, places, transfers, refunded, outcomes } = self;
        accounts.clear();
        owned.clear();
        disowned.clear();
        keys.clear();
        assets.clear();
        channels.clear();
        places.clear();
        transfers.clear();
        refunded.clear();
        outcomes.clear();
    }

    /// Bring the tree up to date.
    pub(crate) fn follow(&self, tree: &mut RootTree) {
        self.accounts.values().for_each(|account| tree.put(RootRow::Account(account)));
        self.assets.values().for_each(|asset| tree.put(RootRow::Asset(asset)));
        self.channels.values().for_each(|channel| tree.put(RootRow::Channel(channel)));
        self.transfers.iter().for_each(|(id, record)| tree.put(RootRow::Transfer(*id, record)));
        self.keys.values().for_each(|key| tree.put(RootRow::Key(key)));
        self.refunded.values().for_each(|row| tree.put(RootRow::Refunded(row)));
    }

    /// Write the rows to their tables. A table that does not change is not opened, which would cost a page.
    pub(crate) fn write(&self, tx: &WriteTransaction) -> Result<(), StoreError> {
        let mut rows = sheaf::Rows::default();
        by_id(&self.accounts).into_iter().for_each(|(_, account)| accounts::push(&mut rows, account));
        put_sheaves(tx, accounts::TABLE, accounts::TAG, &rows)?;
        self.write_transfers(tx)?;
        let mut rows = sheaf::Rows::default();
        by_id(&self.outcomes).into_iter().for_each(|(id, outcome)| outcomes::push(&mut rows, id, outcome));
        put_sheaves(tx, outcomes::TABLE, outcomes::TAG, &rows)?;
        if !(self.owned.is_empty() && self.disowned.is_empty()) {
            let mut table = tx.open_table(owners::TABLE)?;
            self.disowned.iter().try_for_each(|(owner, account)| owners::remove(&mut table, *owner, *account))?;
            self.owned.iter().try_for_each(|(owner, account)| owners::put(&mut table, *owner, *account))?;
        }
        if !self.keys.is_empty() {
            let mut table = tx.open_table(keys::TABLE)?;
            self.keys.values().try_for_each(|key| keys::put(&mut table, key))?;
        }
        if !self.assets.is_empty() {
            let mut table = tx.open_table(assets::TABLE)?;
            self.assets.values().try_for_each(|asset| assets::put(&mut table, asset))?;
        }
        if !self.channels.is_empty() {
            let mut table = tx.open_table(channels::TABLE)?;
            self.channels.values().try_for_each(|channel| channels::put(&mut table, channel))?;
        }
        if !self.refunded.is_empty() {
            let mut table = tx.open_table(refunds::TABLE)?;
            self.refunded.values().try_for_each(|row| refunds::put(&mut table, row))?;
        }
        Ok(())
    }

    fn write_transfers(&self, tx: &WriteTransaction) -> Result<(), StoreError> {
        let mut rows = sheaf::Rows::default();
        by_id(&self.places).into_iter().for_each(|(id, place)| places::push(&mut rows, id, *place));
        put_sheaves(tx, places::TABLE, places::TAG, &rows)?;
        let sorted = by_id(&self.transfers);
        let mut rows = sheaf::Rows::default();
        sorted.iter().for_each(|(id, record)| transfers::push(&mut rows, *id, record));
        put_sheaves(tx, transfers::TABLE, transfers::TAG, &rows)?;
        let mut held = sorted.into_iter().filter(|(_, record)| record.is_hold()).peekable();
        if held.peek().is_some() {
            let mut table = tx.open_table(holds::TABLE)?;
            held.try_for_each(|(id, record)| holds::follow(&mut table, id, record))?;
        }
        Ok(())
    }
}

fn by_id<K: Copy + Ord, V>(rows: &Map<K, V>) -> Vec<(K, &V)> {
    let mut sorted: Vec<(K, &V)> = rows.iter().map(|(id, row)| (*id, row)).collect();
    sorted.sort_unstable_by_key(|(id, _)| *id);
    sorted
}

fn put_sheaves(tx: &WriteTransaction, table: sheaf::Definition, tag: &'static str, rows: &sheaf::Rows) -> Result<(), StoreError> {
    match rows.is_empty() {
        true => Ok(()),
        false => sheaf::put(&mut tx.open_table(table)?, tag, rows),
    }
}
