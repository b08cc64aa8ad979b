//! Versions of interfaces: what a release sells must be what its version promises, so that no buyer breaks.
//!
//! One version is one contract. A higher version of one line keeps every function as it was and may add some. Who defines a
//! contract: releases of the publisher whose name is the interface's namespace; while there are none, whoever had it first.

mod difference;

use std::collections::BTreeMap;
use std::sync::Arc;

use hansa_economy::Digest;

pub use difference::{Difference, difference};

use crate::package::{Function, Interface};
use crate::version::{InterfaceName, compatible};

/// A release that sells an interface.
#[derive(Clone, Debug)]
pub struct Offering {
    /// `acme/translator@1.2.0`.
    pub package: Arc<str>,
    /// The interface with its functions.
    pub interface: Arc<Interface>,
    /// [`Interface::digest`].
    pub digest: Digest,
    /// Is its publisher's name the interface's namespace?
    pub by_namespace: bool,
}

/// All interfaces that were ever sold, in the order in which their releases came.
#[derive(Clone, Debug, Default)]
pub struct Interfaces {
    /// By path without version, then by version.
    paths: BTreeMap<String, BTreeMap<String, Vec<Offering>>>,
}

/// A release that would break buyers.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
#[error("`{interface}` is not what `{known}` of {package} promised: {what}; {advice}")]
pub struct Break {
    /// The interface as it would be sold.
    pub interface: String,
    /// The interface that it was compared with.
    pub known: String,
    /// The release that sells that.
    pub package: String,
    /// The function that differs.
    pub function: String,
    /// What differs, with both forms.
    pub what: What,
    /// What to do.
    pub advice: String,
}

/// How a function differs from what was promised.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum What {
    /// It is gone.
    #[error("function `{function}` is missing; it was `{was}`")]
    Missing {
        /// Its name.
        function: String,
        /// Its signature.
        was: String,
    },
    /// It is there, where the known version has none.
    #[error("function `{function}` is new; it is `{is}`")]
    Added {
        /// Its name.
        function: String,
        /// Its signature.
        is: String,
    },
    /// It has another type.
    #[error("function `{function}`: {difference}; it was `{was}`, it is `{is}`")]
    Changed {
        /// Its name.
        function: String,
        /// Where its type differs, in words.
        difference: Difference,
        /// The signature that was promised.
        was: String,
        /// The signature that would be sold.
        is: String,
    },
}

/// How two versions of one interface stand to each other.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Relation {
    Same,
    /// The one that would be sold is higher.
    Higher,
    /// The one that would be sold is lower.
    Lower,
}

impl Interfaces {
    /// May a release of `publisher` sell `interface`?
    pub fn check(&self, publisher: &str, interface: &Interface) -> Result<(), Break> {
        let Some(name) = InterfaceName::parse(&interface.name) else { return Ok(()) };
        let Some(versions) = self.paths.get(name.path) else { return Ok(()) };
        let own = publisher == name.namespace;
        for (version, offerings) in versions {
            let Some(relation) = relation(name.version, version) else { continue };
            let defined = definition(offerings);
            if own && !defined.by_namespace {
                continue; // What strangers sold under this name does not bind its owner.
            }
            compare(&defined.interface, interface, relation).map_err(|what| Break {
                interface: interface.name.clone(),
                known: defined.interface.name.clone(),
                package: defined.package.to_string(),
                function: what.function().to_owned(),
                advice: advice(&name, versions, &defined.interface, &what, relation),
                what,
            })?;
        }
        Ok(())
    }

    /// Note that the release `package` of `publisher` sells `interface`, which is returned as all its sellers share it.
    pub fn add(&mut self, publisher: &str, package: &Arc<str>, interface: &Interface) -> Arc<Interface> {
        let Some(name) = InterfaceName::parse(&interface.name) else { return Arc::new(interface.clone()) };
        let offerings = self.paths.entry(name.path.to_owned()).or_default().entry(name.version.to_owned()).or_default();
        let digest = interface.digest();
        // Most releases sell what is known already.
        let known = offerings.iter().find(|known| known.digest == digest && *known.interface == *interface);
        let shared = known.map_or_else(|| Arc::new(interface.clone()), |known| Arc::clone(&known.interface));
        let by_namespace = publisher == name.namespace;
        offerings.push(Offering { package: Arc::clone(package), interface: Arc::clone(&shared), digest, by_namespace });
        shared
    }

    /// The contract of `interface` as it is defined; none where nobody sells it.
    pub fn definition(&self, interface: &str) -> Option<&Offering> {
        let name = InterfaceName::parse(interface)?;
        self.paths.get(name.path)?.get(name.version).map(|offerings| definition(offerings))
    }

