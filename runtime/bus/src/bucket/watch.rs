//! Following a bucket in a way that an index can trust: whole contents first, then changes, and all over again after
//! a lost connection.

use async_nats::jetstream::consumer::push::{Ordered, OrderedConfig};
use async_nats::jetstream::consumer::{DeliverPolicy, ReplayPolicy};
use async_nats::jetstream::{self};
use bytes::Bytes;
use futures::StreamExt;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use super::{Bucket, BucketError};
use crate::limits::{WATCH_CATCH_UP_SILENCE, WATCH_EVENTS_MAX, WATCH_RETRY};

/// The header of a stored message that says that it stands for a deletion (ADR-8), and the one that the server sets
/// on the marker of an expired key (ADR-43).
const OPERATION_HEADER: &str = "KV-Operation";
const MARKER_HEADER: &str = "Nats-Marker-Reason";

/// What happened in a bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BucketEvent {
    /// The contents follow from the beginning. Comes first, and again after each lost connection: an index collects
    /// into a new one from here, and replaces the old by it at [`BucketEvent::CaughtUp`].
    Begin,
    /// A key has this value.
    Put {
        /// The key.
        key: String,
        /// Its value.
        value: Bytes,
        /// Rises with each change of the bucket.
        revision: u64,
    },
    /// A key has no value: deleted or expired. Also comes for keys that were never reported.
    Delete {
        /// The key.
        key: String,
    },
    /// All contents present at the last [`BucketEvent::Begin`] were delivered; from here on come changes.
    CaughtUp,
}

/// Follows a whole bucket. Dropping it ends that.
///
/// Survives reconnects and restarts of the server: then [`BucketEvent::Begin`] comes again, followed by the whole
/// contents. Between two `Begin` no change is missed, though only the newest of quick changes of one key may show.
#[derive(Debug)]
pub struct BucketWatch {
    events: mpsc::Receiver<BucketEvent>,
    follower: JoinHandle<()>,
}

impl Drop for BucketWatch {
    fn drop(&mut self) {
        self.follower.abort();
    }
}

impl BucketWatch {
    pub(super) fn start(bucket: Bucket) -> Self {
        let (sender, events) = mpsc::channel(WATCH_EVENTS_MAX);
        Self { events, follower: tokio::spawn(follow(bucket, sender)) }
    }

    /// The next event; waits for it without end. May be cancelled without loss.
    pub async fn next(&mut self) -> BucketEvent {
        match self.events.recv().await {
            Some(event) => event,
            // The program ends, and its runtime dropped the follower before whoever waits here.
            None => std::future::pending().await,
        }
    }
}

/// Why one pass over the bucket ended.
enum End {
    /// Begin again.
    Again(String),
    /// Nobody reads any more.
    Unread,
}

impl From<mpsc::error::SendError<BucketEvent>> for End {
    fn from(_: mpsc::error::SendError<BucketEvent>) -> Self {
        Self::Unread
    }
}

impl From<BucketError> for End {
    fn from(error: BucketError) -> Self {
        Self::Again(error.to_string())
    }
}

async fn follow(bucket: Bucket, events: mpsc::Sender<BucketEvent>) {
    let bus = bucket.inner.bus.clone();
    loop {
        bus.connected().await;
        let mut link = bus.link();
        let losses = link.borrow().losses;
        let end = tokio::select! {
            end = pass(&bucket, &events) => end,
            _lost = link.wait_for(|link| link.losses != losses) => End::Again("connection lost".to_owned()),
        };
        let End::Again(reason) = end else { return };
        tracing::info!(bucket = bucket.name(), reason, "watch begins again");
        sleep(WATCH_RETRY).await;
    }
}

/// One pass: the contents, then changes, until something breaks.
async fn pass(bucket: &Bucket, events: &mpsc::Sender<BucketEvent>) -> End {
    match try_pass(bucket, events).await {
        Ok(never) => never,
        Err(end) => end,
    }
}

async fn try_pass(bucket: &Bucket, events: &mpsc::Sender<BucketEvent>) -> Result<End, End> {
    let store = bucket.store().await?;
    let config = OrderedConfig {
        deliver_subject: bucket.inner.bus.client().new_inbox(),
        description: Some("hansa watch".to_owned()),
        filter_subject: format!("{}>", store.prefix),
        replay_policy: ReplayPolicy::Instant,
        deliver_policy: DeliverPolicy::LastPerSubject,
        ..OrderedConfig::default()
    };
    let consumer = bucket.in_time(store.stream.create_consumer(config)).await?;
    let mut caught_up = consumer.cached_info().num_pending == 0;
    let mut messages = bucket.in_time(consumer.messages()).await?;
    events.send(BucketEvent::Begin).await?;
    if caught_up {
        events.send(BucketEvent::CaughtUp).await?;
    }
    loop {
        let message = next(&mut messages, caught_up).await?;
        let pending = message.info().map_err(|error| End::Again(error.to_string()))?.pending;
        events.send(event(&message, &store.prefix)?).await?;
        if !caught_up && pending == 0 {
            caught_up = true;
            events.send(BucketEvent::CaughtUp).await?;
        }
    }
}

/// The next message. While contents are awaited, silence means that the last of them expired before it was delivered:
/// nothing would ever say that all came, so the pass begins again.
async fn next(messages: &mut Ordered, caught_up: bool) -> Result<jetstream::Message, End> {
    let next = if caught_up {
        messages.next().await
    } else {
        let silent = |_| End::Again("contents stopped coming".to_owned());
        timeout(WATCH_CATCH_UP_SILENCE, messages.next()).await.map_err(silent)?
    };
    match next {
        Some(Ok(message)) => Ok(message),
        Some(Err(error)) => Err(End::Again(error.to_string())),
        None => Err(End::Again("consumer ended".to_owned())),
    }
}

fn event(message: &jetstream::Message, prefix: &str) -> Result<BucketEvent, End> {
    let info = message.info().map_err(|error| End::Again(error.to_string()))?;
    let key = message.subject.strip_prefix(prefix).unwrap_or(&message.subject).to_owned();
    let gone = message.headers.as_ref().is_some_and(|headers| {
        let operation = headers.get(OPERATION_HEADER).map(async_nats::HeaderValue::as_str);
        matches!(operation, Some("DEL" | "PURGE")) || headers.get(MARKER_HEADER).is_some()
    });
    if gone {
        return Ok(BucketEvent::Delete { key });
    }
    Ok(BucketEvent::Put { key, value: message.payload.clone(), revision: info.stream_sequence })
}
