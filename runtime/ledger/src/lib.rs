//! The ledger's store and writer on redb
