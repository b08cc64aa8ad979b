//! Which passages bear on a question: by meaning (cosine) and by words (BM25), put together by reciprocal ranks.
//!
//! BM25: Robertson and Zaragoza, The Probabilistic Relevance Framework, 2009. Reciprocal rank fusion: Cormack, Clarke and
//! Büttcher, 2009.

use std::cmp::Ordering;

use crate::limits::PROPOSED_MAX;
use crate::shelf::{StoredDocument, StoredPassage};
use crate::{terms, vector};

/// BM25: how soon repeats of a word stop counting.
const SATURATION: f32 = 1.2;
/// BM25: how much long passages lose.
const LENGTH_SHARE: f32 = 0.75;
/// Reciprocal rank fusion: the smaller, the more the first places count.
const RANK_OFFSET: f32 = 60.0;
/// What the place by words counts, where the place by meaning counts 1.
const WORDS_WEIGHT: f32 = 0.8;

/// A question, ready to be compared.
#[derive(Debug)]
pub struct Question<'a> {
    /// Its vector, of length 1.
    pub vector: &'a [f32],
    /// The model of the vector; passages of other models are compared by words alone.
    pub model: &'a str,
    /// Its words, as [`terms::of_question`] gives them.
    pub terms: &'a [u32],
}

/// A passage that may be cited.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Found<'a> {
    /// Index of its document.
    pub document: usize,
    /// Name of its document.
    pub name: &'a str,
    /// The passage.
    pub passage: &'a StoredPassage<'a>,
    /// Nearness to the question in meaning, -1 to 1.
    pub cosine: f32,
    /// BM25 of the question's words, from 0.
    pub words: f32,
}

/// The passages that either ranking proposes, best first.
#[must_use]
pub fn rank<'a>(question: &Question<'_>, documents: &'a [StoredDocument<'a>]) -> Vec<Found<'a>> {
    let mut all = Vec::new();
    for (index, document) in documents.iter().enumerate() {
        let comparable = document.model == question.model;
        all.extend(document.passages.iter().map(|passage| {
            let cosine = if comparable { vector::cosine(question.vector, passage.scale, passage.vector) } else { 0.0 };
            Found { document: index, name: document.name, passage, cosine, words: 0.0 }
        }));
    }
    score_words(question.terms, &mut all);
    fused(&all)
}

/// What has a place by meaning or by words, in the order that both together give.
pub(crate) fn fused<'a>(all: &[Found<'a>]) -> Vec<Found<'a>> {
    let by_meaning = places(all, |found| found.cosine);
    let by_words = places(all, |found| found.words);
    let mut fused: Vec<(f32, usize)> = fuse(all.len(), &by_meaning, &by_words);
    fused.sort_by(|a, b| descending(a.0, b.0).then(a.1.cmp(&b.1)));
    fused.into_iter().map(|(_, index)| all[index]).collect()
}

/// Give every passage its BM25.
fn score_words(question: &[u32], all: &mut [Found<'_>]) {
    let count = all.len() as f32;
    let total: usize = all.iter().map(|found| terms::count(found.passage.terms)).sum();
    let average = (total as f32 / count).max(1.0);
    for word in question {
        let frequencies: Vec<f32> = all.iter().map(|found| terms::frequency(found.passage.terms, *word) as f32).collect();
        let having = frequencies.iter().filter(|frequency| **frequency > 0.0).count() as f32;
        let rarity = ((count - having + 0.5) / (having + 0.5)).ln_1p();
        for (found, frequency) in all.iter_mut().zip(frequencies) {
            let length = terms::count(found.passage.terms) as f32 / average;
            let damped = frequency + SATURATION * (1.0 - LENGTH_SHARE + LENGTH_SHARE * length);
            found.words += rarity * frequency * (SATURATION + 1.0) / damped;
        }
    }
}

/// The indices of the best passages by a score, best first; what scores nothing has no place.
fn places(all: &[Found<'_>], score: impl Fn(&Found<'_>) -> f32) -> Vec<usize> {
    let mut indices: Vec<usize> = (0..all.len()).filter(|index| score(&all[*index]) > 0.0).collect();
    indices.sort_by(|a, b| descending(score(&all[*a]), score(&all[*b])).then(a.cmp(b)));
    indices.truncate(PROPOSED_MAX);
    indices
}

fn fuse(count: usize, by_meaning: &[usize], by_words: &[usize]) -> Vec<(f32, usize)> {
    let mut scores = vec![0.0_f32; count];
    for (places, weight) in [(by_meaning, 1.0), (by_words, WORDS_WEIGHT)] {
        for (place, index) in places.iter().enumerate() {
            scores[*index] += weight / (RANK_OFFSET + place as f32 + 1.0);
        }
    }
    scores.into_iter().zip(0..).filter(|(score, _)| *score > 0.0).collect()
}

fn descending(a: f32, b: f32) -> Ordering {
    b.partial_cmp(&a).unwrap_or(Ordering::Equal)
}

#[cfg(test)]
mod tests {
    use super::{Question, rank};
    use crate::shelf::{StoredDocument, StoredPassage};
    use crate::terms;
    use crate::vector::{Quantised, quantise};

    struct Row(&'static str, Quantised, Vec<u8>);

    fn row(text: &'static str, vector: &[f32]) -> Row {
        Row(text, quantise(vector), terms::of_passage(text))
    }

    fn document<'a>(model: &'a str, rows: &'a [Row]) -> StoredDocument<'a> {
        let passage = |row: &'a Row| StoredPassage {
            heading: "",
            text: row.0,
            first_line: 1,
            last_line: 1,
            scale: row.1.scale,
            vector: &row.1.bytes,
            terms: &row.2,
        };
        StoredDocument { name: "d", model, passages: rows.iter().map(passage).collect() }
    }

    fn order(question: &str, vector: &[f32], model: &str, documents: &[StoredDocument<'_>]) -> Vec<String> {
        let words = terms::of_question(question);
        let question = Question { vector, model, terms: &words };
        rank(&question, documents).iter().map(|found| found.passage.text.to_owned()).collect()
    }

    #[test]
    fn what_both_rankings_know_comes_first() {
        let rows = [
            row("a ship sails", &[0.9, 0.436]),
            row("the voucher of a boat", &[0.8, 0.6]),
            row("a voucher is signed", &[0.0, 1.0]),
            row("nothing at all", &[-1.0, 0.0]),
        ];
        let documents = [document("m", &rows)];
        let found = order("where is my boat voucher", &[1.0, 0.0], "m", &documents);
        assert_eq!(found, ["the voucher of a boat", "a ship sails", "a voucher is signed"]);
    }

    #[test]
    fn rare_words_count_more_than_common_ones() {
        let rows = [row("cat cat mat", &[0.0, 1.0]), row("cat hat", &[0.0, 1.0]), row("cat rat", &[0.0, 1.0])];
        assert_eq!(order("cat rat", &[1.0, 0.0], "m", &[document("m", &rows)])[0], "cat rat");
    }

    #[test]
    fn vectors_of_another_model_do_not_count() {
        let rows = [row("near", &[1.0, 0.0]), row("word", &[0.0, 1.0])];
        assert_eq!(order("word", &[1.0, 0.0], "other", &[document("m", &rows)]), ["word"]);
        assert!(order("else", &[1.0, 0.0], "other", &[document("m", &rows)]).is_empty());
    }
}
