//! What kind of file bytes are, by the node's Magika model.

#[cfg(target_family = "wasm")]
mod component;
pub mod kind;
pub mod labels;
pub mod limits;
pub mod request;
