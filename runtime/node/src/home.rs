//! Which `.hansa` a command means: as git finds its repository, from the current folder upwards.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// The folder's name.
const NAME: &str = ".hansa";

/// The nearest `.hansa` in use, from the current folder upwards as far as the user's home folder or the root; if there is none, that of
/// the current folder. The path is relative, as somebody would type it: a socket below it must have a short one.
pub fn nearest() -> PathBuf {
    let home = std::env::var_os("HOME").map(PathBuf::from);
    let here = std::env::current_dir().unwrap_or_default();
    above(&here, home.as_deref()).unwrap_or_else(|| NAME.into())
}

/// The nearest one at or above `here`, relative to it. `last`: nothing is looked for above this folder.
fn above(here: &Path, last: Option<&Path>) -> Option<PathBuf> {
    let mut way = PathBuf::new();
    for folder in here.ancestors() {
        if in_use(&folder.join(NAME), folder == here) {
            return Some(way.join(NAME));
        }
        if Some(folder) == last {
            return None;
        }
        way.push("..");
    }
    None
}

/// Does it hold a buyer's key or a node? One with nothing but compiled components is a by-product. Above the current folder it must
/// be the user's own: in a folder that many may write to, somebody else's key and node are a trap.
fn in_use(folder: &Path, is_here: bool) -> bool {
    let owner = |path: &Path| std::fs::metadata(path).map(|found| found.uid()).ok();
    let is_own = || owner(folder).is_some() && owner(folder) == owner(Path::new("/proc/self"));
    ["account.key", "node"].iter().any(|part| folder.join(part).exists()) && (is_here || is_own())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_one_in_use_is_found_upwards() {
        let top = tempfile::tempdir().unwrap();
        let home = top.path().join("home");
        let deep = home.join("work/agents/reader");
        std::fs::create_dir_all(&deep).unwrap();
        let begin = |folder: &Path, part: &str| std::fs::create_dir_all(folder.join(NAME).join(part)).unwrap();
        assert_eq!(above(&deep, Some(&home)), None);
        begin(top.path(), "node");
        assert_eq!(above(&deep, Some(&home)), None, "above the home folder");
        assert_eq!(above(&deep, None), Some("../../../../.hansa".into()));
        begin(&home, "account.key");
        assert_eq!(above(&deep, Some(&home)), Some("../../../.hansa".into()));
        begin(&deep, "compiled");
        assert_eq!(above(&deep, Some(&home)), Some("../../../.hansa".into()), "nothing but compiled components");
        begin(&home.join("work"), "node");
        assert_eq!(above(&deep, Some(&home)), Some("../../.hansa".into()));
        begin(&deep, "node");
        assert_eq!(above(&deep, Some(&home)), Some(".hansa".into()));
    }
}
