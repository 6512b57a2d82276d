//! The image tower of CLIP, and of Duoduo CLIP, which has the same weights and attention across views.

use burn::module::{Module, Param};
use burn::tensor::{Tensor, TensorData};

use super::config::{ClipConfig, VisionConfig, VisionStyle};
use crate::nn::{Activation, AttentionScope, BlockOptions, LayerNorm, Linear, Transformer};
use crate::preprocess::resample_grid;
use crate::weights::{Initializer, TensorList, WeightSource, WeightsError};

/// The image encoder of CLIP ([arXiv 2103.00020](https://arxiv.org/abs/2103.00020)), pooled at the class token, with attention
/// across the views of a shape as in Duoduo CLIP ([arXiv 2406.11579](https://arxiv.org/abs/2406.11579)).
#[derive(Module, Debug)]
pub struct ClipVision {
    conv1: Linear,
    class_embedding: Param<Tensor<1>>,
    positional_embedding: Param<Tensor<2>>,
    ln_pre: Option<LayerNorm>,
    prompts: Option<Prompts>,
    transformer: Transformer,
    ln_post: LayerNorm,
    /// Projection into the joint space, `[width, dim]`, if any.
    proj: Option<Param<Tensor<2>>>,
    patch: usize,
}

/// Learned tokens after the class token: the deep visual prompts of CG3D ([arXiv 2303.11313](https://arxiv.org/abs/2303.11313),
/// section 3) and VPT ([arXiv 2203.12119](https://arxiv.org/abs/2203.12119)). They are inserted before the first block and
/// replaced before each later one.
#[derive(Module, Debug)]
struct Prompts {
    first: Param<Tensor<3>>,
    deep: Param<Tensor<3>>,
}

impl Prompts {
    const FIRST: &str = "visual.prompt_embeddings";
    const DEEP: &str = "visual.deep_prompt_embeddings";

    fn load(source: &WeightSource, vision: &VisionConfig) -> Result<Self, WeightsError> {
        let VisionConfig { prompts, width, layers, patch, .. } = *vision;
        // VPT's initialization, with the patch's edge where its formula has the area, as in its code.
        let fill = Initializer::Uniform((6.0 / (3 * patch + width) as f32).sqrt());
        let tokens = |name: &str, blocks: usize| source.tensor(name, [blocks, prompts, width], fill);
        Ok(Self {
            first: Param::from_tensor(tokens(Self::FIRST, 1)?),
            deep: Param::from_tensor(tokens(Self::DEEP, layers.saturating_sub(1))?),
        })
    }

    /// The input of block `layer`, with prompts inserted or replaced: `[rows, tokens, width]` → `[rows, tokens', width]`.
    fn insert(&self, layer: usize, x: Tensor<3>) -> Tensor<3> {
        let [rows, tokens, width] = x.dims();
        let (prompts, after) = match layer {
            // Before the first block prompts are inserted; later ones replace those of the block before.
            0 => (self.first.val(), 1),
            _ => {
                let [_, count, width] = self.deep.dims();
                (self.deep.val().slice([layer - 1..layer, 0..count, 0..width]), 1 + count)
            }
        };
        let class = x.clone().slice([0..rows, 0..1, 0..width]);
        let patches = x.slice([0..rows, after..tokens, 0..width]);
        Tensor::cat(vec![class, prompts.repeat_dim(0, rows), patches], 1)
    }
}

/// Attention within each view before block `joint_from`, across the views of a shape from there on.
fn scope(views: usize, joint_from: usize) -> impl Fn(usize) -> AttentionScope {
    move |layer| if layer < joint_from { AttentionScope::Full } else { AttentionScope::Views(views) }
}

impl ClipVision {
    /// Reads `visual.*`.
    ///
    /// # Errors
    /// If a tensor is missing or misshaped.
    pub fn load(source: &WeightSource, config: &ClipConfig) -> Result<Self, WeightsError> {
        let width = config.vision.width;
        let fill = Initializer::Normal((width as f32).powf(-0.5));
        let proj = source.tensor("visual.proj", [width, config.dim], fill)?;
        Self::with_projection(source, config, Some(proj))
    }

    /// Reads `visual.*` except for the projection into the joint space, which is given: `[width, dim]`.
    ///
    /// # Errors
    /// If a tensor is missing or misshaped.
    pub fn with_projection(
        source: &WeightSource,
        config: &ClipConfig,
        proj: Option<Tensor<2>>,
    ) -> Result<Self, WeightsError> {
        let activation = config.vision.activation.unwrap_or(config.activation);
        let vision = VisionConfig { activation: Some(activation), ..config.vision };
        Ok(Self { proj: proj.map(Param::from_tensor), ..Self::without_projection(source, vision)? })
    }

