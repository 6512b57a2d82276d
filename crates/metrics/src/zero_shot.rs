//! Zero-shot classification by the nearest class text features.

use serde::{Deserialize, Serialize};

use crate::error::{check_indices, check_len};
use crate::similarity::map_similarities;
use crate::{Features, MetricsError, Prediction};

/// How the text features of a class's prompts become its class feature.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TemplateAveraging {
    /// Normalize each prompt, average, normalize (open_clip, ULIP, OpenShape).
    #[default]
    NormalizeEach,
    /// Average the raw features, normalize (Duoduo CLIP).
    NormalizeMean,
    /// Average the raw features and keep their norm, so that classes with larger norms score higher (CG3D's validation).
    Unnormalized,
}

/// Class features, `[classes, dim]`.
#[derive(Clone, Debug, PartialEq)]
pub struct ClassFeatures(Features);

impl ClassFeatures {
    /// From the features of all prompts, `[classes · templates, dim]`, grouped by class.
    ///
    /// # Errors
    /// If `templates` does not divide the number of rows, or the mean of a class is zero.
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

    /// From precomputed class features, `[classes, dim]`, which are normalized.
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

/// Classifies `items`, `[items, dim]`, not necessarily normalized, by cosine similarity; `truth` has the class of each.
///
/// # Errors
/// If lengths differ or a label is out of range.
pub fn zero_shot(
    items: &Features,
    classes: &ClassFeatures,
    truth: &[usize],
) -> Result<Vec<Prediction>, MetricsError> {
    check_len("labels", items.rows(), truth.len())?;
    check_indices("label", truth, classes.classes())?;
    // The item's norm scales all its scores alike, so ranks need no normalized copy of the items.
    map_similarities(items, 1, classes.features(), |item, scores| {
        Prediction::from_scores(scores, truth[item], 1.0 / items.norm(item))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ClassificationMetrics;

    #[test]
    fn items_are_classified_by_cosine() {
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
    fn norms_matter_only_if_unnormalized() {
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
