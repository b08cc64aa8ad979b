//! Rust: cargo for `wasm32-wasip2`, whose linker makes a component by itself.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use super::tool::{ANY, Tool};
use super::{BuildError, Words, run};
use crate::language::Language;
use crate::project::Project;

/// What components are built for.
const TARGET: &str = "wasm32-wasip2";
/// The profile of our templates; a project without it is built with cargo's `release`.
const PROFILE: &str = "agent";

pub(super) fn build(project: &Project, words: Words) -> Result<(), BuildError> {
    let needs = |program: &str, remedy| {
        Tool { language: Language::Rust, program: Path::new(program), needed: [1, 95, 0]..ANY, remedy }.check()
    };
    needs("cargo", "install Rust with rustup, https://rustup.rs")?;
    needs("rustc", "`rustup update` brings a newer one")?;
    check_target()?;
    let place = Place::of(project)?;
    let mut cargo = Command::new("cargo");
    cargo.current_dir(&project.folder).args(["build", "--lib", "--target", TARGET, "--profile", place.profile]);
    run(&mut cargo, words)?;
    let built = place.component();
    let component = project.component();
    // Copied under another name first: whoever reads the component meanwhile gets the old or the new one.
    let unfinished = component.with_extension("wasm.new");
    let copied = std::fs::copy(&built, &unfinished).and_then(|_| std::fs::rename(&unfinished, &component));
    copied.map_err(|error| match built.is_file() {
        true => BuildError::Io { path: component, error },
        false => BuildError::Nothing(built),
    })
}

fn check_target() -> Result<(), BuildError> {
    let sysroot = run(Command::new("rustc").args(["--print", "sysroot"]), Words::Kept)?;
    match Path::new(sysroot.trim()).join("lib/rustlib").join(TARGET).is_dir() {
        true => Ok(()),
        false => Err(BuildError::Missing {
            language: Language::Rust,
            tool: format!("the target {TARGET}"),
            remedy: format!("`rustup target add {TARGET}` installs it"),
        }),
    }
}

/// Where cargo puts what it builds.
struct Place {
    target: PathBuf,
    profile: &'static str,
    file: String,
}

impl Place {
    fn of(project: &Project) -> Result<Place, BuildError> {
        let mut cargo = Command::new("cargo");
        cargo.current_dir(&project.folder).args(["metadata", "--no-deps", "--format-version", "1"]);
        let text = run(&mut cargo, Words::Kept)?;
        let unreadable =
            || BuildError::Failed { command: "cargo metadata".into(), words: "its answer is no JSON that we know".into() };
        let metadata: Value = serde_json::from_str(&text).map_err(|_| unreadable())?;
        let path = |key: &str| metadata[key].as_str().map(PathBuf::from).ok_or_else(unreadable);
        let manifest = project.folder.join("Cargo.toml");
        let manifest = manifest.canonicalize().unwrap_or(manifest);
        let packages = metadata["packages"].as_array().ok_or_else(unreadable)?;
        let ours = |package: &&Value| package["manifest_path"].as_str().is_some_and(|path| Path::new(path) == manifest);
        let library = packages.iter().find(ours).and_then(library).ok_or_else(|| BuildError::Failed {
            command: "cargo metadata".into(),
            words: format!("{} has no library; add `[lib]` with `crate-type = [\"cdylib\"]`", manifest.display()),
        })?;
        let profile = if has_profile(&path("workspace_root")?.join("Cargo.toml")) { PROFILE } else { "release" };
        Ok(Place { target: path("target_directory")?, profile, file: format!("{}.wasm", library.replace('-', "_")) })
    }

    fn component(&self) -> PathBuf {
        self.target.join(TARGET).join(self.profile).join(&self.file)
    }
}

/// The name of a package's `cdylib`.
fn library(package: &Value) -> Option<String> {
    let is_component = |target: &&Value| target["kind"].as_array().is_some_and(|kinds| kinds.iter().any(|kind| kind == "cdylib"));
    package["targets"].as_array()?.iter().find(is_component)?["name"].as_str().map(str::to_owned)
}

fn has_profile(manifest: &Path) -> bool {
    let table = std::fs::read_to_string(manifest).ok().and_then(|text| text.parse::<toml::Table>().ok());
    table.is_some_and(|table| table.get("profile").and_then(|profile| profile.get(PROFILE)).is_some())
}
