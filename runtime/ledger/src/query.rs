//! Reads: the newest committed rows, from memory where they are recent, else straight from the tables; they never wait for a
//! commit.

use std::collections::{BTreeMap, BTreeSet};

use hansa_economy::channel::{AccountId, ChannelId};
use hansa_economy::ledger::{
    Account, AccountKey, Asset, Channel, CommandId, Entry, Head, RefundTarget, Refunded, TransferId, TransferRecord,
};
use hansa_economy::{Digest, PublicKey};
use redb::ReadTransaction;

use crate::error::QueryError;
use crate::group;
use crate::handle::{Ledger, Outcome};
use crate::limits::ENTRIES_PER_READ_MAX;
use crate::store::{Store, StoreError};
use crate::table::{accounts, assets, channels, keys, log, meta, outcomes, owners, refunds};

impl Ledger {
    /// Where the log stands.
    pub fn head(&self) -> Result<Head, QueryError> {
        let head = self.store().look(|recent| recent.head.clone(), |tx| meta::head(&tx.open_table(meta::TABLE)?).map(Some))?;
        Ok(head.ok_or(StoreError::Closed)?)
    }

    /// An account.
    pub fn account(&self, id: AccountId) -> Result<Option<Account>, QueryError> {
        let table = |tx: &ReadTransaction| accounts::get(&tx.open_table(accounts::TABLE)?, id);
        Ok(self.store().look(|recent| recent.accounts.get(&id).cloned(), table)?)
    }

    /// The accounts that `owner` owns, escrows of its channels included, by id.
    pub fn accounts_of(&self, owner: PublicKey) -> Result<Vec<Account>, QueryError> {
        let accounts = self.store().look_at_all(|recent, tx| {
            let table = tx.open_table(accounts::TABLE)?;
            let mut ids: BTreeSet<_> = owners::accounts_of(&tx.open_table(owners::TABLE)?, owner)?.into_iter().collect();
            let ends = (owner, AccountId(0))..=(owner, AccountId(u128::MAX));
            ids.retain(|id| !recent.disowned.contains(&(owner, *id)));
            ids.extend(recent.owned.range(ends).map(|(_, id)| *id));
            let account = |id| match recent.accounts.get(&id) {
                Some(account) => Ok(Some(account.clone())),
                None => accounts::get(&table, id),
            };
            ids.into_iter().filter_map(|id| account(id).transpose()).collect()
        });
        Ok(accounts?)
    }

    /// The further keys of an account, revoked ones included, by role and key.
    pub fn keys_of(&self, account: AccountId) -> Result<Vec<AccountKey>, QueryError> {
        let keys = self.store().look_at_all(|recent, tx| {
            let stored = keys::of_account(&tx.open_table(keys::TABLE)?, account)?;
            let recent = recent.keys.iter().filter(|((of, ..), _)| *of == account);
            Ok(newest(stored.into_iter().map(|key| (key.id(), key)), recent))
        });
        Ok(keys?)
    }

    /// How much of a transfer, a channel or a receipt was refunded; none: nothing.
    pub fn refunded(&self, target: RefundTarget) -> Result<Option<Refunded>, QueryError> {
        let table = |tx: &ReadTransaction| refunds::get(&tx.open_table(refunds::TABLE)?, target);
        Ok(self.store().look(|recent| recent.refunded.get(&target).copied(), table)?)
    }

    /// An asset.
    pub fn asset(&self, id: u32) -> Result<Option<Asset>, QueryError> {
        let table = |tx: &ReadTransaction| assets::get(&tx.open_table(assets::TABLE)?, id);
        Ok(self.store().look(|recent| recent.assets.get(&id).cloned(), table)?)
    }

    /// All assets, by number.
    pub fn assets(&self) -> Result<Vec<Asset>, QueryError> {
        let assets = self.store().look_at_all(|recent, tx| {
            let stored = assets::all(&tx.open_table(assets::TABLE)?)?.collect::<Result<Vec<_>, _>>()?;
            Ok(newest(stored.into_iter().map(|asset| (asset.id, asset)), recent.assets.iter()))
        });
        Ok(assets?)
    }

    /// A channel.
    pub fn channel(&self, id: ChannelId) -> Result<Option<Channel>, QueryError> {
        let table = |tx: &ReadTransaction| channels::get(&tx.open_table(channels::TABLE)?, id);
        Ok(self.store().look(|recent| recent.channels.get(&id).cloned(), table)?)
    }

    /// All channels, by id; for small ledgers and for people.
    pub fn channels(&self) -> Result<Vec<Channel>, QueryError> {
        // The recent ones first: there may be many to read then, and no commit waits for it. None is older than this moment.
        let recent = self.store().recent().channels.clone();
        let channels = self.store().read(|tx| {
            let stored = channels::all(&tx.open_table(channels::TABLE)?)?.collect::<Result<Vec<_>, _>>()?;
            Ok(newest(stored.into_iter().map(|channel| (channel.id, channel)), recent.iter()))
        });
        Ok(channels?)
    }

    /// A transfer, or the note that its id is burnt.
    pub fn transfer(&self, id: TransferId) -> Result<Option<TransferRecord>, QueryError> {
        Ok(self.store().transfer(id)?)
    }

    /// The outcome of a command that stands in the log.
    pub fn outcome(&self, id: CommandId) -> Result<Option<Outcome>, QueryError> {
        Ok(self.store().outcome(id)?)
    }

    /// Entries of the log with their hashes, from number `from_seq`, at most `limit` and [`ENTRIES_PER_READ_MAX`].
    pub fn entries(&self, from_seq: u64, limit: usize) -> Result<Vec<(Entry, Digest)>, QueryError> {
        let entries = self.store().read(|tx| {
            let table = tx.open_table(log::TABLE)?;
            let rows = table.range(from_seq..)?.take(limit.min(ENTRIES_PER_READ_MAX));
            rows.map(|row| log::open(row?.1.value())).collect()
        });
        Ok(entries?)
    }
}

impl Store {
    /// The outcome of a command that stands in the log.
    pub(crate) fn outcome(&self, id: CommandId) -> Result<Option<Outcome>, StoreError> {
        let table = |tx: &ReadTransaction| outcomes::get(&tx.open_table(outcomes::TABLE)?, id);
        let Some(place) = self.look(|recent| recent.outcomes.get(&id).copied(), table)? else { return Ok(None) };
        self.read(|tx| {
            let entry = log::get(&tx.open_table(log::TABLE)?, place.seq)?;
            let found = entry
                .as_ref()
                .and_then(|(entry, _)| Some((entry.seq, entry.timestamp_ns, entry.results.get(place.index as usize)?)));
            Ok(found.map(|found| group::outcome(id, found, false)))
        })
    }
}

/// The stored rows, with recent ones in their places or added, by key.
fn newest<'a, K: Ord + Copy + 'a, V: Clone + 'a>(
    stored: impl Iterator<Item = (K, V)>,
    recent: impl Iterator<Item = (&'a K, &'a V)>,
) -> Vec<V> {
    let mut rows: BTreeMap<K, V> = stored.collect();
    rows.extend(recent.map(|(key, row)| (*key, row.clone())));
    rows.into_values().collect()
}
