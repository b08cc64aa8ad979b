//! Table `outcomes.1`: where each command's outcome stands in the log. Key: the command's id. Value: CBOR of `OutcomeRef`.
//! Written once per command by the writer, never changed.

use hansa_economy::ledger::{CommandId, OutcomeRef};
use redb::{ReadableTable, Table, TableDefinition};

use super::{decode, encode};
use crate::store::StoreError;

pub(crate) const TAG: &str = "outcomes.1";
pub(crate) const TABLE: TableDefinition<'static, u128, &[u8]> = TableDefinition::new(TAG);

pub(crate) fn put(table: &mut Table<'_, u128, &'static [u8]>, id: CommandId, outcome: &OutcomeRef) -> Result<(), StoreError> {
    table.insert(id.0, encode(outcome).as_slice())?;
    Ok(())
}

pub(crate) fn get(table: &impl ReadableTable<u128, &'static [u8]>, id: CommandId) -> Result<Option<OutcomeRef>, StoreError> {
    table.get(id.0)?.map(|row| decode(TAG, row.value())).transpose()
}
