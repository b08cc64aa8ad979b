//! The sentences that say most of what a text says, chosen by what they mean and not repeated.

pub mod candidates;
pub mod choose;
#[cfg(target_family = "wasm")]
mod component;
pub mod compose;
pub mod limits;
pub mod request;
