//! `hansa new`: a project from a template, with the SDK and the contracts inside, so that it builds wherever it is taken.
//!
//! Templates are whole projects that call themselves `my-publisher/my-agent`; these words are replaced. What a language's
//! templates share lies in `shared`.

mod files;
mod sdk;

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use crate::language::Language;
use crate::limits::NAME_CHARS_MAX;
use files::File;

/// What a template shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Template {
    /// Sells a service and keeps state.
    Service,
    /// Sells a service that is made of a bought one.
    Buyer,
    /// Wakes up by itself and spends its own money.
    Autonomous,
    /// Sells what a model of the node makes.
    Inference,
    /// Sells a computation that needs nothing.
    Pure,
}

impl Template {
    /// All of them, in the order in which they are named.
    pub const ALL: [Template; 5] =
        [Template::Service, Template::Buyer, Template::Autonomous, Template::Inference, Template::Pure];

    /// What is written after `--template`.
    pub fn name(self) -> &'static str {
        match self {
            Template::Service => "service",
            Template::Buyer => "buyer",
            Template::Autonomous => "autonomous",
            Template::Inference => "inference",
            Template::Pure => "pure",
        }
    }

    /// The templates that a language has.
    pub fn of(language: Language) -> Vec<Template> {
        Template::ALL.into_iter().filter(|template| !files::template(language, *template).is_empty()).collect()
    }
}

impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Template {
    type Err = ScaffoldError;

    fn from_str(text: &str) -> Result<Template, ScaffoldError> {
        let found = Template::ALL.into_iter().find(|template| template.name() == text);
        found.ok_or_else(|| ScaffoldError::UnknownTemplate { text: text.to_owned(), known: listed(&Template::ALL) })
    }
}

/// Why there is no new project.
#[derive(Debug, thiserror::Error)]
pub enum ScaffoldError {
    /// The name cannot be one.
    #[error("`{name}` cannot be the name of an agent: {what}; write for example `acme/word-count`")]
    Name {
        /// What was asked for.
        name: String,
        /// What is wrong with it.
        what: String,
    },
    /// Something that comes with the project is called so already.
    #[error("`{name}` cannot be the name of a new agent: {why}; take another, for example `{instead}`")]
    Taken {
        /// What was asked for.
        name: String,
        /// Who has the name.
        why: String,
        /// A name that is free.
        instead: String,
    },
    /// No such template.
    #[error("`{text}` is no template; there are {known}")]
    UnknownTemplate {
        /// What was asked for.
        text: String,
        /// What there is.
        known: String,
    },
    /// Not for this language.
    #[error("{language} has no template `{template}`; it has {known}")]
    NotForLanguage {
        /// The language.
        language: Language,
        /// The template.
        template: Template,
        /// What it has.
        known: String,
    },
    /// There is something already.
    #[error("HA0020: {} is there already, and nothing in it was changed; choose another name, or `--into FOLDER`", .0.display())]
    Exists(PathBuf),
    /// The file system's word.
    #[error("cannot write {}: {error}", path.display())]
    Io {
        /// Where.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
}

/// A name for a new agent: `publisher/name`, each of words of letters and digits joined by dashes, so that it is also a name in
/// WIT, Cargo, Python and JavaScript.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgentName {
    /// Whose it is.
    pub publisher: String,
    /// The agent.
    pub name: String,
}

impl AgentName {
    /// Reads `publisher/name`, or `name` of `publisher`.
    ///
    /// # Errors
    /// [`ScaffoldError::Name`], [`ScaffoldError::Taken`].
    pub fn parse(text: &str, publisher: &str) -> Result<AgentName, ScaffoldError> {
        let (publisher, name) = text.split_once('/').unwrap_or((publisher, text));
        for part in [publisher, name] {
            check(part).map_err(|what| ScaffoldError::Name { name: text.to_owned(), what })?;
        }
        if let Some((why, instead)) = taken(publisher, name) {
            return Err(ScaffoldError::Taken { name: text.to_owned(), why, instead });
        }
        Ok(AgentName { publisher: publisher.to_owned(), name: name.to_owned() })
    }
}

/// Words that mean something in WIT, Rust, Python or JavaScript, so that no interface or crate is called so.
const KEYWORDS: &[&str] = &[
    "as",
    "async",
    "await",
    "break",
    "char",
    "class",
    "const",
    "continue",
    "crate",
    "def",
    "default",
    "delete",
    "dyn",
    "else",
    "enum",
    "export",
    "extern",
    "false",
    "flags",
    "float",
    "fn",
    "for",
    "from",
    "func",
    "future",
    "if",
    "impl",
    "import",
    "in",
    "include",
    "interface",
    "is",
    "lambda",
    "let",
    "list",
    "loop",
    "map",
    "match",
    "mod",
    "move",
    "mut",
    "new",
    "none",
    "not",
    "option",
    "own",
    "package",
    "pass",
    "pub",
    "record",
    "ref",
    "resource",
    "result",
    "return",
    "self",
    "static",
    "stream",
    "string",
    "struct",
    "super",
    "test",
    "this",
    "trait",
    "true",
    "try",
    "tuple",
    "type",
    "unsafe",
    "use",
    "var",
    "variant",
    "while",
    "with",
    "world",
    "yield",
    "bindings",
    "exports",
];

