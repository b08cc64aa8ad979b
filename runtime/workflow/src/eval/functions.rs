//! Which functions there are: those of `definitions.jq`, and the native ones of this table.

use jaq_core::native::{Filter, Fun, bome, run, unary, v};
use jaq_core::{Cv, Error, RunPtr};

use super::arithmetic::float;
use super::value::{List, Value};
use super::{Jq, ValR, ended, list, made, regex, sort, text, wrong};
use crate::limits::PATH_PARTS_MAX;

/// All that can be called, by definitions or by expressions. What only definitions call begins with two underscores.
pub(super) fn all() -> impl Iterator<Item = Fun<Jq>> {
    // Of jaq's own only these: `range` has no end.
    let of_jaq = jaq_core::funs::<Jq>().filter(|(name, ..)| ["path", "first", "last", "limit", "skip"].contains(name));
    let ours = [constants(), numbers(), texts(), lists(), sorting(), patterns()];
    of_jaq.chain(ours.into_iter().flatten().map(run::<Jq>))
}

type Native = Filter<RunPtr<Jq>>;

fn constants() -> Vec<Native> {
    vec![
        ("null", v(0), |_| bome(Ok(Value::Null))),
        ("true", v(0), |_| bome(Ok(Value::Bool(true)))),
        ("false", v(0), |_| bome(Ok(Value::Bool(false)))),
        ("not", v(0), |cv| bome(Ok(Value::Bool(!jaq_core::ValT::as_bool(&cv.1))))),
        ("type", v(0), |cv| bome(Ok(type_name(&cv.1).into()))),
        ("__scalar", v(0), |cv| bome(Ok((!matches!(cv.1, Value::List(_) | Value::Map(_))).into()))),
        ("__end", v(0), |_| bome(Err(ended()))),
        ("__raise", v(0), |cv| bome(Err(Error::new(cv.1)))),
    ]
}

/// As jq names them.
fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Text(_) => "string",
        Value::List(_) => "array",
        Value::Map(_) => "object",
        other => other.sort(),
    }
}

fn numbers() -> Vec<Native> {
    vec![
        ("abs", v(0), |cv| bome(abs(cv.1))),
        ("floor", v(0), |cv| bome(rounded(cv.1, f64::floor))),
        ("ceil", v(0), |cv| bome(rounded(cv.1, f64::ceil))),
        ("round", v(0), |cv| bome(rounded(cv.1, f64::round))),
        ("sqrt", v(0), |cv| bome(changed(&cv.1, f64::sqrt))),
        ("tonumber", v(0), |cv| bome(text::number(cv.1))),
    ]
}

pub(super) fn abs(value: Value) -> ValR {
    match value.as_number() {
        Some(number) if number < 0i64.into() => -value,
        Some(_) => Ok(value),
        None => Err(wrong(format!("a number is wanted, not {value}"))),
    }
}

fn rounded(value: Value, round: fn(f64) -> f64) -> ValR {
    match value.as_number() {
        Some(number) if number.as_whole().is_some() => Ok(value),
        _ => changed(&value, round),
    }
}

fn changed(value: &Value, change: fn(f64) -> f64) -> ValR {
    match value.as_number() {
        Some(number) => float(change(number.as_f64())),
        None => Err(wrong(format!("a number is wanted, not {value}"))),
    }
}

