//! The journals of runs on the bus: entries of any size, read, and written one after another by whoever has the run.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use hansa_bus::{AppendError, Histories, Objects};
use hansa_economy::Digest;
use hansa_workflow::run::{Change, Entry, EntryError, Lost, VERSION};
use serde::{Deserialize, Serialize};
use tokio::sync::{Notify, oneshot};

use crate::ambient;

/// Bytes of one entry of many changes; a single larger change has an entry of its own.
const BATCH_BYTES: usize = 256 * 1024;
/// Room in a message besides the entry.
const HEADERS_BYTES: usize = 1_024;
/// How long is waited before an entry is written again.
const PAUSE: Duration = Duration::from_millis(250);
/// Bytes of one entry, whatever the bus takes in a message.
const ENTRY_BYTES_MAX: usize = 256 * 1024 * 1024;

/// The journals of a business. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Journals {
    histories: Histories,
    /// Entries that no message can carry, by their digest.
    large: Objects,
    message_max: usize,
}

/// An entry with its place.
pub(crate) struct Placed {
    pub(crate) position: u64,
    pub(crate) entry: Entry,
}

/// Why a journal cannot be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum JournalFault {
    #[error(transparent)]
    Entry(#[from] EntryError),
    #[error("the run's journal cannot be read now: {0}")]
    Bus(String),
}

/// Stands in the journal for an entry that is too large for it.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Elsewhere {
    version: u32,
    stored: String,
}

impl Journals {
    pub(crate) fn new(histories: Histories, large: Objects, max_payload: usize) -> Journals {
        Journals { histories, large, message_max: max_payload.saturating_sub(HEADERS_BYTES) }
    }

    /// Entries after a position, as of now.
    pub(crate) async fn read(&self, run: &str, after: u64) -> Result<Vec<Placed>, JournalFault> {
        let found = self.histories.read(run, after + 1).await.map_err(|error| JournalFault::Bus(error.to_string()))?;
        let mut entries = Vec::with_capacity(found.len());
        for found in found {
            let entry = self.entry(&found.entry).await?;
            entries.push(Placed { position: found.position, entry });
        }
        Ok(entries)
    }

    async fn entry(&self, bytes: &[u8]) -> Result<Entry, JournalFault> {
        let Ok(elsewhere) = serde_json::from_slice::<Elsewhere>(bytes) else { return Ok(Entry::read(bytes)?) };
        let stored =
            self.large.get(&elsewhere.stored, ENTRY_BYTES_MAX).await.map_err(|error| JournalFault::Bus(error.to_string()))?;
        let stored = stored.filter(|stored| Digest::of(stored).to_string() == elsewhere.stored);
        let stored = stored.ok_or_else(|| JournalFault::Bus(format!("the stored entry {} is not there", elsewhere.stored)))?;
        Ok(Entry::read(&stored)?)
    }

    /// Write an entry after `after`; tried until it is known whether it stands there. Gives its position.
    pub(crate) async fn append(&self, run: &str, after: u64, entry: &Entry) -> Result<u64, Lost> {
        loop {
            let bytes = match self.fitting(entry).await {
                Ok(bytes) => bytes,
                Err(error) => {
                    tracing::warn!(run, error, "a large entry of a run's journal is stored again");
                    tokio::time::sleep(PAUSE).await;
                    continue;
                }
            };
            match self.histories.append(run, after, &entry.id, bytes).await {
                Ok(position) => return Ok(position),
                Err(AppendError::Behind { .. }) => return Err(Lost),
                Err(error) => tracing::warn!(run, %error, "a run's journal is written again"),
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    async fn fitting(&self, entry: &Entry) -> Result<Bytes, String> {
        let bytes = entry.bytes();
        if bytes.len() <= self.message_max {
            return Ok(bytes.into());
        }
        let stored = Digest::of(&bytes).to_string();
        self.large.put(&stored, &bytes).await.map_err(|error| error.to_string())?;
        Ok(serde_json::to_vec(&Elsewhere { version: VERSION, stored }).expect("plain data").into())
    }
}

/// Writes what happens in one run. What many branches note at the same time goes into one entry.
#[derive(Clone)]
pub(crate) struct Recorder {
    queue: Arc<Queue>,
}

struct Queue {
    waiting: Mutex<VecDeque<Waiting>>,
    came: Notify,
}

type Teller = oneshot::Sender<Result<(), Lost>>;
type Waiting = (Change, Option<Teller>);
type Batch = (Vec<Change>, Vec<Teller>);

/// Whoever does not wait any more is not told.
fn tell(told: Vec<Teller>, outcome: Result<(), Lost>) {
    for told in told {
        let _ = told.send(outcome);
    }
}

impl Recorder {
    /// A recorder that goes on after `position`, and the work of writing, which ends when the run is lost. `seen` sees each entry that was written.
    pub(crate) fn begin(
        journals: Journals,
        run: &str,
        engine: &str,
        position: u64,
        seen: impl Fn(&Entry) + Send + Sync + 'static,
    ) -> (Recorder, impl Future<Output = Lost> + Send + 'static) {
        let queue = Arc::new(Queue { waiting: Mutex::default(), came: Notify::new() });
        let recorder = Recorder { queue: queue.clone() };
        let (run, engine) = (run.to_owned(), engine.to_owned());
        let write = async move {
            let mut position = position;
            loop {
                let (changes, told) = queue.next().await;
                let id = hansa_economy::digest::hex(&ambient::random::<16>());
                let entry = Entry { version: VERSION, id, at_ms: ambient::now_ms(), engine: engine.clone(), changes };
                match journals.append(&run, position, &entry).await {
                    Ok(written) => position = written,
                    Err(lost) => {
                        tell(told, Err(lost));
                        return lost;
                    }
                }
                seen(&entry);
                tell(told, Ok(()));
            }
        };
        (recorder, write)
    }

    /// Write, and return when it is kept.
    pub(crate) async fn record(&self, change: Change) -> Result<(), Lost> {
        let (told, written) = oneshot::channel();
        self.queue.push((change, Some(told)));
        written.await.unwrap_or(Err(Lost))
    }

    /// Write, without waiting.
    pub(crate) fn note(&self, change: Change) {
        self.queue.push((change, None));
    }
}

impl Queue {
    fn push(&self, waiting: Waiting) {
        self.waiting.lock().expect("no panic while the queue is locked").push_back(waiting);
        self.came.notify_one();
    }

    /// All that waits, as far as it fits into one entry.
    async fn next(&self) -> Batch {
        loop {
            if let Some(batch) = self.batch() {
                return batch;
            }
            self.came.notified().await;
        }
    }

    fn batch(&self) -> Option<Batch> {
        let mut waiting = self.waiting.lock().expect("no panic while the queue is locked");
        let (mut changes, mut told, mut bytes) = (Vec::new(), Vec::new(), 0);
        while let Some((change, _)) = waiting.front() {
            bytes += size(change);
            if bytes > BATCH_BYTES && !changes.is_empty() {
                break;
            }
            let (change, teller) = waiting.pop_front().expect("it was looked at");
            changes.push(change);
            told.extend(teller);
        }
        (!changes.is_empty()).then_some((changes, told))
    }
}

/// About how many bytes a change takes: those that carry values are measured.
fn size(change: &Change) -> usize {
    match change {
        Change::Answered(_) | Change::Given { .. } | Change::Started(_) | Change::Signalled { .. } | Change::Nested { .. } => {
            serde_json::to_vec(change).map_or(0, |bytes| bytes.len())
        }
        _ => 512,
    }
}
