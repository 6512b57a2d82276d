//! A fused MLP, `activation(x W₁ + b₁) W₂ + b₂ + skip`, and its gradients.
//!
//! The backward pass recomputes the output of the activation: saving it would add a quarter to the memory of a block. What is
//! as wide as the hidden layer and not kept exists only for some rows at a time.

use std::ops::Range;

use burn::backend::Flex;
use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops};
use burn::backend::flex::FlexTensor;

use super::FusedMlp;
use super::host_tensor::{HostTensor, tensor, with_last_dim};
use super::linear::{
    Epilogue, activation_backward, before, before_into, input_gradient, sum_rows, weight_gradient,
};

/// The layers and their input.
pub(super) struct Mlp {
    x: HostTensor,
    weights: [HostTensor; 2],
    biases: [HostTensor; 2],
    skip: HostTensor,
    fused: FusedMlp,
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
    fused: FusedMlp,
}

impl Mlp {
    /// Takes `x`, `weight_1`, `bias_1`, `weight_2`, `bias_2`, `skip`; an empty tensor means no bias or no skip.
    pub fn of(parts: [FlexTensor; 6], fused: FusedMlp) -> Self {
        let [x, weight_1, bias_1, weight_2, bias_2, skip] = parts.map(HostTensor::of);
        Self { x, weights: [weight_1, weight_2], biases: [bias_1, bias_2], skip, fused }
    }

    /// The result.
    pub fn forward(self) -> FlexTensor {
        let width = self.weights[0].width();
        self.result(|x, out, rows| {
            let mut hidden = self.pre_activation(x);
            self.first_epilogue().apply(&mut hidden, width);
            self.second(&hidden, out, rows);
        })
    }

    /// The result, and what the backward pass needs; `learns` says whether the first weight is trained.
    pub fn forward_with_state(self, learns: bool) -> (MlpState, FlexTensor) {
        let width = self.weights[0].width();
        let mut hidden = Vec::new();
        let out = self.result(|x, out, rows| {
            let mut some = self.pre_activation(x);
            // `some` becomes the pre-activation, which the derivative needs; `after` is dropped and recomputed.
            let after = self.first_epilogue().apply_out_of_place(&mut some, width);
            self.second(&after, out, rows);
            append(&mut hidden, some, self.rows() * width);
        });
        let shape = self.x.shape().to_vec();
        let hidden = HostTensor::of(tensor(hidden, with_last_dim(&shape, width)));
        let Self { x, weights, fused, .. } = self;
        (MlpState { x: learns.then_some(x), shape, hidden, weights, fused }, out)
    }

    /// Calls `compute` with some rows of the input, the same rows of the output, and their range.
    fn result(&self, mut compute: impl FnMut(&[f32], &mut [f32], Range<usize>)) -> FlexTensor {
        let (x, [width, output]) = (self.x.as_slice(), [self.x.width(), self.weights[1].width()]);
        let mut out = vec![0.0; self.rows() * output];
        for rows in chunks(self.rows()) {
            let (x, out) = (part(x, &rows, width), &mut out[rows.start * output..rows.end * output]);
            compute(x, out, rows);
        }
        tensor(out, with_last_dim(self.x.shape(), output))
    }

    fn rows(&self) -> usize {
        self.x.as_slice().len() / self.x.width().max(1)
    }

    fn pre_activation(&self, x: &[f32]) -> Vec<f32> {
        let weight = &self.weights[0];
        before(x, weight.as_slice(), [self.x.width(), weight.width()], self.fused.products)
    }

    fn first_epilogue(&self) -> Epilogue<'_> {
        Epilogue { bias: self.biases[0].non_empty(), activation: Some(self.fused.activation), skip: None }
    }

    fn second(&self, hidden: &[f32], out: &mut [f32], rows: Range<usize>) {
        let [first, weight] = &self.weights;
        let sizes = [first.width(), weight.width()];
        before_into(out, hidden, weight.as_slice(), sizes, self.fused.products);
        let skip = self.skip.non_empty().map(|skip| part(skip, &rows, weight.width()));
        let after = Epilogue { bias: self.biases[1].non_empty(), activation: None, skip };
        after.apply(out, weight.width());
    }
}

/// Rows at a time: enough that packing the weights is little of the work.
const ROWS: usize = 4096;

/// Ranges of rows; an empty one if there are none.
fn chunks(rows: usize) -> impl Iterator<Item = Range<usize>> {
    (0..rows.max(1)).step_by(ROWS).map(move |start| start..(start + ROWS).min(rows))
}

fn part<'a>(values: &'a [f32], rows: &Range<usize>, width: usize) -> &'a [f32] {
    &values[rows.start * width..rows.end * width]
}

