//! Keys of shapes, and what follows from them: order, partition, split.

use std::fmt;
use std::hash::Hasher as _;

use fnv::FnvHasher;

/// Maximum length of a key in bytes: with the longest member name it fits into the 100 bytes of a tar header.
const MAX_KEY_BYTES: usize = 80;
/// Maximum length of the readable part of a key that is made from a path.
const MAX_READABLE_BYTES: usize = 48;

/// The name of a shape in a data set: 1 to 80 ASCII letters, digits, `-` and `_` (in WebDataset a key ends at the first dot).
///
/// ```
/// use lexiform_data::Key;
///
/// assert_eq!(Key::from_id("02691156-1a04e3ea").as_str(), "02691156-1a04e3ea");
/// assert!(Key::from_path("chairs/office chair.glb").as_str().starts_with("chairs_office_chair-"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key(String);

impl Key {
    /// The key `text`, if it is valid.
    pub fn new(text: &str) -> Option<Self> {
        // No dots: WebDataset takes everything after the first dot of a name as the extension.
        let is_valid = (1..=MAX_KEY_BYTES).contains(&text.len()) && text.bytes().all(is_key_byte);
        is_valid.then(|| Self(text.to_owned()))
    }

    /// The key of an id: the id itself if it is a valid key, otherwise as [`Key::from_path`].
    pub fn from_id(id: &str) -> Self {
        Self::new(id).unwrap_or_else(|| Self::from_path(id))
    }

    /// The key of a path with `/` between folders: the allowed characters of its end and a hash of the whole path, so that different
    /// paths have different keys.
    pub fn from_path(path: &str) -> Self {
        let stem = match path.rsplit_once('.') {
            Some((stem, extension)) if !stem.is_empty() && !extension.contains('/') => stem,
            _ => path,
        };
        let plain: String =
            stem.chars().map(|c| if c.is_ascii() && is_key_byte(c as u8) { c } else { '_' }).collect();
        // The end of a path tells more than its beginning. All characters are ASCII here, so any byte is a boundary.
        let start = plain.len().saturating_sub(MAX_READABLE_BYTES);
        let readable = plain[start..].trim_matches('_');
        // The whole path with its extension, so that `a.obj` and `a.glb` differ.
        let hash = splitmix64(fnv1a(path.as_bytes()));
        Self(if readable.is_empty() { format!("{hash:016x}") } else { format!("{readable}-{hash:016x}") })
    }

    /// The key as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// A hash of the key: determines the order in a data set and the partition.
    pub fn stable_hash(&self) -> u64 {
        splitmix64(fnv1a(self.0.as_bytes()))
    }

    /// A number in `0..1` that determines the split, independent of [`Key::stable_hash`].
    pub fn split_hash(&self) -> f64 {
        // Hashed once more with another seed (the golden ratio, as in SplitMix64): a partition must not be all train or all val.
        // The upper 53 bits are the mantissa of an f64.
        (splitmix64(self.stable_hash() ^ 0x9E37_79B9_7F4A_7C15) >> 11) as f64 / (1_u64 << 53) as f64
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn is_key_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')
}

/// FNV-1a: unlike the hasher of the standard library, the same on every machine and in every version.
fn fnv1a(bytes: &[u8]) -> u64 {
    let mut hasher = FnvHasher::default();
    hasher.write(bytes);
    hasher.finish()
}

/// The finalizer of SplitMix64: similar inputs get unrelated outputs.
fn splitmix64(mut z: u64) -> u64 {
    // Constants of the reference implementation, https://prng.di.unimi.it/splitmix64.c.
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// One of `count` partitions of a run. Shapes are assigned to partitions by key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Partition {
    /// Index of the partition, from 0.
    pub index: u32,
    /// Number of partitions, at least 1.
    pub count: u32,
}

impl Partition {
    /// All shapes in one partition.
    pub const ALL: Self = Self { index: 0, count: 1 };

    /// Whether a shape belongs to this partition.
    pub fn contains(self, key: &Key) -> bool {
        // `max` guards against a struct literal with 0; parsed partitions have at least 1.
        key.stable_hash() % u64::from(self.count.max(1)) == u64::from(self.index)
    }

    /// The partition in file names.
    pub fn name(self) -> String {
        format!("{:05}-of-{:05}", self.index, self.count)
    }
}

impl std::str::FromStr for Partition {
    type Err = String;

    /// Parses `i/n` with `0 <= i < n`.
    fn from_str(text: &str) -> Result<Self, String> {
        let expected = || format!("expected i/n with 0 <= i < n < 100000, found {text:?}");
        let (index, count) = text.split_once('/').ok_or_else(expected)?;
        let (index, count): (u32, u32) =
            (index.parse().map_err(|_| expected())?, count.parse().map_err(|_| expected())?);
        if index < count && count < 100_000 { Ok(Self { index, count }) } else { Err(expected()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_valid_and_differ_if_paths_differ() {
        let paths = ["a/b.glb", "a/b.obj", "a_b.glb", "ä/ö.glb", "..", "x/.y", &"long/".repeat(60)];
        let mut keys: Vec<Key> = paths.iter().map(|path| Key::from_path(path)).collect();
        assert!(keys.iter().all(|key| Key::new(key.as_str()).is_some()), "{keys:?}");
        assert!(keys[0].as_str().starts_with("a_b-"));
        keys.sort();
        keys.dedup();
        assert_eq!(keys.len(), paths.len());
        assert_eq!(Key::from_id("02691156-1a04e3ea").as_str(), "02691156-1a04e3ea");
        assert_ne!(Key::from_id("a.b"), Key::from_id("a_b"));
    }

    #[test]
    fn every_key_is_in_one_partition_and_partitions_have_similar_sizes() {
        let keys: Vec<Key> = (0..4000).map(|i| Key::from_id(&format!("{i}"))).collect();
        for count in [1, 2, 7] {
            let sizes: Vec<usize> = (0..count)
                .map(|index| keys.iter().filter(|k| Partition { index, count }.contains(k)).count())
                .collect();
            assert_eq!(sizes.iter().sum::<usize>(), keys.len());
            assert!(sizes.iter().all(|n| n.abs_diff(4000 / count as usize) < 120), "{sizes:?}");
        }
        let val = keys.iter().filter(|key| key.split_hash() < 0.1).count();
        assert!((320..480).contains(&val), "{val}");
    }

    #[test]
    fn the_order_of_keys_is_stable_across_versions() {
        assert_eq!(Key::from_id("chair").stable_hash(), 0x618D_1B44_98D4_5D5E);
    }

    #[test]
    fn partitions_are_parsed() {
        assert_eq!("3/16".parse(), Ok(Partition { index: 3, count: 16 }));
        for wrong in ["3", "16/16", "0/0", "-1/2", "1/2/3"] {
            assert!(wrong.parse::<Partition>().is_err(), "{wrong}");
        }
    }
}
