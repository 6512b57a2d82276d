//! Preprocessing of shapes: rendered views, sampled points or both for the model; a thumbnail and metadata for the
//! store.

use std::io::Cursor;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use image::codecs::jpeg::JpegEncoder;
use image::{DynamicImage, RgbaImage};
use lexiform_geometry::normalize::{Center, normalize_unit_sphere};
use lexiform_geometry::resize::{composite_on_white, resize_bicubic_rgba};
use lexiform_geometry::sample::{sample_cloud, sample_surface};
use lexiform_geometry::{Camera, PointCloud, RigKind, Scene};
use lexiform_mesh_io::{
    Format, ReadOptions, UpAxis, UpRule, read_with, thin_views, turn_cloud_upright, turn_upright,
};
use lexiform_render::{RenderConfig, Renderer};
use lexiform_store::Payload;
use rand::SeedableRng as _;
use rand::rngs::SmallRng;

use crate::error::strip_path_prefix;
use crate::part_names::{material_names, object_names};
use crate::view_set::view_paths;
use crate::{Encoder, Error, InputSpec, ModelInput, SplitViews, is_view_set, read_views};

/// Edge of a thumbnail in pixels.
const THUMBNAIL_SIZE: u32 = 160;
/// JPEG quality of a thumbnail.
const THUMBNAIL_QUALITY: u8 = 82;
/// Maximum number of warnings about a file in its payload.
const MAX_NOTES: usize = 8;
/// Seed of rigs with random cameras; the same for all libraries, so that shapes can be compared.
const RIG_SEED: u64 = 0;
/// Seed of points on a surface; the same for all libraries.
const POINTS_SEED: u64 = 0;
/// Maximum points of a scan per point of the model's input: models choose among them by farthest point sampling
/// ([PointNet++](https://arxiv.org/abs/1706.02413)), whose time grows with their number.
const SCAN_OVERSAMPLING: usize = 20;
/// Incremented when preprocessing changes so much that embeddings cannot be compared.
const PREPROCESSING_VERSION: u32 = 1;
/// Views that are read of a folder, unless the model's input has more: as many as Duoduo CLIP's data has of an object.
const MAX_FILE_VIEWS: usize = 12;
/// Format of a record whose shape is given as views.
pub(crate) const VIEWS_FORMAT: &str = "views";

/// Turns shapes into the input of a model: views, points or both.
#[derive(Clone, Debug, PartialEq)]
pub struct ShapePreprocessor {
    input_spec: InputSpec,
    /// Input for scenes that contain only points.
    point_cloud_spec: InputSpec,
    /// Number of surface points of a mesh in addition to its views; 0 for views only.
    points_with_views: usize,
    /// How the up axis of files, and of stored points, is found.
    up: UpRule,
    /// Turns files to +Z up after reading, as if their format stated nothing.
    z_up: bool,
    /// Replaces every shape by a point cloud first.
    simulated_scan: Option<SimulatedScan>,
}

/// A simulated scan: a point cloud sampled from a shape's surface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SimulatedScan {
    /// Number of points.
    pub points: usize,
    /// Whether the scan has no colors.
    pub without_colors: bool,
}

/// The result of preprocessing one file.
#[derive(Clone, Debug)]
pub struct Processed {
    /// The model's input.
    pub input: ModelInput,
    /// A JPEG image of the view from the front, 160 × 160 pixels.
    pub thumbnail: Vec<u8>,
    /// Counts and sizes; the caller sets path, hash and time.
    pub payload: Payload,
}

impl ShapePreprocessor {
    /// The preprocessing that the model was trained with: the camera rig, number and size of views, or the number of
    /// points.
    pub fn for_encoder(encoder: &dyn Encoder) -> Self {
        Self {
            input_spec: encoder.input_spec(),
            point_cloud_spec: encoder.point_cloud_input_spec(),
            points_with_views: encoder.points_with_views(),
            up: UpRule::Format,
            z_up: false,
            simulated_scan: None,
        }
    }

    /// Sets the number of views; points are unchanged.
    pub fn with_views(mut self, n: usize) -> Self {
        for input_spec in [&mut self.input_spec, &mut self.point_cloud_spec] {
            if let InputSpec::Views { count, .. } = input_spec {
                *count = n;
            }
        }
        self
    }

