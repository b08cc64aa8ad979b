//! What may be published after what: versions of one package, notices about them, and which version a wish resolves to.

use std::collections::BTreeMap;
use std::fmt;

use hansa_economy::{Digest, PublicKey, Signed, Statement};
use minicbor::{Decode, Encode};

use crate::limits::{NOTICE_MESSAGE_BYTES_MAX, NOTICES_MAX, RELEASES_MAX};
use crate::version::{Line, NameError, PackageName, Range, Version, Wish};

/// What an owner says about a release, or a whole package, after it was published.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Notice {
    /// `acme/translator@1.2.0`, or `acme/translator` for all versions, later ones too.
    #[n(0)]
    pub about: String,
    /// Its number among the notices of the package, from 0; a later one prevails.
    #[n(1)]
    pub seq: u64,
    /// What it says.
    #[n(2)]
    pub says: Says,
    /// The record of the publisher's name under which it was signed ([`crate::names`]).
    #[n(3)]
    pub name_record: Option<Digest>,
    /// When it was signed, Unix milliseconds by the signer's clock; for people.
    #[n(4)]
    pub signed_ms: u64,
}

/// What a notice says.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum Says {
    /// Not to be used: it runs on for whoever named exactly this version, and is not found otherwise.
    #[n(0)]
    Yanked {
        /// Why.
        #[n(0)]
        reason: String,
    },
    /// Found, but not recommended.
    #[n(1)]
    Deprecated {
        /// What users should know.
        #[n(0)]
        message: String,
        /// The package to use instead, `acme/interpreter`.
        #[n(1)]
        successor: Option<String>,
    },
    /// As if no notice had been given.
    #[n(2)]
    Restored,
}

impl Statement for Notice {
    const CONTENT_TYPE: &'static str = "hansa/notice.1";
}

/// What the notices say about one version.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct State {
    /// Why it was yanked.
    pub yanked: Option<String>,
    /// That it is deprecated.
    pub deprecated: Option<Deprecation>,
}

/// A release that is not recommended any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deprecation {
    /// What users should know.
    pub message: String,
    /// The package to use instead.
    pub successor: Option<PackageName>,
}

/// What a package's history keeps of a release.
#[derive(Clone, Debug)]
pub struct Released<T> {
    /// [`crate::package::Release::content`].
    pub content: Digest,
    /// Who signed it.
    pub signer: PublicKey,
    /// Whatever else belongs to it.
    pub entry: T,
}

/// All releases of one package with its notices.
#[derive(Clone, Debug)]
pub struct History<T> {
    name: PackageName,
    versions: BTreeMap<Version, Released<T>>,
    notices: BTreeMap<u64, Signed<Notice>>,
}

/// Why a release cannot be published after the others.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum VersionRefusal {
    /// Something else was published under this version.
    #[error(
        "`{package}@{version}` is published with content {published}, this one is {new}; \
         versions never change: publish it as another version"
    )]
    Taken {
        /// The package.
        package: PackageName,
        /// The version.
        version: Version,
        /// The digest of what was published.
        published: Digest,
        /// The digest of what would be.
        new: Digest,
    },
    /// A higher version of the line is there.
    #[error("`{package}@{version}` comes after {in_the_way} of the line {line}; publish a version above {in_the_way}")]
    NotAbove {
        /// The package.
        package: PackageName,
        /// The version.
        version: Version,
        /// The highest version of its line.
        in_the_way: Version,
        /// The line.
        line: Line,
    },
    /// The package is full.
    #[error("`{0}` has {RELEASES_MAX} releases, more are not taken")]
    Full(PackageName),
}

