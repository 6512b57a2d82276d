//! Surfaces whose attributes belong to corners, and instances of them: how FBX, USD, 3MF, X3D and others keep triangles.
//! Positions stay in double precision until all instances are placed.

use std::collections::{BTreeMap, HashMap};

use glam::{DMat4, DVec3, Vec2, Vec3, Vec4};

use crate::builder::{MeshBuilder, PointCloudBuilder, Polygons, Triangles, pluralize, to_single_precision};
use crate::{ReadError, source::Source};
use lexiform_geometry::Scene;

/// Most instances of one file, and nodes that are visited to find them: instances of instances grow without bound otherwise.
const MAX_INSTANCES: usize = 100_000;

/// Polygons over positions; the other attributes have one value for each corner.
#[derive(Default)]
pub(super) struct Surface {
    /// Positions in the surface's own coordinates.
    pub positions: Vec<DVec3>,
    /// Corners are indices into `positions`.
    pub polygons: Polygons,
    /// Normals of corners.
    pub normals: Option<Vec<Vec3>>,
    /// Texture coordinates of corners, with the origin at the top left.
    pub uvs: Option<Vec<Vec2>>,
    /// Linear colors of corners.
    pub colors: Option<Vec<Vec4>>,
    /// Material of each polygon; empty if none has any.
    pub materials: Vec<Option<usize>>,
}

/// The triangles of a surface with one material.
struct Part {
    positions: Vec<DVec3>,
    faces: Vec<[u32; 3]>,
    normals: Option<Vec<Vec3>>,
    uvs: Option<Vec<Vec2>>,
    colors: Option<Vec<Vec4>>,
    material: Option<usize>,
}

/// A triangulated surface of a [`SceneBuilder`].
#[derive(Clone, Copy)]
pub(super) struct SurfaceId(usize);

struct Instance {
    surface: usize,
    world_from_surface: DMat4,
    name: Option<String>,
}

/// Collects surfaces, their instances, and points.
#[derive(Default)]
pub(super) struct SceneBuilder {
    surfaces: Vec<Vec<Part>>,
    instances: Vec<Instance>,
    points: PointCloudBuilder,
    vertices: u64,
    faces: u64,
    /// Instances above the limit.
    skipped: usize,
    visited: usize,
    /// Visits that were refused.
    refused: usize,
    /// What was dropped.
    pub notes: Vec<String>,
}

impl SceneBuilder {
    /// Whether nothing is placed yet.
    pub fn is_empty(&self) -> bool {
        self.instances.is_empty() && self.points.positions.is_empty()
    }

    /// Whether a walk over the file's tree may visit one more node, at a depth of at most `max_depth`. Trees that are deeper or larger
    /// usually contain themselves. Nodes that may not be visited are counted for a note.
    pub fn enter(&mut self, depth: usize, max_depth: usize) -> bool {
        self.visited += 1;
        let is_within = depth <= max_depth && self.visited <= MAX_INSTANCES;
        self.refused += usize::from(!is_within);
        is_within
    }

    /// Triangulates a surface, which appears only where it is placed. Invalid polygons are dropped with a note.
    pub fn add_surface(&mut self, source: &Source, surface: &Surface) -> Result<SurfaceId, ReadError> {
        source.check_vertices(surface.positions.len() as u64)?;
        let local = to_single_precision(&surface.positions, &mut Vec::new());
        let triangles = Triangles::triangulate(source, &surface.polygons, &local)?;
        // Other surfaces of the file may be whole.
        if let Err(error) = triangles.report(source, &mut self.notes) {
            self.notes.push(error.note());
        }
        self.surfaces.push(parts(surface, &triangles));
        Ok(SurfaceId(self.surfaces.len() - 1))
    }

    /// Places a surface in the scene.
    pub fn place(
        &mut self,
        source: &Source,
        SurfaceId(surface): SurfaceId,
        world_from_surface: DMat4,
        name: Option<&str>,
    ) -> Result<(), ReadError> {
        if self.instances.len() >= MAX_INSTANCES {
            self.skipped += 1;
            return Ok(());
        }
        for part in &self.surfaces[surface] {
            self.vertices += part.positions.len() as u64;
            self.faces += part.faces.len() as u64;
        }
        source.check_vertices(self.vertices)?;
        source.check_faces(self.faces)?;
        let name = name.filter(|name| !name.is_empty()).map(str::to_owned);
        self.instances.push(Instance { surface, world_from_surface, name });
        Ok(())
    }

    /// Adds and places a surface at once.
    pub fn add(
        &mut self,
        source: &Source,
        surface: &Surface,
        world_from_surface: DMat4,
        name: Option<&str>,
    ) -> Result<(), ReadError> {
        let id = self.add_surface(source, surface)?;
        self.place(source, id, world_from_surface, name)
    }

    /// Adds points, with colors where all points of the scene have some.
    pub fn add_points(
        &mut self,
        source: &Source,
        points: impl IntoIterator<Item = DVec3>,
        colors: Option<Vec<Vec3>>,
    ) -> Result<(), ReadError> {
        let before = self.points.positions.len();
        let had_colors = self.points.colors.len() == before;
        self.points.positions.extend(points);
        let all = self.points.positions.len();
        source.check_vertices(self.vertices + all as u64)?;
        match colors.filter(|colors| had_colors && colors.len() == all - before) {
            Some(colors) => self.points.colors.extend(colors),
            None => self.points.colors.clear(),
        }
        Ok(())
    }

