//! From a component's bytes to its contract and its WIT text. Both are derived, so they cannot say anything else than the
//! component does.

use std::panic;

use wit_component::{DecodedWasm, WitPrinter};
use wit_parser::{
    Function as WitFunction, Handle, InterfaceId, PackageId, Resolve, Type as WitType, TypeDefKind, TypeId, WorldId, WorldItem,
    WorldKey,
};

use super::contract::{Contract, Function, Interface, Type};
use super::survey::survey;
use super::tradable;
use crate::limits::{COMPONENT_BYTES_MAX, FUNCTIONS_MAX, INTERFACES_MAX, TYPE_DEPTH_MAX, TYPE_NODES_MAX, WIT_BYTES_MAX};

/// What the bytes of a component say about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Described {
    /// Imports and exports.
    pub contract: Contract,
    /// The same as WIT text, with all packages that it uses.
    pub wit: String,
}

/// Why bytes are no component that can be published.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum ComponentError {
    /// Something else.
    #[error(
        "the file is no WebAssembly component; build for `wasm32-wasip2`, or wrap a core module with `wasm-tools component new`"
    )]
    NoComponent,
    /// Broken.
    #[error("the component cannot be read: {0}; build it again")]
    Malformed(String),
    /// Larger than can be read.
    #[error("the component has more than {most} {what}; make its interfaces smaller")]
    TooLarge {
        /// What there is too much of.
        what: &'static str,
        /// How much is allowed.
        most: usize,
    },
}

/// Read a component. Time and memory are bounded whatever the bytes are.
pub fn describe(component: &[u8]) -> Result<Described, ComponentError> {
    if component.len() > COMPONENT_BYTES_MAX {
        return Err(ComponentError::TooLarge { what: "bytes", most: COMPONENT_BYTES_MAX });
    }
    survey(component)?;
    // The decoder is written for trusted files and asserts what it expects.
    panic::catch_unwind(|| decode(component))
        .unwrap_or_else(|_| Err(ComponentError::Malformed("its types do not hang together".into())))
}

fn decode(component: &[u8]) -> Result<Described, ComponentError> {
    match wit_component::decode(component).map_err(malformed)? {
        DecodedWasm::WitPackage(..) => Err(ComponentError::NoComponent),
        DecodedWasm::Component(resolve, world) => {
            let contract = Reader { resolve: &resolve, functions: 0 }.contract(world)?;
            let wit = print(&resolve, resolve.worlds[world].package.expect("the decoder gives every world its package"))?;
            Ok(Described { contract, wit })
        }
    }
}

fn print(resolve: &Resolve, package: PackageId) -> Result<String, ComponentError> {
    let others: Vec<PackageId> = resolve.packages.iter().map(|(id, _)| id).filter(|id| *id != package).collect();
    let mut printer = WitPrinter::default();
    printer.print(resolve, package, &others).map_err(malformed)?;
    let wit = printer.output.to_string();
    match wit.len() <= WIT_BYTES_MAX {
        true => Ok(wit),
        false => Err(ComponentError::TooLarge { what: "bytes of WIT text", most: WIT_BYTES_MAX }),
    }
}

fn malformed(error: impl std::fmt::Display) -> ComponentError {
    ComponentError::Malformed(format!("{error:#}"))
}

struct Reader<'a> {
    resolve: &'a Resolve,
    functions: usize,
}

impl Reader<'_> {
    fn contract(&mut self, world: WorldId) -> Result<Contract, ComponentError> {
        let world = &self.resolve.worlds[world];
        let mut contract = Contract { imports: Vec::new(), exports: Vec::new(), bare_imports: Vec::new() };
        for (key, item) in &world.imports {
            match item {
                WorldItem::Interface { id, .. } => contract.imports.push(self.interface(key, *id)?),
                WorldItem::Function(function) => contract.bare_imports.push(function.name.clone()),
                WorldItem::Type { .. } => {}
            }
        }
        for (key, item) in &world.exports {
            if let WorldItem::Interface { id, .. } = item {
                contract.exports.push(self.interface(key, *id)?);
            }
        }
        let most = contract.imports.len().max(contract.exports.len()).max(contract.bare_imports.len());
        match most <= INTERFACES_MAX {
            true => Ok(contract),
            false => Err(ComponentError::TooLarge { what: "imports or exports", most: INTERFACES_MAX }),
        }
    }

    fn interface(&mut self, key: &WorldKey, id: InterfaceId) -> Result<Interface, ComponentError> {
        let interface = &self.resolve.interfaces[id];
        self.functions += interface.functions.len();
        if self.functions > FUNCTIONS_MAX {
            return Err(ComponentError::TooLarge { what: "functions", most: FUNCTIONS_MAX });
        }
        let functions = interface.functions.values().map(|function| self.function(function)).collect::<Result<Vec<_>, _>>()?;
        let is_resource = |id: &TypeId| matches!(self.resolve.types[*id].kind, TypeDefKind::Resource);
        let resource = interface.types.iter().find(|(_, id)| is_resource(id)).map(|(name, _)| name.as_str());
        let tradable = tradable::check(&functions, resource);
        Ok(Interface { name: self.resolve.name_world_key(key), functions, tradable })
    }

    fn function(&self, function: &WitFunction) -> Result<Function, ComponentError> {
        let mut types = Types { resolve: self.resolve, nodes: 0 };
        let params = function.params.iter().map(|param| Some((param.name.clone(), types.read(&param.ty, 0)?)));
        let params: Option<Vec<_>> = params.collect();
        let result = types.payload(function.result.as_ref(), 0);
        let (Some(params), Some(result)) = (params, result) else {
            return Err(ComponentError::TooLarge { what: "parts in the types of one function", most: TYPE_NODES_MAX as usize });
        };
        Ok(Function { name: function.name.clone(), is_async: function.kind.is_async(), params, result })
    }
}

