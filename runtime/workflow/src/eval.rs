//! Evaluation of expressions and templates: compiled once, run on the data of a run, within bounds of steps and memory.
//!
//! jaq runs the program; values, functions and bounds are ours. Each term that jaq runs asks for the table of terms: there a step is counted, and once none is left the table handed
//! out is another one, in which every term is an error. So what runs without touching a value ends too.

mod access;
mod arithmetic;
mod functions;
mod json;
mod list;
mod meter;
mod number;
mod order;
mod regex;
mod scope;
mod sort;
mod template;
mod text;
mod value;

use std::fmt;
use std::sync::OnceLock;

use jaq_core::data::HasLut;
use jaq_core::load::parse::Def;
use jaq_core::load::{Arena, File, Loader, parse};
use jaq_core::{Compiler, Ctx, DataT, Filter, Lut, Vars};

use crate::definition::Expression;
use crate::jq;
use crate::limits::{EXPRESSION_BYTES_MAX, RESULT_BYTES_MAX};
use crate::place::{Place, Problem};
use meter::{Counted, Fault};

pub(crate) use meter::taken;
pub use number::Number;
pub use scope::Scope;
pub use template::CompiledTemplate;
pub use value::{List, Map, Member, TooDeep, Value};

/// An error of jq, that an expression may catch.
type Fail = jaq_core::Error<Value>;
type ValR = Result<Value, Fail>;

/// What went wrong in an expression, and where that stands. Shown as `line:column: what`, to be put behind the file's name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {what}; in `{expression}`")]
pub struct EvalError {
    /// Where the expression begins.
    pub place: Place,
    /// What, and what to do.
    pub what: String,
    /// The expression, cut where it is long.
    pub expression: String,
}

/// Letters of an expression in a message.
const EXPRESSION_SHOWN: usize = 80;

/// An expression that is ready to run, on any thread.
pub struct Compiled {
    filter: Filter<Jq>,
    place: Place,
    expression: String,
}

impl fmt::Debug for Compiled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Compiled({} at {})", self.expression, self.place)
    }
}

impl Compiled {
    /// Checks and compiles `expression`.
    ///
    /// # Errors
    /// It is no jq, or uses what may not be used here, at its place.
    pub fn new(expression: &Expression) -> Result<Compiled, Problem> {
        jq::check(expression)?;
        let filter = compile(&expression.text).map_err(|(at, what)| Problem::new(expression.place_of(at), what))?;
        let text = expression.text.split_whitespace().collect::<Vec<_>>().join(" ");
        Ok(Compiled { filter, place: expression.place(), expression: text::cut_to(&text, EXPRESSION_SHOWN) })
    }

    /// What it gives for `scope`: exactly one value.
    ///
    /// # Errors
    /// It fails, gives none or several values, or takes more than it may.
    pub fn run(&self, scope: &Scope) -> Result<Value, EvalError> {
        let counted = Counted::begin();
        let outcome = self.outcome(scope);
        // Whatever the expression made of it, what ended it counts.
        let outcome = match counted.fault() {
            Some(fault) => Err(fault.what()),
            None => outcome,
        };
        drop(counted);
        outcome.map_err(|what| self.error(what))
    }

    fn outcome(&self, scope: &Scope) -> Result<Value, String> {
        let tables = Tables { program: &self.filter.lut, ended: &ended_program().lut };
        let context = Ctx::<Jq>::new(tables, Vars::new([]));
        let mut values = self.filter.id.run((context, scope.value())).map(|value| {
            value.map_err(|fail| match fail.get_err() {
                Ok(error) => said(error),
                // `halt` and labels are refused before.
                Err(_) => "it ends in a way that is not used here".to_owned(),
            })
        });
        let Some(value) = values.next().transpose()? else {
            return Err("it gives no value; `// null` gives null there, `[ … ]` around it an empty list".to_owned());
        };
        let mut count = 1;
        while values.next().transpose()?.is_some() {
            count += 1;
            if count > VALUES_COUNTED {
                return Err(format!("it gives more than {VALUES_COUNTED} values; put `[ … ]` around it"));
            }
        }
        match (count, value.bytes()) {
            (2.., _) => Err(format!("it gives {count} values; put `[ … ]` around it")),
            (_, bytes) if bytes > RESULT_BYTES_MAX => {
                Err(format!("it gives more than {} MiB; keep what the next steps need", RESULT_BYTES_MAX >> 20))
            }
            _ => Ok(value),
        }
    }

