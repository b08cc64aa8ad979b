//! News from a topic, cut to their best sentences, published and sold.

#[cfg(target_family = "wasm")]
mod component;
pub mod plan;
pub mod story;
