//! Files to clean passages of a size that is good to embed, quote and cite.
//!
//! The way of a file: [`source`] checks that it is text, [`format`](mod@format) says how to read it, one of [`markdown`],
//! [`html`], [`plain`], [`code`] turns it into [`units`] (sentences or lines that know where they stand), and [`passages`]
//! puts units together.

pub mod code;
#[cfg(target_family = "wasm")]
mod component;
pub mod format;
pub mod html;
pub mod limits;
pub mod markdown;
pub mod outline;
pub mod passages;
pub mod plain;
pub mod read;
pub mod signature;
pub mod source;
pub mod units;
