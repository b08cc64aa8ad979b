//! Sizes: lines of files and of functions, and the header sentence.

use syn::spanned::Spanned;
use syn::visit::{self, Visit};

use crate::source::{Source, Workspace};

/// Lines of a Rust file, at most.
const FILE_LINES_MAX: usize = 600;
/// Lines of a function, from `fn` to its last brace, at most.
const FUNCTION_LINES_MAX: usize = 70;

/// Something longer than it should be.
pub(crate) struct Big {
    /// `path` of a file, or `path::function`.
    pub(crate) place: String,
    /// Its lines.
    pub(crate) lines: usize,
    /// What is allowed.
    pub(crate) allowed: usize,
}

/// All files and functions that are too long.
pub(crate) fn too_big(workspace: &Workspace) -> Vec<Big> {
    let mut found = Vec::new();
    for source in &workspace.sources {
        let lines = source.text.lines().count();
        if lines > FILE_LINES_MAX {
            found.push(Big { place: source.path.clone(), lines, allowed: FILE_LINES_MAX });
        }
        Functions { source, found: &mut found }.visit_file(&source.tree);
    }
    found
}

/// Files that do not begin with `//!`.
pub(crate) fn without_header(workspace: &Workspace) -> Vec<String> {
    let bare = workspace.sources.iter().filter(|source| !source.text.starts_with("//! "));
    bare.map(|source| format!("{}: begin with a `//!` sentence that says what the file holds", source.path)).collect()
}

struct Functions<'a> {
    source: &'a Source,
    found: &'a mut Vec<Big>,
}

impl Functions<'_> {
    fn measure(&mut self, signature: &syn::Signature, block: &syn::Block) {
        let lines = block.span().end().line + 1 - signature.span().start().line;
        if lines > FUNCTION_LINES_MAX {
            let place = format!("{}::{}", self.source.path, signature.ident);
            self.found.push(Big { place, lines, allowed: FUNCTION_LINES_MAX });
        }
    }
}

impl<'a> Visit<'a> for Functions<'_> {
    fn visit_item_fn(&mut self, item: &'a syn::ItemFn) {
        self.measure(&item.sig, &item.block);
        visit::visit_item_fn(self, item);
    }

    fn visit_impl_item_fn(&mut self, item: &'a syn::ImplItemFn) {
        self.measure(&item.sig, &item.block);
        visit::visit_impl_item_fn(self, item);
    }

    fn visit_trait_item_fn(&mut self, item: &'a syn::TraitItemFn) {
        if let Some(block) = &item.default {
            self.measure(&item.sig, block);
        }
        visit::visit_trait_item_fn(self, item);
    }
}
