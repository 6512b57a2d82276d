//! Features by a frozen model, and ranking of captions.

use image::RgbaImage;
use lexiform_formats::array::Array;
use lexiform_formats::view_format::decode_view;

use crate::{Caption, Member, ProduceError, Shape, TEXT_FEATURES, VIEW_FEATURES};

/// A model with image and text features in one space. This crate contains no models: callers implement this trait.
pub trait Featurizer: Sync {
    /// Identifies the exact weights; recorded in the settings of the data set.
    fn id(&self) -> &str;
    /// Features of images, `[images][dim]`. Not normalized, because training averages them.
    ///
    /// # Errors
    /// A message, if the model fails. The run then stops.
    fn encode_images(&self, images: &[RgbaImage]) -> Result<Vec<Vec<f32>>, String>;
    /// Features of texts, `[texts][dim]`, with the same `dim` as images.
    ///
    /// # Errors
    /// A message, if the model fails. The run then stops.
    fn encode_texts(&self, texts: &[&str]) -> Result<Vec<Vec<f32>>, String>;
}

/// Ranks captions by cosine similarity between text and image features and keeps the `top` best of each view and of the whole
/// shape (0 for all), as in section 3.2 of [ULIP-2](https://arxiv.org/abs/2305.08275).
///
/// `texts` are the features of `captions`, `views` those of the views. A caption of the whole shape is compared with the mean of the
/// normalized features of all views. Returns positions in `captions` with scores: captions of views first, in the order of views,
/// each best first; ties keep their order.
///
/// ```
/// use lexiform_data::{Caption, rank_captions};
///
/// let caption = |text: &str| Caption { view: Some(0), ..Caption::new(text, "model") };
/// let captions = [caption("a cup"), caption("a chair")];
/// let (texts, views) = ([vec![0.0, 1.0], vec![1.0, 1.0]], [vec![2.0, 0.0]]);
/// let best = rank_captions(&captions, &texts, &views, 1);
/// assert_eq!(best.len(), 1);
/// assert_eq!(captions[best[0].0].text, "a chair");
/// ```
pub fn rank_captions(
    captions: &[Caption],
    texts: &[Vec<f32>],
    views: &[Vec<f32>],
    top: usize,
) -> Vec<(usize, f32)> {
    let whole = mean(views);
    let score = |i: usize| {
        let target = captions[i].view.and_then(|view| views.get(view)).unwrap_or(&whole);
        texts.get(i).map_or(0.0, |text| cosine(text, target))
    };
    let mut scored: Vec<(usize, f32)> = (0..captions.len()).map(|i| (i, score(i))).collect();
    // Captions of the whole shape come last.
    let group = |i: usize| captions[i].view.unwrap_or(usize::MAX);
    // The index as last criterion makes the order total, so that ties do not depend on the sort.
    scored.sort_by(|a, b| group(a.0).cmp(&group(b.0)).then(b.1.total_cmp(&a.1)).then(a.0.cmp(&b.0)));
    // Counts positions within each group, which the sort made adjacent.
    let mut kept = 0;
    let mut last = None;
    scored.retain(|(i, _)| {
        kept = if last == Some(group(*i)) { kept + 1 } else { 0 };
        last = Some(group(*i));
        top == 0 || kept < top
    });
    scored
}

/// Adds features of views and captions to a shape that has none. With `rank`, captions are sorted by
/// [`rank_captions`] and only the best `rank` of each view and of the whole shape are kept (0 for all).
///
/// # Errors
/// [`ProduceError::Shape`] if a view is not an image, [`ProduceError::Fatal`] if the model fails.
pub(crate) fn add_features(
    featurizer: &dyn Featurizer,
    shape: &mut Shape,
    rank: Option<usize>,
) -> Result<(), ProduceError> {
    let views = shape.members.iter().filter(|m| Member::view_index(&m.name).is_some());
    let views: Vec<_> =
        views.map(|m| decode_view(&m.bytes)).collect::<Result<_, _>>().map_err(ProduceError::Shape)?;
    let stop = |reason| ProduceError::Fatal { reason, hint: None };
    let of_views =
        if views.is_empty() { Vec::new() } else { featurizer.encode_images(&views).map_err(stop)? };
    let captions = &mut shape.metadata.captions;
    let texts: Vec<&str> = captions.iter().map(|caption| caption.text.as_str()).collect();
    let mut of_texts =
        if texts.is_empty() { Vec::new() } else { featurizer.encode_texts(&texts).map_err(stop)? };
    if let Some(top) = rank {
        // All captions are encoded before the best are selected: the selection needs their features.
        let ranked = rank_captions(captions, &of_texts, &of_views, top);
        let scored = |(i, score): &(usize, f32)| Caption { score: Some(*score), ..captions[*i].clone() };
        *captions = ranked.iter().map(scored).collect();
        of_texts = ranked.iter().map(|(i, _)| std::mem::take(&mut of_texts[*i])).collect();
    }
    // After the views, which must stay adjacent in the shard.
    if !of_views.is_empty() {
        shape.members.push(Member::new(VIEW_FEATURES, half_rows(&of_views)));
    }
    shape.members.push(Member::new(TEXT_FEATURES, half_rows(&of_texts)));
    Ok(())
}

/// Features as `float16`, `[rows, dim]`. The rounding is below what losses resolve; Duoduo CLIP stores its features in this type too.
fn half_rows(rows: &[Vec<f32>]) -> Vec<u8> {
    let columns = rows.first().map_or(0, Vec::len);
    Array::from_f16(rows.len(), columns, rows.iter().flat_map(|row| row.iter().copied())).to_npy()
}

/// The sum of the normalized rows: a multiple of their mean, which is enough for a cosine.
fn mean(rows: &[Vec<f32>]) -> Vec<f32> {
    let mut sum = vec![0.0; rows.first().map_or(0, Vec::len)];
    for row in rows {
        // Avoids a division by zero: a zero row stays zero.
        let norm = norm(row).max(f32::MIN_POSITIVE);
        sum.iter_mut().zip(row).for_each(|(s, v)| *s += v / norm);
    }
    sum
}

fn cosine(a: &[f32], b: &[f32]) -> f32 {
    let dot: f32 = a.iter().zip(b).map(|(a, b)| a * b).sum();
    let norms = norm(a) * norm(b);
    if norms > 0.0 { dot / norms } else { 0.0 }
}

fn norm(row: &[f32]) -> f32 {
    row.iter().map(|v| v * v).sum::<f32>().sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_of_each_view_and_of_the_whole_shape_are_kept() {
        let target = |text: &str, view| Caption { view, ..Caption::new(text, "test") };
        let captions = [
            target("whole, poor", None),
            target("second view, good", Some(1)),
            target("first view, poor", Some(0)),
            target("first view, good", Some(0)),
            target("whole, good", None),
        ];
        let views = [vec![1.0, 0.0], vec![0.0, 2.0]];
        let texts = [vec![1.0, -1.0], vec![0.0, 9.0], vec![0.1, 1.0], vec![3.0, 0.1], vec![1.0, 1.0]];
        let order =
            |top| rank_captions(&captions, &texts, &views, top).iter().map(|(i, _)| *i).collect::<Vec<_>>();
        assert_eq!(order(0), [3, 2, 1, 4, 0]);
        assert_eq!(order(1), [3, 1, 4]);
        let best = rank_captions(&captions, &texts, &views, 1);
        assert!((best[1].1 - 1.0).abs() < 1e-6 && (best[2].1 - 1.0).abs() < 1e-6);
        assert!(rank_captions(&[], &[], &[], 1).is_empty());
    }
}
