//! [AMF] 1.1, plain or zipped: objects with volumes, colors and materials, and constellations, in meters.
//!
//! [AMF]: https://www.iso.org/standard/74640.html

use std::collections::{HashMap, HashSet};

use glam::{DMat4, DVec3, EulerRot, Vec3, Vec4};
use lexiform_formats::zip;
use roxmltree::Node;

use crate::surface::{SceneBuilder, Surface, SurfaceId};
use crate::xml::{child, children, parse};
use crate::{ReadError, color, limits, source::Source, text};
use lexiform_geometry::{AlphaMode, Material, Scene};

/// Deepest tree of constellations.
const MAX_DEPTH: usize = 32;

/// Reads constellations, or else all objects; +Z points up.
pub(super) fn read(source: &Source) -> Result<Scene, ReadError> {
    let bytes = unzipped(source)?;
    let xml = text::decode(&text::without_byte_order_mark(&bytes));
    let document = parse(&xml, source.bytes.len()).map_err(|e| source.invalid(e.to_string()))?;
    let root = document.root_element();
    if root.tag_name().name() != "amf" {
        let found = root.tag_name().name();
        return Err(source.invalid(format!("expected the element amf, found {found}")));
    }
    let unit = DMat4::from_scale(DVec3::splat(meters_per_unit(root.attribute("unit"))));
    let mut scene = Scene::default();
    let mut reader = Reader::new(source, root, &mut scene);
    let constellations: Vec<Node> = children(root, "constellation").collect();
    if constellations.is_empty() {
        for id in reader.order.clone() {
            reader.place(id, unit, 0)?;
        }
    }
    // A constellation that another one contains is placed by that one.
    let placed: HashSet<&str> = constellations.iter().flat_map(|c| instances(*c)).map(|(id, _)| id).collect();
    for constellation in &constellations {
        let id = constellation.attribute("id").unwrap_or_default();
        if !placed.contains(id) {
            reader.place(id, unit, 0)?;
        }
    }
    reader.builder.build(source, &mut scene)?;
    Ok(scene)
}

fn unzipped(source: &Source) -> Result<Vec<u8>, ReadError> {
    if !source.bytes.starts_with(b"PK") {
        return Ok(source.bytes.to_vec());
    }
    let entries = zip::entries(&source.bytes).map_err(|message| source.invalid(message))?;
    let (_, entry) = entries.first().ok_or_else(|| source.invalid("an empty zip archive"))?;
    entry.read(&source.bytes, limits::FILE_BYTES / 4).map_err(|message| source.invalid(message))
}

fn meters_per_unit(unit: Option<&str>) -> f64 {
    match unit.map(str::trim) {
        Some("inch") => 0.0254,
        Some("feet" | "foot") => 0.3048,
        Some("meter") => 1.0,
        Some("micron") => 1e-6,
        _ => 0.001,
    }
}

/// Objects, constellations and materials by their ids.
struct Reader<'a, 'i> {
    source: &'a Source<'a>,
    root: Node<'a, 'i>,
    /// Ids of objects in order of the file.
    order: Vec<&'a str>,
    nodes: HashMap<&'a str, Node<'a, 'i>>,
    materials: HashMap<&'a str, usize>,
    surfaces: HashMap<&'a str, SurfaceId>,
    builder: SceneBuilder,
}

impl<'a, 'i> Reader<'a, 'i> {
    fn new(source: &'a Source<'a>, root: Node<'a, 'i>, scene: &mut Scene) -> Self {
        let mut materials = HashMap::new();
        for node in children(root, "material") {
            materials.insert(node.attribute("id").unwrap_or_default(), scene.materials.len());
            scene.materials.push(material(node));
        }
        let nodes = children(root, "constellation").chain(children(root, "object"));
        Self {
            source,
            root,
            order: children(root, "object").map(|o| o.attribute("id").unwrap_or_default()).collect(),
            nodes: nodes.map(|node| (node.attribute("id").unwrap_or_default(), node)).collect(),
            materials,
            surfaces: HashMap::new(),
            builder: SceneBuilder::default(),
        }
    }

