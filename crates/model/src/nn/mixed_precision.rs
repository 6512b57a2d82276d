//! Mixed precision: matrix products of the blocks in a 16-bit type, everything else in `f32`.

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::tensor::{FloatDType, Tensor};

/// A copy of the network that computes the products of its blocks (linear layers and attention) in another data type. Norms,
/// residual sums and activations between blocks stay in `f32`, and gradients flow through the cast to the weights of
/// `network` ([arXiv 1710.03740](https://arxiv.org/abs/1710.03740)).
pub fn cast_block_weights<M: Module>(network: M, dtype: FloatDType) -> M {
    network.map(&mut CastBlockWeights { dtype, ancestors: Vec::new() })
}

/// Whether a network has products that [`cast_block_weights`] would cast.
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

struct CastBlockWeights {
    dtype: FloatDType,
    /// Types of the modules that contain the visited parameter.
    ancestors: Vec<String>,
}

impl ModuleMapper for CastBlockWeights {
    fn enter_module(&mut self, _name: &str, container: &str) {
        self.ancestors.push(container.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.ancestors.pop();
    }

    fn map_float<const D: usize>(&mut self, parameter: Param<Tensor<D>>) -> Param<Tensor<D>> {
        match D == 2 && is_of_block(&self.ancestors) {
            true => parameter.map(|weight| weight.cast(self.dtype)),
            false => parameter,
        }
    }
}
