//! `+ - * / %` as jq has them: numbers, and what else they mean for texts, lists and maps.

use std::ops::{Add, Div, Mul, Neg, Rem, Sub};

use super::number::Number;
use super::value::{List, Map, Value};
use super::{Fail, ValR, list, made, text, wrong};

impl Add for Value {
    type Output = ValR;

    fn add(self, other: Value) -> ValR {
        match (self, other) {
            (Value::Null, one) | (one, Value::Null) => Ok(one),
            (Value::Number(one), Value::Number(other)) => {
                calculated("+", one, other, i128::checked_add, |one, other| one + other)
            }
            (Value::Text(one), Value::Text(other)) => text::made_of(one.len() + other.len(), || [&*one, &*other].concat()),
            (Value::List(one), Value::List(other)) => {
                list::room(one.items().len() + other.items().len())?;
                let mut items = one.into_items();
                items.extend_from_slice(other.items());
                made(List::new(items))
            }
            (Value::Map(one), Value::Map(other)) => {
                list::room(one.members().len() + other.members().len())?;
                let mut members = one.into_members();
                members.extend_from_slice(other.members());
                made(Map::new(members))
            }
            (one, other) => Err(no("added", &one, &other)),
        }
    }
}

impl Sub for Value {
    type Output = ValR;

    fn sub(self, other: Value) -> ValR {
        match (self, other) {
            (Value::Number(one), Value::Number(other)) => {
                calculated("-", one, other, i128::checked_sub, |one, other| one - other)
            }
            (Value::List(one), Value::List(other)) => list::without(one, &other),
            (one, other) => Err(no("subtracted", &one, &other)),
        }
    }
}

impl Mul for Value {
    type Output = ValR;

    fn mul(self, other: Value) -> ValR {
        match (self, other) {
            (Value::Number(one), Value::Number(other)) => {
                calculated("*", one, other, i128::checked_mul, |one, other| one * other)
            }
            (Value::Text(text), Value::Number(times)) | (Value::Number(times), Value::Text(text)) => repeated(&text, times),
            (Value::Map(one), Value::Map(other)) => merged(one, &other),
            (one, other) => Err(no("multiplied", &one, &other)),
        }
    }
}

impl Div for Value {
    type Output = ValR;

    fn div(self, other: Value) -> ValR {
        match (self, other) {
            (Value::Number(one), Value::Number(other)) => divided(one, other),
            (Value::Text(whole), Value::Text(separator)) => text::split(&whole, &separator),
            (one, other) => Err(no("divided", &one, &other)),
        }
    }
}

impl Rem for Value {
    type Output = ValR;

    /// Of the whole numbers towards zero, with the sign of the first.
    fn rem(self, other: Value) -> ValR {
        match (self, other) {
            (Value::Number(one), Value::Number(other)) => match other.truncated() {
                0 => Err(by_zero(one, other)),
                divisor => Ok(Value::Number(Number::whole(one.truncated().wrapping_rem(divisor)))),
            },
            (one, other) => Err(no("divided", &one, &other)),
        }
    }
}

impl Neg for Value {
    type Output = ValR;

    fn neg(self) -> ValR {
        match self {
            Value::Number(number) => match number.as_whole() {
                Some(whole) => Ok(Value::Number(Number::whole(-whole))),
                None => float(-number.as_f64()),
            },
            other => Err(wrong(format!("{other} has no negative; numbers have"))),
        }
    }
}

fn no(done: &str, one: &Value, other: &Value) -> Fail {
    wrong(format!("{one} and {other} cannot be {done}; `tostring` and `tonumber` turn one into the other"))
}

fn by_zero(one: Number, other: Number) -> Fail {
    wrong(format!("`{one}` cannot be divided by `{other}`; look first whether it is zero"))
}

/// A float as a value, whole where it is.
pub(super) fn float(float: f64) -> ValR {
    Number::result(float).map(Value::Number).ok_or_else(|| wrong(format!("`{float}` is no number that JSON has")))
}

/// Exactly where both are whole and the result has a place, with floats otherwise.
fn calculated(
    sign: &str,
    one: Number,
    other: Number,
    exact: fn(i128, i128) -> Option<i128>,
    nearly: fn(f64, f64) -> f64,
) -> ValR {
    let whole = one.as_whole().zip(other.as_whole()).and_then(|(one, other)| exact(one, other));
    let result = whole.map(Number::whole).or_else(|| Number::result(nearly(one.as_f64(), other.as_f64())));
    result.map(Value::Number).ok_or_else(|| wrong(format!("`{one} {sign} {other}` is too large for a number")))
}

fn divided(one: Number, other: Number) -> ValR {
    if other.as_f64() == 0.0 {
        return Err(by_zero(one, other));
    }
    let whole = one.as_whole().zip(other.as_whole()).filter(|(one, other)| one % other == 0);
    match whole {
        Some((one, other)) => Ok(Value::Number(Number::whole(one / other))),
        None => float(one.as_f64() / other.as_f64()),
    }
}

/// As jq 1.8: null for less than no time, and fractions of a time are dropped.
fn repeated(text: &str, times: Number) -> ValR {
    let Ok(times) = usize::try_from(times.truncated()) else { return Ok(Value::Null) };
    text::made_of(text.len().saturating_mul(times), || text.repeat(times))
}

/// Maps within maps are merged as well; of other values the second counts.
fn merged(one: Map, other: &Map) -> ValR {
    list::room(one.members().len() + other.members().len())?;
    let both = other.members().iter().map(|(name, value)| match (one.get(name), value) {
        (Some(Value::Map(inner)), Value::Map(value)) => Ok((name.clone(), merged(inner.clone(), value)?)),
        _ => Ok((name.clone(), value.clone())),
    });
    let both = both.collect::<Result<Vec<_>, Fail>>()?;
    let mut members = one.into_members();
    members.extend(both);
    made(Map::new(members))
}
