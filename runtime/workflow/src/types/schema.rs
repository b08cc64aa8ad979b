//! Shapes from the JSON Schemas (draft 2020-12) that the host makes of WIT types. What is written in another way is `Any`.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::shape::{Key, Keys, NOT_NUMBERS, Numbers, Shape, Texts};
use crate::limits::SHAPE_NESTING_MAX;

/// What is known of the functions that a workflow calls.
pub trait Contracts {
    /// The types of `function` of `interface`, both as the workflow writes them; none where they are not known, and then nothing is said.
    fn function(&self, interface: &str, function: &str) -> Option<&Signature>;
    /// The functions of `interface`, as the workflow writes it; none where it is not known.
    fn functions(&self, interface: &str) -> Option<Vec<&str>>;
    /// Interfaces that are known, with their versions: for "did you mean".
    fn interfaces(&self) -> Vec<&str>;
}

impl Contracts for BTreeMap<(String, String), Signature> {
    fn function(&self, interface: &str, function: &str) -> Option<&Signature> {
        self.get(&(interface.to_owned(), function.to_owned()))
    }

    fn functions(&self, interface: &str) -> Option<Vec<&str>> {
        let found: Vec<&str> =
            self.keys().filter(|(known, _)| known == interface).map(|(_, function)| function.as_str()).collect();
        (!found.is_empty()).then_some(found)
    }

    fn interfaces(&self) -> Vec<&str> {
        let mut known: Vec<&str> = self.keys().map(|(interface, _)| interface.as_str()).collect();
        known.dedup();
        known
    }
}

/// What a function is given and what it answers.
#[derive(Clone, Debug, PartialEq)]
pub struct Signature {
    /// Its parameters, in order.
    pub parameters: Vec<Parameter>,
    /// The value of a call: the payload of `ok` where it returns a result.
    pub value: Shape,
}

/// A parameter.
#[derive(Clone, Debug, PartialEq)]
pub struct Parameter {
    /// Its name.
    pub name: String,
    /// What it takes.
    pub shape: Shape,
    /// Must it be given? Options may be left out.
    pub required: bool,
}

impl Signature {
    /// The types of a function, from the schemas of its arguments and of its result. None where the arguments' one is no schema of the host's.
    pub fn of_schemas(arguments: &Value, result: &Value) -> Option<Signature> {
        let [_, named] = arguments.get("anyOf")?.as_array()?.as_slice() else { return None };
        let types = arguments.get("$defs")?.as_object()?;
        let required = texts(named.get("required")?)?;
        let parameters = order(arguments, types).into_iter().map(|name| Parameter {
            shape: types.get(&name).map_or(Shape::Any, of_schema),
            required: required.contains(&name),
            name,
        });
        Some(Signature { parameters: parameters.collect(), value: payload(of_schema(result)) })
    }

    /// The arguments as a map by name.
    pub(super) fn named(&self) -> Shape {
        let key = |parameter: &Parameter| Key { shape: parameter.shape.clone(), always: parameter.required };
        let known = self.parameters.iter().map(|parameter| (parameter.name.clone(), key(parameter)));
        Shape::Map(Arc::new(Keys { known: known.collect(), rest: None }))
    }

    /// The arguments as a list by position.
    pub(super) fn positional(&self) -> Shape {
        Shape::Tuple(self.parameters.iter().map(|parameter| parameter.shape.clone()).collect())
    }
}

/// The names of the parameters as the function has them: the schema of arguments by position names them one by one.
fn order(arguments: &Value, types: &Map<String, Value>) -> Vec<String> {
    let items = arguments.pointer("/anyOf/0/prefixItems").and_then(Value::as_array);
    let name = |item: &Value| item.get("$ref")?.as_str()?.strip_prefix("#/$defs/").map(str::to_owned);
    let names: Option<Vec<String>> = items.into_iter().flatten().map(name).collect();
    names.filter(|names| names.len() == types.len()).unwrap_or_else(|| types.keys().cloned().collect())
}

/// `ok`'s payload of a result; other shapes as they are.
fn payload(shape: Shape) -> Shape {
    let (Some(ok), Some(_)) = (case(&shape, "ok"), case(&shape, "err")) else { return shape };
    if shape.members().len() == 2 { ok } else { shape }
}

/// The payload of a case: what a member has that is a map with this one key.
pub(super) fn case(shape: &Shape, name: &str) -> Option<Shape> {
    shape.members().iter().find_map(|member| match member {
        Shape::Map(keys) if keys.known.len() == 1 && keys.rest.is_none() => Some(keys.known.get(name)?.shape.clone()),
        _ => None,
    })
}

