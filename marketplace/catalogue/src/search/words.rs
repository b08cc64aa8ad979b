//! Texts to words: how they are split and reduced to stems, which words are known, and which known word is nearest to one that
//! is not.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use tantivy::tokenizer::{
    AsciiFoldingFilter, Language, LowerCaser, RemoveLongFilter, SimpleTokenizer, Stemmer, TextAnalyzer, Token, TokenStream as _,
};

use crate::limits::{QUERY_WORDS_MAX, WORD_BYTES_MAX};

/// Words that say nothing about a package.
const EMPTY_WORDS: [&str; 36] = [
    "a", "an", "and", "any", "are", "as", "at", "be", "by", "can", "do", "does", "for", "from", "how", "i", "in", "into", "is",
    "it", "its", "me", "my", "of", "on", "or", "that", "the", "their", "this", "to", "what", "which", "who", "with", "you",
];

/// Splits at everything that is no letter or digit, folds case and accents, and reduces English words to their stems.
pub(super) fn stemmer() -> TextAnalyzer {
    TextAnalyzer::builder(SimpleTokenizer::default())
        .filter(RemoveLongFilter::limit(WORD_BYTES_MAX))
        .filter(LowerCaser)
        .filter(AsciiFoldingFilter)
        .filter(Stemmer::new(Language::English))
        .build()
}

/// The same without stems.
fn splitter() -> TextAnalyzer {
    TextAnalyzer::builder(SimpleTokenizer::default())
        .filter(RemoveLongFilter::limit(WORD_BYTES_MAX))
        .filter(LowerCaser)
        .filter(AsciiFoldingFilter)
        .build()
}

/// A stem with its place in the text, bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Stem {
    pub(super) text: String,
    pub(super) from: usize,
    pub(super) to: usize,
}

thread_local! {
    // Making one costs more than most texts.
    static STEMMER: RefCell<TextAnalyzer> = RefCell::new(stemmer());
    static SPLITTER: RefCell<TextAnalyzer> = RefCell::new(splitter());
}

fn each_token(analyzer: &RefCell<TextAnalyzer>, text: &str, mut note: impl FnMut(&Token)) {
    let mut analyzer = analyzer.borrow_mut();
    let mut stream = analyzer.token_stream(text);
    while let Some(token) = stream.next() {
        note(token);
    }
}

/// All stems of a text in their order.
pub(super) fn stems(text: &str) -> Vec<String> {
    let mut stems = Vec::new();
    STEMMER.with(|analyzer| each_token(analyzer, text, |token| stems.push(token.text.clone())));
    stems
}

/// Those of the `wanted` stems that stand in a text, in their order.
pub(super) fn find(text: &str, wanted: &BTreeSet<String>) -> Vec<Stem> {
    let mut found = Vec::new();
    let note = |token: &Token| {
        if wanted.contains(&token.text) {
            found.push(Stem { text: token.text.clone(), from: token.offset_from, to: token.offset_to });
        }
    };
    if !wanted.is_empty() {
        STEMMER.with(|analyzer| each_token(analyzer, text, note));
    }
    found
}

/// The stem of one word.
pub(super) fn stem(word: &str) -> String {
    stems(word).into_iter().next().unwrap_or_else(|| word.to_owned())
}

fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    SPLITTER.with(|analyzer| each_token(analyzer, text, |token| words.push(token.text.clone())));
    words
}

/// The words of a query: each once, without empty words unless there are no others.
pub(super) fn query_words(text: &str) -> Vec<String> {
    let mut seen = BTreeSet::new();
    let all: Vec<String> = words(text).into_iter().filter(|word| seen.insert(word.clone())).collect();
    let telling: Vec<String> = all.iter().filter(|word| !EMPTY_WORDS.contains(&word.as_str())).cloned().collect();
    let mut words = if telling.is_empty() { all } else { telling };
    words.truncate(QUERY_WORDS_MAX);
    words
}

/// The words of names, keywords, contracts and descriptions, with the number of packages that have them.
#[derive(Clone, Debug, Default)]
pub(super) struct Vocabulary {
    words: BTreeMap<Box<str>, Known>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Known {
    packages: u32,
    /// One bit for each letter and digit, so that most words are seen to be far off at a glance.
    letters: u64,
}

impl Vocabulary {
    /// Count the words of one package.
    pub(super) fn add(&mut self, texts: &[String]) {
        for word in distinct(texts) {
            let letters = letters(&word);
            let known = self.words.entry(word.into()).or_insert(Known { packages: 0, letters });
            known.packages += 1;
        }
    }

