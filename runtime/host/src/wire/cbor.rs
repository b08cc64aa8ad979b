//! Deterministic CBOR (RFC 8949 §4.2.1), only as much as WIT values need: shortest heads, definite lengths.

use super::WireError;

/// Major types (RFC 8949 §3.1).
pub(crate) const UNSIGNED: u8 = 0;
pub(crate) const NEGATIVE: u8 = 1;
pub(crate) const BYTES: u8 = 2;
pub(crate) const TEXT: u8 = 3;
pub(crate) const ARRAY: u8 = 4;
pub(crate) const TAG: u8 = 6;
/// Single bytes of major type 7.
pub(crate) const FALSE: u8 = 0xf4;
pub(crate) const TRUE: u8 = 0xf5;
pub(crate) const NULL: u8 = 0xf6;
const FLOAT32: u8 = 0xfa;
const FLOAT64: u8 = 0xfb;
/// Typed arrays of little-endian floats (RFC 8746 §2.1).
pub(crate) const TAG_F32_LE: u64 = 85;
pub(crate) const TAG_F64_LE: u64 = 86;

/// Reads items from a slice; refuses every encoding but the shortest.
#[derive(Clone)]
pub(crate) struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Reader { bytes, at: 0 }
    }

    pub(crate) fn error(&self, what: &'static str) -> WireError {
        WireError { at: self.at, what }
    }

    pub(crate) fn end(&self) -> Result<(), WireError> {
        if self.at == self.bytes.len() { Ok(()) } else { Err(self.error("bytes after the end of the value")) }
    }

    fn take(&mut self, count: usize) -> Result<&'a [u8], WireError> {
        let rest = &self.bytes[self.at..];
        let Some(taken) = rest.get(..count) else { return Err(self.error("the value ends too early")) };
        self.at += count;
        Ok(taken)
    }

    fn fixed<const N: usize>(&mut self) -> Result<[u8; N], WireError> {
        let taken = self.take(N)?;
        Ok(taken.try_into().expect("`take` gave exactly N bytes"))
    }

    fn argument(&mut self, info: u8) -> Result<u64, WireError> {
        let (value, least) = match info {
            0..=23 => return Ok(u64::from(info)),
            24 => (u64::from(self.fixed::<1>()?[0]), 24),
            25 => (u64::from(u16::from_be_bytes(self.fixed()?)), 1 << 8),
            26 => (u64::from(u32::from_be_bytes(self.fixed()?)), 1 << 16),
            27 => (u64::from_be_bytes(self.fixed()?), 1 << 32),
            _ => return Err(self.error("an indefinite or reserved length")),
        };
        if value < least { Err(self.error("a number that is not in its shortest form")) } else { Ok(value) }
    }

    /// The head of an item of the wanted major type; `what` names the wish in the error.
    pub(crate) fn head(&mut self, major: u8, what: &'static str) -> Result<u64, WireError> {
        match self.bytes.get(self.at) {
            Some(byte) if byte >> 5 == major => {
                self.at += 1;
                self.argument(byte & 0x1f)
            }
            Some(_) => Err(self.error(what)),
            None => Err(self.error("the value ends too early")),
        }
    }

    pub(crate) fn unsigned(&mut self, max: u64) -> Result<u64, WireError> {
        let value = self.head(UNSIGNED, "expected an unsigned integer")?;
        if value > max { Err(self.error("an integer too large for its type")) } else { Ok(value) }
    }

    pub(crate) fn signed(&mut self, min: i64, max: i64) -> Result<i64, WireError> {
        let negative = self.bytes.get(self.at).is_some_and(|byte| byte >> 5 == NEGATIVE);
        let magnitude = match negative {
            true => self.head(NEGATIVE, "expected an integer")?,
            false => self.head(UNSIGNED, "expected an integer")?,
        };
        let magnitude = i64::try_from(magnitude).map_err(|_| self.error("an integer too large for its type"))?;
        let value = if negative { -1 - magnitude } else { magnitude };
        if (min..=max).contains(&value) { Ok(value) } else { Err(self.error("an integer too large for its type")) }
    }

    pub(crate) fn boolean(&mut self) -> Result<bool, WireError> {
        match self.bytes.get(self.at) {
            Some(&byte @ (FALSE | TRUE)) => {
                self.at += 1;
                Ok(byte == TRUE)
            }
            _ => Err(self.error("expected true or false")),
        }
    }

    /// Takes a null if it stands next.
    pub(crate) fn null(&mut self) -> bool {
        let found = self.bytes.get(self.at) == Some(&NULL);
        self.at += usize::from(found);
        found
    }

    pub(crate) fn f32_bits(&mut self) -> Result<u32, WireError> {
        self.float(FLOAT32, "expected a 32-bit float").and_then(|()| Ok(u32::from_be_bytes(self.fixed()?)))
    }

    pub(crate) fn f64_bits(&mut self) -> Result<u64, WireError> {
        self.float(FLOAT64, "expected a 64-bit float").and_then(|()| Ok(u64::from_be_bytes(self.fixed()?)))
    }

    fn float(&mut self, initial: u8, what: &'static str) -> Result<(), WireError> {
        if self.bytes.get(self.at) != Some(&initial) {
            return Err(self.error(what));
        }
        self.at += 1;
        Ok(())
    }

    pub(crate) fn char(&mut self) -> Result<char, WireError> {
        let scalar = self.unsigned(u64::from(u32::MAX))?;
        u32::try_from(scalar).ok().and_then(char::from_u32).ok_or_else(|| self.error("a number that is no Unicode scalar value"))
    }

    pub(crate) fn bytes(&mut self) -> Result<&'a [u8], WireError> {
        let length = self.head(BYTES, "expected a byte string")?;
        self.take(usize::try_from(length).map_err(|_| self.error("the value ends too early"))?)
    }

    pub(crate) fn text(&mut self) -> Result<&'a str, WireError> {
        let length = self.head(TEXT, "expected a text string")?;
        let bytes = self.take(usize::try_from(length).map_err(|_| self.error("the value ends too early"))?)?;
        std::str::from_utf8(bytes).map_err(|_| self.error("text that is not UTF-8"))
    }

    /// Number of elements of an array; never more than the bytes that are left, as each takes at least one.
    pub(crate) fn array(&mut self) -> Result<usize, WireError> {
        let count = self.head(ARRAY, "expected an array")?;
        match usize::try_from(count) {
            Ok(count) if count <= self.bytes.len() - self.at => Ok(count),
            _ => Err(self.error("the value ends too early")),
        }
    }

    /// An array of exactly `count` elements.
    pub(crate) fn array_of(&mut self, count: usize, what: &'static str) -> Result<(), WireError> {
        if self.array()? == count { Ok(()) } else { Err(self.error(what)) }
    }

    /// A typed array's bytes: a whole number of `size`-byte elements.
    pub(crate) fn typed_array(&mut self, tag: u64, size: usize) -> Result<&'a [u8], WireError> {
        if self.head(TAG, "expected a typed array of floats (RFC 8746)")? != tag {
            return Err(self.error("a typed array of another element type"));
        }
        let bytes = self.bytes()?;
        if bytes.len() % size == 0 { Ok(bytes) } else { Err(self.error("a typed array that ends within an element")) }
    }
}

