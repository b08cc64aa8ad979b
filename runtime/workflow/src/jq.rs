//! jq in workflows: which of it may be used, and what an expression reads.
//!
//! An expression is the operator's own, and works on what strangers' agents answered. Nothing of it may run for ever, fill memory or end the process, and the same data must give
//! the same value on every node: so there are no definitions, no folds, no generators without an end, no clock, no environment.

mod depth;

use hansa_catalogue::strict_toml::nearest;
use jaq_core::load::lex::{Lexer, StrPart};
use jaq_core::load::parse::{BinaryOp, Parser, Pattern, Term};
use jaq_core::load::span;
use jaq_core::path::Part;

use crate::definition::Expression;
use crate::place::Problem;

/// What may be called, by jq's names.
pub(crate) const FUNCTIONS: &[&str] = &[
    "abs",
    "add",
    "all",
    "any",
    "arrays",
    "ascii_downcase",
    "ascii_upcase",
    "booleans",
    "capture",
    "ceil",
    "contains",
    "del",
    "delpaths",
    "empty",
    "endswith",
    "error",
    "explode",
    "false",
    "first",
    "flatten",
    "floor",
    "from_entries",
    "fromjson",
    "getpath",
    "group_by",
    "gsub",
    "has",
    "implode",
    "in",
    "index",
    "indices",
    "inside",
    "isempty",
    "iterables",
    "join",
    "keys",
    "keys_unsorted",
    "last",
    "length",
    "limit",
    "ltrim",
    "ltrimstr",
    "map",
    "map_values",
    "match",
    "max",
    "max_by",
    "min",
    "min_by",
    "not",
    "nth",
    "null",
    "nulls",
    "numbers",
    "objects",
    "path",
    "paths",
    "reverse",
    "rindex",
    "round",
    "rtrim",
    "rtrimstr",
    "scalars",
    "scan",
    "select",
    "skip",
    "sort",
    "sort_by",
    "split",
    "splits",
    "sqrt",
    "startswith",
    "strings",
    "sub",
    "test",
    "to_entries",
    "toarray",
    "tojson",
    "tonumber",
    "tostring",
    "transpose",
    "trim",
    "trimstr",
    "true",
    "type",
    "unique",
    "unique_by",
    "utf8bytelength",
    "values",
    "with_entries",
];

/// Formats that may be named, as `@base64`.
pub(crate) const FORMATS: &[&str] = &["@base64", "@base64d", "@html", "@json", "@text", "@uri"];

/// A member of the run's data that an expression reads: `.steps.read` is `["steps", "read"]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Read {
    /// Names from the outermost on, with the byte of the expression's text where each stands.
    pub names: Vec<(String, usize)>,
}

/// Reads `expression` and gives what it reads of the run's data.
///
/// # Errors
/// It is no jq, or uses what may not be used here, at its place.
pub fn check(expression: &Expression) -> Result<Vec<Read>, Problem> {
    let term = parse(expression)?;
    let mut walk = Walk { text: &expression.text, reads: Vec::new(), variables: Vec::new() };
    walk.term(&term, true).map_err(|(at, what)| Problem::new(expression.place_of(at), what))?;
    Ok(walk.reads)
}

/// The syntax tree of `expression`, whose texts are slices of the expression's.
///
/// # Errors
/// It is no jq, at its place.
pub(crate) fn parse(expression: &Expression) -> Result<Term<&str>, Problem> {
    let text = &*expression.text;
    let at = |part: &str| if part.is_empty() { text.trim_end().len() } else { span(text, part).start };
    let wrong = |at: usize, what: String| Problem::new(expression.place_of(at), what);
    depth::of_text(text).map_err(|(at, what)| wrong(at, what))?;
    let tokens = Lexer::new(text).lex().map_err(|errors| match errors.first() {
        Some((expected, found)) => wrong(at(found), format!("{} is expected here", expected.as_str())),
        None => wrong(0, "this is no jq".to_owned()),
    })?;
    let term = Parser::new(&tokens).parse(|parser| parser.term()).map_err(|errors| match errors.first() {
        Some((expected, Some(token))) => wrong(at(token.0), format!("{} is expected before `{}`", expected.as_str(), token.0)),
        Some((expected, None)) => wrong(text.trim_end().len(), format!("{} is expected at the end", expected.as_str())),
        None => wrong(0, "this is no jq".to_owned()),
    })?;
    depth::of_term(&term).map_err(|what| wrong(0, what))?;
    Ok(term)
}

struct Walk<'a> {
    text: &'a str,
    reads: Vec<Read>,
    variables: Vec<&'a str>,
}

/// The byte, and what is wrong there.
type Wrong = (usize, String);

impl<'a> Walk<'a> {
    fn at(&self, part: &str) -> usize {
        span(self.text, part).start
    }

    fn refuse(&self, part: &str, why: &str) -> Result<(), Wrong> {
        Err((self.at(part), format!("`{part}` is not used here: {why}")))
    }

