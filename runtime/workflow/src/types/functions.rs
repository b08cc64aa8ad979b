//! What jq's functions take and give, as [`crate::eval`] has them.

use jaq_core::load::parse::Term;
use jaq_core::path::Part;

use super::infer::{Infer, Kinds, given};
use super::scope::{Scope, kind_of, names};
use super::shape::{Key, Keys, Numbers, Shape, Texts};
use super::words;

/// Lists within each other that `flatten` is followed through.
const FLATTENED_MAX: usize = 8;

impl<'a> Infer<'a> {
    pub(super) fn call(&mut self, name: &'a str, args: &[Term<&'a str>], scope: &Scope<'a>) -> Shape {
        let at = self.byte(name);
        match args {
            [] => self.plain(name, &scope.dot, at),
            [of] => self.with_one(name, of, scope, at),
            [one, other] => self.with_two(name, one, other, scope, at),
            [one, other, flags] if matches!(name, "sub" | "gsub") => {
                self.term(flags, scope);
                self.with_two(name, one, other, scope, at)
            }
            more => self.unknown(more, scope),
        }
    }

    /// Arguments whose dot is not known here.
    fn unknown(&mut self, args: &[Term<&'a str>], scope: &Scope<'a>) -> Shape {
        self.quietly(|infer| args.iter().for_each(|arg| drop(infer.term(arg, &scope.at(Shape::Any)))));
        Shape::Any
    }

    /// Functions without arguments.
    fn plain(&mut self, name: &str, dot: &Shape, at: usize) -> Shape {
        match name {
            "null" => Shape::Null,
            "true" => Shape::Bool(Some(true)),
            "false" => Shape::Bool(Some(false)),
            "empty" | "error" => Shape::Nothing,
            "not" => Shape::Bool(dot.truth().map(|truth| !truth)),
            "type" => kinds(dot),
            "length" | "utf8bytelength" | "abs" | "floor" | "ceil" | "round" | "sqrt" | "tonumber" => self.number(name, dot, at),
            "tostring" => given(dot, |member| match member {
                Shape::Text(_) => member.clone(),
                _ => Shape::TEXT,
            }),
            "tojson" | "@text" | "@json" | "@html" | "@uri" => Shape::TEXT,
            "@base64" => Shape::Text(Texts::Base64),
            "fromjson" => {
                self.demand(dot, Kinds::TEXT, at, name);
                Shape::Any
            }
            "ascii_downcase" | "ascii_upcase" | "trim" | "ltrim" | "rtrim" | "@base64d" => {
                self.demand(dot, Kinds::TEXT, at, name);
                Shape::TEXT
            }
            "explode" => {
                self.demand(dot, Kinds::TEXT, at, name);
                Shape::list(Shape::WHOLE)
            }
            "implode" => {
                self.demand(dot, Kinds::LIST, at, name);
                Shape::TEXT
            }
            "keys" | "keys_unsorted" | "to_entries" => self.entries(name, dot, at),
            "from_entries" => {
                let kept = self.demand(dot, Kinds::LIST, at, name);
                from_entries(&given(&kept, values))
            }
            "toarray" => given(dot, |member| match member {
                Shape::List(_) | Shape::Tuple(_) | Shape::Any => member.clone(),
                other => Shape::tuple(vec![other.clone()]),
            }),
            "any" | "all" => {
                self.each(dot, at, name);
                Shape::BOOL
            }
            "add" => {
                let kept = self.demand(dot, Kinds(&["array", "object", "null"]), at, name);
                added(&given(&kept, |member| if *member == Shape::Null { Shape::Null } else { values(member) }))
            }
            "first" | "last" => self.item(dot, &Shape::of_number(if name == "first" { "0" } else { "-1" }), at),
            "reverse" => {
                let kept = self.demand(dot, Kinds(&["array", "string", "null"]), at, name);
                given(&kept, |member| match member {
                    Shape::Text(_) => Shape::TEXT,
                    Shape::Null => Shape::tuple(Vec::new()),
                    Shape::Any => Shape::Any,
                    list => Shape::list(values(list)),
                })
            }
            "sort" | "unique" | "min" | "max" | "transpose" => self.list_of(name, dot, at),
            "flatten" => {
                let kept = self.demand(dot, Kinds::LIST, at, name);
                Shape::list(flat(&kept, FLATTENED_MAX))
            }
            "isempty" => Shape::BOOL,
            "paths" => Shape::list(Shape::Any),
            _ => filtered(name, dot).unwrap_or(Shape::Any),
        }
    }

    fn number(&mut self, name: &str, dot: &Shape, at: usize) -> Shape {
        let takes = match name {
            "length" => Kinds(&["string", "number", "array", "object", "null"]),
            "utf8bytelength" => Kinds::TEXT,
            "tonumber" => Kinds(&["number", "string"]),
            _ => Kinds::NUMBER,
        };
        let kept = self.demand(dot, takes, at, name);
        given(&kept, |member| match (name, member) {
            ("length", Shape::Number(_) | Shape::Any) => Shape::Number(Numbers::Any),
            ("length" | "utf8bytelength", _) => Shape::COUNT,
            ("floor" | "ceil" | "round", Shape::Number(Numbers::Whole { .. })) => member.clone(),
            ("floor" | "ceil" | "round", _) => Shape::WHOLE,
            ("tonumber", Shape::Text(Texts::Decimal { least, most })) => {
                Shape::Number(Numbers::Whole { least: *least, most: *most })
            }
            ("tonumber", Shape::Text(Texts::Known(texts))) => Shape::union(texts.iter().map(|text| Shape::of_number(text))),
            ("abs", Shape::Number(Numbers::Whole { .. })) => Shape::COUNT,
            ("sqrt", _) => Shape::Number(Numbers::Float),
            ("abs" | "tonumber", Shape::Number(_)) => member.clone(),
            _ => Shape::Number(Numbers::Any),
        })
    }

    fn entries(&mut self, name: &str, dot: &Shape, at: usize) -> Shape {
        let takes = if name == "to_entries" { Kinds(&["object"]) } else { Kinds::MANY };
        let kept = self.demand(dot, takes, at, name);
        given(&kept, |member| {
            let key = match member {
                Shape::Map(keys) if keys.rest.is_none() && !keys.known.is_empty() => Shape::texts(keys.known.keys().cloned()),
                Shape::Map(_) => Shape::TEXT,
                Shape::List(_) | Shape::Tuple(_) => Shape::COUNT,
                _ => Shape::Any,
            };
            Shape::list(match name {
                "to_entries" => Shape::closed([("key", key), ("value", values(member))]),
                _ => key,
            })
        })
    }

    /// Functions of lists that look at the items alone.
    fn list_of(&mut self, name: &str, dot: &Shape, at: usize) -> Shape {
        let kept = self.demand(dot, Kinds::LIST, at, name);
        let item = given(&kept, values);
        match name {
            "min" | "max" => item.or_null().hush(),
            "transpose" => {
                let rows = self.demand(&item, Kinds::LIST, at, name);
                Shape::list(Shape::list(given(&rows, values).or_null().hush()))
            }
            _ => Shape::list(item),
        }
    }

    /// Functions with one argument.
    fn with_one(&mut self, name: &str, of: &Term<&'a str>, scope: &Scope<'a>, at: usize) -> Shape {
        let dot = &scope.dot;
        match name {
            "map" => {
                let item = self.each(dot, at, name);
                if item == Shape::Nothing { Shape::list(Shape::Nothing) } else { Shape::list(self.term(of, &scope.at(item))) }
            }
            "map_values" => self.map_values(of, scope, at),
            "select" => match self.condition(of, scope) {
                Some(false) => Shape::Nothing,
                _ => scope.narrowed(of, true).dot,
            },
            "any" | "all" => {
                let item = self.each(dot, at, name);
                self.condition(of, &scope.at(item));
                Shape::BOOL
            }
            "with_entries" => {
                let entries = self.entries("to_entries", dot, at);
                let entry = self.each(&entries, at, name);
                from_entries(&self.term(of, &scope.at(entry)))
            }
            "sort_by" | "group_by" | "unique_by" | "min_by" | "max_by" => self.by(name, of, scope, at),
            "first" | "last" => self.term(of, scope),
            "add" => added(&self.term(of, scope)),
            "nth" => self.part(dot, &Part::Index(of.clone()), false, scope),
            "flatten" => {
                let depth = self.term(of, scope);
                self.demand(&depth, Kinds::NUMBER, at, name);
                self.demand(dot, Kinds::LIST, at, name);
                Shape::list(Shape::Any)
            }
            "join" => self.joined(of, scope, at),
            "split" | "splits" | "test" | "match" | "capture" | "scan" | "startswith" | "endswith" => {
                self.of_text(name, of, scope, at)
            }
            "ltrimstr" | "rtrimstr" | "trimstr" => self.trimmed(name, of, scope, at),
            "has" => self.has(of, scope, at),
            "contains" | "inside" => {
                let other = self.term(of, scope);
                self.contained(name, dot, &other, at);
                Shape::BOOL
            }
            "in" | "isempty" => {
                self.term(of, scope);
                Shape::BOOL
            }
            "index" | "rindex" | "indices" => self.found_at(name, of, scope, at),
            "path" | "paths" => {
                self.quietly(|infer| infer.term(of, &scope.at(Shape::Any)));
                Shape::list(Shape::Any)
            }
            "del" => deleted(of, dot),
            "error" => {
                self.term(of, scope);
                Shape::Nothing
            }
            _ => self.unknown(std::slice::from_ref(of), scope),
        }
    }

    fn map_values(&mut self, of: &Term<&'a str>, scope: &Scope<'a>, at: usize) -> Shape {
        let kept = self.demand(&scope.dot, Kinds::MANY, at, "map_values");
        let value = self.each(&kept, at, "map_values");
        let new = self.term(of, &scope.at(value));
        given(&kept, |member| match member {
            // `select` and `empty` leave keys out, so that which are there is not known.
            Shape::Map(_) => Shape::open(new.clone()),
            Shape::List(_) | Shape::Tuple(_) => Shape::list(new.clone()),
            _ => Shape::Any,
        })
    }

    fn by(&mut self, name: &str, of: &Term<&'a str>, scope: &Scope<'a>, at: usize) -> Shape {
        let kept = self.demand(&scope.dot, Kinds::LIST, at, name);
        let item = given(&kept, values);
        self.term(of, &scope.at(item.clone()));
        match name {
            "min_by" | "max_by" => item.or_null().hush(),
            "group_by" => Shape::list(Shape::list(item)),
            _ => Shape::list(item),
        }
    }

    fn of_text(&mut self, name: &str, of: &Term<&'a str>, scope: &Scope<'a>, at: usize) -> Shape {
        self.demand(&scope.dot, Kinds::TEXT, at, name);
        let argument = self.term(of, scope);
        self.demand(&argument, Kinds::TEXT, at, name);
        match name {
            "split" => Shape::list(Shape::TEXT),
            "test" | "startswith" | "endswith" => Shape::BOOL,
            "match" | "capture" => Shape::open(Shape::Any),
            "scan" => Shape::Any,
            _ => Shape::TEXT,
        }
    }

    fn joined(&mut self, of: &Term<&'a str>, scope: &Scope<'a>, at: usize) -> Shape {
        let separator = self.term(of, scope);
        self.demand(&separator, Kinds::TEXT, at, "join");
        let kept = self.demand(&scope.dot, Kinds::LIST, at, "join");
        let item = given(&kept, values);
        if item != Shape::Nothing {
            self.demand(&item, Kinds(&["string", "number", "boolean", "null"]), at, "join");
        }
        Shape::TEXT
    }

    /// What is no text stays as it is, which nobody wants.
    fn trimmed(&mut self, name: &str, of: &Term<&'a str>, scope: &Scope<'a>, at: usize) -> Shape {
        let (dot, part) = (&scope.dot, self.term(of, scope));
        for shape in [dot, &part] {
            if *shape != Shape::Nothing
                && shape.members().iter().all(|member| kind_of(member).is_some_and(|kind| kind != "string"))
            {
                self.doubt(at, format!("`{name}` changes nothing here: it works on texts, and this is {}", words::given(shape)));
            }
        }
        given(dot, |member| if matches!(member, Shape::Text(_)) { Shape::TEXT } else { member.clone() })
    }

    /// Of maps, names are asked for; of lists, numbers.
    fn has(&mut self, of: &Term<&'a str>, scope: &Scope<'a>, at: usize) -> Shape {
        let key = self.term(of, scope);
        let takes = match alike(&key) {
            Some("string") => Kinds(&["object"]),
            Some("number") => Kinds::LIST,
            _ => Kinds::MANY,
        };
        self.demand(&scope.dot, takes, at, "has");
        Shape::BOOL
    }

    /// Both are of one kind, or it fails.
    fn contained(&mut self, name: &str, dot: &Shape, other: &Shape, at: usize) {
        let same = |one: &Shape, other: &Shape| kind_of(one).zip(kind_of(other)).is_none_or(|(one, other)| one == other);
        let fits = |one: &Shape| other.members().iter().any(|other| same(one, other));
        if self.is_quiet() || *dot == Shape::Nothing || *other == Shape::Nothing || dot.members().iter().any(fits) {
            return;
        }
        let list = [dot, other].into_iter().any(|shape| alike(shape) == Some("array"));
        let advice = if list { "; `any(. == …)` looks for an item of a list" } else { "" };
        self.wrong(at, format!("`{name}` cannot take {} and {}{advice}", words::given(dot), words::given(other)));
    }

    /// Null has nothing in it anywhere.
    fn found_at(&mut self, name: &str, of: &Term<&'a str>, scope: &Scope<'a>, at: usize) -> Shape {
        let part = self.term(of, scope);
        let kept = self.demand(&scope.dot, Kinds(&["string", "array", "null"]), at, name);
        if alike(&kept) == Some("string") {
            self.demand(&part, Kinds::TEXT, at, name);
        }
        match name {
            "indices" => Shape::list(Shape::COUNT).or_null().hush(),
            _ => Shape::COUNT.or_null().hush(),
        }
    }

    fn with_two(&mut self, name: &str, one: &Term<&'a str>, other: &Term<&'a str>, scope: &Scope<'a>, at: usize) -> Shape {
        match name {
            "limit" | "nth" | "skip" => {
                self.term(one, scope);
                self.term(other, scope)
            }
            "any" | "all" => {
                let item = self.term(one, scope);
                self.condition(other, &scope.at(item));
                Shape::BOOL
            }
            "sub" | "gsub" => {
                self.term(one, scope);
                self.demand(&scope.dot, Kinds::TEXT, at, name);
                self.term(other, &scope.at(Shape::open(Shape::Any)));
                Shape::TEXT
            }
            "test" | "split" | "match" | "capture" | "scan" | "splits" => {
                self.term(other, scope);
                self.of_text(name, one, scope, at)
            }
            _ => self.unknown(&[one.clone(), other.clone()], scope),
        }
    }
}

