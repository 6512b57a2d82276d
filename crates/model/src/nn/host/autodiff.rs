//! The fused operations for burn's CPU backend and for its autodiff decorator.

use burn::backend::autodiff::NodeId;
use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::flex::FlexTensor;
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Flex};

use super::attention::{AttentionBackward, AttentionState};
use super::batch_norm::{self, BatchNorm};
use super::host_tensor::{HostTensor, into_vec, tensor, with_last_dim};
use super::layer_norm::{layer_norm_backward, norm};
use super::linear::{Epilogue, activation_backward, before, input_gradient, sum_rows, weight_gradient};
use super::mlp::{Mlp, MlpBackward};
use super::{AttentionShape, FusedLinear, FusedMlp, FusedOps};
use crate::nn::{Activation, Products};

impl FusedOps for Flex {
    fn host_linear(
        x: FlexTensor,
        weight: FlexTensor,
        bias: FlexTensor,
        skip: FlexTensor,
        fused: FusedLinear,
    ) -> FlexTensor {
        let [x, weight, bias, skip] = [x, weight, bias, skip].map(HostTensor::of);
        let width = weight.width();
        let mut values = before(x.as_slice(), weight.as_slice(), [x.width(), width], fused.products);
        let (activation, skip) = (fused.activation, skip.non_empty());
        Epilogue { bias: bias.non_empty(), activation, skip }.apply(&mut values, width);
        tensor(values, with_last_dim(x.shape(), width))
    }

    fn host_mlp(
        x: FlexTensor,
        weight_1: FlexTensor,
        bias_1: FlexTensor,
        weight_2: FlexTensor,
        bias_2: FlexTensor,
        skip: FlexTensor,
        fused: FusedMlp,
    ) -> FlexTensor {
        Mlp::of([x, weight_1, bias_1, weight_2, bias_2, skip], fused).forward()
    }

    fn host_layer_norm(x: FlexTensor, weight: FlexTensor, bias: FlexTensor, epsilon: f64) -> FlexTensor {
        let [x, weight, bias] = [x, weight, bias].map(HostTensor::of);
        tensor(norm(x.as_slice(), weight.as_slice(), bias.as_slice(), epsilon as f32), x.shape())
    }

    fn host_attention(packed: FlexTensor, attn_shape: AttentionShape) -> FlexTensor {
        AttentionState::forward(packed, attn_shape).1
    }

    fn host_moments(x: FlexTensor) -> FlexTensor {
        let x = HostTensor::of(x);
        tensor(batch_norm::moments(x.as_slice(), x.width()), [2, x.width()])
    }

    fn host_batch_norm(
        x: FlexTensor,
        moments: FlexTensor,
        weight: FlexTensor,
        bias: FlexTensor,
        epsilon: f64,
        relu: bool,
    ) -> FlexTensor {
        let [x, moments, weight, bias] = [x, moments, weight, bias].map(HostTensor::of);
        let state = BatchNormState { x, moments, weight, bias, epsilon: epsilon as f32, relu };
        tensor(state.norm().apply(state.x.as_slice()), state.x.shape())
    }
}

impl<C: CheckpointStrategy> FusedOps for Autodiff<Flex, C> {
    fn host_linear(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        skip: FloatTensor<Self>,
        fused: FusedLinear,
    ) -> FloatTensor<Self> {
        // The input is only needed for the weight's gradient: frozen layers do not keep it.
        let learns = weight.is_tracked();
        let [(x, x_node), (weight, weight_node), (bias, bias_node), (skip, skip_node)] =
            [x, weight, bias, skip].map(|tensor| tensor.into_parts());
        let prepared =
            // Compute-bound: checkpointing keeps the result rather than computing the product again.
            LinearBackward.prepare::<C>([x_node, weight_node, bias_node, skip_node]).compute_bound();
        match prepared.stateful() {
            // No parent requires a gradient, so nothing is kept.
            OpsKind::UnTracked(prepared) => prepared.finish(Flex::host_linear(x, weight, bias, skip, fused)),
            OpsKind::Tracked(prepared) => {
                let (state, out) = LinearState::forward([x, weight], [bias, skip], fused, learns);
                prepared.finish(state, out)
            }
        }
    }

