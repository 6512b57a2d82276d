//! Open scene understanding as in the code of [CG3D](https://arxiv.org/abs/2303.11313): parts of the building are removed by their labels,
//! k-means makes segments of the rest, and those whose similarity to a query is above 0.85 of the best are its answer.
//!
//! The published code shows pictures and no numbers. Here the points of an answer are compared with those of the label.

use lexiform_search::{Encoder, SceneIndex, kmeans};
use serde::Serialize;

use super::LabeledScene;
use crate::EvalError;

/// Labels of S3DIS whose points are removed; table, chair, sofa and bookcase remain.
const REMOVED: [&str; 9] =
    ["ceiling", "floor", "wall", "beam", "column", "window", "door", "board", "clutter"];
/// Segments of a room.
const SEGMENTS: usize = 11;
/// Share of the range of similarities from which a segment is an answer.
const THRESHOLD: f32 = 0.85;
/// Seed of the first centers.
const SEED: u64 = 0;

/// Answers to the query for one label.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Cg3dClass {
    /// The label.
    pub label: String,
    /// Points with this label.
    pub points: usize,
    /// IoU of the points of answers with these.
    pub iou: f64,
}

/// Results over all rooms.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Cg3dReport {
    /// Id of the model.
    pub model: String,
    /// Each label.
    pub classes: Vec<Cg3dClass>,
    /// Mean IoU over labels.
    pub mean_iou: f64,
}

#[derive(Clone, Copy, Default)]
struct Counts {
    both: usize,
    answered: usize,
    labeled: usize,
}

/// Runs CG3D's procedure on rooms of points. Each label of a room is a query, by the model's templates.
///
/// # Errors
/// If a scene has no points, or the model fails.
pub fn cg3d_s3dis(encoder: &dyn Encoder, scenes: &[LabeledScene]) -> Result<Cg3dReport, EvalError> {
    let mut counts: std::collections::BTreeMap<String, Counts> = std::collections::BTreeMap::new();
    for scene in scenes {
        let room = Room::new(encoder, scene)?;
        let mut labels = room.labels.clone();
        labels.sort_unstable();
        labels.dedup();
        for label in labels {
            let answer = room.answer(encoder, label)?;
            let count = counts.entry(label.to_owned()).or_default();
            for (of_point, segment) in room.labels.iter().zip(&room.segments) {
                let (is_labeled, is_answer) = (*of_point == label, answer[*segment as usize]);
                count.both += usize::from(is_labeled && is_answer);
                count.answered += usize::from(is_answer);
                count.labeled += usize::from(is_labeled);
            }
        }
    }
    let class = |(label, count): (String, Counts)| {
        let union = count.answered + count.labeled - count.both;
        Cg3dClass { label, points: count.labeled, iou: count.both as f64 / union.max(1) as f64 }
    };
    let classes: Vec<Cg3dClass> = counts.into_iter().map(class).collect();
    let mean_iou = classes.iter().map(|class| class.iou).sum::<f64>() / classes.len().max(1) as f64;
    Ok(Cg3dReport { model: encoder.id().to_owned(), classes, mean_iou })
}

/// The points of a room that are not of the building.
struct Room<'a> {
    labels: Vec<&'a str>,
    segments: Vec<u32>,
    /// The segments with points, embedded, and the segment of each.
    index: SceneIndex,
    of_objects: Vec<u32>,
}

impl<'a> Room<'a> {
    fn new(encoder: &dyn Encoder, scene: &'a LabeledScene) -> Result<Self, EvalError> {
        if scene.scene.n_faces() > 0 || scene.scene.n_points() == 0 {
            let message =
                format!("{}: expected points for the protocol of CG3D, found triangles", scene.name);
            return Err(EvalError::Input {
                message,
                hint: Some("give rooms of S3DIS, or --points".to_owned()),
            });
        }
        let label = |&instance: &u32| scene.instances.get(instance as usize).map(|i| i.label.as_str());
        let kept = scene.of_elements.iter().map(label).zip(0_u32..);
        let kept: Vec<(&str, u32)> =
            kept.filter_map(|(label, i)| Some((label.filter(|l| !REMOVED.contains(l))?, i))).collect();
        let all: Vec<_> = scene.scene.clouds.iter().flat_map(|cloud| cloud.positions()).copied().collect();
        let positions: Vec<_> = kept.iter().map(|(_, i)| all[*i as usize]).collect();
        let segments = kmeans(&positions, SEGMENTS, SEED);
        let mask = |segment: u32| {
            let inside = kept.iter().zip(&segments).filter(|(_, of)| **of == segment);
            inside.map(|((_, i), _)| *i).collect::<Vec<u32>>()
        };
        let masks = (0..SEGMENTS as u32).map(|segment| (segment, mask(segment)));
        let (of_objects, masks): (Vec<u32>, Vec<_>) = masks.filter(|(_, mask)| !mask.is_empty()).unzip();
        let masks = masks.into_iter().map(|mask| (mask, 1.0)).collect();
        let index = SceneIndex::of_masks(encoder, &scene.scene, scene.up, masks, &|_, _| {})?;
        Ok(Self { labels: kept.into_iter().map(|(label, _)| label).collect(), segments, index, of_objects })
    }

    /// Which segments answer the query for a label.
    fn answer(&self, encoder: &dyn Encoder, label: &str) -> Result<[bool; SEGMENTS], EvalError> {
        let texts: Vec<String> = encoder.templates().iter().map(|t| t.replace("{}", label)).collect();
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let queries = encoder.embed_texts(&texts).map_err(EvalError::Encode)?;
        let score = |object: &lexiform_search::SceneObject| {
            queries.iter().map(|q| q.dot(&object.embedding)).sum::<f32>()
        };
        let scores: Vec<f32> = self.index.objects.iter().map(score).collect();
        let mut answer = [false; SEGMENTS];
        for (is_answer, segment) in above_threshold(&scores).into_iter().zip(&self.of_objects) {
            answer[*segment as usize] = is_answer;
        }
        Ok(answer)
    }
}

/// Scores shifted by the size of the lowest and divided by the largest, as in the code, against the threshold.
fn above_threshold(scores: &[f32]) -> Vec<bool> {
    let lowest = scores.iter().copied().fold(f32::INFINITY, f32::min).abs();
    let shifted: Vec<f32> = scores.iter().map(|score| score + lowest).collect();
    let largest = shifted.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    shifted.iter().map(|score| score / largest > THRESHOLD).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Shifted by 0.2: 0, 0.3, 0.5, 0.45; divided by 0.5: 0, 0.6, 1, 0.9.
    #[test]
    fn answers_are_near_the_best() {
        assert_eq!(above_threshold(&[-0.2, 0.1, 0.3, 0.25]), [false, false, true, true]);
    }
}
