//! Contracts as the tool chains of Python and JavaScript want them: the project's own WIT, and beside it `deps` with one folder for each
//! package.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::BuildError;
use crate::language::Language;
use crate::project::Project;

/// How the services that a world imports are called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Imports {
    /// As their contracts say.
    AsWritten,
    /// Without `async`, for a language that buys one thing after another. The host links either form to the same sellers.
    Plain,
}

/// Lays out `project`'s contracts in `target`, which is made anew.
pub(super) fn stage(project: &Project, target: &Path, imports: Imports) -> Result<(), BuildError> {
    let own = texts(&project.folder.join("wit"))?;
    let world: String = own.iter().map(|(_, text)| without_comments(text)).collect();
    let plain = match imports {
        Imports::AsWritten => BTreeSet::new(),
        Imports::Plain => imported(&world, project.language)?,
    };
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |error| BuildError::Io { path, error }
    };
    if target.exists() {
        std::fs::remove_dir_all(target).map_err(failed(target))?;
    }
    std::fs::create_dir_all(target).map_err(failed(target))?;
    for (name, text) in &own {
        std::fs::write(target.join(name), text).map_err(failed(target))?;
    }
    let ours = package(&world);
    for (package, folder) in contracts(project)?.into_iter().filter(|(package, _)| Some(package) != ours.as_ref()) {
        let deps = target.join("deps").join(package.replace(':', "-"));
        std::fs::create_dir_all(&deps).map_err(failed(&deps))?;
        for (name, text) in texts(&folder)? {
            std::fs::write(deps.join(name), plain_text(&text, &package, &plain)).map_err(failed(&deps))?;
        }
    }
    Ok(())
}

/// All contracts within reach, by package: the project's own `wit/deps`, those that `hansa new` put into `vendor`, those of a
/// checkout of Hansa around it.
fn contracts(project: &Project) -> Result<BTreeMap<String, PathBuf>, BuildError> {
    let around = project.folder.ancestors().map(|ancestor| ancestor.join("wit"));
    let around = around.filter(|wit| wit.join("hansa-service").is_dir());
    let roots = [project.folder.join("wit/deps"), project.folder.join("vendor/hansa/wit")].into_iter().chain(around);
    let mut found = BTreeMap::new();
    for root in roots.filter(|root| root.is_dir()) {
        let entries = std::fs::read_dir(&root).map_err(|error| BuildError::Io { path: root.clone(), error })?;
        for folder in entries.flatten().map(|entry| entry.path()).filter(|path| path.is_dir()) {
            let package = texts(&folder)?.iter().find_map(|(_, text)| package(&without_comments(text)));
            if let Some(package) = package {
                found.entry(package).or_insert(folder);
            }
        }
    }
    Ok(found)
}

/// Name and text of each `*.wit` in a folder.
fn texts(folder: &Path) -> Result<Vec<(String, String)>, BuildError> {
    let failed = |error| BuildError::Io { path: folder.to_owned(), error };
    let mut texts = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.extension().is_some_and(|extension| extension == "wit") {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            texts.push((name, std::fs::read_to_string(&path).map_err(failed)?));
        }
    }
    texts.sort();
    Ok(texts)
}

/// The text with comments as blanks, so that places stay where they are.
fn without_comments(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = [rest.find("//"), rest.find("/*")].into_iter().flatten().min() {
        let (before, comment) = rest.split_at(start);
        let length = match comment.starts_with("//") {
            true => comment.find('\n').unwrap_or(comment.len()),
            false => comment.find("*/").map_or(comment.len(), |end| end + 2),
        };
        out.push_str(before);
        out.extend(comment[..length].bytes().map(|byte| if byte == b'\n' { '\n' } else { ' ' }));
        rest = &comment[length..];
    }
    out + rest
}

/// `acme:shop` of `package acme:shop@0.1.0;`
fn package(text: &str) -> Option<String> {
    let line = text.lines().map(str::trim).find_map(|line| line.strip_prefix("package "))?;
    Some(line.split(['@', ';']).next()?.trim().to_owned())
}

/// `package/interface` of what the world imports to buy. What it also sells would lose its `async` with it, so that is refused.
fn imported(world: &str, language: Language) -> Result<BTreeSet<String>, BuildError> {
    let named = |keyword: &str| -> BTreeSet<String> {
        let statements = world.split([';', '{', '}']).filter_map(|statement| statement.trim().strip_prefix(keyword));
        let name = |rest: &str| rest.split('@').next().unwrap_or(rest).trim().to_owned();
        statements.filter(|rest| rest.starts_with(char::is_whitespace)).map(name).filter(|name| name.contains('/')).collect()
    };
    let bought: BTreeSet<String> =
        named("import").into_iter().filter(|name| !name.starts_with("hansa:") && !name.starts_with("wasi:")).collect();
    match bought.intersection(&named("export")).next() {
        Some(both) => Err(BuildError::Failed {
            command: "hansa build".into(),
            words: format!("`{both}` is imported and exported; an agent in {language} cannot buy what it sells itself"),
        }),
        None => Ok(bought),
    }
}

/// The contract with `func` for `async func` in those of its interfaces that are in `plain`.
fn plain_text(text: &str, package: &str, plain: &BTreeSet<String>) -> String {
    let bare = without_comments(text);
    let mut out = String::with_capacity(text.len());
    let mut from = 0;
    while let Some(start) = bare[from..].find("interface ").map(|at| from + at) {
        let name = bare[start + "interface ".len()..].split('{').next().unwrap_or_default().trim();
        let end = closing(&bare, start);
        out.push_str(&text[from..start]);
        match plain.contains(&format!("{package}/{name}")) {
            true => out.push_str(&text[start..end].replace(": async func", ": func")),
            false => out.push_str(&text[start..end]),
        }
        from = end;
    }
    out + &text[from..]
}

/// Where the braces that open after `start` are closed.
fn closing(text: &str, start: usize) -> usize {
    let mut depth = 0usize;
    for (at, byte) in text.bytes().enumerate().skip(start) {
        match byte {
            b'{' => depth += 1,
            b'}' if depth <= 1 => return at + 1,
            b'}' => depth -= 1,
            _ => {}
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONTRACT: &str = "/// interface in words { \npackage a:b@1.0.0;\ninterface types { record r { x: u8 } }\n\
        interface bought { use types.{r}; f: async func() -> result<r, string>; /* } */ g: async func(); }\ninterface other { f: async func(); }\n";

    #[test]
    fn only_what_is_bought_loses_its_async() {
        let plain = plain_text(CONTRACT, "a:b", &BTreeSet::from(["a:b/bought".to_owned()]));
        assert_eq!(plain.matches("async func").count(), 1, "{plain}");
        assert!(plain.ends_with("interface other { f: async func(); }\n"));
        assert_eq!(plain_text(CONTRACT, "a:c", &BTreeSet::from(["a:b/bought".to_owned()])), CONTRACT);
    }

    #[test]
    fn imports_are_read_from_the_world() {
        let world = without_comments(
            "package x:y;\nworld w {\n  // import no:no/no;\n  import a:b/bought@1.0.0;\n  import hansa:agent/log@0.1.0;\n  export sold;\n}",
        );
        assert_eq!(imported(&world, Language::JavaScript).unwrap(), BTreeSet::from(["a:b/bought".to_owned()]));
        assert_eq!(package(&world).as_deref(), Some("x:y"));
        let both = imported("world w { import a:b/c@1.0.0; export a:b/c@1.0.0; }", Language::JavaScript).unwrap_err().to_string();
        assert!(both.contains("cannot buy what it sells"), "{both}");
    }
}
