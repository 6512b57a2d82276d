//! Zero-shot classification: the class whose text features are nearest.

use serde::{Deserialize, Serialize};

use crate::error::{check_indices, check_len};
use crate::similarity::map_similarities;
use crate::{Features, MetricsError, Prediction};

/// How the sentences of a class become its direction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TemplateAveraging {
    /// Each sentence at length one, then the mean, at length one again (ULIP, OpenShape).
    #[default]
    NormalizeEach,
    /// The mean of the features as the text tower gives them, then at length one (Duoduo CLIP).
    NormalizeMean,
    /// The mean of the features, its length kept: longer classes score higher (CG3D's validation).
    Unnormalized,
}

/// One row a class, what items are compared with.
#[derive(Clone, Debug, PartialEq)]
pub struct ClassFeatures(Features);

impl ClassFeatures {
    /// From the features of every class's sentences, `[classes · templates, dim]`, a class's sentences together.
    ///
    /// # Errors
    /// If the sentences do not come out even, or those of a class cancel out.
    pub fn from_sentences(
        sentences: &Features,
        templates: usize,
        averaging: TemplateAveraging,
    ) -> Result<Self, MetricsError> {
        Ok(Self(match averaging {
            TemplateAveraging::NormalizeEach => sentences.normalized().group_means(templates)?.normalized(),
            TemplateAveraging::NormalizeMean => sentences.group_means(templates)?.normalized(),
            TemplateAveraging::Unnormalized => sentences.group_means(templates)?,
        }))
    }

    /// Features made elsewhere, `[classes, dim]`, compared by direction.
    pub fn from_features(features: &Features) -> Self {
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

/// Compares each item, `[items, dim]` of any length, with the classes; `truth` is each item's class.
///
/// # Errors
/// If the sizes do not fit, or there is no item.
pub fn zero_shot(
    items: &Features,
    classes: &ClassFeatures,
    truth: &[usize],
) -> Result<Vec<Prediction>, MetricsError> {
    check_len("labels", items.rows(), truth.len())?;
    check_indices("label", truth, classes.classes())?;
    map_similarities(items, 1, classes.features(), |item, scores| {
        Prediction::from_scores(scores, truth[item], 1.0 / items.norm(item))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ClassificationMetrics;

    #[test]
    fn items_are_named_by_direction_and_counted() {
        let classes = Features::new(vec![1.0, 0.0, 0.0, 10.0], 2).unwrap();
        let items = Features::new(vec![3.0, 1.0, 0.1, 0.2, 2.0, 1.9], 2).unwrap();
        let classes = ClassFeatures::from_features(&classes);
        let predictions = zero_shot(&items, &classes, &[0, 1, 1]).unwrap();
        assert_eq!(predictions.iter().map(|p| p.top_k[0]).collect::<Vec<_>>(), [0, 1, 0]);
        assert!((predictions[0].score - 3.0 / 10.0_f64.sqrt()).abs() < 1e-6);
        let counted = ClassificationMetrics::from_predictions(&predictions, 2).unwrap();
        assert_eq!((counted.top_1, counted.top_3, counted.mean_class_accuracy), (2.0 / 3.0, 1.0, 0.75));
        assert!(zero_shot(&items, &classes, &[0, 1]).is_err());
        assert!(zero_shot(&items, &classes, &[0, 1, 2]).unwrap_err().to_string().contains("label of item 2"));
        assert!(ClassificationMetrics::from_predictions(&[], 2).is_err());
    }

    #[test]
    fn lengths_count_only_where_they_are_asked_to() {
        let sentences = Features::new(vec![1.0, 0.0, 1.0, 0.0, 0.0, 9.0, 0.0, 9.0], 2).unwrap();
        let item = Features::new(vec![2.0, 1.0], 2).unwrap();
        let first = |mean| {
            let classes = ClassFeatures::from_sentences(&sentences, 2, mean).unwrap();
            zero_shot(&item, &classes, &[0]).unwrap()[0].top_k[0]
        };
        assert_eq!(
            [
                TemplateAveraging::NormalizeEach,
                TemplateAveraging::NormalizeMean,
                TemplateAveraging::Unnormalized
            ]
            .map(first),
            [0, 0, 1]
        );
        assert!(ClassFeatures::from_sentences(&sentences, 3, TemplateAveraging::NormalizeEach).is_err());
    }

    #[test]
    fn equal_scores_go_to_the_first_class() {
        let classes = ClassFeatures::from_features(&Features::new(vec![1.0, 0.0, 1.0, 0.0], 2).unwrap());
        let items = Features::new(vec![1.0, 0.0], 2).unwrap();
        let named = zero_shot(&items, &classes, &[1]).unwrap();
        assert_eq!((named[0].top_k.as_slice(), named[0].rank), ([0, 1].as_slice(), 2));
    }
}
