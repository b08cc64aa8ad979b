//! The log once more, from its first entry, through the transition: a stream of steps for exports and statements. Hashes,
//! signatures and results are checked on the way. It takes memory for the state, as the writer does, not for the log, and
//! reads in short transactions: a slow reader of an export keeps neither the writer nor its recovery waiting.

mod line;

use hansa_economy::Digest;
use hansa_economy::ledger::{
    Acceptance, Appended, Changes, CommandResult, Entry, Movement, State, TransferId, TransferRecord, TransferStatus, Verified,
};
use redb::ReadTransaction;

use crate::limits::REPLAY_ENTRIES;
use crate::store::{Store, StoreError};
use crate::table::{log, meta, transfers};

pub(crate) use line::{KINDS, Line, kind_name, lines};

/// Why a log cannot be replayed.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// Reading failed.
    #[error("cannot read the ledger: {0}")]
    Store(#[from] StoreError),
    /// The log is not what the rules make of it.
    #[error("entry {seq} of the log is not in order: {reason}; run `hansa ledger check`, and keep the file")]
    Entry {
        /// Its number.
        seq: u64,
        /// What is wrong.
        reason: String,
    },
}

/// One entry, and what it did.
pub(crate) struct Step<'a> {
    /// The state after it. Transfers that it created or settled are still in memory.
    pub(crate) state: &'a State,
    pub(crate) entry: &'a Entry,
    pub(crate) commands: &'a [Verified],
    pub(crate) movements: &'a [Movement],
    pub(crate) changes: &'a Changes,
}

/// An entry whose hash and signatures are right.
pub(crate) struct Opened {
    pub(crate) seq: u64,
    pub(crate) entry: Entry,
    pub(crate) hash: Digest,
    pub(crate) commands: Vec<Verified>,
}

