//! How the text target of a shape is sampled from its captions.

use lexiform_shapes::Rng;

use crate::data::caption::{Caption, CaptionSource};
use crate::data::features::vectors;
use crate::data::loaded_shape::{LoadedShape, ShapeTeacherFeatures};
use crate::recipe::CaptionSampling;

impl CaptionSampling {
    /// Samples the captions whose mean feature is the text target of a shape: one in most modes, none without a suitable one.
    pub(crate) fn sample(self, shape: &LoadedShape, rng: &mut Rng) -> Vec<usize> {
        let captions = &shape.captions[..];
        let all: Vec<usize> = (0..captions.len()).collect();
        let of_views = || -> Vec<usize> {
            let shown = |i: &&usize| captions[**i].view.is_some_and(|view| shape.view_ids.contains(&view));
            all.iter().filter(shown).copied().collect()
        };
        // No caption of these views: any caption is better than none.
        let of_views_or_any = || Some(of_views()).filter(|found| !found.is_empty()).unwrap_or(all.clone());
        match self {
            Self::Any => one(&all, rng),
            Self::OfView => one(&of_views_or_any(), rng),
            // As the references: a shape whose only machine caption lost the coin has no text in this batch.
            Self::BySource => one(&one_of_each_source(captions, rng), rng),
            Self::ViewMean => Some(of_views()).filter(|found| !found.is_empty()).unwrap_or(one(&all, rng)),
            Self::TopK(count) => most_similar(shape.teacher.as_ref(), of_views_or_any(), count),
        }
    }

    /// The text target, `[dim]`, from the features of the sampled captions; `None` without any.
    pub(crate) fn text_target(self, features: &ShapeTeacherFeatures, chosen: &[usize]) -> Option<Vec<f32>> {
        let rows: Vec<&[f32]> =
            chosen.iter().filter_map(|i| features.texts.get(*i)).map(AsRef::as_ref).collect();
        let dim = rows.first()?.len();
        match self {
            // ULIP-2 averages unit features.
            Self::TopK(_) => {
                let unit: Vec<f32> = rows.iter().flat_map(|row| vectors::unit_mean(row, dim)).collect();
                Some(vectors::unit_mean(&unit, dim))
            }
            _ => Some(vectors::mean_rows(&rows.concat(), dim, &(0..rows.len()).collect::<Vec<_>>())),
        }
    }

    /// Whether a target may be the mean of several captions.
    pub(crate) fn averages(self) -> bool {
        matches!(self, Self::ViewMean | Self::TopK(_))
    }
}

/// One of the candidates, if any.
fn one(candidates: &[usize], rng: &mut Rng) -> Vec<usize> {
    if candidates.is_empty() { Vec::new() } else { vec![candidates[rng.index(candidates.len())]] }
}

/// The captions whose features are the most similar to the mean image feature of the views; ties by index.
fn most_similar(teacher: Option<&ShapeTeacherFeatures>, candidates: Vec<usize>, count: usize) -> Vec<usize> {
    let Some(ShapeTeacherFeatures { image, texts }) = teacher else { return Vec::new() };
    let cosine =
        |i: usize| texts.get(i).map(|text| vectors::dot(&vectors::unit_mean(text, text.len()), image));
    let mut scored: Vec<(f32, usize)> =
        candidates.into_iter().filter_map(|i| Some((cosine(i)?, i))).collect();
    scored.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    scored.into_iter().take(count).map(|(_, i)| i).collect()
}

