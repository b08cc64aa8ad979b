//! Does what is given fit where it goes?

use hansa_catalogue::strict_toml::nearest;

use super::Level;
use super::shape::{Keys, NOT_NUMBERS, Numbers, Shape, Texts, is_base64};
use super::words;

/// What does not fit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Misfit {
    pub level: Level,
    /// Where in the value, as `.rows[].name`; empty for the whole.
    pub path: String,
    /// "wants `u32`; this gives a text".
    pub what: String,
}

type Fit = Result<(), Misfit>;

/// Is `given` fine where `wanted` is? Of several misfits the worst, the first of them.
pub(super) fn fit(given: &Shape, wanted: &Shape) -> Fit {
    if *given == Shape::Any || *wanted == Shape::Any {
        return Ok(());
    }
    let fits: Vec<(&Shape, Fit)> = given.members().iter().map(|member| (member, one(member, wanted))).collect();
    let wrong = |fit: &Fit| matches!(fit, Err(Misfit { level: Level::Wrong, .. }));
    if !fits.is_empty() && fits.iter().all(|(_, fit)| wrong(fit)) {
        return all_wrong(given, wanted, fits);
    }
    if given.hushed() {
        return Ok(());
    }
    let misfit = fits.into_iter().find_map(|(member, fit)| fit.err().map(|misfit| (member, misfit)));
    match misfit {
        None => Ok(()),
        Some((member, misfit)) if misfit.level == Level::Wrong && misfit.path.is_empty() => {
            Err(misfit_of(Level::Doubtful, member, wanted))
        }
        Some((_, misfit)) => Err(Misfit { level: Level::Doubtful, ..misfit }),
    }
}

/// No member fits: what is wrong with the one that is not null, or with all of them.
fn all_wrong(given: &Shape, wanted: &Shape, fits: Vec<(&Shape, Fit)>) -> Fit {
    let mut others: Vec<Fit> = fits.into_iter().filter(|(member, _)| **member != Shape::Null).map(|(_, fit)| fit).collect();
    match (others.pop(), others.is_empty()) {
        (Some(only), true) if given.members().len() == 1 || only.as_ref().is_err_and(|misfit| !misfit.path.is_empty()) => only,
        _ => Err(misfit_of(Level::Wrong, given, wanted)),
    }
}

fn misfit_of(level: Level, given: &Shape, wanted: &Shape) -> Misfit {
    let gives = if level == Level::Wrong { "gives" } else { "may be" };
    let what = format!("wants {}; this {gives} {}{}", words::wanted(wanted), words::given(given), advice(given, wanted));
    Misfit { level, path: String::new(), what }
}

/// How to make of `given` what is wanted.
fn advice(given: &Shape, wanted: &Shape) -> &'static str {
    let wants = |kind: fn(&Shape) -> bool| wanted.members().iter().any(kind);
    let wants_number = wants(|wanted| matches!(wanted, Shape::Number(_) | Shape::Text(Texts::Decimal { .. })));
    match given {
        Shape::Null if wants(|wanted| matches!(wanted, Shape::Text(_))) => "; `// \"…\"` gives it another value",
        Shape::Null if wants_number => "; `// 0` gives it another value",
        Shape::Null if wants(|wanted| matches!(wanted, Shape::List(_))) => "; `// []` gives it another value",
        Shape::Text(Texts::Known(_) | Texts::Plain | Texts::Any) if wants(|wanted| *wanted == Shape::Text(Texts::Base64)) => {
            "; `| @base64` encodes a text"
        }
        Shape::Text(Texts::Plain | Texts::Any | Texts::Decimal { .. }) if wants_number => "; `| tonumber` makes it a number",
        Shape::Number(Numbers::Float | Numbers::Fraction) if wants_number => {
            ", which may have a fraction; `| round` makes it whole"
        }
        Shape::Number(_) if wants(|wanted| matches!(wanted, Shape::Text(Texts::Plain | Texts::Any))) => {
            "; `| tostring` makes it a text"
        }
        _ => "",
    }
}

