//! Following histories: each entry once, in order, through lost connections and restarts of the server.

use async_nats::jetstream;
use async_nats::jetstream::consumer::push::OrderedConfig;
use async_nats::jetstream::consumer::{DeliverPolicy, ReplayPolicy};
use futures::StreamExt;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::sleep;

use super::{Histories, HistoryEntry, HistoryError, open};
use crate::limits::{WATCH_EVENTS_MAX, WATCH_RETRY};
use crate::name::{BadName, check_key};

/// Follows one history. Dropping it ends that.
///
/// Where the server has lost the histories, and others have taken their place, those follow from their beginning: positions
/// begin anew.
#[derive(Debug)]
pub struct HistoryReader {
    follower: Follower,
}

impl HistoryReader {
    /// The next entry; waits for it without end. May be cancelled without loss.
    pub async fn next(&mut self) -> HistoryEntry {
        self.follower.next().await.1
    }
}

/// Follows all histories. Dropping it ends that. What [`HistoryReader`] says of lost histories holds here too.
#[derive(Debug)]
pub struct HistoriesReader {
    follower: Follower,
}

impl HistoriesReader {
    /// The next entry of any history, and the history's key; waits for it without end. May be cancelled without loss.
    pub async fn next(&mut self) -> (String, HistoryEntry) {
        self.follower.next().await
    }
}

impl Histories {
    /// Follows a history: its entries from position `from` on, then each new one as it comes.
    ///
    /// # Errors
    /// The key is not valid.
    pub fn follow(&self, key: &str, from: u64) -> Result<HistoryReader, BadName> {
        check_key(key)?;
        let place = Place { subject: self.subject(key), next: from.max(1), created: None };
        Ok(HistoryReader { follower: Follower::start(self.clone(), place) })
    }

    /// Follows all histories: whatever is appended to any of them after this returns.
    ///
    /// # Errors
    /// See [`HistoryError`].
    pub async fn follow_all(&self) -> Result<HistoriesReader, HistoryError> {
        let info = self.healed(|| open::info(self)).await?;
        let (next, created) = (info.state.last_sequence + 1, Some(info.created.unix_timestamp_nanos()));
        let place = Place { subject: format!("{}.>", self.name()), next, created };
        Ok(HistoriesReader { follower: Follower::start(self.clone(), place) })
    }
}

/// What a follower follows, and how far it has come.
#[derive(Debug)]
struct Place {
    subject: String,
    /// The first position that it has not given.
    next: u64,
    /// When the stream was made: another one of the same name has another time.
    created: Option<i128>,
}

#[derive(Debug)]
struct Follower {
    entries: mpsc::Receiver<(String, HistoryEntry)>,
    task: JoinHandle<()>,
}

impl Drop for Follower {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Follower {
    fn start(histories: Histories, place: Place) -> Self {
        let (sender, entries) = mpsc::channel(WATCH_EVENTS_MAX);
        Self { entries, task: tokio::spawn(follow(histories, sender, place)) }
    }

    async fn next(&mut self) -> (String, HistoryEntry) {
        match self.entries.recv().await {
            Some(entry) => entry,
            // The program ends, and its runtime dropped the task before whoever waits here.
            None => std::future::pending().await,
        }
    }
}

/// Why one pass ended.
enum End {
    /// Go on where it was.
    Again(String),
    /// Nobody reads any more.
    Unread,
}

impl From<HistoryError> for End {
    fn from(error: HistoryError) -> Self {
        Self::Again(error.to_string())
    }
}

async fn follow(histories: Histories, entries: mpsc::Sender<(String, HistoryEntry)>, mut place: Place) {
    loop {
        histories.inner.bus.connected().await;
        let end = histories.until_lost(Box::pin(pass(&histories, &entries, &mut place))).await;
        let reason = match end {
            Some(End::Unread) => return,
            Some(End::Again(reason)) => reason,
            None => "connection lost".to_owned(),
        };
        tracing::info!(subject = place.subject, reason, "following goes on where it was");
        sleep(WATCH_RETRY).await;
    }
}

async fn pass(histories: &Histories, entries: &mpsc::Sender<(String, HistoryEntry)>, place: &mut Place) -> End {
    match try_pass(histories, entries, place).await {
        Ok(never) => never,
        Err(end) => end,
    }
}

async fn try_pass(histories: &Histories, entries: &mpsc::Sender<(String, HistoryEntry)>, place: &mut Place) -> Result<End, End> {
    let created = histories.in_time(Box::pin(open::info(histories))).await?.created.unix_timestamp_nanos();
    if place.created.replace(created).is_some_and(|before| before != created) {
        place.next = 1;
    }
    let config = OrderedConfig {
        deliver_subject: histories.inner.bus.client().new_inbox(),
        description: Some("hansa history".to_owned()),
        filter_subject: place.subject.clone(),
        replay_policy: ReplayPolicy::Instant,
        deliver_policy: DeliverPolicy::ByStartSequence { start_sequence: place.next },
        ..OrderedConfig::default()
    };
    let consumer = histories
        .in_time(async { histories.inner.stream.create_consumer(config).await.map_err(|error| histories.other(&error)) });
    let consumer = consumer.await?;
    let messages = histories.in_time(async { consumer.messages().await.map_err(|error| histories.other(&error)) });
    let mut messages = messages.await?;
    loop {
        let message = match messages.next().await {
            Some(message) => message.map_err(|error| End::Again(error.to_string()))?,
            None => return Err(End::Again("consumer ended".to_owned())),
        };
        take(histories, message, entries, place).await?;
    }
}

/// Gives an entry to the reader.
async fn take(
    histories: &Histories,
    message: jetstream::Message,
    entries: &mpsc::Sender<(String, HistoryEntry)>,
    place: &mut Place,
) -> Result<(), End> {
    let position = message.info().map_err(|error| End::Again(error.to_string()))?.stream_sequence;
    if position < place.next {
        return Ok(());
    }
    // The stream's subjects are `name.key`.
    let key = message.subject.get(histories.name().len() + 1..).unwrap_or_default().to_owned();
    let entry = HistoryEntry { position, entry: message.message.payload };
    entries.send((key, entry)).await.map_err(|_| End::Unread)?;
    place.next = position + 1;
    Ok(())
}
