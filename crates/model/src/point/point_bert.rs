//! A transformer over groups of points: Point-BERT's, as used by ULIP, ULIP-2 and CG3D, or a vision transformer, as in Uni3D.

use burn::module::{Module, Param};
use burn::tensor::{Tensor, TensorData};
use lexiform_geometry::neighbors::FpsVariant;
use serde::{Deserialize, Serialize};

use super::group::{check_groups, check_heads, positions_tensor};
use super::{CloudBatch, Grouping, Groups, Neighborhood, PreparedCloud};
use crate::nn::host::{self, FusedLinear, elementwise, is_host_no_grad};
use crate::nn::{
    Activation, AttentionScope, Bias, BlockOptions, ConvNorm, DropPath, LayerNorm, Linear, MlpStyle,
    Transformer, TransformerConfig, pointwise_conv,
};
use crate::weights::{Initializer, TensorList, WeightSource, WeightsError};

/// Widths inside the network that embeds a group, the same in all papers.
const GROUP_WIDTHS: [usize; 3] = [128, 256, 512];
/// Hidden width of the MLP of positional embeddings.
const POSITION_WIDTH: usize = 128;
/// Groups that are embedded at a time, so that activations stay in the cache.
const GROUP_CHUNK: usize = 64;

/// Sizes of a [`PointBert`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PointBertConfig {
    /// Whether points have colors (ULIP-2) or only positions.
    pub colored: bool,
    /// Number of groups.
    pub groups: usize,
    /// Points of a group.
    pub group_size: usize,
    /// Width of a group's embedding, before it is projected to a token.
    pub group_width: usize,
    /// Width of a token.
    pub width: usize,
    /// Number of blocks.
    pub layers: usize,
    /// Number of heads; divides the width.
    pub heads: usize,
    /// Width of the MLP's hidden layer.
    pub mlp_width: usize,
    /// What encodes the tokens.
    #[serde(default, skip_serializing_if = "Trunk::is_default")]
    pub trunk: Trunk,
}

/// The transformer of a [`PointBert`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Trunk {
    /// Point-BERT's: positions are added before every block, class token and maximum of the others are the features.
    #[default]
    PointBert,
    /// A vision transformer of EVA's giant size ([arXiv 2211.07636](https://arxiv.org/abs/2211.07636)): positions are added once,
    /// the class token is the feature, as for the others below.
    Eva,
    /// EVA-02's, tiny or small ([arXiv 2303.11331](https://arxiv.org/abs/2303.11331)): gated MLPs.
    Eva02,
    /// EVA-02's, base or large: gated MLPs with a norm.
    Eva02Norm,
}

impl Trunk {
    fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// Added to the variance in layer norms.
    fn epsilon(self) -> f64 {
        if self == Self::PointBert { 1e-5 } else { 1e-6 }
    }

    fn mlp(self) -> MlpStyle {
        MlpStyle {
            gated: matches!(self, Self::Eva02 | Self::Eva02Norm),
            norm: self == Self::Eva02Norm,
            ..MlpStyle::default()
        }
    }
}

impl PointBertConfig {
    /// ULIP-2's encoder of 10,000 colored points ([arXiv 2305.08275](https://arxiv.org/abs/2305.08275)).
    pub fn ulip2_colored() -> Self {
        Self {
            colored: true,
            groups: 512,
            group_size: 32,
            group_width: 256,
            width: 384,
            layers: 18,
            heads: 6,
            mlp_width: 1536,
            trunk: Trunk::PointBert,
        }
    }

    /// Uni3D's base encoder ([arXiv 2310.06773](https://arxiv.org/abs/2310.06773)).
    pub fn uni3d_base() -> Self {
        Self {
            colored: true,
            groups: 512,
            group_size: 64,
            group_width: 512,
            width: 768,
            layers: 12,
            heads: 12,
            mlp_width: 2048,
            trunk: Trunk::Eva02Norm,
        }
    }

    /// Width of the features: class token, and in Point-BERT max pooling of the others.
    pub fn features(&self) -> usize {
        if self.trunk == Trunk::PointBert { 2 * self.width } else { self.width }
    }

