//! The SDK and the contracts inside a new project. Those for Rust lie in `vendor/hansa` as in Hansa's own repository, so that
//! relative paths between them hold; Python's and JavaScript's lie where their tool chains find a package.

use std::collections::{BTreeMap, BTreeSet};

use rust_embed::RustEmbed;
use toml::{Table, Value};

use super::files::File;
use crate::language::Language;

/// The workspace that the SDK's manifest inherits from.
const WORKSPACE: &str = include_str!("../../../../Cargo.toml");

#[derive(RustEmbed)]
#[folder = "../../wit"]
struct Contracts;

#[derive(RustEmbed)]
#[folder = "../rust"]
#[include = "src/*"]
#[include = "src/**/*"]
#[include = "wit/*"]
#[include = "Cargo.toml"]
struct RustSdk;

#[derive(RustEmbed)]
#[folder = "../python/hansa_sdk"]
#[exclude = "*__pycache__*"]
struct PythonSdk;

#[derive(RustEmbed)]
#[folder = "../js"]
#[include = "*.js"]
#[include = "package.json"]
#[exclude = "*/*"]
struct JavaScriptSdk;

/// What editors check `agent.toml` by.
const SCHEMA: &str = include_str!("../../../../docs/developers/agent.schema.json");

/// Names that the contracts in a project have.
pub(super) struct ContractNames {
    /// `hansa` of `hansa:agent`.
    pub(super) namespaces: BTreeSet<String>,
    /// Packages and interfaces of `hansa:`, which a world may name beside the agent's own: `hansa:agent/log` by `log`.
    pub(super) taken: BTreeMap<String, String>,
}

/// The names in the contracts that come with a project.
pub(super) fn contracts() -> ContractNames {
    let mut names = ContractNames { namespaces: BTreeSet::new(), taken: BTreeMap::new() };
    for file in tree::<Contracts>("").into_iter().filter(|file| file.path.ends_with(".wit")) {
        let text = String::from_utf8_lossy(&file.content).into_owned();
        let after = |word: &'static str| text.lines().filter_map(move |line| line.strip_prefix(word));
        let Some(package) = after("package ").next().and_then(|rest| rest.split(['@', ';']).next()) else { continue };
        names.namespaces.extend(package.split(':').next().map(str::to_owned));
        // Of the others' services a project takes those only that it buys.
        if let Some(short) = package.strip_prefix("hansa:") {
            names.taken.insert(short.to_owned(), package.to_owned());
            let interfaces = after("interface ").filter_map(|rest| rest.split([' ', '{']).next());
            names.taken.extend(interfaces.map(|name| (name.to_owned(), format!("{package}/{name}"))));
        }
    }
    names
}

/// Everything that a project in this language needs beside its own files.
pub(super) fn files(language: Language) -> Vec<File> {
    let mut files = tree::<Contracts>("vendor/hansa/wit");
    files.push(File { path: "vendor/hansa/agent.schema.json".into(), content: SCHEMA.into() });
    match language {
        Language::Rust => files.extend(tree::<RustSdk>("vendor/hansa/sdk/rust").into_iter().map(standing_alone)),
        Language::Python => files.extend(tree::<PythonSdk>("vendor/hansa_sdk")),
        Language::JavaScript => files.extend(tree::<JavaScriptSdk>("vendor/hansa-sdk")),
    }
    files
}

fn tree<E: RustEmbed>(below: &str) -> Vec<File> {
    let file = |path: std::borrow::Cow<'static, str>| {
        let content = E::get(&path)?.data.into_owned();
        Some(File { path: format!("{below}/{path}"), content })
    };
    E::iter().filter_map(file).collect()
}

/// A manifest that inherits from our workspace, written out so that it stands without it.
fn standing_alone(file: File) -> File {
    if !file.path.ends_with("Cargo.toml") {
        return file;
    }
    let text = String::from_utf8_lossy(&file.content).into_owned();
    let content = written_out(&text, WORKSPACE).expect("our own manifests are valid; a test reads them").into_bytes();
    File { content, ..file }
}

/// Resolves `workspace = true` in `manifest` by `workspace`'s tables (The Cargo Book, "Workspaces").
fn written_out(manifest: &str, workspace: &str) -> Option<String> {
    let mut manifest: Table = manifest.parse().ok()?;
    let workspace: Table = workspace.parse().ok()?;
    let inherited = workspace.get("workspace")?.as_table()?;
    let package = inherited.get("package")?.as_table()?;
    for (key, value) in manifest.get_mut("package")?.as_table_mut()? {
        if inherits(value) {
            *value = package.get(key)?.clone();
        }
    }
    let shared = inherited.get("dependencies")?.as_table()?;
    for (name, value) in manifest.get_mut("dependencies")?.as_table_mut()? {
        if inherits(value) {
            *value = joined(shared.get(name)?, value);
        }
    }
    manifest.remove("lints");
    toml::to_string(&manifest).ok()
}

fn inherits(value: &Value) -> bool {
    value.get("workspace").and_then(Value::as_bool) == Some(true)
}

/// The shared dependency with what the member adds.
fn joined(shared: &Value, member: &Value) -> Value {
    let mut table = match shared {
        Value::Table(table) => table.clone(),
        version => Table::from_iter([("version".to_owned(), version.clone())]),
    };
    for (key, value) in member.as_table().into_iter().flatten().filter(|(key, _)| *key != "workspace") {
        table.insert(key.clone(), value.clone());
    }
    Value::Table(table)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sdk_stands_alone() {
        let files = files(Language::Rust);
        let manifest = files.iter().find(|file| file.path == "vendor/hansa/sdk/rust/Cargo.toml").unwrap();
        let text = String::from_utf8(manifest.content.clone()).unwrap();
        let table: Table = text.parse().unwrap();
        assert!(!text.contains("workspace"), "{text}");
        assert_eq!(table["package"]["edition"].as_str(), Some("2024"));
        assert!(table["dependencies"]["wit-bindgen"]["version"].as_str().unwrap().contains("0.61"));
        assert!(files.iter().any(|file| file.path == "vendor/hansa/sdk/rust/src/inference/generation.rs"));
        assert!(files.iter().any(|file| file.path == "vendor/hansa/wit/hansa-service/types.wit"));
        assert!(!files.iter().any(|file| file.path.contains("templates")));
    }

    #[test]
    fn the_other_sdks_come_without_what_is_not_theirs() {
        let python: Vec<String> = super::files(Language::Python).into_iter().map(|file| file.path).collect();
        assert!(python.iter().any(|path| path == "vendor/hansa_sdk/fault.py"), "{python:?}");
        let js: Vec<String> = super::files(Language::JavaScript).into_iter().map(|file| file.path).collect();
        assert!(js.iter().any(|path| path == "vendor/hansa-sdk/fault.js"), "{js:?}");
        for path in python.iter().chain(&js) {
            let strange = ["__pycache__", "templates", "/tests/", "node_modules"].into_iter().find(|word| path.contains(word));
            assert_eq!(strange, None, "{path}");
        }
    }
}
