//! Average precision of instances, by the rules of the [ScanNet benchmark], also those of ScanNet200.
//!
//! A prediction of a class is correct if its IoU with an instance of that class exceeds a threshold. Of several for one instance, those with
//! lower confidence are false. Predictions that are mostly on points that are not evaluated do not count. Precision over recall is
//! integrated by the benchmark's own rule, not by that of [`retrieval`](crate::retrieval).
//!
//! [ScanNet benchmark]: https://github.com/ScanNet/ScanNet/tree/master/BenchmarkScripts/3d_evaluation

use serde::Serialize;

/// Smallest size of instances and predictions that the benchmark evaluates, in points.
pub const MIN_INSTANCE_SIZE: usize = 100;

/// The instances and predictions of one class in one scene.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct InstanceScene {
    /// Sizes of the instances.
    pub truths: Vec<usize>,
    /// The predictions.
    pub predictions: Vec<PredictedInstance>,
}

/// A predicted mask.
#[derive(Clone, Debug, PartialEq)]
pub struct PredictedInstance {
    /// Number of points.
    pub size: usize,
    /// How sure the model is.
    pub confidence: f64,
    /// Points that are not evaluated: without a label, or with a label that is no class.
    pub ignored: usize,
    /// Points in common with each instance.
    pub intersections: Vec<usize>,
}

impl PredictedInstance {
    fn iou(&self, truth: usize, truths: &[usize]) -> f64 {
        let both = self.intersections[truth];
        both as f64 / (self.size + truths[truth] - both) as f64
    }
}

/// Average precision over classes.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct AveragePrecision {
    /// Mean over the IoU thresholds 0.5, 0.55, … 0.9, those of the benchmark's code.
    pub ap: f64,
    /// At an IoU of 0.5.
    pub ap_50: f64,
    /// At an IoU of 0.25.
    pub ap_25: f64,
    /// Number of classes with instances.
    pub classes: usize,
}

/// Average precision over classes, each with its scenes; classes without instances are ignored. Instances and predictions smaller than
/// `min_size` are not evaluated.
pub fn instance_metrics(classes: &[Vec<InstanceScene>], min_size: usize) -> AveragePrecision {
    let mean_at = |threshold: f64| {
        let all = classes.iter().filter_map(|scenes| average_precision(scenes, threshold, min_size));
        let all: Vec<f64> = all.collect();
        all.iter().sum::<f64>() / all.len().max(1) as f64
    };
    let thresholds: Vec<f64> = (0..9).map(|i| 0.5 + 0.05 * f64::from(i)).collect();
    let has_truth =
        |scenes: &&Vec<InstanceScene>| scenes.iter().flat_map(|s| &s.truths).any(|&size| size >= min_size);
    AveragePrecision {
        ap: thresholds.iter().map(|&t| mean_at(t)).sum::<f64>() / thresholds.len() as f64,
        ap_50: mean_at(0.5),
        ap_25: mean_at(0.25),
        classes: classes.iter().filter(has_truth).count(),
    }
}

/// Average precision of one class at an IoU threshold; `None` without instances.
pub fn average_precision(scenes: &[InstanceScene], threshold: f64, min_size: usize) -> Option<f64> {
    let mut results = Matches::default();
    for scene in scenes {
        results.add(scene, threshold, min_size);
    }
    (results.truths > 0).then(|| results.area())
}

#[derive(Default)]
struct Matches {
    /// Confidence of each counted prediction, and whether it is correct.
    scored: Vec<(f64, bool)>,
    truths: usize,
    missed: usize,
}

impl Matches {
    fn add(&mut self, scene: &InstanceScene, threshold: f64, min_size: usize) {
        let predictions: Vec<&PredictedInstance> =
            scene.predictions.iter().filter(|p| p.size >= min_size).collect();
        let mut used = vec![false; predictions.len()];
        for truth in (0..scene.truths.len()).filter(|&t| scene.truths[t] >= min_size) {
            self.truths += 1;
            let mut best: Option<f64> = None;
            for (prediction, used) in predictions.iter().zip(&mut used) {
                if *used || prediction.iou(truth, &scene.truths) <= threshold {
                    continue;
                }
                // Of two for one instance, the less confident is false.
                match best {
                    Some(other) => {
                        self.scored.push((other.min(prediction.confidence), false));
                        best = Some(other.max(prediction.confidence));
                    }
                    None => {
                        *used = true;
                        best = Some(prediction.confidence);
                    }
                }
            }
            match best {
                Some(confidence) => self.scored.push((confidence, true)),
                None => self.missed += 1,
            }
        }
        self.add_unmatched(scene, &predictions, threshold, min_size);
    }

    /// Predictions of no instance are false, unless they are mostly on what is not evaluated.
    fn add_unmatched(
        &mut self,
        scene: &InstanceScene,
        predictions: &[&PredictedInstance],
        threshold: f64,
        min_size: usize,
    ) {
        for prediction in predictions {
            if (0..scene.truths.len()).any(|truth| prediction.iou(truth, &scene.truths) > threshold) {
                continue;
            }
            let small =
                scene.truths.iter().zip(&prediction.intersections).filter(|(size, _)| **size < min_size);
            let ignored = prediction.ignored + small.map(|(_, both)| both).sum::<usize>();
            if ignored as f64 / prediction.size as f64 <= threshold {
                self.scored.push((prediction.confidence, false));
            }
        }
    }

