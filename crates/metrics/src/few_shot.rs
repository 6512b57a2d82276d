//! Few-shot classification in episodes: K classes, N examples of each, and queries to classify.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::error::check_len;
use crate::probe::{Probe, ProbeConfig};
use crate::{ClassFeatures, Features, MetricsError, SplitMix64, zero_shot};

/// Size, number and classifier of the episodes.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct EpisodeConfig {
    /// Classes per episode (K-way).
    pub ways: usize,
    /// Examples per class (N-shot).
    pub shots: usize,
    /// Maximum queries per class.
    pub queries: usize,
    /// Number of episodes.
    pub episodes: usize,
    /// Random seed.
    pub seed: u64,
    /// Classifier built from the examples.
    pub learner: Learner,
}

/// A classifier built from few examples.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Learner {
    /// Nearest class mean: prototypical networks (<https://arxiv.org/abs/1703.05175>) on frozen features.
    Prototype,
    /// A linear probe with C = 1.
    Probe,
}

/// Accuracy over all episodes.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FewShotResult {
    /// The configuration.
    pub config: EpisodeConfig,
    /// Classes with enough items.
    pub classes: usize,
    /// Mean accuracy over the episodes.
    pub accuracy: f64,
    /// Half width of the 95 % confidence interval of the mean: 1.96 standard errors.
    pub ci95: f64,
    /// Each episode's accuracy.
    pub accuracies: Vec<f64>,
}

/// Runs the episodes on `items`, `[items, dim]`. Classes need at least `shots + 1` items to be sampled.
///
/// # Errors
/// If lengths differ, or too few classes have enough items.
pub fn few_shot(
    items: &Features,
    labels: &[usize],
    config: EpisodeConfig,
) -> Result<FewShotResult, MetricsError> {
    check_len("labels", items.rows(), labels.len())?;
    let count = labels.iter().max().map_or(0, |most| most + 1);
    let mut members = vec![Vec::new(); count];
    labels.iter().enumerate().for_each(|(item, label)| members[*label].push(item));
    members.retain(|m| m.len() > config.shots);
    let EpisodeConfig { ways, shots, .. } = config;
    if ways < 2 || shots == 0 || config.queries == 0 || config.episodes == 0 {
        let text = "an episode needs at least two classes, one example and one query".to_owned();
        return Err(MetricsError::NotEnoughData(text));
    }
    if members.len() < ways {
        return Err(MetricsError::NotEnoughData(format!(
            "expected {ways} classes with more than {shots} items, found {}",
            members.len()
        )));
    }
    let accuracies = (0..config.episodes as u64)
        .into_par_iter()
        .map(|round| episode(items, &members, config, &mut SplitMix64::for_stream(config.seed, round)))
        .collect::<Result<Vec<f64>, MetricsError>>()?;
    let (accuracy, ci95) = mean_and_ci95(&accuracies);
    Ok(FewShotResult { config, classes: members.len(), accuracy, ci95, accuracies })
}

/// Accuracy of one episode.
fn episode(
    items: &Features,
    members: &[Vec<usize>],
    config: EpisodeConfig,
    rng: &mut SplitMix64,
) -> Result<f64, MetricsError> {
    let mut classes: Vec<usize> = (0..members.len()).collect();
    rng.shuffle(&mut classes);
    let (mut shown, mut asked, mut truth) = (Vec::new(), Vec::new(), Vec::new());
    for (way, class) in classes.into_iter().take(config.ways).enumerate() {
        // A shuffled class splits into examples and queries, which therefore never overlap.
        let mut drawn = members[class].clone();
        rng.shuffle(&mut drawn);
        shown.extend_from_slice(&drawn[..config.shots]);
        let queries = drawn[config.shots..].iter().take(config.queries);
        asked.extend(queries.clone());
        truth.extend(queries.map(|_| way));
    }
    let labels: Vec<usize> = (0..shown.len()).map(|i| i / config.shots).collect();
    config.learner.accuracy([&items.select(&shown)?, &items.select(&asked)?], [&labels, &truth], config.ways)
}

