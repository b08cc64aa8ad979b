//! wasmtime: engine, pool, limits, linker, WIT values on the wire, capabilities as traits.
//!
//! The only room that knows wasmtime; it knows no market, bus, ledger or model. What a guest needs from outside, the
//! host asks of small traits that it owns: [`market::Market`], [`inference::Infer`], [`store::AgentStore`],
//! [`wallet::Wallet`], [`topics::Topics`], [`log::Log`].
//!
//! The way of a call: [`Host::compile`] makes a [`Program`] of bytes, [`Host::prepare`] checks an agent's grants and
//! links its imports, [`Prepared::call`] runs one function in an instance of its own and gives wire bytes
//! (see [`wire`]).

mod apart;
mod cache;
mod call;
mod capability;
mod failure;
mod grants;
mod host;
mod kept;
pub mod limits;
mod link;
mod meter;
mod prepare;
mod pricing;
mod program;
mod raw;
mod state;
mod ticker;
pub mod wire;

pub use apart::{Compiler, compile_if_asked};
pub use call::{Invocation, LifecycleError, Outcome, Timings, Trigger};
pub use capability::{Absent, CallInfo, Capabilities, inference, log, market, store, topics, wallet};
pub use failure::{Failure, FailureKind};
pub use grants::{AgentIdentity, AgentSpec, CallLimits, Grants, Reuse};
pub use host::{CompileError, Crossing, Host, HostError, HostOptions};
pub use market::{Fault, is_fault};
pub use prepare::{PrepareError, Prepared};
pub use pricing::{PricingError, Tender};
pub use program::{Function, Interface, InterfaceKind, NotTradable, Program, satisfies};
pub use wire::{FunctionSchema, JsonError, WireError};
