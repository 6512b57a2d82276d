//! Answers of a search.

use std::path::PathBuf;

use lexiform_store::{Payload, RecordId};

use crate::fileless::EMBEDDING_FORMAT;
use crate::scene::SceneObjectRef;

/// A search result: a file with its rank and score.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// Rank, starting at 1.
    pub rank: usize,
    /// Cosine similarity of query and record; a fused score if several models are searched.
    pub score: f32,
    /// Rank by meaning; `None` if the record is not among the candidates of that ranking.
    pub semantic_rank: Option<usize>,
    /// Rank by names, which records with equally good names share; `None` if no name matches or names were not searched.
    pub name_rank: Option<usize>,
    /// Id of the record.
    pub id: RecordId,
    /// The file; for an object in a scene, that of the scene.
    pub file: PathBuf,
    /// Metadata of the file; its `path` is the name in the library.
    pub payload: Payload,
}

impl Answer {
    /// Whether the record has no file: its embedding comes from a file of embeddings or a data set.
    pub fn is_embedding(&self) -> bool {
        self.payload.format == EMBEDDING_FORMAT
    }

    /// Where in a scene the object is; `None` if the record is not an object in a scene.
    pub fn object(&self) -> Option<SceneObjectRef> {
        SceneObjectRef::of(&self.payload)
    }

    /// The web page of an [Objaverse](https://arxiv.org/abs/2212.08051) object, whose name is Sketchfab's id; or the field
    /// `link` of the record.
    pub fn link(&self) -> Option<String> {
        if let Some(link) = self.payload.extra.get("link").and_then(|link| link.as_str()) {
            return Some(link.to_owned());
        }
        let name = self.payload.name();
        let is_id = name.len() == 32 && name.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        (self.is_embedding() && is_id).then(|| format!("https://sketchfab.com/3d-models/{name}"))
    }
}
