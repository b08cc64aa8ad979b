//! Workflows on a node: an engine that runs them, their journals and summaries on the bus, their money on the ledger.

mod before;
mod clock;
mod contracts;
mod deposits;
mod drive;
mod engine;
mod files;
pub(crate) mod http;
mod journal;
mod orders;
mod plans;
mod sellers;
mod starting;
mod summary;
mod till;
mod world;

pub use engine::{Engine, Parts};
pub use orders::{JournalPart, Order, Steer};
pub use starting::Start;
pub use summary::{State, Summary};
