//! CLIP's two towers in OpenCLIP's layout, from ViT-B/32 to bigG and small ones of our own.

mod config;
mod naming;
mod text;
mod vision;

pub use config::{Beside, ClipConfig, TextConfig, VisionConfig, VisionStyle};
pub use naming::Naming;
pub use text::ClipText;
pub use vision::ClipVision;
