//! What goes to a registry and comes from one: a release, its component, and the records of its publisher's name.

use hansa_catalogue::Release;
use hansa_catalogue::names::{NameChain, NameRecord, NameRefusal};
use hansa_economy::{Signed, StatementError};
use minicbor::bytes::ByteVec;

use crate::limits::NAME_BYTES_MAX;

/// A release with all that is needed to use it elsewhere.
#[derive(Clone, Debug)]
pub struct Parcel {
    /// What the publisher signed.
    pub release: Release,
    /// The component's bytes.
    pub component: Vec<u8>,
    /// Who has owned the publisher's name, as one catalogue knows it. Each record is signed and follows from the one before; whether
    /// it is the chain that counts elsewhere, is for others to say.
    pub name: Option<NameChain>,
}

/// Why records of a publisher's name cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum NameProblem {
    /// Not a list of statements.
    #[error("they are no list of records: {0}")]
    Format(String),
    /// A signature.
    #[error(transparent)]
    Statement(#[from] StatementError),
    /// The order.
    #[error(transparent)]
    Chain(#[from] NameRefusal),
    /// Of somebody else.
    #[error("they are about `{found}`, the package is of `{expected}`")]
    Other {
        /// Whose package it is.
        expected: String,
        /// Whose records they are.
        found: String,
    },
    /// More than is taken.
    #[error("they have {0} bytes, more than {NAME_BYTES_MAX}")]
    TooLong(usize),
}

/// The records as one blob.
pub(crate) fn write(chain: &NameChain) -> Vec<u8> {
    let records: Vec<ByteVec> = chain.records().iter().map(|record| record.bytes().to_vec().into()).collect();
    minicbor::to_vec(records).expect("writing to memory cannot fail")
}

/// The chain in a blob, which must be about `publisher`.
pub(crate) fn read(bytes: &[u8], publisher: &str) -> Result<NameChain, NameProblem> {
    let records: Vec<ByteVec> = minicbor::decode(bytes).map_err(|error| NameProblem::Format(error.to_string()))?;
    let records: Result<Vec<_>, _> = records.iter().map(|record| Signed::<NameRecord>::open(record)).collect();
    let chain = NameChain::fold(records?)?.ok_or_else(|| NameProblem::Format("there is none".into()))?;
    match chain.name() == publisher {
        true => Ok(chain),
        false => Err(NameProblem::Other { expected: publisher.to_owned(), found: chain.name().to_owned() }),
    }
}
