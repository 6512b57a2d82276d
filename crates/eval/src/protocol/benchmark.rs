//! Names of benchmarks and papers.

use std::str::FromStr;

use serde::Serialize;

/// A benchmark.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Benchmark {
    /// Objaverse-LVIS (<https://arxiv.org/abs/2212.08051>).
    ObjaverseLvis,
    /// Test split of ModelNet40 (<https://arxiv.org/abs/1406.5670>).
    Modelnet40,
    /// Test split of ModelNet10.
    Modelnet10,
    /// ScanObjectNN, OBJ_ONLY: segmented objects (<https://arxiv.org/abs/1908.04616>).
    ScanobjectnnObjOnly,
    /// ScanObjectNN, OBJ_BG: objects with background.
    ScanobjectnnObjBg,
    /// ScanObjectNN, PB_T50_RS: translated, rotated and scaled boxes.
    ScanobjectnnHardest,
    /// Text2Shape: captions of ShapeNet's chairs and tables (<https://arxiv.org/abs/1803.08495>).
    Text2shape,
    /// MVPNet: point clouds and photos of MVImgNet (<https://arxiv.org/abs/2303.06042>).
    Mvpnet,
}

/// A paper with evaluation protocols.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Paper {
    /// Duoduo CLIP (<https://arxiv.org/abs/2406.11579>).
    Duoduo,
    /// ULIP (<https://arxiv.org/abs/2212.05171>) and ULIP-2 (<https://arxiv.org/abs/2305.08275>).
    Ulip2,
    /// CG3D (<https://arxiv.org/abs/2303.11313>).
    Cg3d,
    /// OpenShape (<https://arxiv.org/abs/2305.10764>).
    Openshape,
}

impl Benchmark {
    /// Every benchmark.
    pub const ALL: [Self; 8] = [
        Self::ObjaverseLvis,
        Self::Modelnet40,
        Self::Modelnet10,
        Self::ScanobjectnnObjOnly,
        Self::ScanobjectnnObjBg,
        Self::ScanobjectnnHardest,
        Self::Text2shape,
        Self::Mvpnet,
    ];

    /// Its name on command lines.
    pub fn name(self) -> &'static str {
        match self {
            Self::ObjaverseLvis => "objaverse-lvis",
            Self::Modelnet40 => "modelnet40",
            Self::Modelnet10 => "modelnet10",
            Self::ScanobjectnnObjOnly => "scanobjectnn-obj-only",
            Self::ScanobjectnnObjBg => "scanobjectnn-obj-bg",
            Self::ScanobjectnnHardest => "scanobjectnn-hardest",
            Self::Text2shape => "text2shape",
            Self::Mvpnet => "mvpnet",
        }
    }
}

impl Paper {
    /// Every paper.
    pub const ALL: [Self; 4] = [Self::Duoduo, Self::Ulip2, Self::Cg3d, Self::Openshape];

    /// Its name on command lines.
    pub fn name(self) -> &'static str {
        match self {
            Self::Duoduo => "duoduo",
            Self::Ulip2 => "ulip2",
            Self::Cg3d => "cg3d",
            Self::Openshape => "openshape",
        }
    }
}

/// An unknown benchmark or paper.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown {what} {found:?}, expected one of {expected}")]
pub struct UnknownName {
    what: &'static str,
    found: String,
    expected: String,
}

impl FromStr for Benchmark {
    type Err = UnknownName;

    fn from_str(name: &str) -> Result<Self, UnknownName> {
        find("protocol", name, &Self::ALL, Self::name)
    }
}

impl FromStr for Paper {
    type Err = UnknownName;

    fn from_str(name: &str) -> Result<Self, UnknownName> {
        find("paper", name, &Self::ALL, Self::name)
    }
}

fn find<T: Copy>(
    what: &'static str,
    found: &str,
    all: &[T],
    name: fn(T) -> &'static str,
) -> Result<T, UnknownName> {
    let unknown = || {
        let expected = all.iter().map(|x| name(*x)).collect::<Vec<_>>().join(", ");
        UnknownName { what, found: found.to_owned(), expected }
    };
    all.iter().copied().find(|x| name(*x) == found).ok_or_else(unknown)
}
