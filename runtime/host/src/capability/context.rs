//! `hansa:agent/context`: who the guest is and what it is serving.

use std::time::Instant;

use super::bindings::hansa::agent::context::{Call, Host, Identity};
use crate::state::State;

impl Host for State {
    async fn whoami(&mut self) -> Identity {
        let identity = &self.agent.identity;
        Identity {
            agent: identity.agent.clone(),
            name: identity.name.clone(),
            version: identity.version.clone(),
            node: identity.node.clone(),
        }
    }

    async fn current_call(&mut self) -> Option<Call> {
        let call = self.capabilities.call.as_ref()?;
        let left = call.deadline.saturating_duration_since(Instant::now()).as_millis();
        Some(Call { id: call.id.to_vec(), buyer: call.buyer.clone(), deadline_ms: u32::try_from(left).unwrap_or(u32::MAX) })
    }
}
