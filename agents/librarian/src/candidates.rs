//! The candidates for citation, put into the order of a ranking that was bought.

use hansa_sdk::Fault;

use crate::limits::{CANDIDATE_BYTES_MAX, CANDIDATES_MAX, CANDIDATES_PER_CITED};
use crate::rank::{Found, fused};
use crate::select::bears;

/// The contract's `ranked`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ranked {
    /// Index among the candidates.
    pub index: u32,
    /// The higher, the more it bears on the question.
    pub score: f32,
}

/// How many of the passages in our own order are worth a ranking, when `cited` are to be cited.
#[must_use]
pub fn count(ranked: &[Found<'_>], cited: usize) -> usize {
    ranked.len().min((cited * CANDIDATES_PER_CITED).min(CANDIDATES_MAX))
}

/// The passages that bear on the question, in their order.
#[must_use]
pub fn bearing<'a>(ranked: &[Found<'a>]) -> Vec<Found<'a>> {
    ranked.iter().filter(|found| bears(found)).copied().collect()
}

/// What of a candidate is ranked: the headings say what it is about.
#[must_use]
pub fn text(found: &Found<'_>) -> String {
    let (heading, passage) = (found.passage.heading, found.passage.text);
    let mut text = if heading.is_empty() { passage.to_owned() } else { format!("{heading}\n{passage}") };
    text.truncate(text.floor_char_boundary(CANDIDATE_BYTES_MAX));
    text
}

/// Put the first passages, as many as `rows`, into the order of a ranking; those after them stay behind.
///
/// A model that reads question and passage together decides alone. Where the ranking is of `vectors_alike`, the model whose
/// vectors our own order knows, it says no more than those: it gives a cosine to passages that had none, and words count as before.
///
/// # Errors
/// [`Fault::Failed`] for a ranking that does not name each of them once.
pub fn ordered<'a>(found: &[Found<'a>], rows: &[Ranked], vectors_alike: bool) -> Result<Vec<Found<'a>>, Fault> {
    let nonsense = || Fault::failed("the ranking bought does not fit the candidates");
    let (head, tail) = found.split_at_checked(rows.len()).ok_or_else(nonsense)?;
    let mut left: Vec<Option<Found<'a>>> = head.iter().copied().map(Some).collect();
    let mut order = Vec::with_capacity(found.len());
    for row in rows {
        let candidate = left.get_mut(row.index as usize).and_then(Option::take).ok_or_else(nonsense)?;
        let cosine = if vectors_alike { row.score } else { candidate.cosine };
        order.push(Found { cosine, ..candidate });
    }
    if vectors_alike {
        order = fused(&order);
    }
    order.extend(tail);
    Ok(order)
}

#[cfg(test)]
mod tests {
    use super::{Ranked, bearing, count, ordered, text};
    use crate::limits::CANDIDATE_BYTES_MAX;
    use crate::rank::Found;
    use crate::shelf::StoredPassage;

    fn passage<'a>(heading: &'a str, text: &'a str) -> StoredPassage<'a> {
        StoredPassage { heading, text, first_line: 1, last_line: 1, scale: 0.0, vector: &[], terms: &[] }
    }

    fn found<'a>(passage: &'a StoredPassage<'a>, cosine: f32, words: f32) -> Found<'a> {
        Found { document: 0, name: "d", passage, cosine, words }
    }

    fn rows(rows: &[(u32, f32)]) -> Vec<Ranked> {
        rows.iter().map(|&(index, score)| Ranked { index, score }).collect()
    }

    fn texts(found: &[Found<'_>]) -> Vec<String> {
        found.iter().map(|found| found.passage.text.to_owned()).collect()
    }

    #[test]
    fn a_model_that_reads_both_decides_alone() {
        let (a, b, c) = (passage("", "a"), passage("", "b"), passage("", "c"));
        let own = [found(&a, 0.9, 2.0), found(&b, 0.5, 0.0), found(&c, 0.4, 0.0)];
        let order = ordered(&own, &rows(&[(1, 7.5), (0, -3.0)]), false).unwrap();
        assert_eq!(texts(&order), ["b", "a", "c"]);
        assert_eq!(order[0].cosine, 0.5, "a score of another kind is no cosine");
    }

    #[test]
    fn cosines_again_do_not_outvote_words() {
        let (a, b) = (passage("", "a"), passage("", "b"));
        let own = [found(&a, 0.5, 2.0), found(&b, 0.6, 0.0)];
        assert_eq!(texts(&ordered(&own, &rows(&[(1, 0.6), (0, 0.5)]), true).unwrap()), ["a", "b"]);
        // `a` was shelved with another model, so that our own order knew no cosine of it.
        let own = [found(&b, 0.6, 1.0), found(&a, 0.0, 1.0)];
        let order = ordered(&own, &rows(&[(1, 0.8), (0, 0.6)]), true).unwrap();
        assert_eq!(order.iter().map(|found| found.cosine).fold(0.0, f32::max), 0.8);
    }

    #[test]
    fn a_ranking_of_other_things_is_refused() {
        let a = passage("", "a");
        let own = [found(&a, 0.5, 0.0), found(&a, 0.4, 0.0)];
        for wrong in [&[(0, 1.0), (0, 0.5)][..], &[(2, 1.0), (0, 0.5)], &[(0, 1.0), (1, 0.5), (2, 0.1)]] {
            assert!(ordered(&own, &rows(wrong), false).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn four_times_as_many_as_cited_are_ranked_up_to_a_bound() {
        let a = passage("", "a");
        let many = vec![found(&a, 0.5, 0.0); 50];
        assert_eq!([count(&many, 3), count(&many, 10), count(&many[..5], 3)], [12, 24, 5]);
        let mixed = [found(&a, 0.01, 0.0), found(&a, 0.01, 1.0), found(&a, 0.5, 0.0)];
        assert_eq!(bearing(&mixed).len(), 2);
    }

    #[test]
    fn headings_are_ranked_with_what_they_head() {
        let long = "ä".repeat(CANDIDATE_BYTES_MAX);
        assert_eq!(text(&found(&passage("Hours", "Open at ten."), 0.5, 0.0)), "Hours\nOpen at ten.");
        assert_eq!(text(&found(&passage("x", &long), 0.5, 0.0)).len(), CANDIDATE_BYTES_MAX);
    }
}
