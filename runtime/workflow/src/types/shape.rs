//! What is known of a JSON value before it is there.
//!
//! Shapes are for telling mistakes, so what is not known is `Any`, and nothing is ever said of it. Parts are shared: to copy a shape is cheap.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use crate::definition::Sort;
use crate::limits::{SHAPE_MEMBERS_MAX, SHAPE_NESTING_MAX, SHAPE_NODES_MAX};

/// The values that may stand somewhere.
#[derive(Clone, Debug, PartialEq)]
pub enum Shape {
    /// Nothing is known.
    Any,
    /// No value at all, as `empty` gives.
    Nothing,
    /// `null`.
    Null,
    /// True or false, where it is known which.
    Bool(Option<bool>),
    /// A number.
    Number(Numbers),
    /// A text.
    Text(Texts),
    /// A list whose items are all of one shape.
    List(Arc<Shape>),
    /// A list with so many items.
    Tuple(Arc<[Shape]>),
    /// A map.
    Map(Arc<Keys>),
    /// One of several.
    Union(Arc<Alternatives>),
}

/// Which numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Numbers {
    /// Whole numbers within bounds, both included.
    Whole {
        /// The least.
        least: i128,
        /// The greatest.
        most: i128,
    },
    /// With a fraction for sure.
    Fraction,
    /// Said to have fractions: a float, or what a division gives. In JSON, a float that is no number is one of [`NOT_NUMBERS`].
    Float,
    /// Nothing more is known.
    Any,
}

/// How JSON writes floats that are no numbers.
pub const NOT_NUMBERS: [&str; 3] = ["NaN", "Infinity", "-Infinity"];

/// Which texts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Texts {
    /// One of these.
    Known(Arc<[String]>),
    /// Said to be words: an input or an answer that is a text.
    Plain,
    /// Bytes as base64.
    Base64,
    /// A whole number within bounds, as decimal digits: how answers have 64 bits. Where it is wanted, a number will do too.
    Decimal {
        /// The least.
        least: i128,
        /// The greatest.
        most: i128,
    },
    /// One character.
    Char,
    /// Nothing more is known.
    Any,
}

/// The keys of a map.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Keys {
    /// Those that are known.
    pub known: BTreeMap<String, Key>,
    /// What others have; there are none in a closed map.
    pub rest: Option<Shape>,
}

/// A known key.
#[derive(Clone, Debug, PartialEq)]
pub struct Key {
    /// What it has.
    pub shape: Shape,
    /// Is it always there?
    pub always: bool,
}

/// Two shapes or more.
#[derive(Clone, Debug, PartialEq)]
pub struct Alternatives {
    /// None of them a union, `Any` or `Nothing`.
    pub members: Vec<Shape>,
    /// That some members do not fit is no reason for doubt: a condition around may have seen to it.
    pub hushed: bool,
}

/// What a map has under a key.
#[derive(Debug, PartialEq)]
pub(super) enum Under {
    Always(Shape),
    Perhaps(Shape),
    Never,
}

impl Shape {
    /// Any whole number.
    pub const WHOLE: Shape = Shape::Number(Numbers::Whole { least: i128::MIN, most: i128::MAX });
    /// How many there are of something.
    pub const COUNT: Shape = Shape::Number(Numbers::Whole { least: 0, most: i128::MAX });
    /// True or false.
    pub const BOOL: Shape = Shape::Bool(None);
    /// A text of which nothing is known.
    pub const TEXT: Shape = Shape::Text(Texts::Any);

    /// A list of such items.
    pub fn list(items: Shape) -> Shape {
        Shape::List(Arc::new(items)).bounded()
    }

    /// So many items.
    pub fn tuple(items: Vec<Shape>) -> Shape {
        Shape::Tuple(items.into()).bounded()
    }

    /// A map with these keys, always, and no others.
    pub fn closed<K: Into<String>>(keys: impl IntoIterator<Item = (K, Shape)>) -> Shape {
        let known = keys.into_iter().map(|(key, shape)| (key.into(), Key { shape, always: true }));
        Shape::map(Keys { known: known.collect(), rest: None })
    }

    /// A map with any keys, which have `rest`.
    pub fn open(rest: Shape) -> Shape {
        Shape::map(Keys { known: BTreeMap::new(), rest: Some(rest) })
    }

