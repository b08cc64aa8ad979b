//! Wire bytes to canonical ABI values, in registers or in guest memory. The bytes have passed their schema; whatever
//! does not fit is an error here too.

use std::mem::MaybeUninit;

use wasmtime::{
    Result, ValRaw,
    component::__internal::{InterfaceType, LowerContext, wasmtime_environ::component::TypeTuple},
    ensure, format_err,
};

use super::{count_of, ensure_utf8, flags_mask, no_such_case, payload_of, scalar_size, unfit, variant_info};
use crate::wire::cbor::{Reader, TAG_F32_LE, TAG_F64_LE};

/// Puts the values of `list` into registers.
pub(super) fn to_flat<T>(
    cx: &mut LowerContext<'_, T>,
    list: &TypeTuple,
    reader: Reader<'_>,
    place: &mut [MaybeUninit<ValRaw>],
) -> Result<()> {
    let mut lower = Lowering { cx, reader };
    let mut place = place.iter_mut();
    list.types.iter().try_for_each(|ty| lower.flat(*ty, &mut place))?;
    ensure!(place.len() == 0, "fewer flat values than the type has");
    Ok(lower.reader.end()?)
}

/// Puts the values of `list` into guest memory.
pub(super) fn to_memory<T>(cx: &mut LowerContext<'_, T>, list: &TypeTuple, reader: Reader<'_>, at: usize) -> Result<()> {
    let mut lower = Lowering { cx, reader };
    lower.fields(list.types.iter().copied(), at)?;
    Ok(lower.reader.end()?)
}

type Place<'a> = std::slice::IterMut<'a, MaybeUninit<ValRaw>>;

fn put(place: &mut Place<'_>, bits: u64) -> Result<()> {
    place.next().ok_or_else(|| format_err!("more flat values than the type has"))?.write(ValRaw::u64(bits));
    Ok(())
}

struct Lowering<'c, 's, 'r, T: 'static> {
    cx: &'c mut LowerContext<'s, T>,
    reader: Reader<'r>,
}

