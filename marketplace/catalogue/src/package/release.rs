//! A release: a package that strangers can judge before they run it. All parts stand under one signature, and the WIT text
//! is what follows from the component, derived again by everybody who verifies.

use hansa_economy::{Digest, Keypair, PublicKey, Signed};

use super::contract::Contract;
use super::decode::{ComponentError, Described, describe};
use super::files::{Files, FilesError};
use super::tradable::NotTradable;
use super::{Package, PackageError, PackageStatement, signed};
use crate::limits::{COMPONENT_BYTES_MAX, FILES_MAX};
use crate::manifest::Manifest;
use crate::version::{NameError, PackageName, Version};

/// What an author puts into a release.
#[derive(Clone, Debug)]
pub struct ReleaseParts {
    /// The text of `agent.toml`.
    pub manifest: String,
    /// The component's bytes.
    pub component: Vec<u8>,
    /// The text of `README.md`.
    pub readme: String,
    /// The text of the licence.
    pub license: String,
    /// The newest record of the publisher's name, where the author knows it: [`crate::names::NameState::head`].
    pub name_record: Option<Digest>,
}

/// A published package whose parts fit together.
#[derive(Clone, Debug)]
pub struct Release {
    /// `publisher/name`.
    pub name: PackageName,
    /// Its version.
    pub version: Version,
    /// The publisher's statement.
    pub statement: Signed<PackageStatement>,
    /// What it says about the agent.
    pub manifest: Manifest,
    /// What the component imports and exports.
    pub contract: Contract,
    /// README, licence and WIT text.
    pub files: Files,
    /// When the publisher signed it, Unix milliseconds by its own clock.
    pub published_ms: u64,
}

