//! Money: an unsigned count of an asset's smallest unit. Arithmetic is checked; there is no float.

use std::fmt;
use std::str::FromStr;

use minicbor::data::{Tag, Type};
use minicbor::{Decode, Decoder, Encode, Encoder};

use crate::limits::AMOUNT_SCALE;

/// An amount in the smallest unit (a millionth of a credit). Text form: decimal credits, `12.500000`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug)]
pub struct Amount(pub u128);

/// A text that is no amount.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("`{text}` is no amount: {reason}; write decimal credits such as `0.25`")]
pub struct AmountError {
    text: String,
    reason: &'static str,
}

const UNIT: u128 = 10u128.pow(AMOUNT_SCALE);

impl Amount {
    /// Nothing.
    pub const ZERO: Amount = Amount(0);
    /// The largest amount, 2^128 − 1; some transfers take it to mean "all of it".
    pub const MAX: Amount = Amount(u128::MAX);

    /// Is it nothing?
    pub const fn is_zero(&self) -> bool {
        self.0 == 0
    }

    /// Whole credits.
    pub const fn credits(whole: u64) -> Amount {
        Amount(whole as u128 * UNIT)
    }

    /// Sum, or none beyond 2^128 − 1.
    pub fn checked_add(self, other: Amount) -> Option<Amount> {
        self.0.checked_add(other.0).map(Amount)
    }

    /// Difference, or none below zero.
    pub fn checked_sub(self, other: Amount) -> Option<Amount> {
        self.0.checked_sub(other.0).map(Amount)
    }

    /// Difference, or zero where it would be below.
    pub fn saturating_sub(self, other: Amount) -> Amount {
        Amount(self.0.saturating_sub(other.0))
    }

    /// Sum, or the largest amount where it would be beyond.
    pub fn saturating_add(self, other: Amount) -> Amount {
        Amount(self.0.saturating_add(other.0))
    }

    /// Product, or the largest amount where it would be beyond.
    pub const fn saturating_mul(self, times: u128) -> Amount {
        Amount(self.0.saturating_mul(times))
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = format!("{}.{:06}", self.0 / UNIT, self.0 % UNIT);
        f.pad_integral(true, "", &text)
    }
}

impl FromStr for Amount {
    type Err = AmountError;
    fn from_str(text: &str) -> Result<Amount, AmountError> {
        let error = |reason| AmountError { text: text.to_owned(), reason };
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        if whole.is_empty() || (text.contains('.') && fraction.is_empty()) {
            return Err(error("digits are missing"));
        }
        if !whole.bytes().chain(fraction.bytes()).all(|b| b.is_ascii_digit()) {
            return Err(error("it may hold digits and one point only"));
        }
        if fraction.len() > AMOUNT_SCALE as usize {
            return Err(error("it has more than six decimal places"));
        }
        let whole: u128 = whole.parse().map_err(|_| error("it is too large"))?;
        let fraction: u128 = format!("{fraction:0<6}").parse().map_err(|_| error("it is too large"))?;
        let units = whole.checked_mul(UNIT).and_then(|units| units.checked_add(fraction));
        units.map(Amount).ok_or_else(|| error("it is too large"))
    }
}

/// An unsigned integer up to 2^64 − 1, and a bignum (RFC 8949 §3.4.3, tag 2, no leading zeros) beyond.
impl<C> Encode<C> for Amount {
    fn encode<W: minicbor::encode::Write>(&self, e: &mut Encoder<W>, _: &mut C) -> Result<(), minicbor::encode::Error<W::Error>> {
        match u64::try_from(self.0) {
            Ok(small) => e.u64(small)?.ok(),
            Err(_) => {
                let bytes = self.0.to_be_bytes();
                let first = bytes.iter().position(|b| *b != 0).unwrap_or(bytes.len());
                e.tag(Tag::new(2))?.bytes(&bytes[first..])?.ok()
            }
        }
    }
}

impl<'b, C> Decode<'b, C> for Amount {
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Amount, minicbor::decode::Error> {
        if d.datatype()? != Type::Tag {
            return Ok(Amount(d.u64()?.into()));
        }
        let at = d.position();
        let malformed = || minicbor::decode::Error::message("malformed bignum").at(at);
        let tag = d.tag()?;
        let bytes = d.bytes()?;
        if tag != Tag::new(2) || bytes.len() > 16 || bytes.len() <= 8 || bytes[0] == 0 {
            return Err(malformed());
        }
        let mut whole = [0u8; 16];
        whole[16 - bytes.len()..].copy_from_slice(bytes);
        Ok(Amount(u128::from_be_bytes(whole)))
    }
}

impl serde::Serialize for Amount {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for Amount {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Amount, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(d)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn reads_decimal_credits() {
        assert_eq!("12.5".parse(), Ok(Amount(12_500_000)));
        assert_eq!("0.000001".parse(), Ok(Amount(1)));
        assert_eq!("7".parse(), Ok(Amount::credits(7)));
        for bad in
            ["", ".", "1.", ".5", "-1", "+1", "1e3", "0.0000001", "1,5", " 1", "999999999999999999999999999999999999999999"]
        {
            assert!(bad.parse::<Amount>().is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn text_and_cbor_go_both_ways(units: u128) {
            let amount = Amount(units);
            prop_assert_eq!(amount.to_string().parse(), Ok(amount));
            let bytes = minicbor::to_vec(amount).unwrap();
            prop_assert_eq!(minicbor::decode::<Amount>(&bytes).unwrap(), amount);
        }
    }
}
