//! The agent's store as the place where shelves are kept.

use hansa_sdk::Fault;
use hansa_sdk::store::Bucket;

use crate::shelf::Values;

impl Values for Bucket {
    fn get(&self, key: &str) -> Result<Option<Vec<u8>>, Fault> {
        Ok(Self::get(self, key)?)
    }

    fn set(&self, key: &str, value: &[u8]) -> Result<(), Fault> {
        Ok(Self::set(self, key, value)?)
    }

    fn delete(&self, key: &str) -> Result<(), Fault> {
        Ok(Self::delete(self, key)?)
    }
}
