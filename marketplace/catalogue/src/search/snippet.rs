//! The passage of a text that holds most of the words that were looked for.

use std::collections::BTreeSet;
use std::ops::Range;

use super::words::Stem;
use crate::limits::SNIPPET_CHARS_MAX;

/// A passage with the words that were looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snippet {
    /// The passage; `…` where text was left out.
    pub text: String,
    /// Where the words stand in it, bytes.
    pub found: Vec<Range<usize>>,
}

/// The first passage of `text` with the most different of the words that were `found` in it; none where there are none.
pub(super) fn snippet(text: &str, found: &[Stem]) -> Option<Snippet> {
    let (first, last) = densest(found)?;
    let (from, to) = around(text, found[first].from, found[last].to);
    let mut snippet = Snippet { text: String::new(), found: Vec::new() };
    snippet.text.push_str(if from > 0 { "…" } else { "" });
    for stem in found.iter().filter(|stem| stem.from >= from && stem.to <= to) {
        let shift = snippet.text.len();
        snippet.found.push(stem.from - from + shift..stem.to - from + shift);
    }
    snippet.text.push_str(&text[from..to]);
    snippet.text.push_str(if to < text.len() { "…" } else { "" });
    Some(snippet)
}

/// The first run of found words, first and last, that fits into a snippet and holds the most different ones.
fn densest(found: &[Stem]) -> Option<(usize, usize)> {
    let mut best: Option<(usize, (usize, usize))> = None;
    for first in 0..found.len() {
        let fits = |stem: &&Stem| stem.to - found[first].from <= SNIPPET_CHARS_MAX / 2;
        let run: Vec<&Stem> = found[first..].iter().take_while(fits).collect();
        let distinct = run.iter().map(|stem| &stem.text).collect::<BTreeSet<_>>().len();
        if !run.is_empty() && best.is_none_or(|(most, _)| distinct > most) {
            best = Some((distinct, (first, first + run.len() - 1)));
        }
    }
    best.map(|(_, run)| run)
}

/// From `from` to `to` with as much around it as fits, cut at spaces.
fn around(text: &str, from: usize, to: usize) -> (usize, usize) {
    let room = SNIPPET_CHARS_MAX.saturating_sub(to - from);
    let start = text.ceil_char_boundary(from.saturating_sub(room / 3));
    let start = if start == 0 { 0 } else { text[start..from].find(' ').map_or(from, |space| start + space + 1) };
    let end = text.floor_char_boundary((start + SNIPPET_CHARS_MAX).max(to));
    let end = if end == text.len() { end } else { text[to..end].rfind(' ').map_or(to, |space| to + space) };
    (start, end)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::search::words::find;

    fn wanted(words: &[&str]) -> BTreeSet<String> {
        words.iter().map(|word| super::super::words::stem(word)).collect()
    }

    #[test]
    fn the_passage_with_the_most_words_is_shown() {
        let text =
            format!("{} It translates PDF files between languages. {}", "Text about nothing. ".repeat(30), "More. ".repeat(90));
        let found = snippet(&text, &find(&text, &wanted(&["pdf", "translation"]))).unwrap();
        let words: Vec<&str> = found.found.iter().map(|range| &found.text[range.clone()]).collect();
        assert_eq!(words, ["translates", "PDF"]);
        assert!(found.text.starts_with('…') && found.text.ends_with('…') && found.text.chars().count() <= SNIPPET_CHARS_MAX + 2);
        let short = |word: &str| snippet("Short text.", &find("Short text.", &wanted(&[word])));
        assert_eq!((short("text").unwrap().text.as_str(), short("other")), ("Short text.", None));
    }

    proptest! {
        /// Whatever the text: the marks stand between characters, on the words that were looked for.
        #[test]
        fn marks_stand_on_words(text in "[a-zäß漢 ]{0,400}", word in "[a-zäß漢]{1,3}") {
            let wanted = wanted(&[&word]);
            if let Some(found) = snippet(&text, &find(&text, &wanted)) {
                prop_assert!(!found.found.is_empty());
                for range in &found.found {
                    prop_assert!(wanted.contains(&super::super::words::stem(&found.text[range.clone()])));
                }
            }
        }
    }
}
