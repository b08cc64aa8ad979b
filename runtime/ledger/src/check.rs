//! The check: replay the whole log from its first entry, verify every hash and signature, compute every result again, and
//! compare the stored rows with what comes out.

use std::collections::BTreeMap;
use std::path::Path;

use hansa_economy::ledger::{Appended, Entry, RootTree, State, TransferId, Verified, audit};
use hansa_economy::{Amount, Digest};
use redb::{ReadTransaction, ReadableTable, ReadableTableMetadata};
use serde::Serialize;

use crate::error::{OpenError, QueryError};
use crate::handle::Ledger;
use crate::rows::places_of;
use crate::steps::Steps;
use crate::store::{FILE_NAME, Store, StoreError};
use crate::table::places::Place;
use crate::table::{accounts, assets, channels, holds, keys, log, meta, outcomes, owners, places, refunds, sheaf, transfers};

/// What a check found. Without a problem every number stands for the whole ledger; with one, for what was replayed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct CheckReport {
    /// The ledger.
    pub ledger: Digest,
    /// Its name.
    pub name: String,
    /// Entries of the log.
    pub entries: u64,
    /// Commands in them.
    pub commands: u64,
    /// Accounts, issuance and escrow included.
    pub accounts: u64,
    /// Transfers and burnt ids.
    pub transfers: u64,
    /// Channels.
    pub channels: u64,
    /// Per asset, supply and sums.
    pub assets: Vec<AssetReport>,
    /// The newest entry's hash.
    pub head_hash: Digest,
    /// The first thing that is wrong.
    pub problem: Option<String>,
}

/// One asset's sums; `debits` and `credits` are equal in a ledger without a problem.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AssetReport {
    /// The asset.
    pub asset: u32,
    /// Its name.
    pub code: String,
    /// How much of it there is.
    pub supply: Amount,
    /// Σ posted debits of all accounts.
    pub debits: Amount,
    /// Σ posted credits of all accounts.
    pub credits: Amount,
}

/// Check the ledger in `folder`, which no process may have open.
pub fn check_folder(folder: &Path) -> Result<CheckReport, OpenError> {
    let store = Store::open(folder.join(FILE_NAME), crate::limits::CACHE_BYTES)?;
    let path = store.path().to_owned();
    store.read(check).map_err(|error| OpenError::Damaged { path, reason: error.to_string() })
}

impl Ledger {
    /// Check the newest committed state; the ledger goes on meanwhile. Takes memory for the whole state, and about 40 µs of
    /// processor time per signature.
    pub fn check(&self) -> Result<CheckReport, QueryError> {
        Ok(self.store().read(check)?)
    }
}

/// The replayed ledger: the state, and what the auditors of steps remember.
struct Replay {
    state: State,
    steps: Steps,
    places: Places,
    commands: u64,
}

/// Where plain transfers stand in the log.
pub(crate) type Places = BTreeMap<TransferId, Place>;

type Problem = String;

pub(crate) fn check(tx: &ReadTransaction) -> Result<CheckReport, StoreError> {
    let mut report = CheckReport::default();
    let table = tx.open_table(log::TABLE)?;
    let meta = tx.open_table(meta::TABLE)?;
    let (head, (rows_at, _)) = (meta::head(&meta)?, meta::rows(&meta)?);
    let mut replay: Option<Replay> = None;
    for row in table.iter()? {
        let (seq, bytes) = row?;
        let step = Entry::open(bytes.value())
            .map_err(|error| error.to_string())
            .and_then(|(entry, hash)| advance(&mut replay, seq.value(), entry, hash));
        if let Err(problem) = step {
            report.problem = Some(format!("entry {}: {problem}", seq.value()));
            break;
        }
        report.entries += 1;
        if let Some(replay) = replay.as_ref().filter(|_| seq.value() == rows_at.seq)
            && let Err(problem) = compare(tx, &replay.state, &replay.places)?
        {
            report.problem = Some(problem);
            break;
        }
    }
    let Some(replay) = replay else {
        report.problem.get_or_insert_with(|| "the log is empty".into());
        return Ok(report);
    };
    describe(&mut report, &replay);
    if report.problem.is_none() {
        report.problem = audit::audit(&replay.state).map_err(|breach| breach.to_string()).err();
    }
    if report.problem.is_none() && *replay.state.head() != head {
        report.problem = Some(format!("the log ends at entry {}, and should at {}", replay.state.head().seq, head.seq));
    }
    if report.problem.is_none() && rows_at.seq > head.seq {
        report.problem = Some(format!("the rows stand at entry {}, the log at {}", rows_at.seq, head.seq));
    }
    Ok(report)
}

