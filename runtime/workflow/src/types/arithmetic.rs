//! Sums, products and comparisons of shapes, by the rules of [`crate::eval`].

use std::sync::Arc;

use hansa_catalogue::strict_toml::nearest;
use jaq_core::load::parse::{BinaryOp, Term};
use jaq_core::ops::{Cmp, Math};

use super::infer::{Infer, given};
use super::scope::{self, Scope, kind_of};
use super::shape::{Key, Keys, Numbers, Shape, Texts};
use super::words;

impl<'a> Infer<'a> {
    pub(super) fn math(&mut self, op: Math, left: &Shape, right: &Shape, at: usize) -> Shape {
        let (mut all, mut fails) = (Vec::new(), None);
        for one in left.members() {
            for other in right.members() {
                match done(op, one, other) {
                    Some(shape) => all.push(shape),
                    None => fails = fails.or(Some((one, other))),
                }
            }
        }
        let hushed = left.hushed() || right.hushed();
        if let (Some((one, other)), false) = (fails, self.is_quiet()) {
            let advice = match (one, other) {
                (Shape::Text(_), Shape::Number(_)) | (Shape::Number(_), Shape::Text(_)) => {
                    "; `| tonumber` makes a number of a text, `| tostring` a text of a number"
                }
                (Shape::Null, _) | (_, Shape::Null) => "; `// …` gives null another value",
                _ => "",
            };
            let op = op.as_str();
            if all.is_empty() {
                self.wrong(at, format!("`{op}` cannot take {} and {}{advice}", words::given(left), words::given(right)));
                return Shape::Any;
            }
            if !hushed {
                self.doubt(
                    at,
                    format!("`{op}` may get {} and {} here, which fails{advice}", words::given(one), words::given(other)),
                );
            }
        }
        let all = Shape::union(all);
        if hushed { all.hush() } else { all }
    }

    pub(super) fn compared(&mut self, op: Cmp, left: &Shape, right: &Shape, at: usize) -> Shape {
        if *left == Shape::Nothing || *right == Shape::Nothing {
            return Shape::Nothing;
        }
        match op {
            Cmp::Eq | Cmp::Ne => self.equal(op == Cmp::Eq, left, right, at),
            _ => self.ordered(op, left, right, at),
        }
    }

    fn equal(&mut self, asked: bool, left: &Shape, right: &Shape, at: usize) -> Shape {
        let may = left.members().iter().any(|one| right.members().iter().any(|other| may_be_equal(one, other)));
        if may {
            let same = exactly(left).zip(exactly(right)).is_some_and(|(one, other)| one == other);
            return Shape::Bool(same.then_some(asked));
        }
        // To ask whether something is there at all is never amiss.
        if *left != Shape::Null && *right != Shape::Null {
            let always = if asked { "false" } else { "true" };
            let what = format!("{} is never {}, so that this is always {always}", words::given(left), words::given(right));
            self.doubt(at, format!("{what}{}", meant(left, right)));
        }
        Shape::Bool(Some(!asked))
    }

    fn ordered(&mut self, op: Cmp, left: &Shape, right: &Shape, at: usize) -> Shape {
        let all = |shape: &Shape, kind: &str| shape.members().iter().all(|member| kind_of(member) == Some(kind));
        let numbers = (all(left, "number"), all(right, "number"));
        let texts = (all(left, "string"), all(right, "string"));
        if (numbers.0 && texts.1) || (texts.0 && numbers.1) {
            let what = format!("{} is compared with {}", words::given(left), words::given(right));
            self.wrong(at, format!("{what}: a text is greater than every number; `| tonumber` makes it a number"));
            return Shape::BOOL;
        }
        let (Some((low, high)), Some((lower, higher))) = (bounds(left), bounds(right)) else { return Shape::BOOL };
        Shape::Bool(match op {
            Cmp::Lt if high < lower => Some(true),
            Cmp::Lt if low >= higher => Some(false),
            Cmp::Le if high <= lower => Some(true),
            Cmp::Le if low > higher => Some(false),
            Cmp::Gt if low > higher => Some(true),
            Cmp::Gt if high <= lower => Some(false),
            Cmp::Ge if low >= higher => Some(true),
            Cmp::Ge if high < lower => Some(false),
            _ => None,
        })
    }