/// Appends the shortest head of an item.
pub(crate) fn put_head(out: &mut Vec<u8>, major: u8, value: u64) {
    let major = major << 5;
    match value {
        0..=23 => out.push(major | value as u8),
        24..=0xff => out.extend_from_slice(&[major | 24, value as u8]),
        0x100..=0xffff => {
            out.push(major | 25);
            out.extend_from_slice(&(value as u16).to_be_bytes());
        }
        0x1_0000..=0xffff_ffff => {
            out.push(major | 26);
            out.extend_from_slice(&(value as u32).to_be_bytes());
        }
        _ => {
            out.push(major | 27);
            out.extend_from_slice(&value.to_be_bytes());
        }
    }
}

pub(crate) fn put_signed(out: &mut Vec<u8>, value: i64) {
    match u64::try_from(value) {
        Ok(value) => put_head(out, UNSIGNED, value),
        Err(_) => put_head(out, NEGATIVE, (-1 - value).unsigned_abs()),
    }
}

pub(crate) fn put_bool(out: &mut Vec<u8>, value: bool) {
    out.push(if value { TRUE } else { FALSE });
}

pub(crate) fn put_f32_bits(out: &mut Vec<u8>, bits: u32) {
    out.push(FLOAT32);
    out.extend_from_slice(&bits.to_be_bytes());
}

pub(crate) fn put_f64_bits(out: &mut Vec<u8>, bits: u64) {
    out.push(FLOAT64);
    out.extend_from_slice(&bits.to_be_bytes());
}

pub(crate) fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    put_head(out, BYTES, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

pub(crate) fn put_text(out: &mut Vec<u8>, text: &str) {
    put_head(out, TEXT, text.len() as u64);
    out.extend_from_slice(text.as_bytes());
}

/// The head of a typed array of `bytes` bytes; its little-endian elements follow.
pub(crate) fn put_typed_array(out: &mut Vec<u8>, tag: u64, bytes: usize) {
    put_head(out, TAG, tag);
    put_head(out, BYTES, bytes as u64);
}
