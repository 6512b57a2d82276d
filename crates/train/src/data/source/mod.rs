//! Where a run's shapes come from: procedurally generated, a folder's files, or a data set.

pub(crate) mod dataset;
pub(crate) mod folder;
pub(crate) mod generated;

use lexiform_geometry::Rig;
use lexiform_model::Teacher;

use crate::data::pool::{Held, Pool};
use crate::data::requirements::Needs;
use crate::data::shape_set::Sizes;
use crate::data::source::dataset::SetSupply;
use crate::data::source::folder::Files;
use crate::error::{FilesError, FitError};
use crate::recipe::DataConfig;

/// A source of shapes.
pub(crate) enum Supply {
    /// Procedurally generated: there is always another.
    Rules,
    /// Files that a person labelled.
    Files(Files),
    /// A data set that `lexiform data` made.
    Set(SetSupply),
}

impl Supply {
    /// A folder that has a manifest is a data set.
    pub fn open(config: &DataConfig, needs: Needs, teacher: Option<&Teacher>) -> Result<Self, FitError> {
        Ok(match &config.path {
            Some(folder) if lexiform_data::Dataset::exists(folder) => {
                Self::Set(SetSupply::open(folder, config, needs, teacher)?)
            }
            Some(folder) => Self::Files(Files::open(folder, config, needs)?),
            None => Self::Rules,
        })
    }

    /// Shapes to learn from; another round shows others, or the same otherwise. A data set has no rounds.
    pub fn training(
        &self,
        config: &DataConfig,
        sizes: Sizes,
        seed: u64,
        round: u64,
    ) -> Result<Pool, FilesError> {
        let held = |shapes| Pool::Held(Held { shapes, targets: None });
        Ok(match self {
            Self::Rules => held(generated::training(config, sizes, seed, round)),
            Self::Files(files) => held(files.training(config, sizes, seed, round)?),
            Self::Set(set) => Pool::Stored(set.training(config, sizes.view)),
        })
    }

    /// Shapes to measure on, which no round shows.
    pub fn held_out(&self, config: &DataConfig, rig: Option<&Rig>, sizes: Sizes) -> Pool {
        let shapes = match self {
            Self::Rules => generated::held_out_with(config.held_out, rig, sizes),
            Self::Files(files) => files.held_out(rig, sizes),
            Self::Set(set) => {
                return Pool::Stored(set.held_out(sizes.view, rig.map_or(0, |rig| rig.0.len())));
            }
        };
        Pool::Held(Held { shapes, targets: None })
    }

    /// How many shapes a round has.
    pub fn count(&self, config: &DataConfig) -> usize {
        match self {
            Self::Rules => config.shapes,
            Self::Files(files) => files.count(config),
            Self::Set(set) => set.count(config),
        }
    }
}
