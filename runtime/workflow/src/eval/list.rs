//! Functions of lists and maps.

use std::sync::Arc;

use super::number::Number;
use super::order::{compare, paid};
use super::value::{List, Map, Value};
use super::{Fail, ValR, access, ended, made, meter, text, wrong};

/// Bytes of an item beside what it shares.
pub(super) const ITEM_BYTES: u64 = size_of::<Value>() as u64;

/// Pays for `items` that are copied.
pub(super) fn room(items: usize) -> Result<(), Fail> {
    if meter::room((items as u64).saturating_mul(ITEM_BYTES)) { Ok(()) } else { Err(ended()) }
}

/// Pays for going over a value once.
fn read(value: &Value) -> Result<(), Fail> {
    if meter::step(1 + value.bytes() / meter::BYTES_PER_STEP) { Ok(()) } else { Err(ended()) }
}

fn step() -> Result<(), Fail> {
    if meter::step(1) { Ok(()) } else { Err(ended()) }
}

fn listed(items: Vec<Value>) -> ValR {
    room(items.len())?;
    made(List::new(items))
}

fn items(value: &Value) -> Result<&[Value], Fail> {
    value.as_list().ok_or_else(|| wrong(format!("a list is wanted, not {value}")))
}

/// Those of `one` that are not in `other`.
pub(super) fn without(one: List, other: &List) -> ValR {
    let mut kept = Vec::new();
    for item in one.items() {
        if !contains_item(other.items(), item)? {
            kept.push(item.clone());
        }
    }
    listed(kept)
}

