//! The schema and the reference of a workflow's file in `docs/businesses` are what the code says.
#![expect(clippy::unwrap_used, reason = "tests")]

#[path = "reference/markdown.rs"]
mod markdown;

use std::path::Path;

use hansa_workflow::{Workflow, schema};

/// A file with everything, shown at the head of the reference.
const EXAMPLE: &str = include_str!("reference/example.yaml");

/// Compares a committed file with what is made of the code; writes it instead where `HANSA_WRITE` is set.
fn is_current(file: &str, made: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(file);
    if std::env::var_os("HANSA_WRITE").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, made).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    let differs = made.lines().zip(committed.lines()).position(|(made, committed)| made != committed);
    let line = differs.unwrap_or(made.lines().count().min(committed.lines().count()));
    assert!(
        made == committed,
        "{file} is not what the code says, from line {} on:\n  code  {}\n  file  {}\nwrite it anew: ./justw docs-reference",
        line + 1,
        made.lines().nth(line).unwrap_or("(end)"),
        committed.lines().nth(line).unwrap_or("(end)"),
    );
}

#[test]
fn the_schema_is_made_of_the_code() {
    is_current(schema::PATH, &format!("{:#}\n", schema::json_schema()));
}

#[test]
fn the_reference_is_made_of_the_schema() {
    Workflow::read(EXAMPLE).unwrap_or_else(|problems| panic!("{problems:?}"));
    is_current("docs/businesses/reference.md", &markdown::reference(&schema::json_schema(), EXAMPLE));
}
