//! Options of a run that are not part of its recipe.

use burn::tensor::Device;

use crate::processes::Processes;

/// Options of a run that are not part of its recipe.
#[derive(Clone, Debug)]
pub struct FitOptions {
    /// Resume from the last checkpoint in the output folder, if any.
    pub resume: bool,
    /// Devices for data parallelism: each encodes a part of the batch; the first holds the weights.
    pub devices: Vec<Device>,
    /// Processes that train together, each with these devices. All have the same recipe and options.
    pub processes: Processes,
}

impl Default for FitOptions {
    fn default() -> Self {
        Self { resume: false, devices: vec![Device::flex()], processes: Processes::default() }
    }
}
