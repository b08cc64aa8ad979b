//! Canonical ABI values, in registers or in guest memory, to wire bytes.

use std::sync::Arc;

use wasmtime::{
    Result, ValRaw,
    component::__internal::{ComponentTypes, InterfaceType, LiftContext, wasmtime_environ::component::TypeTuple},
    ensure, format_err,
};

use super::{count_of, ensure_utf8, flags_mask, no_such_case, payload_of, scalar_size, unfit, variant_info};
use crate::wire::cbor::{self, TAG_F32_LE, TAG_F64_LE};

/// An array of the values of `list`, taken from registers.
pub(super) fn from_flat(cx: &mut LiftContext<'_>, list: &TypeTuple, source: &[ValRaw]) -> Result<Vec<u8>> {
    let mut lift = Lifting::new(cx);
    let mut source = source.iter();
    lift.array(list.types.len());
    list.types.iter().try_for_each(|ty| lift.flat(*ty, &mut source))?;
    Ok(lift.out)
}

/// An array of the values of `list`, taken from guest memory.
pub(super) fn from_memory(cx: &mut LiftContext<'_>, list: &TypeTuple, at: usize) -> Result<Vec<u8>> {
    let mut lift = Lifting::new(cx);
    lift.checked(at, list.abi.size32 as usize, list.abi.align32)?;
    lift.fields(list.types.iter().copied(), at)?;
    Ok(lift.out)
}

type Flat<'a> = std::slice::Iter<'a, ValRaw>;

fn next(source: &mut Flat<'_>) -> Result<ValRaw> {
    source.next().copied().ok_or_else(|| format_err!("fewer flat values than the type has"))
}

struct Lifting<'c, 'm> {
    cx: &'c mut LiftContext<'m>,
    types: &'m Arc<ComponentTypes>,
    out: Vec<u8>,
}

impl<'c, 'm> Lifting<'c, 'm> {
    fn new(cx: &'c mut LiftContext<'m>) -> Self {
        Lifting { types: cx.types, cx, out: Vec::with_capacity(128) }
    }