/// Appends without a copy where the list is still empty and nothing follows.
fn append(list: &mut Vec<f32>, values: Vec<f32>, capacity: usize) {
    if list.is_empty() && values.len() == capacity {
        *list = values;
    } else {
        list.reserve_exact(capacity - list.len());
        list.extend(values);
    }
}

#[derive(Debug)]
pub(super) struct MlpBackward;

impl Backward<Flex, 6> for MlpBackward {
    type State = MlpState;

    fn backward(self, ops: Ops<MlpState, 6>, gradients: &mut Gradients, _: &mut Checkpointer) {
        let [of_x, of_w_1, of_b_1, of_w_2, of_b_2, of_skip] =
            ops.parents.map(|parent| parent.map(|node| node.id));
        let (state, gradient) = (ops.state, gradients.consume::<Flex>(&ops.node));
        // The skip connection passes the gradient through unchanged.
        if let Some(id) = of_skip {
            gradients.register::<Flex>(id, gradient.clone());
        }
        let gradient = HostTensor::of(gradient);
        let ids = [of_x, of_w_1, of_b_1, of_w_2, of_b_2];
        let [input, hidden, output] = state.sizes();
        let shapes =
            [state.shape.clone(), vec![input, hidden], vec![hidden], vec![hidden, output], vec![output]];
        let values = state.gradients(gradient.as_slice(), ids.map(|id| id.is_some()));
        for ((id, values), shape) in ids.into_iter().zip(values).zip(shapes) {
            if let (Some(id), Some(values)) = (id, values) {
                gradients.register::<Flex>(id, tensor(values, shape));
            }
        }
    }
}

impl MlpState {
    /// Widths of the input, the hidden layer and the output.
    fn sizes(&self) -> [usize; 3] {
        let [w_1, w_2] = &self.weights;
        [self.shape.last().copied().unwrap_or(1), w_1.width(), w_2.width()]
    }

    /// Gradients of `x`, `weight_1`, `bias_1`, `weight_2` and `bias_2`, those that are asked for.
    fn gradients(&self, gradient: &[f32], asked: [bool; 5]) -> [Option<Vec<f32>>; 5] {
        let [_, hidden, output] = self.sizes();
        let rows = gradient.len() / output.max(1);
        let mut found: [Option<Vec<f32>>; 5] = Default::default();
        for rows in chunks(rows) {
            let of_hidden = part(self.hidden.as_slice(), &rows, hidden);
            let some = self.chunk_gradients(part(gradient, &rows, output), of_hidden, &rows, asked);
            let count = self.shape.iter().product();
            for (at, (sum, some)) in found.iter_mut().zip(some).enumerate() {
                let Some(some) = some else { continue };
                match sum {
                    // Rows of the input follow each other; everything else is summed up.
                    _ if at == 0 => append(sum.get_or_insert_default(), some, count),
                    Some(sum) => sum.iter_mut().zip(some).for_each(|(sum, x)| *sum += x),
                    None => *sum = Some(some),
                }
            }
        }
        found
    }

    fn chunk_gradients(
        &self,
        gradient: &[f32],
        hidden: &[f32],
        rows: &Range<usize>,
        [of_x, of_w_1, of_b_1, of_w_2, of_b_2]: [bool; 5],
    ) -> [Option<Vec<f32>>; 5] {
        let ([w_1, w_2], [input, width, output]) = (&self.weights, self.sizes());
        let products = self.fused.products;
        let of_b_2 = of_b_2.then(|| sum_rows(gradient, output));
        let of_w_2 = of_w_2.then(|| {
            // Recomputes the output of the activation instead of keeping it since the forward pass.
            let mut after = hidden.to_vec();
            Epilogue { bias: None, activation: Some(self.fused.activation), skip: None }
                .apply(&mut after, width);
            weight_gradient(gradient, &after, [width, output], products)
        });
        // A frozen first half needs no gradient of the hidden layer.
        if !(of_x || of_w_1 || of_b_1) {
            return [None, None, None, of_w_2, of_b_2];
        }
        let values = input_gradient(gradient, w_2.as_slice(), [width, output], products);
        let values = activation_backward(values, hidden, self.fused.activation);
        let x = self.x.as_ref().map(|x| part(x.as_slice(), rows, input));
        [
            of_x.then(|| input_gradient(&values, w_1.as_slice(), [input, width], products)),
            x.filter(|_| of_w_1).map(|x| weight_gradient(&values, x, [input, width], products)),
            of_b_1.then(|| sum_rows(&values, width)),
            of_w_2,
            of_b_2,
        ]
    }
}
