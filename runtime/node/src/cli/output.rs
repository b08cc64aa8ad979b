//! The only place that prints. A closed pipe is no crash, and what others wrote moves no cursor.

use std::borrow::Cow;
use std::io::{IsTerminal, Write};
use std::process::ExitCode;

use serde::Serialize;

/// A result, for the reader or the program behind stdout.
pub(crate) fn line(text: impl AsRef<str>) {
    let _ = writeln!(std::io::stdout(), "{}", shown(text.as_ref()));
}

/// A file's text, which is written for programs: its form says what stands in it.
pub(crate) fn raw(text: &str) {
    let _ = write!(std::io::stdout(), "{text}");
}

/// A result as one line of JSON.
pub(crate) fn json(value: &impl Serialize) {
    match serde_json::to_string(value) {
        Ok(text) => drop(writeln!(std::io::stdout(), "{text}")),
        Err(error) => note(format!("cannot be written as JSON: {error}")),
    }
}

/// Something beside the result.
pub(crate) fn note(text: impl AsRef<str>) {
    let _ = writeln!(std::io::stderr(), "{}", shown(text.as_ref()));
}

/// Agents, sellers and publishers wrote some of it: control characters, but for line ends and tabs, and the marks that reorder text
/// (Unicode's bidirectional controls) stand there as escapes.
fn shown(text: &str) -> Cow<'_, str> {
    let odd = |letter: char| {
        (letter.is_control() && !matches!(letter, '\n' | '\t'))
            || matches!(letter, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    if !text.contains(odd) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for letter in text.chars() {
        match odd(letter) {
            true => shown.extend(letter.escape_default()),
            false => shown.push(letter),
        }
    }
    Cow::Owned(shown)
}

/// Columns, padded to the longest cell; the last is not padded.
pub(crate) fn table(head: &[&str], rows: &[Vec<String>]) {
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count());
        cells.chain([head[column].chars().count()]).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..head.len()).map(width).collect();
    let print = |cells: Vec<&str>| {
        let padded = cells.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        line(padded.collect::<Vec<_>>().join("  ").trim_end());
    };
    print(head.to_vec());
    rows.iter().for_each(|row| print(row.iter().map(String::as_str).collect()));
}

/// The end of a command, as JSON, that did not do its work and yet has results: `fields` is an object.
pub(crate) fn fail_with(message: &str, mut fields: serde_json::Value) -> ExitCode {
    let (code, text) = split_code(message);
    fields["error"] = text.into();
    fields["code"] = code.into();
    json(&fields);
    ExitCode::FAILURE
}

/// The end of a command that did not do its work.
pub(crate) fn fail(message: &str, as_json: bool) -> ExitCode {
    let (code, text) = split_code(message);
    if as_json {
        return fail_with(message, serde_json::json!({}));
    }
    let _ = write!(std::io::stderr(), "{}", if colour() { "\u{1b}[1;31merror\u{1b}[0m" } else { "error" });
    match code {
        Some(code) => note(format!(" {code}: {text}\n  `hansa explain {code}` says more")),
        None => note(format!(": {text}")),
    }
    ExitCode::FAILURE
}

/// A leading `HA0001: ` and the rest.
fn split_code(message: &str) -> (Option<&str>, &str) {
    match message.split_once(": ") {
        Some((code, text)) if code.len() == 6 && code.starts_with("HA") && code[2..].bytes().all(|b| b.is_ascii_digit()) => {
            (Some(code), text)
        }
        _ => (None, message),
    }
}

fn colour() -> bool {
    std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::shown;

    #[test]
    fn others_words_move_no_cursor_and_turn_no_text_round() {
        assert_eq!(shown("a\u{1b}[2J\u{9b}1m\r\u{202e}b\n\tc"), "a\\u{1b}[2J\\u{9b}1m\\r\\u{202e}b\n\tc");
        assert_eq!(shown("naïve 日本語 `x`"), "naïve 日本語 `x`");
    }
}
