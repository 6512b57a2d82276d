//! Language models that read point clouds, for `lexiform caption` and `lexiform ask`.

use std::path::Path;

use lexiform_eval::StoredShape;
use lexiform_mesh_io::{UpRule, is_image};
use lexiform_model::lm::TextOptions;
use lexiform_model::pointllm::PointLlm;
use lexiform_model::{Device, WeightPrecision, registry};
use lexiform_search::{ModelInput, ShapePreprocessor, is_view_set};

use crate::commands::classify::file_error;
use crate::embed_inputs::EmbedInput;

/// A PointLLM, and how shapes become its input.
pub(crate) struct PointLanguageModel {
    model: PointLlm,
    preprocessor: ShapePreprocessor,
}

impl PointLanguageModel {
    /// Opens the weights if they are those of a PointLLM. Weights that do not open at all are reported by whoever opens them next.
    ///
    /// # Errors
    /// If they are of a PointLLM that cannot be opened.
    pub(crate) fn open(
        name: &str,
        up: UpRule,
        precision: WeightPrecision,
        device: &Device,
    ) -> anyhow::Result<Option<Self>> {
        let Some(file) = registry::open_weights(name).ok().filter(PointLlm::matches_file) else {
            return Ok(None);
        };
        let model = PointLlm::from_file_with_precision(&file, device, precision)?;
        let preprocessor = ShapePreprocessor::surface_points(model.n_points()).with_up(up);
        Ok(Some(Self { model, preprocessor }))
    }

    /// Name and fingerprint of the weights.
    pub(crate) fn id(&self) -> &str {
        self.model.id()
    }

    /// Answers of a shape to a question: one, or as many as are sampled; or the reason why it has none.
    ///
    /// # Errors
    /// If the model fails.
    pub(crate) fn answer(
        &self,
        input: &EmbedInput,
        question: &str,
        options: &TextOptions,
    ) -> anyhow::Result<Result<Vec<String>, String>> {
        let read = match input {
            EmbedInput::File(path) => self.read(path)?,
            EmbedInput::Shape(set, shape) => {
                StoredShape::new(set, *shape).read(&self.preprocessor).map_err(|error| error.to_string())
            }
        };
        let cloud = match read {
            Ok(ModelInput::Points(cloud) | ModelInput::Both { cloud, .. }) => cloud,
            Ok(ModelInput::Views(_)) => return Ok(Err("views have no points".to_owned())),
            Err(reason) => return Ok(Err(reason)),
        };
        Ok(Ok(self.model.answer(&cloud, question, options, &mut |_| {})?))
    }

    fn read(&self, path: &Path) -> anyhow::Result<Result<ModelInput, String>> {
        if !path.exists() {
            return Ok(Err("no such file".to_owned()));
        }
        if is_image(path) || (path.is_dir() && is_view_set(path)) {
            return Ok(Err(format!("{} reads 3D files and point clouds, not images", self.model.id())));
        }
        match self.preprocessor.process(path) {
            Ok(processed) => Ok(Ok(processed.input)),
            Err(error) => Ok(Err(file_error(path, error)?.1)),
        }
    }
}
