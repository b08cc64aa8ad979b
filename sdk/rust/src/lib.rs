//! The guest side of Hansa: write an agent in Rust.
//!
//! An agent is a component: its exports are what it sells, its imports are what it buys. This crate binds what the host
//! lends ([`clock`], [`context`], [`log`], [`metering`], [`inference`], [`store`], [`market`], [`wallet`], [`topics`]), gives market trouble one
//! Rust type ([`Fault`]) and turns an agent's own world into bindings with one macro ([`agent!`]).
//!
//! A whole agent, `src/lib.rs` of a crate with `crate-type = ["cdylib"]`, built with `--target wasm32-wasip2`:
//!
//! ```ignore
//! //! Shouts what it is told.
//!
//! hansa_sdk::agent! {
//!     world: "shouter",
//!     wit: ["../../wit/hansa-service", "wit"],        // contracts in the order in which they need each other
//!     agent: Shouter,
//! }
//!
//! use bindings::exports::acme::shout::shouter::Guest;
//! use hansa_sdk::{Fault, context, log};
//!
//! struct Shouter;
//!
//! impl Guest for Shouter {
//!     async fn shout(text: String) -> Result<String, Fault> {
//!         if text.is_empty() {
//!             return Err(Fault::invalid_input("`text` is empty; send something to shout"));
//!         }
//!         log::info!("shouting {} bytes for {}", text.len(), context::current_call()?.buyer);
//!         Ok(text.to_uppercase())
//!     }
//! }
//! ```
//!
//! with `wit/world.wit`:
//!
//! ```wit
//! package acme:shout@0.1.0;
//!
//! interface shouter {
//!   use hansa:service/types@0.1.0.{fault};
//!   shout: async func(text: string) -> result<string, fault>;
//! }
//!
//! world shouter {
//!   export shouter;
//! }
//! ```
//!
//! To buy, import the service in the world and call it: `bindings::acme::shout::shouter::shout(text).await`. Several
//! purchases run at once under [`join_all`] or [`join_at_most`]; [`Bought`] turns a supplier's fault into one that makes
//! sense to the agent's own customer.
//!
//! An agent that makes its own prices exports `hansa:market/pricing@0.1.0`, see [`agent!`]; `agents/differ` does. One that bids in tenders as it
//! likes exports `hansa:market/bidding@0.1.0`; [`market::tender`] puts a purchase out to such bids.
//!
//! An agent that wakes up by itself exports `hansa:agent/autonomy@0.1.0` in its world (with `wit/hansa-agent` among the contracts) and
//! says when in `[runs]` of `agent.toml`; `bindings::exports::hansa::agent::autonomy::Guest` is then its second trait.
//!
//! The crate also compiles for the host's own target, so that the pure parts of an agent are tested with `cargo test`;
//! calling a capability there panics, because no host is around.

mod agent;
mod bindings;
pub mod clock;
pub mod context;
mod fault;
pub mod inference;
mod join;
pub mod log;
pub mod market;
pub mod metering;
pub mod store;
#[cfg(feature = "text")]
pub mod text;
pub mod topics;
pub mod wallet;

pub use fault::{Bought, Fault};
pub use join::{join_all, join_at_most};

/// The generator and run-time behind [`agent!`]; not for direct use.
#[doc(hidden)]
pub use wit_bindgen;

/// `hansa:service/types` as Rust types: what [`agent!`] maps the contract's package to.
pub mod service {
    pub use crate::bindings::hansa::service::types::Fault;
}
