//! The file formats: names, extensions and conventions.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::axis::UpAxis;

/// Extensions of 3D formats that are not supported: files of modeling and CAD programs, and exchange formats.
#[rustfmt::skip]
const UNSUPPORTED_EXTENSIONS: [&str; 25] = [
    "3dm", "abc", "blend", "c4d", "catpart", "catproduct", "dwg", "f3d", "iam", "ifc", "iges", "igs", "ipt", "jt", "lwo", "ma",
    "max", "mb", "sat", "skp", "sldasm", "sldprt", "step", "stp", "ztl",
];

/// The extension of a file in a known 3D format that is not supported.
pub(super) fn unsupported_extension(path: &Path) -> Option<&'static str> {
    let ending = path.extension()?.to_str()?;
    UNSUPPORTED_EXTENSIONS.into_iter().find(|known| known.eq_ignore_ascii_case(ending))
}

/// A kind of file that is usually something else than points: only its content says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Table {
    /// Rows of text.
    Rows,
    /// A NumPy array.
    Array,
    /// A zip of NumPy arrays.
    Arrays,
}

impl Table {
    /// The kind by the extension of a file name.
    pub fn from_path(path: &Path) -> Option<Self> {
        match path.extension()?.to_str()?.to_ascii_lowercase().as_str() {
            "txt" | "csv" | "asc" => Some(Self::Rows),
            "npy" => Some(Self::Array),
            "npz" => Some(Self::Arrays),
            _ => None,
        }
    }
}

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
    /// Autodesk FBX.
    Fbx,
    /// Universal Scene Description: text, binary or a package.
    Usd,
    /// 3D Manufacturing Format.
    #[serde(rename = "3mf")]
    ThreeMf,
    /// 3D Studio.
    #[serde(rename = "3ds")]
    Tds,
    /// Additive Manufacturing File.
    Amf,
    /// AutoCAD's exchange format, ASCII.
    Dxf,
    /// X3D, and VRML 97.
    X3d,
    /// MagicaVoxel.
    Vox,
    /// Draco.
    Drc,
    /// 3D Gaussians in records of 32 bytes.
    Splat,
    /// ASTM E57.
    E57,
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
    /// All formats.
    #[rustfmt::skip]
    pub const ALL: [Self; 24] = [
        Self::Gltf, Self::Glb, Self::Obj, Self::Stl, Self::Ply, Self::Off, Self::Dae, Self::Fbx, Self::Usd, Self::ThreeMf,
        Self::Tds, Self::Amf, Self::Dxf, Self::X3d, Self::Vox, Self::Drc, Self::Splat, Self::E57, Self::Pcd, Self::Xyz,
        Self::Las, Self::Laz, Self::Npy, Self::Npz,
    ];

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
            "fbx" => Self::Fbx,
            "usd" | "usda" | "usdc" | "usdz" => Self::Usd,
            "3mf" => Self::ThreeMf,
            "3ds" => Self::Tds,
            "amf" => Self::Amf,
            "dxf" => Self::Dxf,
            "x3d" | "x3dv" | "wrl" | "vrml" => Self::X3d,
            "vox" => Self::Vox,
            "drc" => Self::Drc,
            "splat" => Self::Splat,
            "e57" => Self::E57,
            "pcd" => Self::Pcd,
            "xyz" | "xyzrgb" | "xyzn" | "pts" | "txt" | "asc" | "csv" => Self::Xyz,
            "las" => Self::Las,
            "laz" => Self::Laz,
            "npy" => Self::Npy,
            "npz" => Self::Npz,
            _ => return None,
        })
    }

    /// Short name in records and JSON: the usual extension.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Gltf => "gltf",
            Self::Glb => "glb",
            Self::Obj => "obj",
            Self::Stl => "stl",
            Self::Ply => "ply",
            Self::Off => "off",
            Self::Dae => "dae",
            Self::Fbx => "fbx",
            Self::Usd => "usd",
            Self::ThreeMf => "3mf",
            Self::Tds => "3ds",
            Self::Amf => "amf",
            Self::Dxf => "dxf",
            Self::X3d => "x3d",
            Self::Vox => "vox",
            Self::Drc => "drc",
            Self::Splat => "splat",
            Self::E57 => "e57",
            Self::Pcd => "pcd",
            Self::Xyz => "xyz",
            Self::Las => "las",
            Self::Laz => "laz",
            Self::Npy => "npy",
            Self::Npz => "npz",
        }
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
            Self::Fbx => "FBX",
            Self::Usd => "USD",
            Self::ThreeMf => "3MF",
            Self::Tds => "3DS",
            Self::Amf => "AMF",
            Self::Dxf => "DXF",
            Self::X3d => "X3D",
            Self::Vox => "VOX",
            Self::Drc => "Draco",
            Self::Splat => "splat",
            Self::E57 => "E57",
            Self::Pcd => "PCD",
            Self::Xyz => "XYZ",
            Self::Las | Self::Laz => "LAS",
            Self::Npy => "NPY",
            Self::Npz => "NPZ",
        }
    }

    /// Whether files of this format may reference other files (see [`sidecars`](crate::sidecars)).
    pub fn has_sidecars(self) -> bool {
        matches!(
            self,
            Self::Gltf | Self::Glb | Self::Obj | Self::Ply | Self::Dae | Self::Fbx | Self::Tds | Self::X3d
        )
    }

    /// Whether coordinates are in meters once a file is read: the format has a unit. Others are usually in millimeters where they
    /// are for printing, and in any unit elsewhere.
    pub fn has_unit(self) -> bool {
        matches!(
            self,
            Self::Gltf
                | Self::Glb
                | Self::Dae
                | Self::Fbx
                | Self::Usd
                | Self::ThreeMf
                | Self::Amf
                | Self::X3d
                | Self::E57
        )
    }

    /// The axis that points up in files of this format that state none: +Z where most files have it (printing, scanning, maps), +Y
    /// otherwise. Rows of numbers and arrays are never turned, so that the same points are the same shape in any of these formats.
    pub fn up_axis(self) -> UpAxis {
        match self {
            Self::Stl
            | Self::Pcd
            | Self::Las
            | Self::Laz
            | Self::E57
            | Self::ThreeMf
            | Self::Tds
            | Self::Amf
            | Self::Dxf
            | Self::Vox => UpAxis::Z,
            Self::Gltf
            | Self::Glb
            | Self::Obj
            | Self::Ply
            | Self::Off
            | Self::Dae
            | Self::Fbx
            | Self::Usd
            | Self::X3d
            | Self::Drc
            | Self::Splat
            | Self::Xyz
            | Self::Npy
            | Self::Npz => UpAxis::Y,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_names_are_extensions_and_those_of_serde() {
        for format in Format::ALL {
            let name = format.extension();
            assert_eq!(Format::from_path(&Path::new("a").with_extension(name)), Some(format));
            let of_serde = serde_json::to_value(format).unwrap();
            assert_eq!(of_serde, name);
        }
    }
}
