//! Checks wire bytes against a type: one pass, no allocation, as deep as the type is.

use super::{
    WireError,
    cbor::{Reader, TAG_F32_LE, TAG_F64_LE},
    schema::{FunctionSchema, Type},
};

impl FunctionSchema {
    /// Are these bytes arguments for this function?
    ///
    /// # Errors
    /// The first place where they are not.
    pub fn validate_args(&self, bytes: &[u8]) -> Result<(), WireError> {
        let mut reader = Reader::new(bytes);
        reader.array_of(self.params.len(), "another number of arguments than the function has")?;
        for (_, ty) in &self.params {
            check(ty, &mut reader)?;
        }
        reader.end()
    }

    /// Are these bytes a result of this function?
    ///
    /// # Errors
    /// The first place where they are not.
    pub fn validate_result(&self, bytes: &[u8]) -> Result<(), WireError> {
        let mut reader = Reader::new(bytes);
        match &self.result {
            Some(ty) => check(ty, &mut reader)?,
            None if reader.null() => {}
            None => return Err(reader.error("expected null: the function returns nothing")),
        }
        reader.end()
    }
}

fn check(ty: &Type, reader: &mut Reader<'_>) -> Result<(), WireError> {
    match ty {
        Type::Bool => reader.boolean().map(drop),
        Type::U8 => reader.unsigned(u8::MAX.into()).map(drop),
        Type::U16 => reader.unsigned(u16::MAX.into()).map(drop),
        Type::U32 => reader.unsigned(u32::MAX.into()).map(drop),
        Type::U64 => reader.unsigned(u64::MAX).map(drop),
        Type::S8 => reader.signed(i8::MIN.into(), i8::MAX.into()).map(drop),
        Type::S16 => reader.signed(i16::MIN.into(), i16::MAX.into()).map(drop),
        Type::S32 => reader.signed(i32::MIN.into(), i32::MAX.into()).map(drop),
        Type::S64 => reader.signed(i64::MIN, i64::MAX).map(drop),
        Type::F32 => reader.f32_bits().map(drop),
        Type::F64 => reader.f64_bits().map(drop),
        Type::Char => reader.char().map(drop),
        Type::String => reader.text().map(drop),
        Type::Bytes => reader.bytes().map(drop),
        Type::F32s => reader.typed_array(TAG_F32_LE, 4).map(drop),
        Type::F64s => reader.typed_array(TAG_F64_LE, 8).map(drop),
        Type::List(element) => (0..reader.array()?).try_for_each(|_| check(element, reader)),
        Type::Record(fields) => {
            reader.array_of(fields.len(), "a record with another number of fields")?;
            fields.iter().try_for_each(|(_, ty)| check(ty, reader))
        }
        Type::Tuple(types) => {
            reader.array_of(types.len(), "a tuple of another length")?;
            types.iter().try_for_each(|ty| check(ty, reader))
        }
        Type::Variant(cases) => {
            let (case, payload) = case(reader, cases.len(), |index| cases[index].1.as_ref())?;
            debug_assert!(case < cases.len());
            payload.map_or(Ok(()), |ty| check(ty, reader))
        }
        Type::Result(sides) => {
            let (_, payload) = case(reader, 2, |index| if index == 0 { sides.0.as_ref() } else { sides.1.as_ref() })?;
            payload.map_or(Ok(()), |ty| check(ty, reader))
        }
        Type::Enum(names) => reader.unsigned(names.len().saturating_sub(1) as u64).map(drop),
        Type::Option(inner) => match some(reader, inner)? {
            true => check(inner, reader),
            false => Ok(()),
        },
        Type::Flags(names) => reader.unsigned(flags_mask(names.len())).map(drop),
    }
}

/// Every bit that `count` flags may set.
pub(super) fn flags_mask(count: usize) -> u64 {
    match count {
        0 => 0,
        1..=63 => (1 << count) - 1,
        _ => u64::MAX,
    }
}

/// Reads `[case]` or `[case, payload` up to the payload; gives the case and the payload's type.
pub(super) fn case<'t>(
    reader: &mut Reader<'_>,
    count: usize,
    payload: impl Fn(usize) -> Option<&'t Type>,
) -> Result<(usize, Option<&'t Type>), WireError> {
    let parts = reader.array()?;
    let index = reader.unsigned(u64::MAX)?;
    let Some(index) = usize::try_from(index).ok().filter(|index| *index < count) else {
        return Err(reader.error("a case that the variant does not have"));
    };
    let payload = payload(index);
    if parts == 1 + usize::from(payload.is_some()) {
        Ok((index, payload))
    } else {
        Err(reader.error("a case with a payload too many or too few"))
    }
}

/// Reads an option up to its value; true where a value follows.
pub(super) fn some(reader: &mut Reader<'_>, inner: &Type) -> Result<bool, WireError> {
    if reader.null() {
        return Ok(false);
    }
    if matches!(inner, Type::Option(_)) {
        reader.array_of(1, "expected null or the inner option in an array of one")?;
    }
    Ok(true)
}
