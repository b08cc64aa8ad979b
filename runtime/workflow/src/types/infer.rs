//! The shape that an expression gives, and what in it will surely fail, or surely give nothing but null.
//!
//! The rules are those of [`crate::eval`], which a test holds them to: an error on the left of `//` is an error; null is taken by no `[]` and by few functions of texts or lists.

use jaq_core::load::lex::StrPart;
use jaq_core::load::parse::{BinaryOp, Pattern, Term};
use jaq_core::load::span;
use jaq_core::path::{Opt, Part};

use super::Level;
use super::arithmetic;
use super::fit::unknown_key;
use super::scope::{self, Scope, kind_of};
use super::shape::{Keys, Numbers, Shape, Texts, Under};
use super::words;
use crate::limits::TYPE_NESTING_MAX;

/// Something found in an expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Found {
    pub level: Level,
    /// The byte of the expression's text.
    pub at: usize,
    pub what: String,
}

/// The shape of what `term`, of the text `text`, gives, and what was found on the way.
pub(super) fn infer<'a>(text: &'a str, term: &Term<&'a str>, scope: &Scope<'a>) -> (Shape, Vec<Found>) {
    let mut infer = Infer { text, found: Vec::new(), quiet: 0, near: text.len() - text.trim_start().len(), deep: 0 };
    let shape = infer.term(term, scope);
    (shape, infer.found)
}

pub(super) struct Infer<'a> {
    text: &'a str,
    found: Vec<Found>,
    /// Within so many `try`s, where what fails is left out.
    quiet: usize,
    /// The last byte that is known to belong to what is looked at.
    near: usize,
    deep: usize,
}

/// Kinds of values that something takes.
#[derive(Clone, Copy)]
pub(super) struct Kinds(pub &'static [&'static str]);

impl Kinds {
    pub(super) const TEXT: Kinds = Kinds(&["string"]);
    pub(super) const NUMBER: Kinds = Kinds(&["number"]);
    pub(super) const LIST: Kinds = Kinds(&["array"]);
    /// What `[]` goes through.
    pub(super) const MANY: Kinds = Kinds(&["array", "object"]);
    /// What a key is read of.
    pub(super) const KEYED: Kinds = Kinds(&["object", "null"]);

    fn words(self) -> String {
        let word = |kind: &&str| match *kind {
            "string" => Some("a text"),
            "number" => Some("a number"),
            "array" => Some("a list"),
            "object" => Some("a map"),
            _ => None,
        };
        self.0.iter().filter_map(word).collect::<Vec<_>>().join(" or ")
    }

    fn take(self, member: &Shape) -> bool {
        kind_of(member).is_none_or(|kind| self.0.contains(&kind))
    }

    fn advice(self, other: &Shape) -> &'static str {
        match other {
            Shape::Text(_) if self.take(&Shape::WHOLE) => "; `| tonumber` makes it a number",
            Shape::Number(_) | Shape::Bool(_) if self.take(&Shape::TEXT) => "; `| tostring` makes it a text",
            Shape::Null if self.take(&Shape::TEXT) => "; `// \"\"` gives it another value",
            Shape::Null if self.take(&Shape::WHOLE) => "; `// 0` gives it another value",
            Shape::Null if self.take(&Shape::list(Shape::Any)) => "; `// []` gives it another value",
            _ => "",
        }
    }
}

impl<'a> Infer<'a> {
    fn tell(&mut self, level: Level, at: usize, what: String) {
        let found = Found { level, at, what };
        if !self.found.contains(&found) {
            self.found.push(found);
        }
    }

    pub(super) fn wrong(&mut self, at: usize, what: String) {
        self.tell(Level::Wrong, at, what);
    }

    pub(super) fn doubt(&mut self, at: usize, what: String) {
        if self.quiet == 0 {
            self.tell(Level::Doubtful, at, what);
        }
    }

    pub(super) fn is_quiet(&self) -> bool {
        self.quiet > 0
    }

    pub(super) fn byte(&self, part: &str) -> usize {
        span(self.text, part).start
    }

    /// Where a term stands, as near as its texts say.
    pub(super) fn place(&self, term: &Term<&'a str>) -> usize {
        first(term).map_or(self.near, |part| self.byte(part))
    }

