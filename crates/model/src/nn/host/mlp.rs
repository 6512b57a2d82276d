//! A fused MLP, `activation(x W₁ + b₁) W₂ + b₂ + skip`, and its gradients.
//!
//! The backward pass recomputes the output of the activation: saving it would add a quarter to the memory of a block.

use burn::backend::Flex;
use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops};
use burn::backend::flex::FlexTensor;

use super::host_tensor::{HostTensor, tensor, with_last_dim};
use super::linear::{Epilogue, activation_backward, before, input_gradient, sum_rows, weight_gradient};
use crate::nn::Activation;

/// The layers and their input.
pub(super) struct Mlp {
    x: HostTensor,
    weights: [HostTensor; 2],
    biases: [HostTensor; 2],
    skip: HostTensor,
    activation: Activation,
}

/// What the backward pass needs.
#[derive(Clone, Debug)]
pub(super) struct MlpState {
    /// The input, if the first weight is trained.
    x: Option<HostTensor>,
    /// Shape of the input.
    shape: Vec<usize>,
    /// Input of the activation, `[…, hidden]`.
    hidden: HostTensor,
    weights: [HostTensor; 2],
    activation: Activation,
}

impl Mlp {
    /// Takes `x`, `weight_1`, `bias_1`, `weight_2`, `bias_2`, `skip`; an empty tensor means no bias or no skip.
    pub fn of(parts: [FlexTensor; 6], activation: Activation) -> Self {
        let [x, weight_1, bias_1, weight_2, bias_2, skip] = parts.map(HostTensor::of);
        Self { x, weights: [weight_1, weight_2], biases: [bias_1, bias_2], skip, activation }
    }

    /// The result.
    pub fn forward(self) -> FlexTensor {
        let mut hidden = self.first();
        self.first_epilogue().apply(&mut hidden, self.weights[0].width());
        self.second(&hidden)
    }

    /// The result, and what the backward pass needs; `learns` says whether the first weight is trained.
    pub fn forward_with_state(self, learns: bool) -> (MlpState, FlexTensor) {
        let (mut hidden, width) = (self.first(), self.weights[0].width());
        // `hidden` becomes the pre-activation, which the derivative needs; `after` is dropped and recomputed.
        let after = self.first_epilogue().apply_out_of_place(&mut hidden, width);
        let out = self.second(&after);
        let shape = self.x.shape().to_vec();
        let hidden = HostTensor::of(tensor(hidden, with_last_dim(&shape, width)));
        let Self { x, weights, activation, .. } = self;
        (MlpState { x: learns.then_some(x), shape, hidden, weights, activation }, out)
    }

    fn first(&self) -> Vec<f32> {
        let weight = &self.weights[0];
        before(self.x.as_slice(), weight.as_slice(), [self.x.width(), weight.width()])
    }

    fn first_epilogue(&self) -> Epilogue<'_> {
        Epilogue { bias: self.biases[0].non_empty(), activation: Some(self.activation), skip: None }
    }

    fn second(&self, hidden: &[f32]) -> FlexTensor {
        let [first, weight] = &self.weights;
        let mut values = before(hidden, weight.as_slice(), [first.width(), weight.width()]);
        let after =
            Epilogue { bias: self.biases[1].non_empty(), activation: None, skip: self.skip.non_empty() };
        after.apply(&mut values, weight.width());
        tensor(values, with_last_dim(self.x.shape(), weight.width()))
    }
}

#[derive(Debug)]
pub(super) struct MlpBackward;

impl Backward<Flex, 6> for MlpBackward {
    type State = MlpState;

    fn backward(self, ops: Ops<MlpState, 6>, gradients: &mut Gradients, _: &mut Checkpointer) {
        let [of_x, of_w_1, of_b_1, of_w_2, of_b_2, of_skip] =
            ops.parents.map(|parent| parent.map(|node| node.id));
        let MlpState { x, shape, hidden, weights: [w_1, w_2], activation } = ops.state;
        let gradient = gradients.consume::<Flex>(&ops.node);
        // The skip connection passes the gradient through unchanged.
        if let Some(id) = of_skip {
            gradients.register::<Flex>(id, gradient.clone());
        }
        let gradient = HostTensor::of(gradient);
        let (values, width) = (gradient.as_slice(), w_1.width());
        let sizes = [width, w_2.width()];
        if let Some(id) = of_b_2 {
            gradients.register::<Flex>(id, tensor(sum_rows(values, sizes[1]), [sizes[1]]));
        }
        if let Some(id) = of_w_2 {
            // Recomputes the output of the activation instead of keeping it since the forward pass.
            let mut after = hidden.as_slice().to_vec();
            Epilogue { bias: None, activation: Some(activation), skip: None }.apply(&mut after, width);
            gradients.register::<Flex>(id, tensor(weight_gradient(values, &after, sizes), sizes));
        }
        // A frozen first half needs no gradient of the hidden layer.
        if [of_x, of_w_1, of_b_1].iter().all(Option::is_none) {
            return;
        }
        let values =
            activation_backward(input_gradient(values, w_2.as_slice(), sizes), hidden.as_slice(), activation);
        // From here on, everything is about the first layer.
        let sizes = [shape.last().copied().unwrap_or(1), width];
        if let Some(id) = of_b_1 {
            gradients.register::<Flex>(id, tensor(sum_rows(&values, width), [width]));
        }
        if let (Some(id), Some(x)) = (of_w_1, x) {
            gradients.register::<Flex>(id, tensor(weight_gradient(&values, x.as_slice(), sizes), sizes));
        }
        if let Some(id) = of_x {
            gradients.register::<Flex>(id, tensor(input_gradient(&values, w_1.as_slice(), sizes), shape));
        }
    }
}
