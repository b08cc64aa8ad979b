//! JSON to wire bytes, guided by the WIT type. Refusals say where, and what would fit.

use std::ops::Range;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde_json::{Map, Value};

use super::{
    cbor::{self, TAG_F32_LE, TAG_F64_LE},
    schema::{FunctionSchema, Type},
};

/// JSON that does not fit a WIT type.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{path}`: {what}")]
pub struct JsonError {
    /// Where, for example `documents[3].name`; `arguments` or `result` at the top.
    pub path: String,
    /// What is wrong and what would fit.
    pub what: String,
}

type Wire = Result<(), JsonError>;

impl FunctionSchema {
    /// Arguments from an object by parameter name (options may be left out) or from an array by position.
    ///
    /// # Errors
    /// The first place that does not fit; an unknown name comes with the nearest known one.
    pub fn args_from_json(&self, json: &Value) -> Result<Vec<u8>, JsonError> {
        let mut encoder = Encoder { out: Vec::with_capacity(64), path: Vec::new() };
        cbor::put_head(&mut encoder.out, cbor::ARRAY, self.params.len() as u64);
        match json {
            Value::Object(object) => encoder.fields(&self.params, object)?,
            Value::Array(items) if items.len() == self.params.len() => {
                for ((name, ty), item) in self.params.iter().zip(items) {
                    encoder.at(Step::Name(name), |encoder| encoder.value(ty, item))?;
                }
            }
            Value::Null if self.params.is_empty() => {}
            _ => {
                let names: Vec<_> = self.parameters().collect();
                let what = format!("expected an object or array with the parameters `{}`", names.join("`, `"));
                return Err(JsonError { path: "arguments".into(), what });
            }
        }
        Ok(encoder.out)
    }

    /// A result from its JSON, for example `{"ok": …}`.
    ///
    /// # Errors
    /// The first place that does not fit.
    pub fn result_from_json(&self, json: &Value) -> Result<Vec<u8>, JsonError> {
        let mut encoder = Encoder { out: Vec::with_capacity(64), path: vec![Step::Name("result")] };
        match (&self.result, json) {
            (Some(ty), json) => encoder.value(ty, json)?,
            (None, Value::Null) => encoder.out.push(cbor::NULL),
            (None, _) => return Err(encoder.expected("null, as the function returns nothing", json)),
        }
        Ok(encoder.out)
    }
}

const TWO_63: f64 = 9_223_372_036_854_775_808.0;
const TWO_64: f64 = 2.0 * TWO_63;

/// `1.0` and `1e3` are whole numbers too, for JSON Schema and for programs that know no others.
fn whole(json: &Value, within: Range<f64>) -> Option<f64> {
    json.as_f64().filter(|number| number.fract() == 0.0 && within.contains(number))
}

#[derive(Clone, Copy)]
enum Step<'a> {
    Name(&'a str),
    Index(usize),
}

struct Encoder<'a> {
    out: Vec<u8>,
    path: Vec<Step<'a>>,
}

impl<'a> Encoder<'a> {
    fn at(&mut self, step: Step<'a>, encode: impl FnOnce(&mut Self) -> Wire) -> Wire {
        self.path.push(step);
        encode(self)?;
        self.path.pop();
        Ok(())
    }

    fn error(&self, what: String) -> JsonError {
        let mut path = String::new();
        for step in &self.path {
            match step {
                Step::Name(name) if path.is_empty() => path.push_str(name),
                Step::Name(name) => path.push_str(&format!(".{name}")),
                Step::Index(index) => path.push_str(&format!("[{index}]")),
            }
        }
        JsonError { path: if path.is_empty() { "arguments".into() } else { path }, what }
    }

    fn expected(&self, want: &str, got: &Value) -> JsonError {
        let got = match got {
            Value::Null => "null".to_owned(),
            Value::Bool(_) => "a boolean".to_owned(),
            Value::Number(number) => format!("the number {number}"),
            Value::String(text) => format!("the string `{}`", text.chars().take(40).collect::<String>()),
            Value::Array(_) => "an array".to_owned(),
            Value::Object(_) => "an object".to_owned(),
        };
        self.error(format!("expected {want}, got {got}"))
    }

