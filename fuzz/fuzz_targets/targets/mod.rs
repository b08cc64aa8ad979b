//! What is tried on bytes from outside: each decoder reads or refuses them. Also used by `runtime/ledger/tests/decoders.rs`.
#![allow(
    clippy::allow_attributes,
    dead_code,
    unreachable_pub,
    reason = "each fuzzer uses one of them, so no expectation holds for all"
)]

use hansa_economy::channel::{CloseWish, Voucher};
use hansa_economy::ledger::{Checkpoint, Entry, SignedCommand, Verified};
use hansa_economy::quote::Quote;
use hansa_economy::receipt::Receipt;
use hansa_economy::statement::{Statement, content_type};
use hansa_economy::tender::{Outcome, SealedBid, Tender};
use hansa_economy::{Digest, Signed};

/// Every target.
pub fn all(bytes: &[u8]) {
    statements(bytes);
    commands(bytes);
    entries(bytes);
}

/// Signed statements of every kind: the envelope, and what is in it though the signature be wrong.
pub fn statements(bytes: &[u8]) {
    let _ = content_type(bytes);
    statement::<SignedCommand>(bytes);
    statement::<Voucher>(bytes);
    statement::<CloseWish>(bytes);
    statement::<Receipt>(bytes);
    statement::<Checkpoint>(bytes);
    statement::<Quote>(bytes);
    statement::<Tender>(bytes);
    statement::<SealedBid>(bytes);
    statement::<Outcome>(bytes);
}

fn statement<T: Statement>(bytes: &[u8]) {
    let _ = Signed::<T>::open(bytes);
    if let Ok(signed) = Signed::<T>::open_trusted(bytes) {
        assert_eq!(signed.bytes(), bytes, "the exact bytes are kept");
        body(&signed.body);
    }
    if let Ok(read) = minicbor::decode::<T>(bytes) {
        body(&read);
    }
}

/// What was read is written, and read as what it is.
fn body<T: Statement>(read: &T) {
    let once = minicbor::to_vec(read).expect("writing to memory cannot fail");
    let again: T = minicbor::decode(&once).expect("what we write we read");
    assert_eq!(minicbor::to_vec(&again).expect("writing to memory cannot fail"), once, "there is one form of it");
}

/// Signed commands with the vouchers and receipts in them.
pub fn commands(bytes: &[u8]) {
    if let Ok(verified) = Verified::open(bytes) {
        assert_eq!((verified.bytes(), verified.digest()), (bytes, Digest::of(bytes)));
    }
}

/// Entries of a log, with the hash that they have and with the right one.
pub fn entries(bytes: &[u8]) {
    let _ = Entry::open(bytes);
    let body = bytes.get(32..).unwrap_or(bytes);
    let mut right = Digest::of_parts("hansa ledger entry", &[body]).0.to_vec();
    right.extend_from_slice(body);
    if let Ok((entry, hash)) = Entry::open(&right) {
        assert_eq!(hash.0, right[..32]);
        let (sealed, _) = entry.seal();
        assert_eq!(Entry::open(&sealed).expect("what we write we read").0, entry);
    }
}
