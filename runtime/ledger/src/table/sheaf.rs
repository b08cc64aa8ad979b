//! Sheaves: many small rows in one value of redb, so that a commit writes a few big values in place of many small ones.
//!
//! Key: the first id that may stand in the sheaf, 0 for the first sheaf; it ends before the next key. Value: how many rows
//! (u16), where each row ends in the bytes (u16 each), their ids in rising order (u128 each), the bytes; little-endian. A sheaf
//! fills one page of redb. Ascending ids fill sheaves one after the other; others split a full sheaf evenly. Rows never go.

use std::ops::Bound;

use redb::{AccessGuard, ReadableTable, Table};

use crate::limits::SHEAF_BYTES_MAX;
use crate::store::StoreError;

/// The type of a table of sheaves.
pub(crate) type Definition = redb::TableDefinition<'static, u128, &'static [u8]>;
type Guard<'a> = AccessGuard<'a, &'static [u8]>;

const COUNT_BYTES: usize = 2;
const ROW_BYTES: usize = 2 + 16;

/// Rows to be written, in rising order of their ids.
#[derive(Default)]
pub(crate) struct Rows {
    ids: Vec<u128>,
    ends: Vec<usize>,
    bytes: Vec<u8>,
}

impl Rows {
    /// Add a row, whose bytes `write` appends.
    pub(crate) fn push(&mut self, id: u128, write: impl FnOnce(&mut Vec<u8>)) {
        debug_assert!(self.ids.last().is_none_or(|last| *last < id), "rows come in rising order");
        write(&mut self.bytes);
        self.ids.push(id);
        self.ends.push(self.bytes.len());
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    fn row(&self, index: usize) -> Row<'_> {
        let start = index.checked_sub(1).map_or(0, |before| self.ends[before]);
        (self.ids[index], &self.bytes[start..self.ends[index]])
    }
}

type Row<'a> = (u128, &'a [u8]);

/// A value, whose form was checked.
#[derive(Clone, Copy)]
struct Sheaf<'a> {
    ends: &'a [u8],
    ids: &'a [u8],
    rows: &'a [u8],
}

impl<'a> Sheaf<'a> {
    const EMPTY: Sheaf<'static> = Sheaf { ends: &[], ids: &[], rows: &[] };

    fn open(tag: &'static str, value: &'a [u8]) -> Result<Sheaf<'a>, StoreError> {
        Sheaf::parse(value).ok_or_else(|| StoreError::Row { table: tag, reason: "not a sheaf of rows".into() })
    }

    fn parse(value: &'a [u8]) -> Option<Sheaf<'a>> {
        let (count, rest) = value.split_first_chunk()?;
        let count = usize::from(u16::from_le_bytes(*count));
        let (ends, rest) = rest.split_at_checked(count * 2)?;
        let (ids, rows) = rest.split_at_checked(count * 16)?;
        let sheaf = Sheaf { ends, ids, rows };
        (count > 0 && sheaf.end(count - 1) == rows.len()).then_some(sheaf)
    }

    fn len(&self) -> usize {
        self.ids.len() / 16
    }

    fn id(&self, index: usize) -> u128 {
        let bytes = self.ids[index * 16..][..16].try_into().expect("the slice has 16 bytes");
        u128::from_le_bytes(bytes)
    }

    fn end(&self, index: usize) -> usize {
        usize::from(u16::from_le_bytes([self.ends[index * 2], self.ends[index * 2 + 1]]))
    }

    fn row(&self, index: usize) -> Row<'a> {
        let start = index.checked_sub(1).map_or(0, |before| self.end(before));
        // Ends that do not rise make an empty row, which no codec takes.
        (self.id(index), self.rows.get(start..self.end(index)).unwrap_or_default())
    }

    fn last(&self) -> Option<u128> {
        self.len().checked_sub(1).map(|last| self.id(last))
    }

    fn find(&self, id: u128) -> Option<&'a [u8]> {
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = low.midpoint(high);
            match self.id(middle).cmp(&id) {
                std::cmp::Ordering::Equal => return Some(self.row(middle).1),
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Greater => high = middle,
            }
        }
        None
    }
}

/// The row of `id`, which `read` makes something of.
pub(crate) fn get<T>(
    table: &impl ReadableTable<u128, &'static [u8]>,
    tag: &'static str,
    id: u128,
    read: impl FnOnce(&[u8]) -> Result<T, StoreError>,
) -> Result<Option<T>, StoreError> {
    let Some((_, value)) = covering(table, id)? else { return Ok(None) };
    Sheaf::open(tag, value.value())?.find(id).map(read).transpose()
}

/// The rows of `ids`, which rise, each given to `found`. Ids beyond the newest row cost nothing.
pub(crate) fn get_each(
    table: &impl ReadableTable<u128, &'static [u8]>,
    tag: &'static str,
    ids: impl IntoIterator<Item = u128>,
    mut found: impl FnMut(u128, &[u8]) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let newest = table.last()?.map(|(_, value)| Sheaf::open(tag, value.value()).map(|sheaf| sheaf.last())).transpose()?.flatten();
    let mut here: Option<Guard<'_>> = None;
    for id in ids {
        if newest.is_none_or(|newest| newest < id) {
            break;
        }
        let within = match &here {
            Some(value) => Sheaf::open(tag, value.value())?.last().is_some_and(|last| id <= last),
            None => false,
        };
        if !within {
            here = covering(table, id)?.map(|(_, value)| value);
        }
        let Some(value) = &here else { continue };
        if let Some(row) = Sheaf::open(tag, value.value())?.find(id) {
            found(id, row)?;
        }
    }
    Ok(())
}

