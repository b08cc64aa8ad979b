//! One commit: a group that was applied is written durably, and only then answered. A thread beside the writer's does it, in order,
//! while the writer applies the next groups.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;
use std::time::Instant;

use hansa_economy::Digest;
use hansa_economy::ledger::CommandId;
use tokio::sync::oneshot;

use crate::error::SubmitError;
use crate::group::{Group, Source, outcome, refused};
use crate::handle::Outcome;
use crate::pressure::Pressure;
use crate::rows::Rows;
use crate::store::{Store, StoreError};
use crate::table::log;

/// Who waits for an outcome.
pub(crate) type Answer = oneshot::Sender<Result<Outcome, SubmitError>>;

/// Number and hash of an entry.
pub(crate) type Place = (u64, Digest);

/// A group that was applied and waits to be written.
pub(crate) struct Prepared {
    pub(crate) group: Group,
    pub(crate) rows: Rows,
    /// The tables are to be brought to where the log stands before it.
    pub(crate) snapshot: bool,
    pub(crate) ids: Vec<CommandId>,
    /// Where the log stands before and after it.
    pub(crate) before: Place,
    pub(crate) after: Place,
    pub(crate) began: Instant,
}

/// A group that was committed.
pub(crate) struct Committed {
    pub(crate) concluded: Concluded,
    pub(crate) outcomes: Vec<Result<Outcome, SubmitError>>,
}

/// What a commit means for the writer.
#[derive(Debug)]
pub(crate) struct Concluded {
    /// Where the log stands durably.
    pub(crate) place: Place,
    /// The tables have followed.
    pub(crate) snapshot: bool,
    /// An earlier outcome could not be read: the store must be opened again.
    pub(crate) unread: Option<StoreError>,
}

/// A group whose commit failed. The store was opened again, where that was possible.
#[derive(Debug)]
pub(crate) struct Failed {
    pub(crate) failure: StoreError,
    /// What those who wait are to be told.
    pub(crate) error: SubmitError,
}

/// How a commit ended.
pub(crate) type Done = Result<Concluded, StoreError>;

impl Prepared {
    /// Write, and say what is to be answered.
    pub(crate) fn commit(self, store: &Store, pressure: &Pressure) -> Result<Committed, Failed> {
        let Prepared { group, rows, snapshot, ids, before, after, began } = self;
        if let Err(failure) = store.commit(before.1, &group.entries, rows, snapshot) {
            let error = explain(store, pressure, &failure, before);
            tracing::error!(path = %store.path().display(), "the ledger's store failed: {failure}");
            return Err(Failed { failure, error });
        }
        pressure.committed(began.elapsed(), ids.len());
        let (outcomes, unread) = outcomes(store, &group, &ids);
        Ok(Committed { concluded: Concluded { place: after, snapshot, unread }, outcomes })
    }
}

/// What those who wait are told of a failed write. The store is opened again to see whether it took effect.
fn explain(store: &Store, pressure: &Pressure, failure: &StoreError, before: Place) -> SubmitError {
    if matches!(failure, StoreError::Order) {
        return pressure.check_room().err().unwrap_or_else(|| unknown("the group before it failed"));
    }
    let reopened = store.reopen();
    if !failure.is_full() {
        return unknown(&failure.to_string());
    }
    let refusal = pressure.full();
    match reopened.is_ok() && store.newest().is_ok_and(|newest| newest == before) {
        true => refusal,
        false => unknown("the disk is full"),
    }
}

fn outcomes(store: &Store, group: &Group, ids: &[CommandId]) -> (Vec<Result<Outcome, SubmitError>>, Option<StoreError>) {
    let (fresh, mut unread) = (group.outcomes(), None);
    let outcomes = group.sources.iter().zip(ids).map(|(source, id)| match *source {
        Source::Here { at, repeated } => Ok(outcome(*id, fresh[at], repeated)),
        Source::Refused(reason) => Ok(refused(*id, reason)),
        Source::Log => repeat(store, *id).map_err(|failure| {
            let error = unknown(&failure.to_string());
            unread = Some(failure);
            error
        }),
    });
    (outcomes.collect(), unread)
}

fn repeat(store: &Store, id: CommandId) -> Result<Outcome, StoreError> {
    let missing = || StoreError::Row { table: log::TAG, reason: format!("it lacks the outcome of command {id}") };
    Ok(Outcome { repeated: true, ..store.outcome(id)?.ok_or_else(missing)? })
}

/// Commit, and tell everybody who waits.
pub(crate) fn commit_and_answer(prepared: Prepared, answers: Vec<Answer>, store: &Store, pressure: &Pressure) -> Done {
    match prepared.commit(store, pressure) {
        Ok(Committed { concluded, outcomes }) => {
            // Whoever no longer waits learns the outcome by submitting again.
            answers.into_iter().zip(outcomes).for_each(|(answer, outcome)| drop(answer.send(outcome)));
            Ok(concluded)
        }
        Err(Failed { failure, error }) => {
            tell_all(answers, &error);
            Err(failure)
        }
    }
}

/// Tell everybody the same.
pub(crate) fn tell_all(answers: Vec<Answer>, error: &SubmitError) {
    // Whoever no longer waits learns the outcome by submitting again.
    answers.into_iter().for_each(|answer| drop(answer.send(Err(error.clone()))));
}

pub(crate) fn unknown(reason: &str) -> SubmitError {
    SubmitError::Unknown { reason: reason.to_owned() }
}

/// The thread that commits, one group after the other. Where one fails, those after it are not written any more: they were
/// applied to a state that never came to be. It ends when this is dropped, which waits for it: the file is free then.
pub(crate) struct Committer {
    /// Taken away only when this is dropped.
    groups: Option<Sender<(Prepared, Vec<Answer>)>>,
    done: Receiver<Done>,
    under_way: usize,
    thread: Option<JoinHandle<()>>,
}

impl Committer {
    pub(crate) fn start(store: Arc<Store>, pressure: Arc<Pressure>) -> Result<Committer, std::io::Error> {
        let (groups, work) = channel::<(Prepared, Vec<Answer>)>();
        let (tell, done) = channel();
        let thread = std::thread::Builder::new().name("ledger-commit".into()).spawn(move || {
            // The store refuses whatever does not follow what it has, so nothing needs to be said here after a failure.
            while let Ok((group, answers)) = work.recv() {
                if tell.send(commit_and_answer(group, answers, &store, &pressure)).is_err() {
                    return;
                }
            }
        })?;
        Ok(Committer { groups: Some(groups), done, under_way: 0, thread: Some(thread) })
    }

    /// Groups that were handed over and whose end was not heard of.
    pub(crate) fn under_way(&self) -> usize {
        self.under_way
    }

    /// Hand a group over.
    pub(crate) fn begin(&mut self, group: Prepared, answers: Vec<Answer>) {
        self.under_way += 1;
        let groups = self.groups.as_ref().expect("the channel is taken away only on drop");
        if let Err(lost) = groups.send((group, answers)) {
            // Only a panic ends the thread early: `wait` says so too.
            tell_all(lost.0.1, &unknown("the committing thread ended"));
        }
    }

    /// The end of the oldest group, if it has come.
    pub(crate) fn poll(&mut self) -> Option<Done> {
        let done = self.done.try_recv().ok()?;
        self.under_way -= 1;
        Some(done)
    }

    /// Wait for the end of the oldest group, if there is one.
    pub(crate) fn wait(&mut self) -> Option<Done> {
        self.under_way = self.under_way.checked_sub(1)?;
        Some(self.done.recv().unwrap_or(Err(StoreError::Closed)))
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
