//! What an expression sees, and what a condition that holds says about it.
//!
//! Doubt is told only where nothing was asked: a condition about a value, even one that is not understood here, hushes doubt about what it reads, and about what may go with it.

use std::sync::Arc;

use jaq_core::load::lex::StrPart;
use jaq_core::load::parse::{BinaryOp, Term};
use jaq_core::ops::Cmp;
use jaq_core::path::Part;

use super::shape::{Key, Keys, Shape, Texts, Under};
use crate::limits::TYPE_NESTING_MAX;

/// What dot and the variables are.
#[derive(Clone, Debug)]
pub(super) struct Scope<'a> {
    pub dot: Shape,
    /// Is dot all of the run's data?
    pub whole: bool,
    pub variables: Vec<(&'a str, Shape)>,
}

/// A place of the data that is named outright: `.a.b`, `$x.a`.
#[derive(Clone, Debug, PartialEq)]
struct Spot<'a> {
    variable: Option<&'a str>,
    names: Vec<&'a str>,
}

impl<'a> Scope<'a> {
    /// All of the run's data.
    pub(super) fn data(data: Shape) -> Scope<'a> {
        Scope { dot: data, whole: true, variables: Vec::new() }
    }

    /// The same with another dot.
    pub(super) fn at(&self, dot: Shape) -> Scope<'a> {
        Scope { dot, whole: false, variables: self.variables.clone() }
    }

    /// What `$name` is.
    pub(super) fn variable(&self, name: &str) -> Shape {
        self.variables.iter().rev().find(|(known, _)| *known == name).map_or(Shape::Any, |(_, shape)| shape.clone())
    }

    /// What is seen where `condition` is as `holds` says.
    #[must_use]
    pub(super) fn narrowed(&self, condition: &Term<&'a str>, holds: bool) -> Scope<'a> {
        let mut scope = self.clone();
        scope.hush(condition);
        scope.narrow(condition, holds, TYPE_NESTING_MAX);
        scope
    }

    fn hush(&mut self, condition: &Term<&'a str>) {
        let mut spots = Vec::new();
        mentions(condition, &mut spots, TYPE_NESTING_MAX);
        self.variables.iter_mut().for_each(|(_, shape)| *shape = shape.hush_all());
        for spot in spots.into_iter().filter(|spot| spot.variable.is_none()) {
            // What stands beside the value in its record, or in the step's answer, may go with it.
            let upto = if self.whole { spot.names.len().min(2) } else { 0 };
            self.dot = changed(&self.dot, &spot.names[..upto], &|shape| shape.hush_all());
        }
        if self.whole {
            // Steps that the same condition left out.
            self.dot = changed(&self.dot, &["steps"], &|steps| match steps {
                Shape::Map(keys) => {
                    let hushed = keys.known.iter().map(|(name, key)| (name.clone(), Key { shape: key.shape.hush(), ..*key }));
                    Shape::Map(Arc::new(Keys { known: hushed.collect(), rest: keys.rest.clone() }))
                }
                other => other.clone(),
            });
        }
    }

    fn narrow(&mut self, condition: &Term<&'a str>, holds: bool, deep: usize) {
        let Some(deep) = deep.checked_sub(1) else { return };
        match condition {
            Term::BinOp(left, BinaryOp::And, right) if holds => {
                self.narrow(left, true, deep);
                self.narrow(right, true, deep);
            }
            Term::BinOp(left, BinaryOp::Or, right) if !holds => {
                self.narrow(left, false, deep);
                self.narrow(right, false, deep);
            }
            Term::BinOp(inner, BinaryOp::Pipe(None), not) if matches!(**not, Term::Call("not", _)) => {
                self.narrow(inner, !holds, deep);
            }
            Term::BinOp(left, BinaryOp::Cmp(op @ (Cmp::Eq | Cmp::Ne)), right) => {
                self.compared(left, right, holds == (*op == Cmp::Eq));
            }
            other => {
                if let Some(spot) = spot(other) {
                    self.refine(&spot, &|shape| if holds { shape.truthy() } else { shape.falsy() });
                }
            }
        }
    }

    /// `.a == "b"`, `.a != null`, `(.a | type) == "string"`.
    fn compared(&mut self, left: &Term<&'a str>, right: &Term<&'a str>, equal: bool) {
        let Some(value) = literal(right) else { return };
        if let Some(spot) = spot(left) {
            return self.refine(&spot, &|shape| shape.keep(|member| same(member, &value, equal)));
        }
        let (Term::BinOp(inner, BinaryOp::Pipe(None), kind), Shape::Text(Texts::Known(names))) = (left, &value) else { return };
        if let (Some(spot), Term::Call("type", _), [name]) = (spot(inner), &**kind, &names[..]) {
            let fits = |member: &Shape| *member == Shape::Any || (kind_of(member) == Some(name.as_str())) == equal;
            self.refine(&spot, &|shape| shape.keep(|member| fits(member).then(|| member.clone())));
        }
    }

    fn refine(&mut self, spot: &Spot<'a>, change: &dyn Fn(&Shape) -> Shape) {
        let shape = match spot.variable {
            None => Some(&mut self.dot),
            Some(name) => self.variables.iter_mut().rev().find(|(known, _)| *known == name).map(|(_, shape)| shape),
        };
        if let Some(shape) = shape {
            *shape = changed(shape, &spot.names, change);
        }
    }
}