    /// Validates the sizes.
    ///
    /// # Errors
    /// Describes the size that is out of range.
    pub fn check(&self) -> Result<(), String> {
        check_groups(self.groups, self.group_size).and_then(|()| check_heads(self.heads, self.width))
    }

    /// How the points of a cloud are grouped.
    pub fn grouping(&self) -> Grouping {
        Grouping {
            groups: self.groups,
            size: self.group_size,
            rule: FpsVariant::Pointnet2,
            neighborhood: Neighborhood::Nearest,
        }
    }

    fn transformer(&self) -> TransformerConfig {
        TransformerConfig {
            width: self.width,
            layers: self.layers,
            heads: self.heads,
            head_width: self.width / self.heads,
            qkv_bias: self.trunk != Trunk::PointBert,
            mlp_width: self.mlp_width,
            activation: if self.trunk.mlp().gated { Activation::Silu } else { Activation::Gelu },
            epsilon: self.trunk.epsilon(),
            mlp: self.trunk.mlp(),
        }
    }
}

/// A small PointNet that embeds a group ([arXiv 1612.00593](https://arxiv.org/abs/1612.00593)): pointwise layers and max
/// pooling, twice.
#[derive(Module, Debug)]
struct MiniPointNet {
    first: ConvNorm,
    first_out: Linear,
    second: ConvNorm,
    second_out: Linear,
}

impl MiniPointNet {
    fn load(source: &WeightSource, name: &str, channels: usize, output: usize) -> Result<Self, WeightsError> {
        let [a, b, c] = GROUP_WIDTHS;
        let names = Self::names(name);
        let [first, first_norm, first_out, second, second_norm, second_out] =
            names.each_ref().map(String::as_str);
        Ok(Self {
            first: ConvNorm::load(source, [first, first_norm], Bias::Learned, [channels, a])?,
            first_out: pointwise_conv(source, first_out, Bias::Learned, [a, b])?,
            second: ConvNorm::load(source, [second, second_norm], Bias::Learned, [2 * b, c])?,
            second_out: pointwise_conv(source, second_out, Bias::Learned, [c, output])?,
        })
    }

    fn names(name: &str) -> [String; 6] {
        ["first_conv.0", "first_conv.1", "first_conv.3", "second_conv.0", "second_conv.1", "second_conv.3"]
            .map(|part| format!("{name}.{part}"))
    }

    /// `[groups, points, channels]` → `[groups, output]`.
    fn forward(&self, x: Tensor<3>) -> Tensor<2> {
        // Folding is only valid in inference: in training, norms use the statistics of the batch.
        if is_host_no_grad(&x) {
            return FoldedMiniPointNet::of(self).forward(x);
        }
        let [groups, n_points, channels] = x.dims();
        let rows = self.first.forward_relu(x.reshape([groups * n_points, channels]), None);
        let points = self.first_out.forward(rows);
        let [_, width] = points.dims();
        let points = points.reshape([groups, n_points, width]);
        // The group's channels come first in the concatenation.
        let hidden = self.second.forward_relu_concat(largest(points.clone()), points);
        let output = self.second_out.forward(hidden);
        let [_, width] = output.dims();
        largest(output.reshape([groups, n_points, width]))
    }

    fn save(&self, name: &str, list: &mut TensorList) {
        let names = Self::names(name);
        let [first, first_norm, first_out, second, second_norm, second_out] =
            names.each_ref().map(String::as_str);
        self.first.save([first, first_norm], list);
        save_linear(&self.first_out, first_out, list);
        self.second.save([second, second_norm], list);
        save_linear(&self.second_out, second_out, list);
    }
}

/// Max pooling: `[groups, points, channels]` → `[groups, channels]`.
fn largest(x: Tensor<3>) -> Tensor<2> {
    x.max_dim(1).squeeze_dim::<2>(1)
}

