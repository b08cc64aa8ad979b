//! Real components for tests, made of WIT text: every function traps, which nobody notices who only reads.
#![allow(
    clippy::unwrap_used,
    clippy::missing_panics_doc,
    clippy::allow_attributes,
    reason = "what a test gives here is right, or the test is wrong"
)]

use hansa_economy::Keypair;
use wasm_encoder::{
    CodeSection, EntityType, ExportKind, ExportSection, Function, FunctionSection, ImportSection, MemorySection, MemoryType,
    Module, TypeSection, ValType,
};
use wit_component::{ComponentEncoder, StringEncoding};
use wit_parser::abi::{AbiVariant, WasmSignature, WasmType};
use wit_parser::{
    Function as WitFunction, LiftLowerAbi, ManglingAndAbi, Resolve, WasmExport, WasmExportKind, WasmImport, WorldId, WorldItem,
    WorldKey,
};

use super::{Release, ReleaseParts};

/// `hansa:service/types`, as the workspace has it.
const SERVICE: &str = include_str!("../../../../wit/hansa-service/types.wit");
const ABI: ManglingAndAbi = ManglingAndAbi::Legacy(LiftLowerAbi::Sync);

/// The component of the one world in the package `wit`, which may use `hansa:service/types` and the packages `others`.
pub fn component_with(others: &[&str], wit: &str) -> Vec<u8> {
    let mut resolve = Resolve::default();
    resolve.push_source("service.wit", SERVICE).unwrap();
    for other in others {
        resolve.push_source("other.wit", other).unwrap();
    }
    let package = resolve.push_source("world.wit", wit).unwrap_or_else(|error| panic!("{error:#}\n{wit}"));
    let world = resolve.select_world(&[package], None).unwrap();
    let mut module = core_module(&resolve, world);
    wit_component::embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8).unwrap();
    let mut encoder = ComponentEncoder::default().validate(true).module(&module).unwrap();
    encoder.encode().unwrap_or_else(|error| panic!("{error:#}"))
}

/// A component that exports the interface `name` (`acme:translate/translator@1.0.0`) with these WIT lines in it.
pub fn seller(name: &str, lines: &str) -> Vec<u8> {
    let (package, rest) = name.split_once('/').unwrap();
    let (interface, version) = rest.split_once('@').unwrap();
    let wit =
        format!("package {package}@{version};\ninterface {interface} {{ use hansa:service/types@0.1.0.{{fault}};\n{lines} }}");
    component_with(&[&wit], &format!("package test:agent;\nworld agent {{ export {name}; }}"))
}

/// A signed release of `package` (`acme/translator@1.0.0`) that sells `service` with these WIT lines, all functions for 0.001.
pub fn release(package: &str, service: &str, lines: &str, publisher: &Keypair) -> Release {
    signed_release(package, service, lines, 1_000, publisher).0
}

/// The same with its component, signed at `published_ms`.
pub fn signed_release(package: &str, service: &str, lines: &str, published_ms: u64, publisher: &Keypair) -> (Release, Vec<u8>) {
    let component = seller(service, lines);
    let contract = super::describe(&component).unwrap().contract;
    let functions = &contract.export(service).unwrap().functions;
    let prices: String = functions.iter().map(|function| format!("price.{} = \"0.001\"\n", function.name)).collect();
    let parts = ReleaseParts {
        manifest: manifest(package, &format!("[sells.\"{service}\"]\n{prices}")),
        component,
        readme: format!("# {package}\n"),
        license: "Apache License 2.0\n".into(),
        name_record: None,
    };
    Release::sign(parts, published_ms, publisher).unwrap_or_else(|error| panic!("{error}"))
}

/// The manifest of `package` with `rest` below its first table.
pub fn manifest(package: &str, rest: &str) -> String {
    let (name, version) = package.split_once('@').unwrap();
    format!("[agent]\nname = \"{name}\"\nversion = \"{version}\"\ndescription = \"Does it.\"\nlicense = \"Apache-2.0\"\n{rest}")
}

#[derive(Default)]
struct Core {
    types: TypeSection,
    imports: ImportSection,
    functions: FunctionSection,
    exports: ExportSection,
    code: CodeSection,
    imported: u32,
    made: u32,
}

fn core_module(resolve: &Resolve, world: WorldId) -> Vec<u8> {
    let mut core = Core::default();
    let world = &resolve.worlds[world];
    for (key, function) in functions(resolve, &world.imports) {
        let signature = resolve.wasm_signature(AbiVariant::GuestImport, function);
        let (module, name) = resolve.wasm_import_name(ABI, WasmImport::Func { interface: Some(key), func: function });
        core.import(&module, &name, &signature);
    }
    for (key, function) in functions(resolve, &world.exports) {
        let signature = resolve.wasm_signature(AbiVariant::GuestExport, function);
        let kind = WasmExportKind::Normal;
        let name = resolve.wasm_export_name(ABI, WasmExport::Func { interface: Some(key), func: function, kind });
        core.export(&name, &flat(&signature.params), &flat(&signature.results));
    }
    core.export("cabi_realloc", &[ValType::I32; 4], &[ValType::I32]);
    core.finish()
}

fn functions<'a>(
    resolve: &'a Resolve,
    items: &'a wit_parser::IndexMap<WorldKey, WorldItem>,
) -> impl Iterator<Item = (&'a WorldKey, &'a WitFunction)> {
    items.iter().flat_map(move |(key, item)| {
        let id = match item {
            WorldItem::Interface { id, .. } => Some(*id),
            _ => None,
        };
        id.into_iter().flat_map(move |id| resolve.interfaces[id].functions.values().map(move |function| (key, function)))
    })
}

fn flat(types: &[WasmType]) -> Vec<ValType> {
    let one = |ty: &WasmType| match ty {
        WasmType::I32 | WasmType::Pointer | WasmType::Length => ValType::I32,
        WasmType::I64 | WasmType::PointerOrI64 => ValType::I64,
        WasmType::F32 => ValType::F32,
        WasmType::F64 => ValType::F64,
    };
    types.iter().map(one).collect()
}

impl Core {
    fn import(&mut self, module: &str, name: &str, signature: &WasmSignature) {
        self.types.ty().function(flat(&signature.params), flat(&signature.results));
        self.imports.import(module, name, EntityType::Function(self.types.len() - 1));
        self.imported += 1;
    }

    fn export(&mut self, name: &str, params: &[ValType], results: &[ValType]) {
        self.types.ty().function(params.iter().copied(), results.iter().copied());
        self.functions.function(self.types.len() - 1);
        self.exports.export(name, ExportKind::Func, self.imported + self.made);
        let mut body = Function::new([]);
        body.instructions().unreachable().end();
        self.code.function(&body);
        self.made += 1;
    }

    fn finish(mut self) -> Vec<u8> {
        let mut memories = MemorySection::new();
        memories.memory(MemoryType { minimum: 0, maximum: None, memory64: false, shared: false, page_size_log2: None });
        self.exports.export("memory", ExportKind::Memory, 0);
        let mut module = Module::new();
        module.section(&self.types).section(&self.imports).section(&self.functions).section(&memories);
        module.section(&self.exports).section(&self.code);
        module.finish()
    }
}