/// One entry further.
fn advance(replay: &mut Option<Replay>, seq: u64, entry: Entry, hash: Digest) -> Result<(), Problem> {
    let commands = verify(&entry)?;
    let again = match replay {
        None => {
            let [genesis] = commands.as_slice() else { return Err("the first entry is not genesis alone".into()) };
            let (state, again) = State::found(genesis, entry.timestamp_ns).map_err(|error| error.to_string())?;
            *replay = Some(Replay::new(state));
            again
        }
        Some(replay) => {
            if entry.prev_hash != replay.state.head().hash {
                return Err("it does not name the hash of the entry before".into());
            }
            replay.state.append(entry.timestamp_ns, &commands).map_err(|error| error.to_string())?
        }
    };
    let replay = replay.as_mut().ok_or("the log is empty")?;
    same_entry(&again, seq, &entry, hash)?;
    replay.commands += commands.len() as u64;
    replay.places.extend(places_of(&entry, &commands));
    again
        .movements
        .iter()
        .try_for_each(|movement| audit::movement(&replay.state, movement))
        .map_err(|breach| breach.to_string())?;
    replay.steps.audit(&mut replay.state).map_err(|breach| breach.to_string())
}

fn same_entry(again: &Appended, seq: u64, entry: &Entry, hash: Digest) -> Result<(), Problem> {
    if entry.seq != seq || again.entry.seq != seq {
        return Err(format!("it says it is entry {}, the {} was due", entry.seq, again.entry.seq));
    }
    if let Some(index) = (0..entry.results.len().max(again.entry.results.len()))
        .find(|index| entry.results.get(*index) != again.entry.results.get(*index))
    {
        return Err(format!(
            "command {index} comes to {:?}, recorded is {:?}",
            again.entry.results.get(index),
            entry.results.get(index)
        ));
    }
    if again.hash != hash {
        return Err(format!("its hash is {hash}, the replay gives {}", again.hash));
    }
    Ok(())
}

/// All signatures of an entry, on as many threads as there are cores.
fn verify(entry: &Entry) -> Result<Vec<Verified>, Problem> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let share = entry.commands.len().div_ceil(threads).max(1);
    let open =
        |commands: &[minicbor::bytes::ByteVec]| commands.iter().map(|bytes| Verified::open(bytes)).collect::<Result<Vec<_>, _>>();
    let parts = std::thread::scope(|scope| {
        let workers: Vec<_> = entry.commands.chunks(share).map(|part| scope.spawn(move || open(part))).collect();
        workers.into_iter().map(|worker| worker.join()).collect::<Vec<_>>()
    });
    let mut commands = Vec::with_capacity(entry.commands.len());
    for part in parts {
        let part = part.map_err(|_| "verifying failed".to_owned())?;
        commands.extend(part.map_err(|error| error.to_string())?);
    }
    Ok(commands)
}

impl Replay {
    fn new(state: State) -> Replay {
        Replay { state, steps: Steps::default(), places: BTreeMap::new(), commands: 0 }
    }
}

fn describe(report: &mut CheckReport, replay: &Replay) {
    let state = &replay.state;
    report.ledger = state.head().ledger;
    report.name = state.head().name.clone();
    report.head_hash = state.head().hash;
    report.commands = replay.commands;
    report.accounts = state.accounts().count() as u64;
    report.transfers = state.transfers().count() as u64;
    report.channels = state.channels().count() as u64;
    let totals = audit::totals(state);
    report.assets = state
        .assets()
        .map(|asset| {
            let sum = totals.get(&asset.id).copied().unwrap_or_default();
            AssetReport {
                asset: asset.id,
                code: asset.code.clone(),
                supply: asset.supply(),
                debits: sum.debits_posted,
                credits: sum.credits_posted,
            }
        })
        .collect();
}

