//! The transformer block that all networks share, and the layers it is made of.
//!
//! The papers' networks differ in how tokens are made, which tokens attend to each other ([`Scope`]), and how they are
//! pooled; the block is the same. Layers use fused kernels for `f32` tensors in host memory and burn's operations elsewhere.

mod activation;
mod attention;
mod batch_norm;
mod block;
mod config;
mod drop_path;
pub(crate) mod host;
mod layers;
mod memory;
mod mixed;

pub use activation::Activation;
pub use attention::{Attention, Scope};
pub use batch_norm::{BatchNorm, Bias, ConvNorm, is_counter, pointwise};
pub use block::{Block, Mlp, Transformer};
pub use config::TransformerConfig;
pub use drop_path::{DropPath, Dropout};
pub use host::AdamwStep;
pub use layers::{LayerNorm, Linear};
pub use memory::{Memory, MemoryAttention};
pub use mixed::{has_products, with_products_in};
