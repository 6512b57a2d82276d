//! Where a run's shapes come from: made by rule, or a folder's files.

use lexiform_geometry::Rig;

use crate::files::{Files, FilesError};
use crate::generated;
use crate::recipe::DataConfig;
use crate::shape_set::{ShapeSet, Sizes};

/// A source of shapes.
pub(crate) enum Supply {
    /// Made by rule: there is always another.
    Rules,
    /// Files that a person labelled.
    Files(Files),
}

impl Supply {
    pub fn open(config: &DataConfig) -> Result<Self, FilesError> {
        Ok(match &config.path {
            Some(folder) => Self::Files(Files::open(folder, config)?),
            None => Self::Rules,
        })
    }

    /// Shapes to learn from; another round shows others, or the same otherwise.
    pub fn training(
        &self,
        config: &DataConfig,
        sizes: Sizes,
        seed: u64,
        round: u64,
    ) -> Result<ShapeSet, FilesError> {
        match self {
            Self::Rules => Ok(generated::training(config, sizes, seed, round)),
            Self::Files(files) => files.training(config, sizes, seed, round),
        }
    }

    /// Shapes to measure on, which no round shows.
    pub fn held_out(&self, config: &DataConfig, rig: Option<&Rig>, sizes: Sizes) -> ShapeSet {
        match self {
            Self::Rules => generated::held_out_with(config.held_out, rig, sizes),
            Self::Files(files) => files.held_out(rig, sizes),
        }
    }

    /// How many shapes a round has.
    pub fn count(&self, config: &DataConfig) -> usize {
        match self {
            Self::Rules => config.shapes,
            Self::Files(files) => files.count(config),
        }
    }
}
