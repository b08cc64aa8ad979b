//! What jaq asks of values: reading by index and range, going over them, changing what is within them.

use std::iter;
use std::ops::Range;

use jaq_core::box_iter::BoxIter;
use jaq_core::path::Opt;
use jaq_core::val::Range as Bounds;
use jaq_core::{Exn, ValT, ValX};

use super::number::Number;
use super::value::{List, Map, Member, Value};
use super::{Fail, ValR, ended, list, made, meter, text, wrong};

impl From<isize> for Value {
    fn from(number: isize) -> Value {
        Value::Number(Number::whole(number as i128))
    }
}

impl From<String> for Value {
    fn from(text: String) -> Value {
        meter::room(text.len() as u64);
        Value::Text(text.into())
    }
}

/// A range as a part of a path, as jq writes it.
impl From<Bounds<Value>> for Value {
    fn from(range: Bounds<Value>) -> Value {
        let members = [("end", range.end), ("start", range.start)];
        let members = members.map(|(name, bound)| (name.into(), bound.unwrap_or(Value::Null)));
        made(Map::new(members.into())).unwrap_or(Value::Null)
    }
}

/// A list. Once the evaluation has ended it is shorter, and nobody sees it.
impl FromIterator<Value> for Value {
    fn from_iter<I: IntoIterator<Item = Value>>(items: I) -> Value {
        let items = items.into_iter().take_while(|_| meter::room(list::ITEM_BYTES));
        made(List::new(items.collect())).unwrap_or(Value::Null)
    }
}

impl ValT for Value {
    fn from_num(text: &str) -> ValR {
        // jq's own numbers may begin or end with a point.
        let read = || text.parse().ok().and_then(Number::float);
        let number = Number::read(text).or_else(read);
        number.map(Value::Number).ok_or_else(|| wrong(format!("`{text}` is too large for a number")))
    }

    fn from_map<I: IntoIterator<Item = (Value, Value)>>(members: I) -> ValR {
        let members = members.into_iter().map(|(name, value)| match name {
            Value::Text(name) => Ok((name, value)),
            other => Err(wrong(format!("{other} is no name of a member; names are texts, and `tostring` makes one"))),
        });
        let members = members.collect::<Result<Vec<_>, _>>()?;
        list::room(members.len() + 1)?;
        made(Map::new(members))
    }

    fn key_values(self) -> BoxIter<'static, Result<(Value, Value), Fail>> {
        match self {
            Value::List(list) => one_by_one(list.items().len(), move |at| (at.into(), list.items()[at].clone())),
            Value::Map(map) => one_by_one(map.members().len(), move |at| {
                let (name, value) = map.members()[at].clone();
                (Value::Text(name), value)
            }),
            other => Box::new(iter::once(Err(no_items(&other)))),
        }
    }

    fn values(self) -> Box<dyn Iterator<Item = ValR>> {
        match self {
            Value::List(list) => one_by_one(list.items().len(), move |at| list.items()[at].clone()),
            Value::Map(map) => one_by_one(map.members().len(), move |at| map.members()[at].1.clone()),
            other => Box::new(iter::once(Err(no_items(&other)))),
        }
    }

    fn index(self, index: &Value) -> ValR {
        match (&self, index) {
            (Value::Null, Value::Null | Value::Text(_) | Value::Number(_)) => Ok(Value::Null),
            (Value::Map(map), Value::Text(name)) => Ok(map.get(name).cloned().unwrap_or(Value::Null)),
            (Value::List(list), Value::Number(at)) => {
                Ok(position(*at, list.items().len()).and_then(|at| list.items().get(at)).cloned().unwrap_or(Value::Null))
            }
            (Value::List(_) | Value::Null, Value::Map(range)) => self.clone().range(range.get("start")..range.get("end")),
            (Value::List(list), Value::List(part)) => list::indices(list.items(), part.items()),
            _ => Err(no_member(&self, index)),
        }
    }

    fn range(self, range: Bounds<&Value>) -> ValR {
        match &self {
            Value::Null => Ok(Value::Null),
            Value::List(list) => {
                let range = bounds(range, list.items().len())?;
                list::room(range.len())?;
                made(List::new(list.items()[range].to_vec()))
            }
            Value::Text(whole) => text::part(whole, |letters| bounds(range, letters)),
            other => Err(wrong(format!("{other} has no parts; texts and lists have"))),
        }
    }

    fn map_values<'a, I: Iterator<Item = ValX<'a, Value>>>(self, opt: Opt, f: impl Fn(Value) -> I) -> ValX<'a, Value> {
        match self {
            Value::List(list) => {
                let items = list.items().iter().filter_map(|item| first(&f, item.clone()));
                Ok(items.collect::<ValX<'a, Value>>()?)
            }
            Value::Map(map) => {
                let changed = |(name, value): &Member| first(&f, value.clone()).map(|value| Ok((name.clone(), value?)));
                let members = map.members().iter().filter_map(changed).collect::<Result<Vec<_>, Exn<'a, Value>>>()?;
                list::room(members.len())?;
                Ok(made(Map::new(members))?)
            }
            other => opt.fail(other, |other| Exn::from(no_items(&other))),
        }
    }

    fn map_index<'a, I: Iterator<Item = ValX<'a, Value>>>(
        self,
        index: &Value,
        opt: Opt,
        f: impl Fn(Value) -> I,
    ) -> ValX<'a, Value> {
        match (self, index) {
            (Value::Null, Value::Text(name)) => Ok(member(Map::new(Vec::new()).map_err(|_| ended())?, name, &f)?),
            (Value::Map(map), Value::Text(name)) => member(map, name, &f),
            (Value::Null, Value::Number(at)) => item(Vec::new(), *at, &f),
            (Value::List(list), Value::Number(at)) => {
                list::room(list.items().len())?;
                item(list.into_items(), *at, &f)
            }
            (value @ (Value::List(_) | Value::Null), Value::Map(range)) => {
                value.map_range(range.get("start")..range.get("end"), opt, f)
            }
            (value, _) => opt.fail(value, |value| Exn::from(no_member(&value, index))),
        }
    }

    fn map_range<'a, I: Iterator<Item = ValX<'a, Value>>>(
        self,
        range: Bounds<&Value>,
        opt: Opt,
        f: impl Fn(Value) -> I,
    ) -> ValX<'a, Value> {
        let items = match self {
            Value::Null => Vec::new(),
            Value::List(list) => list.into_items(),
            other => {
                return opt
                    .fail(other, |other| Exn::from(wrong(format!("{other} has no parts that can be changed; lists have"))));
            }
        };
        list::room(items.len())?;
        let range = bounds(range, items.len())?;
        let part = made(List::new(items[range.clone()].to_vec()))?;
        let changed = match first(&f, part).transpose()? {
            None => Vec::new(),
            Some(Value::List(list)) => list.into_items(),
            Some(other) => return Err(wrong(format!("a part of a list becomes a list, not {other}")).into()),
        };
        list::room(changed.len())?;
        let mut items = items;
        items.splice(range, changed);
        Ok(made(List::new(items))?)
    }

    fn as_bool(&self) -> bool {
        !matches!(self, Value::Null | Value::Bool(false))
    }

    fn into_string(self) -> Value {
        text::of(self).unwrap_or(Value::Null)
    }
}

