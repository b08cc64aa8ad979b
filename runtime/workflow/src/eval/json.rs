//! Values from JSON and to it.

use std::fmt::{self, Write};

use serde_json::Value as Json;

use super::number::Number;
use super::value::{List, Map, TooDeep, Value};

impl TryFrom<Json> for Value {
    type Error = TooDeep;

    fn try_from(json: Json) -> Result<Value, TooDeep> {
        read(json, 0)
    }
}

fn read(json: Json, depth: usize) -> Result<Value, TooDeep> {
    if depth > crate::limits::VALUE_NESTING_MAX {
        return Err(TooDeep);
    }
    Ok(match json {
        Json::Null => Value::Null,
        Json::Bool(truth) => Value::Bool(truth),
        Json::Number(number) => Value::Number(match (number.as_i64(), number.as_u64()) {
            (Some(whole), _) => whole.into(),
            (None, Some(large)) => large.into(),
            (None, None) => number.as_f64().and_then(Number::float).unwrap_or_else(|| 0i64.into()),
        }),
        Json::String(text) => Value::Text(text.into()),
        Json::Array(items) => {
            let items = items.into_iter().map(|item| read(item, depth + 1));
            List::new(items.collect::<Result<_, _>>()?)?.into()
        }
        Json::Object(members) => {
            let members = members.into_iter().map(|(name, value)| Ok((name.into(), read(value, depth + 1)?)));
            Map::new(members.collect::<Result<_, _>>()?)?.into()
        }
    })
}

impl From<&Value> for Json {
    fn from(value: &Value) -> Json {
        match value {
            Value::Null => Json::Null,
            Value::Bool(truth) => Json::Bool(*truth),
            Value::Number(number) => Json::Number((*number).into()),
            Value::Text(text) => Json::String(text.to_string()),
            Value::List(list) => Json::Array(list.items().iter().map(Json::from).collect()),
            Value::Map(map) => Json::Object(map.members().iter().map(|(name, value)| (name.to_string(), value.into())).collect()),
        }
    }
}

/// `value` as JSON, without spaces, names sorted.
pub(super) fn text(value: &Value) -> String {
    let mut text = String::new();
    write(value, &mut text).expect("writing to a text does not fail");
    text
}

/// Characters of a value in a message.
const BEGINNING: usize = 60;

/// The beginning of `value` as JSON, for a message.
pub(super) fn beginning(value: &Value) -> String {
    let mut beginning = Beginning { text: String::new(), left: BEGINNING };
    if write(value, &mut beginning).is_err() {
        beginning.text.push('…');
    }
    beginning.text
}

struct Beginning {
    text: String,
    left: usize,
}

impl Write for Beginning {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for letter in text.chars() {
            self.left = self.left.checked_sub(1).ok_or(fmt::Error)?;
            self.text.push(letter);
        }
        Ok(())
    }
}

fn write(value: &Value, out: &mut impl Write) -> fmt::Result {
    match value {
        Value::Null => out.write_str("null"),
        Value::Bool(truth) => write!(out, "{truth}"),
        Value::Number(number) => write!(out, "{number}"),
        Value::Text(text) => quoted(text, out),
        Value::List(list) => {
            out.write_char('[')?;
            for (at, item) in list.items().iter().enumerate() {
                comma(at, out)?;
                write(item, out)?;
            }
            out.write_char(']')
        }
        Value::Map(map) => {
            out.write_char('{')?;
            for (at, (name, value)) in map.members().iter().enumerate() {
                comma(at, out)?;
                quoted(name, out)?;
                out.write_char(':')?;
                write(value, out)?;
            }
            out.write_char('}')
        }
    }
}

fn comma(at: usize, out: &mut impl Write) -> fmt::Result {
    if at > 0 { out.write_char(',') } else { Ok(()) }
}

/// Escapes what JSON must have escaped (RFC 8259 §7), as `serde_json` does.
fn quoted(text: &str, out: &mut impl Write) -> fmt::Result {
    out.write_char('"')?;
    let mut rest = text;
    while let Some(at) = rest.find(|letter: char| letter < ' ' || letter == '"' || letter == '\\') {
        out.write_str(&rest[..at])?;
        let letter = rest.as_bytes()[at];
        match letter {
            b'"' => out.write_str("\\\"")?,
            b'\\' => out.write_str("\\\\")?,
            b'\n' => out.write_str("\\n")?,
            b'\r' => out.write_str("\\r")?,
            b'\t' => out.write_str("\\t")?,
            8 => out.write_str("\\b")?,
            12 => out.write_str("\\f")?,
            _ => write!(out, "\\u{letter:04x}")?,
        }
        rest = &rest[at + 1..];
    }
    out.write_str(rest)?;
    out.write_char('"')
}
