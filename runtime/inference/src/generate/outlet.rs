//! Between the thread that generates and the caller who reads: what is decided and not yet read, in one place per answer.
//!
//! A slow reader finds several tokens joined in one chunk; when too many wait, the sequence pauses until they are read.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

use crate::error::{Error, Result};
use crate::limits;

use super::answer::Piece;
use super::line::Line;
use super::request::Finish;

/// What one step cost on the device.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Work {
    pub(crate) device: Duration,
    pub(crate) queued: Duration,
    pub(crate) rows: u32,
}

#[derive(Default)]
struct State {
    unread: Piece,
    work: Work,
    end: Option<Result<Finish>>,
    /// The reader wants nothing more.
    cancelled: bool,
    /// It was at its end before it was cancelled.
    over: bool,
}

/// The place of one answer.
pub(crate) struct Outlet {
    state: Mutex<State>,
    changed: Notify,
    line: Arc<Line>,
}

/// What a reader finds.
#[derive(Debug)]
pub(crate) enum Found {
    Piece(Piece),
    End(Result<Finish>),
    Nothing,
}

impl Outlet {
    /// A place, and the writer's end of it.
    pub(crate) fn new(line: Arc<Line>) -> (Arc<Self>, Mouth) {
        let outlet = Arc::new(Self { state: Mutex::default(), changed: Notify::new(), line });
        (Arc::clone(&outlet), Mouth(outlet))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // No code that can panic runs under the lock, so that a poisoned state is still whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes what is there, with the work so far.
    pub(crate) fn take(&self) -> (Found, Work) {
        let mut state = self.lock();
        let work = state.work;
        if state.unread != Piece::default() {
            let piece = std::mem::take(&mut state.unread);
            drop(state);
            if piece.tokens.len() >= limits::UNREAD_TOKENS_MAX {
                self.line.poke();
            }
            return (Found::Piece(piece), work);
        }
        let end = if state.cancelled && !state.over { Some(Ok(Finish::Cancelled)) } else { state.end.clone() };
        (end.map_or(Found::Nothing, Found::End), work)
    }

    /// Waits until something may be there; a change before the wait counts.
    pub(crate) async fn changed(&self) {
        self.changed.notified().await;
    }

    /// The reader wants nothing more; what waits is given up.
    pub(crate) fn cancel(&self) {
        let mut state = self.lock();
        if state.cancelled {
            return;
        }
        // an end that waits to be read stays the end, unless text before it is given up
        state.over = state.end.is_some() && state.unread == Piece::default();
        state.cancelled = true;
        state.unread = Piece::default();
        drop(state);
        self.changed.notify_one();
        self.line.poke();
    }
}

/// The writer's end. Dropped without an end, the answer is cancelled: the thread that wrote is gone.
pub(crate) struct Mouth(Arc<Outlet>);

impl Mouth {
    /// Hands out a piece and counts the work behind it.
    pub(crate) fn give(&self, piece: &Piece, work: Work) {
        let mut state = self.0.lock();
        state.work = Work {
            device: state.work.device + work.device,
            queued: state.work.queued.max(work.queued),
            rows: state.work.rows.max(work.rows),
        };
        if state.cancelled || *piece == Piece::default() {
            return;
        }
        state.unread.text.push_str(&piece.text);
        state.unread.tokens.extend_from_slice(&piece.tokens);
        drop(state);
        self.0.changed.notify_one();
    }

    /// Ends the answer.
    pub(crate) fn end(&self, end: Result<Finish>) {
        self.0.lock().end.get_or_insert(end);
        self.0.changed.notify_one();
    }

    /// Whether the reader wants nothing more.
    pub(crate) fn is_cancelled(&self) -> bool {
        self.0.lock().cancelled
    }

    /// Whether so much waits that the sequence should pause.
    pub(crate) fn is_full(&self) -> bool {
        self.0.lock().unread.tokens.len() >= limits::UNREAD_TOKENS_MAX
    }
}

impl Drop for Mouth {
    fn drop(&mut self) {
        self.end(Err(Error::Cancelled));
    }
}
