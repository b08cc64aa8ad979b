//! Plain text: paragraphs, and headings that are underlined (as in reStructuredText).

use crate::outline::Outline;
use crate::source::Source;
use crate::units::{Traced, Unit};

/// Longer lines are no headings.
const HEADING_BYTES_MAX: usize = 100;

/// The sentences of a text.
#[must_use]
pub fn units(source: &Source<'_>) -> Vec<Unit> {
    let (mut units, mut outline, mut part) = (Vec::new(), Outline::default(), Traced::default());
    let mut marks_seen: Vec<char> = Vec::new();
    let mut lines = source.text.split_inclusive('\n').zip(1..).peekable();
    while let Some((line, number)) = lines.next() {
        let mark = lines.peek().and_then(|(under, _)| underline(line, under));
        let Some(mark) = mark else {
            if rule(line).is_none() {
                part.push(line, number);
            }
            continue;
        };
        part.take().sentences(&outline.path(), &mut units);
        let level = marks_seen.iter().position(|seen| *seen == mark).unwrap_or_else(|| {
            marks_seen.push(mark);
            marks_seen.len() - 1
        });
        outline.enter(level, line);
        lines.next();
    }
    part.sentences(&outline.path(), &mut units);
    units
}

/// The lines of a file whose lines are records: tables, settings, data. A table's column names are its heading.
#[must_use]
pub fn records(source: &Source<'_>, named_columns: bool) -> Vec<Unit> {
    let mut outline = Outline::default();
    if named_columns {
        outline.enter(0, source.text.lines().next().unwrap_or_default());
    }
    let mut all = Traced::default();
    all.push(source.text, 1);
    let mut units = Vec::new();
    all.lines(&outline.path(), &mut units);
    units
}

/// The mark under a heading, if `under` underlines `line`.
fn underline(line: &str, under: &str) -> Option<char> {
    let title = line.trim_end();
    let heading = !title.is_empty() && title.len() <= HEADING_BYTES_MAX && rule(line).is_none() && !line.starts_with([' ', '\t']);
    let mark = rule(under)?;
    (heading && under.trim_end().len() * 2 >= title.len()).then_some(mark)
}

/// The mark that a line of at least three equal marks consists of.
fn rule(line: &str) -> Option<char> {
    let line = line.trim_end();
    let mark = line.chars().next().filter(|mark| "=-~^*#+\"'`.:_".contains(*mark))?;
    (line.len() >= 3 && line.chars().all(|c| c == mark)).then_some(mark)
}

#[cfg(test)]
mod tests {
    use super::{records, units};
    use crate::source::Source;

    #[test]
    fn underlined_lines_are_headings() {
        let text = "=====\nGuide\n=====\n\nHello there.\n\nSetup\n-----\n\nInstall it.\nRun it.\n\nMore\n----\nEnd.\n";
        let seen: Vec<_> =
            units(&Source::of_text(text)).into_iter().map(|u| (u.heading.to_string(), u.text, u.first_line)).collect();
        let expected = [
            ("Guide", "Hello there.", 5),
            ("Guide > Setup", "Install it.", 10),
            ("Guide > Setup", "Run it.", 11),
            ("Guide > More", "End.", 15),
        ];
        assert_eq!(seen, expected.map(|(h, t, l)| (h.to_owned(), t.to_owned(), l)));
    }

    #[test]
    fn tables_carry_their_column_names() {
        let units = records(&Source::of_text("name,price\r\nape,1\r\nbee,2\r\n"), true);
        assert_eq!(units.len(), 3);
        assert_eq!((&*units[1].heading, units[1].text.as_str(), units[1].first_line), ("name,price", "ape,1", 2));
    }
}