    fn error(&self, what: String) -> EvalError {
        EvalError { place: self.place, what, expression: self.expression.clone() }
    }
}

/// Values beyond the first that are counted for a message.
const VALUES_COUNTED: usize = 1_000;

/// Letters of an error's text in a message: `error(.input)` may have made it.
const ERROR_SHOWN: usize = 300;

fn said(error: Fail) -> String {
    match error.into_val() {
        Value::Text(text) => text::cut_to(&text, ERROR_SHOWN),
        other => format!("it fails with {other}"),
    }
}

fn wrong(what: String) -> Fail {
    Fail::new(Value::Text(what.into()))
}

/// Passed on while an evaluation that has ended comes to its end. Nobody hears it.
fn ended() -> Fail {
    wrong("the evaluation has ended".to_owned())
}

fn too_deep(_: TooDeep) -> Fail {
    meter::fail(Fault::Nesting);
    ended()
}

/// A list or map as a value; the evaluation ends where it is too deep.
fn made<T: Into<Value>>(value: Result<T, TooDeep>) -> ValR {
    value.map(Into::into).map_err(too_deep)
}

/// jq on our values.
struct Jq;

impl DataT for Jq {
    type V<'a> = Value;
    type Data<'a> = Tables<'a>;
}

/// Where jaq looks terms up.
#[derive(Clone, Copy)]
struct Tables<'a> {
    program: &'a Lut<Jq>,
    ended: &'a Lut<Jq>,
}

impl<'a> HasLut<'a, Jq> for Tables<'a> {
    fn lut(&self) -> &'a Lut<Jq> {
        if meter::step(1) { self.program } else { self.ended }
    }
}

const DEFINITIONS: &str = include_str!("eval/definitions.jq");

fn definitions() -> &'static [Def<&'static str>] {
    static PARSED: OnceLock<Vec<Def<&'static str>>> = OnceLock::new();
    PARSED.get_or_init(|| {
        parse(DEFINITIONS, |parser| parser.defs()).expect("the definitions of this crate are jq, as its tests say")
    })
}

/// The byte of the expression, and what is wrong there.
fn compile(text: &str) -> Result<Filter<Jq>, (usize, String)> {
    let arena = Arena::default();
    let file = File { code: text, path: () };
    let no_jq = || (0, "this is no jq".to_owned());
    let modules = Loader::new(definitions().iter().cloned()).load(&arena, file).map_err(|_| no_jq())?;
    Compiler::default().with_funs(functions::all()).compile(modules).map_err(|errors| {
        let Some((name, undefined)) = errors.first().and_then(|(_, errors)| errors.first()) else { return no_jq() };
        let at = jaq_core::load::span(text, name).start;
        match undefined {
            jaq_core::compile::Undefined::Filter(0) => (at, format!("`{name}` wants something in brackets behind it")),
            jaq_core::compile::Undefined::Filter(given) => {
                (at, format!("`{name}` takes not {given} but another number of values, parted by `;`"))
            }
            other => (at, format!("there is no {} `{name}`", other.as_str())),
        }
    })
}

/// A program that has an error at every place of its table, and is as long as any other.
fn ended_program() -> &'static Filter<Jq> {
    static ENDED: OnceLock<Filter<Jq>> = OnceLock::new();
    ENDED.get_or_init(|| {
        // `{a,b}` has five terms in two bytes; nothing has more.
        let terms = 4 * (EXPRESSION_BYTES_MAX + DEFINITIONS.len());
        let program = format!("__end{}", "[__end]".repeat(terms));
        let arena = Arena::default();
        let modules = Loader::new([]).load(&arena, File { code: &*program, path: () }).ok();
        modules
            .and_then(|modules| Compiler::default().with_funs(functions::all()).compile(modules).ok())
            .expect("it is jq, as the tests say")
    })
}

#[cfg(test)]
mod tests;
