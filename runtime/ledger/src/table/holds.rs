//! Table `holds.1`: open holds, an index over `transfers.1`, so that a start reads only these. Key: the hold's id. No value.
//! The writer adds a hold when it is made and takes it away when it is resolved or lets go.

use hansa_economy::ledger::{Id128, TransferId};
use redb::{ReadableTable, Table, TableDefinition};

use crate::store::StoreError;

pub(crate) const TAG: &str = "holds.1";
pub(crate) const TABLE: TableDefinition<'static, u128, ()> = TableDefinition::new(TAG);

/// A hold is open, or is not any more.
pub(crate) fn put(table: &mut Table<'_, u128, ()>, id: TransferId, open: bool) -> Result<(), StoreError> {
    match open {
        true => table.insert(id.0, ())?,
        false => table.remove(id.0)?,
    };
    Ok(())
}

pub(crate) fn all(table: &impl ReadableTable<u128, ()>) -> Result<Vec<TransferId>, StoreError> {
    table.iter()?.map(|row| Ok(Id128(row?.0.value()))).collect()
}
