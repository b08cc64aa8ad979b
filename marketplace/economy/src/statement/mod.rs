//! Signed statements: COSE_Sign1 (RFC 9052 §4.2, EdDSA) over deterministic CBOR (RFC 8949 §4.2).
//!
//! The protected header holds the algorithm, a content type that names kind and version (`hansa/voucher.1`) and the
//! signer's key as key id. The exact bytes are kept and passed on, never made again. Where one key signs many statements at
//! once, they may share a signature ([`sign_all`]); each still stands alone.

mod cose;
mod tree;

use minicbor::{Decode, Encode};

use crate::digest::Digest;
use crate::key::{KeyError, Keypair, PublicKey, Verifier};
use crate::limits::{STATEMENT_BYTES_MAX, TREE_LEAVES_MAX};
use cose::Algorithm;
pub use tree::Memo;

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
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
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
        let payload = payload(&body);
        let protected = cose::protected(Algorithm::EdDsa, T::CONTENT_TYPE, &key.public());
        let signature = key.sign(&cose::message(&protected, &payload));
        Signed { body, signer: key.public(), bytes: cose::write(&protected, &payload, &signature) }
    }

    /// Read and verify a statement by whoever signed it.
    pub fn open(bytes: &[u8]) -> Result<Signed<T>, StatementError> {
        let unverified = Unverified::read(bytes)?;
        let verifier = unverified.signer().verifier()?;
        unverified.verify(&verifier, &())
    }

    /// Read and verify a statement that must be signed by `verifier`'s key.
    pub fn open_by(bytes: &[u8], verifier: &Verifier) -> Result<Signed<T>, StatementError> {
        Unverified::read(bytes)?.verify(verifier, &())
    }

    /// Read a statement whose signature was verified before, for example one from our own store.
    pub fn open_trusted(bytes: &[u8]) -> Result<Signed<T>, StatementError> {
        Ok(Unverified::read(bytes)?.trusted())
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

/// A statement that was read and not verified yet: what it says may choose how to verify it, and nothing else.
pub struct Unverified<'a, T> {
    body: T,
    bytes: &'a [u8],
    parts: cose::Parts<'a>,
}

impl<'a, T: Statement> Unverified<'a, T> {
    /// Read a statement of this kind.
    pub fn read(bytes: &'a [u8]) -> Result<Unverified<'a, T>, StatementError> {
        let parts = cose::read(bytes)?;
        if parts.content_type != T::CONTENT_TYPE {
            return Err(StatementError::Type { expected: T::CONTENT_TYPE, found: parts.content_type.to_owned() });
        }
        let mut decoder = minicbor::Decoder::new(parts.payload);
        let body = decoder.decode().map_err(|error| malformed(&error.to_string()))?;
        match decoder.position() == parts.payload.len() {
            true => Ok(Unverified { body, bytes, parts }),
            false => Err(malformed("bytes after the end")),
        }
    }

    /// What it says, on nobody's word.
    pub fn body(&self) -> &T {
        &self.body
    }

    /// Who it says has signed it.
    pub fn signer(&self) -> PublicKey {
        self.parts.signer
    }

    /// Verify that `verifier`'s key has signed it. `memo` spares the work for further statements under one signature.
    pub fn verify(self, verifier: &Verifier, memo: &impl Memo) -> Result<Signed<T>, StatementError> {
        let found = self.parts.signer;
        if found != verifier.key() {
            return Err(StatementError::Signer { expected: verifier.key(), found });
        }
        let message = cose::message(self.parts.protected, self.parts.payload);
        let valid = match self.parts.algorithm {
            Algorithm::EdDsa => verifier.verifies(&message, self.parts.signature),
            Algorithm::Tree => {
                tree::climb(tree::leaf(&message), self.parts.signature).is_some_and(|claim| claim.is_signed_by(verifier, memo))
            }
        };
        match valid {
            true => Ok(self.trusted()),
            false => Err(StatementError::Signature(found)),
        }
    }

    fn trusted(self) -> Signed<T> {
        Signed { body: self.body, signer: self.parts.signer, bytes: self.bytes.to_vec() }
    }
}

/// A statement on its way to be signed together with others.
pub struct Draft<T> {
    body: T,
    signer: PublicKey,
    protected: Vec<u8>,
    payload: Vec<u8>,
    leaf: Digest,
}

/// What a draft's statement has in place of a signature of its own.
pub struct Share(Vec<u8>);

impl<T: Statement> Draft<T> {
    /// Prepare `body` to be signed by `signer`'s key.
    pub fn new(body: T, signer: PublicKey) -> Draft<T> {
        let payload = payload(&body);
        let protected = cose::protected(Algorithm::Tree, T::CONTENT_TYPE, &signer);
        let leaf = tree::leaf(&cose::message(&protected, &payload));
        Draft { body, signer, protected, payload, leaf }
    }

    /// What [`sign_all`] needs of it.
    pub fn leaf(&self) -> Digest {
        self.leaf
    }

    /// Sign it with others. `share`: what [`sign_all`] gave for its leaf, by the key that it was prepared for.
    pub fn shared(self, share: Share) -> Signed<T> {
        Signed { signer: self.signer, bytes: cose::write(&self.protected, &self.payload, &share.0), body: self.body }
    }

    /// Sign it alone after all.
    pub fn alone(self, key: &Keypair) -> Signed<T> {
        Signed::new(self.body, key)
    }
}

/// Sign the statements with these leaves with one signature; the shares are in the order of the leaves. At least one and at
/// most [`TREE_LEAVES_MAX`] leaves.
pub fn sign_all(leaves: &[Digest], key: &Keypair) -> Vec<Share> {
    assert!((1..=TREE_LEAVES_MAX).contains(&leaves.len()), "one to {TREE_LEAVES_MAX} statements share a signature");
    tree::sign(leaves, key).into_iter().map(Share).collect()
}

/// The content type of any signed statement, without verifying it.
pub fn content_type(bytes: &[u8]) -> Result<String, StatementError> {
    Ok(cose::read(bytes)?.content_type.to_owned())
}

/// Room for what most statements say; more makes the buffer grow.
const PAYLOAD_BYTES: usize = 768;

fn payload<T: Statement>(body: &T) -> Vec<u8> {
    let mut out = Vec::with_capacity(PAYLOAD_BYTES);
    minicbor::encode(body, &mut out).expect("writing to memory cannot fail");
    out
}

fn malformed(reason: &str) -> StatementError {
    StatementError::Malformed(reason.to_owned())
}

#[cfg(test)]
mod tests;