/// The one kind that all members are of.
fn alike(shape: &Shape) -> Option<&'static str> {
    let mut kinds = shape.members().iter().map(kind_of);
    let first = kinds.next()??;
    kinds.all(|kind| kind == Some(first)).then_some(first)
}

/// The values of what `[]` goes through.
fn values(member: &Shape) -> Shape {
    match member {
        Shape::List(item) => (**item).clone(),
        Shape::Tuple(items) => Shape::union(items.iter().cloned()),
        Shape::Map(keys) => keys.values(),
        _ => Shape::Any,
    }
}

fn kinds(dot: &Shape) -> Shape {
    match dot.members().iter().map(kind_of).collect::<Option<Vec<_>>>() {
        Some(kinds) => Shape::union(kinds.into_iter().map(|kind| Shape::texts([kind]))),
        None => Shape::TEXT,
    }
}

/// `strings`, `values` and so on: the members that they let through.
fn filtered(name: &str, dot: &Shape) -> Option<Shape> {
    let kinds: &[&str] = match name {
        "nulls" => &["null"],
        "booleans" => &["boolean"],
        "numbers" => &["number"],
        "strings" => &["string"],
        "arrays" => &["array"],
        "objects" => &["object"],
        "iterables" => &["array", "object"],
        "scalars" => &["null", "boolean", "number", "string"],
        "values" => &["boolean", "number", "string", "array", "object"],
        _ => return None,
    };
    Some(dot.keep(|member| kind_of(member).is_none_or(|kind| kinds.contains(&kind)).then(|| member.clone())))
}

