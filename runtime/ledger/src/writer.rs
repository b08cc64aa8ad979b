//! The writer: takes what waits, applies it, has it committed and answered. Commits when idle, groups while busy, no timer.
//!
//! Large groups are committed by another thread, and the next ones are applied meanwhile. The state then runs ahead of the store by
//! these groups, and nothing of them is answered before its own commit. After a failure all of them are dropped, and the state is
//! loaded again.

use std::sync::Arc;
use std::time::Instant;

use hansa_economy::ledger::{AppendError, CommandId, State, Verified};
use tokio::sync::mpsc;

use crate::commit::{Answer, Committer, Done, Place, Prepared, commit_and_answer, tell_all, unknown};
use crate::error::SubmitError;
use crate::group::Group;
use crate::handle::Clock;
use crate::limits::{AHEAD_COMMAND_BYTES_MIN, COMMANDS_PER_COMMIT_MAX, GROUP_COMMAND_BYTES_MAX, GROUPS_AHEAD_MAX};
use crate::pressure::Pressure;
use crate::rows::Rows;
use crate::store::{Store, StoreError};
use crate::table::log;

/// A verified command and whoever waits for its outcome.
pub(crate) struct Request {
    pub(crate) command: Verified,
    pub(crate) answer: Answer,
}

/// The one that writes. What it does is [`Writer::prepare`], [`Prepared::commit`] and [`Writer::conclude`] for each group, in this
/// order, where the next groups may be prepared before one is concluded.
pub(crate) struct Writer {
    store: Arc<Store>,
    state: State,
    clock: Clock,
    pressure: Arc<Pressure>,
    /// The newest entry that an answer spoke of.
    answered: Place,
    /// The state is ahead of what the store has, after a failure: it must be loaded again.
    stale: bool,
    snapshots: Snapshots,
}

/// When the tables are brought up to date.
struct Snapshots {
    /// Bytes of the log after which that is due.
    every: usize,
    /// Bytes of the log since the last time.
    since: usize,
    /// A group was prepared that does it, and is not concluded.
    under_way: bool,
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
    /// Load what `store` has. The tables follow the log every `snapshot_bytes`.
    pub(crate) fn load(
        store: Arc<Store>,
        clock: Clock,
        pressure: Arc<Pressure>,
        snapshot_bytes: usize,
    ) -> Result<Writer, crate::OpenError> {
        let (state, since) = store.load()?;
        let answered = place(&state);
        let snapshots = Snapshots { every: snapshot_bytes, since, under_way: false };
        Ok(Writer { store, state, clock, pressure, answered, stale: false, snapshots })
    }

    /// The state in memory: as far as the last prepared group.
    pub(crate) fn state(&self) -> &State {
        &self.state
    }

    /// Work until no handle is left, or the store is lost.
    pub(crate) fn run(mut self, mut committer: Committer, mut requests: mpsc::Receiver<Request>) {
        while let Some(first) = requests.blocking_recv() {
            let mut taken = Taken::default();
            taken.push(first);
            taken.fill(&mut requests);
            while taken.bytes < AHEAD_COMMAND_BYTES_MIN
                && let Some(done) = committer.wait()
            {
                // Little to do ahead: more may come while the commits go on.
                self.conclude(done);
                taken.fill(&mut requests);
            }
            if let Err(reason) = self.work(taken, &mut committer) {
                tracing::error!(path = %self.store.path().display(), "the ledger stops: {reason}");
                return refuse_all(requests, &reason);
            }
        }
        self.wait_for_all(&mut committer);
        self.close();
    }

    /// One group. An error means that the ledger cannot go on.
    fn work(&mut self, taken: Taken, committer: &mut Committer) -> Result<(), String> {
        while let Some(done) = committer.poll() {
            self.conclude(done);
        }
        if self.is_stale() {
            self.wait_for_all(committer);
            self.recover()?;
        }
        if self.is_stale() {
            tell_all(taken.answers, &self.pressure.full());
            return Ok(());
        }
        let prepared = match self.prepare(taken.commands) {
            Ok(prepared) => prepared,
            Err(failure) => {
                tell_all(taken.answers, &unknown(&failure.to_string()));
                self.stale = true;
                return Ok(());
            }
        };
        // Handing over is worth it only where there is much to write.
        if taken.bytes >= AHEAD_COMMAND_BYTES_MIN {
            committer.begin(prepared, taken.answers);
            while committer.under_way() > GROUPS_AHEAD_MAX
                && let Some(done) = committer.wait()
            {
                self.conclude(done);
            }
        } else {
            self.wait_for_all(committer);
            let done = commit_and_answer(prepared, taken.answers, &self.store, &self.pressure);
            self.conclude(done);
        }
        Ok(())
    }

