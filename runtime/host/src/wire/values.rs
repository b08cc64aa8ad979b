//! The slow path: wire bytes to wasmtime's dynamic values and back. The fast path in `raw.rs` is tested against it.

use wasmtime::component::Val;

use super::{
    WireError,
    cbor::{self, Reader, TAG_F32_LE, TAG_F64_LE},
    check,
    schema::{FunctionSchema, Type},
};

/// Decodes the arguments of a call.
pub(crate) fn decode_args(schema: &FunctionSchema, bytes: &[u8]) -> Result<Vec<Val>, WireError> {
    let mut reader = Reader::new(bytes);
    reader.array_of(schema.params.len(), "another number of arguments than the function has")?;
    let values = schema.params.iter().map(|(_, ty)| decode(ty, &mut reader)).collect::<Result<_, _>>()?;
    reader.end()?;
    Ok(values)
}

/// Decodes the result of a call into its place; a function without result has none.
pub(crate) fn decode_result(schema: &FunctionSchema, bytes: &[u8], place: &mut [Val]) -> Result<(), WireError> {
    let mut reader = Reader::new(bytes);
    match (&schema.result, place) {
        (Some(ty), [place]) => *place = decode(ty, &mut reader)?,
        (None, []) if reader.null() => {}
        _ => return Err(reader.error("a result where the function has none, or none where it has one")),
    }
    reader.end()
}

/// Encodes the arguments of a call.
pub(crate) fn encode_args(schema: &FunctionSchema, values: &[Val]) -> Result<Vec<u8>, WireError> {
    let mut out = Vec::with_capacity(64);
    cbor::put_head(&mut out, cbor::ARRAY, values.len() as u64);
    for ((_, ty), value) in schema.params.iter().zip(values) {
        encode(ty, value, &mut out)?;
    }
    Ok(out)
}

/// Encodes the result of a call.
pub(crate) fn encode_result(schema: &FunctionSchema, values: &[Val]) -> Result<Vec<u8>, WireError> {
    let mut out = Vec::with_capacity(64);
    match (&schema.result, values) {
        (Some(ty), [value]) => encode(ty, value, &mut out)?,
        _ => out.push(cbor::NULL),
    }
    Ok(out)
}

