//! How a shape is seen: the cameras, the size of a view, and what is kept besides the views.

use std::io::Cursor;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use glam::Vec3;
use image::codecs::jpeg::JpegEncoder;
use image::{DynamicImage, RgbaImage};
use lexiform_geometry::io::{self, Format};
use lexiform_geometry::normalize::{Center, normalize_unit_sphere};
use lexiform_geometry::render::{RenderConfig, Renderer};
use lexiform_geometry::{Camera, Rig, RigKind, Scene};
use lexiform_store::Payload;

use crate::{Encoder, Error};

/// Edge of a thumbnail in pixels.
const THUMBNAIL_SIZE: u32 = 160;
/// Angle of view of a thumbnail in radians: narrow, so that shapes look the way they do in catalogs.
const THUMBNAIL_FOV: f32 = 0.6;
/// JPEG quality of a thumbnail.
const THUMBNAIL_QUALITY: u8 = 82;
/// Notes about a file that are kept in its payload.
const MAX_NOTES: usize = 8;
/// Chooses the cameras of rigs that are drawn by lot; the same for all libraries, so that shapes compare.
const RIG_SEED: u64 = 0;
/// Raised when views come out so differently that embeddings no longer compare.
const LOOK_VERSION: u32 = 1;

/// The way all shapes of a library are looked at.
#[derive(Clone, Debug, PartialEq)]
pub struct Look {
    rig: Rig,
    kind: RigKind,
    config: RenderConfig,
}

/// What was seen of one file.
#[derive(Clone, Debug)]
pub struct Seen {
    /// Square views on white, in the order of the cameras.
    pub views: Vec<RgbaImage>,
    /// A small JPEG of the view from the front.
    pub thumbnail: Vec<u8>,
    /// Counts and sizes; path, hash and time are left to the caller.
    pub payload: Payload,
}

impl Look {
    /// The look a model was made for: its number of views, its view size, cameras like those of its training data.
    pub fn of(encoder: &dyn Encoder) -> Self {
        let config = RenderConfig { size: encoder.view_size(), ..RenderConfig::default() };
        let kind = encoder.rig();
        Self { rig: kind.rig(encoder.n_views(), RIG_SEED), kind, config }
    }

    /// The look in words, as a library records it.
    pub fn describe(&self) -> String {
        let (views, rig, size) = (self.rig.0.len(), self.kind.name(), self.config.size);
        format!("look {LOOK_VERSION}: {views} views from rig {rig} at {size} px")
    }

    /// Reads a file and looks at it. A panic on the way is this file's error, not the run's end.
    pub fn see(&self, path: &Path) -> Result<Seen, Error> {
        let failed = |reason: String| Error::Shape { path: path.to_owned(), reason };
        let seen = catch_unwind(AssertUnwindSafe(|| self.read_and_draw(path)));
        seen.unwrap_or_else(|panic| Err(format!("internal error: {}", panic_text(&*panic)))).map_err(failed)
    }

    fn read_and_draw(&self, path: &Path) -> Result<Seen, String> {
        let scene = io::read(path).map_err(|error| without_path(&error.to_string(), path))?;
        let payload = facts(path, &scene);
        if scene.is_empty() {
            return Err("no triangles and no points".to_owned());
        }
        let (scene, _) = normalize_unit_sphere(scene, Center::Bounds);
        let renderer = Renderer::new(&scene);
        let views = renderer.render_views(&self.rig, &self.config).images;
        let thumbnail = thumbnail(&renderer).map_err(|error| error.to_string())?;
        Ok(Seen { views, thumbnail, payload })
    }
}

/// The message of a panic.
pub(crate) fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "unknown".to_owned())
}

/// A message that starts with the file's path, without it: the path stands beside the message everywhere.
fn without_path(message: &str, path: &Path) -> String {
    message.strip_prefix(&format!("{}: ", path.display())).unwrap_or(message).to_owned()
}

fn facts(path: &Path, scene: &Scene) -> Payload {
    let extents = scene.bounds().map_or([0.0; 3], |bounds| bounds.extents().to_array());
    let mut payload = Payload {
        format: Format::from_path(path).map_or(String::new(), |f| format!("{f:?}").to_ascii_lowercase()),
        vertices: scene.n_vertices() as u64,
        triangles: scene.n_faces() as u64,
        points: scene.n_points() as u64,
        // Huge coordinates overflow when subtracted; a payload holds finite numbers.
        extents: extents.map(|edge| if edge.is_finite() { edge } else { f32::MAX }),
        ..Payload::default()
    };
    if !scene.notes.is_empty() {
        let notes: Vec<&String> = scene.notes.iter().take(MAX_NOTES).collect();
        payload.extra.insert("notes".to_owned(), serde_json::json!(notes));
    }
    payload
}

/// The shape from the front, a little from above and from the side.
fn thumbnail(renderer: &Renderer<'_>) -> image::ImageResult<Vec<u8>> {
    let distance = 1.05 / (0.5 * THUMBNAIL_FOV).sin();
    let camera =
        Camera::look_at(distance * Vec3::new(0.4, 0.35, 0.85).normalize(), Vec3::ZERO, THUMBNAIL_FOV);
    let view = renderer.render(&camera, &RenderConfig { size: THUMBNAIL_SIZE, ..RenderConfig::default() });
    let mut jpeg = Cursor::new(Vec::new());
    let encoder = JpegEncoder::new_with_quality(&mut jpeg, THUMBNAIL_QUALITY);
    DynamicImage::ImageRgba8(view).into_rgb8().write_with_encoder(encoder)?;
    Ok(jpeg.into_inner())
}
