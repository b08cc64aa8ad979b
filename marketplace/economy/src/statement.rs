//! Signed statements: COSE_Sign1 (RFC 9052 §4.2, EdDSA) over deterministic CBOR (RFC 8949 §4.2).
//!
//! The protected header holds the algorithm, a content type that names kind and version (`hansa/voucher.1`) and the
//! signer's key as key id. The exact bytes are kept and passed on, never made again.

use coset::iana::Algorithm;
use coset::{
    Algorithm as AnyAlgorithm, CborSerializable, ContentType, CoseSign1, CoseSign1Builder, HeaderBuilder,
    RegisteredLabelWithPrivate,
};
use minicbor::{Decode, Encode};

use crate::digest::Digest;
use crate::key::{KeyError, Keypair, PublicKey, Verifier};
use crate::limits::STATEMENT_BYTES_MAX;

/// What can be signed: a value with one CBOR form and a name for it.
pub trait Statement: Encode<()> + for<'b> Decode<'b, ()> {
    /// Kind and version, for example `hansa/voucher.1`.
    const CONTENT_TYPE: &'static str;
}

/// A statement, who signed it, and the very bytes that were signed over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signed<T> {
    /// What was said.
    pub body: T,
    /// Who said it.
    pub signer: PublicKey,
    bytes: Vec<u8>,
}

/// Why bytes are not the statement that was expected.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum StatementError {
    /// Longer than any statement may be.
    #[error("the statement has {0} bytes, more than {STATEMENT_BYTES_MAX}")]
    TooLong(usize),
    /// Not a COSE_Sign1 with our headers.
    #[error("not a signed statement: {0}")]
    Malformed(String),
    /// Another kind or version than expected.
    #[error("expected a statement of type `{expected}`, found `{found}`")]
    Type {
        /// The content type asked for.
        expected: &'static str,
        /// The content type found.
        found: String,
    },
    /// The key in the header is unusable.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// Signed by somebody else than expected.
    #[error("signed by {found}, expected {expected}")]
    Signer {
        /// Whose signature was needed.
        expected: PublicKey,
        /// Whose it says it is.
        found: PublicKey,
    },
    /// The signature does not match.
    #[error("the signature of {0} does not match the content")]
    Signature(PublicKey),
}

impl<T: Statement> Signed<T> {
    /// Sign `body` with `key`.
    pub fn new(body: T, key: &Keypair) -> Signed<T> {
        let payload = minicbor::to_vec(&body).expect("writing to memory cannot fail");
        let protected = HeaderBuilder::new()
            .algorithm(Algorithm::EdDSA)
            .content_type(T::CONTENT_TYPE.to_owned())
            .key_id(key.public().0.to_vec())
            .build();
        let sign1 = CoseSign1Builder::new()
            .protected(protected)
            .payload(payload)
            .create_signature(&[], |message| key.sign(message).to_vec())
            .build();
        let bytes = sign1.to_vec().expect("a statement built here is well formed");
        Signed { body, signer: key.public(), bytes }
    }

    /// Read and verify a statement by whoever signed it.
    pub fn open(bytes: &[u8]) -> Result<Signed<T>, StatementError> {
        let parsed = Parsed::read(bytes, T::CONTENT_TYPE)?;
        let verifier = parsed.signer.verifier()?;
        parsed.finish(bytes, &verifier)
    }

    /// Read and verify a statement that must be signed by `verifier`'s key.
    pub fn open_by(bytes: &[u8], verifier: &Verifier) -> Result<Signed<T>, StatementError> {
        let parsed = Parsed::read(bytes, T::CONTENT_TYPE)?;
        if parsed.signer != verifier.key() {
            return Err(StatementError::Signer { expected: verifier.key(), found: parsed.signer });
        }
        parsed.finish(bytes, verifier)
    }

    /// Read a statement whose signature was verified before, for example one from our own store.
    pub fn open_trusted(bytes: &[u8]) -> Result<Signed<T>, StatementError> {
        let parsed = Parsed::read(bytes, T::CONTENT_TYPE)?;
        Ok(Signed { body: parsed.body()?, signer: parsed.signer, bytes: bytes.to_vec() })
    }