    fn host_mlp(
        x: FloatTensor<Self>,
        weight_1: FloatTensor<Self>,
        bias_1: FloatTensor<Self>,
        weight_2: FloatTensor<Self>,
        bias_2: FloatTensor<Self>,
        skip: FloatTensor<Self>,
        fused: FusedMlp,
    ) -> FloatTensor<Self> {
        // As in `host_linear`: without a gradient of the first weight, the input is not kept.
        let learns = weight_1.is_tracked();
        let [x, w_1, b_1, w_2, b_2, skip] =
            [x, weight_1, bias_1, weight_2, bias_2, skip].map(|tensor| tensor.into_parts());
        let nodes = [x.1, w_1.1, b_1.1, w_2.1, b_2.1, skip.1];
        let mlp = Mlp::of([x.0, w_1.0, b_1.0, w_2.0, b_2.0, skip.0], fused);
        match MlpBackward.prepare::<C>(nodes).compute_bound().stateful() {
            OpsKind::UnTracked(prepared) => prepared.finish(mlp.forward()),
            OpsKind::Tracked(prepared) => {
                let (state, out) = mlp.forward_with_state(learns);
                prepared.finish(state, out)
            }
        }
    }

    fn host_layer_norm(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        epsilon: f64,
    ) -> FloatTensor<Self> {
        let [(x, x_node), (weight, weight_node), (bias, bias_node)] =
            [x, weight, bias].map(|tensor| tensor.into_parts());
        let prepared = LayerNormBackward.prepare::<C>([x_node, weight_node, bias_node]).compute_bound();
        // The bias is not kept: no gradient depends on it.
        let out = Flex::host_layer_norm(x.clone(), weight.clone(), bias, epsilon);
        match prepared.stateful() {
            OpsKind::UnTracked(prepared) => prepared.finish(out),
            OpsKind::Tracked(prepared) => {
                prepared.finish((HostTensor::of(x), HostTensor::of(weight), epsilon as f32), out)
            }
        }
    }

    fn host_attention(packed: FloatTensor<Self>, attn_shape: AttentionShape) -> FloatTensor<Self> {
        let (packed, node) = packed.into_parts();
        match AttentionBackward.prepare::<C>([node]).compute_bound().stateful() {
            OpsKind::UnTracked(prepared) => prepared.finish(Flex::host_attention(packed, attn_shape)),
            OpsKind::Tracked(prepared) => {
                let (state, out) = AttentionState::forward(packed, attn_shape);
                prepared.finish(state, out)
            }
        }
    }

    fn host_moments(x: FloatTensor<Self>) -> FloatTensor<Self> {
        // Detached on purpose: the backward pass of the norm accounts for the moments' dependence on `x`.
        FloatTensor::<Self>::new(Flex::host_moments(x.into_primitive()))
    }

    fn host_batch_norm(
        x: FloatTensor<Self>,
        moments: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        epsilon: f64,
        relu: bool,
    ) -> FloatTensor<Self> {
        let [(x, x_node), (weight, weight_node), (bias, bias_node)] =
            [x, weight, bias].map(|tensor| tensor.into_parts());
        // See `host_moments`: moments are no parent of the operation.
        let moments = HostTensor::of(moments.into_primitive());
        let prepared = BatchNormBackward.prepare::<C>([x_node, weight_node, bias_node]).compute_bound();
        let [x, weight, bias] = [x, weight, bias].map(HostTensor::of);
        let state = BatchNormState { x, moments, weight, bias, epsilon: epsilon as f32, relu };
        let out = tensor(state.norm().apply(state.x.as_slice()), state.x.shape());
        match prepared.stateful() {
            OpsKind::UnTracked(prepared) => prepared.finish(out),
            OpsKind::Tracked(prepared) => prepared.finish(state, out),
        }
    }
}

#[derive(Clone, Debug)]
struct LinearState {
    /// The input, if the weight is trained.
    x: Option<HostTensor>,
    /// Shape of the input.
    shape: Vec<usize>,
    weight: HostTensor,
    /// The activation and its input.
    activation: Option<(HostTensor, Activation)>,
    products: Products,
}

impl LinearState {
    fn forward(
        [x, weight]: [FlexTensor; 2],
        [bias, skip]: [FlexTensor; 2],
        fused: FusedLinear,
        learns: bool,
    ) -> (Self, FlexTensor) {
        let [x, weight, bias, skip] = [x, weight, bias, skip].map(HostTensor::of);
        let width = weight.width();
        let out_shape = with_last_dim(x.shape(), width);
        let FusedLinear { activation, products } = fused;
        let mut values = before(x.as_slice(), weight.as_slice(), [x.width(), width], products);
        let after = Epilogue { bias: bias.non_empty(), activation, skip: skip.non_empty() };
        // Without an activation, the derivative is 1 and the pre-activation is not needed.
        match activation {
            None => {
                after.apply(&mut values, width);
                let shape = x.shape().to_vec();
                let state = Self { x: learns.then_some(x), shape, weight, activation: None, products };
                (state, tensor(values, out_shape))
            }
            Some(activation) => {
                // The pre-activation is kept: the derivative of GELU cannot be computed from its output.
                let out = after.apply_out_of_place(&mut values, width);
                let before = HostTensor::of(tensor(values, out_shape.clone()));
                let shape = x.shape().to_vec();
                let activation = Some((before, activation));
                (Self { x: learns.then_some(x), shape, weight, activation, products }, tensor(out, out_shape))
            }
        }
    }
}