    /// `whole`: dot is all of the run's data.
    fn term(&mut self, term: &Term<&'a str>, whole: bool) -> Result<(), Wrong> {
        match term {
            Term::Id | Term::Recurse | Term::Num(_) => Ok(()),
            Term::Str(format, parts) => {
                if let Some(format) = format.filter(|format| !FORMATS.contains(format)) {
                    return self.refuse(format, &format!("known formats: `{}`", FORMATS.join("`, `")));
                }
                parts.iter().try_for_each(|part| match part {
                    StrPart::Term(term) => self.term(term, whole),
                    _ => Ok(()),
                })
            }
            Term::Arr(inner) => inner.iter().try_for_each(|term| self.term(term, whole)),
            Term::Obj(entries) => entries.iter().try_for_each(|(key, value)| {
                // `{a}` reads `.a`; `{$x}` a variable.
                match (key, value) {
                    (Term::Str(None, parts), None) => {
                        self.reads.extend(read(self.text, parts).filter(|_| whole).map(|name| Read { names: vec![name] }))
                    }
                    _ => self.term(key, whole)?,
                }
                value.iter().try_for_each(|value| self.term(value, whole))
            }),
            Term::Neg(inner) => self.term(inner, whole),
            Term::BinOp(left, op, right) => self.binary(left, op, right, whole),
            Term::Label(name, _) | Term::Break(name) => self.refuse(name, "labels are left out; `first` and `limit` end early"),
            Term::Fold(name, ..) => self.refuse(name, "`add`, `map`, `any` and `all` do most of it"),
            Term::TryCatch(tried, caught) => {
                self.term(tried, whole)?;
                caught.iter().try_for_each(|term| self.term(term, false))
            }
            Term::IfThenElse(cases, otherwise) => {
                for (when, then) in cases {
                    self.term(when, whole)?;
                    self.term(then, whole)?;
                }
                otherwise.iter().try_for_each(|term| self.term(term, whole))
            }
            Term::Def(..) => Err((0, "definitions are not used here; take several steps".to_owned())),
            Term::Call(name, args) => self.call(name, args, whole),
            Term::Var(name) if self.variables.contains(name) => Ok(()),
            Term::Var(name) => {
                Err((self.at(name), format!("no variable `{name}`; the run's data is `.input`, `.steps` and so on, with a dot")))
            }
            Term::Path(from, path) => {
                if whole && matches!(**from, Term::Id) {
                    let names = path.0.iter().map_while(|(part, _)| match part {
                        Part::Index(Term::Str(None, parts)) => read(self.text, parts),
                        _ => None,
                    });
                    let names: Vec<_> = names.collect();
                    self.reads.extend((!names.is_empty()).then_some(Read { names }));
                }
                self.term(from, whole)?;
                path.0.iter().try_for_each(|(part, _)| match part {
                    Part::Index(index) => self.term(index, whole),
                    Part::Range(from, to) => from.iter().chain(to).try_for_each(|term| self.term(term, whole)),
                })
            }
        }
    }

    fn binary(&mut self, left: &Term<&'a str>, op: &BinaryOp<&'a str>, right: &Term<&'a str>, whole: bool) -> Result<(), Wrong> {
        self.term(left, whole)?;
        match op {
            BinaryOp::Pipe(None) => self.term(right, whole && matches!(left, Term::Id)),
            BinaryOp::Pipe(Some(pattern)) => {
                let known = self.variables.len();
                self.bind(pattern)?;
                let result = self.term(right, whole);
                self.variables.truncate(known);
                result
            }
            _ => self.term(right, whole),
        }
    }

    fn bind(&mut self, pattern: &Pattern<&'a str>) -> Result<(), Wrong> {
        match pattern {
            Pattern::Var(name) => {
                self.variables.push(name);
                Ok(())
            }
            Pattern::Arr(parts) => parts.iter().try_for_each(|part| self.bind(part)),
            Pattern::Obj(parts) => parts.iter().try_for_each(|(key, part)| {
                self.term(key, false)?;
                self.bind(part)
            }),
        }
    }

    /// Arguments of most functions see something else than what dot is outside.
    fn call(&mut self, name: &'a str, args: &[Term<&'a str>], whole: bool) -> Result<(), Wrong> {
        if !FUNCTIONS.contains(&name) && !FORMATS.contains(&name) {
            let known = FUNCTIONS.iter().copied();
            return match nearest(name, known) {
                Some(nearest) => self.refuse(name, &format!("did you mean `{nearest}`?")),
                None => self.refuse(
                    name,
                    "it is no function, or one that may not end, that depends on the machine, or that jq's parts here do",
                ),
            };
        }
        let whole = whole && matches!(name, "has" | "first" | "last" | "isempty" | "error");
        args.iter().try_for_each(|term| self.term(term, whole))
    }
}

/// The text of a name without escapes, and where it stands.
fn read(text: &str, parts: &[StrPart<&str, Term<&str>>]) -> Option<(String, usize)> {
    match parts {
        [StrPart::Str(name)] if !name.is_empty() => Some(((*name).to_owned(), span(text, name).start)),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
