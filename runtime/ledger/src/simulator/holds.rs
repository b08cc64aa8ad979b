//! The accountant on transfers: holds, their ends, chains, and ids that serve once.

use hansa_economy::PublicKey;
use hansa_economy::ledger::{HoldRule, Transfer, TransferBatch, TransferFlags, TransferId, TransferResult, TransferStatus};

use super::accountant::{Accountant, Hold, Objection, SECOND_NS, insist, object};

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

    pub(super) fn transfer(
        &mut self,
        event: &Transfer,
        result: &TransferResult,
        signer: PublicKey,
        now_ns: u64,
    ) -> Result<(), Objection> {
        insist(result.id == event.id, "the result is of another transfer")?;
        let known = self.ids.get(&event.id).copied();
        match result.status {
            TransferStatus::Created => {
                insist(known.is_none(), "I9: the id was used before")?;
                insist(result.timestamp_ns == now_ns, "it was made at another time")?;
                self.ids.insert(event.id, false);
                self.made(event, result.amount.0, signer, now_ns)
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

    fn made(&mut self, event: &Transfer, amount: u128, signer: PublicKey, now_ns: u64) -> Result<(), Objection> {
        let flags = event.flags;
        if flags.any(TransferFlags::POST_PENDING.with(TransferFlags::VOID_PENDING)) {
            return self.resolved(event, amount, signer);
        }
        let balancing = flags.any(TransferFlags::BALANCING_DEBIT.with(TransferFlags::BALANCING_CREDIT));
        insist(amount == event.amount.0 || balancing && amount < event.amount.0, "it has another amount")?;
        insist(self.owner(event.debit)? == signer, "I16: somebody else's money moved")?;
        let closed = self.book_of(event.debit)?.closed || self.book_of(event.credit)?.closed;
        insist(!closed, "a closed account moved")?;
        if !flags.has(TransferFlags::PENDING) {
            return self.post(event.debit, event.credit, amount);
        }
        let closes = [flags.has(TransferFlags::CLOSING_DEBIT), flags.has(TransferFlags::CLOSING_CREDIT)];
        let ends_ns = (event.timeout_s > 0).then(|| now_ns + u64::from(event.timeout_s) * SECOND_NS);
        let (debit, credit) = (event.debit, event.credit);
        let by_payee = event.posted_by == HoldRule::Payee;
        self.holds.insert(event.id, Hold { debit, credit, amount, ends_ns, closes, by_payee, open: true });
        let book = self.book_of(debit)?;
        book.debits_pending = book.debits_pending.checked_add(amount).ok_or("pending totals overflow")?;
        book.closed |= closes[0];
        let book = self.book_of(credit)?;
        book.credits_pending = book.credits_pending.checked_add(amount).ok_or("pending totals overflow")?;
        book.closed |= closes[1];
        Ok(())
    }

    fn resolved(&mut self, event: &Transfer, amount: u128, signer: PublicKey) -> Result<(), Objection> {
        let posts = event.flags.has(TransferFlags::POST_PENDING);
        let hold = self.release(event.pending_id, !posts)?;
        let (payer, payee) = (self.owner(hold.debit)? == signer, self.owner(hold.credit)? == signer);
        insist(if hold.by_payee { payee } else { payer || !posts && payee }, "somebody else resolved it")?;
        if !posts {
            return insist(amount == hold.amount, "it was voided in part");
        }
        let closed = self.book_of(hold.debit)?.closed || self.book_of(hold.credit)?.closed;
        insist(!closed, "a closed account moved")?;
        if amount > hold.amount {
            return object("I6: more was posted than was held");
        }
        self.post(hold.debit, hold.credit, amount)
    }
}
