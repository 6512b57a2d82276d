//! Test-time augmentation: combining the scores of several views, crops or augmentations of the same items.
//!
//! ```
//! use lexiform_metrics::{Features, vote::{self, Voting}};
//!
//! // Logits of one item for two classes, in three augmentations.
//! let logits = [[2.0, 1.9], [2.0, 1.9], [0.0, 3.0]].map(|row| Features::new(row.to_vec(), 2).unwrap());
//! let mean = vote::from_scores(&logits, &[1], Voting::Mean)?;
//! let majority = vote::from_scores(&logits, &[1], Voting::Majority)?;
//! assert!(mean[0].is_correct() && !majority[0].is_correct());
//! # Ok::<(), lexiform_metrics::MetricsError>(())
//! ```

use serde::{Deserialize, Serialize};

use crate::error::{check_indices, check_len};
use crate::similarity::map_similarities;
use crate::{ClassFeatures, Features, MetricsError, Prediction};

/// How the scores of several augmentations are combined.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Voting {
    /// Average the scores. For cosines this ranks classes like the mean of the normalized features; for logits it is
    /// Point-BERT's voting (<https://arxiv.org/abs/2111.14819>).
    Mean,
    /// Average the softmax probabilities; the factor is `exp(logit_scale)` for cosines, 1 for logits.
    Softmax(f32),
    /// Most frequent top-1 class; ties go to the larger mean score.
    Majority,
}

/// Zero-shot classification of items with several augmentations, each `[items, dim]`.
///
/// # Errors
/// If there is no augmentation, lengths differ, or a label is out of range.
pub fn zero_shot(
    augmentations: &[Features],
    classes: &ClassFeatures,
    truth: &[usize],
    vote: Voting,
) -> Result<Vec<Prediction>, MetricsError> {
    check_indices("label", truth, classes.classes())?;
    for augmentation in augmentations {
        check_len("items of an augmentation", truth.len(), augmentation.rows())?;
        augmentation.check_dim("items", classes.features())?;
    }
    if augmentations.is_empty() {
        return Err(MetricsError::NotEnoughData("no features or scores were given".to_owned()));
    }
    let augmentations: Vec<Features> = augmentations.iter().map(Features::normalized).collect();
    // Rows are grouped by item: `map_similarities` passes the scores of a whole group.
    let together = (0..truth.len())
        .flat_map(|item| augmentations.iter().map(move |augmentation| augmentation.row(item)));
    let together = Features::from_rows(together)?;
    map_similarities(&together, augmentations.len(), classes.features(), |item, cosines| {
        Prediction::from_scores(&combine(cosines, classes.classes(), vote), truth[item], 1.0)
    })
}

/// Combines a classifier's logits, each augmentation `[items, classes]`.
///
/// # Errors
/// If there is no augmentation, lengths differ, or a label is out of range.
pub fn from_scores(
    augmentations: &[Features],
    truth: &[usize],
    vote: Voting,
) -> Result<Vec<Prediction>, MetricsError> {
    let first = augmentations
        .first()
        .ok_or_else(|| MetricsError::NotEnoughData("no features or scores were given".to_owned()))?;
    check_indices("label", truth, first.dim())?;
    for augmentation in augmentations {
        check_len("items of an augmentation", truth.len(), augmentation.rows())?;
        augmentation.check_dim("scores of an augmentation", first)?;
    }
    let of_item = |(item, truth): (usize, &usize)| {
        let scores: Vec<f32> =
            augmentations.iter().flat_map(|augmentation| augmentation.row(item)).copied().collect();
        Prediction::from_scores(&combine(&scores, first.dim(), vote), *truth, 1.0)
    };
    Ok(truth.iter().enumerate().map(of_item).collect())
}

