//! Mixed precision: matrix products of the blocks in a 16-bit type, everything else in `f32`.

use std::collections::{HashMap, HashSet};

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param, ParamId};
use burn::tensor::{FloatDType, Tensor};

/// Casts the weights of blocks (linear layers and attention), so that their products are computed in another data type. Norms,
/// residual sums and activations between blocks stay in `f32`, and gradients flow through the cast to the weights of the
/// network ([arXiv 1710.03740](https://arxiv.org/abs/1710.03740)).
#[derive(Debug)]
pub struct BlockWeightCast {
    dtype: FloatDType,
    trained: HashSet<ParamId>,
    /// Casts of the other weights, flattened: they never change, so each is cast once.
    frozen: HashMap<ParamId, Tensor<1>>,
}

impl BlockWeightCast {
    /// Casts to `dtype`; only the weights of `trained` change from call to call.
    pub fn new(dtype: FloatDType, trained: HashSet<ParamId>) -> Self {
        Self { dtype, trained, frozen: HashMap::new() }
    }

    /// A copy of the network with cast weights. All networks given to one value are on the same device.
    pub fn apply<M: Module>(&mut self, network: M) -> M {
        network.map(&mut CastBlockWeights { cast: self, ancestors: Vec::new() })
    }

    fn weight<const D: usize>(&mut self, id: ParamId, weight: Tensor<D>) -> Tensor<D> {
        if self.trained.contains(&id) {
            return weight.cast(self.dtype);
        }
        let (dims, device) = (weight.dims(), weight.device());
        let cast = self.frozen.entry(id).or_insert_with(|| {
            weight.without_autodiff().cast(self.dtype).reshape([dims.iter().product::<usize>()])
        });
        let cast = cast.clone().reshape(dims);
        if device.is_autodiff() { Tensor::from_inner(cast) } else { cast }
    }
}

/// Whether a network has products that [`BlockWeightCast`] would cast.
pub fn has_block_weights<M: Module>(network: &M) -> bool {
    let mut found = FindBlockWeight { ancestors: Vec::new(), found: false };
    network.visit(&mut found);
    found.found
}

struct FindBlockWeight {
    ancestors: Vec<String>,
    found: bool,
}

impl ModuleVisitor for FindBlockWeight {
    fn enter_module(&mut self, _name: &str, container: &str) {
        self.ancestors.push(container.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.ancestors.pop();
    }

    fn visit_float<const D: usize>(&mut self, _parameter: &Param<Tensor<D>>) {
        self.found |= D == 2 && is_of_block(&self.ancestors);
    }
}

/// Whether a parameter is a weight of a block, by the types of the modules that contain it. Low-rank adapters stay in `f32`:
/// their updates are small.
fn is_of_block(ancestors: &[String]) -> bool {
    let within = |name| ancestors.iter().any(|ancestors| ancestors == name);
    within("Struct:Block") && !within("Struct:Lora")
}

struct CastBlockWeights<'a> {
    cast: &'a mut BlockWeightCast,
    /// Types of the modules that contain the visited parameter.
    ancestors: Vec<String>,
}

impl ModuleMapper for CastBlockWeights<'_> {
    fn enter_module(&mut self, _name: &str, container: &str) {
        self.ancestors.push(container.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.ancestors.pop();
    }

    fn map_float<const D: usize>(&mut self, parameter: Param<Tensor<D>>) -> Param<Tensor<D>> {
        match D == 2 && is_of_block(&self.ancestors) {
            true => {
                let id = parameter.id;
                parameter.map(|weight| self.cast.weight(id, weight))
            }
            false => parameter,
        }
    }
}
