//! `issue` and `redeem`: the only commands that change how much of an asset there is.

use minicbor::{Decode, Encode};

use super::account::AccountKind;
use super::asset::Asset;
use super::authority::Authority;
use super::id::CommandId;
use super::movement::{MovementKind, check_move, post};
use super::reason::Reason;
use super::result::Acceptance;
use super::state::State;
use crate::amount::Amount;
use crate::channel::AccountId;
use crate::key::PublicKey;
use crate::limits::NAME_BYTES_MAX;

/// Bring units into being. Signed by the asset's issuer.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Issue {
    /// The asset.
    #[n(0)]
    pub asset: u32,
    /// Who gets them.
    #[n(1)]
    pub to: AccountId,
    /// How many, in the smallest unit; not zero.
    #[n(2)]
    pub amount: Amount,
    /// What stands behind them outside, for example a payment's number; 1 to [`NAME_BYTES_MAX`] bytes.
    #[n(3)]
    pub reference: String,
}

/// Take units out of being. Signed by the asset's issuer, whose word must move the account: holders first transfer to it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Redeem {
    /// The asset.
    #[n(0)]
    pub asset: u32,
    /// An account of the issuer.
    #[n(1)]
    pub from: AccountId,
    /// How many, in the smallest unit; not zero.
    #[n(2)]
    pub amount: Amount,
    /// What was given for them outside; 1 to [`NAME_BYTES_MAX`] bytes.
    #[n(3)]
    pub reference: String,
}

impl Issue {
    pub(super) fn apply(&self, state: &mut State, signer: PublicKey, id: CommandId) -> Result<Acceptance, Reason> {
        let mut asset = check(state, self.asset, self.to, self.amount, &self.reference, signer)?;
        let (issuance, to) = (account(state, asset.issuance)?, account(state, self.to)?);
        check_move(issuance, to, self.amount)?;
        asset.issued = asset.issued.checked_add(self.amount).ok_or(Reason::Overflow)?;

        // Point of no return.
        let supply = asset.supply();
        post(state, MovementKind::Issue, asset.issuance, self.to, self.amount, id);
        state.put_asset(asset);
        Ok(Acceptance::Supply(supply))
    }
}

impl Redeem {
    pub(super) fn apply(&self, state: &mut State, signer: PublicKey, id: CommandId) -> Result<Acceptance, Reason> {
        let mut asset = check(state, self.asset, self.from, self.amount, &self.reference, signer)?;
        let (from, issuance) = (account(state, self.from)?, account(state, asset.issuance)?);
        let authority = Authority::Signer(signer);
        authority.may_debit(state, from, asset.issuance, self.amount)?;
        check_move(from, issuance, self.amount)?;
        asset.redeemed = asset.redeemed.checked_add(self.amount).ok_or(Reason::Overflow)?;

        // Point of no return.
        let supply = asset.supply();
        authority.spend(state, self.from, self.amount);
        post(state, MovementKind::Redeem, self.from, asset.issuance, self.amount, id);
        state.put_asset(asset);
        Ok(Acceptance::Supply(supply))
    }
}

/// The checks that both have in common.
fn check(
    state: &State,
    asset: u32,
    account_id: AccountId,
    amount: Amount,
    reference: &str,
    signer: PublicKey,
) -> Result<Asset, Reason> {
    let asset = state.asset(asset).ok_or(Reason::AssetNotFound)?;
    if asset.issuer != signer {
        return Err(Reason::NotPermitted);
    }
    if reference.is_empty() || reference.len() > NAME_BYTES_MAX {
        return Err(Reason::BadText);
    }
    if amount == Amount::ZERO {
        return Err(Reason::AmountMustNotBeZero);
    }
    let account = account(state, account_id)?;
    if account.kind != AccountKind::Ordinary {
        return Err(Reason::AccountIsReserved);
    }
    if account.asset != asset.id {
        return Err(Reason::AssetDiffers);
    }
    if account.is_closed() {
        return Err(Reason::AccountClosed);
    }
    Ok(asset.clone())
}

fn account(state: &State, id: AccountId) -> Result<&super::Account, Reason> {
    state.account(id).ok_or(Reason::AccountNotFound)
}
