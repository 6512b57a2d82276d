//! Metrics of the validation shapes.

use std::borrow::Cow;

use burn::tensor::Tensor;
use lexiform_metrics::vote::Voting;
use lexiform_metrics::{ClassFeatures, ClassificationMetrics, Features, TemplateAveraging, vote, zero_shot};
use lexiform_model::point::{ClassHead, CloudBatch, FpsStart, PointTower};
use lexiform_model::{JointModel, ModelError, PointModelConfig};

use crate::data::loaded_shape::{LoadFields, LoadedShape};
use crate::data::pool::ShapePool;
use crate::error::FitError;

/// Shapes per forward pass: bounds memory.
const BATCH_SIZE: usize = 16;

/// Features `[shapes, dim]`.
type EncodeResult = Result<Vec<f32>, FitError>;

/// Zero-shot classification by views among `known` classes, or those of the pool in the model's own text features; `None` for
/// an empty pool.
///
/// # Errors
/// If a shape cannot be read or encoded.
pub(crate) fn classify_views(
    model: &JointModel,
    known: Option<&ClassFeatures>,
    pool: &ShapePool,
) -> Result<Option<ClassificationMetrics>, FitError> {
    let known = known.filter(|_| pool.len() > 0).cloned();
    let Some(class_features) = known.map_or_else(|| class_features(model, pool), |known| Ok(Some(known)))?
    else {
        return Ok(None);
    };
    let fields = LoadFields { images: true, ..LoadFields::default() };
    let report = zero_shot_report(pool, fields, &class_features, model.dim(), |shapes| {
        let views = shapes.into_iter().map(|shape| shape.views.into_iter().map(Cow::into_owned).collect());
        let embeddings = model.embed_views(&views.collect::<Vec<_>>())?;
        Ok(embeddings.iter().flat_map(|embedding| embedding.as_slice().to_vec()).collect())
    });
    report.map(Some)
}

/// Zero-shot classification by point clouds.
///
/// # Errors
/// If a shape cannot be read or encoded.
pub(crate) fn classify_clouds(
    tower: &PointTower,
    config: &PointModelConfig,
    class_features: &ClassFeatures,
    pool: &ShapePool,
) -> Result<ClassificationMetrics, FitError> {
    let fields = LoadFields { cloud: true, ..LoadFields::default() };
    zero_shot_report(pool, fields, class_features, config.tower.dim(), |shapes| {
        encode_clouds(config, &shapes, |clouds| tower.encode(clouds, FpsStart::default()))
    })
}

/// Metrics of point clouds by the head; `None` for an empty pool.
///
/// # Errors
/// If a shape cannot be read or encoded.
pub(crate) fn classify_with_head(
    tower: &PointTower,
    head: &ClassHead,
    config: &PointModelConfig,
    pool: &ShapePool,
) -> Result<Option<ClassificationMetrics>, FitError> {
    if pool.len() == 0 {
        return Ok(None);
    }
    let fields = LoadFields { cloud: true, ..LoadFields::default() };
    let (scores, truth) = encode_all(pool, fields, |shapes| {
        encode_clouds(config, &shapes, |clouds| {
            head.forward(tower.encoder().encode(clouds, FpsStart::default()))
        })
    })?;
    let classes = config.labels.len();
    let predictions = vote::from_scores(&[Features::new(scores, classes)?], &truth, Voting::Mean)?;
    Ok(Some(ClassificationMetrics::from_predictions(&predictions, classes)?))
}

/// Prepares clouds as in inference and encodes them: `[shapes, dim]`.
fn encode_clouds(
    config: &PointModelConfig,
    shapes: &[LoadedShape],
    encode: impl Fn(&CloudBatch) -> Tensor<2>,
) -> EncodeResult {
    let clouds: Vec<_> =
        shapes.iter().map(|shape| config.input.prepare(&shape.cloud, FpsStart::default())).collect();
    let clouds = CloudBatch::new(&clouds, config.tower.encoder.colored()).map_err(ModelError::from)?;
    Ok(encode(&clouds).into_data().iter::<f32>().collect())
}

/// Text features of all category names, averaged over class sentences; `None` for an empty pool.
///
/// # Errors
/// If a class sentence cannot be encoded.
pub(crate) fn class_features(
    words: &JointModel,
    pool: &ShapePool,
) -> Result<Option<ClassFeatures>, FitError> {
    if pool.len() == 0 {
        return Ok(None);
    }
    let (labels, own) = (pool.names(), ["{}".to_owned()]);
    // A caption is already a sentence.
    let templates = if pool.labels_are_captions() { &own[..] } else { &words.config().templates };
    let sentences =
        labels.iter().flat_map(|label| templates.iter().map(move |template| template.replace("{}", label)));
    let sentences: Vec<String> = sentences.collect();
    let rows = words.text_features(&sentences.iter().map(String::as_str).collect::<Vec<_>>())?;
    let rows = Features::from_rows(rows.iter().map(Vec::as_slice))?;
    Ok(Some(ClassFeatures::from_sentences(&rows, templates.len(), TemplateAveraging::NormalizeEach)?))
}

/// Encodes all shapes and classifies them by the most similar class feature.
fn zero_shot_report(
    pool: &ShapePool,
    fields: LoadFields,
    class_features: &ClassFeatures,
    dim: usize,
    encode: impl Fn(Vec<LoadedShape>) -> EncodeResult,
) -> Result<ClassificationMetrics, FitError> {
    let (features, truth) = encode_all(pool, fields, encode)?;
    let predictions = zero_shot(&Features::new(features, dim)?, class_features, &truth)?;
    Ok(ClassificationMetrics::from_predictions(&predictions, pool.categories().len())?)
}

/// Loads and encodes all shapes in batches: features `[shapes, dim]` and categories.
fn encode_all(
    pool: &ShapePool,
    fields: LoadFields,
    encode: impl Fn(Vec<LoadedShape>) -> EncodeResult,
) -> Result<(Vec<f32>, Vec<usize>), FitError> {
    let (mut features, mut truth) = (Vec::new(), Vec::new());
    for first in (0..pool.len()).step_by(BATCH_SIZE) {
        let load = |at: usize| pool.load(at, &(0..pool.n_views(at)).collect::<Vec<_>>(), fields);
        let shapes: Vec<LoadedShape> =
            (first..pool.len().min(first + BATCH_SIZE)).map(load).collect::<Result<_, _>>()?;
        truth.extend(shapes.iter().map(|shape| shape.category));
        features.extend(encode(shapes)?);
    }
    Ok((features, truth))
}
