//! What a customer may send.

use hansa_sdk::Fault;

use crate::limits::{COUNT_MAX, FOCUS_BYTES_MAX, TEXT_BYTES_MAX};

/// Check the contract's and this agent's limits.
///
/// # Errors
/// [`Fault::InvalidInput`] that names the first limit broken.
pub fn check(text: &str, focus: Option<&str>, count: u32) -> Result<(), Fault> {
    if count == 0 || count > COUNT_MAX {
        return Err(Fault::invalid_input(format!("`count` is `{count}`; ask for 1 to {COUNT_MAX} sentences")));
    }
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
    use super::check;
    use crate::limits::{COUNT_MAX, FOCUS_BYTES_MAX, TEXT_BYTES_MAX};

    #[test]
    fn limits_are_inclusive() {
        assert_eq!(check(&"a".repeat(TEXT_BYTES_MAX), Some(&"a".repeat(FOCUS_BYTES_MAX)), COUNT_MAX), Ok(()));
        assert_eq!(check("a", None, 1), Ok(()));
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
            assert!(check(text, focus, count).unwrap_err().reason().starts_with(start));
        }
    }
}
