//! Templates that are ready to be filled in.

use std::sync::Arc;

use super::value::{List, Map, TooDeep, Value};
use super::{Compiled, EvalError, Scope};
use crate::definition::{Part, Template};
use crate::limits::RESULT_BYTES_MAX;
use crate::place::Problem;

/// A template with its expressions compiled.
#[derive(Debug)]
pub struct CompiledTemplate(Kind);

#[derive(Debug)]
enum Kind {
    Value(Value),
    Expression(Compiled),
    Text(Vec<Piece>),
    List(Vec<Kind>),
    Map(Vec<(Arc<str>, Kind)>),
}

#[derive(Debug)]
enum Piece {
    Text(String),
    Expression(Compiled),
}

impl CompiledTemplate {
    /// Checks and compiles the expressions of `template`.
    ///
    /// # Errors
    /// What is wrong with them, in the file's order.
    pub fn new(template: &Template) -> Result<CompiledTemplate, Vec<Problem>> {
        let mut problems = Vec::new();
        match compile(template, &mut problems) {
            Some(kind) if problems.is_empty() => Ok(CompiledTemplate(kind)),
            _ => Err(problems),
        }
    }

    /// The value that it makes of `scope`. Each expression has the whole of an evaluation's bounds.
    ///
    /// # Errors
    /// An expression fails, or gives what has no place there.
    pub fn make(&self, scope: &Scope) -> Result<Value, EvalError> {
        let mut filling = Filling { scope, left: RESULT_BYTES_MAX };
        filling.value(&self.0)
    }
}

fn compile(template: &Template, problems: &mut Vec<Problem>) -> Option<Kind> {
    let mut all =
        |templates: &[Template]| -> Vec<Option<Kind>> { templates.iter().map(|item| compile(item, problems)).collect() };
    match template {
        // As deep as a file may be, which is less than a value may.
        Template::Value(value) => Value::try_from(value.clone()).ok().map(Kind::Value),
        Template::Expression(expression) => {
            Compiled::new(expression).map(Kind::Expression).map_err(|problem| problems.push(problem)).ok()
        }
        Template::List(items) => all(items).into_iter().collect::<Option<_>>().map(Kind::List),
        Template::Map(members) => {
            let members: Vec<_> = members.iter().map(|(name, value)| (Arc::from(&**name), compile(value, problems))).collect();
            members.into_iter().map(|(name, value)| Some((name, value?))).collect::<Option<_>>().map(Kind::Map)
        }
        Template::Text(parts) => {
            let pieces: Vec<_> = parts.iter().map(|part| piece(part, problems)).collect();
            pieces.into_iter().collect::<Option<_>>().map(Kind::Text)
        }
    }
}

fn piece(part: &Part, problems: &mut Vec<Problem>) -> Option<Piece> {
    match part {
        Part::Text(text) => Some(Piece::Text(text.clone())),
        Part::Expression(expression) => {
            Compiled::new(expression).map(Piece::Expression).map_err(|problem| problems.push(problem)).ok()
        }
    }
}

struct Filling<'a> {
    scope: &'a Scope,
    /// Bytes that may still be made.
    left: u64,
}

impl Filling<'_> {
    fn value(&mut self, kind: &Kind) -> Result<Value, EvalError> {
        match kind {
            Kind::Value(value) => Ok(value.clone()),
            Kind::Expression(expression) => self.run(expression),
            Kind::Text(pieces) => self.text(pieces),
            Kind::List(items) => {
                let items = items.iter().map(|item| self.value(item)).collect::<Result<_, _>>()?;
                List::new(items).map(Value::List).map_err(|deep| too_deep(kind, deep))
            }
            Kind::Map(members) => {
                let members = members.iter().map(|(name, value)| Ok((Arc::clone(name), self.value(value)?)));
                Map::new(members.collect::<Result<_, EvalError>>()?).map(Value::Map).map_err(|deep| too_deep(kind, deep))
            }
        }
    }

    fn run(&mut self, expression: &Compiled) -> Result<Value, EvalError> {
        let value = expression.run(self.scope)?;
        self.left = self.left.checked_sub(value.bytes()).ok_or_else(|| {
            let what = format!("with it more than {} MiB are made; keep what the next steps need", RESULT_BYTES_MAX >> 20);
            expression.error(what)
        })?;
        Ok(value)
    }

    /// Texts as they are, numbers and booleans as JSON.
    fn text(&mut self, pieces: &[Piece]) -> Result<Value, EvalError> {
        let mut whole = String::new();
        for piece in pieces {
            match piece {
                Piece::Text(text) => whole.push_str(text),
                Piece::Expression(expression) => match self.run(expression)? {
                    Value::Text(text) => whole.push_str(&text),
                    value @ (Value::Number(_) | Value::Bool(_)) => whole.push_str(&super::json::text(&value)),
                    Value::Null => {
                        return Err(expression.error("it gives null within a text; `// \"\"` puts nothing there".to_owned()));
                    }
                    other => {
                        return Err(
                            expression.error(format!("it gives {other} within a text; `tojson` or `join` makes a text of it"))
                        );
                    }
                },
            }
        }
        Ok(Value::Text(whole.into()))
    }
}

/// Says so at the first expression of `kind`: without one it could not be too deep.
fn too_deep(kind: &Kind, deep: TooDeep) -> EvalError {
    fn first(kind: &Kind) -> Option<&Compiled> {
        match kind {
            Kind::Value(_) => None,
            Kind::Expression(expression) => Some(expression),
            Kind::Text(_) => None,
            Kind::List(items) => items.iter().find_map(first),
            Kind::Map(members) => members.iter().find_map(|(_, value)| first(value)),
        }
    }
    first(kind).expect("what a file holds is less deep than values may be").error(deep.to_string())
}
