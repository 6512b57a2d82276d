//! COLLADA 1.4 and 1.5: geometry placed by nodes. Materials are in [`dae_material`](super::dae_material).

use std::collections::HashMap;

use glam::{DMat4, DVec3, Vec2, Vec3, Vec4};
use roxmltree::{Document, Node, ParsingOptions};

use super::{
    ReadError, UpAxis, color,
    dae_material::Materials,
    draft::{MeshDraft, Polygons, Triangles, count, narrow},
    source::Source,
    text,
};
use crate::Scene;

/// Deepest tree of nodes; deeper ones only come from instances that contain themselves.
const MOST_DEPTH: usize = 64;
/// Most meshes: instances of instances grow without bound otherwise.
const MOST_PLACED: usize = 100_000;
/// Most XML nodes.
const MOST_XML_NODES: u32 = 20_000_000;

/// Reads the visual scene, and the axis that points up in it.
pub(super) fn read(source: &Source) -> Result<(Scene, UpAxis), ReadError> {
    let xml = text::decode(source.bytes);
    let options = ParsingOptions { nodes_limit: MOST_XML_NODES, ..ParsingOptions::default() };
    let document = Document::parse_with_options(&xml, options).map_err(|e| source.invalid(e.to_string()))?;
    let root = document.root_element();
    if root.tag_name().name() != "COLLADA" {
        return Err(source.invalid(format!("expected the element COLLADA, found {}", root.tag_name().name())));
    }
    let file = Collada::new(root);
    let mut scene = Scene::default();
    let mut parts = Parts::default();
    let place = file.place();
    if place.cut {
        scene.notes.push("nodes that contain themselves are cut off".to_owned());
    }
    let mut materials = Materials::new(source.path, &file.by_id);
    for placed in &place.placed {
        let before = parts.triangles;
        file.add_geometry(source, placed, &mut materials, &mut parts)?;
        source.check_faces(parts.triangles as u64)?;
        if parts.triangles == before {
            parts.empty += 1;
        }
    }
    parts.build(source, &mut scene)?;
    (scene.materials, scene.textures) = materials.into_parts(&mut scene.notes);
    Ok((scene, file.up()))
}

/// First child of a name.
pub(super) fn child<'a, 'i>(node: Node<'a, 'i>, name: &str) -> Option<Node<'a, 'i>> {
    node.children().find(|c| c.tag_name().name() == name)
}

/// All children of a name.
pub(super) fn children<'a, 'i>(node: Node<'a, 'i>, name: &'static str) -> impl Iterator<Item = Node<'a, 'i>> {
    node.children().filter(move |c| c.tag_name().name() == name)
}

/// Numbers of an element's text; what is no number is NaN.
pub(super) fn numbers(node: Node) -> Vec<f64> {
    let text = node.text().unwrap_or_default();
    text.split_ascii_whitespace().map(|field| text::number(field.as_bytes()).unwrap_or(f64::NAN)).collect()
}

/// Elements by their ids.
pub(super) type ById<'a, 'i> = HashMap<&'a str, Node<'a, 'i>>;

/// The element that `attribute`, like `#name`, refers to.
pub(super) fn target<'a, 'i>(
    by_id: &ById<'a, 'i>,
    node: Node<'a, 'i>,
    attribute: &str,
) -> Option<Node<'a, 'i>> {
    by_id.get(node.attribute(attribute)?.trim_start_matches('#')).copied()
}

struct Collada<'a, 'i> {
    root: Node<'a, 'i>,
    by_id: ById<'a, 'i>,
}

/// Geometry at its place in the scene.
struct Placed<'a, 'i> {
    geometry: Node<'a, 'i>,
    /// The element that binds materials.
    instance: Node<'a, 'i>,
    scene_from_geometry: DMat4,
    name: Option<&'a str>,
}

#[derive(Default)]
struct Placing<'a, 'i> {
    placed: Vec<Placed<'a, 'i>>,
    visited: usize,
    cut: bool,
}

impl<'a, 'i> Collada<'a, 'i> {
    fn new(root: Node<'a, 'i>) -> Self {
        let by_id = root.descendants().filter_map(|n| Some((n.attribute("id")?, n))).collect();
        Self { root, by_id }
    }

