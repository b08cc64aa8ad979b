//! The component: the contract over the node's model.

hansa_sdk::agent! {
    world: "commons:embedder-agent/embedder",
    wit: ["../../wit/hansa-service", "../../wit/commons-embedding", "wit"],
    agent: Embedder,
}

use bindings::commons::embedding::types::{Ranked, Ranking, Vectors};
use bindings::exports::commons::embedding::embedder::Guest;
use hansa_sdk::{Fault, inference};

use crate::models::{self, EMBEDS};
use crate::{ranking, request, vectors};

struct Embedder;

impl Guest for Embedder {
    async fn embed(texts: Vec<String>) -> Result<Vectors, Fault> {
        request::check_embed(&texts)?;
        let model = inference::info(EMBEDS)?.model.to_string();
        let embedded = inference::embed(EMBEDS, &texts, &inference::Options::default())?;
        let data = vectors::unit(embedded.data, embedded.dims, texts.len())?;
        Ok(Vectors { dims: embedded.dims, data, truncated: embedded.truncated, model })
    }

    async fn rank(query: String, documents: Vec<String>, top: u32) -> Result<Ranking, Fault> {
        request::check_rank(&query, &documents)?;
        let granted = inference::list();
        let name = models::ranks(&granted);
        let model = inference::info(name)?.model.to_string();
        let ranked = inference::rerank(name, &query, &documents, top, &inference::Options::default())?;
        let rows = ranking::checked(ranked.rows, documents.len(), top)?;
        Ok(Ranking { rows: rows.into_iter().map(|row| Ranked { index: row.index, score: row.score }).collect(), model })
    }
}
