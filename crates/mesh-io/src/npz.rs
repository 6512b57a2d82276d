//! Zip archives of NumPy arrays: points with colors and normals, or a mesh, under the names that data sets use.

use glam::{DVec3, Vec3};
use lexiform_formats::zip::{self, Entry};

use crate::{
    ReadError,
    builder::{MeshBuilder, PointCloudBuilder, Polygons, Triangles, to_single_precision},
    limits,
    npy::{self, Array},
    source::Source,
};
use lexiform_geometry::Scene;

const POSITIONS: &[&str] = &[
    "xyz",
    "points",
    "pos",
    "positions",
    "coords",
    "coord",
    "vertices",
    "verts",
    "pc",
    "pcd",
    "point_cloud",
    "pointcloud",
    "data",
    "arr_0",
];
const COLORS: &[&str] = &["rgb", "colors", "color", "rgbs", "vertex_colors"];
const NORMALS: &[&str] = &["normals", "normal", "vertex_normals"];
const FACES: &[&str] = &["faces", "triangles", "face", "f"];

/// Reads arrays with known names, or a single array with any name.
pub(super) fn read(source: &Source) -> Result<Scene, ReadError> {
    let entries = zip::entries(&source.bytes).map_err(|message| source.invalid(message))?;
    let arrays: Vec<&(String, Entry)> = entries.iter().filter(|(name, _)| name.ends_with(".npy")).collect();
    let find = |names: &[&str]| {
        names.iter().find_map(|name| {
            arrays.iter().copied().find(|(n, _)| n.trim_end_matches(".npy").eq_ignore_ascii_case(name))
        })
    };
    // A single array needs no known name.
    let only = if let [one] = arrays[..] { Some(one) } else { None };
    let Some(positions) = find(POSITIONS).or(only) else {
        let names: Vec<&str> = arrays.iter().take(20).map(|(name, _)| name.as_str()).collect();
        return Err(source.invalid(format!("expected an array \"xyz\" or \"points\", found {names:?}")));
    };
    // Decompressed one at a time, so that arrays without use cost no memory.
    let unpack = |(name, entry): &(String, Entry)| {
        let content = entry.read(&source.bytes, limits::FILE_BYTES);
        content.map_err(|message| source.invalid(format!("{name}: {message}")))
    };
    let mut scene = Scene::default();
    let bytes = unpack(positions)?;
    let array = Array::parse(source, &bytes)?;
    let table = array.table(source, &mut scene.notes)?;
    let mut builder = npy::cloud(&table);
    let mut attribute = |names: &[&str]| -> Result<Option<Vec<Vec3>>, ReadError> {
        let Some(entry) = find(names) else { return Ok(None) };
        let bytes = unpack(entry)?;
        let array = Array::parse(source, &bytes)?;
        let table = array.table(source, &mut scene.notes)?;
        if table.rows != builder.positions.len() {
            scene.notes.push(format!(
                "{} rows of {} for {} points are ignored",
                table.rows,
                entry.0,
                builder.positions.len()
            ));
            return Ok(None);
        }
        Ok(Some(table.triples().map(|v| DVec3::from(v).as_vec3()).collect()))
    };
    let (colors, normals) = (attribute(COLORS)?, attribute(NORMALS)?);
    if let Some(mut colors) = colors {
        crate::columns::linearize(&mut colors);
        builder.colors = colors;
    }
    builder.normals = normals.unwrap_or(builder.normals);
    if let Some(entry) = find(FACES) {
        let bytes = unpack(entry)?;
        let array = Array::parse(source, &bytes)?;
        let table = array.table(source, &mut scene.notes)?;
        let mut polygons = Polygons::default();
        // Negative or fractional indices become invalid ones, which the triangulation drops.
        table.triples().for_each(|face| polygons.push(face.map(|v| v as i64)));
        return mesh(source, builder, &polygons, scene);
    }
    if !builder.positions.is_empty() {
        let cloud = builder.build(source, &mut scene.notes)?;
        scene.clouds.push(cloud);
    }
    Ok(scene)
}

fn mesh(
    source: &Source,
    builder: PointCloudBuilder,
    polygons: &Polygons,
    mut scene: Scene,
) -> Result<Scene, ReadError> {
    let positions = to_single_precision(&builder.positions, &mut scene.notes);
    let triangles = Triangles::triangulate(source, polygons, &positions)?;
    triangles.report(source, &mut scene.notes)?;
    let corner = |c: u32| polygons.corners[c as usize] as u32;
    let builder = MeshBuilder {
        faces: triangles.triangles.iter().map(|(t, _)| t.map(corner)).collect(),
        normals: (!builder.normals.is_empty()).then_some(builder.normals),
        uvs: None,
        colors: (!builder.colors.is_empty()).then(|| builder.colors.iter().map(|c| c.extend(1.0)).collect()),
        positions,
    };
    let mesh = builder.build(source, &mut scene.notes)?;
    scene.meshes.push(mesh);
    Ok(scene)
}