    /// `.a.b = 1`, `.a |= f`, `.a += 1`.
    pub(super) fn update(
        &mut self,
        left: &Term<&'a str>,
        op: &BinaryOp<&'a str>,
        right: &Term<&'a str>,
        scope: &Scope<'a>,
    ) -> Shape {
        let Some(names) = scope::names(left) else {
            self.quietly(|infer| infer.term(right, &scope.at(Shape::Any)));
            return Shape::Any;
        };
        let was = read(&scope.dot, &names);
        let new = match op {
            BinaryOp::Update => self.term(right, &scope.at(was)),
            BinaryOp::UpdateMath(op) => {
                let (at, right) = (self.place(left), self.term(right, scope));
                self.math(*op, &was, &right, at)
            }
            BinaryOp::UpdateAlt => was.truthy().or(self.term(right, scope)),
            _ => self.term(right, scope),
        };
        // `|= empty` takes the key away.
        if new == Shape::Nothing { Shape::Any } else { given(&scope.dot, |member| written(member, &names, &new)) }
    }
}

/// What is at a path of names, without a word about it.
fn read(shape: &Shape, names: &[&str]) -> Shape {
    let Some((name, rest)) = names.split_first() else { return shape.clone() };
    let under = given(shape, |member| match member {
        Shape::Map(keys) => match keys.under(name) {
            super::shape::Under::Always(shape) => shape,
            super::shape::Under::Perhaps(shape) => shape.or_null(),
            super::shape::Under::Never => Shape::Null,
        },
        Shape::Null => Shape::Null,
        _ => Shape::Any,
    });
    read(&under, rest)
}

/// `shape` with `new` at a path of names.
fn written(shape: &Shape, names: &[&str], new: &Shape) -> Shape {
    let Some((name, rest)) = names.split_first() else { return new.clone() };
    let Shape::Map(keys) = shape else { return Shape::Any };
    let was = keys.known.get(*name).map_or(Shape::Any, |key| key.shape.clone());
    let mut keys = (**keys).clone();
    keys.known.insert((*name).to_owned(), Key { shape: given(&was, |member| written(member, rest, new)), always: true });
    Shape::map(keys)
}

pub(super) fn negative(shape: &Shape) -> Shape {
    given(shape, |member| match member {
        Shape::Number(Numbers::Whole { least, most }) => {
            Shape::Number(Numbers::Whole { least: most.saturating_neg(), most: least.saturating_neg() })
        }
        other => other.clone(),
    })
}

/// None where it fails.
fn done(op: Math, left: &Shape, right: &Shape) -> Option<Shape> {
    match (op, left, right) {
        (Math::Add, Shape::Null, other) | (Math::Add, other, Shape::Null) => Some(other.clone()),
        // What does not fail is of the kind of the other side.
        (Math::Add, Shape::Any, other) | (Math::Add, other, Shape::Any) => Some(general(other)),
        (_, Shape::Any, _) | (_, _, Shape::Any) => Some(Shape::Any),
        (Math::Div | Math::Rem, Shape::Number(_), Shape::Number(Numbers::Whole { least: 0, most: 0 })) => None,
        (op, Shape::Number(left), Shape::Number(right)) => Some(Shape::Number(numbers(op, *left, *right))),
        (Math::Add, Shape::Text(_), Shape::Text(_)) => Some(Shape::TEXT),
        (Math::Add, Shape::Map(left), Shape::Map(right)) => Some(both(left, right)),
        (Math::Add | Math::Sub, Shape::List(_) | Shape::Tuple(_), Shape::List(_) | Shape::Tuple(_)) => {
            let items = if op == Math::Add { items(left).or(items(right)) } else { items(left) };
            Some(Shape::list(items))
        }
        (Math::Mul, Shape::Text(_), Shape::Number(_)) | (Math::Mul, Shape::Number(_), Shape::Text(_)) => {
            Some(Shape::TEXT.or_null().hush())
        }
        (Math::Mul, Shape::Map(_), Shape::Map(_)) => Some(Shape::open(Shape::Any)),
        (Math::Div, Shape::Text(_), Shape::Text(_)) => Some(Shape::list(Shape::TEXT)),
        _ => None,
    }
}

fn general(shape: &Shape) -> Shape {
    match shape {
        Shape::Number(_) => Shape::Number(Numbers::Any),
        Shape::Text(_) => Shape::TEXT,
        Shape::List(_) | Shape::Tuple(_) => Shape::list(Shape::Any),
        Shape::Map(_) => Shape::open(Shape::Any),
        _ => Shape::Any,
    }
}

fn items(list: &Shape) -> Shape {
    match list {
        Shape::List(item) => (**item).clone(),
        Shape::Tuple(items) => Shape::union(items.iter().cloned()),
        _ => Shape::Any,
    }
}

