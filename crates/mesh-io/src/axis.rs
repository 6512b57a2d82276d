//! The axis that points up in a file's coordinates.

use glam::{Affine3A, Mat3, Vec3};
use serde::{Deserialize, Serialize};

/// The axis that points up in a file's coordinates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum UpAxis {
    /// Rare; COLLADA supports it.
    X,
    /// Graphics: glTF, OBJ, PLY.
    Y,
    /// Printing, scanning and maps: STL, PCD, LAS.
    Z,
}

impl UpAxis {
    /// The rotation that brings this axis to +Y.
    pub(super) fn world_from_file(self) -> Affine3A {
        let (x, y, z) = (Vec3::X, Vec3::Y, Vec3::Z);
        Affine3A::from_mat3(match self {
            Self::X => Mat3::from_cols(y, -x, z),
            Self::Y => Mat3::IDENTITY,
            Self::Z => Mat3::from_cols(x, -z, y),
        })
    }

    /// The rotation from +Y up to this axis up, the inverse of what reading does.
    pub fn file_from_world(self) -> Affine3A {
        self.world_from_file().inverse()
    }

    /// `x`, `y` or `z`.
    pub fn name(self) -> &'static str {
        match self {
            Self::X => "x",
            Self::Y => "y",
            Self::Z => "z",
        }
    }
}
