//! Regular expressions: those of the `regex` crate, which take time in the length of the text, whatever the pattern.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use regex::{Captures, Regex, RegexBuilder};

use super::value::{List, Map, Value};
use super::{Fail, ValR, ended, list, made, meter, text, wrong};
use crate::limits::{REGEX_BYTES_MAX, REGEXES_KEPT};

struct Pattern {
    text: String,
    flags: String,
    regex: Regex,
    global: bool,
    skip_empty: bool,
    /// How large it is when compiled, in the smallest of sizes: what a letter costs.
    weight: u64,
    /// The evaluation that has paid for compiling it.
    paid: Cell<u64>,
}

thread_local! {
    static KEPT: RefCell<Vec<Rc<Pattern>>> = const { RefCell::new(Vec::new()) };
}

fn wanted(value: &Value) -> Result<&str, Fail> {
    value.as_text().ok_or_else(|| wrong(format!("a text is wanted, not {value}")))
}

/// Compiled, or as it was compiled before. Each evaluation pays for compiling it once, wherever it comes from: what is kept from earlier ones changes no price, since those used last
/// are kept.
fn pattern(pattern: &Value, flags: &Value) -> Result<Rc<Pattern>, Fail> {
    let text = wanted(pattern)?;
    let flags = if matches!(flags, Value::Null) { "" } else { wanted(flags)? };
    let kept = KEPT.with_borrow_mut(|kept| {
        let at = kept.iter().position(|kept| kept.text == text && kept.flags == flags)?;
        let found = kept.remove(at);
        kept.push(Rc::clone(&found));
        Some(found)
    });
    let found = match kept {
        Some(kept) => kept,
        None => keep(compiled(text, flags).inspect_err(|_| {
            meter::step(COMPILE_STEPS * SIZES[2].1);
        })?),
    };
    let paid = found.paid.replace(meter::evaluation()) == meter::evaluation();
    if meter::step(if paid { 1 } else { COMPILE_STEPS * found.weight }) { Ok(found) } else { Err(ended()) }
}

fn keep(pattern: Pattern) -> Rc<Pattern> {
    let pattern = Rc::new(pattern);
    KEPT.with_borrow_mut(|kept| {
        if kept.len() >= REGEXES_KEPT {
            kept.remove(0);
        }
        kept.push(Rc::clone(&pattern));
    });
    pattern
}

/// Steps for compiling a small expression.
const COMPILE_STEPS: u64 = 200;

/// Compiled sizes, in bytes, and what they weigh.
const SIZES: [(usize, u64); 3] = [(REGEX_BYTES_MAX / 16, 1), (REGEX_BYTES_MAX / 4, 4), (REGEX_BYTES_MAX, 16)];

fn compiled(text: &str, flags: &str) -> Result<Pattern, Fail> {
    let known = |flag: char| "gimnpsxl".contains(flag) && flag != 'l' && flag != 'm';
    if let Some(flag) = flags.chars().find(|flag| !known(*flag)) {
        return Err(wrong(format!("`{flag}` is no flag of a regular expression; `g`, `i`, `n`, `p`, `s` and `x` are")));
    }
    let mut builder = RegexBuilder::new(text);
    builder.case_insensitive(flags.contains('i')).ignore_whitespace(flags.contains('x'));
    builder.dot_matches_new_line(flags.contains(['s', 'p'])).dfa_size_limit(REGEX_BYTES_MAX);
    let mut told = None;
    for (bytes, weight) in SIZES {
        match builder.size_limit(bytes).build() {
            Ok(regex) => {
                let (global, skip_empty) = (flags.contains('g'), flags.contains('n'));
                return Ok(Pattern {
                    text: text.to_owned(),
                    flags: flags.to_owned(),
                    regex,
                    global,
                    skip_empty,
                    weight,
                    paid: Cell::new(0),
                });
            }
            Err(error) => told = Some(error),
        }
    }
    let why = match told {
        Some(regex::Error::CompiledTooBig(_)) | None => "it is too large; count less in it".to_owned(),
        Some(error) => error.to_string().lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned(),
    };
    Err(wrong(format!("`{}` is no regular expression: {why}", text::cut_to(text, 60))))
}