impl Learner {
    /// Accuracy of the classifier that is built from examples, on queries; labels are below `ways`.
    ///
    /// # Errors
    /// If lengths differ, a class has no example, or there are no queries.
    pub fn accuracy(
        self,
        [examples, queries]: [&Features; 2],
        [labels, truth]: [&[usize]; 2],
        ways: usize,
    ) -> Result<f64, MetricsError> {
        check_len("labels", examples.rows(), labels.len())?;
        check_len("labels", queries.rows(), truth.len())?;
        let predictions = match self {
            Self::Prototype => {
                let classes = class_means(&examples.normalized(), labels, ways)?;
                zero_shot(queries, &ClassFeatures::from_features(&classes), truth)?
            }
            Self::Probe => {
                let probe_config = ProbeConfig { c: Some(1.0), ..ProbeConfig::default() };
                Probe::train(examples, labels, ways, &probe_config)?.predict(queries, truth)?
            }
        };
        if predictions.is_empty() {
            return Err(MetricsError::NotEnoughData("expected at least one query, found none".to_owned()));
        }
        Ok(predictions.iter().filter(|p| p.is_correct()).count() as f64 / predictions.len() as f64)
    }
}

/// The mean of each class, `[ways, dim]`.
fn class_means(examples: &Features, labels: &[usize], ways: usize) -> Result<Features, MetricsError> {
    let mut means = Vec::with_capacity(ways);
    for way in 0..ways {
        let members: Vec<usize> = (0..labels.len()).filter(|item| labels[*item] == way).collect();
        if members.is_empty() {
            return Err(MetricsError::NotEnoughData(format!("class {way} has no example")));
        }
        means.push(examples.select(&members)?.group_means(members.len())?);
    }
    Features::from_rows(means.iter().map(Features::as_slice))
}

/// Mean and half width of its 95 % confidence interval.
pub fn mean_and_ci95(values: &[f64]) -> (f64, f64) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let squares: f64 = values.iter().map(|x| (x - mean).powi(2)).sum();
    let ci95 = if values.len() > 1 { 1.96 * (squares / (n - 1.0) / n).sqrt() } else { 0.0 };
    (mean, ci95)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn items() -> (Features, Vec<usize>) {
        let mut rng = SplitMix64::new(9);
        let labels: Vec<usize> = (0..40).map(|i| i % 8).collect();
        let row = |label: usize, rng: &mut SplitMix64| {
            let mut row = [0.0_f32; 8];
            row.iter_mut().for_each(|x| *x = rng.next_f64() as f32 * 0.5);
            row[label] += 1.0;
            row
        };
        let values = labels.iter().flat_map(|l| row(*l, &mut rng)).collect();
        (Features::new(values, 8).unwrap(), labels)
    }

    #[test]
    fn separated_clusters_are_learned_from_one_example() {
        let (items, labels) = items();
        for learner in [Learner::Prototype, Learner::Probe] {
            let episodes = EpisodeConfig { ways: 5, shots: 1, queries: 3, episodes: 20, seed: 1, learner };
            let result = few_shot(&items, &labels, episodes).unwrap();
            assert!(result.accuracy > 0.9 && result.classes == 8, "{result:?}");
            assert_eq!(few_shot(&items, &labels, episodes).unwrap(), result);
        }
    }

    #[test]
    fn too_few_items_are_an_error() {
        let (items, labels) = items();
        let episodes = EpisodeConfig {
            ways: 5,
            shots: 5,
            queries: 3,
            episodes: 2,
            seed: 1,
            learner: Learner::Prototype,
        };
        let error = few_shot(&items, &labels, episodes).unwrap_err().to_string();
        assert_eq!(error, "expected 5 classes with more than 5 items, found 0");
        assert!(few_shot(&items, &labels, EpisodeConfig { ways: 1, ..episodes }).is_err());
    }

    #[test]
    fn margins() {
        let (mean, ci95) = mean_and_ci95(&[0.2, 0.4, 0.6]);
        assert!((mean - 0.4).abs() < 1e-12 && (ci95 - 1.96 * 0.2 / 3.0_f64.sqrt()).abs() < 1e-12);
        assert_eq!(mean_and_ci95(&[0.5]).1, 0.0);
    }
}
