//! What shapes are called: those that are wanted as in WIT, those that are given as people say it.

use super::shape::{Keys, Numbers, Shape, Texts};

/// Names told of a set before the rest is left out.
const NAMES_TOLD: usize = 5;

/// What is wanted, as `` `list<string>` ``.
pub(super) fn wanted(shape: &Shape) -> String {
    match shape {
        Shape::Text(Texts::Base64) => "bytes as base64 text".to_owned(),
        Shape::Any => "anything".to_owned(),
        other => format!("`{}`", wit(other)),
    }
}

/// A type in WIT's words; JSON does not say names of types, so that records and variants are told by what is in them.
fn wit(shape: &Shape) -> String {
    match shape {
        Shape::Any => "_".to_owned(),
        Shape::Nothing | Shape::Null => "null".to_owned(),
        Shape::Bool(_) => "bool".to_owned(),
        Shape::Number(numbers) => number(*numbers),
        Shape::Text(Texts::Known(names)) => format!("enum {{ {} }}", some(names.iter().map(String::as_str))),
        Shape::Text(Texts::Base64) => "list<u8>".to_owned(),
        Shape::Text(Texts::Decimal { least, .. }) => if *least < 0 { "s64" } else { "u64" }.to_owned(),
        Shape::Text(Texts::Char) => "char".to_owned(),
        Shape::Text(Texts::Plain | Texts::Any) => "string".to_owned(),
        Shape::List(item) => format!("list<{}>", wit(item)),
        Shape::Tuple(items) => format!("tuple<{}>", items.iter().map(wit).collect::<Vec<_>>().join(", ")),
        Shape::Map(keys) if keys.known.is_empty() => "record".to_owned(),
        Shape::Map(keys) => format!("record {{ {} }}", names(keys)),
        Shape::Union(union) => match union.members.iter().position(|member| *member == Shape::Null) {
            Some(null) => {
                let rest = union.members.iter().enumerate().filter(|(at, _)| *at != null).map(|(_, member)| member.clone());
                format!("option<{}>", wit(&Shape::union(rest)))
            }
            None => variant(&union.members),
        },
    }
}

fn number(numbers: Numbers) -> String {
    let Numbers::Whole { least, most } = numbers else { return "float".to_owned() };
    let bits = [8u32, 16, 32, 64].into_iter().find_map(|bits| {
        let (unsigned, signed) = ((0, (1i128 << bits) - 1), (-(1i128 << (bits - 1)), (1i128 << (bits - 1)) - 1));
        let sign = if (least, most) == unsigned { 'u' } else { 's' };
        ((least, most) == unsigned || (least, most) == signed).then(|| format!("{sign}{bits}"))
    });
    bits.unwrap_or_else(|| "integer".to_owned())
}

fn variant(members: &[Shape]) -> String {
    let cases: Option<Vec<&str>> = members.iter().try_fold(Vec::new(), |mut cases, member| {
        match member {
            Shape::Text(Texts::Known(names)) => cases.extend(names.iter().map(String::as_str)),
            Shape::Map(keys) if keys.known.len() == 1 => cases.extend(keys.known.keys().map(String::as_str)),
            _ => return None,
        }
        Some(cases)
    });
    match cases {
        Some(cases) if cases == ["err", "ok"] || cases == ["ok", "err"] => "result".to_owned(),
        Some(cases) => format!("variant {{ {} }}", some(cases.into_iter())),
        None => members.iter().map(wit).collect::<Vec<_>>().join(" or "),
    }
}

fn names(keys: &Keys) -> String {
    some(keys.known.keys().map(String::as_str))
}

fn some<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let all: Vec<&str> = names.collect();
    let told = all[..all.len().min(NAMES_TOLD)].join(", ");
    if all.len() > NAMES_TOLD { format!("{told}, …") } else { told }
}

/// The names of a set, each in backticks.
pub(super) fn quoted<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let all: Vec<&str> = names.collect();
    let told = all[..all.len().min(NAMES_TOLD)].join("`, `");
    if all.len() > NAMES_TOLD { format!("`{told}`, …") } else { format!("`{told}`") }
}

/// What is given, as "a list of numbers".
pub(super) fn given(shape: &Shape) -> String {
    match shape {
        Shape::Any => "anything".to_owned(),
        Shape::Nothing => "nothing".to_owned(),
        Shape::Null => "null".to_owned(),
        Shape::Bool(_) => "true or false".to_owned(),
        Shape::Number(Numbers::Whole { least, most }) if least == most => format!("the number {least}"),
        Shape::Number(Numbers::Whole { .. }) => "a whole number".to_owned(),
        Shape::Number(_) => "a number".to_owned(),
        Shape::Text(Texts::Known(texts)) => match &texts[..] {
            [only] => format!("the text `{}`", only.chars().take(40).collect::<String>()),
            more => format!("one of the texts {}", quoted(more.iter().map(String::as_str))),
        },
        Shape::Text(Texts::Base64) => "bytes as base64 text".to_owned(),
        Shape::Text(Texts::Decimal { .. }) => "a 64-bit number as decimal text".to_owned(),
        Shape::Text(_) => "a text".to_owned(),
        Shape::List(item) => match plural(item) {
            Some(items) => format!("a list of {items}"),
            None => "a list".to_owned(),
        },
        Shape::Tuple(items) => format!("a list of {}", items.len()),
        Shape::Map(keys) if keys.known.is_empty() => "a map".to_owned(),
        Shape::Map(keys) => format!("a map with {}", quoted(keys.known.keys().map(String::as_str))),
        Shape::Union(union) => union.members.iter().map(given).collect::<Vec<_>>().join(" or "),
    }
}

fn plural(item: &Shape) -> Option<&'static str> {
    Some(match item {
        Shape::Bool(_) => "true and false",
        Shape::Number(Numbers::Whole { .. }) => "whole numbers",
        Shape::Number(_) => "numbers",
        Shape::Text(_) => "texts",
        Shape::List(_) | Shape::Tuple(_) => "lists",
        Shape::Map(_) => "maps",
        _ => return None,
    })
}
