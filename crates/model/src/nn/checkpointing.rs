//! Activation checkpointing: only the input of a part of the network is kept, and its forward pass is computed again in the
//! backward pass ([arXiv 1604.06174](https://arxiv.org/abs/1604.06174)).

use std::fmt::{self, Debug, Formatter};
use std::sync::Arc;

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::NoCheckpointing;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend, BackendTensor, DispatchKindConversion, DispatchTensor, Flex};
use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::tensor::Tensor;

/// Tensors that may receive a gradient: the input and up to 31 parameters. A block has 12, and 8 more with adapters.
const PARENTS: usize = 32;

/// `forward(module, x)`, `[rows, tokens, width]` → the same shape, which keeps nothing for the backward pass but `x`. `forward`
/// must give the same result each time: random numbers are drawn before.
pub(super) fn checkpointed<M: Module + Sync + 'static>(
    module: &M,
    x: Tensor<3>,
    forward: impl Fn(&M, Tensor<3>) -> Tensor<3> + Send + Sync + 'static,
) -> Tensor<3> {
    let mut parents = TrackedTensors::of(&x, module);
    // Nothing to learn: nothing is kept anyway.
    if !x.is_autodiff() || parents.0.is_empty() {
        return forward(module, x);
    }
    assert!(parents.0.len() <= PARENTS, "{} tensors of a part of the network are trained", parents.0.len());
    let x_is_tracked = x.is_tracked();
    let mut trained = Vec::new();
    let module = module.clone().map(&mut WithoutAutodiff { trained: &mut trained });
    let x = x.inner();
    // As constants of a graph, not outside of one: burn has other kernels there, with other rounding.
    let constants = module.clone().map(&mut WithAutodiff { trained: [].iter() });
    let out = forward(&constants, x.clone().autodiff()).inner();
    let part = Arc::new(Part { module, trained, x, x_is_tracked, forward });
    parents.0.resize_with(PARENTS, || Tensor::<1>::empty([0], &out.device()).autodiff().into_dispatch());
    record_on_device(out, parents.0, Recomputation(part))
}

/// A part of the network, without its activations.
struct Part<M, F> {
    /// Outside of the graph.
    module: M,
    /// Whether each parameter receives a gradient, in the order in which the module is visited.
    trained: Vec<bool>,
    x: Tensor<3>,
    x_is_tracked: bool,
    forward: F,
}

/// Computes gradients from that of the output `[rows, tokens, width]`.
trait Recompute: Send + Sync {
    /// Gradients of the tracked tensors: of the input, and of parameters in the order in which the module is visited.
    fn gradients(&self, gradient: Tensor<3>) -> Vec<DispatchTensor>;
}

impl<M, F> Recompute for Part<M, F>
where
    M: Module + Sync,
    F: Fn(&M, Tensor<3>) -> Tensor<3> + Send + Sync,
{
    fn gradients(&self, gradient: Tensor<3>) -> Vec<DispatchTensor> {
        let module = self.module.clone().map(&mut WithAutodiff { trained: self.trained.iter() });
        let x = self.x.clone().autodiff().set_require_grad(self.x_is_tracked);
        let out = (self.forward)(&module, x.clone());
        // The gradient of this sum with respect to the output is `gradient`, to the bit.
        let gradients = (out * gradient.autodiff()).sum().backward();
        let mut found = LeafGradients { gradients, found: Vec::new() };
        if self.x_is_tracked {
            found.push(&x);
        }
        module.visit(&mut found);
        found.found
    }
}

/// What the backward pass needs.
#[derive(Clone)]
struct Recomputation(Arc<dyn Recompute>);

impl Debug for Recomputation {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("Recomputation")
    }
}

#[derive(Debug)]
struct CheckpointBackward;

impl<B> Backward<B, PARENTS> for CheckpointBackward
where
    B: Backend,
    DispatchTensor: DispatchKindConversion<B>,
{
    type State = Recomputation;

    fn backward(self, ops: Ops<Recomputation, PARENTS>, gradients: &mut Gradients, _: &mut Checkpointer) {
        let gradient = Tensor::from_primitive::<B>(gradients.consume::<B>(&ops.node));
        let found = ops.state.0.gradients(gradient);
        for (parent, found) in ops.parents.into_iter().flatten().zip(found) {
            gradients.register::<B>(parent.id, primitive::<B>(found));
        }
    }
}

