//! Requests: one message out, one reply back, and an honest word about what a failure means.

use std::time::Duration;

use async_nats::connection::State;
use async_nats::{RequestErrorKind, Subject};
use bytes::Bytes;

use crate::connection::Bus;
use crate::name::{BadName, check_subject};

/// Headers in which a service reports its error (NATS ADR-32).
pub(crate) const ERROR_HEADER: &str = "Nats-Service-Error";
pub(crate) const ERROR_CODE_HEADER: &str = "Nats-Service-Error-Code";

/// Why a request has no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RequestError {
    /// Nobody listens on the subject.
    #[error("nobody serves `{subject}`: check that the service runs (`nats micro ls` shows all)")]
    NoResponders {
        /// The subject asked.
        subject: String,
    },
    /// No reply in time.
    #[error("no reply from `{subject}` within {} ms: give it more time, or ask another", after.as_millis())]
    Timeout {
        /// The subject asked.
        subject: String,
        /// The time that was given.
        after: Duration,
    },
    /// The payload exceeds what the server accepts; nothing was sent.
    #[error("payload of `{size}` bytes exceeds the server's {max}: send less, or raise the server's `max_payload`")]
    TooLarge {
        /// Bytes of the payload.
        size: usize,
        /// Bytes that the server accepts.
        max: usize,
    },
    /// The connection is down, or was lost while the request was under way.
    #[error("not connected to the bus ({}): it reconnects by itself, try again", if *sent { "the request may have been sent" } else { "nothing was sent" })]
    Disconnected {
        /// Whether the request may have left this process.
        sent: bool,
    },
    /// The service answered with an error.
    #[error("service error `{code}`: {message}")]
    ServiceError {
        /// The service's code; 400 to 599, read as in HTTP.
        code: u16,
        /// The service's words.
        message: String,
    },
    /// The subject cannot be asked; nothing was sent.
    #[error(transparent)]
    BadSubject(#[from] BadName),
}

impl RequestError {
    /// Whether the service may have acted on the request. Where this is false, asking elsewhere cannot act twice.
    ///
    /// Of service errors only 503 and the refusals 400–499 but 408 count as without effect, by the contract of
    /// [`crate::ServiceFailure`].
    #[must_use]
    pub fn may_have_taken_effect(&self) -> bool {
        match self {
            Self::NoResponders { .. } | Self::TooLarge { .. } | Self::BadSubject(_) => false,
            Self::Timeout { .. } => true,
            Self::Disconnected { sent } => *sent,
            Self::ServiceError { code, .. } => !matches!(code, 400..=407 | 409..=499 | 503),
        }
    }

    /// Whether the same request may succeed later or elsewhere.
    #[must_use]
    pub fn retry_is_sensible(&self) -> bool {
        match self {
            Self::NoResponders { .. } | Self::Timeout { .. } | Self::Disconnected { .. } => true,
            Self::TooLarge { .. } | Self::BadSubject(_) => false,
            Self::ServiceError { code, .. } => matches!(code, 408 | 429 | 502..=504),
        }
    }
}

impl Bus {
    /// Sends `payload` to `subject` and waits for one reply, at most `timeout`. Ends early when the connection is
    /// lost, because the reply is then most likely lost too.
    ///
    /// # Errors
    /// See [`RequestError`]; its two questions decide about trying again.
    pub async fn request(&self, subject: &str, payload: Bytes, timeout: Duration) -> Result<Bytes, RequestError> {
        check_subject(subject, false)?;
        let size = payload.len();
        let mut link = self.link();
        let losses = link.borrow().losses;
        if self.client().connection_state() != State::Connected {
            return Err(RequestError::Disconnected { sent: false });
        }
        // The client's own timer would not cover its waiting for a full send queue.
        let request = async_nats::Request::new().payload(payload).timeout(None);
        let reply = tokio::select! {
            biased;
            reply = self.client().send_request(Subject::from(subject), request) => reply,
            _lost = link.wait_for(|link| link.losses != losses) => return Err(RequestError::Disconnected { sent: true }),
            () = tokio::time::sleep(timeout) => {
                return Err(RequestError::Timeout { subject: subject.to_owned(), after: timeout });
            }
        };
        let reply = reply.map_err(|error| self.request_error(error.kind(), subject, size, timeout))?;
        match service_error(reply.headers.as_ref()) {
            Some(error) => Err(error),
            None => Ok(reply.payload),
        }
    }

    fn request_error(&self, kind: RequestErrorKind, subject: &str, size: usize, timeout: Duration) -> RequestError {
        let subject = subject.to_owned();
        match kind {
            RequestErrorKind::NoResponders => RequestError::NoResponders { subject },
            RequestErrorKind::TimedOut => RequestError::Timeout { subject, after: timeout },
            RequestErrorKind::MaxPayloadExceeded => RequestError::TooLarge { size, max: self.max_payload() },
            RequestErrorKind::InvalidSubject => {
                let rule = "the client refuses it";
                RequestError::BadSubject(BadName { what: "subject", value: subject, rule })
            }
            RequestErrorKind::Other => RequestError::Disconnected { sent: true },
        }
    }
}

fn service_error(headers: Option<&async_nats::HeaderMap>) -> Option<RequestError> {
    let headers = headers?;
    let code = headers.get(ERROR_CODE_HEADER);
    let message = headers.get(ERROR_HEADER);
    if code.is_none() && message.is_none() {
        return None;
    }
    // A service that sends a code outside of ADR-32 is broken: 500, which promises nothing about effects.
    let code = code.and_then(|code| code.as_str().trim().parse().ok()).unwrap_or(500);
    let message = message.map(|message| message.as_str().to_owned()).unwrap_or_default();
    Some(RequestError::ServiceError { code, message })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_two_questions() {
        let service = |code| RequestError::ServiceError { code, message: String::new() };
        // error, may have taken effect, retry is sensible
        let cases = [
            (RequestError::NoResponders { subject: "a".into() }, false, true),
            (RequestError::Timeout { subject: "a".into(), after: Duration::ZERO }, true, true),
            (RequestError::TooLarge { size: 2, max: 1 }, false, false),
            (RequestError::Disconnected { sent: false }, false, true),
            (RequestError::Disconnected { sent: true }, true, true),
            (service(400), false, false),
            (service(408), true, true),
            (service(429), false, true),
            (service(500), true, false),
            (service(503), false, true),
            (service(504), true, true),
        ];
        for (error, effect, retry) in cases {
            assert_eq!((error.may_have_taken_effect(), error.retry_is_sensible()), (effect, retry), "{error}");
        }
    }
}
