//! Appending behind the fence: the server takes an entry only where the history ends as its writer believes.
//!
//! An entry that its writer wants after position N can stand in one place only: as the first one of its history after N. So where
//! the server refuses it, one look there tells whether an earlier try of the same append was kept. The server's own memory of
//! message ids (`Nats-Msg-Id`) is not used: it answers before the fence is looked at, for all histories alike, still for entries
//! that were removed, and no longer after some minutes.

use async_nats::jetstream::ErrorCode;
use async_nats::jetstream::publish::PublishAck;
use async_nats::jetstream::response::Response;
use async_nats::{HeaderMap, HeaderValue, Request, RequestErrorKind, Subject, header};
use bytes::Bytes;
use tokio::time::{sleep, timeout};

use super::{AppendError, Histories, HistoryError, open};
use crate::limits::{HISTORY_APPEND_TIMEOUT, HISTORY_HEADER_BYTES_MAX, HISTORY_RETRY};
use crate::name::{check_entry_id, check_key};

/// Says which append an entry stems from.
const ID_HEADER: &str = "Hansa-Entry-Id";

/// An entry on its way.
struct Draft<'a> {
    key: &'a str,
    after: u64,
    id: &'a str,
    entry: Bytes,
}

/// What the server said to one try.
enum Answer {
    /// Kept at this position.
    Kept(u64),
    /// The history ends elsewhere, or the server is still busy with another entry of it.
    Fenced,
    /// Nobody answers for the histories at this moment.
    Nobody,
    /// The connection was lost.
    Lost,
    /// Something else is wrong.
    Refused(ErrorCode, String),
}

impl Histories {
    /// Appends an entry to the history `key` after the position `after`, that of its last entry as the writer knows it; 0 where
    /// it must be empty. Returns the entry's position, once the server has written it to its file (though a power cut may still
    /// undo that, unless the server runs with `sync_interval: always`). Tries again over lost connections, for
    /// [`HISTORY_APPEND_TIMEOUT`] at most.
    ///
    /// `id` makes a repeat harmless: where the same entry with the same id was kept right after `after` by an earlier try, its
    /// position is returned, however long ago that was. It must be the writer's own (1 to 128 visible ASCII characters, with
    /// something in it that no other writer uses): two writers that append the same bytes under one id both get the position.
    ///
    /// # Errors
    /// See [`AppendError`].
    pub async fn append(&self, key: &str, after: u64, id: &str, entry: Bytes) -> Result<u64, AppendError> {
        check_key(key)?;
        check_entry_id(id)?;
        let (size, max) = (entry.len(), self.inner.bus.max_payload().saturating_sub(HISTORY_HEADER_BYTES_MAX));
        if size > max {
            return Err(AppendError::TooLarge { size, max });
        }
        let tries = self.tries(Draft { key, after, id, entry });
        timeout(HISTORY_APPEND_TIMEOUT, tries).await.unwrap_or_else(|_| Err(self.late().into()))
    }

    async fn tries(&self, draft: Draft<'_>) -> Result<u64, AppendError> {
        loop {
            self.inner.bus.connected().await;
            match self.send(&draft).await {
                Answer::Kept(position) => return Ok(position),
                Answer::Fenced => {
                    if let Some(position) = self.decide(&draft).await? {
                        return Ok(position);
                    }
                }
                // Gone for good is an error; else the server is about to be stopped or has no leader yet.
                Answer::Nobody => {
                    if let Some(Err(gone @ HistoryError::Gone { .. })) = self.until_lost(Box::pin(open::info(self))).await {
                        return Err(gone.into());
                    }
                }
                Answer::Lost => {}
                Answer::Refused(code, reason) => return Err(self.refused(code, &reason).into()),
            }
            sleep(HISTORY_RETRY).await;
        }
    }

    /// One try.
    async fn send(&self, draft: &Draft<'_>) -> Answer {
        let mut headers = HeaderMap::new();
        headers.insert(header::NATS_EXPECTED_LAST_SUBJECT_SEQUENCE, HeaderValue::from(draft.after));
        headers.insert(ID_HEADER, draft.id);
        // The time of all tries together is bounded by the caller.
        let request = Request::new().headers(headers).payload(draft.entry.clone()).timeout(None);
        let subject = Subject::from(self.subject(draft.key));
        let bus = &self.inner.bus;
        let answer = self.until_lost(bus.client().send_request(subject, request)).await;
        match answer {
            Some(Ok(message)) => acknowledged(&message.payload),
            Some(Err(error)) if error.kind() == RequestErrorKind::NoResponders => Answer::Nobody,
            Some(Err(error)) if error.kind() == RequestErrorKind::Other => Answer::Lost,
            Some(Err(error)) => Answer::Refused(ErrorCode::default(), error.to_string()),
            None => Answer::Lost,
        }
    }

    /// After the server refused: the entry's position, where an earlier try was kept; none, where nothing is decided yet.
    async fn decide(&self, draft: &Draft<'_>) -> Result<Option<u64>, AppendError> {
        let subject = self.subject(draft.key);
        let successor =
            self.stored(|stored| stored.sequence(draft.after.saturating_add(1)).next_by_subject(subject.clone())).await?;
        let is_other = successor.is_some();
        if let Some(message) = successor {
            let id = message.headers.get(ID_HEADER).map(HeaderValue::as_str);
            if id == Some(draft.id) && message.payload == draft.entry {
                return Ok(Some(message.sequence));
            }
        }
        let last = self.last(draft.key).await?.unwrap_or(0);
        // On a cluster, an entry that is not yet kept by a majority is not seen, but fences already.
        if !is_other && last == draft.after { Ok(None) } else { Err(AppendError::Behind { last }) }
    }
}

fn acknowledged(payload: &[u8]) -> Answer {
    match serde_json::from_slice::<Response<PublishAck>>(payload) {
        Ok(Response::Ok(kept)) => Answer::Kept(kept.sequence),
        Ok(Response::Err { error }) => match error.error_code() {
            ErrorCode::STREAM_WRONG_LAST_SEQUENCE | ErrorCode::STREAM_WRONG_LAST_SEQUENCE_CONSTANT => Answer::Fenced,
            code => Answer::Refused(code, error.to_string()),
        },
        Err(error) => Answer::Refused(ErrorCode::default(), error.to_string()),
    }
}