    /// A map.
    pub fn map(keys: Keys) -> Shape {
        Shape::Map(Arc::new(keys)).bounded()
    }

    /// One of these texts.
    pub fn texts<T: Into<String>>(texts: impl IntoIterator<Item = T>) -> Shape {
        Shape::Text(Texts::Known(texts.into_iter().map(Into::into).collect()))
    }

    /// The shape of this very value.
    pub fn of_value(value: &Value) -> Shape {
        match value {
            Value::Null => Shape::Null,
            Value::Bool(value) => Shape::Bool(Some(*value)),
            Value::Number(number) => Shape::of_number(&number.to_string()),
            Value::String(text) => Shape::texts([text.as_str()]),
            Value::Array(items) => Shape::tuple(items.iter().map(Shape::of_value).collect()),
            Value::Object(entries) => Shape::closed(entries.iter().map(|(key, value)| (key.as_str(), Shape::of_value(value)))),
        }
    }

    /// The shape of the number that is written so.
    pub(super) fn of_number(text: &str) -> Shape {
        if let Ok(whole) = text.parse::<i128>() {
            return Shape::Number(Numbers::Whole { least: whole, most: whole });
        }
        Shape::Number(match text.parse::<f64>() {
            Ok(number) if number.is_finite() && number.fract() != 0.0 => Numbers::Fraction,
            // `1e3` and `2.0` are whole, and well within `i128` up to here.
            Ok(number) if number.abs() < 1e30 => Numbers::Whole { least: number as i128, most: number as i128 },
            _ => Numbers::Any,
        })
    }

    /// What an input of this type is.
    pub fn of_input(sort: Sort) -> Shape {
        match sort {
            Sort::Text => Shape::Text(Texts::Plain),
            Sort::Number => Shape::Number(Numbers::Float),
            Sort::Integer => Shape::WHOLE,
            Sort::Boolean => Shape::BOOL,
            Sort::Bytes => Shape::Text(Texts::Base64),
            Sort::List => Shape::list(Shape::Any),
            Sort::Map => Shape::open(Shape::Any),
            Sort::Any => Shape::Any,
        }
    }

    /// The shapes that this is one of.
    pub fn members(&self) -> &[Shape] {
        match self {
            Shape::Union(union) => &union.members,
            Shape::Nothing => &[],
            other => std::slice::from_ref(other),
        }
    }

    /// See [`Alternatives::hushed`].
    pub(super) fn hushed(&self) -> bool {
        matches!(self, Shape::Union(union) if union.hushed)
    }

    /// This or `other`.
    #[must_use]
    pub fn or(self, other: Shape) -> Shape {
        Shape::union([self, other])
    }

    /// This, or null.
    #[must_use]
    pub fn or_null(self) -> Shape {
        self.or(Shape::Null)
    }

    /// One of several.
    pub fn union(shapes: impl IntoIterator<Item = Shape>) -> Shape {
        let (mut members, mut hushed) = (Vec::new(), false);
        for shape in shapes {
            hushed |= shape.hushed();
            for member in shape.members() {
                if *member == Shape::Any {
                    return Shape::Any;
                }
                put(&mut members, member);
            }
        }
        match members.len() {
            0 => Shape::Nothing,
            1 => members.swap_remove(0),
            2..=SHAPE_MEMBERS_MAX => Shape::Union(Arc::new(Alternatives { members, hushed })).bounded(),
            _ => Shape::Any,
        }
    }

    /// The same members without doubt about them, here alone.
    #[must_use]
    pub(super) fn hush(&self) -> Shape {
        match self {
            Shape::Union(union) if !union.hushed => {
                Shape::Union(Arc::new(Alternatives { members: union.members.clone(), hushed: true }))
            }
            other => other.clone(),
        }
    }

