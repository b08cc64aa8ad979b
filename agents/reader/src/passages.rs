//! Units to passages: as many as belong together, never over a heading, never more than a reader wants to read.

use std::rc::Rc;

use hansa_sdk::text::word_count;

use crate::limits::{PASSAGE_BYTES_MAX, PASSAGE_WORDS_MAX, PASSAGE_WORDS_MIN, PASSAGE_WORDS_SHORT};
use crate::units::{Joint, Unit};

/// The contract's `passage`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Passage {
    /// The headings above it, outermost first.
    pub heading: String,
    /// Clean text.
    pub text: String,
    /// First line in the file, from 1.
    pub first_line: u32,
    /// Last line in the file.
    pub last_line: u32,
}

/// A passage that still grows.
struct Growing {
    heading: Rc<str>,
    text: String,
    words: usize,
    first_line: u32,
    last_line: u32,
}

impl Growing {
    fn new(unit: Unit) -> Self {
        let words = word_count(&unit.text);
        Self { heading: unit.heading, text: unit.text, words, first_line: unit.first_line, last_line: unit.last_line }
    }

    fn takes(&self, unit: &Unit) -> bool {
        let fits =
            self.words + word_count(&unit.text) <= PASSAGE_WORDS_MAX && self.text.len() + unit.text.len() < PASSAGE_BYTES_MAX;
        let done = unit.joint == Joint::Block && self.words >= PASSAGE_WORDS_MIN;
        self.heading == unit.heading && fits && !done
    }

    fn add(&mut self, text: &str, joint: Joint, last_line: u32) {
        self.text.push(if joint == Joint::Space { ' ' } else { '\n' });
        self.text.push_str(text);
        self.words += word_count(text);
        self.last_line = self.last_line.max(last_line);
    }

    /// Is `last` a remainder that reads better together with this one?
    fn absorbs(&self, last: &Self) -> bool {
        self.heading == last.heading
            && last.words < PASSAGE_WORDS_SHORT
            && self.words + last.words <= PASSAGE_WORDS_MAX + PASSAGE_WORDS_SHORT
            && self.text.len() + last.text.len() < PASSAGE_BYTES_MAX
    }
}

/// Put units together, in their order. What has neither letter nor digit is left out.
#[must_use]
pub fn put_together(units: Vec<Unit>) -> Vec<Passage> {
    let mut growing: Vec<Growing> = Vec::new();
    for unit in units {
        match growing.last_mut() {
            Some(last) if last.takes(&unit) => last.add(&unit.text, unit.joint, unit.last_line),
            _ => growing.push(Growing::new(unit)),
        }
    }
    let mut passages: Vec<Growing> = Vec::new();
    for passage in growing.into_iter().filter(|passage| passage.text.contains(char::is_alphanumeric)) {
        match passages.last_mut() {
            Some(last) if last.absorbs(&passage) => last.add(&passage.text, Joint::Block, passage.last_line),
            _ => passages.push(passage),
        }
    }
    passages.into_iter().map(finish).collect()
}

fn finish(passage: Growing) -> Passage {
    Passage {
        heading: passage.heading.to_string(),
        text: without_indent(&passage.text),
        first_line: passage.first_line,
        last_line: passage.last_line,
    }
}

/// Take away the white space that all lines begin with.
fn without_indent(text: &str) -> String {
    let blank = |line: &&str| line.trim().is_empty();
    let indent = |line: &str| line.len() - line.trim_start_matches([' ', '\t']).len();
    let common = text.lines().filter(|line| !blank(line)).map(indent).min().unwrap_or(0);
    let lines: Vec<&str> = text.lines().map(|line| line.get(common..).unwrap_or_default()).collect();
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use super::{Passage, put_together};
    use crate::limits::PASSAGE_WORDS_MAX;
    use crate::units::{Joint, Unit};

    fn unit(heading: &str, words: usize, joint: Joint, line: u32) -> Unit {
        let text = vec!["w"; words].join(" ");
        Unit { heading: Rc::from(heading), text, first_line: line, last_line: line, joint }
    }

    fn shape(passages: &[Passage]) -> Vec<(&str, usize, u32, u32)> {
        let shape = |p: &'_ Passage| (p.text.split_whitespace().count(), p.first_line, p.last_line);
        passages.iter().map(|p| (p.heading.as_str(), shape(p).0, shape(p).1, shape(p).2)).collect()
    }

    #[test]
    fn a_passage_ends_at_a_heading_a_full_measure_or_a_paragraph() {
        use Joint::{Block, Space};
        let units = vec![
            unit("A", 30, Block, 1),
            unit("A", 40, Space, 2),
            unit("A", 30, Block, 4), // 70 words and a new paragraph: a new passage
            unit("A", 80, Space, 5),
            unit("A", 30, Space, 6), // would be 140
            unit("B", 5, Block, 8),
        ];
        assert_eq!(shape(&put_together(units)), [("A", 70, 1, 2), ("A", 110, 4, 5), ("A", 30, 6, 6), ("B", 5, 8, 8)]);
    }

    #[test]
    fn a_short_remainder_joins_what_is_before_it() {
        let units = vec![unit("A", PASSAGE_WORDS_MAX, Joint::Block, 1), unit("A", 5, Joint::Block, 2)];
        assert_eq!(shape(&put_together(units)), [("A", PASSAGE_WORDS_MAX + 5, 1, 2)]);
    }

    #[test]
    fn code_loses_the_indent_that_all_lines_share() {
        let line = |text: &str, joint| Unit { text: text.into(), joint, ..unit("f", 1, joint, 1) };
        let units = vec![line("    if x {", Joint::Block), line("        y();", Joint::Line), line("    }", Joint::Line)];
        assert_eq!(put_together(units)[0].text, "if x {\n    y();\n}");
    }

    #[test]
    fn rules_and_ornaments_are_left_out() {
        let units = vec![Unit { text: "-----".into(), ..unit("A", 1, Joint::Block, 1) }];
        assert_eq!(put_together(units), []);
    }
}
