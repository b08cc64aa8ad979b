//! A release on its way from a registry.

use hansa_catalogue::Release;
use hansa_catalogue::limits::{COMPONENT_BYTES_MAX, LICENSE_BYTES_MAX, README_BYTES_MAX, WIT_BYTES_MAX};
use hansa_catalogue::package::files::{self, FileEntry, FilesError};
use hansa_catalogue::package::{Files, PackageError, PackageStatement, ReleaseError};
use hansa_economy::limits::STATEMENT_BYTES_MAX;
use hansa_economy::{Digest, Signed};

use crate::client::Client;
use crate::error::{RemoteError, shown};
use crate::layout::{Main, NAME_PART, Stranger, read_main};
use crate::limits::{MANIFEST_BYTES_MAX, NAME_BYTES_MAX, PROBLEM_CHARS_MAX};
use crate::login::Login;
use crate::parcel::{self, NameProblem, Parcel};
use crate::progress::Watcher;
use crate::reference::{Reference, oci_digest};
use crate::remote::Remote;

/// A release that came from a registry. Its signature and all digests are right.
#[derive(Clone, Debug)]
pub struct Pulled {
    /// The release.
    pub parcel: Parcel,
    /// The digest of the component's manifest, by which exactly this can be pulled again.
    pub manifest: Digest,
}

/// Why there is no release.
#[derive(Debug, thiserror::Error)]
pub enum PullError {
    /// Neither tag nor digest.
    #[error("`{0}` names no version; add a tag, such as `:1.0.0`, or a digest")]
    NoVersion(Reference),
    /// Nothing under this name.
    #[error("there is nothing at `{0}`; check name and tag, and push it first if it is yours")]
    Unknown(Reference),
    /// Something else.
    #[error("`{reference}` is {found} and no WebAssembly component; check the name")]
    NotWasm {
        /// Where.
        reference: Reference,
        /// What is there, in words.
        found: String,
    },
    /// A component that nobody signed for Hansa.
    #[error("`{0}` is a WebAssembly artifact and no Hansa package: nobody signed it; ask its author to publish it with `hansa`")]
    NotHansa(Reference),
    /// A part is not there.
    #[error(
        "`{reference}` has lost its {part} ({digest}); push it again, and copy artifacts between registries with their referrers"
    )]
    Missing {
        /// Where.
        reference: Reference,
        /// `component`, `statement`, or the name of a file.
        part: &'static str,
        /// What was looked for.
        digest: Digest,
    },
    /// A part is not what its digest says.
    #[error(
        "the {part} at `{reference}` was changed: its digest is {found}, not {expected}; do not use this registry until its operator knows why"
    )]
    Changed {
        /// Where.
        reference: Reference,
        /// `manifest`, `component`, `statement`, or the name of a file.
        part: &'static str,
        /// By what it was named.
        expected: Digest,
        /// What came.
        found: Digest,
    },
    /// A part that is too long.
    #[error("the {part} at `{reference}` has {found} bytes, more than {most}; it cannot be used here")]
    TooLong {
        /// Where.
        reference: Reference,
        /// `component`, or the name of a file.
        part: &'static str,
        /// What is told.
        found: u64,
        /// What is allowed.
        most: usize,
    },
    /// The parts make no release: signature, component, files.
    #[error(
        "what lies at `{reference}` is no valid release: {}; do not use it, and tell its publisher",
        shown(.problem, PROBLEM_CHARS_MAX)
    )]
    Release {
        /// Where.
        reference: Reference,
        /// Why.
        problem: ReleaseError,
    },
    /// The records of the publisher's name.
    #[error(
        "the records of the publisher's name at `{reference}` are not valid: {}; do not use it, and tell its publisher",
        shown(.problem, PROBLEM_CHARS_MAX)
    )]
    Name {
        /// Where.
        reference: Reference,
        /// Why.
        problem: NameProblem,
    },
    /// The registry.
    #[error(transparent)]
    Remote(#[from] RemoteError),
}

impl Client {
    /// Pull the release at `reference`. The small parts come first: whatever can be seen to be wrong in them is told before the
    /// component is brought.
    pub async fn pull(&self, reference: &Reference, login: &Login, watcher: &Watcher) -> Result<Pulled, PullError> {
        let which = reference.which().ok_or_else(|| PullError::NoVersion(reference.clone()))?;
        let remote = Remote::new(self, reference, login, false, watcher)?;
        let pull = Pull { remote, reference };
        let (manifest, main) = pull.main(&which).await?;
        let statement = pull.part("statement", &main.statement, STATEMENT_BYTES_MAX).await?;
        let body = pull.signed(&statement, &main)?;
        let files = pull.files(&body).await?;
        let records = pull.name(&main).await?;
        let most = main.component_bytes as usize;
        let component = pull.part("component", &main.component, most).await?;
        let opened = Release::open(&statement, component, files);
        let (release, component) = opened.map_err(|problem| pull.invalid(problem))?;
        tracing::debug!(%reference, package = release.package(), "pulled a release");
        let name = records.map(|bytes| parcel::read(&bytes, release.name.publisher())).transpose();
        let name = name.map_err(|problem| PullError::Name { reference: reference.clone(), problem })?;
        Ok(Pulled { parcel: Parcel { release, component, name }, manifest })
    }
}