impl Pattern {
    /// What it finds in `text`: all with `g`, else the first. `each` is handed captures and letters before the match.
    fn find(&self, text: &str, mut each: impl FnMut(&Captures<'_>, &mut Letters<'_>) -> Result<(), Fail>) -> Result<(), Fail> {
        if !meter::step(1 + text.len() as u64 * self.weight / 4) {
            return Err(ended());
        }
        let mut letters = Letters { text, at: 0, count: 0 };
        for captures in self.regex.captures_iter(text) {
            // A search may look on to the end before it finds what is near.
            let rest = (text.len() - captures.get_match().end()) as u64;
            if !meter::step(4 + rest * self.weight / 256) {
                return Err(ended());
            }
            if !(self.skip_empty && captures.get_match().is_empty()) {
                each(&captures, &mut letters)?;
            }
            if !self.global {
                break;
            }
        }
        Ok(())
    }
}

/// Bytes of a text to letters, forward only.
struct Letters<'a> {
    text: &'a str,
    at: usize,
    count: usize,
}

impl Letters<'_> {
    fn before(&mut self, at: usize) -> usize {
        if at < self.at {
            return self.count - self.text[at..self.at].chars().count();
        }
        self.count += self.text[self.at..at].chars().count();
        self.at = at;
        self.count
    }
}

/// `test`.
pub(super) fn test(value: Value, regex: Value, flags: Value) -> ValR {
    let mut found = false;
    let once = pattern(&regex, &flags)?;
    let text = wanted(&value)?;
    once.find(text, |_, _| {
        found = true;
        Ok(())
    })?;
    Ok(found.into())
}

/// `match`, as a list: offset, length, string and captures of each.
pub(super) fn matches(value: Value, regex: Value, flags: Value) -> ValR {
    let (pattern, text) = (pattern(&regex, &flags)?, wanted(&value)?);
    let mut found = Vec::new();
    pattern.find(text, |captures, letters| {
        let whole = group(captures, 0, letters)?;
        let names = pattern.regex.capture_names().enumerate().skip(1);
        let groups = names.map(|(at, name)| {
            let name = name.map_or(Value::Null, Value::from);
            made_map(group(captures, at, letters)?.into_iter().chain([("name", name)]))
        });
        let groups = made(List::new(groups.collect::<Result<_, Fail>>()?))?;
        found.push(made_map(whole.into_iter().chain([("captures", groups)]))?);
        Ok(())
    })?;
    list::room(found.len())?;
    made(List::new(found))
}

fn made_map<'a>(members: impl Iterator<Item = (&'a str, Value)>) -> ValR {
    list::room(8)?;
    made(Map::new(members.map(|(name, value)| (name.into(), value)).collect()))
}

/// A group that took no part has offset -1, as in jq.
fn group(captures: &Captures<'_>, at: usize, letters: &mut Letters<'_>) -> Result<[(&'static str, Value); 3], Fail> {
    let Some(found) = captures.get(at) else {
        return Ok([("offset", Value::from(-1i64)), ("length", 0i64.into()), ("string", Value::Null)]);
    };
    let (offset, length) = (letters.before(found.start()), found.as_str().chars().count());
    let string = text::made_of(found.len(), || found.as_str().to_owned())?;
    Ok([("offset", offset.into()), ("length", length.into()), ("string", string)])
}

/// What named groups caught.
fn named(pattern: &Pattern, captures: &Captures<'_>) -> ValR {
    let named = pattern.regex.capture_names().enumerate().filter_map(|(at, name)| Some((at, name?)));
    let named = named.map(|(at, name)| {
        let caught = captures.get(at).map(|found| text::made_of(found.len(), || found.as_str().to_owned()));
        Ok((name, caught.transpose()?.unwrap_or(Value::Null)))
    });
    made_map(named.collect::<Result<Vec<_>, Fail>>()?.into_iter())
}

/// `capture`, as a list.
pub(super) fn captured(value: Value, regex: Value, flags: Value) -> ValR {
    let (pattern, text) = (pattern(&regex, &flags)?, wanted(&value)?);
    let mut found = Vec::new();
    pattern.find(text, |captures, _| {
        found.push(named(&pattern, captures)?);
        Ok(())
    })?;
    list::room(found.len())?;
    made(List::new(found))
}

/// The text in pieces: texts between matches, and for each match what its named groups caught.
pub(super) fn pieces(value: Value, regex: Value, flags: Value) -> ValR {
    let (pattern, text) = (pattern(&regex, &flags)?, wanted(&value)?);
    let (mut pieces, mut end) = (Vec::new(), 0);
    pattern.find(text, |captures, _| {
        let found = captures.get_match();
        pieces.push(text::made_of(found.start() - end, || text[end..found.start()].to_owned())?);
        pieces.push(named(&pattern, captures)?);
        end = found.end();
        Ok(())
    })?;
    pieces.push(text::made_of(text.len() - end, || text[end..].to_owned())?);
    list::room(pieces.len())?;
    made(List::new(pieces))
}
