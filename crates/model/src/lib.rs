//! Networks that embed text, images and 3D shapes in one space, and their weights.
//!
//! The input is text, images (views of a shape, or photos) and point clouds; the output are [`Embedding`]s, which are compared
//! by cosine similarity. The crate implements Duoduo CLIP (views, [arXiv 2406.11579](https://arxiv.org/abs/2406.11579)),
//! ULIP-2 and OpenShape (point clouds, [arXiv 2305.08275](https://arxiv.org/abs/2305.08275),
//! [arXiv 2305.10764](https://arxiv.org/abs/2305.10764)), CG3D (visual prompts,
//! [arXiv 2303.11313](https://arxiv.org/abs/2303.11313)) and the captioners BLIP and BLIP-2, and loads their released checkpoints. The
//! model `nano` is built in:
//!
//! ```
//! use lexiform_model::{JointModel, OpenOptions};
//!
//! let model = JointModel::open("nano", &OpenOptions::default())?;
//! let texts = model.embed_texts(&["a wooden chair", "an airplane"])?;
//! assert_eq!(texts[0].as_slice().len(), 128);
//! assert!(texts[0].dot(&texts[1]) < 1.0);
//! # Ok::<(), lexiform_model::ModelError>(())
//! ```
//!
//! - [`JointModel`]: text and image towers, perhaps with a point tower; [`ZeroShotHead`] classifies with one.
//! - [`PointModel`]: a point encoder in the joint space of a CLIP model.
//! - [`clip`], [`point`], [`blip`], [`lm`]: the networks; [`nn`]: the layers they share.
//! - [`caption`]: sentences from embeddings; [`pointllm`]: answers about point clouds.
//! - [`language`]: everyday words for a model whose text tower knows few.
//! - [`weights`]: loading `.safetensors` and PyTorch files, and saving.
//! - [`registry`], [`inspect`]: models by name, and what a file of weights holds.
//!
//! This crate reads no 3D files. Only the feature `hub` accesses the network, to download weights.

pub mod blip;
pub mod caption;
pub mod clip;
mod config_key;
mod device;
mod embedding;
mod error;
#[cfg(feature = "hub")]
pub mod hub;
pub mod inspect;
mod joint;
pub mod language;
pub mod lm;
pub mod nn;
pub mod point;
mod point_model;
pub mod pointllm;
mod precision;
pub mod preprocess;
pub mod registry;
mod teacher;
mod templates;
pub mod tokenizer;
pub mod weights;
mod zero_shot;

pub use device::{Device, DeviceError, device};
pub use embedding::Embedding;
pub use error::ModelError;
pub use joint::{
    CG3D_VISION_CONTAINER, JointModel, JointTowers, ModelConfig, OpenOptions, PointBranchConfig, TextModel,
    TowerWork, ViewSubsetEmbeddings, save as save_joint_model,
};
pub use lexiform_kernels::SimdLimit;
pub use point_model::{
    PairedClip, PointModel, PointModelConfig, PointModelOptions, save as save_point_model,
};
pub use precision::{ComputePrecision, WeightPrecision};
pub use teacher::Teacher;
pub use templates::{Templates, default_templates};
pub use weights::WeightsError;
pub use zero_shot::ZeroShotHead;