    /// Releases that sell what satisfies a wish for `want`, as it is defined: [`crate::version::satisfies`] says how. Highest
    /// version first, then in the order in which they came.
    pub fn sellers(&self, want: &str) -> Vec<&Offering> {
        let path = want.split_once('@').map_or(want, |(path, _)| path);
        let Some(versions) = self.paths.get(path) else { return Vec::new() };
        let mut sold: Vec<_> =
            versions.iter().filter(|(version, _)| crate::version::satisfies(&joined(path, version), want)).collect();
        sold.sort_by_key(|(version, _)| std::cmp::Reverse(sort_key(version)));
        sold.into_iter().flat_map(|(_, offerings)| as_defined(offerings)).collect()
    }

    /// All interfaces that are sold, with version, by name.
    pub fn names(&self) -> impl Iterator<Item = String> {
        self.paths.iter().flat_map(|(path, versions)| versions.keys().map(move |version| joined(path, version)))
    }
}

fn joined(path: &str, version: &str) -> String {
    if version.is_empty() { path.to_owned() } else { format!("{path}@{version}") }
}

fn sort_key(version: &str) -> (Option<[u64; 3]>, String) {
    (numbers(version), version.to_owned())
}

fn numbers(version: &str) -> Option<[u64; 3]> {
    InterfaceName { namespace: "", path: "", version }.numbers()
}

/// The first release of the namespace's publisher, else the first of all.
fn definition(offerings: &[Offering]) -> &Offering {
    offerings.iter().find(|offering| offering.by_namespace).unwrap_or(&offerings[0])
}

fn as_defined(offerings: &[Offering]) -> impl Iterator<Item = &Offering> {
    let digest = definition(offerings).digest;
    offerings.iter().filter(move |offering| offering.digest == digest)
}

/// How `new` stands to `known`; none where they promise nothing to each other.
fn relation(new: &str, known: &str) -> Option<Relation> {
    if new == known {
        return Some(Relation::Same);
    }
    let (new, known) = (numbers(new)?, numbers(known)?);
    match compatible(new, known) {
        true if new > known => Some(Relation::Higher),
        true => Some(Relation::Lower),
        false => None,
    }
}

/// Compare what is `known` with what `new` would sell, function by function.
fn compare(known: &Interface, new: &Interface, relation: Relation) -> Result<(), What> {
    for was in &known.functions {
        match new.function(&was.name) {
            Some(is) => same(was, is)?,
            None if relation == Relation::Lower => {}
            None => return Err(What::Missing { function: was.name.clone(), was: was.shape() }),
        }
    }
    let added = new.functions.iter().find(|function| known.function(&function.name).is_none());
    match added.filter(|_| relation != Relation::Higher) {
        Some(is) => Err(What::Added { function: is.name.clone(), is: is.shape() }),
        None => Ok(()),
    }
}

fn same(was: &Function, is: &Function) -> Result<(), What> {
    match difference(was, is) {
        None => Ok(()),
        Some(difference) => Err(What::Changed { function: was.name.clone(), difference, was: was.shape(), is: is.shape() }),
    }
}

impl What {
    fn function(&self) -> &str {
        match self {
            What::Missing { function, .. } | What::Added { function, .. } | What::Changed { function, .. } => function,
        }
    }
}

/// What the author can do: a version that promises nothing to the old buyers, or one that adds.
fn advice(
    name: &InterfaceName<'_>,
    versions: &BTreeMap<String, Vec<Offering>>,
    known: &Interface,
    what: &What,
    relation: Relation,
) -> String {
    let path = name.path;
    let Some(this) = name.numbers() else {
        return format!("give `{path}` another version");
    };
    let highest = versions.keys().filter_map(|version| numbers(version)).max().unwrap_or(this).max(this);
    let in_line = versions.keys().filter_map(|version| numbers(version)).filter(|other| compatible(*other, this)).max();
    let in_line = in_line.unwrap_or(this).max(this);
    let breaking = match highest {
        [0, 0, patch] => [0, 0, patch + 1],
        [0, minor, _] => [0, minor + 1, 0],
        [major, ..] => [major + 1, 0, 0],
    };
    let adding = match in_line {
        [0, 0, _] => breaking,
        [0, minor, patch] => [0, minor, patch + 1],
        [major, minor, _] => [major, minor + 1, 0],
    };
    let text = |[major, minor, patch]: [u64; 3]| format!("`{path}@{major}.{minor}.{patch}`");
    match (what, relation) {
        (What::Added { function, .. }, Relation::Same) => {
            format!("publish it as {}, where a new function is welcome, or leave `{function}` out", text(adding))
        }
        (What::Added { function, .. }, _) => {
            format!("leave `{function}` out, or publish it as {} with all functions of `{}`", text(adding), known.name)
        }
        (What::Missing { function, .. }, _) => format!("bring `{function}` back, or publish it as {}", text(breaking)),
        (What::Changed { .. }, _) => format!("publish it as {}", text(breaking)),
    }
}

#[cfg(test)]
mod tests;