/// Replay the log as it stands now and show each step to `visit`; the state at its end. What is appended meanwhile is left
/// out.
pub(crate) fn replay<E: From<ReplayError>>(store: &Store, mut visit: impl FnMut(&Step<'_>) -> Result<(), E>) -> Result<State, E> {
    let ends = store.read(|tx| {
        let table = tx.open_table(meta::TABLE)?;
        Ok((meta::head(&table)?.seq, meta::rows(&table)?.0.seq))
    });
    let (end, rows_at) = ends.map_err(ReplayError::Store)?;
    let mut state: Option<State> = None;
    let mut next = 1;
    while next <= end {
        let rows = store.read(|tx| rows(tx, next, end)).map_err(ReplayError::Store)?;
        if rows.first().is_none_or(|(seq, _)| *seq != next) {
            return Err(broken(next, "it is missing").into());
        }
        for opened in open(&rows)? {
            let stored = opened.seq <= rows_at;
            advance(store, &mut state, &opened, stored, &mut visit)?;
        }
        next += rows.len() as u64;
    }
    state.ok_or_else(|| broken(1, "the log is empty").into())
}

/// The rows of the next entries, up to number `end`.
pub(crate) fn rows(tx: &ReadTransaction, from: u64, end: u64) -> Result<Vec<(u64, Vec<u8>)>, StoreError> {
    let table = tx.open_table(log::TABLE)?;
    let mut rows = Vec::with_capacity(REPLAY_ENTRIES);
    for row in table.range(from..=end)?.take(REPLAY_ENTRIES) {
        let (seq, bytes) = row?;
        rows.push((seq.value(), bytes.value().to_vec()));
    }
    Ok(rows)
}

fn advance<E: From<ReplayError>>(
    store: &Store,
    state: &mut Option<State>,
    opened: &Opened,
    stored: bool,
    visit: &mut impl FnMut(&Step<'_>) -> Result<(), E>,
) -> Result<(), E> {
    let Opened { seq, entry, commands, .. } = opened;
    let (recalled, again) = match state {
        None => (Vec::new(), found(state, opened)?),
        Some(state) => {
            let recalled = recall(store, state, entry, commands)?;
            let again = state.append(entry.timestamp_ns, commands);
            (recalled, again.map_err(|error| broken(*seq, error))?)
        }
    };
    let state = state.as_mut().ok_or_else(|| broken(*seq, "no ledger was founded"))?;
    if (again.hash, again.entry.seq) != (opened.hash, *seq) {
        return Err(broken(*seq, format!("the replay gives entry {} with hash {}", again.entry.seq, again.hash)).into());
    }
    let changes = state.take_changes();
    visit(&Step { state, entry, commands, movements: &again.movements, changes: &changes })?;
    // What came after the rows were written is nowhere but here.
    if stored {
        state.forget_settled(changes.transfers.iter().copied().chain(recalled));
    }
    state.forget_outcomes(changes.outcomes.iter().copied());
    Ok(())
}

pub(crate) fn found(state: &mut Option<State>, opened: &Opened) -> Result<Appended, ReplayError> {
    let [genesis] = opened.commands.as_slice() else {
        return Err(broken(opened.seq, "the first entry is not genesis alone"));
    };
    let (founded, again) = State::found(genesis, opened.entry.timestamp_ns).map_err(|error| broken(opened.seq, error))?;
    *state = Some(founded);
    Ok(again)
}

/// Bring those transfers back that the entry names and that were settled before it. The table has them as they are
/// after a later entry: one that was settled before does not change any more, and one that came later must stay away. Open holds
/// never left memory. A mistake here would give another hash, which is noticed.
fn recall(store: &Store, state: &mut State, entry: &Entry, commands: &[Verified]) -> Result<Vec<TransferId>, ReplayError> {
    let mut named: Vec<_> = commands.iter().flat_map(Verified::transfers_named).collect();
    named.retain(|id| state.transfer(*id).is_none());
    if named.is_empty() {
        return Ok(named);
    }
    named.sort_unstable();
    named.dedup();
    store.read(|tx| {
        transfers::find_each(tx, &named, |id, record| match record {
            TransferRecord::Created(transfer, hold) if transfer.timestamp_ns < entry.timestamp_ns => {
                state.recall(id, TransferRecord::Created(transfer, hold));
            }
            TransferRecord::Burnt if was_burnt(entry, id) => state.recall(id, TransferRecord::Burnt),
            _ => {}
        })
    })?;
    Ok(named)
}

/// Was this id, burnt at the log's end, burnt before the entry? Then the first of its results here that knows of burnt ids
/// says so.
fn was_burnt(entry: &Entry, id: TransferId) -> bool {
    let results = entry.results.iter().flat_map(|result| match result {
        CommandResult::Accepted(Acceptance::Transfers(results)) => results.as_slice(),
        _ => &[],
    });
    let mut telling = results
        .filter(|result| result.id == id && (result.status == TransferStatus::IdAlreadyFailed || result.status.is_transient()));
    telling.next().is_some_and(|result| result.status == TransferStatus::IdAlreadyFailed)
}

/// Hashes and signatures of these entries, on as many threads as there are cores.
pub(crate) fn open(chunk: &[(u64, Vec<u8>)]) -> Result<Vec<Opened>, ReplayError> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let share = chunk.len().div_ceil(threads).max(1);
    let parts = std::thread::scope(|scope| {
        let open = |part: &[(u64, Vec<u8>)]| part.iter().map(|(seq, bytes)| open_entry(*seq, bytes)).collect::<Vec<_>>();
        let workers: Vec<_> = chunk.chunks(share).map(|part| scope.spawn(move || open(part))).collect();
        workers.into_iter().map(|worker| worker.join()).collect::<Vec<_>>()
    });
    let first = chunk.first().map_or(0, |(seq, _)| *seq);
    let mut opened = Vec::with_capacity(chunk.len());
    for part in parts {
        for entry in part.map_err(|_| broken(first, "verifying it or one after it failed"))? {
            opened.push(entry?);
        }
    }
    Ok(opened)
}

fn open_entry(seq: u64, bytes: &[u8]) -> Result<Opened, ReplayError> {
    let (entry, hash) = Entry::open(bytes).map_err(|error| broken(seq, error))?;
    let commands = entry.commands.iter().map(|command| Verified::open(command)).collect::<Result<_, _>>();
    Ok(Opened { seq, commands: commands.map_err(|error| broken(seq, error))?, entry, hash })
}

pub(crate) fn broken(seq: u64, reason: impl std::fmt::Display) -> ReplayError {
    ReplayError::Entry { seq, reason: reason.to_string() }
}
