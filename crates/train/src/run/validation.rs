//! How well held-out shapes are named by a model that is given only words.

use std::borrow::Cow;

use burn::tensor::Tensor;
use lexiform_metrics::vote::Voting;
use lexiform_metrics::{ClassFeatures, ClassificationMetrics, Features, TemplateAveraging, vote, zero_shot};
use lexiform_model::point::{ClassHead, Clouds, PointTower, Start};
use lexiform_model::{JointModel, ModelError, PointModelConfig};

use crate::data::picked::{Picked, Wanted};
use crate::data::pool::Pool;
use crate::error::FitError;

/// Most shapes that are measured at once: bounds memory.
const AT_ONCE: usize = 16;

/// Features of some shapes, `[shapes, dim]`.
type Encoded = Result<Vec<f32>, FitError>;

/// Names shapes among all categories of the pool by their views; none where there are no shapes.
pub(crate) fn by_views(model: &JointModel, pool: &Pool) -> Result<Option<ClassificationMetrics>, FitError> {
    let Some(choices) = choices(model, pool)? else { return Ok(None) };
    let wanted = Wanted { pictures: true, cloud: false };
    let named = named(pool, wanted, &choices, model.dim(), |shapes| {
        let views = shapes.into_iter().map(|shape| shape.views.into_iter().map(Cow::into_owned).collect());
        let embeddings = model.embed_views(&views.collect::<Vec<_>>())?;
        Ok(embeddings.iter().flat_map(|embedding| embedding.as_slice().to_vec()).collect())
    });
    named.map(Some)
}

/// The same by their points.
pub(crate) fn by_points(
    tower: &PointTower,
    config: &PointModelConfig,
    choices: &ClassFeatures,
    pool: &Pool,
) -> Result<ClassificationMetrics, FitError> {
    let wanted = Wanted { pictures: false, cloud: true };
    named(pool, wanted, choices, config.tower.dim(), |shapes| {
        of_clouds(config, &shapes, |clouds| tower.encode(clouds, Start::default()))
    })
}

/// Names shapes by what a head says of their points; none where there are no shapes.
pub(crate) fn by_head(
    tower: &PointTower,
    head: &ClassHead,
    config: &PointModelConfig,
    pool: &Pool,
) -> Result<Option<ClassificationMetrics>, FitError> {
    if pool.len() == 0 {
        return Ok(None);
    }
    let wanted = Wanted { pictures: false, cloud: true };
    let (scores, truth) = encoded(pool, wanted, |shapes| {
        of_clouds(config, &shapes, |clouds| head.forward(tower.encoder().encode(clouds, Start::default())))
    })?;
    let classes = config.labels.len();
    let predictions = vote::from_scores(&[Features::new(scores, classes)?], &truth, Voting::Mean)?;
    Ok(Some(ClassificationMetrics::from_predictions(&predictions, classes)?))
}

/// Clouds of some shapes as the network takes them, through `encode`, `[shapes, dim]`.
fn of_clouds(config: &PointModelConfig, shapes: &[Picked], encode: impl Fn(&Clouds) -> Tensor<2>) -> Encoded {
    let clouds: Vec<_> =
        shapes.iter().map(|shape| config.input.prepare(&shape.cloud, Start::default())).collect();
    let clouds = Clouds::new(&clouds, config.tower.encoder.colored()).map_err(ModelError::from)?;
    Ok(encode(&clouds).into_data().iter::<f32>().collect())
}

/// What a model's words say of every category of a pool; none where it has no shapes.
pub(crate) fn choices(words: &JointModel, pool: &Pool) -> Result<Option<ClassFeatures>, FitError> {
    if pool.len() == 0 {
        return Ok(None);
    }
    let (labels, own) = (pool.names(), ["{}".to_owned()]);
    let templates = if pool.captioned() { &own[..] } else { &words.config().templates };
    let sentences =
        labels.iter().flat_map(|label| templates.iter().map(move |template| template.replace("{}", label)));
    let sentences: Vec<String> = sentences.collect();
    let rows = words.text_features(&sentences.iter().map(String::as_str).collect::<Vec<_>>())?;
    let rows = Features::from_rows(rows.iter().map(Vec::as_slice))?;
    Ok(Some(ClassFeatures::from_sentences(&rows, templates.len(), TemplateAveraging::NormalizeEach)?))
}

/// Encodes shapes (`[shapes, dim]`) and compares them with the words for all categories.
fn named(
    pool: &Pool,
    wanted: Wanted,
    choices: &ClassFeatures,
    dim: usize,
    encode: impl Fn(Vec<Picked>) -> Encoded,
) -> Result<ClassificationMetrics, FitError> {
    let (features, truth) = encoded(pool, wanted, encode)?;
    let predictions = zero_shot(&Features::new(features, dim)?, choices, &truth)?;
    Ok(ClassificationMetrics::from_predictions(&predictions, pool.categories().len())?)
}

/// Brings shapes a few at a time and encodes them: all rows, and the category of each.
fn encoded(
    pool: &Pool,
    wanted: Wanted,
    encode: impl Fn(Vec<Picked>) -> Encoded,
) -> Result<(Vec<f32>, Vec<usize>), FitError> {
    let (mut features, mut truth) = (Vec::new(), Vec::new());
    for first in (0..pool.len()).step_by(AT_ONCE) {
        let pick = |at: usize| pool.pick(at, &(0..pool.n_views(at)).collect::<Vec<_>>(), wanted);
        let shapes: Vec<Picked> =
            (first..pool.len().min(first + AT_ONCE)).map(pick).collect::<Result<_, _>>()?;
        truth.extend(shapes.iter().map(|shape| shape.category));
        features.extend(encode(shapes)?);
    }
    Ok((features, truth))
}
