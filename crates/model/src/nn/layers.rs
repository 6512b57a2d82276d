//! Linear layers, with low-rank adapters, and layer normalization.

use std::sync::Arc;

use burn::module::{Module, Param};
use burn::tensor::{DType, Device, Tensor, TensorData, module};

use super::activation::Activation;
use super::embedding::index;
use super::host;
use super::host::FusedLinear;
use super::host::decoder::HostNorm;
use super::host::packed::{Norm, PackedLinear};
use super::host::rows::{F32Linear, HostLinear, Int8Linear};
use super::products::Products;
use crate::precision::Packing;
use crate::weights::{Initializer, TensorList, WeightSource, WeightsError};

/// `y = x Wᵀ + b`. Files store `W` as `[output, input]`; here it is kept as `[input, output]`.
#[derive(Module, Debug)]
pub struct Linear {
    weight: Param<Tensor<2>>,
    bias: Option<Param<Tensor<1>>>,
    lora: Option<Lora>,
    /// Weight and bias for inference, instead of `weight`, which is then empty.
    #[module(skip)]
    packed: Option<PackedWeight>,
    #[module(skip)]
    products: Products,
}

/// Weight and bias for inference.
#[derive(Clone, Debug)]
enum PackedWeight {
    Bf16(Arc<PackedLinear>),
    Int8(Arc<Int8Linear>),
}

/// A low-rank adapter (LoRA, [arXiv 2106.09685](https://arxiv.org/abs/2106.09685)): `down · up` is added to a weight and
/// trained instead of it.
#[derive(Module, Debug)]
struct Lora {
    /// `[input, rank]`.
    down: Param<Tensor<2>>,
    /// `[rank, output]`, initialized to 0.
    up: Param<Tensor<2>>,
}

/// The transpose, contiguous: with a strided view, every product would gather columns.
fn transposed(weight: Tensor<2>) -> Tensor<2> {
    let device = weight.device();
    Tensor::from_data(weight.transpose().into_data(), &device)
}

/// A weight `[output, input]` and a bias `[output]`.
fn read(
    source: &WeightSource,
    weight_name: &str,
    bias_name: Option<&str>,
    [input, output]: [usize; 2],
    deviation: f32,
) -> Result<(Tensor<2>, Option<Tensor<1>>), WeightsError> {
    let weight = source.tensor(weight_name, [output, input], Initializer::Normal(deviation))?;
    let bias = bias_name.map(|name| source.tensor(name, [output], Initializer::Constant(0.0))).transpose()?;
    Ok((weight, bias))
}

impl Linear {
    /// Reads `{weight_name}` and, when given, `{bias_name}`; new weights have standard deviation `deviation`.
    ///
    /// # Errors
    /// If a tensor is missing or misshaped.
    pub fn load(
        source: &WeightSource,
        weight_name: &str,
        bias_name: Option<&str>,
        [input, output]: [usize; 2],
        deviation: f32,
    ) -> Result<Self, WeightsError> {
        let (weight, bias) = read(source, weight_name, bias_name, [input, output], deviation)?;
        Ok(Self::from_file_weight(source, weight, bias))
    }

    /// As [`load`](Self::load), in `f32` whatever the source's precision: for layers that are folded into others.
    ///
    /// # Errors
    /// If a tensor is missing or misshaped.
    pub fn load_in_f32(
        source: &WeightSource,
        weight_name: &str,
        bias_name: Option<&str>,
        [input, output]: [usize; 2],
        deviation: f32,
    ) -> Result<Self, WeightsError> {
        let (weight, bias) = read(source, weight_name, bias_name, [input, output], deviation)?;
        Ok(Self::from_weight(transposed(weight), bias))
    }

    /// A layer with a weight `[output, input]` and an optional bias `[output]` that were read from `source`.
    pub fn from_file_weight(source: &WeightSource, weight: Tensor<2>, bias: Option<Tensor<1>>) -> Self {
        match source.packing(weight.dims()) {
            Some(packing) => Self::packed(packing, weight, bias),
            None => Self::from_weight(transposed(weight), bias),
        }
    }

    /// A layer with a weight `[input, output]` and an optional bias `[output]`.
    pub fn from_weight(weight: Tensor<2>, bias: Option<Tensor<1>>) -> Self {
        let bias = bias.map(Param::from_tensor);
        Self { weight: Param::from_tensor(weight), bias, lora: None, packed: None, products: Products::F32 }
    }

