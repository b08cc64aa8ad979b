//! The reference of `agent.toml` in `docs/developers` says what the types say, and every `agent.toml` of this repository fits the schema.
#![expect(clippy::unwrap_used, reason = "tests")]

#[path = "reference/markdown.rs"]
mod markdown;

use std::path::{Path, PathBuf};

use hansa_catalogue::{Manifest, schema};
use serde_json::Value;

/// A file with every section, shown at the head of the reference.
const EXAMPLE: &str = include_str!("reference/example.toml");

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// Compares a committed file with what is made of the types; writes it instead where `HANSA_WRITE` is set.
fn is_current(file: &str, made: &str) {
    let path = workspace().join("docs/developers").join(file);
    if std::env::var_os("HANSA_WRITE").is_some() {
        std::fs::write(&path, made).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    let differs = made.lines().zip(committed.lines()).position(|(made, committed)| made != committed);
    let line = differs.unwrap_or(made.lines().count().min(committed.lines().count()));
    assert!(
        made == committed,
        "docs/developers/{file} is not what the types say, from line {} on:\n  types  {}\n  file   {}\nwrite it anew: ./justw docs-reference",
        line + 1,
        made.lines().nth(line).unwrap_or("(end)"),
        committed.lines().nth(line).unwrap_or("(end)"),
    );
}

#[test]
fn the_reference_is_made_of_the_types() {
    is_current("agent-toml.md", &markdown::reference(schema::agent_toml().as_value(), EXAMPLE));
}

#[test]
fn the_schema_is_made_of_the_types() {
    is_current("agent.schema.json", &format!("{:#}\n", schema::agent_toml().as_value()));
}

/// What the schema says against a file; nothing where it fits.
fn complaint(text: &str) -> Option<String> {
    let (mut schemas, mut compiler) = (boon::Schemas::new(), boon::Compiler::new());
    compiler.add_resource("agent.schema.json", schema::agent_toml().to_value()).unwrap();
    let compiled = compiler.compile("agent.schema.json", &mut schemas).unwrap();
    let written: Value = toml::from_str(text).unwrap();
    schemas.validate(&written, compiled).err().map(|error| error.to_string())
}

#[test]
fn every_agent_of_this_repository_fits_the_schema() {
    let mut seen = 0;
    for folder in ["agents", "sdk/rust/templates", "sdk/python/templates", "sdk/js/templates"] {
        for entry in std::fs::read_dir(workspace().join(folder)).unwrap() {
            let path = entry.unwrap().path().join("agent.toml");
            let Ok(text) = std::fs::read_to_string(&path) else { continue };
            Manifest::parse(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            assert_eq!(complaint(&text), None, "{}", path.display());
            seen += 1;
        }
    }
    assert!(seen >= 17, "only {seen} files of agents were found");
    Manifest::parse(EXAMPLE).unwrap();
    assert_eq!(complaint(EXAMPLE), None);
}

#[test]
fn the_schema_refuses_what_the_node_refuses() {
    let cases = [
        ("version = \"1.2.0\"", "verson = \"1.2.0\""),
        ("acme/reader\"", "Reader\""),
        ("\"1.2.0\"", "\"1.2\""),
        ("\"128MiB\"", "true"),
        ("\"500ms\"", "\"soon\""),
        ("\"free\"", "\"cheap\""),
        ("per.request-kib", "per.requestkib"),
        (", max = \"0.02\"", ""),
        ("from = 100", "from = 1"),
        ("concurrency = 16", "concurrency = 0"),
        ("concurrency = 16", "concurrency = 1025"),
        ("\"cheapest\"", "\"best\""),
        ("retries = 2", "retries = 9"),
        ("\"acme:reader/reader@1.0.0\"", "\"reader\""),
        ("\"did:key:", "\"key:"),
    ];
    for (from, to) in cases {
        assert!(EXAMPLE.contains(from), "the example has no `{from}`");
        let wrong = EXAMPLE.replacen(from, to, 1);
        assert!(Manifest::parse(&wrong).is_err(), "the node takes {to}");
        assert!(complaint(&wrong).is_some(), "the schema takes {to}");
    }
}
