//! Language models that read point clouds, for `lexiform caption` and `lexiform ask`.

use lexiform_geometry::PointCloud;
use lexiform_mesh_io::UpRule;
use lexiform_model::lm::TextOptions;
use lexiform_model::pointllm::PointLlm;
use lexiform_model::weights::WeightFile;
use lexiform_model::{Device, WeightPrecision};
use lexiform_search::{ModelInput, ShapePreprocessor};

use crate::embed_inputs::EmbedInput;

/// A PointLLM, and how shapes become its input.
pub(crate) struct PointLanguageModel {
    model: PointLlm,
    preprocessor: ShapePreprocessor,
}

impl PointLanguageModel {
    /// Opens weights if they are those of a PointLLM.
    ///
    /// # Errors
    /// If they are of a PointLLM that cannot be opened.
    pub(crate) fn open(
        file: &WeightFile,
        up: UpRule,
        precision: WeightPrecision,
        device: &Device,
    ) -> anyhow::Result<Option<Self>> {
        if !PointLlm::matches_file(file) {
            return Ok(None);
        }
        let model = PointLlm::from_file(file, device, precision)?;
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
        if input.views_path().is_some() {
            return Ok(Err(format!("{} reads 3D files and point clouds, not images", self.id())));
        }
        let cloud = match input.read(&self.preprocessor)? {
            Ok(ModelInput::Points(cloud) | ModelInput::Both { cloud, .. }) => cloud,
            Ok(ModelInput::Views(_)) => return Ok(Err("views have no points".to_owned())),
            Err(reason) => return Ok(Err(reason)),
        };
        self.answer_cloud(&cloud, question, options).map(Ok)
    }

    /// As [`answer`](Self::answer), of points on the surface.
    ///
    /// # Errors
    /// If the model fails.
    pub(crate) fn answer_cloud(
        &self,
        cloud: &PointCloud,
        question: &str,
        options: &TextOptions,
    ) -> anyhow::Result<Vec<String>> {
        Ok(self.model.answer(cloud, question, options, &mut |_| {})?)
    }
}
