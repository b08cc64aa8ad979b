//! `account.open`: an account of the signer's own.

use minicbor::{Decode, Encode};

use super::account::{Account, AccountFlags, AccountKind, account_id};
use super::id::Id128;
use super::reason::Reason;
use super::result::Acceptance;
use super::state::State;
use crate::amount::Amount;
use crate::key::PublicKey;
use crate::limits::NAME_BYTES_MAX;

/// Open an account. Whoever signs owns it; its id is [`account_id`] of owner, asset and label. It may never be overdrawn.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct AccountOpen {
    /// What it counts.
    #[n(0)]
    pub asset: u32,
    /// The owner's name for it, 1 to [`NAME_BYTES_MAX`] bytes.
    #[n(1)]
    pub label: String,
    /// The owner's category; not zero.
    #[n(2)]
    pub code: u16,
    /// [`AccountFlags::HISTORY`] or none; the limit on debits is always added.
    #[n(3)]
    pub flags: AccountFlags,
    /// For the owner's use.
    #[n(4)]
    pub user_data_128: Id128,
    /// For the owner's use.
    #[n(5)]
    pub user_data_64: u64,
    /// For the owner's use.
    #[n(6)]
    pub user_data_32: u32,
}

impl AccountOpen {
    /// An account for `asset` under `label`, of category 1.
    pub fn new(asset: u32, label: impl Into<String>) -> AccountOpen {
        AccountOpen { asset, label: label.into(), code: 1, ..AccountOpen::default() }
    }

    pub(super) fn apply(&self, state: &mut State, signer: PublicKey) -> Result<Acceptance, Reason> {
        if self.label.is_empty() || self.label.len() > NAME_BYTES_MAX {
            return Err(Reason::BadText);
        }
        if self.code == 0 {
            return Err(Reason::BadNumber);
        }
        let allowed = AccountFlags::HISTORY.with(AccountFlags::DEBITS_MUST_NOT_EXCEED_CREDITS);
        if !allowed.has(self.flags) {
            return Err(Reason::BadFlags);
        }
        if state.asset(self.asset).is_none() {
            return Err(Reason::AssetNotFound);
        }
        let id = account_id(signer, self.asset, &self.label);
        if state.account(id).is_some() {
            return Err(Reason::AccountExists);
        }

        // Point of no return.
        let timestamp_ns = state.now_ns();
        state.put_account(Account {
            id,
            asset: self.asset,
            code: self.code,
            kind: AccountKind::Ordinary,
            flags: self.flags.with(AccountFlags::DEBITS_MUST_NOT_EXCEED_CREDITS),
            owner: signer,
            label: self.label.clone(),
            user_data_128: self.user_data_128,
            user_data_64: self.user_data_64,
            user_data_32: self.user_data_32,
            debits_pending: Amount::ZERO,
            debits_posted: Amount::ZERO,
            credits_pending: Amount::ZERO,
            credits_posted: Amount::ZERO,
            timestamp_ns,
        });
        Ok(Acceptance::AccountOpened(id))
    }
}