    fn up(&self) -> UpAxis {
        let asset = child(self.root, "asset").and_then(|a| child(a, "up_axis"));
        match asset.and_then(|a| a.text()).map(str::trim) {
            Some("X_UP") => UpAxis::X,
            Some("Z_UP") => UpAxis::Z,
            _ => UpAxis::Y,
        }
    }

    /// Metres a unit.
    fn unit(&self) -> f64 {
        let unit = child(self.root, "asset").and_then(|a| child(a, "unit"));
        let meter = unit.and_then(|u| text::number(u.attribute("meter")?.trim().as_bytes()));
        meter.filter(|m| m.is_finite() && *m > 0.0).unwrap_or(1.0)
    }

    /// Every geometry of the scene; without a scene, each geometry once.
    fn place(&self) -> Placing<'a, 'i> {
        let mut placing = Placing::default();
        let unit = DMat4::from_scale(DVec3::splat(self.unit()));
        let instance = child(self.root, "scene").and_then(|s| child(s, "instance_visual_scene"));
        let scene = instance.and_then(|i| target(&self.by_id, i, "url"));
        let scene = scene.or_else(|| self.root.descendants().find(|n| n.tag_name().name() == "visual_scene"));
        for node in scene.into_iter().flat_map(|s| children(s, "node")) {
            self.visit(node, unit, 0, &mut placing);
        }
        if placing.placed.is_empty() {
            let all = self.root.descendants().filter(|n| n.tag_name().name() == "geometry").take(MOST_PLACED);
            let place = |geometry: Node<'a, 'i>| Placed {
                geometry,
                instance: geometry,
                scene_from_geometry: unit,
                name: geometry.attribute("name"),
            };
            placing.placed.extend(all.map(place));
        }
        placing
    }

    fn visit(
        &self,
        node: Node<'a, 'i>,
        scene_from_parent: DMat4,
        depth: usize,
        placing: &mut Placing<'a, 'i>,
    ) {
        placing.visited += 1;
        if depth > MOST_DEPTH || placing.visited > MOST_PLACED {
            placing.cut = true;
            return;
        }
        let scene_from_node = scene_from_parent * transform(node);
        for element in node.children() {
            match element.tag_name().name() {
                "node" => self.visit(element, scene_from_node, depth + 1, placing),
                "instance_node" => {
                    if let Some(inner) = target(&self.by_id, element, "url") {
                        self.visit(inner, scene_from_node, depth + 1, placing);
                    }
                }
                "instance_geometry" | "instance_controller" => {
                    let Some(mut geometry) = target(&self.by_id, element, "url") else { continue };
                    let mut bind = DMat4::IDENTITY;
                    if let Some(skin) = child(geometry, "skin").or_else(|| child(geometry, "morph")) {
                        let Some(skinned) = target(&self.by_id, skin, "source") else { continue };
                        bind = child(skin, "bind_shape_matrix").map_or(bind, matrix);
                        geometry = skinned;
                    }
                    let name = node.attribute("name").or_else(|| geometry.attribute("name"));
                    let scene_from_geometry = scene_from_node * bind;
                    placing.placed.push(Placed { geometry, instance: element, scene_from_geometry, name });
                }
                _ => {}
            }
        }
    }

    fn add_geometry(
        &self,
        source: &Source,
        placed: &Placed<'a, 'i>,
        materials: &mut Materials<'a, 'i>,
        parts: &mut Parts,
    ) -> Result<(), ReadError> {
        let Some(mesh) = child(placed.geometry, "mesh") else { return Ok(()) };
        for primitive in mesh.children().filter(|n| n.is_element()) {
            let kind = primitive.tag_name().name();
            if !matches!(kind, "triangles" | "polylist" | "polygons" | "trifans" | "tristrips") {
                continue;
            }
            let Some(inputs) = Inputs::new(&self.by_id, primitive) else { continue };
            let corners = inputs.corners(kind, primitive);
            let positions: Vec<Vec3> = inputs.positions.iter().map(|p| p.as_vec3()).collect();
            let cut = Triangles::cut(source, &corners.polygons, &positions)?;
            cut.report(source, &mut parts.notes)?;
            parts.triangles += cut.triangles.len();
            source.check_faces(parts.triangles as u64)?;
            let material = materials.index(placed.instance, primitive.attribute("material"));
            let part = inputs.part(&corners, &cut, placed);
            parts.all.push((part, material, placed.name.map(str::to_owned)));
        }
        Ok(())
    }
}

