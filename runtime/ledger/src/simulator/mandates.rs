//! The accountant on keys: who may speak for an account, how far, and what was spent on whose word, from the log's accepted
//! commands alone.

use std::collections::BTreeMap;

use hansa_economy::PublicKey;
use hansa_economy::channel::{AccountId, ChannelTerms};
use hansa_economy::ledger::{AccountKeyChange, KeyChange, KeyId, KeyLimits, KeyRole, State, issuance_account_id};

use super::accountant::{Accountant, Objection, insist, object};

const PAYEES_MAX: usize = 32;

/// A further key in one role, as the accountant has it.
#[derive(Clone, Debug)]
struct Mandate {
    budget: Option<u128>,
    payees: Vec<AccountId>,
    ends_ns: Option<u64>,
    spent: u128,
    revoked: bool,
}

/// All further keys.
#[derive(Clone, Debug, Default)]
pub(super) struct Mandates(BTreeMap<KeyId, Mandate>);

/// On whose word, and when.
#[derive(Clone, Copy, Debug)]
pub(super) struct Word {
    pub(super) signer: PublicKey,
    pub(super) now_ns: u64,
}

/// Money that somebody wants to leave an account.
#[derive(Clone, Copy, Debug)]
pub(super) struct Debit {
    pub(super) from: AccountId,
    pub(super) to: AccountId,
    pub(super) amount: u128,
}

/// What the books say of a debit on somebody's word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Owner,
    Within,
    NoMandate,
    OtherPayee,
    AboveBudget,
}

impl Mandate {
    fn of(limits: &KeyLimits, spent: u128) -> Mandate {
        Mandate {
            budget: limits.budget.map(|budget| budget.0),
            payees: limits.payees.clone(),
            ends_ns: limits.expires_ns,
            spent,
            revoked: false,
        }
    }

    fn serves(&self, now_ns: u64) -> bool {
        let over = self.ends_ns.is_some_and(|ends_ns| ends_ns <= now_ns);
        !self.revoked && !over
    }

    fn may_pay(&self, payee: AccountId) -> bool {
        self.payees.is_empty() || self.payees.contains(&payee)
    }

    /// A budget is for spending; whom to pay is for spending and vouchers.
    fn sensible(&self, role: KeyRole, now_ns: u64) -> bool {
        let budget = role == KeyRole::Spend || self.budget.is_none();
        let mut sorted = self.payees.clone();
        sorted.sort_unstable();
        sorted.dedup();
        let payees = (role != KeyRole::Receipt || sorted.is_empty()) && sorted == self.payees && sorted.len() <= PAYEES_MAX;
        budget && payees && self.serves(now_ns) && self.budget.is_none_or(|budget| self.spent <= budget)
    }
}

impl Mandates {
    /// Does the account name this key in this role, and does it serve now?
    pub(super) fn serves(&self, account: AccountId, role: KeyRole, word: Word) -> bool {
        self.0.get(&(account, role, word.signer)).is_some_and(|mandate| mandate.serves(word.now_ns))
    }

    fn ever_named(&self, account: AccountId, role: KeyRole) -> bool {
        self.0.keys().any(|(of, in_role, _)| (*of, *in_role) == (account, role))
    }

    /// Are the ledger's rows these?
    pub(super) fn compare(&self, state: &State) -> Result<(), Objection> {
        insist(state.keys().count() == self.0.len(), "the ledger has another number of further keys")?;
        for key in state.keys() {
            let same = self.0.get(&key.id()).is_some_and(|mandate| {
                let limits = (mandate.budget, &mandate.payees, mandate.ends_ns);
                limits == (key.limits.budget.map(|budget| budget.0), &key.limits.payees, key.limits.expires_ns)
                    && (mandate.spent, mandate.revoked) == (key.spent.0, key.revoked_ns.is_some())
            });
            insist(same, &format!("I16: a further key of account {} is not that of the books", key.account))?;
        }
        Ok(())
    }
}

impl Accountant {
    pub(super) fn verdict(&mut self, debit: Debit, word: Word) -> Result<Verdict, Objection> {
        if self.owner(debit.from)? == word.signer {
            return Ok(Verdict::Owner);
        }
        let mandate = self.mandates.0.get(&(debit.from, KeyRole::Spend, word.signer));
        let Some(mandate) = mandate.filter(|mandate| mandate.serves(word.now_ns)) else { return Ok(Verdict::NoMandate) };
        let after = mandate.spent.checked_add(debit.amount);
        let within = mandate.budget.is_none_or(|budget| after.is_some_and(|after| after <= budget));
        Ok(match mandate.may_pay(debit.to) {
            false => Verdict::OtherPayee,
            true if within => Verdict::Within,
            true => Verdict::AboveBudget,
        })
    }

