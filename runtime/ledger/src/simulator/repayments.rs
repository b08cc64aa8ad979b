//! The accountant on refunds (I22): what was paid for a thing, and how much of it went back.

use std::collections::BTreeMap;

use hansa_economy::channel::{AccountId, ChannelId};
use hansa_economy::ledger::{Acceptance, Refund, RefundOf, RefundTarget, State, TransferId};
use hansa_economy::receipt::Receipt;
use hansa_economy::{Digest, Signed};

use super::accountant::{Accountant, Objection, insist, object};
use super::mandates::{Debit, Word};

/// Payments by transfer, and all refunds.
#[derive(Clone, Debug, Default)]
pub(super) struct Repayments {
    paid: BTreeMap<TransferId, Debit>,
    given_back: BTreeMap<RefundTarget, u128>,
}

/// Between whom money went, and what each count of refunds may reach.
struct Due {
    payer: AccountId,
    payee: AccountId,
    charged: Vec<(RefundTarget, u128)>,
}

impl Repayments {
    /// A transfer moved money.
    pub(super) fn paid(&mut self, id: TransferId, payment: Debit) {
        self.paid.insert(id, payment);
    }

    /// Are the ledger's counts these?
    pub(super) fn compare(&self, state: &State) -> Result<(), Objection> {
        let found: BTreeMap<RefundTarget, u128> = state.all_refunded().map(|row| (row.target, row.refunded.0)).collect();
        insist(found == self.given_back, "I22: the ledger counts other refunds than the books")
    }

    fn give_back(&mut self, target: RefundTarget, amount: u128, charged: u128) -> Result<u128, Objection> {
        let sum = self.given_back.entry(target).or_default();
        *sum = sum.saturating_add(amount);
        insist(*sum <= charged, "I22: more was refunded than was charged")?;
        Ok(*sum)
    }
}

impl Accountant {
    /// Book an accepted `refund`.
    pub(super) fn refund(&mut self, refund: &Refund, accepted: &Acceptance, word: Word) -> Result<(), Objection> {
        let Acceptance::Refunded(total) = accepted else { return object("a refund has a strange result") };
        let amount = refund.amount.0;
        insist(amount > 0, "nothing was refunded")?;
        let Due { payer, payee, charged } = self.due(&refund.of)?;
        let closed = self.book_of(payer)?.closed || self.book_of(payee)?.closed;
        insist(!closed, "a closed account moved")?;
        let mut sums = Vec::new();
        for (target, charged) in charged {
            sums.push(self.repayments.give_back(target, amount, charged)?);
        }
        insist(sums.first() == Some(&total.0), "another sum of refunds")?;
        self.spend(Debit { from: payee, to: payer, amount }, word)?;
        self.post(payee, payer, amount)
    }

    /// Payer and payee of what is to be refunded, if it was paid.
    pub(super) fn paid_between(&self, of: &RefundOf) -> Option<(AccountId, AccountId)> {
        self.due(of).ok().map(|due| (due.payer, due.payee))
    }

    fn due(&self, of: &RefundOf) -> Result<Due, Objection> {
        match of {
            RefundOf::Transfer(id) => {
                let paid = self.repayments.paid.get(id).ok_or("I22: a refund of what paid nothing")?;
                Ok(Due { payer: paid.from, payee: paid.to, charged: vec![(RefundTarget::Transfer(*id), paid.amount)] })
            }
            RefundOf::Channel(id) => self.due_of_channel(*id),
            RefundOf::Receipt(bytes) => {
                let receipt = Signed::<Receipt>::open(bytes).map_err(|error| format!("I22: a forged receipt: {error}"))?;
                let mut due = self.due_of_channel(receipt.body.channel)?;
                let till = self.tills.get(&receipt.body.channel);
                insist(till.is_some_and(|till| till.is_payee_key(receipt.signer)), "I22: a receipt of somebody else")?;
                due.charged.insert(0, (RefundTarget::Receipt(Digest::of(bytes)), receipt.body.charged.0));
                Ok(due)
            }
        }
    }

    fn due_of_channel(&self, id: ChannelId) -> Result<Due, Objection> {
        let till = self.tills.get(&id).ok_or("I22: a refund of no channel")?;
        let (payer, payee, redeemed) = till.between();
        Ok(Due { payer, payee, charged: vec![(RefundTarget::Channel(id), redeemed)] })
    }
}
