//! Checks of a recipe's values beyond their types.

use std::path::Path;

use lexiform_model::point::{EncoderConfig, Resample};

use super::{ClipNetwork, Gather, HeadConfig, NetworkConfig, PointNetwork, Recipe, RecipeError, RunConfig};
use crate::recipe::{
    AssetsConfig, BatchConfig, CaptionSampling, LossKind, LossTermConfig, Modality, NegativesMode, Schedule,
    ValidationConfig,
};

/// Most variations of a file: each has random numbers of its own.
const MAX_COPIES: usize = 256;
/// Rule of keys that compare the teacher's image features.
const NO_STORED_FEATURES: &str = "needs network.prompts = 0: a prompted image tower has no stored features";

impl Recipe {
    /// Checks the values that their types do not.
    ///
    /// # Errors
    /// If a value is out of range or conflicts with another one; the error names its key.
    pub fn validate(&self) -> Result<(), RecipeError> {
        self.check_ranges()?;
        self.check_lengths()?;
        self.check_scale()?;
        self.check_terms()?;
        self.check_assets()?;
        self.check_second()?;
        self.check_validation()?;
        self.check_points()
    }

    /// Files are added to generated shapes, not to those of a folder or data set.
    fn check_assets(&self) -> Result<(), RecipeError> {
        let AssetsConfig { path, label_table, copies, .. } = &self.data.assets;
        let Some(path) = path else {
            let Some(table) = label_table else { return Ok(()) };
            let (field, rule) = ("data.assets.label_table", "requires data.assets.path");
            return Err(RecipeError::Value { field, found: table.display().to_string(), rule });
        };
        let (field, found, rule) = if self.data.path.is_some() {
            let rule = "cannot be combined with data.path: the files join generated shapes";
            ("data.assets.path", path.display().to_string(), rule)
        } else if !(1..=MAX_COPIES).contains(copies) {
            ("data.assets.copies", copies.to_string(), "must be 1 to 256")
        } else {
            return Ok(());
        };
        Err(RecipeError::Value { field, found, rule })
    }

    /// A second source has no labels in common with the first, and its features come from a teacher.
    fn check_second(&self) -> Result<(), RecipeError> {
        let Some(second) = &self.data.second else { return Ok(()) };
        let rows = second.batch(&self.batch).size.shapes(self.batch.max_views);
        let (field, found, rule) = if self.teacher.is_none() {
            ("data.second", second.path.display().to_string(), "requires a teacher")
        } else if second.fraction == 0 || rows == 0 {
            ("data.second.fraction", second.fraction.to_string(), "must leave at least one shape in a batch")
        } else if self.losses.values().any(LossTermConfig::is_of_classes) {
            let rule = "cannot be combined with losses of labels, which are those of the first source";
            ("data.second", second.path.display().to_string(), rule)
        } else if self.run.gather == Gather::Detached {
            let rule = "must be \"with-gradient\" with data.second";
            ("run.gather", "\"detached\"".to_owned(), rule)
        } else {
            return Ok(());
        };
        Err(RecipeError::Value { field, found, rule })
    }

    fn check_ranges(&self) -> Result<(), RecipeError> {
        let BatchConfig { min_views, max_views, accumulate_batches, .. } = self.batch;
        let chunk = self.batch.chunk_size.map_or(1, |size| size.shapes(max_views));
        // Point encoders have no rig; 1 passes the check.
        let n_views = self.network.rig().map_or(1, |(_, n_views)| n_views);
        let mut rules = vec![
            ("network.n_views", n_views, n_views > 0, "must be at least 1"),
            ("data.views", self.data.views, self.data.views >= max_views, "must be at least batch.max_views"),
            (
                "data.shapes",
                self.data.shapes,
                self.data.shapes > 0 || self.data.path.is_some(),
                "must be at least 1, or name a folder of labeled files or a data set: --set data=FOLDER",
            ),
            ("batch.min_views", min_views, min_views > 0, "must be at least 1"),
            ("batch.max_views", max_views, max_views >= min_views, "must be at least batch.min_views"),
            ("batch.accumulate_batches", accumulate_batches, accumulate_batches > 0, "must be at least 1"),
            ("batch.chunk_size", chunk, chunk > 0, "must hold at least one shape with batch.max_views"),
            (
                "batch",
                self.batch.size.shapes(max_views),
                self.batch.size.shapes(max_views) >= 2,
                "must hold two shapes",
            ),
        ];
        if let NetworkConfig::Clip(network) = &self.network {
            rules.extend(network.rules());
        }
        if let NetworkConfig::Points(network) = &self.network {
            let n_points = network.input.n_points;
            rules.push(("network.input.n_points", n_points, n_points > 0, "must be at least 1"));
        }
        let thumbnails = self.batch.thumbnail_probability;
        if !(0.0..=1.0).contains(&thumbnails) {
            let (field, rule) = ("batch.thumbnail_probability", "must be between 0 and 1");
            return Err(RecipeError::Value { field, found: thumbnails.to_string(), rule });
        }
        match rules.into_iter().find(|(_, _, holds, _)| !holds) {
            Some((field, found, _, rule)) => {
                Err(RecipeError::Value { field, found: found.to_string(), rule })
            }
            None => Ok(()),
        }
    }

