//! The component: buys embeddings of all sentences, sells the best of them.

hansa_sdk::agent! {
    world: "commons:summariser-agent/summariser",
    wit: ["../../wit/hansa-service", "../../wit/commons-embedding", "../../wit/commons-summary", "wit"],
    agent: Summariser,
}

use bindings::commons::embedding::embedder;
use bindings::commons::summary::types::Sentence;
use bindings::exports::commons::summary::summariser::Guest;
use hansa_sdk::{Bought, Fault, join_at_most};

use crate::candidates::{self, Candidate};
use crate::choose::choose;
use crate::limits::{BATCH, PURCHASES_AT_ONCE};
use crate::request;

struct Summariser;

impl Guest for Summariser {
    async fn summarise(text: String, focus: Option<String>, count: u32) -> Result<Vec<Sentence>, Fault> {
        request::check(&text, focus.as_deref(), count)?;
        let candidates = candidates::of(&text)?;
        let mut texts: Vec<String> = focus.into_iter().collect();
        let focused = texts.len();
        texts.extend(candidates.iter().map(|candidate| candidate.embedded().to_owned()));
        let vectors = embed(&texts).await?;
        let vectors: Vec<&[f32]> = vectors.iter().map(Vec::as_slice).collect();
        let (focus, sentences) = vectors.split_at(focused);
        let chosen = choose(sentences, focus.first().copied(), count as usize);
        Ok(chosen.into_iter().map(|choice| sentence(&candidates[choice.index], choice.score)).collect())
    }
}

fn sentence(candidate: &Candidate, score: f32) -> Sentence {
    Sentence { text: candidate.text.clone(), position: candidate.position, score }
}

/// One vector for each text, bought in batches; all of one model, for only those can be compared.
async fn embed(texts: &[String]) -> Result<Vec<Vec<f32>>, Fault> {
    let batches = texts.chunks(BATCH).map(|batch| embedder::embed(batch.to_vec()));
    let mut vectors = Vec::with_capacity(texts.len());
    let mut model: Option<String> = None;
    for (bought, batch) in join_at_most(PURCHASES_AT_ONCE, batches).await.into_iter().zip(texts.chunks(BATCH)) {
        let bought = bought.bought("embeddings of the sentences")?;
        let dims = bought.dims as usize;
        if dims == 0 || bought.data.len() != dims * batch.len() || model.as_ref().is_some_and(|model| *model != bought.model) {
            return Err(Fault::failed("the embeddings bought do not fit together; ask again"));
        }
        model = Some(bought.model);
        vectors.extend(bought.data.chunks_exact(dims).map(<[f32]>::to_vec));
    }
    Ok(vectors)
}
