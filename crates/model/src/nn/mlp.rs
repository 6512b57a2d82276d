//! The MLP of a transformer block.

use burn::module::Module;
use burn::tensor::Tensor;

use super::activation::Activation;
use super::config::TransformerConfig;
use super::host::FusedMlp;
use super::host::decoder::HostMlp;
use super::products::Products;
use super::{LayerNorm, Linear, host};
use crate::weights::{TensorList, WeightSource, WeightsError};

/// Two linear layers with an activation in between; the activation may be multiplied by a third (a gated MLP).
#[derive(Module, Debug)]
pub struct Mlp {
    pub(super) c_fc: Linear,
    /// Its activation is the factor of `c_fc`, which then has none itself.
    gate: Option<Linear>,
    norm: Option<LayerNorm>,
    pub(super) c_proj: Linear,
    #[module(skip)]
    pub(super) activation: Activation,
}

impl Mlp {
    /// Reads `{name}.c_fc.*` and `{name}.c_proj.*`, with a gate `{name}.gate.*`, with a norm `{name}.norm.*`.
    ///
    /// # Errors
    /// If a tensor is missing or misshaped.
    pub fn load(source: &WeightSource, name: &str, config: &TransformerConfig) -> Result<Self, WeightsError> {
        let TransformerConfig { width, mlp_width, layers, epsilon, mlp: style, .. } = *config;
        let linear = |part: &str, sizes: [usize; 2], deviation: f32| {
            let [weight, bias] = linear_names(&format!("{name}.{part}"));
            Linear::load(source, &weight, style.biases.then_some(bias.as_str()), sizes, deviation)
        };
        let deviation = (2.0 * width as f32).powf(-0.5);
        let c_fc = linear("c_fc", [width, mlp_width], deviation)?;
        let gate = style.gated.then(|| linear("gate", [width, mlp_width], deviation)).transpose()?;
        let norm = || LayerNorm::load(source, &format!("{name}.norm"), mlp_width, epsilon);
        // OpenAI CLIP's initialization: residual branches shrink with depth, two per layer.
        let deviation = (width as f32).powf(-0.5) * (2.0 * layers as f32).powf(-0.5);
        let c_proj = linear("c_proj", [mlp_width, width], deviation)?;
        let norm = style.norm.then(norm).transpose()?;
        Ok(Self { c_fc, gate, norm, c_proj, activation: config.activation })
    }

    /// Changes what its products are computed in.
    pub(super) fn with_products(mut self, products: Products) -> Self {
        self.c_fc = self.c_fc.with_products(products);
        self.gate = self.gate.map(|gate| gate.with_products(products));
        self.c_proj = self.c_proj.with_products(products);
        self
    }

    /// Adds low-rank adapters (LoRA) of rank `rank`, which are trained instead of the matrices.
    pub(super) fn with_lora(mut self, source: &WeightSource, rank: usize) -> Result<Self, WeightsError> {
        self.c_fc = self.c_fc.with_lora(source, rank)?;
        self.gate = self.gate.map(|gate| gate.with_lora(source, rank)).transpose()?;
        self.c_proj = self.c_proj.with_lora(source, rank)?;
        Ok(self)
    }

    /// `[rows, tokens, width]` → the same shape.
    pub fn forward(&self, x: Tensor<3>) -> Tensor<3> {
        if self.is_fused_for(&x) {
            return self.forward_host(x, None);
        }
        let hidden = match &self.gate {
            Some(gate) => gate.forward_activated(x.clone(), Some(self.activation)) * self.c_fc.forward(x),
            None => self.c_fc.forward_activated(x, Some(self.activation)),
        };
        self.c_proj.forward(match &self.norm {
            Some(norm) => norm.forward(hidden),
            None => hidden,
        })
    }

    /// `skip + `[`forward`](Self::forward)`(x)`.
    pub(super) fn forward_residual(&self, x: Tensor<3>, skip: Tensor<3>) -> Tensor<3> {
        if self.is_fused_for(&x) { self.forward_host(x, Some(skip)) } else { skip + self.forward(x) }
    }

    /// Whether it is two layers with an activation in between, which other code computes as one operation.
    pub(super) fn is_plain(&self) -> bool {
        self.gate.is_none() && self.norm.is_none()
    }

    fn is_fused_for(&self, x: &Tensor<3>) -> bool {
        // In mixed precision the weights have another type than `x`, which the fused kernel does not support.
        self.is_plain() && host::is_host_f32(x) && self.c_fc.dtype() == x.dtype() && !self.c_fc.is_packed()
    }

    fn forward_host(&self, x: Tensor<3>, skip: Option<Tensor<3>>) -> Tensor<3> {
        let maps = [&self.c_fc, &self.c_proj].map(|map| (map.weight(), map.bias()));
        host::mlp(x, maps, skip, FusedMlp { activation: self.activation, products: self.c_fc.products() })
    }

    /// The layers in host memory, if all are there, without autodiff.
    pub(super) fn in_host_memory(&self) -> Option<HostMlp> {
        if self.norm.is_some() {
            return None;
        }
        let gate = self.gate.as_ref().map(Linear::in_host_memory);
        Some(HostMlp {
            c_fc: self.c_fc.in_host_memory()?,
            gate: gate.map_or(Some(None), |gate| gate.map(Some))?,
            c_proj: self.c_proj.in_host_memory()?,
            activation: self.activation,
        })
    }

    pub(super) fn save(&self, name: &str, list: &mut TensorList) {
        let layers =
            [(Some(&self.c_fc), "c_fc"), (self.gate.as_ref(), "gate"), (Some(&self.c_proj), "c_proj")];
        for (layer, part) in layers.into_iter().filter_map(|(layer, part)| Some((layer?, part))) {
            let [weight, bias] = linear_names(&format!("{name}.{part}"));
            layer.save(&weight, Some(&bias), list);
        }
        if let Some(norm) = &self.norm {
            norm.save(&format!("{name}.norm"), list);
        }
    }
}

fn linear_names(name: &str) -> [String; 2] {
    [format!("{name}.weight"), format!("{name}.bias")]
}
