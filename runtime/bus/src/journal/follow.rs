//! Following a journal: every entry once, in its order, through lost connections and restarts of the server.

use async_nats::jetstream;
use async_nats::jetstream::consumer::push::OrderedConfig;
use async_nats::jetstream::consumer::{DeliverPolicy, ReplayPolicy};
use bytes::Bytes;
use futures::StreamExt;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::sleep;

use super::{Journal, JournalError};
use crate::limits::{WATCH_EVENTS_MAX, WATCH_RETRY};

/// What a reader of a journal sees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JournalEvent {
    /// The journal's first entry follows. Comes first, and again only where the server has lost the journal and another one took its
    /// place: what was read before is not in that one.
    Begin,
    /// An entry.
    Entry {
        /// Its place in the order, from 1.
        seq: u64,
        /// The entry.
        entry: Bytes,
    },
    /// All entries that were there have been read; from here on come new ones. Comes again after a lost connection.
    CaughtUp,
}

/// Follows a whole journal. Dropping it ends that.
#[derive(Debug)]
pub struct JournalReader {
    events: mpsc::Receiver<JournalEvent>,
    follower: JoinHandle<()>,
}

impl Drop for JournalReader {
    fn drop(&mut self) {
        self.follower.abort();
    }
}

impl JournalReader {
    pub(super) fn start(journal: Journal) -> Self {
        let (sender, events) = mpsc::channel(WATCH_EVENTS_MAX);
        Self { events, follower: tokio::spawn(follow(journal, sender)) }
    }

    /// The next event; waits for it without end. May be cancelled without loss.
    ///
    /// # Panics
    /// Never: the task behind it lives as long as the reader.
    pub async fn next(&mut self) -> JournalEvent {
        self.events.recv().await.expect("the follower holds its sender until the reader is dropped")
    }
}

/// Why one pass over the journal ended.
enum End {
    /// Go on where it was.
    Again(String),
    /// Nobody reads any more.
    Unread,
}

impl From<mpsc::error::SendError<JournalEvent>> for End {
    fn from(_: mpsc::error::SendError<JournalEvent>) -> Self {
        Self::Unread
    }
}

impl From<JournalError> for End {
    fn from(error: JournalError) -> Self {
        Self::Again(error.to_string())
    }
}

/// How far a reader has come, and in which journal: another one of the same name has another time of creation.
#[derive(Default)]
struct Read {
    created: Option<i128>,
    seq: u64,
}

async fn follow(journal: Journal, events: mpsc::Sender<JournalEvent>) {
    let bus = journal.inner.bus.clone();
    let mut read = Read::default();
    loop {
        bus.connected().await;
        let mut link = bus.link();
        let losses = link.borrow().losses;
        let end = tokio::select! {
            end = pass(&journal, &events, &mut read) => end,
            _lost = link.wait_for(|link| link.losses != losses) => End::Again("connection lost".to_owned()),
        };
        let End::Again(reason) = end else { return };
        tracing::info!(journal = journal.name(), reason, "reading goes on where it was");
        sleep(WATCH_RETRY).await;
    }
}

async fn pass(journal: &Journal, events: &mpsc::Sender<JournalEvent>, read: &mut Read) -> End {
    match try_pass(journal, events, read).await {
        Ok(never) => never,
        Err(end) => end,
    }
}

async fn try_pass(journal: &Journal, events: &mpsc::Sender<JournalEvent>, read: &mut Read) -> Result<End, End> {
    let stream = journal.stream().await?;
    let created = stream.cached_info().created.unix_timestamp_nanos();
    if read.created != Some(created) {
        *read = Read { created: Some(created), seq: 0 };
        events.send(JournalEvent::Begin).await?;
    }
    let config = OrderedConfig {
        deliver_subject: journal.inner.bus.client().new_inbox(),
        description: Some("hansa journal".to_owned()),
        replay_policy: ReplayPolicy::Instant,
        deliver_policy: DeliverPolicy::ByStartSequence { start_sequence: read.seq + 1 },
        ..OrderedConfig::default()
    };
    let consumer = journal.in_time(stream.create_consumer(config)).await?;
    let mut caught_up = consumer.cached_info().num_pending == 0;
    let mut messages = journal.in_time(consumer.messages()).await?;
    if caught_up {
        events.send(JournalEvent::CaughtUp).await?;
    }
    loop {
        let message = match messages.next().await {
            Some(message) => message.map_err(|error| End::Again(error.to_string()))?,
            None => return Err(End::Again("consumer ended".to_owned())),
        };
        let pending = take(&message, events, read).await?;
        if !caught_up && pending == 0 {
            caught_up = true;
            events.send(JournalEvent::CaughtUp).await?;
        }
    }
}

/// Gives an entry to the reader; how many are still to come.
async fn take(message: &jetstream::Message, events: &mpsc::Sender<JournalEvent>, read: &mut Read) -> Result<u64, End> {
    let info = message.info().map_err(|error| End::Again(error.to_string()))?;
    let (seq, pending) = (info.stream_sequence, info.pending);
    if seq > read.seq {
        events.send(JournalEvent::Entry { seq, entry: message.payload.clone() }).await?;
        read.seq = seq;
    }
    Ok(pending)
}
