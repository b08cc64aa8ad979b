//! Compiling: what is no component, what a component says of itself, the cache on disk, memory at rest.

use hansa_host::{CompileError, Host, HostOptions, InterfaceKind};
use sha2::{Digest as _, Sha256};

use crate::support::{GREETER, agent, component, host, program};

#[test]
fn what_is_no_component_is_said_clearly() {
    let host = host();
    for (bytes, says) in [
        (&b""[..], "no bytes"),
        (b"\0asm\x01\0\0\0", "core WASM module"),
        (b"\0asm\x0e\0\x01\0", "version"),
        (b"(component)", "WASM text"),
        (b"\x7fELF\x02", "native program"),
        (b"hello", "no WASM binary"),
    ] {
        let error = host.compile(bytes).unwrap_err();
        assert!(matches!(error, CompileError::NotAComponent(_)), "{error}");
        assert!(error.to_string().contains(says), "{error}");
    }
    let mut damaged = component("hog");
    damaged.truncate(damaged.len() / 2);
    assert!(matches!(host.compile(&damaged).unwrap_err(), CompileError::Invalid(_)));
}

#[test]
fn a_program_tells_its_interfaces() {
    let host = host();
    let greeter = program(&host, "greeter");
    assert_eq!(greeter.digest(), <[u8; 32]>::from(Sha256::digest(component("greeter"))));
    let export = greeter.export(GREETER).unwrap();
    assert_eq!((export.kind, export.tradable.is_ok()), (InterfaceKind::Service, true));
    assert!(greeter.export("fixture:parts/greeter@0.1").is_some());
    assert!(greeter.export("fixture:parts/greeter@0.2.0").is_none());
    let signature = |name: &str| {
        let function = export.functions.iter().find(|function| &*function.name == name).unwrap();
        (function.is_async, function.schema.signature())
    };
    assert_eq!(signature("echo-bytes"), (true, "echo-bytes: async func(bytes: list<u8>) -> result<list<u8>, fault>".to_owned()));
    assert_eq!(
        signature("echo-shape").1,
        "echo-shape: func(shape: variant { point, circle(f64), label(string), pair(tuple<u32, s16>), maybe(option<u64>), \
         tagged(flags { polite, loud, brief }) }, single: f32) -> result<tuple<variant { point, circle(f64), label(string), \
         pair(tuple<u32, s16>), maybe(option<u64>), tagged(flags { polite, loud, brief }) }, f32>, fault>"
    );
    let caller = program(&host, "caller");
    let import = caller.imports().iter().find(|import| &*import.name == GREETER).unwrap();
    assert_eq!((import.kind, import.tradable.is_ok()), (InterfaceKind::Service, true));
    assert!(caller.imports().iter().any(|import| import.kind == InterfaceKind::Capability));
    assert!(caller.imports().iter().any(|import| import.kind == InterfaceKind::Wasi));
}

#[test]
fn an_interface_that_cannot_be_traded_says_how() {
    let bare = program(&host(), "bare");
    let export = bare.export("fixture:parts/bare@0.1.0").unwrap();
    let error = export.tradable.clone().unwrap_err();
    assert_eq!(error.function, "shout");
    assert_eq!(
        error.to_string(),
        "function `shout` cannot be traded: it returns `string`, which has no room for a market fault; write \
         `shout: func(text: string) -> result<string, fault>;` after `use hansa:service/types@0.1.0.{fault};`"
    );
}

#[test]
fn compiled_components_are_kept_and_checked() {
    let folder = tempfile::tempdir().unwrap();
    let options = || HostOptions { pool_instances: 4, cache_folder: Some(folder.path().join("cache")), ..Default::default() };
    let bytes = component("hog");
    let digest = Host::new(options()).unwrap().compile(&bytes).unwrap().digest();
    let files = || {
        let files = std::fs::read_dir(folder.path().join("cache")).unwrap().map(|file| file.unwrap().path());
        let mut files: Vec<_> = files.collect();
        files.sort();
        files
    };
    let [compiled, sum] = &files()[..] else { panic!("two files") };
    assert_eq!((compiled.extension().unwrap(), sum.extension().unwrap()), ("cwasm".as_ref(), "sha256".as_ref()));
    let written = std::fs::metadata(compiled).unwrap().modified().unwrap();
    assert_eq!(Host::new(options()).unwrap().compile(&bytes).unwrap().digest(), digest);
    assert_eq!(std::fs::metadata(compiled).unwrap().modified().unwrap(), written, "it was loaded, not compiled");
    let mut damaged = std::fs::read(compiled).unwrap();
    let middle = damaged.len() / 2;
    damaged[middle] ^= 1;
    std::fs::write(compiled, &damaged).unwrap();
    let host = Host::new(options()).unwrap();
    assert_eq!(host.compile(&bytes).unwrap().exports().len(), 1);
    assert_ne!(std::fs::read(compiled).unwrap(), damaged, "it was compiled anew");
    assert_eq!(agent(&host, "hog").program().digest(), digest);
}

/// Resident memory of this process, in MiB.
#[cfg(target_os = "linux")]
fn resident_mib() -> u64 {
    let pages = std::fs::read_to_string("/proc/self/statm").unwrap();
    pages.split(' ').nth(1).unwrap().parse::<u64>().unwrap() * 4 / 1024
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_hundred_agents_at_rest_are_small() {
    use crate::support::{alone, call};
    // Only nextest gives each test a process of its own, whose memory can be told from that of others.
    if std::env::var_os("NEXTEST").is_none() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let options = || HostOptions { cache_folder: Some(folder.path().to_owned()), ..Default::default() };
    drop(Host::new(options()).unwrap().compile(&component("greeter")).unwrap());
    let host = Host::new(options()).unwrap();
    let mut agents = Vec::new();
    for _ in 0..100 {
        let greeter = agent(&host, "greeter");
        call(&greeter, (GREETER, "nothing"), serde_json::json!({}), alone()).await.unwrap();
        agents.push(greeter);
    }
    let resident = resident_mib();
    println!("{resident} MiB with {} agents, each called once", agents.len());
    assert!(resident < 120, "{resident} MiB");
}
