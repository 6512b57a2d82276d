//! Several looks at the same items, by other views, crops or augmentations, and one answer.

use serde::{Deserialize, Serialize};

use crate::error::{check_count, check_indices};
use crate::similarity::map_similarities;
use crate::{ClassFeatures, EvalError, Features, Prediction};

/// How several looks become one answer.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Vote {
    /// The mean of the cosines, which orders classes as the mean of the unit features does.
    Cosines,
    /// The mean of the softmax probabilities; the factor is `exp(logit_scale)`.
    Probabilities(f32),
    /// The class most looks put first; among equally many, the larger mean of the cosines.
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
) -> Result<Vec<Prediction>, EvalError> {
    check_indices("label", truth, classes.classes())?;
    for look in looks {
        check_count("items of a look", truth.len(), look.rows())?;
        look.check_dim("items", classes.features())?;
    }
    if looks.is_empty() {
        return Err(EvalError::TooLittle("no look at the items was given".to_owned()));
    }
    let looks: Vec<Features> = looks.iter().map(Features::normalized).collect();
    // The looks at one item stand together.
    let together = (0..truth.len()).flat_map(|item| looks.iter().map(move |look| look.row(item)));
    let together = Features::from_rows(together)?;
    map_similarities(&together, looks.len(), classes.features(), |item, cosines| {
        Prediction::of(&count(cosines, classes.classes(), vote), truth[item], 1.0)
    })
}

/// Cosines `[looks, classes]` → one score a class.
fn count(cosines: &[f32], classes: usize, vote: Vote) -> Vec<f32> {
    let looks = (cosines.len() / classes.max(1)).max(1) as f64;
    let mut scores = vec![0.0_f64; classes];
    for look in cosines.chunks(classes.max(1)) {
        match vote {
            Vote::Cosines => add(&mut scores, look.iter().map(|c| f64::from(*c) / looks)),
            Vote::Probabilities(factor) => {
                let largest = look.iter().copied().fold(f32::NEG_INFINITY, f32::max);
                let weights: Vec<f64> =
                    look.iter().map(|c| (f64::from(factor) * f64::from(c - largest)).exp()).collect();
                let total = weights.iter().sum::<f64>() * looks;
                add(&mut scores, weights.iter().map(|w| w / total));
            }
            Vote::Majority => {
                // A mean of cosines lies within ±1, so a quarter of it never outweighs a vote.
                add(&mut scores, look.iter().map(|c| 0.25 * f64::from(*c) / looks));
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
        assert_eq!(winner(Vote::Cosines), 1);
        assert_eq!(winner(Vote::Majority), 0);
        assert_eq!(winner(Vote::Probabilities(1.0)), 1);
        assert_eq!(winner(Vote::Probabilities(100.0)), 0);
    }

    #[test]
    fn the_mean_of_cosines_orders_as_the_mean_of_directions() {
        let looks =
            [vec![1.0, 0.2, 0.3, 1.0], vec![0.1, 5.0, 1.0, 1.0]].map(|v| Features::new(v, 2).unwrap());
        let classes = ClassFeatures::ready(&Features::new(vec![1.0, 0.0, 0.0, 1.0], 2).unwrap());
        let voted = zero_shot(&looks, &classes, &[0, 1], Vote::Cosines).unwrap();
        let unit = looks.each_ref().map(Features::normalized);
        let rows = (0..2).flat_map(|i| unit.iter().map(move |look| look.row(i)));
        let mean = Features::from_rows(rows).unwrap().means(2).unwrap();
        let alone = crate::zero_shot(&mean, &classes, &[0, 1]).unwrap();
        for (a, b) in voted.iter().zip(&alone) {
            assert_eq!(a.best, b.best);
        }
        assert!(zero_shot(&[], &classes, &[0], Vote::Cosines).is_err());
        assert!(zero_shot(&looks, &classes, &[0], Vote::Cosines).is_err());
    }
}
