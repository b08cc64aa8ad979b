//! `ask`: from a question to an answer with citations.

use hansa_sdk::store::Bucket;
use hansa_sdk::{Fault, context, log, text};

use super::bindings::commons::library::types::{Answer, Citation};
use super::bindings::commons::summary::summariser;
use super::purchases;
use crate::limits::{ANSWER_SENTENCES, SUMMARISED_MAX};
use crate::rank::{Found, Question, rank};
use crate::select::select;
use crate::shelf::{self, Keys};
use crate::{candidates, request, terms};

pub(super) async fn ask(shelf: &str, question: &str, passages: u32) -> Result<Answer, Fault> {
    request::check_ask(shelf, question, passages)?;
    let keys = Keys::new(&context::current_call()?.buyer, shelf);
    let bucket = Bucket::open()?;
    let catalogue = shelf::load(&bucket, &keys)?;
    if catalogue.passages() == 0 {
        return Err(Fault::invalid_input(format!("nothing is on the shelf `{shelf}`; put documents on it with `shelve` first")));
    }
    let bought = purchases::embed(&[question.to_owned()]).await?;
    let packs = shelf::load_packs(&bucket, &keys, &catalogue)?;
    let mut documents = Vec::new();
    for (bytes, entry) in packs.iter().zip(&catalogue.packs) {
        documents.extend(shelf::decode(bytes, entry)?);
    }
    let strangers = documents.iter().filter(|document| document.model != bought.model).count();
    if strangers > 0 {
        log::warn!("{strangers} documents have vectors of another model than `{}`; they are found by words alone", bought.model);
    }
    let vector = bought.vectors.first().map(Vec::as_slice).unwrap_or_default();
    let ranked = rank(&Question { vector, model: &bought.model, terms: &terms::of_question(question) }, &documents);
    let ranked = reranked(question, &bought.model, candidates::bearing(&ranked), passages as usize).await;
    let chosen = select(&ranked, passages as usize);
    Ok(Answer { text: answer(question, &chosen).await, citations: chosen.iter().map(citation).collect() })
}

/// The best candidates in the order of a ranking that is bought; where none can be bought, in our own.
async fn reranked<'a>(question: &str, model: &str, found: Vec<Found<'a>>, cited: usize) -> Vec<Found<'a>> {
    let count = candidates::count(&found, cited);
    if count < 2 {
        return found;
    }
    let texts = found[..count].iter().map(candidates::text).collect();
    let order = purchases::rank(question, texts).await;
    match order.and_then(|bought| candidates::ordered(&found, &bought.rows, bought.model == model)) {
        Ok(order) => order,
        Err(fault) => {
            log::warn!("answered in the order of the shelf's own vectors and words: {fault}");
            found
        }
    }
}

/// The sentences of the chosen passages that answer best; without a summariser, how the best passage begins.
async fn answer(question: &str, chosen: &[Found<'_>]) -> String {
    let Some(best) = chosen.first() else { return String::new() };
    let texts: Vec<&str> = chosen.iter().take(SUMMARISED_MAX).map(|found| found.passage.text).collect();
    match summariser::summarise(texts.join("\n\n"), Some(question.to_owned()), ANSWER_SENTENCES).await {
        Ok(sentences) if !sentences.is_empty() => {
            sentences.into_iter().map(|sentence| sentence.text).collect::<Vec<_>>().join(" ")
        }
        Ok(_) => beginning(best.passage.text),
        Err(fault) => {
            log::warn!("answered without a summary: {fault}");
            beginning(best.passage.text)
        }
    }
}

fn beginning(passage: &str) -> String {
    let sentences = text::sentences(passage);
    let end = sentences.iter().take(ANSWER_SENTENCES as usize).next_back().map_or(passage.len(), |range| range.end);
    passage[..end].to_owned()
}

fn citation(found: &Found<'_>) -> Citation {
    Citation {
        document: found.name.to_owned(),
        heading: found.passage.heading.to_owned(),
        first_line: found.passage.first_line,
        last_line: found.passage.last_line,
        quote: found.passage.text.to_owned(),
        score: found.cosine,
    }
}
