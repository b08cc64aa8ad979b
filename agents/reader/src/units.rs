//! Units: the smallest pieces that a passage is made of, sentences of prose or lines of code, with their place in the file.

use std::ops::Range;
use std::rc::Rc;

use hansa_sdk::text;

use crate::limits::{PASSAGE_BYTES_MAX, PASSAGE_WORDS_MAX};

/// What stands between a unit and the one before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Joint {
    /// A space: the next sentence.
    Space,
    /// A line break within something that belongs together.
    Line,
    /// A line break that is a good place to end a passage.
    Block,
}

/// A piece that is never cut.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unit {
    /// The headings above it.
    pub heading: Rc<str>,
    /// Clean text; never empty.
    pub text: String,
    /// First line in the file, from 1.
    pub first_line: u32,
    /// Last line in the file.
    pub last_line: u32,
    /// How it hangs on the unit before it.
    pub joint: Joint,
}

/// Text that remembers from which line of the file each part of it came.
#[derive(Debug, Default)]
pub struct Traced {
    text: String,
    /// Offset in `text` and the line from there on.
    marks: Vec<(usize, u32)>,
}

impl Traced {
    /// Is there anything but white space in it?
    #[must_use]
    pub fn is_blank(&self) -> bool {
        self.text.trim().is_empty()
    }

    /// The text so far.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Add text as it is; `line` is where it begins, and each line break in it leads to the next line.
    pub fn push(&mut self, text: &str, line: u32) {
        for (part, line) in text.split_inclusive('\n').zip(line..) {
            self.marks.push((self.text.len(), line));
            self.text.push_str(part);
        }
    }

    /// Add text with every run of white space made a single space, as a browser shows it.
    pub fn push_collapsed(&mut self, text: &str, line: u32) {
        for (part, line) in text.split_inclusive('\n').zip(line..) {
            self.marks.push((self.text.len(), line));
            for c in part.chars() {
                if !c.is_whitespace() {
                    self.text.push(c);
                } else if !self.text.ends_with(' ') {
                    self.text.push(' ');
                }
            }
        }
    }

    /// Add a separator that belongs to no line.
    pub fn separate(&mut self, separator: &str) {
        self.text.push_str(separator);
    }

    /// Take the text away.
    pub fn take(&mut self) -> Self {
        std::mem::take(self)
    }

    /// The sentences as units. The first one begins a block.
    pub fn sentences(&self, heading: &Rc<str>, units: &mut Vec<Unit>) {
        let mut end_before = None;
        for sentence in text::sentences(&self.text) {
            let broken = end_before.is_none_or(|end| self.text[end..sentence.start].contains('\n'));
            end_before = Some(sentence.end);
            let joint = if broken { Joint::Block } else { Joint::Space };
            self.pieces(sentence, heading, joint, units, |part| part.split_whitespace().collect::<Vec<_>>().join(" "));
        }
    }

    /// The lines as units, white space kept; the first one begins a block.
    pub fn lines(&self, heading: &Rc<str>, units: &mut Vec<Unit>) {
        let (mut start, mut joint) = (0, Joint::Block);
        for line in self.text.split_inclusive('\n') {
            let range = start..start + line.trim_end().len();
            start += line.len();
            if range.is_empty() {
                joint = Joint::Block;
                continue;
            }
            self.pieces(range, heading, joint, units, |part| part.trim_end().to_owned());
            joint = Joint::Line;
        }
    }

    fn pieces(
        &self,
        range: Range<usize>,
        heading: &Rc<str>,
        joint: Joint,
        units: &mut Vec<Unit>,
        clean: impl Fn(&str) -> String,
    ) {
        let mut joint = joint;
        for piece in cut(&self.text, range) {
            let text = clean(&self.text[piece.clone()]);
            if text.is_empty() {
                continue;
            }
            let (first_line, last_line) = (self.line(piece.start), self.line(piece.end - 1));
            units.push(Unit { heading: Rc::clone(heading), text, first_line, last_line, joint });
            joint = Joint::Space;
        }
    }

    fn line(&self, offset: usize) -> u32 {
        let after = self.marks.partition_point(|(start, _)| *start <= offset);
        after.checked_sub(1).map_or(1, |index| self.marks[index].1)
    }
}

/// `range` itself, or, where that is too much for a passage, stretches of it that are not.
fn cut(text: &str, range: Range<usize>) -> Vec<Range<usize>> {
    let mut cuts = Vec::new();
    let mut start = range.start;
    while start < range.end {
        let end = start + fitting(&text[start..range.end]);
        cuts.push(start..end);
        start = end;
    }
    cuts
}

/// Bytes of the longest beginning of `rest` that fits into a passage, cut after a word where there is one.
fn fitting(rest: &str) -> usize {
    let mut end = rest.floor_char_boundary(PASSAGE_BYTES_MAX);
    if end < rest.len() {
        end = rest[..end].rfind(char::is_whitespace).filter(|space| *space > 0).unwrap_or(end);
    }
    let words = rest[..end].split_whitespace();
    match words.clone().nth(PASSAGE_WORDS_MAX) {
        Some(_) => words.take(PASSAGE_WORDS_MAX).last().map_or(end, |word| end_of(rest, word)),
        None => end,
    }
}

/// Where `word`, a part of `text`, ends in it.
fn end_of(text: &str, word: &str) -> usize {
    word.as_ptr().addr() - text.as_ptr().addr() + word.len()
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use super::{Joint, Traced, Unit};
    use crate::limits::{PASSAGE_BYTES_MAX, PASSAGE_WORDS_MAX};

    fn sentences(text: &str) -> Vec<Unit> {
        let mut traced = Traced::default();
        traced.push(text, 1);
        let mut units = Vec::new();
        traced.sentences(&Rc::from("H"), &mut units);
        units
    }

    #[test]
    fn sentences_know_their_lines() {
        let units = sentences("A long enough first line of a sentence that\ngoes on here. Next one.\n\nNew block.");
        let seen: Vec<_> = units.iter().map(|unit| (unit.first_line, unit.last_line, unit.joint)).collect();
        assert_eq!(seen, [(1, 2, Joint::Block), (2, 2, Joint::Space), (4, 4, Joint::Block)]);
        assert_eq!(units[0].text, "A long enough first line of a sentence that goes on here.");
    }

    #[test]
    fn what_has_no_end_is_cut_between_words() {
        let units = sentences(&"word ".repeat(3 * PASSAGE_WORDS_MAX));
        assert_eq!(units.len(), 3);
        assert!(units.iter().all(|unit| unit.text.split(' ').count() == PASSAGE_WORDS_MAX));
    }

    #[test]
    fn what_has_no_spaces_is_cut_between_characters() {
        let units = sentences(&"ä".repeat(2 * PASSAGE_BYTES_MAX));
        assert!(units.iter().all(|unit| unit.text.len() <= PASSAGE_BYTES_MAX && unit.first_line == 1));
        assert_eq!(units.iter().map(|unit| unit.text.chars().count()).sum::<usize>(), 2 * PASSAGE_BYTES_MAX);
    }
}