/// The same for what is no union.
fn one(given: &Shape, wanted: &Shape) -> Fit {
    let fits: Vec<Fit> = wanted.members().iter().map(|wanted| simple(given, wanted)).collect();
    if fits.iter().any(Result::is_ok) {
        return Ok(());
    }
    let alike: Vec<&Shape> = wanted.members().iter().filter(|wanted| like(given, wanted)).collect();
    match alike[..] {
        [only] => simple(given, only).map_err(|misfit| match misfit.path.is_empty() && misfit.level == Level::Wrong {
            true => Misfit { what: misfit.what.replace(&words::wanted(only), &words::wanted(wanted)), ..misfit },
            false => misfit,
        }),
        _ => Err(misfit_of(Level::Wrong, given, wanted)),
    }
}

/// Are these so alike that what one lacks is worth telling?
fn like(given: &Shape, wanted: &Shape) -> bool {
    match (given, wanted) {
        (Shape::Map(given), Shape::Map(wanted)) if wanted.known.len() == 1 => {
            wanted.known.keys().all(|name| given.known.contains_key(name))
        }
        (Shape::Map(_), Shape::Map(_)) | (Shape::Text(_), Shape::Text(_)) | (Shape::Number(_), Shape::Number(_)) => true,
        (Shape::List(_) | Shape::Tuple(_), Shape::List(_) | Shape::Tuple(_)) => true,
        (Shape::Text(_), Shape::Number(_)) | (Shape::Number(_), Shape::Text(Texts::Decimal { .. })) => true,
        _ => false,
    }
}

/// The same for what neither side is a union.
fn simple(given: &Shape, wanted: &Shape) -> Fit {
    let level = match (given, wanted) {
        (Shape::Any, _) | (_, Shape::Any) => None,
        (Shape::Null, Shape::Null) | (Shape::Bool(_), Shape::Bool(_)) => None,
        (Shape::Number(given), Shape::Number(wanted)) => number(*given, *wanted),
        (Shape::Number(given), Shape::Text(Texts::Decimal { least, most })) => {
            number(*given, Numbers::Whole { least: *least, most: *most })
        }
        (Shape::Text(given), Shape::Number(Numbers::Whole { least, most })) => digits(given, *least, *most),
        (Shape::Text(Texts::Known(texts)), Shape::Number(Numbers::Float)) => share(texts, |text| NOT_NUMBERS.contains(&text)),
        (Shape::Text(given), Shape::Text(wanted_texts)) => return text(given, wanted_texts, wanted),
        (Shape::List(item), Shape::List(wanted)) => return fit(item, wanted).map_err(|misfit| within("[]", misfit)),
        (Shape::Tuple(items), Shape::List(wanted)) => return each(items.iter().map(|item| (item, &**wanted))),
        (Shape::Tuple(items), Shape::Tuple(wanted)) if items.len() == wanted.len() => {
            return each(items.iter().zip(wanted.iter()));
        }
        (Shape::List(item), Shape::Tuple(wanted)) if !matches!(**item, Shape::Nothing) => {
            return each(wanted.iter().map(|wanted| (&**item, wanted)));
        }
        (Shape::Map(given), Shape::Map(wanted)) => return map(given, wanted),
        _ => Some(Level::Wrong),
    };
    level.map_or(Ok(()), |level| Err(misfit_of(level, given, wanted)))
}

fn within(part: &str, misfit: Misfit) -> Misfit {
    Misfit { path: format!("{part}{}", misfit.path), ..misfit }
}

fn each<'a>(pairs: impl Iterator<Item = (&'a Shape, &'a Shape)>) -> Fit {
    let fits =
        pairs.enumerate().map(|(at, (given, wanted))| fit(given, wanted).map_err(|misfit| within(&format!("[{at}]"), misfit)));
    worst(fits)
}

/// The first that is wrong, or else the first that is doubtful.
fn worst(fits: impl Iterator<Item = Fit>) -> Fit {
    let mut misfits: Vec<Misfit> = fits.filter_map(Result::err).collect();
    let at = misfits.iter().position(|misfit| misfit.level == Level::Wrong).unwrap_or(0);
    if misfits.is_empty() { Ok(()) } else { Err(misfits.swap_remove(at)) }
}

fn number(given: Numbers, wanted: Numbers) -> Option<Level> {
    match (given, wanted) {
        (Numbers::Whole { least, most }, Numbers::Whole { least: lower, most: higher }) => {
            (most < lower || least > higher).then_some(Level::Wrong)
        }
        (Numbers::Fraction, Numbers::Whole { .. }) => Some(Level::Wrong),
        (Numbers::Float, Numbers::Whole { .. }) => Some(Level::Doubtful),
        _ => None,
    }
}

