//! A teacher's features of a data set's shapes: stored in the data set, or computed once into a file that is read row by row.

use lexiform_data::DataError;
use lexiform_formats::read_exact_at;

use super::vectors::to_floats;
use crate::data::requirements::DataRequirements;
use crate::data::shape_set::CategoryNames;
use crate::error::FitError;
use lexiform_model::Teacher;

/// A teacher's features of a data set's shapes.
pub(crate) struct DatasetFeatures {
    /// Width of the features.
    pub dim: usize,
    /// Which features are needed.
    pub requirements: DataRequirements,
    /// Labels and their class sentences, `[categories, 1 + templates, dim]`; empty without text losses.
    labels: Vec<f32>,
    /// Rows of `labels` per category.
    sentences: usize,
    /// Features of views and captions.
    pub rows: FeatureRows,
}

/// Where features of views and captions are stored.
pub(crate) enum FeatureRows {
    /// In the data set.
    FromDataset,
    /// In a file in the output folder.
    Computed(FeatureFile),
}

impl DatasetFeatures {
    /// Features in `rows`, plus those of the labels, which are few and always computed.
    ///
    /// # Errors
    /// If a text cannot be encoded.
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

    /// Features of a label and its class sentences, `[sentences, dim]`; empty without a label.
    pub fn label_features(&self, category: Option<u32>) -> &[f32] {
        let stride = self.sentences * self.dim;
        // Without a label the range is out of bounds, and the result empty.
        let start = category.map_or(self.labels.len(), |category| category as usize * stride);
        self.labels.get(start..start + stride).unwrap_or(&[])
    }
}

/// A `.safetensors` file of rows, by shape: its views, then its captions.
pub(crate) struct FeatureFile {
    pub(super) file: std::fs::File,
    /// Offset of the first row in bytes.
    pub(super) start: u64,
    pub(super) dim: usize,
    /// First row of each shape; the last entry is the number of rows.
    pub(super) first: Vec<u64>,
    /// Number of caption rows of each shape.
    pub(super) texts: Vec<u32>,
}

impl FeatureFile {
    /// Number of caption rows of a shape.
    pub fn texts(&self, at: usize) -> usize {
        self.texts[at] as usize
    }

    /// All rows of a shape, `[views + captions, dim]`.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn read(&self, at: usize) -> Result<Vec<f32>, DataError> {
        let row = self.dim as u64 * 4;
        let mut bytes = vec![0; ((self.first[at + 1] - self.first[at]) * row) as usize];
        read_exact_at(&self.file, &mut bytes, self.start + self.first[at] * row)?;
        Ok(to_floats(&bytes))
    }
}