/// Candidates as in Duoduo CLIP's `four.py` and OpenShape's `data.py`: one caption of each source. A coin chooses between BLIP
/// and Microsoft, so that with both there is always one of them, and with one of them half of the time.
fn one_of_each_source(captions: &[Caption], rng: &mut Rng) -> Vec<usize> {
    use CaptionSource::{Blip, Generated, Label, Metadata, Microsoft, Retrieved};
    let machine = if rng.chance(0.5) { Blip } else { Microsoft };
    let mut one_of = |sources: &[CaptionSource]| {
        let found: Vec<usize> =
            (0..captions.len()).filter(|i| sources.contains(&captions[*i].source)).collect();
        (!found.is_empty()).then(|| found[rng.index(found.len())])
    };
    let candidates =
        [one_of(&[Label, Metadata]), one_of(&[machine]), one_of(&[Generated]), one_of(&[Retrieved])];
    candidates.into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use lexiform_geometry::PointCloud;

    use super::*;

    fn captions() -> Vec<Caption> {
        let about =
            |view, text: &str| Caption { view: Some(view), ..Caption::new(text, CaptionSource::Generated) };
        vec![
            Caption::new("chair", CaptionSource::Label),
            Caption::new("old chair", CaptionSource::Metadata),
            about(0, "a chair from the front"),
            about(3, "a chair from behind"),
            Caption::new("vintage seat for sale", CaptionSource::Retrieved),
        ]
    }

    fn shape<'a>(
        captions: &[Caption],
        view_ids: &[usize],
        teacher: Option<ShapeTeacherFeatures<'a>>,
    ) -> LoadedShape<'a> {
        LoadedShape {
            category: 0,
            views: Vec::new(),
            view_ids: view_ids.to_vec(),
            cloud: Cow::Owned(PointCloud::default()),
            captions: Cow::Owned(captions.to_vec()),
            teacher,
        }
    }

    /// How often each caption is sampled in 6000 draws.
    fn counts(rule: CaptionSampling, captions: &[Caption], view_ids: &[usize]) -> Vec<usize> {
        let (shape, mut rng) = (shape(captions, view_ids, None), Rng::new(5));
        let mut counts = vec![0; captions.len()];
        (0..6000).for_each(|_| counts[rule.sample(&shape, &mut rng)[0]] += 1);
        counts
    }

    #[track_caller]
    fn check(found: &[usize], shares: &[f64]) {
        for (count, share) in found.iter().zip(shares) {
            assert!((*count as f64 / 6000.0 - share).abs() < 0.03, "{found:?}");
        }
    }

    #[test]
    fn sources_have_equal_shares() {
        let all = captions();
        check(&counts(CaptionSampling::Any, &all, &[]), &[0.2; 5]);
        // One of three candidates, each of which has one or two captions.
        let (two, one) = (1.0 / 6.0, 1.0 / 3.0);
        check(&counts(CaptionSampling::BySource, &all, &[]), &[two, two, two, two, one]);
        check(&counts(CaptionSampling::OfView, &all, &[3, 7]), &[0.0, 0.0, 0.0, 1.0, 0.0]);
        check(&counts(CaptionSampling::OfView, &all, &[5]), &[0.2; 5]);
    }

    #[test]
    fn other_captioners_are_always_candidates() {
        let only = [Caption::new("a chair", CaptionSource::Generated)];
        assert_eq!(counts(CaptionSampling::BySource, &only, &[]), [6000]);
        assert_eq!(CaptionSampling::Any.sample(&shape(&[], &[], None), &mut Rng::new(1)), [0; 0]);
    }

    fn features() -> ShapeTeacherFeatures<'static> {
        let texts = [[9.0, 0.0], [0.0, 9.0], [3.0, 4.0], [8.0, 6.0], [1.0, 1.0]];
        let texts = texts.iter().map(|row| Cow::Owned(row.to_vec())).collect();
        ShapeTeacherFeatures { image: vec![1.0, 0.0], texts }
    }

    #[track_caller]
    fn check_target(rule: CaptionSampling, views: &[usize], chosen: &[usize], target: [f32; 2]) {
        let shape = shape(&captions(), views, Some(features()));
        let found = rule.sample(&shape, &mut Rng::new(3));
        assert_eq!(found, chosen, "{rule:?}");
        let found = rule.text_target(&features(), &found).unwrap();
        assert!(found.iter().zip(target).all(|(a, b)| (a - b).abs() < 1e-6), "{rule:?}: {found:?}");
    }

    /// By hand: captions 2 and 3 have the unit features (0.6, 0.8) and (0.8, 0.6).
    #[test]
    fn targets_are_means_of_captions() {
        check_target(CaptionSampling::ViewMean, &[0, 3], &[2, 3], [5.5, 5.0]);
        check_target(CaptionSampling::ViewMean, &[3], &[3], [8.0, 6.0]);
        let equal = std::f32::consts::FRAC_1_SQRT_2;
        check_target(CaptionSampling::TopK(5), &[0, 3], &[3, 2], [equal, equal]);
        check_target(CaptionSampling::TopK(1), &[0, 3], &[3], [0.8, 0.6]);
        // Without captions of the views, the best of all.
        check_target(CaptionSampling::TopK(1), &[5], &[0], [1.0, 0.0]);
        assert_eq!(CaptionSampling::ViewMean.text_target(&features(), &[]), None);
    }
}
