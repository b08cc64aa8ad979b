//! Wire bytes to JSON, guided by the WIT type. The inverse of `from_json.rs`.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde_json::{Map, Number, Value};

use super::{
    WireError,
    cbor::{Reader, TAG_F32_LE, TAG_F64_LE},
    check,
    schema::{FunctionSchema, Type},
};

impl FunctionSchema {
    /// The arguments as an object by parameter name.
    ///
    /// # Errors
    /// The bytes are not arguments of this function.
    pub fn args_to_json(&self, bytes: &[u8]) -> Result<Value, WireError> {
        let mut reader = Reader::new(bytes);
        reader.array_of(self.params.len(), "another number of arguments than the function has")?;
        let fields = fields(&self.params, &mut reader)?;
        reader.end()?;
        Ok(fields)
    }

    /// The result; null where the function has none.
    ///
    /// # Errors
    /// The bytes are not a result of this function.
    pub fn result_to_json(&self, bytes: &[u8]) -> Result<Value, WireError> {
        let mut reader = Reader::new(bytes);
        let value = match &self.result {
            Some(ty) => value(ty, &mut reader)?,
            None if reader.null() => Value::Null,
            None => return Err(reader.error("expected null: the function returns nothing")),
        };
        reader.end()?;
        Ok(value)
    }
}

fn fields(fields: &[(Box<str>, Type)], reader: &mut Reader<'_>) -> Result<Value, WireError> {
    let fields = fields.iter().map(|(name, ty)| Ok((name.to_string(), value(ty, reader)?)));
    fields.collect::<Result<Map<_, _>, _>>().map(Value::Object)
}

fn array<'t>(types: impl Iterator<Item = &'t Type>, reader: &mut Reader<'_>) -> Result<Value, WireError> {
    types.map(|ty| value(ty, reader)).collect::<Result<Vec<_>, _>>().map(Value::Array)
}

fn value(ty: &Type, reader: &mut Reader<'_>) -> Result<Value, WireError> {
    Ok(match ty {
        Type::Bool => reader.boolean()?.into(),
        Type::U8 => reader.unsigned(u8::MAX.into())?.into(),
        Type::U16 => reader.unsigned(u16::MAX.into())?.into(),
        Type::U32 => reader.unsigned(u32::MAX.into())?.into(),
        Type::U64 => reader.unsigned(u64::MAX)?.to_string().into(),
        Type::S8 => reader.signed(i8::MIN.into(), i8::MAX.into())?.into(),
        Type::S16 => reader.signed(i16::MIN.into(), i16::MAX.into())?.into(),
        Type::S32 => reader.signed(i32::MIN.into(), i32::MAX.into())?.into(),
        Type::S64 => reader.signed(i64::MIN, i64::MAX)?.to_string().into(),
        Type::F32 => f32_json(f32::from_bits(reader.f32_bits()?)),
        Type::F64 => f64_json(f64::from_bits(reader.f64_bits()?)),
        Type::Char => reader.char()?.to_string().into(),
        Type::String => reader.text()?.into(),
        Type::Bytes => BASE64_STANDARD.encode(reader.bytes()?).into(),
        Type::F32s => {
            let (floats, _) = reader.typed_array(TAG_F32_LE, 4)?.as_chunks();
            floats.iter().map(|bytes| f32_json(f32::from_le_bytes(*bytes))).collect()
        }
        Type::F64s => {
            let (floats, _) = reader.typed_array(TAG_F64_LE, 8)?.as_chunks();
            floats.iter().map(|bytes| f64_json(f64::from_le_bytes(*bytes))).collect()
        }
        Type::List(element) => {
            let count = reader.array()?;
            array(std::iter::repeat_n(&**element, count), reader)?
        }
        Type::Record(types) => {
            reader.array_of(types.len(), "a record with another number of fields")?;
            fields(types, reader)?
        }
        Type::Tuple(types) => {
            reader.array_of(types.len(), "a tuple of another length")?;
            array(types.iter(), reader)?
        }
        Type::Variant(cases) => {
            let (index, payload) = check::case(reader, cases.len(), |index| cases[index].1.as_ref())?;
            let name = cases[index].0.to_string();
            match payload {
                Some(ty) => Value::Object(Map::from_iter([(name, value(ty, reader)?)])),
                None => name.into(),
            }
        }
        Type::Result(sides) => {
            let side = |index| if index == 0 { sides.0.as_ref() } else { sides.1.as_ref() };
            let (index, payload) = check::case(reader, 2, side)?;
            let payload = payload.map(|ty| value(ty, reader)).transpose()?.unwrap_or(Value::Null);
            let name = if index == 0 { "ok" } else { "err" };
            Value::Object(Map::from_iter([(name.to_owned(), payload)]))
        }
        Type::Enum(names) => {
            let index = reader.unsigned(names.len().saturating_sub(1) as u64)?;
            names[index as usize].to_string().into()
        }
        Type::Option(inner) => match (check::some(reader, inner)?, &**inner) {
            (false, _) => Value::Null,
            (true, Type::Option(_)) => Value::Array(vec![value(inner, reader)?]),
            (true, _) => value(inner, reader)?,
        },
        Type::Flags(names) => {
            let bits = reader.unsigned(check::flags_mask(names.len()))?;
            let set = names.iter().enumerate().filter(|(index, _)| bits >> index & 1 == 1);
            set.map(|(_, name)| name.to_string()).collect()
        }
    })
}

/// The shortest decimal that reads back as this very `f32`, so that 0.1 is not shown as 0.10000000149011612.
fn f32_json(float: f32) -> Value {
    let decimal = float.is_finite().then(|| float.to_string().parse().ok()).flatten();
    f64_json(decimal.unwrap_or(f64::from(float)))
}

fn f64_json(float: f64) -> Value {
    match Number::from_f64(float) {
        Some(number) => Value::Number(number),
        None if float.is_nan() => "NaN".into(),
        None if float > 0.0 => "Infinity".into(),
        None => "-Infinity".into(),
    }
}
