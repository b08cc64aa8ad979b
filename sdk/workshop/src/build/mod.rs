//! `hansa build`: a project's component, made by the language's own tool chain. What is missing is explained before anything runs.

mod guests;
mod rust;
mod tool;
mod wit;

use std::io;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::language::Language;
use crate::project::Project;

/// A component that was built.
#[derive(Clone, Debug)]
pub struct Built {
    /// Where it is.
    pub component: PathBuf,
    /// Its length in bytes.
    pub bytes: u64,
    /// How long it took.
    pub took: Duration,
}

/// Where a tool's own words go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Words {
    /// To this process's standard error, as they come.
    Shown,
    /// Kept, and part of the error where the build fails.
    Kept,
}

/// Why there is no component.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// A tool is not there.
    #[error("HA0021: building {language} needs `{tool}`, which is not there: {remedy}")]
    Missing {
        /// The language.
        language: Language,
        /// The tool.
        tool: String,
        /// What to do.
        remedy: String,
    },
    /// A tool is too old, or too new to be known.
    #[error("HA0021: `{tool}` is version {found}, building {language} needs {needed}: {remedy}")]
    WrongVersion {
        /// The language.
        language: Language,
        /// The tool.
        tool: String,
        /// Its version.
        found: String,
        /// What is needed, in words.
        needed: String,
        /// What to do.
        remedy: String,
    },
    /// The tool says no.
    #[error("HA0022: `{command}` failed{}", said(.words))]
    Failed {
        /// What was run.
        command: String,
        /// Its words, where they were kept.
        words: String,
    },
    /// It ran, and left nothing where it should be.
    #[error("HA0022: the build left no component at {}; is the crate type `cdylib`?", .0.display())]
    Nothing(PathBuf),
    /// The file system's word.
    #[error("cannot use {}: {error}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// The SDK is not where `hansa new` puts it.
    #[error("HA0021: the SDK is not at {}; begin the project with `hansa new`, or copy the folder from one", .0.display())]
    NoSdk(PathBuf),
}

fn said(words: &str) -> String {
    match words.trim() {
        "" => "; its words stand above".into(),
        words => format!(":\n{words}"),
    }
}

/// Builds `project`; its component then lies in its folder. Blocks until the tool chain is done.
///
/// # Errors
/// See [`BuildError`].
pub fn build(project: &Project, words: Words) -> Result<Built, BuildError> {
    let begun = Instant::now();
    match project.language {
        Language::Rust => rust::build(project, words)?,
        Language::Python => guests::python(project, words)?,
        Language::JavaScript => guests::javascript(project, words)?,
    }
    let component = project.component();
    match std::fs::metadata(&component) {
        Ok(file) => Ok(Built { component, bytes: file.len(), took: begun.elapsed() }),
        Err(_) => Err(BuildError::Nothing(component)),
    }
}

/// Runs a tool to its end. Gives what it wrote to standard output.
fn run(command: &mut Command, words: Words) -> Result<String, BuildError> {
    let shown = shown(command);
    command.stdin(std::process::Stdio::null());
    if words == Words::Shown {
        command.stderr(std::process::Stdio::inherit());
    }
    let output = command.output().map_err(|error| BuildError::Io { path: command.get_program().into(), error })?;
    match output.status.success() {
        true => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
        false => Err(BuildError::Failed { command: shown, words: String::from_utf8_lossy(&output.stderr).into_owned() }),
    }
}

fn shown(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}
