//! Table `channels.1`: channels with their lanes. Key: the channel's id. Value: CBOR of `Channel`.
//! Changed by the writer after each `channel.*` command.

use hansa_economy::channel::ChannelId;
use hansa_economy::ledger::Channel;
use redb::{ReadableTable, Table, TableDefinition};

use super::{decode, encode};
use crate::store::StoreError;

pub(crate) const TAG: &str = "channels.1";
pub(crate) const TABLE: TableDefinition<'static, &[u8; 32], &[u8]> = TableDefinition::new(TAG);

pub(crate) fn put(table: &mut Table<'_, &'static [u8; 32], &'static [u8]>, channel: &Channel) -> Result<(), StoreError> {
    table.insert(&channel.id.0, encode(channel).as_slice())?;
    Ok(())
}

pub(crate) fn get(
    table: &impl ReadableTable<&'static [u8; 32], &'static [u8]>,
    id: ChannelId,
) -> Result<Option<Channel>, StoreError> {
    table.get(&id.0)?.map(|row| decode(TAG, row.value())).transpose()
}

pub(crate) fn all(
    table: &impl ReadableTable<&'static [u8; 32], &'static [u8]>,
) -> Result<impl Iterator<Item = Result<Channel, StoreError>>, StoreError> {
    Ok(table.iter()?.map(|row| decode(TAG, row?.1.value())))
}
