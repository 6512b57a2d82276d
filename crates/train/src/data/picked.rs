//! A shape that was drawn, as far as it was wanted.

use std::borrow::Cow;

use image::RgbaImage;
use lexiform_geometry::PointCloud;

use crate::data::caption::Saying;

/// What to read of a shape besides its captions.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wanted {
    /// Its views as pictures.
    pub pictures: bool,
    /// Its points.
    pub cloud: bool,
}

/// A shape that was drawn, as far as it was wanted.
pub(crate) struct Picked<'a> {
    /// Index into the pool's names.
    pub category: usize,
    /// The views that were asked for, in that order.
    pub views: Vec<Cow<'a, RgbaImage>>,
    /// Numbers of these views where captions name them.
    pub shown: Vec<usize>,
    /// Its points.
    pub cloud: Cow<'a, PointCloud>,
    /// What can be said of it.
    pub sayings: Cow<'a, [Saying]>,
    /// Features by a frozen model.
    pub frozen: Option<FrozenRows<'a>>,
}

/// Features of a shape by a frozen model.
pub(crate) struct FrozenRows<'a> {
    /// Mean over the views that were asked for, `[dim]`; empty where nothing is learned from it.
    pub image: Vec<f32>,
    /// `[dim]` for each saying.
    pub texts: Vec<Cow<'a, [f32]>>,
}
