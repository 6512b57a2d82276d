//! Mean IoU and mean accuracy of labeled points, as [OpenScene](https://arxiv.org/abs/2211.15654) evaluates them.

use serde::Serialize;

/// Label of points that are not evaluated.
pub const UNLABELED: u32 = 255;
/// Prediction of points without a feature: wrong, whatever their label.
pub const UNPREDICTED: u32 = u32::MAX;

/// IoU and accuracy of a class.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct ClassIou {
    /// The class.
    pub class: usize,
    /// Points with this label.
    pub points: usize,
    /// Correct points over the union of labeled and predicted ones.
    pub iou: f64,
    /// Correct points over labeled ones.
    pub accuracy: f64,
}

/// Metrics of predicted labels of points.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SegmentationMetrics {
    /// Mean IoU over the classes that have points.
    pub mean_iou: f64,
    /// Mean accuracy over the classes that have points.
    pub mean_accuracy: f64,
    /// The classes that have points.
    pub per_class: Vec<ClassIou>,
}

impl SegmentationMetrics {
    /// Metrics of pairs of label and prediction over the points of all scenes. Labels that are no class, such as [`UNLABELED`], are
    /// ignored; predictions that are no class, such as [`UNPREDICTED`], are wrong.
    ///
    /// ```
    /// use lexiform_metrics::segmentation::{SegmentationMetrics, UNPREDICTED};
    ///
    /// let labels = [0, 0, 0, 1, 255];
    /// let predictions = [0, 0, 1, UNPREDICTED, 0];
    /// let metrics = SegmentationMetrics::new(labels.into_iter().zip(predictions), 2);
    /// // Class 0: 2 of 3, nothing else predicted so; class 1: none.
    /// assert_eq!((metrics.mean_iou, metrics.mean_accuracy), (1.0 / 3.0, 1.0 / 3.0));
    /// ```
    pub fn new(pairs: impl Iterator<Item = (u32, u32)>, num_classes: usize) -> Self {
        let mut labeled = vec![0_usize; num_classes];
        let mut predicted = vec![0_usize; num_classes];
        let mut correct = vec![0_usize; num_classes];
        for (label, prediction) in pairs.filter(|(label, _)| (*label as usize) < num_classes) {
            labeled[label as usize] += 1;
            if let Some(count) = predicted.get_mut(prediction as usize) {
                *count += 1;
            }
            correct[label as usize] += usize::from(label == prediction);
        }
        let class = |class: usize| {
            let (points, hits) = (labeled[class], correct[class]);
            let union = points + predicted[class] - hits;
            ClassIou { class, points, iou: hits as f64 / union as f64, accuracy: hits as f64 / points as f64 }
        };
        let per_class: Vec<ClassIou> = (0..num_classes).filter(|&c| labeled[c] > 0).map(class).collect();
        let mean = |value: fn(&ClassIou) -> f64| {
            per_class.iter().map(value).sum::<f64>() / per_class.len().max(1) as f64
        };
        Self { mean_iou: mean(|c| c.iou), mean_accuracy: mean(|c| c.accuracy), per_class }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Labels 0 0 0 0 1 1 2, predictions 0 0 1 2 1 0 2. Class 0: 2 correct, 4 labeled, 3 predicted: IoU 2/5, accuracy 1/2. Class 1: 1, 2, 2:
    /// 1/3, 1/2. Class 2: 1, 1, 2: 1/2, 1. Class 3 has no points.
    #[test]
    fn means_are_over_classes_with_points() {
        let pairs = [0, 0, 0, 0, 1, 1, 2].into_iter().zip([0, 0, 1, 2, 1, 0, 2]);
        let metrics = SegmentationMetrics::new(pairs, 4);
        assert!((metrics.mean_iou - (0.4 + 1.0 / 3.0 + 0.5) / 3.0).abs() < 1e-12);
        assert!((metrics.mean_accuracy - 2.0 / 3.0).abs() < 1e-12);
        assert_eq!(metrics.per_class.len(), 3);
    }

    #[test]
    fn nothing_labeled_is_zero() {
        let metrics = SegmentationMetrics::new([(UNLABELED, 0)].into_iter(), 3);
        assert_eq!((metrics.mean_iou, metrics.per_class.len()), (0.0, 0));
    }
}
