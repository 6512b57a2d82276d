//! Few-shot episodes: some classes, some examples of each, and which of them a query is.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::error::check_count;
use crate::probe::{Probe, ProbeConfig};
use crate::{ClassFeatures, Features, MetricsError, SplitMix64, zero_shot};

/// What an episode looks like.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Episodes {
    /// Classes of an episode (k-way).
    pub ways: usize,
    /// Examples of each class (n-shot).
    pub shots: usize,
    /// Most queries of each class.
    pub queries: usize,
    /// Number of episodes.
    pub episodes: usize,
    /// Seed of the draws.
    pub seed: u64,
    /// How the examples become an answer.
    pub learner: Learner,
}

/// How examples become an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Learner {
    /// The class whose examples' mean direction is nearest.
    Prototype,
    /// A linear probe with C = 1.
    Probe,
}

/// Accuracy over episodes.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FewShot {
    /// What was drawn.
    pub episodes: Episodes,
    /// Classes with enough items to be drawn.
    pub classes: usize,
    /// Mean accuracy of the episodes.
    pub accuracy: f64,
    /// Half the width of the mean's 95 % interval: 1.96 standard errors.
    pub margin: f64,
    /// Each episode's accuracy.
    pub accuracies: Vec<f64>,
}

/// Draws episodes. A class can be drawn if it has at least one item more than `shots`.
///
/// # Errors
/// If the sizes do not fit, or too few classes have enough items.
pub fn few_shot(items: &Features, labels: &[usize], episodes: Episodes) -> Result<FewShot, MetricsError> {
    check_count("labels", items.rows(), labels.len())?;
    let count = labels.iter().max().map_or(0, |most| most + 1);
    let mut members = vec![Vec::new(); count];
    labels.iter().enumerate().for_each(|(item, label)| members[*label].push(item));
    members.retain(|m| m.len() > episodes.shots);
    let Episodes { ways, shots, .. } = episodes;
    if ways < 2 || shots == 0 || episodes.queries == 0 || episodes.episodes == 0 {
        let text = "an episode needs two classes, one example and one query".to_owned();
        return Err(MetricsError::TooLittle(text));
    }
    if members.len() < ways {
        return Err(MetricsError::TooLittle(format!(
            "expected {ways} classes with more than {shots} items, found {}",
            members.len()
        )));
    }
    let accuracies = (0..episodes.episodes as u64)
        .into_par_iter()
        .map(|round| episode(items, &members, episodes, &mut SplitMix64::of_round(episodes.seed, round)))
        .collect::<Result<Vec<f64>, MetricsError>>()?;
    let (accuracy, margin) = mean_and_margin(&accuracies);
    Ok(FewShot { episodes, classes: members.len(), accuracy, margin, accuracies })
}

/// Accuracy of one episode.
fn episode(
    items: &Features,
    members: &[Vec<usize>],
    episodes: Episodes,
    chance: &mut SplitMix64,
) -> Result<f64, MetricsError> {
    let mut classes: Vec<usize> = (0..members.len()).collect();
    chance.shuffle(&mut classes);
    let (mut shown, mut asked, mut truth) = (Vec::new(), Vec::new(), Vec::new());
    for (way, class) in classes.into_iter().take(episodes.ways).enumerate() {
        let mut drawn = members[class].clone();
        chance.shuffle(&mut drawn);
        shown.extend_from_slice(&drawn[..episodes.shots]);
        let queries = drawn[episodes.shots..].iter().take(episodes.queries);
        asked.extend(queries.clone());
        truth.extend(queries.map(|_| way));
    }
    let (shown, asked) = (items.select(&shown)?, items.select(&asked)?);
    let named = match episodes.learner {
        Learner::Prototype => {
            zero_shot(&asked, &ClassFeatures::ready(&shown.normalized().means(episodes.shots)?), &truth)?
        }
        Learner::Probe => {
            let labels: Vec<usize> = (0..shown.rows()).map(|i| i / episodes.shots).collect();
            let config = ProbeConfig { c: Some(1.0), ..ProbeConfig::default() };
            Probe::train(&shown, &labels, episodes.ways, &config)?.predict(&asked, &truth)?
        }
    };
    Ok(named.iter().filter(|p| p.is_right()).count() as f64 / named.len() as f64)
}

/// Mean, and 1.96 standard errors of it.
pub fn mean_and_margin(values: &[f64]) -> (f64, f64) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let squares: f64 = values.iter().map(|x| (x - mean).powi(2)).sum();
    let margin = if values.len() > 1 { 1.96 * (squares / (n - 1.0) / n).sqrt() } else { 0.0 };
    (mean, margin)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn items() -> (Features, Vec<usize>) {
        let mut chance = SplitMix64::new(9);
        let labels: Vec<usize> = (0..40).map(|i| i % 8).collect();
        let row = |label: usize, chance: &mut SplitMix64| {
            let mut row = [0.0_f32; 8];
            row.iter_mut().for_each(|x| *x = chance.unit() as f32 * 0.5);
            row[label] += 1.0;
            row
        };
        let values = labels.iter().flat_map(|l| row(*l, &mut chance)).collect();
        (Features::new(values, 8).unwrap(), labels)
    }

    #[test]
    fn clear_clusters_are_learned_from_one_example() {
        let (items, labels) = items();
        for learner in [Learner::Prototype, Learner::Probe] {
            let episodes = Episodes { ways: 5, shots: 1, queries: 3, episodes: 20, seed: 1, learner };
            let result = few_shot(&items, &labels, episodes).unwrap();
            assert!(result.accuracy > 0.9 && result.classes == 8, "{result:?}");
            assert_eq!(few_shot(&items, &labels, episodes).unwrap(), result);
        }
    }

    #[test]
    fn too_few_items_are_an_error_that_counts_them() {
        let (items, labels) = items();
        let episodes =
            Episodes { ways: 5, shots: 5, queries: 3, episodes: 2, seed: 1, learner: Learner::Prototype };
        let error = few_shot(&items, &labels, episodes).unwrap_err().to_string();
        assert_eq!(error, "expected 5 classes with more than 5 items, found 0");
        assert!(few_shot(&items, &labels, Episodes { ways: 1, ..episodes }).is_err());
    }

    #[test]
    fn margins() {
        let (mean, margin) = mean_and_margin(&[0.2, 0.4, 0.6]);
        assert!((mean - 0.4).abs() < 1e-12 && (margin - 1.96 * 0.2 / 3.0_f64.sqrt()).abs() < 1e-12);
        assert_eq!(mean_and_margin(&[0.5]).1, 0.0);
    }
}