/// Whole numbers are taken as texts of digits too.
fn digits(given: &Texts, least: i128, most: i128) -> Option<Level> {
    match given {
        Texts::Known(texts) => share(texts, |text| text.parse::<i128>().is_ok_and(|number| (least..=most).contains(&number))),
        Texts::Plain => Some(Level::Doubtful),
        Texts::Base64 => Some(Level::Wrong),
        Texts::Decimal { .. } | Texts::Char | Texts::Any => None,
    }
}

/// None, where all of `texts` are so; doubtful, where some are.
fn share(texts: &[String], so: impl Fn(&str) -> bool) -> Option<Level> {
    match texts.iter().filter(|text| so(text)).count() {
        count if count == texts.len() => None,
        0 => Some(Level::Wrong),
        _ => Some(Level::Doubtful),
    }
}

fn text(given: &Texts, wanted: &Texts, shape: &Shape) -> Fit {
    let level = match (given, wanted) {
        (_, Texts::Plain | Texts::Any) => None,
        (Texts::Known(texts), Texts::Known(names)) => return choice(texts, names, shape),
        (Texts::Decimal { .. } | Texts::Base64, Texts::Known(_)) => Some(Level::Wrong),
        (Texts::Known(texts), Texts::Base64) => share(texts, is_base64),
        (Texts::Plain | Texts::Decimal { .. }, Texts::Base64) => Some(Level::Doubtful),
        (Texts::Known(texts), Texts::Char) => share(texts, |text| text.chars().count() == 1),
        (_, Texts::Decimal { least, most }) => digits(given, *least, *most),
        _ => None,
    };
    level.map_or(Ok(()), |level| Err(misfit_of(level, &Shape::Text(given.clone()), shape)))
}

/// Cases of an enum.
fn choice(texts: &[String], names: &[String], shape: &Shape) -> Fit {
    let Some(level) = share(texts, |text| names.iter().any(|name| name == text)) else { return Ok(()) };
    let other = texts.iter().find(|text| !names.contains(text)).map_or("", String::as_str);
    let hint = match nearest(other, names.iter().map(String::as_str)) {
        Some(nearest) => format!("; did you mean `{nearest}`?"),
        None => String::new(),
    };
    let gives = if level == Level::Wrong { "gives" } else { "may be" };
    let what = format!("wants {}; this {gives} the text `{other}`{hint}", words::wanted(shape));
    Err(Misfit { level, path: String::new(), what })
}

fn map(given: &Keys, wanted: &Keys) -> Fit {
    let wants = wanted.known.iter().map(|(name, key)| {
        let in_it = |misfit| within(&format!(".{name}"), misfit);
        let absent = |level, what| Err(in_it(Misfit { level, path: String::new(), what }));
        match given.known.get(name) {
            Some(has) => match fit(&has.shape, &key.shape) {
                Ok(()) if key.always && !has.always => {
                    absent(Level::Doubtful, format!("may be missing; {} is wanted", words::wanted(&key.shape)))
                }
                fit => fit.map_err(in_it),
            },
            None if key.always && given.rest.is_none() => {
                absent(Level::Wrong, format!("is missing; {} is wanted", words::wanted(&key.shape)))
            }
            None => Ok(()),
        }
    });
    let unknown = given.known.iter().filter(|(name, _)| wanted.rest.is_none() && !wanted.known.contains_key(*name));
    let unknown = unknown.map(|(name, key)| {
        let level = if key.always { Level::Wrong } else { Level::Doubtful };
        let what = format!("is no key here; {}", unknown_key(name, wanted.known.keys().map(String::as_str)));
        Err(Misfit { level, path: format!(".{name}"), what })
    });
    // An unknown key explains best why another one is missing.
    let unknown: Vec<Fit> = unknown.collect();
    worst(unknown.into_iter().chain(wants))
}

/// What is said of a key that `keys` do not have.
pub(super) fn unknown_key<'a>(name: &str, known: impl Iterator<Item = &'a str> + Clone) -> String {
    match nearest(name, known.clone()) {
        Some(near) => format!("did you mean `{near}`?"),
        None if known.clone().next().is_none() => "there are no keys here".to_owned(),
        None => format!("there are {}", words::quoted(known)),
    }
}
