//! Where two functions differ, in words: the first place, and what stands there in each.

use std::fmt;

use crate::package::{Function, Type};

/// The first place where two functions differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The way there: `result, ok, field \`lang\``.
    pub place: String,
    /// What differs there, in words.
    pub what: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.what)
    }
}

/// Which way values travel: what is added to a parameter surprises sellers, what is added to a result surprises buyers.
#[derive(Clone, Copy)]
enum Way {
    ToSeller,
    ToBuyer,
}

/// Where `is` differs from `was`; none where a buyer sees no difference. `async` makes none.
pub fn difference(was: &Function, is: &Function) -> Option<Difference> {
    for (at, (name, ty)) in was.params.iter().enumerate() {
        let place = format!("parameter `{name}`");
        match is.params.get(at) {
            None => return Some(Difference { place, what: "it is gone".into() }),
            Some((other, _)) if other != name => {
                return Some(Difference { place, what: format!("`{other}` stands in its place") });
            }
            Some((_, other)) => {
                if let Some(found) = of_types(ty, other, Way::ToSeller, &place) {
                    return Some(found);
                }
            }
        }
    }
    if let Some((name, ty)) = is.params.get(was.params.len()) {
        return Some(Difference { place: format!("parameter `{name}`"), what: format!("it is new, of type `{ty}`") });
    }
    sides(was.result.as_ref(), is.result.as_ref(), Way::ToBuyer, "result")
}

fn sides(was: Option<&Type>, is: Option<&Type>, way: Way, place: &str) -> Option<Difference> {
    match (was, is) {
        (None, None) => None,
        (Some(was), Some(is)) => of_types(was, is, way, place),
        (was, is) => Some(Difference { place: place.to_owned(), what: replaced(was, is) }),
    }
}

fn replaced(was: Option<&Type>, is: Option<&Type>) -> String {
    let text = |ty: Option<&Type>| ty.map_or_else(|| "nothing".to_owned(), |ty| format!("`{ty}`"));
    format!("was {}, is {}", text(was), text(is))
}

fn of_types(was: &Type, is: &Type, way: Way, place: &str) -> Option<Difference> {
    if was == is {
        return None;
    }
    parts_of_types(was, is, way, place)
        .or_else(|| Some(Difference { place: place.to_owned(), what: replaced(Some(was), Some(is)) }))
}

/// The difference within two types of one kind; none where they are of two kinds.
fn parts_of_types(was: &Type, is: &Type, way: Way, place: &str) -> Option<Difference> {
    let inner = |word: &str| format!("{place}, {word}");
    match (was, is) {
        (Type::List(was), Type::List(is)) => of_types(was, is, way, &inner("element of the list")),
        (Type::Option(was), Type::Option(is)) => of_types(was, is, way, &inner("inside the option")),
        (Type::Tuple(was), Type::Tuple(is)) if was.len() == is.len() => was
            .iter()
            .zip(is)
            .enumerate()
            .find_map(|(at, (was, is))| of_types(was, is, way, &inner(&format!("element {at} of the tuple")))),
        (Type::Result(ok, err), Type::Result(ok_is, err_is)) => sides(ok.as_deref(), ok_is.as_deref(), way, &inner("ok"))
            .or_else(|| sides(err.as_deref(), err_is.as_deref(), way, &inner("err"))),
        (Type::Record(was), Type::Record(is)) => {
            let all = |fields: &[(String, Type)]| -> Vec<(String, Option<Type>)> {
                fields.iter().map(|(name, ty)| (name.clone(), Some(ty.clone()))).collect()
            };
            members("field", &all(was), &all(is), way, place)
        }
        (Type::Variant(was), Type::Variant(is)) => members("case", was, is, way, place),
        (Type::Enum(was), Type::Enum(is)) => members("label", &bare(was), &bare(is), way, place),
        (Type::Flags(was), Type::Flags(is)) => members("flag", &bare(was), &bare(is), way, place),
        _ => None,
    }
}

fn bare(labels: &[String]) -> Vec<(String, Option<Type>)> {
    labels.iter().map(|label| (label.clone(), None)).collect()
}

type Member = (String, Option<Type>);

/// Named members in their order: fields, cases, labels, flags.
fn members(word: &str, was: &[Member], is: &[Member], way: Way, place: &str) -> Option<Difference> {
    let has = |members: &[Member], name: &str| members.iter().any(|(other, _)| other == name);
    let differs = |what: String| Some(Difference { place: place.to_owned(), what });
    if let Some((name, _)) = was.iter().find(|(name, _)| !has(is, name)) {
        return differs(format!("the {word} `{name}` is gone"));
    }
    if let Some((name, _)) = is.iter().find(|(name, _)| !has(was, name)) {
        return differs(format!("the {word} `{name}` is new, which {}", surprised(way)));
    }
    let moved = was.iter().zip(is).find(|((was, _), (is, _))| was != is);
    if let Some(((was, _), (is, _))) = moved {
        return differs(format!("the {word} `{is}` stands where `{was}` was, and the order counts"));
    }
    was.iter()
        .zip(is)
        .find_map(|((name, was), (_, is))| sides(was.as_ref(), is.as_ref(), way, &format!("{place}, {word} `{name}`")))
}

/// Why an addition is no small matter.
fn surprised(way: Way) -> &'static str {
    match way {
        Way::ToSeller => "buyers of the old version do not send",
        Way::ToBuyer => "breaks buyers, who cannot read it",
    }
}
