//! OpenShape's transformer over groups of points, called `ppat` in its code.

use burn::module::{Module, Param};
use burn::tensor::{Tensor, TensorData};
use lexiform_geometry::neighbors::{Ball, FpsVariant};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::group::{check_groups, check_heads, positions_tensor};
use super::point_bert::{expand_class_token, save_linear};
use super::{CloudBatch, FpsStart, Grouping, Groups, Neighborhood, PreparedCloud};
use crate::nn::host::{elementwise, is_host_no_grad};
use crate::nn::{
    Activation, AttentionScope, Bias, BlockOptions, ConvNorm, LayerNorm, Linear, MlpStyle, Transformer,
    TransformerConfig, pointwise_conv,
};
use crate::weights::{Initializer, TensorList, WeightSource, WeightsError};

/// Added to the variance in layer norms.
const EPSILON: f64 = 1e-5;
/// Widths of the first two layers over a group's points.
const GROUP_WIDTHS: [usize; 2] = [64, 64];
/// Groups that are embedded at a time, so that activations stay in the cache.
const GROUP_CHUNK: usize = 64;

/// Sizes of a [`Ppat`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PpatConfig {
    /// Whether points have colors or only positions.
    pub colored: bool,
    /// Number of groups.
    pub patches: usize,
    /// Radius of a group.
    pub radius: f32,
    /// Points of a group.
    pub samples: usize,
    /// Width of a group's embedding, before it is projected to a token.
    pub group_width: usize,
    /// Width of a token.
    pub width: usize,
    /// Number of blocks.
    pub layers: usize,
    /// Number of heads.
    pub heads: usize,
    /// Width of one head, independent of the token's width.
    pub head_width: usize,
    /// Width of the MLP's hidden layer.
    pub mlp_width: usize,
    /// Activation of the MLP; GELU in released models.
    #[serde(default)]
    pub activation: Activation,
}

impl PpatConfig {
    /// Validates the sizes.
    ///
    /// # Errors
    /// Describes the size that is out of range.
    pub fn check(&self) -> Result<(), String> {
        if !(self.radius.is_finite() && self.radius > 0.0) {
            return Err(format!("radius must be positive, found {}", self.radius));
        }
        // Heads may be wider in all than a token: attention projects back.
        let inner = self.heads.saturating_mul(self.head_width);
        check_groups(self.patches, self.samples).and_then(|()| check_heads(self.heads, inner))
    }

    /// How the points of a cloud are grouped, with sampling that starts at point `first`.
    pub fn grouping(&self, first: usize) -> Grouping {
        Grouping {
            groups: self.patches,
            size: self.samples,
            rule: FpsVariant::LowestIndex { first },
            neighborhood: Neighborhood::Ball(Ball::Closed { radius: self.radius }),
        }
    }

    /// Channels of a point in a group: relative position, position, and perhaps color.
    fn channels(&self) -> usize {
        3 + PreparedCloud::channels(self.colored)
    }

    fn transformer(&self) -> TransformerConfig {
        TransformerConfig {
            width: self.width,
            layers: self.layers,
            heads: self.heads,
            head_width: self.head_width,
            qkv_bias: false,
            mlp_width: self.mlp_width,
            activation: self.activation,
            epsilon: EPSILON,
            mlp: MlpStyle::default(),
        }
    }
}

/// OpenShape's transformer ([arXiv 2305.10764](https://arxiv.org/abs/2305.10764)): balls of points as tokens.
#[derive(Module, Debug)]
pub struct Ppat {
    group_net: Vec<ConvNorm>,
    lift: Linear,
    lift_norm: LayerNorm,
    cls_token: Param<Tensor<1>>,
    transformer: Transformer,
    #[module(skip)]
    config: PpatConfig,
}

impl Ppat {
    /// Reads `{name}.*`: OpenShape's names, with those of OpenCLIP for the blocks.
    ///
    /// # Errors
    /// If a tensor is missing or misshaped.
    pub fn load(source: &WeightSource, name: &str, config: &PpatConfig) -> Result<Self, WeightsError> {
        let PpatConfig { width, group_width, .. } = *config;
        let [a, b] = GROUP_WIDTHS;
        let sizes = [[config.channels(), a], [a, b], [b, group_width]];
        let layer = |(i, sizes): (usize, [usize; 2])| {
            let [conv, norm] = conv_names(name, i);
            ConvNorm::load(source, [&conv, &norm], Bias::Learned, sizes)
        };
        let cls_token = source.tensor(&format!("{name}.cls_token"), [width], Initializer::Normal(1.0))?;
        Ok(Self {
            group_net: sizes.into_iter().enumerate().map(layer).collect::<Result<_, _>>()?,
            // The three channels of the center come first.
            lift: pointwise_conv(source, &format!("{name}.lift.0"), Bias::Learned, [3 + group_width, width])?,
            lift_norm: LayerNorm::load(source, &format!("{name}.lift.2"), width, EPSILON)?,
            cls_token: Param::from_tensor(cls_token),
            transformer: Transformer::load(source, &format!("{name}.transformer"), &config.transformer())?,
            config: *config,
        })
    }

