//! JSON objects whose keys are known, and the kinds of values that stand in them.

use serde_json::{Map, Value};

use super::error::InputError;
use super::number::{self, TooLarge};

/// An object with known keys only. A key that is not there means zero, or nothing.
pub(super) struct Object<'a> {
    place: String,
    fields: &'a Map<String, Value>,
}

impl<'a> Object<'a> {
    /// `value` as an object; `place` names it in errors.
    pub(super) fn open(place: String, value: &'a Value, known: &[&'static str]) -> Result<Object<'a>, InputError> {
        let Value::Object(fields) = value else { return Err(kind(place, "an object", value)) };
        match fields.keys().find(|key| !known.contains(&key.as_str())) {
            Some(unknown) => Err(InputError::unknown(place, "key", unknown, known)),
            None => Ok(Object { place, fields }),
        }
    }

    /// Is the key there?
    pub(super) fn has(&self, key: &str) -> bool {
        self.fields.contains_key(key)
    }

    /// A word out of `known`.
    pub(super) fn word(&self, key: &'static str, known: &[&'static str]) -> Result<Option<&'static str>, InputError> {
        let Some(value) = self.fields.get(key) else { return Ok(None) };
        let word = value.as_str().ok_or_else(|| kind(self.at(key), "a string", value))?;
        let found = known.iter().find(|name| **name == word);
        found.map(|name| Some(*name)).ok_or_else(|| InputError::unknown(self.place.clone(), key, word, known))
    }

    /// The bits of the flags that are named in a list.
    pub(super) fn flags(&self, known: &[(&'static str, u16)]) -> Result<u16, InputError> {
        let mut bits = 0;
        for value in self.list("flags")? {
            let word = value.as_str().ok_or_else(|| kind(self.at("flags"), "a list of strings", value))?;
            let Some((_, bit)) = known.iter().find(|(name, _)| *name == word) else {
                let names: Vec<&'static str> = known.iter().map(|(name, _)| *name).collect();
                return Err(InputError::unknown(self.place.clone(), "flag", word, &names));
            };
            bits |= bit;
        }
        Ok(bits)
    }

    /// An amount: an integer, or `max`.
    pub(super) fn amount(&self, key: &str) -> Result<u128, InputError> {
        match self.fields.get(key) {
            Some(Value::String(text)) if text == "max" => Ok(u128::MAX),
            Some(value) => self.integer(key, value, u128::MAX, "an integer of 128 bits or `max`"),
            None => Ok(0),
        }
    }

    /// An integer of as many bits as `T` has.
    pub(super) fn number<T: Unsigned>(&self, key: &str) -> Result<T, InputError> {
        let number = self.fields.get(key).map_or(Ok(0), |value| self.integer(key, value, T::MOST, T::EXPECTED))?;
        T::try_from(number).map_err(|_| too_large(self.at(key), &number, T::MOST))
    }

    /// A list of ids.
    pub(super) fn ids(&self, key: &str) -> Result<Vec<u128>, InputError> {
        self.list(key)?.iter().map(|value| self.integer(key, value, u128::MAX, u128::EXPECTED)).collect()
    }

    /// A list.
    pub(super) fn list(&self, key: &str) -> Result<&'a [Value], InputError> {
        match self.fields.get(key) {
            Some(Value::Array(values)) => Ok(values),
            Some(other) => Err(kind(self.at(key), "a list", other)),
            None => Ok(&[]),
        }
    }

    /// The error that `key` is not there.
    pub(super) fn lacks(&self, key: &'static str) -> InputError {
        InputError::Missing { place: self.place.clone(), key }
    }

    fn integer(&self, key: &str, value: &Value, most: u128, expected: &'static str) -> Result<u128, InputError> {
        match number::whole(value) {
            Some(Ok(number)) if number <= most => Ok(number),
            Some(Ok(_) | Err(TooLarge)) => Err(too_large(self.at(key), &unquoted(value), most)),
            None => Err(kind(self.at(key), expected, value)),
        }
    }

    fn at(&self, key: &str) -> String {
        format!("`{key}` of {}", self.place)
    }
}

/// Unsigned integers that fields hold.
pub(super) trait Unsigned: TryFrom<u128> {
    const MOST: u128;
    const EXPECTED: &'static str;
}

impl Unsigned for u128 {
    const MOST: u128 = u128::MAX;
    const EXPECTED: &'static str = "an integer of 128 bits";
}

impl Unsigned for u64 {
    const MOST: u128 = u64::MAX as u128;
    const EXPECTED: &'static str = "an integer of 64 bits";
}

impl Unsigned for u32 {
    const MOST: u128 = u32::MAX as u128;
    const EXPECTED: &'static str = "an integer of 32 bits";
}

impl Unsigned for u16 {
    const MOST: u128 = u16::MAX as u128;
    const EXPECTED: &'static str = "an integer of 16 bits";
}

impl InputError {
    /// `found` is not among `known`, which is not empty.
    pub(super) fn unknown(place: String, kind: &'static str, found: &str, known: &[&'static str]) -> InputError {
        let like = |name: &&'static str| strsim::jaro_winkler(found, name);
        let nearest = known.iter().copied().max_by(|a, b| like(a).total_cmp(&like(b))).unwrap_or_default();
        InputError::Unknown { place, kind, found: found.to_owned(), nearest }
    }
}

fn kind(place: String, expected: &'static str, found: &Value) -> InputError {
    InputError::Kind { place, expected, found: found.to_string() }
}

fn too_large(place: String, found: &impl ToString, most: u128) -> InputError {
    InputError::TooLarge { place, found: found.to_string(), most }
}

fn unquoted(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