/// The same network with less work: norms are folded into the products; a group's part of the second product is the same
/// for all its points and computed once; biases that are the same for all points are added after the maximum.
struct FoldedMiniPointNet {
    first: Tensor<2>,
    first_bias: Tensor<1>,
    first_out: Tensor<2>,
    of_whole: Tensor<2>,
    of_point: Tensor<2>,
    second_bias: Tensor<1>,
    second_out: Tensor<2>,
    second_out_bias: Option<Tensor<1>>,
}

impl FoldedMiniPointNet {
    fn of(net: &MiniPointNet) -> Self {
        let (first, first_bias) = net.first.folded();
        let (second, second_bias) = net.second.folded();
        let ([input, output], [_, width]) = (second.dims(), net.first_out.weight().dims());
        // Splits the weight of the concatenation into the group's and the point's rows.
        let of_whole = second.clone().slice([0..width, 0..output]);
        let of_point = second.slice([width..input, 0..output]);
        // The first output's bias enters the second layer twice: through the point and through the group's maximum.
        let second_bias = match net.first_out.bias() {
            Some(bias) => {
                let both = of_whole.clone() + of_point.clone();
                second_bias + bias.unsqueeze::<2>().matmul(both).squeeze_dim::<1>(0)
            }
            None => second_bias,
        };
        Self {
            first,
            first_bias,
            first_out: net.first_out.weight(),
            of_whole,
            of_point,
            second_bias,
            second_out: net.second_out.weight(),
            second_out_bias: net.second_out.bias(),
        }
    }

    fn forward(&self, x: Tensor<3>) -> Tensor<2> {
        let [groups, points, channels] = x.dims();
        // In chunks, so that activations stay in the cache.
        let some = (0..groups).step_by(GROUP_CHUNK).map(|start| {
            let range = start..(start + GROUP_CHUNK).min(groups);
            self.forward_some(x.clone().slice([range, 0..points, 0..channels]))
        });
        elementwise::bias_activation(Tensor::cat(some.collect(), 0), self.second_out_bias.clone(), None)
    }

    fn forward_some(&self, x: Tensor<3>) -> Tensor<2> {
        let [groups, n_points, channels] = x.dims();
        let x = x.reshape([groups * n_points, channels]);
        let bias = Some(self.first_bias.clone());
        let with_relu = FusedLinear { activation: Some(Activation::Relu), ..FusedLinear::default() };
        let x = host::linear(x, self.first.clone(), bias, None, with_relu);
        // Without its bias, which is part of `second_bias`.
        let points = host::product(x, self.first_out.clone());
        let whole = elementwise::max_pool_groups(points.clone(), n_points);
        let bias = Some(self.second_bias.clone());
        let of_whole = host::linear(whole, self.of_whole.clone(), bias, None, FusedLinear::default());
        let hidden = host::product(points, self.of_point.clone());
        let [_, width] = hidden.dims();
        let hidden = elementwise::group_bias_activation(
            hidden.reshape([groups, n_points, width]),
            of_whole,
            Activation::Relu,
        );
        let output = host::product(hidden.reshape([groups * n_points, width]), self.second_out.clone());
        // The output's bias is the same for all points, so it commutes with the maximum.
        elementwise::max_pool_groups(output, n_points)
    }
}

/// Point-BERT's transformer ([arXiv 2111.14819](https://arxiv.org/abs/2111.14819)): groups of points as tokens.
#[derive(Module, Debug)]
pub struct PointBert {
    group_net: MiniPointNet,
    reduce_dim: Linear,
    position_in: Linear,
    position_out: Linear,
    cls_token: Param<Tensor<1>>,
    cls_pos: Param<Tensor<1>>,
    transformer: Transformer,
    norm: LayerNorm,
    #[module(skip)]
    config: PointBertConfig,
}

