//! The guides in `docs/developers` and `docs/businesses`, and the pages of the samples, are followed word for word: every file written, every command typed,
//! every answer compared.
#![expect(clippy::unwrap_used, reason = "tests")]

#[path = "guides/parse.rs"]
mod parse;
#[path = "guides/session.rs"]
mod session;
mod shared;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use parse::{Step, steps};
use session::{Desk, Session};
use shared::workspace;

/// Folders of guides, with where their readers type.
const FOLDERS: [(&str, Desk); 3] =
    [("docs/developers", Desk::Empty), ("docs/businesses", Desk::Checkout), ("samples/workflows", Desk::Checkout)];
/// Guides with commands; each has a test of its own below, so that they run side by side.
const FOLLOWED: [&str; 19] = [
    "docs/businesses/accounting.md",
    "docs/businesses/budgets-and-approvals.md",
    "docs/businesses/confidential-data.md",
    "docs/businesses/first-workflow.md",
    "docs/businesses/programs.md",
    "docs/businesses/receipts.md",
    "docs/businesses/steering.md",
    "docs/developers/autonomous.md",
    "docs/developers/buying.md",
    "docs/developers/first-agent-javascript.md",
    "docs/developers/first-agent-python.md",
    "docs/developers/first-agent-rust.md",
    "docs/developers/publishing.md",
    "docs/developers/selling-well.md",
    "docs/developers/testing.md",
    "samples/workflows/document-intake/README.md",
    "samples/workflows/fan-out-quorum/README.md",
    "samples/workflows/nightly-digest/README.md",
    "samples/workflows/research-desk/README.md",
];

fn follow(path: &str) {
    let guide = std::fs::read_to_string(workspace().join(path)).unwrap();
    let (_, desk) = FOLDERS.into_iter().find(|(folder, _)| path.starts_with(folder)).unwrap();
    let mut session = Session::new(desk);
    for (line, step) in steps(&guide) {
        if let Err(wrong) = session.follow(&step) {
            let what = if let Step::Run { script, .. } = &step { script.as_str() } else { "" };
            panic!("{path}:{line}\n{what}\n{wrong}");
        }
    }
    session.end().unwrap_or_else(|wrong| panic!("{path}: {wrong}"));
}

#[test]
fn accounting() {
    follow("docs/businesses/accounting.md");
}

#[test]
fn budgets_and_approvals() {
    follow("docs/businesses/budgets-and-approvals.md");
}

#[test]
fn confidential_data() {
    follow("docs/businesses/confidential-data.md");
}

#[test]
fn first_workflow() {
    follow("docs/businesses/first-workflow.md");
}

#[test]
fn programs() {
    follow("docs/businesses/programs.md");
}

#[test]
fn receipts() {
    follow("docs/businesses/receipts.md");
}

#[test]
fn steering() {
    follow("docs/businesses/steering.md");
}

#[test]
fn sample_document_intake() {
    follow("samples/workflows/document-intake/README.md");
}

#[test]
fn sample_fan_out_quorum() {
    follow("samples/workflows/fan-out-quorum/README.md");
}

#[test]
fn sample_nightly_digest() {
    follow("samples/workflows/nightly-digest/README.md");
}

#[test]
fn sample_research_desk() {
    follow("samples/workflows/research-desk/README.md");
}

#[test]
fn autonomous() {
    follow("docs/developers/autonomous.md");
}

#[test]
fn buying() {
    follow("docs/developers/buying.md");
}

#[test]
fn first_agent_in_javascript() {
    follow("docs/developers/first-agent-javascript.md");
}

#[test]
fn first_agent_in_python() {
    follow("docs/developers/first-agent-python.md");
}

#[test]
fn first_agent_in_rust() {
    follow("docs/developers/first-agent-rust.md");
}

#[test]
fn publishing() {
    follow("docs/developers/publishing.md");
}

#[test]
fn selling_well() {
    follow("docs/developers/selling-well.md");
}

#[test]
fn testing() {
    follow("docs/developers/testing.md");
}

/// Every guide, with its path and its text.
fn all() -> Vec<(String, String)> {
    let mut found = Vec::new();
    FOLDERS.iter().for_each(|(folder, _)| pages(&workspace().join(folder), &mut found));
    let named = |path: PathBuf| {
        let text = std::fs::read_to_string(&path).unwrap();
        (path.strip_prefix(workspace()).unwrap().to_str().unwrap().to_owned(), text)
    };
    found.into_iter().map(named).collect()
}

fn pages(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            // What a sample works on is no page.
            true if !path.ends_with("documents") => pages(&path, found),
            _ if path.extension().is_some_and(|extension| extension == "md") => found.push(path),
            _ => {}
        }
    }
}

#[test]
fn no_guide_with_commands_is_left_out() {
    let with_commands: BTreeSet<String> =
        all().into_iter().filter(|(_, text)| !steps(text).is_empty()).map(|(name, _)| name).collect();
    assert_eq!(with_commands, FOLLOWED.map(str::to_owned).into());
}

#[test]
fn links_lead_somewhere() {
    for (name, text) in all() {
        let targets = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
        for target in targets.filter(|target| !target.starts_with("http")) {
            let file = target.split('#').next().unwrap();
            let from = workspace().join(&name);
            assert!(
                file.is_empty() || from.parent().unwrap().join(file).exists(),
                "{name} links to `{target}`, which is not there"
            );
        }
    }
}
