//! What the JSON of a function's arguments and result looks like, as JSON Schema (draft 2020-12), made of the WIT types alone.
//!
//! The schema says what [`FunctionSchema::result_to_json`] gives, and accepts nothing that [`FunctionSchema::args_from_json`]
//! refuses.

use serde_json::{Map, Value, json};

use super::schema::{FunctionSchema, Type};

const DRAFT: &str = "https://json-schema.org/draft/2020-12/schema";
/// Base64 with padding, and no bits left over in the last letter (RFC 4648, sections 3.5 and 4).
const BASE64: &str = "^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/][AQgw]==|[A-Za-z0-9+/]{2}[AEIMQUYcgkosw048]=)?$";

impl FunctionSchema {
    /// Schema of the arguments: an array by position or an object by parameter name, whose options may be left out.
    pub fn arguments_json_schema(&self) -> Value {
        let parameter = |name: &str| json!({ "$ref": format!("#/$defs/{name}") });
        let list = tuple(self.parameters().map(parameter).collect());
        let named = record(&self.params, |name, _| parameter(name));
        let types: Map<_, _> = self.params.iter().map(|(name, ty)| (name.to_string(), of(ty))).collect();
        json!({ "$schema": DRAFT, "anyOf": [list, named], "$defs": types })
    }

    /// Schema of the result, for example of `{"ok": …}`; `null` where the function has none.
    pub fn result_json_schema(&self) -> Value {
        let mut schema = self.result.as_ref().map_or_else(|| json!({ "type": "null" }), of);
        schema["$schema"] = DRAFT.into();
        schema
    }
}

fn of(ty: &Type) -> Value {
    match ty {
        Type::Bool => json!({ "type": "boolean" }),
        Type::U8 => json!({ "type": "integer", "minimum": 0, "maximum": u8::MAX }),
        Type::U16 => json!({ "type": "integer", "minimum": 0, "maximum": u16::MAX }),
        Type::U32 => json!({ "type": "integer", "minimum": 0, "maximum": u32::MAX }),
        Type::S8 => json!({ "type": "integer", "minimum": i8::MIN, "maximum": i8::MAX }),
        Type::S16 => json!({ "type": "integer", "minimum": i16::MIN, "maximum": i16::MAX }),
        Type::S32 => json!({ "type": "integer", "minimum": i32::MIN, "maximum": i32::MAX }),
        Type::U64 => wide(json!(0), json!(u64::MAX), &format!("^(?:{})$", up_to(&u64::MAX.to_string()))),
        Type::S64 => {
            let (least, most) = (i64::MIN.unsigned_abs().to_string(), i64::MAX.to_string());
            wide(json!(i64::MIN), json!(i64::MAX), &format!("^(?:{}|-(?:{}))$", up_to(&most), up_to(&least)))
        }
        Type::F32 => float(json!({ "type": "number", "minimum": f32::MIN, "maximum": f32::MAX })),
        Type::F64 => float(json!({ "type": "number" })),
        Type::Char => json!({ "type": "string", "minLength": 1, "maxLength": 1 }),
        Type::String => json!({ "type": "string" }),
        Type::Bytes => json!({ "type": "string", "contentEncoding": "base64", "pattern": BASE64 }),
        Type::F32s => list(of(&Type::F32)),
        Type::F64s => list(of(&Type::F64)),
        Type::List(element) => list(of(element)),
        Type::Record(fields) => record(fields, |_, ty| of(ty)),
        Type::Tuple(types) => tuple(types.iter().map(of).collect()),
        Type::Variant(cases) => variant(cases),
        Type::Enum(names) => json!({ "enum": names[..] }),
        Type::Option(inner) => option(inner),
        Type::Result(sides) => result(sides.0.as_ref(), sides.1.as_ref()),
        Type::Flags(names) => json!({ "type": "array", "items": { "enum": names[..] }, "uniqueItems": true }),
    }
}

/// 64 bits: answers have them as decimal strings, since many programs round greater numbers.
fn wide(least: Value, most: Value, pattern: &str) -> Value {
    json!({ "anyOf": [{ "type": "string", "pattern": pattern }, { "type": "integer", "minimum": least, "maximum": most }] })
}

/// A pattern for the whole numbers from 0 to `most`, without leading zeros: `0`, all that are shorter than `most`, and of those that
/// are as long the ones that part from it at some digit by a lower one.
fn up_to(most: &str) -> String {
    let lower = |(at, digit): (usize, char)| {
        let (least, top) = (if at == 0 { '1' } else { '0' }, char::from_u32(u32::from(digit) - 1)?);
        (least <= top).then(|| format!("{}[{least}-{top}][0-9]{{{}}}", &most[..at], most.len() - at - 1))
    };
    let shorter = format!("[1-9][0-9]{{0,{}}}", most.len() - 2);
    let parts = ["0".to_owned(), shorter].into_iter().chain(most.char_indices().filter_map(lower)).chain([most.to_owned()]);
    parts.collect::<Vec<_>>().join("|")
}

fn float(number: Value) -> Value {
    json!({ "anyOf": [number, { "enum": ["NaN", "Infinity", "-Infinity"] }] })
}

fn list(items: Value) -> Value {
    json!({ "type": "array", "items": items })
}

fn tuple(items: Vec<Value>) -> Value {
    let count = items.len();
    match count {
        // `prefixItems` must not be empty.
        0 => json!({ "type": "array", "maxItems": 0 }),
        _ => json!({ "type": "array", "prefixItems": items, "items": false, "minItems": count }),
    }
}

fn record(fields: &[(Box<str>, Type)], schema: impl Fn(&str, &Type) -> Value) -> Value {
    let properties: Map<_, _> = fields.iter().map(|(name, ty)| (name.to_string(), schema(name, ty))).collect();
    let required: Vec<_> = fields.iter().filter(|(_, ty)| !matches!(ty, Type::Option(_))).map(|(name, _)| name).collect();
    json!({ "type": "object", "properties": properties, "required": required, "additionalProperties": false })
}

/// An object with exactly one of these properties.
fn one_of(properties: Map<String, Value>) -> Value {
    json!({ "type": "object", "properties": properties, "additionalProperties": false, "minProperties": 1, "maxProperties": 1 })
}

/// A case without a payload is its name alone.
fn variant(cases: &[(Box<str>, Option<Type>)]) -> Value {
    let bare: Vec<_> = cases.iter().filter(|(_, payload)| payload.is_none()).map(|(name, _)| name).collect();
    let loaded = cases.iter().filter_map(|(name, payload)| Some((name.to_string(), of(payload.as_ref()?))));
    let loaded: Map<_, _> = loaded.collect();
    match (bare.is_empty(), loaded.is_empty()) {
        (true, _) => one_of(loaded),
        (false, true) => json!({ "enum": bare }),
        (false, false) => json!({ "anyOf": [{ "enum": bare }, one_of(loaded)] }),
    }
}

fn option(inner: &Type) -> Value {
    let some = match inner {
        // So that there being nothing inside is told from there being nothing at all.
        Type::Option(_) => tuple(vec![of(inner)]),
        _ => of(inner),
    };
    json!({ "anyOf": [{ "type": "null" }, some] })
}

fn result(ok: Option<&Type>, err: Option<&Type>) -> Value {
    let side = |ty: Option<&Type>| ty.map_or_else(|| json!({ "type": "null" }), of);
    one_of(Map::from_iter([("ok".to_owned(), side(ok)), ("err".to_owned(), side(err))]))
}
