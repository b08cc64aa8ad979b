//! Statements of every form: what was signed opens, nothing else does, and a general COSE library agrees.

use std::cell::RefCell;
use std::collections::BTreeSet;

use coset::{CborSerializable, CoseSign1, CoseSign1Builder, HeaderBuilder, iana};
use proptest::prelude::*;

use super::*;

#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
struct Note {
    #[n(0)]
    text: String,
}

impl Statement for Note {
    const CONTENT_TYPE: &'static str = "hansa/note.1";
}

#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
struct Other {
    #[n(0)]
    text: String,
}

impl Statement for Other {
    const CONTENT_TYPE: &'static str = "hansa/other.1";
}

fn key() -> Keypair {
    Keypair::from_seed(&[1; 32])
}

fn note() -> Signed<Note> {
    Signed::new(Note { text: "hello".into() }, &key())
}

fn together(count: usize) -> Vec<Signed<Note>> {
    let drafts: Vec<_> = (0..count).map(|n| Draft::new(Note { text: n.to_string() }, key().public())).collect();
    let leaves: Vec<_> = drafts.iter().map(Draft::leaf).collect();
    drafts.into_iter().zip(sign_all(&leaves, &key())).map(|(draft, share)| draft.shared(share)).collect()
}

#[test]
fn what_was_signed_opens() {
    let note = note();
    assert_eq!(Signed::open(note.bytes()), Ok(note.clone()));
    let stranger = Keypair::from_seed(&[2; 32]).verifier();
    assert!(matches!(Signed::<Note>::open_by(note.bytes(), &stranger), Err(StatementError::Signer { .. })));
}

#[test]
fn what_was_signed_together_opens_alone() {
    for count in [1, 2, 3, 8, 21] {
        for note in together(count) {
            assert_eq!(Signed::open(note.bytes()), Ok(note.clone()));
        }
    }
}

#[test]
fn one_kind_does_not_pass_for_another() {
    assert!(matches!(Signed::<Other>::open(note().bytes()), Err(StatementError::Type { .. })));
}

#[test]
fn no_changed_byte_passes() {
    for note in [note(), together(1).remove(0), together(3).remove(1)] {
        for at in 0..note.bytes().len() {
            for bit in 0..8 {
                let mut bytes = note.bytes().to_vec();
                bytes[at] ^= 1 << bit;
                assert!(Signed::<Note>::open(&bytes).is_err(), "byte {at}, bit {bit}");
            }
        }
        assert!(Signed::<Note>::open(&[note.bytes(), &[0]].concat()).is_err());
    }
}

/// Other bytes of the same statement would be another name for it, and look like a second voucher of one number.
#[test]
fn nobody_can_give_a_statement_other_bytes() {
    let note = note();
    let sign1 = CoseSign1::from_slice(note.bytes()).unwrap();
    let mut padded = sign1.clone();
    padded.unprotected.key_id = b"x".to_vec();
    assert!(Signed::<Note>::open(&padded.to_vec().unwrap()).is_err(), "a header that is not signed");
    // The payload (8 bytes) with its length in two bytes instead of one.
    let at = note.bytes().windows(2).rposition(|pair| pair == [0x48, 0xa1]).unwrap();
    let longer = [&note.bytes()[..at], &[0x58, 0x08], &note.bytes()[at + 1..]].concat();
    assert!(CoseSign1::from_slice(&longer).is_ok(), "as a general library sees it");
    assert!(Signed::<Note>::open(&longer).is_err(), "a length that is not the shortest");
    assert!(Signed::<Note>::open(&sign1.to_vec().unwrap()).is_ok());
}

struct Heads(RefCell<BTreeSet<Digest>>);

impl Memo for Heads {
    fn knows(&self, name: &Digest) -> bool {
        self.0.borrow().contains(name)
    }

    fn learn(&self, name: Digest) {
        self.0.borrow_mut().insert(name);
    }
}

#[test]
fn one_verification_serves_a_tree_and_no_forgery() {
    let heads = Heads(RefCell::default());
    let notes = together(4);
    for note in &notes {
        let read = Unverified::<Note>::read(note.bytes()).unwrap();
        assert_eq!(read.verify(&key().verifier(), &heads).as_ref(), Ok(note));
    }
    assert_eq!(heads.0.borrow().len(), 1);
    // The head is known, but with other signature bytes the statement would not stand alone.
    let mut forged = notes[0].bytes().to_vec();
    let at = forged.len() - (2 * 32 + 8 + 64);
    forged[at] ^= 1;
    let read = Unverified::<Note>::read(&forged).unwrap();
    assert!(read.verify(&key().verifier(), &heads).is_err());
    let stranger = Keypair::from_seed(&[2; 32]).verifier();
    assert!(Unverified::<Note>::read(notes[0].bytes()).unwrap().verify(&stranger, &heads).is_err());
}

proptest! {
    #[test]
    fn rubbish_is_an_error(bytes: Vec<u8>) {
        prop_assert!(Signed::<Note>::open(&bytes).is_err());
    }

    #[test]
    fn a_general_library_writes_and_reads_the_same_bytes(text in ".{0,300}") {
        let body = Note { text };
        let header = HeaderBuilder::new()
            .algorithm(iana::Algorithm::EdDSA)
            .content_type("hansa/note.1".to_owned())
            .key_id(key().public().0.to_vec())
            .build();
        let theirs = CoseSign1Builder::new()
            .protected(header)
            .payload(minicbor::to_vec(&body).unwrap())
            .create_signature(&[], |message| key().sign(message).to_vec())
            .build();
        let ours = Signed::new(body, &key());
        prop_assert_eq!(ours.bytes(), theirs.to_vec().unwrap());
        let read = CoseSign1::from_slice(ours.bytes()).unwrap();
        let verified = read.verify_signature(&[], |signature, message| match key().verifier().verifies(message, signature) {
            true => Ok(()),
            false => Err(()),
        });
        prop_assert!(verified.is_ok());
    }
}