/// Scores `[augmentations, classes]` → `[classes]`.
fn combine(all: &[f32], classes: usize, vote: Voting) -> Vec<f32> {
    let augmentations = (all.len() / classes.max(1)).max(1) as f64;
    let largest = all.iter().fold(1.0_f32, |largest, score| largest.max(score.abs()));
    let mut scores = vec![0.0_f64; classes];
    for augmentation in all.chunks(classes.max(1)) {
        match vote {
            Voting::Mean => add(&mut scores, augmentation.iter().map(|c| f64::from(*c) / augmentations)),
            Voting::Softmax(factor) => {
                let largest = augmentation.iter().copied().fold(f32::NEG_INFINITY, f32::max);
                let weights: Vec<f64> =
                    augmentation.iter().map(|c| (f64::from(factor) * f64::from(c - largest)).exp()).collect();
                let total = weights.iter().sum::<f64>() * augmentations;
                add(&mut scores, weights.iter().map(|w| w / total));
            }
            Voting::Majority => {
                // Each score divided by the largest is in [-1, 1], so that a quarter of their mean breaks ties but never
                // outweighs a vote.
                let part = 0.25 / (augmentations * f64::from(largest));
                add(&mut scores, augmentation.iter().map(|c| part * f64::from(*c)));
                if let Some(first) = crate::top_k(augmentation, 1).first() {
                    scores[*first] += 1.0;
                }
            }
        }
    }
    scores.into_iter().map(|s| s as f32).collect()
}

fn add(scores: &mut [f64], more: impl Iterator<Item = f64>) {
    scores.iter_mut().zip(more).for_each(|(score, x)| *score += x);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn votings_differ() {
        // Two augmentations slightly prefer class 0, one strongly prefers class 1.
        let cosines = [0.5, 0.4, 0.5, 0.4, 0.1, 0.9];
        let winner = |vote| crate::top_k(&combine(&cosines, 2, vote), 1)[0];
        assert_eq!(winner(Voting::Mean), 1);
        assert_eq!(winner(Voting::Majority), 0);
        assert_eq!(winner(Voting::Softmax(1.0)), 1);
        assert_eq!(winner(Voting::Softmax(100.0)), 0);
    }

    #[test]
    fn logits_are_combined_without_normalization() {
        // Item 0: two augmentations prefer class 1, one is very confident of class 2. Item 1: all say class 0.
        let augmentations =
            [[0.0, 6.0, 4.0, 9.0, 1.0, 1.0], [0.0, 6.0, 4.0, 9.0, 1.0, 1.0], [0.0, 1.0, 40.0, 9.0, 1.0, 1.0]];
        let augmentations =
            augmentations.map(|augmentation| Features::new(augmentation.to_vec(), 3).unwrap());
        let best = |vote| {
            from_scores(&augmentations, &[1, 0], vote).unwrap().iter().map(|p| p.top_k[0]).collect::<Vec<_>>()
        };
        assert_eq!((best(Voting::Mean), best(Voting::Majority)), (vec![2, 0], vec![1, 0]));
        assert_eq!(best(Voting::Softmax(1.0)), [1, 0]);
        let predictions = from_scores(&augmentations[..1], &[1, 0], Voting::Mean).unwrap();
        assert_eq!((predictions[0].rank, predictions[0].score), (1, 6.0));
        assert!(
            from_scores(&[], &[0], Voting::Mean).is_err()
                && from_scores(&augmentations, &[0], Voting::Mean).is_err()
        );
        assert!(
            from_scores(&augmentations, &[3, 0], Voting::Mean)
                .unwrap_err()
                .to_string()
                .contains("label of item 0")
        );
        let narrow = Features::new(vec![1.0; 4], 2).unwrap();
        assert!(from_scores(&[augmentations[0].clone(), narrow], &[1, 0], Voting::Mean).is_err());
    }

    #[test]
    fn the_mean_of_cosines_orders_as_the_mean_of_directions() {
        let augmentations =
            [vec![1.0, 0.2, 0.3, 1.0], vec![0.1, 5.0, 1.0, 1.0]].map(|v| Features::new(v, 2).unwrap());
        let classes = ClassFeatures::from_features(&Features::new(vec![1.0, 0.0, 0.0, 1.0], 2).unwrap());
        let voted = zero_shot(&augmentations, &classes, &[0, 1], Voting::Mean).unwrap();
        let unit = augmentations.each_ref().map(Features::normalized);
        let rows = (0..2).flat_map(|i| unit.iter().map(move |augmentation| augmentation.row(i)));
        let mean = Features::from_rows(rows).unwrap().group_means(2).unwrap();
        let alone = crate::zero_shot(&mean, &classes, &[0, 1]).unwrap();
        for (a, b) in voted.iter().zip(&alone) {
            assert_eq!(a.top_k, b.top_k);
        }
        assert!(zero_shot(&[], &classes, &[0], Voting::Mean).is_err());
        assert!(zero_shot(&augmentations, &classes, &[0], Voting::Mean).is_err());
    }
}
