//! Assets: what amounts count, and who may change how much of it there is.

use minicbor::{Decode, Encode};
use serde::Serialize;

use crate::amount::Amount;
use crate::channel::AccountId;
use crate::key::PublicKey;

/// An asset.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
#[cbor(map)]
pub struct Asset {
    /// Its number; not zero.
    #[n(0)]
    pub id: u32,
    /// Its name, for example `CRED`.
    #[n(1)]
    pub code: String,
    /// Decimal places of its text form.
    #[n(2)]
    pub scale: u8,
    /// Who issues and redeems it.
    #[n(3)]
    pub issuer: PublicKey,
    /// The other side of its supply.
    #[n(4)]
    pub issuance: AccountId,
    /// All that was ever issued.
    #[n(5)]
    pub issued: Amount,
    /// All that was ever redeemed.
    #[n(6)]
    pub redeemed: Amount,
    /// Log time of its creation, Unix nanoseconds.
    #[n(7)]
    pub timestamp_ns: u64,
}

impl Asset {
    /// How much of it there is.
    pub fn supply(&self) -> Amount {
        self.issued.saturating_sub(self.redeemed)
    }
}
