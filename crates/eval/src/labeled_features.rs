//! Features of labeled shapes, computed by a model or read from a file.

use lexiform_metrics::Features;
use lexiform_model::point::PointPreprocessOverrides;

use crate::embed::{Embedded, ViewSelection, embed_entries};
use crate::entry::Entry;
use crate::error::EvalError;
use crate::event::{EvalEvent, OnEvent};
use crate::models::Models;
use crate::source::{DataConfig, LabeledRows};
use crate::unusable::UnusableFile;

/// Labeled shapes with their features.
pub(crate) struct LabeledFeatures {
    /// The model, or the file if it names none.
    pub model: String,
    /// The shapes that could be used.
    pub entries: Vec<Entry>,
    /// `[entries, dim]`.
    pub features: Features,
    /// Files that could not be used.
    pub unusable: Vec<UnusableFile>,
}

impl LabeledFeatures {
    /// Embeds the shapes with the first model, or reads their features from a file.
    pub(crate) fn load(
        data: &DataConfig,
        models: &Models,
        events: &mut OnEvent<'_>,
    ) -> Result<Self, EvalError> {
        if let Some(file) = &data.features {
            let LabeledRows { entries, features, model } = data.shapes.rows(file, events)?;
            let model = model.unwrap_or_else(|| file.clone());
            return Ok(Self { model, entries, features, unusable: Vec::new() });
        }
        let entries = data.shapes.entries(events)?;
        let encoder = models.open_first(PointPreprocessOverrides::default())?;
        let selections = [ViewSelection::default()];
        let Embedded { entries, mut features, unusable, .. } =
            embed_entries(&*encoder, None, entries, &selections, events)?;
        events(EvalEvent::Unusable { files: &unusable });
        let model = encoder.id().to_owned();
        Ok(Self { model, entries, features: features.remove(0), unusable })
    }
}
