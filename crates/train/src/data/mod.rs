//! Training and validation data: sources of shapes, shapes in memory or on disk, and a teacher's features of them.

pub(crate) mod caption;
mod caption_sampling;
pub(crate) mod features;
pub(crate) mod loaded_shape;
pub(crate) mod on_disk;
pub(crate) mod pool;
pub(crate) mod requirements;
pub(crate) mod shape_set;
pub(crate) mod source;

pub use caption::{Caption, CaptionSource};
pub use shape_set::{CategoryNames, Sample, ShapeSet};
pub use source::generated::{validation_clouds, validation_questions, validation_shapes};
