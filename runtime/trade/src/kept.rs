//! Calls whose reply a seller keeps: a repeat by the same payer gets it, whichever channel it comes through, and pays nothing.
//!
//! A call is known from its begin to the end of the time for which it is kept: while it runs a repeat waits for it. A call that was refused, or whose run
//! was broken off with the seller's process, is not known, and its repeat runs. What was charged is written before, or with, the lane that claims it:
//! a crash can cost the seller what it earned, and never the buyer twice.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use bytes::Bytes;
use hansa_economy::call::{Refusal, RefusalCode};
use tokio::sync::watch;

use crate::books::{Books, KeptKey};
use crate::limits::KEPT_MAX;

/// Kept calls that run now.
#[derive(Clone, Default)]
pub(crate) struct KeptCalls(Arc<Mutex<HashMap<KeptKey, watch::Receiver<()>>>>);

/// What is known of a call.
pub(crate) enum Known {
    /// Nothing: it may run. Others wait for as long as the place is held.
    New(Place),
    /// It ran: the encoded reply.
    Reply(Bytes),
}

/// The right to run a call.
pub(crate) struct Place {
    calls: KeptCalls,
    key: KeptKey,
    books: Books,
    until_ms: u64,
    _over: watch::Sender<()>,
}

impl KeptCalls {
    fn lock(&self) -> MutexGuard<'_, HashMap<KeptKey, watch::Receiver<()>>> {
        self.0.lock().expect("no panic while kept calls are locked")
    }

    fn begin(&self, books: &Books, key: KeptKey, until_ms: u64) -> Result<Place, watch::Receiver<()>> {
        let mut running = self.lock();
        if let Some(over) = running.get(&key) {
            return Err(over.clone());
        }
        let (sender, over) = watch::channel(());
        running.insert(key, over);
        Ok(Place { calls: self.clone(), key, books: books.clone(), until_ms, _over: sender })
    }

    /// Enter a call that is to be kept for `keep_s` seconds; where it runs already, wait for its end.
    pub(crate) async fn enter(&self, books: &Books, key: KeptKey, now_ms: u64, keep_s: u32) -> Result<Known, Refusal> {
        let keep_ms = (u64::from(keep_s) * 1000).min(KEPT_MAX.as_millis() as u64);
        loop {
            // First the place, then a look: a call that ends in between is found.
            let place = self.begin(books, key, now_ms + keep_ms);
            let known = books.kept(&key).map_err(|error| Refusal::new(RefusalCode::Overloaded, error.to_string()))?;
            match (known, place) {
                (Some(reply), _) if reply.is_empty() => return Err(forgotten()),
                (Some(reply), _) => return Ok(Known::Reply(reply)),
                (None, Ok(_)) if !books.keeps_more() => return Err(full()),
                (None, Ok(place)) => return Ok(Known::New(place)),
                // Its sender is dropped at the call's end.
                (None, Err(mut over)) => drop(over.changed().await),
            }
        }
    }
}

impl Place {
    /// The call is over: keep its reply. At once, so that nothing lies between this and what was charged.
    pub(crate) fn keep(&self, reply: &Bytes) {
        self.books.keep(self.key, self.until_ms, reply.clone());
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.calls.lock().remove(&self.key);
    }
}

fn forgotten() -> Refusal {
    let message = "this call ran before, and there was no room to keep its answer; it was charged once and will not be again";
    Refusal::new(RefusalCode::Forgotten, message)
}

fn full() -> Refusal {
    let wait_ms = u32::try_from(Duration::from_secs(60).as_millis()).ok();
    let message = "no more answers can be kept for repeats; try later, or call without that wish";
    Refusal { retry_after_ms: wait_ms, ..Refusal::new(RefusalCode::Overloaded, message) }
}