    /// The same, here and in all parts.
    #[must_use]
    pub(super) fn hush_all(&self) -> Shape {
        match self {
            Shape::List(item) => Shape::List(Arc::new(item.hush_all())),
            Shape::Tuple(items) => Shape::Tuple(items.iter().map(Shape::hush_all).collect()),
            Shape::Map(keys) => {
                let hushed = |key: &Key| {
                    let shape = key.shape.hush_all();
                    let shape = if key.always { shape } else { shape.or_null().hush() };
                    Key { shape, always: true }
                };
                let known = keys.known.iter().map(|(name, key)| (name.clone(), hushed(key))).collect();
                Shape::Map(Arc::new(Keys { known, rest: keys.rest.as_ref().map(Shape::hush_all) }))
            }
            Shape::Union(union) => {
                let members = union.members.iter().map(Shape::hush_all).collect();
                Shape::Union(Arc::new(Alternatives { members, hushed: true }))
            }
            other => other.clone(),
        }
    }

    /// Is it false for `if`: null or false (`Some(false)`), surely not (`Some(true)`), or is that not known?
    pub(super) fn truth(&self) -> Option<bool> {
        let of = |member: &Shape| match member {
            Shape::Any | Shape::Bool(None) => None,
            Shape::Null | Shape::Bool(Some(false)) => Some(false),
            _ => Some(true),
        };
        let mut all = self.members().iter().map(of);
        let first = all.next()??;
        all.all(|other| other == Some(first)).then_some(first)
    }

    /// The members for which `keep` gives something.
    pub(super) fn keep(&self, keep: impl Fn(&Shape) -> Option<Shape>) -> Shape {
        let kept = Shape::union(self.members().iter().filter_map(keep));
        if self.hushed() { kept.hush() } else { kept }
    }

    /// What is not null and not false.
    pub(super) fn truthy(&self) -> Shape {
        self.keep(|member| match member {
            Shape::Null | Shape::Bool(Some(false)) => None,
            Shape::Bool(_) => Some(Shape::Bool(Some(true))),
            other => Some(other.clone()),
        })
    }

    /// What is null or false.
    pub(super) fn falsy(&self) -> Shape {
        self.keep(|member| match member {
            Shape::Any => Some(Shape::Any),
            Shape::Null => Some(Shape::Null),
            Shape::Bool(None | Some(false)) => Some(Shape::Bool(Some(false))),
            _ => None,
        })
    }

    /// Itself, or `Any` where it has become too large to go on with.
    pub(super) fn bounded(self) -> Shape {
        let mut left = SHAPE_NODES_MAX;
        if count(&self, SHAPE_NESTING_MAX, &mut left) { self } else { Shape::Any }
    }
}

impl Keys {
    /// What is under `name`.
    pub(super) fn under(&self, name: &str) -> Under {
        match (self.known.get(name), &self.rest) {
            (Some(Key { shape, always: true }), _) => Under::Always(shape.clone()),
            (Some(Key { shape, always: false }), _) => Under::Perhaps(shape.clone()),
            (None, Some(Shape::Any)) => Under::Always(Shape::Any),
            // Whether it is there is a question of the data, and no mistake.
            (None, Some(rest)) => Under::Always(rest.clone().or_null().hush()),
            (None, None) => Under::Never,
        }
    }

    /// What one of its values may be.
    pub(super) fn values(&self) -> Shape {
        Shape::union(self.known.values().map(|key| key.shape.clone()).chain(self.rest.clone()))
    }
}

/// Counts nodes down; false where there are too many or they are too deep.
fn count(shape: &Shape, deep: usize, left: &mut usize) -> bool {
    if deep == 0 || *left == 0 {
        return false;
    }
    *left -= 1;
    let mut all = |shape: &Shape| count(shape, deep - 1, left);
    match shape {
        Shape::List(item) => all(item),
        Shape::Tuple(items) => items.iter().all(all),
        Shape::Map(keys) => keys.known.values().map(|key| &key.shape).chain(&keys.rest).all(all),
        Shape::Union(union) => union.members.iter().all(all),
        _ => true,
    }
}

/// Adds `new`, merged with what is of its kind where that says no less.
fn put(members: &mut Vec<Shape>, new: &Shape) {
    for member in members.iter_mut() {
        if let Some(merged) = merged(member, new) {
            *member = merged;
            return;
        }
    }
    members.push(new.clone());
}

