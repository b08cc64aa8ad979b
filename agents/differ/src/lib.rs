//! What changed between two texts, at a price that follows demand.

pub mod alignment;
pub mod comparison;
#[cfg(target_family = "wasm")]
mod component;
pub mod demand;
pub mod limits;
pub mod tariff;