    /// The members of `shape` that are of these kinds. Where none is, that is told; `subject` is what takes them.
    pub(super) fn demand(&mut self, shape: &Shape, kinds: Kinds, at: usize, subject: &str) -> Shape {
        let kept = shape.keep(|member| kinds.take(member).then(|| member.clone()));
        let Some(other) = shape.members().iter().find(|member| !kinds.take(member)) else { return kept };
        if self.quiet > 0 {
            return kept;
        }
        let (wants, advice) = (kinds.words(), kinds.advice(other));
        if kept == Shape::Nothing {
            self.wrong(at, format!("`{subject}` wants {wants}; here it gets {}{advice}", words::given(shape)));
            return Shape::Any;
        }
        if !shape.hushed() {
            self.doubt(at, format!("`{subject}` wants {wants}; here it may get {}{advice}", words::given(other)));
        }
        kept
    }

    /// With what fails left out.
    pub(super) fn quietly<T>(&mut self, what: impl FnOnce(&mut Self) -> T) -> T {
        self.quiet += 1;
        let done = what(self);
        self.quiet -= 1;
        done
    }

    pub(super) fn term(&mut self, term: &Term<&'a str>, scope: &Scope<'a>) -> Shape {
        if self.deep == TYPE_NESTING_MAX {
            return Shape::Any;
        }
        self.deep += 1;
        let shape = self.any_term(term, scope);
        self.deep -= 1;
        shape
    }

    fn any_term(&mut self, term: &Term<&'a str>, scope: &Scope<'a>) -> Shape {
        match term {
            Term::Id => scope.dot.clone(),
            Term::Num(number) => {
                self.near = self.byte(number);
                Shape::of_number(number)
            }
            Term::Str(format, parts) => self.text(*format, parts, scope),
            Term::Arr(inner) => self.list(inner.as_deref(), scope),
            Term::Obj(entries) => self.map(entries, scope),
            Term::Neg(inner) => {
                let at = self.place(inner);
                let shape = self.term(inner, scope);
                let kept = self.demand(&shape, Kinds::NUMBER, at, "-");
                arithmetic::negative(&kept)
            }
            Term::BinOp(left, op, right) => self.binary(left, op, right, scope),
            Term::TryCatch(tried, caught) => {
                let tried = self.quietly(|infer| infer.term(tried, scope));
                let caught = caught.as_ref().map(|caught| self.term(caught, &scope.at(Shape::Any)));
                tried.or(caught.unwrap_or(Shape::Nothing))
            }
            Term::IfThenElse(cases, otherwise) => self.cases(cases, otherwise.as_deref(), scope),
            Term::Call(name, args) => {
                self.near = self.byte(name);
                self.call(name, args, scope)
            }
            Term::Var(name) => {
                self.near = self.byte(name);
                scope.variable(name)
            }
            Term::Path(from, path) => {
                let mut shape = self.term(from, scope);
                for (part, opt) in &path.0 {
                    shape = self.part(&shape, part, matches!(opt, Opt::Optional), scope);
                }
                shape
            }
            // `..`, and what `jq::check` refuses.
            Term::Recurse | Term::Label(..) | Term::Break(_) | Term::Fold(..) | Term::Def(..) => Shape::Any,
        }
    }

    fn text(&mut self, format: Option<&'a str>, parts: &[StrPart<&'a str, Term<&'a str>>], scope: &Scope<'a>) -> Shape {
        let mut known = Some(String::new());
        for part in parts {
            match part {
                StrPart::Str(text) => {
                    self.near = self.byte(text);
                    known.iter_mut().for_each(|known| known.push_str(text));
                }
                StrPart::Char(letter) => known.iter_mut().for_each(|known| known.push(*letter)),
                StrPart::Term(term) => {
                    known = None;
                    let given = self.term(term, scope);
                    if let Some("@base64d") = format {
                        self.demand(&given, Kinds::TEXT, self.near, "@base64d");
                    }
                }
            }
        }
        match (known, format, parts) {
            (Some(known), None, _) => Shape::texts([known]),
            (None, Some("@base64"), [_]) => Shape::Text(Texts::Base64),
            _ => Shape::TEXT,
        }
    }

    fn list(&mut self, inner: Option<&Term<&'a str>>, scope: &Scope<'a>) -> Shape {
        let Some(inner) = inner else { return Shape::tuple(Vec::new()) };
        let mut items = Vec::new();
        commas(inner, &mut items);
        let single = items.iter().all(|item| gives_one(item));
        let shapes: Vec<Shape> = items.into_iter().map(|item| self.term(item, scope)).collect();
        match single && !shapes.contains(&Shape::Nothing) {
            true => Shape::tuple(shapes),
            false => Shape::list(Shape::union(shapes)),
        }
    }

