//! Table `places.1`: where each plain transfer stands in the log, which has all that there is to know of it. Sheaves by the
//! transfer's id; a row is the entry (u64), the command in it (u32) and the transfer in its batch (u16), little-endian. Written once per
//! transfer by a snapshot, never changed.

use hansa_economy::ledger::{Entry, Id128, Transfer, TransferId};
use redb::ReadableTable;

use super::sheaf;
use crate::store::StoreError;

pub(crate) const TAG: &str = "places.1";
pub(crate) const TABLE: sheaf::Definition = sheaf::Definition::new(TAG);

/// A place in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) seq: u64,
    pub(crate) command: u32,
    pub(crate) event: u16,
}

impl Place {
    /// The transfer that stands there.
    pub(crate) fn read(self, log: &impl ReadableTable<u64, &'static [u8]>) -> Result<Transfer, StoreError> {
        let wrong = |reason: String| StoreError::Row { table: TAG, reason };
        let entry = log.get(self.seq)?.ok_or_else(|| wrong(format!("entry {} is not there", self.seq)))?;
        Entry::plain_transfer(entry.value(), self.command, self.event).map_err(|error| wrong(error.to_string()))
    }
}

pub(crate) fn push(rows: &mut sheaf::Rows, id: TransferId, place: Place) {
    rows.push(id.0, |bytes| {
        bytes.extend_from_slice(&place.seq.to_le_bytes());
        bytes.extend_from_slice(&place.command.to_le_bytes());
        bytes.extend_from_slice(&place.event.to_le_bytes());
    });
}

pub(crate) fn get(table: &impl ReadableTable<u128, &'static [u8]>, id: TransferId) -> Result<Option<Place>, StoreError> {
    sheaf::get(table, TAG, id.0, open)
}

/// The rows of `ids`, which rise, each given to `found`.
pub(crate) fn get_each(
    table: &impl ReadableTable<u128, &'static [u8]>,
    ids: &[TransferId],
    mut found: impl FnMut(TransferId, Place) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    sheaf::get_each(table, TAG, ids.iter().map(|id| id.0), |id, row| found(Id128(id), open(row)?))
}

fn open(row: &[u8]) -> Result<Place, StoreError> {
    let place = row.split_first_chunk::<8>().and_then(|(seq, rest)| {
        let (command, event) = rest.split_first_chunk::<4>()?;
        let event = u16::from_le_bytes(event.try_into().ok()?);
        Some(Place { seq: u64::from_le_bytes(*seq), command: u32::from_le_bytes(*command), event })
    });
    place.ok_or_else(|| StoreError::Row { table: TAG, reason: format!("a place of {} bytes", row.len()) })
}
