//! What a run asks of its shapes: it follows from network, teacher and losses.

use crate::loss::Objective;
use crate::recipe::{Feature, NetworkConfig, Recipe};

/// What every shape must have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Needs {
    /// Pictures: the network, or a prompted tower, looks at them in every step.
    pub pictures: bool,
    /// Features of its views by the teacher.
    pub image_features: bool,
    /// Features of what is said of it by the teacher.
    pub text_features: bool,
    /// Something to say.
    pub words: bool,
    /// A label to be named by.
    pub label: bool,
    /// A label that is a class of the network's head: a caption does not replace it.
    pub class: bool,
    /// Points.
    pub points: bool,
    /// Fewest views.
    pub views: usize,
}

impl Needs {
    /// What a recipe asks for.
    pub fn of(recipe: &Recipe, objective: &Objective) -> Self {
        let of_views = !matches!(recipe.network, NetworkConfig::Points(_));
        let prompted = recipe.network.prompts() > 0;
        let uses = |feature| objective.uses(feature);
        let compared = uses(Feature::Image) || recipe.batch.hard.is_some();
        let pictures = of_views || (prompted && uses(Feature::Image));
        let image_features = recipe.teacher.is_some() && !prompted && compared;
        let words = uses(Feature::Text);
        Self {
            pictures,
            image_features,
            text_features: recipe.teacher.is_some() && words,
            words,
            label: objective.names() || objective.classifies(),
            class: objective.classifies(),
            points: recipe.network.n_points() > 0,
            views: if pictures || image_features { recipe.batch.most_views } else { 0 },
        }
    }
}
