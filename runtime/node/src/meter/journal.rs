//! The meter's journal: a file of JSON lines, each written before what it says is done.
//!
//! A line that was written survives the death of the process; to survive the machine's, it is synced when a hold or a payment
//! begins or ends, and with the operator's settling. A last line that is cut off was never acted on, and is dropped. When the
//! journal is opened, and when it has grown, it is begun anew with the sums.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hansa_economy::channel::AccountId;
use hansa_economy::ledger::TransferId;

use super::books::{Books, OpenHold, Payment, Record};

/// Name of the file in its folder.
const FILE: &str = "journal.jsonl";
/// Bytes after which the journal is begun anew.
const ANEW_BYTES: u64 = 16 << 20;

/// Why the journal cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum MeterError {
    /// The file system's word.
    #[error("the meter's journal {} cannot be written: {error}; make room or mend the disk, then start the node again", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// A line that no version of this program wrote.
    #[error("line {line} of the meter's journal {} is damaged ({error}); restore the file from a copy, or move it away: what agents owe for inference since the last settling is lost then", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Counted from 1.
        line: usize,
        /// Why.
        error: serde_json::Error,
    },
}

/// The journal of a node, and the sums of it. Cheap to clone.
#[derive(Clone)]
pub struct Meter(Arc<Inner>);

struct Inner {
    path: PathBuf,
    state: Mutex<State>,
}

struct State {
    file: File,
    bytes: u64,
    books: Books,
}

impl Meter {
    /// Opens or begins the journal in `folder`.
    ///
    /// # Errors
    /// See [`MeterError`]; what was read is not lost.
    pub fn open(folder: &Path) -> Result<Meter, MeterError> {
        let path = folder.join(FILE);
        let io = |error| MeterError::Io { path: path.clone(), error };
        fs::create_dir_all(folder).map_err(io)?;
        let books = match fs::read(&path) {
            Ok(bytes) => replay(&path, &bytes)?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Books::default(),
            Err(error) => return Err(io(error)),
        };
        let (file, bytes) = begin(&path, &books).map_err(io)?;
        Ok(Meter(Arc::new(Inner { path, state: Mutex::new(State { file, bytes, books }) })))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes a record down; it survives the death of the process.
    pub(super) fn write(&self, record: &Record) -> Result<(), MeterError> {
        let io = |error| MeterError::Io { path: self.0.path.clone(), error };
        let mut line = serde_json::to_vec(record).expect("a record is plain data");
        line.push(b'\n');
        let mut state = self.lock();
        if let Err(error) = state.file.write_all(&line) {
            // Half a line would spoil the next one.
            let _ = state.file.set_len(state.bytes);
            return Err(io(error));
        }
        state.bytes += line.len() as u64;
        state.books.apply(record);
        if state.bytes > ANEW_BYTES {
            match begin(&self.0.path, &state.books) {
                Ok((file, bytes)) => (state.file, state.bytes) = (file, bytes),
                // The record stands in the old file, which goes on growing until there is room.
                Err(error) => tracing::warn!(%error, "the meter's journal could not be begun anew"),
            }
        }
        Ok(())
    }

    /// The same, and it survives the death of the machine.
    pub(super) fn write_durably(&self, record: &Record) -> Result<(), MeterError> {
        self.write(record)?;
        self.sync()
    }

    /// What was written survives the death of the machine.
    pub(super) fn sync(&self) -> Result<(), MeterError> {
        // Others go on writing meanwhile.
        let file = self.lock().file.try_clone();
        file.and_then(|file| file.sync_data()).map_err(|error| MeterError::Io { path: self.0.path.clone(), error })
    }

    /// The open holds on an account.
    pub(super) fn holds_on(&self, account: AccountId) -> Vec<(TransferId, OpenHold)> {
        self.lock().books.holds.iter().filter(|(_, hold)| hold.account == account).map(|(id, hold)| (*id, *hold)).collect()
    }

    /// What was charged on a hold.
    pub(super) fn charged(&self, id: TransferId) -> u64 {
        self.lock().books.holds.get(&id).map_or(0, |hold| hold.charged)
    }

    /// The account's payments of which no outcome is known.
    pub(super) fn payments_of(&self, account: AccountId) -> Vec<(TransferId, Payment)> {
        let state = self.lock();
        state.books.payments.iter().filter(|(_, payment)| payment.account == account).map(|(id, paid)| (*id, *paid)).collect()
    }

    /// Owed by an account beyond what is held, payments without an outcome included.
    pub fn owed_by(&self, account: AccountId) -> u64 {
        self.lock().books.owed_by(account)
    }
}

/// The sums of a journal's bytes.
fn replay(path: &Path, bytes: &[u8]) -> Result<Books, MeterError> {
    let mut books = Books::default();
    // Whole lines only: what follows the last line feed was cut off.
    let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |last| last + 1);
    for (number, line) in bytes[..whole].split(|byte| *byte == b'\n').enumerate().filter(|(_, line)| !line.is_empty()) {
        let record = serde_json::from_slice(line);
        books.apply(&record.map_err(|error| MeterError::Damaged { path: path.to_owned(), line: number + 1, error })?);
    }
    Ok(books)
}

/// A new journal in the place of the old one, with the same sums: whole or not at all.
fn begin(path: &Path, books: &Books) -> std::io::Result<(File, u64)> {
    let new = path.with_extension("new");
    let mut text = Vec::new();
    for record in books.records() {
        serde_json::to_writer(&mut text, &record)?;
        text.push(b'\n');
    }
    // What an attempt before this one left there was never in use.
    let _ = fs::remove_file(&new);
    let mut file = OpenOptions::new().append(true).create_new(true).open(&new)?;
    file.write_all(&text)?;
    file.sync_all()?;
    let folder = path.parent().map(File::open).transpose()?;
    // From here on the new file is the journal, whatever becomes of the rest.
    fs::rename(&new, path)?;
    if let Some(Err(error)) = folder.map(|folder| folder.sync_all()) {
        tracing::warn!(%error, "the folder of the meter's journal could not be synced");
    }
    Ok((file, text.len() as u64))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hold(number: u128) -> Record {
        Record::Hold { id: TransferId::from_time(1, number), account: AccountId::default() }
    }

    fn charge(number: u128, cost: u64) -> Record {
        let hold = Some(TransferId::from_time(1, number));
        Record::Charge { hold, account: AccountId::default(), model: Default::default(), input: 3, output: 0, cost }
    }

    #[test]
    fn what_was_written_is_there_again_and_a_torn_line_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let meter = Meter::open(folder.path()).unwrap();
        for record in [hold(1), charge(1, 5), charge(1, 6)] {
            meter.write(&record).unwrap();
        }
        drop(meter);
        let path = folder.path().join(FILE);
        let whole = fs::read(&path).unwrap();
        for torn in 0..whole.len() {
            fs::write(&path, &whole[..torn]).unwrap();
            let lines = whole[..torn].iter().filter(|byte| **byte == b'\n').count();
            let meter = Meter::open(folder.path()).unwrap();
            assert_eq!(meter.charged(TransferId::from_time(1, 1)), [0, 0, 5][lines], "cut at {torn}");
        }
    }

    #[test]
    fn a_damaged_line_is_named_and_the_file_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(FILE);
        fs::write(&path, "{\"posted\":{\"id\":\"00000000000000000000000000000001\"}}\nnonsense\n").unwrap();
        let error = Meter::open(folder.path()).map(drop).unwrap_err().to_string();
        assert!(error.contains("line 2") && error.contains("restore"), "{error}");
        assert!(fs::read_to_string(&path).unwrap().contains("nonsense"));
    }
}
