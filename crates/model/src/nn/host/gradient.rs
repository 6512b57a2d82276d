//! The fused operations for burn's CPU backend and for its autodiff decorator.

use burn::backend::autodiff::NodeId;
use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::flex::FlexTensor;
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Flex};

use super::attention::{attend, attend_back};
use super::batch::{self, BatchNorm};
use super::linear::{After, before, before_then, of_input, of_weight, over_rows};
use super::mlp::{Mlp, MlpBackward};
use super::norm::{norm, norm_back};
use super::numbers::{Numbers, own, tensor, with_width};
use super::{Layers, Looks, Then};
use crate::nn::Activation;

impl Layers for Flex {
    fn host_linear(
        x: FlexTensor,
        weight: FlexTensor,
        bias: FlexTensor,
        skip: FlexTensor,
        Then(then): Then,
    ) -> FlexTensor {
        let [x, weight, bias, skip] = [x, weight, bias, skip].map(Numbers::of);
        let width = weight.width();
        let mut values = before(x.as_slice(), weight.as_slice(), [x.width(), width]);
        After { bias: bias.given(), then, skip: skip.given() }.apply(&mut values, width);
        tensor(values, with_width(x.shape(), width))
    }

    fn host_mlp(
        x: FlexTensor,
        weight_1: FlexTensor,
        bias_1: FlexTensor,
        weight_2: FlexTensor,
        bias_2: FlexTensor,
        skip: FlexTensor,
        then: Activation,
    ) -> FlexTensor {
        Mlp::of([x, weight_1, bias_1, weight_2, bias_2, skip], then).forward()
    }

    fn host_norm(x: FlexTensor, weight: FlexTensor, bias: FlexTensor, epsilon: f64) -> FlexTensor {
        let [x, weight, bias] = [x, weight, bias].map(Numbers::of);
        tensor(norm(x.as_slice(), weight.as_slice(), bias.as_slice(), epsilon as f32), x.shape())
    }

    fn host_attention(packed: FlexTensor, looks: Looks) -> FlexTensor {
        let packed = Numbers::of(packed);
        let [groups, length] = [packed.shape()[0], packed.shape()[1]];
        let values = attend(packed.as_slice(), length, looks);
        tensor(values, [groups, looks.queries(length), looks.heads * looks.head_width])
    }

    fn host_moments(x: FlexTensor) -> FlexTensor {
        let x = Numbers::of(x);
        tensor(batch::moments(x.as_slice(), x.width()), [2, x.width()])
    }

    fn host_batch_norm(
        x: FlexTensor,
        moments: FlexTensor,
        weight: FlexTensor,
        bias: FlexTensor,
        epsilon: f64,
        relu: bool,
    ) -> FlexTensor {
        let [x, moments, weight, bias] = [x, moments, weight, bias].map(Numbers::of);
        let state = BatchState { x, moments, weight, bias, epsilon: epsilon as f32, relu };
        tensor(state.norm().apply(state.x.as_slice()), state.x.shape())
    }
}

