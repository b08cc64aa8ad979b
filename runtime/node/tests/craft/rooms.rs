//! Who may know whom: the normal dependencies of every room, read with `cargo metadata`.

use std::collections::BTreeMap;

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, Package};

use crate::source::root;

/// The rooms of the workspace that each room may know. A room that is not listed here, such as an agent, is judged by
/// [`may_know`].
const NEIGHBOURS: &[(&str, &[&str])] = &[
    ("hansa-economy", &[]),
    ("hansa-catalogue", &["hansa-economy"]),
    ("hansa-ledger", &["hansa-economy"]),
    ("hansa-state", &[]),
    ("hansa-inference", &[]),
    ("hansa-host", &[]),
    ("hansa-bus", &[]),
    ("hansa-trade", &["hansa-economy", "hansa-bus", "hansa-host"]),
    (
        "hansa-node",
        &[
            "hansa-economy",
            "hansa-catalogue",
            "hansa-ledger",
            "hansa-state",
            "hansa-inference",
            "hansa-host",
            "hansa-bus",
            "hansa-trade",
        ],
    ),
    ("hansa-reading-room", &["hansa-economy", "hansa-node"]),
    ("hansa-sdk", &[]),
];

/// All that `economy` may stand on: signatures, hashes and serialisation.
const ECONOMY_STANDS_ON: &[&str] = &["ed25519-dalek", "sha2", "coset", "minicbor", "bs58", "serde", "thiserror"];

/// Who may use a library that would otherwise spread; a `*` at the end stands for any rest.
const KEPT_TO: &[(&str, &[&str])] = &[
    ("redb", &["hansa-ledger", "hansa-trade", "hansa-state"]),
    ("async-nats", &["hansa-bus"]),
    ("ort", &["hansa-inference"]),
    ("ort-sys", &["hansa-inference"]),
    ("tokenizers", &["hansa-inference"]),
    ("wasmtime*", &["hansa-host"]),
    ("wit-bindgen", &["hansa-sdk", "hansa-fixture*"]),
    ("clap", &["hansa-node", "hansa-reading-room"]),
];

/// All dependencies that should not be.
pub fn strangers() -> Vec<String> {
    let metadata = read();
    let members: BTreeMap<&str, &Package> = metadata.workspace_packages().into_iter().map(|package| (package.name.as_str(), package)).collect();
    let mut faults = Vec::new();
    for (room, package) in &members {
        for dependency in package.dependencies.iter().filter(|dependency| dependency.kind == DependencyKind::Normal) {
            let name = dependency.name.as_str();
            if members.contains_key(name) && !may_know(room, name) {
                faults.push(format!("{room} knows {name}; see `who may know whom` in ARCHITECTURE.md"));
            }
            if *room == "hansa-economy" && !ECONOMY_STANDS_ON.contains(&name) {
                faults.push(format!("hansa-economy stands on {name}; it may know only {}", ECONOMY_STANDS_ON.join(", ")));
            }
            for (library, rooms) in KEPT_TO.iter().filter(|(library, _)| fits(library, name)) {
                if !rooms.iter().any(|allowed| fits(allowed, room)) {
                    faults.push(format!("{room} uses {library}; only {} may", rooms.join(", ")));
                }
            }
        }
    }
    faults.extend(NEIGHBOURS.iter().filter(|(room, _)| !members.contains_key(room)).map(|(room, _)| format!("{room} is on the map, but not there")));
    faults
}

fn read() -> Metadata {
    let mut command = MetadataCommand::new();
    command.manifest_path(root().join("Cargo.toml")).no_deps();
    command.exec().expect("cargo can read this workspace: it has just built this test")
}

/// Agents know the SDK, fixtures nothing of ours; a room without a line in [`NEIGHBOURS`] knows nobody.
fn may_know(room: &str, other: &str) -> bool {
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
