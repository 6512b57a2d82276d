//! Features that the towers make of a batch.

use std::ops::Range;

use burn::tensor::Tensor;
use lexiform_model::ModelError;
use lexiform_model::nn::{DropPath, Dropout};
use lexiform_model::point::{CloudBatch, FpsStart};

use crate::batch::Batch;
use crate::error::FitError;
use crate::loss::{Features, Objective};
use crate::network::{Blueprint, Design, Towers};
use crate::recipe::{Feature, RecipeError};

impl Towers {
    /// Features of some rows of a batch, as far as the objective asks for them.
    ///
    /// # Errors
    /// If the clouds cannot be encoded together, or the network has no encoder of shapes.
    pub(crate) fn features(
        &self,
        batch: &Batch,
        rows: Range<usize>,
        blueprint: &Blueprint,
        objective: &Objective,
    ) -> Result<Features, FitError> {
        let device = self.logit_scale.val().device();
        let text = |texts: &[&str]| {
            let Design::Joint(config) = &blueprint.design else { return None };
            let tokens = config.tokenizer.encode(texts, config.clip.text.context).trimmed();
            self.text.as_ref().map(|text| text.encode(&tokens))
        };
        let (shape, classes) = self.shapes(batch, rows.clone(), blueprint)?;
        let said = || batch.captions[rows.clone()].iter().map(String::as_str).collect::<Vec<&str>>();
        let asked = |feature, make: &dyn Fn() -> Option<Tensor<2>>| {
            if objective.uses(feature) { make() } else { None }
        };
        Ok(Features {
            text: asked(Feature::Text, &|| match &batch.frozen {
                Some(frozen) => frozen.text(rows.clone(), &device),
                None => text(&said()),
            }),
            image: asked(Feature::Image, &|| match &blueprint.images {
                Some(images) => {
                    let pixels = batch.pixels(rows.clone(), &device);
                    Some(self.vision.as_ref()?.encode(pixels, batch.views, images.joint_from))
                }
                None => batch.frozen.as_ref()?.image(rows.clone(), &device),
            }),
            nouns: match &batch.frozen {
                _ if !objective.names() => None,
                Some(frozen) => frozen.nouns(&device),
                None => text(&batch.nouns.iter().map(String::as_str).collect::<Vec<_>>()),
            },
            shape,
            classes,
        })
    }

    /// Features of some rows' shapes, `[rows, dim]`, and what a head says of them, `[rows, classes]`.
    fn shapes(
        &self,
        batch: &Batch,
        rows: Range<usize>,
        blueprint: &Blueprint,
    ) -> Result<(Tensor<2>, Option<Tensor<2>>), FitError> {
        match (&blueprint.design, &self.vision, &self.points) {
            (Design::Joint(config), Some(vision), _) => {
                let pixels = batch.pixels(rows, &self.logit_scale.val().device());
                Ok((vision.encode(pixels, batch.views, config.joint_from), None))
            }
            (Design::Points(config), _, Some(points)) => {
                let first_row = rows.start;
                // The points are in an order of chance already, so the first is as good as any.
                let clouds = CloudBatch::new(&batch.clouds[rows], config.tower.encoder.colored());
                let clouds = clouds.map_err(ModelError::from)?;
                let encoded = match blueprint.drop_path {
                    0.0 => points.encoder().encode(&clouds, FpsStart::default()),
                    rate => {
                        let drop = DropPath { rate, seed: batch.salt, first_row };
                        points.encoder().encode_with_drop_path(&clouds, FpsStart::default(), drop)
                    }
                };
                let dropout = Dropout { rate: blueprint.dropout, seed: batch.salt, first_row };
                let classes =
                    points.classifier().map(|head| head.forward_with_dropout(encoded.clone(), dropout));
                Ok((points.project(encoded), classes))
            }
            _ => Err(RecipeError::network("it has no encoder of shapes".to_owned()).into()),
        }
    }
}
