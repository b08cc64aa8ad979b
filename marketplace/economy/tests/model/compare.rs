//! The rules and the reference side by side.

use hansa_economy::Amount;
use hansa_economy::channel::AccountId;
use hansa_economy::ledger::{
    self, AccountEvent, AccountFlags, HoldRule, HoldState, Id128, Simulation, TransferFlags, TransferRecord, audit,
};

use crate::Coverage;
use crate::random::Step;
use crate::reference::{Account, Hold, Outcome, Transfer, World};

/// Both, and what they were told last.
pub(crate) struct Pair {
    seed: u64,
    rules: Simulation,
    reference: World,
}

impl Pair {
    pub(crate) fn new(seed: u64) -> Pair {
        Pair { seed, rules: Simulation::default(), reference: World::default() }
    }

    pub(crate) fn reference(&self) -> &World {
        &self.reference
    }

    /// Do a step on both sides; results, clocks and balances must be the same.
    pub(crate) fn step(&mut self, step: &Step, coverage: &mut Coverage) {
        let (found, expected) = match step {
            Step::Advance(ns) => {
                self.rules.advance(*ns).unwrap();
                self.reference.advance(*ns);
                (Vec::new(), Vec::new())
            }
            Step::Accounts(events) => {
                let found = self.rules.accounts(&events.iter().map(account_event).collect::<Vec<_>>()).unwrap();
                let expected = self.reference.create(events);
                coverage.note_accounts(&expected);
                (found.iter().map(|result| (result.status.name(), result.timestamp_ns, 0)).collect(), expected)
            }
            Step::Transfers(events) => {
                let found = self.rules.transfers(&events.iter().map(transfer_event).collect::<Vec<_>>()).unwrap();
                let expected = self.reference.create(events);
                coverage.note_transfers(&expected);
                (found.iter().map(|result| (result.status.name(), result.timestamp_ns, result.amount.0)).collect(), expected)
            }
        };
        let expected: Vec<_> =
            expected.iter().map(|Outcome { status, timestamp, amount, .. }| (*status, *timestamp, *amount)).collect();
        assert_eq!(found, expected, "results differ (rules left, reference right); HANSA_MODEL_SEED={}, {step:#?}", self.seed);
        assert_eq!(self.rules.now_ns(), self.reference.now, "clocks differ; HANSA_MODEL_SEED={}, {step:#?}", self.seed);
        let accounts: Vec<Account> = self.rules.state().accounts().map(account).collect();
        let same = accounts.iter().eq(self.reference.accounts.values());
        let expected = self.reference.accounts.values();
        assert!(same, "accounts differ; HANSA_MODEL_SEED={}, {step:#?}\n{accounts:#?}\n{expected:#?}", self.seed);
    }

    /// Transfers, burnt ids and the invariants, at the end of a world.
    pub(crate) fn finish(&self) {
        let transfers: Vec<_> = self.rules.state().transfers().map(|(id, record)| (id.0, transfer(record))).collect();
        let expected: Vec<_> = self.reference.transfers.iter().map(|(id, kept)| (*id, kept.clone())).collect();
        assert_eq!(transfers, expected, "transfers differ; HANSA_MODEL_SEED={}", self.seed);
        audit::audit(self.rules.state()).unwrap_or_else(|breach| panic!("{breach}; HANSA_MODEL_SEED={}", self.seed));
    }
}

fn account_event(asked: &Account) -> AccountEvent {
    AccountEvent {
        id: AccountId(asked.id),
        debits_pending: Amount(asked.debits_pending),
        debits_posted: Amount(asked.debits_posted),
        credits_pending: Amount(asked.credits_pending),
        credits_posted: Amount(asked.credits_posted),
        user_data_128: Id128(asked.data.0),
        user_data_64: asked.data.1,
        user_data_32: asked.data.2,
        asset: asked.asset,
        code: asked.code,
        flags: AccountFlags(asked.flags),
        timestamp_ns: asked.timestamp,
    }
}

fn account(kept: &ledger::Account) -> Account {
    Account {
        id: kept.id.0,
        debits_pending: kept.debits_pending.0,
        debits_posted: kept.debits_posted.0,
        credits_pending: kept.credits_pending.0,
        credits_posted: kept.credits_posted.0,
        data: (kept.user_data_128.0, kept.user_data_64, kept.user_data_32),
        asset: kept.asset,
        code: kept.code,
        flags: kept.flags.0,
        timestamp: kept.timestamp_ns,
    }
}

fn transfer_event(asked: &Transfer) -> ledger::Transfer {
    ledger::Transfer {
        id: Id128(asked.id),
        debit: AccountId(asked.debit),
        credit: AccountId(asked.credit),
        amount: Amount(asked.amount),
        pending_id: Id128(asked.pending_id),
        timeout_s: asked.timeout,
        asset: asked.asset,
        code: asked.code,
        flags: TransferFlags(asked.flags),
        user_data_128: Id128(asked.data.0),
        user_data_64: asked.data.1,
        user_data_32: asked.data.2,
        timestamp_ns: asked.timestamp,
        posted_by: if asked.by_payee { HoldRule::Payee } else { HoldRule::Payer },
        held_by: None,
    }
}

fn transfer(record: &TransferRecord) -> Option<(Transfer, Hold)> {
    let TransferRecord::Created(kept, hold) = record else { return None };
    let hold = match hold {
        None => Hold::None,
        Some(HoldState::Open) => Hold::Open,
        Some(HoldState::Posted) => Hold::Posted,
        Some(HoldState::Voided) => Hold::Voided,
        Some(HoldState::Expired) => Hold::Expired,
    };
    let transfer = Transfer {
        id: kept.id.0,
        debit: kept.debit.0,
        credit: kept.credit.0,
        amount: kept.amount.0,
        pending_id: kept.pending_id.0,
        data: (kept.user_data_128.0, kept.user_data_64, kept.user_data_32),
        timeout: kept.timeout_s,
        asset: kept.asset,
        code: kept.code,
        flags: kept.flags.0,
        timestamp: kept.timestamp_ns,
        by_payee: kept.posted_by == HoldRule::Payee,
    };
    Some((transfer, hold))
}
