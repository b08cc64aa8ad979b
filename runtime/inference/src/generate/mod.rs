//! Generating text: one token after another, many answers in one step, handed out and charged as they come.
//!
//! A caller's prompt becomes tokens (`text`, `chat`), is quoted and held for, and waits in the model's `line`. The model's
//! thread works in turns (`engine`): sequences join and leave at each step in the order of their tenants' `turns`, as many
//! `rows` at once as pay off, with their keys and values in one `cache`. Each row's logits choose a token (`sampler`), which
//! makes text (`answer`, `stop`), which waits in the `outlet` until the caller reads it through its `generation` and pays.

mod answer;
mod cache;
mod chat;
mod decoder;
mod engine;
#[cfg(test)]
mod engine_tests;
mod generation;
mod line;
mod outlet;
mod proof;
mod request;
mod rows;
mod sampler;
mod sequence;
mod serve;
mod stop;
mod text;
mod turns;
#[cfg(test)]
mod whole_tests;

pub use generation::Generation;
pub(crate) use line::Line;
pub use request::{Event, Finish, Message, Prompt, Sampling};
pub(crate) use serve::{Decoding, check, golden_answer, serve};
pub(crate) use text::Speech;