/// Why a notice is not taken.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum NoticeRefusal {
    /// What it is about.
    #[error(transparent)]
    About(#[from] NameError),
    /// About some versions, but neither one nor all.
    #[error("a notice is about one version or the whole package, `{0}` is neither")]
    Range(String),
    /// Too long.
    #[error("the message of the notice about `{about}` has {found} bytes, more than {NOTICE_MESSAGE_BYTES_MAX}; shorten it")]
    TooLong {
        /// What it is about.
        about: String,
        /// The message's length.
        found: usize,
    },
    /// A successor that is the package itself.
    #[error("`{0}` cannot be its own successor; name another package")]
    OwnSuccessor(PackageName),
    /// Another notice has this number.
    #[error("`{package}` has another notice {seq}: {} came first, {} would take its place", Digest::of(first).short(), Digest::of(second).short())]
    Fork {
        /// The package.
        package: PackageName,
        /// The number of both.
        seq: u64,
        /// The exact bytes of the one that came first.
        first: Vec<u8>,
        /// The exact bytes of the other.
        second: Vec<u8>,
    },
    /// The package has too many.
    #[error("`{0}` has {NOTICES_MAX} notices, more are not taken")]
    Full(PackageName),
}

/// Why a wish finds no release.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum ResolveError {
    /// No such package.
    #[error("there is no package `{package}`{}", did_you_mean(suggestion.as_deref()))]
    NoPackage {
        /// What was wished for.
        package: PackageName,
        /// The nearest name.
        suggestion: Option<String>,
    },
    /// No such version.
    #[error("no release satisfies `{wish}`; there are {versions}")]
    NoVersion {
        /// What was wished for.
        wish: String,
        /// What there is.
        versions: Versions,
    },
    /// All of them are yanked.
    #[error("all releases that satisfy `{wish}` are yanked: {reason}; name one exactly to run it all the same")]
    Yanked {
        /// What was wished for.
        wish: String,
        /// Why the newest was.
        reason: String,
    },
}

fn did_you_mean(near: Option<&str>) -> String {
    near.map_or_else(String::new, |near| format!("; did you mean `{near}`?"))
}

/// Versions in words, newest first, at most ten of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Versions(pub Vec<Version>);

impl fmt::Display for Versions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown: Vec<String> = self.0.iter().take(10).map(ToString::to_string).collect();
        let more = self.0.len().saturating_sub(shown.len());
        match (shown.is_empty(), more) {
            (true, _) => f.write_str("none"),
            (false, 0) => f.write_str(&shown.join(", ")),
            (false, more) => write!(f, "{} and {more} more", shown.join(", ")),
        }
    }
}

/// Check what a notice says by itself: the package and the version that it is about, none for all.
pub fn check_notice(notice: &Notice) -> Result<(PackageName, Option<Version>), NoticeRefusal> {
    let wish: Wish = notice.about.parse()?;
    let version = match wish.range {
        Range::Any => None,
        Range::Exact(version) => Some(version),
        _ => return Err(NoticeRefusal::Range(notice.about.clone())),
    };
    let text = match &notice.says {
        Says::Yanked { reason } => reason,
        Says::Deprecated { message, successor } => {
            if let Some(successor) = successor
                && successor.parse::<PackageName>()? == wish.package
            {
                return Err(NoticeRefusal::OwnSuccessor(wish.package));
            }
            message
        }
        Says::Restored => return Ok((wish.package, version)),
    };
    match text.len() <= NOTICE_MESSAGE_BYTES_MAX {
        true => Ok((wish.package, version)),
        false => Err(NoticeRefusal::TooLong { about: notice.about.clone(), found: text.len() }),
    }
}

impl<T> History<T> {
    /// A package without releases.
    pub fn new(name: PackageName) -> History<T> {
        History { name, versions: BTreeMap::new(), notices: BTreeMap::new() }
    }

    /// May `version` with this content be published? True where it is published already. `in_order`: it must be above all
    /// others of its line; not so for what was admitted before and is read again in any order.
    pub fn check(&self, version: Version, content: Digest, in_order: bool) -> Result<bool, VersionRefusal> {
        let package = || self.name.clone();
        if let Some(present) = self.versions.get(&version) {
            return match present.content == content {
                true => Ok(true),
                false => Err(VersionRefusal::Taken { package: package(), version, published: present.content, new: content }),
            };
        }
        let line = version.line();
        let highest = self.versions.keys().rev().find(|other| other.line() == line);
        if let Some(in_the_way) = highest.copied().filter(|highest| in_order && *highest > version) {
            return Err(VersionRefusal::NotAbove { package: package(), version, in_the_way, line });
        }
        match self.versions.len() < RELEASES_MAX {
            true => Ok(false),
            false => Err(VersionRefusal::Full(package())),
        }
    }

