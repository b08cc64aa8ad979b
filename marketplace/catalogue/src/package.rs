//! A package: component and manifest under the publisher's signature, named by digest.

use hansa_economy::{Digest, Keypair, Signed, Statement, StatementError};
use minicbor::{Decode, Encode};

use crate::limits::COMPONENT_BYTES_MAX;
use crate::manifest::{Manifest, ManifestError};

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
}

impl Package {
    /// Sign `manifest` (the text of an `agent.toml`) and `component` with the publisher's key.
    pub fn sign(manifest: &str, component: Vec<u8>, publisher: &Keypair) -> Result<Package, PackageError> {
        let parsed = Manifest::parse(manifest)?;
        let body =
            PackageStatement { package: parsed.package(), component: Digest::of(&component), manifest: manifest.to_owned() };
        Package::check(Signed::new(body, publisher), component)
    }

    /// Verify a statement against the component that came with it.
    pub fn open(statement: &[u8], component: Vec<u8>) -> Result<Package, PackageError> {
        Package::check(Signed::open(statement)?, component)
    }

    fn check(statement: Signed<PackageStatement>, component: Vec<u8>) -> Result<Package, PackageError> {
        if component.len() > COMPONENT_BYTES_MAX {
            return Err(PackageError::TooLong(component.len()));
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
}