/// Adds the operation to the graph of the device's backend.
fn record_on_device(out: Tensor<3>, parents: Vec<DispatchTensor>, state: Recomputation) -> Tensor<3> {
    match out.clone().try_into_primitive::<Flex>() {
        Ok(out) => record::<Flex>(out, parents, state),
        #[cfg(any(feature = "wgpu", feature = "vulkan", feature = "cuda", feature = "metal"))]
        Err(_) => {
            let out =
                out.try_into_primitive::<burn::backend::Cube>().expect("no other backend is compiled in");
            record::<burn::backend::Cube>(out, parents, state)
        }
        #[cfg(not(any(feature = "wgpu", feature = "vulkan", feature = "cuda", feature = "metal")))]
        Err(error) => unreachable!("no other backend is compiled in: {error:?}"),
    }
}

fn record<B>(out: FloatTensor<B>, parents: Vec<DispatchTensor>, state: Recomputation) -> Tensor<3>
where
    B: Backend,
    DispatchTensor: DispatchKindConversion<B> + DispatchKindConversion<Autodiff<B>>,
{
    let nodes: Vec<_> = parents.into_iter().map(|parent| primitive::<Autodiff<B>>(parent).node()).collect();
    let nodes = nodes.try_into().expect("the list was resized to this length");
    let prepared = Backward::<B, PARENTS>::prepare::<NoCheckpointing>(CheckpointBackward, nodes);
    Tensor::from_primitive::<Autodiff<B>>(match prepared.compute_bound().stateful() {
        OpsKind::Tracked(prepared) => prepared.finish(state, out),
        OpsKind::UnTracked(prepared) => prepared.finish(out),
    })
}

/// The tensor of a backend.
fn primitive<B: Backend>(tensor: DispatchTensor) -> FloatTensor<B>
where
    DispatchTensor: DispatchKindConversion<B>,
{
    match <DispatchTensor as DispatchKindConversion<B>>::try_into_backend(tensor) {
        Ok(BackendTensor::Float(tensor)) => tensor,
        _ => unreachable!("input, parameters and gradients are on one device"),
    }
}

/// Tensors of the graph that an operation depends on.
struct TrackedTensors(Vec<DispatchTensor>);

impl TrackedTensors {
    fn of<M: Module>(x: &Tensor<3>, module: &M) -> Self {
        let mut found = Self(Vec::new());
        found.push(x.clone());
        module.visit(&mut found);
        found
    }

    fn push<const D: usize>(&mut self, tensor: Tensor<D>) {
        if tensor.is_tracked() {
            self.0.push(tensor.into_dispatch());
        }
    }
}

impl ModuleVisitor for TrackedTensors {
    fn visit_float<const D: usize>(&mut self, parameter: &Param<Tensor<D>>) {
        self.push(parameter.val());
    }
}

/// Takes parameters out of the graph, and notes which were tracked.
struct WithoutAutodiff<'a> {
    trained: &'a mut Vec<bool>,
}

impl ModuleMapper for WithoutAutodiff<'_> {
    fn map_float<const D: usize>(&mut self, parameter: Param<Tensor<D>>) -> Param<Tensor<D>> {
        self.trained.push(parameter.val().is_tracked());
        parameter.map(Tensor::inner)
    }
}

/// Makes parameters leaves of a new graph.
struct WithAutodiff<'a> {
    trained: std::slice::Iter<'a, bool>,
}

impl ModuleMapper for WithAutodiff<'_> {
    fn map_float<const D: usize>(&mut self, parameter: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let trained = self.trained.next().copied().unwrap_or(false);
        parameter.map(|tensor| tensor.autodiff().set_require_grad(trained))
    }
}

/// Takes the gradients of leaves.
struct LeafGradients {
    gradients: burn::tensor::Gradients,
    found: Vec<DispatchTensor>,
}

impl LeafGradients {
    fn push<const D: usize>(&mut self, leaf: &Tensor<D>) {
        // A parameter that the output does not depend on has a gradient of 0.
        let found = leaf.grad_remove(&mut self.gradients);
        let found = found.unwrap_or_else(|| leaf.clone().inner().zeros_like());
        self.found.push(found.into_dispatch());
    }
}

