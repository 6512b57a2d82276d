//! What a run requires of its shapes, as a consequence of network, teacher and losses.

use crate::loss::Objective;
use crate::recipe::{CaptionSampling, Modality, NetworkConfig, Recipe};

/// Requirements on every shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct DataRequirements {
    /// View images, for the network's or a prompted image tower.
    pub images: bool,
    /// The teacher's features of its views.
    pub image_features: bool,
    /// The teacher's features of its captions.
    pub text_features: bool,
    /// A caption.
    pub captions: bool,
    /// A label.
    pub label: bool,
    /// A label for the classification head, which a caption cannot replace.
    pub class_label: bool,
    /// Whether a label is one of the captions of shapes that have others.
    pub label_captions: bool,
    /// Points.
    pub points: bool,
    /// Minimum number of views.
    pub views: usize,
}

impl DataRequirements {
    /// Requirements of a recipe.
    pub fn of(recipe: &Recipe, objective: &Objective) -> Self {
        let of_views = !matches!(recipe.network, NetworkConfig::Points(_));
        let prompted = recipe.network.prompts() > 0;
        let uses = |feature| objective.uses(feature);
        // Hard negatives and ranked captions compare image features even if no loss does.
        let ranked = matches!(recipe.batch.caption_sampling, CaptionSampling::TopK(_));
        let compared = uses(Modality::Image) || recipe.batch.hard_negatives.is_some() || ranked;
        let images = of_views || (prompted && uses(Modality::Image));
        // A prompted tower computes its own in every step.
        let image_features = recipe.teacher.is_some() && !prompted && compared;
        let captions = uses(Modality::Text);
        Self {
            images,
            image_features,
            text_features: recipe.teacher.is_some() && captions,
            captions,
            label: objective.uses_class_text() || objective.uses_class_head(),
            class_label: objective.uses_class_head(),
            // The references know no labels in training, and labels may be those of an evaluation list.
            label_captions: recipe.batch.caption_sampling != CaptionSampling::BySource,
            points: recipe.network.n_points() > 0,
            views: if images || image_features { recipe.batch.max_views } else { 0 },
        }
    }
}
