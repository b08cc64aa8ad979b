//! Who may know whom: the normal dependencies of every room, read with `cargo metadata`.

use std::collections::BTreeMap;
use std::process::Command;

use serde_json::Value;

use crate::source::root;

/// The rooms of the workspace that each room may know. A room that is not listed here, such as an agent, is judged by
/// [`may_know`].
const NEIGHBOURS: &[(&str, &[&str])] = &[
    ("hansa-economy", &[]),
    ("hansa-catalogue", &["hansa-economy"]),
    ("hansa-registry", &["hansa-economy", "hansa-catalogue"]),
    ("hansa-ledger", &["hansa-economy"]),
    ("hansa-state", &[]),
    ("hansa-inference", &[]),
    ("hansa-host", &[]),
    ("hansa-bus", &[]),
    ("hansa-trade", &["hansa-economy", "hansa-bus", "hansa-host"]),
    ("hansa-workflow", &["hansa-economy", "hansa-catalogue"]),
    ("hansa-node", BELOW_NODE),
    ("hansa-sdk", &[]),
    ("hansa-workshop", &["hansa-economy", "hansa-catalogue", "hansa-host"]),
    ("hansa-fixture-teller", &["hansa-sdk"]), // proves the part of the SDK that only runs inside a host
    ("hansa-fixture-pricer", &["hansa-sdk"]), // the same for metering and pricing
    ("hansa-fixture-bidder", &["hansa-sdk"]), // for bidding in tenders
    ("hansa-fixture-haggler", &["hansa-sdk"]), // and for putting calls out to tender
];

/// What the node assembles.
const BELOW_NODE: &[&str] = &[
    "hansa-economy",
    "hansa-catalogue",
    "hansa-registry",
    "hansa-ledger",
    "hansa-state",
    "hansa-inference",
    "hansa-host",
    "hansa-bus",
    "hansa-trade",
    "hansa-workflow",
    "hansa-workshop",
];

/// Samples: whole programs over the node, which nobody knows.
const SAMPLES: &[&str] = &["hansa-reading-room"];

/// All that `economy` may stand on: signatures, hashes, serialisation and shared bytes.
const ECONOMY_STANDS_ON: &[&str] =
    &["ed25519-dalek", "sha2", "blake3", "minicbor", "foldhash", "bs58", "bytes", "serde", "thiserror"];

/// Who may use a library that would otherwise spread; a `*` at the end stands for any rest.
const KEPT_TO: &[(&str, &[&str])] = &[
    ("redb", &["hansa-ledger", "hansa-trade", "hansa-state"]),
    ("async-nats", &["hansa-bus"]),
    ("reqwest", &["hansa-registry"]),
    ("rustls*", &["hansa-registry"]),
    ("ort", &["hansa-inference"]),
    ("ort-sys", &["hansa-inference"]),
    ("tokenizers", &["hansa-inference"]),
    ("tantivy", &["hansa-catalogue"]),
    ("wit-parser", &["hansa-catalogue"]),
    ("wit-component", &["hansa-catalogue"]),
    ("wasmtime*", &["hansa-host"]),
    ("wit-bindgen", &["hansa-sdk", "hansa-fixture*"]),
    ("clap", &["hansa-node", "hansa-reading-room"]),
    ("axum", &["hansa-gateway", "hansa-console"]),
];

/// All dependencies that should not be.
pub(crate) fn strangers() -> Vec<String> {
    let rooms = read();
    let mut faults = Vec::new();
    for (room, dependencies) in &rooms {
        for name in dependencies {
            if rooms.contains_key(name) && !may_know(room, name) {
                faults.push(format!("{room} knows {name}; see `who may know whom` in ARCHITECTURE.md"));
            }
            if room == "hansa-economy" && !ECONOMY_STANDS_ON.contains(&name.as_str()) {
                faults.push(format!("hansa-economy stands on {name}; it may know only {}", ECONOMY_STANDS_ON.join(", ")));
            }
            for (library, users) in KEPT_TO.iter().filter(|(library, _)| fits(library, name)) {
                if !users.iter().any(|user| fits(user, room)) {
                    faults.push(format!("{room} uses {library}; only {} may", users.join(", ")));
                }
            }
        }
    }
    faults.extend(
        NEIGHBOURS
            .iter()
            .filter(|(room, _)| !rooms.contains_key(*room))
            .map(|(room, _)| format!("{room} is on the map, but not there")),
    );
    faults
}

/// Each room with its normal dependencies. Read from cargo's own JSON: the crate that parses it would change the features of
/// crates below wasmtime, which would then be compiled once for building and once for testing.
fn read() -> BTreeMap<String, Vec<String>> {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    let output = cargo
        .args(["metadata", "--no-deps", "--format-version", "1"])
        .current_dir(root())
        .output()
        .expect("cargo can be run: it has just built this test");
    assert!(output.status.success(), "cargo metadata: {}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("cargo writes JSON");
    let packages = metadata["packages"].as_array().expect("a list of packages");
    packages.iter().map(|package| (text(&package["name"]), normal_dependencies(package))).collect()
}

/// A normal dependency has no kind in cargo's JSON; `dev` and `build` say so.
fn normal_dependencies(package: &Value) -> Vec<String> {
    let dependencies = package["dependencies"].as_array().expect("a list of dependencies");
    dependencies.iter().filter(|dependency| dependency["kind"].is_null()).map(|dependency| text(&dependency["name"])).collect()
}

fn text(value: &Value) -> String {
    value.as_str().expect("a name").to_owned()
}

/// Agents know the SDK, samples whatever they like; any other room without a line in [`NEIGHBOURS`] knows nobody, which is true of
/// all fixtures but the one for the SDK.
fn may_know(room: &str, other: &str) -> bool {
    if SAMPLES.contains(&room) {
        return other == "hansa-node" || BELOW_NODE.contains(&other);
    }
    if room.starts_with("hansa-agent-") {
        return other == "hansa-sdk";
    }
    NEIGHBOURS.iter().any(|(name, known)| *name == room && known.contains(&other))
}

fn fits(pattern: &str, name: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(start) => name.starts_with(start),
        None => pattern == name,
    }
}
