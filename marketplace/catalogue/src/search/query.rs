//! From a question to what the index is asked: words with their fields and weights, filters, and the words that were meant.

use tantivy::Term;
use tantivy::query::{
    AllQuery, BooleanQuery, BoostQuery, ConstScoreQuery, DisjunctionMaxQuery, Occur, Query as IndexQuery, TermQuery, TermSetQuery,
};
use tantivy::schema::{Field as Place, IndexRecordOption};

use super::index::{Places, Store};
use super::words::{query_words, stem};
use super::{Correction, Field, Filter, Query};
use crate::limits::RESULTS_MAX;

/// What a package gets whose name is the very query.
const EXACT_NAME: f32 = 60.0;
/// How much a word's other fields count beside the one in which it counts most.
const OTHER_FIELDS: f32 = 0.3;
/// READMEs in which a word stands before it can be called common.
const COMMON_FROM: u32 = 5_000;
/// It also has to stand in more than one of so many packages.
const COMMON_PART: usize = 16;
/// Words that a beginning of a word may stand for.
const COMPLETIONS_MAX: usize = 8;

/// A query's words as they are looked for.
pub(super) struct Words {
    /// For each word: the stems that will do.
    pub(super) stems: Vec<Vec<String>>,
    /// Words that were replaced.
    pub(super) corrections: Vec<Correction>,
}

/// Find out what the words of `text` stand for: themselves where any package has them, else words that begin so, else the
/// nearest known word.
pub(super) fn read_words(text: &str, store: &Store) -> Words {
    let mut words = Words { stems: Vec::new(), corrections: Vec::new() };
    for word in query_words(text) {
        let own = stem(&word);
        if store.table.knows(&own) {
            words.stems.push(vec![own]);
            continue;
        }
        let completions = if word.len() > 2 { store.vocabulary.beginning_with(&word, COMPLETIONS_MAX) } else { Vec::new() };
        let mut stems: Vec<String> = completions.into_iter().map(stem).collect();
        if stems.is_empty()
            && let Some(near) = store.vocabulary.nearest(&word)
        {
            stems.push(stem(near));
            words.corrections.push(Correction { typed: word.clone(), used: near.to_owned() });
        }
        if stems.is_empty() {
            stems.push(own);
        }
        stems.sort();
        stems.dedup();
        words.stems.push(stems);
    }
    words
}

/// The query for the index in which at least `needed` of the words must be found.
pub(super) fn build(query: &Query, words: &Words, needed: usize, store: &Store) -> Box<dyn IndexQuery> {
    let places = store.places();
    let mut parts: Vec<(Occur, Box<dyn IndexQuery>)> = Vec::new();
    if words.stems.is_empty() {
        parts.push((Occur::Must, Box::new(ConstScoreQuery::new(Box::new(AllQuery), 1.0))));
    } else {
        // What is common among all may be rare among those that a filter leaves.
        let unfiltered = query.filter == Filter::default();
        let (common, telling): (Vec<_>, Vec<_>) = words.stems.iter().partition(|stems| unfiltered && is_common(stems, store));
        if telling.is_empty() {
            parts.push((
                Occur::Must,
                at_least(needed, common.into_iter().map(|stems| word(stems, &places.texts[..Field::README]))),
            ));
        } else {
            let needed = needed.min(telling.len());
            parts.push((Occur::Must, at_least(needed, telling.into_iter().map(|stems| word(stems, &places.texts)))));
            parts.extend(common.into_iter().map(|stems| (Occur::Should, word(stems, &places.texts))));
        }
        let name = query.text.trim().to_lowercase();
        let exact = term(&places, format!("name={}", name.replace(' ', "-")));
        parts.push((Occur::Should, Box::new(ConstScoreQuery::new(exact, EXACT_NAME))));
    }
    for filter in filters(&query.filter, store) {
        parts.push((Occur::Must, Box::new(ConstScoreQuery::new(filter, 0.0))));
    }
    Box::new(BooleanQuery::new(parts))
}

/// Does a word stand in so many READMEs that it tells packages apart no more? Beside other words such a word only moves packages
/// that have it up; alone it is looked for everywhere but in READMEs, where it is enough to fill every page. Scoring it in all of
/// them would take tens of milliseconds, for packages that nobody gets to see.
fn is_common(stems: &[String], store: &Store) -> bool {
    stems.iter().any(|stem| {
        let [others @ .., readme] = store.table.packages_with(stem);
        readme >= COMMON_FROM
            && readme as usize > store.table.len() / COMMON_PART
            && others.iter().sum::<u32>() >= RESULTS_MAX as u32
    })
}

fn at_least(needed: usize, words: impl Iterator<Item = Box<dyn IndexQuery>>) -> Box<dyn IndexQuery> {
    let mut words: Vec<Box<dyn IndexQuery>> = words.collect();
    match words.len() {
        1 => words.remove(0),
        count if count == needed => Box::new(BooleanQuery::intersection(words)),
        _ => Box::new(BooleanQuery::union_with_minimum_required_clauses(words, needed)),
    }
}

/// In the first of [`Field::ALL`], whose places are given.
fn word(stems: &[String], places: &[Place]) -> Box<dyn IndexQuery> {
    let mut fields: Vec<Box<dyn IndexQuery>> = Vec::new();
    for stem in stems {
        for (field, place) in Field::ALL.iter().zip(places) {
            let term = TermQuery::new(Term::from_field_text(*place, stem), IndexRecordOption::WithFreqs);
            fields.push(Box::new(BoostQuery::new(Box::new(term), field.weight())));
        }
    }
    Box::new(DisjunctionMaxQuery::with_tie_breaker(fields, OTHER_FIELDS))
}

fn term(places: &Places, text: String) -> Box<dyn IndexQuery> {
    Box::new(TermQuery::new(Term::from_field_text(places.terms, &text), IndexRecordOption::Basic))
}

fn filters(filter: &Filter, store: &Store) -> Vec<Box<dyn IndexQuery>> {
    let places = store.places();
    let mut exact = Vec::new();
    exact.extend(filter.publisher.as_ref().map(|publisher| format!("publisher={publisher}")));
    exact.extend(filter.keyword.as_ref().map(|keyword| format!("keyword={}", keyword.to_lowercase())));
    exact.extend(filter.language.as_ref().map(|language| format!("language={}", language.to_lowercase())));
    exact.extend(filter.price.as_ref().map(|price| format!("function={}", price.function)));
    exact.extend(filter.labels.iter().map(|(name, value)| format!("label={name}={value}")));
    let mut filters: Vec<_> = exact.into_iter().map(|text| term(&places, text)).collect();
    if let Some(want) = &filter.interface {
        // Which versions satisfy the wish is decided among those that are sold.
        let terms = store.table.interfaces(want).map(|have| Term::from_field_text(places.terms, &format!("interface={have}")));
        filters.push(Box::new(TermSetQuery::new(terms)));
    }
    filters
}