    fn check_lengths(&self) -> Result<(), RecipeError> {
        let RunConfig { steps, evaluate_every, checkpoint_every, .. } = self.run;
        // Groups may have schedules of their own.
        let of_groups = self.param_groups.values().filter_map(|group| group.schedule);
        let of_schedules = of_groups.chain([self.schedule]).filter_map(|schedule| match schedule {
            Schedule::Cosine { warmup, .. } => Some(("schedule.warmup", warmup, warmup.is_valid())),
            Schedule::Step { step_size, .. } => {
                Some(("schedule.step_size", step_size, step_size.is_positive()))
            }
            _ => None,
        });
        let of_run = [
            ("run.steps", steps, steps.is_valid()),
            ("run.evaluate_every", evaluate_every, evaluate_every.is_positive()),
            ("run.checkpoint_every", checkpoint_every, checkpoint_every.is_positive()),
        ];
        let rule = "must be a number of steps or { epochs = … }, more than 0";
        match of_run.into_iter().chain(of_schedules).find(|(_, _, holds)| !holds) {
            Some((field, found, _)) => Err(RecipeError::Value { field, found: found.to_string(), rule }),
            None => Ok(()),
        }
    }

    fn check_scale(&self) -> Result<(), RecipeError> {
        let Some([low, high]) = self.logit_scale.bounds else { return Ok(()) };
        if low <= high {
            return Ok(());
        }
        let rule = "must be the lowest, then the highest value";
        Err(RecipeError::Value { field: "logit_scale.bounds", found: format!("[{low}, {high}]"), rule })
    }

    /// Checks that the features each loss term compares are available.
    fn check_terms(&self) -> Result<(), RecipeError> {
        let none = |field, rule| RecipeError::Value { field, found: "{}".to_owned(), rule };
        if self.losses.is_empty() {
            return Err(none("losses", "must have at least one term, as in [losses.text]"));
        }
        if self.param_groups.is_empty() {
            return Err(none("param_groups", "must train something, as in [param_groups.all]"));
        }
        for (name, term) in &self.losses {
            if term.compares(Modality::Image) && self.teacher.is_none() {
                let message = "compares image features, which require a teacher; set teacher";
                return Err(RecipeError::loss(name, message.to_owned()));
            }
            if term.negatives == NegativesMode::Hard && self.batch.hard_negatives.is_none() {
                let message = "negatives = \"hard\" requires batch.hard_negatives";
                return Err(RecipeError::loss(name, message.to_owned()));
            }
        }
        self.check_captions()?;
        self.check_same_category()?;
        self.check_hard_negatives()
    }

    /// Rows are grouped by category or by neighbors, not by both.
    fn check_same_category(&self) -> Result<(), RecipeError> {
        let BatchConfig { same_category, hard_negatives, .. } = &self.batch;
        let rule = match same_category {
            0 => "must be at least 1",
            2.. if hard_negatives.is_some() => "cannot be combined with batch.hard_negatives",
            _ => return Ok(()),
        };
        Err(RecipeError::Value { field: "batch.same_category", found: same_category.to_string(), rule })
    }

    /// Groups are filled with nearest neighbors, which the teacher's stored image features give.
    fn check_hard_negatives(&self) -> Result<(), RecipeError> {
        let Some(hard) = &self.batch.hard_negatives else {
            let Some(file) = &self.data.neighbor_file else { return Ok(()) };
            let (field, found) = ("data.neighbor_file", file.display().to_string());
            return Err(RecipeError::Value { field, found, rule: "is unused without batch.hard_negatives" });
        };
        let shown = format!("{{ group_size = {}, … }}", hard.group_size);
        let (field, found, rule) = if self.teacher.is_none() {
            let rule = "requires a teacher, whose image features give the nearest neighbors";
            ("batch.hard_negatives", shown, rule)
        } else if self.network.prompts() > 0 {
            ("batch.hard_negatives", shown, NO_STORED_FEATURES)
        } else if hard.neighbors + 1 < hard.group_size {
            let found = hard.neighbors.to_string();
            ("batch.hard_negatives.neighbors", found, "must be at least group_size - 1")
        } else {
            return Ok(());
        };
        Err(RecipeError::Value { field, found, rule })
    }

    /// A validation set has views, and only keys that have an effect.
    fn check_validation(&self) -> Result<(), RecipeError> {
        let Some(config) = &self.data.validation else { return Ok(()) };
        let shown = |path: &Path| path.display().to_string();
        let (field, found, rule) = match (config, self.network.head()) {
            (ValidationConfig { views: Some(0), .. }, _) => {
                ("data.validation.views", "0".to_owned(), "must be at least 1, or absent")
            }
            (ValidationConfig { class_list: Some(list), .. }, Some(_)) => {
                let rule = "cannot be combined with network.head, whose classes are the training labels";
                ("data.validation.class_list", shown(list), rule)
            }
            (ValidationConfig { class_features: Some(features), .. }, _) if self.teacher.is_none() => {
                let rule = "requires a teacher, by which they were computed";
                ("data.validation.class_features", shown(features), rule)
            }
            _ => return Ok(()),
        };
        Err(RecipeError::Value { field, found, rule })
    }