    /// Apply a group to the state in memory.
    pub(crate) fn prepare(&mut self, commands: Vec<Verified>) -> Result<Prepared, StoreError> {
        let began = Instant::now();
        let before = place(&self.state);
        let ids: Vec<CommandId> = commands.iter().map(|command| command.body().id).collect();
        self.store.recall(&mut self.state, &commands)?;
        let snapshot = self.snapshots.since >= self.snapshots.every && !self.snapshots.under_way;
        if snapshot {
            self.state.seal_settled();
        }
        let defect = |error: AppendError| StoreError::Row { table: log::TAG, reason: error.to_string() };
        let mut group = Group::apply(&mut self.state, commands, &*self.clock).map_err(defect)?;
        let bytes = group.entries.iter().map(|appended| appended.bytes.len()).sum::<usize>();
        let snapshots = &mut self.snapshots;
        snapshots.since = if snapshot { bytes } else { snapshots.since + bytes };
        snapshots.under_way |= snapshot;
        let rows = Rows::take(&mut self.state, std::mem::take(&mut group.places));
        Ok(Prepared { rows, group, snapshot, ids, before, after: place(&self.state), began })
    }

    /// A group's commit has ended.
    pub(crate) fn conclude(&mut self, done: Done) {
        match done {
            Ok(concluded) => {
                self.answered = concluded.place;
                if let Some(failure) = concluded.unread {
                    tracing::warn!(path = %self.store.path().display(), "the ledger's state is loaded again after: {failure}");
                    self.stale = true;
                }
                if concluded.snapshot {
                    self.state.forget_sealed();
                    self.snapshots.under_way = false;
                }
            }
            Err(failure) => {
                tracing::warn!(path = %self.store.path().display(), "the ledger's state is loaded again after: {failure}");
                self.stale = true;
            }
        }
    }

    fn wait_for_all(&mut self, committer: &mut Committer) {
        while let Some(done) = committer.wait() {
            self.conclude(done);
        }
    }

    /// After a failure: open, load, and go on from what is durable, if that is what was answered or more. While the disk is full
    /// the state stays stale, and this is tried again later.
    pub(crate) fn recover(&mut self) -> Result<(), String> {
        let reloaded = self.store.reopen().and_then(|()| self.store.load());
        let (state, since) = match reloaded {
            Ok(loaded) => loaded,
            Err(error) if error.is_full() => return Ok(()),
            Err(error) => return Err(error.to_string()),
        };
        let (seq, hash) = self.answered;
        let found = self.store.entry_hash(seq).map_err(|error| error.to_string())?;
        if found != Some(hash) {
            return Err(format!("entry {seq} was answered and is not in the store any more; restore a newer copy"));
        }
        tracing::warn!(seq = state.head().seq, "the ledger's store is open again");
        self.state = state;
        self.answered = place(&self.state);
        self.snapshots = Snapshots { since, under_way: false, ..self.snapshots };
        self.stale = false;
        Ok(())
    }

    /// Is the state in need of [`Writer::recover`]?
    pub(crate) fn is_stale(&self) -> bool {
        self.stale
    }

    /// Leave the tables up to date, so that the next start has nothing to replay.
    pub(crate) fn close(&self) {
        if !self.stale
            && let Err(error) = self.store.snapshot()
        {
            tracing::warn!(path = %self.store.path().display(), "the ledger's tables stay behind its log, and follow at its next start: {error}");
        }
    }
}

fn place(state: &State) -> Place {
    (state.head().seq, state.head().hash)
}

fn refuse_all(mut requests: mpsc::Receiver<Request>, reason: &str) {
    requests.close();
    while let Some(request) = requests.blocking_recv() {
        let _ = request.answer.send(Err(SubmitError::Stopped { reason: reason.to_owned() }));
    }
}
