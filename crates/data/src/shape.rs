//! A shape of a data set: its views, points and features as files, and its metadata.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::Key;

/// A shape that is written to or read from a data set.
#[derive(Clone, Debug, PartialEq)]
pub struct Shape {
    /// Its key in the data set.
    pub key: Key,
    /// Its files except `json`. Views come first and in order, so that they are adjacent in the shard.
    pub members: Vec<Member>,
    /// Its metadata: the content of the member `json`.
    pub metadata: Metadata,
}

/// A file of a shape.
#[derive(Clone, Debug, PartialEq)]
pub struct Member {
    /// The name after the key and the dot: `v00.webp`, `points.npy`.
    pub name: String,
    /// Its content.
    pub bytes: Vec<u8>,
}

/// Maximum length of the name of a member in bytes.
pub(crate) const MAX_MEMBER_NAME: usize = 18;
/// Name of the last member of every shape: its metadata.
pub const METADATA: &str = "json";
/// Name of the member with points on the surface, `[points, 3 or 6]`: positions in the unit sphere, then sRGB colors in `0..=1`.
pub const POINTS: &str = "points.npy";
/// Name of the member with cameras, `[views, 3, 4]`: rotation and position, world from camera.
pub const CAMERAS: &str = "cameras.npy";
/// Name of the member with features of the views by a frozen model, `[views, dim]`.
pub const VIEW_FEATURES: &str = "views.npy";
/// Name of the member with features of the captions by a frozen model, `[captions, dim]`.
pub const TEXT_FEATURES: &str = "texts.npy";
/// Name of the member with features of a thumbnail by the same model, `[1, dim]`: a picture that is not among the views
/// ([OpenShape](https://arxiv.org/abs/2305.10764)).
pub const THUMBNAIL_FEATURES: &str = "thumbnail.npy";

impl Member {
    /// A file called `name`.
    pub fn new(name: impl Into<String>, bytes: Vec<u8>) -> Self {
        Self { name: name.into(), bytes }
    }

    /// View number `index`; `extension` is the extension of its image format.
    pub fn view(index: usize, extension: &str, bytes: Vec<u8>) -> Self {
        // Two digits keep names short and sorted for up to 100 views; further views get longer numbers.
        Self::new(format!("v{index:02}.{extension}"), bytes)
    }

    /// Depth map of view number `index`: 16-bit PNG, in ten-thousandths of the unit sphere's radius along the camera's axis, 0 for
    /// the background.
    pub fn depth(index: usize, bytes: Vec<u8>) -> Self {
        Self::new(format!("d{index:02}.png"), bytes)
    }

    /// Normal map of view number `index`: PNG, −1..1 as RGB in the camera's frame (+X right, +Y up, +Z towards the camera), black for
    /// the background.
    pub fn normals(index: usize, bytes: Vec<u8>) -> Self {
        Self::new(format!("n{index:02}.png"), bytes)
    }

    /// The number of a view, if `name` is the name of a view.
    pub fn view_index(name: &str) -> Option<usize> {
        let (number, extension) = name.strip_prefix('v')?.split_once('.')?;
        let is_image = matches!(extension, "png" | "webp" | "qoi" | "jpg" | "jpeg");
        // At least two digits, as written; `views.npy` also starts with `v`.
        let digits = number.len() >= 2 && number.bytes().all(|b| b.is_ascii_digit());
        if is_image && digits { number.parse().ok() } else { None }
    }
}

/// A caption of a shape.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Caption {
    /// The caption.
    pub text: String,
    /// Where it comes from: `name`, `folder`, `metadata`, `vlm:MODEL`, `cap3d` …
    #[serde(alias = "from")]
    pub source: String,
    /// The view that it describes; absent if it describes the whole shape.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub view: Option<usize>,
    /// Cosine similarity with the view or shape, if captions were ranked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub score: Option<f32>,
}

impl Caption {
    /// A caption of the whole shape.
    pub fn new(text: impl Into<String>, source: impl Into<String>) -> Self {
        Self { text: text.into(), source: source.into(), view: None, score: None }
    }
}

/// The metadata of a shape: the content of `KEY.json`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Metadata {
    /// Its id in the source: a file's path relative to the source, an Objaverse uid.
    pub id: String,
    /// Where it comes from.
    #[serde(default)]
    pub source: String,
    /// `train`, `val` or `test`.
    #[serde(default)]
    pub split: String,
    /// Names of its categories, the most common first.
    #[serde(default)]
    pub labels: Vec<String>,
    /// Its captions.
    #[serde(default)]
    pub captions: Vec<Caption>,
    /// Size of its bounding box in the file's units, +Y up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extents: Option<[f32; 3]>,
    /// Problems of its file.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// Missing captions, if any.
    #[serde(default, alias = "refused", skip_serializing_if = "Option::is_none")]
    pub missing_captions: Option<MissingCaptions>,
    /// Other metadata of its source.
    #[serde(default, skip_serializing_if = "serde_json::Map::is_empty")]
    pub extra: serde_json::Map<String, serde_json::Value>,
    /// CRC-32 of every other member, by name. Set when the shape is written.
    #[serde(default)]
    pub crc32: BTreeMap<String, u32>,
}

/// Captions that were requested for a shape and are missing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MissingCaptions {
    /// Number of missing captions.
    #[serde(alias = "questions")]
    pub missing: usize,
    /// Number of requested captions: one per view, or one for all views.
    #[serde(alias = "asked")]
    pub requested: usize,
    /// Why the first of them is missing.
    pub reason: String,
}

impl MissingCaptions {
    /// Whether all requested captions are missing.
    pub fn is_all(&self) -> bool {
        self.missing >= self.requested
    }
}

/// The split of a shape whose source has no splits: `val` for a fraction `val_fraction` of keys, otherwise `train`.
pub fn assign_split(key: &Key, val_fraction: f64) -> &'static str {
    // By hash instead of by chance: adding shapes never moves an existing one to another split.
    if key.split_hash() < val_fraction { "val" } else { "train" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn views_are_recognized_by_their_names() {
        assert_eq!(Member::view(7, "png", Vec::new()).name, "v07.png");
        assert_eq!(Member::view_index("v123.webp"), Some(123));
        for other in ["views.npy", "v1.png", "v00.npy", "v00", "d00.png", "vaa.png"] {
            assert_eq!(Member::view_index(other), None, "{other}");
        }
    }
}