impl PointBert {
    /// Reads `{name}.*`: Point-BERT's names, with those of OpenCLIP for the blocks.
    ///
    /// # Errors
    /// If a tensor is missing or misshaped.
    pub fn load(source: &WeightSource, name: &str, config: &PointBertConfig) -> Result<Self, WeightsError> {
        let PointBertConfig { width, group_width, .. } = *config;
        let named = |part: &str| format!("{name}.{part}");
        let channels = PreparedCloud::channels(config.colored);
        let map = |part: &str, sizes| pointwise_conv(source, &named(part), Bias::Learned, sizes);
        let cls_token = source.tensor(&named("cls_token"), [width], Initializer::Constant(0.0))?;
        // As in Point-BERT: the class token starts at zero, its position at random.
        let cls_pos = source.tensor(&named("cls_pos"), [width], Initializer::Normal(1.0))?;
        Ok(Self {
            group_net: MiniPointNet::load(source, &named("encoder"), channels, group_width)?,
            reduce_dim: map("reduce_dim", [group_width, width])?,
            position_in: map("pos_embed.0", [3, POSITION_WIDTH])?,
            position_out: map("pos_embed.2", [POSITION_WIDTH, width])?,
            cls_token: Param::from_tensor(cls_token),
            cls_pos: Param::from_tensor(cls_pos),
            transformer: Transformer::load(source, &named("transformer"), &config.transformer())?,
            norm: LayerNorm::load(source, &named("norm"), width, config.trunk.epsilon())?,
            config: *config,
        })
    }

    /// Changes how blocks are trained.
    pub fn with_block_options(mut self, options: BlockOptions) -> Self {
        self.transformer = self.transformer.with_block_options(options);
        self
    }

    /// Clouds → features `[clouds, 2 width]`.
    pub fn encode(&self, clouds: &CloudBatch) -> Tensor<2> {
        self.encode_with_hook(clouds, |_, _| {})
    }

    /// As [`encode`](Self::encode); `hook` is called with intermediate tensors: `neighborhood` `[clouds × groups, points,
    /// channels]`, `center`, `tokens`, `reduced`, `pos`, the output of each block `block0` …, and `norm`.
    pub fn encode_with_hook(&self, clouds: &CloudBatch, mut hook: impl FnMut(&str, &Tensor<3>)) -> Tensor<2> {
        let (x, positions) = self.tokens(clouds, self.config.grouping(), &mut hook);
        let block_hook = |layer, x: &Tensor<3>| hook(&format!("block{layer}"), x);
        let x = self.transformer.forward(x, |_| AttentionScope::Full, self.add(&positions), block_hook);
        self.pool(x, &mut hook)
    }

    /// As [`encode`](Self::encode) in training, with stochastic depth.
    pub fn encode_with_drop_path(&self, clouds: &CloudBatch, drop: DropPath) -> Tensor<2> {
        let (x, positions) = self.tokens(clouds, self.config.grouping(), &mut |_, _| {});
        let x =
            self.transformer.forward_with_drop_path(x, |_| AttentionScope::Full, self.add(&positions), drop);
        self.pool(x, &mut |_, _| {})
    }

    /// Clouds → the normalized states of the class token and of each group, `[clouds, 1 + groups, width]`, with centers by another
    /// variant of farthest-point sampling: the input of language models.
    pub fn encode_tokens(&self, clouds: &CloudBatch, sampling: FpsVariant) -> Tensor<3> {
        let grouping = Grouping { rule: sampling, ..self.config.grouping() };
        let (x, positions) = self.tokens(clouds, grouping, &mut |_, _| {});
        let scope = |_| AttentionScope::Full;
        self.norm.forward(self.transformer.forward(x, scope, self.add(&positions), |_, _| {}))
    }

