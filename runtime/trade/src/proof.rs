//! The proof of a call, behind one seam: how a buyer vouches and how a seller receipts.
//!
//! Now: one ed25519 signature each way for each call. A scheme that amortises signatures over many calls replaces this
//! file and nothing else.

use hansa_economy::channel::Voucher;
use hansa_economy::receipt::Receipt;
use hansa_economy::{Keypair, Signed, StatementError, Verifier};

/// The buyer vouches for one call.
pub(crate) fn vouch(voucher: Voucher, key: &Keypair) -> Signed<Voucher> {
    Signed::new(voucher, key)
}

/// The seller checks that it was the payer who vouched.
pub(crate) fn check_voucher(bytes: &[u8], payer: &Verifier) -> Result<Signed<Voucher>, StatementError> {
    Signed::open_by(bytes, payer)
}

/// The seller states what was done and charged.
pub(crate) fn receipt(receipt: Receipt, key: &Keypair) -> Signed<Receipt> {
    Signed::new(receipt, key)
}

/// The buyer checks that it was the seller who stated it.
pub(crate) fn check_receipt(bytes: &[u8], seller: &Verifier) -> Result<Signed<Receipt>, StatementError> {
    Signed::open_by(bytes, seller)
}