    /// The exact bytes, to store and to pass on.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The digest of the exact bytes: the statement's name.
    pub fn digest(&self) -> Digest {
        Digest::of(&self.bytes)
    }
}

/// The content type of any signed statement, without verifying it.
pub fn content_type(bytes: &[u8]) -> Result<String, StatementError> {
    Ok(Parsed::read_any(bytes)?.1)
}

struct Parsed {
    sign1: CoseSign1,
    signer: PublicKey,
}

impl Parsed {
    fn read(bytes: &[u8], expected: &'static str) -> Result<Parsed, StatementError> {
        let (parsed, found) = Parsed::read_any(bytes)?;
        if found != expected {
            return Err(StatementError::Type { expected, found });
        }
        Ok(parsed)
    }

    fn read_any(bytes: &[u8]) -> Result<(Parsed, String), StatementError> {
        if bytes.len() > STATEMENT_BYTES_MAX {
            return Err(StatementError::TooLong(bytes.len()));
        }
        let sign1 = CoseSign1::from_slice(bytes).map_err(|error| malformed(&error.to_string()))?;
        let header = &sign1.protected.header;
        if header.alg != Some(RegisteredLabelWithPrivate::Assigned(Algorithm::EdDSA)) {
            return Err(malformed(&format!("algorithm {:?} instead of EdDSA", header.alg.as_ref().map(algorithm_name))));
        }
        let Some(ContentType::Text(found)) = header.content_type.clone() else {
            return Err(malformed("no content type"));
        };
        let signer = <[u8; 32]>::try_from(header.key_id.as_slice()).map_err(|_| malformed("no key id of 32 bytes"))?;
        Ok((Parsed { sign1, signer: PublicKey(signer) }, found))
    }

    fn body<T: Statement>(&self) -> Result<T, StatementError> {
        let payload = self.sign1.payload.as_deref().ok_or_else(|| malformed("no payload"))?;
        let mut decoder = minicbor::Decoder::new(payload);
        let body = decoder.decode().map_err(|error| malformed(&error.to_string()))?;
        match decoder.position() == payload.len() {
            true => Ok(body),
            false => Err(malformed("bytes after the end")),
        }
    }

    fn finish<T: Statement>(self, bytes: &[u8], verifier: &Verifier) -> Result<Signed<T>, StatementError> {
        let valid = |signature: &[u8], message: &[u8]| verifier.verifies(message, signature).then_some(()).ok_or(());
        if self.sign1.verify_signature(&[], valid).is_err() {
            return Err(StatementError::Signature(self.signer));
        }
        Ok(Signed { body: self.body()?, signer: self.signer, bytes: bytes.to_vec() })
    }
}

fn algorithm_name(algorithm: &AnyAlgorithm) -> String {
    format!("{algorithm:?}")
}

fn malformed(reason: &str) -> StatementError {
    StatementError::Malformed(reason.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

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

    fn note() -> Signed<Note> {
        Signed::new(Note { text: "hello".into() }, &Keypair::from_seed(&[1; 32]))
    }

    #[test]
    fn what_was_signed_opens() {
        let note = note();
        assert_eq!(Signed::open(note.bytes()), Ok(note.clone()));
        let stranger = Keypair::from_seed(&[2; 32]).verifier();
        assert!(matches!(Signed::<Note>::open_by(note.bytes(), &stranger), Err(StatementError::Signer { .. })));
    }

    #[test]
    fn one_kind_does_not_pass_for_another() {
        assert!(matches!(Signed::<Other>::open(note().bytes()), Err(StatementError::Type { .. })));
    }

    #[test]
    fn no_changed_byte_passes() {
        let note = note();
        for at in 0..note.bytes().len() {
            let mut bytes = note.bytes().to_vec();
            bytes[at] ^= 1;
            assert!(Signed::<Note>::open(&bytes).is_err(), "byte {at}");
        }
        let mut longer = note.bytes().to_vec();
        longer.push(0);
        assert!(Signed::<Note>::open(&longer).is_err());
    }

    proptest! {
        #[test]
        fn rubbish_is_an_error(bytes: Vec<u8>) {
            prop_assert!(Signed::<Note>::open(&bytes).is_err());
        }
    }
}
