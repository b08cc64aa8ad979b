//! Blobs and manifests: is it there, bring it, take it (OCI distribution specification 1.1).

use bytes::Bytes;
use hansa_economy::Digest;
use reqwest::header::{ACCEPT, HeaderMap, LOCATION};
use reqwest::{Method, Response, StatusCode, Url};

use crate::error::RemoteError;
use crate::layout::{INDEX, MANIFEST};
use crate::reference::{oci_digest, read_digest};
use crate::remote::{Ask, Remote};

/// All forms of manifests, so that a registry shows what is there, whether it can be used or not.
const MANIFESTS: &str = "application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.index.v1+json, \
                         application/vnd.docker.distribution.manifest.v2+json, application/vnd.docker.distribution.manifest.list.v2+json";
const DIGEST_HEADER: &str = "docker-content-digest";

impl Remote<'_> {
    /// Does the repository have this blob?
    pub(crate) async fn has_blob(&self, part: &'static str, digest: &Digest) -> Result<bool, RemoteError> {
        let url = self.url(&format!("blobs/{}", oci_digest(digest)));
        let response = self.send(&Ask::new(Method::HEAD, url, part)).await?;
        match response.status() {
            StatusCode::NOT_FOUND => Ok(false),
            status if status.is_success() => Ok(true),
            _ => Err(self.refusal(response, part).await),
        }
    }

    /// The blob, of at most `bytes_max` bytes; none where it is missing. The caller compares it with its digest.
    pub(crate) async fn blob(
        &self,
        part: &'static str,
        digest: &Digest,
        bytes_max: usize,
    ) -> Result<Option<Vec<u8>>, RemoteError> {
        let url = self.url(&format!("blobs/{}", oci_digest(digest)));
        let response = self.send(&Ask::new(Method::GET, url, part)).await?;
        match self.found(response, part).await? {
            Some(response) => self.read(response, part, bytes_max, true).await.map(Some),
            None => Ok(None),
        }
    }

    /// Bring a blob in two requests, which every registry takes: open an upload, then send all of it.
    pub(crate) async fn put_blob(&self, part: &'static str, digest: &Digest, bytes: Bytes) -> Result<(), RemoteError> {
        let opened = self.send(&Ask::new(Method::POST, self.url("blobs/uploads/"), part)).await?;
        if opened.status() != StatusCode::ACCEPTED {
            return Err(self.refusal(opened, part).await);
        }
        let mut upload = self.location(&opened, part)?;
        upload.query_pairs_mut().append_pair("digest", &oci_digest(digest));
        let sent = self.send(&Ask::new(Method::PUT, upload, part).body("application/octet-stream", bytes)).await?;
        match sent.status() {
            StatusCode::CREATED => self.same_digest(sent.headers(), part, digest),
            _ => Err(self.refusal(sent, part).await),
        }
    }

    /// The manifest under a tag or digest; none where there is none.
    pub(crate) async fn manifest(
        &self,
        what: &'static str,
        which: &str,
        bytes_max: usize,
    ) -> Result<Option<Vec<u8>>, RemoteError> {
        let ask = Ask::new(Method::GET, self.url(&format!("manifests/{which}")), what).header(ACCEPT, MANIFESTS);
        let response = self.send(&ask).await?;
        match self.found(response, what).await? {
            Some(response) => self.read(response, what, bytes_max, false).await.map(Some),
            None => Ok(None),
        }
    }

    /// Put a manifest under a tag or under its digest; the headers of the answer.
    pub(crate) async fn put_manifest(&self, what: &'static str, which: &str, bytes: Bytes) -> Result<HeaderMap, RemoteError> {
        self.put_typed(what, which, MANIFEST, bytes).await
    }

    /// The same with a list of manifests.
    pub(crate) async fn put_index(&self, what: &'static str, which: &str, bytes: Bytes) -> Result<HeaderMap, RemoteError> {
        self.put_typed(what, which, INDEX, bytes).await
    }

    async fn put_typed(
        &self,
        what: &'static str,
        which: &str,
        media_type: &'static str,
        bytes: Bytes,
    ) -> Result<HeaderMap, RemoteError> {
        let digest = Digest::of(&bytes);
        let ask = Ask::new(Method::PUT, self.url(&format!("manifests/{which}")), what).body(media_type, bytes);
        let response = self.send(&ask).await?;
        if !response.status().is_success() {
            return Err(self.refusal(response, what).await);
        }
        self.same_digest(response.headers(), what, &digest)?;
        Ok(response.headers().clone())
    }

    async fn found(&self, response: Response, what: &'static str) -> Result<Option<Response>, RemoteError> {
        match response.status() {
            StatusCode::NOT_FOUND => Ok(None),
            StatusCode::OK => Ok(Some(response)),
            _ => Err(self.refusal(response, what).await),
        }
    }

    fn location(&self, response: &Response, what: &str) -> Result<Url, RemoteError> {
        let location = response.headers().get(LOCATION).and_then(|value| value.to_str().ok());
        let location = location.ok_or_else(|| self.unfit(what, "it opens an upload and does not say where"))?;
        let url = response.url().join(location).map_err(|error| self.unfit(what, format!("its location: {error}")))?;
        let clear = response.url().scheme() == "https" && url.scheme() != "https";
        if clear || !matches!(url.scheme(), "http" | "https") {
            return Err(self.unfit(what, format!("it wants uploads at `{}`, in the clear", url.origin().ascii_serialization())));
        }
        Ok(url)
    }

    /// A registry that tells another digest than ours has stored something else.
    fn same_digest(&self, headers: &HeaderMap, what: &str, digest: &Digest) -> Result<(), RemoteError> {
        let told = headers.get(DIGEST_HEADER).and_then(|value| value.to_str().ok()).and_then(read_digest);
        match told {
            Some(told) if told != *digest => Err(self.unfit(what, format!("it stored {told} for {digest}"))),
            _ => Ok(()),
        }
    }
}
