//! Whose word moves whose money: the one place that every command asks. The owner's key may do everything with its account;
//! further keys ([`AccountKey`]) what their role and limits allow, by what stands in the state at that very moment.
//!
//! A channel's terms name two keys for the channel's whole life. They are judged when the channel is opened, and never again: a
//! payee must be able to rely on every voucher that it holds, and a voucher bears no log time by which one signed before a
//! revocation could be told from one signed after. Who revokes a voucher key therefore also closes the channels that name it; what
//! they hold is all that such a key can still give away.

use super::account::Account;
use super::account_key::{AccountKey, KeyRole};
use super::reason::Reason;
use super::state::State;
use super::transfer::Transfer;
use super::transfer_status::TransferStatus;
use crate::amount::Amount;
use crate::channel::{AccountId, ChannelTerms};
use crate::key::PublicKey;

/// On whose word something is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Authority {
    /// That of the key that signed the command.
    Signer(PublicKey),
    /// Nobody asks: what-if simulations.
    Unchecked,
}

/// Why a word does not move money, in the order of the checks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Denial {
    /// Neither the owner's key nor one that may spend now.
    NotPermitted,
    /// The key may not pay this account.
    PayeeNotAllowed,
    /// More than is left of the key's budget.
    ExceedsBudget,
}

impl Authority {
    /// Is it the word of the account's owner?
    pub(super) fn owns(self, account: &Account) -> bool {
        self.is(account.owner)
    }

    /// May `amount` leave `account` for `payee` on this word, now? What is allowed must then be booked with [`Authority::spend`].
    pub(super) fn may_debit(self, state: &State, account: &Account, payee: AccountId, amount: Amount) -> Result<(), Denial> {
        if self.owns(account) {
            return Ok(());
        }
        let key = self.key(state, account, KeyRole::Spend).ok_or(Denial::NotPermitted)?;
        if !key.allows(payee) {
            return Err(Denial::PayeeNotAllowed);
        }
        match key.left() {
            Some(left) if left < amount => Err(Denial::ExceedsBudget),
            _ => Ok(()),
        }
    }

    /// May this word pay out `amount` of a hold on `account`?
    pub(super) fn may_post(self, state: &State, account: &Account, hold: &Transfer, amount: Amount) -> Result<(), Denial> {
        self.may_debit(state, account, hold.credit, self.use_of_post(hold, amount))
    }

    /// May this word give up a hold on `account`, as its payer? A further key only its own.
    pub(super) fn may_void(self, state: &State, account: &Account, hold: &Transfer) -> bool {
        self.owns(account) || self.made(hold) && self.key(state, account, KeyRole::Spend).is_some()
    }

    /// Book a debit that was allowed.
    pub(super) fn spend(self, state: &mut State, account: AccountId, amount: Amount) {
        if let Some(key) = state.account(account).and_then(|account| self.key(state, account, KeyRole::Spend)) {
            let spent = key.spent.saturating_add(amount);
            let key = AccountKey { spent, ..key.clone() };
            state.put_key(key);
        }
    }

    /// What posting `amount` of a hold uses of the budget: nothing where the same key made the hold, which has used it.
    pub(super) fn use_of_post(self, hold: &Transfer, amount: Amount) -> Amount {
        if self.made(hold) { Amount::ZERO } else { amount }
    }

    /// The further key whose word it is, to be kept with a hold on `account`.
    pub(super) fn further_key(self, account: &Account) -> Option<PublicKey> {
        match self {
            Authority::Signer(signer) if signer != account.owner => Some(signer),
            _ => None,
        }
    }

    /// May this word take in what is due to `account`? It may not give anything up.
    pub(super) fn may_take(self, state: &State, account: &Account) -> bool {
        self.owns(account) || self.key(state, account, KeyRole::Receipt).is_some()
    }

    /// May a channel with these terms from `account`, opened on this word, have its vouchers signed by the key that they name? An
    /// owner names any key by opening, except one that the account says may not; others name the owner's or one that may.
    pub(super) fn may_name_voucher_key(self, state: &State, account: &Account, terms: &ChannelTerms) -> bool {
        let pays = |row: &AccountKey| row.allows(terms.payee) && terms.shares.iter().all(|share| row.allows(share.account));
        match state.key((account.id, KeyRole::Voucher, terms.payer_key)) {
            Some(row) => row.is_valid(state.now_ns()) && pays(row),
            None => terms.payer_key == account.owner || self.owns(account),
        }
    }

    /// Is it the word of `key`, or of anybody?
    pub(super) fn is(self, key: PublicKey) -> bool {
        match self {
            Authority::Signer(signer) => signer == key,
            Authority::Unchecked => true,
        }
    }

    fn made(self, hold: &Transfer) -> bool {
        matches!(self, Authority::Signer(signer) if hold.held_by == Some(signer))
    }

    /// The signer's row in this role, where it is a further key and serves now.
    fn key<'a>(self, state: &'a State, account: &Account, role: KeyRole) -> Option<&'a AccountKey> {
        let signer = self.further_key(account)?;
        state.key((account.id, role, signer)).filter(|key| key.is_valid(state.now_ns()))
    }
}

/// May a channel that pays `account` have its receipts signed by `key`? Any key may, until the account first names one for
/// receipts; from then on the owner's, and those that it names and has not revoked.
pub(super) fn may_sign_receipts(state: &State, account: &Account, key: PublicKey) -> bool {
    match state.key((account.id, KeyRole::Receipt, key)) {
        Some(row) => row.is_valid(state.now_ns()),
        None => key == account.owner || !state.names_keys(account.id, KeyRole::Receipt),
    }
}

impl From<Denial> for Reason {
    fn from(denial: Denial) -> Reason {
        match denial {
            Denial::NotPermitted => Reason::NotPermitted,
            Denial::PayeeNotAllowed => Reason::PayeeNotAllowed,
            Denial::ExceedsBudget => Reason::ExceedsBudget,
        }
    }
}

impl Denial {
    /// As a transfer's status; `not_permitted` is what it says of a key that may not at all.
    pub(super) fn status(self, not_permitted: TransferStatus) -> TransferStatus {
        match self {
            Denial::NotPermitted => not_permitted,
            Denial::PayeeNotAllowed => TransferStatus::PayeeNotAllowed,
            Denial::ExceedsBudget => TransferStatus::ExceedsBudget,
        }
    }
}