impl ModuleVisitor for LeafGradients {
    fn visit_float<const D: usize>(&mut self, parameter: &Param<Tensor<D>>) {
        let leaf = parameter.val();
        if leaf.is_require_grad() {
            self.push(&leaf);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use burn::tensor::{Device, TensorData};

    use super::*;
    use crate::nn::{
        Activation, AttentionScope, BlockOptions, DropPath, Linear, MlpStyle, Transformer, TransformerConfig,
    };
    use crate::weights::WeightSource;

    fn tokens(seed: usize) -> Tensor<3> {
        let values = (0..6 * 5 * 32).map(|i| ((i * 7919 + seed * 104_729) % 2017) as f32 / 1008.5 - 1.0);
        let data = TensorData::new(values.collect::<Vec<f32>>(), [6, 5, 32]);
        Tensor::from_data(data, &Device::flex().autodiff())
    }

    fn bits<const D: usize>(x: Tensor<D>) -> Vec<u32> {
        x.into_data().iter::<f32>().map(f32::to_bits).collect()
    }

    /// Gradients of parameters that require one.
    struct Found(burn::tensor::Gradients, Vec<Vec<u32>>);

    impl ModuleVisitor for Found {
        fn visit_float<const D: usize>(&mut self, parameter: &Param<Tensor<D>>) {
            if let Some(gradient) = parameter.val().grad(&self.0) {
                self.1.push(bits(gradient));
            }
        }
    }

    /// The output, and gradients of the input and of all parameters.
    fn learned(
        network: &Transformer,
        forward: impl Fn(&Transformer, Tensor<3>) -> Tensor<3>,
    ) -> Vec<Vec<u32>> {
        let x = tokens(1).require_grad();
        let out = forward(network, x.clone());
        let [rows, count, width] = out.dims();
        let weights = tokens(2).slice([0..rows, 0..count, 0..width]);
        let gradients = (out.clone() * weights).sum().backward();
        let of_x = bits(x.grad(&gradients).unwrap());
        let mut found = Found(gradients, vec![bits(out), of_x]);
        network.visit(&mut found);
        found.1
    }

    fn network(adapters: bool) -> Transformer {
        let config = TransformerConfig {
            width: 32,
            layers: 3,
            heads: 2,
            head_width: 16,
            qkv_bias: true,
            mlp_width: 64,
            activation: Activation::Gelu,
            epsilon: 1e-5,
            mlp: MlpStyle::default(),
        };
        let source = WeightSource::random(5, &Device::flex().autodiff());
        let network = Transformer::load(&source, "t", &config).unwrap();
        if adapters { network.with_lora(&source, 4, 1).unwrap() } else { network }
    }

    fn check(network: Transformer, forward: impl Fn(&Transformer, Tensor<3>) -> Tensor<3>, gradients: usize) {
        let kept = learned(&network, &forward);
        assert_eq!(kept.len(), 2 + gradients);
        let options = BlockOptions { checkpoint_activations: true, ..BlockOptions::default() };
        assert!(kept == learned(&network.with_block_options(options), &forward));
    }

    #[test]
    fn gradients_are_the_same_bits() {
        let views = |layer| if layer == 0 { AttentionScope::Full } else { AttentionScope::Views(3) };
        let plain = |network: &Transformer, x: Tensor<3>| network.forward(x, views, |_, x| x, |_, _| {});
        check(network(false), plain, 36);
        check(network(true), plain, 36 + 16);
        check(
            network(false),
            |network, x| network.forward_first_token(x, 0..3, |_| AttentionScope::Causal, |_, x| x * 1.5),
            36,
        );
        let drop = DropPath { rate: 0.6, seed: 3, first_row: 2 };
        check(
            network(false),
            |network, x| network.forward_with_drop_path(x, |_| AttentionScope::Full, |_, x| x, drop),
            36,
        );
        // As CLIP's towers are fine-tuned: some parameters are frozen, those of the first blocks all.
        struct FreezeSome(usize);
        impl ModuleMapper for FreezeSome {
            fn map_float<const D: usize>(&mut self, parameter: Param<Tensor<D>>) -> Param<Tensor<D>> {
                self.0 += 1;
                let trained = self.0 > 16 && self.0.is_multiple_of(3);
                parameter.map(|tensor| tensor.set_require_grad(trained))
            }
        }
        check(network(false).map(&mut FreezeSome(0)), plain, 7);
    }

    #[test]
    fn the_forward_pass_runs_again_only_if_something_is_trained() {
        static CALLS: AtomicUsize = AtomicUsize::new(0);
        let device = Device::flex().autodiff();
        let layer = Linear::from_weight(Tensor::ones([32, 32], &device), None);
        let count = |layer: &Linear, x: Tensor<3>| {
            CALLS.fetch_add(1, Ordering::Relaxed);
            layer.forward(x)
        };
        let out = checkpointed(&layer, tokens(1), count);
        assert_eq!(CALLS.load(Ordering::Relaxed), 1);
        let gradients = out.sum().backward();
        assert_eq!(CALLS.load(Ordering::Relaxed), 2);
        assert!(layer.weight().grad(&gradients).is_some());
        let frozen = layer.no_grad();
        assert!(!checkpointed(&frozen, tokens(1), count).is_tracked());
        // Outside of a graph.
        let outside = Linear::from_weight(Tensor::ones([32, 32], &Device::flex()), None);
        assert!(!checkpointed(&outside, tokens(1).inner(), count).is_autodiff());
        assert_eq!(CALLS.load(Ordering::Relaxed), 4);
    }
}
