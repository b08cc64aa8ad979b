//! Loading: the rows of the tables, then the entries of the log after them through the transition.

use hansa_economy::ledger::{Head, RootTree, State, TransferId, Verified};
use redb::ReadTransaction;

use crate::replay::{Opened, ReplayError, broken, found, open, rows};
use crate::rows::places_of;
use crate::store::{Store, StoreError};
use crate::table::places::Place;
use crate::table::{accounts, assets, channels, holds, keys, meta, refunds, transfers};

/// A loaded ledger.
pub(crate) struct Loaded {
    /// Where the log ends. What came after the rows is among its changes.
    pub(crate) state: State,
    /// Where the plain transfers after the rows stand.
    pub(crate) places: Vec<(TransferId, Place)>,
    /// Over the rows as they were stored.
    pub(crate) tree: RootTree,
    /// Bytes of the log after the rows.
    pub(crate) bytes: usize,
}

/// Why a ledger cannot be loaded.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LoadError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Replay(#[from] ReplayError),
    #[error("{0}")]
    Rows(String),
}

/// Load rows and log. The root of the rows is compared, and every hash, signature and result of the entries after them.
pub(crate) fn load(store: &Store) -> Result<Loaded, LoadError> {
    let (mut state, stored) = store.read(load_rows)?;
    let mut tree = RootTree::of(&state);
    let root = tree.root();
    if stored != root {
        return Err(LoadError::Rows(format!("its rows have state root {root}, the last snapshot wrote {stored}")));
    }
    let end = store.read(|tx| meta::head(&tx.open_table(meta::TABLE)?))?;
    let first = state.head().seq + 1;
    let (places, bytes) = follow(store, &mut state, first, &end, |state, commands| recall(store, state, commands))?;
    meets(store, &state, &end)?;
    Ok(Loaded { state, places, tree, bytes })
}

/// The state from the log alone, and where its plain transfers stand.
pub(crate) fn replay_all(store: &Store) -> Result<(State, Vec<(TransferId, Place)>), LoadError> {
    let end = store.read(|tx| meta::head(&tx.open_table(meta::TABLE)?))?;
    let first = open(&store.read(|tx| rows(tx, 1, 1))?)?;
    let mut state = None;
    let opened = first.first().ok_or_else(|| broken(1, "the log is empty"))?;
    found(&mut state, opened)?;
    let mut state = state.ok_or_else(|| broken(1, "no ledger was founded"))?;
    let (places, _) = follow(store, &mut state, 2, &end, |_, _| Ok(()))?;
    meets(store, &state, &end)?;
    Ok((state, places))
}

/// Apply the entries from `first` to the log's `end`: the places of their plain transfers, and how many bytes they were. All
/// that they write stays in memory; `recall` brings what they speak of from elsewhere.
fn follow(
    store: &Store,
    state: &mut State,
    first: u64,
    end: &Head,
    recall: impl Fn(&mut State, &[Verified]) -> Result<(), StoreError>,
) -> Result<(Vec<(TransferId, Place)>, usize), LoadError> {
    let (mut next, mut bytes, mut found) = (first, 0, Vec::new());
    while next <= end.seq {
        let chunk = store.read(|tx| rows(tx, next, end.seq))?;
        if chunk.first().is_none_or(|(seq, _)| *seq != next) {
            return Err(broken(next, "it is missing").into());
        }
        for opened in open(&chunk)? {
            recall(state, &opened.commands)?;
            append(state, &opened)?;
            found.extend(places_of(&opened.entry, &opened.commands));
        }
        next += chunk.len() as u64;
        bytes += chunk.iter().map(|(_, entry)| entry.len()).sum::<usize>();
    }
    Ok((found, bytes))
}

fn append(state: &mut State, opened: &Opened) -> Result<(), LoadError> {
    let again = state.append(opened.entry.timestamp_ns, &opened.commands).map_err(|error| broken(opened.seq, error))?;
    match (again.hash, again.entry.seq) == (opened.hash, opened.seq) {
        true => Ok(()),
        false => Err(broken(opened.seq, format!("the replay gives entry {} with hash {}", again.entry.seq, again.hash)).into()),
    }
}

/// What was settled before the rows were written. Later transfers are in memory.
fn recall(store: &Store, state: &mut State, commands: &[Verified]) -> Result<(), StoreError> {
    let mut named: Vec<_> = commands.iter().flat_map(Verified::transfers_named).collect();
    named.retain(|id| state.transfer(*id).is_none());
    named.sort_unstable();
    match named.is_empty() {
        true => Ok(()),
        false => store.read(|tx| transfers::find_each(tx, &named, |id, record| state.recall(id, record))),
    }
}

/// The log must end where it says it does, and so must the state.
fn meets(store: &Store, state: &State, end: &Head) -> Result<(), LoadError> {
    let newest = store.entry_hash(end.seq)?;
    let next = store.entry_hash(end.seq + 1)?;
    match newest == Some(end.hash) && next.is_none() && state.head() == end {
        true => Ok(()),
        false => Err(LoadError::Rows(format!("log and state do not meet at entry {}", end.seq))),
    }
}

/// Accounts, keys, assets, channels, counts of refunds and open holds as the tables have them, and the root they should have.
fn load_rows(tx: &ReadTransaction) -> Result<(State, hansa_economy::Digest), StoreError> {
    let (head, root) = meta::rows(&tx.open_table(meta::TABLE)?)?;
    let mut state = State::new(head);
    for account in accounts::all(&tx.open_table(accounts::TABLE)?)? {
        state.restore_account(account?);
    }
    for key in keys::all(&tx.open_table(keys::TABLE)?)? {
        state.restore_key(key?);
    }
    for asset in assets::all(&tx.open_table(assets::TABLE)?)? {
        state.restore_asset(asset?);
    }
    for channel in channels::all(&tx.open_table(channels::TABLE)?)? {
        state.restore_channel(channel?);
    }
    for row in refunds::all(&tx.open_table(refunds::TABLE)?)? {
        state.restore_refunded(row?);
    }
    let table = tx.open_table(transfers::TABLE)?;
    for id in holds::all(&tx.open_table(holds::TABLE)?)? {
        let record = transfers::get(&table, id)?;
        let record = record.ok_or_else(|| StoreError::Row { table: holds::TAG, reason: format!("hold {id} is no transfer") })?;
        state.recall(id, record);
    }
    Ok((state, root))
}