    fn unknown<'n>(&self, kind: &str, got: &str, known: impl Iterator<Item = &'n str> + Clone) -> JsonError {
        let nearest = known.clone().max_by(|a, b| strsim::jaro(a, got).total_cmp(&strsim::jaro(b, got)));
        let known: Vec<_> = known.collect();
        match nearest {
            Some(name) if strsim::jaro(name, got) > 0.6 => self.error(format!("unknown {kind} `{got}`; did you mean `{name}`?")),
            _ => self.error(format!("unknown {kind} `{got}`; known: `{}`", known.join("`, `"))),
        }
    }

    fn fields(&mut self, fields: &'a [(Box<str>, Type)], object: &Map<String, Value>) -> Wire {
        if let Some(key) = object.keys().find(|key| fields.iter().all(|(name, _)| **name != ***key)) {
            return Err(self.unknown("key", key, fields.iter().map(|(name, _)| &**name)));
        }
        for (name, ty) in fields {
            self.at(Step::Name(name), |encoder| match (object.get(&**name), ty) {
                (Some(item), ty) => encoder.value(ty, item),
                (None, Type::Option(_)) => encoder.value(ty, &Value::Null),
                (None, ty) => Err(encoder.error(format!("is missing; expected `{ty}`"))),
            })?;
        }
        Ok(())
    }

    fn value(&mut self, ty: &'a Type, json: &Value) -> Wire {
        match ty {
            Type::Bool => {
                let value = json.as_bool().ok_or_else(|| self.expected("true or false", json))?;
                cbor::put_bool(&mut self.out, value);
            }
            Type::U8 => self.unsigned(json, u8::MAX.into())?,
            Type::U16 => self.unsigned(json, u16::MAX.into())?,
            Type::U32 => self.unsigned(json, u32::MAX.into())?,
            Type::U64 => self.unsigned(json, u64::MAX)?,
            Type::S8 => self.signed(json, i8::MIN.into(), i8::MAX.into())?,
            Type::S16 => self.signed(json, i16::MIN.into(), i16::MAX.into())?,
            Type::S32 => self.signed(json, i32::MIN.into(), i32::MAX.into())?,
            Type::S64 => self.signed(json, i64::MIN, i64::MAX)?,
            Type::F32 => {
                let float = self.f32(json)?;
                cbor::put_f32_bits(&mut self.out, float.to_bits());
            }
            Type::F64 => {
                let float = self.f64(json)?;
                cbor::put_f64_bits(&mut self.out, float.to_bits());
            }
            Type::Char => self.char(json)?,
            Type::String => {
                let text = json.as_str().ok_or_else(|| self.expected("a string", json))?;
                cbor::put_text(&mut self.out, text);
            }
            Type::Bytes => self.bytes(json)?,
            Type::F32s | Type::F64s => self.floats(ty, json)?,
            Type::List(element) => {
                let items = json.as_array().ok_or_else(|| self.expected("an array", json))?;
                cbor::put_head(&mut self.out, cbor::ARRAY, items.len() as u64);
                for (index, item) in items.iter().enumerate() {
                    self.at(Step::Index(index), |encoder| encoder.value(element, item))?;
                }
            }
            Type::Record(fields) => {
                let object = json.as_object().ok_or_else(|| self.expected("an object", json))?;
                cbor::put_head(&mut self.out, cbor::ARRAY, fields.len() as u64);
                self.fields(fields, object)?;
            }
            Type::Tuple(types) => self.tuple(types, json)?,
            Type::Variant(cases) => self.variant(cases, json)?,
            Type::Result(sides) => self.result(&sides.0, &sides.1, json)?,
            Type::Enum(names) => {
                let name = json.as_str().ok_or_else(|| self.expected("a string", json))?;
                let index = self.index("case", name, names.iter().map(|name| &**name))?;
                cbor::put_head(&mut self.out, cbor::UNSIGNED, index as u64);
            }
            Type::Option(inner) => self.option(inner, json)?,
            Type::Flags(names) => self.flags(names, json)?,
        }
        Ok(())
    }

    fn unsigned(&mut self, json: &Value, max: u64) -> Wire {
        let value =
            json.as_u64().or_else(|| json.as_str()?.parse().ok()).or_else(|| whole(json, 0.0..TWO_64).map(|whole| whole as u64));
        let want = || format!("a whole number from 0 to {max}");
        let value = value.filter(|value| *value <= max).ok_or_else(|| self.expected(&want(), json))?;
        cbor::put_head(&mut self.out, cbor::UNSIGNED, value);
        Ok(())
    }

    fn signed(&mut self, json: &Value, min: i64, max: i64) -> Wire {
        let value = json
            .as_i64()
            .or_else(|| json.as_str()?.parse().ok())
            .or_else(|| whole(json, -TWO_63..TWO_63).map(|whole| whole as i64));
        let want = || format!("a whole number from {min} to {max}");
        let value = value.filter(|value| (min..=max).contains(value)).ok_or_else(|| self.expected(&want(), json))?;
        cbor::put_signed(&mut self.out, value);
        Ok(())
    }

    fn f64(&self, json: &Value) -> Result<f64, JsonError> {
        match json.as_str() {
            Some("NaN") => Some(f64::NAN),
            Some("Infinity") => Some(f64::INFINITY),
            Some("-Infinity") => Some(f64::NEG_INFINITY),
            _ => json.as_f64(),
        }
        .ok_or_else(|| self.expected("a number, `NaN`, `Infinity` or `-Infinity`", json))
    }

    fn f32(&self, json: &Value) -> Result<f32, JsonError> {
        let wide = self.f64(json)?;
        let float = wide as f32;
        if float.is_infinite() && wide.is_finite() {
            return Err(self.expected("a number that a 32-bit float can hold", json));
        }
        Ok(float)
    }

    fn char(&mut self, json: &Value) -> Wire {
        let mut chars = json.as_str().unwrap_or_default().chars();
        let (Some(only), None) = (chars.next(), chars.next()) else {
            return Err(self.expected("a string of one character", json));
        };
        cbor::put_head(&mut self.out, cbor::UNSIGNED, u64::from(only));
        Ok(())
    }

    fn bytes(&mut self, json: &Value) -> Wire {
        let text = json.as_str().ok_or_else(|| self.expected("a base64 string", json))?;
        let bytes = BASE64_STANDARD.decode(text).map_err(|error| self.error(format!("not base64: {error}")))?;
        cbor::put_bytes(&mut self.out, &bytes);
        Ok(())
    }

    fn floats(&mut self, ty: &Type, json: &Value) -> Wire {
        let items = json.as_array().ok_or_else(|| self.expected("an array of numbers", json))?;
        let (tag, size) = if *ty == Type::F32s { (TAG_F32_LE, 4) } else { (TAG_F64_LE, 8) };
        cbor::put_typed_array(&mut self.out, tag, items.len() * size);
        for (index, item) in items.iter().enumerate() {
            self.at(Step::Index(index), |encoder| match size {
                4 => encoder.f32(item).map(|float| encoder.out.extend_from_slice(&float.to_le_bytes())),
                _ => encoder.f64(item).map(|float| encoder.out.extend_from_slice(&float.to_le_bytes())),
            })?;
        }
        Ok(())
    }

    fn tuple(&mut self, types: &'a [Type], json: &Value) -> Wire {
        let items = json.as_array().filter(|items| items.len() == types.len());
        let items = items.ok_or_else(|| self.expected(&format!("an array of {}", types.len()), json))?;
        cbor::put_head(&mut self.out, cbor::ARRAY, types.len() as u64);
        for (index, (ty, item)) in types.iter().zip(items).enumerate() {
            self.at(Step::Index(index), |encoder| encoder.value(ty, item))?;
        }
        Ok(())
    }

    fn index<'n>(&self, kind: &str, name: &str, known: impl Iterator<Item = &'n str> + Clone) -> Result<usize, JsonError> {
        known.clone().position(|case| case == name).ok_or_else(|| self.unknown(kind, name, known))
    }

    fn variant(&mut self, cases: &'a [(Box<str>, Option<Type>)], json: &Value) -> Wire {
        let (name, payload) = match json {
            Value::String(name) => (name, None),
            Value::Object(object) if object.len() == 1 => object.iter().next().map(|(k, v)| (k, Some(v))).expect("one"),
            _ => return Err(self.expected("`\"case\"` or `{\"case\": payload}`", json)),
        };
        let index = self.index("case", name, cases.iter().map(|(name, _)| &**name))?;
        self.case(&cases[index].0, index, cases[index].1.as_ref(), payload)
    }

    fn result(&mut self, ok: &'a Option<Type>, err: &'a Option<Type>, json: &Value) -> Wire {
        let only = json.as_object().filter(|object| object.len() == 1).and_then(|object| object.iter().next());
        let (name, index, ty, payload) = match only {
            Some((name, payload)) if name == "ok" => ("ok", 0, ok.as_ref(), payload),
            Some((name, payload)) if name == "err" => ("err", 1, err.as_ref(), payload),
            _ => return Err(self.expected("`{\"ok\": …}` or `{\"err\": …}`", json)),
        };
        let payload = if ty.is_none() && payload.is_null() { None } else { Some(payload) };
        self.case(name, index, ty, payload)
    }

    fn case(&mut self, name: &'a str, index: usize, ty: Option<&'a Type>, payload: Option<&Value>) -> Wire {
        cbor::put_head(&mut self.out, cbor::ARRAY, 1 + u64::from(ty.is_some()));
        cbor::put_head(&mut self.out, cbor::UNSIGNED, index as u64);
        match (ty, payload) {
            (Some(ty), Some(payload)) => self.at(Step::Name(name), |encoder| encoder.value(ty, payload)),
            (None, None) => Ok(()),
            (Some(ty), None) => Err(self.error(format!("`{name}` carries a value; write `{{\"{name}\": {ty}}}`"))),
            (None, Some(_)) => Err(self.error(format!("`{name}` carries no value; write `\"{name}\"`"))),
        }
    }

    fn option(&mut self, inner: &'a Type, json: &Value) -> Wire {
        if json.is_null() {
            self.out.push(cbor::NULL);
            return Ok(());
        }
        if !matches!(inner, Type::Option(_)) {
            return self.value(inner, json);
        }
        let Some([item]) = json.as_array().map(Vec::as_slice) else {
            return Err(self.expected("null, or the inner option in an array of one", json));
        };
        cbor::put_head(&mut self.out, cbor::ARRAY, 1);
        self.value(inner, item)
    }

    fn flags(&mut self, names: &'a [Box<str>], json: &Value) -> Wire {
        let items = json.as_array().ok_or_else(|| self.expected("an array of flag names", json))?;
        let mut bits = 0u64;
        for item in items {
            let name = item.as_str().ok_or_else(|| self.expected("a flag's name", item))?;
            bits |= 1 << self.index("flag", name, names.iter().map(|name| &**name))?;
        }
        cbor::put_head(&mut self.out, cbor::UNSIGNED, bits);
        Ok(())
    }
}
