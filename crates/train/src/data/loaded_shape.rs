//! A shape loaded for a batch.

use std::borrow::Cow;

use image::RgbaImage;
use lexiform_geometry::PointCloud;

use crate::data::caption::Caption;

/// What to load besides captions and features.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct LoadFields {
    /// Views.
    pub images: bool,
    /// Points.
    pub cloud: bool,
    /// The image feature is that of the thumbnail, if the shape has one.
    pub thumbnail: bool,
}

/// A shape loaded for a batch.
pub(crate) struct LoadedShape<'a> {
    /// Index into the pool's categories.
    pub category: usize,
    /// The requested views, in that order.
    pub views: Vec<Cow<'a, RgbaImage>>,
    /// Numbers of these views, as captions refer to them.
    pub view_ids: Vec<usize>,
    /// Points.
    pub cloud: Cow<'a, PointCloud>,
    /// Captions.
    pub captions: Cow<'a, [Caption]>,
    /// The teacher's features, if any.
    pub teacher: Option<ShapeTeacherFeatures<'a>>,
}

/// A teacher's features of a shape; parts that no loss term uses are empty.
pub(crate) struct ShapeTeacherFeatures<'a> {
    /// Mean over the requested views, `[dim]`, or the thumbnail's.
    pub image: Vec<f32>,
    /// `[dim]` per caption.
    pub texts: Vec<Cow<'a, [f32]>>,
}
