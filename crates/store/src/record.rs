//! What a library holds: records (a vector with its payload), the space their vectors live in, failures.

use std::fmt;
use std::hash::Hasher as _;
use std::str::FromStr;

use fnv::FnvHasher;
use serde::{Deserialize, Serialize};

use crate::StoreError;

/// Free-form facts about a record, beside the fixed ones.
pub type Extra = serde_json::Map<String, serde_json::Value>;

/// Names a record for good: 63 bits, written as 16 hexadecimal digits. Survives renames and changed contents.
///
/// Serialized as text, because JSON readers lose digits of integers above 2⁵³.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct RecordId(u64);

impl RecordId {
    const BITS: u64 = (1 << 63) - 1;

    /// The id of a record first seen at `path` with `content_hash`. `turn` (normally 0) tells apart records that
    /// began alike, as when a file was renamed and the same file appears again at the old path; see
    /// [`VectorStore::assign_id`](crate::VectorStore::assign_id).
    pub fn derive(path: &str, content_hash: &str, turn: u64) -> Self {
        let mut hasher = FnvHasher::default();
        for field in [path.as_bytes(), &[0], content_hash.as_bytes(), &[0], &turn.to_le_bytes()] {
            hasher.write(field);
        }
        // The finalizer of SplitMix64: FNV alone leaves the high bits of short inputs alike.
        let mut hash = hasher.finish();
        hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        Self((hash ^ (hash >> 31)) & Self::BITS)
    }

    /// `None` if `value` needs more than 63 bits.
    pub fn new(value: u64) -> Option<Self> {
        (value <= Self::BITS).then_some(Self(value))
    }

    /// The number itself, below 2⁶³.
    pub fn value(self) -> u64 {
        self.0
    }

    /// As SQLite keeps it.
    pub(crate) fn to_i64(self) -> i64 {
        // Below 2⁶³ by construction, so the sign bit stays clear.
        self.0.cast_signed()
    }

    pub(crate) fn from_i64(value: i64) -> Option<Self> {
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

impl FromStr for RecordId {
    type Err = StoreError;

    /// Reads what [`Display`](fmt::Display) writes.
    fn from_str(text: &str) -> Result<Self, StoreError> {
        let hexadecimal = text.len() == 16 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let value = if hexadecimal { u64::from_str_radix(text, 16).ok() } else { None };
        value.and_then(Self::new).ok_or_else(|| StoreError::BadId { found: text.into() })
    }
}

impl TryFrom<String> for RecordId {
    type Error = StoreError;

    fn try_from(text: String) -> Result<Self, StoreError> {
        text.parse()
    }
}

/// Which model, with which preparation of its input, made a set of vectors. Only vectors of one space compare.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Space {
    /// Name or digest of the model.
    pub model: String,
    /// Numbers in a vector, `1..=65536`.
    pub dim: usize,
    /// How shapes were prepared for the model: rig, size, point count, version of the renderer.
    pub preprocessing: String,
}

impl fmt::Display for Space {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (dim {}, {})", self.model, self.dim, self.preprocessing)
    }
}

/// What is known about an asset, except its vector and thumbnail.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Payload {
    /// Where the asset lies, with `/` between folders: relative to the library's root, or absolute. Unique in a store.
    pub path: String,
    /// Digest of the asset's bytes, as text; opaque to the store.
    pub content_hash: String,
    /// Short name of the file format, in lower case: `glb`, `stl`, `las`.
    pub format: String,
    /// Size of the file.
    pub bytes: u64,
    /// Vertices of all meshes.
    pub vertices: u64,
    /// Triangles of all meshes.
    pub triangles: u64,
    /// Points of all point clouds.
    pub points: u64,
    /// Size of the bounding box along x, y, z, in the file's unit.
    pub extents: [f32; 3],
    /// When the file was last changed: nanoseconds since 1970-01-01 UTC.
    pub modified_ns: Option<i64>,
    /// Anything else; `extra.KEY` in a filter. `extra.label` is also called `label`.
    #[serde(default, skip_serializing_if = "Extra::is_empty")]
    pub extra: Extra,
}

impl Payload {
    /// The last part of [`path`](Self::path): `chair.glb` of `furniture/chair.glb`.
    pub fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or(&self.path)
    }
}

/// A payload with the id it belongs to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// Whose payload this is.
    pub id: RecordId,
    /// What is known about it.
    pub payload: Payload,
}

/// A stored vector with its payload.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// Its name for good.
    pub id: RecordId,
    /// Unit vector of [`Space::dim`] numbers.
    pub vector: Vec<f32>,
    /// What is known about the asset.
    pub payload: Payload,
    /// A small picture, PNG or JPEG.
    pub thumbnail: Option<Vec<u8>>,
}

/// What an indexer needs to see whether a file changed, without reading payloads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// Whose.
    pub id: RecordId,
    /// See [`Payload::path`].
    pub path: String,
    /// See [`Payload::content_hash`].
    pub content_hash: String,
    /// See [`Payload::bytes`].
    pub bytes: u64,
    /// See [`Payload::modified_ns`].
    pub modified_ns: Option<i64>,
}

/// A file that could not be turned into a record, kept so that a report can list it and a later run need not retry
/// what did not change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// See [`Payload::path`].
    pub path: String,
    /// Digest of the bytes that failed; `None` if they could not be read.
    pub content_hash: Option<String>,
    /// Size of the file when it failed.
    pub bytes: u64,
    /// See [`Payload::modified_ns`].
    pub modified_ns: Option<i64>,
    /// What went wrong.
    pub error: String,
    /// When it failed: nanoseconds since 1970-01-01 UTC.
    pub at_ns: i64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_stable_and_read_back() {
        let id = RecordId::derive("chairs/red.glb", "abc", 0);
        assert_eq!(id, RecordId::derive("chairs/red.glb", "abc", 0));
        assert_eq!(id.to_string().parse::<RecordId>().unwrap(), id);
        assert_eq!(serde_json::to_string(&id).unwrap(), format!("\"{id}\""));
        // Written down once: an id that changed with a release would orphan what people noted.
        assert_eq!(id.to_string(), "47fa10d69366f9a9");
    }

    #[test]
    fn ids_differ_where_any_part_differs() {
        let base = RecordId::derive("a", "bc", 0);
        for other in [("ab", "c", 0), ("a", "bd", 0), ("a", "bc", 1), ("", "abc", 0)] {
            assert_ne!(base, RecordId::derive(other.0, other.1, other.2), "{other:?}");
        }
    }

    #[test]
    fn ids_that_are_no_ids_are_refused() {
        for text in ["", "12", "+123456789abcdef", "ffffffffffffffff", "g000000000000000"] {
            assert!(text.parse::<RecordId>().is_err(), "{text}");
        }
    }

    #[test]
    fn the_name_is_the_last_part_of_the_path() {
        let name = |path: &str| Payload { path: path.into(), ..Payload::default() }.name().to_owned();
        assert_eq!(name("a/b/c.glb"), "c.glb");
        assert_eq!(name("c.glb"), "c.glb");
    }
}
