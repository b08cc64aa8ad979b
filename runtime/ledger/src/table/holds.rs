//! Table `holds.1`: open holds, an index over `transfers.1`, so that a start reads only these. Key: the hold's id. No value.
//! The writer adds a hold when it is made and takes it away when it is resolved or lets go.

use hansa_economy::ledger::{Id128, TransferId, TransferRecord};
use redb::{ReadableTable, Table, TableDefinition};

use crate::store::StoreError;

pub(crate) const TAG: &str = "holds.1";
pub(crate) const TABLE: TableDefinition<'static, u128, ()> = TableDefinition::new(TAG);

pub(crate) fn follow(table: &mut Table<'_, u128, ()>, id: TransferId, record: &TransferRecord) -> Result<(), StoreError> {
    match record {
        TransferRecord::Created(_, Some(_)) if record.is_open_hold() => table.insert(id.0, ())?,
        TransferRecord::Created(_, Some(_)) => table.remove(id.0)?,
        TransferRecord::Created(_, None) | TransferRecord::Burnt => None,
    };
    Ok(())
}

pub(crate) fn all(table: &impl ReadableTable<u128, ()>) -> Result<Vec<TransferId>, StoreError> {
    table.iter()?.map(|row| Ok(Id128(row?.0.value()))).collect()
}
