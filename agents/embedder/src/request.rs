//! What a customer may send.

use hansa_sdk::Fault;

use crate::limits::{DOCUMENTS_MAX, QUERY_BYTES_MAX, TEXT_BYTES_MAX, TEXTS_MAX};

/// Check the contract's limits of `embed` before the model sees a byte.
///
/// # Errors
/// [`Fault::InvalidInput`] that names the first limit broken.
pub fn check_embed(texts: &[String]) -> Result<(), Fault> {
    check_texts("text", texts, TEXTS_MAX)
}

/// Check the contract's limits of `rank` before the model sees a byte.
///
/// # Errors
/// [`Fault::InvalidInput`] that names the first limit broken.
pub fn check_rank(query: &str, documents: &[String]) -> Result<(), Fault> {
    if query.trim().is_empty() || query.len() > QUERY_BYTES_MAX {
        let reason = format!("`query` has `{}` bytes; send something of at most {QUERY_BYTES_MAX}", query.len());
        return Err(Fault::invalid_input(reason));
    }
    check_texts("document", documents, DOCUMENTS_MAX)
}

/// `one` is what each of the texts is called.
fn check_texts(one: &str, texts: &[String], count_max: usize) -> Result<(), Fault> {
    if texts.is_empty() {
        return Err(Fault::invalid_input(format!("`{one}s` is empty; send at least one")));
    }
    if texts.len() > count_max {
        return Err(Fault::invalid_input(format!("`{}` {one}s; send at most {count_max} a call", texts.len())));
    }
    match texts.iter().position(|text| text.len() > TEXT_BYTES_MAX) {
        Some(index) => Err(Fault::invalid_input(format!(
            "{one} `{index}` has `{}` bytes; send at most {TEXT_BYTES_MAX}, or split it into passages",
            texts[index].len()
        ))),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::{DOCUMENTS_MAX, QUERY_BYTES_MAX, TEXT_BYTES_MAX, TEXTS_MAX, check_embed, check_rank};

    #[test]
    fn limits_are_inclusive() {
        assert_eq!(check_embed(&vec!["a".repeat(TEXT_BYTES_MAX); TEXTS_MAX]), Ok(()));
        assert_eq!(check_rank(&"a".repeat(QUERY_BYTES_MAX), &vec!["a".repeat(TEXT_BYTES_MAX); DOCUMENTS_MAX]), Ok(()));
        assert_eq!(check_embed(&[String::new()]), Ok(()));
    }

    #[test]
    fn a_broken_limit_says_which() {
        let fault = |texts: &[String]| check_embed(texts).unwrap_err().to_string();
        assert!(fault(&[]).contains("`texts` is empty"));
        assert!(fault(&vec![String::new(); TEXTS_MAX + 1]).contains("`257` texts"));
        assert!(fault(&["ok".into(), "a".repeat(TEXT_BYTES_MAX + 1)]).contains("text `1` has `16385` bytes"));
    }
    #[test]
    fn a_ranking_needs_a_query_and_documents() {
        let fault = |query: &str, documents: &[String]| check_rank(query, documents).unwrap_err().to_string();
        let one = ["ok".to_owned()];
        assert!(fault(" ", &one).contains("`query` has `1` bytes"));
        assert!(fault(&"a".repeat(QUERY_BYTES_MAX + 1), &one).contains("`query` has `4097` bytes"));
        assert!(fault("why", &[]).contains("`documents` is empty"));
        assert!(fault("why", &vec![String::new(); DOCUMENTS_MAX + 1]).contains("`129` documents"));
        assert!(fault("why", &["a".repeat(TEXT_BYTES_MAX + 1)]).contains("document `0` has `16385` bytes"));
    }
}
