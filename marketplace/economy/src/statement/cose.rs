//! The bytes of a COSE_Sign1 (RFC 9052 §4.2) with our headers, in the one form that deterministic CBOR allows.
//!
//! Whoever passes a statement on must not be able to give it other bytes, because statements are named by the digest of
//! their bytes. So a reader takes the deterministic form alone: headers in order, an empty unprotected map, shortest
//! lengths, nothing after the end. A general COSE library reads such bytes too; the tests hold the two together.

use minicbor::data::Type;
use minicbor::{Decoder, Encoder};

use super::{StatementError, malformed};
use crate::key::PublicKey;
use crate::limits::STATEMENT_BYTES_MAX;

/// How a statement is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Algorithm {
    /// EdDSA (RFC 9053 §2.2) over the statement itself.
    EdDsa,
    /// EdDSA over the head of a tree that the statement is a leaf of; see [`super::tree`].
    Tree,
}

impl Algorithm {
    /// The number in the protected header: COSE's for EdDSA, one for private use (below −65536) for trees.
    fn number(self) -> i64 {
        match self {
            Algorithm::EdDsa => -8,
            Algorithm::Tree => -65537,
        }
    }
}

/// The parts of a statement's bytes.
pub(super) struct Parts<'a> {
    pub(super) algorithm: Algorithm,
    pub(super) content_type: &'a str,
    pub(super) signer: PublicKey,
    pub(super) protected: &'a [u8],
    pub(super) payload: &'a [u8],
    pub(super) signature: &'a [u8],
}

/// The protected header: algorithm (1), content type (3), key id (4).
pub(super) fn protected(algorithm: Algorithm, content_type: &str, signer: &PublicKey) -> Vec<u8> {
    let mut out = Vec::with_capacity(64 + content_type.len());
    let mut cbor = Encoder::new(&mut out);
    let written = cbor
        .map(3)
        .and_then(|cbor| cbor.u8(1)?.i64(algorithm.number()))
        .and_then(|cbor| cbor.u8(3)?.str(content_type))
        .and_then(|cbor| cbor.u8(4)?.bytes(&signer.0));
    written.expect("writing to memory cannot fail");
    out
}

/// What the signature is over: `Sig_structure` of RFC 9052 §4.4 without external data.
pub(super) fn message(protected: &[u8], payload: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(32 + protected.len() + payload.len());
    let mut cbor = Encoder::new(&mut out);
    let written = cbor.array(4).and_then(|cbor| cbor.str("Signature1")?.bytes(protected)?.bytes(&[])?.bytes(payload)).map(|_| ());
    written.expect("writing to memory cannot fail");
    out
}

/// The whole statement.
pub(super) fn write(protected: &[u8], payload: &[u8], signature: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(length(protected, payload, signature));
    let mut cbor = Encoder::new(&mut out);
    let written = cbor.array(4).and_then(|cbor| cbor.bytes(protected)?.map(0)?.bytes(payload)?.bytes(signature)).map(|_| ());
    written.expect("writing to memory cannot fail");
    out
}

/// Take a statement apart, without verifying it.
pub(super) fn read(bytes: &[u8]) -> Result<Parts<'_>, StatementError> {
    if bytes.len() > STATEMENT_BYTES_MAX {
        return Err(StatementError::TooLong(bytes.len()));
    }
    let parts = read_outer(bytes).map_err(|error| malformed(&error.to_string()))?;
    let [head, payload, signature] = parts;
    if length(head, payload, signature) != bytes.len() {
        return Err(malformed("not in deterministic form, or bytes after the end"));
    }
    let (number, content_type, key) = read_protected(head).map_err(|error| malformed(&error.to_string()))?;
    let known = [Algorithm::EdDsa, Algorithm::Tree];
    let algorithm = known.into_iter().find(|algorithm| algorithm.number() == number);
    let algorithm = algorithm.ok_or_else(|| malformed(&format!("algorithm {number} instead of EdDSA")))?;
    let signer = PublicKey(key.try_into().map_err(|_| malformed("no key id of 32 bytes"))?);
    match protected(algorithm, content_type, &signer) == head {
        true => Ok(Parts { algorithm, content_type, signer, protected: head, payload, signature }),
        false => Err(malformed("the protected header is not in deterministic form")),
    }
}

fn read_outer(bytes: &[u8]) -> Result<[&[u8]; 3], minicbor::decode::Error> {
    let mut cbor = Decoder::new(bytes);
    if cbor.datatype()? != Type::Array || cbor.array()? != Some(4) {
        return Err(minicbor::decode::Error::message("no COSE_Sign1, which is an array of four"));
    }
    let protected = cbor.bytes()?;
    if cbor.map()? != Some(0) {
        return Err(minicbor::decode::Error::message("headers that are not signed"));
    }
    Ok([protected, cbor.bytes()?, cbor.bytes()?])
}

fn read_protected(bytes: &[u8]) -> Result<(i64, &str, &[u8]), minicbor::decode::Error> {
    let mut cbor = Decoder::new(bytes);
    let expect = |found: Option<u64>, wanted: u64, what: &str| match found == Some(wanted) {
        true => Ok(()),
        false => Err(minicbor::decode::Error::message(what)),
    };
    expect(cbor.map()?, 3, "the protected header has other entries than ours")?;
    expect(Some(cbor.u64()?), 1, "no algorithm")?;
    let algorithm = cbor.i64()?;
    expect(Some(cbor.u64()?), 3, "no content type")?;
    let content_type = cbor.str()?;
    expect(Some(cbor.u64()?), 4, "no key id")?;
    Ok((algorithm, content_type, cbor.bytes()?))
}

/// Bytes of a statement with these parts, written in the shortest way.
fn length(protected: &[u8], payload: &[u8], signature: &[u8]) -> usize {
    2 + [protected, payload, signature].iter().map(|part| head_length(part.len()) + part.len()).sum::<usize>()
}

/// Bytes of a byte string's head (RFC 8949 §3).
fn head_length(length: usize) -> usize {
    match length {
        0..24 => 1,
        24..0x100 => 2,
        0x100..0x1_0000 => 3,
        _ => 5,
    }
}
