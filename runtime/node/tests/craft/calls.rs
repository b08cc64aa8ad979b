//! Words that may not stand in code, by room. Tests may use what the product may not.

use crate::source::{Source, Workspace};

/// One rule: a run of tokens that may not stand in certain files.
struct Ban {
    /// The tokens.
    tokens: &'static [&'static str],
    /// Files it holds for.
    holds: fn(&str) -> bool,
    /// What to do instead.
    instead: &'static str,
}

const BANS: &[Ban] = &[
    Ban { tokens: &[".", "unwrap", "(", ")"], holds: anywhere, instead: "return the error, or `expect` with why it cannot fail" },
    Ban { tokens: &["todo", "!"], holds: anywhere, instead: "write it, or leave it out" },
    Ban { tokens: &["unimplemented", "!"], holds: anywhere, instead: "write it, or refuse with a reason" },
    Ban { tokens: &["dbg", "!"], holds: anywhere, instead: "use `tracing`" },
    Ban { tokens: &["println", "!"], holds: outside_terminal, instead: "only the CLI prints; return it or use `tracing`" },
    Ban { tokens: &["print", "!"], holds: outside_terminal, instead: "only the CLI prints; return it or use `tracing`" },
    Ban { tokens: &["eprintln", "!"], holds: outside_terminal, instead: "only the CLI prints; use `tracing`" },
    Ban { tokens: &["eprint", "!"], holds: outside_terminal, instead: "only the CLI prints; use `tracing`" },
    Ban {
        tokens: &["SystemTime", ":", ":", "now"],
        holds: outside_ambient,
        instead: "take the time as a parameter; the node's `ambient` reads it, in agents the SDK's `clock`",
    },
    Ban {
        tokens: &["UNIX_EPOCH", ".", "elapsed"],
        holds: outside_ambient,
        instead: "take the time as a parameter; the node's `ambient` reads it, in agents the SDK's `clock`",
    },
    Ban { tokens: &["Instant"], holds: in_economy, instead: "time comes in as a parameter" },
    Ban { tokens: &["SystemTime"], holds: in_economy, instead: "time comes in as a parameter" },
    Ban { tokens: &["getrandom"], holds: in_economy, instead: "randomness comes in as a parameter" },
    Ban { tokens: &["async"], holds: in_economy, instead: "rules do no I/O and wait for nothing" },
    Ban { tokens: &["std", ":", ":", "fs"], holds: in_economy, instead: "rules do no I/O" },
    Ban { tokens: &["std", ":", ":", "net"], holds: in_economy, instead: "rules do no I/O" },
    Ban { tokens: &["std", ":", ":", "env"], holds: in_economy, instead: "rules do no I/O" },
    Ban { tokens: &["f32"], holds: in_economy, instead: "money is `Amount`" },
    Ban { tokens: &["f64"], holds: in_economy, instead: "money is `Amount`" },
    Ban { tokens: &["HashMap"], holds: in_ordered_economy, instead: "use `BTreeMap`: its order is the same everywhere" },
    Ban { tokens: &["HashSet"], holds: in_economy, instead: "use `BTreeSet`: its order is the same everywhere" },
];

/// All places where a banned word stands.
pub(crate) fn banned(workspace: &Workspace) -> Vec<String> {
    workspace.sources.iter().flat_map(in_source).collect()
}

fn in_source(source: &Source) -> Vec<String> {
    let bans: Vec<&Ban> = BANS.iter().filter(|ban| (ban.holds)(&source.path)).collect();
    let tokens = source.tokens();
    let mut faults = Vec::new();
    for (at, (word, line)) in tokens.iter().enumerate().filter(|(_, (_, line))| !source.in_test(*line)) {
        let matching = bans.iter().filter(|ban| stands_at(ban.tokens, &tokens[at..]));
        faults.extend(matching.map(|ban| format!("{}:{line}: `{}`: {}", source.path, ban.tokens.concat(), ban.instead)));
        if in_economy(&source.path) && is_float(word) {
            faults.push(format!("{}:{line}: `{word}`: no floats near money", source.path));
        }
    }
    faults
}

fn stands_at(wanted: &[&str], tokens: &[(String, usize)]) -> bool {
    tokens.len() >= wanted.len() && wanted.iter().zip(tokens).all(|(wanted, (found, _))| wanted == found)
}

fn is_float(word: &str) -> bool {
    word.starts_with(|first: char| first.is_ascii_digit()) && matches!(syn::parse_str(word), Ok(syn::Lit::Float(_)))
}

fn anywhere(_: &str) -> bool {
    true
}

fn in_economy(path: &str) -> bool {
    path.starts_with("marketplace/economy/")
}

/// All of it but the one map that never shows its order.
fn in_ordered_economy(path: &str) -> bool {
    in_economy(path) && path != "marketplace/economy/src/ledger/unordered.rs"
}

/// Samples and development tools print by themselves, as the CLI does.
fn outside_terminal(path: &str) -> bool {
    let terminal = ["runtime/node/src/main.rs", "runtime/node/src/cli/", "runtime/node/src/bin/", "samples/"];
    !terminal.iter().any(|start| path.starts_with(start))
}

fn outside_ambient(path: &str) -> bool {
    let free = ["runtime/node/src/ambient.rs", "sdk/rust/src/clock.rs", "runtime/node/src/bin/", "samples/"];
    !free.iter().any(|start| path.starts_with(start))
}
