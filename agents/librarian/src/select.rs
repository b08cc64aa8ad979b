//! Which of the ranked passages to cite: those that bear on the question, none twice, not all from one document.

use crate::limits::PER_DOCUMENT_MAX;
use crate::rank::Found;
use crate::vector;

/// Passages that share no word with the question and are less near than this have nothing to do with it.
const COSINE_MIN: f32 = 0.15;
/// Passages nearer to each other than this say the same.
const SAME_COSINE: f32 = 0.95;

/// The best `count` passages, best first.
///
/// At most three of one document, as long as other documents fill the answer. Nothing, if nothing bears on the question.
#[must_use]
pub fn select<'a>(ranked: &[Found<'a>], count: usize) -> Vec<Found<'a>> {
    let mut chosen: Vec<(usize, Found<'a>)> = Vec::new();
    let mut crowded = Vec::new();
    for (place, found) in ranked.iter().enumerate().filter(|(_, found)| bears(found)) {
        if chosen.iter().any(|(_, other)| same(found, other)) {
            continue;
        }
        match chosen.iter().filter(|(_, other)| other.document == found.document).count() >= PER_DOCUMENT_MAX {
            true => crowded.push((place, *found)),
            false => chosen.push((place, *found)),
        }
    }
    chosen.truncate(count);
    for (place, found) in crowded {
        if chosen.len() < count && !chosen.iter().any(|(_, other)| same(&found, other)) {
            chosen.push((place, found));
        }
    }
    chosen.sort_by_key(|(place, _)| *place);
    chosen.into_iter().map(|(_, found)| found).collect()
}

/// Has it anything to do with the question?
#[must_use]
pub fn bears(found: &Found<'_>) -> bool {
    found.cosine >= COSINE_MIN || found.words > 0.0
}

fn same(a: &Found<'_>, b: &Found<'_>) -> bool {
    let (a, b) = (a.passage, b.passage);
    a.text == b.text || vector::cosine_stored((a.scale, a.vector), (b.scale, b.vector)) > SAME_COSINE
}

#[cfg(test)]
mod tests {
    use super::select;
    use crate::rank::Found;
    use crate::shelf::StoredPassage;
    use crate::vector::{Quantised, quantise};

    /// A vector unlike those of other numbers.
    fn vector(number: usize) -> Quantised {
        let mut vector = vec![0.0; 16];
        vector[number] = 1.0;
        quantise(&vector)
    }

    fn passage(text: &str, vector: &'static Quantised) -> StoredPassage<'static> {
        let text: &'static str = Box::leak(text.to_owned().into_boxed_str());
        StoredPassage { heading: "", text, first_line: 1, last_line: 1, scale: vector.scale, vector: &vector.bytes, terms: &[] }
    }

    fn found(document: usize, number: usize, cosine: f32) -> Found<'static> {
        let vector: &'static Quantised = Box::leak(Box::new(vector(number)));
        let passage: &'static StoredPassage<'static> = Box::leak(Box::new(passage(&format!("p{number}"), vector)));
        Found { document, name: "d", passage, cosine, words: 0.0 }
    }

    fn texts(found: &[Found<'_>]) -> Vec<String> {
        found.iter().map(|found| found.passage.text.to_owned()).collect()
    }

    #[test]
    fn one_document_does_not_crowd_out_the_others() {
        let ranked = [found(0, 0, 0.9), found(0, 1, 0.8), found(0, 2, 0.7), found(0, 3, 0.6), found(1, 4, 0.5)];
        assert_eq!(texts(&select(&ranked, 4)), ["p0", "p1", "p2", "p4"]);
        assert_eq!(texts(&select(&ranked, 5)), ["p0", "p1", "p2", "p3", "p4"]);
        assert_eq!(texts(&select(&ranked, 2)), ["p0", "p1"]);
    }

    #[test]
    fn nothing_is_said_twice() {
        let ranked = [found(0, 0, 0.9), found(1, 0, 0.9), found(2, 1, 0.5)];
        assert_eq!(texts(&select(&ranked, 3)), ["p0", "p1"]);
    }

    #[test]
    fn what_has_nothing_to_do_with_it_is_left_out() {
        let by_word = Found { words: 1.0, ..found(1, 1, 0.01) };
        assert_eq!(texts(&select(&[found(0, 0, 0.1), by_word], 3)), ["p1"]);
        assert!(select(&[found(0, 0, 0.1)], 3).is_empty());
    }
}
