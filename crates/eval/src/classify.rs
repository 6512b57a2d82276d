//! Zero-shot classification: the class whose words lie nearest.

use serde::{Deserialize, Serialize};

use crate::error::{check_count, check_indices};
use crate::similarity::{map_similarities, rank_of, top_k};
use crate::{ClassScore, Confusion, EvalError, Features};

/// Predictions kept for each item.
const KEPT: usize = 5;

/// How the sentences of a class become its direction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TextMean {
    /// Each sentence at length one, then the mean, at length one again (ULIP, OpenShape).
    #[default]
    Directions,
    /// The mean of the features as the text tower gives them, then at length one (Duoduo CLIP).
    Features,
    /// The mean of the features, its length kept: longer classes score higher (CG3D's validation).
    Lengths,
}

/// One row a class, what items are compared with.
#[derive(Clone, Debug, PartialEq)]
pub struct ClassFeatures(Features);

impl ClassFeatures {
    /// From the features of every class's sentences, `[classes · templates, dim]`, a class's sentences together.
    ///
    /// # Errors
    /// If the sentences do not come out even, or those of a class cancel out.
    pub fn from_sentences(sentences: &Features, templates: usize, mean: TextMean) -> Result<Self, EvalError> {
        Ok(Self(match mean {
            TextMean::Directions => sentences.normalized().means(templates)?.normalized(),
            TextMean::Features => sentences.means(templates)?.normalized(),
            TextMean::Lengths => sentences.means(templates)?,
        }))
    }

    /// Features made elsewhere, `[classes, dim]`, compared by direction.
    pub fn ready(features: &Features) -> Self {
        Self(features.normalized())
    }

    /// The rows, `[classes, dim]`.
    pub fn features(&self) -> &Features {
        &self.0
    }

    /// Number of classes.
    pub fn classes(&self) -> usize {
        self.0.rows()
    }
}

/// What was said of one item.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Prediction {
    /// Index of its class.
    pub truth: usize,
    /// Place of its class among all, from 1.
    pub rank: usize,
    /// The best classes, best first.
    pub best: Vec<usize>,
    /// Score of the best class: its cosine, where classes are compared by direction.
    pub score: f64,
    /// Score of the right class.
    pub truth_score: f64,
}

impl Prediction {
    /// From an item's scores of all classes.
    pub fn of(scores: &[f32], truth: usize, scale: f64) -> Self {
        let best = top_k(scores, KEPT);
        let score = |class: usize| f64::from(scores[class]) * scale;
        Self {
            truth,
            rank: rank_of(scores, truth),
            score: best.first().map_or(0.0, |&class| score(class)),
            truth_score: score(truth),
            best,
        }
    }

    /// Whether the first answer is right.
    pub fn is_right(&self) -> bool {
        self.rank == 1
    }
}

/// Compares each item, `[items, dim]` of any length, with the classes; `truth` is each item's class.
///
/// # Errors
/// If the sizes do not fit, or there is no item.
pub fn zero_shot(
    items: &Features,
    classes: &ClassFeatures,
    truth: &[usize],
) -> Result<Vec<Prediction>, EvalError> {
    check_count("labels", items.rows(), truth.len())?;
    check_indices("label", truth, classes.classes())?;
    map_similarities(items, 1, classes.features(), |item, scores| {
        Prediction::of(scores, truth[item], 1.0 / items.norm(item))
    })
}

/// The numbers of a classification.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Classification {
    /// Items that were named.
    pub items: usize,
    /// Classes to choose from.
    pub labels: usize,
    /// Share whose first answer is right (overall accuracy).
    pub top_1: f64,
    /// Share with the right answer among three.
    pub top_3: f64,
    /// Share with the right answer among five.
    pub top_5: f64,
    /// Mean over classes of the share named right; classes without items do not count.
    pub class_average: f64,
    /// Mean over classes of the harmonic mean of precision and recall; classes that neither occur nor are answered do
    /// not count.
    pub macro_f1: f64,
    /// Every class that has items.
    pub classes: Vec<ClassScore>,
}

impl Classification {
    /// Counts predictions among so many classes.
    ///
    /// # Errors
    /// If there is no prediction.
    pub fn of(predictions: &[Prediction], labels: usize) -> Result<Self, EvalError> {
        if predictions.is_empty() {
            return Err(EvalError::TooLittle("nothing was classified".to_owned()));
        }
        let confusion = Confusion::of(predictions, labels);
        Ok(Self {
            items: predictions.len(),
            labels,
            top_1: within(predictions, 1),
            top_3: within(predictions, 3),
            top_5: within(predictions, 5),
            class_average: confusion.class_average(),
            macro_f1: confusion.macro_f1(),
            classes: confusion.class_scores(predictions),
        })
    }
}

/// Share of predictions with the right answer among the first `k`.
pub fn within(predictions: &[Prediction], k: usize) -> f64 {
    predictions.iter().filter(|p| p.rank <= k).count() as f64 / predictions.len().max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_are_named_by_direction_and_counted() {
        let classes = Features::new(vec![1.0, 0.0, 0.0, 10.0], 2).unwrap();
        let items = Features::new(vec![3.0, 1.0, 0.1, 0.2, 2.0, 1.9], 2).unwrap();
        let classes = ClassFeatures::ready(&classes);
        let predictions = zero_shot(&items, &classes, &[0, 1, 1]).unwrap();
        assert_eq!(predictions.iter().map(|p| p.best[0]).collect::<Vec<_>>(), [0, 1, 0]);
        assert!((predictions[0].score - 3.0 / 10.0_f64.sqrt()).abs() < 1e-6);
        let counted = Classification::of(&predictions, 2).unwrap();
        assert_eq!((counted.top_1, counted.top_3, counted.class_average), (2.0 / 3.0, 1.0, 0.75));
        assert!(zero_shot(&items, &classes, &[0, 1]).is_err());
        assert!(zero_shot(&items, &classes, &[0, 1, 2]).unwrap_err().to_string().contains("label of item 2"));
        assert!(Classification::of(&[], 2).is_err());
    }

    #[test]
    fn lengths_count_only_where_they_are_asked_to() {
        let sentences = Features::new(vec![1.0, 0.0, 1.0, 0.0, 0.0, 9.0, 0.0, 9.0], 2).unwrap();
        let item = Features::new(vec![2.0, 1.0], 2).unwrap();
        let first = |mean| {
            let classes = ClassFeatures::from_sentences(&sentences, 2, mean).unwrap();
            zero_shot(&item, &classes, &[0]).unwrap()[0].best[0]
        };
        assert_eq!([TextMean::Directions, TextMean::Features, TextMean::Lengths].map(first), [0, 0, 1]);
        assert!(ClassFeatures::from_sentences(&sentences, 3, TextMean::Directions).is_err());
    }

    #[test]
    fn equal_scores_go_to_the_first_class() {
        let classes = ClassFeatures::ready(&Features::new(vec![1.0, 0.0, 1.0, 0.0], 2).unwrap());
        let items = Features::new(vec![1.0, 0.0], 2).unwrap();
        let named = zero_shot(&items, &classes, &[1]).unwrap();
        assert_eq!((named[0].best.as_slice(), named[0].rank), ([0, 1].as_slice(), 2));
    }
}
