//! Several looks at the same items, by other views, crops or augmentations, and one answer.

use serde::{Deserialize, Serialize};

use crate::error::{check_count, check_indices};
use crate::similarity::map_similarities;
use crate::{ClassFeatures, Features, MetricsError, Prediction};

/// How several looks become one answer.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Vote {
    /// The mean of the scores. Of cosines, it orders classes as the mean of the unit features does; of a classifier's
    /// logits, it is Point-BERT's vote.
    Mean,
    /// The mean of the softmax probabilities; the factor is `exp(logit_scale)`, 1 where scores are logits.
    Probabilities(f32),
    /// The class most looks put first; among equally many, the larger mean of the scores.
    Majority,
}

/// Names items that were looked at several times, each look `[items, dim]`.
///
/// # Errors
/// If there is no look, or the sizes do not fit.
pub fn zero_shot(
    looks: &[Features],
    classes: &ClassFeatures,
    truth: &[usize],
    vote: Vote,
) -> Result<Vec<Prediction>, MetricsError> {
    check_indices("label", truth, classes.classes())?;
    for look in looks {
        check_count("items of a look", truth.len(), look.rows())?;
        look.check_dim("items", classes.features())?;
    }
    if looks.is_empty() {
        return Err(MetricsError::TooLittle("no look at the items was given".to_owned()));
    }
    let looks: Vec<Features> = looks.iter().map(Features::normalized).collect();
    // The looks at one item stand together.
    let together = (0..truth.len()).flat_map(|item| looks.iter().map(move |look| look.row(item)));
    let together = Features::from_rows(together)?;
    map_similarities(&together, looks.len(), classes.features(), |item, cosines| {
        Prediction::of(&count(cosines, classes.classes(), vote), truth[item], 1.0)
    })
}

/// Counts a classifier's own scores (logits), each look `[items, classes]`.
///
/// # Errors
/// If there is no look, or the sizes do not fit.
pub fn of_scores(looks: &[Features], truth: &[usize], vote: Vote) -> Result<Vec<Prediction>, MetricsError> {
    let first =
        looks.first().ok_or_else(|| MetricsError::TooLittle("no look at the items was given".to_owned()))?;
    check_indices("label", truth, first.dim())?;
    for look in looks {
        check_count("items of a look", truth.len(), look.rows())?;
        look.check_dim("scores of a look", first)?;
    }
    let of_item = |(item, truth): (usize, &usize)| {
        let scores: Vec<f32> = looks.iter().flat_map(|look| look.row(item)).copied().collect();
        Prediction::of(&count(&scores, first.dim(), vote), *truth, 1.0)
    };
    Ok(truth.iter().enumerate().map(of_item).collect())
}

/// Scores `[looks, classes]` → one score a class.
fn count(all: &[f32], classes: usize, vote: Vote) -> Vec<f32> {
    let looks = (all.len() / classes.max(1)).max(1) as f64;
    let largest = all.iter().fold(1.0_f32, |largest, score| largest.max(score.abs()));
    let mut scores = vec![0.0_f64; classes];
    for look in all.chunks(classes.max(1)) {
        match vote {
            Vote::Mean => add(&mut scores, look.iter().map(|c| f64::from(*c) / looks)),
            Vote::Probabilities(factor) => {
                let largest = look.iter().copied().fold(f32::NEG_INFINITY, f32::max);
                let weights: Vec<f64> =
                    look.iter().map(|c| (f64::from(factor) * f64::from(c - largest)).exp()).collect();
                let total = weights.iter().sum::<f64>() * looks;
                add(&mut scores, weights.iter().map(|w| w / total));
            }
            Vote::Majority => {
                // A mean lies within the largest score, so a quarter of their ratio never outweighs a vote.
                let part = 0.25 / (looks * f64::from(largest));
                add(&mut scores, look.iter().map(|c| part * f64::from(*c)));
                if let Some(first) = crate::top_k(look, 1).first() {
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
    fn ways_to_vote() {
        // Two looks lean to class 0 a little, one to class 1 strongly.
        let cosines = [0.5, 0.4, 0.5, 0.4, 0.1, 0.9];
        let winner = |vote| crate::top_k(&count(&cosines, 2, vote), 1)[0];
        assert_eq!(winner(Vote::Mean), 1);
        assert_eq!(winner(Vote::Majority), 0);
        assert_eq!(winner(Vote::Probabilities(1.0)), 1);
        assert_eq!(winner(Vote::Probabilities(100.0)), 0);
    }

    #[test]
    fn scores_of_a_classifier_are_counted_as_they_are() {
        // Item 0: two looks lean to class 1, one is very sure of class 2. Item 1: all say class 0.
        let looks =
            [[0.0, 6.0, 4.0, 9.0, 1.0, 1.0], [0.0, 6.0, 4.0, 9.0, 1.0, 1.0], [0.0, 1.0, 40.0, 9.0, 1.0, 1.0]];
        let looks = looks.map(|look| Features::new(look.to_vec(), 3).unwrap());
        let best =
            |vote| of_scores(&looks, &[1, 0], vote).unwrap().iter().map(|p| p.best[0]).collect::<Vec<_>>();
        assert_eq!((best(Vote::Mean), best(Vote::Majority)), (vec![2, 0], vec![1, 0]));
        assert_eq!(best(Vote::Probabilities(1.0)), [1, 0]);
        let predictions = of_scores(&looks[..1], &[1, 0], Vote::Mean).unwrap();
        assert_eq!((predictions[0].rank, predictions[0].score), (1, 6.0));
        assert!(of_scores(&[], &[0], Vote::Mean).is_err() && of_scores(&looks, &[0], Vote::Mean).is_err());
        assert!(of_scores(&looks, &[3, 0], Vote::Mean).unwrap_err().to_string().contains("label of item 0"));
        let narrow = Features::new(vec![1.0; 4], 2).unwrap();
        assert!(of_scores(&[looks[0].clone(), narrow], &[1, 0], Vote::Mean).is_err());
    }

    #[test]
    fn the_mean_of_cosines_orders_as_the_mean_of_directions() {
        let looks =
            [vec![1.0, 0.2, 0.3, 1.0], vec![0.1, 5.0, 1.0, 1.0]].map(|v| Features::new(v, 2).unwrap());
        let classes = ClassFeatures::ready(&Features::new(vec![1.0, 0.0, 0.0, 1.0], 2).unwrap());
        let voted = zero_shot(&looks, &classes, &[0, 1], Vote::Mean).unwrap();
        let unit = looks.each_ref().map(Features::normalized);
        let rows = (0..2).flat_map(|i| unit.iter().map(move |look| look.row(i)));
        let mean = Features::from_rows(rows).unwrap().means(2).unwrap();
        let alone = crate::zero_shot(&mean, &classes, &[0, 1]).unwrap();
        for (a, b) in voted.iter().zip(&alone) {
            assert_eq!(a.best, b.best);
        }
        assert!(zero_shot(&[], &classes, &[0], Vote::Mean).is_err());
        assert!(zero_shot(&looks, &classes, &[0], Vote::Mean).is_err());
    }
}
