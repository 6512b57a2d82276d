//! FBX 3000 to 7700, binary and ASCII, through [ufbx]: geometry in the pose that the file stores, in meters.
//!
//! [ufbx]: https://github.com/ufbx/ufbx

mod material;
mod mesh;

use std::collections::HashMap;

use glam::{DMat3, DMat4, DVec3, Mat4};
use lexiform_geometry::Scene;
use ufbx::{AllocatorOpts, CoordinateAxis, ElementType, ErrorType, LoadOpts, Node, SceneRoot};

use self::material::Materials;
use crate::builder::pluralize;
use crate::sidecar::{Sidecar, Sidecars};
use crate::surface::{SceneBuilder, SurfaceId};
use crate::{ReadError, UpAxis, limits, source::Source};

/// Deepest tree of nodes, and of elements of the file.
const MAX_DEPTH: u32 = 512;
/// Memory of the parser, for its result and again while it works: this much, and `MEMORY_PER_BYTE` of the file. Arrays are
/// compressed, and a few bytes may declare a gigabyte.
const MEMORY: usize = 128 << 20;
const MEMORY_PER_BYTE: usize = 24;

/// Reads all visible meshes, and the axis that points up in the file.
pub(super) fn read(source: &Source) -> Result<(Scene, Option<UpAxis>), ReadError> {
    let options = LoadOpts { evaluate_skinning: true, ..options(source.bytes.len()) };
    let file = ufbx::load_memory(source.bytes, options).map_err(|error| read_error(source, &error))?;
    let mut scene = Scene::default();
    let (up, scene_from_file) = axes(&file);
    let mut materials = Materials::new(source.path);
    let mut builder = SceneBuilder::default();
    let mut surfaces: HashMap<(u32, Vec<u32>), SurfaceId> = HashMap::new();
    let mut hidden = 0;
    for node in &file.nodes {
        let Some(mesh) = &node.mesh else { continue };
        if !node.visible || is_lower_detail(node) {
            hidden += 1;
            continue;
        }
        let used: Vec<u32> = node.materials.iter().map(|material| material.element.typed_id).collect();
        let surface = match surfaces.get(&(mesh.element.typed_id, used.clone())) {
            Some(&known) => known,
            None => {
                let bound: Vec<usize> = node.materials.iter().map(|m| materials.index(m)).collect();
                let id = builder.add_surface(source, &mesh::surface(mesh, &bound))?;
                *surfaces.entry((mesh.element.typed_id, used)).or_insert(id)
            }
        };
        // A skinned mesh is where its bones are, not where its node is.
        let file_from_mesh =
            if mesh.skinned_is_local { matrix(&node.geometry_to_world) } else { DMat4::IDENTITY };
        builder.place(source, surface, scene_from_file * file_from_mesh, Some(&node.element.name))?;
    }
    notes(&file, hidden, &mut builder.notes);
    (scene.materials, scene.textures) = materials.into_parts(&mut builder.notes);
    builder.build(source, &mut scene)?;
    Ok((scene, up))
}

/// Textures that are not embedded.
pub(super) fn sidecars(bytes: &[u8], sidecars: &mut Sidecars) {
    let options = LoadOpts { ignore_geometry: true, ..options(bytes.len()) };
    if let Ok(file) = ufbx::load_memory(bytes, options) {
        for texture in file.textures.iter().filter(|texture| texture.content.is_empty()) {
            sidecars.push(Sidecar::literal(material::file_name(texture), false));
        }
    }
}

/// Limits on memory and depth. Nothing outside the file is opened: textures are found by [`Materials`].
fn options<'a>(file_bytes: usize) -> LoadOpts<'a> {
    let allocator = || AllocatorOpts {
        memory_limit: file_bytes.saturating_mul(MEMORY_PER_BYTE).saturating_add(MEMORY),
        ..AllocatorOpts::default()
    };
    LoadOpts {
        temp_allocator: allocator(),
        result_allocator: allocator(),
        ignore_animation: true,
        node_depth_limit: MAX_DEPTH,
        ..LoadOpts::default()
    }
}

