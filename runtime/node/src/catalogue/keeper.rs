//! A node's catalogue: follows the journal, verifies what it names, and answers from memory.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

use hansa_bus::{Bus, Journal, JournalEvent, Objects};
use hansa_catalogue::catalogue::{Admission, AdmitError, Catalogue, Changes, Item, Origin, Verdict};
use hansa_catalogue::search::Document;
use hansa_catalogue::version::{PackageName, Wish};
use hansa_catalogue::{Blobs, Package, Release, Search};
use hansa_economy::digest::hex;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::parts::{self, PartsError};
use super::views::{NameView, PackageView, ResultsView, SellerView};
use super::wire::{Answer, Question, Submission, Wanted};
use super::{JOURNAL, PACKAGES};
use crate::ambient;
use crate::node::NodeError;

/// How often a release whose parts are not in the store is looked for before the journal is read on without it.
const TRIES: u32 = 4;
/// Pause between two such looks.
const PAUSE: Duration = Duration::from_millis(500);
/// Pause before releases without parts are looked for again.
const LATER: Duration = Duration::from_secs(30);
/// How long a statement may take from the journal into the catalogue.
const ADMISSION: Duration = Duration::from_secs(20);
/// Refusals of statements in the journal that are remembered for whoever handed them in.
const REFUSALS_MAX: usize = 1024;
/// Packages that are put into the index at once while the journal is read for the first time.
const INDEXED_AT_ONCE: usize = 1000;
/// Releases whose parts are looked for later, at most.
const ABSENT_MAX: usize = 1024;

/// The catalogue of a node. Cheap to clone.
#[derive(Clone)]
pub struct Keeper {
    inner: Arc<Inner>,
}

struct Inner {
    journal: Journal,
    objects: Objects,
    blobs: Blobs,
    known: RwLock<Known>,
    /// How far the journal has been read.
    read: watch::Sender<u64>,
    /// Was all read that was there?
    caught_up: watch::Sender<bool>,
    /// Why statements of the journal were not admitted, by their place.
    refusals: Mutex<BTreeMap<u64, String>>,
}

struct Known {
    catalogue: Catalogue,
    search: Search,
    /// Packages that changed and are not in the index as they are now.
    unindexed: BTreeSet<PackageName>,
}

impl Known {
    fn empty() -> Result<Known, NodeError> {
        let search = Search::new().map_err(|error| NodeError(error.to_string()))?;
        Ok(Known { catalogue: Catalogue::new(), search, unindexed: BTreeSet::new() })
    }
}

impl Keeper {
    /// Open the catalogue of the bus; its reader runs until the task is aborted.
    pub(crate) async fn open(bus: &Bus, blobs: Blobs) -> Result<(Keeper, JoinHandle<()>), NodeError> {
        let failed = |error: &dyn std::fmt::Display| NodeError(format!("the catalogue cannot be used: {error}"));
        let journal = bus.journal(JOURNAL).await.map_err(|error| failed(&error))?;
        let objects = bus.objects(PACKAGES).map_err(|error| failed(&error))?;
        let known = RwLock::new(Known::empty()?);
        let (read, caught_up, refusals) = (watch::Sender::new(0), watch::Sender::new(false), Mutex::default());
        let keeper = Keeper { inner: Arc::new(Inner { journal, objects, blobs, known, read, caught_up, refusals }) };
        let reader = tokio::spawn(keeper.clone().follow());
        Ok((keeper, reader))
    }

    /// Returns when all that was in the journal has been read: before that, answers would leave things out.
    pub(crate) async fn caught_up(&self) {
        let mut caught_up = self.inner.caught_up.subscribe();
        // Fails only when the sender is gone, and `self` holds it.
        let _held = caught_up.wait_for(|caught_up| *caught_up).await;
    }

    /// The object store of components and files.
    pub(crate) fn objects(&self) -> &Objects {
        &self.inner.objects
    }

    /// Check a statement, write it into the journal, and wait until it is in the catalogue. Error: why it is not, and what to do.
    pub(crate) async fn submit(&self, submission: Submission) -> Result<u64, String> {
        let item = self.item(&submission, Origin::New).await.map_err(|error| error.to_string())?;
        match self.known().catalogue.judge(&item).map_err(|error| error.to_string())? {
            // What came again needs no second place, but an answer.
            Verdict::Known => return Ok(0),
            Verdict::Waiting(missing) => return Err(missing.to_string()),
            Verdict::New => {}
        }
        let appended = self.inner.journal.append(&submission.digest().to_string(), submission.encode().into()).await;
        let seq = appended.map_err(|error| error.to_string())?;
        let mut read = self.inner.read.subscribe();
        let reached = tokio::time::timeout(ADMISSION, read.wait_for(|read| *read >= seq)).await;
        if reached.is_err() {
            return Err("it is in the journal, but this node has not read it yet; look again in a moment".into());
        }
        match self.refusals().get(&seq) {
            Some(refusal) => Err(format!("another statement came first: {refusal}")),
            None => Ok(seq),
        }
    }