    /// Means of captions are means of their features, and ranked captions are compared with the views'.
    fn check_captions(&self) -> Result<(), RecipeError> {
        let sampling = self.batch.caption_sampling;
        let wrong = |rule| {
            let found =
                toml::Value::try_from(sampling).map_or_else(|_| String::new(), |value| value.to_string());
            Err(RecipeError::Value { field: "batch.caption_sampling", found, rule })
        };
        match sampling {
            CaptionSampling::TopK(0) => wrong("top-k must be at least 1"),
            _ if sampling.averages() && self.teacher.is_none() => {
                wrong("requires a teacher, whose features of captions are averaged")
            }
            CaptionSampling::TopK(_) if self.network.prompts() > 0 => wrong(NO_STORED_FEATURES),
            _ => Ok(()),
        }
    }

    /// A point encoder is new (`network.tower`) or pretrained (`network.base`).
    fn check_source(network: &PointNetwork) -> Result<(), RecipeError> {
        let kind = network.tower.as_ref().map(|tower| &tower.encoder);
        if let (Some(init), false) = (&network.init, matches!(kind, Some(EncoderConfig::PointBert(_)))) {
            let rule = "requires network.tower.encoder.kind = \"point-bert\"";
            return Err(RecipeError::Value {
                field: "network.init",
                found: init.display().to_string(),
                rule,
            });
        }
        if network.tower.is_some() || network.base.is_some() {
            return Ok(());
        }
        let rule = "must be present, unless network.base names a pretrained network";
        Err(RecipeError::Value { field: "network.tower", found: "absent".to_owned(), rule })
    }

    /// A classification head excludes everything that needs the joint space.
    fn check_head(&self) -> Result<(), RecipeError> {
        let of_class = |term: &&LossTermConfig| term.kind == LossKind::ClassHead;
        let learned = self.losses.values().find(of_class);
        match (self.network.head(), learned) {
            (None, Some(_)) => Err(RecipeError::Value {
                field: "network.head",
                found: "absent".to_owned(),
                rule: "must be present for a loss of kind \"class-head\"; requires network.kind = \"points\"",
            }),
            (Some(_), _) if self.losses.values().filter(of_class).count() < self.losses.len() => {
                let rule =
                    "replaces the projection into the joint space: all losses must be of kind \"class-head\"";
                Err(RecipeError::Value { field: "network.head", found: "{ … }".to_owned(), rule })
            }
            (Some(_), _) if self.teacher.is_some() => {
                let found = self.teacher.clone().unwrap_or_default();
                let rule = "is unused by a network with a head: remove it";
                Err(RecipeError::Value { field: "teacher", found, rule })
            }
            (Some(HeadConfig { hidden_width: Some(0), .. }), _) => {
                let rule = "must be at least 1, or absent";
                Err(RecipeError::Value { field: "network.head.hidden_width", found: "0".to_owned(), rule })
            }
            (Some(head), _) if !(0.0..1.0).contains(&head.dropout) => {
                let found = head.dropout.to_string();
                let rule = "must be at least 0 and less than 1";
                Err(RecipeError::Value { field: "network.head.dropout", found, rule })
            }
            _ => Ok(()),
        }
    }

    /// Checks keys that apply to point encoders only.
    fn check_points(&self) -> Result<(), RecipeError> {
        if let NetworkConfig::Points(network) = &self.network {
            let wrong = |message| RecipeError::Section {
                section: "network.tower",
                name: "encoder".to_owned(),
                message,
            };
            network.new_tower().map_err(wrong)?;
            Self::check_source(network)?;
        }
        self.check_head()?;
        let by_distance = match &self.network {
            NetworkConfig::Points(network) => network.input.resample == Resample::FarthestNormalized,
            _ => false,
        };
        if !self.augment.before_sampling.is_empty() && !by_distance {
            let rule =
                "requires network.input.resample = \"farthest-normalized\"; otherwise use augment.points";
            let found = format!("{} augmentations", self.augment.before_sampling.len());
            return Err(RecipeError::Value { field: "augment.before_sampling", found, rule });
        }
        if !self.augment.before_sampling.is_empty() && self.augment.test_time_augment {
            let rule = "cannot be combined with augment.before_sampling: both replace the sampling of points";
            let found = "true".to_owned();
            return Err(RecipeError::Value { field: "augment.test_time_augment", found, rule });
        }
        let of_points = matches!(self.network, NetworkConfig::Points(_)) && self.teacher.is_some();
        if self.run.save_joint_model && !of_points {
            let rule = "requires a point encoder (network.kind = \"points\") and a teacher";
            return Err(RecipeError::Value { field: "run.save_joint_model", found: "true".to_owned(), rule });
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