/// Reads the types of one function; none is returned where they are too large.
struct Types<'a> {
    resolve: &'a Resolve,
    nodes: usize,
}

impl Types<'_> {
    fn read(&mut self, ty: &WitType, depth: u32) -> Option<Type> {
        self.count(1)?;
        Some(match ty {
            WitType::Bool => Type::Plain("bool"),
            WitType::U8 => Type::Plain("u8"),
            WitType::U16 => Type::Plain("u16"),
            WitType::U32 => Type::Plain("u32"),
            WitType::U64 => Type::Plain("u64"),
            WitType::S8 => Type::Plain("s8"),
            WitType::S16 => Type::Plain("s16"),
            WitType::S32 => Type::Plain("s32"),
            WitType::S64 => Type::Plain("s64"),
            WitType::F32 => Type::Plain("f32"),
            WitType::F64 => Type::Plain("f64"),
            WitType::Char => Type::Plain("char"),
            WitType::String => Type::Plain("string"),
            WitType::ErrorContext => unfit("an `error-context`", "error-context".into()),
            WitType::Id(_) if depth == TYPE_DEPTH_MAX => return None,
            WitType::Id(id) => return self.named(*id, depth + 1),
        })
    }

    fn named(&mut self, id: TypeId, depth: u32) -> Option<Type> {
        let definition = &self.resolve.types[id];
        Some(match &definition.kind {
            TypeDefKind::Type(ty) => return self.read(ty, depth),
            TypeDefKind::List(element) => Type::List(Box::new(self.read(element, depth)?)),
            TypeDefKind::Option(inner) => Type::Option(Box::new(self.read(inner, depth)?)),
            TypeDefKind::Tuple(tuple) => Type::Tuple(tuple.types.iter().map(|ty| self.read(ty, depth)).collect::<Option<_>>()?),
            TypeDefKind::Result(sides) => {
                let ok = self.payload(sides.ok.as_ref(), depth)?;
                Type::Result(ok.map(Box::new), self.payload(sides.err.as_ref(), depth)?.map(Box::new))
            }
            TypeDefKind::Record(record) => {
                let fields = record.fields.iter().map(|field| Some((field.name.clone(), self.read(&field.ty, depth)?)));
                Type::Record(fields.collect::<Option<_>>()?)
            }
            TypeDefKind::Variant(variant) => {
                self.count(variant.cases.len())?;
                let cases = variant.cases.iter().map(|case| Some((case.name.clone(), self.payload(case.ty.as_ref(), depth)?)));
                Type::Variant(cases.collect::<Option<_>>()?)
            }
            TypeDefKind::Enum(labels) => {
                self.count(labels.cases.len())?;
                Type::Enum(labels.cases.iter().map(|case| case.name.clone()).collect())
            }
            TypeDefKind::Flags(labels) => {
                self.count(labels.flags.len())?;
                Type::Flags(labels.flags.iter().map(|flag| flag.name.clone()).collect())
            }
            TypeDefKind::Handle(Handle::Own(id)) => unfit("a resource handle", self.name(*id)),
            TypeDefKind::Handle(Handle::Borrow(id)) => unfit("a resource handle", format!("borrow<{}>", self.name(*id))),
            TypeDefKind::Resource | TypeDefKind::Unknown => unfit("a resource handle", self.name(id)),
            TypeDefKind::Future(inner) => unfit("a `future`", self.wrapped("future", inner.as_ref(), depth)?),
            TypeDefKind::Stream(inner) => unfit("a `stream`", self.wrapped("stream", inner.as_ref(), depth)?),
            TypeDefKind::Map(key, value) => {
                unfit("a `map`", format!("map<{}, {}>", self.read(key, depth)?, self.read(value, depth)?))
            }
            TypeDefKind::FixedLengthList(element, length) => {
                unfit("a list of fixed length", format!("list<{}, {length}>", self.read(element, depth)?))
            }
        })
    }

    fn payload(&mut self, ty: Option<&WitType>, depth: u32) -> Option<Option<Type>> {
        ty.map_or(Some(None), |ty| self.read(ty, depth).map(Some))
    }

    fn wrapped(&mut self, word: &str, inner: Option<&WitType>, depth: u32) -> Option<String> {
        let inner = self.payload(inner, depth)?;
        Some(inner.map_or_else(|| word.to_owned(), |inner| format!("{word}<{inner}>")))
    }

    fn name(&self, id: TypeId) -> String {
        self.resolve.types[id].name.clone().unwrap_or_else(|| "resource".to_owned())
    }

    fn count(&mut self, nodes: usize) -> Option<()> {
        self.nodes = self.nodes.saturating_add(nodes);
        (self.nodes <= TYPE_NODES_MAX as usize).then_some(())
    }
}

fn unfit(what: &'static str, text: String) -> Type {
    Type::Unfit { what, text }
}
