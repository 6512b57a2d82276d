//! The data of a store: records (a vector with its payload), the space of their vectors, failures.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::RecordId;

/// Free-form fields of a payload, in addition to the fixed ones.
pub type Extra = serde_json::Map<String, serde_json::Value>;

/// The model and input preprocessing that produced a set of vectors. Only vectors of one space can be compared.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct EmbeddingSpace {
    /// Name or digest of the model.
    pub model: String,
    /// Length of a vector, `1..=65536`.
    pub dim: usize,
    /// Input preprocessing: rig, image size, number of points, version of the renderer.
    pub preprocessing: String,
}

impl fmt::Display for EmbeddingSpace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (dim {}, {})", self.model, self.dim, self.preprocessing)
    }
}

/// Metadata of an asset: everything but its vector and thumbnail.
///
/// ```
/// use lexiform_store::{Filter, Payload};
///
/// let mut payload = Payload { path: "furniture/chair.glb".into(), triangles: 900, ..Payload::default() };
/// payload.extra.insert("label".into(), "chair".into());
/// assert_eq!(payload.name(), "chair.glb");
/// assert!(Filter::parse("label = chair and triangles < 1k")?.matches(&payload));
/// # Ok::<(), lexiform_store::FilterError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Payload {
    /// Path of the asset, with `/` between folders: relative to the library's root, or absolute. Unique in a store.
    pub path: String,
    /// Digest of the asset's bytes, as text; opaque to the store.
    pub content_hash: String,
    /// Short name of the file format, in lower case: `glb`, `stl`, `las`.
    pub format: String,
    /// File size.
    pub bytes: u64,
    /// Vertices of all meshes.
    pub vertices: u64,
    /// Triangles of all meshes.
    pub triangles: u64,
    /// Points of all point clouds.
    pub points: u64,
    /// Size of the bounding box along x, y, z, in the file's unit.
    pub extents: [f32; 3],
    /// Modification time of the file: nanoseconds since 1970-01-01 UTC.
    pub modified_ns: Option<i64>,
    /// Names of the objects in the file, without duplicates.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub objects: Vec<String>,
    /// Names of the materials in the file, without duplicates.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub materials: Vec<String>,
    /// What a captioner wrote about the asset; see [`VectorStore::set_captions`](crate::VectorStore::set_captions).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub captions: Option<Captions>,
    /// Any other fields; `extra.KEY` in a filter. `extra.label` is also called `label`.
    #[serde(default, skip_serializing_if = "Extra::is_empty")]
    pub extra: Extra,
}

impl Payload {
    /// The last part of [`path`](Self::path): `chair.glb` of `furniture/chair.glb`.
    pub fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or(&self.path)
    }
}

/// Sentences about an asset, and the model that wrote them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Captions {
    /// Id of the model.
    pub captioner: String,
    /// The sentences, best first; `caption` in a filter is the first.
    pub texts: Vec<String>,
}

impl Captions {
    /// The best sentence.
    pub fn first(&self) -> Option<&str> {
        self.texts.first().map(String::as_str)
    }
}

/// What an indexer stores with a record to detect, without reading the file, that it has not changed.
///
/// Opaque to the store. Not part of the [`Payload`]: filters cannot select by it and search results do not contain it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct IndexState {
    /// Hash of sizes and modification times of the file and its dependencies; empty if unknown.
    pub stat_hash: String,
    /// Files that the asset references (buffers, materials, textures), relative to its folder.
    pub dependencies: Vec<String>,
}

/// A record without its vector and thumbnail.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// Id of the record.
    pub id: RecordId,
    /// Metadata of the asset.
    pub payload: Payload,
    /// State of the indexer.
    // Only the indexer needs it.
    #[serde(skip)]
    pub index_state: IndexState,
}

/// A vector with the metadata of its asset.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// Permanent id.
    pub id: RecordId,
    /// Unit vector of length [`EmbeddingSpace::dim`].
    pub vector: Vec<f32>,
    /// Metadata of the asset.
    pub payload: Payload,
    /// State of the indexer; default if records do not come from files.
    pub index_state: IndexState,
    /// Small PNG or JPEG image.
    pub thumbnail: Option<Vec<u8>>,
}

/// Path, content and modification time of a record, without the rest of its payload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileState {
    /// Id of the record.
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

/// A file that could not be indexed, stored so that a report can list it and a later run can skip it while it is
/// unchanged.
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
    /// Time of the failure: nanoseconds since 1970-01-01 UTC.
    pub failed_at_ns: i64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_is_the_last_part_of_the_path() {
        let name = |path: &str| Payload { path: path.into(), ..Payload::default() }.name().to_owned();
        assert_eq!(name("a/b/c.glb"), "c.glb");
        assert_eq!(name("c.glb"), "c.glb");
    }
}