    fn map(&mut self, entries: &[(Term<&'a str>, Option<Term<&'a str>>)], scope: &Scope<'a>) -> Shape {
        let mut keys = Keys::default();
        for (key, value) in entries {
            let (name, shape) = match (key, value) {
                (Term::Var(variable), None) => (Some(variable[1..].to_owned()), scope.variable(variable)),
                (key, None) => {
                    (scope::name(key).map(str::to_owned), self.part(&scope.dot, &Part::Index(key.clone()), false, scope))
                }
                (key, Some(value)) => {
                    let name = match self.term(key, scope) {
                        Shape::Text(Texts::Known(names)) if names.len() == 1 => Some(names[0].clone()),
                        _ => None,
                    };
                    (name, self.term(value, scope))
                }
            };
            match name {
                _ if shape == Shape::Nothing => return Shape::Nothing,
                Some(name) => drop(keys.known.insert(name, super::shape::Key { shape, always: true })),
                // Which key it is shows when it runs; it may be one of those before.
                None => return Shape::open(Shape::Any),
            }
        }
        Shape::map(keys)
    }

    fn cases(&mut self, cases: &[(Term<&'a str>, Term<&'a str>)], otherwise: Option<&Term<&'a str>>, scope: &Scope<'a>) -> Shape {
        let (mut scope, mut shapes) = (scope.clone(), Vec::new());
        for (condition, then) in cases {
            let truth = self.condition(condition, &scope);
            if truth != Some(false) {
                shapes.push(self.term(then, &scope.narrowed(condition, true)));
            }
            if truth == Some(true) {
                return Shape::union(shapes);
            }
            scope = scope.narrowed(condition, false);
        }
        shapes.push(match otherwise {
            Some(term) => self.term(term, &scope),
            None => scope.dot.clone(),
        });
        Shape::union(shapes)
    }

    /// A condition, and what it surely is.
    pub(super) fn condition(&mut self, term: &Term<&'a str>, scope: &Scope<'a>) -> Option<bool> {
        let at = self.place(term);
        let shape = self.term(term, scope);
        let bool = shape.members().iter().any(|member| matches!(member, Shape::Bool(_)));
        if let (Some(truth), false) = (shape.truth(), bool || scope.dot == Shape::Nothing) {
            let holds = if truth { "always holds" } else { "never holds" };
            self.doubt(at, format!("a condition wants true or false; this gives {}, which {holds}", words::given(&shape)));
        }
        shape.truth()
    }

    fn binary(&mut self, left: &Term<&'a str>, op: &BinaryOp<&'a str>, right: &Term<&'a str>, scope: &Scope<'a>) -> Shape {
        match op {
            BinaryOp::Pipe(None) if matches!(left, Term::Id) => self.term(right, scope),
            BinaryOp::Pipe(None) => match self.term(left, scope) {
                Shape::Nothing => Shape::Nothing,
                dot => self.term(right, &scope.at(dot)),
            },
            BinaryOp::Pipe(Some(pattern)) => {
                let value = self.term(left, scope);
                let mut within = scope.clone();
                self.bind(pattern, value, &mut within);
                self.term(right, &within)
            }
            BinaryOp::Comma => {
                let left = self.term(left, scope);
                left.or(self.term(right, scope))
            }
            BinaryOp::Alt => {
                let left = self.term(left, scope);
                let right = self.term(right, scope);
                match left.truth() {
                    Some(true) if left != Shape::Nothing => left,
                    _ => left.truthy().or(right),
                }
            }
            BinaryOp::And | BinaryOp::Or => self.logic(left, matches!(op, BinaryOp::And), right, scope),
            BinaryOp::Math(op) => {
                let at = self.place(left);
                let (left, right) = (self.term(left, scope), self.term(right, scope));
                self.math(*op, &left, &right, at)
            }
            BinaryOp::Cmp(op) => {
                let at = self.place(left);
                let (left, right) = (self.term(left, scope), self.term(right, scope));
                self.compared(*op, &left, &right, at)
            }
            BinaryOp::Assign | BinaryOp::Update | BinaryOp::UpdateMath(_) | BinaryOp::UpdateAlt => {
                self.update(left, op, right, scope)
            }
        }
    }

