//! Write documents to a shelf: new packs first, then the catalogue, then the old packs go.

use std::collections::BTreeSet;

use hansa_sdk::Fault;
use minicbor::CborLen;

use crate::limits::{PACK_BYTES_FULL, SHELF_PASSAGES_MAX};
use crate::shelf::{self, Catalogue, DocumentEntry, Keys, Pack, PackEntry, StoredDocument, Values};

/// A document to be written, with the hash of its content.
#[derive(Debug, Clone)]
pub struct Fresh<'a> {
    /// What is stored.
    pub document: StoredDocument<'a>,
    /// SHA-256 of its content.
    pub hash: [u8; 32],
}

/// Put documents on the shelf, in place of those of the same names. `call` names the packs: two calls never write the same.
///
/// # Errors
/// [`Fault::InvalidInput`] when the shelf would become too large, [`Fault::Failed`] when the store fails.
pub fn commit(values: &impl Values, keys: &Keys, call: &str, fresh: Vec<Fresh<'_>>) -> Result<(), Fault> {
    if fresh.is_empty() {
        return Ok(());
    }
    let mut catalogue = shelf::load(values, keys)?;
    forget(&mut catalogue, &fresh);
    check_room(&catalogue, &fresh)?;
    let (kept, merged): (Vec<_>, Vec<_>) = catalogue.packs.into_iter().partition(is_settled);
    let old = shelf::load_packs(values, keys, &Catalogue { format: shelf::FORMAT, packs: merged.clone() })?;
    let mut all = Vec::new();
    for (bytes, entry) in old.iter().zip(&merged) {
        all.extend(with_hashes(shelf::decode(bytes, entry)?, entry));
    }
    all.extend(fresh);
    let written = write(values, keys, call, all)?;
    let catalogue = Catalogue { format: shelf::FORMAT, packs: kept.into_iter().chain(written).collect() };
    let written: BTreeSet<&str> = catalogue.packs.iter().map(|pack| pack.id.as_str()).collect();
    values.set(&keys.catalogue(), &encoded(&catalogue)?)?;
    for gone in merged.iter().filter(|entry| !written.contains(entry.id.as_str())) {
        values.delete(&keys.pack(&gone.id))?;
    }
    Ok(())
}

/// Take the documents that are replaced out of the catalogue.
fn forget(catalogue: &mut Catalogue, fresh: &[Fresh<'_>]) {
    let names: BTreeSet<&str> = fresh.iter().map(|fresh| fresh.document.name).collect();
    for pack in &mut catalogue.packs {
        pack.documents.retain(|document| !names.contains(document.name.as_str()));
    }
}

fn check_room(catalogue: &Catalogue, fresh: &[Fresh<'_>]) -> Result<(), Fault> {
    let added: usize = fresh.iter().map(|fresh| fresh.document.passages.len()).sum();
    let total = catalogue.passages() + added;
    if total > SHELF_PASSAGES_MAX {
        let reason =
            format!("the shelf would hold `{total}` passages; it has room for {SHELF_PASSAGES_MAX}, so begin another shelf");
        return Err(Fault::invalid_input(reason));
    }
    Ok(())
}

/// A full pack of which at least half counts stays as it is; others are merged with what comes.
fn is_settled(pack: &PackEntry) -> bool {
    pack.bytes >= PACK_BYTES_FULL as u64 && pack.documents.len() * 2 >= pack.stored as usize
}

fn with_hashes<'a>(documents: Vec<StoredDocument<'a>>, entry: &PackEntry) -> Vec<Fresh<'a>> {
    let hash = |name: &str| entry.documents.iter().find(|document| document.name == name).map(|document| document.hash);
    documents.into_iter().filter_map(|document| Some(Fresh { hash: hash(document.name)?, document })).collect()
}

fn write(values: &impl Values, keys: &Keys, call: &str, documents: Vec<Fresh<'_>>) -> Result<Vec<PackEntry>, Fault> {
    let mut written = Vec::new();
    for (number, part) in packed(documents).into_iter().enumerate() {
        let id = format!("{call}-{number}");
        let entries: Vec<_> = part.iter().map(entry).collect();
        let bytes = encoded(&Pack { documents: part.into_iter().map(|fresh| fresh.document).collect() })?;
        values.set(&keys.pack(&id), &bytes)?;
        let stored = u32::try_from(entries.len()).unwrap_or(u32::MAX);
        written.push(PackEntry { id, bytes: bytes.len() as u64, stored, documents: entries });
    }
    Ok(written)
}