    fn place(&mut self, id: &'a str, world_from_node: DMat4, depth: usize) -> Result<(), ReadError> {
        if !self.builder.enter(depth, MAX_DEPTH) {
            return Ok(());
        }
        let Some(&node) = self.nodes.get(id) else { return Ok(()) };
        if node.tag_name().name() == "constellation" {
            for (id, world_from_instance) in instances(node) {
                self.place(id, world_from_node * world_from_instance, depth + 1)?;
            }
            return Ok(());
        }
        let surface = match self.surfaces.get(id) {
            Some(&known) => known,
            None => {
                let made = self.builder.add_surface(self.source, &self.surface(node))?;
                *self.surfaces.entry(id).or_insert(made)
            }
        };
        let metadata = children(node, "metadata").find(|m| m.attribute("type") == Some("name"));
        let name = metadata.and_then(|m| m.text()).or_else(|| self.root.attribute("name"));
        self.builder.place(self.source, surface, world_from_node, name.map(str::trim))
    }

    fn surface(&self, object: Node<'a, 'i>) -> Surface {
        let mut surface = Surface::default();
        let mut colors = Vec::new();
        let mut has_colors = false;
        let object_color = child(object, "color").and_then(linear);
        for mesh in children(object, "mesh") {
            let first = surface.positions.len();
            let mut vertex_colors = Vec::new();
            for vertex in child(mesh, "vertices").into_iter().flat_map(|v| children(v, "vertex")) {
                let at = child(vertex, "coordinates");
                let axis = |name| at.and_then(|at| value(at, name)).unwrap_or(f64::NAN);
                surface.positions.push(DVec3::new(axis("x"), axis("y"), axis("z")));
                vertex_colors.push(child(vertex, "color").and_then(linear));
            }
            for volume in children(mesh, "volume") {
                let material = volume.attribute("materialid").and_then(|id| self.materials.get(id)).copied();
                let volume_color = child(volume, "color").and_then(linear);
                for triangle in children(volume, "triangle") {
                    let corner = |name| value(triangle, name).map_or(-1, |v| v.min(1e12) as i64);
                    let corners = [corner("v1"), corner("v2"), corner("v3")];
                    let face_color = child(triangle, "color").and_then(linear);
                    for corner in corners {
                        // The most specific color counts.
                        let vertex = usize::try_from(corner).ok().and_then(|v| vertex_colors.get(v).copied());
                        let color = face_color.or(vertex.flatten()).or(volume_color).or(object_color);
                        has_colors |= color.is_some();
                        colors.push(color.unwrap_or(Vec4::ONE));
                    }
                    surface.polygons.push(corners.map(|v| if v < 0 { v } else { v + first as i64 }));
                    surface.materials.push(material);
                }
            }
        }
        surface.colors = has_colors.then_some(colors);
        surface
    }
}

/// Ids and places of a constellation's instances. Angles are degrees.
fn instances<'a>(constellation: Node<'a, '_>) -> impl Iterator<Item = (&'a str, DMat4)> {
    children(constellation, "instance").filter_map(|instance| {
        let number = |name| value(instance, name).unwrap_or(0.0);
        let [rx, ry, rz] = ["rx", "ry", "rz"].map(|name| number(name).to_radians());
        let offset = DVec3::new(number("deltax"), number("deltay"), number("deltaz"));
        // Rotated about x, then y, then z.
        let rotation = DMat4::from_euler(EulerRot::ZYX, rz, ry, rx);
        Some((instance.attribute("objectid")?, DMat4::from_translation(offset) * rotation))
    })
}

fn material(node: Node) -> Material {
    let base_color = child(node, "color").and_then(linear).unwrap_or(Vec4::ONE);
    let name = children(node, "metadata").find(|m| m.attribute("type") == Some("name"));
    Material {
        name: name.and_then(|m| m.text()).map(|text| text.trim().to_owned()),
        base_color,
        alpha: if base_color.w < 1.0 { AlphaMode::Blend } else { AlphaMode::Opaque },
        ..Material::default()
    }
}

/// A color of constants; formulas are not evaluated.
fn linear(node: Node) -> Option<Vec4> {
    let channel = |name| value(node, name).map(|v| v as f32);
    let rgb = Vec3::new(channel("r")?, channel("g")?, channel("b")?);
    Some(color::from_unit_alpha(rgb.extend(channel("a").unwrap_or(1.0))))
}

fn value(node: Node, name: &str) -> Option<f64> {
    text::number(child(node, name)?.text()?.trim().as_bytes())
}
