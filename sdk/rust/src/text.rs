//! Sentences and words of a text, for agents that quote, choose or count.

use std::ops::Range;

use unicode_segmentation::UnicodeSegmentation as _;

/// A line shorter than this that a line break ends is a line of its own (a list item, a title), not a wrapped paragraph.
const WRAPPED_LINE_BYTES_MIN: usize = 40;

/// Words before a full stop that do not end a sentence, in lower case and without that stop.
const ABBREVIATIONS: [&str; 30] = [
    "al", "approx", "art", "ca", "cf", "co", "corp", "dept", "dr", "e.g", "eq", "etc", "fig", "i.e", "inc", "jr", "ltd", "mr",
    "mrs", "ms", "no", "nr", "p", "pp", "prof", "resp", "sec", "sr", "st", "vs",
];

/// Byte ranges of the sentences of `text`, in order, without the white space around them.
///
/// Boundaries are those of UAX #29, less those after common abbreviations and initials. An empty line ends a sentence; a
/// single line break ends one only after a short or finished line.
#[must_use]
pub fn sentences(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    for paragraph in paragraphs(text) {
        // Of equal length, so that ranges in it are ranges in `text`.
        let unwrapped = text[paragraph.clone()].replace(['\n', '\r'], " ");
        for range in paragraph_sentences(&unwrapped) {
            found.push(paragraph.start + range.start..paragraph.start + range.end);
        }
    }
    found
}

/// How many words `text` has, as white space divides it.
#[must_use]
pub fn word_count(text: &str) -> usize {
    text.split_whitespace().count()
}

/// Stretches that no sentence crosses: wrapped lines joined, everything else a stretch of its own.
fn paragraphs(text: &str) -> Vec<Range<usize>> {
    let mut found: Vec<Range<usize>> = Vec::new();
    let (mut offset, mut goes_on) = (0, false);
    for line in text.split_inclusive('\n') {
        let range = offset..offset + line.len();
        offset = range.end;
        let content = line.trim();
        match found.last_mut() {
            _ if content.is_empty() => {}
            Some(last) if goes_on => last.end = range.end,
            _ => found.push(range),
        }
        goes_on = content.len() >= WRAPPED_LINE_BYTES_MIN && !content.ends_with(['.', '!', '?', ':', ';']);
    }
    found
}

fn paragraph_sentences(paragraph: &str) -> Vec<Range<usize>> {
    let mut found: Vec<Range<usize>> = Vec::new();
    let mut goes_on = false;
    for (start, piece) in paragraph.split_sentence_bound_indices() {
        let end = start + piece.len();
        match found.last_mut() {
            Some(last) if goes_on => last.end = end,
            _ => found.push(start..end),
        }
        goes_on = ends_in_abbreviation(piece);
    }
    found.into_iter().map(|range| trimmed(paragraph, range)).filter(|range| !range.is_empty()).collect()
}

/// Is the last word before the full stop an abbreviation or an initial (`J. Smith`)?
fn ends_in_abbreviation(piece: &str) -> bool {
    let Some(body) = piece.trim_end().strip_suffix('.') else { return false };
    let word = body.rsplit(|c: char| c.is_whitespace() || c == '(').next().unwrap_or_default();
    let mut letters = word.chars();
    let initial = letters.next().is_some_and(char::is_uppercase) && letters.next().is_none();
    initial || ABBREVIATIONS.binary_search(&word.to_lowercase().as_str()).is_ok()
}

fn trimmed(text: &str, range: Range<usize>) -> Range<usize> {
    let part = &text[range.clone()];
    let start = range.start + (part.len() - part.trim_start().len());
    start..start + part.trim().len()
}

#[cfg(test)]
mod tests {
    use super::{ABBREVIATIONS, sentences};

    fn split(text: &str) -> Vec<&str> {
        sentences(text).into_iter().map(|range| &text[range]).collect()
    }

    #[test]
    fn abbreviations_are_sorted_for_the_search() {
        assert!(ABBREVIATIONS.is_sorted());
    }

    #[test]
    fn sentences_end_where_a_reader_ends_them() {
        let cases: [(&str, &[&str]); 8] = [
            ("", &[]),
            (" \n\n ", &[]),
            ("One. Two!  Three?", &["One.", "Two!", "Three?"]),
            ("Dr. J. Smith paid 3.50 to Acme Inc. Then he left.", &["Dr. J. Smith paid 3.50 to Acme Inc. Then he left."]),
            ("Use a hold, e.g. Before paying. Done.", &["Use a hold, e.g. Before paying.", "Done."]),
            ("- first item\n- second item\n", &["- first item", "- second item"]),
            ("Title\n\nA paragraph.", &["Title", "A paragraph."]),
            ("Ärger kostet Öl. Über alles.", &["Ärger kostet Öl.", "Über alles."]),
        ];
        for (text, expected) in cases {
            assert_eq!(split(text), expected, "{text:?}");
        }
    }

    #[test]
    fn wrapped_lines_are_one_sentence() {
        let text = "A voucher caps what the payer owes, and the\r\nreceipt caps what the payee may claim.\r\nThe end.";
        assert_eq!(
            split(text),
            ["A voucher caps what the payer owes, and the\r\nreceipt caps what the payee may claim.", "The end."]
        );
    }
}
