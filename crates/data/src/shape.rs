//! One shape of a data set: its views, points and features as the bytes of files, and what is known about it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::Key;

/// A shape before it is written, and as an exporter gets it.
#[derive(Clone, Debug, PartialEq)]
pub struct Shape {
    /// Its name in the data set.
    pub key: Key,
    /// Its files: views first and in order, so that they lie side by side; without `json`.
    pub members: Vec<Member>,
    /// What is known about it.
    pub about: About,
}

/// A file of a shape.
#[derive(Clone, Debug, PartialEq)]
pub struct Member {
    /// What follows the key: `v00.webp`, `points.npy`.
    pub name: String,
    /// Its content.
    pub bytes: Vec<u8>,
}

/// Longest name of a member in bytes.
pub(crate) const LONGEST_NAME: usize = 18;
/// Name of the member that ends every shape: what is known about it.
pub const ABOUT: &str = "json";
/// Points on the surface, `[points, 3 or 6]`: positions in the unit sphere, then sRGB colors in `0..=1`.
pub const POINTS: &str = "points.npy";
/// Cameras, `[views, 3, 4]`: rotation and position, world from camera.
pub const CAMERAS: &str = "cameras.npy";
/// Features of the views by a frozen model, `[views, dim]`.
pub const VIEW_FEATURES: &str = "views.npy";
/// Features of the captions by a frozen model, `[captions, dim]`.
pub const TEXT_FEATURES: &str = "texts.npy";

impl Member {
    /// A file called `name`.
    pub fn new(name: impl Into<String>, bytes: Vec<u8>) -> Self {
        Self { name: name.into(), bytes }
    }

    /// View number `index`; `ending` is its image format's.
    pub fn view(index: usize, ending: &str, bytes: Vec<u8>) -> Self {
        Self::new(format!("v{index:02}.{ending}"), bytes)
    }

    /// Depth of view number `index`: PNG, 16 bit, ten-thousandths of the unit sphere's radius along the camera's axis, 0
    /// where nothing is.
    pub fn depth(index: usize, bytes: Vec<u8>) -> Self {
        Self::new(format!("d{index:02}.png"), bytes)
    }

    /// Normals of view number `index`: PNG, RGB from −1..1 in the camera's frame (+X right, +Y up, +Z towards the
    /// camera), black where nothing is.
    pub fn normals(index: usize, bytes: Vec<u8>) -> Self {
        Self::new(format!("n{index:02}.png"), bytes)
    }

    /// The number of a view, if the name is one's.
    pub fn view_index(name: &str) -> Option<usize> {
        let (number, ending) = name.strip_prefix('v')?.split_once('.')?;
        let is_image = matches!(ending, "png" | "webp" | "qoi" | "jpg" | "jpeg");
        let digits = number.len() >= 2 && number.bytes().all(|b| b.is_ascii_digit());
        if is_image && digits { number.parse().ok() } else { None }
    }
}

/// A sentence about a shape.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Caption {
    /// The sentence.
    pub text: String,
    /// Where it comes from: `name`, `folder`, `metadata`, `served:MODEL`, `cap3d` …
    pub from: String,
    /// The view it was written about; absent where it is about the whole shape.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub view: Option<usize>,
    /// Cosine similarity with what it is about, where captions were ranked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub score: Option<f32>,
}

impl Caption {
    /// A sentence about the whole shape.
    pub fn new(text: impl Into<String>, from: impl Into<String>) -> Self {
        Self { text: text.into(), from: from.into(), view: None, score: None }
    }
}

/// What is known about a shape: the content of its `KEY.json`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct About {
    /// Its name where it comes from: a file's path below the source, an Objaverse uid.
    pub id: String,
    /// Where it comes from.
    #[serde(default)]
    pub source: String,
    /// `train`, `val` or `test`.
    #[serde(default)]
    pub split: String,
    /// Names of its categories, best known first.
    #[serde(default)]
    pub labels: Vec<String>,
    /// Sentences about it.
    #[serde(default)]
    pub captions: Vec<Caption>,
    /// Edges of its bounds in the file's units, +Y up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extents: Option<[f32; 3]>,
    /// What is odd about its file.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// What a captioner that was asked did not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<Refused>,
    /// Whatever else its source says.
    #[serde(default, skip_serializing_if = "serde_json::Map::is_empty")]
    pub extra: serde_json::Map<String, serde_json::Value>,
    /// CRC-32 of every other member, by name. Filled in when the shape is written: a shape whose sums agree is whole.
    #[serde(default)]
    pub crc32: BTreeMap<String, u32>,
}

/// Questions about a shape that a captioner gave no sentence for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refused {
    /// How many of them.
    pub questions: usize,
    /// How many it was asked: one a view, or one about all views.
    pub asked: usize,
    /// Why, for the first of them.
    pub reason: String,
}

impl Refused {
    /// Whether there is no sentence at all.
    pub fn is_all(&self) -> bool {
        self.questions >= self.asked
    }
}

/// The split a shape belongs to where nothing else says: a share of keys is held out.
pub fn split_of(key: &Key, held_out: f64) -> &'static str {
    if key.lot() < held_out { "val" } else { "train" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn views_are_told_by_their_names() {
        assert_eq!(Member::view(7, "png", Vec::new()).name, "v07.png");
        assert_eq!(Member::view_index("v123.webp"), Some(123));
        for other in ["views.npy", "v1.png", "v00.npy", "v00", "d00.png", "vaa.png"] {
            assert_eq!(Member::view_index(other), None, "{other}");
        }
    }
}
