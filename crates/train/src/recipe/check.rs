//! What must hold of a recipe's values that their types do not say.

use lexiform_model::point::Resample;

use super::{ClipNetwork, NetworkConfig, Recipe, RecipeError};
use crate::batch::BatchConfig;
use crate::objective::{Feature, Kind, NegativesRule};

impl Recipe {
    /// Checks what types cannot.
    pub fn validate(&self) -> Result<(), RecipeError> {
        self.check_numbers()?;
        self.check_scale()?;
        self.check_terms()?;
        self.check_points()
    }

    fn check_numbers(&self) -> Result<(), RecipeError> {
        let BatchConfig { fewest_views, most_views, accumulate, .. } = self.batch;
        let n_views = self.network.rig().map_or(1, |(_, n_views)| n_views);
        let mut rules = vec![
            ("network.n_views", n_views, n_views > 0, "must be at least 1"),
            (
                "data.views",
                self.data.views,
                self.data.views >= most_views,
                "must be at least batch.most_views",
            ),
            (
                "data.shapes",
                self.data.shapes,
                self.data.shapes > 0 || self.data.path.is_some(),
                "must be at least 1, or name a folder of labelled files or a data set: --set data=FOLDER",
            ),
            ("batch.fewest_views", fewest_views, fewest_views > 0, "must be at least 1"),
            (
                "batch.most_views",
                most_views,
                most_views >= fewest_views,
                "must be at least batch.fewest_views",
            ),
            ("batch.accumulate", accumulate, accumulate > 0, "must be at least 1"),
            (
                "batch",
                self.batch.size.shapes(most_views),
                self.batch.size.shapes(most_views) >= 2,
                "must hold two shapes",
            ),
            (
                "run.evaluate_every",
                self.run.evaluate_every,
                self.run.evaluate_every > 0,
                "must be at least 1",
            ),
            (
                "run.checkpoint_every",
                self.run.checkpoint_every,
                self.run.checkpoint_every > 0,
                "must be at least 1",
            ),
        ];
        if let NetworkConfig::Clip(network) = &self.network {
            rules.extend(network.rules());
        }
        if let NetworkConfig::Points(network) = &self.network {
            let n_points = network.input.n_points;
            rules.push(("network.input.n_points", n_points, n_points > 0, "must be at least 1"));
        }
        match rules.into_iter().find(|(_, _, holds, _)| !holds) {
            Some((field, found, _, rule)) => {
                Err(RecipeError::Value { field, found: found.to_string(), rule })
            }
            None => Ok(()),
        }
    }

    fn check_scale(&self) -> Result<(), RecipeError> {
        let Some([low, high]) = self.scale.bounds else { return Ok(()) };
        if low <= high {
            return Ok(());
        }
        let rule = "must be the lowest, then the highest value";
        Err(RecipeError::Value { field: "scale.bounds", found: format!("[{low}, {high}]"), rule })
    }

    /// Every term compares features that there are.
    fn check_terms(&self) -> Result<(), RecipeError> {
        let none = |field, rule| RecipeError::Value { field, found: "{}".to_owned(), rule };
        if self.losses.is_empty() {
            return Err(none("losses", "must have at least one term, as in [losses.text]"));
        }
        if self.groups.is_empty() {
            return Err(none("groups", "must train something, as in [groups.all]"));
        }
        for (name, term) in &self.losses {
            let of_images = term.kind != Kind::Naming && term.between.contains(&Feature::Image);
            if of_images && self.teacher.is_none() {
                let message = "compares images, whose features a teacher gives; the recipe names none";
                return Err(RecipeError::loss(name, message.to_owned()));
            }
            if term.negatives == NegativesRule::Hard && self.batch.hard.is_none() {
                let message = "negatives = \"hard\" takes batches of shapes that look alike: batch.hard";
                return Err(RecipeError::loss(name, message.to_owned()));
            }
        }
        match &self.batch.hard {
            Some(hard) if self.teacher.is_none() => Err(RecipeError::Value {
                field: "batch.hard",
                found: format!("{{ each = {}, … }}", hard.each),
                rule: "takes a teacher, whose features tell which shapes look alike",
            }),
            _ => Ok(()),
        }
    }

    /// What only encoders of clouds have, and what only they may ask for.
    fn check_points(&self) -> Result<(), RecipeError> {
        if let NetworkConfig::Points(network) = &self.network {
            let wrong =
                |message| RecipeError::Part { part: "network.tower", name: "encoder".to_owned(), message };
            network.tower.encoder.check().map_err(wrong)?;
        }
        let by_distance = match &self.network {
            NetworkConfig::Points(network) => network.input.resample == Resample::FarthestNormalized,
            _ => false,
        };
        if !self.augment.dense.is_empty() && !by_distance {
            let rule = "takes network.input.resample = \"farthest-normalized\"; otherwise use augment.points";
            let found = format!("{} changes", self.augment.dense.len());
            return Err(RecipeError::Value { field: "augment.dense", found, rule });
        }
        let of_points = matches!(self.network, NetworkConfig::Points(_)) && self.teacher.is_some();
        if self.run.join && !of_points {
            let rule = "takes an encoder of clouds (network.kind = \"points\") and a teacher";
            return Err(RecipeError::Value { field: "run.join", found: "true".to_owned(), rule });
        }
        Ok(())
    }
}

impl ClipNetwork {
    fn rules(&self) -> [(&'static str, usize, bool, &'static str); 3] {
        let Self { image_size, patch, width, head_width, text_width, .. } = *self;
        [
            (
                "network.patch",
                patch,
                patch > 0 && image_size.is_multiple_of(patch),
                "must divide network.image_size",
            ),
            (
                "network.head_width",
                head_width,
                head_width > 0 && width.is_multiple_of(head_width),
                "must divide network.width",
            ),
            (
                "network.text_width",
                text_width,
                text_width.is_multiple_of(head_width.max(1)),
                "must be a multiple of network.head_width",
            ),
        ]
    }
}
