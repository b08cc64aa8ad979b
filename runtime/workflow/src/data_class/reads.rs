//! Which members of the run's data an expression can read at most: by its form, and rather too much than too little.
//!
//! [`crate::jq::check`] tells the members that are named; this tells beyond it where all of the data could be read, as by `tojson` or `.[…]`.

use jaq_core::load::lex::{Lexer, StrPart};
use jaq_core::load::parse::{BinaryOp, Parser, Term};
use jaq_core::load::span;
use jaq_core::path::Part;

use crate::definition::Expression;

/// Something that is read: `.input.text` is `["input", "text"]`; no name at all is all of the run's data.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Reads {
    pub(crate) names: Vec<String>,
    /// The byte of the expression where it stands.
    pub(crate) at: usize,
}

/// Functions that look at nothing but what their arguments give for the same dot.
const ARGUMENTS_ONLY: [(&str, usize); 10] = [
    ("true", 0),
    ("false", 0),
    ("null", 0),
    ("empty", 0),
    ("first", 1),
    ("last", 1),
    ("isempty", 1),
    ("error", 1),
    ("limit", 2),
    ("nth", 2),
];

/// What `expression` reads; nothing where it is no jq.
pub(crate) fn of(expression: &Expression) -> Vec<Reads> {
    let text = expression.text.as_str();
    let Some(term) = Lexer::new(text).lex().ok().and_then(|tokens| Parser::new(&tokens).parse(|parser| parser.term()).ok())
    else {
        return Vec::new();
    };
    let mut walk = Walk { text, reads: Vec::new() };
    walk.term(&term);
    walk.reads
}

struct Walk<'a> {
    text: &'a str,
    reads: Vec<Reads>,
}

impl<'a> Walk<'a> {
    /// A term whose dot is all of the run's data. Terms with another dot read nothing of it: what they have came through one that is looked at.
    fn term(&mut self, term: &Term<&'a str>) {
        match term {
            Term::Num(_) | Term::Var(_) | Term::Break(_) => {}
            Term::Id | Term::Recurse | Term::Def(..) | Term::Fold(..) | Term::Label(..) => self.all(),
            Term::Str(_, parts) => parts.iter().for_each(|part| {
                if let StrPart::Term(term) = part {
                    self.term(term);
                }
            }),
            Term::Arr(inner) => inner.iter().for_each(|term| self.term(term)),
            Term::Obj(entries) => entries.iter().for_each(|(key, value)| self.entry(key, value.as_ref())),
            Term::Neg(inner) => self.term(inner),
            Term::BinOp(left, BinaryOp::Pipe(None), right) if matches!(**left, Term::Id) => self.term(right),
            // What is right of a pipe has another dot.
            Term::BinOp(left, BinaryOp::Pipe(None), _) => self.term(left),
            Term::BinOp(left, _, right) => [left, right].into_iter().for_each(|term| self.term(term)),
            Term::TryCatch(tried, _) => self.term(tried),
            Term::IfThenElse(cases, otherwise) => {
                cases.iter().flat_map(|(when, then)| [when, then]).for_each(|term| self.term(term));
                // Without `else` it is dot.
                self.term(otherwise.as_deref().unwrap_or(&Term::Id));
            }
            Term::Call(name, args) if ARGUMENTS_ONLY.contains(&(*name, args.len())) => {
                args.iter().for_each(|term| self.term(term))
            }
            Term::Call(name, _) => self.add(Vec::new(), span(self.text, name).start),
            Term::Path(from, path) => self.path(from, &path.0),
        }
    }

    fn path<O>(&mut self, from: &Term<&'a str>, path: &[(Part<Term<&'a str>>, O)]) {
        match from {
            Term::Id => {
                let names = path.iter().map_while(|(part, _)| match part {
                    Part::Index(Term::Str(None, parts)) => name(parts),
                    _ => None,
                });
                let names: Vec<&str> = names.take(2).collect();
                let at = names.last().map_or(0, |last| span(self.text, last).start);
                self.add(names.into_iter().map(str::to_owned).collect(), at);
            }
            from => self.term(from),
        }
        for (part, _) in path {
            match part {
                Part::Index(index) => self.term(index),
                Part::Range(from, to) => from.iter().chain(to).for_each(|term| self.term(term)),
            }
        }
    }

    /// `{a}` reads `.a`.
    fn entry(&mut self, key: &Term<&'a str>, value: Option<&Term<&'a str>>) {
        match (key, value) {
            (Term::Str(None, parts), None) => match name(parts) {
                Some(name) => self.add(vec![name.to_owned()], span(self.text, name).start),
                None => self.all(),
            },
            // `{$x}` has been looked at where it was bound.
            (Term::Var(_), None) => {}
            (_, None) => self.all(),
            (key, Some(value)) => [key, value].into_iter().for_each(|term| self.term(term)),
        }
    }

    fn all(&mut self) {
        self.add(Vec::new(), self.text.len() - self.text.trim_start().len());
    }

    fn add(&mut self, names: Vec<String>, at: usize) {
        self.reads.push(Reads { names, at });
    }
}

/// A name without escapes.
fn name<'a>(parts: &[StrPart<&'a str, Term<&'a str>>]) -> Option<&'a str> {
    match parts {
        [StrPart::Str(name)] if !name.is_empty() => Some(name),
        _ => None,
    }
}