    /// Reads `visual.*` of a tower without a projection into a joint space; its features are as wide as its tokens.
    ///
    /// # Errors
    /// If a tensor is missing or misshaped.
    pub fn without_projection(source: &WeightSource, vision: VisionConfig) -> Result<Self, WeightsError> {
        let (width, patch) = (vision.width, vision.patch);
        let scale = (width as f32).powf(-0.5);
        let pixels = 3 * patch * patch;
        let kernel = source.tensor(
            "visual.conv1.weight",
            [width, 3, patch, patch],
            Initializer::Normal((pixels as f32).powf(-0.5)),
        )?;
        let class = source.tensor("visual.class_embedding", [width], Initializer::Normal(scale))?;
        let position = source.tensor(
            "visual.positional_embedding",
            [vision.n_tokens(), width],
            Initializer::Normal(scale),
        )?;
        let bias = match vision.style {
            VisionStyle::Clip => None,
            VisionStyle::Timm => {
                Some(source.tensor("visual.conv1.bias", [width], Initializer::Constant(0.0))?)
            }
        };
        let norm = |name: &str| LayerNorm::load(source, name, width, vision.epsilon());
        Ok(Self {
            conv1: Linear::from_file_weight(source, kernel.reshape([width, pixels]), bias),
            class_embedding: Param::from_tensor(class),
            positional_embedding: Param::from_tensor(position),
            // timm's vision transformers have a patch bias and no norm before the blocks.
            ln_pre: (vision.style == VisionStyle::Clip).then(|| norm("visual.ln_pre")).transpose()?,
            prompts: (vision.prompts > 0).then(|| Prompts::load(source, &vision)).transpose()?,
            transformer: Transformer::load(
                source,
                "visual.transformer",
                &vision.transformer(Activation::default()),
            )?,
            ln_post: norm("visual.ln_post")?,
            proj: None,
            patch,
        })
    }

    /// Normalized pixels `[shapes × views, 3, size, size]`, the views of a shape consecutive → features `[shapes, dim]`.
    ///
    /// From block `joint_from` on, the tokens of all views of a shape attend to each other. The class tokens are averaged
    /// over the views after `ln_post` and then projected (Duoduo CLIP, section 3.1). With one view, or `joint_from` equal to
    /// the number of blocks, this is CLIP.
    pub fn encode(&self, pixels: Tensor<4>, views: usize, joint_from: usize) -> Tensor<2> {
        self.encode_joint(self.encode_separate(pixels, joint_from), views, joint_from)
    }

    /// The part of [`encode`](Self::encode) that does not depend on which views are together: normalized pixels
    /// `[images, 3, size, size]` → tokens after the blocks before `joint_from`, `[images, tokens, width]`.
    pub fn encode_separate(&self, pixels: Tensor<4>, joint_from: usize) -> Tensor<3> {
        let x = self.tokens(pixels, &mut |_, _| {});
        self.transformer.forward_first_token(x, 0..joint_from, |_| AttentionScope::Full, self.prompt_hook())
    }

    /// The rest of [`encode`](Self::encode): tokens of [`encode_separate`](Self::encode_separate), the views of a shape
    /// consecutive → features `[shapes, dim]`.
    pub fn encode_joint(&self, tokens: Tensor<3>, views: usize, joint_from: usize) -> Tensor<2> {
        let blocks = joint_from..usize::MAX;
        let joint = |_| AttentionScope::Views(views);
        let x = self.transformer.forward_first_token(tokens, blocks, joint, self.prompt_hook());
        self.pool(x, views, &mut |_, _| {})
    }

    /// As [`encode`](Self::encode), computing all tokens of the last block too; `hook` is called with intermediate tensors
    /// `[rows, tokens, width]` by the reference's names: `ln_pre`, `block0` …, `ln_post`.
    pub fn encode_with_hook(
        &self,
        pixels: Tensor<4>,
        views: usize,
        joint_from: usize,
        mut hook: impl FnMut(&str, &Tensor<3>),
    ) -> Tensor<2> {
        let x = self.tokens(pixels, &mut hook);
        let block_hook = |layer, x: &Tensor<3>| hook(&format!("block{layer}"), x);
        let x = self.transformer.forward(x, scope(views, joint_from), self.prompt_hook(), block_hook);
        self.pool(x, views, &mut hook)
    }

    /// Normalized pixels `[rows, 3, size, size]` → all tokens after the last norm, the class token first:
    /// `[rows, 1 + patches, width]`. No attention across images.
    pub fn encode_tokens(&self, pixels: Tensor<4>) -> Tensor<3> {
        let x = self.tokens(pixels, &mut |_, _| {});
        let x = self.transformer.forward(x, |_| AttentionScope::Full, self.prompt_hook(), |_, _| {});
        self.ln_post.forward(x)
    }

    /// Pixels `[rows, 3, size, size]` → the input of the first block, `[rows, 1 + patches, width]`.
    fn tokens(&self, pixels: Tensor<4>, hook: &mut dyn FnMut(&str, &Tensor<3>)) -> Tensor<3> {
        let x = self.embed(pixels);
        let Some(norm) = &self.ln_pre else { return x };
        let x = norm.forward(x);
        hook("ln_pre", &x);
        x
    }

