//! Topics on the bus: whoever follows one hears what is published while it listens. Asks for `topics.publish` in `agent.toml`.

use crate::Fault;
use crate::bindings::hansa::agent::topics;

/// Publish at most 256 KiB on `topic`, words joined by dots.
///
/// # Errors
/// [`Fault::Failed`]: the topic is not granted, or the bus cannot be reached.
pub fn publish(topic: &str, payload: &[u8]) -> Result<(), Fault> {
    topics::publish(topic, payload).map_err(|reason| Fault::Failed(format!("could not publish on `{topic}`: {reason}")))
}
