//! The order of values, as jq has it: null, false, true, numbers, texts, lists, maps. Maps are compared by their names first.

use std::cmp::Ordering;

use super::meter::{self, BYTES_PER_STEP};
use super::value::Value;

/// Compares, after `paid`.
pub(super) fn compare(one: &Value, other: &Value) -> Ordering {
    match (one, other) {
        (Value::Bool(one), Value::Bool(other)) => one.cmp(other),
        (Value::Number(one), Value::Number(other)) => one.cmp(other),
        // The order of UTF-8's bytes is that of code points.
        (Value::Text(one), Value::Text(other)) => one.cmp(other),
        (Value::List(one), Value::List(other)) => {
            if one.is(other) {
                return Ordering::Equal;
            }
            all(one.items(), other.items())
        }
        (Value::Map(one), Value::Map(other)) => {
            if one.is(other) {
                return Ordering::Equal;
            }
            let (one, other) = (one.members(), other.members());
            let names = one.iter().map(|member| &member.0).cmp(other.iter().map(|member| &member.0));
            let values = || one.iter().zip(other).map(|(one, other)| compare(&one.1, &other.1));
            names.then_with(|| values().find(|order| order.is_ne()).unwrap_or(Ordering::Equal))
        }
        _ => rank(one).cmp(&rank(other)),
    }
}

fn all(one: &[Value], other: &[Value]) -> Ordering {
    let differs = one.iter().zip(other).map(|(one, other)| compare(one, other)).find(|order| order.is_ne());
    differs.unwrap_or(one.len().cmp(&other.len()))
}

fn rank(value: &Value) -> u8 {
    match value {
        Value::Null => 0,
        Value::Bool(_) => 1,
        Value::Number(_) => 2,
        Value::Text(_) => 3,
        Value::List(_) => 4,
        Value::Map(_) => 5,
    }
}

/// Pays for a comparison: at most the smaller one is gone over. False: the evaluation has ended.
pub(super) fn paid(one: &Value, other: &Value) -> bool {
    meter::step(1 + one.bytes().min(other.bytes()) / BYTES_PER_STEP)
}

/// Once the evaluation has ended it says anything, and nobody hears it.
impl PartialEq for Value {
    fn eq(&self, other: &Value) -> bool {
        paid(self, other) && compare(self, other).is_eq()
    }
}

impl PartialOrd for Value {
    fn partial_cmp(&self, other: &Value) -> Option<Ordering> {
        paid(self, other).then(|| compare(self, other))
    }
}
