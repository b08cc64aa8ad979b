//! `shelve`: from documents to passages on a shelf.

use hansa_sdk::store::Bucket;
use hansa_sdk::{Bought, Fault, context, log};
use sha2::{Digest as _, Sha256};

use super::bindings::commons::files::types::Kind;
use super::bindings::commons::library::types::{self, Shelved};
use super::bindings::commons::reading::types::Passage;
use super::purchases::{self, Vectors};
use crate::commit::{Fresh, commit};
use crate::limits::CALL_PASSAGES_MAX;
use crate::request::{self, Document, Skipped};
use crate::shelf::{self, Catalogue, DocumentEntry, Keys, StoredDocument, StoredPassage};
use crate::terms;
use crate::vector::{Quantised, quantise};

/// A document that has been read.
struct Read {
    document: Document,
    passages: Vec<Passage>,
}

pub(super) async fn shelve(shelf: &str, documents: Vec<types::Document>) -> Result<Shelved, Fault> {
    let documents: Vec<Document> = documents.into_iter().map(Document::from).collect();
    request::check_shelve(shelf, &documents)?;
    let call = context::current_call()?;
    let keys = Keys::new(&call.buyer, shelf);
    let bucket = Bucket::open()?;
    let (documents, mut skipped) = request::sift(documents);
    let catalogue = shelf::load(&bucket, &keys)?;
    let (known, new): (Vec<_>, Vec<_>) = documents.into_iter().partition(|document| unchanged(&catalogue, document).is_some());
    let read = read(new, &mut skipped).await?;
    let vectors = purchases::embed(&read.iter().flat_map(|read| read.passages.iter().map(embedded)).collect::<Vec<_>>()).await?;
    store(&bucket, &keys, &prefix(&call.id), &read, &vectors)?;

    let passages_known: u32 =
        known.iter().filter_map(|document| unchanged(&catalogue, document)).map(|entry| entry.passages).sum();
    let passages_new: usize = read.iter().map(|read| read.passages.len()).sum();
    log::info!(
        "shelved {} new documents with {passages_new} passages, {} unchanged, {} skipped",
        read.len(),
        known.len(),
        skipped.len()
    );
    Ok(Shelved {
        documents: number(read.len() + known.len()),
        passages: number(passages_new).saturating_add(passages_known),
        skipped: skipped.into_iter().map(|Skipped { name, reason }| types::Skipped { name, reason }).collect(),
    })
}

/// The entry of a document that is on the shelf with the same content.
fn unchanged<'a>(catalogue: &'a Catalogue, document: &Document) -> Option<&'a DocumentEntry> {
    let same_name = catalogue.documents().find(|entry| entry.name == document.name)?;
    (same_name.hash == hash(document)).then_some(same_name)
}

fn hash(document: &Document) -> [u8; 32] {
    Sha256::digest(&document.content).into()
}

/// Identify and read; what cannot be read, or is too much for one call, is skipped with the reason.
async fn read(documents: Vec<Document>, skipped: &mut Vec<Skipped>) -> Result<Vec<Read>, Fault> {
    let kinds = purchases::identify(&documents).await?;
    let (text, other): (Vec<_>, Vec<_>) = documents.into_iter().zip(kinds).partition(|(_, kind)| kind.is_text);
    skipped.extend(other.into_iter().map(|(document, kind)| Skipped { name: document.name, reason: not_text(&kind) }));
    let readings = purchases::read(&text).await;
    let (mut read, mut room, mut trouble) = (Vec::new(), CALL_PASSAGES_MAX, None);
    for ((document, _), reading) in text.into_iter().zip(readings) {
        match reading {
            Ok(passages) => match keep(passages, &mut room) {
                Ok(passages) => read.push(Read { document, passages }),
                Err(reason) => skipped.push(Skipped { name: document.name, reason }),
            },
            Err(fault) => {
                skipped.push(Skipped { name: document.name, reason: format!("it could not be read: {fault}") });
                trouble = trouble.or((!matches!(fault, Fault::InvalidInput(_))).then_some(fault));
            }
        }
    }
    match trouble {
        // Nobody could read anything: that is the market's trouble and not the documents'.
        Some(fault) if read.is_empty() => Err(fault).bought("a reading of the documents"),
        _ => Ok(read),
    }
}

fn not_text(kind: &Kind) -> String {
    format!("it is of kind `{}`, which holds no UTF-8 text; convert it to text first", kind.label)
}

fn keep(passages: Vec<Passage>, room: &mut usize) -> Result<Vec<Passage>, String> {
    if passages.is_empty() {
        return Err("it holds no text".into());
    }
    let left = room.checked_sub(passages.len());
    *room = left.ok_or_else(|| {
        format!("this call is full with {CALL_PASSAGES_MAX} passages; shelve it in another call, split if need be")
    })?;
    Ok(passages)
}

/// What of a passage is embedded: the headings say what it is about.
fn embedded(passage: &Passage) -> String {
    match passage.heading.is_empty() {
        true => passage.text.clone(),
        false => format!("{}\n{}", passage.heading, passage.text),
    }
}

fn store(bucket: &Bucket, keys: &Keys, call: &str, read: &[Read], vectors: &Vectors) -> Result<(), Fault> {
    let passages = || read.iter().flat_map(|read| read.passages.iter().map(|passage| (&read.document.name, passage)));
    let words: Vec<Vec<u8>> =
        passages().map(|(name, passage)| terms::of_passage(&format!("{name} {} {}", passage.heading, passage.text))).collect();
    let vectors_stored: Vec<Quantised> = vectors.vectors.iter().map(|vector| quantise(vector)).collect();
    let mut stored = passages().zip(&vectors_stored).zip(&words).map(|(((_, passage), vector), terms)| StoredPassage {
        heading: &passage.heading,
        text: &passage.text,
        first_line: passage.first_line,
        last_line: passage.last_line,
        scale: vector.scale,
        vector: &vector.bytes,
        terms,
    });
    let fresh = read.iter().map(|read| {
        let passages = stored.by_ref().take(read.passages.len()).collect();
        let document = StoredDocument { name: &read.document.name, model: &vectors.model, passages };
        Fresh { document, hash: hash(&read.document) }
    });
    commit(bucket, keys, call, fresh.collect())
}

/// The first half of a call's id in hexadecimal digits.
fn prefix(call: &[u8]) -> String {
    call.iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

impl From<types::Document> for Document {
    fn from(document: types::Document) -> Self {
        let types::Document { name, content } = document;
        Self { name, content }
    }
}