    /// Samples `n` points of the surface.
    pub fn surface_points(n: usize) -> Self {
        Self::of(InputSpec::Points { count: n })
    }

    /// Renders views, of point clouds too.
    pub fn rendered_views(rig: RigKind, count: usize, size: u32) -> Self {
        Self::of(InputSpec::Views { rig, count, size })
    }

    fn of(input_spec: InputSpec) -> Self {
        Self {
            input_spec,
            point_cloud_spec: input_spec,
            points_with_views: 0,
            up: UpRule::Format,
            z_up: false,
            simulated_scan: None,
        }
    }

    /// Sets how the up axis of files, and of stored points, is found.
    pub fn with_up(mut self, up: UpRule) -> Self {
        self.up = up;
        self
    }

    /// How the up axis of files is found.
    pub fn up(&self) -> UpRule {
        self.up
    }

    /// Turns every file from +Y up to +Z up before the rule of [`with_up`](Self::with_up) is applied, as if its format stated
    /// nothing: measures what a wrong axis costs, and how well a rule finds it.
    pub fn with_files_turned_z_up(mut self, z_up: bool) -> Self {
        self.z_up = z_up;
        self
    }

    /// Replaces shapes by simulated scans of their surfaces.
    pub fn with_simulated_scan(mut self, scan: SimulatedScan) -> Self {
        self.simulated_scan = Some(scan);
        self
    }

    /// A description, stored in the library: embeddings with other descriptions cannot be compared.
    pub fn describe(&self) -> String {
        // The text is stored in libraries, which open only at an equal one: "look" is a former name, kept for those.
        let mut text = format!("look {PREPROCESSING_VERSION}: {}", self.input_spec.describe());
        if self.points_with_views > 0 {
            text += &format!(" and {} points of the surface", self.points_with_views);
        }
        if self.point_cloud_spec != self.input_spec {
            text += &format!(", clouds as {}", self.point_cloud_spec.describe());
        }
        if self.up != UpRule::Format {
            text += &format!(", up axis {}", self.up);
        }
        if self.z_up {
            text += ", files turned to +Z up";
        }
        if let Some(SimulatedScan { points, without_colors }) = self.simulated_scan {
            let colors = if without_colors { " without colors" } else { "" };
            text += &format!(", all shapes as clouds of {points} points{colors}");
        }
        text
    }

    /// Reads and preprocesses a file, or the views of an object (see [`is_view_set`]). A panic of a reader or the renderer is
    /// an error of this file.
    ///
    /// # Errors
    /// [`Error::Shape`] if the file cannot be read or contains no shape.
    pub fn process(&self, path: &Path) -> Result<Processed, Error> {
        guarded(path, || self.read_and_render(path))
    }

    /// Reads a file, with +Y up. A panic of a reader is an error of this file.
    ///
    /// # Errors
    /// [`Error::Shape`] if the file cannot be read.
    pub fn read_scene(&self, path: &Path) -> Result<Scene, Error> {
        guarded(path, || self.read(path))
    }

    fn read_and_render(&self, path: &Path) -> Result<Processed, String> {
        if is_view_set(path) {
            return self.read_views(path);
        }
        let scene = self.read(path)?;
        // Before normalization: extents are in the file's unit.
        let payload = shape_payload(path, &scene);
        if scene.is_empty() {
            return Err("no triangles and no points".to_owned());
        }
        let scan = self.scan_input(&scene);
        let scene = match self.simulated_scan {
            Some(scan) => scan.apply(&scene),
            None => scene,
        };
        let (scene, _) = normalize_unit_sphere(scene, Center::Bounds);
        // One renderer for the views and the thumbnail: it prepares the scene once.
        let renderer = Renderer::new(&scene);
        let input = scan.unwrap_or_else(|| self.model_input(&scene, &renderer));
        let thumbnail = thumbnail(&renderer).map_err(|error| error.to_string())?;
        Ok(Processed { input, thumbnail, payload })
    }

    /// The points of a scan for a point encoder, with the coordinates and in the order of the file: the same input as the same
    /// points in a data set. Encoders normalize on their own.
    fn scan_input(&self, scene: &Scene) -> Option<ModelInput> {
        let (InputSpec::Points { count }, [scan]) = (self.point_cloud_spec, &scene.clouds[..]) else {
            return None;
        };
        let is_scan = scene.n_faces() == 0 && self.simulated_scan.is_none();
        is_scan.then(|| ModelInput::Points(thinned(scan, count)))
    }

