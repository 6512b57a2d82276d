//! How samples are changed each time they are seen: views, clouds as scanned, prepared clouds.

pub(crate) mod points;
pub(crate) mod scan;
pub(crate) mod views;
