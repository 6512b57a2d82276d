//! Devices by name.

pub use burn::tensor::Device;

/// Backends; all but the first are Cargo features of this crate.
const BACKENDS: [&str; 5] = ["cpu", "wgpu", "vulkan", "cuda", "metal"];

/// Why a device is not available.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DeviceError {
    /// The name is not known.
    #[error(
        "no device is called so: expected cpu, wgpu, vulkan, cuda or metal, with a number where there are several (vulkan:1)"
    )]
    Unknown,
    /// The program was built without this backend.
    #[error("this lexiform was built without {backend}: build it with --features {backend}")]
    NotCompiled {
        /// The backend.
        backend: &'static str,
    },
    /// The machine has no such device.
    #[error("this machine has {found} {backend} device{}{}", if *found == 1 { "" } else { "s" }, count_hint(*found))]
    NotFound {
        /// The backend.
        backend: &'static str,
        /// Number of its devices.
        found: usize,
    },
}

fn count_hint(found: usize) -> &'static str {
    if found == 0 { " that its drivers show" } else { ", and they are counted from 0" }
}

/// The device called `name`: `cpu`, or `wgpu`, `vulkan`, `cuda` or `metal`, with the index of the device after a colon
/// (`vulkan:1`). Without an index it is the first; discrete GPUs come before integrated ones.
///
/// ```
/// use lexiform_model::{DeviceError, device};
///
/// let cpu = device("cpu")?;
/// assert_eq!(device("gpu"), Err(DeviceError::Unknown));
/// # Ok::<(), DeviceError>(())
/// ```
///
/// # Errors
/// [`DeviceError`] if the name is unknown, its backend was not built, or the machine has no such device.
pub fn device(name: &str) -> Result<Device, DeviceError> {
    let (backend, number) = match name.split_once(':') {
        Some((backend, number)) => (backend, number.parse().map_err(|_| DeviceError::Unknown)?),
        None => (name, 0),
    };
    let backend = BACKENDS.into_iter().find(|known| *known == backend).ok_or(DeviceError::Unknown)?;
    let devices = devices(backend).ok_or(DeviceError::NotCompiled { backend })?;
    devices.get(number).cloned().ok_or(DeviceError::NotFound { backend, found: devices.len() })
}

/// The devices of a backend, if it was built.
fn devices(backend: &str) -> Option<Vec<Device>> {
    #[cfg(any(feature = "wgpu", feature = "vulkan", feature = "cuda", feature = "metal"))]
    use burn::tensor::DeviceType;
    match backend {
        "cpu" => Some(vec![Device::flex()]),
        #[cfg(feature = "wgpu")]
        "wgpu" => Some(Device::enumerate(DeviceType::Wgpu).to_vec()),
        #[cfg(feature = "vulkan")]
        "vulkan" => Some(Device::enumerate(DeviceType::Vulkan).to_vec()),
        #[cfg(feature = "cuda")]
        "cuda" => Some(Device::enumerate(DeviceType::Cuda).to_vec()),
        #[cfg(feature = "metal")]
        "metal" => Some(Device::enumerate(DeviceType::Metal).to_vec()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn device_names_parse_or_explain_the_failure() {
        assert_eq!(device("cpu"), Ok(Device::flex()));
        assert_eq!(device("cpu:0"), Ok(Device::flex()));
        assert_eq!(device("cpu:1"), Err(DeviceError::NotFound { backend: "cpu", found: 1 }));
        for wrong in ["gpu", "", "cpu:", "cpu:x", "cpu:-1", "vulkan:0:1"] {
            assert_eq!(device(wrong), Err(DeviceError::Unknown), "{wrong:?}");
        }
        #[cfg(not(feature = "cuda"))]
        assert_eq!(device("cuda:3"), Err(DeviceError::NotCompiled { backend: "cuda" }));
    }
}
