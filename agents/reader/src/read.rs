//! The whole way of a file, from its bytes to its passages.

use hansa_sdk::Fault;

use crate::format::{self, Format};
use crate::passages::{self, Passage};
use crate::source::Source;
use crate::{code, html, markdown, plain};

/// Read one file. One without text has no passages.
///
/// # Errors
/// [`Fault::InvalidInput`]: not text, too large, or of a kind that cannot be read.
pub fn read(name: &str, kind: &str, content: &[u8]) -> Result<Vec<Passage>, Fault> {
    let source = Source::new(name, content)?;
    if source.text.trim().is_empty() {
        return Ok(Vec::new());
    }
    let units = match format::choose(name, kind)? {
        Format::Markdown => markdown::units(&source),
        Format::Html => html::units(&source),
        Format::Prose => plain::units(&source),
        Format::Code => code::units(&source),
        Format::Records => plain::records(&source, false),
        Format::Table => plain::records(&source, true),
    };
    Ok(passages::put_together(units))
}

#[cfg(test)]
mod tests {
    use super::read;
    use crate::limits::{PASSAGE_BYTES_MAX, PASSAGE_WORDS_MAX, PASSAGE_WORDS_SHORT};

    #[test]
    fn an_empty_file_has_no_passages() {
        assert_eq!(read("a.md", "empty", b""), Ok(vec![]));
        assert_eq!(read("a.md", "markdown", b"\xef\xbb\xbf \r\n\r\n"), Ok(vec![]));
        assert_eq!(read("a.md", "markdown", b"# Only a heading\n"), Ok(vec![]));
    }

    #[test]
    fn passages_have_a_good_size_in_every_format() {
        let paragraph = "Each sentence here has exactly eight short words. ".repeat(9);
        let text = format!("{paragraph}\n\n").repeat(12);
        for kind in ["markdown", "html", "txt", "rust", "yaml"] {
            let passages = read("a", kind, text.as_bytes()).unwrap();
            assert!(!passages.is_empty(), "{kind}");
            for passage in &passages {
                let words = passage.text.split_whitespace().count();
                assert!(words <= PASSAGE_WORDS_MAX + PASSAGE_WORDS_SHORT, "{kind}: {words}");
                assert!(passage.first_line >= 1 && passage.first_line <= passage.last_line, "{kind}");
            }
        }
    }

    #[test]
    fn the_quoted_lines_hold_the_passage() {
        let text = "# A\n\nThe first paragraph is here. It goes\non for two lines.\n\n\n## B\n\nThe second one.\n";
        let lines: Vec<&str> = text.lines().collect();
        for passage in read("a.md", "markdown", text.as_bytes()).unwrap() {
            let quoted = lines[passage.first_line as usize - 1..passage.last_line as usize].join(" ");
            assert_eq!(quoted, passage.text);
        }
    }

    #[test]
    fn a_huge_line_is_read_in_time_and_in_pieces() {
        for kind in ["json", "txt", "html", "markdown", "javascript"] {
            for text in ["x".repeat(1024 * 1024), "[1,2],".repeat(170_000), "a b. ".repeat(200_000)] {
                let passages = read("a", kind, text.as_bytes()).unwrap();
                assert!(passages.len() > 100, "{kind}");
                assert!(passages.iter().all(|passage| passage.text.len() <= PASSAGE_BYTES_MAX && passage.last_line == 1));
            }
        }
    }
}
