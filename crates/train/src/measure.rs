//! How well held-out shapes are named by a model that is given only words.

use std::borrow::Cow;

use lexiform_eval::{ClassFeatures, Classification, Features, TextMean, zero_shot};
use lexiform_model::point::{Clouds, PointTower, Start};
use lexiform_model::{JointModel, ModelError, PointModelConfig};

use crate::fit::FitError;
use crate::pool::{Picked, Pool, Wanted};

/// Most shapes that are measured at once: bounds memory.
const AT_ONCE: usize = 16;

/// Features of some shapes, `[shapes, dim]`.
type Encoded = Result<Vec<f32>, FitError>;

/// Names shapes among all categories of the pool by their views; none where there are no shapes.
pub(crate) fn by_views(model: &JointModel, pool: &Pool) -> Result<Option<Classification>, FitError> {
    let wanted = Wanted { pictures: true, cloud: false };
    named(pool, wanted, model, |shapes| {
        let views = shapes.into_iter().map(|shape| shape.views.into_iter().map(Cow::into_owned).collect());
        let embeddings = model.embed_views(&views.collect::<Vec<_>>())?;
        Ok(embeddings.iter().flat_map(|embedding| embedding.as_slice().to_vec()).collect())
    })
}

/// The same by their points; `words` is the model whose words they are compared with.
pub(crate) fn by_points(
    tower: &PointTower,
    config: &PointModelConfig,
    words: &JointModel,
    pool: &Pool,
) -> Result<Option<Classification>, FitError> {
    let wanted = Wanted { pictures: false, cloud: true };
    named(pool, wanted, words, |shapes| {
        let clouds: Vec<_> =
            shapes.iter().map(|shape| config.input.prepare(&shape.cloud, Start::default())).collect();
        let clouds = Clouds::new(&clouds, config.tower.encoder.colored()).map_err(ModelError::from)?;
        Ok(tower.encode(&clouds, Start::default()).into_data().iter::<f32>().collect())
    })
}

/// Brings shapes a few at a time, encodes them (`[shapes, dim]`), and compares them with the words for all categories.
fn named(
    pool: &Pool,
    wanted: Wanted,
    words: &JointModel,
    encode: impl Fn(Vec<Picked>) -> Encoded,
) -> Result<Option<Classification>, FitError> {
    let (mut features, mut truth) = (Vec::new(), Vec::new());
    for first in (0..pool.len()).step_by(AT_ONCE) {
        let pick = |at: usize| pool.pick(at, &(0..pool.n_views(at)).collect::<Vec<_>>(), wanted);
        let shapes: Vec<Picked> =
            (first..pool.len().min(first + AT_ONCE)).map(pick).collect::<Result<_, _>>()?;
        truth.extend(shapes.iter().map(|shape| shape.category));
        features.extend(encode(shapes)?);
    }
    if truth.is_empty() {
        return Ok(None);
    }
    let labels = pool.names();
    let templates = &words.config().templates;
    let sentences =
        labels.iter().flat_map(|label| templates.iter().map(move |template| template.replace("{}", label)));
    let sentences: Vec<String> = sentences.collect();
    let rows = words.text_features(&sentences.iter().map(String::as_str).collect::<Vec<_>>())?;
    let rows = Features::from_rows(rows.iter().map(Vec::as_slice))?;
    let classes = ClassFeatures::from_sentences(&rows, templates.len(), TextMean::Directions)?;
    let features = Features::new(features, words.dim())?;
    let predictions = zero_shot(&features, &classes, &truth)?;
    Ok(Some(Classification::of(&predictions, labels.len())?))
}
