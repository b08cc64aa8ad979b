//! Table `outcomes.2`: where each command's outcome stands in the log. Sheaves by the command's id; a row is the digest of the
//! command's bytes, the entry (u64) and the place in it (u32), little-endian. Written once per command by a snapshot, never changed.

use hansa_economy::Digest;
use hansa_economy::ledger::{CommandId, Id128, OutcomeRef};
use redb::ReadableTable;

use super::sheaf;
use crate::store::StoreError;

pub(crate) const TAG: &str = "outcomes.2";
pub(crate) const TABLE: sheaf::Definition = sheaf::Definition::new(TAG);

pub(crate) fn push(rows: &mut sheaf::Rows, id: CommandId, outcome: &OutcomeRef) {
    rows.push(id.0, |bytes| {
        bytes.extend_from_slice(&outcome.digest.0);
        bytes.extend_from_slice(&outcome.seq.to_le_bytes());
        bytes.extend_from_slice(&outcome.index.to_le_bytes());
    });
}

pub(crate) fn get(table: &impl ReadableTable<u128, &'static [u8]>, id: CommandId) -> Result<Option<OutcomeRef>, StoreError> {
    sheaf::get(table, TAG, id.0, open)
}

fn open(row: &[u8]) -> Result<OutcomeRef, StoreError> {
    let outcome = row.split_first_chunk::<32>().and_then(|(digest, rest)| {
        let (seq, index) = rest.split_first_chunk::<8>()?;
        let index = u32::from_le_bytes(index.try_into().ok()?);
        Some(OutcomeRef { digest: Digest(*digest), seq: u64::from_le_bytes(*seq), index })
    });
    outcome.ok_or_else(|| StoreError::Row { table: TAG, reason: format!("an outcome of {} bytes", row.len()) })
}

/// The rows of `ids`, which rise, each given to `found`.
pub(crate) fn get_each(
    table: &impl ReadableTable<u128, &'static [u8]>,
    ids: &[CommandId],
    mut found: impl FnMut(CommandId, OutcomeRef),
) -> Result<(), StoreError> {
    sheaf::get_each(table, TAG, ids.iter().map(|id| id.0), |id, row| {
        found(Id128(id), open(row)?);
        Ok(())
    })
}
