//! Texts for a terminal: what must not reach one is written out, and columns are counted as it counts them.

use unicode_width::UnicodeWidthChar;

/// `text` on one line: letters that a terminal obeys rather than shows (controls, marks that turn the direction of writing) are written out, tabs are four spaces.
pub(crate) fn shown(text: &str) -> String {
    text.chars().map(letter).collect()
}

/// One letter as it is shown.
pub(crate) fn letter(letter: char) -> String {
    match letter {
        '\t' => "    ".to_owned(),
        letter if letter.is_control() || is_unseen(letter) => letter.escape_unicode().to_string(),
        letter => letter.to_string(),
    }
}

/// Marks of direction (Unicode UAX #9), joiners, the byte order mark, line and paragraph separators, tags.
fn is_unseen(letter: char) -> bool {
    matches!(letter, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}')
}

/// Columns that a shown text takes.
pub(crate) fn width(text: &str) -> usize {
    text.chars().map(|letter| letter.width().unwrap_or(0)).sum()
}

/// At most so many columns of a shown text.
pub(crate) fn cut(text: &str, columns: usize) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    let mut left = columns.saturating_sub(1);
    let fits = |letter: &char| {
        let width = letter.width().unwrap_or(0);
        let fits = width <= left;
        left -= if fits { width } else { left };
        fits
    };
    let mut beginning: String = text.chars().take_while(fits).collect();
    beginning.push('…');
    beginning
}

/// A shown text with spaces behind it, up to so many columns.
pub(crate) fn padded(text: &str, columns: usize) -> String {
    format!("{text}{}", " ".repeat(columns.saturating_sub(width(text))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_obeys_is_written_out() {
        for (text, wanted) in [
            ("a\tb", "a    b"),
            ("\u{1b}[31mred", "\\u{1b}[31mred"),
            ("a\r\nb", "a\\u{d}\\u{a}b"),
            ("\u{202e}txt", "\\u{202e}txt"),
            ("größe 漢字", "größe 漢字"),
        ] {
            assert_eq!(shown(text), wanted);
        }
    }

    #[test]
    fn wide_letters_take_two_columns() {
        assert_eq!((width("漢字a"), width("é"), width("e\u{301}")), (5, 1, 1));
        for (text, columns, wanted) in
            [("漢字漢字", 8, "漢字漢字"), ("漢字漢字", 6, "漢字…"), ("abc", 2, "a…"), ("abc", 3, "abc")]
        {
            assert_eq!(cut(text, columns), wanted);
            assert!(width(&cut(text, columns)) <= columns);
        }
    }
}
