//! Sources of shapes: procedural generation, a folder of files, or a data set.

mod asset_names;
pub(crate) mod assets;
pub(crate) mod dataset;
mod dataset_rows;
pub(crate) mod folder;
pub(crate) mod generated;
pub(crate) mod second;
pub(crate) mod validation;

use lexiform_geometry::Rig;
use lexiform_model::Teacher;

use crate::data::pool::{InMemoryPool, ShapePool};
use crate::data::requirements::DataRequirements;
use crate::data::shape_set::SampleSize;
use crate::data::source::assets::Assets;
use crate::data::source::dataset::DatasetSource;
use crate::data::source::folder::FolderSource;
use crate::error::{FitError, FolderError};
use crate::recipe::{DataConfig, RecipeError};

/// A source of shapes.
pub(crate) enum DataSource {
    /// Procedurally generated shapes, in any number, and perhaps files described by their names.
    Procedural(Option<Assets>),
    /// A folder of labeled files.
    Folder(FolderSource),
    /// A data set written by `lexiform data`.
    Dataset(DatasetSource),
}

impl DataSource {
    /// Opens the source of a recipe. A folder with a manifest is a data set.
    ///
    /// # Errors
    /// If it cannot be read, or has too few usable shapes.
    pub fn open(
        config: &DataConfig,
        requirements: DataRequirements,
        teacher: Option<&Teacher>,
    ) -> Result<Self, FitError> {
        let is_set = config.path.as_deref().is_some_and(lexiform_data::Dataset::exists);
        let needs_ids = [("data.ids", &config.ids), ("data.neighbor_file", &config.neighbor_file)];
        let given = needs_ids.into_iter().find_map(|(field, file)| Some((field, file.as_ref()?)));
        if let Some((field, file)) = given.filter(|_| !is_set) {
            let rule = "requires a data set, whose shapes have ids: data.path";
            return Err(RecipeError::Value { field, found: file.display().to_string(), rule }.into());
        }
        Ok(match &config.path {
            Some(folder) if is_set => {
                Self::Dataset(DatasetSource::open(folder, config, requirements, teacher)?)
            }
            Some(folder) => Self::Folder(FolderSource::open(folder, config, requirements)?),
            None => Self::Procedural(Assets::open(&config.assets, config.up)?),
        })
    }

    /// Training shapes. Each refresh generates other shapes, or renders the same files differently; data sets do not change.
    ///
    /// # Errors
    /// If fewer than two files of a folder can be read.
    pub fn training(
        &self,
        config: &DataConfig,
        size: SampleSize,
        seed: u64,
        refresh: u64,
    ) -> Result<ShapePool, FolderError> {
        let in_memory = |shapes| ShapePool::InMemory(InMemoryPool { shapes, targets: None });
        Ok(match self {
            Self::Procedural(assets) => {
                let mut shapes = generated::training_shapes(config, size, seed, refresh);
                if let Some(assets) = assets {
                    assets.add_to(&mut shapes, config, size, seed, refresh);
                }
                in_memory(shapes)
            }
            Self::Folder(folder) => in_memory(folder.training(config, size, seed, refresh)?),
            Self::Dataset(set) => ShapePool::OnDisk(set.training(config, size.view)),
        })
    }

    /// Validation shapes, which are never trained on.
    pub fn validation(&self, config: &DataConfig, rig: Option<&Rig>, size: SampleSize) -> ShapePool {
        let shapes = match self {
            Self::Procedural(_) => generated::validation_with(config.val_per_class, rig, size),
            Self::Folder(folder) => folder.validation(rig, size),
            Self::Dataset(set) => {
                return ShapePool::OnDisk(set.validation(size.view, rig.map_or(0, |rig| rig.0.len())));
            }
        };
        ShapePool::InMemory(InMemoryPool { shapes, targets: None })
    }

    /// Number of training shapes.
    pub fn count(&self, config: &DataConfig) -> usize {
        match self {
            Self::Procedural(assets) => config.shapes + assets.as_ref().map_or(0, Assets::count),
            Self::Folder(folder) => folder.count(config),
            Self::Dataset(set) => set.count(config.max_shapes),
        }
    }
}