fn decode(ty: &Type, reader: &mut Reader<'_>) -> Result<Val, WireError> {
    Ok(match ty {
        Type::Bool => Val::Bool(reader.boolean()?),
        Type::U8 => Val::U8(reader.unsigned(u8::MAX.into())? as u8),
        Type::U16 => Val::U16(reader.unsigned(u16::MAX.into())? as u16),
        Type::U32 => Val::U32(reader.unsigned(u32::MAX.into())? as u32),
        Type::U64 => Val::U64(reader.unsigned(u64::MAX)?),
        Type::S8 => Val::S8(reader.signed(i8::MIN.into(), i8::MAX.into())? as i8),
        Type::S16 => Val::S16(reader.signed(i16::MIN.into(), i16::MAX.into())? as i16),
        Type::S32 => Val::S32(reader.signed(i32::MIN.into(), i32::MAX.into())? as i32),
        Type::S64 => Val::S64(reader.signed(i64::MIN, i64::MAX)?),
        Type::F32 => Val::Float32(f32::from_bits(reader.f32_bits()?)),
        Type::F64 => Val::Float64(f64::from_bits(reader.f64_bits()?)),
        Type::Char => Val::Char(reader.char()?),
        Type::String => Val::String(reader.text()?.to_owned()),
        Type::Bytes => Val::List(reader.bytes()?.iter().map(|byte| Val::U8(*byte)).collect()),
        Type::F32s => Val::List(
            reader.typed_array(TAG_F32_LE, 4)?.as_chunks::<4>().0.iter().map(|b| Val::Float32(f32::from_le_bytes(*b))).collect(),
        ),
        Type::F64s => Val::List(
            reader.typed_array(TAG_F64_LE, 8)?.as_chunks::<8>().0.iter().map(|b| Val::Float64(f64::from_le_bytes(*b))).collect(),
        ),
        Type::List(element) => {
            let count = reader.array()?;
            Val::List((0..count).map(|_| decode(element, reader)).collect::<Result<_, _>>()?)
        }
        Type::Record(fields) => {
            reader.array_of(fields.len(), "a record with another number of fields")?;
            let fields = fields.iter().map(|(name, ty)| Ok((name.to_string(), decode(ty, reader)?)));
            Val::Record(fields.collect::<Result<_, _>>()?)
        }
        Type::Tuple(types) => {
            reader.array_of(types.len(), "a tuple of another length")?;
            Val::Tuple(types.iter().map(|ty| decode(ty, reader)).collect::<Result<_, _>>()?)
        }
        Type::Variant(cases) => {
            let (index, payload) = check::case(reader, cases.len(), |index| cases[index].1.as_ref())?;
            Val::Variant(cases[index].0.to_string(), boxed(payload, reader)?)
        }
        Type::Result(sides) => {
            let side = |index| if index == 0 { sides.0.as_ref() } else { sides.1.as_ref() };
            let (index, payload) = check::case(reader, 2, side)?;
            let payload = boxed(payload, reader)?;
            Val::Result(if index == 0 { Ok(payload) } else { Err(payload) })
        }
        Type::Enum(names) => {
            let index = reader.unsigned(names.len().saturating_sub(1) as u64)?;
            Val::Enum(names[index as usize].to_string())
        }
        Type::Option(inner) => match check::some(reader, inner)? {
            true => Val::Option(Some(Box::new(decode(inner, reader)?))),
            false => Val::Option(None),
        },
        Type::Flags(names) => {
            let bits = reader.unsigned(check::flags_mask(names.len()))?;
            let set = names.iter().enumerate().filter(|(index, _)| bits >> index & 1 == 1);
            Val::Flags(set.map(|(_, name)| name.to_string()).collect())
        }
    })
}

fn boxed(payload: Option<&Type>, reader: &mut Reader<'_>) -> Result<Option<Box<Val>>, WireError> {
    payload.map(|ty| decode(ty, reader).map(Box::new)).transpose()
}

const MISMATCH: WireError = WireError { at: 0, what: "a value that is not of its declared type" };