    /// A layer for inference with a weight `[output, input]`, which is rounded.
    fn packed(packing: Packing, weight: Tensor<2>, bias: Option<Tensor<1>>) -> Self {
        let (shape, empty) = (weight.dims(), Tensor::empty([0, 0], &weight.device()));
        let (weight, bias_values) = (host::values(weight), bias.clone().map(host::values));
        let packed = match packing {
            Packing::Bf16(unit) => {
                PackedWeight::Bf16(Arc::new(PackedLinear::new(unit, &weight, shape, bias_values.as_deref())))
            }
            Packing::Int8 => {
                PackedWeight::Int8(Arc::new(Int8Linear::new(&weight, shape, bias_values.as_deref())))
            }
        };
        Self { packed: Some(packed), ..Self::from_weight(empty, bias) }
    }

    /// Changes what its products are computed in.
    pub(super) fn with_products(mut self, products: Products) -> Self {
        self.products = products;
        self
    }

    /// What its products are computed in.
    pub(super) fn products(&self) -> Products {
        self.products
    }

    /// Whether the weight was rounded and packed when it was loaded.
    pub(super) fn is_packed(&self) -> bool {
        self.packed.is_some()
    }

    /// Weight and bias for inference in `bf16`, if they were loaded so and `x` is in host memory, without autodiff.
    pub(super) fn packed_for<const D: usize>(&self, x: &Tensor<D>) -> Option<&Arc<PackedLinear>> {
        match &self.packed {
            Some(PackedWeight::Bf16(packed)) if self.lora.is_none() && host::is_host_no_grad(x) => {
                Some(packed)
            }
            _ => None,
        }
    }

    /// Weight and bias for inference in host memory, if they are there, without autodiff and adapter.
    pub(crate) fn in_host_memory(&self) -> Option<HostLinear> {
        if self.lora.is_some() || self.products != Products::F32 {
            return None;
        }
        Some(match &self.packed {
            Some(PackedWeight::Bf16(packed)) => HostLinear::Bf16(packed.clone()),
            Some(PackedWeight::Int8(packed)) => HostLinear::Int8(packed.clone()),
            None => {
                let bias = self.bias().map(host::decoder::shared);
                HostLinear::F32(Arc::new(F32Linear {
                    weight: host::decoder::shared(self.weight.val())?,
                    // Either there is no bias, or it is in host memory too.
                    bias: bias.map_or(Some(None), |bias| bias.map(Some))?,
                }))
            }
        })
    }

    /// The weights of some outputs, `[outputs, input]`.
    pub fn columns(&self, at: &[u32]) -> Tensor<2> {
        let device = self.weight.val().device();
        match self.in_host_memory().filter(|_| self.packed.is_some()) {
            Some(layer) => {
                let [input, _] = layer.shape();
                let mut values = vec![0.0; at.len() * input];
                for (at, column) in at.iter().zip(values.chunks_exact_mut(input)) {
                    layer.column(*at as usize, column);
                }
                Tensor::from_data(TensorData::new(values, [at.len(), input]), &device)
            }
            None => self.weight().select(1, index(at, &device)).transpose(),
        }
    }

    /// Adds a low-rank adapter (LoRA) of rank `rank`, which is trained instead of the weight.
    ///
    /// # Errors
    /// If `source` is a file, which has no such tensors.
    pub fn with_lora(mut self, source: &WeightSource, rank: usize) -> Result<Self, WeightsError> {
        let [input, output] = self.weight().dims();
        let down =
            source.tensor("lora.down", [input, rank], Initializer::Normal((input as f32).powf(-0.5)))?;
        let up = source.tensor("lora.up", [rank, output], Initializer::Constant(0.0))?;
        self.lora = Some(Lora { down: Param::from_tensor(down), up: Param::from_tensor(up) });
        Ok(self)
    }

    /// The weight, `[input, output]`, including the low-rank adapter, if any.
    pub fn weight(&self) -> Tensor<2> {
        match &self.lora {
            Some(Lora { down, up }) => self.base_weight() + down.val().matmul(up.val()),
            None => self.base_weight(),
        }
    }

    fn base_weight(&self) -> Tensor<2> {
        let weight = self.weight.val();
        match &self.packed {
            Some(PackedWeight::Bf16(packed)) => packed.unpack(&weight.device()),
            Some(PackedWeight::Int8(packed)) => packed.unpack(&weight.device()),
            None => weight,
        }
    }

    /// Data type of the weight, in which the product is computed.
    pub fn dtype(&self) -> DType {
        self.weight.val().dtype()
    }

    /// The bias, `[output]`.
    pub fn bias(&self) -> Option<Tensor<1>> {
        self.bias.as_ref().map(Param::val)
    }

    /// `[…, input]` → `[…, output]`.
    pub fn forward<const D: usize>(&self, x: Tensor<D>) -> Tensor<D> {
        self.forward_activated(x, None)
    }