/// Every stored row against the replayed state, and the number of rows, so that none is too many.
pub(crate) fn compare(tx: &ReadTransaction, state: &State, places: &Places) -> Result<Result<(), Problem>, StoreError> {
    let (rows_at, stored) = meta::rows(&tx.open_table(meta::TABLE)?)?;
    if rows_at != *state.head() {
        return Ok(Err(format!("the rows stand at entry {}, the log at {}", rows_at.seq, state.head().seq)));
    }
    let root = RootTree::of(state).root();
    if stored != root {
        return Ok(Err(format!("the stored state root is {stored}, the log makes {root}")));
    }
    let table = tx.open_table(accounts::TABLE)?;
    let index = tx.open_table(owners::TABLE)?;
    let mut different = rows(accounts::TAG, sheaf::len(&table, accounts::TAG)?, state.accounts().count());
    different = different.or(rows(owners::TAG, index.len()?, state.accounts().count()));
    for account in state.accounts() {
        let same = accounts::get(&table, account.id)?.as_ref() == Some(account)
            && index.get((&account.owner.0, account.id.0))?.is_some();
        different = different.or_else(|| (!same).then(|| format!("account {} is not what the log makes it", account.id)));
    }
    let table = tx.open_table(assets::TABLE)?;
    different = different.or(rows(assets::TAG, table.len()?, state.assets().count()));
    for asset in state.assets() {
        let same = assets::get(&table, asset.id)?.as_ref() == Some(asset);
        different = different.or_else(|| (!same).then(|| format!("asset {} is not what the log makes it", asset.id)));
    }
    let table = tx.open_table(channels::TABLE)?;
    different = different.or(rows(channels::TAG, table.len()?, state.channels().count()));
    for channel in state.channels() {
        let same = channels::get(&table, channel.id)?.as_ref() == Some(channel);
        different = different.or_else(|| (!same).then(|| format!("channel {} is not what the log makes it", channel.id)));
    }
    Ok(match different.or(compare_keys(tx, state)?).or(compare_transfers(tx, state, places)?) {
        Some(problem) => Err(problem),
        None => Ok(()),
    })
}

/// Rows and state are in the same order.
fn compare_keys(tx: &ReadTransaction, state: &State) -> Result<Option<Problem>, StoreError> {
    let keys = keys::all(&tx.open_table(keys::TABLE)?)?.collect::<Result<Vec<_>, _>>()?;
    let refunds = refunds::all(&tx.open_table(refunds::TABLE)?)?.collect::<Result<Vec<_>, _>>()?;
    let differs = |tag: &str, same: bool| (!same).then(|| format!("table `{tag}` is not what the log makes it"));
    Ok(differs(keys::TAG, keys.iter().eq(state.keys())).or(differs(refunds::TAG, refunds.iter().eq(state.all_refunded()))))
}

fn compare_transfers(tx: &ReadTransaction, state: &State, expected: &Places) -> Result<Option<Problem>, StoreError> {
    let (table, index) = (tx.open_table(transfers::TABLE)?, tx.open_table(holds::TABLE)?);
    let open = state.transfers().filter(|(_, record)| record.is_open_hold()).count();
    let kept = || state.transfers().filter(|(_, record)| !record.is_plain());
    let mut different = rows(transfers::TAG, sheaf::len(&table, transfers::TAG)?, kept().count());
    different = different.or(rows(holds::TAG, index.len()?, open));
    for (id, record) in kept() {
        let same = transfers::get(&table, id)?.as_ref() == Some(record) && index.get(id.0)?.is_some() == record.is_open_hold();
        different = different.or_else(|| (!same).then(|| format!("transfer {id} is not what the log makes it")));
    }
    let table = tx.open_table(places::TABLE)?;
    different = different.or(rows(places::TAG, sheaf::len(&table, places::TAG)?, expected.len()));
    for (id, place) in expected {
        let same = places::get(&table, *id)?.as_ref() == Some(place);
        different = different.or_else(|| (!same).then(|| format!("transfer {id} is not where the log has it")));
    }
    let table = tx.open_table(outcomes::TABLE)?;
    different = different.or(rows(outcomes::TAG, sheaf::len(&table, outcomes::TAG)?, state.outcomes().count()));
    for (id, outcome) in state.outcomes() {
        let same = outcomes::get(&table, id)?.as_ref() == Some(outcome);
        different = different.or_else(|| (!same).then(|| format!("the outcome of command {id} is not where the log has it")));
    }
    Ok(different)
}

fn rows(tag: &str, stored: u64, expected: usize) -> Option<Problem> {
    (stored != expected as u64).then(|| format!("table `{tag}` has {stored} rows, the log makes {expected}"))
}