fn contains_item(list: &[Value], item: &Value) -> Result<bool, Fail> {
    for other in list {
        if !paid(item, other) {
            return Err(ended());
        }
        if compare(item, other).is_eq() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Where `part` stands in `list`.
pub(super) fn indices(list: &[Value], part: &[Value]) -> ValR {
    if part.is_empty() {
        return Ok(Value::Null);
    }
    let mut found = Vec::new();
    for (at, window) in list.windows(part.len()).enumerate() {
        let mut same = true;
        for (one, other) in window.iter().zip(part) {
            if !paid(one, other) {
                return Err(ended());
            }
            if compare(one, other).is_ne() {
                same = false;
                break;
            }
        }
        if same {
            found.push(at.into());
        }
    }
    listed(found)
}

/// `length`.
pub(super) fn length(value: Value) -> ValR {
    match &value {
        Value::Null => Ok(0i64.into()),
        Value::Text(text) => text::length(text),
        Value::List(list) => Ok(list.items().len().into()),
        Value::Map(map) => Ok(map.members().len().into()),
        Value::Number(_) => super::functions::abs(value),
        Value::Bool(_) => Err(wrong(format!("{value} has no length"))),
    }
}

/// `keys`: names of a map, sorted; numbers of a list.
pub(super) fn keys(value: Value) -> ValR {
    match &value {
        Value::Map(map) => listed(map.members().iter().map(|member| Value::Text(Arc::clone(&member.0))).collect()),
        Value::List(list) => listed((0..list.items().len()).map(Value::from).collect()),
        other => Err(wrong(format!("{other} has no keys; maps and lists have"))),
    }
}

/// `has(key)`.
pub(super) fn has(value: Value, key: Value) -> ValR {
    match (&value, &key) {
        (Value::Map(map), Value::Text(name)) => Ok(map.get(name).is_some().into()),
        (Value::List(list), Value::Number(at)) => {
            let at = at.truncated();
            Ok((at >= 0 && at < list.items().len() as i128).into())
        }
        _ => Err(wrong(format!("whether {value} has {key} cannot be asked; maps have texts, lists have numbers"))),
    }
}

/// `contains(part)`: texts within texts, items that contain each one of the part, members likewise; else equal.
pub(super) fn contains(value: Value, part: Value) -> ValR {
    contained(&value, &part).map(Value::Bool)
}

fn contained(value: &Value, part: &Value) -> Result<bool, Fail> {
    read(part)?;
    match (value, part) {
        (Value::Text(text), Value::Text(part)) => {
            read(value)?;
            Ok(text.contains(&**part))
        }
        (Value::List(list), Value::List(parts)) => all(parts.items(), |part| any(list.items(), |item| same_sort(item, part))),
        (Value::Map(map), Value::Map(parts)) => all(parts.members(), |(name, part)| match map.get(name) {
            Some(value) => same_sort(value, part),
            None => Ok(false),
        }),
        (Value::Bool(_), Value::Bool(_)) => Ok(compare(value, part).is_eq()),
        _ if value.sort() == part.sort() => Ok(compare(value, part).is_eq()),
        _ => Err(wrong(format!("whether {value} contains {part} cannot be asked; they are of different sorts"))),
    }
}

fn same_sort(value: &Value, part: &Value) -> Result<bool, Fail> {
    if value.sort() == part.sort() { contained(value, part) } else { step().map(|()| false) }
}

fn all<T>(items: &[T], mut test: impl FnMut(&T) -> Result<bool, Fail>) -> Result<bool, Fail> {
    for item in items {
        if !test(item)? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn any<T>(items: &[T], mut test: impl FnMut(&T) -> Result<bool, Fail>) -> Result<bool, Fail> {
    all(items, |item| test(item).map(|found| !found)).map(|none| !none)
}

/// `add`: the sum of items or of members.
pub(super) fn add(value: Value) -> ValR {
    let items: Vec<Value> = match &value {
        Value::Null => return Ok(Value::Null),
        Value::List(list) => list.items().to_vec(),
        Value::Map(map) => map.members().iter().map(|member| member.1.clone()).collect(),
        other => return Err(wrong(format!("{other} has nothing to add up; lists and maps have"))),
    };
    room(items.len())?;
    // Texts and lists at once: one after another would copy the first of them again and again.
    if items.iter().all(|item| matches!(item, Value::Text(_))) && !items.is_empty() {
        let texts: Vec<&str> = items.iter().filter_map(Value::as_text).collect();
        return text::made_of(texts.iter().map(|text| text.len()).sum(), || texts.concat());
    }
    if items.iter().all(|item| matches!(item, Value::List(_))) && !items.is_empty() {
        let lists: Vec<&[Value]> = items.iter().filter_map(Value::as_list).collect();
        room(lists.iter().map(|list| list.len()).sum())?;
        return made(List::new(lists.concat()));
    }
    items.into_iter().try_fold(Value::Null, |sum, item| {
        step()?;
        sum + item
    })
}

/// `reverse`: of lists, texts and null.
pub(super) fn reverse(value: Value) -> ValR {
    match value {
        Value::Null => listed(Vec::new()),
        Value::Text(text) => text::made_of(text.len(), || text.chars().rev().collect()),
        Value::List(list) => listed(list.items().iter().rev().cloned().collect()),
        other => Err(wrong(format!("{other} cannot be reversed; lists and texts can"))),
    }
}

/// `flatten(depth)`.
pub(super) fn flatten(value: Value, depth: Value) -> ValR {
    let Some(depth) = depth.as_number().map(Number::truncated).filter(|depth| *depth >= 0) else {
        return Err(wrong(format!("{depth} is no depth; 0, 1 and so on are")));
    };
    let mut flat = Vec::new();
    flatten_into(&mut flat, items(&value)?, depth)?;
    made(List::new(flat))
}

fn flatten_into(flat: &mut Vec<Value>, items: &[Value], depth: i128) -> Result<(), Fail> {
    room(items.len() + 1)?;
    for item in items {
        match item {
            Value::List(list) if depth > 0 => flatten_into(flat, list.items(), depth - 1)?,
            other => flat.push(other.clone()),
        }
    }
    Ok(())
}

/// `transpose`: rows become columns, short rows are filled with null.
pub(super) fn transpose(value: Value) -> ValR {
    let rows = items(&value)?.iter().map(items).collect::<Result<Vec<_>, _>>()?;
    let width = rows.iter().map(|row| row.len()).max().unwrap_or(0);
    room(rows.len().saturating_mul(width))?;
    let column = |at: usize| rows.iter().map(|row| row.get(at).cloned().unwrap_or(Value::Null)).collect();
    listed((0..width).map(|at| List::new(column(at)).map(Value::List)).collect::<Result<_, _>>().map_err(super::too_deep)?)
}

fn pair(names: [(&str, Value); 2]) -> ValR {
    made(Map::new(names.map(|(name, value)| (name.into(), value)).into()))
}

/// `to_entries`.
pub(super) fn to_entries(value: Value) -> ValR {
    let Value::Map(map) = &value else { return Err(wrong(format!("a map is wanted, not {value}"))) };
    room(map.members().len() * 4)?;
    let entries = map.members().iter().map(|(name, value)| pair([("key", Value::Text(name.clone())), ("value", value.clone())]));
    listed(entries.collect::<Result<_, _>>()?)
}

/// `from_entries`: names may be called `key`, `k`, `name`, `Name`, `Key`, `K`, values `value`, `v`, `Value`, `V`.
pub(super) fn from_entries(value: Value) -> ValR {
    let entries = items(&value)?;
    room(entries.len() * 2)?;
    let members = entries.iter().map(|entry| {
        let Value::Map(map) = entry else { return Err(wrong(format!("a map with `key` and `value` is wanted, not {entry}"))) };
        let names = ["key", "k", "name", "Name", "Key", "K"].into_iter().filter_map(|name| map.get(name));
        let name = names.into_iter().find(|name| !matches!(name, Value::Null | Value::Bool(false)));
        let name = match name.or(map.get("key")).unwrap_or(&Value::Null) {
            Value::Text(name) => name.clone(),
            other @ (Value::Null | Value::Bool(_) | Value::Number(_)) => super::json::text(other).into(),
            other => return Err(wrong(format!("{other} is no name of a member; texts, numbers and booleans are"))),
        };
        let value = ["value", "v", "Value", "V"].into_iter().find_map(|name| map.get(name));
        Ok((name, value.cloned().unwrap_or(Value::Null)))
    });
    made(Map::new(members.collect::<Result<_, _>>()?))
}

/// `delpaths(paths)`: all at once, so that places are those of the value before.
pub(super) fn delpaths(value: Value, paths: Value) -> ValR {
    read(&paths)?;
    let paths = items(&paths)?.iter().map(items).collect::<Result<Vec<_>, _>>()?;
    if paths.iter().any(|path| path.is_empty()) {
        return Ok(Value::Null);
    }
    remove(value, paths)
}

fn remove(value: Value, paths: Vec<&[Value]>) -> ValR {
    room(match &value {
        Value::List(list) => list.items().len(),
        Value::Map(map) => map.members().len(),
        _ => 1,
    })?;
    match value {
        Value::Null => Ok(Value::Null),
        Value::Map(map) => remove_members(map, paths),
        Value::List(list) => remove_items(list, paths),
        other => Err(wrong(format!("nothing can be deleted from {other}; it can from maps and lists"))),
    }
}

fn remove_members(map: Map, mut paths: Vec<&[Value]>) -> ValR {
    paths.sort_by(|one, other| one[0].as_text().cmp(&other[0].as_text()).then(one.len().cmp(&other.len())));
    let mut members = map.into_members();
    let mut gone = Vec::new();
    for same in paths.chunk_by(|one, other| one[0].as_text() == other[0].as_text()) {
        step()?;
        let Some(name) = same[0][0].as_text() else {
            return Err(wrong(format!("{} is no name of a member; texts are", same[0][0])));
        };
        let Ok(at) = members.binary_search_by(|member| (*member.0).cmp(name)) else { continue };
        match same[0] {
            [_] => gone.push(at),
            _ => members[at].1 = remove(members[at].1.clone(), same.iter().map(|path| &path[1..]).collect())?,
        }
    }
    keep(&mut members, &gone);
    made(Map::new(members))
}

fn remove_items(list: List, paths: Vec<&[Value]>) -> ValR {
    let mut items = list.into_items();
    let mut places: Vec<(usize, &[Value])> = Vec::new();
    for path in paths {
        step()?;
        match &path[0] {
            Value::Number(at) => places.extend(access::position(*at, items.len()).map(|at| (at, &path[1..]))),
            Value::Map(range) if path.len() == 1 => {
                let range = access::bounds(range.get("start")..range.get("end"), items.len())?;
                room(range.len())?;
                places.extend(range.map(|at| (at, &path[1..])));
            }
            other => return Err(wrong(format!("{other} is no place of a list; numbers are"))),
        }
    }
    places.sort_by_key(|(at, rest)| (*at, rest.len()));
    let mut gone = Vec::new();
    for same in places.chunk_by(|one, other| one.0 == other.0) {
        let at = same[0].0;
        match same[0].1 {
            [] => gone.push(at),
            _ if at < items.len() => items[at] = remove(items[at].clone(), same.iter().map(|place| place.1).collect())?,
            _ => {}
        }
    }
    keep(&mut items, &gone);
    made(List::new(items))
}

/// Takes away those at `gone`, which is sorted.
fn keep<T>(items: &mut Vec<T>, gone: &[usize]) {
    let (mut gone, mut at) = (gone.iter().peekable(), 0);
    items.retain(|_| {
        let goes = gone.next_if(|gone| **gone == at).is_some();
        at += 1;
        !goes
    });
}
