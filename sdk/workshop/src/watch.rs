//! A watch over a project's files, for `hansa dev`: says that something changed once all has been at rest for a moment.

use std::path::{Component, Path, PathBuf};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher as _};

use crate::limits::REST;

/// Folders whose changes are the doing of tools, and files that builds leave.
const LEFT_OUT: &[&str] = &["target", "node_modules", "build", "component.wasm", "component.wasm.new", "__pycache__"];

/// A watch that runs as long as it is kept.
pub struct Watch {
    _watcher: RecommendedWatcher,
    changes: Receiver<PathBuf>,
}

/// The system does not watch.
#[derive(Debug, thiserror::Error)]
#[error("cannot watch {}: {error}; on Linux, `sysctl fs.inotify.max_user_watches` may be too low", folder.display())]
pub struct WatchError {
    folder: PathBuf,
    error: notify::Error,
}

impl Watch {
    /// Watches all files below `folder` but those that tools write.
    ///
    /// # Errors
    /// The system's word.
    pub fn start(folder: &Path) -> Result<Watch, WatchError> {
        let (told, changes) = channel();
        let root = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
        let failed = |error| WatchError { folder: folder.to_owned(), error };
        let base = root.clone();
        let tell = move |event: notify::Result<Event>| {
            let Ok(event) = event else { return };
            let matters = |path: &&PathBuf| path.strip_prefix(&base).is_ok_and(is_source);
            if let Some(path) =
                Some(&event).filter(|event| changes_content(event)).and_then(|event| event.paths.iter().find(matters))
            {
                // Nobody listens only if the watch is being dropped.
                let _ = told.send(path.clone());
            }
        };
        let mut watcher = notify::recommended_watcher(tell).map_err(failed)?;
        watcher.watch(&root, RecursiveMode::Recursive).map_err(failed)?;
        Ok(Watch { _watcher: watcher, changes })
    }

    /// Waits for a change, then until all has been at rest. Gives the first file that changed and is there; none where nothing changed
    /// within `at_most`.
    pub fn next(&self, at_most: Duration) -> Option<PathBuf> {
        let mut changed = vec![self.changes.recv_timeout(at_most).ok()?];
        while let Ok(path) = self.changes.recv_timeout(REST) {
            changed.push(path);
        }
        // Editors write a file of another name first.
        let there = changed.iter().position(|path| path.exists()).unwrap_or(0);
        Some(changed.swap_remove(there))
    }
}

/// Reading a file, or touching its times, changes nothing.
fn changes_content(event: &Event) -> bool {
    use notify::event::ModifyKind;
    match event.kind {
        EventKind::Create(_) | EventKind::Remove(_) => true,
        EventKind::Modify(kind) => !matches!(kind, ModifyKind::Metadata(_)),
        _ => false,
    }
}

fn is_source(path: &Path) -> bool {
    path.components().all(|part| match part {
        Component::Normal(name) => {
            let name = name.to_string_lossy();
            !name.starts_with('.') && !name.ends_with('~') && !LEFT_OUT.contains(&&*name)
        }
        _ => true,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_matter_and_what_tools_write_does_not() {
        for source in ["agent.toml", "src/lib.rs", "wit/world.wit"] {
            assert!(is_source(Path::new(source)), "{source}");
        }
        for other in ["target/debug/x", ".git/index", "component.wasm", "src/.lib.rs.swp", "src/lib.rs~", "node_modules/a/b.js"] {
            assert!(!is_source(Path::new(other)), "{other}");
        }
    }

    #[test]
    fn a_change_is_told_once() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("src")).unwrap();
        let watch = Watch::start(folder.path()).unwrap();
        std::fs::write(folder.path().join("component.wasm"), "tool").unwrap();
        for text in ["one", "two"] {
            std::fs::write(folder.path().join("src/lib.rs"), text).unwrap();
        }
        assert!(watch.next(Duration::from_secs(10)).unwrap().ends_with("src/lib.rs"));
        assert_eq!(watch.next(Duration::from_millis(1)), None);
    }
}
