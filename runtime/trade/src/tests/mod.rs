//! Seller and buyer against the ledger's real rules, kept in memory with a clock that only the test moves.

mod bed;
mod closing;
mod defending;
mod deposits;
mod looking;
mod named;
mod prices;
mod quotes;
mod redeeming;
mod rogue;
mod tenders;
