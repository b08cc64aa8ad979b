//! The stored form of a shelf: a catalogue, and packs that hold the documents.
//!
//! All values are CBOR in arrays (`minicbor`, fields by index). The catalogue is the truth: a pack, or a document in one,
//! that the catalogue does not name is not there. Packs are never changed, only replaced by others of a new name, and the
//! catalogue is written between the new and the deletion of the old, so a crash at any moment leaves a whole shelf.

use hansa_sdk::Fault;
use minicbor::{CborLen, Decode, Encode};

/// The number of the present stored form; another one is refused.
pub const FORMAT: u16 = 1;

/// Bytes under keys; the agent's store, or a map in tests.
pub trait Values {
    /// The value under `key`.
    ///
    /// # Errors
    /// [`Fault::Failed`] when the store fails.
    fn get(&self, key: &str) -> Result<Option<Vec<u8>>, Fault>;
    /// Put a value.
    ///
    /// # Errors
    /// [`Fault::Failed`] when the store fails or is full.
    fn set(&self, key: &str, value: &[u8]) -> Result<(), Fault>;
    /// Take a value away.
    ///
    /// # Errors
    /// [`Fault::Failed`] when the store fails.
    fn delete(&self, key: &str) -> Result<(), Fault>;
}

/// What is on a shelf.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
#[cbor(array)]
pub struct Catalogue {
    /// [`FORMAT`].
    #[n(0)]
    pub format: u16,
    /// Packs in the order in which they were written.
    #[n(1)]
    pub packs: Vec<PackEntry>,
}

/// A pack and the documents in it that are still on the shelf.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
#[cbor(array)]
pub struct PackEntry {
    /// Its part of the key.
    #[n(0)]
    pub id: String,
    /// Size of the stored value.
    #[n(1)]
    pub bytes: u64,
    /// How many documents the value holds, those that were replaced since included.
    #[n(2)]
    pub stored: u32,
    /// The documents that count, in the pack's order.
    #[n(3)]
    pub documents: Vec<DocumentEntry>,
}

/// A document on the shelf.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
#[cbor(array)]
pub struct DocumentEntry {
    /// Its name; unique on the shelf.
    #[n(0)]
    pub name: String,
    /// SHA-256 of its content.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub hash: [u8; 32],
    /// How many passages it has.
    #[n(2)]
    pub passages: u32,
}

/// The content of a pack, borrowed from its bytes.
#[derive(Debug, Clone, PartialEq, Encode, Decode, CborLen)]
#[cbor(array)]
pub struct Pack<'a> {
    /// Its documents.
    #[b(0)]
    pub documents: Vec<StoredDocument<'a>>,
}

/// A document with its passages.
#[derive(Debug, Clone, PartialEq, Encode, Decode, CborLen)]
#[cbor(array)]
pub struct StoredDocument<'a> {
    /// Its name.
    #[b(0)]
    pub name: &'a str,
    /// The model of its vectors, `name@version`.
    #[b(1)]
    pub model: &'a str,
    /// Its passages in their order.
    #[b(2)]
    pub passages: Vec<StoredPassage<'a>>,
}

/// A passage with what it takes to find it.
#[derive(Debug, Clone, PartialEq, Encode, Decode, CborLen)]
#[cbor(array)]
pub struct StoredPassage<'a> {
    /// The headings above it.
    #[b(0)]
    pub heading: &'a str,
    /// The passage itself.
    #[b(1)]
    pub text: &'a str,
    /// First line in the document, from 1.
    #[n(2)]
    pub first_line: u32,
    /// Last line.
    #[n(3)]
    pub last_line: u32,
    /// See [`crate::vector::Quantised`].
    #[n(4)]
    pub scale: f32,
    /// See [`crate::vector::Quantised`].
    #[cbor(b(5), with = "minicbor::bytes")]
    pub vector: &'a [u8],
    /// See [`crate::terms::of_passage`].
    #[cbor(b(6), with = "minicbor::bytes")]
    pub terms: &'a [u8],
}

impl Catalogue {
    /// A shelf with nothing on it.
    #[must_use]
    pub fn empty() -> Self {
        Self { format: FORMAT, packs: Vec::new() }
    }

