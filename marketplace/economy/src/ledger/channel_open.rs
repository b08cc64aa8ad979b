//! `channel.open`: lock a deposit for one payee.

use std::collections::BTreeMap;

use minicbor::{Decode, Encode};

use super::account::{Account, AccountFlags, AccountKind};
use super::authority::{Authority, may_sign_receipts};
use super::channel::{Channel, ChannelPhase};
use super::channel_shares::{check_shares, may_deposit};
use super::id::{CommandId, Id128};
use super::movement::{MovementKind, check_move, post};
use super::reason::Reason;
use super::result::Acceptance;
use super::state::State;
use crate::amount::Amount;
use crate::channel::ChannelTerms;
use crate::key::PublicKey;
use crate::limits::{CHANNEL_GRACE_S_MAX, CHANNEL_GRACE_S_MIN};

/// Open a channel. Signed by the owner of the paying account or a key of it that may spend; the vouchers' key may be another.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct ChannelOpen {
    /// The terms; their digest is the channel's id.
    #[n(0)]
    pub terms: ChannelTerms,
    /// How much to lock, in the smallest unit; not zero.
    #[n(1)]
    pub deposit: Amount,
}

/// The code of escrow accounts.
const CODE_ESCROW: u16 = 2;

impl ChannelOpen {
    pub(super) fn apply(&self, state: &mut State, signer: PublicKey, id: CommandId) -> Result<Acceptance, Reason> {
        let terms = &self.terms;
        self.check_terms(state)?;
        let payer = state.account(terms.payer).ok_or(Reason::AccountNotFound)?;
        let payee = state.account(terms.payee).ok_or(Reason::AccountNotFound)?;
        if payer.kind != AccountKind::Ordinary || payee.kind != AccountKind::Ordinary {
            return Err(Reason::AccountIsReserved);
        }
        let authority = Authority::Signer(signer);
        may_deposit(state, authority, payer, terms, self.deposit)?;
        if payer.asset != terms.asset || payee.asset != terms.asset {
            return Err(Reason::AssetDiffers);
        }
        let vouchers = authority.may_name_voucher_key(state, payer, terms);
        if !vouchers || !may_sign_receipts(state, payee, terms.payee_key) {
            return Err(Reason::ChannelKey);
        }
        if payer.is_closed() || payee.is_closed() {
            return Err(Reason::AccountClosed);
        }
        check_shares(state, terms)?;
        if self.deposit == Amount::ZERO {
            return Err(Reason::AmountMustNotBeZero);
        }
        let timestamp_ns = state.now_ns();
        let channel = terms.id();
        let escrow = self.escrow(payer.owner, timestamp_ns);
        if state.channel(channel).is_some() || state.account(escrow.id).is_some() {
            return Err(Reason::ChannelExists);
        }
        check_move(payer, &escrow, self.deposit)?;

        // Point of no return.
        let escrow_id = escrow.id;
        authority.spend(state, terms.payer, self.deposit);
        state.put_account(escrow);
        post(state, MovementKind::ChannelDeposit, terms.payer, escrow_id, self.deposit, id);
        state.put_channel(Channel {
            id: channel,
            terms: terms.clone(),
            phase: ChannelPhase::Open,
            deposit: self.deposit,
            redeemed: Amount::ZERO,
            returned: Amount::ZERO,
            lanes: BTreeMap::new(),
            timestamp_ns,
        });
        Ok(Acceptance::Deposit { channel, deposit: self.deposit })
    }

    fn check_terms(&self, state: &State) -> Result<(), Reason> {
        let terms = &self.terms;
        if terms.ledger != state.head().ledger {
            return Err(Reason::WrongLedger);
        }
        if terms.payer == terms.payee {
            return Err(Reason::AccountsMustBeDifferent);
        }
        if !(CHANNEL_GRACE_S_MIN..=CHANNEL_GRACE_S_MAX).contains(&terms.grace_s) {
            return Err(Reason::BadNumber);
        }
        Ok(())
    }

    /// The account that holds the deposit. It shows as the payer's, but moves by the channel's commands only.
    fn escrow(&self, owner: PublicKey, timestamp_ns: u64) -> Account {
        Account {
            id: self.terms.escrow(),
            asset: self.terms.asset,
            code: CODE_ESCROW,
            kind: AccountKind::Escrow,
            flags: AccountFlags::DEBITS_MUST_NOT_EXCEED_CREDITS,
            owner,
            label: format!("channel {}", self.terms.id().short()),
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
