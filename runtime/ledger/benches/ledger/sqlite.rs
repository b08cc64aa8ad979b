//! The yardstick: SQLite with a write-ahead log and `synchronous=FULL` does the same with prepared statements, one transaction per
//! batch. Twice:
//!
//! - [`Sqlite::keep`], the same job: the signed commands that the ledger takes. Per command its outcome by id and digest; per entry a
//!   row with the exact bytes under a hash chain (SHA-256); per transfer both accounts exist, the paying one stays at or above zero,
//!   the id is new, the row has the fields that say something, both balances follow. Amounts have 64 bits, results are not kept.
//! - [`Sqlite::pay`], the least: account numbers of 64 bits, and nothing but balances and a row per transfer.
//!
//! In SQLite's favour both times: exclusive locking, rare checkpoints.

use std::path::Path;

use hansa_economy::Digest;
use hansa_economy::ledger::{Command, Verified};
use hansa_ledger::bench::{ACCOUNTS, FUNDS, pair};
use rusqlite::{Connection, params};

pub(crate) struct Sqlite {
    connection: Connection,
    next: u64,
    head: Digest,
}

/// Commands of one row of the log, as in the ledger.
const PER_ENTRY: usize = 5;

impl Sqlite {
    pub(crate) fn found(folder: &Path, accounts: &[hansa_economy::channel::AccountId]) -> Sqlite {
        let mut connection = Connection::open(folder.join("yardstick.sqlite")).unwrap();
        connection
            .execute_batch(
                "PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA cache_size=-262144;
                 PRAGMA wal_autocheckpoint=16384; PRAGMA temp_store=MEMORY;
                 CREATE TABLE numbered(id INTEGER PRIMARY KEY, debits INTEGER NOT NULL, credits INTEGER NOT NULL);
                 CREATE TABLE least(id BLOB PRIMARY KEY, debit INTEGER NOT NULL, credit INTEGER NOT NULL,
                    amount INTEGER NOT NULL, asset INTEGER NOT NULL, code INTEGER NOT NULL, timestamp INTEGER NOT NULL) WITHOUT ROWID;
                 CREATE TABLE accounts(id BLOB PRIMARY KEY, debits INTEGER NOT NULL, credits INTEGER NOT NULL) WITHOUT ROWID;
                 CREATE TABLE transfers(id BLOB PRIMARY KEY, debit BLOB NOT NULL, credit BLOB NOT NULL,
                    amount INTEGER NOT NULL, asset INTEGER NOT NULL, code INTEGER NOT NULL, timestamp INTEGER NOT NULL) WITHOUT ROWID;
                 CREATE TABLE outcomes(id BLOB PRIMARY KEY, digest BLOB NOT NULL, seq INTEGER NOT NULL) WITHOUT ROWID;
                 CREATE TABLE log(seq INTEGER PRIMARY KEY, hash BLOB NOT NULL, commands BLOB NOT NULL);",
            )
            .unwrap();
        let tx = connection.transaction().unwrap();
        for id in 0..ACCOUNTS {
            tx.execute("INSERT INTO numbered VALUES(?1, 0, ?2)", params![id as i64, FUNDS as i64]).unwrap();
        }
        for id in accounts {
            tx.execute("INSERT INTO accounts VALUES(?1, 0, ?2)", params![id.0.to_be_bytes().as_slice(), FUNDS as i64]).unwrap();
        }
        tx.commit().unwrap();
        Sqlite { connection, next: 1_000, head: Digest::default() }
    }

    /// One transaction for every `batch` commands.
    pub(crate) fn keep(&mut self, commands: &[Verified], batch: usize) {
        for commands in commands.chunks(batch) {
            let tx = self.connection.transaction().unwrap();
            let mut debit = tx.prepare("UPDATE accounts SET debits=debits+?1 WHERE id=?2 AND credits-debits>=?1").unwrap();
            let mut credit = tx.prepare("UPDATE accounts SET credits=credits+?1 WHERE id=?2").unwrap();
            let mut insert = tx.prepare("INSERT INTO transfers VALUES(?1,?2,?3,?4,?5,?6,?7)").unwrap();
            let mut outcome = tx.prepare("INSERT INTO outcomes VALUES(?1,?2,?3)").unwrap();
            let mut log = tx.prepare("INSERT INTO log VALUES(?1,?2,?3)").unwrap();
            for entry in commands.chunks(PER_ENTRY) {
                let seq = self.next as i64;
                self.next += 1;
                for command in entry {
                    let (id, digest) = (command.body().id.0.to_be_bytes(), command.digest().0);
                    outcome.execute(params![id.as_slice(), digest.as_slice(), seq]).unwrap();
                    let Command::Transfer(batch) = &command.body().command else { panic!("payments only") };
                    for transfer in &batch.transfers {
                        let (from, to) = (transfer.debit.0.to_be_bytes(), transfer.credit.0.to_be_bytes());
                        let amount = i64::try_from(transfer.amount.0).unwrap();
                        let (id, asset, code) = (transfer.id.0.to_be_bytes(), transfer.asset, transfer.code);
                        insert.execute(params![id.as_slice(), from.as_slice(), to.as_slice(), amount, asset, code, seq]).unwrap();
                        assert_eq!(debit.execute(params![amount, from.as_slice()]).unwrap(), 1);
                        assert_eq!(credit.execute(params![amount, to.as_slice()]).unwrap(), 1);
                    }
                }
                let bytes = entry.iter().map(|command| command.bytes()).collect::<Vec<_>>().concat();
                self.head = Digest::of_parts("yardstick", &[&self.head.0, &bytes]);
                log.execute(params![seq, self.head.0.as_slice(), bytes]).unwrap();
            }
            drop((debit, credit, insert, outcome, log));
            tx.commit().unwrap();
        }
    }

    /// `batches` transactions of `each` transfers.
    pub(crate) fn pay(&mut self, batches: usize, each: usize) {
        for _ in 0..batches {
            let tx = self.connection.transaction().unwrap();
            let mut debit = tx.prepare("UPDATE numbered SET debits=debits+?1 WHERE id=?2 AND credits-debits>=?1").unwrap();
            let mut credit = tx.prepare("UPDATE numbered SET credits=credits+?1 WHERE id=?2").unwrap();
            let mut insert = tx.prepare("INSERT INTO least VALUES(?1,?2,?3,?4,1,1,?5)").unwrap();
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
