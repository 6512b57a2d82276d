//! Where tensors live and networks compute, by name.

pub use burn::tensor::Device;

/// Kinds of devices; all but the first are features of this crate.
const KINDS: [&str; 5] = ["cpu", "wgpu", "vulkan", "cuda", "metal"];

/// Why a name is no device here.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DeviceError {
    /// No device is called so.
    #[error(
        "no device is called so: expected cpu, wgpu, vulkan, cuda or metal, with a number where there are several (vulkan:1)"
    )]
    Unknown,
    /// The program was built without it.
    #[error("this lexiform was built without {kind}: build it with --features {kind}")]
    NotBuilt {
        /// Its kind.
        kind: &'static str,
    },
    /// The machine has no such device.
    #[error("this machine has {found} {kind} device{}{}", if *found == 1 { "" } else { "s" }, rule(*found))]
    Absent {
        /// Its kind.
        kind: &'static str,
        /// How many there are.
        found: usize,
    },
}

fn rule(found: usize) -> &'static str {
    if found == 0 { " that its drivers show" } else { ", and they are counted from 0" }
}

/// The device of a name: `cpu`, or `wgpu`, `vulkan`, `cuda`, `metal` with the device's number (`vulkan:1`; the first without one,
/// cards of their own before those that are part of the processor).
///
/// # Errors
/// [`DeviceError`] if the name is unknown, its backend was not built, or the machine has no such device.
pub fn device(name: &str) -> Result<Device, DeviceError> {
    let (kind, number) = match name.split_once(':') {
        Some((kind, number)) => (kind, number.parse().map_err(|_| DeviceError::Unknown)?),
        None => (name, 0),
    };
    let kind = KINDS.into_iter().find(|known| *known == kind).ok_or(DeviceError::Unknown)?;
    let devices = devices(kind).ok_or(DeviceError::NotBuilt { kind })?;
    devices.get(number).cloned().ok_or(DeviceError::Absent { kind, found: devices.len() })
}

/// The devices of a kind, if this program was built with it.
fn devices(kind: &str) -> Option<Vec<Device>> {
    #[cfg(any(feature = "wgpu", feature = "vulkan", feature = "cuda", feature = "metal"))]
    use burn::tensor::DeviceType;
    match kind {
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
    fn names_are_devices_or_say_why_not() {
        assert_eq!(device("cpu"), Ok(Device::flex()));
        assert_eq!(device("cpu:0"), Ok(Device::flex()));
        assert_eq!(device("cpu:1"), Err(DeviceError::Absent { kind: "cpu", found: 1 }));
        for wrong in ["gpu", "", "cpu:", "cpu:x", "cpu:-1", "vulkan:0:1"] {
            assert_eq!(device(wrong), Err(DeviceError::Unknown), "{wrong:?}");
        }
        #[cfg(not(feature = "cuda"))]
        assert_eq!(device("cuda:3"), Err(DeviceError::NotBuilt { kind: "cuda" }));
    }
}
