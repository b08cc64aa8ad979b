//! Format 1: tables with a row of redb for each account, transfer and outcome. They are read once, to make the newest of them.

use hansa_economy::ledger::{Account, Id128, OutcomeRef, TransferRecord};
use redb::{ReadableTable, TableDefinition, WriteTransaction};

use super::{accounts, decode, meta, outcomes, sheaf, transfers};
use crate::limits::UPGRADE_ROWS_MAX;
use crate::store::StoreError;

type Rows = TableDefinition<'static, u128, &'static [u8]>;

const ACCOUNTS: Rows = Rows::new("accounts.1");
const TRANSFERS: Rows = Rows::new("transfers.1");
const OUTCOMES: Rows = Rows::new("outcomes.1");

/// Put all rows where the newest format has them, and delete the tables that they stood in.
pub(crate) fn upgrade(tx: &WriteTransaction) -> Result<(), StoreError> {
    let account = |row: &[u8]| decode::<Account>("accounts.1", row);
    copy(tx, ACCOUNTS, accounts::BALANCES, |_, row, rows| account(row).map(|account| accounts::push_balance(rows, &account)))?;
    copy(tx, ACCOUNTS, accounts::TABLE, |_, row, rows| account(row).map(|account| accounts::push(rows, &account)))?;
    copy(tx, TRANSFERS, transfers::TABLE, |id, row, rows| {
        decode::<TransferRecord>("transfers.1", row).map(|record| transfers::push(rows, Id128(id), &record))
    })?;
    copy(tx, OUTCOMES, outcomes::TABLE, |id, row, rows| {
        decode::<OutcomeRef>("outcomes.1", row).map(|outcome| outcomes::push(rows, Id128(id), &outcome))
    })?;
    for table in [ACCOUNTS, TRANSFERS, OUTCOMES] {
        tx.delete_table(table)?;
    }
    meta::put_format(&mut tx.open_table(meta::TABLE)?, meta::FORMAT)
}

fn copy(
    tx: &WriteTransaction,
    from: Rows,
    to: sheaf::Definition,
    push: impl Fn(u128, &[u8], &mut sheaf::Rows) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let (from, mut to) = (tx.open_table(from)?, tx.open_table(to)?);
    let mut all = from.iter()?.peekable();
    while all.peek().is_some() {
        let mut rows = sheaf::Rows::default();
        for row in all.by_ref().take(UPGRADE_ROWS_MAX) {
            let (id, row) = row?;
            push(id.value(), row.value(), &mut rows)?;
        }
        sheaf::put(&mut to, "format 1", &rows)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use hansa_economy::Keypair;
    use hansa_economy::ledger::{AccountOpen, AssetCreate, Command, Genesis, SignedCommand};
    use redb::{Database, ReadableDatabase};

    use super::*;
    use crate::handle::{Ledger, LedgerOptions};
    use crate::table::encode;

    fn options() -> LedgerOptions {
        LedgerOptions::new(std::sync::Arc::new(|| 1_000_000))
    }

    /// Put the rows back where format 1 had them.
    fn downgrade(database: &Database) {
        let (old, new) = (database.begin_read().unwrap(), database.begin_write().unwrap());
        let (table, balances) = (old.open_table(accounts::TABLE).unwrap(), old.open_table(accounts::BALANCES).unwrap());
        for account in accounts::all(&table, &balances).unwrap().map(Result::unwrap) {
            new.open_table(ACCOUNTS).unwrap().insert(account.id.0, encode(&account).as_slice()).unwrap();
        }
        for row in sheaf::all(&old.open_table(transfers::TABLE).unwrap(), transfers::TAG).unwrap() {
            let (id, row) = row.unwrap();
            new.open_table(TRANSFERS).unwrap().insert(id, row.as_slice()).unwrap();
        }
        for row in sheaf::all(&old.open_table(outcomes::TABLE).unwrap(), outcomes::TAG).unwrap() {
            let (id, row) = row.unwrap();
            let row = encode(&outcomes::open(&row).unwrap());
            new.open_table(OUTCOMES).unwrap().insert(id, row.as_slice()).unwrap();
        }
        for table in [accounts::TABLE, accounts::BALANCES, transfers::TABLE, outcomes::TABLE] {
            new.delete_table(table).unwrap();
        }
        new.open_table(TRANSFERS).unwrap();
        meta::put_format(&mut new.open_table(meta::TABLE).unwrap(), 1).unwrap();
        new.commit().unwrap();
    }

    #[tokio::test]
    async fn format_1_becomes_the_newest() {
        let folder = tempfile::tempdir().unwrap();
        let key = Keypair::from_seed(&[1; 32]);
        let ledger = Ledger::create(folder.path(), Genesis::sign("old", Id128(1), &key).bytes(), options()).unwrap();
        let asset = AssetCreate { asset: 1, code: "X".into(), scale: 0, issuer: key.public() };
        let mut commands = vec![Command::AssetCreate(asset)];
        commands.extend((0..300).map(|n| Command::AccountOpen(AccountOpen::new(1, n.to_string()))));
        let sign = |(n, command)| SignedCommand::sign(ledger.id(), Id128(10 + n), command, &key).bytes().to_vec();
        let signed: Vec<_> = (0u128..).zip(commands).map(sign).collect();
        for command in &signed {
            ledger.submit(command.clone()).await.unwrap();
        }
        let before = ledger.check().unwrap();
        drop(ledger);
        downgrade(&Database::open(folder.path().join(crate::store::FILE_NAME)).unwrap());
        let ledger = Ledger::open(folder.path(), options()).unwrap();
        assert_eq!(ledger.check().unwrap(), before);
        assert_eq!((before.accounts, before.problem), (301, None));
        assert!(ledger.submit(signed[7].clone()).await.unwrap().repeated);
    }
}
