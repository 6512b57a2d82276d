//! BLIP-2's Q-Former ([arXiv 2301.12597](https://arxiv.org/abs/2301.12597), section 3.1): learned queries that gather what a
//! language model needs from the tokens of an image.

use burn::module::{Module, Param};
use burn::tensor::Tensor;

use crate::nn::{
    AttentionScope, DecoderBlock, DecoderBlockConfig, LayerNorm, Linear, NormPlacement, TransformerConfig,
};
use crate::weights::{Initializer, TensorList, WeightSource, WeightsError};

/// Standard deviation of BERT's initialization.
const DEVIATION: f32 = 0.02;

/// Sizes of a Q-Former.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct QFormerConfig {
    /// Number of learned queries.
    pub queries: usize,
    /// Width, layers and heads.
    pub transformer: TransformerConfig,
    /// Distance between layers that attend to the image, from the first: 2 for every second one.
    pub cross_frequency: usize,
}

/// Tokens of an image → embeddings for a language model, as many as there are queries.
#[derive(Module, Debug)]
pub struct QFormer {
    queries: Param<Tensor<2>>,
    norm: LayerNorm,
    blocks: Vec<DecoderBlock>,
    projection: Linear,
}

impl QFormer {
    /// Reads `qformer.*`: tokens of images are `image_width` wide, those of the language model `text_width`.
    ///
    /// # Errors
    /// If a tensor is missing or misshaped.
    pub fn load(
        source: &WeightSource,
        config: &QFormerConfig,
        [image_width, text_width]: [usize; 2],
    ) -> Result<Self, WeightsError> {
        let QFormerConfig { queries, transformer, cross_frequency } = *config;
        let width = transformer.width;
        let fill = Initializer::Normal(DEVIATION);
        let block = |layer: usize| {
            let context_width = layer.is_multiple_of(cross_frequency).then_some(image_width);
            let config = DecoderBlockConfig::usual(transformer, NormPlacement::Post, context_width);
            DecoderBlock::load(source, &format!("qformer.layers.{layer}"), &config)
        };
        let [weight, bias] = ["qformer.projection.weight", "qformer.projection.bias"];
        Ok(Self {
            queries: Param::from_tensor(source.tensor("qformer.queries", [queries, width], fill)?),
            norm: LayerNorm::load(source, "qformer.norm", width, transformer.epsilon)?,
            blocks: (0..transformer.layers).map(block).collect::<Result<_, _>>()?,
            projection: Linear::load(source, weight, Some(bias), [width, text_width], DEVIATION)?,
        })
    }

    /// `[images, tokens, image_width]` → `[images, queries, text_width]`.
    pub fn forward(&self, images: Tensor<3>) -> Tensor<3> {
        let rows = images.dims()[0];
        let mut x = self.norm.forward(self.queries.val().unsqueeze::<3>()).repeat_dim(0, rows);
        for block in &self.blocks {
            let context = block.project_context(&images);
            // Queries attend to each other without a mask, and nothing is cached.
            x = block.forward(x, None, context.as_ref(), AttentionScope::Full, None).0;
        }
        self.projection.forward(x)
    }

    /// Adds `qformer.*` to `list`.
    pub(crate) fn save(&self, list: &mut TensorList) {
        list.push("qformer.queries".to_owned(), self.queries.val());
        self.norm.save("qformer.norm", list);
        for (i, block) in self.blocks.iter().enumerate() {
            block.save(&format!("qformer.layers.{i}"), list);
        }
        let [weight, bias] = ["qformer.projection.weight", "qformer.projection.bias"];
        self.projection.save(weight, Some(bias), list);
    }
}