    fn read(&self, path: &Path) -> Result<Scene, String> {
        let up = if self.z_up { UpRule::Format } else { self.up };
        let scene = read_with(path, &ReadOptions { up })
            .map_err(|error| strip_path_prefix(&error.to_string(), path))?;
        Ok(if self.z_up {
            turn_upright(scene.transformed(UpAxis::Z.file_from_world()), self.up).0
        } else {
            scene
        })
    }

    /// The views of an object that are files already; surplus ones are left out.
    fn read_views(&self, path: &Path) -> Result<Processed, String> {
        let failed = |error: Error| strip_path_prefix(&error.to_string(), path);
        let most = match self.input_spec {
            InputSpec::Views { count, .. } => count.max(MAX_FILE_VIEWS),
            InputSpec::Points { .. } => MAX_FILE_VIEWS,
        };
        // Files first, so that no more are decoded than needed; each may be a strip of several views.
        let files = thin_views(view_paths(&[path.to_owned()]).map_err(failed)?, most);
        let views = thin_views(read_views(&files, SplitViews::Auto).map_err(failed)?, most);
        let mut payload = Payload { format: VIEWS_FORMAT.to_owned(), ..Payload::default() };
        payload.extra.insert("views".to_owned(), serde_json::json!(views.len()));
        let first = views.first().ok_or("no views")?;
        let small = resize_bicubic_rgba(first, THUMBNAIL_SIZE as usize, THUMBNAIL_SIZE as usize);
        let thumbnail = jpeg(composite_on_white(&small).into()).map_err(|error| error.to_string())?;
        Ok(Processed { input: ModelInput::Views(views), thumbnail, payload })
    }

    /// The model's input for a scene in memory, without thumbnail and metadata.
    pub fn process_scene(&self, scene: Scene) -> ModelInput {
        let scene = match self.simulated_scan {
            Some(scan) => scan.apply(&scene),
            None => scene,
        };
        let (scene, _) = normalize_unit_sphere(scene, Center::Bounds);
        self.model_input(&scene, &Renderer::new(&scene))
    }

    /// The model's input from the stored views and points of a shape, as data sets contain them; `None` if the model's
    /// input is not among them. Points are turned if [`with_up`](Self::with_up) asks for it, and only thinned if they are many more
    /// than the encoder chooses from; for a model of views only, they are rendered.
    pub fn process_stored(&self, views: Vec<RgbaImage>, cloud: Option<PointCloud>) -> Option<ModelInput> {
        let cloud = cloud.filter(|cloud| !cloud.positions().is_empty());
        let cloud = cloud.map(|cloud| turn_cloud_upright(cloud, self.up));
        // A model of points gets points. Without views, points go to the point encoder if the model has one, and are
        // rendered otherwise.
        match ([self.input_spec, self.point_cloud_spec], cloud) {
            ([InputSpec::Points { count }, _], cloud) => {
                cloud.map(|cloud| ModelInput::Points(thinned(&cloud, count)))
            }
            ([_, InputSpec::Points { count }], Some(cloud)) if views.is_empty() => {
                Some(ModelInput::Points(thinned(&cloud, count)))
            }
            (_, Some(cloud)) if views.is_empty() => Some(self.process_scene(Scene::from_cloud(cloud))),
            (_, Some(cloud)) if self.points_with_views > 0 => Some(ModelInput::Both { views, cloud }),
            _ if views.is_empty() => None,
            _ => Some(ModelInput::Views(views)),
        }
    }

    /// The model's input for a scene normalized to the unit sphere.
    fn model_input(&self, scene: &Scene, renderer: &Renderer<'_>) -> ModelInput {
        let is_cloud = scene.n_faces() == 0;
        match if is_cloud { self.point_cloud_spec } else { self.input_spec } {
            InputSpec::Views { rig, count, size } => {
                let config = RenderConfig { size, ..RenderConfig::default() };
                let views = renderer.render_views(&rig.rig(count, RIG_SEED), &config).images;
                if self.points_with_views > 0 && !is_cloud {
                    ModelInput::Both { views, cloud: points(scene, self.points_with_views) }
                } else {
                    ModelInput::Views(views)
                }
            }
            InputSpec::Points { count } => ModelInput::Points(points(scene, count)),
        }
    }
}

