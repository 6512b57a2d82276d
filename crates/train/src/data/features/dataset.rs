//! Features of a frozen model for the shapes of a data set: those in the set, or computed once into a file of the run that
//! is read row by row.

use lexiform_data::DataError;
use lexiform_formats::read_exact_at;

use crate::data::requirements::DataRequirements;
use crate::data::shape_set::CategoryNames;
use crate::error::FitError;
use lexiform_model::Teacher;

/// Features of a data set's shapes.
pub(crate) struct DatasetFeatures {
    /// Width of the features.
    pub dim: usize,
    /// Which of them are asked for.
    pub requirements: DataRequirements,
    /// Of each label and the sentences that say it, `[categories, 1 + templates, dim]`; empty where no text is learned from.
    labels: Vec<f32>,
    /// Sentences of a label.
    sentences: usize,
    /// Where those of views and captions are.
    pub rows: FeatureRows,
}

/// Where the features of views and captions are.
pub(crate) enum FeatureRows {
    /// In the set.
    FromDataset,
    /// In a file of the run.
    Computed(FeatureFile),
}

impl DatasetFeatures {
    /// Takes features from `rows`, and computes those of the labels, which are few.
    pub fn new(
        rows: FeatureRows,
        requirements: DataRequirements,
        names: &[CategoryNames],
        templates: &[String],
        teacher: &Teacher,
    ) -> Result<Self, FitError> {
        let mut labels = Vec::new();
        if requirements.text_features {
            let sentences = names.iter().flat_map(|names| {
                let said = templates.iter().map(|template| template.replace("{}", &names.name));
                std::iter::once(names.name.clone()).chain(said)
            });
            let sentences: Vec<String> = sentences.collect();
            let sentences: Vec<&str> = sentences.iter().map(String::as_str).collect();
            labels = teacher.texts(&sentences)?;
        }
        let sentences = if requirements.text_features { 1 + templates.len() } else { 0 };
        Ok(Self { dim: teacher.dim(), requirements, labels, sentences, rows })
    }

    /// Features of all that a label says, `[sentences, dim]`.
    pub fn label_features(&self, category: Option<u32>) -> &[f32] {
        let stride = self.sentences * self.dim;
        let start = category.map_or(self.labels.len(), |category| category as usize * stride);
        self.labels.get(start..start + stride).unwrap_or(&[])
    }
}

/// Rows of features in a `.safetensors` file, shape by shape: of its views, then of its captions.
pub(crate) struct FeatureFile {
    pub(super) file: std::fs::File,
    /// Where the first row begins.
    pub(super) start: u64,
    pub(super) dim: usize,
    /// First row of each shape, and of what would follow the last.
    pub(super) first: Vec<u64>,
    /// How many of a shape's rows are of captions.
    pub(super) texts: Vec<u32>,
}

impl FeatureFile {
    /// Rows of captions of a shape.
    pub fn texts(&self, at: usize) -> usize {
        self.texts[at] as usize
    }

    /// All rows of a shape, `[views + captions, dim]`.
    pub fn read(&self, at: usize) -> Result<Vec<f32>, DataError> {
        let row = self.dim as u64 * 4;
        let mut bytes = vec![0; ((self.first[at + 1] - self.first[at]) * row) as usize];
        read_exact_at(&self.file, &mut bytes, self.start + self.first[at] * row)?;
        Ok(bytes.as_chunks::<4>().0.iter().map(|value| f32::from_le_bytes(*value)).collect())
    }
}
