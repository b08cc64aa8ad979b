//! Finding the `nats-server` binary.

use std::path::{Path, PathBuf};

/// No `nats-server` was found.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no nats-server found (looked for {}): get one with `./justw setup`", list(looked_for))]
pub struct BinaryError {
    /// The candidates, in the order tried.
    pub looked_for: Vec<PathBuf>,
}

fn list(paths: &[PathBuf]) -> String {
    paths.iter().map(|path| format!("`{}`", path.display())).collect::<Vec<_>>().join(", ")
}

pub(super) fn find(candidates: impl IntoIterator<Item = PathBuf>) -> Result<PathBuf, BinaryError> {
    let mut looked_for = Vec::new();
    for candidate in candidates {
        let found = if candidate.components().count() == 1 && !candidate.is_absolute() {
            in_path(&candidate)
        } else {
            Some(candidate.clone()).filter(|path| is_runnable(path))
        };
        match found {
            Some(path) => return Ok(path),
            None => looked_for.push(candidate),
        }
    }
    Err(BinaryError { looked_for })
}

fn in_path(name: &Path) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(name)).find(|path| is_runnable(path))
}

#[cfg(unix)]
fn is_runnable(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    path.metadata().is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_runnable(path: &Path) -> bool {
    path.is_file()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_runnable_wins() {
        let found = find(["/nowhere/nats-server".into(), "sh".into(), "/bin/sh".into()]).unwrap();
        assert!(found.is_absolute() && found.ends_with("sh"), "{found:?}");
        let error = find(["/nowhere/nats-server".into(), "no-such-binary".into()]).unwrap_err().to_string();
        let expected = "no nats-server found (looked for `/nowhere/nats-server`, `no-such-binary`): get one with `./justw setup`";
        assert_eq!(error, expected);
    }

    #[test]
    fn a_plain_file_is_not_runnable() {
        assert!(find([PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml")]).is_err());
    }
}
