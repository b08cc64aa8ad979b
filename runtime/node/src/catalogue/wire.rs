//! Statements on their way to the journal, as CBOR; questions to the catalogue and its answers, as JSON, so that any NATS client can ask.

use hansa_economy::{Digest, PublicKey};
use minicbor::bytes::ByteVec;
use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use super::views::{NameView, PackageView, ResultsView, SellerView};

/// A signed statement, as its exact bytes: what is handed in, and an entry of the journal.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum Submission {
    /// A record of a publisher's name.
    #[n(0)]
    Name(#[n(0)] ByteVec),
    /// A release; its component and files are in the store.
    #[n(1)]
    Release(#[n(0)] ByteVec),
    /// A notice about releases.
    #[n(2)]
    Notice(#[n(0)] ByteVec),
}

impl Submission {
    /// The statement.
    pub fn statement(&self) -> &[u8] {
        match self {
            Submission::Name(bytes) | Submission::Release(bytes) | Submission::Notice(bytes) => bytes,
        }
    }

    /// The statement's digest, under which the journal keeps it.
    pub fn digest(&self) -> Digest {
        Digest::of(self.statement())
    }

    /// As bytes.
    pub fn encode(&self) -> Vec<u8> {
        minicbor::to_vec(self).expect("writing to memory cannot fail")
    }
}

/// What to search for; all that is given must hold.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Wanted {
    /// Words.
    pub text: String,
    /// It sells this interface, with or without a version.
    pub interface: Option<String>,
    /// It has these labels with these values.
    pub labels: Vec<(String, String)>,
    /// It is of this publisher.
    pub publisher: Option<String>,
    /// It has this keyword.
    pub keyword: Option<String>,
    /// It knows this language.
    pub language: Option<String>,
    /// Results to leave out at the beginning.
    pub offset: usize,
    /// Results to return.
    pub limit: usize,
}

/// A question.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "ask")]
pub enum Question {
    /// Search.
    Find(Wanted),
    /// A publisher's name.
    Name {
        /// The name.
        name: String,
    },
    /// All records of a publisher's name.
    NameRecords {
        /// The name.
        name: String,
    },
    /// The names that a key owns.
    NamesOf {
        /// The key.
        owner: PublicKey,
    },
    /// A release, by a wish such as `acme/translator`, `acme/translator@1` or `acme/translator@1.2.0`.
    Package {
        /// The wish.
        wish: String,
    },
    /// Who sells an interface.
    Sellers {
        /// The interface, with or without a version.
        interface: String,
    },
}

/// An answer.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "answer")]
pub enum Answer {
    /// To [`Question::Find`].
    Found(ResultsView),
    /// To [`Question::Name`]; none where nobody has claimed it.
    Name {
        /// The name.
        name: Option<NameView>,
    },
    /// To [`Question::NameRecords`]: signed records, first to last, each in hexadecimal digits; empty where nobody has claimed it.
    NameRecords {
        /// The records.
        records: Vec<String>,
    },
    /// To [`Question::NamesOf`].
    Names {
        /// The names.
        names: Vec<NameView>,
    },
    /// To [`Question::Package`].
    Package(Box<PackageView>),
    /// To [`Question::Sellers`].
    Sellers {
        /// Highest version of the interface first.
        sellers: Vec<SellerView>,
    },
    /// There is no answer, in words that say what to do.
    Nothing {
        /// Why.
        reason: String,
    },
}