    fn logic(&mut self, left: &Term<&'a str>, and: bool, right: &Term<&'a str>, scope: &Scope<'a>) -> Shape {
        let one = self.condition(left, scope);
        if one == Some(!and) {
            return Shape::Bool(one);
        }
        let other = self.condition(right, &scope.narrowed(left, and));
        match (one, other) {
            (_, Some(other)) if other != and => Shape::Bool(Some(other)),
            (Some(_), Some(other)) => Shape::Bool(Some(other)),
            _ => Shape::BOOL,
        }
    }

    fn bind(&mut self, pattern: &Pattern<&'a str>, value: Shape, scope: &mut Scope<'a>) {
        match pattern {
            Pattern::Var(name) => scope.variables.push((name, value)),
            Pattern::Arr(parts) => {
                for (at, part) in parts.iter().enumerate() {
                    let item = self.item(&value, &Shape::of_number(&at.to_string()), self.near);
                    self.bind(part, item, scope);
                }
            }
            Pattern::Obj(parts) => {
                for (key, part) in parts {
                    let item = self.part(&value, &Part::Index(key.clone()), false, scope);
                    self.bind(part, item, scope);
                }
            }
        }
    }

    /// One part of a path.
    pub(super) fn part(&mut self, shape: &Shape, part: &Part<Term<&'a str>>, optional: bool, scope: &Scope<'a>) -> Shape {
        // Indices see the dot of the whole path, and what fails in them is no matter of `?`.
        let index = match part {
            Part::Index(index) => Some(self.term(index, scope)),
            Part::Range(from, to) => {
                from.iter().chain(to).for_each(|bound| drop(self.term(bound, scope)));
                None
            }
        };
        let at = self.near;
        let quiet = usize::from(optional);
        self.quiet += quiet;
        let given = match (part, index) {
            (Part::Index(_), Some(Shape::Text(Texts::Known(names)))) => {
                Shape::union(names.iter().map(|name| self.key(shape, name, at)))
            }
            (Part::Index(_), Some(index)) => self.item(shape, &index, at),
            (Part::Range(None, None), _) => self.each(shape, at, "[]"),
            _ => self.slice(shape, at),
        };
        self.quiet -= quiet;
        given
    }

    /// What is under a key.
    fn key(&mut self, shape: &Shape, name: &str, at: usize) -> Shape {
        let kept = self.demand(shape, Kinds::KEYED, at, &format!(".{name}"));
        let mut lacks = Vec::new();
        let under = |member: &Shape| match member {
            Shape::Map(keys) => match keys.under(name) {
                Under::Always(shape) => shape,
                Under::Perhaps(shape) => shape.or_null(),
                Under::Never => Shape::Null,
            },
            Shape::Null => Shape::Null,
            _ => Shape::Any,
        };
        for member in kept.members() {
            match member {
                Shape::Map(keys) if keys.under(name) == Under::Never => lacks.extend(keys.known.keys().map(String::as_str)),
                Shape::Null => {}
                _ => return given(&kept, under),
            }
        }
        match (&kept, lacks.is_empty()) {
            (Shape::Nothing, _) => Shape::Nothing,
            (Shape::Null, _) => {
                self.doubt(at, format!("`.{name}` is read of null, which gives null"));
                Shape::Null
            }
            _ => {
                let what = unknown_key(name, lacks.iter().copied());
                self.wrong(at, format!("`{name}` is no key of this map, so that this is always null; {what}"));
                Shape::Any
            }
        }
    }

    /// What is at an index that is a number, or a text that is not known.
    pub(super) fn item(&mut self, shape: &Shape, index: &Shape, at: usize) -> Shape {
        match index {
            Shape::Number(numbers) => {
                // Fractions are cut off.
                let (least, most) = match numbers {
                    Numbers::Whole { least, most } => (*least, *most),
                    _ => (i128::MIN, i128::MAX),
                };
                let kept = self.demand(shape, Kinds(&["array", "null"]), at, &format!("[{}]", number(least, most)));
                given(&kept, |member| match member {
                    Shape::List(item) => (**item).clone().or_null().hush(),
                    Shape::Tuple(items) => nth(items, least, most),
                    Shape::Null => Shape::Null,
                    _ => Shape::Any,
                })
            }
            Shape::Text(_) => {
                let kept = self.demand(shape, Kinds::KEYED, at, "[…]");
                given(&kept, |member| match member {
                    Shape::Map(keys) => keys.values().or_null().hush(),
                    Shape::Null => Shape::Null,
                    _ => Shape::Any,
                })
            }
            _ => Shape::Any,
        }
    }

