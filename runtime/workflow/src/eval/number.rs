//! Numbers: whole ones are exact as far as JSON's usually are, others are 64-bit floats.

use std::cmp::Ordering;
use std::fmt;

/// A number of JSON.
#[derive(Clone, Copy, Debug)]
pub struct Number(Kind);

#[derive(Clone, Copy, Debug)]
enum Kind {
    Whole(i64),
    /// Above `i64::MAX`.
    Large(u64),
    /// Finite.
    Float(f64),
}

/// A float holds each whole number up to here.
const EXACT_MAX: f64 = 9_007_199_254_740_992.0;

impl Number {
    /// A float as it stands; none: it is infinite or no number.
    pub fn float(float: f64) -> Option<Number> {
        float.is_finite().then_some(Number(Kind::Float(float)))
    }

    /// What arithmetic gave: whole where it is and a float holds it exactly.
    pub(super) fn result(float: f64) -> Option<Number> {
        if float.fract() == 0.0 && float.abs() <= EXACT_MAX {
            #[expect(clippy::cast_possible_truncation, reason = "a whole number below 2^53")]
            return Some(Number(Kind::Whole(float as i64)));
        }
        Number::float(float)
    }

    /// The whole number, or the nearest float where it is too large.
    pub(super) fn whole(number: i128) -> Number {
        match (i64::try_from(number), u64::try_from(number)) {
            (Ok(whole), _) => Number(Kind::Whole(whole)),
            (_, Ok(large)) => Number(Kind::Large(large)),
            _ => Number(Kind::Float(number as f64)),
        }
    }

    /// Reads a number as JSON writes it.
    pub(super) fn read(text: &str) -> Option<Number> {
        let digits = text.strip_prefix('-').unwrap_or(text);
        if !digits.starts_with(|digit: char| digit.is_ascii_digit()) || text.ends_with('.') {
            return None;
        }
        let whole = text
            .parse()
            .map(|whole| Number(Kind::Whole(whole)))
            .or_else(|_| text.parse().map(|large| Number(Kind::Large(large))));
        whole.ok().or_else(|| text.parse().ok().and_then(Number::float))
    }

    /// Exactly this whole number.
    pub fn as_i64(self) -> Option<i64> {
        match self.0 {
            Kind::Whole(whole) => Some(whole),
            _ => None,
        }
    }

    /// Exactly this whole number.
    pub fn as_u64(self) -> Option<u64> {
        match self.0 {
            Kind::Whole(whole) => u64::try_from(whole).ok(),
            Kind::Large(large) => Some(large),
            Kind::Float(_) => None,
        }
    }

    /// The nearest float.
    pub fn as_f64(self) -> f64 {
        match self.0 {
            Kind::Whole(whole) => whole as f64,
            Kind::Large(large) => large as f64,
            Kind::Float(float) => float,
        }
    }

    /// The whole number, where it was not made as a float.
    pub(super) fn as_whole(self) -> Option<i128> {
        match self.0 {
            Kind::Whole(whole) => Some(whole.into()),
            Kind::Large(large) => Some(large.into()),
            Kind::Float(_) => None,
        }
    }

    /// The whole number towards zero; far outside of every list where it is too large.
    #[expect(clippy::cast_possible_truncation, reason = "the cast saturates")]
    pub(super) fn truncated(self) -> i128 {
        self.as_whole().unwrap_or(self.as_f64() as i128)
    }
}

impl From<i64> for Number {
    fn from(whole: i64) -> Number {
        Number(Kind::Whole(whole))
    }
}

impl From<u64> for Number {
    fn from(whole: u64) -> Number {
        Number::whole(whole.into())
    }
}

impl Ord for Number {
    fn cmp(&self, other: &Number) -> Ordering {
        match (self.as_whole(), other.as_whole()) {
            (Some(one), Some(other)) => one.cmp(&other),
            (Some(whole), None) => whole_with_float(whole, other.as_f64()),
            (None, Some(whole)) => whole_with_float(whole, self.as_f64()).reverse(),
            // Neither is NaN; 0 and -0 are equal.
            (None, None) => self.as_f64().partial_cmp(&other.as_f64()).unwrap_or(Ordering::Equal),
        }
    }
}

/// Exactly, beyond what a float can hold.
fn whole_with_float(whole: i128, float: f64) -> Ordering {
    #[expect(clippy::cast_possible_truncation, reason = "the cast saturates, beyond every whole number here")]
    let towards_zero = float as i128;
    let rest = float.fract();
    whole.cmp(&towards_zero).then(0.0.partial_cmp(&rest).unwrap_or(Ordering::Equal))
}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Number) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Number {
    fn eq(&self, other: &Number) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Number {}

/// As JSON.
impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Kind::Whole(whole) => whole.fmt(f),
            Kind::Large(large) => large.fmt(f),
            Kind::Float(float) => match serde_json::Number::from_f64(float) {
                Some(number) => number.fmt(f),
                None => f.write_str("null"),
            },
        }
    }
}

impl From<Number> for serde_json::Number {
    fn from(number: Number) -> serde_json::Number {
        match number.0 {
            Kind::Whole(whole) => whole.into(),
            Kind::Large(large) => large.into(),
            Kind::Float(float) => serde_json::Number::from_f64(float).unwrap_or_else(|| 0.into()),
        }
    }
}
