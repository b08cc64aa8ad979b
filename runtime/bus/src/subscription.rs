//! Publishing and subscribing: messages without a promise of delivery.

use async_nats::connection::State;
use async_nats::{PublishErrorKind, Subject};
use bytes::Bytes;
use futures::StreamExt;

use crate::connection::Bus;
use crate::limits::ROUND_TRIP_TIMEOUT;
use crate::name::{BadName, check_subject};
use crate::request::RequestError;

/// Nobody listens here: the server's "no responders" is the answer that [`Bus::flush`] waits for.
const ECHO_SUBJECT: &str = "hansa.bus.echo";

/// Why a message was not published.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PublishError {
    /// The payload exceeds what the server accepts.
    #[error("payload of `{size}` bytes exceeds the server's {max}: send less, or raise the server's `max_payload`")]
    TooLarge {
        /// Bytes of the payload.
        size: usize,
        /// Bytes that the server accepts.
        max: usize,
    },
    /// The connection is down; nothing was sent.
    #[error("not connected to the bus (nothing was sent): it reconnects by itself, try again")]
    Disconnected,
    /// The subject cannot be published to.
    #[error(transparent)]
    BadSubject(#[from] BadName),
}

/// Why a subscription did not come about.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SubscribeError {
    /// The bus is closed.
    #[error("the bus is closed: connect again")]
    Closed,
    /// The subject cannot be listened on.
    #[error(transparent)]
    BadSubject(#[from] BadName),
}

/// The server gave no sign in time, or the connection was lost meanwhile.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no sign from the server that it took all messages: some may be lost, send them again where that matters")]
pub struct FlushError;

/// A message received on a subscription.
#[derive(Debug)]
pub struct Message {
    /// The subject it was published on.
    pub subject: String,
    /// Its contents.
    pub payload: Bytes,
    reply: Option<Subject>,
    bus: Bus,
}

impl Message {
    /// Whether the sender waits for a reply.
    #[must_use]
    pub fn wants_reply(&self) -> bool {
        self.reply.is_some()
    }

    /// Replies to the sender; does nothing where none is wanted.
    ///
    /// # Errors
    /// As for [`Bus::publish`].
    pub async fn respond(&self, payload: Bytes) -> Result<(), PublishError> {
        match &self.reply {
            Some(reply) => self.bus.publish_unchecked(reply.clone(), payload).await,
            None => Ok(()),
        }
    }
}

/// Messages of one subject, from now on. Dropping it ends the subscription. It survives reconnects; what is
/// published meanwhile is lost, and so is what a slow reader leaves waiting beyond 65,536 messages.
#[derive(Debug)]
pub struct Subscription {
    subscriber: async_nats::Subscriber,
    bus: Bus,
}

impl Subscription {
    /// The next message; `None` once the bus is closed. May be cancelled without loss.
    pub async fn next(&mut self) -> Option<Message> {
        let message = self.subscriber.next().await?;
        Some(Message {
            subject: message.subject.to_string(),
            payload: message.payload,
            reply: message.reply,
            bus: self.bus.clone(),
        })
    }
}

impl Bus {
    /// Publishes to whoever listens at this moment; returns once the message waits in the send queue.
    ///
    /// # Errors
    /// See [`PublishError`]: in each case nothing was sent.
    pub async fn publish(&self, subject: &str, payload: Bytes) -> Result<(), PublishError> {
        check_subject(subject, false)?;
        self.publish_unchecked(Subject::from(subject), payload).await
    }

    async fn publish_unchecked(&self, subject: Subject, payload: Bytes) -> Result<(), PublishError> {
        if self.client().connection_state() != State::Connected {
            return Err(PublishError::Disconnected);
        }
        let (size, asked) = (payload.len(), subject.clone());
        self.client().publish(subject, payload).await.map_err(|error| match error.kind() {
            PublishErrorKind::MaxPayloadExceeded => PublishError::TooLarge { size, max: self.max_payload() },
            PublishErrorKind::InvalidSubject => {
                PublishError::BadSubject(BadName { what: "subject", value: asked.to_string(), rule: "the client refuses it" })
            }
            PublishErrorKind::Send => PublishError::Disconnected,
        })
    }

    /// Listens on `subject`, in which `*` stands for one token and a last `>` for all that follow. To be sure that
    /// the server knows of it, [`Bus::flush`] afterwards.
    ///
    /// # Errors
    /// See [`SubscribeError`].
    pub async fn subscribe(&self, subject: &str) -> Result<Subscription, SubscribeError> {
        check_subject(subject, true)?;
        let subscriber = self.client().subscribe(Subject::from(subject)).await.map_err(|_| SubscribeError::Closed)?;
        Ok(Subscription { subscriber, bus: self.clone() })
    }

    /// Waits until the server has taken everything sent before: publications and subscriptions.
    ///
    /// # Errors
    /// [`FlushError`] when the server gives no sign in time, or the connection is lost: at once.
    pub async fn flush(&self) -> Result<(), FlushError> {
        // The server handles the operations of a connection in order, so its answer to this one proves the others.
        match self.request(ECHO_SUBJECT, Bytes::new(), ROUND_TRIP_TIMEOUT).await {
            Ok(_) | Err(RequestError::NoResponders { .. }) => Ok(()),
            Err(_) => Err(FlushError),
        }
    }
}
