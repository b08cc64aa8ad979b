//! Functions of texts.

use std::ops::Range;
use std::sync::Arc;

use base64::Engine;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD};

use super::number::Number;
use super::value::{List, Value};
use super::{Fail, ValR, ended, list, made, meter, wrong};

/// A text of about `bytes`, made when they are paid for.
pub(super) fn made_of(bytes: usize, make: impl FnOnce() -> String) -> ValR {
    if meter::room(bytes as u64) { Ok(Value::Text(make().into())) } else { Err(ended()) }
}

fn wanted(value: &Value) -> Result<&Arc<str>, Fail> {
    match value {
        Value::Text(text) => Ok(text),
        other => Err(wrong(format!("a text is wanted, not {other}"))),
    }
}

fn read(text: &str) -> Result<(), Fail> {
    if meter::step(1 + text.len() as u64 / meter::BYTES_PER_STEP) { Ok(()) } else { Err(ended()) }
}

fn list_of(texts: impl Iterator<Item = Value>) -> ValR {
    let items: Vec<Value> = texts.take_while(|_| meter::room(list::ITEM_BYTES)).collect();
    if meter::step(1) { made(List::new(items)) } else { Err(ended()) }
}

/// `tostring`: a text stays, everything else becomes JSON.
pub(super) fn of(value: Value) -> ValR {
    match value {
        Value::Text(_) => Ok(value),
        other => json(other),
    }
}

/// `tojson`.
pub(super) fn json(value: Value) -> ValR {
    // Escapes make a text up to six times as long.
    made_of(usize::try_from(value.bytes()).unwrap_or(usize::MAX).saturating_mul(2), || super::json::text(&value))
}

/// `fromjson`.
pub(super) fn parsed(value: Value) -> ValR {
    let text = wanted(&value)?;
    // A number takes two bytes there and many here.
    if !meter::room(text.len() as u64 * 8) {
        return Err(ended());
    }
    let json: serde_json::Value = serde_json::from_str(text).map_err(|error| wrong(format!("{value} is no JSON: {error}")))?;
    Value::try_from(json).map_err(|deep| wrong(deep.to_string()))
}

/// `length` of a text, in code points.
pub(super) fn length(text: &str) -> ValR {
    read(text)?;
    Ok(text.chars().count().into())
}

/// `utf8bytelength`.
pub(super) fn bytes(value: Value) -> ValR {
    Ok(wanted(&value)?.len().into())
}

/// The letters from one to another.
pub(super) fn part(text: &str, bounds: impl FnOnce(usize) -> Result<Range<usize>, Fail>) -> ValR {
    read(text)?;
    let letters = bounds(text.chars().count())?;
    let at = |letter: usize| text.char_indices().nth(letter).map_or(text.len(), |(at, _)| at);
    let bytes = at(letters.start)..at(letters.end);
    made_of(bytes.len(), || text[bytes].to_owned())
}

/// `explode`.
pub(super) fn explode(value: Value) -> ValR {
    list_of(wanted(&value)?.chars().map(|letter| u64::from(u32::from(letter)).into()))
}

/// `implode`.
pub(super) fn implode(value: Value) -> ValR {
    let Some(points) = value.as_list() else { return Err(wrong(format!("a list of code points is wanted, not {value}"))) };
    let letter = |point: &Value| {
        let code = point.as_number().and_then(Number::as_u64).and_then(|code| u32::try_from(code).ok());
        code.and_then(char::from_u32).ok_or_else(|| wrong(format!("{point} is no code point")))
    };
    if !meter::room(points.len() as u64 * 4) {
        return Err(ended());
    }
    Ok(points.iter().map(letter).collect::<Result<String, Fail>>()?.into())
}

/// Letters of ASCII changed by `change`.
pub(super) fn ascii(value: Value, change: fn(&str) -> String) -> ValR {
    let text = wanted(&value)?;
    made_of(text.len(), || change(text))
}

/// `startswith`, `endswith`.
pub(super) fn test(value: Value, part: Value, test: fn(&str, &str) -> bool) -> ValR {
    let (text, part) = (wanted(&value)?, wanted(&part)?);
    read(part)?;
    Ok(test(text, part).into())
}

/// `ltrimstr`: without `part` at its beginning; other values stay.
pub(super) fn without_start(value: Value, part: Value) -> ValR {
    match value.as_text().zip(part.as_text()).and_then(|(text, part)| text.strip_prefix(part)) {
        Some(rest) => made_of(rest.len(), || rest.to_owned()),
        None => Ok(value),
    }
}

/// `rtrimstr`: without `part` at its end; other values stay.
pub(super) fn without_end(value: Value, part: Value) -> ValR {
    match value.as_text().zip(part.as_text()).and_then(|(text, part)| text.strip_suffix(part)) {
        Some(rest) => made_of(rest.len(), || rest.to_owned()),
        None => Ok(value),
    }
}

/// `trim`, `ltrim`, `rtrim`.
pub(super) fn trim(value: Value, trim: fn(&str) -> &str) -> ValR {
    let text = trim(wanted(&value)?);
    made_of(text.len(), || text.to_owned())
}

/// `split(separator)`, `/`: parts between separators; letters where it is empty.
pub(super) fn split(text: &str, separator: &str) -> ValR {
    let part = |part: &str| Value::from(part.to_owned());
    read(text)?;
    if text.is_empty() {
        return list_of(std::iter::empty());
    }
    if separator.is_empty() {
        let mut letter = [0; 4];
        return list_of(text.chars().map(|one| part(one.encode_utf8(&mut letter))));
    }
    list_of(text.split(separator).map(part))
}

