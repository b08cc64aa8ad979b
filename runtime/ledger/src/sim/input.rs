//! The commands of a simulation, and how a line of JSON becomes one.

use hansa_economy::Amount;
use hansa_economy::channel::AccountId;
use hansa_economy::ledger::{AccountEvent, AccountFlags, EndOfTime, HoldRule, Id128, Transfer, TransferFlags, TransferId};
use serde_json::Value;

use super::error::InputError;
use super::number::quote_long_integers;
use super::object::Object;

/// One line.
pub(super) enum Request {
    /// Open accounts.
    Accounts(Vec<AccountEvent>),
    /// Move and hold money.
    Transfers(Vec<Transfer>),
    /// Let time pass.
    Advance {
        /// Nanoseconds.
        ns: u64,
    },
    /// Show rows.
    Lookup(Lookup),
}

/// The rows that are asked for; none: nobody asked for that kind.
pub(super) struct Lookup {
    pub(super) accounts: Option<Vec<AccountId>>,
    pub(super) transfers: Option<Vec<TransferId>>,
    pub(super) balances: Option<Vec<AccountId>>,
}

/// Bits that TigerBeetle calls `imported`. They are reserved: whoever sets one hears `reserved_flag`.
const ACCOUNT_IMPORTED: u16 = 1 << 4;
const TRANSFER_IMPORTED: u16 = 1 << 8;

/// The flags of accounts, and what an account that exists is shown with.
pub(super) const ACCOUNT_FLAGS: &[(&str, u16)] = &[
    ("linked", AccountFlags::LINKED.0),
    ("debits_must_not_exceed_credits", AccountFlags::DEBITS_MUST_NOT_EXCEED_CREDITS.0),
    ("credits_must_not_exceed_debits", AccountFlags::CREDITS_MUST_NOT_EXCEED_DEBITS.0),
    ("history", AccountFlags::HISTORY.0),
    ("imported", ACCOUNT_IMPORTED),
    ("closed", AccountFlags::CLOSED.0),
];

/// The flags of transfers.
pub(super) const TRANSFER_FLAGS: &[(&str, u16)] = &[
    ("linked", TransferFlags::LINKED.0),
    ("pending", TransferFlags::PENDING.0),
    ("post_pending", TransferFlags::POST_PENDING.0),
    ("void_pending", TransferFlags::VOID_PENDING.0),
    ("balancing_debit", TransferFlags::BALANCING_DEBIT.0),
    ("balancing_credit", TransferFlags::BALANCING_CREDIT.0),
    ("closing_debit", TransferFlags::CLOSING_DEBIT.0),
    ("closing_credit", TransferFlags::CLOSING_CREDIT.0),
    ("imported", TRANSFER_IMPORTED),
];

const OPS: &[&str] = &["accounts", "transfers", "advance", "lookup"];

const ACCOUNT_KEYS: &[&str] = &[
    "id",
    "debits_pending",
    "debits_posted",
    "credits_pending",
    "credits_posted",
    "user_data_128",
    "user_data_64",
    "user_data_32",
    "asset",
    "code",
    "flags",
    "timestamp",
];

const TRANSFER_KEYS: &[&str] = &[
    "id",
    "debit",
    "credit",
    "amount",
    "pending_id",
    "user_data_128",
    "user_data_64",
    "user_data_32",
    "timeout_s",
    "asset",
    "code",
    "flags",
    "timestamp",
    "posted_by",
];

const NS_PER_S: u64 = 1_000_000_000;

impl Request {
    /// Read one line.
    pub(super) fn parse(text: &str) -> Result<Request, InputError> {
        // The text as it stands is read first, so that an error's column is right.
        serde_json::from_str::<serde::de::IgnoredAny>(text).map_err(not_json)?;
        let value: Value = serde_json::from_str(&quote_long_integers(text)).map_err(not_json)?;
        let keys: &[&'static str] = match value.get("op").and_then(Value::as_str) {
            Some("accounts" | "transfers") => &["op", "events"],
            Some("advance") => &["op", "seconds"],
            Some("lookup") => &["op", "accounts", "transfers", "balances"],
            // The keys depend on the op, which is wrong: that is the error to tell.
            _ => &["op", "events", "seconds", "accounts", "transfers", "balances"],
        };
        let object = Object::open("the command".into(), &value, keys)?;
        match object.word("op", OPS)?.ok_or_else(|| object.lacks("op"))? {
            "accounts" => Ok(Request::Accounts(events(&object, ACCOUNT_KEYS, account)?)),
            "transfers" => Ok(Request::Transfers(events(&object, TRANSFER_KEYS, transfer)?)),
            "advance" => advance(&object),
            _ => lookup(&object),
        }
    }
}

