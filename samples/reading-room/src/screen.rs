//! What a person sees: screens on stdout, progress on stderr where that is a terminal.

use std::io::{IsTerminal, Write};
use std::process::ExitCode;

/// Width that text is wrapped to.
const WIDTH: usize = 100;

/// Prints the story.
pub(crate) struct Screen {
    quiet: bool,
    live: bool,
}

impl Screen {
    /// `quiet`: print nothing but errors, because the story goes out as JSON.
    pub(crate) fn new(quiet: bool) -> Screen {
        Screen { quiet, live: std::io::stderr().is_terminal() }
    }

    /// A heading with a rule.
    pub(crate) fn title(&self, text: &str) {
        self.line("");
        self.line(&bold(text));
        self.line(&"─".repeat(WIDTH.min(text.chars().count() + 2).max(40)));
    }

    /// One line.
    pub(crate) fn line(&self, text: &str) {
        if !self.quiet {
            let _ = writeln!(std::io::stdout(), "{text}");
        }
    }

    /// Text, wrapped and indented.
    pub(crate) fn wrapped(&self, indent: &str, text: &str) {
        wrap(text, WIDTH - indent.len()).iter().for_each(|line| self.line(&format!("{indent}{line}")));
    }

    /// Columns, padded to the longest cell.
    pub(crate) fn table(&self, head: &[&str], rows: &[Vec<String>]) {
        let width = |column: usize| {
            let cells = rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count());
            cells.chain([head[column].chars().count()]).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..head.len()).map(width).collect();
        let print = |cells: Vec<&str>| {
            let padded: Vec<String> = cells.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
            self.line(format!("  {}", padded.join("  ")).trim_end());
        };
        print(head.to_vec());
        rows.iter().for_each(|row| print(row.iter().map(String::as_str).collect()));
    }

    /// Where the work stands: rewritten in place on a terminal, a line now and then elsewhere.
    pub(crate) fn progress(&self, text: &str) {
        let mut out = std::io::stderr();
        let _ = if self.live { write!(out, "\r\u{1b}[K{text}") } else { writeln!(out, "{text}") };
        let _ = out.flush();
    }

    /// The progress line has done its work.
    pub(crate) fn done(&self) {
        if self.live {
            let _ = write!(std::io::stderr(), "\r\u{1b}[K");
        }
    }
}

/// The end of a story that could not be told.
pub(crate) fn fail(message: &str) -> ExitCode {
    let _ = writeln!(std::io::stderr(), "error: {message}");
    ExitCode::FAILURE
}

fn bold(text: &str) -> String {
    let plain = !std::io::stdout().is_terminal() || std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    if plain { text.to_owned() } else { format!("\u{1b}[1m{text}\u{1b}[0m") }
}

/// Words in lines of at most `width` characters.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let last = lines.last_mut().expect("there is always a line");
        let full = !last.is_empty() && last.chars().count() + 1 + word.chars().count() > width;
        match full {
            true => lines.push(word.to_owned()),
            false if last.is_empty() => last.push_str(word),
            false => {
                last.push(' ');
                last.push_str(word);
            }
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    #[test]
    fn wraps_between_words() {
        assert_eq!(super::wrap("one two  three\nfour", 9), ["one two", "three", "four"]);
    }
}
