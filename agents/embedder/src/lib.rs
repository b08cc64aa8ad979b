//! Texts to vectors whose cosine tells how near two texts are in meaning.

#[cfg(target_family = "wasm")]
mod component;
pub mod limits;
pub mod models;
pub mod ranking;
pub mod request;
pub mod vectors;
