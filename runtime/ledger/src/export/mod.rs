//! Exports: the whole log as accounting files and tables. Streamed from a replay (`replay`), so that an export takes
//! memory for the accounts, not for the log; and checked, so that what was written explains every balance or is refused.

mod beancount;
mod books;
mod csv;
mod error;
pub mod escape;
mod form;
mod hledger;
mod jsonl;
mod names;

use std::fmt;
use std::io::Write;
use std::path::Path;
use std::str::FromStr;

use hansa_economy::Digest;
use serde::{Deserialize, Serialize};

use crate::day::Day;
use crate::handle::Ledger;
use crate::replay::replay;
use crate::store::{FILE_NAME, Store};
use books::Books;

pub use error::ExportError;

/// What an export is written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ExportFormat {
    /// For beancount 3 (<https://beancount.github.io/docs/beancount_language_syntax.html>).
    Beancount,
    /// For hledger 1.25 and newer (<https://hledger.org/hledger.html#journal>).
    Hledger,
    /// A table with a head line (RFC 4180, lines end with LF).
    Csv,
    /// A JSON object a line.
    Jsonl,
}

/// What was exported.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ExportReport {
    /// The ledger.
    pub ledger: Digest,
    /// Its name.
    pub name: String,
    /// Entries of the log, which is all of them.
    pub entries: u64,
    /// Movements, holds and their release included.
    pub movements: u64,
    /// Accounts, issuance and escrow included.
    pub accounts: u64,
    /// Balances that the file asserts.
    pub assertions: u64,
    /// The newest entry's hash: the state of the ledger that the export shows.
    pub head_hash: Digest,
}

/// Export the ledger in `folder`, which no process may have open. What was written before an error is not to be used.
pub fn export_folder(folder: &Path, format: ExportFormat, out: &mut dyn Write) -> Result<ExportReport, ExportError> {
    let store = Store::open(folder.join(FILE_NAME), crate::limits::CACHE_BYTES)?;
    from_store(&store, format, out)
}

impl Ledger {
    /// Export what is committed when it begins; the ledger goes on meanwhile. Takes about 40 µs of processor time per
    /// signature. What was written before an error is not to be used.
    pub fn export(&self, format: ExportFormat, out: &mut dyn Write) -> Result<ExportReport, ExportError> {
        from_store(self.store(), format, out)
    }
}

fn from_store(store: &Store, format: ExportFormat, out: &mut dyn Write) -> Result<ExportReport, ExportError> {
    let form = form::of(format);
    let mut books = Books::new();
    let state = replay(store, |step| books.step(step, form.as_ref(), out))?;
    books.prove(&state)?;
    let head = state.head();
    books.close(Day::of(head.time_ns), form.as_ref(), out)?;
    out.flush()?;
    Ok(ExportReport {
        ledger: head.ledger,
        name: head.name.clone(),
        entries: head.seq,
        movements: books.movements(),
        accounts: state.accounts().count() as u64,
        assertions: books.assertions(),
        head_hash: head.hash,
    })
}

impl ExportFormat {
    /// All formats.
    pub const ALL: [ExportFormat; 4] = [ExportFormat::Beancount, ExportFormat::Hledger, ExportFormat::Csv, ExportFormat::Jsonl];

    /// Its name, as `--format` takes it.
    pub fn name(self) -> &'static str {
        match self {
            ExportFormat::Beancount => "beancount",
            ExportFormat::Hledger => "hledger",
            ExportFormat::Csv => "csv",
            ExportFormat::Jsonl => "jsonl",
        }
    }
}

impl fmt::Display for ExportFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A text that is no format.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no format; choose beancount, hledger, csv or jsonl")]
pub struct ExportFormatError(String);

impl FromStr for ExportFormat {
    type Err = ExportFormatError;
    fn from_str(text: &str) -> Result<ExportFormat, ExportFormatError> {
        let found = ExportFormat::ALL.into_iter().find(|format| format.name() == text);
        found.ok_or_else(|| ExportFormatError(text.to_owned()))
    }
}
