//! CLIP's text and image towers ([arXiv 2103.00020](https://arxiv.org/abs/2103.00020)) in OpenCLIP's layout, from ViT-B/32 to
//! ViT-bigG/14, and smaller ones of our own.

mod checkpoint_format;
mod config;
mod text;
mod vision;

pub use checkpoint_format::CheckpointFormat;
pub use config::{ClipConfig, SidecarConfig, TextConfig, VisionConfig, VisionStyle};
pub use text::ClipText;
pub use vision::ClipVision;
