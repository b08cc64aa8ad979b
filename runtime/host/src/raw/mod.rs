//! The fast path: guest memory to wire bytes and back without values in between.
//!
//! It implements wasmtime's `ComponentType`, `Lift` and `Lower` for a buffer whose type is known only at run time.
//! Those traits are hidden from wasmtime's documentation and exempt from its promise of stability; therefore wasmtime
//! is pinned exactly, all of it stands in this folder, and a differential test holds it to the dynamic path in
//! `wire/values.rs`. The layout rules are those of the component model's canonical ABI
//! (<https://github.com/WebAssembly/component-model/blob/main/design/mvp/CanonicalABI.md>).

mod lift;
mod lower;

use std::mem::MaybeUninit;

use bytes::Bytes;
use wasmtime::{
    Result, ValRaw, bail,
    component::{
        __internal::{
            CanonicalAbiInfo, ComponentTypes, InstanceType, InterfaceType, LiftContext, LowerContext,
            wasmtime_environ::component::{MAX_FLAT_PARAMS, StringEncoding, TypeTuple, VariantInfo},
        },
        ComponentNamedList, ComponentType, Func, Lift, Lower, TypedFunc,
    },
    ensure, format_err,
};

use crate::{
    state::State,
    wire::{
        FunctionSchema, Type,
        cbor::{self, Reader},
    },
};

/// How an export hands its result back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// In registers.
    Flat,
    /// In memory, by a pointer.
    Memory,
}

impl Shape {
    /// The shape of an export, or none where its arguments do not fit into registers: wasmtime would allocate room
    /// for them by a size that it expects to be known at compile time.
    pub(crate) fn of(schema: &FunctionSchema) -> Option<Shape> {
        let params: usize = schema.params.iter().map(|(_, ty)| flat_count(ty)).sum();
        if params > MAX_FLAT_PARAMS {
            return None;
        }
        let most = if schema.is_async { MAX_FLAT_PARAMS } else { 1 };
        let fits = schema.result.as_ref().map_or(0, flat_count) <= most;
        Some(if fits { Shape::Flat } else { Shape::Memory })
    }
}

/// How many core values a type takes in registers.
fn flat_count(ty: &Type) -> usize {
    let payload = |ty: &Option<Type>| ty.as_ref().map_or(0, flat_count);
    match ty {
        Type::String | Type::Bytes | Type::F32s | Type::F64s | Type::List(_) => 2,
        Type::Record(fields) => fields.iter().map(|(_, ty)| flat_count(ty)).sum(),
        Type::Tuple(types) => types.iter().map(flat_count).sum(),
        Type::Variant(cases) => 1 + cases.iter().map(|(_, ty)| payload(ty)).max().unwrap_or(0),
        Type::Option(inner) => 1 + flat_count(inner),
        Type::Result(sides) => 1 + payload(&sides.0).max(payload(&sides.1)),
        Type::Flags(names) => names.len().div_ceil(32),
        _ => 1,
    }
}

/// Calls an export with arguments that its schema has accepted; gives the wire bytes of the result.
pub(crate) async fn call(store: &mut wasmtime::Store<State>, function: Func, shape: Shape, args: Bytes) -> Result<Bytes> {
    const MEMORY: usize = MAX_FLAT_PARAMS + 1;
    let args = Raw { bytes: args, whole: Whole::Arguments };
    let list = match shape {
        Shape::Flat => {
            // SAFETY: `Raw` reads the function's own types when it lifts and lowers, so it fits every function whose
            // counts of flat values are as `Shape::of` found them.
            let function = unsafe { TypedFunc::<Raw<MAX_FLAT_PARAMS>, Raw<0>>::new_unchecked(function) };
            function.call_async(store, args).await?.bytes
        }
        Shape::Memory => {
            // SAFETY: as above; seventeen flat values make wasmtime take the result by its pointer.
            let function = unsafe { TypedFunc::<Raw<MAX_FLAT_PARAMS>, Raw<MEMORY>>::new_unchecked(function) };
            function.call_async(store, args).await?.bytes
        }
    };
    // A list of one result is that result; an empty one is null.
    Ok(match list.first() {
        Some(0x81) => list.slice(1..),
        _ => Bytes::from_static(&[cbor::NULL]),
    })
}

/// Wire bytes of a list of parameters or results. `N` is the number of flat values that wasmtime is told of: it decides
/// between registers and memory by it, where the function's own type does not decide.
pub(crate) struct Raw<const N: usize> {
    /// Lifted: an array of the parameters, or of the results.
    pub(crate) bytes: Bytes,
    whole: Whole,
}

/// The arguments or the result of an import, which wasmtime places by the function's own type.
pub(crate) type Import = Raw<0>;

/// What the bytes hold when they are lowered.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Whole {
    /// An array of all parameters.
    Arguments,
    /// The one result, or null.
    Result,
}

impl<const N: usize> Raw<N> {
    /// The result of an import.
    pub(crate) fn result(bytes: Bytes) -> Self {
        Raw { bytes, whole: Whole::Result }
    }

    /// A reader that stands at the first of `count` values.
    fn reader(&self, count: usize) -> Result<Reader<'_>> {
        let mut reader = Reader::new(&self.bytes);
        match (self.whole, count) {
            (Whole::Arguments, count) => reader.array_of(count, "another number of arguments than the function has")?,
            (Whole::Result, 0) => ensure!(reader.null(), "expected null"),
            (Whole::Result, _) => {}
        }
        Ok(reader)
    }
}

