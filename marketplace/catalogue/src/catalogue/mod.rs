//! The catalogue: what follows from all name records, releases and notices together. It holds no files and stores nothing;
//! whoever keeps the statements rebuilds it by admitting them again, in any order.
//!
//! What comes before its predecessor waits, and the answer says what is missing. What comes again changes nothing.

mod lookup;
mod waiting;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use hansa_economy::{Digest, PublicKey, Signed, StatementError};

use crate::manifest::Manifest;
use crate::names::{NameChain, NameRecord, NameRefusal};
use crate::package::{FileEntry, Files, Interface, Release, ReleaseError};
use crate::releases::{History, Notice, NoticeRefusal, Released, VersionRefusal, check_notice};
use crate::semver::{Break, Interfaces};
use crate::version::{PackageName, Version};
pub use lookup::{Alternative, Seller};
pub use waiting::Item;
use waiting::Waiting;

/// Where a statement comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Its author, now: it must fit to what holds now.
    New,
    /// A store of what was admitted before, in any order: who owned the name once could sign, versions may come in any order,
    /// and what breaks buyers is kept, but not listed as a seller.
    Stored,
}

/// What would become of a statement, or where it has gone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is new, and fits.
    New,
    /// It is in already.
    Known,
    /// It waits for something else.
    Waiting(Missing),
}

/// What became of a statement.
#[derive(Debug)]
pub enum Admission {
    /// It is in, and so is what waited for it.
    New(Changes),
    /// It was in already.
    Known,
    /// It waits for something else; admit that, and it follows by itself.
    Waiting(Missing),
}

/// What an admission has changed.
#[derive(Debug, Default)]
pub struct Changes {
    /// Packages whose releases or notices changed: what a search index has to read again.
    pub packages: BTreeSet<PackageName>,
    /// What waited for this and is refused now, with its digest.
    pub refused: Vec<(Digest, AdmitError)>,
}

/// What a statement waits for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Missing {
    /// The claim of a publisher's name.
    #[error("nobody has claimed the publisher's name `{0}`; its first record is needed")]
    Name(String),
    /// A record of a name's chain.
    #[error("the record {record} of the publisher's name `{name}` is needed first")]
    NameRecord {
        /// The name.
        name: String,
        /// The record's digest.
        record: Digest,
    },
    /// A record by which the name passes to the signer, who has never owned it so far.
    #[error("`{name}` has never belonged to {signer} so far; the record by which it passed to that key is needed first")]
    Owner {
        /// The name.
        name: String,
        /// Who signed.
        signer: PublicKey,
    },
    /// A release that a notice is about; without a version, any of the package.
    #[error("a release of `{package}`{} is needed first", as_version(*version))]
    Release {
        /// The package.
        package: PackageName,
        /// The version.
        version: Option<Version>,
    },
}

fn as_version(version: Option<Version>) -> String {
    version.map_or_else(String::new, |version| format!(" as version {version}"))
}

