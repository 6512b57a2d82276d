//! Ids of records: stable across renames and changed contents.

use std::fmt;
use std::hash::Hasher as _;

use fnv::FnvHasher;
use serde::{Deserialize, Serialize};

/// Permanent id of a record: 63 bits, written as 16 hexadecimal digits. Survives renames and changed contents.
///
/// Serialized as text, because JSON readers lose digits of integers above 2⁵³.
///
/// ```
/// use lexiform_store::RecordId;
///
/// let id = RecordId::derive("chairs/red.glb", "abc", 0);
/// assert_eq!(id.to_string(), "47fa10d69366f9a9");
/// assert_eq!("47fa10d69366f9a9".parse::<RecordId>()?, id);
/// # Ok::<(), lexiform_store::StoreError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct RecordId(u64);

impl RecordId {
    // SQLite's integers are signed: ids use the non-negative half.
    const BITS: u64 = (1 << 63) - 1;

    /// The id of a record first indexed at `path` with `content_hash`. `attempt` (normally 0) distinguishes records
    /// with the same origin: a file was renamed, then the same file appears again at the old path. See
    /// [`VectorStore::assign_id`](crate::VectorStore::assign_id).
    pub fn derive(path: &str, content_hash: &str, attempt: u64) -> Self {
        // Zero bytes separate the fields: ("a", "bc") and ("ab", "c") have different ids.
        let mut hasher = FnvHasher::default();
        for field in [path.as_bytes(), &[0], content_hash.as_bytes(), &[0], &attempt.to_le_bytes()] {
            hasher.write(field);
        }
        // The finalizer of SplitMix64 (https://prng.di.unimi.it/splitmix64.c): FNV alone leaves the high bits of short
        // inputs similar.
        let mut hash = hasher.finish();
        hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        Self((hash ^ (hash >> 31)) & Self::BITS)
    }

    /// `None` if `value` needs more than 63 bits.
    pub fn new(value: u64) -> Option<Self> {
        (value <= Self::BITS).then_some(Self(value))
    }

    /// The id as a number below 2⁶³.
    pub fn value(self) -> u64 {
        self.0
    }

    /// The value in a database's column of signed integers.
    pub fn to_i64(self) -> i64 {
        // Below 2⁶³ by construction, so the sign bit stays clear.
        self.0.cast_signed()
    }

    /// The id in such a column; `None` if the value is negative.
    pub fn from_i64(value: i64) -> Option<Self> {
        u64::try_from(value).ok().map(Self)
    }
}

impl fmt::Display for RecordId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl From<RecordId> for String {
    fn from(id: RecordId) -> Self {
        id.to_string()
    }
}
