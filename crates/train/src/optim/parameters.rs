//! A network's parameters by name: listing, freezing, loading, averaging.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::hash::Hasher as _;

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param, ParamId};
use burn::tensor::{Tensor, TensorData};
use fnv::FnvHasher;

/// A tensor of a network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// Path in the module tree: `vision.transformer.resblocks.0.attn.in_proj.weight`.
    pub name: String,
    /// Key of its gradient and optimizer state.
    pub id: ParamId,
    /// Shape.
    pub dims: Vec<usize>,
    /// Whether it has a gradient; running statistics and frozen tensors have none.
    pub requires_grad: bool,
}

impl Parameter {
    /// Number of elements.
    pub fn count(&self) -> usize {
        self.dims.iter().product()
    }
}

/// All tensors, in the order of the module tree.
pub fn parameters<M: Module>(module: &M) -> Vec<Parameter> {
    let mut list = Vec::new();
    visit(module, |parameter, _| list.push(parameter));
    list
}

/// Values of all tensors by name. Call `Module::valid` first, which updates running statistics.
pub fn values<M: Module>(module: &M) -> BTreeMap<String, TensorData> {
    values_except(module, &BTreeSet::new())
}

/// Values of all tensors but some, by name.
pub fn values_except<M: Module>(module: &M, without: &BTreeSet<String>) -> BTreeMap<String, TensorData> {
    let mut map = BTreeMap::new();
    visit(module, |parameter, flat| {
        if without.contains(&parameter.name) {
            return;
        }
        let numbers: Vec<f32> =
            flat.into_data().convert::<f32>().try_into_vec().expect("just converted to f32");
        map.insert(parameter.name, TensorData::new(numbers, parameter.dims));
    });
    map
}

/// Names of the parameters that no group trains. Call before [`freeze_except`]: then they still differ from running
/// statistics, which change in training.
pub fn frozen_names<M: Module>(module: &M, trained: &HashSet<ParamId>) -> BTreeSet<String> {
    let frozen = parameters(module).into_iter().filter(|p| p.requires_grad && !trained.contains(&p.id));
    frozen.map(|parameter| parameter.name).collect()
}

/// A checksum of some tensors, names included.
pub fn checksum<M: Module>(module: &M, names: &BTreeSet<String>) -> String {
    let mut hasher = FnvHasher::default();
    visit(module, |parameter, flat| {
        if names.contains(&parameter.name) {
            hasher.write(parameter.name.as_bytes());
            flat.into_data().iter::<f32>().for_each(|value| hasher.write_u32(value.to_bits()));
        }
    });
    format!("{:016x}", hasher.finish())
}

/// Copies the trained parameters of `from` to `to`, on its device: a copy of the network for another device whose frozen
/// parameters are there already.
pub fn copy_trained<M: Module>(from: &M, to: M) -> M {
    let mut trained = BTreeMap::new();
    visit(from, |parameter, flat| {
        if parameter.requires_grad {
            trained.insert(parameter.name, flat.detach());
        }
    });
    change(to, |name, old| match trained.remove(name) {
        Some(new) => new.to_device(&old.device()),
        None => old,
    })
}

/// Name of the first tensor with a NaN or an infinity.
pub fn first_non_finite<M: Module>(module: &M) -> Option<String> {
    let mut found = None;
    visit(module, |parameter, flat| {
        if found.is_none() && !flat.into_data().iter::<f32>().all(f32::is_finite) {
            found = Some(parameter.name);
        }
    });
    found
}

/// Derives every parameter's id from its name, so that ids are equal in every process.
pub fn with_stable_ids<M: Module>(module: M) -> M {
    module.map(&mut Renumber { path: Vec::new() })
}

/// Freezes all parameters except `trained`.
pub fn freeze_except<M: Module>(module: M, trained: &HashSet<ParamId>) -> M {
    module.map(&mut Freeze { trained })
}

/// Replaces all values.
///
/// # Errors
/// If a tensor is missing or unexpected, or its shape differs.
pub fn load_values<M: Module>(module: M, values: &BTreeMap<String, TensorData>) -> Result<M, String> {
    load_values_except(module, values, &BTreeSet::new())
}

