//! The rows of a group, as they are written: taken from the state once, so that the state can go on while they are committed.

use hansa_economy::PublicKey;
use hansa_economy::channel::AccountId;
use hansa_economy::ledger::{Asset, Changes, Channel, Head, State, TransferId};
use redb::WriteTransaction;

use crate::store::StoreError;
use crate::table::{accounts, assets, channels, holds, meta, outcomes, owners, sheaf, transfers};

/// What a group changed, and where the log stands after it.
pub(crate) struct GroupRows {
    head: Head,
    opened: sheaf::Rows,
    owners: Vec<(PublicKey, AccountId)>,
    balances: sheaf::Rows,
    transfers: sheaf::Rows,
    holds: Vec<(TransferId, bool)>,
    outcomes: sheaf::Rows,
    assets: Vec<Asset>,
    channels: Vec<Channel>,
}

impl GroupRows {
    /// The rows of `state` that `changes` names.
    pub(crate) fn of(state: &State, changes: &Changes) -> GroupRows {
        let mut rows = GroupRows {
            head: state.head().clone(),
            opened: sheaf::Rows::default(),
            owners: Vec::new(),
            balances: sheaf::Rows::default(),
            transfers: sheaf::Rows::default(),
            holds: Vec::new(),
            outcomes: sheaf::Rows::default(),
            assets: changes.assets.iter().filter_map(|id| state.asset(*id)).cloned().collect(),
            channels: changes.channels.iter().filter_map(|id| state.channel(*id)).cloned().collect(),
        };
        for account in changes.accounts.iter().filter_map(|id| state.account(*id)) {
            accounts::push_balance(&mut rows.balances, account);
        }
        for account in changes.accounts_opened.iter().filter_map(|id| state.account(*id)) {
            accounts::push(&mut rows.opened, account);
            rows.owners.push((account.owner, account.id));
        }
        for (id, record) in changes.transfers.iter().filter_map(|id| Some((*id, state.transfer(*id)?))) {
            transfers::push(&mut rows.transfers, id, record);
            rows.holds.extend(record.is_hold().then(|| (id, record.is_open_hold())));
        }
        for (id, outcome) in changes.outcomes.iter().filter_map(|id| Some((*id, state.outcome(*id)?))) {
            outcomes::push(&mut rows.outcomes, id, outcome);
        }
        rows
    }

    /// Write them. A table that does not change is not opened, which would cost a page.
    pub(crate) fn write(&self, tx: &WriteTransaction) -> Result<(), StoreError> {
        put(tx, accounts::BALANCES, accounts::TAG_BALANCES, &self.balances)?;
        put(tx, accounts::TABLE, accounts::TAG, &self.opened)?;
        put(tx, transfers::TABLE, transfers::TAG, &self.transfers)?;
        put(tx, outcomes::TABLE, outcomes::TAG, &self.outcomes)?;
        if !self.owners.is_empty() {
            let mut table = tx.open_table(owners::TABLE)?;
            self.owners.iter().try_for_each(|(owner, account)| owners::put(&mut table, *owner, *account))?;
        }
        if !self.holds.is_empty() {
            let mut table = tx.open_table(holds::TABLE)?;
            self.holds.iter().try_for_each(|(id, open)| holds::put(&mut table, *id, *open))?;
        }
        if !self.assets.is_empty() {
            let mut table = tx.open_table(assets::TABLE)?;
            self.assets.iter().try_for_each(|asset| assets::put(&mut table, asset))?;
        }
        if !self.channels.is_empty() {
            let mut table = tx.open_table(channels::TABLE)?;
            self.channels.iter().try_for_each(|channel| channels::put(&mut table, channel))?;
        }
        meta::put_head(&mut tx.open_table(meta::TABLE)?, &self.head)
    }
}

fn put(tx: &WriteTransaction, table: sheaf::Definition, tag: &'static str, rows: &sheaf::Rows) -> Result<(), StoreError> {
    match rows.is_empty() {
        true => Ok(()),
        false => sheaf::put(&mut tx.open_table(table)?, tag, rows),
    }
}
