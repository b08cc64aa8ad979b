//! The accountant: keeps books of its own from the log's commands and results alone, with none of the rules' code, and
//! objects where a result was not due or the ledger's balances are others.

use std::collections::BTreeMap;

use hansa_economy::PublicKey;
use hansa_economy::channel::{AccountId, ChannelId};
use hansa_economy::ledger::{
    Acceptance, Command, CommandResult, Entry, Reason, State, TransferBatch, TransferFlags, TransferId, TransferStatus, Verified,
    account_id,
};
use hansa_economy::ledger::{AccountFlags, issuance_account_id};

use super::mandates::{Debit, Mandates, Verdict, Word};
use super::repayments::Repayments;
use super::till::Till;

pub(super) const SECOND_NS: u64 = 1_000_000_000;

/// What the accountant finds wrong.
pub(super) type Objection = String;

/// One account, as the accountant has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Book {
    pub(super) owner: PublicKey,
    pub(super) debits_pending: u128,
    pub(super) debits_posted: u128,
    pub(super) credits_pending: u128,
    pub(super) credits_posted: u128,
    pub(super) closed: bool,
}

/// A hold that was made.
#[derive(Clone, Debug)]
pub(super) struct Hold {
    pub(super) debit: AccountId,
    pub(super) credit: AccountId,
    pub(super) amount: u128,
    pub(super) ends_ns: Option<u64>,
    pub(super) closes: [bool; 2],
    pub(super) by_payee: bool,
    /// The further key that made it, and whose budget it used.
    pub(super) made_by: Option<PublicKey>,
    pub(super) open: bool,
}

/// The books.
#[derive(Clone, Debug, Default)]
pub(super) struct Accountant {
    pub(super) books: BTreeMap<AccountId, Book>,
    pub(super) holds: BTreeMap<TransferId, Hold>,
    /// Ids that were used; true where burnt.
    pub(super) ids: BTreeMap<TransferId, bool>,
    pub(super) tills: BTreeMap<ChannelId, Till>,
    pub(super) issuers: BTreeMap<u32, PublicKey>,
    pub(super) mandates: Mandates,
    pub(super) repayments: Repayments,
}

pub(super) fn object<T>(what: impl Into<String>) -> Result<T, Objection> {
    Err(what.into())
}

pub(super) fn insist(holds: bool, what: &str) -> Result<(), Objection> {
    if holds { Ok(()) } else { object(what) }
}

impl Accountant {
    /// Book an entry.
    pub(super) fn book(&mut self, entry: &Entry, commands: &[Verified]) -> Result<(), Objection> {
        insist(entry.results.len() == commands.len(), "an entry has another number of results than of commands")?;
        let mut now_ns = entry.timestamp_ns - 1;
        for (command, result) in commands.iter().zip(&entry.results) {
            if let (Command::Transfer(batch), CommandResult::Accepted(accepted)) = (&command.body().command, result) {
                self.batch(batch, accepted, command.signer(), &mut now_ns)?;
                continue;
            }
            now_ns += 1;
            if !matches!(command.body().command, Command::Transfer(_)) {
                self.expire(now_ns)?;
            }
            let redeems = matches!(command.body().command, Command::ChannelRedeem(_));
            let short = redeems && *result == CommandResult::Refused(Reason::ExceedsCredits);
            insist(!short, "I14: more was to be paid from a channel than it has")?;
            let word = Word { signer: command.signer(), now_ns };
            let what = |objection| format!("{} by {}: {objection}", command.body().command.kind(), command.signer());
            match result {
                CommandResult::Accepted(accepted) => self.accepted(command, accepted, word),
                CommandResult::Refused(reason) => self.refused(&command.body().command, *reason, word),
            }
            .map_err(what)?;
        }
        Ok(())
    }

    fn batch(
        &mut self,
        batch: &TransferBatch,
        accepted: &Acceptance,
        signer: PublicKey,
        now_ns: &mut u64,
    ) -> Result<(), Objection> {
        let Acceptance::Transfers(results) = accepted else { return object("a batch has a strange result") };
        insist(results.len() == batch.transfers.len(), "a batch has another number of results than of transfers")?;
        super::holds::atomic(batch, results)?;
        let mut chain = Vec::new();
        for (event, result) in batch.transfers.iter().zip(results) {
            *now_ns += 1;
            self.expire(*now_ns)?;
            let what = |objection| format!("transfer {} as {:?}: {objection}", event.id, result.status);
            let word = Word { signer, now_ns: *now_ns };
            let linked = event.flags.has(TransferFlags::LINKED);
            // What a broken chain did before it broke is not known any more.
            if chain.is_empty() && !linked {
                self.denied(event, result.status, word).map_err(what)?;
            }
            // An id that comes twice in a chain was there when it came again; that broke the chain, and it is gone.
            let undone = result.status == TransferStatus::Exists && chain.contains(&event.id);
            if !undone {
                self.transfer(event, result, word).map_err(what)?;
            }
            match linked {
                true => chain.push(event.id),
                false => chain.clear(),
            }
        }
        Ok(())
    }