/// Divide documents into packs; each ends with the document that fills it.
fn packed(documents: Vec<Fresh<'_>>) -> Vec<Vec<Fresh<'_>>> {
    let mut packs: Vec<Vec<Fresh<'_>>> = Vec::new();
    let mut room = 0;
    for document in documents {
        let bytes = document.document.cbor_len(&mut ());
        match packs.last_mut() {
            Some(pack) if room > 0 => pack.push(document),
            _ => {
                packs.push(vec![document]);
                room = PACK_BYTES_FULL;
            }
        }
        room = room.saturating_sub(bytes);
    }
    packs
}

fn entry(fresh: &Fresh<'_>) -> DocumentEntry {
    let passages = u32::try_from(fresh.document.passages.len()).unwrap_or(u32::MAX);
    DocumentEntry { name: fresh.document.name.to_owned(), hash: fresh.hash, passages }
}

fn encoded<T: minicbor::Encode<()>>(value: &T) -> Result<Vec<u8>, Fault> {
    minicbor::to_vec(value).map_err(|error| Fault::failed(format!("the shelf cannot be written: {error}")))
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::collections::BTreeMap;

    use hansa_sdk::Fault;

    use super::{Fresh, commit};
    use crate::limits::{PACK_BYTES_FULL, SHELF_PASSAGES_MAX};
    use crate::shelf::{self, Keys, StoredDocument, StoredPassage, Values};

    #[derive(Default)]
    struct Map(RefCell<BTreeMap<String, Vec<u8>>>);

    impl Values for Map {
        fn get(&self, key: &str) -> Result<Option<Vec<u8>>, Fault> {
            Ok(self.0.borrow().get(key).cloned())
        }
        fn set(&self, key: &str, value: &[u8]) -> Result<(), Fault> {
            self.0.borrow_mut().insert(key.into(), value.into());
            Ok(())
        }
        fn delete(&self, key: &str) -> Result<(), Fault> {
            self.0.borrow_mut().remove(key);
            Ok(())
        }
    }

    fn fresh<'a>(name: &'a str, text: &'a str, passages: usize) -> Fresh<'a> {
        let passage = StoredPassage {
            heading: "H",
            text,
            first_line: 1,
            last_line: 2,
            scale: 0.5,
            vector: &[1, 255],
            terms: &[1, 2, 3, 4],
        };
        Fresh { document: StoredDocument { name, model: "m@1", passages: vec![passage; passages] }, hash: [7; 32] }
    }

    fn shelf_of(values: &Map, keys: &Keys) -> BTreeMap<String, String> {
        let catalogue = shelf::load(values, keys).unwrap();
        let packs = shelf::load_packs(values, keys, &catalogue).unwrap();
        assert_eq!(values.0.borrow().len(), packs.len() + usize::from(!packs.is_empty()), "nothing is left behind");
        let mut found = BTreeMap::new();
        for (bytes, entry) in packs.iter().zip(&catalogue.packs) {
            for document in shelf::decode(bytes, entry).unwrap() {
                assert!(found.insert(document.name.to_owned(), document.passages[0].text.to_owned()).is_none());
            }
        }
        found
    }

    #[test]
    fn documents_come_back_and_are_replaced_by_name() {
        let (values, keys) = (Map::default(), Keys::new("me", "s"));
        assert!(shelf_of(&values, &keys).is_empty());
        commit(&values, &keys, "c1", vec![fresh("a", "one", 2), fresh("b", "two", 1)]).unwrap();
        commit(&values, &keys, "c2", vec![fresh("b", "three", 1), fresh("c", "four", 1)]).unwrap();
        let expected = [("a", "one"), ("b", "three"), ("c", "four")].map(|(n, t)| (n.to_owned(), t.to_owned()));
        assert_eq!(shelf_of(&values, &keys), expected.into());
        assert_eq!(shelf::load(&values, &keys).unwrap().passages(), 4);
        assert_eq!(shelf::load(&values, &keys).unwrap().packs.len(), 1);
    }

    #[test]
    fn full_packs_stay_until_half_of_them_is_gone() {
        let (values, keys) = (Map::default(), Keys::new("me", "s"));
        let long = "x".repeat(PACK_BYTES_FULL / 2);
        let names: Vec<String> = (0..6).map(|n| format!("d{n}")).collect();
        commit(&values, &keys, "c1", names.iter().map(|name| fresh(name, &long, 1)).collect()).unwrap();
        let ids = |values: &Map| shelf::load(values, &keys).unwrap().packs.iter().map(|p| p.id.clone()).collect::<Vec<_>>();
        assert_eq!(ids(&values), ["c1-0", "c1-1", "c1-2"]);
        commit(&values, &keys, "c2", vec![fresh("d0", "new", 1)]).unwrap();
        assert_eq!(ids(&values), ["c1-0", "c1-1", "c1-2", "c2-0"]);
        commit(&values, &keys, "c3", vec![fresh("d1", "new", 1)]).unwrap();
        assert_eq!(ids(&values), ["c1-1", "c1-2", "c3-0"]);
        assert_eq!(shelf_of(&values, &keys).len(), 6);
    }

    #[test]
    fn a_shelf_has_an_end() {
        let (values, keys) = (Map::default(), Keys::new("me", "s"));
        let fault = commit(&values, &keys, "c", vec![fresh("a", "x", SHELF_PASSAGES_MAX + 1)]).unwrap_err();
        assert!(fault.reason().contains("begin another shelf"));
    }

    #[test]
    fn bytes_that_are_no_shelf_are_told() {
        let (values, keys) = (Map::default(), Keys::new("me", "s"));
        values.set(&keys.catalogue(), b"nonsense").unwrap();
        assert!(shelf::load(&values, &keys).unwrap_err().reason().contains("shelve its documents anew"));
    }
}
