//! Put documents on a shelf; ask questions; get answers with cited passages.
//!
//! `shelve`: [`request`] checks, four services are bought, [`commit`] writes what came of it. `ask`: [`shelf`] is loaded,
//! [`rank`] finds the passages by meaning ([`vector`]) and by words ([`terms`]), [`candidates`] puts the best of
//! them into the order of a ranking that is bought, [`select`] takes those that do not repeat each other, and a summary of them is
//! bought.

pub mod candidates;
pub mod commit;
#[cfg(target_family = "wasm")]
mod component;
pub mod limits;
pub mod rank;
pub mod request;
pub mod select;
pub mod shelf;
pub mod terms;
pub mod vector;
