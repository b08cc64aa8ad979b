//! One commit: a group that was applied is written durably, and only then answered. A thread beside the writer's does it while the
//! writer applies the next group; one commit is under way at a time.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::Instant;

use hansa_economy::Digest;
use hansa_economy::ledger::CommandId;
use tokio::sync::oneshot;

use crate::error::SubmitError;
use crate::group::{Group, Source, outcome, refused};
use crate::handle::Outcome;
use crate::load::Load;
use crate::rows::GroupRows;
use crate::store::{Store, StoreError};

/// Who waits for an outcome.
pub(crate) type Answer = oneshot::Sender<Result<Outcome, SubmitError>>;

/// Number and hash of an entry.
pub(crate) type Place = (u64, Digest);

/// A group that was applied and waits to be written.
pub(crate) struct Prepared {
    pub(crate) group: Group,
    pub(crate) rows: GroupRows,
    pub(crate) ids: Vec<CommandId>,
    pub(crate) answers: Vec<Answer>,
    /// Where the log stands before and after it.
    pub(crate) before: Place,
    pub(crate) after: Place,
    pub(crate) began: Instant,
}

/// The store failed; everybody who waited for it was told.
#[derive(Debug)]
pub(crate) struct Failed(pub(crate) StoreError);

/// The thread that commits. It ends when this is dropped, which waits for it: the file is free then.
pub(crate) struct Committer {
    /// Taken away only when this is dropped.
    groups: Option<SyncSender<Prepared>>,
    done: Receiver<Result<Place, Failed>>,
    busy: bool,
    thread: Option<JoinHandle<()>>,
}

impl Committer {
    pub(crate) fn start(store: Arc<Store>, load: Arc<Load>) -> Result<Committer, std::io::Error> {
        let (groups, work) = sync_channel::<Prepared>(1);
        let (tell, done) = sync_channel(1);
        let thread = std::thread::Builder::new().name("ledger-commit".into()).spawn(move || {
            while let Ok(group) = work.recv() {
                if tell.send(group.commit(&store, &load)).is_err() {
                    return;
                }
            }
        })?;
        Ok(Committer { groups: Some(groups), done, busy: false, thread: Some(thread) })
    }

    pub(crate) fn is_busy(&self) -> bool {
        self.busy
    }

    /// Begin the commit of `group`, when none is under way.
    pub(crate) fn begin(&mut self, group: Prepared) {
        self.busy = true;
        let groups = self.groups.as_ref().expect("the channel is taken away only on drop");
        if let Err(lost) = groups.send(group) {
            // Only a panic ends the thread early: `wait` says so too.
            fail(lost.0.answers, &unknown("the committing thread ended"));
        }
    }

    /// Wait for the commit that is under way, if any, and say where the log stands durably.
    pub(crate) fn wait(&mut self) -> Option<Result<Place, Failed>> {
        std::mem::take(&mut self.busy).then(|| self.done.recv().unwrap_or(Err(Failed(StoreError::Closed))))
    }
}

impl Drop for Committer {
    fn drop(&mut self) {
        drop(self.groups.take());
        if let Some(thread) = self.thread.take() {
            // A thread that panicked has already shown why; what it had committed stands.
            let _ = thread.join();
        }
    }
}

impl Prepared {
    /// Write, then answer. After a failure the store is open again where that is possible.
    pub(crate) fn commit(self, store: &Store, load: &Load) -> Result<Place, Failed> {
        let written = match self.group.entries.is_empty() {
            true => Ok(()),
            false => store.write(&self.rows, &self.group.entries),
        };
        match written {
            Ok(()) => {
                load.committed(self.began.elapsed(), self.ids.len());
                let after = self.after;
                self.answer(store);
                Ok(after)
            }
            Err(failure) => {
                let error = self.explain(store, load, &failure);
                tracing::error!(path = %store.path().display(), "the ledger's store failed: {failure}; opening it again");
                fail(self.answers, &error);
                Err(Failed(failure))
            }
        }
    }

    /// What those who wait are told of a failed write. The store is opened again to see whether it took effect.
    fn explain(&self, store: &Store, load: &Load, failure: &StoreError) -> SubmitError {
        let reopened = store.reopen();
        let untouched = reopened.is_ok() && store.head().is_ok_and(|head| (head.seq, head.hash) == self.before);
        match failure.is_full() {
            true if untouched => load.full(),
            true => {
                load.full();
                unknown("the disk is full")
            }
            false => unknown(&failure.to_string()),
        }
    }

    fn answer(self, store: &Store) {
        let fresh = self.group.outcomes();
        for ((source, id), answer) in self.group.sources.iter().zip(&self.ids).zip(self.answers) {
            let outcome = match *source {
                Source::Here { at, repeated } => Ok(outcome(*id, fresh[at], repeated)),
                Source::Refused(reason) => Ok(refused(*id, reason)),
                Source::Log => repeat(store, *id),
            };
            // Whoever no longer waits learns the outcome by submitting again.
            let _ = answer.send(outcome);
        }
    }
}

fn repeat(store: &Store, id: CommandId) -> Result<Outcome, SubmitError> {
    let found = store.outcome(id).map_err(|error| unknown(&error.to_string()))?;
    found.map(|found| Outcome { repeated: true, ..found }).ok_or_else(|| unknown("the log lacks the outcome"))
}

/// Tell everybody the same.
pub(crate) fn fail(answers: Vec<Answer>, error: &SubmitError) {
    for answer in answers {
        // Whoever no longer waits learns the outcome by submitting again.
        let _ = answer.send(Err(error.clone()));
    }
}

pub(crate) fn unknown(reason: &str) -> SubmitError {
    SubmitError::Unknown { reason: reason.to_owned() }
}
