//! SHA-256 digests and the identifiers that are made of them.

use std::fmt;
use std::str::FromStr;

use minicbor::{Decode, Decoder, Encode, Encoder};
use sha2::{Digest as _, Sha256};

/// 32 bytes of SHA-256 (FIPS 180-4). Text form: 64 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Digest(pub [u8; 32]);

/// A text that is not 64 hexadecimal digits.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("`{0}` is no digest; a digest is 64 hexadecimal digits")]
pub struct DigestError(pub String);

impl Digest {
    /// The digest of `bytes`.
    pub fn of(bytes: &[u8]) -> Digest {
        Digest(Sha256::digest(bytes).into())
    }

    /// The digest of several parts, each preceded by its length (u64, little-endian), so that moving a byte from one
    /// part to the next changes the digest. `domain` keeps digests of different meanings apart.
    pub fn of_parts(domain: &str, parts: &[&[u8]]) -> Digest {
        let mut hasher = Sha256::new();
        for part in std::iter::once(domain.as_bytes()).chain(parts.iter().copied()) {
            hasher.update((part.len() as u64).to_le_bytes());
            hasher.update(part);
        }
        Digest(hasher.finalize().into())
    }

    /// The first eight digits, for people.
    pub fn short(&self) -> String {
        hex(&self.0[..4])
    }

    /// The first 16 bytes as a number, for identifiers of 128 bits.
    pub fn to_u128(&self) -> u128 {
        let mut half = [0u8; 16];
        half.copy_from_slice(&self.0[..16]);
        u128::from_be_bytes(half)
    }
}

/// Lower-case hexadecimal digits of `bytes`.
pub fn hex(bytes: &[u8]) -> String {
    use fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// The bytes that hexadecimal digits of either case stand for; none where the text is anything else.
pub fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digit = |c: u8| (c as char).to_digit(16).map(|d| d as u8);
    let text = text.as_bytes();
    if !text.len().is_multiple_of(2) {
        return None;
    }
    text.chunks_exact(2).map(|pair| Some(digit(pair[0])? << 4 | digit(pair[1])?)).collect()
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(&self.0))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest({})", self.short())
    }
}

impl FromStr for Digest {
    type Err = DigestError;
    fn from_str(text: &str) -> Result<Digest, DigestError> {
        let bytes = from_hex(text).ok_or_else(|| DigestError(text.to_owned()))?;
        Ok(Digest(bytes.try_into().map_err(|_| DigestError(text.to_owned()))?))
    }
}

impl<C> Encode<C> for Digest {
    fn encode<W: minicbor::encode::Write>(&self, e: &mut Encoder<W>, _: &mut C) -> Result<(), minicbor::encode::Error<W::Error>> {
        e.bytes(&self.0)?.ok()
    }
}

impl<'b, C> Decode<'b, C> for Digest {
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Digest, minicbor::decode::Error> {
        decode_array(d).map(Digest)
    }
}

/// A CBOR byte string of exactly `N` bytes.
pub(crate) fn decode_array<const N: usize>(d: &mut Decoder<'_>) -> Result<[u8; N], minicbor::decode::Error> {
    let at = d.position();
    <[u8; N]>::try_from(d.bytes()?).map_err(|_| minicbor::decode::Error::message(format!("expected {N} bytes")).at(at))
}

impl serde::Serialize for Digest {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for Digest {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Digest, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(d)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_do_not_run_together() {
        assert_ne!(Digest::of_parts("x", &[b"ab", b"c"]), Digest::of_parts("x", &[b"a", b"bc"]));
        assert_ne!(Digest::of_parts("x", &[b"a"]), Digest::of_parts("y", &[b"a"]));
    }

    #[test]
    fn text_form_goes_both_ways() {
        let digest = Digest::of(b"hansa");
        assert_eq!(digest.to_string().parse(), Ok(digest));
        assert!("abc".parse::<Digest>().is_err());
        assert!("zz".repeat(32).parse::<Digest>().is_err());
    }
}
