//! Components are compiled in a bounded process of their own, by the very `hansa` that hosts them.
#![expect(clippy::unwrap_used, reason = "a test")]

mod shared;

use hansa_host::{CompileError, Compiler, Host, HostOptions};
use shared::*;

fn host(folder: &std::path::Path, compiler: Compiler) -> Host {
    let options = HostOptions {
        pool_instances: 1,
        cache_folder: Some(folder.to_owned()),
        compiler: Some(compiler),
        ..HostOptions::default()
    };
    Host::new(options).unwrap()
}

fn compiler() -> Compiler {
    Compiler::new(env!("CARGO_BIN_EXE_hansa"))
}

#[test]
fn what_another_process_compiled_fits_this_engine() {
    let folder = tempfile::tempdir().unwrap();
    let program = host(folder.path(), compiler()).compile(&component("fixture-greeter")).unwrap();
    assert!(program.export(GREETER).is_some());
    // From the cache, without the compiler.
    let gone = Compiler { program: folder.path().join("gone"), ..compiler() };
    assert!(host(folder.path(), gone.clone()).compile(&component("fixture-greeter")).is_ok());
    let error = host(folder.path(), gone).compile(&component("fixture-hog")).unwrap_err();
    assert!(matches!(&error, CompileError::Apart(why) if why.contains("cannot run")), "{error}");
}

#[test]
fn a_component_that_costs_too_much_is_refused_and_the_node_lives() {
    let folder = tempfile::tempdir().unwrap();
    let python = component("agent-keywords");
    let hasty = Compiler { cpu_s_max: 1, ..compiler() };
    let error = host(folder.path(), hasty).compile(&python).unwrap_err();
    assert!(matches!(&error, CompileError::TooCostly(what) if what == "more than 1 s of processor time"), "{error}");
    let narrow = Compiler { memory_bytes_max: 48 << 20, ..compiler() };
    let error = host(folder.path(), narrow).compile(&python).unwrap_err();
    assert!(matches!(&error, CompileError::TooCostly(what) if what == "more than 48 MiB of memory"), "{error}");
    assert!(host(folder.path(), compiler()).compile(&component("fixture-greeter")).is_ok());
}

#[test]
fn broken_components_are_refused_with_the_compilers_words() {
    let folder = tempfile::tempdir().unwrap();
    let mut broken = component("fixture-greeter");
    let middle = broken.len() / 2;
    broken[middle..middle + 64].fill(0xff);
    let error = host(folder.path(), compiler()).compile(&broken).unwrap_err();
    assert!(matches!(&error, CompileError::Invalid(why) if !why.is_empty()), "{error}");
}
