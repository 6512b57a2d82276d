//! CLIP's text and image towers ([arXiv 2103.00020](https://arxiv.org/abs/2103.00020)) in OpenCLIP's layout, from ViT-B/32 to
//! ViT-bigG/14, and smaller ones of our own.

mod config;
mod naming;
mod text;
mod vision;

pub use config::{Beside, ClipConfig, TextConfig, VisionConfig, VisionStyle};
pub use naming::Naming;
pub use text::ClipText;
pub use vision::ClipVision;
