//! Table `assets.1`: assets with what was issued and redeemed. Key: the asset's number. Value: CBOR of `Asset`.
//! Changed by the writer after `asset.create`, `issue` and `redeem`.

use hansa_economy::ledger::Asset;
use redb::{ReadableTable, Table, TableDefinition};

use super::{decode, encode};
use crate::store::StoreError;

pub(crate) const TAG: &str = "assets.1";
pub(crate) const TABLE: TableDefinition<'static, u32, &[u8]> = TableDefinition::new(TAG);

pub(crate) fn put(table: &mut Table<'_, u32, &'static [u8]>, asset: &Asset) -> Result<(), StoreError> {
    table.insert(asset.id, encode(asset).as_slice())?;
    Ok(())
}

pub(crate) fn get(table: &impl ReadableTable<u32, &'static [u8]>, id: u32) -> Result<Option<Asset>, StoreError> {
    table.get(id)?.map(|row| decode(TAG, row.value())).transpose()
}

pub(crate) fn all(
    table: &impl ReadableTable<u32, &'static [u8]>,
) -> Result<impl Iterator<Item = Result<Asset, StoreError>>, StoreError> {
    Ok(table.iter()?.map(|row| decode(TAG, row?.1.value())))
}
