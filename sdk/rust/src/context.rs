//! Who the agent is and which call it serves.

pub use crate::bindings::hansa::agent::context::{Call, Identity};
use crate::{Fault, bindings::hansa::agent::context};

/// The agent's key, package and node.
#[must_use]
pub fn whoami() -> Identity {
    context::whoami()
}

/// The call being served: its id, who pays for it and how long is left.
///
/// # Errors
/// [`Fault::Failed`] outside a call, that is in `lifecycle` functions.
pub fn current_call() -> Result<Call, Fault> {
    context::current_call().ok_or_else(|| Fault::failed("no call is being served; `current_call` is for traded functions"))
}
