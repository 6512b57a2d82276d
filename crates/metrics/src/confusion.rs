//! The confusion matrix and per-class metrics.

use serde::Serialize;

use crate::Prediction;

/// Counts of top-1 predictions, `[classes, classes]`: rows are true classes, columns predicted classes.
#[derive(Clone, Debug, PartialEq)]
pub struct ConfusionMatrix {
    counts: Vec<u32>,
    classes: usize,
}

/// Metrics of one class.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ClassMetrics {
    /// Index of the class.
    pub class: usize,
    /// Items of the class (support).
    pub items: usize,
    /// Items with a correct top-1 prediction.
    pub correct: usize,
    /// Items with the class in their top 5.
    pub correct_top_5: usize,
    /// Items of other classes predicted as this one.
    pub false_positives: usize,
    /// Wrong classes its items are predicted as, with counts, most frequent first.
    pub predicted_as: Vec<(usize, usize)>,
}

impl ClassMetrics {
    /// Fraction of correct top-1 predictions (recall).
    pub fn accuracy(&self) -> f64 {
        self.correct as f64 / self.items.max(1) as f64
    }
}

impl ConfusionMatrix {
    /// Counts top-1 predictions; indices from `classes` on are ignored.
    pub fn from_predictions(predictions: &[Prediction], classes: usize) -> Self {
        let mut counts = vec![0; classes * classes];
        for prediction in predictions {
            let first = prediction.top_k.first().copied().unwrap_or(usize::MAX);
            if prediction.truth < classes && first < classes {
                counts[prediction.truth * classes + first] += 1;
            }
        }
        Self { counts, classes }
    }

    /// Number of classes.
    pub fn num_classes(&self) -> usize {
        self.classes
    }

    /// Items of class `truth` predicted as `answer`.
    pub fn count(&self, truth: usize, answer: usize) -> usize {
        self.counts[truth * self.classes + answer] as usize
    }

    fn row(&self, class: usize) -> &[u32] {
        &self.counts[class * self.classes..(class + 1) * self.classes]
    }

    /// Number of items of a class.
    pub fn support(&self, class: usize) -> usize {
        self.row(class).iter().map(|n| *n as usize).sum()
    }

    /// How often each class is predicted.
    pub fn predicted_counts(&self) -> Vec<usize> {
        let mut predicted = vec![0; self.classes];
        for class in 0..self.classes {
            predicted.iter_mut().zip(self.row(class)).for_each(|(sum, n)| *sum += *n as usize);
        }
        predicted
    }

    /// Mean of the per-class accuracies over classes with items (balanced accuracy).
    pub fn mean_class_accuracy(&self) -> f64 {
        let shares = (0..self.classes).filter_map(|class| {
            let items = self.support(class);
            (items > 0).then(|| self.count(class, class) as f64 / items as f64)
        });
        mean(shares)
    }

    /// Mean of the per-class F1 scores; classes that neither occur nor are predicted are ignored.
    pub fn macro_f1(&self) -> f64 {
        let predicted = self.predicted_counts();
        let scores = (0..self.classes).filter_map(|class| {
            let all = self.support(class) + predicted[class];
            // F1 = 2 TP / (2 TP + FP + FN), and support + predicted = 2 TP + FP + FN.
            (all > 0).then(|| 2.0 * self.count(class, class) as f64 / all as f64)
        });
        mean(scores)
    }

    /// Metrics of every class with items.
    pub fn per_class(&self, predictions: &[Prediction]) -> Vec<ClassMetrics> {
        let mut correct_top_5 = vec![0; self.classes];
        for prediction in predictions.iter().filter(|p| p.rank <= 5 && p.truth < self.classes) {
            correct_top_5[prediction.truth] += 1;
        }
        let predicted = self.predicted_counts();
        let score = |class: usize| {
            let (items, correct) = (self.support(class), self.count(class, class));
            let wrong = self.row(class).iter().enumerate().filter(|(other, n)| *other != class && **n > 0);
            let mut predicted_as: Vec<(usize, usize)> =
                wrong.map(|(other, n)| (other, *n as usize)).collect();
            predicted_as.sort_by_key(|(other, n)| (std::cmp::Reverse(*n), *other));
            let (correct_top_5, false_positives) = (correct_top_5[class], predicted[class] - correct);
            (items > 0).then_some(ClassMetrics {
                class,
                items,
                correct,
                correct_top_5,
                false_positives,
                predicted_as,
            })
        };
        (0..self.classes).filter_map(score).collect()
    }

    /// The most frequent confusions as (true class, predicted class, count).
    pub fn most_confused_pairs(&self, most: usize) -> Vec<(usize, usize, usize)> {
        let mut pairs: Vec<_> = (0..self.classes)
            .flat_map(|truth| (0..self.classes).map(move |answer| (truth, answer)))
            .filter(|(truth, answer)| truth != answer)
            .map(|(truth, answer)| (truth, answer, self.count(truth, answer)))
            .filter(|pair| pair.2 > 0)
            .collect();
        pairs.sort_by_key(|&(truth, answer, n)| (std::cmp::Reverse(n), truth, answer));
        pairs.truncate(most);
        pairs
    }
}

fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let (sum, n) = values.fold((0.0, 0_usize), |(sum, n), x| (sum + x, n + 1));
    if n == 0 { 0.0 } else { sum / n as f64 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prediction(truth: usize, answer: usize) -> Prediction {
        let rank = if truth == answer { 1 } else { 2 };
        Prediction { truth, rank, top_k: vec![answer], score: 0.0, truth_score: 0.0 }
    }

    #[test]
    fn classes_without_items_do_not_count() {
        let predictions = [(0, 0), (0, 1), (1, 1), (1, 1), (1, 3)].map(|(t, a)| prediction(t, a));
        let confusion = ConfusionMatrix::from_predictions(&predictions, 4);
        assert!((confusion.mean_class_accuracy() - (0.5 + 2.0 / 3.0) / 2.0).abs() < 1e-12);
        // F1 of 0: 2/3, of 1: 4/6, of 3: 0; class 2 does not occur.
        assert!((confusion.macro_f1() - (2.0 / 3.0 + 4.0 / 6.0) / 3.0).abs() < 1e-12);
        let scores = confusion.per_class(&predictions);
        assert_eq!(scores.len(), 2);
        assert_eq!((scores[1].items, scores[1].correct, scores[1].false_positives), (3, 2, 1));
        assert_eq!(scores[1].predicted_as, [(3, 1)]);
        assert_eq!(confusion.most_confused_pairs(1), [(0, 1, 1)]);
        assert_eq!(ConfusionMatrix::from_predictions(&[], 0).mean_class_accuracy(), 0.0);
    }
}