/// `split` of values.
pub(super) fn split_values(value: Value, separator: Value) -> ValR {
    split(wanted(&value)?, wanted(&separator)?)
}

/// `join(separator)`: numbers and booleans as JSON, null as nothing.
pub(super) fn join(value: Value, separator: Value) -> ValR {
    let Some(items) = value.as_list() else { return Err(wrong(format!("a list is wanted, not {value}"))) };
    let separator = wanted(&separator)?;
    let mut length = items.len().saturating_mul(separator.len());
    for item in items {
        match item {
            Value::List(_) | Value::Map(_) => {
                return Err(wrong(format!("{item} cannot be joined; texts and numbers can, and `tojson` makes a text")));
            }
            other => length = length.saturating_add(other.bytes() as usize * 3),
        }
    }
    let text = |item: &Value| match item {
        Value::Null => String::new(),
        Value::Text(text) => text.to_string(),
        other => super::json::text(other),
    };
    made_of(length, || items.iter().map(text).collect::<Vec<_>>().join(separator))
}

/// `indices(part)`: letters where it begins, overlapping ones too; of lists likewise.
pub(super) fn indices(value: Value, part: Value) -> ValR {
    match (&value, &part) {
        (Value::Null, _) => Ok(Value::Null),
        (Value::Text(text), Value::Text(part)) => {
            read(text)?;
            if part.is_empty() {
                return Ok(Value::Null);
            }
            list_of(places(text, part))
        }
        (Value::List(list), Value::List(part)) => list::indices(list.items(), part.items()),
        (Value::List(list), item) => list::indices(list.items(), std::slice::from_ref(item)),
        _ => Err(wrong(format!("{part} cannot be looked for in {value}; a text can in a text, anything in a list"))),
    }
}

fn places(text: &str, part: &str) -> impl Iterator<Item = Value> {
    let (mut from, mut letters) = (0, 0usize);
    std::iter::from_fn(move || {
        // Looking on after each place reads the part again, several times.
        let found = text[from..].find(part).filter(|_| meter::step(1 + part.len() as u64 / 16))?;
        letters += text[from..from + found].chars().count();
        let place = letters;
        let first = text[from + found..].chars().next().map_or(1, char::len_utf8);
        (from, letters) = (from + found + first, letters + 1);
        Some(place.into())
    })
}

/// `tonumber`.
pub(super) fn number(value: Value) -> ValR {
    match &value {
        Value::Number(_) => Ok(value),
        Value::Text(text) => match Number::read(text.trim()) {
            Some(number) => Ok(Value::Number(number)),
            None => Err(wrong(format!("{value} is no number"))),
        },
        other => Err(wrong(format!("{other} cannot be a number; texts can"))),
    }
}

/// `@html`, as jq writes it.
pub(super) fn html(value: Value) -> ValR {
    let text = of(value)?;
    let text = wanted(&text)?;
    made_of(text.len().saturating_mul(2), || {
        let mut out = String::with_capacity(text.len());
        for letter in text.chars() {
            match letter {
                '<' => out.push_str("&lt;"),
                '>' => out.push_str("&gt;"),
                '&' => out.push_str("&amp;"),
                '\'' => out.push_str("&#39;"),
                '"' => out.push_str("&quot;"),
                other => out.push(other),
            }
        }
        out
    })
}

/// `@uri`: all but the unreserved characters of RFC 3986 §2.3.
pub(super) fn uri(value: Value) -> ValR {
    let text = of(value)?;
    let text = wanted(&text)?;
    made_of(text.len().saturating_mul(3), || {
        let mut out = String::with_capacity(text.len());
        for byte in text.bytes() {
            match byte {
                b'-' | b'.' | b'_' | b'~' => out.push(byte.into()),
                byte if byte.is_ascii_alphanumeric() => out.push(byte.into()),
                byte => {
                    out.push('%');
                    for half in [byte >> 4, byte & 15] {
                        out.push(char::from(b"0123456789ABCDEF"[usize::from(half)]));
                    }
                }
            }
        }
        out
    })
}

/// `@base64`.
pub(super) fn base64(value: Value) -> ValR {
    let text = of(value)?;
    let text = wanted(&text)?;
    made_of(text.len().saturating_mul(4) / 3, || STANDARD.encode(text.as_bytes()))
}

/// Texts with padding and without.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent).with_decode_allow_trailing_bits(true),
);

/// `@base64d`.
pub(super) fn base64d(value: Value) -> ValR {
    let text = of(value)?;
    let text = wanted(&text)?;
    if !meter::room(text.len() as u64) {
        return Err(ended());
    }
    let bytes = LENIENT.decode(text.as_bytes()).map_err(|_| wrong(format!("the text `{}` is no base64", cut_to(text, 60))))?;
    let text = String::from_utf8(bytes).map_err(|_| wrong("what this base64 holds is no text in UTF-8".to_owned()))?;
    Ok(Value::Text(text.into()))
}

/// The beginning of `text`.
pub(super) fn cut_to(text: &str, letters: usize) -> String {
    let mut rest = text.chars();
    let mut beginning: String = rest.by_ref().take(letters).collect();
    if rest.next().is_some() {
        beginning.push('…');
    }
    beginning
}
