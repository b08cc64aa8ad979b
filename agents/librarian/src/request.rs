//! What a customer may send.

use std::collections::BTreeSet;

use hansa_sdk::Fault;

use crate::limits::{
    CALL_BYTES_MAX, CITED_MAX, DOCUMENT_BYTES_MAX, DOCUMENT_NAME_BYTES_MAX, DOCUMENTS_MAX, END_BYTES, QUESTION_BYTES_MAX,
    SHELF_NAME_BYTES_MAX,
};

/// The contract's `document`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// Name to cite it by.
    pub name: String,
    /// Its bytes.
    pub content: Vec<u8>,
}

/// The contract's `skipped`: a document that is not on the shelf, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skipped {
    /// The document.
    pub name: String,
    /// Why, and what to do.
    pub reason: String,
}

/// Check the name of a shelf.
///
/// # Errors
/// [`Fault::InvalidInput`].
pub fn check_shelf(shelf: &str) -> Result<(), Fault> {
    if shelf.trim().is_empty() || shelf.len() > SHELF_NAME_BYTES_MAX || shelf.contains(char::is_control) {
        let reason = format!("`{}` is no name for a shelf; take 1 to {SHELF_NAME_BYTES_MAX} bytes of text", shelf.escape_debug());
        return Err(Fault::invalid_input(reason));
    }
    Ok(())
}

/// Check a `shelve`.
///
/// # Errors
/// [`Fault::InvalidInput`] that names the first limit broken.
pub fn check_shelve(shelf: &str, documents: &[Document]) -> Result<(), Fault> {
    check_shelf(shelf)?;
    if documents.is_empty() || documents.len() > DOCUMENTS_MAX {
        return Err(Fault::invalid_input(format!("`{}` documents; send 1 to {DOCUMENTS_MAX} a call", documents.len())));
    }
    let bytes: usize = documents.iter().map(|document| document.content.len()).sum();
    if bytes > CALL_BYTES_MAX {
        return Err(Fault::invalid_input(format!("`{bytes}` bytes of documents; send at most {CALL_BYTES_MAX} a call")));
    }
    Ok(())
}

/// Check an `ask`.
///
/// # Errors
/// [`Fault::InvalidInput`] that names the first limit broken.
pub fn check_ask(shelf: &str, question: &str, passages: u32) -> Result<(), Fault> {
    check_shelf(shelf)?;
    if question.trim().is_empty() || question.len() > QUESTION_BYTES_MAX {
        let reason = format!("the question has `{}` bytes; ask something of at most {QUESTION_BYTES_MAX}", question.len());
        return Err(Fault::invalid_input(reason));
    }
    if passages == 0 || passages > CITED_MAX {
        return Err(Fault::invalid_input(format!("`{passages}` passages; ask for 1 to {CITED_MAX}")));
    }
    Ok(())
}

/// Part the documents worth reading from those that are not, whatever they hold.
#[must_use]
pub fn sift(documents: Vec<Document>) -> (Vec<Document>, Vec<Skipped>) {
    let (mut good, mut skipped, mut names) = (Vec::new(), Vec::new(), BTreeSet::new());
    for document in documents {
        match refusal(&document, &names) {
            Some(reason) => skipped.push(Skipped { name: document.name, reason }),
            None => {
                names.insert(document.name.clone());
                good.push(document);
            }
        }
    }
    (good, skipped)
}

fn refusal(document: &Document, names: &BTreeSet<String>) -> Option<String> {
    let (name, bytes) = (&document.name, document.content.len());
    if name.trim().is_empty() || name.len() > DOCUMENT_NAME_BYTES_MAX || name.contains(char::is_control) {
        Some(format!("its name is no name; take 1 to {DOCUMENT_NAME_BYTES_MAX} bytes of text"))
    } else if names.contains(name) {
        Some("another document of this call has the same name; give each its own".into())
    } else if bytes == 0 {
        Some("it is empty".into())
    } else if bytes > DOCUMENT_BYTES_MAX {
        Some(format!("it has `{bytes}` bytes; split it into parts of at most {DOCUMENT_BYTES_MAX}"))
    } else {
        None
    }
}

/// The ends of a document, which tell its kind; cut between characters, so that text stays text.
#[must_use]
pub fn ends(content: &[u8]) -> Vec<u8> {
    if content.len() <= 2 * END_BYTES {
        return content.to_vec();
    }
    let (first, last) = match std::str::from_utf8(content) {
        Ok(text) => (text.floor_char_boundary(END_BYTES), text.ceil_char_boundary(content.len() - END_BYTES)),
        Err(_) => (END_BYTES, content.len() - END_BYTES),
    };
    [&content[..first], &content[last..]].concat()
}

#[cfg(test)]
mod tests {
    use super::{Document, check_ask, check_shelve, ends, sift};

    fn document(name: &str, content: impl Into<Vec<u8>>) -> Document {
        Document { name: name.into(), content: content.into() }
    }

    #[test]
    fn broken_limits_are_named() {
        let long = "x".repeat(5000);
        assert!(check_shelve("", &[document("a", "x")]).is_err());
        assert!(check_shelve("a\nb", &[document("a", "x")]).unwrap_err().reason().contains("`a\\nb`"));
        assert!(check_shelve("s", &[]).unwrap_err().reason().starts_with("`0` documents"));
        assert!(check_shelve("s", &vec![document("a", vec![b'x'; 70_000]); 64]).unwrap_err().reason().contains("4480000"));
        assert!(check_ask("s", "", 1).is_err() && check_ask("s", &long, 1).is_err());
        assert!(check_ask("s", "why", 0).is_err() && check_ask("s", "why", 11).is_err());
        assert_eq!(check_ask("s", "why", 10), Ok(()));
    }

    #[test]
    fn unreadable_documents_are_told_apart() {
        let documents = vec![
            document("a", "x"),
            document("a", "y"),
            document("b", ""),
            document("", "x"),
            document("c", vec![b'x'; 1 << 21]),
        ];
        let (good, skipped) = sift(documents);
        assert_eq!(good, [document("a", "x")]);
        let reasons: Vec<_> = skipped.iter().map(|s| s.reason.split(';').next().unwrap_or_default()).collect();
        assert_eq!(
            reasons,
            ["another document of this call has the same name", "it is empty", "its name is no name", "it has `2097152` bytes"]
        );
    }

    #[test]
    fn the_ends_of_text_are_text() {
        let text = "ä".repeat(10_000);
        let ends = ends(format!("x{text}").as_bytes());
        assert!(ends.len() <= 8192 && ends.len() > 8180);
        assert!(std::str::from_utf8(&ends).is_ok());
    }
}
