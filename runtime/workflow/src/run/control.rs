//! What people and other processes tell a run: signals, decisions, pause, resume, cancel.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard};

use serde_json::Value;
use tokio::sync::Notify;

use super::history::Decision;

/// How a run is to end before its time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Cancel {
    pub(super) why: String,
    pub(super) at_once: bool,
}

/// What was told so far.
#[derive(Default)]
pub(super) struct Told {
    pub(super) cancel: Option<Cancel>,
    /// Why nothing new is bought.
    pub(super) paused: Option<String>,
    /// How often it was let go on.
    pub(super) resumed: u64,
    pub(super) signals: HashMap<String, VecDeque<Value>>,
    pub(super) decisions: HashMap<String, Decision>,
    /// Steps that wait for a person, with what is asked.
    pub(super) asking: HashMap<String, String>,
    /// Steps that wait for somebody to let them go on, with why.
    pub(super) waiting: HashMap<String, String>,
    /// Another engine has the run.
    pub(super) lost: bool,
}

/// Told, and whoever waits for it.
#[derive(Default)]
pub(super) struct Control {
    told: Mutex<Told>,
    changed: Notify,
}

impl Control {
    pub(super) fn lock(&self) -> MutexGuard<'_, Told> {
        self.told.lock().expect("no panic while what was told is locked")
    }

    /// Change it, and wake whoever waits.
    pub(super) fn tell(&self, change: impl FnOnce(&mut Told)) {
        change(&mut self.lock());
        self.changed.notify_waiters();
    }

    /// Wake whoever waits, for something that is not told here.
    pub(super) fn wake(&self) {
        self.changed.notify_waiters();
    }

    /// Returns when `look` sees something.
    pub(super) async fn when<T>(&self, mut look: impl FnMut(&mut Told) -> Option<T>) -> T {
        loop {
            let mut changed = Box::pin(self.changed.notified());
            changed.as_mut().enable();
            if let Some(seen) = look(&mut self.lock()) {
                return seen;
            }
            changed.await;
        }
    }
}
