//! Reads: the newest committed rows, straight from the store; they never wait for the writer.

use hansa_economy::channel::{AccountId, ChannelId};
use hansa_economy::ledger::{Account, Asset, Channel, CommandId, Entry, Head, TransferId, TransferRecord};
use hansa_economy::{Digest, PublicKey};

use crate::error::QueryError;
use crate::group;
use crate::handle::{Ledger, Outcome};
use crate::limits::ENTRIES_PER_READ_MAX;
use crate::store::{Store, StoreError};
use crate::table::{accounts, assets, channels, log, outcomes, owners, transfers};

impl Ledger {
    /// Where the log stands.
    pub fn head(&self) -> Result<Head, QueryError> {
        Ok(self.store().head()?)
    }

    /// An account.
    pub fn account(&self, id: AccountId) -> Result<Option<Account>, QueryError> {
        Ok(self.store().account(id)?)
    }

    /// The accounts that `owner` owns, escrows of its channels included, by id.
    pub fn accounts_of(&self, owner: PublicKey) -> Result<Vec<Account>, QueryError> {
        let accounts = self.store().read(|tx| {
            let (table, balances) = (tx.open_table(accounts::TABLE)?, tx.open_table(accounts::BALANCES)?);
            let ids = owners::accounts_of(&tx.open_table(owners::TABLE)?, owner)?;
            ids.into_iter().filter_map(|id| accounts::get(&table, &balances, id).transpose()).collect()
        });
        Ok(accounts?)
    }

    /// An asset.
    pub fn asset(&self, id: u32) -> Result<Option<Asset>, QueryError> {
        Ok(self.store().read(|tx| assets::get(&tx.open_table(assets::TABLE)?, id))?)
    }

    /// All assets, by number.
    pub fn assets(&self) -> Result<Vec<Asset>, QueryError> {
        Ok(self.store().read(|tx| assets::all(&tx.open_table(assets::TABLE)?)?.collect())?)
    }

    /// A channel.
    pub fn channel(&self, id: ChannelId) -> Result<Option<Channel>, QueryError> {
        Ok(self.store().read(|tx| channels::get(&tx.open_table(channels::TABLE)?, id))?)
    }

    /// All channels, by id; for small ledgers and for people.
    pub fn channels(&self) -> Result<Vec<Channel>, QueryError> {
        Ok(self.store().read(|tx| channels::all(&tx.open_table(channels::TABLE)?)?.collect())?)
    }

    /// A transfer, or the note that its id is burnt.
    pub fn transfer(&self, id: TransferId) -> Result<Option<TransferRecord>, QueryError> {
        Ok(self.store().read(|tx| transfers::get(&tx.open_table(transfers::TABLE)?, id))?)
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
        self.read(|tx| {
            let Some(place) = outcomes::get(&tx.open_table(outcomes::TABLE)?, id)? else { return Ok(None) };
            let entry = log::get(&tx.open_table(log::TABLE)?, place.seq)?;
            let found = entry
                .as_ref()
                .and_then(|(entry, _)| Some((entry.seq, entry.timestamp_ns, entry.results.get(place.index as usize)?)));
            Ok(found.map(|found| group::outcome(id, found, false)))
        })
    }
}