    /// Nobody who may is turned away.
    fn refused(&mut self, command: &Command, reason: Reason, word: Word) -> Result<(), Objection> {
        let expected = match reason {
            Reason::NotPermitted => Verdict::NoMandate,
            Reason::ExceedsBudget => Verdict::AboveBudget,
            _ => return Ok(()),
        };
        let Some(debit) = self.wished(command) else { return Ok(()) };
        let verdict = self.verdict(debit, word)?;
        insist(verdict == expected, &format!("denied with {reason:?}, though the books say {verdict:?}"))
    }

    /// What was to leave an account on the signer's word.
    fn wished(&self, command: &Command) -> Option<Debit> {
        let (from, to, amount) = match command {
            Command::ChannelOpen(open) => (open.terms.payer, open.terms.payee, open.deposit),
            Command::ChannelTopup(topup) => {
                let (payer, payee, _) = self.tills.get(&topup.channel)?.between();
                (payer, payee, topup.amount)
            }
            Command::Refund(refund) => {
                let (payer, payee) = self.paid_between(&refund.of)?;
                (payee, payer, refund.amount)
            }
            _ => return None,
        };
        Some(Debit { from, to, amount: amount.0 })
    }

    fn accepted(&mut self, verified: &Verified, accepted: &Acceptance, word: Word) -> Result<(), Objection> {
        let signer = word.signer;
        match (&verified.body().command, accepted) {
            (Command::AssetCreate(asset), Acceptance::AssetCreated(id)) => {
                insist(*id == issuance_account_id(asset.asset), "another issuance account")?;
                self.issuers.insert(asset.asset, asset.issuer);
                self.open(*id, asset.issuer)
            }
            (Command::AccountOpen(account), Acceptance::AccountOpened(id)) => {
                insist(*id == account_id(signer, account.asset, &account.label), "another account id")?;
                self.open(*id, signer)
            }
            (Command::Issue(issue), Acceptance::Supply(supply)) => {
                insist(self.issuers.get(&issue.asset) == Some(&signer), "issued by somebody else")?;
                self.post(issuance_account_id(issue.asset), issue.to, issue.amount.0)?;
                insist(self.supply(issue.asset) == supply.0, "another supply")
            }
            (Command::Redeem(redeem), Acceptance::Supply(supply)) => {
                insist(self.issuers.get(&redeem.asset) == Some(&signer), "redeemed by somebody else")?;
                let (from, to, amount) = (redeem.from, issuance_account_id(redeem.asset), redeem.amount.0);
                self.spend(Debit { from, to, amount }, word)?;
                self.post(from, to, amount)?;
                insist(self.supply(redeem.asset) == supply.0, "another supply")
            }
            (Command::Genesis(_), Acceptance::Founded) => Ok(()),
            (Command::AccountKey(change), Acceptance::KeyChanged) => self.change_keys(change, word),
            (Command::Refund(refund), accepted) => self.refund(refund, accepted, word),
            (Command::ReceiptAnchor(anchor), Acceptance::Anchored) => {
                insist((1..=1 << 24).contains(&anchor.count), "an anchor of no receipts, or of too many")?;
                insist(anchor.first_ms <= anchor.last_ms, "an anchor that ends before it begins")
            }
            _ => self.channel(verified, accepted, word),
        }
    }

    pub(super) fn open(&mut self, id: AccountId, owner: PublicKey) -> Result<(), Objection> {
        let book = Book { owner, debits_pending: 0, debits_posted: 0, credits_pending: 0, credits_posted: 0, closed: false };
        insist(self.books.insert(id, book).is_none(), "an account was opened twice")
    }

    pub(super) fn book_of(&mut self, id: AccountId) -> Result<&mut Book, Objection> {
        self.books.get_mut(&id).ok_or_else(|| format!("account {id} was never opened"))
    }

    pub(super) fn owner(&mut self, id: AccountId) -> Result<PublicKey, Objection> {
        Ok(self.book_of(id)?.owner)
    }

    /// Move money from one account to another.
    pub(super) fn post(&mut self, debit: AccountId, credit: AccountId, amount: u128) -> Result<(), Objection> {
        let overflow = || "a posted total overflows".to_owned();
        let book = self.book_of(debit)?;
        book.debits_posted = book.debits_posted.checked_add(amount).ok_or_else(overflow)?;
        let book = self.book_of(credit)?;
        book.credits_posted = book.credits_posted.checked_add(amount).ok_or_else(overflow)?;
        Ok(())
    }

    fn supply(&self, asset: u32) -> u128 {
        self.books.get(&issuance_account_id(asset)).map_or(0, |book| book.debits_posted - book.credits_posted)
    }

    /// Are the ledger's balances these?
    pub(super) fn compare(&self, state: &State) -> Result<(), Objection> {
        insist(state.accounts().count() == self.books.len(), "the ledger has another number of accounts")?;
        for account in state.accounts() {
            let found = Book {
                owner: account.owner,
                debits_pending: account.debits_pending.0,
                debits_posted: account.debits_posted.0,
                credits_pending: account.credits_pending.0,
                credits_posted: account.credits_posted.0,
                closed: account.flags.has(AccountFlags::CLOSED),
            };
            let expected = self.books.get(&account.id);
            if expected != Some(&found) {
                return object(format!("account {}: the ledger has {found:?}, the books have {expected:?}", account.id));
            }
        }
        self.mandates.compare(state)?;
        self.repayments.compare(state)?;
        self.tills.iter().try_for_each(|(id, till)| till.compare(state.channel(*id)))
    }
}
