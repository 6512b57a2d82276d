//! How a shape is taken: as views from cameras or as points on its surface; and what is kept besides.

use std::io::Cursor;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use image::codecs::jpeg::JpegEncoder;
use image::{DynamicImage, RgbaImage};
use lexiform_geometry::normalize::{Center, normalize_unit_sphere};
use lexiform_geometry::sample::{sample_cloud, sample_surface};
use lexiform_geometry::{Camera, PointCloud, Scene};
use lexiform_mesh_io::Format;
use lexiform_render::{RenderConfig, Renderer};
use lexiform_store::Payload;
use rand::SeedableRng as _;
use rand::rngs::SmallRng;

use crate::{Encoder, Error, Intake, Taken};

/// Edge of a thumbnail in pixels.
const THUMBNAIL_SIZE: u32 = 160;
/// JPEG quality of a thumbnail.
const THUMBNAIL_QUALITY: u8 = 82;
/// Notes about a file that are kept in its payload.
const MAX_NOTES: usize = 8;
/// Chooses the cameras of rigs that are drawn by lot; the same for all libraries, so that shapes compare.
const RIG_SEED: u64 = 0;
/// Chooses the points on a surface; the same for all libraries.
const POINTS_SEED: u64 = 0;
/// Points of a scan that are looked at for each that the model likes to see: models choose the farthest, which costs
/// time for each.
const SCAN_SURPLUS: usize = 20;
/// Raised when views come out so differently that embeddings no longer compare.
const LOOK_VERSION: u32 = 1;

/// The way all shapes of a library are looked at.
#[derive(Clone, Debug, PartialEq)]
pub struct Look {
    intake: Intake,
    /// For scenes that are only points.
    of_clouds: Intake,
    /// Points taken beside views; 0 for none.
    beside: usize,
    /// Every shape becomes a cloud first.
    scanned: Option<Scanned>,
}

/// A cloud of a shape's surface, as a plain scanner would give it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scanned {
    /// Number of points.
    pub points: usize,
    /// Whether colors are missing.
    pub bare: bool,
}

/// What was seen of one file.
#[derive(Clone, Debug)]
pub struct Seen {
    /// The shape as the model takes it.
    pub taken: Taken,
    /// A small JPEG of the view from the front.
    pub thumbnail: Vec<u8>,
    /// Counts and sizes; path, hash and time are left to the caller.
    pub payload: Payload,
}

impl Look {
    /// The look a model was made for: views of its number and size from cameras like those of its training data, or
    /// points of its number.
    pub fn of(encoder: &dyn Encoder) -> Self {
        Self {
            intake: encoder.intake(),
            of_clouds: encoder.intake_of_clouds(),
            beside: encoder.points_beside_views(),
            scanned: None,
        }
    }

    /// The same look with so many views; points stay as they are.
    pub fn with_views(mut self, n: usize) -> Self {
        for intake in [&mut self.intake, &mut self.of_clouds] {
            if let Intake::Views { count, .. } = intake {
                *count = n;
            }
        }
        self
    }

    /// A look at so many points of the surface.
    pub fn at_points(n: usize) -> Self {
        let intake = Intake::Points { count: n };
        Self { intake, of_clouds: intake, beside: 0, scanned: None }
    }

    /// The same look at clouds of the shapes' surfaces, in the shapes' stead.
    pub fn at_clouds(mut self, scanned: Scanned) -> Self {
        self.scanned = Some(scanned);
        self
    }

    /// The look in words, as a library records it.
    pub fn describe(&self) -> String {
        let mut words = format!("look {LOOK_VERSION}: {}", self.intake.describe());
        if self.beside > 0 {
            words += &format!(" and {} points of the surface", self.beside);
        }
        if self.of_clouds != self.intake {
            words += &format!(", clouds as {}", self.of_clouds.describe());
        }
        if let Some(Scanned { points, bare }) = self.scanned {
            let colors = if bare { " without colors" } else { "" };
            words += &format!(", all shapes as clouds of {points} points{colors}");
        }
        words
    }

    /// Reads a file and looks at it. A panic on the way is this file's error, not the run's end.
    pub fn see(&self, path: &Path) -> Result<Seen, Error> {
        let failed = |reason: String| Error::Shape { path: path.to_owned(), reason };
        let seen = catch_unwind(AssertUnwindSafe(|| self.read_and_draw(path)));
        seen.unwrap_or_else(|panic| Err(format!("internal error: {}", panic_text(&*panic)))).map_err(failed)
    }

