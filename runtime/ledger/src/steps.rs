//! The auditors of steps, for a log that is replayed entry by entry: each changed row beside what it was.

use std::collections::BTreeMap;

use hansa_economy::channel::{AccountId, ChannelId};
use hansa_economy::ledger::audit::{self, Breach};
use hansa_economy::ledger::{Account, AccountKey, Channel, KeyId, RefundTarget, Refunded, State};

/// All rows as they were one step ago.
#[derive(Clone, Debug, Default)]
pub(crate) struct Steps {
    accounts: BTreeMap<AccountId, Account>,
    channels: BTreeMap<ChannelId, Channel>,
    keys: BTreeMap<KeyId, AccountKey>,
    refunded: BTreeMap<RefundTarget, Refunded>,
}

impl Steps {
    /// Audit what `state` has written since the last time.
    pub(crate) fn audit(&mut self, state: &mut State) -> Result<(), Breach> {
        let changes = state.take_changes();
        for account in changes.accounts.iter().filter_map(|id| state.account(*id)) {
            if let Some(before) = self.accounts.insert(account.id, account.clone()) {
                audit::account_step(&before, account)?;
            }
        }
        for key in changes.keys.iter().filter_map(|id| state.key(*id)) {
            if let Some(before) = self.keys.insert(key.id(), key.clone()) {
                audit::key_step(&before, key)?;
            }
        }
        for row in changes.refunded.iter().filter_map(|target| state.refunded(*target)) {
            if let Some(before) = self.refunded.insert(row.target, *row) {
                audit::refund_step(&before, row)?;
            }
        }
        for channel in changes.channels.iter().filter_map(|id| state.channel(*id)) {
            if let Some(before) = self.channels.insert(channel.id, channel.clone()) {
                audit::channel_step(&before, channel)?;
            }
        }
        Ok(())
    }
}
