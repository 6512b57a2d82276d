//! Results of an evaluation on scenes.

use lexiform_metrics::segmentation::{AveragePrecision, SegmentationMetrics};
use serde::Serialize;

/// Results of one scene.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SceneSummary {
    /// Name of the scene.
    pub name: String,
    /// Number of objects.
    pub objects: usize,
    /// Number of proposals.
    pub proposals: usize,
    /// Objects with a proposal of IoU ≥ 0.5.
    pub proposed: usize,
    /// Different names of objects, each of which is a query.
    pub queries: usize,
    /// Queries whose first answer is an object of this name, with IoU ≥ 0.5.
    pub found: usize,
    /// The same among given masks.
    pub found_given_masks: usize,
    /// Given masks whose name is predicted first among all labels, and among the first five.
    pub recognized: usize,
    /// Among the first five.
    pub recognized_top_5: usize,
    /// Cosine between the up axis that was found and the given one.
    pub up_cosine: f32,
}

/// Results over all scenes.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SceneReport {
    /// Id of the model.
    pub model: String,
    /// Each scene.
    pub scenes: Vec<SceneSummary>,
    /// Labels of points by proposals and planes, over the names that objects and buildings have.
    pub semantic: SegmentationMetrics,
    /// Average precision of proposals.
    pub instances: AveragePrecision,
}

impl SceneReport {
    /// Share of objects with a proposal of IoU ≥ 0.5.
    pub fn proposal_recall(&self) -> f64 {
        self.share(|s| s.proposed, |s| s.objects)
    }

    /// Share of names whose first answer is right.
    pub fn found_top_1(&self) -> f64 {
        self.share(|s| s.found, |s| s.queries)
    }

    /// Share of names whose first answer among given masks is right.
    pub fn found_given_masks_top_1(&self) -> f64 {
        self.share(|s| s.found_given_masks, |s| s.queries)
    }

    /// Top-1 of given masks among all labels.
    pub fn recognition_top_1(&self) -> f64 {
        self.share(|s| s.recognized, |s| s.objects)
    }

    /// Top-5 of given masks among all labels.
    pub fn recognition_top_5(&self) -> f64 {
        self.share(|s| s.recognized_top_5, |s| s.objects)
    }

    fn share(&self, part: fn(&SceneSummary) -> usize, all: fn(&SceneSummary) -> usize) -> f64 {
        let sum = |count: fn(&SceneSummary) -> usize| self.scenes.iter().map(count).sum::<usize>();
        sum(part) as f64 / sum(all).max(1) as f64
    }
}