    /// Narrows everything together, so that parts keep their places relative to each other.
    pub fn build(mut self, source: &Source, scene: &mut Scene) -> Result<(), ReadError> {
        if self.refused > 0 {
            let nodes = pluralize(self.refused, "node");
            scene.notes.push(format!("skipped {nodes}: too many, or too deep inside each other"));
        }
        let mut positions = Vec::with_capacity(self.vertices as usize + self.points.positions.len());
        for instance in &self.instances {
            let place = |p: &DVec3| instance.world_from_surface.transform_point3(*p);
            let parts = &self.surfaces[instance.surface];
            positions.extend(parts.iter().flat_map(|part| part.positions.iter()).map(place));
        }
        positions.append(&mut self.points.positions);
        let mut narrowed = to_single_precision(&positions, &mut scene.notes).into_iter();
        drop(positions);
        scene.notes.append(&mut self.notes);
        if self.skipped > 0 {
            scene.notes.push(format!("{} above the limit are skipped", pluralize(self.skipped, "instance")));
        }
        for instance in self.instances {
            for part in &self.surfaces[instance.surface] {
                let positions = narrowed.by_ref().take(part.positions.len()).collect();
                // A part that is not finite anywhere costs only itself.
                match placed(part, positions, instance.world_from_surface).build(source, &mut scene.notes) {
                    Ok(mesh) => {
                        scene.meshes.push(mesh.with_material(part.material).with_name(instance.name.clone()));
                    }
                    Err(error) => scene.notes.push(error.note()),
                }
            }
        }
        self.points.positions = narrowed.map(|p| p.as_dvec3()).collect();
        if !self.points.positions.is_empty() {
            scene.clouds.push(self.points.build_in_place(source, &mut scene.notes)?);
        }
        Ok(())
    }
}

fn placed(part: &Part, positions: Vec<Vec3>, world_from_surface: DMat4) -> MeshBuilder {
    let mut faces = part.faces.clone();
    // A mirrored instance would turn its faces inside out.
    if world_from_surface.determinant() < 0.0 {
        faces.iter_mut().for_each(|face| face.swap(1, 2));
    }
    // Normals transform by the inverse transpose.
    let normal_matrix = world_from_surface.inverse().transpose();
    let normal = |n: &Vec3| normal_matrix.transform_vector3(n.as_dvec3()).as_vec3().normalize_or_zero();
    MeshBuilder {
        positions,
        faces,
        normals: part.normals.as_ref().map(|normals| normals.iter().map(normal).collect()),
        uvs: part.uvs.clone(),
        colors: part.colors.clone(),
    }
}

/// What distinguishes two vertices: position, then the bits of normal, texture coordinates and color.
type VertexKey = (u32, [u32; 3], [u32; 2], [u32; 4]);

/// Splits triangles by material, with one vertex for each combination of attributes.
fn parts(surface: &Surface, triangles: &Triangles) -> Vec<Part> {
    let mut by_material: BTreeMap<Option<usize>, Vec<[u32; 3]>> = BTreeMap::new();
    for (corners, polygon) in &triangles.triangles {
        let material = surface.materials.get(*polygon as usize).copied().flatten();
        by_material.entry(material).or_default().push(*corners);
    }
    by_material.into_iter().map(|(material, triangles)| part(surface, material, &triangles)).collect()
}

fn part(surface: &Surface, material: Option<usize>, triangles: &[[u32; 3]]) -> Part {
    let mut known: HashMap<VertexKey, u32> = HashMap::new();
    let mut first_corners: Vec<usize> = Vec::new();
    let mut vertex = |corner: u32| {
        let corner = corner as usize;
        *known.entry(vertex_key(surface, corner)).or_insert_with(|| {
            first_corners.push(corner);
            first_corners.len() as u32 - 1
        })
    };
    let faces = triangles.iter().map(|corners| corners.map(&mut vertex)).collect();
    let position = |&corner: &usize| surface.positions[surface.polygons.corners[corner] as usize];
    Part {
        positions: first_corners.iter().map(position).collect(),
        faces,
        normals: at_corners(&surface.normals, &first_corners),
        uvs: at_corners(&surface.uvs, &first_corners),
        colors: at_corners(&surface.colors, &first_corners),
        material,
    }
}

fn vertex_key(surface: &Surface, corner: usize) -> VertexKey {
    let normal = surface.normals.as_ref().and_then(|normals| normals.get(corner)).copied();
    let uv = surface.uvs.as_ref().and_then(|uvs| uvs.get(corner)).copied();
    let color = surface.colors.as_ref().and_then(|colors| colors.get(corner)).copied();
    (
        surface.polygons.corners[corner] as u32,
        normal.unwrap_or_default().to_array().map(f32::to_bits),
        uv.unwrap_or_default().to_array().map(f32::to_bits),
        color.unwrap_or_default().to_array().map(f32::to_bits),
    )
}

/// The values at some corners; missing ones are the default.
fn at_corners<T: Copy + Default>(values: &Option<Vec<T>>, corners: &[usize]) -> Option<Vec<T>> {
    let values = values.as_ref()?;
    Some(corners.iter().map(|&corner| values.get(corner).copied().unwrap_or_default()).collect())
}