impl SimulatedScan {
    fn apply(self, scene: &Scene) -> Scene {
        let cloud = sample_surface(scene, self.points, &mut rng());
        Scene::from_cloud(if self.without_colors {
            PointCloud::new(cloud.positions().to_vec()).unwrap_or_default()
        } else {
            cloud
        })
    }
}

impl InputSpec {
    fn describe(&self) -> String {
        match *self {
            Self::Views { rig, count, size } => {
                let views = rig.rig(count, RIG_SEED).0.len();
                format!("{views} views from rig {} at {size} px", rig.name())
            }
            Self::Points { count } => format!("{count} points of the surface"),
        }
    }
}

fn rng() -> SmallRng {
    SmallRng::seed_from_u64(POINTS_SEED)
}

/// Points on the surfaces of a scene. A scan keeps more points than the model needs, so that the model can choose among
/// them as in its training.
fn points(scene: &Scene, count: usize) -> PointCloud {
    match &scene.clouds[..] {
        [scan] if scene.n_faces() == 0 && scan.positions().len() > count => thinned(scan, count),
        _ => sample_surface(scene, count, &mut rng()),
    }
}

/// A scan with at most [`SCAN_OVERSAMPLING`] points per point of the model's input: farthest point sampling in the model needs a
/// surplus of points, but not millions of them.
fn thinned(scan: &PointCloud, count: usize) -> PointCloud {
    let most = count.saturating_mul(SCAN_OVERSAMPLING);
    if scan.positions().len() > most { sample_cloud(scan, most, &mut rng()) } else { scan.clone() }
}

/// Runs work on a file; a panic is an error of this file.
fn guarded<T>(path: &Path, work: impl FnOnce() -> Result<T, String>) -> Result<T, Error> {
    // Unwind safe: the work modifies nothing, and everything else is dropped.
    catch_unwind(AssertUnwindSafe(work))
        .unwrap_or_else(|panic| Err(format!("internal error: {}", panic_message(&*panic))))
        .map_err(|reason| Error::Shape { path: path.to_owned(), reason })
}

/// The message of a panic, whose payload is a string for `panic!` and may be of any type for `panic_any`.
pub(crate) fn panic_message(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "unknown".to_owned())
}

/// Metadata of a scene; the caller adds path, hash and time.
fn shape_payload(path: &Path, scene: &Scene) -> Payload {
    let extents = scene.bounds().map_or([0.0; 3], |bounds| bounds.extents().to_array());
    let mut payload = Payload {
        format: Format::from_path(path).map_or(String::new(), |format| format.extension().to_owned()),
        vertices: scene.n_vertices() as u64,
        triangles: scene.n_faces() as u64,
        points: scene.n_points() as u64,
        // Differences of huge coordinates overflow; extents in a payload are finite.
        extents: extents.map(|edge| if edge.is_finite() { edge } else { f32::MAX }),
        objects: object_names(scene),
        materials: material_names(scene),
        ..Payload::default()
    };
    if !scene.notes.is_empty() {
        let notes: Vec<&String> = scene.notes.iter().take(MAX_NOTES).collect();
        payload.extra.insert("notes".to_owned(), serde_json::json!(notes));
    }
    payload
}

/// The thumbnail of a scene in memory.
///
/// # Errors
/// If the image cannot be encoded.
pub(crate) fn scene_thumbnail(scene: Scene) -> image::ImageResult<Vec<u8>> {
    let (scene, _) = normalize_unit_sphere(scene, Center::Bounds);
    thumbnail(&Renderer::new(&scene))
}

/// The view from the front and slightly above, as in product catalogs.
fn thumbnail(renderer: &Renderer<'_>) -> image::ImageResult<Vec<u8>> {
    let view = renderer.render(
        &Camera::three_quarter_view(),
        &RenderConfig { size: THUMBNAIL_SIZE, ..RenderConfig::default() },
    );
    // JPEG has no alpha channel; the background is white already.
    jpeg(DynamicImage::ImageRgba8(view))
}

fn jpeg(image: DynamicImage) -> image::ImageResult<Vec<u8>> {
    let mut jpeg = Cursor::new(Vec::new());
    let encoder = JpegEncoder::new_with_quality(&mut jpeg, THUMBNAIL_QUALITY);
    image.into_rgb8().write_with_encoder(encoder)?;
    Ok(jpeg.into_inner())
}