impl<T> Lowering<'_, '_, '_, T> {
    fn write(&mut self, at: usize, bytes: &[u8]) -> Result<()> {
        let place = self.cx.as_slice_mut().get_mut(at..).and_then(|rest| rest.get_mut(..bytes.len()));
        place.ok_or_else(|| format_err!("pointer out of bounds of memory"))?.copy_from_slice(bytes);
        Ok(())
    }

    /// The low `size` bytes of a number, at most eight.
    fn write_number(&mut self, at: usize, bits: u64, size: usize) -> Result<()> {
        self.write(at, &bits.to_le_bytes()[..size])
    }

    /// Copies bytes into fresh guest memory.
    fn allocate(&mut self, bytes: &[u8], align: u32) -> Result<usize> {
        if bytes.is_empty() {
            return Ok(align as usize);
        }
        let at = self.cx.realloc(0, 0, align, bytes.len())?;
        self.write(at, bytes)?;
        Ok(at)
    }

    /// A type that is one number, as bits: extended to 32 bits by its sign, and by zeros from there.
    fn scalar(&mut self, ty: InterfaceType) -> Result<u64> {
        let reader = &mut self.reader;
        let small = |value: i64| u64::from(value as i32 as u32);
        Ok(match ty {
            InterfaceType::Bool => u64::from(reader.boolean()?),
            InterfaceType::U8 => reader.unsigned(u8::MAX.into())?,
            InterfaceType::U16 => reader.unsigned(u16::MAX.into())?,
            InterfaceType::U32 => reader.unsigned(u32::MAX.into())?,
            InterfaceType::U64 => reader.unsigned(u64::MAX)?,
            InterfaceType::S8 => small(reader.signed(i8::MIN.into(), i8::MAX.into())?),
            InterfaceType::S16 => small(reader.signed(i16::MIN.into(), i16::MAX.into())?),
            InterfaceType::S32 => small(reader.signed(i32::MIN.into(), i32::MAX.into())?),
            InterfaceType::S64 => reader.signed(i64::MIN, i64::MAX)? as u64,
            InterfaceType::Float32 => reader.f32_bits()?.into(),
            InterfaceType::Float64 => reader.f64_bits()?,
            InterfaceType::Char => u32::from(reader.char()?).into(),
            _ => return Err(unfit()),
        })
    }

    fn string(&mut self) -> Result<(usize, usize)> {
        ensure_utf8(self.cx.options().string_encoding)?;
        let text = self.reader.text()?;
        Ok((self.allocate(text.as_bytes(), 1)?, text.len()))
    }

    fn list(&mut self, element: InterfaceType) -> Result<(usize, usize)> {
        match element {
            InterfaceType::U8 => {
                let bytes = self.reader.bytes()?;
                Ok((self.allocate(bytes, 1)?, bytes.len()))
            }
            InterfaceType::Float32 => {
                let bytes = self.reader.typed_array(TAG_F32_LE, 4)?;
                Ok((self.allocate(bytes, 4)?, bytes.len() / 4))
            }
            InterfaceType::Float64 => {
                let bytes = self.reader.typed_array(TAG_F64_LE, 8)?;
                Ok((self.allocate(bytes, 8)?, bytes.len() / 8))
            }
            _ => self.elements(element),
        }
    }

    fn elements(&mut self, element: InterfaceType) -> Result<(usize, usize)> {
        let count = self.reader.array()?;
        let abi = self.cx.types.canonical_abi(&element);
        let size = abi.size32 as usize;
        if count == 0 {
            return Ok((abi.align32 as usize, 0));
        }
        let length = count.checked_mul(size).ok_or_else(|| format_err!("list length overflows"))?;
        let at = self.cx.realloc(0, 0, abi.align32, length)?;
        (0..count).try_for_each(|index| self.store(element, at + index * size))?;
        Ok((at, count))
    }

    fn enumeration(&mut self, count: usize) -> Result<u64> {
        let index = self.reader.unsigned(u32::MAX.into())?;
        ensure!(index < count as u64, no_such_case());
        Ok(index)
    }

    /// Reads a case up to its payload.
    fn case(&mut self, ty: InterfaceType) -> Result<(usize, Option<InterfaceType>)> {
        let types = self.cx.types;
        if let InterfaceType::Option(option) = ty {
            let inner = types[option].ty;
            if self.reader.null() {
                return Ok((0, None));
            }
            if matches!(inner, InterfaceType::Option(_)) {
                self.reader.array_of(1, "expected null or the inner option in an array of one")?;
            }
            return Ok((1, Some(inner)));
        }
        let parts = self.reader.array()?;
        let index = usize::try_from(self.reader.unsigned(u32::MAX.into())?)?;
        let payload = payload_of(types, ty, index)?;
        ensure!(parts == 1 + usize::from(payload.is_some()), "a case with a payload too many or too few");
        Ok((index, payload))
    }

    fn flat(&mut self, ty: InterfaceType, place: &mut Place<'_>) -> Result<()> {
        let types = self.cx.types;
        match ty {
            InterfaceType::String => {
                let (at, length) = self.string()?;
                put(place, at as u64)?;
                put(place, length as u64)
            }
            InterfaceType::List(index) => {
                let (at, count) = self.list(types[index].element)?;
                put(place, at as u64)?;
                put(place, count as u64)
            }
            InterfaceType::Record(index) => {
                let fields = &types[index].fields;
                self.reader.array_of(fields.len(), "a record with another number of fields")?;
                fields.iter().try_for_each(|field| self.flat(field.ty, place))
            }
            InterfaceType::Tuple(index) => {
                let items = &types[index].types;
                self.reader.array_of(items.len(), "a tuple of another length")?;
                items.iter().try_for_each(|ty| self.flat(*ty, place))
            }
            InterfaceType::Enum(index) => put(place, self.enumeration(types[index].names.len())?),
            InterfaceType::Flags(index) => put(place, self.reader.unsigned(flags_mask(types[index].names.len())?)?),
            InterfaceType::Variant(_) | InterfaceType::Result(_) | InterfaceType::Option(_) => self.flat_case(ty, place),
            _ => put(place, self.scalar(ty)?),
        }
    }

    /// A case takes as many flat values as the largest one; those it does not use are zero.
    fn flat_case(&mut self, ty: InterfaceType, place: &mut Place<'_>) -> Result<()> {
        let total = count_of(self.cx.types.canonical_abi(&ty))?;
        let left = place.len().checked_sub(total).ok_or_else(|| format_err!("more flat values than the type has"))?;
        let (index, payload) = self.case(ty)?;
        put(place, index as u64)?;
        if let Some(payload) = payload {
            self.flat(payload, place)?;
        }
        while place.len() > left {
            put(place, 0)?;
        }
        Ok(())
    }

    fn store(&mut self, ty: InterfaceType, at: usize) -> Result<()> {
        let types = self.cx.types;
        match ty {
            InterfaceType::String => {
                let pointer = self.string()?;
                self.store_pointer(at, pointer)
            }
            InterfaceType::List(index) => {
                let pointer = self.list(types[index].element)?;
                self.store_pointer(at, pointer)
            }
            InterfaceType::Record(index) => {
                let fields = &types[index].fields;
                self.reader.array_of(fields.len(), "a record with another number of fields")?;
                self.fields(fields.iter().map(|field| field.ty), at)
            }
            InterfaceType::Tuple(index) => {
                let items = &types[index].types;
                self.reader.array_of(items.len(), "a tuple of another length")?;
                self.fields(items.iter().copied(), at)
            }
            InterfaceType::Enum(index) => {
                let case = self.enumeration(types[index].names.len())?;
                self.store_discriminant(ty, case, at)
            }
            InterfaceType::Flags(index) => {
                let bits = self.reader.unsigned(flags_mask(types[index].names.len())?)?;
                self.write_number(at, bits, (types[index].abi.size32 as usize).min(4))
            }
            InterfaceType::Variant(_) | InterfaceType::Result(_) | InterfaceType::Option(_) => {
                let (index, payload) = self.case(ty)?;
                self.store_discriminant(ty, index as u64, at)?;
                match payload {
                    Some(payload) => self.store(payload, at + variant_info(types, ty)?.payload_offset32 as usize),
                    None => Ok(()),
                }
            }
            _ => {
                let bits = self.scalar(ty)?;
                self.write_number(at, bits, scalar_size(ty).ok_or_else(unfit)?)
            }
        }
    }

    fn store_pointer(&mut self, at: usize, (pointer, length): (usize, usize)) -> Result<()> {
        self.write_number(at, pointer as u64, 4)?;
        self.write_number(at + 4, length as u64, 4)
    }

    fn store_discriminant(&mut self, ty: InterfaceType, case: u64, at: usize) -> Result<()> {
        let size = usize::from(variant_info(self.cx.types, ty)?.size).min(4);
        self.write_number(at, case, size)
    }

    fn fields(&mut self, fields: impl Iterator<Item = InterfaceType>, mut at: usize) -> Result<()> {
        for ty in fields {
            let field = self.cx.types.canonical_abi(&ty).next_field32_size(&mut at);
            self.store(ty, field)?;
        }
        Ok(())
    }
}