fn read_error(source: &Source, error: &ufbx::Error) -> ReadError {
    match error.type_ {
        ErrorType::OutOfMemory | ErrorType::MemoryLimit | ErrorType::AllocationLimit => {
            source.unsupported("more memory than a file of this size may use")
        }
        ErrorType::UnsupportedVersion => source.unsupported("a version before 3000"),
        _ => source.invalid(error.description.to_lowercase()),
    }
}

/// The axis that points up, and the transform to meters and to a right-handed system in which it does.
fn axes(file: &SceneRoot) -> (Option<UpAxis>, DMat4) {
    let axes = &file.settings.axes;
    let meters = file.settings.unit_meters;
    let scale =
        DMat4::from_scale(DVec3::splat(if meters.is_finite() && meters > 0.0 { meters } else { 1.0 }));
    let rows = [axes.right, axes.up, axes.front].map(unit_vector);
    let [Some(right), Some(upward), Some(front)] = rows else { return (None, scale) };
    let world_from_file = DMat3::from_cols(right, upward, front).transpose();
    if world_from_file.determinant().abs() < 0.5 {
        return (None, scale);
    }
    let up = match axes.up {
        CoordinateAxis::PositiveX | CoordinateAxis::NegativeX => UpAxis::X,
        CoordinateAxis::PositiveZ | CoordinateAxis::NegativeZ => UpAxis::Z,
        _ => UpAxis::Y,
    };
    // The identity for usual files: others are mirrored, or seen from another side.
    let scene_from_world = Mat4::from(up.file_from_world()).as_dmat4();
    (Some(up), scene_from_world * DMat4::from_mat3(world_from_file) * scale)
}

fn unit_vector(axis: CoordinateAxis) -> Option<DVec3> {
    Some(match axis {
        CoordinateAxis::PositiveX => DVec3::X,
        CoordinateAxis::NegativeX => DVec3::NEG_X,
        CoordinateAxis::PositiveY => DVec3::Y,
        CoordinateAxis::NegativeY => DVec3::NEG_Y,
        CoordinateAxis::PositiveZ => DVec3::Z,
        CoordinateAxis::NegativeZ => DVec3::NEG_Z,
        CoordinateAxis::Unknown => return None,
    })
}

fn matrix(m: &ufbx::Matrix) -> DMat4 {
    let columns = [[m.m00, m.m10, m.m20], [m.m01, m.m11, m.m21], [m.m02, m.m12, m.m22]].map(DVec3::from);
    let linear = DMat3::from_cols(columns[0], columns[1], columns[2]);
    DMat4::from_translation(DVec3::new(m.m03, m.m13, m.m23)) * DMat4::from_mat3(linear)
}

/// Whether the node is a coarser version of its group's first child.
fn is_lower_detail(node: &Node) -> bool {
    let Some(parent) = node.parent.as_ref().filter(|parent| parent.attrib_type == ElementType::LodGroup)
    else {
        return false;
    };
    parent.children.iter().next().is_some_and(|first| first.element.typed_id != node.element.typed_id)
}

/// What ufbx repaired, and what is not read.
fn notes(file: &SceneRoot, hidden: usize, notes: &mut Vec<String>) {
    for warning in file.metadata.warnings.iter().take(limits::NOTES) {
        let mut text = warning.description.to_string();
        text.get_mut(..1).into_iter().for_each(str::make_ascii_lowercase);
        notes.push(if warning.count > 1 { format!("{text} ({} times)", warning.count) } else { text });
    }
    if hidden > 0 {
        notes.push(format!("skipped {}: hidden, or coarser than another", pluralize(hidden, "node")));
    }
    let curved = file.nurbs_surfaces.count;
    if curved > 0 {
        notes.push(format!("skipped {}", pluralize(curved, "NURBS surface")));
    }
}
