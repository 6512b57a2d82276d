//! The one transformer block, and the layers it is made of.
//!
//! The papers' networks differ in how tokens are made, which tokens see each other ([`Scope`]), and how they
//! are pooled; the block is the same.

mod attention;
mod block;
mod layers;

pub use attention::{Attention, Scope};
pub use block::{Block, Mlp, Transformer, TransformerConfig};
pub use layers::{Activation, LayerNorm, Linear};
