//! Finding an agent's component beside its `agent.toml`.

use std::path::{Path, PathBuf};

/// Why there is no component to deploy.
#[derive(Debug, thiserror::Error)]
pub enum ComponentError {
    /// None of the usual places has it.
    #[error("no component for {}: looked for {}; build it with `hansa build`, or give it with `--component FILE`", folder.display(), list(looked_for))]
    Missing {
        /// The agent's folder.
        folder: PathBuf,
        /// Where it was looked for.
        looked_for: Vec<PathBuf>,
    },
    /// The file system's word.
    #[error("cannot read {}: {error}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
}

/// The bytes of the component of the agent in `folder`: `given`, else the newest of `component.wasm` there and what cargo built for its
/// crate.
pub fn read_component(folder: &Path, given: Option<&Path>) -> Result<Vec<u8>, ComponentError> {
    let looked_for = match given {
        Some(path) => vec![path.to_owned()],
        None => usual_places(folder),
    };
    // Where several are there, the one that was built last.
    let built = |path: &&PathBuf| std::fs::metadata(path).and_then(|file| file.modified()).ok();
    let Some(path) = looked_for.iter().filter(|path| path.is_file()).max_by_key(built) else {
        return Err(ComponentError::Missing { folder: folder.to_owned(), looked_for });
    };
    std::fs::read(path).map_err(|error| ComponentError::Io { path: path.clone(), error })
}

fn usual_places(folder: &Path) -> Vec<PathBuf> {
    let mut places = vec![folder.join("component.wasm")];
    let folder = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    // Our own agents in Python and JavaScript are no crates; what builds them names them as if they were.
    let name = crate_name(&folder).or_else(|| Some(format!("hansa-agent-{}", folder.file_name()?.to_str()?)));
    let Some(file) = name.map(|name| format!("{}.wasm", name.replace('-', "_"))) else {
        return places;
    };
    let targets = folder.ancestors().map(|ancestor| ancestor.join("target")).filter(|target| target.is_dir());
    let named = std::env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
    places.extend(named.into_iter().chain(targets).map(|target| target.join("wasm32-wasip2").join("agent").join(&file)));
    places
}

fn crate_name(folder: &Path) -> Option<String> {
    let text = std::fs::read_to_string(folder.join("Cargo.toml")).ok()?;
    let table: toml::Table = text.parse().ok()?;
    Some(table.get("package")?.get("name")?.as_str()?.to_owned())
}

fn list(paths: &[PathBuf]) -> String {
    paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ")
}