    /// What `[]` gives.
    pub(super) fn each(&mut self, shape: &Shape, at: usize, subject: &str) -> Shape {
        let kept = self.demand(shape, Kinds::MANY, at, subject);
        given(&kept, |member| match member {
            Shape::List(item) => (**item).clone(),
            Shape::Tuple(items) => Shape::union(items.iter().cloned()),
            Shape::Map(keys) => keys.values(),
            _ => Shape::Any,
        })
    }

    fn slice(&mut self, shape: &Shape, at: usize) -> Shape {
        let kept = self.demand(shape, Kinds(&["array", "string", "null"]), at, "[:]");
        given(&kept, |member| match member {
            Shape::Tuple(items) => Shape::list(Shape::union(items.iter().cloned())),
            Shape::Text(_) => Shape::TEXT,
            other => other.clone(),
        })
    }
}

/// What each member gives; doubt about it is as it was.
pub(super) fn given(shape: &Shape, of: impl Fn(&Shape) -> Shape) -> Shape {
    let all = Shape::union(shape.members().iter().map(of));
    if shape.hushed() { all.hush() } else { all }
}

fn number(least: i128, most: i128) -> String {
    if least == most { least.to_string() } else { "…".to_owned() }
}

fn nth(items: &[Shape], least: i128, most: i128) -> Shape {
    let count = items.len() as i128;
    let at = if least < 0 { least + count } else { least };
    match usize::try_from(at) {
        Ok(at) if least == most && at < items.len() => items[at].clone(),
        _ if least == most => Shape::Null,
        _ => Shape::union(items.iter().cloned()).or_null().hush(),
    }
}

/// The items of `a, b, c`.
fn commas<'t, 'a>(term: &'t Term<&'a str>, items: &mut Vec<&'t Term<&'a str>>) {
    let mut rest = term;
    let mut last = Vec::new();
    while let Term::BinOp(left, BinaryOp::Comma, right) = rest {
        last.push(&**right);
        rest = left;
    }
    items.push(rest);
    items.extend(last.into_iter().rev());
}

/// Does this surely give one value, or fail?
fn gives_one(term: &Term<&str>) -> bool {
    const ONE: [&str; 16] = [
        "length", "tostring", "tonumber", "tojson", "keys", "map", "join", "add", "not", "type", "null", "true", "false",
        "floor", "round", "sort",
    ];
    match term {
        Term::Id | Term::Num(_) | Term::Arr(_) | Term::Var(_) => true,
        Term::Str(_, parts) => parts.iter().all(|part| !matches!(part, StrPart::Term(term) if !gives_one(term))),
        Term::Obj(entries) => entries.iter().all(|(key, value)| gives_one(key) && value.iter().all(gives_one)),
        Term::Neg(inner) => gives_one(inner),
        Term::Call(name, args) => ONE.contains(name) && (*name == "map" || args.iter().all(gives_one)),
        Term::BinOp(left, BinaryOp::Math(_) | BinaryOp::Cmp(_) | BinaryOp::Pipe(_), right) => gives_one(left) && gives_one(right),
        Term::Path(from, path) => {
            let one = |(part, opt): &(Part<_>, Opt)| match part {
                Part::Index(index) => gives_one(index) && matches!(opt, Opt::Essential),
                Part::Range(..) => false,
            };
            gives_one(from) && path.0.iter().all(one)
        }
        _ => false,
    }
}

/// The first text of a term that is a slice of the source.
fn first<'a>(term: &Term<&'a str>) -> Option<&'a str> {
    match term {
        Term::Num(text) | Term::Var(text) | Term::Call(text, _) => Some(text),
        Term::Str(Some(format), _) => Some(format),
        Term::Str(None, parts) => parts.iter().find_map(|part| match part {
            StrPart::Str(text) => Some(*text),
            StrPart::Term(term) => first(term),
            StrPart::Char(_) => None,
        }),
        Term::Arr(Some(inner)) | Term::Neg(inner) | Term::TryCatch(inner, _) => first(inner),
        Term::Obj(entries) => entries.iter().find_map(|(key, _)| first(key)),
        Term::BinOp(left, _, right) => first(left).or_else(|| first(right)),
        Term::IfThenElse(cases, _) => cases.first().and_then(|(condition, _)| first(condition)),
        Term::Path(from, path) => first(from).or_else(|| {
            path.0.iter().find_map(|(part, _)| match part {
                Part::Index(index) => first(index),
                Part::Range(from, to) => from.as_ref().or(to.as_ref()).and_then(first),
            })
        }),
        _ => None,
    }
}
