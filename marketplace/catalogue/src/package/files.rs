//! The files of a release beside its component: what they are called and how large they may be.

use hansa_economy::Digest;
use minicbor::{Decode, Encode};

use crate::limits::{LICENSE_BYTES_MAX, README_BYTES_MAX, WIT_BYTES_MAX};

/// `README.md`, for people.
pub const README: &str = "README.md";
/// `LICENSE`, the text of the licence.
pub const LICENSE: &str = "LICENSE";
/// `package.wit`, derived from the component.
pub const WIT: &str = "package.wit";
/// The names of all files, in the order in which statements list them.
pub const NAMES: [&str; 3] = [README, LICENSE, WIT];

/// A file as a package statement names it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct FileEntry {
    /// One of [`NAMES`].
    #[n(0)]
    pub name: String,
    /// SHA-256 of its bytes.
    #[n(1)]
    pub digest: Digest,
    /// Its length.
    #[n(2)]
    pub bytes: u64,
}

/// The files of a release as text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Files {
    /// `README.md`.
    pub readme: String,
    /// `LICENSE`.
    pub license: String,
    /// `package.wit`.
    pub wit: String,
}

/// Why files are not those that were signed, or not such as can be published.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum FilesError {
    /// Nothing in it.
    #[error("`{0}` is empty; a release needs it")]
    Empty(&'static str),
    /// Too long.
    #[error("`{name}` has {found} bytes, more than {most}; shorten it")]
    TooLong {
        /// The file.
        name: &'static str,
        /// Its length.
        found: usize,
        /// The most it may have.
        most: usize,
    },
    /// The statement lists other files than a release has.
    #[error("the statement lists the files {0}; a release has README.md, LICENSE and package.wit, in this order")]
    Listed(String),
    /// Other content.
    #[error(
        "`{name}` has {found_bytes} bytes with digest {found}, the publisher signed {signed_bytes} bytes with digest {signed}"
    )]
    Content {
        /// The file.
        name: &'static str,
        /// What was signed.
        signed: Digest,
        /// What is there.
        found: Digest,
        /// The length that was signed.
        signed_bytes: u64,
        /// The length that is there.
        found_bytes: u64,
    },
    /// Not what follows from the component.
    #[error("`package.wit` is not the contract of the component; derive it from the component again")]
    Wit,
}

impl Files {
    /// What a statement says about them.
    pub fn entries(&self) -> Vec<FileEntry> {
        let entry = |(name, text, _): (&'static str, &str, usize)| FileEntry {
            name: name.to_owned(),
            digest: Digest::of(text.as_bytes()),
            bytes: text.len() as u64,
        };
        self.each().map(entry).to_vec()
    }

    /// Check lengths, and the content against what was signed.
    pub fn check(&self, signed: &[FileEntry]) -> Result<(), FilesError> {
        self.check_lengths()?;
        if !signed.iter().map(|entry| entry.name.as_str()).eq(NAMES) {
            let names: Vec<String> = signed.iter().map(|entry| format!("`{}`", entry.name)).collect();
            return Err(FilesError::Listed(names.join(", ")));
        }
        for ((name, ..), (signed, found)) in self.each().into_iter().zip(signed.iter().zip(self.entries())) {
            if *signed != found {
                return Err(FilesError::Content {
                    name,
                    signed: signed.digest,
                    found: found.digest,
                    signed_bytes: signed.bytes,
                    found_bytes: found.bytes,
                });
            }
        }
        Ok(())
    }

    /// Check that no file is empty or too long.
    pub fn check_lengths(&self) -> Result<(), FilesError> {
        for (name, text, most) in self.each() {
            match text.len() {
                0 => return Err(FilesError::Empty(name)),
                found if found > most => return Err(FilesError::TooLong { name, found, most }),
                _ => {}
            }
        }
        Ok(())
    }

    fn each(&self) -> [(&'static str, &str, usize); 3] {
        [(README, &self.readme, README_BYTES_MAX), (LICENSE, &self.license, LICENSE_BYTES_MAX), (WIT, &self.wit, WIT_BYTES_MAX)]
    }
}
