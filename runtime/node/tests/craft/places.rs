//! No file names a place that exists on one machine only, or the host of a package registry.

use crate::source::Workspace;

/// Fragments of such names; in two halves, so that this file does not hold them itself.
const FRAGMENTS: &[(&str, &str)] = &[
    ("/ho", "me/"),
    ("/ro", "ot/"),
    ("/Us", "ers/"),
    ("/wo", "rk/"),
    ("C:\\", "Users"),
    ("/tmp/", "bash"),
    ("file:", "///"),
    ("index.cra", "tes.io"),
    ("static.cra", "tes.io"),
    ("pypi.or", "g/"),
    ("files.python", "hosted.org"),
    ("registry.npm", "js.org"),
    ("arti", "factory"),
    ("index-", "url"),
];

/// Lines that hold one. Fetching goes through cargo and pip, which know their registries.
pub(crate) fn of_one_machine(workspace: &Workspace) -> Vec<String> {
    let mut faults = Vec::new();
    for (path, text) in &workspace.files {
        for (number, line) in text.lines().enumerate() {
            for (first, second) in FRAGMENTS.iter().filter(|(first, second)| holds(line, first, second)) {
                faults.push(format!(
                    "{path}:{}: `{first}{second}` means nothing elsewhere; name it relative to the checkout",
                    number + 1
                ));
            }
        }
    }
    faults
}

fn holds(line: &str, first: &str, second: &str) -> bool {
    line.match_indices(first).any(|(at, _)| line[at + first.len()..].starts_with(second))
}
