//! The shape of a function's arguments and result, compiled once from the component's own types.

use std::sync::Arc;

use wasmtime::component::{Type as WitType, types::ComponentFunc};

use crate::limits::{TYPE_DEPTH_MAX, TYPE_NODES_MAX};

/// A WIT type whose values are plain data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Type {
    Bool,
    U8,
    U16,
    U32,
    U64,
    S8,
    S16,
    S32,
    S64,
    F32,
    F64,
    Char,
    String,
    /// `list<u8>`
    Bytes,
    /// `list<f32>`
    F32s,
    /// `list<f64>`
    F64s,
    List(Arc<Type>),
    Record(Arc<[(Box<str>, Type)]>),
    Tuple(Arc<[Type]>),
    Variant(Arc<[(Box<str>, Option<Type>)]>),
    Enum(Arc<[Box<str>]>),
    Option(Arc<Type>),
    Result(Arc<(Option<Type>, Option<Type>)>),
    Flags(Arc<[Box<str>]>),
}

/// A type that cannot cross the market, in words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct UnfitType(pub(crate) &'static str);

/// Parameters and result of one function: checks wire bytes, maps them to JSON and back.
#[derive(Debug, PartialEq, Eq)]
pub struct FunctionSchema {
    pub(crate) name: Box<str>,
    pub(crate) is_async: bool,
    pub(crate) params: Box<[(Box<str>, Type)]>,
    pub(crate) result: Option<Type>,
}

impl FunctionSchema {
    /// The function's name, kebab-case.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Is it an `async func`?
    pub fn is_async(&self) -> bool {
        self.is_async
    }

    /// Names of the parameters in their order.
    pub fn parameters(&self) -> impl ExactSizeIterator<Item = &str> {
        self.params.iter().map(|(name, _)| &**name)
    }

    /// Does it return `result<_, fault>`, `fault` shaped as in `hansa:service/types`?
    pub(crate) fn returns_fault(&self) -> bool {
        matches!(&self.result, Some(Type::Result(sides)) if sides.1.as_ref().is_some_and(is_fault))
    }
}

/// The cases of `hansa:service/types.fault`, in their order; each carries a string.
const FAULT_CASES: [&str; 8] =
    ["no-offer", "over-budget", "deadline", "unavailable", "seller-failed", "refused", "invalid-input", "failed"];

pub(super) fn is_fault(ty: &Type) -> bool {
    let Type::Variant(cases) = ty else { return false };
    cases.len() == FAULT_CASES.len()
        && cases.iter().zip(FAULT_CASES).all(|((name, payload), want)| &**name == want && *payload == Some(Type::String))
}

/// Compiles the schema of a component's function.
///
/// # Errors
/// The type is not plain data, or is too deep or too large.
pub(crate) fn function_schema(name: &str, function: &ComponentFunc) -> Result<FunctionSchema, UnfitType> {
    let mut compiler = Compiler { nodes: 0 };
    let params =
        function.params().map(|(name, ty)| Ok((name.into(), compiler.compile(&ty, 0)?))).collect::<Result<_, UnfitType>>()?;
    let result = function.results().next().map(|ty| compiler.compile(&ty, 0)).transpose()?;
    Ok(FunctionSchema { name: name.into(), is_async: function.async_(), params, result })
}

struct Compiler {
    nodes: u32,
}

impl Compiler {
    fn compile(&mut self, ty: &WitType, depth: u32) -> Result<Type, UnfitType> {
        self.nodes += 1;
        if depth > TYPE_DEPTH_MAX || self.nodes > TYPE_NODES_MAX {
            return Err(UnfitType("a type that is nested too deep or has too many parts"));
        }
        let depth = depth + 1;
        Ok(match ty {
            WitType::Bool => Type::Bool,
            WitType::U8 => Type::U8,
            WitType::U16 => Type::U16,
            WitType::U32 => Type::U32,
            WitType::U64 => Type::U64,
            WitType::S8 => Type::S8,
            WitType::S16 => Type::S16,
            WitType::S32 => Type::S32,
            WitType::S64 => Type::S64,
            WitType::Float32 => Type::F32,
            WitType::Float64 => Type::F64,
            WitType::Char => Type::Char,
            WitType::String => Type::String,
            WitType::List(list) => self.list(&list.ty(), depth)?,
            WitType::Record(record) => Type::Record(
                record
                    .fields()
                    .map(|field| Ok((field.name.into(), self.compile(&field.ty, depth)?)))
                    .collect::<Result<_, UnfitType>>()?,
            ),
            WitType::Tuple(tuple) => Type::Tuple(tuple.types().map(|ty| self.compile(&ty, depth)).collect::<Result<_, _>>()?),
            WitType::Variant(variant) => Type::Variant(
                variant.cases().map(|case| Ok((case.name.into(), self.optional(case.ty.as_ref(), depth)?))).collect::<Result<
                    _,
                    UnfitType,
                >>(
                )?,
            ),
            WitType::Enum(names) => Type::Enum(names.names().map(Into::into).collect()),
            WitType::Option(option) => Type::Option(Arc::new(self.compile(&option.ty(), depth)?)),
            WitType::Result(result) => Type::Result(Arc::new((
                self.optional(result.ok().as_ref(), depth)?,
                self.optional(result.err().as_ref(), depth)?,
            ))),
            WitType::Flags(flags) => Type::Flags(flags.names().map(Into::into).collect()),
            WitType::Own(_) | WitType::Borrow(_) => return Err(UnfitType("a resource handle")),
            WitType::Future(_) => return Err(UnfitType("a `future`")),
            WitType::Stream(_) => return Err(UnfitType("a `stream`")),
            WitType::Map(_) => return Err(UnfitType("a `map`")),
            WitType::FixedLengthList(_) => return Err(UnfitType("a list of fixed length")),
            WitType::ErrorContext => return Err(UnfitType("an `error-context`")),
        })
    }

    fn optional(&mut self, ty: Option<&WitType>, depth: u32) -> Result<Option<Type>, UnfitType> {
        ty.map(|ty| self.compile(ty, depth)).transpose()
    }

    fn list(&mut self, element: &WitType, depth: u32) -> Result<Type, UnfitType> {
        Ok(match element {
            WitType::U8 => Type::Bytes,
            WitType::Float32 => Type::F32s,
            WitType::Float64 => Type::F64s,
            other => Type::List(Arc::new(self.compile(other, depth)?)),
        })
    }
}
