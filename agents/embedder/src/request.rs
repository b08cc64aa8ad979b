//! What a customer may send.

use hansa_sdk::Fault;

use crate::limits::{TEXT_BYTES_MAX, TEXTS_MAX};

/// Check the contract's limits before the model sees a byte.
///
/// # Errors
/// [`Fault::InvalidInput`] that names the first limit broken.
pub fn check(texts: &[String]) -> Result<(), Fault> {
    if texts.is_empty() {
        return Err(Fault::invalid_input("`texts` is empty; send at least one"));
    }
    if texts.len() > TEXTS_MAX {
        return Err(Fault::invalid_input(format!("`{}` texts; send at most {TEXTS_MAX} a call", texts.len())));
    }
    match texts.iter().position(|text| text.len() > TEXT_BYTES_MAX) {
        Some(index) => Err(Fault::invalid_input(format!(
            "text `{index}` has `{}` bytes; send at most {TEXT_BYTES_MAX}, or split it into passages",
            texts[index].len()
        ))),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::{TEXT_BYTES_MAX, TEXTS_MAX, check};

    #[test]
    fn limits_are_inclusive() {
        assert_eq!(check(&vec!["a".repeat(TEXT_BYTES_MAX); TEXTS_MAX]), Ok(()));
        assert_eq!(check(&[String::new()]), Ok(()));
    }

    #[test]
    fn a_broken_limit_says_which() {
        let fault = |texts: &[String]| check(texts).unwrap_err().to_string();
        assert!(fault(&[]).contains("`texts` is empty"));
        assert!(fault(&vec![String::new(); TEXTS_MAX + 1]).contains("`257` texts"));
        assert!(fault(&["ok".into(), "a".repeat(TEXT_BYTES_MAX + 1)]).contains("text `1` has `16385` bytes"));
    }
}