fn encode(ty: &Type, value: &Val, out: &mut Vec<u8>) -> Result<(), WireError> {
    match (ty, value) {
        (Type::Bool, Val::Bool(v)) => cbor::put_bool(out, *v),
        (Type::U8, Val::U8(v)) => cbor::put_head(out, cbor::UNSIGNED, u64::from(*v)),
        (Type::U16, Val::U16(v)) => cbor::put_head(out, cbor::UNSIGNED, u64::from(*v)),
        (Type::U32, Val::U32(v)) => cbor::put_head(out, cbor::UNSIGNED, u64::from(*v)),
        (Type::U64, Val::U64(v)) => cbor::put_head(out, cbor::UNSIGNED, *v),
        (Type::S8, Val::S8(v)) => cbor::put_signed(out, i64::from(*v)),
        (Type::S16, Val::S16(v)) => cbor::put_signed(out, i64::from(*v)),
        (Type::S32, Val::S32(v)) => cbor::put_signed(out, i64::from(*v)),
        (Type::S64, Val::S64(v)) => cbor::put_signed(out, *v),
        (Type::F32, Val::Float32(v)) => cbor::put_f32_bits(out, v.to_bits()),
        (Type::F64, Val::Float64(v)) => cbor::put_f64_bits(out, v.to_bits()),
        (Type::Char, Val::Char(v)) => cbor::put_head(out, cbor::UNSIGNED, u64::from(*v)),
        (Type::String, Val::String(v)) => cbor::put_text(out, v),
        (Type::Bytes, Val::List(items)) => encode_bytes(items, out)?,
        (Type::F32s | Type::F64s, Val::List(items)) => encode_floats(ty, items, out)?,
        (Type::List(element), Val::List(items)) => {
            cbor::put_head(out, cbor::ARRAY, items.len() as u64);
            items.iter().try_for_each(|item| encode(element, item, out))?;
        }
        (Type::Record(fields), Val::Record(items)) if fields.len() == items.len() => {
            cbor::put_head(out, cbor::ARRAY, items.len() as u64);
            fields.iter().zip(items).try_for_each(|((_, ty), (_, item))| encode(ty, item, out))?;
        }
        (Type::Tuple(types), Val::Tuple(items)) if types.len() == items.len() => {
            cbor::put_head(out, cbor::ARRAY, items.len() as u64);
            types.iter().zip(items).try_for_each(|(ty, item)| encode(ty, item, out))?;
        }
        (Type::Variant(cases), Val::Variant(name, payload)) => {
            let index = cases.iter().position(|(case, _)| **case == **name).ok_or(MISMATCH)?;
            encode_case(index, cases[index].1.as_ref(), payload.as_deref(), out)?;
        }
        (Type::Result(sides), Val::Result(Ok(payload))) => encode_case(0, sides.0.as_ref(), payload.as_deref(), out)?,
        (Type::Result(sides), Val::Result(Err(payload))) => encode_case(1, sides.1.as_ref(), payload.as_deref(), out)?,
        (Type::Enum(names), Val::Enum(name)) => {
            let index = names.iter().position(|case| **case == **name).ok_or(MISMATCH)?;
            cbor::put_head(out, cbor::UNSIGNED, index as u64);
        }
        (Type::Option(_), Val::Option(None)) => out.push(cbor::NULL),
        (Type::Option(inner), Val::Option(Some(item))) => {
            if matches!(**inner, Type::Option(_)) {
                cbor::put_head(out, cbor::ARRAY, 1);
            }
            encode(inner, item, out)?;
        }
        (Type::Flags(names), Val::Flags(set)) => {
            let bit = |name: &String| names.iter().position(|flag| **flag == **name).map(|index| 1u64 << index);
            let bits = set.iter().try_fold(0, |bits, name| Some(bits | bit(name)?)).ok_or(MISMATCH)?;
            cbor::put_head(out, cbor::UNSIGNED, bits);
        }
        _ => return Err(MISMATCH),
    }
    Ok(())
}

fn encode_case(index: usize, ty: Option<&Type>, payload: Option<&Val>, out: &mut Vec<u8>) -> Result<(), WireError> {
    cbor::put_head(out, cbor::ARRAY, 1 + u64::from(ty.is_some()));
    cbor::put_head(out, cbor::UNSIGNED, index as u64);
    match (ty, payload) {
        (Some(ty), Some(value)) => encode(ty, value, out),
        (None, None) => Ok(()),
        _ => Err(MISMATCH),
    }
}

fn encode_bytes(items: &[Val], out: &mut Vec<u8>) -> Result<(), WireError> {
    cbor::put_head(out, cbor::BYTES, items.len() as u64);
    for item in items {
        let Val::U8(byte) = item else { return Err(MISMATCH) };
        out.push(*byte);
    }
    Ok(())
}

fn encode_floats(ty: &Type, items: &[Val], out: &mut Vec<u8>) -> Result<(), WireError> {
    let (tag, size) = if *ty == Type::F32s { (TAG_F32_LE, 4) } else { (TAG_F64_LE, 8) };
    cbor::put_typed_array(out, tag, items.len() * size);
    for item in items {
        match item {
            Val::Float32(v) if size == 4 => out.extend_from_slice(&v.to_le_bytes()),
            Val::Float64(v) if size == 8 => out.extend_from_slice(&v.to_le_bytes()),
            _ => return Err(MISMATCH),
        }
    }
    Ok(())
}
