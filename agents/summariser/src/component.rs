//! The component: buys embeddings of all sentences, sells the best of them, and what a language model makes of those.

mod write;

hansa_sdk::agent! {
    world: "commons:summariser-agent/summariser",
    wit: ["../../wit/hansa-service", "../../wit/commons-embedding", "../../wit/commons-summary", "wit"],
    agent: Summariser,
}

use bindings::commons::embedding::embedder;
use bindings::commons::summary::types::{Composed, Sentence};
use bindings::exports::commons::summary::summariser::Guest;
use hansa_sdk::{Bought, Fault, inference, join_at_most};

use crate::candidates::{self, Candidate};
use crate::choose::choose;
use crate::limits::{BATCH, PURCHASES_AT_ONCE, SOURCES_MAX};
use crate::{compose, request};

struct Summariser;

impl Guest for Summariser {
    async fn summarise(text: String, focus: Option<String>, count: u32) -> Result<Vec<Sentence>, Fault> {
        request::check_summarise(&text, focus.as_deref(), count)?;
        best(&text, focus, count).await
    }

    async fn compose(text: String, focus: Option<String>, words: u32) -> Result<Composed, Fault> {
        request::check_compose(&text, focus.as_deref(), words)?;
        let granted = inference::list();
        let model = compose::writer(&granted)?;
        let chosen = best(&text, focus.clone(), SOURCES_MAX).await?;
        let texts: Vec<&str> = chosen.iter().map(|sentence| sentence.text.as_str()).collect();
        let scores: Vec<f32> = chosen.iter().map(|sentence| sentence.score).collect();
        let readable = write::readable(model, &texts, &scores, focus.as_deref(), words)?;
        let told: Vec<&str> = readable.iter().map(|index| texts[*index]).collect();
        let written = write::write(model, &compose::prompt(&told, focus.as_deref(), words), words)?;
        let sentences = readable.iter().map(|index| chosen[*index].clone()).collect();
        Ok(Composed { text: written.text, model: model.model.to_string(), sentences, complete: written.complete })
    }
}

/// The `count` sentences that say most, in their order in the text.
async fn best(text: &str, focus: Option<String>, count: u32) -> Result<Vec<Sentence>, Fault> {
    let candidates = candidates::of(text)?;
    let mut texts: Vec<String> = focus.into_iter().collect();
    let focused = texts.len();
    texts.extend(candidates.iter().map(|candidate| candidate.embedded().to_owned()));
    let vectors = embed(&texts).await?;
    let vectors: Vec<&[f32]> = vectors.iter().map(Vec::as_slice).collect();
    let (focus, sentences) = vectors.split_at(focused);
    let chosen = choose(sentences, focus.first().copied(), count as usize);
    Ok(chosen.into_iter().map(|choice| sentence(&candidates[choice.index], choice.score)).collect())
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
