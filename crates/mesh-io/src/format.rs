//! The file formats: names, extensions and conventions.

use std::path::Path;

use glam::{Affine3A, Mat3, Vec3};
use serde::{Deserialize, Serialize};

/// A supported file format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// glTF 2.0 JSON.
    Gltf,
    /// glTF 2.0 binary.
    Glb,
    /// Wavefront OBJ.
    Obj,
    /// Stereolithography, text or binary.
    Stl,
    /// Stanford polygon file.
    Ply,
    /// Object file format (OFF, COFF, NOFF …).
    Off,
    /// COLLADA.
    Dae,
    /// Point Cloud Library.
    Pcd,
    /// Rows of numbers: XYZ, PTS, TXT, CSV.
    Xyz,
    /// ASPRS LAS.
    Las,
    /// Compressed LAS.
    Laz,
    /// NumPy array.
    Npy,
    /// Zip of NumPy arrays.
    Npz,
}

impl Format {
    /// The format by the extension of a file name.
    ///
    /// ```
    /// use std::path::Path;
    /// use lexiform_mesh_io::{Format, UpAxis};
    ///
    /// assert_eq!(Format::from_path(Path::new("chair.GLB")), Some(Format::Glb));
    /// assert_eq!(Format::from_path(Path::new("readme.md")), None);
    /// assert_eq!(Format::Stl.up_axis(), UpAxis::Z);
    /// ```
    pub fn from_path(path: &Path) -> Option<Self> {
        let ending = path.extension()?.to_str()?.to_ascii_lowercase();
        Some(match ending.as_str() {
            "gltf" => Self::Gltf,
            "glb" | "vrm" => Self::Glb,
            "obj" => Self::Obj,
            "stl" => Self::Stl,
            "ply" => Self::Ply,
            "off" => Self::Off,
            "dae" => Self::Dae,
            "pcd" => Self::Pcd,
            "xyz" | "xyzrgb" | "xyzn" | "pts" | "txt" | "asc" | "csv" => Self::Xyz,
            "las" => Self::Las,
            "laz" => Self::Laz,
            "npy" => Self::Npy,
            "npz" => Self::Npz,
            _ => return None,
        })
    }

    /// Name in error messages.
    pub fn name(self) -> &'static str {
        match self {
            Self::Gltf | Self::Glb => "glTF",
            Self::Obj => "OBJ",
            Self::Stl => "STL",
            Self::Ply => "PLY",
            Self::Off => "OFF",
            Self::Dae => "COLLADA",
            Self::Pcd => "PCD",
            Self::Xyz => "XYZ",
            Self::Las | Self::Laz => "LAS",
            Self::Npy => "NPY",
            Self::Npz => "NPZ",
        }
    }

    /// Whether files of this format may reference other files (see [`sidecars`](crate::sidecars)).
    pub fn has_sidecars(self) -> bool {
        matches!(self, Self::Gltf | Self::Glb | Self::Obj | Self::Ply | Self::Dae)
    }

    /// The axis that points up in files of this format by convention.
    pub fn up_axis(self) -> UpAxis {
        match self {
            Self::Gltf | Self::Glb | Self::Obj | Self::Ply | Self::Dae => UpAxis::Y,
            Self::Stl | Self::Off | Self::Pcd | Self::Xyz | Self::Las | Self::Laz | Self::Npy | Self::Npz => {
                UpAxis::Z
            }
        }
    }
}

/// The axis that points up in a file's coordinates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum UpAxis {
    /// Rare; COLLADA supports it.
    X,
    /// Graphics: glTF, OBJ, PLY.
    Y,
    /// Scanning, printing, maps: STL, PCD, LAS and most others.
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
}
