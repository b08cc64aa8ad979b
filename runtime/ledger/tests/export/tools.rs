//! The accounting tools where they are installed: `bean-check` by `./justw setup`, `hledger` by whoever has it.

use std::path::{Path, PathBuf};
use std::process::Command;

/// `bean-check`, from `HANSA_BEAN_CHECK`, `.tools/bin` or `PATH`.
pub(crate) fn bean_check() -> Option<PathBuf> {
    find("HANSA_BEAN_CHECK", "bean-check")
}

/// `hledger`, from `HANSA_HLEDGER`, `.tools/bin` or `PATH`.
pub(crate) fn hledger() -> Option<PathBuf> {
    find("HANSA_HLEDGER", "hledger")
}

fn find(variable: &str, name: &str) -> Option<PathBuf> {
    if let Some(given) = std::env::var_os(variable) {
        return Some(given.into());
    }
    let fetched = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().map(|folder| folder.join(".tools/bin"));
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders: Vec<PathBuf> = fetched.chain(std::env::split_paths(&path)).collect();
    folders.into_iter().map(|folder| folder.join(name)).find(|file| file.is_file())
}

/// Run a tool over a file; what it says where it does not accept it.
pub(crate) fn accepts(tool: &Path, arguments: &[&str]) -> Result<(), String> {
    let done = Command::new(tool).args(arguments).env("LC_ALL", "C").output().unwrap();
    let text = [done.stdout, done.stderr].concat();
    if done.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&text).into_owned()) }
}
