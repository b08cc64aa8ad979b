//! `hansa:agent/topics`: publishing for whoever listens.

use futures::future::BoxFuture;

use super::{Absent, bindings::hansa::agent::topics, ready};
use crate::{limits::TOPIC_BYTES_MAX, state::State};

/// Where one agent may publish.
pub trait Topics: Send + Sync {
    /// Publishes, or says why not.
    fn publish(&self, topic: String, payload: Vec<u8>) -> BoxFuture<'_, Result<(), String>>;
}

impl Topics for Absent {
    fn publish(&self, topic: String, _: Vec<u8>) -> BoxFuture<'_, Result<(), String>> {
        ready(Err(format!("no bus here to publish `{topic}` on")))
    }
}

impl topics::Host for State {
    async fn publish(&mut self, topic: String, payload: Vec<u8>) -> Result<(), String> {
        if payload.len() > TOPIC_BYTES_MAX {
            return Err(format!("a message of {} bytes; at most {TOPIC_BYTES_MAX}", payload.len()));
        }
        self.capabilities.topics.publish(topic, payload).await
    }
}