fn check(part: &str) -> Result<(), String> {
    if part.is_empty() || part.chars().count() > NAME_CHARS_MAX {
        return Err(format!("each part has 1 to {NAME_CHARS_MAX} characters"));
    }
    let word = |word: &str| {
        word.starts_with(|first: char| first.is_ascii_lowercase())
            && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
    };
    if !part.split('-').all(word) {
        return Err(format!(
            "`{part}` must be words of lower-case letters and digits, each beginning with a letter, joined by dashes"
        ));
    }
    match KEYWORDS.contains(&part) {
        true => Err(format!("`{part}` is a word of its own in one of the languages")),
        false => Ok(()),
    }
}

/// Crates that every crate sees, or that a project stands on: cargo does not tell one of the same name from them.
const CRATES: &[&str] = &["alloc", "core", "hansa-sdk", "proc-macro", "std"];

/// Who has the name already, and a name that is free: contracts and crates come with a project, and names that mean two things in
/// one world do not build, or build and are not found.
fn taken(publisher: &str, name: &str) -> Option<(String, String)> {
    let contracts = sdk::contracts();
    if contracts.namespaces.contains(publisher) {
        let why = format!("contracts that come with the project are in the namespace `{publisher}:`");
        return Some((why, format!("my-{publisher}/{name}")));
    }
    let why = match contracts.taken.get(name) {
        Some(other) => format!("the project comes with `{other}`, and the agent's package and interface bear the agent's name"),
        None if CRATES.contains(&name) => format!("the project stands on the crate `{name}`"),
        None => return None,
    };
    Some((why, format!("{publisher}/{name}-agent")))
}

/// A project to be made.
#[derive(Clone, Debug)]
pub struct NewProject {
    /// Its name.
    pub name: AgentName,
    /// Its language.
    pub language: Language,
    /// Its template.
    pub template: Template,
    /// Its folder, which must not be there yet.
    pub folder: PathBuf,
}

impl NewProject {
    /// Writes the project: all of it or nothing. Gives the paths of its own files, without those of the SDK, relative to the folder.
    ///
    /// # Errors
    /// See [`ScaffoldError`].
    pub fn write(&self) -> Result<Vec<String>, ScaffoldError> {
        let own = files::template(self.language, self.template);
        if own.is_empty() {
            let known = listed(&Template::of(self.language));
            return Err(ScaffoldError::NotForLanguage { language: self.language, template: self.template, known });
        }
        if self.folder.exists() {
            return Err(ScaffoldError::Exists(self.folder.clone()));
        }
        let own: Vec<File> = own.into_iter().map(|file| file.renamed(&|text| self.named(text))).collect();
        let mut paths: Vec<String> = own.iter().map(|file| file.path.clone()).collect();
        paths.sort();
        let unfinished = self.unfinished();
        let written = write_all(&unfinished, own.iter().chain(&sdk::files(self.language)));
        let moved =
            written.and_then(|()| std::fs::rename(&unfinished, &self.folder).map_err(|error| (self.folder.clone(), error)));
        if let Err((path, error)) = moved {
            drop(std::fs::remove_dir_all(&unfinished));
            return Err(ScaffoldError::Io { path, error });
        }
        Ok(paths)
    }

    /// Where the files are written before the folder gets its name.
    fn unfinished(&self) -> PathBuf {
        let name = self.folder.file_name().unwrap_or_default().to_string_lossy();
        self.folder.with_file_name(format!(".{name}.{}.new", std::process::id()))
    }

    fn named(&self, text: &str) -> String {
        let AgentName { publisher, name } = &self.name;
        let camel = |name: &str| -> String {
            let capital = |word: &str| word[..1].to_ascii_uppercase() + &word[1..];
            name.split('-').map(capital).collect()
        };
        text.replace("my-publisher", publisher)
            .replace("my_publisher", &publisher.replace('-', "_"))
            .replace("my-agent", name)
            .replace("my_agent", &name.replace('-', "_"))
            .replace("MyAgent", &camel(name))
            .replace("myAgent", &lower_first(&camel(name)))
    }
}

fn lower_first(name: &str) -> String {
    name[..1].to_ascii_lowercase() + &name[1..]
}

fn write_all<'a>(folder: &Path, files: impl Iterator<Item = &'a File>) -> Result<(), (PathBuf, io::Error)> {
    for file in files {
        let path = folder.join(&file.path);
        let parent = path.parent().unwrap_or(folder);
        std::fs::create_dir_all(parent).map_err(|error| (parent.to_owned(), error))?;
        std::fs::write(&path, &file.content).map_err(|error| (path, error))?;
    }
    Ok(())
}

fn listed(templates: &[Template]) -> String {
    let names: Vec<String> = templates.iter().map(|template| format!("`{template}`")).collect();
    match names.split_last() {
        None => "none".into(),
        Some((last, [])) => last.clone(),
        Some((last, others)) => format!("{} and {last}", others.join(", ")),
    }
}

#[cfg(test)]
mod tests;