/// The keys of both; those on the right win.
fn both(left: &Arc<Keys>, right: &Arc<Keys>) -> Shape {
    let mut keys = (**left).clone();
    for (name, key) in &right.known {
        let new = match keys.known.get(name) {
            Some(was) if !key.always => Key { shape: was.shape.clone().or(key.shape.clone()), always: was.always },
            _ => key.clone(),
        };
        keys.known.insert(name.clone(), new);
    }
    if let Some(rest) = &right.rest {
        // It may have any of the keys on the left as well.
        let unknown = keys.known.iter_mut().filter(|(name, _)| !right.known.contains_key(*name));
        unknown.for_each(|(_, key)| key.shape = key.shape.clone().or(rest.clone()).hush());
    }
    keys.rest = match (keys.rest, &right.rest) {
        (Some(one), Some(other)) => Some(one.or(other.clone())),
        (one, other) => one.or(other.clone()),
    };
    Shape::map(keys)
}

fn numbers(op: Math, left: Numbers, right: Numbers) -> Numbers {
    use Numbers::{Any, Whole};
    let (Whole { least, most }, Whole { least: lower, most: higher }) = (left, right) else {
        return match op {
            Math::Div => Numbers::Float,
            // Of what is whole in both.
            Math::Rem => Whole { least: i128::MIN, most: i128::MAX },
            _ if left == Any || right == Any => Any,
            _ => Numbers::Float,
        };
    };
    match op {
        Math::Add => Whole { least: least.saturating_add(lower), most: most.saturating_add(higher) },
        Math::Sub => Whole { least: least.saturating_sub(higher), most: most.saturating_sub(lower) },
        Math::Mul => {
            let products = [(least, lower), (least, higher), (most, lower), (most, higher)].map(|(a, b)| a.saturating_mul(b));
            Whole {
                least: products.into_iter().min().unwrap_or(i128::MIN),
                most: products.into_iter().max().unwrap_or(i128::MAX),
            }
        }
        Math::Rem => Whole { least: i128::MIN, most: i128::MAX },
        Math::Div => quotient(least, most, lower, higher),
    }
}

/// Whole where both are known and it comes out even; which it may do with others too.
fn quotient(least: i128, most: i128, lower: i128, higher: i128) -> Numbers {
    match (least == most && lower == higher).then(|| least.checked_rem(lower).zip(least.checked_div(lower))).flatten() {
        Some((0, whole)) => Numbers::Whole { least: whole, most: whole },
        Some(_) => Numbers::Fraction,
        None => Numbers::Float,
    }
}

fn may_be_equal(left: &Shape, right: &Shape) -> bool {
    match (left, right) {
        (Shape::Any, _) | (_, Shape::Any) => true,
        (Shape::Text(left), Shape::Text(right)) => texts_may_be_equal(left, right),
        (Shape::Bool(Some(left)), Shape::Bool(Some(right))) => left == right,
        (Shape::Number(_), Shape::Number(_)) => match (bounds(left), bounds(right)) {
            (Some((low, high)), Some((lower, higher))) => low <= higher && lower <= high,
            _ => true,
        },
        // A float that is no number is a text.
        (Shape::Number(Numbers::Float), Shape::Text(_)) | (Shape::Text(_), Shape::Number(Numbers::Float)) => true,
        _ => kind_of(left) == kind_of(right),
    }
}

fn texts_may_be_equal(left: &Texts, right: &Texts) -> bool {
    let digits = |texts: &[String]| texts.iter().any(|text| text.parse::<i128>().is_ok());
    match (left, right) {
        (Texts::Known(left), Texts::Known(right)) => left.iter().any(|text| right.contains(text)),
        (Texts::Known(texts), Texts::Decimal { .. }) | (Texts::Decimal { .. }, Texts::Known(texts)) => digits(texts),
        _ => true,
    }
}

/// The one text, number or truth that this is.
fn exactly(shape: &Shape) -> Option<&Shape> {
    let exact = match shape {
        Shape::Null | Shape::Bool(Some(_)) => true,
        Shape::Text(Texts::Known(texts)) => texts.len() == 1,
        Shape::Number(Numbers::Whole { least, most }) => least == most,
        _ => false,
    };
    exact.then_some(shape)
}

/// The bounds of whole numbers.
fn bounds(shape: &Shape) -> Option<(i128, i128)> {
    match shape {
        Shape::Number(Numbers::Whole { least, most }) => Some((*least, *most)),
        _ => None,
    }
}

/// What may have been meant where two sides are never equal.
fn meant(left: &Shape, right: &Shape) -> String {
    match (left, right) {
        (Shape::Text(Texts::Known(one)), Shape::Text(Texts::Known(other))) => {
            let (text, known) = if one.len() == 1 { (&one[0], other) } else { (&other[0], one) };
            let near = nearest(text, known.iter().map(String::as_str));
            near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default()
        }
        (Shape::Text(_), Shape::Number(_)) | (Shape::Number(_), Shape::Text(_)) => {
            "; `| tonumber` makes a number of a text".to_owned()
        }
        _ => String::new(),
    }
}