#[derive(Debug)]
struct LinearBackward;

impl Backward<Flex, 4> for LinearBackward {
    type State = LinearState;

    fn backward(self, ops: Ops<LinearState, 4>, gradients: &mut Gradients, _: &mut Checkpointer) {
        let [of_x, of_w, of_bias, of_skip] = ops.parents.map(|parent| parent.map(|node| node.id));
        let LinearState { x, shape, weight, activation, products } = ops.state;
        let gradient = gradients.consume::<Flex>(&ops.node);
        // The skip connection passes the gradient through unchanged.
        if let Some(id) = of_skip {
            gradients.register::<Flex>(id, gradient.clone());
        }
        let gradient = match activation {
            None => HostTensor::of(gradient),
            Some((before, activation)) => {
                let values = into_vec(gradient);
                HostTensor::of(tensor(
                    activation_backward(values, before.as_slice(), activation),
                    before.shape(),
                ))
            }
        };
        let sizes = [shape.last().copied().unwrap_or(1), weight.width()];
        // Closures, so that only the gradients that are needed are computed.
        let mut register = |id: Option<NodeId>, shape: &[usize], values: &dyn Fn() -> Vec<f32>| {
            if let Some(id) = id {
                gradients.register::<Flex>(id, tensor(values(), shape));
            }
        };
        let values = gradient.as_slice();
        register(of_bias, &sizes[1..], &|| sum_rows(values, sizes[1]));
        // Empty only if the weight is frozen; its closure is not called then.
        let x = x.as_ref().map_or(&[][..], HostTensor::as_slice);
        register(of_w, &sizes, &|| weight_gradient(values, x, sizes, products));
        register(of_x, &shape, &|| input_gradient(values, weight.as_slice(), sizes, products));
    }
}

#[derive(Debug)]
struct LayerNormBackward;

impl Backward<Flex, 3> for LayerNormBackward {
    type State = (HostTensor, HostTensor, f32);

    fn backward(self, ops: Ops<Self::State, 3>, gradients: &mut Gradients, _: &mut Checkpointer) {
        let (x, weight, epsilon) = ops.state;
        let gradient = HostTensor::of(gradients.consume::<Flex>(&ops.node));
        let values = layer_norm_backward(gradient.as_slice(), x.as_slice(), weight.as_slice(), epsilon);
        // Weight and bias of a layer norm have the same shape.
        let shapes = [x.shape(), weight.shape(), weight.shape()];
        register_each(
            gradients,
            ops.parents.map(|parent| parent.map(|node| node.id)),
            values.into_iter().zip(shapes),
        );
    }
}

#[derive(Clone, Debug)]
struct BatchNormState {
    x: HostTensor,
    moments: HostTensor,
    weight: HostTensor,
    bias: HostTensor,
    epsilon: f32,
    relu: bool,
}

impl BatchNormState {
    fn norm(&self) -> BatchNorm<'_> {
        BatchNorm {
            moments: self.moments.as_slice(),
            weight: self.weight.as_slice(),
            bias: self.bias.as_slice(),
            epsilon: self.epsilon,
            relu: self.relu,
        }
    }
}

#[derive(Debug)]
struct BatchNormBackward;

impl Backward<Flex, 3> for BatchNormBackward {
    type State = BatchNormState;

    fn backward(self, ops: Ops<BatchNormState, 3>, gradients: &mut Gradients, _: &mut Checkpointer) {
        let state = ops.state;
        // An owned buffer: the gradient of the input is written over it.
        let gradient = into_vec(gradients.consume::<Flex>(&ops.node));
        let values = state.norm().backward(gradient, state.x.as_slice());
        let shapes = [&state.x, &state.weight, &state.bias].map(HostTensor::shape);
        register_each(
            gradients,
            ops.parents.map(|parent| parent.map(|node| node.id)),
            values.into_iter().zip(shapes),
        );
    }
}

/// Registers the gradient of each parent that requires one.
fn register_each<'a, const N: usize>(
    gradients: &mut Gradients,
    parents: [Option<NodeId>; N],
    values: impl Iterator<Item = (Vec<f32>, &'a [usize])>,
) {
    for (parent, (values, shape)) in parents.into_iter().zip(values) {
        if let Some(id) = parent {
            gradients.register::<Flex>(id, tensor(values, shape));
        }
    }
}