    /// I16: book a debit, which somebody must be allowed to make.
    pub(super) fn spend(&mut self, debit: Debit, word: Word) -> Result<(), Objection> {
        match self.verdict(debit, word)? {
            Verdict::Owner => Ok(()),
            Verdict::Within => {
                let mandate = self.mandates.0.get_mut(&(debit.from, KeyRole::Spend, word.signer));
                let mandate = mandate.ok_or("a mandate is gone")?;
                mandate.spent = mandate.spent.saturating_add(debit.amount);
                Ok(())
            }
            verdict => object(format!("I16: somebody else's money moved: {verdict:?}")),
        }
    }

    /// May this word take in what is due to the account?
    pub(super) fn takes(&mut self, account: AccountId, word: Word) -> Result<bool, Objection> {
        Ok(self.owner(account)? == word.signer || self.mandates.serves(account, KeyRole::Receipt, word))
    }

    /// May the key that a channel's terms name sign its vouchers, if it is opened on this word?
    pub(super) fn names_voucher_key(&mut self, terms: &ChannelTerms, word: Word) -> Result<bool, Objection> {
        let (owner, key) = (self.owner(terms.payer)?, terms.payer_key);
        let pays = |mandate: &Mandate| {
            let mut paid = terms.shares.iter().map(|share| share.account).chain([terms.payee]);
            paid.all(|account| mandate.may_pay(account))
        };
        Ok(match self.mandates.0.get(&(terms.payer, KeyRole::Voucher, key)) {
            Some(mandate) => mandate.serves(word.now_ns) && pays(mandate),
            None => owner == key || owner == word.signer,
        })
    }

    /// May a channel's receipts be signed by `key`?
    pub(super) fn signs_receipts(&mut self, account: AccountId, key: PublicKey, now_ns: u64) -> Result<bool, Objection> {
        let owner = self.owner(account)?;
        Ok(match self.mandates.0.get(&(account, KeyRole::Receipt, key)) {
            Some(mandate) => mandate.serves(now_ns),
            None => owner == key || !self.mandates.ever_named(account, KeyRole::Receipt),
        })
    }

    /// Book an accepted `account.key`.
    pub(super) fn change_keys(&mut self, change: &AccountKeyChange, word: Word) -> Result<(), Objection> {
        let account = change.account;
        insist(self.owner(account)? == word.signer, "I16: somebody else changed an account's keys")?;
        let escrow = self.tills.values().any(|till| till.is_escrow(account));
        let issuance = self.issuers.keys().any(|asset| issuance_account_id(*asset) == account);
        insist(!escrow && !issuance, "I16: an account that is nobody's got keys")?;
        match &change.change {
            KeyChange::Add { key, role, limits } => {
                insist(*key != word.signer, "I16: the owner was named as a further key")?;
                let before = self.mandates.0.get(&(account, *role, *key));
                insist(before.is_none_or(|before| !before.revoked), "I16: a revoked key serves again")?;
                let mandate = Mandate::of(limits, before.map_or(0, |before| before.spent));
                insist(mandate.sensible(*role, word.now_ns), "I16: a key with limits that make no sense")?;
                self.mandates.0.insert((account, *role, *key), mandate);
                Ok(())
            }
            KeyChange::Rotate { key, role, successor } => {
                insist(*successor != word.signer, "I16: the owner was named as a further key")?;
                let mandate = self.revoke((account, *role, *key))?;
                let before = self.mandates.0.insert((account, *role, *successor), Mandate { revoked: false, ..mandate });
                insist(before.is_none(), "I16: a key that was named before took another's place")
            }
            KeyChange::Revoke { key, role } => self.revoke((account, *role, *key)).map(drop),
            KeyChange::RotateOwner { successor } => {
                let named = self.mandates.0.keys().any(|(of, _, key)| (*of, *key) == (account, *successor));
                insist(!named && *successor != word.signer, "I16: a further key became the owner")?;
                self.book_of(account)?.owner = *successor;
                Ok(())
            }
        }
    }

    fn revoke(&mut self, id: KeyId) -> Result<Mandate, Objection> {
        let mandate = self.mandates.0.get_mut(&id).filter(|mandate| !mandate.revoked);
        let mandate = mandate.ok_or("I16: a key was revoked that was not there")?;
        mandate.revoked = true;
        Ok(mandate.clone())
    }
}
