//! Statements and histories: what happened to one account, line by line with the balance after each. Made by replaying the
//! log (`replay`), so that the rules themselves say what happened; it takes the time of a whole replay.

mod error;
mod follow;
mod period;
mod text;

use std::path::Path;

use hansa_economy::channel::{AccountId, ChannelId};
use hansa_economy::ledger::{CommandId, Id128};
use hansa_economy::{Digest, PublicKey};
use serde::Serialize;

use crate::handle::Ledger;
use crate::store::{FILE_NAME, Store};
use follow::Keep;

pub use error::HistoryError;
pub use period::{Period, PeriodError};

/// One movement, as the account's holder sees it. Amounts are decimals with the places of the asset.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AccountLine {
    /// `17.3`: the entry of the log and the movement's place in it; names the line for ever.
    #[serde(rename = "ref")]
    pub name: String,
    /// When, RFC 3339 in UTC.
    pub time: String,
    /// What it was: `transfer`, `channel-payment` and so on; see `docs/guides/accounting.md`.
    pub kind: &'static str,
    /// Does it change the balance? A hold and what is let go of it do not.
    pub posts: bool,
    /// In with `+`, out with `-`; of a hold, what was held.
    pub change: String,
    /// The balance after it.
    pub balance: String,
    /// The other account.
    pub counterparty: AccountId,
    /// The other owner's name for it. Anyone may choose any name: trust the account's number.
    pub counterparty_label: String,
    /// The transfer, or the command where it was none.
    pub cause: Id128,
    /// The command; none where a hold let go by itself.
    pub command: Option<CommandId>,
    /// What the issuer gave as the reason outside.
    pub reference: Option<String>,
    /// The channel that it belongs to.
    pub channel: Option<ChannelId>,
    /// The receipts that it pays.
    pub receipts: Vec<Digest>,
}

/// What an account's holder gets for a period: opening balance, every posted line, closing balance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Statement {
    /// The ledger.
    pub ledger: Digest,
    /// Its name.
    pub ledger_name: String,
    /// The account.
    pub account: AccountId,
    /// Its owner's name for it.
    pub label: String,
    /// Its owner.
    pub owner: PublicKey,
    /// What it counts.
    pub asset: String,
    /// The period: first moment, RFC 3339 in UTC.
    pub since: String,
    /// The period: first moment after it.
    pub until: String,
    /// The balance when the period begins.
    pub opening: String,
    /// All that came in.
    pub incoming: String,
    /// All that went out.
    pub outgoing: String,
    /// Oldest first.
    pub lines: Vec<AccountLine>,
    /// The balance when the period ends: opening, in, less out.
    pub closing: String,
    /// The newest entry of the log when the statement was made. A period that is not over then may still get lines.
    pub head_seq: u64,
    /// That entry's hash.
    pub head_hash: Digest,
}

/// An account's newest movements.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct History {
    /// The account.
    pub account: AccountId,
    /// Its owner's name for it.
    pub label: String,
    /// What it counts.
    pub asset: String,
    /// Newest first.
    pub lines: Vec<AccountLine>,
    /// Older lines of the period that did not fit.
    pub older: u64,
}

/// The statement of `account` for `period`, from a folder that no process has open.
pub fn statement_folder(folder: &Path, account: AccountId, period: Period) -> Result<Statement, HistoryError> {
    statement(&open(folder)?, account, period)
}

/// The newest `limit` movements of `account` in `period`, from a folder that no process has open.
pub fn history_folder(folder: &Path, account: AccountId, period: Period, limit: usize) -> Result<History, HistoryError> {
    history(&open(folder)?, account, period, limit)
}

impl Ledger {
    /// The statement of `account` for `period`. Opening balance and lines come to the closing balance, and all lines since
    /// genesis to the account's balance, or there is no statement.
    pub fn statement(&self, account: AccountId, period: Period) -> Result<Statement, HistoryError> {
        statement(self.store(), account, period)
    }

    /// The newest `limit` movements of `account` in `period`, holds included.
    pub fn history(&self, account: AccountId, period: Period, limit: usize) -> Result<History, HistoryError> {
        history(self.store(), account, period, limit)
    }
}

fn open(folder: &Path) -> Result<Store, HistoryError> {
    Ok(Store::open(folder.join(FILE_NAME), crate::limits::CACHE_BYTES)?)
}

fn statement(store: &Store, account: AccountId, period: Period) -> Result<Statement, HistoryError> {
    let followed = follow::follow(store, account, period, Keep::AllPosted)?;
    let (opening, closing, scale) = (followed.opening, followed.closing, followed.asset.scale);
    Ok(Statement {
        ledger: followed.head.ledger,
        ledger_name: followed.head.name,
        account,
        label: followed.account.label,
        owner: followed.account.owner,
        asset: followed.asset.code,
        since: period.since_text(),
        until: period.until_text(followed.head.time_ns),
        opening: opening.text(scale).to_string(),
        incoming: crate::decimal::decimal(closing.credits - opening.credits, scale),
        outgoing: crate::decimal::decimal(closing.debits - opening.debits, scale),
        lines: followed.lines.into(),
        closing: closing.text(scale).to_string(),
        head_seq: followed.head.seq,
        head_hash: followed.head.hash,
    })
}

fn history(store: &Store, account: AccountId, period: Period, limit: usize) -> Result<History, HistoryError> {
    let followed = follow::follow(store, account, period, Keep::Newest(limit))?;
    Ok(History {
        account,
        label: followed.account.label,
        asset: followed.asset.code,
        lines: followed.lines.into_iter().rev().collect(),
        older: followed.left_out,
    })
}