    /// Forget the words of one package.
    pub(super) fn remove(&mut self, texts: &[String]) {
        for word in distinct(texts) {
            if let Some(known) = self.words.get_mut(word.as_str()) {
                known.packages -= 1;
                if known.packages == 0 {
                    self.words.remove(word.as_str());
                }
            }
        }
    }

    /// The most frequent words that begin with `start`, at most `most`.
    pub(super) fn beginning_with(&self, start: &str, most: usize) -> Vec<&str> {
        let from = self.words.range::<str, _>((std::ops::Bound::Included(start), std::ops::Bound::Unbounded));
        let mut found: Vec<(u32, &str)> =
            from.take_while(|(word, _)| word.starts_with(start)).map(|(word, known)| (known.packages, &**word)).collect();
        found.sort_by_key(|(packages, word)| (std::cmp::Reverse(*packages), *word));
        found.into_iter().take(most).map(|(_, word)| word).collect()
    }

    /// The known word that is nearest to `word`: one letter off in short words, two in longer ones. Of several, the one with
    /// the same first letter, then the most frequent.
    pub(super) fn nearest(&self, word: &str) -> Option<&str> {
        let length = word.chars().count();
        let off_max = match length {
            0..=2 => return None,
            3..=4 => 1,
            _ => 2,
        };
        let wanted = letters(word);
        let near = self.words.iter().filter(|(known, facts)| {
            known.len().abs_diff(word.len()) <= 2 * off_max && (facts.letters ^ wanted).count_ones() as usize <= 2 * off_max
        });
        let measured = near.filter_map(|(known, facts)| {
            let off = strsim::osa_distance(known, word);
            let other_start = known.chars().next() != word.chars().next();
            (off <= off_max).then_some(((off, other_start, std::cmp::Reverse(facts.packages)), &**known))
        });
        measured.min_by_key(|(order, known)| (*order, *known)).map(|(_, known)| known)
    }

    /// How many words are known.
    pub(super) fn len(&self) -> usize {
        self.words.len()
    }
}

fn distinct(texts: &[String]) -> BTreeSet<String> {
    let words = texts.iter().flat_map(|text| words(text));
    words.filter(|word| word.len() > 2 && !word.bytes().all(|byte| byte.is_ascii_digit())).collect()
}

fn letters(word: &str) -> u64 {
    word.chars().fold(0, |bits, letter| bits | 1 << (u32::from(letter) % 61))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vocabulary(texts: &[&str]) -> Vocabulary {
        let mut vocabulary = Vocabulary::default();
        for text in texts {
            vocabulary.add(&[(*text).to_owned()]);
        }
        vocabulary
    }

    #[test]
    fn words_are_split_folded_and_reduced() {
        let of = stems;
        assert_eq!(of("Translates PDF-files: Übersetzer"), ["translat", "pdf", "file", "ubersetz"]);
        assert_eq!(of("translator translation translating"), ["translat"; 3]);
        assert_eq!(query_words("the translation of the PDF"), ["translation", "pdf"]);
        assert_eq!(query_words("what is it"), ["what", "is", "it"]);
    }

    #[test]
    fn the_nearest_known_word_is_found() {
        let known = vocabulary(&["translate text", "translate speech", "summarise", "embedding", "image images", "ocr"]);
        for (typed, expected) in [
            ("translaet", Some("translate")),
            ("tarnslate", Some("translate")),
            ("sumarise", Some("summarise")),
            ("embeding", Some("embedding")),
            ("imags", Some("image")),
            ("ocd", Some("ocr")),
            ("xy", None),
            ("quantum", None),
        ] {
            assert_eq!(known.nearest(typed), expected, "{typed}");
        }
        assert_eq!(known.beginning_with("trans", 8), ["translate"]);
        assert_eq!(known.beginning_with("s", 8), ["speech", "summarise"]);
    }

    #[test]
    fn what_is_removed_is_forgotten() {
        let mut known = vocabulary(&["translate text", "translate speech"]);
        known.remove(&["translate speech".to_owned()]);
        assert_eq!((known.nearest("translat"), known.nearest("speach"), known.len()), (Some("translate"), None, 2));
    }
}
