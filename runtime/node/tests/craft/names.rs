//! Public names: no words that fit everything and say nothing.

use syn::visit::{self, Visit};

use crate::source::Workspace;

const EMPTY_WORDS: &[&str] = &["manager", "util", "utils", "common", "helper", "helpers", "impl", "misc"];

/// All public items, and all files, whose name holds an empty word.
pub(crate) fn empty_words(workspace: &Workspace) -> Vec<String> {
    let mut faults = Vec::new();
    for source in &workspace.sources {
        let mut names = Names(Vec::new());
        names.visit_file(&source.tree);
        names.0.extend(source.path.trim_end_matches(".rs").split(['/', '-', '.']).map(str::to_owned));
        let empty = names.0.iter().filter(|name| words(name).iter().any(|word| EMPTY_WORDS.contains(&word.as_str())));
        faults.extend(empty.map(|name| format!("{}: `{name}`: name it by what it does", source.path)));
    }
    faults
}

/// The words of a name in snake, camel or upper case, in lower case.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut previous_lower = false;
    for letter in name.chars() {
        if letter == '_' || (letter.is_uppercase() && previous_lower) {
            words.push(String::new());
        }
        if letter != '_' {
            words.last_mut().expect("begins with one word").extend(letter.to_lowercase());
        }
        previous_lower = letter.is_lowercase();
    }
    words
}

struct Names(Vec<String>);

impl Names {
    fn note(&mut self, visibility: &syn::Visibility, name: &syn::Ident) {
        if !matches!(visibility, syn::Visibility::Inherited) {
            self.0.push(name.to_string());
        }
    }
}

impl<'a> Visit<'a> for Names {
    fn visit_item(&mut self, item: &'a syn::Item) {
        match item {
            syn::Item::Const(item) => self.note(&item.vis, &item.ident),
            syn::Item::Enum(item) => self.note(&item.vis, &item.ident),
            syn::Item::Fn(item) => self.note(&item.vis, &item.sig.ident),
            syn::Item::Mod(item) => self.note(&item.vis, &item.ident),
            syn::Item::Static(item) => self.note(&item.vis, &item.ident),
            syn::Item::Struct(item) => self.note(&item.vis, &item.ident),
            syn::Item::Trait(item) => self.note(&item.vis, &item.ident),
            syn::Item::Type(item) => self.note(&item.vis, &item.ident),
            _ => {}
        }
        visit::visit_item(self, item);
    }

    fn visit_impl_item_fn(&mut self, item: &'a syn::ImplItemFn) {
        self.note(&item.vis, &item.sig.ident);
        visit::visit_impl_item_fn(self, item);
    }

    fn visit_field(&mut self, field: &'a syn::Field) {
        if let Some(name) = &field.ident {
            self.note(&field.vis, name);
        }
        visit::visit_field(self, field);
    }
}
