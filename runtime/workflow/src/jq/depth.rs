//! How deep an expression is: parser, compiler and evaluation call themselves for what stands within or behind each other, and no expression may use up the stack.

use jaq_core::load::lex::StrPart;
use jaq_core::load::parse::{BinaryOp, Pattern, Term};
use jaq_core::path::Part;

use crate::limits::{JQ_DEPTH_MAX, JQ_LINKS_MAX, JQ_NESTING_MAX, PATH_PARTS_MAX};

/// Looks at the text before it is parsed: brackets, and what the parser calls itself for.
///
/// # Errors
/// The byte where it is too deep, and what is.
pub(super) fn of_text(text: &str) -> Result<(), (usize, String)> {
    let mut scan = Scan { rest: text.char_indices().peekable(), open: Vec::new(), links: 0, last: ' ' };
    while let Some((at, letter)) = scan.rest.next() {
        scan.letter(letter, text, at);
        scan.last = letter;
        if scan.open.len() > JQ_NESTING_MAX {
            return Err((at, format!("brackets more than {JQ_NESTING_MAX} deep; take several steps")));
        }
        if scan.links > JQ_LINKS_MAX {
            return Err((at, format!("more than {JQ_LINKS_MAX} operators behind each other; take several steps")));
        }
    }
    Ok(())
}

struct Scan<'a> {
    rest: std::iter::Peekable<std::str::CharIndices<'a>>,
    /// Brackets and texts that are open, and the links in each.
    open: Vec<(char, usize)>,
    /// In all that are open.
    links: usize,
    last: char,
}

impl Scan<'_> {
    fn letter(&mut self, letter: char, text: &str, at: usize) {
        let within = self.open.last().map(|open| open.0);
        match letter {
            '\\' if within == Some('"') => {
                if let Some((_, '(')) = self.rest.next() {
                    self.open.push(('(', 0));
                }
            }
            '"' if within == Some('"') => self.close('"'),
            _ if within == Some('"') => {}
            '(' | '[' | '{' | '"' => self.open.push((letter, 0)),
            ')' => self.close('('),
            ']' => self.close('['),
            '}' => self.close('{'),
            '#' => self.comment(),
            // Here a new term begins.
            ',' if within == Some('{') => self.forget(),
            ';' => self.forget(),
            '-' => self.link(),
            '|' | ',' | '=' | '!' | '<' | '>' | '+' | '*' | '/' | '%' if !"|=!<>+-*/%".contains(self.last) => self.link(),
            'a'..='z' if !self.last.is_ascii_alphanumeric() && self.last != '_' => {
                let word = text[at..].split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_').next();
                if matches!(
                    word,
                    Some("and" | "as" | "catch" | "def" | "elif" | "foreach" | "if" | "label" | "or" | "reduce" | "try")
                ) {
                    self.link();
                }
            }
            _ => {}
        }
    }

    fn link(&mut self) {
        self.links += 1;
        if let Some(open) = self.open.last_mut() {
            open.1 += 1;
        }
    }

    fn forget(&mut self) {
        if let Some(open) = self.open.last_mut() {
            self.links -= std::mem::take(&mut open.1);
        }
    }

    /// Brackets that do not match are the parser's to refuse.
    fn close(&mut self, opened: char) {
        if self.open.last().is_some_and(|open| open.0 == opened) {
            self.forget();
            self.open.pop();
        }
    }

    /// To the end of its line, or further: as jq has it, an odd number of backslashes there takes the next line in.
    fn comment(&mut self) {
        let (mut escapes, mut returned) = (0, false);
        for (_, letter) in self.rest.by_ref() {
            escapes = match letter {
                '\n' if escapes % 2 == 0 => break,
                '\\' if !returned => escapes + 1,
                '\\' => 1,
                // One before the end of the line does not count.
                '\r' if !returned => escapes,
                _ => 0,
            };
            returned = letter == '\r';
        }
    }
}

/// Looks at what was parsed.
///
/// # Errors
/// What is too deep.
pub(super) fn of_term(term: &Term<&str>) -> Result<(), String> {
    let depth = extent(term).depth;
    if depth <= JQ_DEPTH_MAX {
        return Ok(());
    }
    Err(format!(
        "{depth} terms within or behind each other, with functions counted as some; {JQ_DEPTH_MAX} are possible, so take several steps"
    ))
}

