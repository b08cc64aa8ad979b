//! The writer thread: takes what waits, applies it, has it committed and answered. Commits when idle, groups while busy, no timer.
//!
//! Where more waits than one group takes, the next group is applied while the one before is committed. The state then runs ahead
//! of the store by these two groups, and nothing of them is answered before its own commit.

use std::sync::Arc;
use std::time::Instant;

use hansa_economy::ledger::{AppendError, CommandId, State, Verified};
use tokio::sync::mpsc;

use crate::commit::{Answer, Committer, Failed, Place, Prepared, fail, unknown};
use crate::error::SubmitError;
use crate::group::Group;
use crate::handle::Clock;
use crate::limits::{AHEAD_COMMAND_BYTES_MIN, COMMANDS_PER_COMMIT_MAX, GROUP_COMMAND_BYTES_MAX};
use crate::load::Load;
use crate::rows::GroupRows;
use crate::store::{Store, StoreError};
use crate::table::log;

/// A verified command and whoever waits for its outcome.
pub(crate) struct Request {
    pub(crate) command: Verified,
    pub(crate) answer: Answer,
}

/// The one that writes.
pub(crate) struct Writer {
    store: Arc<Store>,
    state: State,
    clock: Clock,
    load: Arc<Load>,
    committer: Committer,
    /// The newest entry that an answer spoke of.
    answered: Place,
    /// The state is ahead of what the store has, after a failure: it must be loaded again.
    stale: bool,
}

/// What is taken at once.
#[derive(Default)]
struct Taken {
    commands: Vec<Verified>,
    answers: Vec<Answer>,
    bytes: usize,
}

impl Taken {
    fn push(&mut self, request: Request) {
        self.bytes += request.command.bytes().len();
        self.commands.push(request.command);
        self.answers.push(request.answer);
    }

    fn fill(&mut self, requests: &mut mpsc::Receiver<Request>) {
        while self.commands.len() < COMMANDS_PER_COMMIT_MAX
            && self.bytes < GROUP_COMMAND_BYTES_MAX
            && let Ok(next) = requests.try_recv()
        {
            self.push(next);
        }
    }
}

impl Writer {
    pub(crate) fn new(store: Arc<Store>, state: State, clock: Clock, load: Arc<Load>) -> Result<Writer, std::io::Error> {
        let committer = Committer::start(store.clone(), load.clone())?;
        let answered = (state.head().seq, state.head().hash);
        Ok(Writer { store, state, clock, load, committer, answered, stale: false })
    }

    /// Work until no handle is left, or the store is lost.
    pub(crate) fn run(mut self, mut requests: mpsc::Receiver<Request>) {
        while let Some(first) = requests.blocking_recv() {
            let mut taken = Taken::default();
            taken.push(first);
            taken.fill(&mut requests);
            if self.committer.is_busy() && taken.bytes < AHEAD_COMMAND_BYTES_MIN {
                // Little to do ahead: more may come while the commit goes on.
                self.wait();
                taken.fill(&mut requests);
            }
            if let Err(reason) = self.work(taken, !requests.is_empty()) {
                tracing::error!(path = %self.store.path().display(), "the ledger stops: {reason}");
                return refuse_all(requests, &reason);
            }
        }
        self.wait();
    }

    /// One group. An error means that the ledger cannot go on.
    fn work(&mut self, taken: Taken, more_waits: bool) -> Result<(), String> {
        if self.stale
            && let Err(refusal) = self.recover()?
        {
            fail(taken.answers, &refusal);
            return Ok(());
        }
        let prepared = match self.prepare(taken) {
            Ok(prepared) => prepared,
            Err(()) => return Ok(()),
        };
        self.wait();
        if self.stale {
            // It was applied to a state that never came to be.
            fail(prepared.answers, &unknown("the group before it failed"));
            return Ok(());
        }
        self.state.forget_settled();
        match more_waits {
            true => self.committer.begin(prepared),
            false => {
                let done = prepared.commit(&self.store, &self.load);
                self.committed(done);
            }
        }
        Ok(())
    }

    /// Apply. Whoever waits has been told if that fails.
    fn prepare(&mut self, taken: Taken) -> Result<Prepared, ()> {
        let began = Instant::now();
        let before = self.place();
        let ids: Vec<CommandId> = taken.commands.iter().map(|command| command.body().id).collect();
        match self.apply(taken.commands) {
            Ok((group, rows)) => Ok(Prepared { group, rows, ids, answers: taken.answers, before, after: self.place(), began }),
            Err(failure) => {
                fail(taken.answers, &unknown(&failure.to_string()));
                self.wait();
                self.failed(&failure);
                Err(())
            }
        }
    }

    fn apply(&mut self, commands: Vec<Verified>) -> Result<(Group, GroupRows), StoreError> {
        self.store.recall(&mut self.state, &commands)?;
        let defect = |error: AppendError| StoreError::Row { table: log::TAG, reason: error.to_string() };
        let group = Group::apply(&mut self.state, commands, &*self.clock).map_err(defect)?;
        let changes = self.state.take_changes();
        Ok((group, GroupRows::of(&self.state, &changes)))
    }

    fn place(&self) -> Place {
        (self.state.head().seq, self.state.head().hash)
    }

    /// Let the commit that is under way end.
    fn wait(&mut self) {
        if let Some(done) = self.committer.wait() {
            self.committed(done);
        }
    }

    fn committed(&mut self, done: Result<Place, Failed>) {
        match done {
            Ok(place) => self.answered = place,
            Err(Failed(failure)) => self.failed(&failure),
        }
    }

    fn failed(&mut self, failure: &StoreError) {
        tracing::warn!(path = %self.store.path().display(), "the ledger's state is loaded again after: {failure}");
        self.stale = true;
    }

    /// Open, load, and go on from what is durable, if that is what was answered or more. While the disk is full this is a
    /// refusal, and is tried again later.
    fn recover(&mut self) -> Result<Result<(), SubmitError>, String> {
        if let Err(refusal) = self.load.check_room() {
            return Ok(Err(refusal));
        }
        match self.store.reopen() {
            Ok(()) => {}
            Err(error) if error.is_full() => return Ok(Err(self.load.full())),
            Err(error) => return Err(error.to_string()),
        }
        let state = self.store.load().map_err(|error| error.to_string())?;
        let (seq, hash) = self.answered;
        let found = self.store.entry_hash(seq).map_err(|error| error.to_string())?;
        if found != Some(hash) {
            return Err(format!("entry {seq} was answered and is not in the store any more; restore a newer copy"));
        }
        tracing::warn!(seq = state.head().seq, "the ledger's store is open again");
        self.state = state;
        self.answered = self.place();
        self.stale = false;
        Ok(Ok(()))
    }
}

fn refuse_all(mut requests: mpsc::Receiver<Request>, reason: &str) {
    requests.close();
    while let Some(request) = requests.blocking_recv() {
        let _ = request.answer.send(Err(SubmitError::Stopped { reason: reason.to_owned() }));
    }
}
