//! What a customer may send.

use hansa_sdk::Fault;

use crate::limits::{COUNT_MAX, FOCUS_BYTES_MAX, TEXT_BYTES_MAX, WORDS_MAX, WORDS_MIN};

/// Check a `summarise`.
///
/// # Errors
/// [`Fault::InvalidInput`] that names the first limit broken.
pub fn check_summarise(text: &str, focus: Option<&str>, count: u32) -> Result<(), Fault> {
    if count == 0 || count > COUNT_MAX {
        return Err(Fault::invalid_input(format!("`count` is `{count}`; ask for 1 to {COUNT_MAX} sentences")));
    }
    check(text, focus)
}

/// Check a `compose`.
///
/// # Errors
/// [`Fault::InvalidInput`] that names the first limit broken.
pub fn check_compose(text: &str, focus: Option<&str>, words: u32) -> Result<(), Fault> {
    if !(WORDS_MIN..=WORDS_MAX).contains(&words) {
        return Err(Fault::invalid_input(format!("`words` is `{words}`; ask for {WORDS_MIN} to {WORDS_MAX} words")));
    }
    check(text, focus)
}

fn check(text: &str, focus: Option<&str>) -> Result<(), Fault> {
    if text.len() > TEXT_BYTES_MAX {
        let reason = format!("`text` has `{}` bytes; send at most {TEXT_BYTES_MAX}, part by part if need be", text.len());
        return Err(Fault::invalid_input(reason));
    }
    if text.trim().is_empty() {
        return Err(Fault::invalid_input("`text` is empty; send something to summarise"));
    }
    match focus {
        Some(focus) if focus.trim().is_empty() => Err(Fault::invalid_input("`focus` is empty; leave it out or ask something")),
        Some(focus) if focus.len() > FOCUS_BYTES_MAX => {
            Err(Fault::invalid_input(format!("`focus` has `{}` bytes; send at most {FOCUS_BYTES_MAX}", focus.len())))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::{check_compose, check_summarise};
    use crate::limits::{COUNT_MAX, FOCUS_BYTES_MAX, TEXT_BYTES_MAX};

    #[test]
    fn limits_are_inclusive() {
        assert_eq!(check_summarise(&"a".repeat(TEXT_BYTES_MAX), Some(&"a".repeat(FOCUS_BYTES_MAX)), COUNT_MAX), Ok(()));
        assert_eq!(check_summarise("a", None, 1), Ok(()));
    }

    #[test]
    fn a_broken_limit_says_which() {
        let long = "a".repeat(TEXT_BYTES_MAX + 1);
        let cases = [
            ("a", None, 0, "`count`"),
            ("a", None, 21, "`count`"),
            (&long, None, 1, "`text` has"),
            (" ", None, 1, "`text` is"),
            ("a", Some(""), 1, "`focus` is"),
            ("a", Some(&long[..]), 1, "`focus` has"),
        ];
        for (text, focus, count, start) in cases {
            assert!(check_summarise(text, focus, count).unwrap_err().reason().starts_with(start));
        }
    }
    #[test]
    fn a_composed_text_has_a_length_within_reason() {
        assert_eq!((check_compose("a", None, 10), check_compose("a", None, 300)), (Ok(()), Ok(())));
        for words in [0, 9, 301] {
            assert!(check_compose("a", None, words).unwrap_err().reason().contains(&format!("`words` is `{words}`")));
        }
        assert!(check_compose(" ", None, 10).unwrap_err().reason().starts_with("`text` is"));
    }
}
