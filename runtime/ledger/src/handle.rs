//! The handle: create or open a ledger, submit to it, let it go.

use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;

use hansa_economy::Digest;
use hansa_economy::ledger::{CommandId, CommandResult, State, Verified};
use serde::Serialize;
use tokio::sync::{Semaphore, mpsc, oneshot};

use crate::commit::Committer;
use crate::error::{OpenError, SubmitError};
use crate::limits::{CACHE_BYTES, QUEUE_LEN, SNAPSHOT_LOG_BYTES};
use crate::pressure::Pressure;
use crate::store::{FILE_NAME, Store, io_error};
use crate::writer::{Request, Writer};

/// Tells the time, Unix nanoseconds. Log time follows it and never goes back.
pub type Clock = Arc<dyn Fn() -> u64 + Send + Sync>;

/// How a ledger runs.
#[derive(Clone)]
pub struct LedgerOptions {
    /// The clock that log time follows.
    pub clock: Clock,
    /// Commands that may wait; more are refused with a time to try again.
    pub queue_len: usize,
    /// Bytes of the page cache.
    pub cache_bytes: usize,
    /// Open only this ledger.
    pub expect: Option<Digest>,
}

/// What a command came to, durable when it is given.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Outcome {
    /// The command.
    pub id: CommandId,
    /// The entry of the log that holds it; none where it was refused before the log.
    pub seq: Option<u64>,
    /// The entry's time, Unix nanoseconds; zero where there is none.
    pub timestamp_ns: u64,
    /// What it came to.
    pub result: CommandResult,
    /// The same bytes were submitted before: this is the outcome of then.
    pub repeated: bool,
}

/// A running ledger. Clones are handles to the same one; it stops when the last is dropped, which waits for the commit that
/// is under way.
#[derive(Clone)]
pub struct Ledger {
    inner: Arc<Inner>,
}

struct Inner {
    id: Digest,
    store: Arc<Store>,
    queue: Option<mpsc::Sender<Request>>,
    verifying: Semaphore,
    pressure: Arc<Pressure>,
    queue_len: usize,
    writer: Option<JoinHandle<()>>,
}

impl LedgerOptions {
    /// The usual bounds, with this clock.
    pub fn new(clock: Clock) -> LedgerOptions {
        LedgerOptions { clock, queue_len: QUEUE_LEN, cache_bytes: CACHE_BYTES, expect: None }
    }
}

impl Ledger {
    /// Is there a ledger in `folder`?
    pub fn exists(folder: &Path) -> bool {
        folder.join(FILE_NAME).exists()
    }

    /// Create a ledger in `folder` (made if it is not there) by a signed `genesis` command, and open it.
    pub fn create(folder: &Path, genesis: &[u8], options: LedgerOptions) -> Result<Ledger, OpenError> {
        let path = folder.join(FILE_NAME);
        if path.exists() {
            return Err(OpenError::Exists(folder.to_owned()));
        }
        let (mut state, appended) = State::found(&Verified::open(genesis)?, (options.clock)())?;
        // Whole or not at all: it gets its name when it is complete.
        let unfinished = folder.join(format!("{FILE_NAME}.new"));
        std::fs::create_dir_all(folder).map_err(|error| io_error(folder, &error))?;
        if unfinished.exists() {
            std::fs::remove_file(&unfinished).map_err(|error| io_error(&unfinished, &error))?;
        }
        Store::create(&unfinished, &mut state, &appended)?;
        std::fs::rename(&unfinished, &path).map_err(|error| io_error(&path, &error))?;
        std::fs::File::open(folder).and_then(|folder| folder.sync_all()).map_err(|error| io_error(folder, &error))?;
        Ledger::open(folder, options)
    }

    /// Open the ledger in `folder`.
    pub fn open(folder: &Path, options: LedgerOptions) -> Result<Ledger, OpenError> {
        let store = Store::open(folder.join(FILE_NAME), options.cache_bytes)?;
        Ledger::start(store, options)
    }

    pub(crate) fn start(store: Store, options: LedgerOptions) -> Result<Ledger, OpenError> {
        let store = Arc::new(store);
        let pressure = Arc::new(Pressure::default());
        let writer = Writer::load(store.clone(), options.clock, pressure.clone(), SNAPSHOT_LOG_BYTES)?;
        let id = writer.state().head().ledger;
        if let Some(expected) = options.expect.filter(|expected| *expected != id) {
            return Err(OpenError::OtherLedger { path: store.path().to_owned(), found: id, expected });
        }
        let queue_len = options.queue_len.max(1);
        let (queue, requests) = mpsc::channel(queue_len);
        let committer = Committer::start(store.clone(), pressure.clone()).map_err(|error| io_error(store.path(), &error))?;
        let thread = std::thread::Builder::new().name("ledger-writer".into()).spawn(move || writer.run(committer, requests));
        let writer = Some(thread.map_err(|error| io_error(store.path(), &error))?);
        let verifying = Semaphore::new(std::thread::available_parallelism().map_or(1, usize::from));
        Ok(Ledger { inner: Arc::new(Inner { id, store, queue: Some(queue), verifying, pressure, queue_len, writer }) })
    }

    /// The ledger's id: the hash of its first entry.
    pub fn id(&self) -> Digest {
        self.inner.id
    }

    pub(crate) fn store(&self) -> &Store {
        &self.inner.store
    }

    /// Submit the exact bytes of a `Signed<SignedCommand>`; the outcome is durable when it comes. Submitting the same bytes
    /// again is always safe and gives the same outcome. Needs a tokio runtime. If the future is dropped, the command may
    /// still be applied.
    pub async fn submit(&self, command: Vec<u8>) -> Result<Outcome, SubmitError> {
        let place = self.place()?;
        let command = self.verify(command).await?;
        answered(place, command).await
    }

    /// [`Ledger::submit`] for a command whose signatures the caller has checked, with [`Verified::open`].
    pub async fn submit_verified(&self, command: Verified) -> Result<Outcome, SubmitError> {
        answered(self.place()?, command).await
    }

    /// A place in the queue, or a refusal at once.
    fn place(&self) -> Result<mpsc::Permit<'_, Request>, SubmitError> {
        self.inner.pressure.check_room()?;
        let queue = self.inner.queue.as_ref().expect("the queue is taken away only when the last handle is dropped");
        queue.try_reserve().map_err(|error| match error {
            mpsc::error::TrySendError::Full(()) => self.inner.pressure.overloaded(self.inner.queue_len),
            mpsc::error::TrySendError::Closed(()) => stopped(),
        })
    }

    /// Signatures are checked beside the async threads, on as many threads as there are cores.
    async fn verify(&self, command: Vec<u8>) -> Result<Verified, SubmitError> {
        let _turn = self.inner.verifying.acquire().await.map_err(|_| stopped())?;
        let verified = tokio::task::spawn_blocking(move || Verified::open(&command)).await;
        Ok(verified.map_err(|_| stopped())??)
    }
}

async fn answered(place: mpsc::Permit<'_, Request>, command: Verified) -> Result<Outcome, SubmitError> {
    let (answer, outcome) = oneshot::channel();
    place.send(Request { command, answer });
    let lost = |_| SubmitError::Unknown { reason: "the writer ended".into() };
    outcome.await.map_err(lost)?
}

fn stopped() -> SubmitError {
    SubmitError::Stopped { reason: "its writer has ended; see the log, then open it again".into() }
}

impl Drop for Inner {
    fn drop(&mut self) {
        drop(self.queue.take());
        if let Some(writer) = self.writer.take() {
            // A writer that panicked has already shown why; what it had committed stands.
            let _ = writer.join();
        }
    }
}
