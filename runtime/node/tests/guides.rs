//! The guides in `docs/developers` are followed word for word: every file written, every command typed, every answer compared.
#![expect(clippy::unwrap_used, reason = "tests")]

#[path = "guides/parse.rs"]
mod parse;
#[path = "guides/session.rs"]
mod session;
mod shared;

use std::collections::BTreeSet;
use std::path::PathBuf;

use parse::{Step, steps};
use session::Session;
use shared::workspace;

/// Guides with commands; each has a test of its own below, so that they run side by side.
const FOLLOWED: [&str; 8] = [
    "autonomous.md",
    "buying.md",
    "first-agent-javascript.md",
    "first-agent-python.md",
    "first-agent-rust.md",
    "publishing.md",
    "selling-well.md",
    "testing.md",
];

fn guides() -> PathBuf {
    workspace().join("docs/developers")
}

fn follow(name: &str) {
    let guide = std::fs::read_to_string(guides().join(name)).unwrap();
    let mut session = Session::new();
    for (line, step) in steps(&guide) {
        if let Err(wrong) = session.follow(&step) {
            let what = if let Step::Run { script, .. } = &step { script.as_str() } else { "" };
            panic!("docs/developers/{name}:{line}\n{what}\n{wrong}");
        }
    }
    session.end().unwrap_or_else(|wrong| panic!("docs/developers/{name}: {wrong}"));
}

#[test]
fn autonomous() {
    follow("autonomous.md");
}

#[test]
fn buying() {
    follow("buying.md");
}

#[test]
fn first_agent_in_javascript() {
    follow("first-agent-javascript.md");
}

#[test]
fn first_agent_in_python() {
    follow("first-agent-python.md");
}

#[test]
fn first_agent_in_rust() {
    follow("first-agent-rust.md");
}

#[test]
fn publishing() {
    follow("publishing.md");
}

#[test]
fn selling_well() {
    follow("selling-well.md");
}

#[test]
fn testing() {
    follow("testing.md");
}

/// Every guide in the folder, with its text.
fn all() -> Vec<(String, String)> {
    let entries = std::fs::read_dir(guides()).unwrap().map(|entry| entry.unwrap().path());
    let files = entries.filter(|path| path.extension().is_some_and(|extension| extension == "md"));
    files.map(|path| (path.file_name().unwrap().to_str().unwrap().to_owned(), std::fs::read_to_string(&path).unwrap())).collect()
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
            assert!(
                file.is_empty() || guides().join(file).exists(),
                "docs/developers/{name} links to `{target}`, which is not there"
            );
        }
    }
}
