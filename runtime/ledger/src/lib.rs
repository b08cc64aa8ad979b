//! The ledger's store and writer: redb tables and the log around `hansa_economy::ledger`, the pure transition.
//!
//! [`Ledger::submit`] verifies a signed command in parallel and hands it to one writer thread, which applies what waits as
//! one group, commits it durably together with the log entry, and only then answers. Reads see committed rows and never wait
//! for the writer. [`Ledger::check`] replays the whole log and compares. [`sim::run`] tries commands out in memory.
//! Tables, codecs and recovery: `FORMAT.md`.

mod check;
mod commit;
mod error;
#[cfg(test)]
mod faults;
mod group;
mod handle;
pub mod limits;
mod load;
mod query;
mod rows;
pub mod sim;
mod store;
mod table;
mod view;
mod writer;

pub use check::{AssetReport, CheckReport, check_folder};
pub use error::{OpenError, QueryError, SubmitError};
pub use handle::{Clock, Ledger, LedgerOptions, Outcome};