    /// Answer a question. May take some milliseconds of processor time.
    pub(crate) fn answer(&self, question: Question) -> Answer {
        match question {
            Question::Find(wanted) => self.find(wanted),
            Question::Name { name } => Answer::Name { name: self.known().catalogue.name(&name).map(NameView::of) },
            Question::NameRecords { name } => self.name_records(&name),
            Question::NamesOf { owner } => {
                Answer::Names { names: self.known().catalogue.names_of(owner).map(NameView::of).collect() }
            }
            Question::Package { wish } => self.package(&wish),
            Question::Sellers { interface } => self.sellers(&interface),
        }
    }

    /// The release that a wish resolves to, verified anew, as a package to deploy. Error: there is none, or a part is missing.
    pub(crate) async fn release(&self, wish: &str) -> Result<Package, String> {
        let wish: Wish = wish.parse().map_err(|error: hansa_catalogue::version::NameError| error.to_string())?;
        let statement = {
            let known = self.known();
            let (entry, ..) = known.catalogue.resolve(&wish).map_err(|error| error.to_string())?;
            entry.statement
        };
        let statement = self.inner.blobs.get(statement).map_err(|error| error.to_string())?;
        let release = self.opened(&statement).await.map_err(|error| error.to_string())?;
        let component = self.inner.blobs.get(release.statement.body.component).map_err(|error| error.to_string())?;
        Ok(Package { statement: release.statement, manifest: release.manifest, component })
    }

    fn find(&self, wanted: Wanted) -> Answer {
        let known = self.known();
        let limit = if wanted.limit == 0 { 20 } else { wanted.limit };
        let filter = hansa_catalogue::search::Filter {
            interface: wanted.interface,
            labels: wanted.labels,
            publisher: wanted.publisher,
            keyword: wanted.keyword,
            language: wanted.language,
            price: None,
        };
        let (text, offset, now_ms) = (wanted.text, wanted.offset, ambient::now_ms());
        match known.search.find(&hansa_catalogue::search::Query { text, filter, offset, limit, now_ms }) {
            Ok(results) => Answer::Found(ResultsView::of(&known.catalogue, results)),
            Err(error) => Answer::Nothing { reason: error.to_string() },
        }
    }

    fn name_records(&self, name: &str) -> Answer {
        let known = self.known();
        let records = known.catalogue.name_chain(name).map(|chain| chain.records()).unwrap_or_default();
        Answer::NameRecords { records: records.iter().map(|record| hex(record.bytes())).collect() }
    }

    fn package(&self, wish: &str) -> Answer {
        let wish: Wish = match wish.parse() {
            Ok(wish) => wish,
            Err(error) => return Answer::Nothing { reason: format!("{error}") },
        };
        let known = self.known();
        let found = match known.catalogue.resolve(&wish) {
            Ok(found) => found,
            Err(error) => return Answer::Nothing { reason: error.to_string() },
        };
        match self.inner.blobs.get(found.0.statement) {
            Ok(statement) => Answer::Package(Box::new(PackageView::of(&known.catalogue, found, &wish.package, hex(&statement)))),
            Err(error) => Answer::Nothing { reason: error.to_string() },
        }
    }

