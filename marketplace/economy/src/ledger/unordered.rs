//! A map that is looked into many times for each transfer, several times faster than an ordered one. Its order is not the same
//! everywhere, so it is never shown: [`by_id`] sorts.

use std::collections::HashMap;
use std::hash::Hash;

#[derive(Clone, Debug)]
pub(super) struct Unordered<K, V>(HashMap<K, V, foldhash::fast::RandomState>);

impl<K, V> Default for Unordered<K, V> {
    fn default() -> Unordered<K, V> {
        Unordered(HashMap::default())
    }
}

impl<K: Copy + Eq + Hash, V> Unordered<K, V> {
    /// With room for `len` rows.
    pub(super) fn with_capacity(len: usize) -> Unordered<K, V> {
        Unordered(HashMap::with_capacity_and_hasher(len, foldhash::fast::RandomState::default()))
    }

    pub(super) fn get(&self, key: K) -> Option<&V> {
        self.0.get(&key)
    }

    pub(super) fn insert(&mut self, key: K, value: V) -> Option<V> {
        self.0.insert(key, value)
    }

    pub(super) fn remove(&mut self, key: K) -> Option<V> {
        self.0.remove(&key)
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Take in all rows of another.
    pub(super) fn absorb(&mut self, other: Unordered<K, V>) {
        self.0.extend(other.0);
    }
}

/// All rows of `maps`, in rising order of their keys.
pub(super) fn by_id<'a, K: Copy + Ord + 'a, V: 'a>(
    maps: impl IntoIterator<Item = &'a Unordered<K, V>>,
) -> impl Iterator<Item = (K, &'a V)> {
    let mut sorted: Vec<(K, &V)> = maps.into_iter().flat_map(|map| &map.0).map(|(id, row)| (*id, row)).collect();
    sorted.sort_unstable_by_key(|(id, _)| *id);
    sorted.into_iter()
}
