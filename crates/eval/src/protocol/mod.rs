//! How each paper measures: classes, sentences, how shapes are taken, and which published row the number is compared with.

mod catalog;
pub mod labels;
mod published;
mod templates;

use std::str::FromStr;

use serde::Serialize;

pub use labels::{Classes, Spelling};
pub use published::{Published, Values};
pub use templates::Templates;

use crate::TextMean;

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
    /// ScanObjectNN, objects with what stands around them.
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

/// Where points are put.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Placing {
    /// Their mean at the origin, the farthest at distance 1.
    Unit,
    /// The same, computed in half precision.
    UnitInHalf,
    /// As they are stored.
    AsStored,
}

/// How a paper takes the shapes of a benchmark.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taking {
    /// As views.
    Views {
        /// Numbers of views that are tried.
        counts: &'static [usize],
        /// Views there are of each shape, of which some are drawn.
        of: usize,
        /// Seeds of the paper's runs, over which it averages.
        seeds: &'static [u32],
    },
    /// As points.
    Points {
        /// How many; `None` for as many as the encoder was trained with.
        count: Option<usize>,
        /// Where they are put.
        placing: Placing,
        /// Whether colors are left out.
        bare: bool,
        /// What else must be known of them.
        note: &'static str,
    },
}

impl Taking {
    /// In words.
    pub fn describe(&self) -> String {
        match *self {
            Self::Views { counts, of, seeds } => {
                let list = |numbers: Vec<String>| numbers.join(", ");
                let counts = list(counts.iter().map(usize::to_string).collect());
                let seeds = list(seeds.iter().map(u32::to_string).collect());
                format!("{counts} of {of} views, which the authors draw with the seeds {seeds}")
            }
            Self::Points { count, placing, bare, note } => {
                let count = count
                    .map_or("as many points as the encoder is used to".to_owned(), |n| format!("{n} points"));
                let place = match placing {
                    Placing::Unit => "mean at the origin, radius 1",
                    Placing::UnitInHalf => "mean at the origin, radius 1, in half precision",
                    Placing::AsStored => "as stored",
                };
                let color = if bare { ", without color" } else { "" };
                let note = if note.is_empty() { String::new() } else { format!(" ({note})") };
                format!("{count}, {place}{color}{note}")
            }
        }
    }
}

/// A benchmark as a paper measures it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Protocol {
    /// The benchmark.
    pub benchmark: Benchmark,
    /// The paper.
    pub paper: Paper,
    /// The classes.
    pub classes: Classes,
    /// How names stand in sentences.
    pub spelling: Spelling,
    /// The sentences.
    pub templates: Templates,
    /// How the sentences of a class become its direction.
    pub text_mean: TextMean,
    /// How shapes are taken.
    pub taking: Taking,
    /// How many shapes the paper counts, where it says so.
    pub items: Option<usize>,
    /// What must be known when numbers are compared.
    pub note: &'static str,
}

impl Protocol {
    /// A benchmark in the way of a paper; `None` where the paper is not known to measure on it.
    pub fn of(benchmark: Benchmark, paper: Paper) -> Option<&'static Self> {
        catalog::PROTOCOLS.iter().find(|p| p.benchmark == benchmark && p.paper == paper)
    }

    /// All that are known of a benchmark.
    pub fn known(benchmark: Benchmark) -> impl Iterator<Item = &'static Self> {
        catalog::PROTOCOLS.iter().filter(move |p| p.benchmark == benchmark)
    }

    /// Published rows to compare with, the paper's own first.
    pub fn published(&self) -> Vec<&'static Published> {
        let rows = published::ROWS.iter().filter(|row| row.benchmark == self.benchmark);
        let mut rows: Vec<_> = rows.filter(|row| row.protocol == self.paper).collect();
        rows.sort_by_key(|row| !row.own);
        rows
    }

    /// `modelnet40 as cg3d`.
    pub fn title(&self) -> String {
        format!("{} as {}", self.benchmark.name(), self.paper.name())
    }
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

/// A name that stands for nothing here.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_go_both_ways_and_unknown_ones_list_the_known() {
        for benchmark in Benchmark::ALL {
            assert_eq!(benchmark.name().parse(), Ok(benchmark));
            assert!(Protocol::known(benchmark).next().is_some(), "{benchmark:?}");
        }
        for paper in Paper::ALL {
            assert_eq!(paper.name().parse(), Ok(paper));
        }
        let error = "shapenet".parse::<Benchmark>().unwrap_err().to_string();
        assert!(
            error.contains("no protocol is called \"shapenet\"") && error.contains("modelnet40"),
            "{error}"
        );
    }

    #[test]
    fn protocols_are_whole() {
        for protocol in catalog::PROTOCOLS {
            let twins = catalog::PROTOCOLS
                .iter()
                .filter(|p| (p.benchmark, p.paper) == (protocol.benchmark, protocol.paper));
            assert_eq!(twins.count(), 1, "{}", protocol.title());
            if let Taking::Views { counts, of, .. } = protocol.taking {
                assert!(counts.iter().all(|n| (1..=of).contains(n)), "{}", protocol.title());
            }
        }
        assert!(Protocol::of(Benchmark::Modelnet10, Paper::Duoduo).is_none());
        let lvis = Protocol::of(Benchmark::ObjaverseLvis, Paper::Duoduo).unwrap();
        assert!(lvis.published()[0].own);
    }

    #[test]
    fn every_published_row_belongs_to_a_protocol() {
        for row in published::ROWS {
            assert!(Protocol::of(row.benchmark, row.protocol).is_some(), "{row:?}");
        }
    }

    #[test]
    fn spellings() {
        assert_eq!(Spelling::Underscores.spell("flower pot"), "flower_pot");
        assert_eq!(Spelling::Spaces.spell("flower_pot"), "flower pot");
        assert!(labels::same_class("Night_Stand", "night stand") && !labels::same_class("bed", "bench"));
    }
}
