//! Geometry of COLLADA files: sources, inputs, and five kinds of primitives.

use std::collections::HashMap;

use glam::{DMat4, DVec3, Vec2, Vec3, Vec4};
use roxmltree::Node;

use crate::xml::{ById, child, children, numbers, target};
use crate::{
    ReadError,
    builder::{MeshBuilder, Polygons, Triangles, pluralize, to_single_precision},
    color,
    source::Source,
};
use lexiform_geometry::Scene;

/// Rows of a `source` element.
struct Rows {
    values: Vec<f64>,
    stride: usize,
}

impl Rows {
    fn new(source: Node) -> Option<Self> {
        let values = numbers(child(source, "float_array")?);
        let accessor = child(source, "technique_common").and_then(|t| child(t, "accessor"));
        let stride = accessor.and_then(|a| a.attribute("stride")?.trim().parse().ok()).unwrap_or(3);
        (stride > 0).then_some(Self { values, stride })
    }

    fn row(&self, index: i64) -> Option<&[f64]> {
        let start = usize::try_from(index).ok()?.checked_mul(self.stride)?;
        self.values.get(start..start.checked_add(self.stride)?)
    }
}

/// The sources that a primitive's corners refer to, each with the offset of its index within a corner.
#[derive(Default)]
pub(super) struct Inputs {
    pub positions: Vec<DVec3>,
    vertex_offset: usize,
    normals: Option<(Rows, usize)>,
    uvs: Option<(Rows, usize)>,
    colors: Option<(Rows, usize)>,
    /// Indices of one corner.
    stride: usize,
}

impl Inputs {
    /// The inputs of a primitive; `None` without positions.
    pub fn new(by_id: &ById, primitive: Node) -> Option<Self> {
        let mut inputs = Self::default();
        for input in children(primitive, "input") {
            let offset = input.attribute("offset").and_then(|o| o.trim().parse().ok()).unwrap_or(0_usize);
            // Bounds the memory of a corner.
            if offset > 64 {
                return None;
            }
            inputs.stride = inputs.stride.max(offset + 1);
            let Some(data) = target(by_id, input, "source") else { continue };
            if input.attribute("semantic") == Some("VERTEX") {
                inputs.vertex_offset = offset;
                for inner in children(data, "input") {
                    if let Some(rows) = target(by_id, inner, "source") {
                        inputs.set(inner.attribute("semantic"), rows, offset);
                    }
                }
            } else {
                inputs.set(input.attribute("semantic"), data, offset);
            }
        }
        (!inputs.positions.is_empty()).then_some(inputs)
    }

    /// The first set of each kind counts.
    fn set(&mut self, semantic: Option<&str>, source: Node, offset: usize) {
        let rows = || Rows::new(source).map(|rows| (rows, offset));
        match semantic {
            Some("POSITION") => {
                let Some((rows, _)) = rows() else { return };
                let at = |row: &[f64], i: usize| row.get(i).copied().unwrap_or(0.0);
                let rows = rows.values.chunks_exact(rows.stride);
                self.positions = rows.map(|row| DVec3::new(at(row, 0), at(row, 1), at(row, 2))).collect();
            }
            Some("NORMAL") if self.normals.is_none() => self.normals = rows(),
            Some("TEXCOORD") if self.uvs.is_none() => self.uvs = rows(),
            Some("COLOR") if self.colors.is_none() => self.colors = rows(),
            _ => {}
        }
    }

    /// The corners of a primitive of one of the five kinds.
    pub fn corners(&self, kind: &str, primitive: Node) -> Corners {
        let mut corners = Corners::default();
        match kind {
            "polylist" => {
                let indices = child(primitive, "p").map(numbers).unwrap_or_default();
                let mut rest = indices.chunks_exact(self.stride);
                for n in child(primitive, "vcount").map(numbers).unwrap_or_default() {
                    let n = if n >= 0.0 { n as usize } else { 0 };
                    let ring: Vec<&[f64]> = rest.by_ref().take(n).collect();
                    corners.push(self, &ring);
                    if ring.len() < n {
                        break;
                    }
                }
            }
            "polygons" => {
                // Holes are ignored: a polygon with holes is read as its outline.
                let outlines = children(primitive, "ph").filter_map(|ph| child(ph, "p"));
                for p in children(primitive, "p").chain(outlines) {
                    let indices = numbers(p);
                    corners.push(self, &indices.chunks_exact(self.stride).collect::<Vec<_>>());
                }
            }
            _ => {
                for p in children(primitive, "p") {
                    let indices = numbers(p);
                    let all: Vec<&[f64]> = indices.chunks_exact(self.stride).collect();
                    match kind {
                        "triangles" => all.chunks_exact(3).for_each(|t| corners.push(self, t)),
                        "trifans" => {
                            all.windows(2).skip(1).for_each(|w| corners.push(self, &[all[0], w[0], w[1]]))
                        }
                        // Every other triangle of a strip has the opposite winding.
                        _ => all.windows(3).enumerate().for_each(|(i, w)| {
                            let turned = if i % 2 == 0 { [w[0], w[1], w[2]] } else { [w[1], w[0], w[2]] };
                            corners.push(self, &turned);
                        }),
                    }
                }
            }
        }
        corners
    }

