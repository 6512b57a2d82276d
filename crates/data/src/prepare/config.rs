//! Configuration of [`Prepare`](super::Prepare).

use lexiform_formats::view_format::ViewFormat;
use lexiform_geometry::RigKind;
use lexiform_mesh_io::UpRule;
use lexiform_render::Background;
use serde::{Deserialize, Serialize};

/// How shapes are made from 3D files.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PrepareConfig {
    /// How the up axis of files is found.
    #[serde(skip_serializing_if = "is_default")]
    pub up: UpRule,
    /// Placement of the cameras.
    pub rig: RigKind,
    /// Number of views.
    pub views: usize,
    /// Width and height of a view in pixels.
    pub size: u32,
    /// Background of the views.
    pub background: Background,
    /// Image format of the views.
    pub view_format: ViewFormat,
    /// Whether to store a depth map of each view.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub depth: bool,
    /// Whether to store a normal map of each view.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub normals: bool,
    /// Number of points sampled from the surface; 0 for none.
    pub points: usize,
    /// Seed for cameras and points; combined with the key, so that each shape has its own.
    pub seed: u64,
    /// Fraction of shapes in the split `val`.
    pub val_fraction: f64,
    /// Whether the name of a file's folder is its label, and `train` or `test` among its folders its split.
    pub folder_labels: bool,
    /// Whether file names, folder names and glTF metadata are captions.
    pub file_captions: bool,
    /// Number of captions kept per view and for the whole shape, ranked by similarity of features; 0 for all.
    pub top_k_captions: usize,
}

impl Default for PrepareConfig {
    fn default() -> Self {
        Self {
            up: UpRule::Format,
            rig: RigKind::Zero123,
            views: 12,
            size: 224,
            background: Background::WHITE,
            view_format: ViewFormat::default(),
            depth: false,
            normals: false,
            points: 10_000,
            seed: 0,
            val_fraction: 0.0,
            folder_labels: false,
            file_captions: true,
            top_k_captions: 0,
        }
    }
}

fn is_default(up: &UpRule) -> bool {
    *up == UpRule::Format
}
