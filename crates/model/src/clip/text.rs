//! CLIP's text tower.

use burn::module::{Module, Param};
use burn::tensor::{Int, Tensor, TensorData, module};

use super::config::{ClipConfig, NORM_EPSILON, TextConfig};
use crate::nn::{Activation, AttentionScope, BlockOptions, LayerNorm, Transformer};
use crate::tokenizer::Tokens;
use crate::weights::{Initializer, TensorList, WeightSource, WeightsError};

/// CLIP's text encoder: a causal transformer, pooled at the end-of-text token
/// ([arXiv 2103.00020](https://arxiv.org/abs/2103.00020), section 2.4).
#[derive(Module, Debug)]
pub struct ClipText {
    token_embedding: Param<Tensor<2>>,
    positional_embedding: Param<Tensor<2>>,
    transformer: Transformer,
    ln_final: LayerNorm,
    text_projection: Param<Tensor<2>>,
}

impl ClipText {
    /// Reads the tower's tensors, which have no prefix in a CLIP state dict.
    ///
    /// # Errors
    /// If a tensor is missing or misshaped.
    pub fn load(source: &WeightSource, config: &ClipConfig) -> Result<Self, WeightsError> {
        Self::load_alone(source, &config.text, config.dim, config.activation)
    }

    /// As [`load`](Self::load), from the sizes of this tower, the dimension of the joint space and the activation of MLPs.
    ///
    /// # Errors
    /// If a tensor is missing or misshaped.
    pub fn load_alone(
        source: &WeightSource,
        text: &TextConfig,
        dim: usize,
        activation: Activation,
    ) -> Result<Self, WeightsError> {
        // Initialization of OpenCLIP: `init_parameters` of its text transformer.
        let embedding = source.tensor(
            "token_embedding.weight",
            [text.vocabulary, text.width],
            Initializer::Normal(0.02),
        )?;
        let position =
            source.tensor("positional_embedding", [text.context, text.width], Initializer::Normal(0.01))?;
        let projection = source.tensor(
            "text_projection",
            [text.width, dim],
            Initializer::Normal((text.width as f32).powf(-0.5)),
        )?;
        Ok(Self {
            token_embedding: Param::from_tensor(embedding),
            positional_embedding: Param::from_tensor(position),
            transformer: Transformer::load(source, "transformer", &text.transformer(activation))?,
            ln_final: LayerNorm::load(source, "ln_final", text.width, NORM_EPSILON)?,
            text_projection: Param::from_tensor(projection),
        })
    }

    /// Token ids `[texts, length]` → features `[texts, dim]`, not normalized.
    pub fn encode(&self, tokens: &Tokens) -> Tensor<2> {
        self.encode_with_hook(tokens, |_, _| {})
    }

    /// As [`encode`](Self::encode); `hook` is called with the output of each block, `[texts, length, width]`, and with that of
    /// the final norm under the number of blocks.
    pub fn encode_with_hook(&self, tokens: &Tokens, mut hook: impl FnMut(usize, &Tensor<3>)) -> Tensor<2> {
        let table = self.token_embedding.val();
        let (rows, length, width) = (tokens.rows(), tokens.length(), table.dims()[1]);
        let ids: Vec<i64> = tokens.ids().iter().map(|id| i64::from(*id)).collect();
        let ids = Tensor::<2, Int>::from_data(TensorData::new(ids, [rows, length]), &table.device());
        let position = self.positional_embedding.val().slice([0..length, 0..width]).unsqueeze::<3>();
        let x = module::embedding(table, ids) + position;
        let mut last = 0;
        let x = self.transformer.forward(
            x,
            |_| AttentionScope::Causal,
            |_, x| x,
            |layer, x| {
                last = layer + 1;
                hook(layer, x);
            },
        );
        let x = self.ln_final.forward(x);
        hook(last, &x);
        // One row is selected per text: the flat index of its end-of-text token.
        let ends: Vec<i64> = (0..rows).map(|row| (row * length + tokens.end(row)) as i64).collect();
        let ends = Tensor::<1, Int>::from_data(TensorData::new(ends, [rows]), &x.device());
        x.reshape([rows * length, width]).select(0, ends).matmul(self.text_projection.val())
    }

    /// Adds low-rank adapters (LoRA) of rank `rank` to blocks `from…`, trained instead of their matrices.
    ///
    /// # Errors
    /// If `source` is a file, which has no such tensors.
    pub fn with_lora(
        mut self,
        source: &WeightSource,
        rank: usize,
        from: usize,
    ) -> Result<Self, WeightsError> {
        self.transformer = self.transformer.with_lora(source, rank, from)?;
        Ok(self)
    }

    /// Changes how blocks are trained.
    pub fn with_block_options(mut self, options: BlockOptions) -> Self {
        self.transformer = self.transformer.with_block_options(options);
        self
    }

    /// Adds the tensors to `list`.
    pub fn save(&self, list: &mut TensorList) {
        list.push("token_embedding.weight".to_owned(), self.token_embedding.val());
        list.push("positional_embedding".to_owned(), self.positional_embedding.val());
        self.transformer.save("transformer", list);
        self.ln_final.save("ln_final", list);
        list.push("text_projection".to_owned(), self.text_projection.val());
    }
}