    /// Clouds → features `[clouds, width]`; farthest-point sampling starts at `start`.
    pub fn encode(&self, clouds: &CloudBatch, start: FpsStart) -> Tensor<2> {
        self.encode_with_hook(clouds, start, |_, _| {})
    }

    /// As [`encode`](Self::encode); `hook` is called with intermediate tensors: `center`, `groups`, `lift` (the tokens) and the
    /// output of each block.
    pub fn encode_with_hook(
        &self,
        clouds: &CloudBatch,
        start: FpsStart,
        mut hook: impl FnMut(&str, &Tensor<3>),
    ) -> Tensor<2> {
        let (n, PpatConfig { patches, group_width, width, .. }) = (clouds.n_clouds(), self.config);
        let device = self.cls_token.val().device();
        let parts: Vec<Groups> = (clouds.as_slice().par_iter().enumerate())
            .map(|(i, cloud)| {
                // OpenShape's sampling starts at a random point of each cloud.
                let first = start.first(i, 0, cloud.positions.len());
                self.config.grouping(first).of(&cloud.positions)
            })
            .collect();
        let at = |(cloud, part): (&'_ PreparedCloud, &'_ Groups)| -> Vec<_> {
            part.center_positions(&cloud.positions).collect()
        };
        let centers = clouds.as_slice().iter().zip(&parts).flat_map(at);
        let centers: Tensor<3> = positions_tensor(centers, [n, patches, 3], &device);
        hook("center", &centers);
        let shape = [n * patches, self.config.samples, self.config.channels()];
        let local = Tensor::from_data(TensorData::new(self.local_points(clouds, &parts), shape), &device);
        let groups = self.encode_groups(local).reshape([n, patches, group_width]);
        hook("groups", &groups);
        // The center's position takes the place of a positional embedding.
        let tokens = self.lift_norm.forward(self.lift.forward(Tensor::cat(vec![centers, groups], 2)));
        hook("lift", &tokens);
        // The class token has no position.
        let x = Tensor::cat(vec![expand_class_token(&self.cls_token, n), tokens], 1);
        let block_hook = |layer, x: &Tensor<3>| hook(&format!("block{layer}"), x);
        let x = self.transformer.forward(x, |_| AttentionScope::Full, |_, x| x, block_hook);
        x.slice([0..n, 0..1, 0..width]).squeeze_dim::<2>(1)
    }

    /// Embeds groups: `[groups, points, channels]` → `[groups, group width]`.
    fn encode_groups(&self, x: Tensor<3>) -> Tensor<2> {
        let [groups, points, channels] = x.dims();
        let rows = |x: Tensor<3>| {
            let rows = x.dims()[0] * points;
            self.group_net.iter().fold(x.reshape([rows, channels]), |x, layer| layer.forward_relu(x, None))
        };
        // In training, one batch: batch norms need the statistics of all groups.
        if !is_host_no_grad(&x) {
            let rows = rows(x);
            let [_, width] = rows.dims();
            return rows.reshape([groups, points, width]).max_dim(1).squeeze_dim::<2>(1);
        }
        let some = |x: Tensor<3>| elementwise::max_pool_groups(rows(x), points);
        let parts = (0..groups).step_by(GROUP_CHUNK).map(|start| {
            let range = start..(start + GROUP_CHUNK).min(groups);
            some(x.clone().slice([range, 0..points, 0..channels]))
        });
        Tensor::cat(parts.collect(), 0)
    }

    /// Positions relative to the group's center, positions, and colors.
    fn local_points(&self, clouds: &CloudBatch, parts: &[Groups]) -> Vec<f32> {
        let mut values = Vec::new();
        for (cloud, part) in clouds.as_slice().iter().zip(parts) {
            for (member, center) in part.member_center_pairs() {
                values.extend((cloud.positions[member] - cloud.positions[center]).to_array());
                // OpenShape concatenates absolute positions with the relative ones.
                values.extend(cloud.positions[member].to_array());
                if self.config.colored {
                    values.extend(cloud.colors[member].to_array());
                }
            }
        }
        values
    }

    /// Changes how blocks are trained.
    pub fn with_block_options(mut self, options: BlockOptions) -> Self {
        self.transformer = self.transformer.with_block_options(options);
        self
    }

    /// Adds the tensors to `list`.
    pub fn save(&self, name: &str, list: &mut TensorList) {
        list.push(format!("{name}.cls_token"), self.cls_token.val());
        for (i, layer) in self.group_net.iter().enumerate() {
            let [conv, norm] = conv_names(name, i);
            layer.save([&conv, &norm], list);
        }
        save_linear(&self.lift, &format!("{name}.lift.0"), list);
        self.lift_norm.save(&format!("{name}.lift.2"), list);
        self.transformer.save(&format!("{name}.transformer"), list);
    }
}

fn conv_names(name: &str, layer: usize) -> [String; 2] {
    [format!("{name}.sa.mlp_convs.{layer}"), format!("{name}.sa.mlp_bns.{layer}")]
}