fn texts() -> Vec<Native> {
    vec![
        ("tojson", v(0), |cv| bome(text::json(cv.1))),
        ("fromjson", v(0), |cv| bome(text::parsed(cv.1))),
        ("utf8bytelength", v(0), |cv| bome(text::bytes(cv.1))),
        ("explode", v(0), |cv| bome(text::explode(cv.1))),
        ("implode", v(0), |cv| bome(text::implode(cv.1))),
        ("ascii_downcase", v(0), |cv| bome(text::ascii(cv.1, str::to_ascii_lowercase))),
        ("ascii_upcase", v(0), |cv| bome(text::ascii(cv.1, str::to_ascii_uppercase))),
        ("startswith", v(1), |cv| unary(cv, |text, part| text::test(text, part, |text, part| text.starts_with(part)))),
        ("endswith", v(1), |cv| unary(cv, |text, part| text::test(text, part, |text, part| text.ends_with(part)))),
        ("ltrimstr", v(1), |cv| unary(cv, text::without_start)),
        ("rtrimstr", v(1), |cv| unary(cv, text::without_end)),
        ("trimstr", v(1), |cv| unary(cv, |text, part| text::without_end(text::without_start(text, part.clone())?, part))),
        ("trim", v(0), |cv| bome(text::trim(cv.1, str::trim))),
        ("ltrim", v(0), |cv| bome(text::trim(cv.1, str::trim_start))),
        ("rtrim", v(0), |cv| bome(text::trim(cv.1, str::trim_end))),
        ("split", v(1), |cv| unary(cv, text::split_values)),
        ("join", v(1), |cv| unary(cv, text::join)),
        ("indices", v(1), |cv| unary(cv, text::indices)),
        ("__joined", v(0), |cv| bome(text::join(cv.1, "".into()))),
        ("@html", v(0), |cv| bome(text::html(cv.1))),
        ("@uri", v(0), |cv| bome(text::uri(cv.1))),
        ("@base64", v(0), |cv| bome(text::base64(cv.1))),
        ("@base64d", v(0), |cv| bome(text::base64d(cv.1))),
    ]
}

fn lists() -> Vec<Native> {
    vec![
        ("length", v(0), |cv| bome(list::length(cv.1))),
        ("keys", v(0), |cv| bome(list::keys(cv.1))),
        ("keys_unsorted", v(0), |cv| bome(list::keys(cv.1))),
        ("has", v(1), |cv| unary(cv, list::has)),
        ("contains", v(1), |cv| unary(cv, list::contains)),
        ("add", v(0), |cv| bome(list::add(cv.1))),
        ("reverse", v(0), |cv| bome(list::reverse(cv.1))),
        ("flatten", v(1), |cv| unary(cv, list::flatten)),
        ("transpose", v(0), |cv| bome(list::transpose(cv.1))),
        ("to_entries", v(0), |cv| bome(list::to_entries(cv.1))),
        ("from_entries", v(0), |cv| bome(list::from_entries(cv.1))),
        ("delpaths", v(1), |cv| unary(cv, list::delpaths)),
        ("toarray", v(0), |cv| bome(to_list(cv.1))),
        ("__path", v(0), |cv| bome(path(cv.1))),
    ]
}

fn to_list(value: Value) -> ValR {
    match value {
        Value::List(_) => Ok(value),
        other => made(List::new(vec![other])),
    }
}

/// Paths are followed by functions that call themselves.
fn path(value: Value) -> ValR {
    match value.as_list() {
        Some(parts) if parts.len() <= PATH_PARTS_MAX => Ok(value),
        Some(parts) => Err(wrong(format!("a path of {} parts; {PATH_PARTS_MAX} are possible", parts.len()))),
        None => Err(wrong(format!("a path is a list, not {value}"))),
    }
}

/// What is sorted, and in a list as long the keys to sort by.
fn sorting() -> Vec<Native> {
    vec![
        ("__sorted", v(1), |cv| unary(cv, sort::sorted)),
        ("__grouped", v(1), |cv| unary(cv, sort::grouped)),
        ("__unique", v(1), |cv| unary(cv, sort::unique)),
        ("__smallest", v(1), |cv| unary(cv, sort::smallest)),
        ("__largest", v(1), |cv| unary(cv, sort::largest)),
    ]
}

fn patterns() -> Vec<Native> {
    vec![
        ("test", v(2), |cv| bome(with_two(cv, regex::test))),
        ("__matches", v(2), |cv| bome(with_two(cv, regex::matches))),
        ("__captured", v(2), |cv| bome(with_two(cv, regex::captured))),
        ("__pieces", v(2), |cv| bome(with_two(cv, regex::pieces))),
        ("__replacement", v(0), |cv| bome(replacement(&cv.1))),
    ]
}

fn with_two(mut cv: Cv<'_, Jq>, f: fn(Value, Value, Value) -> ValR) -> ValR {
    let flags = cv.0.pop_var();
    let pattern = cv.0.pop_var();
    f(cv.1, pattern, flags)
}

/// The one text that a replacement gives.
fn replacement(values: &Value) -> ValR {
    match values.as_list() {
        Some([text @ Value::Text(_)]) => Ok(text.clone()),
        Some([other]) => Err(wrong(format!("a replacement is a text, not {other}"))),
        _ => Err(wrong(format!("a replacement is one text, not {values}"))),
    }
}
