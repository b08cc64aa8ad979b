//! How many calls each customer of a selling agent has had answered: what free calls and price steps go by.
//!
//! A count is taken when a call is charged and becomes durable with the group of its receipt; a call that is dropped before that gives it
//! back. Where the table is full ([`CUSTOMERS_MAX`]), nobody loses a count, and whoever is new is not counted.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard};

use hansa_economy::channel::AccountId;
use hansa_economy::{Digest, PublicKey};
use redb::{Database, ReadableDatabase, ReadableTableMetadata, TableDefinition};

use super::BooksError;
use crate::limits::CUSTOMERS_MAX;

/// agent's key (32 bytes), customer's account (16 bytes, big-endian), interface without version (first 8 bytes of its digest) → calls
/// that were answered
const CUSTOMERS: TableDefinition<'_, &[u8], u64> = TableDefinition::new("customers");

/// A customer of an interface of an agent.
pub(crate) type Customer = [u8; 56];

pub(crate) fn customer(agent: PublicKey, account: AccountId, service: &str) -> Customer {
    let interface = Digest::of(service.split('@').next().unwrap_or(service).as_bytes());
    let mut key = [0; 56];
    key[..32].copy_from_slice(&agent.0);
    key[32..48].copy_from_slice(&account.0.to_be_bytes());
    key[48..].copy_from_slice(&interface.0[..8]);
    key
}

/// Counts that are not on disk yet.
#[derive(Default)]
pub(crate) struct Customers(Mutex<Fresh>);

#[derive(Default)]
struct Fresh {
    counts: HashMap<Customer, Count>,
    /// Rows on disk, and those that will be.
    rows: u64,
}

/// What is known of a customer beyond the disk.
#[derive(Clone, Copy, Debug, Default)]
struct Count {
    /// Answered calls, those that are not booked yet among them.
    calls: u64,
    /// Of these, calls that may be given back.
    unbooked: u64,
    /// On disk.
    written: u64,
}

/// One answered call of a customer. Dropped before it is booked, it does not count.
pub(crate) struct Counted {
    customers: Arc<Customers>,
    customer: Customer,
    /// The calls before it.
    pub(crate) before: u64,
    booked: bool,
}

impl Customers {
    pub(super) fn open(database: &Database) -> Result<Customers, BooksError> {
        let rows = database.begin_read()?.open_table(CUSTOMERS)?.len()?;
        Ok(Customers(Mutex::new(Fresh { rows, ..Fresh::default() })))
    }

    fn lock(&self) -> MutexGuard<'_, Fresh> {
        self.0.lock().expect("no panic while customers are locked")
    }

    /// Count one more call of `customer`; none where no more customers can be counted.
    pub(super) fn count(self: &Arc<Self>, database: &Database, customer: Customer) -> Result<Option<Counted>, BooksError> {
        let mut fresh = self.lock();
        let known = match fresh.counts.get(&customer) {
            Some(count) => *count,
            None => {
                let written = read(database, &customer)?;
                Count { calls: written, unbooked: 0, written }
            }
        };
        if known.calls == 0 {
            if fresh.rows >= CUSTOMERS_MAX {
                return Ok(None);
            }
            fresh.rows += 1;
        }
        let count = Count { calls: known.calls.saturating_add(1), unbooked: known.unbooked + 1, ..known };
        fresh.counts.insert(customer, count);
        Ok(Some(Counted { customers: self.clone(), customer, before: known.calls, booked: false }))
    }

    /// Write what is booked of these; the counts written, for [`Customers::written`].
    pub(super) fn write(
        &self,
        write: &redb::WriteTransaction,
        changed: &BTreeSet<Customer>,
    ) -> Result<Vec<(Customer, u64)>, BooksError> {
        let fresh = self.lock();
        let booked = |customer: &Customer| fresh.counts.get(customer).map(|count| (*customer, count.calls - count.unbooked));
        let counts: Vec<(Customer, u64)> = changed.iter().filter_map(booked).collect();
        drop(fresh);
        let mut table = write.open_table(CUSTOMERS)?;
        for (customer, calls) in &counts {
            table.insert(customer.as_slice(), calls)?;
        }
        Ok(counts)
    }

    /// These are on disk: forget those that nothing was added to.
    pub(super) fn written(&self, counts: &[(Customer, u64)]) {
        let mut fresh = self.lock();
        for (customer, calls) in counts {
            if let Some(count) = fresh.counts.get_mut(customer) {
                count.written = *calls;
            }
            fresh.tidy(customer);
        }
    }
}

