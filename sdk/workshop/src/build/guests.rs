//! Python with componentize-py, JavaScript with componentize-qjs: an interpreter that the agent's sources travel in.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::tool::Tool;
use super::wit::{Imports, stage};
use super::{BuildError, Words, run};
use crate::language::Language;
use crate::project::Project;

/// Where what is made on the way lies, below the project's folder.
const BUILD: &str = "build";

pub(super) fn python(project: &Project, words: Words) -> Result<(), BuildError> {
    let program = program(project, "componentize-py");
    let needed = [0, 25, 0]..[0, 26, 0];
    let remedy = "`pip install componentize-py==0.25.1` installs it";
    Tool { language: Language::Python, program: &program, needed, remedy }.check()?;
    let build = project.folder.join(BUILD);
    stage(project, &build.join("wit"), Imports::AsWritten)?;
    // Without it the machine's own packages would be on the agent's path.
    let nothing = build.join("venv");
    let packages = nothing.join("lib/site-packages");
    std::fs::create_dir_all(&packages).map_err(|error| BuildError::Io { path: packages, error })?;
    let sdk = sdk(project, "vendor/hansa_sdk", "sdk/python/hansa_sdk")?;
    let mut command = Command::new(&program);
    command.current_dir(&project.folder).env("VIRTUAL_ENV", nothing).args(["-q", "-d"]).arg(build.join("wit"));
    command.args(["componentize", "-p", "src", "-p"]).arg(sdk.parent().unwrap_or(&sdk)).args(["component", "-o"]);
    finish(project, &mut command, words)
}

pub(super) fn javascript(project: &Project, words: Words) -> Result<(), BuildError> {
    let program = program(project, "componentize-qjs");
    let remedy = "`npm install --global componentize-qjs@0.4.5` installs it (Node.js 20 or newer)";
    // It does not tell its version; the option is that of 0.4.
    let knows = Command::new(&program).arg("--help").output();
    let knows = knows.is_ok_and(|output| String::from_utf8_lossy(&output.stdout).contains("--module-root"));
    if !knows {
        let tool = "componentize-qjs 0.4".to_owned();
        return Err(BuildError::Missing { language: Language::JavaScript, tool, remedy: remedy.to_owned() });
    }
    let wit = project.folder.join(BUILD).join("wit");
    stage(project, &wit, Imports::Plain)?;
    let sdk = sdk(project, "vendor/hansa-sdk", "sdk/js")?;
    // Sources may import from here on down: the project, or the checkout that it stands in.
    let inside = sdk.starts_with(&project.folder);
    let root: &Path = if inside { &project.folder } else { sdk.ancestors().nth(2).unwrap_or(&project.folder) };
    let mut command = Command::new(&program);
    command.current_dir(&project.folder).arg("--wit").arg(wit).arg("--js").arg(project.folder.join("src/component.js"));
    command.arg("--module-root").arg(root).arg("--output");
    finish(project, &mut command, words)
}

/// Runs the tool to another name first: whoever reads the component meanwhile gets the old or the new one.
fn finish(project: &Project, command: &mut Command, words: Words) -> Result<(), BuildError> {
    let component = project.component();
    let unfinished = project.folder.join(BUILD).join("component.wasm");
    run(command.arg(&unfinished), words)?;
    std::fs::rename(&unfinished, &component).map_err(|error| BuildError::Io { path: component, error })
}

/// A tool of the project's own environment, of a checkout of Hansa around it, or of the machine.
fn program(project: &Project, name: &str) -> PathBuf {
    let own = [".venv/bin", "node_modules/.bin"].map(|folder| project.folder.join(folder).join(name));
    let around = project.folder.ancestors().map(|ancestor| ancestor.join(".tools/bin").join(name));
    own.into_iter().chain(around).find(|path| path.is_file()).unwrap_or_else(|| name.into())
}

/// The SDK: inside the project, or in a checkout around it.
fn sdk(project: &Project, inside: &str, around: &str) -> Result<PathBuf, BuildError> {
    let ancestors = project.folder.ancestors().map(|ancestor| ancestor.join(around));
    let found = std::iter::once(project.folder.join(inside)).chain(ancestors).find(|path| path.is_dir());
    found.ok_or_else(|| BuildError::NoSdk(Path::new(inside).to_owned()))
}