/// The sum of values; null, where there are none, which is a matter of the data.
fn added(item: &Shape) -> Shape {
    let sum = given(item, |member| match member {
        Shape::Text(_) => Shape::TEXT,
        Shape::Number(Numbers::Whole { .. }) => Shape::WHOLE,
        Shape::Number(_) => member.clone(),
        Shape::List(_) | Shape::Tuple(_) => Shape::list(values(member)),
        Shape::Map(keys) => open(keys),
        Shape::Null => Shape::Null,
        _ => Shape::Any,
    });
    sum.or_null().hush()
}

/// Any of the keys, with any of the values.
fn open(keys: &Keys) -> Shape {
    Shape::open(if keys.known.is_empty() && keys.rest.is_none() { Shape::Any } else { keys.values() })
}

/// A map of what has `key` and `value`.
fn from_entries(entry: &Shape) -> Shape {
    let value = given(entry, |member| match member {
        Shape::Map(keys) => match keys.known.get("value") {
            Some(Key { shape, always: true }) => shape.clone(),
            // `v` stands for it too.
            _ => Shape::Any,
        },
        _ => Shape::Any,
    });
    Shape::open(if value == Shape::Nothing { Shape::Any } else { value })
}

/// Items that are no lists, however deep.
fn flat(shape: &Shape, deep: usize) -> Shape {
    if deep == 0 {
        return Shape::Any;
    }
    given(shape, |member| match member {
        Shape::List(_) | Shape::Tuple(_) => flat(&values(member), deep - 1),
        other => other.clone(),
    })
}

fn deleted(of: &Term<&str>, dot: &Shape) -> Shape {
    let Some([name]) = names(of).as_deref().map(<[&str]>::to_vec).and_then(|names| <[&str; 1]>::try_from(names).ok()) else {
        return Shape::Any;
    };
    given(dot, |member| match member {
        Shape::Map(keys) => {
            let mut keys = (**keys).clone();
            keys.known.remove(name);
            Shape::map(keys)
        }
        _ => Shape::Any,
    })
}