    /// The area under precision over recall, by central differences of recall.
    fn area(mut self) -> f64 {
        if self.scored.is_empty() {
            return 0.0;
        }
        self.scored.sort_by(|a, b| a.0.total_cmp(&b.0));
        let total: usize = self.scored.iter().filter(|s| s.1).count();
        let mut curve = Vec::new();
        let mut below = 0;
        for (i, (confidence, is_correct)) in self.scored.iter().enumerate() {
            if i == 0 || self.scored[i - 1].0 != *confidence {
                let correct = (total - below) as f64;
                let counted = (self.scored.len() - i) as f64;
                curve.push((correct / counted, correct / (total + self.missed) as f64));
            }
            below += usize::from(*is_correct);
        }
        curve.push((1.0, 0.0));
        let recall = |i: usize| curve.get(i).map_or(0.0, |point| point.1);
        // The first recall is repeated before it, and 0 follows the last.
        let step = |i: usize| 0.5 * (recall(i.saturating_sub(1)) - recall(i + 1));
        curve.iter().enumerate().map(|(i, (precision, _))| precision * step(i)).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prediction(size: usize, confidence: f64, intersections: &[usize]) -> PredictedInstance {
        PredictedInstance { size, confidence, ignored: 0, intersections: intersections.to_vec() }
    }

    fn ap(truths: &[usize], predictions: Vec<PredictedInstance>) -> Option<f64> {
        average_precision(&[InstanceScene { truths: truths.to_vec(), predictions }], 0.5, 100)
    }

    /// One instance, found: precision and recall 1, then (1, 0). Steps: (1 − 0)/2 and (1 − 0)/2. Area 1.
    #[test]
    fn all_found_is_one() {
        assert_eq!(ap(&[200], vec![prediction(200, 0.9, &[200])]), Some(1.0));
        assert_eq!(ap(&[200], vec![]), Some(0.0));
        assert_eq!(ap(&[], vec![prediction(200, 0.9, &[])]), None);
        assert_eq!(ap(&[50], vec![]), None, "too small to be evaluated");
    }

    /// Two instances, one found with confidence 0.9, and a false prediction of 0.5. Ascending: (0.5 false, 0.9 correct). At 0.5: precision
    /// 1/2, recall 1/2. At 0.9: 1, 1/2. End: 1, 0. Steps: (1/2 − 1/2)/2 = 0, (1/2 − 0)/2, (1/2 − 0)/2. Area 1/4 + 1/4.
    #[test]
    fn a_false_prediction_below_costs_nothing() {
        let found = ap(&[200, 300], vec![prediction(200, 0.9, &[200, 0]), prediction(200, 0.5, &[0, 0])]);
        assert_eq!(found, Some(0.5));
    }

    /// As before with the false one above. At 0.5: precision 1/2, recall 1/2. At 0.9: 0, 0. End: 1, 0. Steps: (1/2 − 0)/2, (1/2 − 0)/2,
    /// (0 − 0)/2. Area 1/8.
    #[test]
    fn a_false_prediction_above_costs() {
        let found = ap(&[200, 300], vec![prediction(200, 0.5, &[200, 0]), prediction(200, 0.9, &[0, 0])]);
        assert_eq!(found, Some(0.125));
    }

    /// Both match the instance: 0.9 is correct, 0.8 false. At 0.8: precision 1/2, recall 1; at 0.9: 1, 1; end: 1, 0.
    /// Steps: 0, (1 − 0)/2, (1 − 0)/2. Area 1.
    #[test]
    fn of_two_for_one_instance_the_less_confident_is_false() {
        let found = ap(&[200], vec![prediction(200, 0.8, &[200]), prediction(190, 0.9, &[180])]);
        assert_eq!(found, Some(1.0));
    }

    #[test]
    fn predictions_on_ignored_points_do_not_count() {
        let on_ignored = |ignored| PredictedInstance { ignored, ..prediction(200, 0.95, &[0]) };
        let found = |other| ap(&[200], vec![prediction(200, 0.9, &[200]), other]);
        assert_eq!(found(on_ignored(150)), Some(1.0));
        // Counted as false above: at 0.9 precision 1/2, recall 1; at 0.95 0, 0; end 1, 0. Steps 1/2, 1/2, 0.
        assert_eq!(found(on_ignored(50)), Some(0.25));
        // An exact half of the points in common is not more than the threshold.
        assert_eq!(ap(&[200], vec![prediction(100, 0.9, &[100])]), Some(0.0));
    }

    #[test]
    fn ap_is_the_mean_over_thresholds() {
        let scene = InstanceScene { truths: vec![1000], predictions: vec![prediction(710, 0.9, &[710])] };
        let metrics = instance_metrics(&[vec![scene], Vec::new()], 100);
        assert_eq!((metrics.ap_25, metrics.ap_50, metrics.classes), (1.0, 1.0, 1));
        // IoU 0.71 exceeds 0.5, 0.55, 0.6, 0.65 and 0.7 of the nine thresholds.
        assert!((metrics.ap - 5.0 / 9.0).abs() < 1e-12);
    }
}
