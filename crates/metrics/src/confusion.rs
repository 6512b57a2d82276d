//! Which class is taken for which.

use serde::Serialize;

use crate::Prediction;

/// Counts of first answers, `[classes, classes]`: rows are what items are, columns what they are taken for.
#[derive(Clone, Debug, PartialEq)]
pub struct Confusion {
    counts: Vec<u32>,
    classes: usize,
}

/// One class's share of a classification.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ClassScore {
    /// Its index.
    pub class: usize,
    /// Its items.
    pub items: usize,
    /// How many of them are named right at once.
    pub right: usize,
    /// How many of them have the right answer among five.
    pub right_5: usize,
    /// Items of other classes that are given its name.
    pub wrongly_given: usize,
    /// Classes its items are taken for instead, with counts, most frequent first.
    pub taken_for: Vec<(usize, usize)>,
}

impl ClassScore {
    /// Share of its items that are named right (recall).
    pub fn share(&self) -> f64 {
        self.right as f64 / self.items.max(1) as f64
    }
}

impl Confusion {
    /// Counts first answers; classes beyond `classes` are passed over.
    pub fn of(predictions: &[Prediction], classes: usize) -> Self {
        let mut counts = vec![0; classes * classes];
        for prediction in predictions {
            let first = prediction.best.first().copied().unwrap_or(usize::MAX);
            if prediction.truth < classes && first < classes {
                counts[prediction.truth * classes + first] += 1;
            }
        }
        Self { counts, classes }
    }

    /// Number of classes.
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// Items of class `truth` that are taken for `answer`.
    pub fn count(&self, truth: usize, answer: usize) -> usize {
        self.counts[truth * self.classes + answer] as usize
    }

    fn row(&self, class: usize) -> &[u32] {
        &self.counts[class * self.classes..(class + 1) * self.classes]
    }

    /// Items of a class.
    pub fn items(&self, class: usize) -> usize {
        self.row(class).iter().map(|n| *n as usize).sum()
    }

    /// How often a class is answered.
    pub fn answers(&self) -> Vec<usize> {
        let mut answers = vec![0; self.classes];
        for class in 0..self.classes {
            answers.iter_mut().zip(self.row(class)).for_each(|(sum, n)| *sum += *n as usize);
        }
        answers
    }

    /// Mean over classes with items of the share named right.
    pub fn class_average(&self) -> f64 {
        let shares = (0..self.classes).filter_map(|class| {
            let items = self.items(class);
            (items > 0).then(|| self.count(class, class) as f64 / items as f64)
        });
        mean(shares)
    }

    /// Mean over classes of F1; classes that neither occur nor are answered are left out.
    pub fn macro_f1(&self) -> f64 {
        let answers = self.answers();
        let scores = (0..self.classes).filter_map(|class| {
            let all = self.items(class) + answers[class];
            (all > 0).then(|| 2.0 * self.count(class, class) as f64 / all as f64)
        });
        mean(scores)
    }

    /// The classes that have items.
    pub fn class_scores(&self, predictions: &[Prediction]) -> Vec<ClassScore> {
        let mut right_5 = vec![0; self.classes];
        for prediction in predictions.iter().filter(|p| p.rank <= 5 && p.truth < self.classes) {
            right_5[prediction.truth] += 1;
        }
        let answers = self.answers();
        let score = |class: usize| {
            let (items, right) = (self.items(class), self.count(class, class));
            let wrong = self.row(class).iter().enumerate().filter(|(other, n)| *other != class && **n > 0);
            let mut taken_for: Vec<(usize, usize)> = wrong.map(|(other, n)| (other, *n as usize)).collect();
            taken_for.sort_by_key(|(other, n)| (std::cmp::Reverse(*n), *other));
            let (right_5, wrongly_given) = (right_5[class], answers[class] - right);
            (items > 0).then_some(ClassScore { class, items, right, right_5, wrongly_given, taken_for })
        };
        (0..self.classes).filter_map(score).collect()
    }

    /// Pairs of (class, taken for, how often) that are confused most.
    pub fn worst_pairs(&self, most: usize) -> Vec<(usize, usize, usize)> {
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
        Prediction { truth, rank, best: vec![answer], score: 0.0, truth_score: 0.0 }
    }

    #[test]
    fn classes_without_items_do_not_count() {
        let predictions = [(0, 0), (0, 1), (1, 1), (1, 1), (1, 3)].map(|(t, a)| prediction(t, a));
        let confusion = Confusion::of(&predictions, 4);
        assert!((confusion.class_average() - (0.5 + 2.0 / 3.0) / 2.0).abs() < 1e-12);
        // F1 of 0: 2/3, of 1: 4/6, of 3: 0; class 2 does not occur.
        assert!((confusion.macro_f1() - (2.0 / 3.0 + 4.0 / 6.0) / 3.0).abs() < 1e-12);
        let scores = confusion.class_scores(&predictions);
        assert_eq!(scores.len(), 2);
        assert_eq!((scores[1].items, scores[1].right, scores[1].wrongly_given), (3, 2, 1));
        assert_eq!(scores[1].taken_for, [(3, 1)]);
        assert_eq!(confusion.worst_pairs(1), [(0, 1, 1)]);
        assert_eq!(Confusion::of(&[], 0).class_average(), 0.0);
    }
}
