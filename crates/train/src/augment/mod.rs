//! Random augmentations: of views, of raw clouds (`scan`) and of prepared clouds (`points`).

pub(crate) mod points;
pub(crate) mod scan;
pub(crate) mod views;
