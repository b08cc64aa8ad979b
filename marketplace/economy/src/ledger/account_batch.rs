//! Accounts opened in a batch, with ids of the asker's choice and no owner, as TigerBeetle does it: for simulations. On a
//! ledger that stands for money an account belongs to a key, which opens it with `account.open`.

use super::account::{Account, AccountFlags, AccountKind};
use super::account_status::AccountStatus;
use super::chain::{self, Event};
use super::id::Id128;
use super::state::State;
use crate::amount::Amount;
use crate::channel::AccountId;
use crate::key::PublicKey;

use AccountStatus as S;

/// An account as it is asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AccountEvent {
    /// Its name; zero and 2^128 − 1 are none.
    pub id: AccountId,
    /// Must be zero: balances come from transfers only.
    pub debits_pending: Amount,
    /// Must be zero.
    pub debits_posted: Amount,
    /// Must be zero.
    pub credits_pending: Amount,
    /// Must be zero.
    pub credits_posted: Amount,
    /// For the asker's use.
    pub user_data_128: Id128,
    /// For the asker's use.
    pub user_data_64: u64,
    /// For the asker's use.
    pub user_data_32: u32,
    /// What it counts; not zero.
    pub asset: u32,
    /// The asker's category; not zero.
    pub code: u16,
    /// Its shape; `linked` chains it to the next.
    pub flags: AccountFlags,
    /// Must be zero: time comes from the log.
    pub timestamp_ns: u64,
}

/// What one account of a batch came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountResult {
    /// The account.
    pub id: AccountId,
    /// Its status.
    pub status: AccountStatus,
    /// Log time, Unix nanoseconds: of its opening (the first one, if it exists), else of the attempt.
    pub timestamp_ns: u64,
}

/// Any number of accounts.
pub(super) fn run(state: &mut State, events: &[AccountEvent]) -> Vec<AccountResult> {
    chain::run(state, events)
}

impl Event for AccountEvent {
    type Result = AccountResult;

    fn is_linked(&self) -> bool {
        self.flags.has(AccountFlags::LINKED)
    }

    fn attempt(&self, state: &mut State, now_ns: u64) -> AccountResult {
        match self.create(state, now_ns) {
            Ok(()) => self.came_to(S::Created, now_ns),
            // An account that exists tells when it was opened.
            Err(S::Exists) => self.came_to(S::Exists, state.account(self.id).map_or(now_ns, |account| account.timestamp_ns)),
            Err(status) => self.came_to(status, now_ns),
        }
    }

    fn is_created(result: &AccountResult) -> bool {
        result.status == S::Created
    }

    fn chain_failed(&self, now_ns: u64) -> AccountResult {
        self.came_to(S::LinkedEventFailed, now_ns)
    }

    fn chain_open(&self, now_ns: u64) -> AccountResult {
        self.came_to(S::LinkedEventChainOpen, now_ns)
    }
}

impl AccountEvent {
    fn came_to(&self, status: AccountStatus, timestamp_ns: u64) -> AccountResult {
        AccountResult { id: self.id, status, timestamp_ns }
    }

    fn create(&self, state: &mut State, now_ns: u64) -> Result<(), AccountStatus> {
        self.check_identity()?;
        if let Some(earlier) = state.account(self.id) {
            return self.check_same(earlier).and(Err(S::Exists));
        }
        self.check_fields()?;

        // Point of no return.
        state.put_account(Account {
            id: self.id,
            asset: self.asset,
            code: self.code,
            kind: AccountKind::Ordinary,
            flags: self.flags,
            owner: PublicKey([0; 32]),
            label: String::new(),
            user_data_128: self.user_data_128,
            user_data_64: self.user_data_64,
            user_data_32: self.user_data_32,
            debits_pending: Amount::ZERO,
            debits_posted: Amount::ZERO,
            credits_pending: Amount::ZERO,
            credits_posted: Amount::ZERO,
            timestamp_ns: now_ns,
        });
        Ok(())
    }

    fn check_identity(&self) -> Result<(), AccountStatus> {
        first(&[
            (self.timestamp_ns != 0, S::TimestampMustBeZero),
            (!AccountFlags::ALL.has(self.flags), S::ReservedFlag),
            (self.id == AccountId(0), S::IdMustNotBeZero),
            (self.id == AccountId(u128::MAX), S::IdMustNotBeIntMax),
        ])
    }

    /// The flags of `earlier` are those of today: an account that was closed differs from one that was not.
    fn check_same(&self, earlier: &Account) -> Result<(), AccountStatus> {
        first(&[
            (self.flags != earlier.flags, S::ExistsWithDifferentFlags),
            (self.user_data_128 != earlier.user_data_128, S::ExistsWithDifferentUserData128),
            (self.user_data_64 != earlier.user_data_64, S::ExistsWithDifferentUserData64),
            (self.user_data_32 != earlier.user_data_32, S::ExistsWithDifferentUserData32),
            (self.asset != earlier.asset, S::ExistsWithDifferentLedger),
            (self.code != earlier.code, S::ExistsWithDifferentCode),
        ])
    }

    fn check_fields(&self) -> Result<(), AccountStatus> {
        let both = AccountFlags::DEBITS_MUST_NOT_EXCEED_CREDITS.with(AccountFlags::CREDITS_MUST_NOT_EXCEED_DEBITS);
        first(&[
            (self.flags.has(both), S::FlagsAreMutuallyExclusive),
            (self.debits_pending != Amount::ZERO, S::DebitsPendingMustBeZero),
            (self.debits_posted != Amount::ZERO, S::DebitsPostedMustBeZero),
            (self.credits_pending != Amount::ZERO, S::CreditsPendingMustBeZero),
            (self.credits_posted != Amount::ZERO, S::CreditsPostedMustBeZero),
            (self.asset == 0, S::LedgerMustNotBeZero),
            (self.code == 0, S::CodeMustNotBeZero),
        ])
    }
}

/// The status of the first check that fails.
fn first(checks: &[(bool, AccountStatus)]) -> Result<(), AccountStatus> {
    checks.iter().find(|(fails, _)| *fails).map_or(Ok(()), |(_, status)| Err(*status))
}
