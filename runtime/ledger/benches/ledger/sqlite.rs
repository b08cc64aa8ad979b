//! The yardstick: SQLite with a write-ahead log and `synchronous=FULL` does the same job with prepared statements.
//!
//! Per transfer: both accounts exist, the paying one stays at or above zero, the id is new, both balances follow. One transaction
//! per batch. In SQLite's favour: the fewest statements that do this, account numbers of 64 bits, exclusive locking, rare checkpoints,
//! no log, no hash chain, no results kept.

use std::path::Path;

use rusqlite::{Connection, params};

use crate::town::{ACCOUNTS, FUNDS, pair};

pub(crate) struct Sqlite {
    connection: Connection,
    next: u64,
}

impl Sqlite {
    pub(crate) fn found(folder: &Path) -> Sqlite {
        let mut connection = Connection::open(folder.join("yardstick.sqlite")).unwrap();
        connection
            .execute_batch(
                "PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA cache_size=-262144;
                 PRAGMA wal_autocheckpoint=16384; PRAGMA temp_store=MEMORY;
                 CREATE TABLE accounts(id INTEGER PRIMARY KEY, debits INTEGER NOT NULL, credits INTEGER NOT NULL);
                 CREATE TABLE transfers(id BLOB PRIMARY KEY, debit INTEGER NOT NULL, credit INTEGER NOT NULL,
                    amount INTEGER NOT NULL, asset INTEGER NOT NULL, code INTEGER NOT NULL, timestamp INTEGER NOT NULL) WITHOUT ROWID;",
            )
            .unwrap();
        let tx = connection.transaction().unwrap();
        for id in 0..ACCOUNTS {
            tx.execute("INSERT INTO accounts VALUES(?1, 0, ?2)", params![id as i64, FUNDS as i64]).unwrap();
        }
        tx.commit().unwrap();
        Sqlite { connection, next: 1_000 }
    }

    /// `batches` transactions of `each` transfers.
    pub(crate) fn pay(&mut self, batches: usize, each: usize) {
        for _ in 0..batches {
            let tx = self.connection.transaction().unwrap();
            let mut debit = tx.prepare("UPDATE accounts SET debits=debits+?1 WHERE id=?2 AND credits-debits>=?1").unwrap();
            let mut credit = tx.prepare("UPDATE accounts SET credits=credits+?1 WHERE id=?2").unwrap();
            let mut insert = tx.prepare("INSERT INTO transfers VALUES(?1,?2,?3,?4,1,1,?5)").unwrap();
            for _ in 0..each {
                let n = self.next;
                self.next += 1;
                let (from, to) = pair(n);
                let id = u128::from(n).to_be_bytes();
                insert.execute(params![id.as_slice(), from as i64, to as i64, 1, n as i64]).unwrap();
                assert_eq!(debit.execute(params![1, from as i64]).unwrap(), 1);
                assert_eq!(credit.execute(params![1, to as i64]).unwrap(), 1);
            }
            drop((debit, credit, insert));
            tx.commit().unwrap();
        }
    }
}
