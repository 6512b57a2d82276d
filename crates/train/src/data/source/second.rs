//! A second data set, some of whose shapes are in every batch.

use std::path::Path;

use lexiform_model::Teacher;

use crate::data::pool::ShapePool;
use crate::data::requirements::DataRequirements;
use crate::data::source::dataset::DatasetSource;
use crate::error::FitError;
use crate::event::TrainEvent;
use crate::recipe::{BatchConfig, DataConfig, Recipe, RecipeError, SecondSourceConfig};

/// A second data set: its shapes, and how they are sampled.
pub(crate) struct SecondSource {
    /// Batch size, views and captions.
    pub batch: BatchConfig,
    /// Training shapes.
    pub pool: ShapePool,
    source: DatasetSource,
    config: DataConfig,
}

impl SecondSource {
    /// Opens the second data set of a recipe, with views of `edge` pixels.
    ///
    /// # Errors
    /// If it cannot be read, or has fewer shapes than a batch needs.
    pub fn open(
        recipe: &Recipe,
        second: &SecondSourceConfig,
        requirements: DataRequirements,
        teacher: Option<&Teacher>,
        edge: usize,
    ) -> Result<Self, FitError> {
        let (config, batch) = (recipe.data.of_second(second), second.batch(&recipe.batch));
        let source = DatasetSource::open(&second.path, &config, requirements, teacher)?;
        let (most, count) = (batch.size.shapes(batch.min_views), source.count(config.max_shapes));
        if most > count {
            let message =
                format!("up to {most} shapes per batch, but only {count} in {}", second.path.display());
            return Err(RecipeError::batch_size(message).into());
        }
        let pool = ShapePool::OnDisk(source.training(&config, edge));
        Ok(Self { batch, pool, source, config })
    }

    /// Event with the numbers of shapes.
    pub fn opened_event(&self) -> TrainEvent {
        self.source.opened_event(false)
    }

    /// Checksum of the data set.
    pub fn fingerprint(&self) -> &str {
        self.source.fingerprint()
    }

    /// Optimizer steps in which each of at most `max_shapes` shapes is used once; 0 for all.
    pub fn steps_per_epoch(&self, max_shapes: usize) -> usize {
        self.batch.steps_per_epoch(self.source.count(max_shapes))
    }

    /// Attaches the teacher's features, cached in the file `path` if they are computed. Its shapes do not change during a run: the
    /// second time there is nothing to do.
    ///
    /// # Errors
    /// If shapes cannot be read or features not be written.
    pub fn load_features(
        &mut self,
        teacher: &Teacher,
        path: &Path,
        on_event: &mut dyn FnMut(TrainEvent),
    ) -> Result<(), FitError> {
        match &mut self.pool {
            ShapePool::OnDisk(pool) if pool.features.is_none() => {
                let data = toml::to_string(&self.config).unwrap_or_default();
                let key = format!("views of {} pixels {data}", pool.options.image_size);
                self.source.load_features(pool, teacher, &key, path, on_event)
            }
            _ => Ok(()),
        }
    }
}
