//! The host against real components: `fixtures/*`, built by `./justw agents`. One binary, as linking wasmtime is slow.
#![expect(clippy::unwrap_used, reason = "tests")]

mod capabilities;
mod crossing;
mod failures;
mod generation;
mod grants;
mod json;
mod json_schema;
mod market;
mod models;
mod nn;
mod programs;
mod reuse;
mod support;
mod values;
