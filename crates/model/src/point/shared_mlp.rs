//! A shared MLP: the same small network applied to every point
//! ([arXiv 1706.02413](https://arxiv.org/abs/1706.02413), section 3.2).

use burn::module::Module;
use burn::tensor::{Device, Tensor};

use crate::nn::host::elementwise::max_pool_groups;
use crate::nn::host::is_host_no_grad;
use crate::nn::{Bias, ConvNorm};
use crate::weights::{TensorList, WeightSource, WeightsError};

/// Pointwise convolutions, each with batch norm and ReLU.
#[derive(Module, Debug)]
pub(super) struct SharedMlp {
    layers: Vec<ConvNorm>,
}

/// Names of layer `layer` in a list of convolutions and a list of norms.
fn layer_names([convs, norms]: [&str; 2], layer: usize) -> [String; 2] {
    [format!("{convs}.{layer}"), format!("{norms}.{layer}")]
}

impl SharedMlp {
    /// Reads `{convs}.0`, `{norms}.0` and so on, one pair for each of `widths`, for points of `input` channels.
    pub fn load(
        source: &WeightSource,
        lists: [&str; 2],
        input: usize,
        widths: &[usize],
    ) -> Result<Self, WeightsError> {
        let inputs = std::iter::once(&input).chain(widths);
        let layers = widths.iter().zip(inputs).enumerate().map(|(layer, (&width, &input))| {
            let [conv, norm] = layer_names(lists, layer);
            ConvNorm::load(source, [&conv, &norm], Bias::Learned, [input, width])
        });
        Ok(Self { layers: layers.collect::<Result<_, _>>()? })
    }

    /// `[sets, groups, size, channels]` → `[sets, groups, size, width]`.
    pub fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let [sets, groups, size, channels] = x.dims();
        let rows = self.rows(x.reshape([sets * groups * size, channels]));
        let [_, width] = rows.dims();
        rows.reshape([sets, groups, size, width])
    }

    /// The layers and max pooling over members: `[sets, groups, size, channels]` → `[sets, groups, width]`.
    pub fn pooled(&self, x: Tensor<4>) -> Tensor<3> {
        let [sets, groups, size, channels] = x.dims();
        let rows = self.rows(x.reshape([sets * groups * size, channels]));
        let [_, width] = rows.dims();
        let most = if is_host_no_grad(&rows) {
            max_pool_groups(rows, size)
        } else {
            rows.reshape([sets * groups, size, width]).max_dim(1).squeeze_dim(1)
        };
        most.reshape([sets, groups, width])
    }

    fn rows(&self, rows: Tensor<2>) -> Tensor<2> {
        self.layers.iter().fold(rows, |x, layer| layer.forward_relu(x, None))
    }

    pub fn device(&self) -> Device {
        self.layers[0].device()
    }

    pub fn save(&self, lists: [&str; 2], list: &mut TensorList) {
        for (index, layer) in self.layers.iter().enumerate() {
            let [conv, norm] = layer_names(lists, index);
            layer.save([&conv, &norm], list);
        }
    }
}