// SAFETY: `Lower` is an array of `ValRaw`. Size and alignment are those of nothing: every access below takes the true
// ones from the function's type and checks them against memory.
unsafe impl<const N: usize> ComponentType for Raw<N> {
    type Lower = [ValRaw; N];
    const ABI: CanonicalAbiInfo = CanonicalAbiInfo { size32: 0, align32: 1, size64: 0, align64: 1, flat_count: Some(N as u8) };

    fn typecheck(_: &InterfaceType, _: &InstanceType<'_>) -> Result<()> {
        Ok(())
    }
}

// SAFETY: a parameter or result list of any type; see `ComponentType` above.
unsafe impl<const N: usize> ComponentNamedList for Raw<N> {}

// SAFETY: reads flat values only as many as the function's type has, and memory only through checked slices.
unsafe impl<const N: usize> Lift for Raw<N> {
    fn linear_lift_from_flat(cx: &mut LiftContext<'_>, ty: InterfaceType, source: &Self::Lower) -> Result<Self> {
        let types = cx.types;
        let list = list_of(types, ty)?;
        // SAFETY: wasmtime's storage holds the function's flat values, which are as many as the function's type says;
        // `N` only tells which of registers and memory to use.
        let source = unsafe { std::slice::from_raw_parts(source.as_ptr(), count_of(&list.abi)?) };
        Ok(Raw { bytes: lift::from_flat(cx, list, source)?.into(), whole: Whole::Result })
    }

    fn linear_lift_from_memory(cx: &mut LiftContext<'_>, ty: InterfaceType, bytes: &[u8]) -> Result<Self> {
        let types = cx.types;
        let at = (bytes.as_ptr() as usize).wrapping_sub(cx.memory().as_ptr() as usize);
        Ok(Raw { bytes: lift::from_memory(cx, list_of(types, ty)?, at)?.into(), whole: Whole::Result })
    }
}

// SAFETY: writes exactly the flat values that the function's type has, and memory only through checked slices.
unsafe impl<const N: usize> Lower for Raw<N> {
    fn linear_lower_to_flat<T>(
        &self,
        cx: &mut LowerContext<'_, T>,
        ty: InterfaceType,
        place: &mut MaybeUninit<Self::Lower>,
    ) -> Result<()> {
        let list = list_of(cx.types, ty)?;
        let place = place.as_mut_ptr().cast::<MaybeUninit<ValRaw>>();
        // SAFETY: wasmtime's storage has room for the function's flat values, which are as many as the function's type
        // says; `MaybeUninit` asks nothing of its content.
        let place = unsafe { std::slice::from_raw_parts_mut(place, count_of(&list.abi)?) };
        lower::to_flat(cx, list, self.reader(list.types.len())?, place)
    }

    fn linear_lower_to_memory<T>(&self, cx: &mut LowerContext<'_, T>, ty: InterfaceType, at: usize) -> Result<()> {
        let list = list_of(cx.types, ty)?;
        lower::to_memory(cx, list, self.reader(list.types.len())?, at)
    }
}

fn list_of(types: &ComponentTypes, ty: InterfaceType) -> Result<&TypeTuple> {
    match ty {
        InterfaceType::Tuple(index) => Ok(&types[index]),
        _ => bail!("wasmtime gave a parameter list that is no tuple"),
    }
}

fn count_of(abi: &CanonicalAbiInfo) -> Result<usize> {
    abi.flat_count.map(usize::from).ok_or_else(|| format_err!("a type too large for registers"))
}

/// The payload of a case of a variant, result or option.
fn payload_of(types: &ComponentTypes, ty: InterfaceType, index: usize) -> Result<Option<InterfaceType>> {
    match (ty, index) {
        (InterfaceType::Variant(variant), index) => match types[variant].cases.get_index(index) {
            Some((_, payload)) => Ok(*payload),
            None => Err(no_such_case()),
        },
        (InterfaceType::Result(result), 0) => Ok(types[result].ok),
        (InterfaceType::Result(result), 1) => Ok(types[result].err),
        (InterfaceType::Option(_), 0) => Ok(None),
        (InterfaceType::Option(option), 1) => Ok(Some(types[option].ty)),
        _ => Err(no_such_case()),
    }
}

/// Where the discriminant and the payload of a variant, result, option or enum lie.
fn variant_info(types: &ComponentTypes, ty: InterfaceType) -> Result<&VariantInfo> {
    match ty {
        InterfaceType::Variant(index) => Ok(&types[index].info),
        InterfaceType::Result(index) => Ok(&types[index].info),
        InterfaceType::Option(index) => Ok(&types[index].info),
        InterfaceType::Enum(index) => Ok(&types[index].info),
        _ => Err(unfit()),
    }
}

/// Size in memory of a type that is one number, in bytes.
fn scalar_size(ty: InterfaceType) -> Option<usize> {
    match ty {
        InterfaceType::Bool | InterfaceType::U8 | InterfaceType::S8 => Some(1),
        InterfaceType::U16 | InterfaceType::S16 => Some(2),
        InterfaceType::U32 | InterfaceType::S32 | InterfaceType::Float32 | InterfaceType::Char => Some(4),
        InterfaceType::U64 | InterfaceType::S64 | InterfaceType::Float64 => Some(8),
        _ => None,
    }
}

fn flags_mask(count: usize) -> Result<u64> {
    match count {
        1..=32 => Ok((1 << count) - 1),
        _ => bail!("flags of more than 32 names"),
    }
}

fn no_such_case() -> wasmtime::Error {
    format_err!("a discriminant beyond the last case")
}

fn unfit() -> wasmtime::Error {
    format_err!("a type that does not cross the market")
}

fn ensure_utf8(encoding: StringEncoding) -> Result<()> {
    ensure!(encoding == StringEncoding::Utf8, "strings in UTF-16; build the component with a tool chain that uses UTF-8");
    Ok(())
}
