//! From what the model says of a file to what a customer is told.

use crate::labels;
use crate::limits::MODEL_BYTES_MIN;

/// What kind of file it is; the contract's `kind`.
#[derive(Debug, Clone, PartialEq)]
pub struct Kind {
    /// Label of the model's vocabulary, or `empty`, `txt`, `unknown`.
    pub label: String,
    /// 0 to 1.
    pub score: f32,
    /// Text in UTF-8, so that a reader can read it?
    pub is_text: bool,
}

/// The kind of a file that is too small for the model.
#[must_use]
pub fn without_model(content: &[u8]) -> Option<Kind> {
    if content.is_empty() {
        return Some(Kind { label: "empty".into(), score: 1.0, is_text: false });
    }
    (content.trim_ascii().len() < MODEL_BYTES_MIN).then(|| plain(is_utf8_text(content), 1.0))
}

/// The kind of a file of which the model's best label is `label`.
///
/// As Magika itself does, a label with too low a score becomes `txt` or `unknown`, and so do the labels for random content.
#[must_use]
pub fn settle(label: &str, score: f32, content: &[u8]) -> Kind {
    let is_text = is_utf8_text(content);
    match label {
        "randomtxt" => plain(is_text, score),
        "randombytes" => plain(false, score),
        _ if score < labels::threshold(label) => plain(labels::is_text(label) && is_text, score),
        _ => Kind { label: label.into(), score, is_text: labels::is_text(label) && is_text },
    }
}

fn plain(is_text: bool, score: f32) -> Kind {
    Kind { label: if is_text { "txt" } else { "unknown" }.into(), score, is_text }
}

fn is_utf8_text(content: &[u8]) -> bool {
    !content.contains(&0) && std::str::from_utf8(content).is_ok()
}

#[cfg(test)]
mod tests {
    use super::{Kind, settle, without_model};

    fn kind(label: &str, score: f32, is_text: bool) -> Kind {
        Kind { label: label.into(), score, is_text }
    }

    #[test]
    fn small_files_need_no_model() {
        assert_eq!(without_model(b""), Some(kind("empty", 1.0, false)));
        assert_eq!(without_model(b"  hi\n\n\n\n\n\n"), Some(kind("txt", 1.0, true)));
        assert_eq!(without_model(b"\xff\x00"), Some(kind("unknown", 1.0, false)));
        assert_eq!(without_model(b"12345678"), None);
    }

    #[test]
    fn a_sure_label_stands() {
        assert_eq!(settle("rust", 0.9, b"fn main() {}"), kind("rust", 0.9, true));
        assert_eq!(settle("pdf", 0.99, b"%PDF-1.7 \xff"), kind("pdf", 0.99, false));
    }

    #[test]
    fn a_guess_is_told_as_one() {
        assert_eq!(settle("markdown", 0.7, b"a note to self"), kind("txt", 0.7, true));
        assert_eq!(settle("ppt", 0.3, b"whatever it is"), kind("unknown", 0.3, false));
        assert_eq!(settle("randombytes", 0.99, b"\x01\x02"), kind("unknown", 0.99, false));
    }

    #[test]
    fn text_in_another_encoding_cannot_be_read() {
        assert_eq!(settle("html", 0.9, b"<p>Stra\xdfe</p>"), kind("html", 0.9, false));
    }
}
