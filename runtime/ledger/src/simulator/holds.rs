//! The accountant on transfers: holds, their ends, chains, and ids that serve once.

use hansa_economy::ledger::{
    HoldRule, KeyRole, Transfer, TransferBatch, TransferFlags, TransferId, TransferResult, TransferStatus,
};

use super::accountant::{Accountant, Hold, Objection, SECOND_NS, insist, object};
use super::mandates::{Debit, Verdict, Word};

/// I13: of the transfers of a chain all were made, or none.
pub(super) fn atomic(batch: &TransferBatch, results: &[TransferResult]) -> Result<(), Objection> {
    let mut made = None;
    for (event, result) in batch.transfers.iter().zip(results) {
        let this = result.status == TransferStatus::Created;
        insist(made.is_none_or(|made| made == this), "I13: a chain was done in part")?;
        made = event.flags.has(TransferFlags::LINKED).then_some(this);
    }
    insist(made != Some(true), "I13: an open chain was done")
}

impl Accountant {
    /// Let go of the holds that end by `now_ns`.
    pub(super) fn expire(&mut self, now_ns: u64) -> Result<(), Objection> {
        let over = |hold: &Hold| hold.open && hold.ends_ns.is_some_and(|ends_ns| ends_ns <= now_ns);
        let over: Vec<TransferId> = self.holds.iter().filter(|(_, hold)| over(hold)).map(|(id, _)| *id).collect();
        over.into_iter().try_for_each(|id| self.release(id, true).map(drop))
    }

    fn release(&mut self, id: TransferId, reopens: bool) -> Result<Hold, Objection> {
        let hold = self.holds.get_mut(&id).filter(|hold| hold.open).ok_or("I6: a hold was resolved that is not open")?;
        hold.open = false;
        let hold = hold.clone();
        let below = || "pending totals fall below zero".to_owned();
        let debit = self.book_of(hold.debit)?;
        debit.debits_pending = debit.debits_pending.checked_sub(hold.amount).ok_or_else(below)?;
        debit.closed &= !(reopens && hold.closes[0]);
        let credit = self.book_of(hold.credit)?;
        credit.credits_pending = credit.credits_pending.checked_sub(hold.amount).ok_or_else(below)?;
        credit.closed &= !(reopens && hold.closes[1]);
        Ok(hold)
    }