/// All rows, in rising order of their ids.
pub(crate) fn all(
    table: &impl ReadableTable<u128, &'static [u8]>,
    tag: &'static str,
) -> Result<impl Iterator<Item = Result<(u128, Vec<u8>), StoreError>>, StoreError> {
    let read = move |value: Guard<'_>| -> Result<Vec<(u128, Vec<u8>)>, StoreError> {
        let sheaf = Sheaf::open(tag, value.value())?;
        Ok((0..sheaf.len()).map(|index| sheaf.row(index)).map(|(id, row)| (id, row.to_vec())).collect())
    };
    let sheaves = table.iter()?.map(move |value| read(value?.1));
    Ok(sheaves.flat_map(|rows| match rows {
        Ok(rows) => rows.into_iter().map(Ok).collect(),
        Err(error) => vec![Err(error)],
    }))
}

/// How many rows there are.
pub(crate) fn len(table: &impl ReadableTable<u128, &'static [u8]>, tag: &'static str) -> Result<u64, StoreError> {
    table.iter()?.try_fold(0, |rows, value| Ok(rows + Sheaf::open(tag, value?.1.value())?.len() as u64))
}

/// Write `rows`, in the place of those with the same ids.
pub(crate) fn put(table: &mut Table<'_, u128, &'static [u8]>, tag: &'static str, rows: &Rows) -> Result<(), StoreError> {
    let mut from = 0;
    while from < rows.ids.len() {
        let first = rows.ids[from];
        let next = table.range((Bound::Excluded(first), Bound::Unbounded))?.next().transpose()?.map(|(key, _)| key.value());
        let until = next.map_or(rows.ids.len(), |next| from + rows.ids[from..].partition_point(|id| *id < next));
        let (key, values) = {
            let before = covering(table, first)?;
            let key = before.as_ref().map_or(0, |(key, _)| *key);
            let sheaf = before.as_ref().map_or(Ok(Sheaf::EMPTY), |(_, value)| Sheaf::open(tag, value.value()))?;
            (key, merge(tag, sheaf, rows, from..until)?)
        };
        for (index, (first, value)) in values.iter().enumerate() {
            table.insert(if index == 0 { key } else { *first }, value.as_slice())?;
        }
        from = until;
    }
    Ok(())
}

fn covering<'t>(table: &'t impl ReadableTable<u128, &'static [u8]>, id: u128) -> Result<Option<(u128, Guard<'t>)>, StoreError> {
    Ok(table.range(..=id)?.next_back().transpose()?.map(|(key, value)| (key.value(), value)))
}

/// The new values in the place of `sheaf`, each with the id of its first row.
fn merge(
    tag: &'static str,
    sheaf: Sheaf<'_>,
    rows: &Rows,
    range: std::ops::Range<usize>,
) -> Result<Vec<(u128, Vec<u8>)>, StoreError> {
    let appends = sheaf.last().is_none_or(|last| last < rows.ids[range.start]);
    let mut merged: Vec<Row<'_>> = Vec::with_capacity(sheaf.len() + range.len());
    let mut old = (0..sheaf.len()).map(|index| sheaf.row(index)).peekable();
    for new in range.map(|index| rows.row(index)) {
        while let Some(row) = old.next_if(|(id, _)| *id < new.0) {
            merged.push(row);
        }
        old.next_if(|(id, _)| *id == new.0);
        merged.push(new);
    }
    merged.extend(old);
    let bytes = COUNT_BYTES + merged.iter().map(|(_, row)| ROW_BYTES + row.len()).sum::<usize>();
    let target = if appends { SHEAF_BYTES_MAX } else { (bytes / bytes.div_ceil(SHEAF_BYTES_MAX)).min(SHEAF_BYTES_MAX) };
    let mut values = Vec::new();
    let mut left = merged.as_slice();
    while !left.is_empty() {
        let (now, later) = left.split_at(fitting(left, target));
        values.push((now[0].0, bind(now).ok_or_else(|| StoreError::Row { table: tag, reason: "a row is too long".into() })?));
        left = later;
    }
    Ok(values)
}

/// How many rows make a sheaf that reaches `target` bytes, and does not pass what fits; at least one.
fn fitting(rows: &[Row<'_>], target: usize) -> usize {
    let mut bytes = COUNT_BYTES;
    let fits = rows.iter().take_while(|(_, row)| {
        let begins_below = bytes < target;
        bytes += ROW_BYTES + row.len();
        begins_below && bytes <= SHEAF_BYTES_MAX
    });
    fits.count().max(1)
}

fn bind(rows: &[Row<'_>]) -> Option<Vec<u8>> {
    let bytes = rows.iter().map(|(_, row)| row.len()).sum::<usize>();
    let mut value = Vec::with_capacity(COUNT_BYTES + rows.len() * ROW_BYTES + bytes);
    value.extend_from_slice(&u16::try_from(rows.len()).ok()?.to_le_bytes());
    let mut end = 0;
    for (_, row) in rows {
        end += row.len();
        value.extend_from_slice(&u16::try_from(end).ok()?.to_le_bytes());
    }
    rows.iter().for_each(|(id, _)| value.extend_from_slice(&id.to_le_bytes()));
    rows.iter().for_each(|(_, row)| value.extend_from_slice(row));
    Some(value)
}
