//! What a run asks of its shapes: it follows from network, teacher and losses.

use crate::loss::Objective;
use crate::recipe::{Modality, NetworkConfig, Recipe};

/// What every shape must have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct DataRequirements {
    /// Pictures: the network, or a prompted tower, looks at them in every step.
    pub images: bool,
    /// Features of its views by the teacher.
    pub image_features: bool,
    /// Features of what is said of it by the teacher.
    pub text_features: bool,
    /// Something to say.
    pub captions: bool,
    /// A label to be named by.
    pub label: bool,
    /// A label that is a class of the network's head: a caption does not replace it.
    pub class_label: bool,
    /// Points.
    pub points: bool,
    /// Fewest views.
    pub views: usize,
}

impl DataRequirements {
    /// What a recipe asks for.
    pub fn of(recipe: &Recipe, objective: &Objective) -> Self {
        let of_views = !matches!(recipe.network, NetworkConfig::Points(_));
        let prompted = recipe.network.prompts() > 0;
        let uses = |feature| objective.uses(feature);
        let compared = uses(Modality::Image) || recipe.batch.hard_negatives.is_some();
        let images = of_views || (prompted && uses(Modality::Image));
        let image_features = recipe.teacher.is_some() && !prompted && compared;
        let captions = uses(Modality::Text);
        Self {
            images,
            image_features,
            text_features: recipe.teacher.is_some() && captions,
            captions,
            label: objective.uses_class_text() || objective.uses_class_head(),
            class_label: objective.uses_class_head(),
            points: recipe.network.n_points() > 0,
            views: if images || image_features { recipe.batch.max_views } else { 0 },
        }
    }
}
