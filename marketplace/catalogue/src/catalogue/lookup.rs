//! Questions to the catalogue: by package, by digest, by interface.

use hansa_economy::{Digest, PublicKey};

use super::{Catalogue, Entry};
use crate::names::{NameChain, NameState};
use crate::package::{Contract, InterfaceKind};
use crate::releases::{History, Released, ResolveError, State};
use crate::semver::Offering;
use crate::strict_toml::nearest;
use crate::version::{InterfaceName, PackageName, Range, Version, Wish};

/// A release that sells an interface.
#[derive(Clone, Debug)]
pub struct Seller<'a> {
    /// The interface with its version, `acme:translate/translator@1.2.0`.
    pub interface: &'a str,
    /// The release.
    pub entry: &'a Entry,
    /// What notices say about it; not yanked.
    pub state: State,
}

/// A package that sells what another one sells.
#[derive(Clone, Debug)]
pub struct Alternative<'a> {
    /// The package.
    pub package: &'a PackageName,
    /// Its newest release that does.
    pub version: Version,
    /// The interface in the version that this release sells.
    pub interface: &'a str,
    /// Is it deprecated?
    pub deprecated: bool,
}

/// The services among a component's imports.
pub(super) fn bought(contract: &Contract) -> Vec<String> {
    let bought = contract.imports.iter().filter(|import| import.kind() == InterfaceKind::Service && !import.functions.is_empty());
    bought.map(|import| import.name.clone()).collect()
}

impl Catalogue {
    /// Who owns a publisher's name.
    pub fn name(&self, publisher: &str) -> Option<&NameState> {
        self.names.get(publisher).map(NameChain::state)
    }

    /// The whole chain of a publisher's name.
    pub fn name_chain(&self, publisher: &str) -> Option<&NameChain> {
        self.names.get(publisher)
    }

    /// All publishers' names with their owners.
    pub fn names(&self) -> impl Iterator<Item = &NameState> {
        self.names.values().map(NameChain::state)
    }

    /// The names that a key owns.
    pub fn names_of(&self, owner: PublicKey) -> impl Iterator<Item = &NameState> {
        self.names().filter(move |state| state.owner == owner)
    }

    /// All packages.
    pub fn packages(&self) -> impl Iterator<Item = &PackageName> {
        self.packages.keys()
    }

    /// A package's releases and notices.
    pub fn package(&self, name: &PackageName) -> Option<&History<Entry>> {
        self.packages.get(name)
    }

    /// The release that a wish resolves to, with what notices say about it.
    pub fn resolve(&self, wish: &Wish) -> Result<(&Entry, Version, State), ResolveError> {
        let history = self.packages.get(&wish.package).ok_or_else(|| ResolveError::NoPackage {
            package: wish.package.clone(),
            suggestion: nearest(wish.package.as_str(), self.packages.keys().map(PackageName::as_str)).map(str::to_owned),
        })?;
        let version = history.resolve(wish.range)?;
        let released = history.get(version).expect("what resolves is a release");
        Ok((&released.entry, version, history.state(version)))
    }

    /// The release of a package that stands for it in searches: the newest that is not yanked.
    pub fn shown(&self, package: &PackageName) -> Option<(&Entry, Version, State)> {
        self.resolve(&Wish { package: package.clone(), range: Range::Any }).ok()
    }

    /// Releases with this statement, or with this component.
    pub fn by_digest(&self, digest: Digest) -> impl Iterator<Item = (&Released<Entry>, Version, State)> {
        let places = self.digests.get(&digest).map_or(&[][..], Vec::as_slice);
        places.iter().filter_map(|(name, version)| {
            let history = self.packages.get(name)?;
            Some((history.get(*version)?, *version, history.state(*version)))
        })
    }

    /// Releases that sell what satisfies a wish for `interface` (`acme:translate/translator`, with or without a version) as
    /// it is defined, and are not yanked. Highest version of the interface first.
    pub fn sellers(&self, interface: &str) -> Vec<Seller<'_>> {
        self.interfaces.sellers(interface).into_iter().filter_map(|offering| self.seller(offering)).collect()
    }

    /// The contract of an interface with its version, and the release that defines it.
    pub fn definition(&self, interface: &str) -> Option<&Offering> {
        self.interfaces.definition(interface)
    }

    /// All interfaces that were ever sold, with version.
    pub fn interfaces(&self) -> impl Iterator<Item = String> {
        self.interfaces.names()
    }

    /// Other packages that serve buyers of `interface` (with its version) as well as the release that they have now. One
    /// line for each package; those that are not deprecated first, then by name.
    pub fn alternatives<'a>(&'a self, interface: &str, than: &PackageName) -> Vec<Alternative<'a>> {
        let mut found: Vec<Alternative<'a>> = Vec::new();
        for seller in self.sellers(interface) {
            let Ok(wish) = seller.entry.package.parse::<Wish>() else { continue };
            let (Range::Exact(version), Some((package, _))) = (wish.range, self.packages.get_key_value(&wish.package)) else {
                continue;
            };
            let alternative =
                Alternative { package, version, interface: seller.interface, deprecated: seller.state.deprecated.is_some() };
            match found.iter_mut().find(|other| other.package == package) {
                _ if package == than => {}
                Some(other) if other.version >= version => {}
                Some(other) => *other = alternative,
                None => found.push(alternative),
            }
        }
        found.sort_by_key(|alternative| (alternative.deprecated, alternative.package));
        found
    }

    /// For each interface that a release buys: the packages that sell it.
    pub fn suppliers<'a>(&'a self, entry: &'a Entry) -> impl Iterator<Item = (&'a str, Vec<Alternative<'a>>)> {
        let own = entry.package.parse::<Wish>().map(|wish| wish.package).ok();
        entry.buys.iter().filter_map(move |interface| {
            InterfaceName::parse(interface)?;
            Some((interface.as_str(), self.alternatives(interface, own.as_ref()?)))
        })
    }

    fn seller<'a>(&'a self, offering: &'a Offering) -> Option<Seller<'a>> {
        let wish: Wish = offering.package.parse().ok()?;
        let Range::Exact(version) = wish.range else { return None };
        let history = self.packages.get(&wish.package)?;
        let state = history.state(version);
        let entry = &history.get(version)?.entry;
        state.yanked.is_none().then_some(Seller { interface: &offering.interface.name, entry, state })
    }
}
