//! A release on its way to a registry.

use hansa_economy::Digest;

use crate::attach::attach;
use crate::client::Client;
use crate::error::RemoteError;
use crate::layout::{Layout, NAME_PART};
use crate::limits::{MANIFEST_BYTES_MAX, NAME_BYTES_MAX};
use crate::login::Login;
use crate::parcel::{NameProblem, Parcel};
use crate::progress::Watcher;
use crate::reference::{Reference, ReferenceError, oci_digest};
use crate::remote::Remote;

/// A release that is in a registry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pushed {
    /// Where it lies, with tag and digest: what others pull.
    pub reference: Reference,
    /// The digest of the component's manifest.
    pub manifest: Digest,
    /// The digest of the attachment's manifest.
    pub attachment: Digest,
    /// Bytes of the blobs that were sent; none where all were there.
    pub sent_bytes: u64,
    /// The manifest that was under this tag before, where it was another.
    pub replaced: Option<Digest>,
}

/// Why a release is not in the registry.
#[derive(Debug, thiserror::Error)]
pub enum PushError {
    /// A digest cannot be chosen.
    #[error("`{0}` names a digest, which only follows from what is pushed; leave `@sha256:…` out")]
    Pinned(Reference),
    /// The version makes no tag.
    #[error("the version makes no tag: {0}; name one in the reference")]
    Tag(#[from] ReferenceError),
    /// Another component.
    #[error("the component's digest is {found}, the release has {signed}; push the component that was signed")]
    Component {
        /// What was signed.
        signed: Digest,
        /// What was given.
        found: Digest,
    },
    /// The publisher's name.
    #[error("the records of the publisher's name cannot be pushed: {0}; push without them")]
    Name(NameProblem),
    /// The registry.
    #[error(transparent)]
    Remote(#[from] RemoteError),
}

impl Client {
    /// Push `parcel` to `reference`, whose tag is the version where it names none. What is there already is not sent again. The
    /// manifest comes last: whoever sees the tag can pull all of it.
    pub async fn push(
        &self,
        reference: &Reference,
        parcel: &Parcel,
        login: &Login,
        watcher: &Watcher,
    ) -> Result<Pushed, PushError> {
        if reference.digest.is_some() {
            return Err(PushError::Pinned(reference.clone()));
        }
        let release = &parcel.release;
        let (signed, found) = (release.statement.body.component, Digest::of(&parcel.component));
        if signed != found {
            return Err(PushError::Component { signed, found });
        }
        let tag = reference.tag.clone().unwrap_or_else(|| release.version.to_string());
        let target = reference.with_tag(&tag)?;
        let layout = Layout::of(parcel);
        let name = layout.parts.iter().find(|part| part.name == NAME_PART).filter(|part| part.bytes.len() > NAME_BYTES_MAX);
        if let Some(name) = name {
            return Err(PushError::Name(NameProblem::TooLong(name.bytes.len())));
        }
        let remote = Remote::new(self, &target, login, true, watcher)?;
        let (sent_bytes, replaced) = store(&remote, &tag, &layout).await?;
        let (manifest, attachment) = (Digest::of(&layout.main), Digest::of(&layout.attachment));
        tracing::debug!(reference = %target, %manifest, sent_bytes, "pushed a release");
        Ok(Pushed { reference: Reference { digest: Some(manifest), ..target }, manifest, attachment, sent_bytes, replaced })
    }
}

/// Bytes sent, and what was under the tag before, where it was something else.
async fn store(remote: &Remote<'_>, tag: &str, layout: &Layout) -> Result<(u64, Option<Digest>), RemoteError> {
    const WHAT: &str = "the manifest";
    let before = remote.manifest(WHAT, tag, MANIFEST_BYTES_MAX).await?.map(|bytes| Digest::of(&bytes));
    let mut sent_bytes = 0;
    for part in &layout.parts {
        if !remote.has_blob(part.name, &part.digest).await? {
            remote.put_blob(part.name, &part.digest, part.bytes.clone()).await?;
            sent_bytes += part.bytes.len() as u64;
        }
    }
    let manifest = Digest::of(&layout.main);
    let attachment = oci_digest(&Digest::of(&layout.attachment));
    let attached = remote.manifest("the attachment", &attachment, MANIFEST_BYTES_MAX).await?.is_some();
    if before != Some(manifest) || !attached {
        attach(remote, &manifest, &layout.attachment).await?;
        remote.put_manifest(WHAT, tag, layout.main.clone()).await?;
    }
    Ok((sent_bytes, before.filter(|before| *before != manifest)))
}