/// Why parts make no release.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum ReleaseError {
    /// Statement, manifest or component.
    #[error(transparent)]
    Package(#[from] PackageError),
    /// The name or the version.
    #[error("agent.toml: {0}")]
    Name(#[from] NameError),
    /// The component's types.
    #[error(transparent)]
    Component(#[from] ComponentError),
    /// README, licence or WIT text.
    #[error(transparent)]
    Files(#[from] FilesError),
    /// The statement is of a package that was deployed and not published.
    #[error("the statement of `{0}` names no {1}, so it is no release; publish it instead of deploying it")]
    NotPublished(String, &'static str),
    /// A line of the manifest that buyers need.
    #[error("agent.toml has no `agent.{0}`, which a release needs; add it")]
    Missing(&'static str),
    /// Sold, and not exported.
    #[error("agent.toml sells `{service}`, which the component does not export; it exports: {exported}")]
    NotExported {
        /// What is sold.
        service: String,
        /// What could be sold.
        exported: String,
    },
    /// Exported, and not sold.
    #[error("the component exports `{0}`, which agent.toml does not sell; add `[sells.\"{0}\"]`")]
    NotSold(String),
    /// Sold, and not fit for a market.
    #[error("`{service}` cannot be sold: {problem}")]
    NotTradable {
        /// What is sold.
        service: String,
        /// Why not.
        problem: NotTradable,
    },
    /// A function without a price.
    #[error("agent.toml names no price for `{function}` of `{service}`; add `price.{function} = \"free\"` or an amount")]
    NoPrice {
        /// The interface.
        service: String,
        /// The function.
        function: String,
    },
    /// A price without a function.
    #[error("agent.toml prices `{function}`, which `{service}` does not have; leave the line out")]
    NoFunction {
        /// The interface.
        service: String,
        /// The function.
        function: String,
    },
}

impl Release {
    /// Make a release of `parts` and sign it with the publisher's key. `published_ms`: now, Unix milliseconds.
    pub fn sign(parts: ReleaseParts, published_ms: u64, publisher: &Keypair) -> Result<(Release, Vec<u8>), ReleaseError> {
        let manifest = Manifest::parse(&parts.manifest).map_err(PackageError::from)?;
        if parts.component.len() > COMPONENT_BYTES_MAX {
            return Err(PackageError::TooLong(parts.component.len()).into());
        }
        let Described { contract, wit } = describe(&parts.component)?;
        let files = Files { readme: parts.readme, license: parts.license, wit };
        let body = PackageStatement {
            package: manifest.package(),
            component: Digest::of(&parts.component),
            manifest: parts.manifest,
            files: Some(files.entries()),
            component_bytes: Some(parts.component.len() as u64),
            published_ms: Some(published_ms),
            name_record: parts.name_record,
        };
        files.check_lengths()?;
        check_contract(&manifest, &contract)?;
        let statement = signed(body, publisher).map_err(PackageError::from)?;
        Ok((Release::named(statement, manifest, contract, files, published_ms)?, parts.component))
    }

    /// Verify a statement with all that came with it. The WIT text is derived from the component and compared.
    pub fn open(statement: &[u8], component: Vec<u8>, files: Files) -> Result<(Release, Vec<u8>), ReleaseError> {
        let Package { statement, manifest, component } = Package::open(statement, component)?;
        let body = &statement.body;
        let lacks = |what: &'static str| ReleaseError::NotPublished(body.package.clone(), what);
        body.component_bytes.ok_or_else(|| lacks("length of its component"))?;
        let published_ms = body.published_ms.ok_or_else(|| lacks("time of publication"))?;
        let entries = body.files.as_ref().ok_or_else(|| lacks("files"))?;
        if entries.len() > FILES_MAX {
            return Err(FilesError::Listed(format!("of {} names", entries.len())).into());
        }
        files.check(entries)?;
        let Described { contract, wit } = describe(&component)?;
        if wit != files.wit {
            return Err(FilesError::Wit.into());
        }
        check_contract(&manifest, &contract)?;
        Ok((Release::named(statement, manifest, contract, files, published_ms)?, component))
    }

    /// Who signed it.
    pub fn signer(&self) -> PublicKey {
        self.statement.signer
    }

    /// `publisher/name@version`.
    pub fn package(&self) -> &str {
        &self.statement.body.package
    }

    /// The digest of all that it delivers; the same for a release that was signed again, at another time or by another key.
    pub fn content(&self) -> Digest {
        let body = &self.statement.body;
        let files = self.files.entries();
        let mut parts: Vec<&[u8]> = vec![body.package.as_bytes(), &body.component.0, body.manifest.as_bytes()];
        parts.extend(files.iter().map(|file| file.digest.0.as_slice()));
        Digest::of_parts("hansa/release-content", &parts)
    }

    fn named(
        statement: Signed<PackageStatement>,
        manifest: Manifest,
        contract: Contract,
        files: Files,
        published_ms: u64,
    ) -> Result<Release, ReleaseError> {
        let (name, version) = (manifest.agent.name.parse()?, manifest.agent.version.parse()?);
        Ok(Release { name, version, statement, manifest, contract, files, published_ms })
    }
}

/// Do manifest and component sell the same, and can it be sold? The node asks the same when it deploys.
fn check_contract(manifest: &Manifest, contract: &Contract) -> Result<(), ReleaseError> {
    for (what, text) in [("description", &manifest.agent.description), ("license", &manifest.agent.license)] {
        if text.trim().is_empty() {
            return Err(ReleaseError::Missing(what));
        }
    }
    if let Some(interface) = contract.services().find(|interface| !manifest.sells.contains_key(&interface.name)) {
        return Err(ReleaseError::NotSold(interface.name.clone()));
    }
    for (service, sale) in &manifest.sells {
        let interface = contract.services().find(|interface| interface.name == *service);
        let interface =
            interface.ok_or_else(|| ReleaseError::NotExported { service: service.clone(), exported: exported(contract) })?;
        if let Err(problem) = &interface.tradable {
            return Err(ReleaseError::NotTradable { service: service.clone(), problem: problem.clone() });
        }
        if let Some(function) = interface.functions.iter().find(|function| !sale.price.contains_key(&function.name)) {
            return Err(ReleaseError::NoPrice { service: service.clone(), function: function.name.clone() });
        }
        if let Some(function) = sale.price.keys().find(|name| interface.function(name).is_none()) {
            return Err(ReleaseError::NoFunction { service: service.clone(), function: function.clone() });
        }
    }
    Ok(())
}

fn exported(contract: &Contract) -> String {
    let names: Vec<&str> = contract.exports.iter().map(|interface| interface.name.as_str()).collect();
    if names.is_empty() { "nothing".to_owned() } else { names.join(", ") }
}
