//! Forward pass: features of a batch.

use std::ops::Range;

use burn::tensor::{Device, Tensor};
use lexiform_model::ModelError;
use lexiform_model::clip::ClipVision;
use lexiform_model::nn::{DropPath, Dropout};
use lexiform_model::point::{CloudBatch, FpsStart};

use crate::batch::Batch;
use crate::error::FitError;
use crate::loss::{BatchFeatures, Objective};
use crate::network::{ModelSpec, OutputConfig, Towers};
use crate::recipe::{Modality, RecipeError};

impl Towers {
    /// Features of some rows of a batch, as far as the objective needs them; those of class names only with the first row.
    ///
    /// # Errors
    /// If the clouds cannot be batched, or the network has no shape encoder.
    pub(crate) fn features(
        &self,
        batch: &Batch,
        rows: Range<usize>,
        spec: &ModelSpec,
        objective: &Objective,
    ) -> Result<BatchFeatures, FitError> {
        let device = self.logit_scale.val().device();
        let text = |texts: &[&str]| {
            let OutputConfig::Joint(config) = &spec.config else { return None };
            // Trimmed to the longest caption of the batch: padding costs as much as text.
            let tokens = config.tokenizer.encode(texts, config.clip.text.context).trimmed();
            self.text.as_ref().map(|text| text.encode(&tokens))
        };
        let first_row = rows.start;
        let (shape, class_logits) = self.shape_features(batch, rows.clone(), spec)?;
        let said = || batch.captions[rows.clone()].iter().map(String::as_str).collect::<Vec<&str>>();
        let asked = |feature, make: &dyn Fn() -> Option<Tensor<2>>| {
            if objective.uses(feature) { make() } else { None }
        };
        Ok(BatchFeatures {
            text: asked(Modality::Text, &|| match &batch.teacher {
                Some(teacher) => teacher.text(rows.clone(), &device),
                None => text(&said()),
            }),
            image: asked(Modality::Image, &|| match &spec.prompted_teacher {
                Some(images) => {
                    Some(encode_views(self.vision.as_ref()?, batch, rows.clone(), images.joint_from, &device))
                }
                None => batch.teacher.as_ref()?.image(rows.clone(), &device),
            }),
            class_text: match &batch.teacher {
                _ if !objective.uses_class_text() || first_row > 0 => None,
                Some(teacher) => teacher.class_text(&device),
                None => text(&batch.class_names.iter().map(String::as_str).collect::<Vec<_>>()),
            },
            shape,
            class_logits,
        })
    }

    /// Shape features `[rows, dim]`, and logits of the head, if any, `[rows, classes]`.
    fn shape_features(
        &self,
        batch: &Batch,
        rows: Range<usize>,
        spec: &ModelSpec,
    ) -> Result<(Tensor<2>, Option<Tensor<2>>), FitError> {
        match (&spec.config, &self.vision, &self.points) {
            (OutputConfig::Joint(config), Some(vision), _) => {
                let device = self.logit_scale.val().device();
                Ok((encode_views(vision, batch, rows, config.joint_from, &device), None))
            }
            (OutputConfig::Points(config), _, Some(points)) => {
                let first_row = rows.start;
                // Farthest point sampling may start at the first point: the sampler has shuffled them.
                let groups = batch.groups.as_ref().map(|groups| groups.slice(rows.clone()));
                let clouds = CloudBatch::new(&batch.clouds[rows], config.tower.encoder.colored());
                let clouds = clouds.map_err(ModelError::from)?.with_plan(&spec.grouping, groups.as_ref());
                let encoded = match spec.drop_path {
                    0.0 => points.encoder().encode(&clouds, FpsStart::default()),
                    rate => {
                        // Seeded by batch and row: the same on any number of devices.
                        let drop = DropPath { rate, seed: batch.seed, first_row };
                        points.encoder().encode_with_drop_path(&clouds, FpsStart::default(), drop)
                    }
                };
                let dropout = Dropout { rate: spec.dropout, seed: batch.seed, first_row };
                let class_logits =
                    points.classifier().map(|head| head.forward_with_dropout(encoded.clone(), dropout));
                Ok((points.project(encoded), class_logits))
            }
            _ => Err(RecipeError::network("has no shape encoder".to_owned()).into()),
        }
    }
}

/// Features of the views of some rows, `[rows, dim]`: one forward pass for each number of views.
fn encode_views(
    vision: &ClipVision,
    batch: &Batch,
    rows: Range<usize>,
    joint_from: usize,
    device: &Device,
) -> Tensor<2> {
    let encode = |(rows, n_views)| vision.encode(batch.pixels(rows, device), n_views, joint_from);
    let mut parts: Vec<Tensor<2>> = batch.segments(rows).into_iter().map(encode).collect();
    // No copy with a single source.
    if parts.len() == 1 { parts.remove(0) } else { Tensor::cat(parts, 0) }
}
