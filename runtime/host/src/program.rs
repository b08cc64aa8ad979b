//! A compiled component and the interfaces that it imports and exports.

use std::{fmt, sync::Arc};

use wasmtime::component::{Component, types::ComponentItem};

use crate::wire::{FunctionSchema, UnfitType, function_schema};

/// A compiled component.
pub struct Program {
    pub(crate) component: Component,
    digest: [u8; 32],
    imports: Box<[Interface]>,
    exports: Box<[Interface]>,
    /// Imports that stand outside any interface; the host has none to offer.
    pub(crate) bare_imports: Box<[String]>,
}

/// What an interface is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InterfaceKind {
    /// Traded: imported to buy, exported to sell.
    Service,
    /// `hansa:*`: between guest and host.
    Capability,
    /// `wasi:*`: between guest and host, by its standard.
    Wasi,
}

/// One imported or exported interface.
#[derive(Debug, Clone)]
pub struct Interface {
    /// For example `commons:embedding/embedder@0.1.0`.
    pub name: Arc<str>,
    /// What it is for.
    pub kind: InterfaceKind,
    /// Its functions whose types are plain data; where it is tradable, that is all of them.
    pub functions: Vec<Function>,
    /// Can it cross the market?
    pub tradable: Result<(), NotTradable>,
    /// Number of its functions, with those that are not plain data.
    pub(crate) functions_all: usize,
}

/// One function of an interface.
#[derive(Debug, Clone)]
pub struct Function {
    /// For example `embed`.
    pub name: Arc<str>,
    /// Its parameters and result.
    pub schema: Arc<FunctionSchema>,
    /// Is it an `async func`?
    pub is_async: bool,
}

/// Why an interface cannot cross the market.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("function `{function}` cannot be traded: {reason}; write `{how}`")]
pub struct NotTradable {
    /// The first function that is unfit.
    pub function: String,
    /// What is wrong with it.
    pub reason: String,
    /// The line of WIT that would be right.
    pub how: String,
}

impl Program {
    pub(crate) fn new(component: Component, digest: [u8; 32]) -> Program {
        let engine = component.engine().clone();
        let ty = component.component_type();
        let mut bare_imports = Vec::new();
        let mut imports = Vec::new();
        for (name, item) in ty.imports(&engine) {
            match item.ty {
                ComponentItem::ComponentInstance(instance) => imports.push(interface(name, &instance, &engine)),
                ComponentItem::Type(_) => {}
                _ => bare_imports.push(name.to_owned()),
            }
        }
        // Tool chains of some languages export an interface without a package for themselves; it is nobody's service.
        let exports = ty.exports(&engine).filter_map(|(name, item)| match item.ty {
            ComponentItem::ComponentInstance(instance) if name.contains(':') => Some(interface(name, &instance, &engine)),
            _ => None,
        });
        let exports = exports.collect();
        Program { component, digest, imports: imports.into(), exports, bare_imports: bare_imports.into() }
    }

    /// SHA-256 of the component's bytes.
    pub fn digest(&self) -> [u8; 32] {
        self.digest
    }

    /// What it needs.
    pub fn imports(&self) -> &[Interface] {
        &self.imports
    }

    /// What it offers.
    pub fn exports(&self) -> &[Interface] {
        &self.exports
    }

    /// The export that satisfies `name`: the same, or a compatible higher version of it.
    pub fn export(&self, name: &str) -> Option<&Interface> {
        let exact = self.exports.iter().find(|interface| *interface.name == *name);
        exact.or_else(|| self.exports.iter().find(|interface| satisfies(&interface.name, name)))
    }
}

impl fmt::Debug for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Program").field("imports", &self.imports).field("exports", &self.exports).finish_non_exhaustive()
    }
}