    fn sellers(&self, interface: &str) -> Answer {
        let known = self.known();
        let view = |seller: hansa_catalogue::catalogue::Seller<'_>| SellerView {
            package: seller.entry.package.to_string(),
            interface: seller.interface.to_owned(),
            description: seller.entry.manifest.agent.description.clone(),
            deprecated: seller.state.deprecated.as_ref().map(|deprecation| deprecation.message.clone()),
        };
        Answer::Sellers { sellers: known.catalogue.sellers(interface).into_iter().map(view).collect() }
    }

    /// Read the journal for as long as the node runs.
    async fn follow(self) {
        let mut reader = self.inner.journal.follow();
        let mut absent: Vec<(u64, Submission)> = Vec::new();
        loop {
            let event = match absent.is_empty() {
                true => reader.next().await,
                false => match tokio::time::timeout(LATER, reader.next()).await {
                    Ok(event) => event,
                    Err(_) => {
                        absent = self.look_again(std::mem::take(&mut absent)).await;
                        continue;
                    }
                },
            };
            match event {
                JournalEvent::Begin => self.begin(),
                JournalEvent::Entry { seq, entry } => {
                    if let Some(submission) = self.take(seq, &entry).await
                        && absent.len() < ABSENT_MAX
                    {
                        absent.push((seq, submission));
                    }
                    self.inner.read.send_replace(seq);
                }
                JournalEvent::CaughtUp => {
                    self.index();
                    tracing::debug!(packages = self.known().search.len(), "the catalogue is read");
                    self.inner.caught_up.send_replace(true);
                }
            }
        }
    }

    fn begin(&self) {
        match Known::empty() {
            Ok(empty) => *self.known_mut() = empty,
            Err(error) => tracing::error!(%error, "the catalogue cannot begin again"),
        }
        self.refusals().clear();
        self.inner.read.send_replace(0);
    }

    /// Admit an entry of the journal. Given back where its parts cannot be had yet.
    async fn take(&self, seq: u64, entry: &[u8]) -> Option<Submission> {
        let submission: Submission = match minicbor::decode(entry) {
            Ok(submission) => submission,
            Err(error) => {
                self.refuse(seq, format!("not a statement: {error}"));
                return None;
            }
        };
        for tried in 1..=TRIES {
            match self.admit(seq, &submission, Origin::New).await {
                Err(error) if error.may_pass() && tried < TRIES => tokio::time::sleep(PAUSE).await,
                Err(error) => {
                    self.refuse(seq, error.to_string());
                    return error.may_pass().then_some(submission);
                }
                Ok(()) => return None,
            }
        }
        None
    }

    /// Releases whose parts were not there: those that are admitted now are kept as what others had before.
    async fn look_again(&self, absent: Vec<(u64, Submission)>) -> Vec<(u64, Submission)> {
        let mut still = Vec::new();
        for (seq, submission) in absent {
            match self.admit(seq, &submission, Origin::Stored).await {
                Err(error) if error.may_pass() => still.push((seq, submission)),
                _ => {}
            }
        }
        still
    }

    async fn admit(&self, seq: u64, submission: &Submission, origin: Origin) -> Result<(), Unread> {
        let item = self.item(submission, origin).await?;
        self.inner.blobs.put(submission.statement()).map_err(PartsError::from)?;
        let admitted = self.known_mut().catalogue.admit(item);
        match admitted {
            Ok(Admission::New(changes)) => self.changed(changes),
            Ok(Admission::Known) => {}
            Ok(Admission::Waiting(missing)) => self.refuse(seq, missing.to_string()),
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }

    /// Note what changed. While a long journal is read, the index follows in large steps: each one has its price.
    fn changed(&self, changes: Changes) {
        let unindexed = {
            let mut known = self.known_mut();
            known.unindexed.extend(changes.packages);
            known.unindexed.len()
        };
        if unindexed >= INDEXED_AT_ONCE || *self.inner.caught_up.borrow() {
            self.index();
        }
    }

    /// Put the packages that changed into the index again.
    fn index(&self) {
        let mut known = self.known_mut();
        let changed = std::mem::take(&mut known.unindexed);
        let (documents, gone): (Vec<Document>, Vec<PackageName>) = self.documents(&known.catalogue, &changed);
        if let Err(error) = known.search.apply(documents, &gone) {
            tracing::error!(%error, "packages cannot be found until the node starts again");
        }
    }

    fn documents(&self, catalogue: &Catalogue, changed: &BTreeSet<PackageName>) -> (Vec<Document>, Vec<PackageName>) {
        let (mut documents, mut gone) = (Vec::new(), Vec::new());
        for name in changed {
            let Some((entry, version, state)) = catalogue.shown(name) else {
                gone.push(name.clone());
                continue;
            };
            let readme = entry.files.first().and_then(|file| self.inner.blobs.get(file.digest).ok()).unwrap_or_default();
            documents.push(Document::of(name, version, entry, &state, &String::from_utf8_lossy(&readme)));
        }
        (documents, gone)
    }

    async fn item(&self, submission: &Submission, origin: Origin) -> Result<Item, Unread> {
        Ok(match submission {
            Submission::Name(bytes) => Item::name(bytes)?,
            Submission::Notice(bytes) => Item::notice(bytes, origin)?,
            Submission::Release(bytes) => Item::release(self.opened(bytes).await?, origin),
        })
    }

    /// A release with all its parts, verified on another thread.
    async fn opened(&self, statement: &[u8]) -> Result<Release, Unread> {
        let parts = parts::fetch(statement, &self.inner.blobs, &self.inner.objects).await?;
        let statement = statement.to_vec();
        let opened = tokio::task::spawn_blocking(move || Release::open(&statement, parts.component, parts.files)).await;
        let (release, _) = opened.map_err(|error| Unread::Broken(error.to_string()))?.map_err(AdmitError::from)?;
        Ok(release)
    }

    fn refuse(&self, seq: u64, why: String) {
        tracing::debug!(seq, why, "a statement of the journal is not in the catalogue");
        let mut refusals = self.refusals();
        refusals.insert(seq, why);
        while refusals.len() > REFUSALS_MAX {
            refusals.pop_first();
        }
    }

    fn refusals(&self) -> MutexGuard<'_, BTreeMap<u64, String>> {
        self.inner.refusals.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn known(&self) -> RwLockReadGuard<'_, Known> {
        self.inner.known.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn known_mut(&self) -> RwLockWriteGuard<'_, Known> {
        self.inner.known.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Why a statement did not come into the catalogue.
#[derive(Debug, thiserror::Error)]
enum Unread {
    #[error(transparent)]
    Refused(#[from] AdmitError),
    #[error(transparent)]
    Parts(#[from] PartsError),
    #[error("reading it failed: {0}")]
    Broken(String),
}

impl Unread {
    fn may_pass(&self) -> bool {
        matches!(self, Unread::Parts(error) if error.may_pass())
    }
}
