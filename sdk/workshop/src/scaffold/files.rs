//! The templates, as they travel inside the binary.

use rust_embed::RustEmbed;

use super::Template;
use crate::language::Language;

#[derive(RustEmbed)]
#[folder = "../rust/templates"]
struct RustTemplates;

#[derive(RustEmbed)]
#[folder = "../python/templates"]
#[exclude = "*__pycache__*"]
struct PythonTemplates;

#[derive(RustEmbed)]
#[folder = "../js/templates"]
struct JavaScriptTemplates;

/// A file to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct File {
    /// Path below the project's folder, with `/`.
    pub(super) path: String,
    /// Bytes.
    pub(super) content: Vec<u8>,
}

impl File {
    /// The file with the template's words replaced, in its path too. What is no text stays as it is.
    pub(super) fn renamed(self, rename: &dyn Fn(&str) -> String) -> File {
        let content = match String::from_utf8(self.content) {
            Ok(text) => rename(&text).into_bytes(),
            Err(bytes) => bytes.into_bytes(),
        };
        File { path: rename(&self.path), content }
    }
}

/// The files of one template and those that its language's templates share; none where the language does not have it.
pub(super) fn template(language: Language, template: Template) -> Vec<File> {
    let own = below(language, template.name());
    match own.is_empty() {
        true => own,
        false => below(language, "shared")
            .into_iter()
            .filter(|file| !own.iter().any(|mine| mine.path == file.path))
            .chain(own.clone())
            .collect(),
    }
}

fn below(language: Language, folder: &str) -> Vec<File> {
    match language {
        Language::Rust => embedded::<RustTemplates>(folder),
        Language::Python => embedded::<PythonTemplates>(folder),
        Language::JavaScript => embedded::<JavaScriptTemplates>(folder),
    }
}

/// The embedded files below `folder`, with paths from there. `_` at the start of a name stands for the dot of a hidden file.
pub(super) fn embedded<E: RustEmbed>(folder: &str) -> Vec<File> {
    let prefix = format!("{folder}/");
    let file = |path: std::borrow::Cow<'static, str>| {
        let rest = path.strip_prefix(&prefix)?;
        let content = E::get(&path)?.data.into_owned();
        let path = rest.strip_prefix('_').map_or_else(|| rest.to_owned(), |hidden| format!(".{hidden}"));
        Some(File { path, content })
    };
    E::iter().filter_map(file).collect()
}
