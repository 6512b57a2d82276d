//! What batches are drawn from: where shapes come from, how they are held, and a teacher's features of them.

pub(crate) mod caption;
pub(crate) mod features;
pub(crate) mod on_disk;
pub(crate) mod picked;
pub(crate) mod pool;
pub(crate) mod requirements;
pub(crate) mod shape_set;
pub(crate) mod source;

pub use caption::{Origin, Saying};
pub use shape_set::{Names, Sample, ShapeSet};
pub use source::generated::{held_out, held_out_clouds, held_out_questions};
