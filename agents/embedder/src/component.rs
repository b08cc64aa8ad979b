//! The component: the contract over the node's model.

hansa_sdk::agent! {
    world: "commons:embedder-agent/embedder",
    wit: ["../../wit/hansa-service", "../../wit/commons-embedding", "wit"],
    agent: Embedder,
}

use bindings::commons::embedding::types::Vectors;
use bindings::exports::commons::embedding::embedder::Guest;
use hansa_sdk::{Fault, inference};

use crate::{request, vectors};

/// As `inference.models` of `agent.toml` names it.
const MODEL: &str = "minilm";

struct Embedder;

impl Guest for Embedder {
    async fn embed(texts: Vec<String>) -> Result<Vectors, Fault> {
        request::check(&texts)?;
        let model = inference::info(MODEL)?.model.to_string();
        let embedded = inference::embed(MODEL, &texts, &inference::Options::default())?;
        let data = vectors::unit(embedded.data, embedded.dims, texts.len())?;
        Ok(Vectors { dims: embedded.dims, data, truncated: embedded.truncated, model })
    }
}