/// Terms that are evaluated within each other at most, and terms in all.
///
/// An update (`|=`) evaluates all of its left side within each other: each part is changed by a function that changes the next.
#[derive(Clone, Copy, Default)]
struct Extent {
    depth: usize,
    all: usize,
}

impl Extent {
    fn of(terms: usize) -> Extent {
        Extent { depth: terms, all: terms }
    }

    fn beside(self, other: Extent) -> Extent {
        Extent { depth: self.depth.max(other.depth), all: self.all + other.all }
    }

    fn within(self, terms: usize) -> Extent {
        Extent { depth: self.depth + terms, all: self.all + terms }
    }
}

/// What a whole value that is gone down takes: `..`.
const DESCENT: usize = 30;

fn extent(term: &Term<&str>) -> Extent {
    match term {
        Term::Id | Term::Num(_) | Term::Var(_) => Extent::of(1),
        Term::Recurse => Extent::of(DESCENT),
        // Parts are added to each other from the last on.
        Term::Str(_, parts) => in_a_row(parts.iter().map(|part| match part {
            StrPart::Term(term) => extent(term).within(1),
            _ => Extent::of(1),
        })),
        Term::Arr(inner) => beside(inner.iter().map(|term| extent(term))).within(1),
        Term::Obj(entries) => {
            in_a_row(entries.iter().map(|(key, value)| extent(key).beside(beside(value.iter().map(extent))).within(1)))
        }
        Term::Neg(inner) => extent(inner).within(1),
        Term::BinOp(left, op, right) => binary(extent(left), op, extent(right)).within(1),
        Term::TryCatch(tried, caught) => extent(tried).beside(beside(caught.iter().map(|term| extent(term)))).within(1),
        Term::IfThenElse(cases, otherwise) => {
            let otherwise = beside(otherwise.iter().map(|term| extent(term))).within(cases.len());
            in_a_row(cases.iter().map(|(when, then)| extent(when).beside(extent(then)))).beside(otherwise).within(1)
        }
        Term::Call(name, args) => {
            let own = match *name {
                "paths" => DESCENT + 4,
                "getpath" => PATH_PARTS_MAX + 4,
                _ if args.is_empty() => 2,
                _ => 3,
            };
            beside(args.iter().map(extent)).within(own)
        }
        Term::Path(from, path) => {
            let parts = path.0.iter().map(|(part, _)| match part {
                Part::Index(index) => extent(index),
                Part::Range(from, to) => beside(from.iter().chain(to).map(extent)),
            });
            extent(from).beside(beside(parts)).within(path.0.len() + 1)
        }
        // Refused where they stand.
        Term::Label(..) | Term::Break(_) | Term::Fold(..) | Term::Def(..) => Extent::of(1),
    }
}

fn binary(left: Extent, op: &BinaryOp<&str>, right: Extent) -> Extent {
    match op {
        BinaryOp::Update | BinaryOp::Assign | BinaryOp::UpdateMath(_) | BinaryOp::UpdateAlt => {
            Extent { depth: left.all + right.depth, all: left.all + right.all }
        }
        BinaryOp::Pipe(Some(bound)) => left.beside(right).beside(pattern(bound)).within(pattern(bound).all),
        _ => left.beside(right),
    }
}

fn pattern(bound: &Pattern<&str>) -> Extent {
    match bound {
        Pattern::Var(_) => Extent::of(1),
        Pattern::Arr(parts) => in_a_row(parts.iter().map(pattern)),
        Pattern::Obj(parts) => in_a_row(parts.iter().map(|(key, part)| extent(key).beside(pattern(part)))),
    }
}

fn beside(terms: impl Iterator<Item = Extent>) -> Extent {
    terms.fold(Extent::default(), Extent::beside)
}

/// Each one evaluates the next.
fn in_a_row(terms: impl Iterator<Item = Extent>) -> Extent {
    beside(terms.enumerate().map(|(at, term)| Extent { depth: term.depth + at, ..term })).within(1)
}

#[cfg(test)]
mod tests;
