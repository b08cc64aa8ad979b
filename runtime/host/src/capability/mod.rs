//! What a guest may reach outside itself. Each capability is a trait that the host owns and somebody else fulfils.
//!
//! Three lifetimes: the linker is made per process, grants are checked per agent, and the objects behind the
//! traits are handed in per call, so that a purchase is always attributed to the call that pays for it.

pub(crate) mod bindings;
mod bucket;
mod context;
pub mod inference;
pub mod log;
pub mod market;
mod metering;
mod nn;
pub mod store;
mod tenders;
pub mod topics;
pub mod wallet;

use std::{fmt, sync::Arc, time::Instant};

use futures::future::BoxFuture;
use wasmtime::component::{HasSelf, Linker};

use crate::state::State;
use inference::Infer;
use log::Log;
use market::Market;
use store::AgentStore;
use topics::Topics;
use wallet::Wallet;

/// The outside of one call.
#[derive(Clone)]
pub struct Capabilities {
    /// Buys what the component imports.
    pub market: Arc<dyn Market>,
    /// Runs models.
    pub inference: Arc<dyn Infer>,
    /// Keeps the agent's state.
    pub store: Arc<dyn AgentStore>,
    /// Takes what the guest writes.
    pub log: Arc<dyn Log>,
    /// The agent's account.
    pub wallet: Arc<dyn Wallet>,
    /// Where it may publish.
    pub topics: Arc<dyn Topics>,
    /// The call that is served; none for `lifecycle` functions and where the agent wakes up by itself.
    pub call: Option<CallInfo>,
}

impl Capabilities {
    /// Nothing behind any of them: no offers, no models, no store, no money; lines go to `tracing` at debug level.
    pub fn absent() -> Self {
        let absent = Arc::new(Absent);
        Capabilities {
            market: absent.clone(),
            inference: absent.clone(),
            store: absent.clone(),
            log: absent.clone(),
            wallet: absent.clone(),
            topics: absent,
            call: None,
        }
    }
}

impl fmt::Debug for Capabilities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Capabilities").field("call", &self.call).finish_non_exhaustive()
    }
}

/// What `hansa:agent/context.current-call` tells the guest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallInfo {
    /// Names the call; stable over retries.
    pub id: [u8; 32],
    /// Key of the account that pays, `did:key:…`.
    pub buyer: String,
    /// When the answer is due.
    pub deadline: Instant,
}

/// The part behind a capability that this node or this call does not have: every use says so.
#[derive(Debug, Clone, Copy, Default)]
pub struct Absent;

/// Puts every capability into a linker; whether an agent may use one is decided before linking.
pub(crate) fn add_to_linker(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    use bindings::{hansa, wasi};
    hansa::agent::context::add_to_linker::<_, HasSelf<State>>(linker, |state| state)?;
    hansa::agent::log::add_to_linker::<_, HasSelf<State>>(linker, |state| state)?;
    hansa::agent::topics::add_to_linker::<_, HasSelf<State>>(linker, |state| state)?;
    hansa::wallet::wallet::add_to_linker::<_, HasSelf<State>>(linker, |state| state)?;
    hansa::agent::metering::add_to_linker::<_, HasSelf<State>>(linker, |state| state)?;
    hansa::market::terms::add_to_linker::<_, HasSelf<State>>(linker, |state| state)?;
    hansa::market::offers::add_to_linker::<_, HasSelf<State>>(linker, |state| state)?;
    hansa::market::tenders::add_to_linker::<_, HasSelf<State>>(linker, |state| state)?;
    hansa::inference::models::add_to_linker::<_, HasSelf<State>>(linker, |state| state)?;
    hansa::inference::tensors::add_to_linker::<_, HasSelf<State>>(linker, |state| state)?;
    hansa::inference::text::add_to_linker::<_, HasSelf<State>>(linker, |state| state)?;
    hansa::inference::generate::add_to_linker::<_, HasSelf<State>>(linker, |state| state)?;
    wasi::nn::tensor::add_to_linker::<_, HasSelf<State>>(linker, |state| state)?;
    wasi::nn::graph::add_to_linker::<_, HasSelf<State>>(linker, |state| state)?;
    wasi::nn::inference::add_to_linker::<_, HasSelf<State>>(linker, |state| state)?;
    wasi::nn::errors::add_to_linker::<_, HasSelf<State>>(linker, |state| state)?;
    wasi::keyvalue::store::add_to_linker::<_, HasSelf<State>>(linker, |state| state)
}

/// A future that is ready at once.
fn ready<T: Send + 'static>(value: T) -> BoxFuture<'static, T> {
    Box::pin(std::future::ready(value))
}
