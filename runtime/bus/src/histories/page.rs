//! Reading a history in pages, by the server's batched direct get (NATS ADR-31): nothing of a reader stays behind on the server.

use async_nats::{HeaderMap, Message, StatusCode};
use bytes::Bytes;
use futures::StreamExt;
use serde::Serialize;
use tokio::time::timeout;

use super::{Histories, HistoryEntry, HistoryError};
use crate::limits::{HISTORY_PAGE_BYTES, HISTORY_PAGE_ENTRIES, HISTORY_TIMEOUT};

/// ADR-31: follows the entries of a page.
const END_OF_BATCH: u16 = 204;

/// The question, in the words of ADR-31.
#[derive(Serialize)]
struct Question<'a> {
    seq: u64,
    next_by_subj: &'a str,
    batch: usize,
    max_bytes: usize,
}

/// Adds the entries of `subject` from position `from` on, as many as come without a gap, to `entries`. Where none comes, the
/// server has none, or something was lost.
pub(super) async fn read(
    histories: &Histories,
    subject: &str,
    from: u64,
    entries: &mut Vec<HistoryEntry>,
) -> Result<(), HistoryError> {
    histories.until_lost(collect(histories, subject, from, entries)).await.unwrap_or(Ok(()))
}

async fn collect(histories: &Histories, subject: &str, from: u64, entries: &mut Vec<HistoryEntry>) -> Result<(), HistoryError> {
    let client = histories.inner.bus.client();
    let question = Question { seq: from, next_by_subj: subject, batch: HISTORY_PAGE_ENTRIES, max_bytes: HISTORY_PAGE_BYTES };
    let question = serde_json::to_vec(&question).map_err(|error| histories.other(&error))?;
    let inbox = client.new_inbox();
    let mut answers = client.subscribe(inbox.clone()).await.map_err(|error| histories.other(&error))?;
    let asked = client.publish_with_reply(format!("$JS.API.DIRECT.GET.{}", histories.name()), inbox, question.into());
    asked.await.map_err(|error| histories.other(&error))?;
    let mut previous = 0;
    // Silence and the end of the connection are as good as an end: the caller asks for the rest.
    while let Ok(Some(message)) = timeout(HISTORY_TIMEOUT, answers.next()).await {
        if let Some(status) = message.status {
            return ended(histories, &message, status);
        }
        let Some(entry) = entry(&message, previous) else { break };
        previous = entry.position;
        entries.push(entry);
    }
    Ok(())
}

fn ended(histories: &Histories, message: &Message, status: StatusCode) -> Result<(), HistoryError> {
    match status {
        // No responders: the server is not ready, or the histories are gone; the caller finds out.
        StatusCode::NOT_FOUND | StatusCode::NO_RESPONDERS => Ok(()),
        status if status.as_u16() == END_OF_BATCH => Ok(()),
        status => Err(histories.other(&format!("{status} {}", message.description.as_deref().unwrap_or_default()))),
    }
}

/// The entry; none where one between `previous` and it is missing.
fn entry(message: &Message, previous: u64) -> Option<HistoryEntry> {
    let headers = message.headers.as_ref()?;
    if number(headers, "Nats-Last-Sequence")? != previous {
        return None;
    }
    // A copy, because the message is a slice of a buffer with all headers, and that would live as long as the entry.
    let entry = Bytes::copy_from_slice(&message.payload);
    Some(HistoryEntry { position: number(headers, "Nats-Sequence")?, entry })
}

fn number(headers: &HeaderMap, name: &'static str) -> Option<u64> {
    // The server adds its own headers behind those that the entry was sent with.
    headers.get_last(name)?.as_str().parse().ok()
}
