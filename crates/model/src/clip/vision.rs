//! CLIP's image tower, and Duoduo CLIP's: the same weights, with views that see each other.

use burn::module::{Module, Param};
use burn::tensor::Tensor;

use super::config::{ClipConfig, NORM_EPSILON};
use crate::error::WeightsError;
use crate::nn::{LayerNorm, Linear, Scope, Transformer};
use crate::weights::{Fill, Source, TensorList};

/// Pixels → features: a vision transformer, read out at the class token.
#[derive(Module, Debug)]
pub struct ClipVision {
    conv1: Linear,
    class_embedding: Param<Tensor<1>>,
    positional_embedding: Param<Tensor<2>>,
    ln_pre: LayerNorm,
    transformer: Transformer,
    ln_post: LayerNorm,
    proj: Param<Tensor<2>>,
    patch: usize,
}

impl ClipVision {
    /// Reads `visual.*`.
    pub fn load(source: &Source, config: &ClipConfig) -> Result<Self, WeightsError> {
        let vision = config.vision;
        let (width, patch) = (vision.width, vision.patch);
        let scale = (width as f32).powf(-0.5);
        let pixels = 3 * patch * patch;
        let kernel = source.tensor(
            "visual.conv1.weight",
            [width, 3, patch, patch],
            Fill::Normal((pixels as f32).powf(-0.5)),
        )?;
        let class = source.tensor("visual.class_embedding", [width], Fill::Normal(scale))?;
        let position =
            source.tensor("visual.positional_embedding", [vision.n_tokens(), width], Fill::Normal(scale))?;
        let proj = source.tensor("visual.proj", [width, config.dim], Fill::Normal(scale))?;
        Ok(Self {
            conv1: Linear::from_weight(kernel.reshape([width, pixels]).transpose()),
            class_embedding: Param::from_tensor(class),
            positional_embedding: Param::from_tensor(position),
            ln_pre: LayerNorm::load(source, "visual.ln_pre", width, NORM_EPSILON)?,
            transformer: Transformer::load(
                source,
                "visual.transformer",
                &vision.transformer(config.activation),
            )?,
            ln_post: LayerNorm::load(source, "visual.ln_post", width, NORM_EPSILON)?,
            proj: Param::from_tensor(proj),
            patch,
        })
    }

    /// Normalized pixels `[shapes × views, 3, size, size]`, a shape's views consecutive → `[shapes, dim]`.
    ///
    /// Tokens of all views of a shape see each other in blocks `joint_from…`; in those before, each view is
    /// alone. The class tokens are averaged over the views after `ln_post` and then projected
    /// (Duoduo CLIP, section 3.1). With one view, or `joint_from` at the depth, this is CLIP.
    pub fn encode(&self, pixels: Tensor<4>, views: usize, joint_from: usize) -> Tensor<2> {
        self.encode_watched(pixels, views, joint_from, |_, _| {})
    }

    /// As [`encode`](Self::encode); `watch` sees `[rows, tokens, width]` by the reference's names: `ln_pre`,
    /// `block0` …, `ln_post`.
    pub fn encode_watched(
        &self,
        pixels: Tensor<4>,
        views: usize,
        joint_from: usize,
        mut watch: impl FnMut(&str, &Tensor<3>),
    ) -> Tensor<2> {
        let x = self.ln_pre.forward(self.embed(pixels));
        watch("ln_pre", &x);
        let scope = |layer| if layer < joint_from { Scope::Own } else { Scope::Views(views) };
        let watch_block = |layer, x: &Tensor<3>| watch(&format!("block{layer}"), x);
        let x = self.transformer.forward(x, scope, |_, x| x, watch_block);
        let [rows, tokens, width] = x.dims();
        if rows == 0 || tokens == 0 {
            return Tensor::zeros([0, self.proj.dims()[1]], &x.device());
        }
        let class = x.slice([0..rows, 0..1, 0..width]);
        let class = self.ln_post.forward(class);
        watch("ln_post", &class);
        let mean = class.reshape([rows / views, views, width]).mean_dim(1).squeeze_dim::<2>(1);
        mean.matmul(self.proj.val())
    }

    /// `[rows, 3, size, size]` → tokens with positions `[rows, 1 + patches, width]`.
    fn embed(&self, pixels: Tensor<4>) -> Tensor<3> {
        let [rows, channels, height, width] = pixels.dims();
        let (p, down, across) = (self.patch, height / self.patch, width / self.patch);
        let patches = pixels
            .reshape([rows, channels, down, p, across, p])
            .permute([0, 2, 4, 1, 3, 5])
            .reshape([rows, down * across, channels * p * p]);
        let class = self.class_embedding.val().unsqueeze::<3>().repeat_dim(0, rows);
        Tensor::cat(vec![class, self.conv1.forward(patches)], 1)
            + self.positional_embedding.val().unsqueeze::<3>()
    }

    /// Adds the tensors to `list`.
    pub fn save(&self, list: &mut TensorList) {
        let kernel = self.conv1.weight().transpose();
        let [width, _] = kernel.dims();
        list.push("visual.conv1.weight".to_owned(), kernel.reshape([width, 3, self.patch, self.patch]));
        list.push("visual.class_embedding".to_owned(), self.class_embedding.val());
        list.push("visual.positional_embedding".to_owned(), self.positional_embedding.val());
        self.ln_pre.save("visual.ln_pre", list);
        self.transformer.save("visual.transformer", list);
        self.ln_post.save("visual.ln_post", list);
        list.push("visual.proj".to_owned(), self.proj.val());
    }
}