impl Fresh {
    fn tidy(&mut self, customer: &Customer) {
        if self.counts.get(customer).is_some_and(|count| count.calls == count.written && count.unbooked == 0) {
            self.counts.remove(customer);
        }
    }
}

impl Counted {
    /// It counts from now on; the row to write, see [`super::Books::put_customer`].
    pub(crate) fn book(&mut self) -> Customer {
        if !self.booked
            && let Some(count) = self.customers.lock().counts.get_mut(&self.customer)
        {
            count.unbooked -= 1;
        }
        self.booked = true;
        self.customer
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        if self.booked {
            return;
        }
        let mut fresh = self.customers.lock();
        let Some(count) = fresh.counts.get_mut(&self.customer) else { return };
        count.calls -= 1;
        count.unbooked -= 1;
        let is_nobody = count.calls == 0;
        fresh.rows -= u64::from(is_nobody);
        fresh.tidy(&self.customer);
    }
}

fn read(database: &Database, customer: &Customer) -> Result<u64, BooksError> {
    let table = database.begin_read()?.open_table(CUSTOMERS)?;
    Ok(table.get(customer.as_slice())?.map_or(0, |calls| calls.value()))
}

pub(super) fn prepare(write: &redb::WriteTransaction) -> Result<(), BooksError> {
    write.open_table(CUSTOMERS)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::Books;
    use super::*;

    fn someone(n: u128) -> Customer {
        customer(PublicKey([1; 32]), AccountId(n), "a:b/c@1.0.0")
    }

    #[tokio::test]
    async fn calls_are_counted_over_restarts_and_those_that_were_dropped_are_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("books.redb");
        {
            let books = Books::open(&path).unwrap();
            let mut first = books.count(someone(1)).unwrap().unwrap();
            let second = books.count(someone(1)).unwrap().unwrap();
            assert_eq!((first.before, second.before), (0, 1));
            books.put_customer(first.book()).await;
            books.flush().await;
            drop(second);
            let mut again = books.count(someone(1)).unwrap().unwrap();
            assert_eq!(again.before, 1, "what was dropped does not count");
            books.put_customer(again.book()).await;
            drop(books.count(someone(2)).unwrap().unwrap());
            let _half_way = books.count(someone(1)).unwrap().unwrap();
            books.flush().await;
        }
        let books = super::super::tests::reopen(&path).await;
        for (n, before) in [(1, 2), (2, 0)] {
            assert_eq!(books.count(someone(n)).unwrap().unwrap().before, before, "customer {n}");
        }
        assert!(books.customers.lock().counts.is_empty(), "nothing stays in memory that the disk has");
        assert_eq!(books.customers.lock().rows, 1);
    }

    #[tokio::test]
    async fn where_the_table_is_full_the_known_are_counted_on() {
        let folder = tempfile::tempdir().unwrap();
        let books = Books::open(&folder.path().join("books.redb")).unwrap();
        let mut first = books.count(someone(1)).unwrap().unwrap();
        books.put_customer(first.book()).await;
        books.customers.lock().rows = CUSTOMERS_MAX;
        assert!(books.count(someone(2)).unwrap().is_none());
        assert_eq!(books.count(someone(1)).unwrap().unwrap().before, 1);
    }

    #[test]
    fn versions_of_an_interface_count_together_and_nothing_else_does() {
        let (agent, account) = (PublicKey([1; 32]), AccountId(1));
        let one = customer(agent, account, "a:b/c@1.0.0");
        assert_eq!(one, customer(agent, account, "a:b/c@1.2.0"));
        for other in [
            customer(agent, account, "a:b/d@1.0.0"),
            customer(agent, AccountId(2), "a:b/c@1.0.0"),
            customer(PublicKey([2; 32]), account, "a:b/c@1.0.0"),
        ] {
            assert_ne!(one, other);
        }
    }
}
