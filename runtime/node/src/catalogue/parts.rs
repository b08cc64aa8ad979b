//! Components and files of releases: in the node's blob folder, and in the bus's object store for all nodes.

use hansa_bus::{BucketError, Objects};
use hansa_catalogue::Blobs;
use hansa_catalogue::limits::{COMPONENT_BYTES_MAX, LICENSE_BYTES_MAX, README_BYTES_MAX, WIT_BYTES_MAX};
use hansa_catalogue::package::{Files, PackageStatement};
use hansa_economy::{Digest, Signed, StatementError};

/// What a release's statement names.
pub(super) struct Parts {
    pub(super) component: Vec<u8>,
    pub(super) files: Files,
}

/// Why a release's parts cannot be had.
#[derive(Debug, thiserror::Error)]
pub(super) enum PartsError {
    #[error(transparent)]
    Statement(#[from] StatementError),
    #[error("`{0}` lists no README, licence and contract, so it is no release; publish it with `hansa publish`")]
    NotPublished(String),
    #[error("the {what} of `{package}`, {digest}, is not in the store; publish it again")]
    Missing { package: String, what: &'static str, digest: Digest },
    #[error("the store holds something else as the {what} of `{package}`, {digest}; publish it again, which puts it right")]
    Other { package: String, what: &'static str, digest: Digest },
    #[error("the {what} of `{package}` is no text")]
    NoText { package: String, what: &'static str },
    #[error("the store cannot be read: {0}")]
    Store(#[from] BucketError),
    #[error(transparent)]
    Blob(#[from] hansa_catalogue::blobs::BlobError),
}

impl PartsError {
    /// May the same question have another answer later?
    pub(super) fn may_pass(&self) -> bool {
        matches!(self, PartsError::Missing { .. } | PartsError::Other { .. } | PartsError::Store(_))
    }
}

/// Fetch what `statement` names: from `blobs`, else from `objects`, and keep it in `blobs`. Everything is checked against its digest.
pub(super) async fn fetch(statement: &[u8], blobs: &Blobs, objects: &Objects) -> Result<Parts, PartsError> {
    let body = Signed::<PackageStatement>::open(statement)?.body;
    let package = &body.package;
    let listed = body.files.as_ref().filter(|files| files.len() == 3);
    let listed = listed.ok_or_else(|| PartsError::NotPublished(package.clone()))?;
    let one = async |what, digest, bytes_max| -> Result<Vec<u8>, PartsError> {
        match fetch_one(digest, bytes_max, blobs, objects).await? {
            Stored::Whole(bytes) => Ok(bytes),
            Stored::Nothing => Err(PartsError::Missing { package: package.clone(), what, digest }),
            Stored::Other => Err(PartsError::Other { package: package.clone(), what, digest }),
        }
    };
    let text = async |what, at: usize, bytes_max| -> Result<String, PartsError> {
        let bytes = one(what, listed[at].digest, bytes_max).await?;
        String::from_utf8(bytes).map_err(|_| PartsError::NoText { package: package.clone(), what })
    };
    let component = one("component", body.component, COMPONENT_BYTES_MAX).await?;
    let readme = text("README.md", 0, README_BYTES_MAX).await?;
    let license = text("LICENSE", 1, LICENSE_BYTES_MAX).await?;
    let wit = text("contract", 2, WIT_BYTES_MAX).await?;
    Ok(Parts { component, files: Files { readme, license, wit } })
}

/// What the object store has under a digest.
pub(super) enum Stored {
    /// The bytes of this digest.
    Whole(Vec<u8>),
    /// Nothing.
    Nothing,
    /// Something else: it was damaged, or somebody else put it there.
    Other,
}

/// What `objects` has under `digest`, at most `bytes_max` bytes of it.
pub(super) async fn stored(objects: &Objects, digest: Digest, bytes_max: usize) -> Result<Stored, BucketError> {
    match objects.get(&object(digest), bytes_max).await {
        Ok(Some(bytes)) if Digest::of(&bytes) == digest => Ok(Stored::Whole(bytes)),
        Ok(Some(_)) | Err(BucketError::Damaged { .. } | BucketError::TooLarge { .. }) => Ok(Stored::Other),
        Ok(None) => Ok(Stored::Nothing),
        Err(error) => Err(error),
    }
}

/// The name of a component or a file in the object store.
pub(super) fn object(digest: Digest) -> String {
    digest.to_string()
}

async fn fetch_one(digest: Digest, bytes_max: usize, blobs: &Blobs, objects: &Objects) -> Result<Stored, PartsError> {
    if let Ok(bytes) = blobs.get(digest) {
        return Ok(Stored::Whole(bytes));
    }
    let found = stored(objects, digest, bytes_max).await?;
    if let Stored::Whole(bytes) = &found {
        blobs.put(bytes)?;
    }
    Ok(found)
}
