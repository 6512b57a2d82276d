//! Zero-shot classification of files, features or generated shapes with one model.

use std::path::PathBuf;
use std::sync::Arc;

use lexiform_metrics::{Features, zero_shot};
use lexiform_search::{Embedding, Encoder, InputSpec, ModelInput, ShapePreprocessor, TowerWork};

use super::config::ZeroShotConfig;
use super::results::{ModelResults, VariantResult};
use crate::data_loader::LoaderSeed;
use crate::embed::{Embedded, ViewSelection, embed_entries};
use crate::entry::{Entry, all_labels, label_indices, sort_like};
use crate::error::EvalError;
use crate::event::{EvalEvent, OnEvent};
use crate::generated::{GeneratedShapes, ShapeGenerator};
use crate::label_list::LabelList;
use crate::models::Models;
use crate::protocol::{ShapeInput, cloud_options};
use crate::report::ClassificationResult;
use crate::source::{LabeledRows, ShapeSource};
use crate::thumbnail;

impl ZeroShotConfig<'_> {
    pub(super) fn open(&self, models: &Models, name: &str) -> Result<Arc<dyn Encoder>, EvalError> {
        models.open(name, cloud_options(self.texts.protocol, self.points))
    }

    /// The given numbers of views, or the protocol's; `None` for the model's own.
    fn view_counts(&self, encoder: &dyn Encoder) -> Vec<Option<usize>> {
        let takes_views = matches!(encoder.input_spec(), InputSpec::Views { .. });
        let counts = match self.texts.protocol.map(|protocol| protocol.input) {
            // Explicit options override the protocol.
            _ if !self.views.is_empty() => self.views.clone(),
            // A protocol for views is ignored by point encoders, so that models of both kinds can be compared.
            Some(ShapeInput::Views { view_counts, .. }) if takes_views => view_counts.to_vec(),
            _ => return vec![None],
        };
        counts.into_iter().map(Some).collect()
    }

    /// Every combination of a number of views and a seed.
    fn selections(&self, encoder: &dyn Encoder) -> Result<Vec<ViewSelection>, EvalError> {
        let counts = self.view_counts(encoder);
        if !self.seeds.is_empty() && matches!(encoder.input_spec(), InputSpec::Points { .. }) {
            let reason = format!("{} takes points, not views", encoder.id());
            return Err(EvalError::Setting { setting: "seeds", reason });
        }
        let loader = |&seed: &u32| Some(LoaderSeed { seed, num_workers: self.num_workers });
        let seeds: Vec<Option<LoaderSeed>> =
            if self.seeds.is_empty() { vec![None] } else { self.seeds.iter().map(loader).collect() };
        let of_seed = |&seed: &Option<LoaderSeed>| {
            counts.iter().map(move |&views| ViewSelection { views, seed }).collect::<Vec<_>>()
        };
        Ok(seeds.iter().flat_map(of_seed).collect())
    }
}

/// Embeds the shapes and classifies them.
pub(super) fn files(
    config: &ZeroShotConfig<'_>,
    shapes: &ShapeSource,
    encoder: Arc<dyn Encoder>,
    events: &mut OnEvent<'_>,
) -> Result<ModelResults, EvalError> {
    let mut all = shapes.entries(events)?;
    let LabelList { names: labels, shapes: order, .. } = config.texts.labels(all_labels(&all)?, events)?;
    if !shapes.is_listed() {
        // Seeds sample for one shape after another, so their order matters; a data set has one of its own.
        sort_like(&mut all, &order);
        if order.is_empty() && !config.seeds.is_empty() {
            events(EvalEvent::SampledInStoredOrder);
        }
    }
    // An unknown label is an error before anything is embedded.
    label_indices(&all, &labels)?;
    let has_underscores = shapes.has_underscores();
    let classes = config.texts.features_of_model(&*encoder, &labels, has_underscores, events)?;
    let selections = config.selections(&*encoder)?;
    let Embedded { entries, features, unusable, work } =
        embed_entries(&*encoder, config.clouds, all, &selections, events)?;
    let truth = label_indices(&entries, &labels)?;
    let mut variants = Vec::new();
    // Metrics of no shapes are undefined; the report is then incomplete.
    for (selection, features) in selections.iter().zip(&features).filter(|_| !truth.is_empty()) {
        let predictions = zero_shot(features, &classes, &truth)?;
        let mut metrics =
            ClassificationResult::from_predictions(encoder.id(), &predictions, &labels, config.resampling)?;
        (metrics.views, metrics.seed) = (selection.views, selection.seed.map(|loader| loader.seed));
        metrics.tower_work = (work != TowerWork::default()).then_some(work);
        variants.push(VariantResult { metrics, predictions });
    }
    let encoder = Some(encoder);
    Ok(ModelResults { encoder, entries, labels, variants, unusable, thumbnails: Vec::new() })
}