/// A node's own transform: all its transform elements, in order.
fn transform(node: Node) -> DMat4 {
    node.children().filter(|n| n.is_element()).fold(DMat4::IDENTITY, |all, element| {
        let values = numbers(element);
        let vec3 = || DVec3::new(values[0], values[1], values[2]);
        let next = match (element.tag_name().name(), values.len()) {
            ("matrix", 16) => matrix(element),
            ("translate", 3) => DMat4::from_translation(vec3()),
            ("scale", 3) => DMat4::from_scale(vec3()),
            ("rotate", 4) => vec3()
                .try_normalize()
                .map_or(DMat4::IDENTITY, |axis| DMat4::from_axis_angle(axis, values[3].to_radians())),
            _ => DMat4::IDENTITY,
        };
        all * next
    })
}

fn matrix(node: Node) -> DMat4 {
    // Written row by row.
    <[f64; 16]>::try_from(numbers(node)).map_or(DMat4::IDENTITY, |m| DMat4::from_cols_array(&m).transpose())
}

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

/// What the corners of a primitive refer to: rows, and the place of the index within a corner.
#[derive(Default)]
struct Inputs {
    positions: Vec<DVec3>,
    vertex_offset: usize,
    normals: Option<(Rows, usize)>,
    uvs: Option<(Rows, usize)>,
    colors: Option<(Rows, usize)>,
    /// Indices of one corner.
    stride: usize,
}

impl Inputs {
    fn new(by_id: &ById, primitive: Node) -> Option<Self> {
        let mut inputs = Self::default();
        for input in children(primitive, "input") {
            let offset = input.attribute("offset").and_then(|o| o.trim().parse().ok()).unwrap_or(0_usize);
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

    fn corners(&self, kind: &str, primitive: Node) -> Corners {
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
                // A polygon with holes is read as its outline.
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
    fn part(&self, corners: &Corners, cut: &Triangles, placed: &Placed) -> Part {
        let mut known: HashMap<[i64; 4], u32> = HashMap::new();
        let mut vertices: Vec<[i64; 4]> = Vec::new();
        let mut faces: Vec<[u32; 3]> = cut
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
        let to_scene = placed.scene_from_geometry;
        if to_scene.determinant() < 0.0 {
            faces.iter_mut().for_each(|f| f.swap(1, 2));
        }
        let normal_to_scene = to_scene.inverse().transpose();
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
            normal_to_scene.transform_vector3(n.truncate().as_dvec3()).as_vec3().normalize_or_zero()
        };
        Part {
            positions: vertices
                .iter()
                .map(|k| to_scene.transform_point3(self.positions[k[0] as usize]))
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
struct Corners {
    polygons: Polygons,
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

struct Part {
    positions: Vec<DVec3>,
    faces: Vec<[u32; 3]>,
    normals: Option<Vec<Vec3>>,
    uvs: Option<Vec<Vec2>>,
    colors: Option<Vec<Vec4>>,
}

#[derive(Default)]
struct Parts {
    all: Vec<(Part, Option<usize>, Option<String>)>,
    triangles: usize,
    empty: usize,
    notes: Vec<String>,
}

impl Parts {
    /// Narrows all parts together, so that they stay where they are to each other.
    fn build(self, source: &Source, scene: &mut Scene) -> Result<(), ReadError> {
        let positions: Vec<DVec3> = self.all.iter().flat_map(|(p, ..)| p.positions.iter().copied()).collect();
        source.check_vertices(positions.len() as u64)?;
        let mut narrowed = narrow(&positions, &mut scene.notes).into_iter();
        scene.notes.extend(self.notes);
        if self.empty > 0 {
            scene.notes.push(format!("{} without triangles", count(self.empty, "geometry instance")));
        }
        for (part, material, name) in self.all {
            let draft = MeshDraft {
                positions: narrowed.by_ref().take(part.positions.len()).collect(),
                faces: part.faces,
                normals: part.normals,
                uvs: part.uvs,
                colors: part.colors,
            };
            let mesh = draft.finish(source, &mut scene.notes)?;
            scene.meshes.push(mesh.with_material(material).with_name(name));
        }
        Ok(())
    }
}
