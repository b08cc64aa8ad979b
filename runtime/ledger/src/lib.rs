//! The ledger's store and writer: redb tables and the log around `hansa_economy::ledger`, the pure transition.
//!
//! [`Ledger::submit`] verifies a signed command in parallel and hands it to one writer thread, which applies what waits as
//! one group, commits it durably together with the log entry, and only then answers. Reads see committed rows and never wait
//! for the writer. [`Ledger::check`] replays the whole log and compares. [`sim::run`] tries commands out in memory.
//! [`export`] replays it into files for accountants,
//! [`statement`] into what happened to one account. [`bench::measure`] tells how fast it is on a disk.
//! Tables, codecs and recovery: `FORMAT.md`.

pub mod bench;
mod check;
mod checkpoint;
mod commit;
mod day;
mod decimal;
mod error;
pub mod export;
#[cfg(test)]
mod faults;
mod group;
mod handle;
pub mod limits;
mod loading;
mod pressure;
mod query;
mod recent;
mod replay;
mod rows;
pub mod sim;
#[cfg(feature = "simulator")]
pub mod simulator;
#[cfg(all(test, not(feature = "simulator")))]
#[expect(dead_code, unreachable_pub, reason = "the tests use a part of it")]
mod simulator;
pub mod statement;
mod steps;
mod store;
mod table;
mod writer;

pub use check::{AssetReport, CheckReport, check_folder};
pub use checkpoint::{AccountProof, BreachError, folder_continues};
pub use day::{Day, DayError, moment};
pub use error::{OpenError, QueryError, SubmitError};
pub use handle::{Clock, Ledger, LedgerOptions, Outcome};
pub use replay::ReplayError;
