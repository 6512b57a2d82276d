//! A shape that was drawn, as far as it was wanted.

use std::borrow::Cow;

use image::RgbaImage;
use lexiform_geometry::PointCloud;

use crate::data::caption::Caption;

/// What to read of a shape besides its captions.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LoadFields {
    /// Its views as pictures.
    pub images: bool,
    /// Its points.
    pub cloud: bool,
}

/// A shape that was drawn, as far as it was wanted.
pub(crate) struct LoadedShape<'a> {
    /// Index into the pool's names.
    pub category: usize,
    /// The views that were asked for, in that order.
    pub views: Vec<Cow<'a, RgbaImage>>,
    /// Numbers of these views where captions name them.
    pub view_ids: Vec<usize>,
    /// Its points.
    pub cloud: Cow<'a, PointCloud>,
    /// What can be said of it.
    pub captions: Cow<'a, [Caption]>,
    /// Features by a frozen model.
    pub teacher: Option<ShapeTeacherFeatures<'a>>,
}

/// Features of a shape by a frozen model.
pub(crate) struct ShapeTeacherFeatures<'a> {
    /// Mean over the views that were asked for, `[dim]`; empty where nothing is learned from it.
    pub image: Vec<f32>,
    /// `[dim]` for each caption.
    pub texts: Vec<Cow<'a, [f32]>>,
}
