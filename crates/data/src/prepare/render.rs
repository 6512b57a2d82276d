//! Renders views of a 3D file and samples points from its surface.

use lexiform_formats::array::Array;
use lexiform_formats::view_format::encode_png;
use lexiform_geometry::normalize::{Center, normalize_unit_sphere};
use lexiform_geometry::sample::sample_surface;
use lexiform_geometry::{Camera, Rig, Scene};
use lexiform_mesh_io::{ReadOptions, read_bytes};
use lexiform_render::{RenderConfig, Renderer};
use rand::SeedableRng as _;
use rand::rngs::SmallRng;
use rayon::prelude::*;

use super::config::PrepareConfig;
use crate::source::FetchedAsset;
use crate::{CAMERAS, Key, Member, Metadata, POINTS, points_to_array};

/// The members made from a file, and the file.
pub(super) struct RenderedShape {
    pub members: Vec<Member>,
    pub bytes: Vec<u8>,
}

/// Reads and renders a file; records its size and its problems in `metadata`.
pub(super) fn render_shape(
    fetched: FetchedAsset,
    key: &Key,
    config: &PrepareConfig,
    metadata: &mut Metadata,
) -> Result<RenderedShape, String> {
    // Files that this one references must exist until it was read.
    let FetchedAsset { path, bytes, companions: _companions } = fetched;
    // The message of a failed shape is shown next to its source, so the path is not repeated.
    let scene = read_bytes(&path, &bytes, &ReadOptions { up: config.up }).map_err(|error| {
        let text = error.to_string();
        text.strip_prefix(&format!("{}: ", path.display())).unwrap_or(&text).to_owned()
    })?;
    metadata.notes.extend(scene.notes.iter().cloned());
    // Before normalization, in the units of the file.
    let edges = scene.bounds().map(|bounds| bounds.extents().to_array());
    metadata.extents = edges.filter(|edges| edges.iter().all(|edge| edge.is_finite()));
    metadata.extra.insert("triangles".to_owned(), scene.n_faces().into());
    metadata.extra.insert("points".to_owned(), scene.n_points().into());
    let (scene, _) = normalize_unit_sphere(scene, Center::Bounds);
    // A seed per shape: with the same random cameras for all shapes, a model could learn the cameras.
    let rig = config.rig.rig(config.views, config.seed ^ key.stable_hash());
    let mut members = views(&scene, &rig, config)?;
    members.push(Member::new(CAMERAS, cameras(&rig).to_npy()));
    if config.points > 0 {
        // Rotated, so that points and cameras have independent seeds.
        let mut rng = SmallRng::seed_from_u64(config.seed ^ key.stable_hash().rotate_left(32));
        members.push(Member::new(
            POINTS,
            points_to_array(&sample_surface(&scene, config.points, &mut rng)).to_npy(),
        ));
    }
    Ok(RenderedShape { members, bytes })
}

/// All views, then their depth and normal maps if they are enabled.
fn views(scene: &Scene, rig: &Rig, config: &PrepareConfig) -> Result<Vec<Member>, String> {
    let render = RenderConfig { size: config.size, background: config.background, ..RenderConfig::default() };
    let renderer = Renderer::new(scene);
    let view = |(i, camera): (usize, &Camera)| {
        let image = renderer.render(camera, &render);
        Ok(Member::view(i, config.view_format.extension(), config.view_format.encode(&image)?))
    };
    let mut members: Vec<Member> = rig.0.par_iter().enumerate().map(view).collect::<Result<_, String>>()?;
    if config.depth || config.normals {
        let form = |(i, camera): (usize, &Camera)| {
            let relief = renderer.depth_normals(camera, &render);
            let depth = config.depth.then(|| encode_png(&relief.depth_image().into()));
            let normals = config.normals.then(|| encode_png(&relief.normal_image().into()));
            let depth = depth.transpose()?.map(|bytes| Member::depth(i, bytes));
            Ok([depth, normals.transpose()?.map(|bytes| Member::normals(i, bytes))])
        };
        let forms: Vec<_> = rig.0.par_iter().enumerate().map(form).collect::<Result<_, String>>()?;
        let (depths, normals): (Vec<_>, Vec<_>) =
            forms.into_iter().map(|[depth, normals]| (depth, normals)).unzip();
        // All depth maps, then all normal maps: readers that need only one kind read adjacent bytes.
        members.extend(depths.into_iter().chain(normals).flatten());
    }
    Ok(members)
}

/// Rotation and position of every camera (world from camera), `[views, 3, 4]`.
fn cameras(rig: &Rig) -> Array {
    let rows = |camera: &Camera| {
        let columns = camera.world_from_camera.to_cols_array_2d();
        let row = move |r: usize| columns.map(|column| column[r]);
        [row(0), row(1), row(2)].concat()
    };
    Array::from_f32(&[rig.0.len(), 3, 4], &rig.0.iter().flat_map(rows).collect::<Vec<f32>>())
}
