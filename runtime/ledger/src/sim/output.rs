//! The answers of a simulation, as lines of JSON. Numbers of 64 bits and more are decimal strings, which no reader rounds.

use std::fmt::Display;

use hansa_economy::ledger::{
    Account, AccountResult, HoldRule, HoldState, State, Transfer, TransferId, TransferRecord, TransferResult,
};
use serde::{Serialize, Serializer};

use super::history::{BalanceRow, History};
use super::input::{ACCOUNT_FLAGS, Lookup, TRANSFER_FLAGS};

/// One line. What was not asked for is left out.
#[derive(Default, Serialize)]
pub(super) struct Answer {
    #[serde(skip_serializing_if = "Option::is_none")]
    results: Option<Vec<ResultRow>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    timestamp: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    accounts: Option<Vec<AccountRow>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    transfers: Option<Vec<TransferRow>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    balances: Option<Vec<BalanceRow>>,
}

/// What an event came to.
#[derive(Serialize)]
struct ResultRow {
    status: &'static str,
    #[serde(serialize_with = "decimal")]
    timestamp: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    amount: Option<String>,
}

/// An account.
#[derive(Serialize)]
struct AccountRow {
    #[serde(serialize_with = "decimal")]
    id: u128,
    #[serde(serialize_with = "decimal")]
    debits_pending: u128,
    #[serde(serialize_with = "decimal")]
    debits_posted: u128,
    #[serde(serialize_with = "decimal")]
    credits_pending: u128,
    #[serde(serialize_with = "decimal")]
    credits_posted: u128,
    #[serde(serialize_with = "decimal")]
    user_data_128: u128,
    #[serde(serialize_with = "decimal")]
    user_data_64: u64,
    user_data_32: u32,
    asset: u32,
    code: u16,
    flags: Vec<&'static str>,
    #[serde(serialize_with = "decimal")]
    timestamp: u64,
    closed: bool,
}

/// A transfer, with the state of the hold if it is one.
#[derive(Serialize)]
struct TransferRow {
    #[serde(serialize_with = "decimal")]
    id: u128,
    #[serde(serialize_with = "decimal")]
    debit: u128,
    #[serde(serialize_with = "decimal")]
    credit: u128,
    #[serde(serialize_with = "decimal")]
    amount: u128,
    #[serde(serialize_with = "decimal")]
    pending_id: u128,
    #[serde(serialize_with = "decimal")]
    user_data_128: u128,
    #[serde(serialize_with = "decimal")]
    user_data_64: u64,
    user_data_32: u32,
    timeout_s: u32,
    asset: u32,
    code: u16,
    flags: Vec<&'static str>,
    #[serde(serialize_with = "decimal")]
    timestamp: u64,
    posted_by: HoldRule,
    #[serde(skip_serializing_if = "Option::is_none")]
    hold: Option<HoldState>,
}

impl Answer {
    /// What accounts came to.
    pub(super) fn accounts_opened(results: &[AccountResult]) -> Answer {
        let row =
            |result: &AccountResult| ResultRow { status: result.status.name(), timestamp: result.timestamp_ns, amount: None };
        Answer { results: Some(results.iter().map(row).collect()), ..Answer::default() }
    }

    /// What transfers came to.
    pub(super) fn transferred(results: &[TransferResult]) -> Answer {
        let row = |result: &TransferResult| ResultRow {
            status: result.status.name(),
            timestamp: result.timestamp_ns,
            amount: Some(result.amount.0.to_string()),
        };
        Answer { results: Some(results.iter().map(row).collect()), ..Answer::default() }
    }

    /// The clock after it was moved.
    pub(super) fn advanced(now_ns: u64) -> Answer {
        Answer { results: Some(Vec::new()), timestamp: Some(now_ns.to_string()), ..Answer::default() }
    }

    /// The rows that exist among those asked for. An id that was only burnt names no transfer.
    pub(super) fn found(lookup: &Lookup, state: &State, history: &History) -> Answer {
        let accounts = lookup.accounts.as_ref();
        let transfers = lookup.transfers.as_ref();
        let balances = lookup.balances.as_ref();
        Answer {
            accounts: accounts.map(|ids| ids.iter().filter_map(|id| state.account(*id)).map(AccountRow::of).collect()),
            transfers: transfers.map(|ids| ids.iter().filter_map(|id| TransferRow::find(state, *id)).collect()),
            balances: balances.map(|ids| ids.iter().flat_map(|id| history.of(*id)).cloned().collect()),
            ..Answer::default()
        }
    }
}

impl AccountRow {
    fn of(account: &Account) -> AccountRow {
        AccountRow {
            id: account.id.0,
            debits_pending: account.debits_pending.0,
            debits_posted: account.debits_posted.0,
            credits_pending: account.credits_pending.0,
            credits_posted: account.credits_posted.0,
            user_data_128: account.user_data_128.0,
            user_data_64: account.user_data_64,
            user_data_32: account.user_data_32,
            asset: account.asset,
            code: account.code,
            flags: names(ACCOUNT_FLAGS, account.flags.0),
            timestamp: account.timestamp_ns,
            closed: account.is_closed(),
        }
    }
}

impl TransferRow {
    fn find(state: &State, id: TransferId) -> Option<TransferRow> {
        match state.transfer(id)? {
            TransferRecord::Created(transfer, hold) => Some(TransferRow::of(transfer, *hold)),
            TransferRecord::Burnt => None,
        }
    }

    fn of(transfer: &Transfer, hold: Option<HoldState>) -> TransferRow {
        TransferRow {
            id: transfer.id.0,
            debit: transfer.debit.0,
            credit: transfer.credit.0,
            amount: transfer.amount.0,
            pending_id: transfer.pending_id.0,
            user_data_128: transfer.user_data_128.0,
            user_data_64: transfer.user_data_64,
            user_data_32: transfer.user_data_32,
            timeout_s: transfer.timeout_s,
            asset: transfer.asset,
            code: transfer.code,
            flags: names(TRANSFER_FLAGS, transfer.flags.0),
            timestamp: transfer.timestamp_ns,
            posted_by: transfer.posted_by,
            hold,
        }
    }
}

fn names(flags: &[(&'static str, u16)], bits: u16) -> Vec<&'static str> {
    flags.iter().filter(|(_, bit)| bits & bit != 0).map(|(name, _)| *name).collect()
}

/// A number as a decimal string.
pub(super) fn decimal<S: Serializer>(number: &impl Display, s: S) -> Result<S::Ok, S::Error> {
    s.collect_str(number)
}
