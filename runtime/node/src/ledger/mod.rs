//! The ledger as a node uses it: here, or on another node over the bus; and the door that serves it.

pub mod checkpoint;
mod door;
mod finalize;
mod link;
mod parts;
mod port;
mod wire;

pub use door::serve;
pub use finalize::finalize_due;
pub use link::{LedgerLink, LinkError};
pub(crate) use parts::export_parts;
pub use port::LinkPort;
pub use wire::{Answer, Info, Query, Receipted};

/// Where signed commands go.
pub const SUBMIT_SUBJECT: &str = "hansa.ledger.submit";
/// Where questions go.
pub const QUERY_SUBJECT: &str = "hansa.ledger.query";
/// The asset that a new ledger starts with.
pub const CREDITS: u32 = 1;