/// Classifies precomputed features.
pub(super) fn features(
    config: &ZeroShotConfig<'_>,
    shapes: &ShapeSource,
    file: &str,
    models: &Models,
    events: &mut OnEvent<'_>,
) -> Result<ModelResults, EvalError> {
    let LabeledRows { entries, features, model } = shapes.rows(file, events)?;
    let labels = config.texts.labels(all_labels(&entries)?, events)?.names;
    let truth = label_indices(&entries, &labels)?;
    let (classes, encoder) = match config.texts.feature_file() {
        Some(file) => (config.texts.features_of_file(file, &labels)?, None),
        None => {
            let encoder = text_encoder(config, file, model.as_deref(), models)?;
            let has_underscores = shapes.has_underscores();
            let classes = config.texts.features_of_model(&*encoder, &labels, has_underscores, events)?;
            (classes, Some(encoder))
        }
    };
    let predictions = zero_shot(&features, &classes, &truth)?;
    let name = model.unwrap_or_else(|| file.to_owned());
    let metrics = ClassificationResult::from_predictions(&name, &predictions, &labels, config.resampling)?;
    let variants = vec![VariantResult { metrics, predictions }];
    Ok(ModelResults { encoder, entries, labels, variants, unusable: Vec::new(), thumbnails: Vec::new() })
}

/// The model whose text tower matches precomputed features: the one that computed them, if the file names it.
fn text_encoder(
    config: &ZeroShotConfig<'_>,
    file: &str,
    made_by: Option<&str>,
    models: &Models,
) -> Result<Arc<dyn Encoder>, EvalError> {
    // Text and shape features must be in the same joint space.
    let [name] = &models.names[..] else {
        let text = format!("--features are of one model, found {} models", models.names.len());
        return Err(EvalError::input(text));
    };
    let encoder = config.open(models, name)?;
    match made_by.filter(|model| *model != encoder.id()) {
        Some(model) => {
            let id = encoder.id();
            Err(EvalError::input(format!(
                "{file}: features were computed by {model}, expected its text tower, found {id}"
            )))
        }
        None => Ok(encoder),
    }
}

/// Classifies generated shapes.
pub(super) fn generated(
    config: &ZeroShotConfig<'_>,
    generator: &dyn ShapeGenerator,
    encoder: Arc<dyn Encoder>,
    events: &mut OnEvent<'_>,
) -> Result<ModelResults, EvalError> {
    let GeneratedShapes { labels, shapes } = generator.generate(&*encoder, config.clouds);
    let truth: Vec<usize> = shapes.iter().map(|shape| shape.category).collect();
    let thumbnails = shapes.iter().map(|shape| shape.views.first().and_then(thumbnail::of_view)).collect();
    let entry = |(i, &category): (usize, &usize)| {
        let name = format!("{} {}", labels[category], i / labels.len().max(1) + 1);
        Entry::of_file(name, PathBuf::new(), labels[category].clone())
    };
    let entries: Vec<Entry> = truth.iter().enumerate().map(entry).collect();
    let preprocessor = match config.clouds {
        Some(scanned) => ShapePreprocessor::for_encoder(&*encoder).with_simulated_scan(scanned),
        None => ShapePreprocessor::for_encoder(&*encoder),
    };
    let inputs: Vec<ModelInput> = shapes.into_iter().map(|shape| shape.into_input(&preprocessor)).collect();
    let embedded = encoder.embed_shapes(inputs).map_err(EvalError::Encode)?;
    let features = Features::from_rows(embedded.iter().map(Embedding::as_slice))?;
    let classes = config.texts.features_of_model(&*encoder, &labels, false, events)?;
    let predictions = zero_shot(&features, &classes, &truth)?;
    let metrics =
        ClassificationResult::from_predictions(encoder.id(), &predictions, &labels, config.resampling)?;
    let variants = vec![VariantResult { metrics, predictions }];
    let encoder = Some(encoder);
    Ok(ModelResults { encoder, entries, labels, variants, unusable: Vec::new(), thumbnails })
}
