//! How a run is done, besides what the recipe says.

use burn::tensor::Device;

/// How a run is done, beside what the recipe says.
#[derive(Clone, Debug)]
pub struct FitOptions {
    /// Resume from the last checkpoint in the output folder, if any.
    pub resume: bool,
    /// Devices that share each batch; the first also keeps the weights.
    pub devices: Vec<Device>,
}

impl Default for FitOptions {
    fn default() -> Self {
        Self { resume: false, devices: vec![Device::flex()] }
    }
}