struct Pull<'a> {
    remote: Remote<'a>,
    reference: &'a Reference,
}

impl Pull<'_> {
    /// The component's manifest with its digest.
    async fn main(&self, which: &str) -> Result<(Digest, Main), PullError> {
        let bytes = self.remote.manifest("the manifest", which, MANIFEST_BYTES_MAX).await?;
        let bytes = bytes.ok_or_else(|| PullError::Unknown(self.reference.clone()))?;
        let found = Digest::of(&bytes);
        if let Some(expected) = self.reference.digest.filter(|expected| *expected != found) {
            return Err(self.changed("manifest", expected, found));
        }
        let main = read_main(&bytes).map_err(|stranger| match stranger {
            Stranger::NoWasm(found) => PullError::NotWasm { reference: self.reference.clone(), found },
            Stranger::NoRelease => PullError::NotHansa(self.reference.clone()),
        })?;
        self.fits("component", main.component_bytes, COMPONENT_BYTES_MAX)?;
        Ok((found, main))
    }

    /// What the publisher signed, compared with what the manifest says of the component.
    fn signed(&self, statement: &[u8], main: &Main) -> Result<PackageStatement, PullError> {
        let opened = Signed::<PackageStatement>::open(statement);
        let body = opened.map_err(|problem| self.invalid(PackageError::from(problem).into()))?.body;
        if body.component != main.component {
            return Err(self.invalid(PackageError::Component { signed: body.component, found: main.component }.into()));
        }
        if let Some(signed) = body.component_bytes.filter(|signed| *signed != main.component_bytes) {
            return Err(self.invalid(PackageError::Length { signed, found: main.component_bytes as usize }.into()));
        }
        Ok(body)
    }

    /// The records of the publisher's name, where there are some.
    async fn name(&self, main: &Main) -> Result<Option<Vec<u8>>, PullError> {
        match &main.name {
            Some(digest) => self.part(NAME_PART, digest, NAME_BYTES_MAX).await.map(Some),
            None => Ok(None),
        }
    }

    async fn files(&self, body: &PackageStatement) -> Result<Files, PullError> {
        let unpublished = || self.invalid(ReleaseError::NotPublished(body.package.clone(), "files"));
        let entries = body.files.as_deref().ok_or_else(unpublished)?;
        let [readme, license, wit] = entries else {
            return Err(self.invalid(FilesError::Listed(format!("of {} names", entries.len())).into()));
        };
        Ok(Files {
            readme: self.file(files::README, readme, README_BYTES_MAX).await?,
            license: self.file(files::LICENSE, license, LICENSE_BYTES_MAX).await?,
            wit: self.file(files::WIT, wit, WIT_BYTES_MAX).await?,
        })
    }

    async fn file(&self, name: &'static str, entry: &FileEntry, most: usize) -> Result<String, PullError> {
        self.fits(name, entry.bytes, most)?;
        let bytes = self.part(name, &entry.digest, entry.bytes as usize).await?;
        let no_text = |_| self.remote.unfit(name, "it is no UTF-8 text").into();
        String::from_utf8(bytes).map_err(no_text)
    }

    /// A blob whose digest is right.
    async fn part(&self, part: &'static str, digest: &Digest, most: usize) -> Result<Vec<u8>, PullError> {
        let bytes = self.remote.blob(part, digest, most).await?;
        let missing = || PullError::Missing { reference: self.reference.clone(), part, digest: *digest };
        let bytes = bytes.ok_or_else(missing)?;
        match Digest::of(&bytes) {
            found if found != *digest => Err(self.changed(part, *digest, found)),
            _ => Ok(bytes),
        }
    }

    fn fits(&self, part: &'static str, found: u64, most: usize) -> Result<(), PullError> {
        match found > most as u64 {
            true => Err(PullError::TooLong { reference: self.reference.clone(), part, found, most }),
            false => Ok(()),
        }
    }

    fn changed(&self, part: &'static str, expected: Digest, found: Digest) -> PullError {
        tracing::warn!(reference = %self.reference, part, expected = oci_digest(&expected), "a registry changed what it keeps");
        PullError::Changed { reference: self.reference.clone(), part, expected, found }
    }

    fn invalid(&self, problem: ReleaseError) -> PullError {
        PullError::Release { reference: self.reference.clone(), problem }
    }
}