/// The shape that a schema describes.
pub fn of_schema(schema: &Value) -> Shape {
    shape(schema, SHAPE_NESTING_MAX).unwrap_or(Shape::Any).bounded()
}

/// None for what is not known.
fn shape(schema: &Value, deep: usize) -> Option<Shape> {
    let deep = deep.checked_sub(1)?;
    if let Some(of) = schema.get("anyOf") {
        return any_of(of.as_array()?, deep);
    }
    if let Some(names) = schema.get("enum") {
        return Some(Shape::texts(texts(names)?));
    }
    match schema.get("type")?.as_str()? {
        "null" => Some(Shape::Null),
        "boolean" => Some(Shape::BOOL),
        "integer" => {
            let bound = |name: &str| integer(schema.get(name)?);
            let (least, most) = (bound("minimum").unwrap_or(i128::MIN), bound("maximum").unwrap_or(i128::MAX));
            Some(Shape::Number(Numbers::Whole { least, most }))
        }
        "number" => Some(Shape::Number(Numbers::Float)),
        "string" => Some(Shape::Text(text(schema))),
        "array" => list(schema, deep),
        "object" => map(schema, deep),
        _ => None,
    }
}

fn any_of(of: &[Value], deep: usize) -> Option<Shape> {
    let shapes: Vec<Shape> = of.iter().map(|one| shape(one, deep)).collect::<Option<_>>()?;
    match &shapes[..] {
        // 64 bits.
        [Shape::Text(Texts::Any), Shape::Number(Numbers::Whole { least, most })] => {
            Some(Shape::Text(Texts::Decimal { least: *least, most: *most }))
        }
        // A float.
        [Shape::Number(Numbers::Float), Shape::Text(Texts::Known(names))] if names[..] == NOT_NUMBERS => {
            Some(Shape::Number(Numbers::Float))
        }
        _ => Some(Shape::union(shapes)),
    }
}

fn text(schema: &Value) -> Texts {
    let length = |name: &str| schema.get(name).and_then(Value::as_u64);
    match (schema.get("contentEncoding").and_then(Value::as_str), length("minLength"), length("maxLength")) {
        (Some("base64"), ..) => Texts::Base64,
        (None, Some(1), Some(1)) => Texts::Char,
        (None, None, None) if schema.get("pattern").is_none() => Texts::Plain,
        _ => Texts::Any,
    }
}

fn list(schema: &Value, deep: usize) -> Option<Shape> {
    if let Some(items) = schema.get("prefixItems") {
        let items: Vec<Shape> = items.as_array()?.iter().map(|item| shape(item, deep)).collect::<Option<_>>()?;
        return Some(Shape::Tuple(items.into()));
    }
    match schema.get("items") {
        Some(items) => Some(Shape::List(Arc::new(shape(items, deep).unwrap_or(Shape::Any)))),
        None if schema.get("maxItems").and_then(Value::as_u64) == Some(0) => Some(Shape::Tuple([].into())),
        None => Some(Shape::List(Arc::new(Shape::Any))),
    }
}

/// A record, or one of the cases of a variant that have payloads.
fn map(schema: &Value, deep: usize) -> Option<Shape> {
    let properties = schema.get("properties")?.as_object()?;
    let of = |schema| shape(schema, deep).unwrap_or(Shape::Any);
    if schema.get("additionalProperties") != Some(&Value::Bool(false)) {
        return Some(Shape::open(Shape::Any));
    }
    if schema.get("maxProperties").and_then(Value::as_u64) == Some(1) {
        let alone = |(name, schema)| Shape::closed([(name, of(schema))]);
        return Some(Shape::union(properties.iter().map(|(name, schema)| alone((name.as_str(), schema)))));
    }
    let required = texts(schema.get("required")?)?;
    let key = |(name, schema): (&String, _)| (name.clone(), Key { shape: of(schema), always: required.contains(name) });
    let known = properties.iter().map(key).collect();
    Some(Shape::Map(Arc::new(Keys { known, rest: None })))
}

fn texts(list: &Value) -> Option<Vec<String>> {
    list.as_array()?.iter().map(|text| text.as_str().map(str::to_owned)).collect()
}

fn integer(number: &Value) -> Option<i128> {
    number.as_i64().map(i128::from).or_else(|| number.as_u64().map(i128::from))
}
