//! `asset.create`: a new asset and the account that is the other side of its supply.

use minicbor::{Decode, Encode};

use super::account::{Account, AccountFlags, AccountKind, issuance_account_id};
use super::asset::Asset;
use super::id::Id128;
use super::reason::Reason;
use super::result::Acceptance;
use super::state::State;
use crate::amount::Amount;
use crate::key::PublicKey;
use crate::limits::{ASSET_CODE_BYTES_MAX, ASSET_SCALE_MAX};

/// Create an asset. Signed by the ledger's operator.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct AssetCreate {
    /// Its number, not zero.
    #[n(0)]
    pub asset: u32,
    /// Its name: capital letters and digits, for example `CRED`.
    #[n(1)]
    pub code: String,
    /// Decimal places of its text form.
    #[n(2)]
    pub scale: u8,
    /// Who issues and redeems it.
    #[n(3)]
    pub issuer: PublicKey,
}

/// The code of issuance accounts.
const CODE_ISSUANCE: u16 = 1;

impl AssetCreate {
    pub(super) fn apply(&self, state: &mut State, signer: PublicKey) -> Result<Acceptance, Reason> {
        if signer != state.head().operator {
            return Err(Reason::NotPermitted);
        }
        if self.code.is_empty()
            || self.code.len() > ASSET_CODE_BYTES_MAX
            || !self.code.bytes().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit())
        {
            return Err(Reason::BadText);
        }
        if self.asset == 0 || self.scale > ASSET_SCALE_MAX {
            return Err(Reason::BadNumber);
        }
        if state.assets().any(|asset| asset.id == self.asset || asset.code == self.code) {
            return Err(Reason::AssetExists);
        }
        let issuance = issuance_account_id(self.asset);
        if state.account(issuance).is_some() {
            return Err(Reason::AccountExists);
        }

        // Point of no return.
        let timestamp_ns = state.now_ns();
        state.put_account(self.issuance_account(timestamp_ns));
        state.put_asset(Asset {
            id: self.asset,
            code: self.code.clone(),
            scale: self.scale,
            issuer: self.issuer,
            issuance,
            issued: Amount::ZERO,
            redeemed: Amount::ZERO,
            timestamp_ns,
        });
        Ok(Acceptance::AssetCreated(issuance))
    }

    fn issuance_account(&self, timestamp_ns: u64) -> Account {
        Account {
            id: issuance_account_id(self.asset),
            asset: self.asset,
            code: CODE_ISSUANCE,
            kind: AccountKind::Issuance,
            flags: AccountFlags::NONE,
            owner: self.issuer,
            label: format!("issuance of {}", self.code),
            user_data_128: Id128::ZERO,
            user_data_64: 0,
            user_data_32: 0,
            debits_pending: Amount::ZERO,
            debits_posted: Amount::ZERO,
            credits_pending: Amount::ZERO,
            credits_posted: Amount::ZERO,
            timestamp_ns,
        }
    }
}
