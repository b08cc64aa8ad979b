//! What this agent buys, in the shape in which it needs it.

use hansa_sdk::{Bought, Fault, join_at_most};

use super::bindings::commons::embedding::embedder;
use super::bindings::commons::files::{identifier, types::Kind};
use super::bindings::commons::reading::{reader, types::Passage};
use crate::candidates::Ranked;
use crate::limits::{EMBED_BATCH, EMBEDS_AT_ONCE, READS_AT_ONCE};
use crate::request::{self, Document};

/// Vectors of one model.
pub(super) struct Vectors {
    pub(super) vectors: Vec<Vec<f32>>,
    /// `name@version`.
    pub(super) model: String,
}

/// A ranking by one model.
pub(super) struct Ranking {
    pub(super) rows: Vec<Ranked>,
    /// `name@version`.
    pub(super) model: String,
}

/// The kind of each document.
pub(super) async fn identify(documents: &[Document]) -> Result<Vec<Kind>, Fault> {
    if documents.is_empty() {
        return Ok(Vec::new());
    }
    let ends = documents.iter().map(|document| request::ends(&document.content)).collect();
    let kinds = identifier::identify(ends).await.bought("the kinds of the documents")?;
    match kinds.len() == documents.len() {
        true => Ok(kinds),
        false => Err(Fault::failed("the identifier did not answer for every document; try again")),
    }
}

/// The passages of each document, or why there are none.
pub(super) async fn read(documents: &[(Document, Kind)]) -> Vec<Result<Vec<Passage>, Fault>> {
    let readings = documents
        .iter()
        .map(|(document, kind)| reader::read(document.name.clone(), kind.label.clone(), document.content.clone()));
    join_at_most(READS_AT_ONCE, readings).await
}

/// One vector for each text.
pub(super) async fn embed(texts: &[String]) -> Result<Vectors, Fault> {
    let batches = texts.chunks(EMBED_BATCH).map(|batch| embedder::embed(batch.to_vec()));
    let mut all = Vectors { vectors: Vec::with_capacity(texts.len()), model: String::new() };
    for (bought, batch) in join_at_most(EMBEDS_AT_ONCE, batches).await.into_iter().zip(texts.chunks(EMBED_BATCH)) {
        let bought = bought.bought("embeddings")?;
        let dims = bought.dims as usize;
        let fits = dims > 0 && bought.data.len() == dims * batch.len();
        if !fits || !(all.model.is_empty() || all.model == bought.model) {
            return Err(Fault::failed("the embeddings bought do not fit together; try again"));
        }
        all.model = bought.model;
        all.vectors.extend(bought.data.chunks_exact(dims).map(<[f32]>::to_vec));
    }
    Ok(all)
}

/// All of `texts`, those first that bear most on the question.
pub(super) async fn rank(question: &str, texts: Vec<String>) -> Result<Ranking, Fault> {
    let wanted = texts.len();
    let bought = embedder::rank(question.to_owned(), texts, 0).await.bought("a ranking of the passages")?;
    let rows: Vec<Ranked> = bought.rows.iter().map(|row| Ranked { index: row.index, score: row.score }).collect();
    match rows.len() == wanted {
        true => Ok(Ranking { rows, model: bought.model }),
        false => Err(Fault::failed("the ranking bought does not name every passage")),
    }
}