    /// One vertex for each combination of indices, in scene coordinates.
    pub fn part(&self, corners: &Corners, triangles: &Triangles, scene_from_geometry: DMat4) -> DaePrimitive {
        let mut known: HashMap<[i64; 4], u32> = HashMap::new();
        let mut vertices: Vec<[i64; 4]> = Vec::new();
        let mut faces: Vec<[u32; 3]> = triangles
            .triangles
            .iter()
            .map(|(t, _)| {
                t.map(|corner| {
                    let key = corners.keys[corner as usize];
                    *known.entry(key).or_insert_with(|| {
                        vertices.push(key);
                        vertices.len() as u32 - 1
                    })
                })
            })
            .collect();
        // A mirrored instance would turn its faces inside out.
        if scene_from_geometry.determinant() < 0.0 {
            faces.iter_mut().for_each(|f| f.swap(1, 2));
        }
        // Normals transform by the inverse transpose.
        let normal_scene_from_geometry = scene_from_geometry.inverse().transpose();
        let all = |input: &Option<(Rows, usize)>, slot: usize, missing: f64| {
            input.as_ref().map(|(rows, _)| {
                let row = |key: &[i64; 4]| {
                    let row = rows.row(key[slot]).unwrap_or_default();
                    let at = |i: usize| row.get(i).copied().unwrap_or(missing) as f32;
                    Vec4::new(at(0), at(1), at(2), row.get(3).copied().unwrap_or(1.0) as f32)
                };
                vertices.iter().map(row).collect::<Vec<_>>()
            })
        };
        let normal = |n: &Vec4| {
            normal_scene_from_geometry
                .transform_vector3(n.truncate().as_dvec3())
                .as_vec3()
                .normalize_or_zero()
        };
        DaePrimitive {
            positions: vertices
                .iter()
                .map(|k| scene_from_geometry.transform_point3(self.positions[k[0] as usize]))
                .collect(),
            faces,
            normals: all(&self.normals, 1, 0.0).map(|n| n.iter().map(normal).collect()),
            uvs: all(&self.uvs, 2, 0.0).map(|uv| uv.iter().map(|v| Vec2::new(v.x, 1.0 - v.y)).collect()),
            colors: all(&self.colors, 3, 1.0).map(|c| c.iter().map(|c| color::from_unit_alpha(*c)).collect()),
        }
    }
}

/// Corners of one primitive: polygons over positions, and position, normal, uv and color of each corner.
#[derive(Default)]
pub(super) struct Corners {
    pub polygons: Polygons,
    keys: Vec<[i64; 4]>,
}

impl Corners {
    fn push(&mut self, inputs: &Inputs, ring: &[&[f64]]) {
        let index = |corner: &[f64], offset: usize| {
            let value = corner.get(offset).copied().unwrap_or(-1.0);
            if value.is_finite() { value as i64 } else { -1 }
        };
        let slot = |corner: &[f64], input: &Option<(Rows, usize)>| {
            input.as_ref().map_or(-1, |(_, at)| index(corner, *at))
        };
        self.polygons.push(ring.iter().map(|c| index(c, inputs.vertex_offset)));
        self.keys.extend(ring.iter().map(|c| {
            let [n, uv, color] = [&inputs.normals, &inputs.uvs, &inputs.colors].map(|input| slot(c, input));
            [index(c, inputs.vertex_offset), n, uv, color]
        }));
    }
}

pub(super) struct DaePrimitive {
    positions: Vec<DVec3>,
    faces: Vec<[u32; 3]>,
    normals: Option<Vec<Vec3>>,
    uvs: Option<Vec<Vec2>>,
    colors: Option<Vec<Vec4>>,
}

#[derive(Default)]
pub(super) struct DaePrimitives {
    pub all: Vec<(DaePrimitive, Option<usize>, Option<String>)>,
    pub triangles: usize,
    pub empty: usize,
    pub notes: Vec<String>,
}

impl DaePrimitives {
    /// Narrows all parts together, so that they stay where they are to each other.
    pub fn build(self, source: &Source, scene: &mut Scene) -> Result<(), ReadError> {
        let positions: Vec<DVec3> = self.all.iter().flat_map(|(p, ..)| p.positions.iter().copied()).collect();
        source.check_vertices(positions.len() as u64)?;
        let mut narrowed = to_single_precision(&positions, &mut scene.notes).into_iter();
        scene.notes.extend(self.notes);
        if self.empty > 0 {
            scene.notes.push(format!("{} without triangles", pluralize(self.empty, "geometry instance")));
        }
        for (part, material, name) in self.all {
            let builder = MeshBuilder {
                positions: narrowed.by_ref().take(part.positions.len()).collect(),
                faces: part.faces,
                normals: part.normals,
                uvs: part.uvs,
                colors: part.colors,
            };
            let mesh = builder.build(source, &mut scene.notes)?;
            scene.meshes.push(mesh.with_material(material).with_name(name));
        }
        Ok(())
    }
}