    fn read_and_draw(&self, path: &Path) -> Result<Seen, String> {
        let scene = lexiform_mesh_io::read(path).map_err(|error| without_path(&error.to_string(), path))?;
        let payload = facts(path, &scene);
        if scene.is_empty() {
            return Err("no triangles and no points".to_owned());
        }
        let scene = match self.scanned {
            Some(scanned) => scanned.of(&scene),
            None => scene,
        };
        let (scene, _) = normalize_unit_sphere(scene, Center::Bounds);
        let renderer = Renderer::new(&scene);
        let taken = self.take(&scene, &renderer);
        let thumbnail = thumbnail(&renderer).map_err(|error| error.to_string())?;
        Ok(Seen { taken, thumbnail, payload })
    }

    /// A scene as the model takes it.
    pub fn at(&self, scene: Scene) -> Taken {
        let scene = match self.scanned {
            Some(scanned) => scanned.of(&scene),
            None => scene,
        };
        let (scene, _) = normalize_unit_sphere(scene, Center::Bounds);
        self.take(&scene, &Renderer::new(&scene))
    }

    /// What is stored of a shape as the model takes it; `None` if that is nothing it takes. Points are handed on as they are; a
    /// model that only looks at views is shown a drawing of them.
    pub fn at_stored(&self, views: Vec<RgbaImage>, cloud: Option<PointCloud>) -> Option<Taken> {
        let cloud = cloud.filter(|cloud| !cloud.positions().is_empty());
        let takes_points =
            [self.intake, self.of_clouds].map(|intake| matches!(intake, Intake::Points { .. }));
        match (takes_points, cloud) {
            ([true, _], cloud) => cloud.map(Taken::Points),
            ([false, true], Some(cloud)) if views.is_empty() => Some(Taken::Points(cloud)),
            (_, Some(cloud)) if views.is_empty() => Some(self.at(Scene::from_cloud(cloud))),
            (_, Some(cloud)) if self.beside > 0 => Some(Taken::Both { views, cloud }),
            _ if views.is_empty() => None,
            _ => Some(Taken::Views(views)),
        }
    }

    /// A scene that fits the unit sphere.
    fn take(&self, scene: &Scene, renderer: &Renderer<'_>) -> Taken {
        let is_cloud = scene.n_faces() == 0;
        match if is_cloud { self.of_clouds } else { self.intake } {
            Intake::Views { rig, count, size } => {
                let config = RenderConfig { size, ..RenderConfig::default() };
                let views = renderer.render_views(&rig.rig(count, RIG_SEED), &config).images;
                match self.beside {
                    beside if beside > 0 && !is_cloud => Taken::Both { views, cloud: points(scene, beside) },
                    _ => Taken::Views(views),
                }
            }
            Intake::Points { count } => Taken::Points(points(scene, count)),
        }
    }
}

impl Scanned {
    fn of(self, scene: &Scene) -> Scene {
        let cloud = sample_surface(scene, self.points, &mut rng());
        Scene::from_cloud(match self.bare {
            true => PointCloud::new(cloud.positions().to_vec()).unwrap_or_default(),
            false => cloud,
        })
    }
}

impl Intake {
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

/// Points on the surfaces of a scene. A scan is its own points, so that the model can choose among them as it was
/// trained to.
fn points(scene: &Scene, count: usize) -> PointCloud {
    let mut rng = rng();
    match &scene.clouds[..] {
        [scan] if scene.n_faces() == 0 && scan.positions().len() > count => {
            let most = count.saturating_mul(SCAN_SURPLUS);
            if scan.positions().len() > most { sample_cloud(scan, most, &mut rng) } else { scan.clone() }
        }
        _ => sample_surface(scene, count, &mut rng),
    }
}

/// The message of a panic.
pub(crate) fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "unknown".to_owned())
}

/// A message that starts with the file's path, without it: the path stands beside the message everywhere.
pub(crate) fn without_path(message: &str, path: &Path) -> String {
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

/// The shape as catalogs show it.
fn thumbnail(renderer: &Renderer<'_>) -> image::ImageResult<Vec<u8>> {
    let view = renderer
        .render(&Camera::catalog(), &RenderConfig { size: THUMBNAIL_SIZE, ..RenderConfig::default() });
    let mut jpeg = Cursor::new(Vec::new());
    let encoder = JpegEncoder::new_with_quality(&mut jpeg, THUMBNAIL_QUALITY);
    DynamicImage::ImageRgba8(view).into_rgb8().write_with_encoder(encoder)?;
    Ok(jpeg.into_inner())
}