impl<C: CheckpointStrategy> Layers for Autodiff<Flex, C> {
    fn host_linear(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        skip: FloatTensor<Self>,
        then: Then,
    ) -> FloatTensor<Self> {
        let learns = weight.is_tracked();
        let [(x, x_node), (weight, weight_node), (bias, bias_node), (skip, skip_node)] =
            [x, weight, bias, skip].map(|tensor| tensor.into_parts());
        let prepared =
            LinearBackward.prepare::<C>([x_node, weight_node, bias_node, skip_node]).compute_bound();
        match prepared.stateful() {
            OpsKind::UnTracked(prepared) => prepared.finish(Flex::host_linear(x, weight, bias, skip, then)),
            OpsKind::Tracked(prepared) => {
                let (state, out) = LinearState::forward([x, weight], [bias, skip], then, learns);
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
        then: Activation,
    ) -> FloatTensor<Self> {
        let learns = weight_1.is_tracked();
        let [x, w_1, b_1, w_2, b_2, skip] =
            [x, weight_1, bias_1, weight_2, bias_2, skip].map(|tensor| tensor.into_parts());
        let nodes = [x.1, w_1.1, b_1.1, w_2.1, b_2.1, skip.1];
        let mlp = Mlp::of([x.0, w_1.0, b_1.0, w_2.0, b_2.0, skip.0], then);
        match MlpBackward.prepare::<C>(nodes).compute_bound().stateful() {
            OpsKind::UnTracked(prepared) => prepared.finish(mlp.forward()),
            OpsKind::Tracked(prepared) => {
                let (state, out) = mlp.forward_kept(learns);
                prepared.finish(state, out)
            }
        }
    }

    fn host_norm(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        epsilon: f64,
    ) -> FloatTensor<Self> {
        let [(x, x_node), (weight, weight_node), (bias, bias_node)] =
            [x, weight, bias].map(|tensor| tensor.into_parts());
        let prepared = NormBackward.prepare::<C>([x_node, weight_node, bias_node]).compute_bound();
        let out = Flex::host_norm(x.clone(), weight.clone(), bias, epsilon);
        match prepared.stateful() {
            OpsKind::UnTracked(prepared) => prepared.finish(out),
            OpsKind::Tracked(prepared) => {
                prepared.finish((Numbers::of(x), Numbers::of(weight), epsilon as f32), out)
            }
        }
    }

    fn host_attention(packed: FloatTensor<Self>, looks: Looks) -> FloatTensor<Self> {
        let (packed, node) = packed.into_parts();
        let prepared = AttentionBackward.prepare::<C>([node]).compute_bound();
        let out = Flex::host_attention(packed.clone(), looks);
        match prepared.stateful() {
            OpsKind::UnTracked(prepared) => prepared.finish(out),
            OpsKind::Tracked(prepared) => prepared.finish((Numbers::of(packed), looks), out),
        }
    }

    fn host_moments(x: FloatTensor<Self>) -> FloatTensor<Self> {
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
        let moments = Numbers::of(moments.into_primitive());
        let prepared = BatchBackward.prepare::<C>([x_node, weight_node, bias_node]).compute_bound();
        let [x, weight, bias] = [x, weight, bias].map(Numbers::of);
        let state = BatchState { x, moments, weight, bias, epsilon: epsilon as f32, relu };
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
    x: Option<Numbers>,
    /// Shape of the input.
    shape: Vec<usize>,
    weight: Numbers,
    /// The activation and its input.
    then: Option<(Numbers, Activation)>,
}

impl LinearState {
    fn forward(
        [x, weight]: [FlexTensor; 2],
        [bias, skip]: [FlexTensor; 2],
        Then(then): Then,
        learns: bool,
    ) -> (Self, FlexTensor) {
        let [x, weight, bias, skip] = [x, weight, bias, skip].map(Numbers::of);
        let width = weight.width();
        let out_shape = with_width(x.shape(), width);
        let mut values = before(x.as_slice(), weight.as_slice(), [x.width(), width]);
        let after = After { bias: bias.given(), then, skip: skip.given() };
        match then {
            None => {
                after.apply(&mut values, width);
                let shape = x.shape().to_vec();
                let state = Self { x: learns.then_some(x), shape, weight, then: None };
                (state, tensor(values, out_shape))
            }
            Some(activation) => {
                let out = after.apply_apart(&mut values, width);
                let before = Numbers::of(tensor(values, out_shape.clone()));
                let shape = x.shape().to_vec();
                let then = Some((before, activation));
                (Self { x: learns.then_some(x), shape, weight, then }, tensor(out, out_shape))
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
        let LinearState { x, shape, weight, then } = ops.state;
        let gradient = gradients.consume::<Flex>(&ops.node);
        if let Some(id) = of_skip {
            gradients.register::<Flex>(id, gradient.clone());
        }
        let gradient = match then {
            None => Numbers::of(gradient),
            Some((before, activation)) => {
                let values = own(gradient);
                Numbers::of(tensor(before_then(values, before.as_slice(), activation), before.shape()))
            }
        };
        let sizes = [shape.last().copied().unwrap_or(1), weight.width()];
        let mut register = |id: Option<NodeId>, shape: &[usize], values: &dyn Fn() -> Vec<f32>| {
            if let Some(id) = id {
                gradients.register::<Flex>(id, tensor(values(), shape));
            }
        };
        let values = gradient.as_slice();
        register(of_bias, &sizes[1..], &|| over_rows(values, sizes[1]));
        let x = x.as_ref().map_or(&[][..], Numbers::as_slice);
        register(of_w, &sizes, &|| of_weight(values, x, sizes));
        register(of_x, &shape, &|| of_input(values, weight.as_slice(), sizes));
    }
}

#[derive(Debug)]
struct NormBackward;

impl Backward<Flex, 3> for NormBackward {
    type State = (Numbers, Numbers, f32);

    fn backward(self, ops: Ops<Self::State, 3>, gradients: &mut Gradients, _: &mut Checkpointer) {
        let (x, weight, epsilon) = ops.state;
        let gradient = Numbers::of(gradients.consume::<Flex>(&ops.node));
        let values = norm_back(gradient.as_slice(), x.as_slice(), weight.as_slice(), epsilon);
        let shapes = [x.shape(), weight.shape(), weight.shape()];
        register_each(
            gradients,
            ops.parents.map(|parent| parent.map(|node| node.id)),
            values.into_iter().zip(shapes),
        );
    }
}

#[derive(Clone, Debug)]
struct BatchState {
    x: Numbers,
    moments: Numbers,
    weight: Numbers,
    bias: Numbers,
    epsilon: f32,
    relu: bool,
}

impl BatchState {
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
struct BatchBackward;

impl Backward<Flex, 3> for BatchBackward {
    type State = BatchState;

    fn backward(self, ops: Ops<BatchState, 3>, gradients: &mut Gradients, _: &mut Checkpointer) {
        let state = ops.state;
        let gradient = own(gradients.consume::<Flex>(&ops.node));
        let values = state.norm().back(gradient, state.x.as_slice());
        let shapes = [&state.x, &state.weight, &state.bias].map(Numbers::shape);
        register_each(
            gradients,
            ops.parents.map(|parent| parent.map(|node| node.id)),
            values.into_iter().zip(shapes),
        );
    }
}

#[derive(Debug)]
struct AttentionBackward;

impl Backward<Flex, 1> for AttentionBackward {
    type State = (Numbers, Looks);

    fn backward(self, ops: Ops<Self::State, 1>, gradients: &mut Gradients, _: &mut Checkpointer) {
        let (packed, looks) = ops.state;
        let gradient = Numbers::of(gradients.consume::<Flex>(&ops.node));
        let [Some(parent)] = ops.parents else { return };
        let values = attend_back(gradient.as_slice(), packed.as_slice(), packed.shape()[1], looks);
        gradients.register::<Flex>(parent.id, tensor(values, packed.shape()));
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
