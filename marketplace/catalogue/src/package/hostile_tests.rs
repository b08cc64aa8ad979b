//! Components and statements that were made to do harm: an error, soon, and no more memory than a component takes.

use std::time::{Duration, Instant};

use hansa_economy::Keypair;
use proptest::prelude::*;
use wasm_encoder::{
    Component, ComponentExportKind, ComponentExportSection, ComponentImportSection, ComponentTypeRef, ComponentTypeSection,
    ComponentValType, CustomSection, InstanceType, NestedComponentSection, PrimitiveValType,
};

use super::decode::{ComponentError, describe};
use super::fixture::{seller, signed_release};
use super::{Files, Package, PackageStatement, Release};
use crate::limits::{COMPONENT_BYTES_MAX, COMPONENT_DOCS_BYTES_MAX};

/// What a bad component may cost at most, in a build without optimisation of this crate.
const BOUND: Duration = Duration::from_secs(5);

fn refused(name: &str, component: &[u8]) -> ComponentError {
    let begin = Instant::now();
    let error = describe(component).expect_err(name);
    assert!(begin.elapsed() < BOUND, "{name} took {:?}", begin.elapsed());
    error
}

/// A component that imports an instance with `functions` functions, each of one parameter of a type that is `levels` tuples
/// deep, each tuple naming the one below `width` times.
fn imports(levels: u32, width: usize, functions: usize) -> Vec<u8> {
    let mut instance = InstanceType::new();
    instance.ty().defined_type().primitive(PrimitiveValType::U8);
    for level in 0..levels {
        instance.ty().defined_type().tuple(vec![ComponentValType::Type(level); width]);
    }
    instance.ty().function().params([("p", ComponentValType::Type(levels))]).result(None);
    for function in 0..functions {
        instance.export(format!("f{function}"), ComponentTypeRef::Func(levels + 1));
    }
    let mut types = ComponentTypeSection::new();
    types.instance(&instance);
    let mut imports = ComponentImportSection::new();
    imports.import("a:b/c@1.0.0", ComponentTypeRef::Instance(0));
    let mut component = Component::new();
    component.section(&types).section(&imports);
    component.finish()
}

#[test]
fn the_generator_makes_components_that_are_read() {
    let contract = describe(&imports(2, 2, 3)).unwrap().contract;
    let interface = &contract.imports[0];
    assert_eq!(interface.functions.len(), 3);
    assert_eq!(interface.functions[0].signature(), "f0: func(p: tuple<tuple<u8, u8>, tuple<u8, u8>>)");
}

#[test]
fn what_is_large_or_deep_is_refused_soon() {
    let too_large = |name: &str, component: &[u8]| {
        let error = refused(name, component);
        assert!(matches!(error, ComponentError::TooLarge { .. } | ComponentError::Malformed(_)), "{name}: {error}");
        error.to_string()
    };
    too_large("2^19 parts in few bytes", &imports(19, 2, 1));
    too_large("2^40 parts in few bytes", &imports(40, 2, 1));
    too_large("many functions of a large type", &imports(15, 2, 4000));
    too_large("40 levels", &imports(40, 1, 1));
    too_large("a thousand levels", &imports(1000, 1, 1));
    too_large("ten thousand functions", &imports(1, 1, 10_000));
    assert!(too_large("wide", &imports(1, 5000, 1)).contains("parts in the types of one function"));
    let mut component = imports(1, 1, 1);
    component.resize(COMPONENT_BYTES_MAX + 1, 0);
    assert!(too_large("64 MiB", &component).contains("bytes"));
}

fn nested(depth: u32) -> Component {
    let mut component = Component::new();
    if depth > 0 {
        component.section(&NestedComponentSection(&nested(depth - 1)));
    }
    component
}

#[test]
fn nesting_and_documentation_have_bounds() {
    let error = refused("nested", &nested(40).finish()).to_string();
    assert!(error.contains("levels of components"), "{error}");
    let mut many = Component::new();
    for _ in 0..2000 {
        many.section(&NestedComponentSection(&Component::new()));
    }
    assert!(refused("many", &many.finish()).to_string().contains("nested modules"));
    let mut docs = Component::new();
    let text = vec![b'['; COMPONENT_DOCS_BYTES_MAX + 1];
    docs.section(&CustomSection { name: "package-docs".into(), data: text.as_slice().into() });
    assert!(refused("docs", &docs.finish()).to_string().contains("documentation"));
    let mut docs = Component::new();
    let text = vec![b'['; 200_000];
    docs.section(&CustomSection { name: "package-docs".into(), data: text.as_slice().into() });
    assert!(matches!(refused("deep docs", &docs.finish()), ComponentError::Malformed(_)));
}

#[test]
fn what_is_no_component_is_called_so() {
    for bytes in [&b""[..], b"MZ\x90", b"\0asm\x01\0\0\0", b"\0asm"] {
        assert_eq!(refused("other files", bytes), ComponentError::NoComponent);
    }
    assert!(matches!(refused("cut", b"\0asm\x0d\0\x01\0\x07\x80"), ComponentError::Malformed(_)));
}

/// A type that is exported and used by itself, and by a name that lies.
#[test]
fn exports_of_what_is_not_there_are_refused() {
    let mut exports = ComponentExportSection::new();
    exports.export("a:b/c@1.0.0", ComponentExportKind::Instance, 7, None);
    let mut component = Component::new();
    component.section(&exports);
    assert!(matches!(refused("no instance", &component.finish()), ComponentError::Malformed(_)));
}

fn good() -> (Release, Vec<u8>) {
    let lines = "record r { a: string, b: list<u8> } f: func(r: r) -> result<r, fault>;";
    signed_release("acme/a@1.0.0", "acme:a/b@1.0.0", lines, 1, &Keypair::from_seed(&[1; 32]))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever happens to the bytes of a component, it is read or refused, and what is read can be printed.
    #[test]
    fn changed_components_are_read_or_refused(changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6), cut in any::<prop::sample::Index>()) {
        let mut bytes = seller("acme:a/b@1.0.0", "record r { a: string } f: func(r: r) -> result<r, fault>;");
        for (at, byte) in &changes {
            let at = at.index(bytes.len());
            bytes[at] = *byte;
        }
        if changes.len() == 5 {
            bytes.truncate(cut.index(bytes.len()));
        }
        if let Ok(described) = describe(&bytes) {
            prop_assert!(!described.wit.is_empty());
        }
    }

    /// A statement of any bytes is refused, and one with a changed byte is never taken for the publisher's.
    #[test]
    fn changed_statements_are_refused(at in any::<prop::sample::Index>(), byte in any::<u8>(), noise in prop::collection::vec(any::<u8>(), 0..200)) {
        let (release, component) = good();
        let mut bytes = release.statement.bytes().to_vec();
        let at = at.index(bytes.len());
        prop_assume!(bytes[at] != byte);
        bytes[at] = byte;
        prop_assert!(Release::open(&bytes, component.clone(), release.files.clone()).is_err());
        prop_assert!(Package::open(&noise, component).is_err());
        let files = Files { readme: "a".into(), license: "b".into(), wit: "c".into() };
        prop_assert!(Release::open(&noise, noise.clone(), files).is_err());
        prop_assert!(minicbor::decode::<PackageStatement>(&noise).is_err() || noise.len() > 3);
    }
}
