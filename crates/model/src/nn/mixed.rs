//! Mixed precision: the blocks' products in fewer bits, everything else in 32.

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::tensor::{FloatDType, Tensor};

/// The network as it computes with the products of its blocks (the linear maps and the attention between them) in another kind
/// of numbers. Norms, sums and what blocks hand on stay as they are, and gradients arrive at the weights of `network` itself.
pub fn with_products_in<M: Module>(network: M, dtype: FloatDType) -> M {
    network.map(&mut Cast { dtype, around: Vec::new() })
}

/// Whether a network has such products.
pub fn has_products<M: Module>(network: &M) -> bool {
    let mut found = Find { around: Vec::new(), found: false };
    network.visit(&mut found);
    found.found
}

struct Find {
    around: Vec<String>,
    found: bool,
}

impl ModuleVisitor for Find {
    fn enter_module(&mut self, _name: &str, container: &str) {
        self.around.push(container.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.around.pop();
    }

    fn visit_float<const D: usize>(&mut self, _parameter: &Param<Tensor<D>>) {
        self.found |= D == 2 && is_of_block(&self.around);
    }
}

/// Whether the parameter is a weight of a block, by the types of the modules around it; the thin matrices of a low-rank change
/// are not.
fn is_of_block(around: &[String]) -> bool {
    let within = |name| around.iter().any(|around| around == name);
    within("Struct:Block") && !within("Struct:LowRank")
}

struct Cast {
    dtype: FloatDType,
    /// Types of the modules around the present parameter.
    around: Vec<String>,
}

impl ModuleMapper for Cast {
    fn enter_module(&mut self, _name: &str, container: &str) {
        self.around.push(container.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.around.pop();
    }

    fn map_float<const D: usize>(&mut self, parameter: Param<Tensor<D>>) -> Param<Tensor<D>> {
        match D == 2 && is_of_block(&self.around) {
            true => parameter.map(|weight| weight.cast(self.dtype)),
            false => parameter,
        }
    }
}