fn merged(one: &Shape, other: &Shape) -> Option<Shape> {
    match (one, other) {
        (one, other) if one == other => Some(one.clone()),
        (Shape::Bool(_), Shape::Bool(_)) => Some(Shape::BOOL),
        (Shape::Number(one), Shape::Number(other)) => Some(Shape::Number(one.or(*other))),
        (Shape::Text(one), Shape::Text(other)) => one.or(other).map(Shape::Text),
        (Shape::List(one), Shape::List(other)) => Some(Shape::list((**one).clone().or((**other).clone()))),
        // An empty list has nothing in it that could not fit.
        (Shape::Tuple(empty), list @ Shape::List(_)) | (list @ Shape::List(_), Shape::Tuple(empty)) if empty.is_empty() => {
            Some(list.clone())
        }
        _ => None,
    }
}

impl Numbers {
    pub(super) fn or(self, other: Numbers) -> Numbers {
        match (self, other) {
            (Numbers::Whole { least, most }, Numbers::Whole { least: lower, most: higher }) => {
                Numbers::Whole { least: least.min(lower), most: most.max(higher) }
            }
            (Numbers::Fraction, Numbers::Fraction) => Numbers::Fraction,
            (Numbers::Any, _) | (_, Numbers::Any) => Numbers::Any,
            _ => Numbers::Float,
        }
    }
}

impl Texts {
    fn or(&self, other: &Texts) -> Option<Texts> {
        match (self, other) {
            (Texts::Any, _) | (_, Texts::Any) => Some(Texts::Any),
            (Texts::Known(one), Texts::Known(other)) => {
                let new = other.iter().filter(|text| !one.contains(text));
                let all: Vec<String> = one.iter().chain(new).cloned().collect();
                Some(if all.len() > SHAPE_MEMBERS_MAX { Texts::Any } else { Texts::Known(all.into()) })
            }
            _ => None,
        }
    }
}

/// Is `text` base64 with padding, and no bits left over in its last letter?
pub(super) fn is_base64(text: &str) -> bool {
    let letters = text.trim_end_matches('=');
    let pads = text.len() - letters.len();
    let value = |letter: u8| match letter {
        b'A'..=b'Z' => Some(letter - b'A'),
        b'a'..=b'z' => Some(letter - b'a' + 26),
        b'0'..=b'9' => Some(letter - b'0' + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    };
    let spare = letters.bytes().last().and_then(value).unwrap_or(0) & [0, 0b11, 0b1111][pads.min(2)];
    text.len().is_multiple_of(4) && pads <= 2 && spare == 0 && letters.bytes().all(|letter| value(letter).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_union_says_no_less_than_its_members() {
        let texts = |texts: &[&str]| Shape::texts(texts.iter().copied());
        for (one, other, both) in [
            (Shape::Any, Shape::Null, Shape::Any),
            (Shape::Nothing, Shape::Null, Shape::Null),
            (Shape::of_number("1"), Shape::of_number("3"), Shape::Number(Numbers::Whole { least: 1, most: 3 })),
            (Shape::of_number("1"), Shape::of_number("0.5"), Shape::Number(Numbers::Float)),
            (texts(&["a"]), texts(&["b", "a"]), texts(&["a", "b"])),
            (Shape::list(Shape::Nothing), Shape::list(Shape::Null), Shape::list(Shape::Null)),
            (Shape::tuple(vec![]), Shape::list(Shape::Null), Shape::list(Shape::Null)),
        ] {
            assert_eq!(one.or(other), both);
        }
        assert_eq!(Shape::Null.or(Shape::BOOL).or_null().members(), [Shape::Null, Shape::BOOL]);
    }

    #[test]
    fn what_grows_too_large_is_anything() {
        let mut doubled = Shape::Null;
        for _ in 0..20 {
            doubled = Shape::closed([("a", doubled.clone()), ("b", doubled)]);
        }
        assert!(count(&doubled, SHAPE_NESTING_MAX, &mut SHAPE_NODES_MAX.clone()));
        let deep = (0..SHAPE_NESTING_MAX).fold(Shape::Null, |inner, _| Shape::list(inner));
        assert_eq!(deep, Shape::Any);
    }

    #[test]
    fn base64_is_told_from_words() {
        for (text, is) in
            [("", true), ("aGk=", true), ("aGl=", false), ("YQ==", true), ("hello", false), ("a b=", false), ("====", false)]
        {
            assert_eq!(is_base64(text), is, "{text}");
        }
    }
}
