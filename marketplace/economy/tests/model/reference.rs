//! The reference: accounts and transfers as the specification says them, with plain numbers and maps, and as slow as that is.
//!
//! It finds *every* status that applies to an event and takes the one that stands first in the specification's list. A chain
//! is tried on a copy of everything. It shares no code with the rules that it judges.

use std::collections::BTreeMap;

/// The specification's order for transfers, our own additions in their places.
pub(crate) const TRANSFER_ORDER: &str = "created linked_event_failed linked_event_chain_open timestamp_must_be_zero \
reserved_flag id_must_not_be_zero id_must_not_be_int_max exists_with_different_flags exists_with_different_pending_id \
exists_with_different_timeout exists_with_different_debit_account_id exists_with_different_credit_account_id \
exists_with_different_amount exists_with_different_user_data_128 exists_with_different_user_data_64 \
exists_with_different_user_data_32 exists_with_different_ledger exists_with_different_code exists_with_different_posted_by \
exists id_already_failed flags_are_mutually_exclusive debit_account_id_must_not_be_zero debit_account_id_must_not_be_int_max \
credit_account_id_must_not_be_zero credit_account_id_must_not_be_int_max accounts_must_be_different pending_id_must_be_zero \
pending_id_must_not_be_zero pending_id_must_not_be_int_max pending_id_must_be_different \
timeout_reserved_for_pending_transfer closing_transfer_must_be_pending posted_by_reserved_for_pending_transfer \
payee_hold_needs_timeout ledger_must_not_be_zero code_must_not_be_zero debit_account_not_found credit_account_not_found \
accounts_must_have_the_same_ledger transfer_must_have_the_same_ledger_as_accounts account_is_reserved signer_may_not_debit payee_not_allowed \
signer_may_not_close pending_transfer_not_found pending_transfer_not_pending signer_may_not_resolve \
pending_transfer_has_different_debit_account_id pending_transfer_has_different_credit_account_id \
pending_transfer_has_different_ledger pending_transfer_has_different_code exceeds_pending_transfer_amount \
pending_transfer_has_different_amount pending_transfer_already_posted pending_transfer_already_voided \
pending_transfer_expired debit_account_already_closed credit_account_already_closed overflows_debits_pending \
overflows_credits_pending overflows_debits_posted overflows_credits_posted overflows_debits overflows_credits \
overflows_timeout exceeds_credits exceeds_debits exceeds_budget";

/// The specification's order for accounts.
pub(crate) const ACCOUNT_ORDER: &str = "created linked_event_failed linked_event_chain_open timestamp_must_be_zero \
reserved_flag id_must_not_be_zero id_must_not_be_int_max exists_with_different_flags exists_with_different_user_data_128 \
exists_with_different_user_data_64 exists_with_different_user_data_32 exists_with_different_ledger \
exists_with_different_code exists flags_are_mutually_exclusive debits_pending_must_be_zero debits_posted_must_be_zero \
credits_pending_must_be_zero credits_posted_must_be_zero ledger_must_not_be_zero code_must_not_be_zero";

/// Failures that may pass, so that the id is burnt.
const TRANSIENT: [&str; 7] = [
    "debit_account_not_found",
    "credit_account_not_found",
    "pending_transfer_not_found",
    "debit_account_already_closed",
    "credit_account_already_closed",
    "exceeds_credits",
    "exceeds_debits",
];

pub(crate) const SECOND: u64 = 1_000_000_000;
pub(crate) const END_OF_TIME: u64 = i64::MAX as u64;

pub(crate) const LINKED: u16 = 1;
pub(crate) const LIMIT_DEBITS: u16 = 2;
pub(crate) const LIMIT_CREDITS: u16 = 4;
pub(crate) const HISTORY: u16 = 8;
pub(crate) const CLOSED: u16 = 32;

pub(crate) const PENDING: u16 = 2;
pub(crate) const POST: u16 = 4;
pub(crate) const VOID: u16 = 8;
pub(crate) const BALANCING_DEBIT: u16 = 16;
pub(crate) const BALANCING_CREDIT: u16 = 32;
pub(crate) const CLOSING_DEBIT: u16 = 64;
pub(crate) const CLOSING_CREDIT: u16 = 128;

/// An account, asked for or kept.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Account {
    pub(crate) id: u128,
    pub(crate) debits_pending: u128,
    pub(crate) debits_posted: u128,
    pub(crate) credits_pending: u128,
    pub(crate) credits_posted: u128,
    pub(crate) data: (u128, u64, u32),
    pub(crate) asset: u32,
    pub(crate) code: u16,
    pub(crate) flags: u16,
    pub(crate) timestamp: u64,
}

/// A transfer, asked for or kept.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Transfer {
    pub(crate) id: u128,
    pub(crate) debit: u128,
    pub(crate) credit: u128,
    pub(crate) amount: u128,
    pub(crate) pending_id: u128,
    pub(crate) data: (u128, u64, u32),
    pub(crate) timeout: u32,
    pub(crate) asset: u32,
    pub(crate) code: u16,
    pub(crate) flags: u16,
    pub(crate) timestamp: u64,
    pub(crate) by_payee: bool,
}

