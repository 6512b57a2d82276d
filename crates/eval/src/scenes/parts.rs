//! Measuring parts found by words, on shapes whose parts are known.

use lexiform_search::{Encoder, SceneIndex, embed_text};
use serde::Serialize;

use super::LabeledScene;
use crate::EvalError;

/// Intersection over union from which an answer is the part.
const MIN_IOU: f64 = 0.5;
/// Share of a shape's surface that a part has to be asked for: larger ones are the shape, smaller ones can hardly be seen.
const SHARES: std::ops::Range<f64> = 0.005..0.6;

/// Parts found by words. IoU and average precision (AP) are of surface.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct PartReport {
    /// Id of the model.
    pub model: String,
    /// Number of shapes with parts.
    pub shapes: usize,
    /// Number of parts that were asked for.
    pub queries: usize,
    /// Mean IoU of the first answer with the part.
    pub iou: f64,
    /// Share of queries whose first answer has an IoU ≥ 0.5.
    pub found: f64,
    /// AP of the surface, ranked by score.
    pub ap: f64,
    /// Mean IoU of a part chosen at random.
    pub chance_iou: f64,
    /// Share of parts chosen at random with an IoU ≥ 0.5.
    pub chance_found: f64,
    /// AP of random scores.
    pub chance_ap: f64,
    /// IoU of the whole shape.
    pub whole_iou: f64,
    /// IoU of the best of the parts that the geometry gives.
    pub best_iou: f64,
}

/// Asks for every part of shapes by its name: "a handle". Instances of the shapes are their parts.
///
/// # Errors
/// If there are no parts, or the model fails.
pub fn find_parts(
    encoder: &dyn Encoder,
    shapes: &[LabeledScene],
    progress: &dyn Fn(usize),
) -> Result<PartReport, EvalError> {
    let mut report = PartReport { model: encoder.id().to_owned(), ..PartReport::default() };
    for (i, shape) in shapes.iter().enumerate() {
        let index = SceneIndex::build_parts(encoder, &shape.scene, &|_, _| {})?;
        if index.objects.len() > 2 {
            report.add(encoder, shape, &index, i as u64)?;
        }
        progress(i + 1);
    }
    if report.queries == 0 {
        return Err(EvalError::Input {
            message: "expected shapes with named parts, found none".to_owned(),
            hint: None,
        });
    }
    let n = report.queries as f64;
    for sum in [
        &mut report.iou,
        &mut report.found,
        &mut report.ap,
        &mut report.chance_iou,
        &mut report.chance_found,
        &mut report.chance_ap,
        &mut report.whole_iou,
        &mut report.best_iou,
    ] {
        *sum /= n;
    }
    Ok(report)
}

impl PartReport {
    /// Adds the queries of a shape.
    fn add(
        &mut self,
        encoder: &dyn Encoder,
        shape: &LabeledScene,
        index: &SceneIndex,
        seed: u64,
    ) -> Result<(), EvalError> {
        let areas = areas(shape);
        let total: f64 = areas.iter().sum();
        let area = |mask: &[u32]| mask.iter().map(|&e| areas[e as usize]).sum::<f64>();
        let parts: Vec<&[u32]> = index.objects[1..].iter().map(|part| &part.elements[..]).collect();
        let before = self.queries;
        for (instance, mask) in shape.instances.iter().zip(shape.masks()) {
            let share = area(&mask) / total;
            if !SHARES.contains(&share) {
                continue;
            }
            let name = instance.label.replace('_', " ");
            let query = embed_text(encoder, &format!("a {}", name.trim_end_matches('s')))?;
            let scores: Vec<f32> = index.part_scores(&query).map(|answer| answer.score).collect();
            let shared: Vec<f64> = parts.iter().map(|part| common_area(part, &mask, &areas)).collect();
            let sizes: Vec<f64> = parts.iter().map(|part| area(part)).collect();
            let union = |i: usize| sizes[i] + share * total - shared[i];
            let ious: Vec<f64> = (0..parts.len()).map(|i| shared[i] / union(i)).collect();
            let Some(first) = (0..parts.len()).max_by(|a, b| scores[*a].total_cmp(&scores[*b])) else {
                continue;
            };
            let precision = |scores: &[f32]| average_precision(scores, &shared, &sizes, share * total);
            self.iou += ious[first];
            self.found += f64::from(u8::from(ious[first] >= MIN_IOU));
            self.ap += precision(&scores);
            self.chance_iou += ious.iter().sum::<f64>() / ious.len() as f64;
            let right = ious.iter().filter(|iou| **iou >= MIN_IOU).count();
            self.chance_found += right as f64 / ious.len() as f64;
            self.chance_ap += precision(&random_scores(parts.len(), seed ^ (self.queries as u64) << 20));
            self.whole_iou += share;
            self.best_iou += ious.iter().copied().fold(0.0, f64::max);
            self.queries += 1;
        }
        self.shapes += usize::from(self.queries > before);
        Ok(())
    }
}

/// The area of each triangle.
fn areas(shape: &LabeledScene) -> Vec<f64> {
    let of_mesh = |mesh: &lexiform_geometry::Mesh| {
        let area = |face| {
            let [a, b, c] = mesh.triangle(face);
            0.5 * f64::from((b - a).cross(c - a).length())
        };
        (0..mesh.faces().len()).map(area).collect::<Vec<f64>>()
    };
    shape.scene.meshes.iter().flat_map(of_mesh).collect()
}

/// The area of the elements in both of two ascending lists.
fn common_area(a: &[u32], b: &[u32], areas: &[f64]) -> f64 {
    a.iter().filter(|e| b.binary_search(e).is_ok()).map(|&e| areas[e as usize]).sum()
}

/// Average precision of parts ranked by score: the sum over parts of the share of the truth that they have times the precision up to
/// them. Surface that no part has is ranked last and found by none.
fn average_precision(scores: &[f32], shared: &[f64], sizes: &[f64], truth: f64) -> f64 {
    let mut order: Vec<usize> = (0..scores.len()).collect();
    order.sort_by(|a, b| scores[*b].total_cmp(&scores[*a]).then(a.cmp(b)));
    let (mut hit, mut all, mut sum) = (0.0, 0.0, 0.0);
    for i in order {
        hit += shared[i];
        all += sizes[i];
        sum += shared[i] / truth * hit / all;
    }
    sum
}

/// Scores in no order, by splitmix64.
fn random_scores(count: usize, seed: u64) -> Vec<f32> {
    let mut state = seed;
    let next = |_| {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 40) as f32
    };
    (0..count).map(next).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn precision_counts_the_surface_before_a_part() {
        // Three parts of areas 1, 2, 1; the truth is the second and a half of the third.
        let (shared, sizes) = ([0.0, 2.0, 0.5], [1.0, 2.0, 1.0]);
        // Second, third, first: 2 / 2.5 · 2 / 2 + 0.5 / 2.5 · 2.5 / 3.
        let found = average_precision(&[0.1, 0.9, 0.5], &shared, &sizes, 2.5);
        assert!((found - (0.8 + 0.2 * 2.5 / 3.0)).abs() < 1e-12, "{found}");
        // The first before: 0 + 0.8 · 2 / 3 + 0.2 · 2.5 / 4.
        let found = average_precision(&[0.9, 0.5, 0.1], &shared, &sizes, 2.5);
        assert!((found - (0.8 * 2.0 / 3.0 + 0.2 * 2.5 / 4.0)).abs() < 1e-12, "{found}");
    }
}