fn no_items(value: &Value) -> Fail {
    wrong(format!("{value} cannot be gone over; lists and maps can"))
}

fn no_member(value: &Value, index: &Value) -> Fail {
    wrong(format!("{value} has nothing at {index}; maps have members by name, lists items by number"))
}

/// One step for each.
fn one_by_one<T: 'static>(len: usize, get: impl Fn(usize) -> T + 'static) -> BoxIter<'static, Result<T, Fail>> {
    Box::new((0..len).map(move |at| if meter::step(1) { Ok(get(at)) } else { Err(ended()) }))
}

/// What `f` gives first; as jq, further values are dropped, and none takes the place away.
fn first<'a, I: Iterator<Item = ValX<'a, Value>>>(f: &impl Fn(Value) -> I, value: Value) -> Option<ValX<'a, Value>> {
    if meter::step(1) { f(value).next() } else { Some(Err(ended().into())) }
}

fn member<'a, I: Iterator<Item = ValX<'a, Value>>>(map: Map, name: &str, f: &impl Fn(Value) -> I) -> ValX<'a, Value> {
    list::room(map.members().len() + 1)?;
    let old = map.get(name).cloned().unwrap_or(Value::Null);
    let new = first(f, old).transpose()?;
    Ok(made(map.with(name, new))?)
}

fn item<'a, I: Iterator<Item = ValX<'a, Value>>>(mut items: Vec<Value>, at: Number, f: &impl Fn(Value) -> I) -> ValX<'a, Value> {
    let Some(at) = position(at, items.len()) else {
        return Err(wrong(format!("a list of {} has no item `{at}` to change", items.len())).into());
    };
    let old = items.get(at).cloned().unwrap_or(Value::Null);
    match first(f, old).transpose()? {
        Some(new) => {
            if at >= items.len() {
                list::room((at - items.len()).saturating_add(1))?;
                items.resize(at + 1, Value::Null);
            }
            items[at] = new;
        }
        None if at < items.len() => drop(items.remove(at)),
        None => {}
    }
    Ok(made(List::new(items))?)
}

/// The place of item `at`, from the end where it is negative; none: before the beginning.
pub(super) fn position(at: Number, len: usize) -> Option<usize> {
    let at = floor(at);
    usize::try_from(if at < 0 { at + len as i128 } else { at }).ok()
}

fn floor(number: Number) -> i128 {
    let towards_zero = number.truncated();
    if number.as_whole().is_none() && number.as_f64().fract() < 0.0 { towards_zero - 1 } else { towards_zero }
}

fn ceil(number: Number) -> i128 {
    let towards_zero = number.truncated();
    if number.as_whole().is_none() && number.as_f64().fract() > 0.0 { towards_zero + 1 } else { towards_zero }
}

/// The part of `0..len` that is meant: its beginning rounded down, its end up.
pub(super) fn bounds(range: Bounds<&Value>, len: usize) -> Result<Range<usize>, Fail> {
    let place = |bound: Option<&Value>, round: fn(Number) -> i128, otherwise: usize| match bound {
        None | Some(Value::Null) => Ok(otherwise),
        Some(Value::Number(number)) => {
            let at = round(*number);
            let at = if at < 0 { (at + len as i128).max(0) } else { at };
            Ok(usize::try_from(at).map_or(len, |at| at.min(len)))
        }
        Some(other) => Err(wrong(format!("{other} is no end of a part; numbers are"))),
    };
    let (start, end) = (place(range.start, floor, 0)?, place(range.end, ceil, len)?);
    Ok(start..end.max(start))
}