/// jq's word for what kind of value a member is.
pub(super) fn kind_of(member: &Shape) -> Option<&'static str> {
    Some(match member {
        Shape::Null => "null",
        Shape::Bool(_) => "boolean",
        Shape::Number(_) => "number",
        Shape::Text(_) => "string",
        Shape::List(_) | Shape::Tuple(_) => "array",
        Shape::Map(_) => "object",
        Shape::Any | Shape::Nothing | Shape::Union(_) => return None,
    })
}

/// What is left of `member` where it is equal to `value`, or is not.
fn same(member: &Shape, value: &Shape, equal: bool) -> Option<Shape> {
    match (member, value) {
        (Shape::Any, _) => Some(Shape::Any),
        (Shape::Text(Texts::Known(texts)), Shape::Text(Texts::Known(values))) => {
            let kept: Vec<String> = texts.iter().filter(|text| values.contains(text) == equal).cloned().collect();
            (!kept.is_empty()).then(|| Shape::texts(kept))
        }
        (Shape::Bool(None), Shape::Bool(Some(value))) => Some(Shape::Bool(Some(*value == equal))),
        (Shape::Null, Shape::Null) => equal.then_some(Shape::Null),
        (Shape::Bool(one), Shape::Bool(other)) => ((one == other) == equal).then_some(Shape::Bool(*one)),
        _ if !equal || kind_of(member) == kind_of(value) => Some(member.clone()),
        _ => None,
    }
}

/// `shape` with the value at `names` changed; members whose value there is then nothing are no more.
fn changed(shape: &Shape, names: &[&str], change: &dyn Fn(&Shape) -> Shape) -> Shape {
    let Some((name, rest)) = names.split_first() else { return change(shape) };
    shape.keep(|member| match member {
        Shape::Null => (changed(&Shape::Null, rest, change) != Shape::Nothing).then_some(Shape::Null),
        Shape::Map(keys) => in_map(keys, name, rest, change),
        other => Some(other.clone()),
    })
}

fn in_map(keys: &Arc<Keys>, name: &str, rest: &[&str], change: &dyn Fn(&Shape) -> Shape) -> Option<Shape> {
    let was = match keys.under(name) {
        Under::Always(shape) => shape,
        Under::Perhaps(shape) => shape.or_null(),
        Under::Never => {
            return (changed(&Shape::Null, rest, change) != Shape::Nothing).then(|| Shape::Map(Arc::clone(keys)));
        }
    };
    let known = keys.known.get(name);
    let new = changed(&was, rest, change);
    if new == Shape::Nothing {
        return None;
    }
    if known.is_none() && new == was {
        return Some(Shape::Map(Arc::clone(keys)));
    }
    let always =
        known.is_some_and(|key| key.always) || !new.members().iter().any(|member| matches!(member, Shape::Null | Shape::Any));
    let mut new_keys = (**keys).clone();
    new_keys.known.insert(name.to_owned(), Key { shape: new, always });
    Some(Shape::Map(Arc::new(new_keys)))
}

