//! A package: component and manifest under the publisher's signature, named by digest. A [`Release`] is a package that is
//! published: with README, licence and the WIT text that follows from the component.

pub mod contract;
pub mod decode;
pub mod files;
pub mod release;
mod survey;
pub mod tradable;

use hansa_economy::limits::STATEMENT_BYTES_MAX;
use hansa_economy::{Digest, Keypair, Signed, Statement, StatementError};
use minicbor::{Decode, Encode};

use crate::limits::COMPONENT_BYTES_MAX;
use crate::manifest::{Manifest, ManifestError};
pub use contract::{Contract, Function, Interface, InterfaceKind, Type};
pub use decode::{ComponentError, Described, describe};
pub use files::{FileEntry, Files};
pub use release::{Release, ReleaseError, ReleaseParts};
pub use tradable::NotTradable;

/// What a publisher signs.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct PackageStatement {
    /// `publisher/name@version`.
    #[n(0)]
    pub package: String,
    /// SHA-256 of the component.
    #[n(1)]
    pub component: Digest,
    /// The whole `agent.toml`.
    #[n(2)]
    pub manifest: String,
    /// Of a release: its files beside the component, in the order of [`files::NAMES`].
    #[n(3)]
    pub files: Option<Vec<FileEntry>>,
    /// Of a release: bytes of the component.
    #[n(4)]
    pub component_bytes: Option<u64>,
    /// Of a release: when the publisher signed it, Unix milliseconds by its own clock.
    #[n(5)]
    pub published_ms: Option<u64>,
    /// Of a release: the record of the publisher's name under which it was signed ([`crate::names`]).
    #[n(6)]
    pub name_record: Option<Digest>,
}

impl Statement for PackageStatement {
    const CONTENT_TYPE: &'static str = "hansa/package.1";
}

/// A package whose parts fit together.
#[derive(Clone, Debug)]
pub struct Package {
    /// The publisher's statement.
    pub statement: Signed<PackageStatement>,
    /// What it says about the agent.
    pub manifest: Manifest,
    /// The component's bytes.
    pub component: Vec<u8>,
}

/// Why files are no package.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum PackageError {
    /// The manifest.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// The signature.
    #[error("the package statement is not valid: {0}")]
    Statement(#[from] StatementError),
    /// The component is not the one that was signed.
    #[error("the component's digest is {found}, the publisher signed {signed}")]
    Component {
        /// What was signed.
        signed: Digest,
        /// What is there.
        found: Digest,
    },
    /// The statement names another package than its manifest.
    #[error("the statement names package `{statement}`, its manifest `{manifest}`")]
    Name {
        /// In the statement.
        statement: String,
        /// In the manifest.
        manifest: String,
    },
    /// Too long.
    #[error("the component has {0} bytes, more than {COMPONENT_BYTES_MAX}")]
    TooLong(usize),
    /// Another length than was signed.
    #[error("the component has {found} bytes, the publisher signed {signed}")]
    Length {
        /// What was signed.
        signed: u64,
        /// What is there.
        found: usize,
    },
}

impl Package {
    /// Sign `manifest` (the text of an `agent.toml`) and `component` with the publisher's key.
    pub fn sign(manifest: &str, component: Vec<u8>, publisher: &Keypair) -> Result<Package, PackageError> {
        let parsed = Manifest::parse(manifest)?;
        if component.len() > COMPONENT_BYTES_MAX {
            return Err(PackageError::TooLong(component.len()));
        }
        let body = PackageStatement {
            package: parsed.package(),
            component: Digest::of(&component),
            manifest: manifest.to_owned(),
            files: None,
            component_bytes: None,
            published_ms: None,
            name_record: None,
        };
        Package::check(signed(body, publisher)?, component)
    }

    /// Verify a statement against the component that came with it.
    pub fn open(statement: &[u8], component: Vec<u8>) -> Result<Package, PackageError> {
        Package::check(Signed::open(statement)?, component)
    }

    fn check(statement: Signed<PackageStatement>, component: Vec<u8>) -> Result<Package, PackageError> {
        if component.len() > COMPONENT_BYTES_MAX {
            return Err(PackageError::TooLong(component.len()));
        }
        if let Some(signed) = statement.body.component_bytes.filter(|signed| *signed != component.len() as u64) {
            return Err(PackageError::Length { signed, found: component.len() });
        }
        let (signed, found) = (statement.body.component, Digest::of(&component));
        if signed != found {
            return Err(PackageError::Component { signed, found });
        }
        let manifest = Manifest::parse(&statement.body.manifest)?;
        if manifest.package() != statement.body.package {
            return Err(PackageError::Name { statement: statement.body.package, manifest: manifest.package() });
        }
        Ok(Package { statement, manifest, component })
    }
}

/// Sign, and refuse what nobody would accept because it is too long.
fn signed(body: PackageStatement, publisher: &Keypair) -> Result<Signed<PackageStatement>, StatementError> {
    let statement = Signed::new(body, publisher);
    match statement.bytes().len() <= STATEMENT_BYTES_MAX {
        true => Ok(statement),
        false => Err(StatementError::TooLong(statement.bytes().len())),
    }
}

#[cfg(any(test, feature = "testing"))]
pub mod fixture;

#[cfg(test)]
mod release_tests;

#[cfg(test)]
mod hostile_tests;

#[cfg(test)]
mod tests {
    use super::*;

    const MANIFEST: &str = "[agent]\nname = \"a/b\"\nversion = \"1.0.0\"\n";

    #[test]
    fn a_signed_package_opens_and_a_changed_one_does_not() {
        let key = Keypair::from_seed(&[3; 32]);
        let package = Package::sign(MANIFEST, b"component".to_vec(), &key).unwrap();
        let opened = Package::open(package.statement.bytes(), b"component".to_vec()).unwrap();
        assert_eq!(opened.statement.signer, key.public());
        let changed = Package::open(package.statement.bytes(), b"c0mponent".to_vec());
        assert!(matches!(changed, Err(PackageError::Component { .. })));
    }

    /// What was signed before releases had files reads as it did, and what has files reads as its parts.
    #[test]
    fn statements_of_both_ages_are_read() {
        #[derive(Encode, Decode)]
        #[cbor(map)]
        struct Old(#[n(0)] String, #[n(1)] Digest, #[n(2)] String);
        let component = Digest::of(b"component");
        let old = minicbor::to_vec(Old("a/b@1.0.0".into(), component, MANIFEST.into())).unwrap();
        let read: PackageStatement = minicbor::decode(&old).unwrap();
        assert_eq!((read.component, read.files.clone(), read.published_ms), (component, None, None));
        assert_eq!(minicbor::to_vec(&read).unwrap(), old);
        let file = FileEntry { name: "LICENSE".into(), digest: component, bytes: 9 };
        let new = PackageStatement { files: Some(vec![file]), component_bytes: Some(9), published_ms: Some(1), ..read };
        let bytes = minicbor::to_vec(&new).unwrap();
        assert_eq!(minicbor::decode::<PackageStatement>(&bytes).unwrap(), new);
        assert_eq!(minicbor::decode::<Old>(&bytes).unwrap().0, "a/b@1.0.0");
    }
}
