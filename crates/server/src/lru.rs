//! A cache that forgets what was not used for the longest time, bounded by the bytes of its values.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A bounded map. Values are cloned out, so they are small or shared (`Arc`).
pub(crate) struct Lru<K, V> {
    entries: HashMap<K, Entry<V>>,
    bytes: usize,
    capacity: usize,
    /// Counts uses; the order of two uses needs no clock.
    uses: u64,
}

struct Entry<V> {
    value: V,
    bytes: usize,
    last_use: u64,
}

impl<K: Eq + Hash + Clone, V: Clone> Lru<K, V> {
    /// An empty cache for at most `capacity` bytes.
    pub(crate) fn new(capacity: usize) -> Self {
        Self { entries: HashMap::new(), bytes: 0, capacity, uses: 0 }
    }

    /// The value of a key, which counts as a use.
    pub(crate) fn get<Q: Eq + Hash + ?Sized>(&mut self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        self.uses += 1;
        let entry = self.entries.get_mut(key)?;
        entry.last_use = self.uses;
        Some(entry.value.clone())
    }

    /// Adds or replaces a value of this many bytes. One that is larger than the cache is not kept.
    pub(crate) fn insert(&mut self, key: K, value: V, bytes: usize) {
        if bytes > self.capacity {
            return;
        }
        self.uses += 1;
        let entry = Entry { value, bytes, last_use: self.uses };
        self.bytes += bytes;
        if let Some(replaced) = self.entries.insert(key, entry) {
            self.bytes -= replaced.bytes;
        }
        if self.bytes > self.capacity {
            self.evict();
        }
    }

    /// Removes the entries that were not used for the longest time until an eighth is free, so that the sort pays for many
    /// insertions.
    fn evict(&mut self) {
        let mut order: Vec<(u64, K)> = self.entries.iter().map(|(k, e)| (e.last_use, k.clone())).collect();
        order.sort_unstable_by_key(|(last_use, _)| *last_use);
        // The newest stays, however large.
        order.pop();
        for (_, key) in order {
            if self.bytes <= self.capacity - self.capacity / 8 {
                return;
            }
            self.bytes -= self.entries.remove(&key).map_or(0, |entry| entry.bytes);
        }
    }

    /// Bytes of all values.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }
}

/// Locks; a panic of another thread does not make a cache unusable.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_recently_used_are_forgotten_first() {
        let mut cache = Lru::new(80);
        for key in 0..8 {
            cache.insert(key, key, 10);
        }
        assert_eq!(cache.get(&0), Some(0), "all fit");
        cache.insert(8, 8, 10);
        assert_eq!((cache.get(&1), cache.get(&2)), (None, None), "90 bytes: down to 70");
        assert_eq!((cache.get(&0), cache.get(&8)), (Some(0), Some(8)));
        assert_eq!(cache.bytes(), 70);
    }

    #[test]
    fn replaced_values_and_large_ones_do_not_leak_bytes() {
        let mut cache = Lru::new(100);
        cache.insert("a", 1, 60);
        cache.insert("a", 2, 70);
        cache.insert("b", 3, 101);
        assert_eq!((cache.get("a"), cache.get("b"), cache.bytes()), (Some(2), None, 70));
    }
}