    /// Add what [`History::check`] found good.
    pub fn add(&mut self, version: Version, released: Released<T>) {
        self.versions.insert(version, released);
    }

    /// Does a notice that [`check_notice`] found good fit to the others? True where it is known already.
    pub fn check_notice(&self, notice: &Signed<Notice>) -> Result<bool, NoticeRefusal> {
        let seq = notice.body.seq;
        if let Some(present) = self.notices.get(&seq) {
            return match present.digest() == notice.digest() {
                true => Ok(true),
                false => Err(NoticeRefusal::Fork {
                    package: self.name.clone(),
                    seq,
                    first: present.bytes().to_vec(),
                    second: notice.bytes().to_vec(),
                }),
            };
        }
        if self.notices.len() >= NOTICES_MAX {
            return Err(NoticeRefusal::Full(self.name.clone()));
        }
        Ok(false)
    }

    /// Take a notice that [`check_notice`] found good; true where it is known already.
    pub fn admit_notice(&mut self, notice: Signed<Notice>) -> Result<bool, NoticeRefusal> {
        let known = self.check_notice(&notice)?;
        if !known {
            self.notices.insert(notice.body.seq, notice);
        }
        Ok(known)
    }

    /// The package.
    pub fn name(&self) -> &PackageName {
        &self.name
    }

    /// One release.
    pub fn get(&self, version: Version) -> Option<&Released<T>> {
        self.versions.get(&version)
    }

    /// All releases with what the notices say, newest first.
    pub fn versions(&self) -> impl Iterator<Item = (Version, &Released<T>, State)> {
        self.versions.iter().rev().map(|(version, released)| (*version, released, self.state(*version)))
    }

    /// The notices, first to last.
    pub fn notices(&self) -> impl Iterator<Item = &Signed<Notice>> {
        self.notices.values()
    }

    /// The number that the next notice must have.
    pub fn next_notice(&self) -> u64 {
        self.notices.keys().next_back().map_or(0, |last| last + 1)
    }

    /// What the notices say about a version.
    pub fn state(&self, version: Version) -> State {
        let exact = format!("{}@{version}", self.name);
        let about = |notice: &&Signed<Notice>| notice.body.about == exact || notice.body.about == self.name.as_str();
        let mut state = State::default();
        for notice in self.notices.values().filter(about) {
            match &notice.body.says {
                Says::Yanked { reason } => state.yanked = Some(reason.clone()),
                Says::Deprecated { message, successor } => {
                    let successor = successor.as_ref().and_then(|name| name.parse().ok());
                    state.deprecated = Some(Deprecation { message: message.clone(), successor });
                }
                Says::Restored => state = State::default(),
            }
        }
        state
    }

    /// The version that `range` resolves to: the highest that is not yanked, or exactly the one named.
    pub fn resolve(&self, range: Range) -> Result<Version, ResolveError> {
        if let Range::Exact(version) = range
            && self.versions.contains_key(&version)
        {
            return Ok(version);
        }
        let wish = || Wish { package: self.name.clone(), range }.to_string();
        let mut reason = None;
        for (version, _, state) in self.versions().filter(|(version, ..)| range.holds(*version)) {
            match state.yanked {
                None => return Ok(version),
                Some(yanked) => reason = reason.or(Some(yanked)),
            }
        }
        Err(match reason {
            Some(reason) => ResolveError::Yanked { wish: wish(), reason },
            None => ResolveError::NoVersion { wish: wish(), versions: Versions(self.versions.keys().rev().copied().collect()) },
        })
    }
}

#[cfg(test)]
mod tests;
