//! What the journal says: open holds with what was charged on them, and debts. Records in, sums out; no I/O.

use std::collections::BTreeMap;

use hansa_economy::channel::AccountId;
use hansa_economy::digest::Digest;
use hansa_economy::ledger::TransferId;
use serde::{Deserialize, Serialize};

/// One line of the journal. Amounts are in the asset's smallest unit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) enum Record {
    /// A hold is about to be asked for.
    Hold {
        /// The transfer that holds.
        id: TransferId,
        /// The agent's account.
        account: AccountId,
    },
    /// A piece of work is about to be handed out.
    Charge {
        /// The hold that it is paid from; none: on credit.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        hold: Option<TransferId>,
        /// The agent's account.
        account: AccountId,
        /// SHA-256 of the model's manifest.
        model: Digest,
        /// Input units.
        input: u64,
        /// Output units.
        output: u64,
        /// Its price.
        cost: u64,
    },
    /// The hold has paid what was charged on it, and let go of the rest.
    Posted {
        /// The hold.
        id: TransferId,
    },
    /// The hold is no more, or never was; what was charged on it is owed.
    Lapsed {
        /// The hold.
        id: TransferId,
    },
    /// A debt is about to be paid.
    Pay {
        /// The transfer that pays.
        id: TransferId,
        /// The agent's account.
        account: AccountId,
        /// How much.
        amount: u64,
    },
    /// The transfer was done.
    Paid {
        /// The transfer.
        id: TransferId,
    },
    /// The ledger has refused the transfer for good; the debt stands.
    Unpaid {
        /// The transfer.
        id: TransferId,
    },
    /// A debt as it stood when the journal was begun anew.
    Owed {
        /// The agent's account.
        account: AccountId,
        /// How much.
        amount: u64,
    },
}

/// A hold that is not resolved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct OpenHold {
    pub(super) account: AccountId,
    pub(super) charged: u64,
}

/// A payment of which no outcome is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Payment {
    pub(super) account: AccountId,
    pub(super) amount: u64,
}

/// The sums.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Books {
    pub(super) holds: BTreeMap<TransferId, OpenHold>,
    pub(super) owed: BTreeMap<AccountId, u64>,
    pub(super) payments: BTreeMap<TransferId, Payment>,
}

impl Books {
    /// Takes in the next record. What names nothing known changes nothing.
    pub(super) fn apply(&mut self, record: &Record) {
        match *record {
            Record::Hold { id, account } => drop(self.holds.insert(id, OpenHold { account, charged: 0 })),
            Record::Charge { hold, account, cost, .. } => match hold.and_then(|id| self.holds.get_mut(&id)) {
                Some(hold) => hold.charged = hold.charged.saturating_add(cost),
                None => self.owe(account, cost),
            },
            Record::Posted { id } => drop(self.holds.remove(&id)),
            Record::Lapsed { id } => {
                if let Some(hold) = self.holds.remove(&id) {
                    self.owe(hold.account, hold.charged);
                }
            }
            Record::Pay { id, account, amount } => {
                let owed = self.owed.entry(account).or_default();
                *owed = owed.saturating_sub(amount);
                self.payments.insert(id, Payment { account, amount });
                self.owed.retain(|_, owed| *owed > 0);
            }
            Record::Paid { id } => drop(self.payments.remove(&id)),
            Record::Unpaid { id } => {
                if let Some(payment) = self.payments.remove(&id) {
                    self.owe(payment.account, payment.amount);
                }
            }
            Record::Owed { account, amount } => self.owe(account, amount),
        }
    }

    fn owe(&mut self, account: AccountId, amount: u64) {
        if amount > 0 {
            let owed = self.owed.entry(account).or_default();
            *owed = owed.saturating_add(amount);
        }
    }

    /// Owed by an account, payments without an outcome included.
    pub(super) fn owed_by(&self, account: AccountId) -> u64 {
        let paying = self.payments.values().filter(|payment| payment.account == account).map(|payment| payment.amount);
        self.owed.get(&account).copied().unwrap_or(0).saturating_add(paying.sum())
    }

    /// The fewest records that say the same.
    pub(super) fn records(&self) -> Vec<Record> {
        let mut records = Vec::new();
        for (id, hold) in &self.holds {
            records.push(Record::Hold { id: *id, account: hold.account });
            if hold.charged > 0 {
                let (hold, account, cost) = (Some(*id), hold.account, hold.charged);
                records.push(Record::Charge { hold, account, model: Digest::default(), input: 0, output: 0, cost });
            }
        }
        for (id, payment) in &self.payments {
            let Payment { account, amount } = *payment;
            records.push(Record::Owed { account, amount });
            records.push(Record::Pay { id: *id, account, amount });
        }
        records.extend(self.owed.iter().map(|(account, amount)| Record::Owed { account: *account, amount: *amount }));
        records
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: u128) -> TransferId {
        TransferId::from_time(1, number)
    }

    fn charge(hold: Option<TransferId>, account: AccountId, cost: u64) -> Record {
        Record::Charge { hold, account, model: Digest::default(), input: 1, output: 2, cost }
    }

    #[test]
    fn every_charge_is_on_a_hold_or_owed() {
        let (a, b) = (AccountId::default(), "0000000000000000000000000000002a".parse().unwrap());
        let mut books = Books::default();
        for record in [
            Record::Hold { id: id(1), account: a },
            Record::Hold { id: id(2), account: b },
            charge(Some(id(1)), a, 5),
            charge(Some(id(2)), b, 7),
            charge(None, a, 11),
            Record::Posted { id: id(1) },
            Record::Lapsed { id: id(2) },
            Record::Pay { id: id(3), account: a, amount: 11 },
            Record::Pay { id: id(4), account: b, amount: 4 },
            Record::Unpaid { id: id(3) },
        ] {
            books.apply(&record);
        }
        assert_eq!((books.owed_by(a), books.owed_by(b), books.holds.len()), (11, 7, 0));
        books.apply(&Record::Paid { id: id(4) });
        assert_eq!(books.owed_by(b), 3);
    }

    #[test]
    fn the_fewest_records_say_the_same() {
        let account = AccountId::default();
        let mut books = Books::default();
        for record in [
            Record::Hold { id: id(1), account },
            charge(Some(id(1)), account, 5),
            charge(Some(id(1)), account, 6),
            Record::Hold { id: id(2), account },
            charge(None, account, 11),
            Record::Pay { id: id(3), account, amount: 10 },
        ] {
            books.apply(&record);
        }
        let mut again = Books::default();
        books.records().iter().for_each(|record| again.apply(record));
        assert_eq!(again, books);
    }
}
