//! Values that expressions work on: JSON, cheap to clone, with whole numbers exact.

use std::fmt;
use std::sync::Arc;

use super::number::Number;
use crate::limits::VALUE_NESTING_MAX;

/// A value of a run: what a step gave, what an expression makes.
///
/// A clone shares what it holds. Two values are equal where JSON's are, and `1` equals `1.0`.
#[derive(Clone, Debug)]
pub enum Value {
    /// `null`.
    Null,
    /// True or false.
    Bool(bool),
    /// A number, never infinite.
    Number(Number),
    /// A text.
    Text(Arc<str>),
    /// A list.
    List(List),
    /// A map.
    Map(Map),
}

/// A list. Its nesting is bounded by [`VALUE_NESTING_MAX`].
#[derive(Clone, Debug)]
pub struct List(Arc<(Vec<Value>, Extent)>);

/// A map from texts, sorted by them. Its nesting is bounded by [`VALUE_NESTING_MAX`].
#[derive(Clone, Debug)]
pub struct Map(Arc<(Vec<Member>, Extent)>);

/// A name and what it has.
pub type Member = (Arc<str>, Value);

/// More than [`VALUE_NESTING_MAX`] lists and maps are within each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("lists and maps are more than {VALUE_NESTING_MAX} deep; make a flatter value")]
pub struct TooDeep;

/// How large and deep a value is, shared parts counted as often as they stand in it: known without looking into it.
#[derive(Clone, Copy, Debug, Default)]
struct Extent {
    bytes: u64,
    depth: usize,
}

impl Extent {
    fn of(parts: impl Iterator<Item = (u64, usize)>) -> Result<Extent, TooDeep> {
        let all = parts.fold(Extent { bytes: 2, depth: 0 }, |all, (bytes, depth)| Extent {
            bytes: all.bytes.saturating_add(bytes).saturating_add(1),
            depth: all.depth.max(depth),
        });
        if all.depth >= VALUE_NESTING_MAX { Err(TooDeep) } else { Ok(Extent { depth: all.depth + 1, ..all }) }
    }
}

impl Value {
    /// The sort of value, as messages and jq's `type` call it.
    pub fn sort(&self) -> &'static str {
        match self {
            Value::Null => "null",
            Value::Bool(_) => "boolean",
            Value::Number(_) => "number",
            Value::Text(_) => "text",
            Value::List(_) => "list",
            Value::Map(_) => "map",
        }
    }

    /// Bytes, about as many as it has as JSON; shared parts count as often as they stand in it.
    pub fn bytes(&self) -> u64 {
        match self {
            Value::Null | Value::Bool(_) => 4,
            Value::Number(_) => 8,
            Value::Text(text) => text.len() as u64 + 2,
            Value::List(list) => list.0.1.bytes,
            Value::Map(map) => map.0.1.bytes,
        }
    }

    /// Lists and maps within each other: 0 for what is neither.
    pub fn depth(&self) -> usize {
        match self {
            Value::List(list) => list.0.1.depth,
            Value::Map(map) => map.0.1.depth,
            _ => 0,
        }
    }

    /// The text, of a text.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The truth, of true and false.
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Value::Bool(truth) => Some(*truth),
            _ => None,
        }
    }

    /// The number, of a number.
    pub fn as_number(&self) -> Option<Number> {
        match self {
            Value::Number(number) => Some(*number),
            _ => None,
        }
    }

    /// The items, of a list.
    pub fn as_list(&self) -> Option<&[Value]> {
        match self {
            Value::List(list) => Some(list.items()),
            _ => None,
        }
    }

    /// The members, of a map.
    pub fn as_map(&self) -> Option<&Map> {
        match self {
            Value::Map(map) => Some(map),
            _ => None,
        }
    }
}

impl List {
    /// A list of `items`.
    ///
    /// # Errors
    /// It would be too deep.
    pub fn new(items: Vec<Value>) -> Result<List, TooDeep> {
        let extent = Extent::of(items.iter().map(|item| (item.bytes(), item.depth())))?;
        Ok(List(Arc::new((items, extent))))
    }

    /// Its items.
    pub fn items(&self) -> &[Value] {
        &self.0.0
    }

    /// Its items, to be changed; a copy where others share them.
    pub(super) fn into_items(self) -> Vec<Value> {
        Arc::try_unwrap(self.0).map_or_else(|shared| shared.0.clone(), |owned| owned.0)
    }
}

impl Map {
    /// A map of `members`; of several with one name the last counts.
    ///
    /// # Errors
    /// It would be too deep.
    pub fn new(mut members: Vec<Member>) -> Result<Map, TooDeep> {
        if !members.is_sorted_by(|one, next| one.0 < next.0) {
            members.sort_by(|one, other| one.0.cmp(&other.0));
            // The later one takes the place of the earlier one, which goes.
            members.dedup_by(|later, earlier| {
                let same = later.0 == earlier.0;
                if same {
                    std::mem::swap(later, earlier);
                }
                same
            });
        }
        Map::sorted(members)
    }

    fn sorted(members: Vec<Member>) -> Result<Map, TooDeep> {
        let extent =
            Extent::of(members.iter().map(|(name, value)| (value.bytes().saturating_add(name.len() as u64 + 3), value.depth())))?;
        Ok(Map(Arc::new((members, extent))))
    }

    /// Its members, sorted by name.
    pub fn members(&self) -> &[Member] {
        &self.0.0
    }

    /// What `name` has.
    pub fn get(&self, name: &str) -> Option<&Value> {
        let members = self.members();
        members.binary_search_by(|member| (*member.0).cmp(name)).ok().map(|at| &members[at].1)
    }

    /// This map with `value` for `name`; without `name` where there is none. Other members are shared.
    ///
    /// # Errors
    /// It would be too deep.
    pub fn with(self, name: &str, value: Option<Value>) -> Result<Map, TooDeep> {
        let mut members = self.into_members();
        match (members.binary_search_by(|member| (*member.0).cmp(name)), value) {
            (Ok(at), Some(value)) => members[at].1 = value,
            (Ok(at), None) => drop(members.remove(at)),
            (Err(at), Some(value)) => members.insert(at, (name.into(), value)),
            (Err(_), None) => {}
        }
        Map::sorted(members)
    }

    /// Its members, to be changed; a copy where others share them.
    pub(super) fn into_members(self) -> Vec<Member> {
        Arc::try_unwrap(self.0).map_or_else(|shared| shared.0.clone(), |owned| owned.0)
    }

    /// Is it the very same?
    pub(super) fn is(&self, other: &Map) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl List {
    /// Is it the very same?
    pub(super) fn is(&self, other: &List) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl From<bool> for Value {
    fn from(truth: bool) -> Value {
        Value::Bool(truth)
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Value {
        Value::Number(number.into())
    }
}

impl From<u64> for Value {
    fn from(number: u64) -> Value {
        Value::Number(number.into())
    }
}

impl From<usize> for Value {
    fn from(number: usize) -> Value {
        Value::Number((number as u64).into())
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Value {
        Value::Text(text.into())
    }
}

impl From<List> for Value {
    fn from(list: List) -> Value {
        Value::List(list)
    }
}

impl From<Map> for Value {
    fn from(map: Map) -> Value {
        Value::Map(map)
    }
}

/// What it is, for a message: its sort, and the beginning of its JSON.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Null => f.write_str("null"),
            _ => write!(f, "the {} `{}`", self.sort(), super::json::beginning(self)),
        }
    }
}