fn not_json(error: serde_json::Error) -> InputError {
    let text = error.to_string();
    let place = format!(" at line {} column {}", error.line(), error.column());
    InputError::NotJson { reason: text.trim_end_matches(place.as_str()).to_owned(), column: error.column() }
}

fn events<T>(
    object: &Object<'_>,
    keys: &[&'static str],
    read: fn(&Object<'_>) -> Result<T, InputError>,
) -> Result<Vec<T>, InputError> {
    if !object.has("events") {
        return Err(object.lacks("events"));
    }
    let numbered = object.list("events")?.iter().zip(1_u64..);
    numbered.map(|(value, number)| read(&Object::open(format!("event {number}"), value, keys)?)).collect()
}

fn account(object: &Object<'_>) -> Result<AccountEvent, InputError> {
    Ok(AccountEvent {
        id: AccountId(object.number("id")?),
        debits_pending: Amount(object.amount("debits_pending")?),
        debits_posted: Amount(object.amount("debits_posted")?),
        credits_pending: Amount(object.amount("credits_pending")?),
        credits_posted: Amount(object.amount("credits_posted")?),
        user_data_128: Id128(object.number("user_data_128")?),
        user_data_64: object.number("user_data_64")?,
        user_data_32: object.number("user_data_32")?,
        asset: object.number("asset")?,
        code: object.number("code")?,
        flags: AccountFlags(object.flags(ACCOUNT_FLAGS)?),
        timestamp_ns: object.number("timestamp")?,
    })
}

fn transfer(object: &Object<'_>) -> Result<Transfer, InputError> {
    let by_payee = object.word("posted_by", &["payer", "payee"])? == Some("payee");
    Ok(Transfer {
        id: Id128(object.number("id")?),
        debit: AccountId(object.number("debit")?),
        credit: AccountId(object.number("credit")?),
        amount: Amount(object.amount("amount")?),
        pending_id: Id128(object.number("pending_id")?),
        timeout_s: object.number("timeout_s")?,
        asset: object.number("asset")?,
        code: object.number("code")?,
        flags: TransferFlags(object.flags(TRANSFER_FLAGS)?),
        user_data_128: Id128(object.number("user_data_128")?),
        user_data_64: object.number("user_data_64")?,
        user_data_32: object.number("user_data_32")?,
        timestamp_ns: object.number("timestamp")?,
        posted_by: if by_payee { HoldRule::Payee } else { HoldRule::Payer },
        held_by: None,
    })
}

fn advance(object: &Object<'_>) -> Result<Request, InputError> {
    if !object.has("seconds") {
        return Err(object.lacks("seconds"));
    }
    let seconds: u64 = object.number("seconds")?;
    let ns = seconds.checked_mul(NS_PER_S).ok_or(EndOfTime)?;
    Ok(Request::Advance { ns })
}

fn lookup(object: &Object<'_>) -> Result<Request, InputError> {
    let ids = |key: &str| object.has(key).then(|| object.ids(key)).transpose();
    let accounts = |key: &str| Ok::<_, InputError>(ids(key)?.map(|ids| ids.into_iter().map(AccountId).collect()));
    let transfers = ids("transfers")?.map(|ids| ids.into_iter().map(Id128).collect());
    let lookup = Lookup { accounts: accounts("accounts")?, transfers, balances: accounts("balances")? };
    match lookup {
        Lookup { accounts: None, transfers: None, balances: None } => Err(object.lacks("accounts")),
        lookup => Ok(Request::Lookup(lookup)),
    }
}
