//! Keys: ed25519 (RFC 8032), shown as `did:key:z6Mk…` (W3C did:key, multicodec 0xed), checked strictly.

use std::fmt;
use std::str::FromStr;

use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use minicbor::{Decode, Decoder, Encode, Encoder};

const DID_PREFIX: &str = "did:key:z";
const MULTICODEC_ED25519: [u8; 2] = [0xed, 0x01];

/// The 32 bytes of a public key; nothing is said about whether they are a point on the curve.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PublicKey(pub [u8; 32]);

/// Why a text or some bytes are no usable key.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum KeyError {
    /// Not of the form `did:key:z6Mk…`.
    #[error("`{0}` is no key; a key looks like `did:key:z6Mk…`")]
    Text(String),
    /// The bytes are not a point on the curve, or a weak one.
    #[error("the key {0} is not a valid ed25519 public key")]
    Point(PublicKey),
}

/// A key that is ready to verify with: decompressing the point costs 3.5 µs, so keep it where signatures are many.
#[derive(Clone, Debug)]
pub struct Verifier {
    key: PublicKey,
    point: VerifyingKey,
}

/// A private key with its public half. Its text and debug forms show the public half only.
#[derive(Clone)]
pub struct Keypair {
    secret: SigningKey,
    public: PublicKey,
}

impl PublicKey {
    /// A verifier for this key. Errors: not a point on the curve, or one of small order.
    pub fn verifier(&self) -> Result<Verifier, KeyError> {
        match VerifyingKey::from_bytes(&self.0) {
            Ok(point) if !point.is_weak() => Ok(Verifier { key: *self, point }),
            _ => Err(KeyError::Point(*self)),
        }
    }

    /// The last characters of the text form, for people: `…9aF3kQ`.
    pub fn short(&self) -> String {
        let text = self.to_string();
        format!("…{}", &text[text.len() - 6..])
    }
}

impl Verifier {
    /// The key itself.
    pub fn key(&self) -> PublicKey {
        self.key
    }

    /// Is `signature` (64 bytes) this key's over `message`? Strict: what `verify_strict` refuses is not valid here.
    pub fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        Signature::from_slice(signature).is_ok_and(|signature| self.point.verify_strict(message, &signature).is_ok())
    }
}

impl Keypair {
    /// The key pair of a 32-byte secret seed (RFC 8032 §5.1.5).
    pub fn from_seed(seed: &[u8; 32]) -> Keypair {
        let secret = SigningKey::from_bytes(seed);
        let public = PublicKey(secret.verifying_key().to_bytes());
        Keypair { secret, public }
    }

    /// The secret seed, for storing it with mode 0600.
    pub fn seed(&self) -> [u8; 32] {
        self.secret.to_bytes()
    }

    /// The public half.
    pub fn public(&self) -> PublicKey {
        self.public
    }

    /// A verifier for the public half.
    pub fn verifier(&self) -> Verifier {
        Verifier { key: self.public, point: self.secret.verifying_key() }
    }

    /// The 64-byte signature of `message`.
    pub fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.secret.sign(message).to_bytes()
    }
}

impl fmt::Debug for Keypair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Keypair({})", self.public)
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = [0u8; 34];
        bytes[..2].copy_from_slice(&MULTICODEC_ED25519);
        bytes[2..].copy_from_slice(&self.0);
        write!(f, "{DID_PREFIX}{}", bs58::encode(bytes).into_string())
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({})", self.short())
    }
}

impl FromStr for PublicKey {
    type Err = KeyError;
    fn from_str(text: &str) -> Result<PublicKey, KeyError> {
        let malformed = || KeyError::Text(text.to_owned());
        let encoded = text.strip_prefix(DID_PREFIX).filter(|rest| rest.len() <= 64).ok_or_else(malformed)?;
        let bytes = bs58::decode(encoded).into_vec().map_err(|_| malformed())?;
        let key = bytes.strip_prefix(&MULTICODEC_ED25519).ok_or_else(malformed)?;
        Ok(PublicKey(key.try_into().map_err(|_| malformed())?))
    }
}

impl<C> Encode<C> for PublicKey {
    fn encode<W: minicbor::encode::Write>(&self, e: &mut Encoder<W>, _: &mut C) -> Result<(), minicbor::encode::Error<W::Error>> {
        e.bytes(&self.0)?.ok()
    }
}

impl<'b, C> Decode<'b, C> for PublicKey {
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<PublicKey, minicbor::decode::Error> {
        crate::digest::decode_array(d).map(PublicKey)
    }
}

impl serde::Serialize for PublicKey {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for PublicKey {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<PublicKey, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(d)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_form_goes_both_ways() {
        let key = Keypair::from_seed(&[7; 32]).public();
        let text = key.to_string();
        assert!(text.starts_with("did:key:z6Mk"), "{text}");
        assert_eq!(text.parse(), Ok(key));
        assert!("did:key:z6Mk".parse::<PublicKey>().is_err());
        assert!(text.replace("z6Mk", "z6LS").parse::<PublicKey>().is_err());
    }

    /// RFC 8032 §7.1, test 1.
    #[test]
    fn signs_as_the_rfc_says() {
        let seed = crate::digest::from_hex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60").unwrap();
        let pair = Keypair::from_seed(&seed.try_into().unwrap());
        let signature = pair.sign(b"");
        assert!(crate::digest::hex(&signature).starts_with("e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"));
        assert!(pair.verifier().verifies(b"", &signature));
        assert!(!pair.verifier().verifies(b"x", &signature));
    }

    #[test]
    fn weak_points_are_refused() {
        assert!(PublicKey([0; 32]).verifier().is_err());
        let mut one = [0; 32];
        one[0] = 1;
        assert!(PublicKey(one).verifier().is_err());
    }
}