    pub(super) fn transfer(&mut self, event: &Transfer, result: &TransferResult, word: Word) -> Result<(), Objection> {
        let now_ns = word.now_ns;
        insist(result.id == event.id, "the result is of another transfer")?;
        let known = self.ids.get(&event.id).copied();
        match result.status {
            TransferStatus::Created => {
                insist(known.is_none(), "I9: the id was used before")?;
                insist(result.timestamp_ns == now_ns, "it was made at another time")?;
                self.ids.insert(event.id, false);
                self.made(event, result.amount.0, word)
            }
            TransferStatus::Exists => insist(known == Some(false), "it was never made"),
            TransferStatus::IdAlreadyFailed => insist(known == Some(true), "the id is not burnt"),
            TransferStatus::PendingTransferExpired => {
                let ends_ns = self.holds.get(&event.pending_id).and_then(|hold| hold.ends_ns);
                insist(ends_ns.is_some_and(|ends_ns| ends_ns <= now_ns), "the hold has not ended")
            }
            status if status.is_transient() => {
                insist(known.is_none(), "I9: the id was used before")?;
                self.ids.insert(event.id, true);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn made(&mut self, event: &Transfer, amount: u128, word: Word) -> Result<(), Objection> {
        let flags = event.flags;
        if flags.any(TransferFlags::POST_PENDING.with(TransferFlags::VOID_PENDING)) {
            return self.resolved(event, amount, word);
        }
        let balancing = flags.any(TransferFlags::BALANCING_DEBIT.with(TransferFlags::BALANCING_CREDIT));
        insist(amount == event.amount.0 || balancing && amount < event.amount.0, "it has another amount")?;
        let debit = Debit { from: event.debit, to: event.credit, amount };
        self.spend(debit, word)?;
        let closed = self.book_of(event.debit)?.closed || self.book_of(event.credit)?.closed;
        insist(!closed, "a closed account moved")?;
        if flags.has(TransferFlags::PENDING) {
            return self.held(event, debit, word);
        }
        self.repayments.paid(event.id, debit);
        self.post(event.debit, event.credit, amount)
    }

    fn held(&mut self, event: &Transfer, debit: Debit, word: Word) -> Result<(), Objection> {
        let flags = event.flags;
        let amount = debit.amount;
        let closes = [flags.has(TransferFlags::CLOSING_DEBIT), flags.has(TransferFlags::CLOSING_CREDIT)];
        let owns = [self.owner(debit.from)? == word.signer, self.owner(debit.to)? == word.signer];
        insist(closes.iter().zip(owns).all(|(closes, owns)| !closes || owns), "I16: somebody else closed an account")?;
        let hold = Hold {
            debit: debit.from,
            credit: debit.to,
            amount,
            ends_ns: (event.timeout_s > 0).then(|| word.now_ns + u64::from(event.timeout_s) * SECOND_NS),
            closes,
            by_payee: event.posted_by == HoldRule::Payee,
            made_by: (!owns[0]).then_some(word.signer),
            open: true,
        };
        self.holds.insert(event.id, hold);
        let book = self.book_of(debit.from)?;
        book.debits_pending = book.debits_pending.checked_add(amount).ok_or("pending totals overflow")?;
        book.closed |= closes[0];
        let book = self.book_of(debit.to)?;
        book.credits_pending = book.credits_pending.checked_add(amount).ok_or("pending totals overflow")?;
        book.closed |= closes[1];
        Ok(())
    }

    fn resolved(&mut self, event: &Transfer, amount: u128, word: Word) -> Result<(), Objection> {
        let posts = event.flags.has(TransferFlags::POST_PENDING);
        let hold = self.release(event.pending_id, !posts)?;
        insist(self.resolves(&hold, posts, word)?, "I16: somebody else resolved it")?;
        if !posts {
            return insist(amount == hold.amount, "it was voided in part");
        }
        let closed = self.book_of(hold.debit)?.closed || self.book_of(hold.credit)?.closed;
        insist(!closed, "a closed account moved")?;
        if amount > hold.amount {
            return object("I6: more was posted than was held");
        }
        if !hold.by_payee {
            self.spend(post_of(&hold, amount, word), word)?;
        }
        self.repayments.paid(event.id, Debit { from: hold.debit, to: hold.credit, amount });
        self.post(hold.debit, hold.credit, amount)
    }

    /// May this word resolve the hold at all?
    fn resolves(&mut self, hold: &Hold, posts: bool, word: Word) -> Result<bool, Objection> {
        let (payer, payee) = (self.owner(hold.debit)? == word.signer, self.owner(hold.credit)? == word.signer);
        Ok(match (hold.by_payee, posts) {
            (true, true) => self.takes(hold.credit, word)?,
            (true, false) => payee,
            (false, true) => self.verdict(post_of(hold, 0, word), word)? != Verdict::NoMandate,
            (false, false) => {
                let own = hold.made_by == Some(word.signer) && self.mandates.serves(hold.debit, KeyRole::Spend, word);
                payer || payee || own
            }
        })
    }

    /// Nobody who may is turned away.
    pub(super) fn denied(&mut self, event: &Transfer, status: TransferStatus, word: Word) -> Result<(), Objection> {
        let resolves = event.flags.any(TransferFlags::POST_PENDING.with(TransferFlags::VOID_PENDING));
        let hold = self.holds.get(&event.pending_id).filter(|_| resolves).cloned();
        let expected = match status {
            TransferStatus::SignerMayNotDebit => Verdict::NoMandate,
            TransferStatus::PayeeNotAllowed => Verdict::OtherPayee,
            TransferStatus::ExceedsBudget => Verdict::AboveBudget,
            TransferStatus::SignerMayNotResolve => {
                let hold = hold.ok_or("it names no hold")?;
                let may = self.resolves(&hold, event.flags.has(TransferFlags::POST_PENDING), word)?;
                return insist(!may, "the signer may resolve it");
            }
            _ => return Ok(()),
        };
        let debit = match &hold {
            Some(hold) if event.amount.0 == u128::MAX => post_of(hold, hold.amount, word),
            Some(hold) => post_of(hold, event.amount.0, word),
            // A balancing transfer comes to less than it says; without a budget, amounts do not matter.
            None => Debit { from: event.debit, to: event.credit, amount: event.amount.0 },
        };
        let verdict = self.verdict(debit, word)?;
        insist(verdict == expected, &format!("denied, though the books say {verdict:?}"))
    }
}

/// What a post takes: nothing of the budget of the key that made the hold, for the hold has used it.
fn post_of(hold: &Hold, amount: u128, word: Word) -> Debit {
    let amount = if hold.made_by == Some(word.signer) { 0 } else { amount };
    Debit { from: hold.debit, to: hold.credit, amount }
}