    /// All documents.
    pub fn documents(&self) -> impl Iterator<Item = &DocumentEntry> {
        self.packs.iter().flat_map(|pack| &pack.documents)
    }

    /// Passages of all documents.
    #[must_use]
    pub fn passages(&self) -> usize {
        self.documents().map(|document| document.passages as usize).sum()
    }
}

impl PackEntry {
    /// Does a stored document still count?
    #[must_use]
    pub fn holds(&self, name: &str) -> bool {
        self.documents.iter().any(|document| document.name == name)
    }
}

/// The keys of one customer's shelf. No two customers and no two shelves share one.
#[derive(Debug, Clone)]
pub struct Keys {
    prefix: String,
}

impl Keys {
    /// `customer` pays for the call; `shelf` is the name the customer gave.
    #[must_use]
    pub fn new(customer: &str, shelf: &str) -> Self {
        Self { prefix: format!("{}/{}", escaped(customer), escaped(shelf)) }
    }

    /// Where the catalogue is.
    #[must_use]
    pub fn catalogue(&self) -> String {
        format!("{}/catalogue", self.prefix)
    }

    /// Where a pack is.
    #[must_use]
    pub fn pack(&self, id: &str) -> String {
        format!("{}/pack/{id}", self.prefix)
    }
}

/// Letters, digits, `-`, `_` and `.` as they are, other bytes as `%` and two digits; so `/` parts keys only where we put it.
fn escaped(name: &str) -> String {
    let mut escaped = String::with_capacity(name.len());
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            escaped.push_str(&format!("%{byte:02x}"));
        }
    }
    escaped
}

/// The catalogue of a shelf; an empty one where there is none.
///
/// # Errors
/// [`Fault::Failed`] when the store fails or holds what this version cannot read.
pub fn load(values: &impl Values, keys: &Keys) -> Result<Catalogue, Fault> {
    let Some(bytes) = values.get(&keys.catalogue())? else { return Ok(Catalogue::empty()) };
    let catalogue: Catalogue = minicbor::decode(&bytes).map_err(|error| broken("catalogue", &error))?;
    if catalogue.format != FORMAT {
        let reason = format!("the shelf is stored in form `{}`, not {FORMAT}; shelve its documents anew", catalogue.format);
        return Err(Fault::failed(reason));
    }
    Ok(catalogue)
}

/// The bytes of the packs of a catalogue, in its order.
///
/// # Errors
/// [`Fault::Failed`] when the store fails or a pack is not there.
pub fn load_packs(values: &impl Values, keys: &Keys, catalogue: &Catalogue) -> Result<Vec<Vec<u8>>, Fault> {
    let pack = |entry: &PackEntry| {
        let bytes = values.get(&keys.pack(&entry.id))?;
        bytes.ok_or_else(|| Fault::failed(format!("pack `{}` of the shelf is lost; shelve its documents anew", entry.id)))
    };
    catalogue.packs.iter().map(pack).collect()
}

/// The documents of a pack that still count.
///
/// # Errors
/// [`Fault::Failed`] when the bytes are no pack.
pub fn decode<'a>(bytes: &'a [u8], entry: &PackEntry) -> Result<Vec<StoredDocument<'a>>, Fault> {
    let pack: Pack<'a> = minicbor::decode(bytes).map_err(|error| broken("pack", &error))?;
    Ok(pack.documents.into_iter().filter(|document| entry.holds(document.name)).collect())
}

fn broken(what: &str, error: &minicbor::decode::Error) -> Fault {
    Fault::failed(format!("the stored {what} of the shelf cannot be read ({error}); shelve its documents anew"))
}

#[cfg(test)]
mod tests {
    use super::Keys;

    #[test]
    fn keys_keep_customers_and_shelves_apart() {
        let keys = [("did:key:a", "b/c"), ("did:key:a/b", "c"), ("did:key:a", "b"), ("did:key:a", "B"), ("did:key:a", "b%2fc")];
        let all: std::collections::BTreeSet<_> = keys.iter().map(|(who, shelf)| Keys::new(who, shelf).catalogue()).collect();
        assert_eq!(all.len(), keys.len());
        assert_eq!(Keys::new("did:key:z6Mk", "my shelf").pack("x-0"), "did%3akey%3az6Mk/my%20shelf/pack/x-0");
    }
}
