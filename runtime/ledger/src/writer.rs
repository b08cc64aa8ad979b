//! The writer thread: takes what waits, applies it, commits it, answers. Commits when idle, groups while busy, no timer.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Instant;

use hansa_economy::Digest;
use hansa_economy::ledger::{CommandId, RootTree, State, Verified};
use tokio::sync::{mpsc, oneshot};

use crate::error::SubmitError;
use crate::group::{Group, Source, outcome, refused};
use crate::handle::{Clock, Outcome};
use crate::limits::COMMANDS_PER_COMMIT_MAX;
use crate::store::{Store, StoreError};
use crate::table::log;

/// A verified command and whoever waits for its outcome.
pub(crate) struct Request {
    pub(crate) command: Verified,
    pub(crate) answer: Answer,
}

type Answer = oneshot::Sender<Result<Outcome, SubmitError>>;

/// What came of one group.
pub(crate) struct Turn {
    /// For each command, what its submitter is to be told.
    pub(crate) outcomes: Vec<Result<Outcome, SubmitError>>,
    /// The failure that the store must be opened anew for.
    pub(crate) committed: Result<(), StoreError>,
}

/// The one that writes. Its state runs ahead of the store only between apply and commit.
pub(crate) struct Writer {
    store: Arc<Store>,
    state: State,
    tree: RootTree,
    clock: Clock,
    commit_ms: Arc<AtomicU32>,
    /// The newest entry that an answer spoke of.
    answered: (u64, Digest),
}

impl Writer {
    pub(crate) fn new(store: Arc<Store>, (state, tree): (State, RootTree), clock: Clock, commit_ms: Arc<AtomicU32>) -> Writer {
        let answered = (state.head().seq, state.head().hash);
        Writer { store, state, tree, clock, commit_ms, answered }
    }

    /// The state in memory, as far as the last commit.
    #[cfg(any(test, feature = "simulator"))]
    pub(crate) fn state(&self) -> &State {
        &self.state
    }

    /// Work until no handle is left, or the store is lost.
    pub(crate) fn run(mut self, mut requests: mpsc::Receiver<Request>) {
        let mut waiting = Vec::new();
        while let Some(first) = requests.blocking_recv() {
            waiting.push(first);
            while waiting.len() < COMMANDS_PER_COMMIT_MAX
                && let Ok(next) = requests.try_recv()
            {
                waiting.push(next);
            }
            let (commands, answers): (Vec<_>, Vec<_>) =
                waiting.drain(..).map(|request| (request.command, request.answer)).unzip();
            let turn = self.turn(commands);
            for (answer, outcome) in answers.into_iter().zip(turn.outcomes) {
                // Whoever no longer waits learns the outcome by submitting again.
                let _ = answer.send(outcome);
            }
            let Err(failure) = turn.committed else { continue };
            tracing::error!(path = %self.store.path().display(), "the ledger's store failed: {failure}; opening it again");
            if let Err(reason) = self.recover() {
                tracing::error!(path = %self.store.path().display(), "the ledger stops: {reason}");
                return refuse_all(requests, &reason);
            }
        }
    }

    /// Apply, commit, and say what is to be answered, in order. Where the commit failed, everybody is to be told that the
    /// outcome is unknown, and the next step is [`Writer::recover`].
    pub(crate) fn turn(&mut self, commands: Vec<Verified>) -> Turn {
        let ids: Vec<CommandId> = commands.iter().map(|command| command.body().id).collect();
        match self.try_commit(commands) {
            Ok(group) => {
                self.answered = (self.state.head().seq, self.state.head().hash);
                let mut read = Ok(());
                let outcomes = self.outcomes(&group, &ids, &mut read);
                // A store that could not be read refuses everything until it is opened again, commits too.
                Turn { outcomes, committed: read }
            }
            Err(failure) => {
                let unknown = || Err(SubmitError::Unknown { reason: failure.to_string() });
                Turn { outcomes: ids.iter().map(|_| unknown()).collect(), committed: Err(failure) }
            }
        }
    }

    fn try_commit(&mut self, commands: Vec<Verified>) -> Result<Group, StoreError> {
        let started = Instant::now();
        let recalled = self.store.recall(&mut self.state, &commands)?;
        let defect = |error: hansa_economy::ledger::AppendError| StoreError::Row { table: log::TAG, reason: error.to_string() };
        let group = Group::apply(&mut self.state, commands, &*self.clock).map_err(defect)?;
        let changes = self.state.take_changes();
        if !group.entries.is_empty() {
            self.tree.follow(&changes, &self.state);
            self.store.write(&self.state, &changes, &group.entries, self.tree.root())?;
        }
        self.state.forget_settled(recalled.transfers.into_iter().chain(changes.transfers));
        self.state.forget_outcomes(recalled.outcomes.into_iter().chain(changes.outcomes));
        self.commit_ms.store(u32::try_from(started.elapsed().as_millis()).unwrap_or(u32::MAX), Ordering::Relaxed);
        Ok(group)
    }

    /// What is to be answered; `read` is told when an outcome in the log could not be read.
    fn outcomes(&self, group: &Group, ids: &[CommandId], read: &mut Result<(), StoreError>) -> Vec<Result<Outcome, SubmitError>> {
        let fresh = group.outcomes();
        let sources = group.sources.iter().zip(ids);
        let outcomes = sources.map(|(source, id)| match *source {
            Source::Here { at, repeated } => Ok(outcome(*id, fresh[at], repeated)),
            Source::Refused(reason) => Ok(refused(*id, reason)),
            Source::Log => self.outcome_in_log(*id, read),
        });
        outcomes.collect()
    }

    fn outcome_in_log(&self, id: CommandId, read: &mut Result<(), StoreError>) -> Result<Outcome, SubmitError> {
        let found = self.store.outcome(id).map_err(|error| {
            let reason = error.to_string();
            *read = Err(error);
            SubmitError::Unknown { reason }
        })?;
        let found = found.ok_or_else(|| SubmitError::Unknown { reason: "the log lacks the outcome".into() })?;
        Ok(Outcome { repeated: true, ..found })
    }

    /// Close, open, load: go on from what is durable, if that is what was answered or more.
    pub(crate) fn recover(&mut self) -> Result<(), String> {
        self.store.reopen().map_err(|error| error.to_string())?;
        let (state, tree) = self.store.load().map_err(|error| error.to_string())?;
        let (seq, hash) = self.answered;
        let found = self.store.entry_hash(seq).map_err(|error| error.to_string())?;
        if found != Some(hash) {
            return Err(format!("entry {seq} was answered and is not in the store any more; restore a newer copy"));
        }
        tracing::warn!(seq = state.head().seq, "the ledger's store is open again");
        self.answered = (state.head().seq, state.head().hash);
        (self.state, self.tree) = (state, tree);
        Ok(())
    }
}

fn refuse_all(mut requests: mpsc::Receiver<Request>, reason: &str) {
    requests.close();
    while let Some(request) = requests.blocking_recv() {
        let _ = request.answer.send(Err(SubmitError::Stopped { reason: reason.to_owned() }));
    }
}