fn interface(name: &str, instance: &wasmtime::component::types::ComponentInstance, engine: &wasmtime::Engine) -> Interface {
    let kind = match name.split_once(':') {
        Some(("hansa", _)) => InterfaceKind::Capability,
        Some(("wasi", _)) => InterfaceKind::Wasi,
        _ => InterfaceKind::Service,
    };
    let mut functions = Vec::new();
    let mut functions_all = 0;
    let mut tradable = Ok(());
    for (function, item) in instance.exports(engine) {
        let unfit = match item.ty {
            ComponentItem::ComponentFunc(ty) => {
                functions_all += 1;
                match function_schema(function, &ty) {
                    Ok(schema) => {
                        let unfit = (!schema.returns_fault()).then(|| not_fallible(&schema));
                        let is_async = schema.is_async();
                        functions.push(Function { name: function.into(), schema: Arc::new(schema), is_async });
                        unfit
                    }
                    Err(error) => Some(not_plain(function, &error)),
                }
            }
            ComponentItem::Resource(_) => Some(not_plain(function, &UnfitType("a resource"))),
            _ => None,
        };
        if let (Some(unfit), Ok(())) = (unfit, &tradable) {
            tradable = Err(unfit);
        }
    }
    Interface { name: name.into(), kind, functions, tradable, functions_all }
}

/// The import that every traded interface needs.
const USE_FAULT: &str = "use hansa:service/types@0.1.0.{fault};";

fn not_fallible(schema: &FunctionSchema) -> NotTradable {
    let signature = schema.signature();
    let (head, result) = signature.split_once(" -> ").unwrap_or((&signature, "nothing"));
    let ok = match &schema.result {
        None => "_".to_owned(),
        Some(crate::wire::Type::Result(sides)) => sides.0.as_ref().map_or("_".to_owned(), ToString::to_string),
        Some(other) => other.to_string(),
    };
    NotTradable {
        function: schema.name().to_owned(),
        reason: format!("it returns `{result}`, which has no room for a market fault"),
        how: format!("{head} -> result<{ok}, fault>;` after `{USE_FAULT}"),
    }
}

fn not_plain(function: &str, error: &UnfitType) -> NotTradable {
    NotTradable {
        function: function.to_owned(),
        reason: format!("{error} cannot cross the market"),
        how: format!(
            "{function}: async func(…) -> result<…, fault>;` with records, lists and strings instead, after `{USE_FAULT}"
        ),
    }
}

/// Does an interface `have` satisfy a wish for `want`? Names are equal, and `have` is of a compatible, not lower version
/// (semantic versioning: same major, or same minor below 1.0, or same patch below 0.1). A wish may leave parts of its
/// version out (`a:b/c@1`, `a:b/c`).
pub fn satisfies(have: &str, want: &str) -> bool {
    let (have_name, have_version) = have.split_once('@').unwrap_or((have, ""));
    let (want_name, want_version) = want.split_once('@').unwrap_or((want, ""));
    if have_name != want_name {
        return false;
    }
    if want_version.is_empty() || have_version == want_version {
        return true;
    }
    if have_version.contains('-') || want_version.contains('-') {
        return false;
    }
    let number = |version: &str| version.split('.').map(|part| part.parse::<u64>().ok()).collect::<Option<Vec<_>>>();
    let (Some(have), Some(want)) = (number(have_version), number(want_version)) else { return false };
    let fixed = want.iter().position(|part| *part != 0).unwrap_or(want.len() - 1) + 1;
    have.len() >= want.len() && have[..fixed] == want[..fixed] && have[..want.len()] >= want[..]
}

#[cfg(test)]
mod tests {
    use super::satisfies;

    #[test]
    fn versions() {
        for (have, want, expected) in [
            ("a:b/c@1.2.0", "a:b/c@1.2.0", true),
            ("a:b/c@1.3.1", "a:b/c@1.2.0", true),
            ("a:b/c@1.1.9", "a:b/c@1.2.0", false),
            ("a:b/c@2.0.0", "a:b/c@1.2.0", false),
            ("a:b/c@0.2.1", "a:b/c@0.2.0", true),
            ("a:b/c@0.3.0", "a:b/c@0.2.0", false),
            ("a:b/c@0.0.4", "a:b/c@0.0.3", false),
            ("a:b/c@1.9.0", "a:b/c@1", true),
            ("a:b/c@1.9.0", "a:b/c", true),
            ("a:b/c@1.9.0-rc.1", "a:b/c@1.8.0", false),
            ("a:b/c", "a:b/c@1.0.0", false),
            ("a:b/d@1.0.0", "a:b/c@1.0.0", false),
        ] {
            assert_eq!(satisfies(have, want), expected, "{have} for {want}");
        }
    }
}
