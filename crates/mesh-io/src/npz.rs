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
    let archive = Archive::open(source)?;
    // A single array needs no known name.
    let only = if let [one] = &archive.arrays[..] { Some(one) } else { None };
    let Some(positions) = archive.find(POSITIONS).or(only) else {
        let names: Vec<&str> = archive.arrays.iter().take(20).map(|(name, _)| name.as_str()).collect();
        return Err(source.invalid(format!("expected an array \"xyz\" or \"points\", found {names:?}")));
    };
    let mut scene = Scene::default();
    let bytes = archive.unpack(positions)?;
    let array = Array::parse(source, &bytes)?;
    let table = array.table(source, &mut scene.notes)?;
    let mut builder = npy::cloud(&table);
    let mut attribute = |names: &[&str]| -> Result<Option<Vec<Vec3>>, ReadError> {
        let Some(entry) = archive.find(names) else { return Ok(None) };
        let bytes = archive.unpack(entry)?;
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
    if let Some(entry) = archive.find(FACES) {
        let bytes = archive.unpack(entry)?;
        let array = Array::parse(source, &bytes)?;
        let table = array.table(source, &mut scene.notes)?;
        let mut polygons = Polygons::default();
        // Indices are checked by the triangulation, which drops faces with invalid ones.
        table.triples().for_each(|face| polygons.push(face.map(|v| v as i64)));
        return mesh(source, builder, &polygons, scene);
    }
    if !builder.positions.is_empty() {
        let cloud = builder.build(source, &mut scene.notes)?;
        scene.clouds.push(cloud);
    }
    Ok(scene)
}

/// The arrays of an archive. They are decompressed one at a time, so that arrays without use cost no memory.
struct Archive<'a> {
    source: &'a Source<'a>,
    arrays: Vec<(String, Entry)>,
}

impl<'a> Archive<'a> {
    fn open(source: &'a Source<'a>) -> Result<Self, ReadError> {
        let mut arrays = zip::entries(&source.bytes).map_err(|message| source.invalid(message))?;
        arrays.retain(|(name, _)| name.ends_with(".npy"));
        Ok(Self { source, arrays })
    }

    /// The first array with one of the names, by the order of the names.
    fn find(&self, names: &[&str]) -> Option<&(String, Entry)> {
        names.iter().find_map(|name| {
            self.arrays.iter().find(|(n, _)| n.trim_end_matches(".npy").eq_ignore_ascii_case(name))
        })
    }

    fn unpack(&self, (name, entry): &(String, Entry)) -> Result<Vec<u8>, ReadError> {
        let content = entry.read(&self.source.bytes, limits::FILE_BYTES);
        content.map_err(|message| self.source.invalid(format!("{name}: {message}")))
    }
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
