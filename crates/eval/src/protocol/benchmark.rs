//! Benchmarks and papers by name.

use std::str::FromStr;

use serde::Serialize;

/// A benchmark by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Benchmark {
    /// Objaverse's objects with LVIS classes.
    ObjaverseLvis,
    /// ModelNet's test split, 40 classes.
    Modelnet40,
    /// ModelNet's test split, 10 classes.
    Modelnet10,
    /// ScanObjectNN, objects cut out.
    ScanobjectnnObjOnly,
    /// ScanObjectNN, objects with their background.
    ScanobjectnnObjBg,
    /// ScanObjectNN's PB_T50_RS: moved, turned and scaled boxes.
    ScanobjectnnHardest,
    /// Captions of ShapeNet's chairs and tables.
    Text2shape,
    /// Point clouds and photos of MVImgNet's objects.
    Mvpnet,
}

/// Whose way of measuring.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Paper {
    /// Duoduo CLIP.
    Duoduo,
    /// ULIP and ULIP-2.
    Ulip2,
    /// CG3D.
    Cg3d,
    /// OpenShape.
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
#[error("no {what} is called {found:?}, expected one of {expected}")]
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
