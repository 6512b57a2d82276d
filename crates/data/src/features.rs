//! Features by a frozen model, and captions ranked by them.

use image::RgbaImage;

use crate::Caption;

/// A model that places pictures and words in one space. This crate knows no model: its users bring one.
pub trait Featurizer: Sync {
    /// Names the exact weights; recorded with the data set.
    fn id(&self) -> &str;
    /// One list of numbers an image, all of one length; not normalized, as training averages them.
    fn images(&self, images: &[RgbaImage]) -> Result<Vec<Vec<f32>>, String>;
    /// One list of numbers a text, as long as those of images.
    fn texts(&self, texts: &[&str]) -> Result<Vec<Vec<f32>>, String>;
}

/// Scores every caption by its cosine similarity with what it is about, best first, and keeps the `top` best about each
/// view and about the whole shape (all with 0). Returns positions in `captions` with scores: captions of views first, in
/// the order of views, as in ULIP-2 section 3.2; ties keep their order.
///
/// A caption of the whole shape is compared with the mean of the views' features.
pub fn rank(captions: &[Caption], texts: &[Vec<f32>], views: &[Vec<f32>], top: usize) -> Vec<(usize, f32)> {
    let whole = mean(views);
    let score = |i: usize| {
        let about = captions[i].view.and_then(|view| views.get(view)).unwrap_or(&whole);
        texts.get(i).map_or(0.0, |text| cosine(text, about))
    };
    let mut scored: Vec<(usize, f32)> = (0..captions.len()).map(|i| (i, score(i))).collect();
    let group = |i: usize| captions[i].view.unwrap_or(usize::MAX);
    scored.sort_by(|a, b| group(a.0).cmp(&group(b.0)).then(b.1.total_cmp(&a.1)).then(a.0.cmp(&b.0)));
    let mut kept = 0;
    let mut last = None;
    scored.retain(|(i, _)| {
        kept = if last == Some(group(*i)) { kept + 1 } else { 0 };
        last = Some(group(*i));
        top == 0 || kept < top
    });
    scored
}

fn mean(rows: &[Vec<f32>]) -> Vec<f32> {
    let mut sum = vec![0.0; rows.first().map_or(0, Vec::len)];
    for row in rows {
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
    fn the_best_of_each_view_and_of_the_whole_are_kept() {
        let about = |text: &str, view| Caption { view, ..Caption::new(text, "test") };
        let captions = [
            about("whole, poor", None),
            about("second view, good", Some(1)),
            about("first view, poor", Some(0)),
            about("first view, good", Some(0)),
            about("whole, good", None),
        ];
        let views = [vec![1.0, 0.0], vec![0.0, 2.0]];
        let texts = [vec![1.0, -1.0], vec![0.0, 9.0], vec![0.1, 1.0], vec![3.0, 0.1], vec![1.0, 1.0]];
        let order = |top| rank(&captions, &texts, &views, top).iter().map(|(i, _)| *i).collect::<Vec<_>>();
        assert_eq!(order(0), [3, 2, 1, 4, 0]);
        assert_eq!(order(1), [3, 1, 4]);
        let best = rank(&captions, &texts, &views, 1);
        assert!((best[1].1 - 1.0).abs() < 1e-6 && (best[2].1 - 1.0).abs() < 1e-6);
        assert!(rank(&[], &[], &[], 1).is_empty());
    }
}
