//! The transformer block that all networks share, and the layers it is made of.
//!
//! The papers' networks differ in how tokens are made, which tokens attend to each other ([`AttentionScope`]), and how they are
//! pooled; the block is the same. Layers use fused kernels for `f32` tensors in host memory and burn's operations elsewhere.

mod activation;
mod attention;
mod batch_norm;
mod block;
mod checkpointing;
mod config;
mod decoder_block;
mod drop_path;
pub(crate) mod embedding;
pub(crate) mod host;
mod kv_cache;
mod layers;
mod mixed_precision;
mod mlp;
mod norm;
mod products;
mod ragged_attention;
mod rotary;

pub use activation::Activation;
pub use attention::{Attention, AttentionScope};
pub use batch_norm::{BatchNorm, Bias, ConvNorm, is_num_batches_tracked, pointwise_conv};
pub use block::{Block, Transformer};
pub use config::{MlpStyle, TransformerConfig};
pub use decoder_block::{DecoderBlock, DecoderBlockConfig, NormPlacement};
pub use drop_path::{DropPath, Dropout};
pub use embedding::Embedding;
pub use host::AdamwStep;
pub use kv_cache::{CachedAttention, CachedAttentionConfig, KvCache};
pub use layers::{LayerNorm, Linear};
pub use mixed_precision::{BlockWeightCast, has_block_weights};
pub use mlp::Mlp;
pub use norm::{Norm, NormKind, RmsNorm};
pub use products::{BlockOptions, Products};
pub use rotary::{RotaryConfig, RotaryScaling, Rotation};
