//! The list of attachments of a manifest, kept by hand where a registry does not keep it (distribution specification 1.1,
//! referrers tag schema).

use bytes::Bytes;
use hansa_economy::Digest;

use crate::error::RemoteError;
use crate::layout::{ATTACHMENT, INDEX, Index, json, of_manifest};
use crate::limits::INDEX_BYTES_MAX;
use crate::reference::oci_digest;
use crate::remote::Remote;

const WHAT: &str = "the attachment";
const LIST: &str = "the list of attachments";
/// Ends the tag of an attachment that the registry does not note by itself.
const OWN_TAG: &str = ".hansa";
/// With this header a registry says that it has noted the `subject`.
const NOTED: &str = "oci-subject";

/// Attach `attachment`, whose `subject` is the manifest with the digest `subject`.
pub(crate) async fn attach(remote: &Remote<'_>, subject: &Digest, attachment: &Bytes) -> Result<(), RemoteError> {
    let answer = remote.put_manifest(WHAT, &oci_digest(&Digest::of(attachment)), attachment.clone()).await?;
    if answer.contains_key(NOTED) {
        return Ok(());
    }
    // A tag of its own: clean-ups of such registries take away what has none, also where a list names it.
    let tag = format!("sha256-{subject}");
    remote.put_manifest(WHAT, &format!("{tag}{OWN_TAG}"), attachment.clone()).await?;
    let mut index = match remote.manifest(LIST, &tag, INDEX_BYTES_MAX).await? {
        Some(bytes) => serde_json::from_slice(&bytes).map_err(|error| remote.unfit(LIST, error.to_string()))?,
        None => Index { schema_version: 2, media_type: INDEX.to_owned(), manifests: Vec::new() },
    };
    let entry = of_manifest(attachment, Some(ATTACHMENT));
    if index.manifests.iter().any(|known| known.digest == entry.digest) {
        return Ok(());
    }
    index.manifests.push(entry);
    remote.put_index(LIST, &tag, json(&index)).await.map(drop)
}
