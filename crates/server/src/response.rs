//! Responses: answers with their metadata, as `lexiform search --json` prints them.

use std::collections::BTreeMap;

use lexiform_search::{Answer, Captions, LabelScore, RecordId, SpellingCorrection};
use serde::Serialize;

/// A page of answers.
#[derive(Clone, Debug, Serialize)]
pub struct SearchResponse {
    /// The answers, best first.
    pub answers: Vec<AssetAnswer>,
    /// Number of files that were searched: those that the filter selects.
    pub searched: usize,
    /// Whether there may be further answers after this page.
    pub more: bool,
    /// Words that are in no name, and similar words that names were searched for instead.
    pub corrections: Vec<SpellingCorrection>,
    /// Texts that the model does not understand.
    pub unknown_texts: Vec<String>,
    /// Whether no answer is a close match; `null` where that cannot be said: for a list, and mostly for models whose scale is not
    /// known.
    pub low_confidence: Option<bool>,
    /// Id of the model.
    pub model: String,
}

/// A file, with its rank and score if it is the answer of a search.
#[derive(Clone, Debug, Serialize)]
pub struct AssetAnswer {
    /// Rank, starting at 1, and score.
    #[serde(flatten)]
    pub ranks: Option<Ranks>,
    /// Name in the library: a path below its folder, or an absolute path.
    pub path: String,
    /// Permanent id.
    pub id: RecordId,
    /// Web page of the object, if it has no file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
    /// Label in the metadata.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<serde_json::Value>,
    /// What a captioner wrote about the shape.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub caption: Option<String>,
    /// Short name of the file format.
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
    /// A hash of the content: files of the same one are copies. Empty for a record without a file.
    pub content_hash: String,
}

/// Where an answer is among others.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Ranks {
    /// Rank, starting at 1.
    pub rank: usize,
    /// Cosine similarity.
    pub score: f32,
    /// Rank by meaning.
    pub semantic_rank: Option<usize>,
    /// Rank by names.
    pub name_rank: Option<usize>,
}

/// A file's metadata.
#[derive(Clone, Debug, Serialize)]
pub struct AssetDetails {
    /// What answers have, too.
    #[serde(flatten)]
    pub asset: AssetAnswer,
    /// Names of the objects in the file.
    pub objects: Vec<String>,
    /// Names of the materials in the file.
    pub materials: Vec<String>,
    /// All captions of the shape, and the model that wrote them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub captions: Option<Captions>,
    /// Modification time: seconds since 1970-01-01 UTC.
    pub modified: Option<i64>,
    /// Further fields: captions, notes about problems in the file.
    pub extra: serde_json::Map<String, serde_json::Value>,
    /// Full path of the file on the server; `null` for a record without a file.
    pub file: Option<String>,
    /// Whether the file can be shown in 3D.
    pub viewable: bool,
}

/// Labels with their probabilities, best first.
#[derive(Clone, Debug, Serialize)]
pub struct ClassifyResponse {
    /// The labels.
    pub labels: Vec<LabelScore>,
    /// Id of the model.
    pub model: String,
}

/// The similarity of two things.
#[derive(Clone, Debug, Serialize)]
pub struct CompareResponse {
    /// Cosine similarity.
    pub score: f32,
    /// The score in words, for models whose scale is known.
    pub words: Option<&'static str>,
    /// Id of the model.
    pub model: String,
}

/// An uploaded picture or 3D file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct UploadResponse {
    /// Its id, for searches. The server forgets it after a while.
    pub id: String,
    /// `image` or `shape`.
    pub kind: &'static str,
    /// Name of the file.
    pub name: String,
    /// Size of the file.
    pub bytes: usize,
}

/// What a library has.
#[derive(Clone, Debug, Serialize)]
pub struct Statistics {
    /// Number of files.
    pub records: usize,
    /// Number of files that could not be used.
    pub failures: usize,
    /// Numbers of files by format.
    pub formats: BTreeMap<String, usize>,
    /// Name of the library's folder.
    pub name: String,
    /// Id of the model.
    pub model: String,
    /// Length of an embedding.
    pub dim: usize,
    /// Version of the server.
    pub version: &'static str,
}

/// Places of files in a square of side 1, near to those of similar files.
#[derive(Clone, Debug, Serialize)]
pub struct MapResponse {
    /// The files.
    pub points: Vec<MapPoint>,
    /// Number of files that are served; the map has the first ten thousand of them.
    pub total: usize,
    /// Id of the model.
    pub model: String,
}

/// A file on the map.
#[derive(Clone, Debug, Serialize)]
pub struct MapPoint {
    /// Id of the file.
    pub id: RecordId,
    /// Name in the library.
    pub path: String,
    /// The file's label, or the most probable kind of everyday object.
    pub label: Option<String>,
    /// From left to right.
    pub x: f32,
    /// From top to bottom.
    pub y: f32,
}

impl AssetAnswer {
    /// An answer; `is_ranked` is whether its rank and score say something.
    pub(crate) fn new(answer: Answer, is_ranked: bool) -> Self {
        let link = answer.link();
        let Answer { rank, score, semantic_rank, name_rank, id, file: _, payload } = answer;
        Self {
            ranks: is_ranked.then_some(Ranks { rank, score, semantic_rank, name_rank }),
            label: payload.extra.get("label").cloned(),
            caption: payload.captions.as_ref().and_then(|captions| captions.first()).map(str::to_owned),
            path: payload.path,
            id,
            link,
            format: payload.format,
            bytes: payload.bytes,
            vertices: payload.vertices,
            triangles: payload.triangles,
            points: payload.points,
            extents: payload.extents,
            content_hash: payload.content_hash,
        }
    }
}