    /// [`forward`](Self::forward) followed by an activation, fused where possible.
    pub fn forward_activated<const D: usize>(&self, x: Tensor<D>, then: Option<Activation>) -> Tensor<D> {
        if let Some(packed) = self.packed_for(&x) {
            return host::packed::linear(x, packed, then);
        }
        if let (Some(PackedWeight::Int8(packed)), None) = (&self.packed, &self.lora) {
            return host::rows::linear(x, &HostLinear::Int8(packed.clone()), then);
        }
        if self.is_host_f32(&x) {
            let fused = FusedLinear { activation: then, products: self.products };
            return host::linear(x, self.weight(), self.bias(), None, fused);
        }
        let y = match x.dtype() == self.dtype() {
            true => module::linear(x, self.weight(), self.bias()),
            false => self.forward_mixed_precision(x),
        };
        match then {
            Some(activation) => activation.apply(y),
            None => y,
        }
    }

    /// `skip + `[`forward`](Self::forward)`(x)`, fused where possible.
    pub fn forward_residual<const D: usize>(&self, x: Tensor<D>, skip: Tensor<D>) -> Tensor<D> {
        if self.packed.is_some() {
            return skip + self.forward(x);
        }
        if self.is_host_f32(&x) {
            let fused = FusedLinear { activation: None, products: self.products };
            return host::linear(x, self.weight(), self.bias(), Some(skip), fused);
        }
        skip + self.forward(x)
    }

    fn is_host_f32<const D: usize>(&self, x: &Tensor<D>) -> bool {
        host::is_host_f32(x) && self.dtype() == x.dtype()
    }

    /// Mixed precision: the product in the data type of the weight, everything else in that of `x`.
    fn forward_mixed_precision<const D: usize>(&self, x: Tensor<D>) -> Tensor<D> {
        let dtype = x.dtype();
        let mut y = module::linear(x.clone().cast(self.dtype()), self.base_weight(), None).cast(dtype);
        if let Some(Lora { down, up }) = &self.lora {
            // Added to a weight in low precision, a small change would be rounded away.
            y = y + module::linear(module::linear(x, down.val(), None), up.val(), None);
        }
        match self.bias() {
            Some(bias) => y + bias.unsqueeze(),
            None => y,
        }
    }

    /// Adds the tensors to `list` under the given names.
    pub fn save(&self, weight_name: &str, bias_name: Option<&str>, list: &mut TensorList) {
        list.push(weight_name.to_owned(), self.weight().transpose());
        if let (Some(name), Some(bias)) = (bias_name, &self.bias) {
            list.push(name.to_owned(), bias.val());
        }
    }
}

/// Layer normalization of the last axis ([arXiv 1607.06450](https://arxiv.org/abs/1607.06450)).
#[derive(Module, Debug)]
pub struct LayerNorm {
    weight: Param<Tensor<1>>,
    bias: Param<Tensor<1>>,
    epsilon: f64,
}

impl LayerNorm {
    /// Reads `{name}.weight` and `{name}.bias`, `[width]`.
    ///
    /// # Errors
    /// If a tensor is missing or misshaped.
    pub fn load(source: &WeightSource, name: &str, width: usize, epsilon: f64) -> Result<Self, WeightsError> {
        let weight = source.tensor(&format!("{name}.weight"), [width], Initializer::Constant(1.0))?;
        let bias = source.tensor(&format!("{name}.bias"), [width], Initializer::Constant(0.0))?;
        Ok(Self { weight: Param::from_tensor(weight), bias: Param::from_tensor(bias), epsilon })
    }

    /// Its numbers in host memory, if they are there, without autodiff.
    pub(super) fn in_host_memory(&self) -> Option<HostNorm> {
        Some(HostNorm {
            weight: host::decoder::shared(self.weight.val())?,
            bias: Some(host::decoder::shared(self.bias.val())?),
            epsilon: self.epsilon as f32,
        })
    }

    /// Where its weights are.
    pub(crate) fn device(&self) -> Device {
        self.weight.val().device()
    }

    /// Its numbers, for inference.
    pub(super) fn values(&self) -> Norm {
        let [weight, bias] = [&self.weight, &self.bias].map(|part| host::values(part.val()));
        Norm { weight, bias, epsilon: self.epsilon as f32 }
    }

    /// `[…, width]` → the same shape.
    pub fn forward<const D: usize>(&self, x: Tensor<D>) -> Tensor<D> {
        let (weight, bias) = (self.weight.val(), self.bias.val());
        if host::is_host_f32(&x) {
            return host::norm(x, weight, bias, self.epsilon);
        }
        module::layer_norm(x, weight, Some(bias), self.epsilon)
    }

    /// Adds the tensors to `list`.
    pub fn save(&self, name: &str, list: &mut TensorList) {
        list.push(format!("{name}.weight"), self.weight.val());
        list.push(format!("{name}.bias"), self.bias.val());
    }
}