/// The name that a key is read by, where it is one without escapes.
pub(super) fn name<'a>(term: &Term<&'a str>) -> Option<&'a str> {
    match term {
        Term::Str(None, parts) => match parts[..] {
            [StrPart::Str(name)] => Some(name),
            _ => None,
        },
        _ => None,
    }
}

fn spot<'a>(term: &Term<&'a str>) -> Option<Spot<'a>> {
    match term {
        Term::Id => Some(Spot { variable: None, names: Vec::new() }),
        Term::Var(name) => Some(Spot { variable: Some(name), names: Vec::new() }),
        Term::TryCatch(inner, None) => spot(inner),
        Term::Path(from, path) => {
            let mut spot = spot(from)?;
            for (part, _) in &path.0 {
                match part {
                    Part::Index(index) => spot.names.push(name(index)?),
                    Part::Range(..) => return None,
                }
            }
            Some(spot)
        }
        _ => None,
    }
}

/// The names of a path from dot, as of `.a.b`.
pub(super) fn names<'a>(term: &Term<&'a str>) -> Option<Vec<&'a str>> {
    spot(term).filter(|spot| spot.variable.is_none()).map(|spot| spot.names)
}

/// The shape of a literal.
fn literal(term: &Term<&str>) -> Option<Shape> {
    match term {
        Term::Num(number) => Some(Shape::of_number(number)),
        Term::Str(..) => name(term).map(|text| Shape::texts([text])),
        Term::Call("null", _) => Some(Shape::Null),
        Term::Call("true", _) => Some(Shape::Bool(Some(true))),
        Term::Call("false", _) => Some(Shape::Bool(Some(false))),
        _ => None,
    }
}

/// What of dot a term reads; all of it, where that is hard to say.
fn mentions<'a>(term: &Term<&'a str>, spots: &mut Vec<Spot<'a>>, deep: usize) {
    let whole = Spot { variable: None, names: Vec::new() };
    let Some(deep) = deep.checked_sub(1) else { return spots.push(whole) };
    if let Some(spot) = spot(term) {
        return spots.push(spot);
    }
    match term {
        Term::Num(_) | Term::Arr(None) | Term::Call("true" | "false" | "null" | "empty", _) => {}
        Term::Str(_, parts) => parts.iter().for_each(|part| {
            if let StrPart::Term(term) = part {
                mentions(term, spots, deep);
            }
        }),
        Term::Neg(inner) | Term::Arr(Some(inner)) => mentions(inner, spots, deep),
        // The right side sees what the left one gives.
        Term::BinOp(left, BinaryOp::Pipe(None), _) => mentions(left, spots, deep),
        Term::BinOp(left, _, right) => {
            mentions(left, spots, deep);
            mentions(right, spots, deep);
        }
        Term::Path(from, path) => {
            // `.a.b[0].c` reads `.a.b`.
            let known = path.0.iter().map_while(|(part, _)| match part {
                Part::Index(index) => name(index),
                Part::Range(..) => None,
            });
            match spot(from) {
                Some(spot) => spots.push(Spot { names: spot.names.into_iter().chain(known).collect(), ..spot }),
                None => mentions(from, spots, deep),
            }
            path.0.iter().for_each(|(part, _)| match part {
                Part::Index(index) => mentions(index, spots, deep),
                Part::Range(from, to) => from.iter().chain(to).for_each(|term| mentions(term, spots, deep)),
            });
        }
        _ => spots.push(whole),
    }
}