/// What a hold has come to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Hold {
    None,
    Open,
    Posted,
    Voided,
    Expired,
}

/// What an event came to.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Outcome {
    pub(crate) status: &'static str,
    pub(crate) timestamp: u64,
    pub(crate) amount: u128,
    /// All that was wrong with it, in the specification's order.
    pub(crate) reasons: Vec<&'static str>,
}

/// Everything.
#[derive(Clone, Default)]
pub(crate) struct World {
    pub(crate) now: u64,
    pub(crate) accounts: BTreeMap<u128, Account>,
    /// None: the id is burnt.
    pub(crate) transfers: BTreeMap<u128, Option<(Transfer, Hold)>>,
}

impl World {
    /// Let time pass.
    pub(crate) fn advance(&mut self, ns: u64) {
        self.now += ns;
        self.expire();
    }

    /// Cut a batch into chains; each stands or falls as one.
    pub(crate) fn create<E: Event>(&mut self, events: &[E]) -> Vec<Outcome> {
        let mut outcomes = Vec::new();
        let mut rest = events;
        while !rest.is_empty() {
            let links = rest.iter().take_while(|event| event.is_linked()).count();
            let open = links == rest.len();
            let (chain, after) = rest.split_at(if open { links } else { links + 1 });
            outcomes.extend(self.chain(chain, open));
            rest = after;
        }
        outcomes
    }

    fn chain<E: Event>(&mut self, chain: &[E], open: bool) -> Vec<Outcome> {
        let before = (chain.len() > 1 || open).then(|| self.clone());
        let (start, last) = (self.now, chain.len() - 1);
        let mut outcomes: Vec<Outcome> = Vec::new();
        for event in chain {
            self.now += 1;
            self.expire();
            outcomes.push(event.create(self));
        }
        let broken_at = outcomes.iter().position(|outcome| outcome.status != "created");
        // Nobody tries the last link of an open chain.
        let broken_at = broken_at.filter(|at| !(open && *at == last));
        if let Some(before) = before.filter(|_| open || broken_at.is_some()) {
            *self = World { now: self.now, ..before };
            self.expire();
            for (at, outcome) in outcomes.iter_mut().enumerate().filter(|(at, _)| broken_at != Some(*at)) {
                let status = if open && at == last { "linked_event_chain_open" } else { "linked_event_failed" };
                *outcome = Outcome { status, timestamp: start + 1 + at as u64, amount: 0, reasons: vec![status] };
            }
        }
        // Of a chain, only the id that broke it is burnt.
        if let Some(at) = broken_at.filter(|at| TRANSIENT.contains(&outcomes[*at].status)) {
            self.transfers.insert(chain[at].id(), None);
        }
        outcomes
    }

    /// Holds whose time has come let go.
    fn expire(&mut self) {
        let now = self.now;
        let mut ended = Vec::new();
        for (transfer, hold) in self.transfers.values_mut().flatten() {
            if *hold == Hold::Open && transfer.ends().is_some_and(|end| end <= u128::from(now)) {
                *hold = Hold::Expired;
                ended.push(transfer.clone());
            }
        }
        ended.iter().for_each(|hold| self.release(hold, true));
    }

    pub(crate) fn release(&mut self, hold: &Transfer, reopen: bool) {
        let debit = self.accounts.get_mut(&hold.debit).unwrap();
        debit.debits_pending -= hold.amount;
        if reopen && hold.flags & CLOSING_DEBIT != 0 {
            debit.flags &= !CLOSED;
        }
        let credit = self.accounts.get_mut(&hold.credit).unwrap();
        credit.credits_pending -= hold.amount;
        if reopen && hold.flags & CLOSING_CREDIT != 0 {
            credit.flags &= !CLOSED;
        }
    }
}

/// What a batch is made of.
pub(crate) trait Event {
    fn id(&self) -> u128;
    fn is_linked(&self) -> bool;
    fn create(&self, world: &mut World) -> Outcome;
}

/// The statuses that apply to one event.
pub(crate) struct Found {
    order: &'static str,
    reasons: Vec<&'static str>,
}

impl Found {
    pub(crate) fn new(order: &'static str) -> Found {
        Found { order, reasons: Vec::new() }
    }

    pub(crate) fn when(&mut self, applies: bool, status: &'static str) {
        if applies {
            self.reasons.push(status);
        }
    }

    /// All that applies, the first in the specification's order first.
    pub(crate) fn in_order(mut self) -> Vec<&'static str> {
        let order = self.order;
        self.reasons.sort_by_key(|status| order.split(' ').position(|name| name == *status).unwrap());
        self.reasons
    }
}

impl Transfer {
    /// When a hold lets go by itself.
    pub(crate) fn ends(&self) -> Option<u128> {
        (self.timeout > 0).then(|| u128::from(self.timestamp) + u128::from(self.timeout) * u128::from(SECOND))
    }

    pub(crate) fn has(&self, flags: u16) -> bool {
        self.flags & flags != 0
    }
}
