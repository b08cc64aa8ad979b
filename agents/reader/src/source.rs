//! Bytes to text, and offsets to lines.

use hansa_sdk::Fault;

use crate::limits::CONTENT_BYTES_MAX;

/// The text of a file, without a byte-order mark.
#[derive(Debug)]
pub struct Source<'a> {
    /// All of it.
    pub text: &'a str,
    line_starts: Vec<usize>,
}

impl<'a> Source<'a> {
    /// Check that `content` is text of a bearable size.
    ///
    /// # Errors
    /// [`Fault::InvalidInput`] that says where the text ends to be text.
    pub fn new(name: &str, content: &'a [u8]) -> Result<Self, Fault> {
        if content.len() > CONTENT_BYTES_MAX {
            let reason = format!("`{name}` has `{}` bytes; send at most {CONTENT_BYTES_MAX}, or split it", content.len());
            return Err(Fault::invalid_input(reason));
        }
        let content = content.strip_prefix(b"\xef\xbb\xbf").unwrap_or(content);
        let text = std::str::from_utf8(content).map_err(|error| {
            Fault::invalid_input(format!("`{name}` is not UTF-8 text at byte `{}`; convert it first", error.valid_up_to()))
        })?;
        if let Some(offset) = text.find('\0') {
            let reason = format!("`{name}` has a zero byte at `{offset}`, so it is no text; send text");
            return Err(Fault::invalid_input(reason));
        }
        Ok(Self::of_text(text))
    }

    /// Text that is known to be good.
    #[must_use]
    pub fn of_text(text: &'a str) -> Self {
        let ends = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(offset, _)| offset + 1);
        Self { text, line_starts: std::iter::once(0).chain(ends).collect() }
    }

    /// The line in which the byte at `offset` stands, from 1.
    #[must_use]
    pub fn line(&self, offset: usize) -> u32 {
        u32::try_from(self.line_starts.partition_point(|start| *start <= offset)).unwrap_or(u32::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::{CONTENT_BYTES_MAX, Source};

    #[test]
    fn lines_count_from_one_with_either_line_end() {
        let source = Source::new("a", b"\xef\xbb\xbfone\r\ntwo\n\nfour").unwrap();
        let lines: Vec<u32> = ["one", "two", "four"].iter().map(|word| source.line(source.text.find(word).unwrap())).collect();
        assert_eq!(lines, [1, 2, 4]);
    }

    #[test]
    fn what_is_not_text_is_refused() {
        let reason = |content: &[u8]| Source::new("a.bin", content).unwrap_err().to_string();
        assert!(reason(b"ab\xff").contains("not UTF-8 text at byte `2`"));
        assert!(reason(b"ab\0").contains("zero byte at `2`"));
        assert!(reason(&vec![b'a'; CONTENT_BYTES_MAX + 1]).contains("1048577"));
    }
}
