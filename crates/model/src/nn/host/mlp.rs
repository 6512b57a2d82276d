//! A fused MLP, `then(x W₁ + b₁) W₂ + b₂ + skip`, and its gradients.
//!
//! The backward pass recomputes the output of the activation: saving it would add a quarter to the memory of a block.

use burn::backend::Flex;
use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops};
use burn::backend::flex::FlexTensor;

use super::linear::{After, before, before_then, of_input, of_weight, over_rows};
use super::numbers::{Numbers, tensor, with_width};
use crate::nn::Activation;

/// The layers and their input.
pub(super) struct Mlp {
    x: Numbers,
    weights: [Numbers; 2],
    biases: [Numbers; 2],
    skip: Numbers,
    then: Activation,
}

/// What the backward pass needs.
#[derive(Clone, Debug)]
pub(super) struct MlpState {
    /// The input, if the first weight is trained.
    x: Option<Numbers>,
    /// Shape of the input.
    shape: Vec<usize>,
    /// Input of the activation, `[…, hidden]`.
    hidden: Numbers,
    weights: [Numbers; 2],
    then: Activation,
}

impl Mlp {
    /// Takes `x`, `weight_1`, `bias_1`, `weight_2`, `bias_2`, `skip`; an empty tensor means no bias or no skip.
    pub fn of(parts: [FlexTensor; 6], then: Activation) -> Self {
        let [x, weight_1, bias_1, weight_2, bias_2, skip] = parts.map(Numbers::of);
        Self { x, weights: [weight_1, weight_2], biases: [bias_1, bias_2], skip, then }
    }

    /// The result.
    pub fn forward(self) -> FlexTensor {
        let mut hidden = self.first();
        self.after_first().apply(&mut hidden, self.weights[0].width());
        self.second(&hidden)
    }

    /// The result, and what the backward pass needs; `learns` says whether the first weight is trained.
    pub fn forward_kept(self, learns: bool) -> (MlpState, FlexTensor) {
        let (mut hidden, width) = (self.first(), self.weights[0].width());
        let after = self.after_first().apply_apart(&mut hidden, width);
        let out = self.second(&after);
        let shape = self.x.shape().to_vec();
        let hidden = Numbers::of(tensor(hidden, with_width(&shape, width)));
        let Self { x, weights, then, .. } = self;
        (MlpState { x: learns.then_some(x), shape, hidden, weights, then }, out)
    }

    fn first(&self) -> Vec<f32> {
        let weight = &self.weights[0];
        before(self.x.as_slice(), weight.as_slice(), [self.x.width(), weight.width()])
    }

    fn after_first(&self) -> After<'_> {
        After { bias: self.biases[0].given(), then: Some(self.then), skip: None }
    }

    fn second(&self, hidden: &[f32]) -> FlexTensor {
        let [first, weight] = &self.weights;
        let mut values = before(hidden, weight.as_slice(), [first.width(), weight.width()]);
        let after = After { bias: self.biases[1].given(), then: None, skip: self.skip.given() };
        after.apply(&mut values, weight.width());
        tensor(values, with_width(self.x.shape(), weight.width()))
    }
}

#[derive(Debug)]
pub(super) struct MlpBackward;

impl Backward<Flex, 6> for MlpBackward {
    type State = MlpState;

    fn backward(self, ops: Ops<MlpState, 6>, gradients: &mut Gradients, _: &mut Checkpointer) {
        let [of_x, of_w_1, of_b_1, of_w_2, of_b_2, of_skip] =
            ops.parents.map(|parent| parent.map(|node| node.id));
        let MlpState { x, shape, hidden, weights: [w_1, w_2], then } = ops.state;
        let gradient = gradients.consume::<Flex>(&ops.node);
        if let Some(id) = of_skip {
            gradients.register::<Flex>(id, gradient.clone());
        }
        let gradient = Numbers::of(gradient);
        let (values, width) = (gradient.as_slice(), w_1.width());
        let sizes = [width, w_2.width()];
        if let Some(id) = of_b_2 {
            gradients.register::<Flex>(id, tensor(over_rows(values, sizes[1]), [sizes[1]]));
        }
        if let Some(id) = of_w_2 {
            let mut after = hidden.as_slice().to_vec();
            After { bias: None, then: Some(then), skip: None }.apply(&mut after, width);
            gradients.register::<Flex>(id, tensor(of_weight(values, &after, sizes), sizes));
        }
        if [of_x, of_w_1, of_b_1].iter().all(Option::is_none) {
            return;
        }
        let values = before_then(of_input(values, w_2.as_slice(), sizes), hidden.as_slice(), then);
        let sizes = [shape.last().copied().unwrap_or(1), width];
        if let Some(id) = of_b_1 {
            gradients.register::<Flex>(id, tensor(over_rows(&values, width), [width]));
        }
        if let (Some(id), Some(x)) = (of_w_1, x) {
            gradients.register::<Flex>(id, tensor(of_weight(&values, x.as_slice(), sizes), sizes));
        }
        if let Some(id) = of_x {
            gradients.register::<Flex>(id, tensor(of_input(&values, w_1.as_slice(), sizes), shape));
        }
    }
}