/// Why a statement is refused.
#[derive(Debug, thiserror::Error)]
pub enum AdmitError {
    /// Not a valid statement.
    #[error(transparent)]
    Statement(#[from] StatementError),
    /// A record that does not continue its chain.
    #[error(transparent)]
    Name(#[from] NameRefusal),
    /// Parts that make no release.
    #[error(transparent)]
    Release(#[from] ReleaseError),
    /// A version that cannot follow.
    #[error(transparent)]
    Version(#[from] VersionRefusal),
    /// A contract that would break buyers.
    #[error(transparent)]
    Break(#[from] Break),
    /// A notice.
    #[error(transparent)]
    Notice(#[from] NoticeRefusal),
    /// Signed by somebody who does not own the name.
    #[error(
        "`{name}` belongs to {owner}, the statement is signed by {signer}; \
         sign it with the owner's key, or choose a name of your own"
    )]
    NotOwner {
        /// The publisher's name.
        name: String,
        /// Its owner under the record that the statement names.
        owner: PublicKey,
        /// Who signed.
        signer: PublicKey,
    },
    /// Signed by a former owner, and not admitted before the name passed on.
    #[error("`{name}` passed from {signer} to {owner}; only what was admitted before stays: ask the new owner to sign")]
    PassedOn {
        /// The publisher's name.
        name: String,
        /// Its owner now.
        owner: PublicKey,
        /// Who signed, a former owner.
        signer: PublicKey,
    },
}

/// A release as the catalogue keeps it.
#[derive(Clone, Debug)]
pub struct Entry {
    /// `publisher/name@version`.
    pub package: Arc<str>,
    /// Digest of the publisher's statement.
    pub statement: Digest,
    /// Digest of the component.
    pub component: Digest,
    /// Bytes of the component.
    pub component_bytes: u64,
    /// README, licence and WIT text, by digest.
    pub files: Vec<FileEntry>,
    /// What `agent.toml` says.
    pub manifest: Arc<Manifest>,
    /// The interfaces that it sells, shared with all releases that sell the same.
    pub services: Vec<Arc<Interface>>,
    /// Names of the services that it imports, to buy.
    pub buys: Vec<String>,
    /// When the publisher signed it, Unix milliseconds by its own clock.
    pub published_ms: u64,
}

/// The fold over all statements.
#[derive(Debug, Default)]
pub struct Catalogue {
    names: BTreeMap<String, NameChain>,
    packages: BTreeMap<PackageName, History<Entry>>,
    interfaces: Interfaces,
    /// Statements and components by digest: the package and version that they belong to.
    digests: BTreeMap<Digest, Vec<(PackageName, Version)>>,
    waiting: Waiting,
}

impl Catalogue {
    /// An empty catalogue.
    pub fn new() -> Catalogue {
        Catalogue::default()
    }

    /// Take a record of a publisher's name, as signed bytes.
    pub fn admit_name(&mut self, record: &[u8]) -> Result<Admission, AdmitError> {
        self.admit(Item::name(record)?)
    }

    /// Take a release: its statement as signed bytes, its component and its files. All is verified here.
    pub fn admit_release(
        &mut self,
        statement: &[u8],
        component: Vec<u8>,
        files: Files,
        origin: Origin,
    ) -> Result<Admission, AdmitError> {
        let (release, _) = Release::open(statement, component, files)?;
        self.admit_opened(release, origin)
    }

    /// Take a release that [`Release::open`] has verified.
    pub fn admit_opened(&mut self, release: Release, origin: Origin) -> Result<Admission, AdmitError> {
        self.admit(Item::release(release, origin))
    }

    /// Take a notice, as signed bytes.
    pub fn admit_notice(&mut self, notice: &[u8], origin: Origin) -> Result<Admission, AdmitError> {
        self.admit(Item::notice(notice, origin)?)
    }

    /// How many statements wait, and for what, the oldest first.
    pub fn waiting(&self) -> impl Iterator<Item = (Digest, &Missing)> {
        self.waiting.all()
    }

    /// What would become of `item` now; nothing is changed.
    pub fn judge(&self, item: &Item) -> Result<Verdict, AdmitError> {
        match item {
            Item::Name(record) => named(match self.names.get(&record.body.name) {
                Some(chain) => chain.clone().push(record.clone()),
                None => NameChain::begin(record.clone()).map(drop),
            }),
            Item::Release(release, origin) => self.judge_release(release, *origin),
            Item::Notice(notice, origin) => self.judge_notice(notice, *origin).map(|(verdict, _)| verdict),
        }
    }

    /// Take a statement.
    pub fn admit(&mut self, item: Item) -> Result<Admission, AdmitError> {
        let mut changes = Changes::default();
        match self.place(&item, &mut changes)? {
            Verdict::Known => return Ok(Admission::Known),
            Verdict::Waiting(missing) => {
                self.waiting.add(item, missing.clone());
                return Ok(Admission::Waiting(missing));
            }
            Verdict::New => {}
        }
        self.place_waiting(&mut changes);
        Ok(Admission::New(changes))
    }

    /// Place what waited, as long as something of it finds its place. Name records come first: who owns a name now decides
    /// about the rest.
    fn place_waiting(&mut self, changes: &mut Changes) {
        loop {
            let mut waiting = std::mem::take(&mut self.waiting);
            let mut ready = waiting.take(|item, missing| matches!(item, Item::Name(_)) && self.has(missing));
            if ready.is_empty() {
                ready = waiting.take(|_, missing| self.has(missing));
            }
            self.waiting = waiting;
            if ready.is_empty() {
                return;
            }
            for item in ready {
                match self.place(&item, changes) {
                    Ok(Verdict::Waiting(missing)) => self.waiting.add(item, missing),
                    Ok(_) => {}
                    Err(refusal) => changes.refused.push((item.digest(), refusal)),
                }
            }
        }
    }

    fn has(&self, missing: &Missing) -> bool {
        match missing {
            Missing::Name(name) => self.names.contains_key(name),
            Missing::NameRecord { name, record } => {
                self.names.get(name).is_some_and(|chain| chain.state_after(*record).is_some())
            }
            Missing::Owner { name, signer } => self.names.get(name).is_some_and(|chain| chain.was_owned_by(*signer)),
            Missing::Release { package, version } => self.packages.get(package).is_some_and(|history| match version {
                Some(version) => history.get(*version).is_some(),
                None => true,
            }),
        }
    }

    fn place(&mut self, item: &Item, changes: &mut Changes) -> Result<Verdict, AdmitError> {
        match item {
            Item::Name(record) => self.place_name(record),
            Item::Release(release, origin) => self.place_release(release, *origin, changes),
            Item::Notice(notice, origin) => self.place_notice(notice, *origin, changes),
        }
    }

    fn place_name(&mut self, record: &Signed<NameRecord>) -> Result<Verdict, AdmitError> {
        let name = record.body.name.clone();
        named(match self.names.get_mut(&name) {
            Some(chain) => chain.push(record.clone()),
            None => NameChain::begin(record.clone()).map(|chain| drop(self.names.insert(name, chain))),
        })
    }

    fn place_release(&mut self, release: &Release, origin: Origin, changes: &mut Changes) -> Result<Verdict, AdmitError> {
        let verdict = self.judge_release(release, origin)?;
        if verdict == Verdict::New {
            self.add(release, release.content());
            changes.packages.insert(release.name.clone());
        }
        Ok(verdict)
    }

    fn judge_release(&self, release: &Release, origin: Origin) -> Result<Verdict, AdmitError> {
        let history = self.packages.get(&release.name);
        let content = release.content();
        let known = history.map_or(Ok(false), |history| history.check(release.version, content, origin == Origin::New));
        if let Ok(true) = known {
            return Ok(Verdict::Known);
        }
        let publisher = release.name.publisher();
        if let Some(missing) = self.entitled(publisher, release.signer(), release.statement.body.name_record, origin)? {
            return Ok(Verdict::Waiting(missing));
        }
        known?;
        for interface in release.contract.services().filter(|_| origin == Origin::New) {
            self.interfaces.check(publisher, interface)?;
        }
        Ok(Verdict::New)
    }

    fn add(&mut self, release: &Release, content: Digest) {
        let body = &release.statement.body;
        let package: Arc<str> = release.package().into();
        let add = |interface: &Interface| self.interfaces.add(release.name.publisher(), &package, interface);
        let services = release.contract.services().map(add).collect();
        let entry = Entry {
            statement: release.statement.digest(),
            component: body.component,
            component_bytes: body.component_bytes.unwrap_or_default(),
            files: release.files.entries(),
            manifest: Arc::new(release.manifest.clone()),
            services,
            buys: lookup::bought(&release.contract),
            published_ms: release.published_ms,
            package,
        };
        for digest in [entry.statement, entry.component] {
            self.digests.entry(digest).or_default().push((release.name.clone(), release.version));
        }
        let history = self.packages.entry(release.name.clone()).or_insert_with(|| History::new(release.name.clone()));
        history.add(release.version, Released { content, signer: release.signer(), entry });
    }

    fn place_notice(&mut self, notice: &Signed<Notice>, origin: Origin, changes: &mut Changes) -> Result<Verdict, AdmitError> {
        let (verdict, package) = self.judge_notice(notice, origin)?;
        if verdict == Verdict::New
            && let Some(history) = self.packages.get_mut(&package)
        {
            history.admit_notice(notice.clone())?;
            changes.packages.insert(package);
        }
        Ok(verdict)
    }

    fn judge_notice(&self, notice: &Signed<Notice>, origin: Origin) -> Result<(Verdict, PackageName), AdmitError> {
        let (package, version) = check_notice(&notice.body)?;
        let signer = notice.signer;
        let is_known = |history: &History<Entry>| history.notices().any(|known| known.digest() == notice.digest());
        if self.packages.get(&package).is_some_and(is_known) {
            return Ok((Verdict::Known, package));
        }
        if let Some(missing) = self.entitled(package.publisher(), signer, notice.body.name_record, origin)? {
            return Ok((Verdict::Waiting(missing), package));
        }
        let history = self.packages.get(&package).filter(|history| match version {
            Some(version) => history.get(version).is_some(),
            None => true,
        });
        match history {
            Some(history) => history.check_notice(notice).map(|_| (Verdict::New, package)).map_err(AdmitError::from),
            None => Ok((Verdict::Waiting(Missing::Release { package: package.clone(), version }), package)),
        }
    }

    /// May `signer` speak for `publisher`, under the name record `under`? What is missing to tell.
    fn entitled(
        &self,
        publisher: &str,
        signer: PublicKey,
        under: Option<Digest>,
        origin: Origin,
    ) -> Result<Option<Missing>, AdmitError> {
        let name = publisher.to_owned();
        let Some(chain) = self.names.get(publisher) else { return Ok(Some(Missing::Name(name))) };
        let owner = chain.state().owner;
        if let Some(record) = under {
            let Some(state) = chain.state_after(record) else {
                return Ok(Some(Missing::NameRecord { name, record }));
            };
            if state.owner != signer {
                return Err(AdmitError::NotOwner { name, owner: state.owner, signer });
            }
        }
        match (owner == signer, chain.was_owned_by(signer), origin) {
            (true, ..) | (_, true, Origin::Stored) => Ok(None),
            (_, true, Origin::New) => Err(AdmitError::PassedOn { name, owner, signer }),
            (_, false, Origin::Stored) => Ok(Some(Missing::Owner { name, signer })),
            (_, false, Origin::New) => Err(AdmitError::NotOwner { name, owner, signer }),
        }
    }
}

/// What it means that a record did or did not continue its chain.
fn named(pushed: Result<(), NameRefusal>) -> Result<Verdict, AdmitError> {
    match pushed {
        Ok(()) => Ok(Verdict::New),
        Err(NameRefusal::Replay { .. }) => Ok(Verdict::Known),
        Err(NameRefusal::Missing { name, missing, .. }) => Ok(Verdict::Waiting(Missing::NameRecord { name, record: missing })),
        Err(refusal) => Err(refusal.into()),
    }
}

#[cfg(test)]
mod tests;
