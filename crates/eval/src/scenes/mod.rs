//! Evaluation on labeled scenes: proposals, objects found by name, recognition with given masks, labels of points, average precision.

mod cg3d;
mod failures;
mod labeled_scene;
mod layout;
mod measure;
mod parts;
mod replica;
mod report;
mod s3dis;
mod scannet;

pub use cg3d::{Cg3dClass, Cg3dReport, cg3d_s3dis};
pub use labeled_scene::{LabeledScene, SceneInstance};
pub use layout::read_scene_layout;
pub use measure::{SceneEvalConfig, scenes};
pub use parts::{PartReport, find_parts};
pub use report::{SceneReport, SceneSummary};
pub use s3dis::write_s3dis_room;
