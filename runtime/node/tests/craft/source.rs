//! The workspace's files, and the parts of Rust files that matter to the rules.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use proc_macro2::{TokenStream, TokenTree};
use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use walkdir::WalkDir;

/// Everything in the checkout that is not ignored.
pub(crate) struct Workspace {
    /// Path below the root, with `/`; content, where it is text.
    pub(crate) files: Vec<(String, String)>,
    /// The Rust files among them.
    pub(crate) sources: Vec<Source>,
}

/// One Rust file.
pub(crate) struct Source {
    /// Path below the root, with `/`.
    pub(crate) path: String,
    /// Its text.
    pub(crate) text: String,
    /// Parsed.
    pub(crate) tree: syn::File,
    /// Is all of it test code?
    pub(crate) is_test: bool,
    /// Lines of test code within, first and last.
    pub(crate) test_lines: Vec<(usize, usize)>,
}

impl Workspace {
    /// Read all files.
    pub(crate) fn read() -> Workspace {
        let root = root();
        let ignored = ignored(&root);
        let walk = WalkDir::new(&root).sort_by_file_name().into_iter();
        let entries = walk.filter_entry(|entry| !entry.path().strip_prefix(&root).is_ok_and(|path| ignored.contains(path)));
        let mut files = Vec::new();
        for entry in entries.map(|entry| entry.expect("the checkout can be walked")).filter(|entry| entry.file_type().is_file()) {
            let below = entry.path().strip_prefix(&root).expect("the walk starts at the root");
            if let Ok(text) = std::fs::read_to_string(entry.path()) {
                files.push((below.to_string_lossy().replace('\\', "/"), text));
            }
        }
        Workspace::of(files)
    }

    /// A workspace of these files, each a path below the root and its text.
    pub(crate) fn of(files: Vec<(String, String)>) -> Workspace {
        let mut sources: Vec<Source> = files.iter().filter(|(path, _)| path.ends_with(".rs")).map(parse).collect();
        mark_test_files(&mut sources);
        Workspace { files, sources }
    }
}

impl Source {
    /// Is this line part of a test?
    pub(crate) fn in_test(&self, line: usize) -> bool {
        self.is_test || self.test_lines.iter().any(|(first, last)| (*first..=*last).contains(&line))
    }

    /// All tokens with their lines, groups opened.
    pub(crate) fn tokens(&self) -> Vec<(String, usize)> {
        let stream: TokenStream = self.text.parse().unwrap_or_else(|error| panic!("{}: {error}", self.path));
        let mut tokens = Vec::new();
        flatten(stream, &mut tokens);
        tokens
    }
}

/// The workspace's root.
pub(crate) fn root() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    root.canonicalize().expect("this crate stands two folders below the root")
}

/// Folders of the root that git leaves out. Our `.gitignore` holds such lines and file patterns only.
fn ignored(root: &Path) -> BTreeSet<PathBuf> {
    let text = std::fs::read_to_string(root.join(".gitignore")).expect("the root has a .gitignore");
    let folders = text.lines().filter_map(|line| line.strip_prefix('/')?.strip_suffix('/')).map(PathBuf::from);
    folders.chain([PathBuf::from(".git")]).collect()
}

fn parse((path, text): &(String, String)) -> Source {
    let tree = syn::parse_file(text).unwrap_or_else(|error| panic!("{path}: {error}"));
    let is_test = path.split('/').any(|part| matches!(part, "tests" | "benches" | "examples" | "fixtures"));
    let mut finder = TestLines::default();
    finder.visit_file(&tree);
    Source { path: path.clone(), text: text.clone(), tree, is_test, test_lines: finder.0 }
}

/// Files that only a `#[cfg(test)] mod name;` brings in are tests as well.
fn mark_test_files(sources: &mut [Source]) {
    let mut stems = Vec::new();
    for source in sources.iter() {
        for item in &source.tree.items {
            if let syn::Item::Mod(module) = item
                && module.content.is_none()
                && is_for_tests(&module.attrs)
            {
                stems.push(format!("{}/{}", module_folder(&source.path), module.ident));
            }
        }
    }
    for source in sources {
        let stem = source.path.trim_end_matches(".rs");
        source.is_test |= stems.iter().any(|test| stem == test || stem.starts_with(&format!("{test}/")));
    }
}

/// The folder in which a file's modules lie.
fn module_folder(path: &str) -> &str {
    let stem = path.trim_end_matches(".rs");
    ["/mod", "/lib", "/main"].iter().find_map(|root| stem.strip_suffix(root)).unwrap_or(stem)
}

/// Does one of the attributes make this compile for tests only, or for the tests of other rooms?
fn is_for_tests(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| match &attribute.meta {
        syn::Meta::Path(path) => path.segments.last().is_some_and(|last| last.ident == "test"),
        syn::Meta::List(list) if list.path.is_ident("cfg") => {
            let mut words = Vec::new();
            flatten(list.tokens.clone(), &mut words);
            let has = |word: &str| words.iter().any(|(found, _)| found == word);
            !has("not") && (has("test") || has("\"testing\""))
        }
        syn::Meta::List(list) => list.path.segments.last().is_some_and(|last| last.ident == "test"),
        syn::Meta::NameValue(_) => false,
    })
}

#[derive(Default)]
struct TestLines(Vec<(usize, usize)>);

impl TestLines {
    fn note(&mut self, attributes: &[syn::Attribute], item: &impl Spanned) {
        if is_for_tests(attributes) {
            self.0.push((item.span().start().line, item.span().end().line));
        }
    }
}

impl<'a> Visit<'a> for TestLines {
    fn visit_item_mod(&mut self, item: &'a syn::ItemMod) {
        self.note(&item.attrs, item);
        visit::visit_item_mod(self, item);
    }

    fn visit_item_fn(&mut self, item: &'a syn::ItemFn) {
        self.note(&item.attrs, item);
        visit::visit_item_fn(self, item);
    }

    fn visit_item_impl(&mut self, item: &'a syn::ItemImpl) {
        self.note(&item.attrs, item);
        visit::visit_item_impl(self, item);
    }

    fn visit_impl_item_fn(&mut self, item: &'a syn::ImplItemFn) {
        self.note(&item.attrs, item);
        visit::visit_impl_item_fn(self, item);
    }
}

fn flatten(stream: TokenStream, into: &mut Vec<(String, usize)>) {
    for token in stream {
        let line = token.span().start().line;
        match token {
            TokenTree::Group(group) => {
                let (open, close) = match group.delimiter() {
                    proc_macro2::Delimiter::Parenthesis => ("(", ")"),
                    proc_macro2::Delimiter::Brace => ("{", "}"),
                    proc_macro2::Delimiter::Bracket => ("[", "]"),
                    proc_macro2::Delimiter::None => ("", ""),
                };
                into.push((open.into(), line));
                flatten(group.stream(), into);
                into.push((close.into(), group.span_close().start().line));
            }
            other => into.push((other.to_string(), line)),
        }
    }
}
