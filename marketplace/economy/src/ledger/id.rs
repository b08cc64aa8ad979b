//! Identifiers of 128 bits: commands and transfers are named by whoever makes them.

use std::fmt;
use std::str::FromStr;

use minicbor::{Decode, Decoder, Encode, Encoder};

use crate::digest::{decode_array, from_hex, hex};

/// A number of 128 bits that names something. Ids that ascend with time (ULID, <https://github.com/ulid/spec>) keep the
/// ledger's indexes fast. Text form: 32 hexadecimal digits; in CBOR a byte string of 16, big-endian.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Id128(pub u128);

/// Names a command; it has one outcome for ever.
pub type CommandId = Id128;
/// Names a transfer; 0 and 2^128 − 1 are no names.
pub type TransferId = Id128;

impl Id128 {
    /// No name.
    pub const ZERO: Id128 = Id128(0);
    /// The largest number, which is no name either.
    pub const MAX: Id128 = Id128(u128::MAX);

    /// A ULID: 48 bits of Unix milliseconds, then 80 bits that `entropy` gives.
    pub const fn from_time(unix_ms: u64, entropy: u128) -> Id128 {
        Id128((unix_ms as u128) << 80 | entropy & ((1 << 80) - 1))
    }

    /// Is it zero?
    pub fn is_zero(&self) -> bool {
        self.0 == 0
    }
}

/// A text that is no id.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("`{0}` is no id; an id is 32 hexadecimal digits")]
pub struct Id128Error(String);

impl FromStr for Id128 {
    type Err = Id128Error;
    fn from_str(text: &str) -> Result<Id128, Id128Error> {
        let bytes = from_hex(text).and_then(|bytes| <[u8; 16]>::try_from(bytes).ok());
        bytes.map(|bytes| Id128(u128::from_be_bytes(bytes))).ok_or_else(|| Id128Error(text.to_owned()))
    }
}

impl fmt::Display for Id128 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(&self.0.to_be_bytes()))
    }
}

impl fmt::Debug for Id128 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Id128({})", self.0)
    }
}

impl<C> Encode<C> for Id128 {
    fn encode<W: minicbor::encode::Write>(&self, e: &mut Encoder<W>, _: &mut C) -> Result<(), minicbor::encode::Error<W::Error>> {
        e.bytes(&self.0.to_be_bytes())?.ok()
    }
}

impl<'b, C> Decode<'b, C> for Id128 {
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Id128, minicbor::decode::Error> {
        decode_array(d).map(|bytes| Id128(u128::from_be_bytes(bytes)))
    }
}

impl serde::Serialize for Id128 {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for Id128 {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Id128, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(d)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}