/// Replaces all values but those of `frozen` tensors, which may be missing.
///
/// # Errors
/// If another tensor is missing, one is unexpected, or its shape differs.
pub fn load_values_except<M: Module>(
    module: M,
    values: &BTreeMap<String, TensorData>,
    frozen: &BTreeSet<String>,
) -> Result<M, String> {
    let present = parameters(&module);
    for parameter in &present {
        match values.get(&parameter.name) {
            None if frozen.contains(&parameter.name) => {}
            None => return Err(format!("missing tensor {:?}", parameter.name)),
            Some(data) if **data.shape() != *parameter.dims => {
                let Parameter { name, dims, .. } = parameter;
                return Err(format!("tensor {name:?} has shape {:?}, expected {dims:?}", data.shape()));
            }
            Some(_) => {}
        }
    }
    let names: HashSet<&str> = present.iter().map(|parameter| parameter.name.as_str()).collect();
    if let Some(extra) = values.keys().find(|name| !names.contains(name.as_str())) {
        return Err(format!("unexpected tensor {extra:?}"));
    }
    Ok(change(module, |name, old| {
        let Some(data) = values.get(name) else { return old };
        let numbers: Vec<f32> = data.iter::<f32>().collect();
        Tensor::from_data(TensorData::new(numbers, old.dims()), &old.device())
    }))
}

/// Exponential moving average: `average · decay + current · (1 − decay)` for `trained` parameters; all others, including
/// running statistics, are copied from `current`.
///
/// `trained` are ids because `current` is a network without gradients, in which nothing requires one.
pub fn ema_update<M: Module>(average: M, current: &M, trained: &HashSet<ParamId>, decay: f64) -> M {
    let mut tensors = BTreeMap::new();
    visit(current, |parameter, flat| {
        tensors.insert(parameter.name, (flat.without_autodiff(), trained.contains(&parameter.id)));
    });
    change(average, |name, old| match tensors.remove(name) {
        Some((new, true)) => old * decay + new * (1.0 - decay),
        Some((new, false)) => new,
        None => old,
    })
}

/// Visits every tensor, flattened, with its description.
fn visit<M: Module>(module: &M, see: impl FnMut(Parameter, Tensor<1>)) {
    struct Visit<F> {
        path: Vec<String>,
        see: F,
    }
    impl<F: FnMut(Parameter, Tensor<1>)> ModuleVisitor for Visit<F> {
        fn enter_module(&mut self, name: &str, _: &str) {
            self.path.push(name.to_owned());
        }
        fn exit_module(&mut self, _: &str, _: &str) {
            self.path.pop();
        }
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            let value = param.base();
            let dims = value.dims().to_vec();
            let requires_grad = value.is_require_grad();
            let parameter = Parameter { name: self.path.join("."), id: param.id, dims, requires_grad };
            // Flattened, because the callback cannot be generic over the rank.
            let count = parameter.count();
            (self.see)(parameter, value.reshape([count]));
        }
    }
    module.visit(&mut Visit { path: Vec::new(), see });
}

/// Replaces every tensor by `new(name, flattened value)`.
fn change<M: Module>(module: M, new: impl FnMut(&str, Tensor<1>) -> Tensor<1>) -> M {
    struct Change<F> {
        path: Vec<String>,
        new: F,
    }
    impl<F: FnMut(&str, Tensor<1>) -> Tensor<1>> ModuleMapper for Change<F> {
        fn enter_module(&mut self, name: &str, _: &str) {
            self.path.push(name.to_owned());
        }
        fn exit_module(&mut self, _: &str, _: &str) {
            self.path.pop();
        }
        fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
            let name = self.path.join(".");
            param.map(|old| {
                // The new value is a leaf: it must not remember how it was computed.
                let (dims, trained) = (old.dims(), old.is_require_grad());
                let flat = old.detach().reshape([dims.iter().product::<usize>()]);
                let value = (self.new)(&name, flat).reshape(dims).detach();
                if trained { value.require_grad() } else { value }
            })
        }
    }
    module.map(&mut Change { path: Vec::new(), new })
}

struct Renumber {
    path: Vec<String>,
}

impl ModuleMapper for Renumber {
    fn enter_module(&mut self, name: &str, _: &str) {
        self.path.push(name.to_owned());
    }
    fn exit_module(&mut self, _: &str, _: &str) {
        self.path.pop();
    }
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let mut hasher = FnvHasher::default();
        for part in &self.path {
            hasher.write(part.as_bytes());
            // Separated, so that "a.bc" and "ab.c" differ.
            hasher.write(b".");
        }
        let id = hasher.finish();
        let (_, value, mapper) = param.consume();
        Param::from_mapped_value(ParamId::from(id), value, mapper)
    }
}

struct Freeze<'a> {
    trained: &'a HashSet<ParamId>,
}

impl ModuleMapper for Freeze<'_> {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let trained = self.trained.contains(&param.id);
        param.set_require_grad(trained)
    }
}