    /// A piece of guest memory.
    fn checked(&self, at: usize, size: usize, align: u32) -> Result<&'m [u8]> {
        ensure!(at.is_multiple_of(align as usize), "pointer not aligned");
        let memory = self.cx.memory();
        let piece = memory.get(at..).and_then(|rest| rest.get(..size));
        piece.ok_or_else(|| format_err!("pointer out of bounds of memory"))
    }

    /// A little-endian number of `size` bytes, at most eight.
    fn number(&self, at: usize, size: usize) -> Result<u64> {
        let mut bytes = [0; 8];
        bytes[..size].copy_from_slice(self.checked(at, size, 1)?);
        Ok(u64::from_le_bytes(bytes))
    }

    fn pointer(&self, at: usize) -> Result<(usize, usize)> {
        Ok((self.number(at, 4)? as usize, self.number(at + 4, 4)? as usize))
    }

    fn array(&mut self, count: usize) {
        cbor::put_head(&mut self.out, cbor::ARRAY, count as u64);
    }

    fn unsigned(&mut self, value: u64) {
        cbor::put_head(&mut self.out, cbor::UNSIGNED, value);
    }

    /// A type that is one number, from its bits; those beyond its size are ignored.
    fn scalar(&mut self, ty: InterfaceType, bits: u64) -> Result<()> {
        match ty {
            InterfaceType::Bool => cbor::put_bool(&mut self.out, bits != 0),
            InterfaceType::U8 => self.unsigned(u64::from(bits as u8)),
            InterfaceType::U16 => self.unsigned(u64::from(bits as u16)),
            InterfaceType::U32 => self.unsigned(u64::from(bits as u32)),
            InterfaceType::U64 => self.unsigned(bits),
            InterfaceType::S8 => cbor::put_signed(&mut self.out, i64::from(bits as i8)),
            InterfaceType::S16 => cbor::put_signed(&mut self.out, i64::from(bits as i16)),
            InterfaceType::S32 => cbor::put_signed(&mut self.out, i64::from(bits as i32)),
            InterfaceType::S64 => cbor::put_signed(&mut self.out, bits as i64),
            InterfaceType::Float32 => cbor::put_f32_bits(&mut self.out, bits as u32),
            InterfaceType::Float64 => cbor::put_f64_bits(&mut self.out, bits),
            InterfaceType::Char => {
                ensure!(char::from_u32(bits as u32).is_some(), "a char that is no Unicode scalar value");
                self.unsigned(u64::from(bits as u32));
            }
            _ => return Err(unfit()),
        }
        Ok(())
    }

    fn string(&mut self, at: usize, length: usize) -> Result<()> {
        ensure_utf8(self.cx.options().string_encoding)?;
        self.cx.consume_fuel(length)?;
        let text = std::str::from_utf8(self.checked(at, length, 1)?)?;
        cbor::put_text(&mut self.out, text);
        Ok(())
    }

    fn list(&mut self, element: InterfaceType, at: usize, count: usize) -> Result<()> {
        let abi = self.types.canonical_abi(&element);
        let size = abi.size32 as usize;
        let length = count.checked_mul(size).ok_or_else(|| format_err!("list length overflows"))?;
        let bytes = self.checked(at, length, abi.align32)?;
        self.cx.consume_fuel(length)?;
        match element {
            InterfaceType::U8 => cbor::put_bytes(&mut self.out, bytes),
            InterfaceType::Float32 | InterfaceType::Float64 => {
                let tag = if size == 4 { TAG_F32_LE } else { TAG_F64_LE };
                cbor::put_typed_array(&mut self.out, tag, length);
                self.out.extend_from_slice(bytes);
            }
            _ => {
                self.array(count);
                (0..count).try_for_each(|index| self.load(element, at + index * size))?;
            }
        }
        Ok(())
    }

    fn enumeration(&mut self, case: usize, count: usize) -> Result<()> {
        ensure!(case < count, no_such_case());
        self.unsigned(case as u64);
        Ok(())
    }

    /// The head of a case; gives the type of the payload that follows.
    fn case(&mut self, ty: InterfaceType, index: usize) -> Result<Option<InterfaceType>> {
        let payload = payload_of(self.types, ty, index)?;
        match (ty, payload) {
            (InterfaceType::Option(_), None) => self.out.push(cbor::NULL),
            (InterfaceType::Option(_), Some(InterfaceType::Option(_))) => self.array(1),
            (InterfaceType::Option(_), Some(_)) => {}
            _ => {
                self.array(1 + usize::from(payload.is_some()));
                self.unsigned(index as u64);
            }
        }
        Ok(payload)
    }

    fn flat(&mut self, ty: InterfaceType, source: &mut Flat<'_>) -> Result<()> {
        let types = self.types;
        match ty {
            InterfaceType::String => {
                let (at, length) = (next(source)?.get_u32(), next(source)?.get_u32());
                self.string(at as usize, length as usize)
            }
            InterfaceType::List(index) => {
                let (at, count) = (next(source)?.get_u32(), next(source)?.get_u32());
                self.list(types[index].element, at as usize, count as usize)
            }
            InterfaceType::Record(index) => {
                let fields = &types[index].fields;
                self.array(fields.len());
                fields.iter().try_for_each(|field| self.flat(field.ty, source))
            }
            InterfaceType::Tuple(index) => {
                let items = &types[index].types;
                self.array(items.len());
                items.iter().try_for_each(|ty| self.flat(*ty, source))
            }
            InterfaceType::Enum(index) => self.enumeration(next(source)?.get_u32() as usize, types[index].names.len()),
            InterfaceType::Flags(index) => {
                let bits = u64::from(next(source)?.get_u32());
                self.unsigned(bits & flags_mask(types[index].names.len())?);
                Ok(())
            }
            InterfaceType::Variant(_) | InterfaceType::Result(_) | InterfaceType::Option(_) => self.flat_case(ty, source),
            _ => {
                let value = next(source)?;
                let wide = scalar_size(ty) == Some(8);
                self.scalar(ty, if wide { value.get_u64() } else { value.get_u32().into() })
            }
        }
    }

    /// A case takes as many flat values as the largest one; those it does not use are skipped.
    fn flat_case(&mut self, ty: InterfaceType, source: &mut Flat<'_>) -> Result<()> {
        let total = count_of(self.types.canonical_abi(&ty))?;
        let after = source.as_slice().get(total..).ok_or_else(|| format_err!("fewer flat values than the type has"))?;
        let index = next(source)?.get_u32() as usize;
        if let Some(payload) = self.case(ty, index)? {
            self.flat(payload, source)?;
        }
        *source = after.iter();
        Ok(())
    }

    fn load(&mut self, ty: InterfaceType, at: usize) -> Result<()> {
        let types = self.types;
        match ty {
            InterfaceType::String => {
                let (at, length) = self.pointer(at)?;
                self.string(at, length)
            }
            InterfaceType::List(index) => {
                let (at, count) = self.pointer(at)?;
                self.list(types[index].element, at, count)
            }
            InterfaceType::Record(index) => self.fields(types[index].fields.iter().map(|field| field.ty), at),
            InterfaceType::Tuple(index) => self.fields(types[index].types.iter().copied(), at),
            InterfaceType::Enum(index) => self.enumeration(self.discriminant(ty, at)?, types[index].names.len()),
            InterfaceType::Flags(index) => {
                let bits = self.number(at, (types[index].abi.size32 as usize).min(4))?;
                self.unsigned(bits & flags_mask(types[index].names.len())?);
                Ok(())
            }
            InterfaceType::Variant(_) | InterfaceType::Result(_) | InterfaceType::Option(_) => {
                let index = self.discriminant(ty, at)?;
                match self.case(ty, index)? {
                    Some(payload) => self.load(payload, at + variant_info(types, ty)?.payload_offset32 as usize),
                    None => Ok(()),
                }
            }
            _ => {
                let size = scalar_size(ty).ok_or_else(unfit)?;
                self.scalar(ty, self.number(at, size)?)
            }
        }
    }

    fn discriminant(&self, ty: InterfaceType, at: usize) -> Result<usize> {
        let size = usize::from(variant_info(self.types, ty)?.size).min(4);
        Ok(self.number(at, size)? as usize)
    }

    fn fields(&mut self, fields: impl ExactSizeIterator<Item = InterfaceType>, mut at: usize) -> Result<()> {
        self.array(fields.len());
        for ty in fields {
            let field = self.types.canonical_abi(&ty).next_field32_size(&mut at);
            self.load(ty, field)?;
        }
        Ok(())
    }
}