    /// Inserts the prompts of each block.
    fn prompt_hook(&self) -> impl FnMut(usize, Tensor<3>) -> Tensor<3> + '_ {
        |layer, x| match &self.prompts {
            Some(prompts) => prompts.insert(layer, x),
            None => x,
        }
    }

    /// `[rows, tokens, width]`, the class token first → `[shapes, dim]`.
    fn pool(&self, x: Tensor<3>, views: usize, hook: &mut dyn FnMut(&str, &Tensor<3>)) -> Tensor<2> {
        let [rows, tokens, width] = x.dims();
        if rows == 0 || tokens == 0 {
            let dim = self.proj.as_ref().map_or(width, |proj| proj.dims()[1]);
            return Tensor::zeros([0, dim], &x.device());
        }
        // Only the class token is pooled, so only it is normalized.
        let class = x.slice([0..rows, 0..1, 0..width]);
        let class = self.ln_post.forward(class);
        hook("ln_post", &class);
        // Views of a shape are adjacent rows.
        let mean = class.reshape([rows / views, views, width]).mean_dim(1).squeeze_dim::<2>(1);
        match &self.proj {
            Some(proj) => mean.matmul(proj.val()),
            None => mean,
        }
    }

    /// `[rows, 3, size, size]` → tokens with positions `[rows, 1 + patches, width]`.
    fn embed(&self, pixels: Tensor<4>) -> Tensor<3> {
        let [rows, channels, height, width] = pixels.dims();
        let (p, down, across) = (self.patch, height / self.patch, width / self.patch);
        // A convolution whose stride is its kernel size is a linear layer over patches.
        let patches = pixels
            .reshape([rows, channels, down, p, across, p])
            .permute([0, 2, 4, 1, 3, 5])
            .reshape([rows, down * across, channels * p * p]);
        let class = self.class_embedding.val().unsqueeze::<3>().repeat_dim(0, rows);
        Tensor::cat(vec![class, self.conv1.forward(patches)], 1)
            + self.positional_embedding.val().unsqueeze::<3>()
    }

    /// The projection into the joint space, `[width, dim]`, if any.
    pub fn projection(&self) -> Option<Tensor<2>> {
        self.proj.as_ref().map(Param::val)
    }

    /// The tower for images of another size, with `grid` patches along an edge: positional embeddings of patches are resampled
    /// as in OpenCLIP (bicubic, antialiased), except that of the class token.
    pub fn with_grid(mut self, grid: usize) -> Self {
        let positions = self.positional_embedding.val();
        let [tokens, width] = positions.dims();
        // All tokens but the class token form a square grid.
        let old = (tokens.saturating_sub(1) as f64).sqrt().round() as usize;
        if old == grid {
            return self;
        }
        // Through plain values: in training, the new weights must not depend on the old ones in the autodiff graph.
        let device = positions.device();
        let values: Vec<f32> =
            positions.into_data().convert::<f32>().try_into_vec().expect("just converted to f32");
        // The class token has no place on the grid and keeps its embedding.
        let (class, patches) = values.split_at(width);
        let mut resized = class.to_vec();
        resized.extend(resample_grid(patches, width, [old; 2], [grid; 2]));
        let resized = Tensor::from_data(TensorData::new(resized, [1 + grid * grid, width]), &device);
        self.positional_embedding = Param::from_tensor(resized);
        self
    }

    /// Changes how blocks are trained.
    pub fn with_block_options(mut self, options: BlockOptions) -> Self {
        self.transformer = self.transformer.with_block_options(options);
        self
    }

    /// Adds visual prompts from `source`, as many as `vision` states.
    ///
    /// # Errors
    /// If `source` is a file without prompts of this shape.
    pub fn with_prompts(
        mut self,
        source: &WeightSource,
        vision: &VisionConfig,
    ) -> Result<Self, WeightsError> {
        self.prompts = Some(Prompts::load(source, vision)?);
        Ok(self)
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

    /// Adds the tensors to `list`.
    pub fn save(&self, list: &mut TensorList) {
        let kernel = self.conv1.weight().transpose();
        let [width, _] = kernel.dims();
        // Saved as the convolution's kernel, so that other tools can read it.
        list.push("visual.conv1.weight".to_owned(), kernel.reshape([width, 3, self.patch, self.patch]));
        list.push("visual.class_embedding".to_owned(), self.class_embedding.val());
        list.push("visual.positional_embedding".to_owned(), self.positional_embedding.val());
        if let Some(bias) = self.conv1.bias() {
            list.push("visual.conv1.bias".to_owned(), bias);
        }
        if let Some(norm) = &self.ln_pre {
            norm.save("visual.ln_pre", list);
        }
        if let Some(prompts) = &self.prompts {
            list.push(Prompts::FIRST.to_owned(), prompts.first.val());
            list.push(Prompts::DEEP.to_owned(), prompts.deep.val());
        }
        self.transformer.save("visual.transformer", list);
        self.ln_post.save("visual.ln_post", list);
        if let Some(proj) = &self.proj {
            list.push("visual.proj".to_owned(), proj.val());
        }
    }
}
