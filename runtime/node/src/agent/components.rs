//! Finding an agent's component beside its `agent.toml`.

use std::path::{Path, PathBuf};

/// What `hansa build` leaves in the project's folder.
const OWN: &str = "component.wasm";

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

/// The bytes of the component of the agent in `folder`: `given`; else `component.wasm` there, which `hansa build` leaves; else the newest
/// that cargo built for a crate of its name, which in a shared target folder may be another project's.
pub fn read_component(folder: &Path, given: Option<&Path>) -> Result<Vec<u8>, ComponentError> {
    let looked_for = match given {
        Some(path) => vec![path.to_owned()],
        None => places(folder, std::env::var_os("CARGO_TARGET_DIR").map(PathBuf::from)),
    };
    let own = folder.join(OWN);
    let built = |path: &&PathBuf| (**path == own, std::fs::metadata(path).and_then(|file| file.modified()).ok());
    let Some(path) = looked_for.iter().filter(|path| path.is_file()).max_by_key(built) else {
        return Err(ComponentError::Missing { folder: folder.to_owned(), looked_for });
    };
    std::fs::read(path).map_err(|error| ComponentError::Io { path: path.clone(), error })
}

/// Where a component may lie, each place once. `named`: a target folder that was given to cargo.
fn places(folder: &Path, named: Option<PathBuf>) -> Vec<PathBuf> {
    let mut places = vec![folder.join(OWN)];
    let folder = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    // Our own agents in Python and JavaScript are no crates; what builds them names them as if they were.
    let name = crate_name(&folder).or_else(|| Some(format!("hansa-agent-{}", folder.file_name()?.to_str()?)));
    let Some(file) = name.map(|name| format!("{}.wasm", name.replace('-', "_"))) else {
        return places;
    };
    let targets = folder.ancestors().map(|ancestor| ancestor.join("target")).filter(|target| target.is_dir());
    for target in named.into_iter().chain(targets) {
        let place = target.join("wasm32-wasip2").join("agent").join(&file);
        // The target folder that is named may well be that of an ancestor.
        if !places.contains(&place) {
            places.push(place);
        }
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_projects_own_component_goes_before_what_cargo_built() {
        let folder = tempfile::tempdir().unwrap();
        let project = folder.path().join("reader");
        let target = folder.path().join("target/wasm32-wasip2/agent");
        std::fs::create_dir_all(&project).unwrap();
        std::fs::create_dir_all(&target).unwrap();
        std::fs::write(project.join("Cargo.toml"), "[package]\nname = \"reader\"\n").unwrap();
        let places = places(&project, Some(folder.path().canonicalize().unwrap().join("target")));
        assert_eq!(places.len(), 2, "each place once: {places:?}");
        let missing = read_component(&project, None).unwrap_err().to_string();
        assert!(missing.contains("hansa build"), "{missing}");
        std::fs::write(project.join(OWN), "own").unwrap();
        // Newer, and perhaps another project's.
        std::fs::write(target.join("reader.wasm"), "cargo's").unwrap();
        assert_eq!(read_component(&project, None).unwrap(), b"own");
        std::fs::remove_file(project.join(OWN)).unwrap();
        assert_eq!(read_component(&project, None).unwrap(), b"cargo's");
    }
}
