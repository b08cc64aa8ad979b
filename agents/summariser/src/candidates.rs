//! The sentences that may be chosen.

use std::collections::BTreeSet;

use hansa_sdk::{Fault, text};

use crate::limits::{SENTENCE_BYTES_EMBEDDED, SENTENCE_WORDS_MIN, SENTENCES_MAX};

/// A sentence that may be chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// White space made single spaces.
    pub text: String,
    /// Index among all sentences of the text, from 0.
    pub position: u32,
}

impl Candidate {
    /// What of it is embedded.
    #[must_use]
    pub fn embedded(&self) -> &str {
        &self.text[..self.text.floor_char_boundary(SENTENCE_BYTES_EMBEDDED)]
    }
}

/// Split a text. What is repeated counts once; fragments count only where there is nothing else.
///
/// # Errors
/// [`Fault::InvalidInput`] for a text of too many sentences, or of none.
pub fn of(text: &str) -> Result<Vec<Candidate>, Fault> {
    let mut seen = BTreeSet::new();
    let all = text::sentences(text).into_iter().zip(0..).map(|(range, position)| {
        let words: Vec<&str> = text[range].split_whitespace().collect();
        Candidate { text: words.join(" "), position }
    });
    let all: Vec<_> = all
        .filter(|candidate| candidate.text.contains(char::is_alphanumeric) && seen.insert(candidate.text.to_lowercase()))
        .collect();
    let whole: Vec<_> = all.iter().filter(|candidate| text::word_count(&candidate.text) >= SENTENCE_WORDS_MIN).cloned().collect();
    let chosen = if whole.is_empty() { all } else { whole };
    match chosen.len() {
        0 => Err(Fault::invalid_input("`text` has no sentence; send prose")),
        many if many > SENTENCES_MAX => Err(Fault::invalid_input(format!(
            "`text` has `{many}` sentences; send at most {SENTENCES_MAX}, part by part if need be"
        ))),
        _ => Ok(chosen),
    }
}

#[cfg(test)]
mod tests {
    use super::of;
    use crate::limits::SENTENCES_MAX;

    #[test]
    fn repeats_and_fragments_are_left_out_but_counted() {
        let found = of("Yes. The same thing is said. Indeed so. The same thing\nis said. A last one comes here.").unwrap();
        let seen: Vec<_> = found.iter().map(|candidate| (candidate.position, candidate.text.as_str())).collect();
        assert_eq!(seen, [(1, "The same thing is said."), (4, "A last one comes here.")]);
    }

    #[test]
    fn fragments_are_better_than_nothing() {
        assert_eq!(of("Yes. No.").unwrap().len(), 2);
        assert!(of("... !!").is_err());
    }

    #[test]
    fn too_much_is_refused() {
        let text: String = (0..=SENTENCES_MAX).map(|n| format!("Sentence number {n} stands here. ")).collect();
        assert!(of(&text).unwrap_err().reason().contains("`513` sentences"));
    }
}
