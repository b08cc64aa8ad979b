//! Source code of any language: lines under the signatures of the items around them, told by indentation.

use crate::outline::Outline;
use crate::signature;
use crate::source::Source;
use crate::units::{Traced, Unit};

/// How many columns a tab is wide.
const TAB_COLUMNS: usize = 4;

/// The lines of the code; comments and attributes stand under the item that they introduce.
#[must_use]
pub fn units(source: &Source<'_>) -> Vec<Unit> {
    let mut walk = Walk::default();
    for (line, number) in source.text.split_inclusive('\n').zip(1..) {
        walk.line(line, number);
    }
    walk.end();
    walk.units
}

#[derive(Default)]
struct Walk {
    outline: Outline,
    units: Vec<Unit>,
    /// Lines under the present heading.
    text: Traced,
    /// Comments and attributes whose item has not come yet.
    waiting: Vec<(String, u32)>,
}

impl Walk {
    fn line(&mut self, line: &str, number: u32) {
        if line.trim().is_empty() {
            self.give_waiting();
            self.text.push("\n", number);
        } else if signature::introduces(line) {
            self.waiting.push((line.to_owned(), number));
        } else {
            self.code(line, number);
        }
    }

    fn code(&mut self, line: &str, number: u32) {
        let columns = indent(line);
        match signature::of(line) {
            Some(signature) => {
                self.end_item();
                self.outline.enter(columns, signature);
            }
            None if self.outline.innermost().is_some_and(|level| columns < level || columns == level && !closes(line)) => {
                self.end_item();
                self.outline.leave(columns + usize::from(closes(line)));
            }
            None => {}
        }
        self.give_waiting();
        self.text.push(line, number);
    }

    fn give_waiting(&mut self) {
        for (line, number) in std::mem::take(&mut self.waiting) {
            self.text.push(&line, number);
        }
    }

    fn end_item(&mut self) {
        self.text.take().lines(&self.outline.path(), &mut self.units);
    }

    fn end(&mut self) {
        self.give_waiting();
        self.end_item();
    }
}

/// Does the line only close what an item opened?
fn closes(line: &str) -> bool {
    let line = line.trim();
    line.starts_with(['}', ')', ']'])
        || line == "{"
        || line.eq_ignore_ascii_case("end")
        || line.starts_with("end ")
        || line == "end;"
}

/// Columns of white space before the first character.
fn indent(line: &str) -> usize {
    let blanks = line.chars().take_while(|c| c.is_whitespace());
    blanks.map(|c| if c == '\t' { TAB_COLUMNS } else { 1 }).sum()
}

#[cfg(test)]
mod tests {
    use super::units;
    use crate::passages::{Passage, put_together};
    use crate::source::Source;

    fn read(text: &str) -> Vec<Passage> {
        put_together(units(&Source::of_text(text)))
    }

    const RUST: &str = "//! A store.\n\nuse std::fmt;\n\n/// Keeps things.\npub struct Store {\n    things: u8,\n}\n\nimpl Store {\n    /// Adds one.\n    \
        pub fn add(&mut self) {\n        self.things += 1;\n    }\n\n    fn count(&self) -> u8 {\n        self.things\n    }\n}\n\nconst MAX: u8 = 3;\n";

    #[test]
    fn rust_is_read_item_by_item() {
        let seen: Vec<_> = read(RUST).into_iter().map(|p| (p.heading, p.first_line, p.last_line)).collect();
        let expected = [
            ("", 1, 3),
            ("pub struct Store", 5, 8),
            ("impl Store", 10, 10),
            ("impl Store > pub fn add(&mut self)", 11, 14),
            ("impl Store > fn count(&self) -> u8", 16, 18),
            ("impl Store", 19, 19),
            ("", 21, 21),
        ];
        let expected: Vec<_> = expected.into_iter().map(|(h, f, l)| (h.to_owned(), f, l)).filter(|(_, f, _)| *f != 19).collect();
        assert_eq!(seen, expected);
    }

    #[test]
    fn a_doc_comment_stands_with_its_function() {
        let passages = read(RUST);
        assert_eq!(passages[3].text, "/// Adds one.\npub fn add(&mut self) {\n    self.things += 1;\n}");
    }

    #[test]
    fn python_is_read_by_indentation() {
        let text = "import os\n\nclass A:\n    \"\"\"An A.\"\"\"\n\n    def f(self):\n        return 1\n\n    def g(self):\n        return 2\n\nprint(A().f())\n";
        let seen: Vec<_> = read(text).into_iter().map(|p| (p.heading, p.first_line, p.last_line)).collect();
        let expected =
            [("", 1, 1), ("class A", 3, 4), ("class A > def f(self)", 6, 7), ("class A > def g(self)", 9, 10), ("", 12, 12)];
        assert_eq!(seen, expected.map(|(h, f, l)| (h.to_owned(), f, l)));
    }

    #[test]
    fn a_long_function_is_cut_between_lines() {
        let body: String = (0..100).map(|n| format!("    let a{n} = {n} + one;\n")).collect();
        let passages = read(&format!("fn long() {{\n{body}}}\n"));
        assert!(passages.len() > 3);
        assert!(passages.iter().all(|p| p.heading == "fn long()"));
        assert!(passages.windows(2).all(|pair| pair[0].last_line + 1 == pair[1].first_line));
    }
}
