//! Findings as a compiler writes them.

use crate::limits::TEXT_COLUMNS_MAX;
use crate::place::Place;
use crate::terminal::{letter, shown, width};
use crate::types::{Finding, Level};

/// Columns of a line of the file that are shown before the mark, where it is long.
const BEFORE_COLUMNS: usize = TEXT_COLUMNS_MAX / 2;

/// What a level is called.
pub(super) fn word(level: Level) -> &'static str {
    match level {
        Level::Wrong => "error",
        Level::Doubtful => "warning",
    }
}

/// Each finding with its line of `source` and a mark below its place.
pub(super) fn text(findings: &[Finding], file: &str, source: &str) -> String {
    let lines: Vec<&str> = source.lines().collect();
    let one = |finding: &Finding| {
        let Place { line, column } = finding.problem.place;
        let what = format!("{}:{line}:{column}: {}: {}\n", shown(file), word(finding.level), shown(&finding.problem.what));
        let nth = usize::try_from(line).ok().and_then(|line| line.checked_sub(1));
        match nth.and_then(|nth| lines.get(nth)) {
            Some(written) => what + &marked(written, line, column),
            None => what,
        }
    };
    findings.iter().map(one).collect()
}

/// The line, and a mark below its `column`-th letter. Of a long line what is around the mark.
fn marked(line: &str, number: u32, column: u32) -> String {
    let column = usize::try_from(column).unwrap_or(usize::MAX).saturating_sub(1);
    let letters: Vec<String> = line.chars().take(column.saturating_add(TEXT_COLUMNS_MAX)).map(letter).collect();
    let at = column.min(letters.len());
    let (mut from, mut before) = (at, 0);
    let before_max = if width(&shown(line)) <= TEXT_COLUMNS_MAX { TEXT_COLUMNS_MAX } else { BEFORE_COLUMNS };
    while from > 0 && before + width(&letters[from - 1]) <= before_max {
        from -= 1;
        before += width(&letters[from]);
    }
    let mut left = TEXT_COLUMNS_MAX.saturating_sub(before);
    let behind = letters[at..].iter().take_while(|letter| {
        let fits = width(letter) <= left;
        left = left.saturating_sub(width(letter));
        fits
    });
    let mut written: String = letters[from..at].iter().chain(behind).cloned().collect();
    if from > 0 {
        (written, before) = (format!("…{written}"), before + 1);
    }
    let gutter = number.to_string();
    let empty = " ".repeat(gutter.len());
    format!(" {gutter} | {}\n {empty} | {}^\n", written.trim_end(), " ".repeat(before))
}