    /// Class token and one token per group, and their positional embeddings, `[clouds, 1 + groups, width]` each.
    fn tokens(
        &self,
        clouds: &CloudBatch,
        grouping: Grouping,
        hook: &mut dyn FnMut(&str, &Tensor<3>),
    ) -> (Tensor<3>, Tensor<3>) {
        let (n, PointBertConfig { groups, group_width, .. }) = (clouds.n_clouds(), self.config);
        let device = self.cls_token.val().device();
        let parts = clouds.groups(grouping);
        let local = TensorData::new(self.local_points(clouds, &parts), self.local_shape(n));
        let local = Tensor::from_data(local, &device);
        hook("neighborhood", &local);
        let at = |(cloud, part): (&'_ PreparedCloud, &'_ Groups)| -> Vec<_> {
            part.center_positions(&cloud.positions).collect()
        };
        let centers = clouds.as_slice().iter().zip(&parts).flat_map(at);
        let centers: Tensor<3> = positions_tensor(centers, [n, groups, 3], &device);
        hook("center", &centers);
        let tokens = self.group_net.forward(local).reshape([n, groups, group_width]);
        hook("tokens", &tokens);
        // The embedding of a group is wider or narrower than a token.
        let reduced = self.reduce_dim.forward(tokens);
        hook("reduced", &reduced);
        let positions = self.position_in.forward_activated(centers, Some(Activation::Gelu));
        let positions = self.position_out.forward(positions);
        hook("pos", &positions);
        // The class token has a learned positional embedding of its own, as it has no center.
        let x = Tensor::cat(vec![expand_class_token(&self.cls_token, n), reduced], 1);
        (x, Tensor::cat(vec![expand_class_token(&self.cls_pos, n), positions], 1))
    }

    /// Adds positional embeddings: before every block in Point-BERT's code, though not in its paper; elsewhere before the first.
    fn add<'a>(&self, positions: &'a Tensor<3>) -> impl Fn(usize, Tensor<3>) -> Tensor<3> + 'a {
        let everywhere = self.config.trunk == Trunk::PointBert;
        move |layer, x| if everywhere || layer == 0 { x + positions.clone() } else { x }
    }

    /// Pools the output of the last block: class token, and in Point-BERT the maximum of the others.
    fn pool(&self, x: Tensor<3>, hook: &mut dyn FnMut(&str, &Tensor<3>)) -> Tensor<2> {
        let x = self.norm.forward(x);
        hook("norm", &x);
        let ([n, _, _], PointBertConfig { groups, width, .. }) = (x.dims(), self.config);
        let first = x.clone().slice([0..n, 0..1, 0..width]).squeeze_dim::<2>(1);
        if self.config.trunk != Trunk::PointBert {
            return first;
        }
        // Max pooling over the groups only, without the class token.
        let largest = x.slice([0..n, 1..groups + 1, 0..width]).max_dim(1).squeeze_dim::<2>(1);
        Tensor::cat(vec![first, largest], 1)
    }

    /// Positions relative to the group's center, and colors.
    fn local_points(&self, clouds: &CloudBatch, parts: &[Groups]) -> Vec<f32> {
        let mut values = Vec::with_capacity(self.local_shape(clouds.n_clouds()).iter().product());
        for (cloud, part) in clouds.as_slice().iter().zip(parts) {
            for (member, center) in part.member_center_pairs() {
                // Only positions are relative; colors are not.
                values.extend((cloud.positions[member] - cloud.positions[center]).to_array());
                if self.config.colored {
                    values.extend(cloud.colors[member].to_array());
                }
            }
        }
        values
    }

    fn local_shape(&self, clouds: usize) -> [usize; 3] {
        [clouds * self.config.groups, self.config.group_size, PreparedCloud::channels(self.config.colored)]
    }

    /// Adds the tensors to `list`.
    pub fn save(&self, name: &str, list: &mut TensorList) {
        let named = |part: &str| format!("{name}.{part}");
        list.push(named("cls_token"), self.cls_token.val());
        list.push(named("cls_pos"), self.cls_pos.val());
        self.group_net.save(&named("encoder"), list);
        save_linear(&self.reduce_dim, &named("reduce_dim"), list);
        save_linear(&self.position_in, &named("pos_embed.0"), list);
        save_linear(&self.position_out, &named("pos_embed.2"), list);
        self.transformer.save(&named("transformer"), list);
        self.norm.save(&named("norm"), list);
    }
}

/// Repeats a learned token for each cloud: `[width]` → `[clouds, 1, width]`.
pub(super) fn expand_class_token(token: &Param<Tensor<1>>, clouds: usize) -> Tensor<3> {
    token.val().unsqueeze::<3>().repeat_dim(0, clouds)
}

pub(super) fn save_linear(linear: &Linear, name: &str, list: &mut TensorList) {
    linear.save(&format!("{name}.weight"), Some(&format!("{name}.bias")), list);
}
