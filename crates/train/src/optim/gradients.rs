//! Gradient arithmetic: sums, selection, norms, clipping.

use std::collections::HashSet;

use burn::module::{Module, ModuleVisitor, Param, ParamId};
use burn::optim::GradientsParams;
use burn::tensor::Tensor;

/// Sums the gradients of each parameter, on the device of `a`.
pub fn add<M: Module>(module: &M, mut a: GradientsParams, mut b: GradientsParams) -> GradientsParams {
    module.visit(&mut Add { into: &mut a, from: &mut b });
    a
}

/// Moves the gradients of some parameters out of `from`.
pub fn take<M: Module>(module: &M, from: &mut GradientsParams, ids: &HashSet<ParamId>) -> GradientsParams {
    let mut taken = GradientsParams::new();
    module.visit(&mut Take { from, ids, taken: &mut taken });
    taken
}

/// Gradients of the trained parameters in the order of the module tree, flattened; `None` for parameters without.
pub fn flatten<M: Module>(module: &M, mut from: GradientsParams) -> Vec<Option<Tensor<1>>> {
    let mut flatten = Flatten { from: &mut from, list: Vec::new() };
    module.visit(&mut flatten);
    flatten.list
}

/// Gradients from the list of [`flatten`].
pub fn unflatten<M: Module>(module: &M, list: Vec<Option<Tensor<1>>>) -> GradientsParams {
    let mut unflatten = Unflatten { list: list.into_iter(), into: GradientsParams::new() };
    module.visit(&mut unflatten);
    unflatten.into
}

/// Euclidean norm over all gradients.
pub fn norm<M: Module>(module: &M, gradients: &GradientsParams) -> f32 {
    // Summed on the device: one transfer instead of one per tensor.
    let mut sum = Squares { gradients, sums: Vec::new() };
    module.visit(&mut sum);
    if sum.sums.is_empty() { 0.0 } else { Tensor::cat(sum.sums, 0).sum().sqrt().into_scalar::<f32>() }
}

/// Scales gradients to a norm of at most `max_norm`, as `torch.nn.utils.clip_grad_norm_`; returns the norm before clipping.
pub fn clip_norm<M: Module>(
    module: &M,
    mut gradients: GradientsParams,
    max_norm: f32,
) -> (GradientsParams, f32) {
    let norm = norm(module, &gradients);
    // torch's epsilon, for equal numbers.
    let factor = max_norm / (norm + 1e-6);
    if factor < 1.0 {
        module.visit(&mut Scale { gradients: &mut gradients, factor });
    }
    (gradients, norm)
}

struct Add<'a> {
    into: &'a mut GradientsParams,
    from: &'a mut GradientsParams,
}

impl ModuleVisitor for Add<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let Some(other) = self.from.remove::<D>(param.id) else { return };
        let sum = match self.into.remove::<D>(param.id) {
            Some(own) => {
                let device = own.device();
                own + other.to_device(&device)
            }
            None => other,
        };
        self.into.register(param.id, sum);
    }
}

struct Flatten<'a> {
    from: &'a mut GradientsParams,
    list: Vec<Option<Tensor<1>>>,
}

impl ModuleVisitor for Flatten<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if param.base().is_require_grad() {
            let gradient = self.from.remove::<D>(param.id);
            self.list.push(gradient.map(|gradient| gradient.reshape([-1])));
        }
    }
}

struct Unflatten {
    list: std::vec::IntoIter<Option<Tensor<1>>>,
    into: GradientsParams,
}

impl ModuleVisitor for Unflatten {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let value = param.base();
        if !value.is_require_grad() {
            return;
        }
        if let Some(gradient) = self.list.next().flatten() {
            self.into.register(param.id, gradient.reshape(value.dims()));
        }
    }
}

struct Take<'a> {
    from: &'a mut GradientsParams,
    ids: &'a HashSet<ParamId>,
    taken: &'a mut GradientsParams,
}

impl ModuleVisitor for Take<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if !self.ids.contains(&param.id) {
            return;
        }
        if let Some(gradient) = self.from.remove::<D>(param.id) {
            self.taken.register(param.id, gradient);
        }
    }
}

struct Squares<'a> {
    gradients: &'a GradientsParams,
    sums: Vec<Tensor<1>>,
}

impl ModuleVisitor for Squares<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if let Some(gradient) = self.gradients.get::<D>(param.id) {
            self.sums.push(gradient.square().sum());
        }
    }
}

struct Scale<'a> {
    gradients: &'a mut GradientsParams,
    factor: f32,
}

impl ModuleVisitor for Scale<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if let Some(gradient) = self.gradients.remove::<D>(param.id) {
            self.gradients.register(param.id, gradient * self.factor);
        }
    }
}
