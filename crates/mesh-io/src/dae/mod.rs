//! COLLADA 1.4 and 1.5: the placement of geometry. Its triangles are made in [`mesh`],
//! its materials in [`material`].

mod material;
mod mesh;

use glam::{DMat4, DVec3, Vec3};
use lexiform_geometry::Scene;
use roxmltree::Node;

use self::material::Materials;
use self::mesh::{DaePrimitives, Inputs};
use crate::xml::{ById, child, children, numbers, parse, target};
use crate::{ReadError, UpAxis, builder::Triangles, sidecar::Sidecars, source::Source, text};

/// Deepest tree of nodes; deeper ones only come from instances that contain themselves.
const MAX_DEPTH: usize = 64;
/// Most meshes: instances of instances grow without bound otherwise.
const MAX_INSTANCES: usize = 100_000;

/// Reads the visual scene, and the axis that points up in it if the file says so.
pub(super) fn read(source: &Source) -> Result<(Scene, Option<UpAxis>), ReadError> {
    let xml = text::decode(source.bytes);
    let document = parse(&xml, xml.len()).map_err(|e| source.invalid(e.to_string()))?;
    let root = document.root_element();
    if root.tag_name().name() != "COLLADA" {
        return Err(source.invalid(format!("expected the element COLLADA, found {}", root.tag_name().name())));
    }
    let file = Collada::new(root);
    let mut scene = Scene::default();
    let mut parts = DaePrimitives::default();
    let collected = file.instances();
    if collected.truncated {
        scene.notes.push("nodes that contain themselves are truncated".to_owned());
    }
    let mut materials = Materials::new(source.path, &file.by_id);
    for placed in &collected.placed {
        let before = parts.triangles;
        file.add_geometry(source, placed, &mut materials, &mut parts)?;
        source.check_faces(parts.triangles as u64)?;
        if parts.triangles == before {
            parts.empty += 1;
        }
    }
    parts.build(source, &mut scene)?;
    (scene.materials, scene.textures) = materials.into_parts(&mut scene.notes);
    Ok((scene, file.up_axis()))
}

/// Textures.
pub(super) fn sidecars(bytes: &[u8], sidecars: &mut Sidecars) {
    let xml = text::decode(bytes);
    if let Ok(document) = parse(&xml, xml.len()) {
        material::sidecars(document.root_element(), sidecars);
    }
}

struct Collada<'a, 'i> {
    root: Node<'a, 'i>,
    by_id: ById<'a, 'i>,
}

/// A geometry placed in the scene.
struct GeometryInstance<'a, 'i> {
    geometry: Node<'a, 'i>,
    /// The element that binds materials.
    instance: Node<'a, 'i>,
    scene_from_geometry: DMat4,
    name: Option<&'a str>,
}

#[derive(Default)]
struct InstanceCollector<'a, 'i> {
    placed: Vec<GeometryInstance<'a, 'i>>,
    visited: usize,
    truncated: bool,
}

impl<'a, 'i> Collada<'a, 'i> {
    fn new(root: Node<'a, 'i>) -> Self {
        let by_id = root.descendants().filter_map(|n| Some((n.attribute("id")?, n))).collect();
        Self { root, by_id }
    }

    fn up_axis(&self) -> Option<UpAxis> {
        let asset = child(self.root, "asset").and_then(|a| child(a, "up_axis"));
        match asset.and_then(|a| a.text()).map(str::trim) {
            Some("X_UP") => Some(UpAxis::X),
            Some("Y_UP") => Some(UpAxis::Y),
            Some("Z_UP") => Some(UpAxis::Z),
            _ => None,
        }
    }

    /// Meters per unit of length.
    fn meters_per_unit(&self) -> f64 {
        let unit = child(self.root, "asset").and_then(|a| child(a, "unit"));
        let meter = unit.and_then(|u| text::number(u.attribute("meter")?.trim().as_bytes()));
        meter.filter(|m| m.is_finite() && *m > 0.0).unwrap_or(1.0)
    }

    /// Every geometry instance of the scene; without a scene, each geometry once.
    fn instances(&self) -> InstanceCollector<'a, 'i> {
        let mut collected = InstanceCollector::default();
        let unit = DMat4::from_scale(DVec3::splat(self.meters_per_unit()));
        let instance = child(self.root, "scene").and_then(|s| child(s, "instance_visual_scene"));
        let scene = instance.and_then(|i| target(&self.by_id, i, "url"));
        let scene = scene.or_else(|| self.root.descendants().find(|n| n.tag_name().name() == "visual_scene"));
        for node in scene.into_iter().flat_map(|s| children(s, "node")) {
            self.visit(node, unit, 0, &mut collected);
        }
        if collected.placed.is_empty() {
            let all =
                self.root.descendants().filter(|n| n.tag_name().name() == "geometry").take(MAX_INSTANCES);
            let instance = |geometry: Node<'a, 'i>| GeometryInstance {
                geometry,
                instance: geometry,
                scene_from_geometry: unit,
                name: geometry.attribute("name"),
            };
            collected.placed.extend(all.map(instance));
        }
        collected
    }

    fn visit(
        &self,
        node: Node<'a, 'i>,
        scene_from_parent: DMat4,
        depth: usize,
        collected: &mut InstanceCollector<'a, 'i>,
    ) {
        collected.visited += 1;
        // Nodes may instantiate their ancestors.
        if depth > MAX_DEPTH || collected.visited > MAX_INSTANCES {
            collected.truncated = true;
            return;
        }
        let scene_from_node = scene_from_parent * transform(node);
        for element in node.children() {
            match element.tag_name().name() {
                "node" => self.visit(element, scene_from_node, depth + 1, collected),
                "instance_node" => {
                    if let Some(inner) = target(&self.by_id, element, "url") {
                        self.visit(inner, scene_from_node, depth + 1, collected);
                    }
                }
                "instance_geometry" | "instance_controller" => {
                    let Some(mut geometry) = target(&self.by_id, element, "url") else { continue };
                    let mut bind = DMat4::IDENTITY;
                    // A controller refers to the geometry it deforms, which is read in its bind pose.
                    if let Some(skin) = child(geometry, "skin").or_else(|| child(geometry, "morph")) {
                        let Some(skinned) = target(&self.by_id, skin, "source") else { continue };
                        bind = child(skin, "bind_shape_matrix").map_or(bind, matrix);
                        geometry = skinned;
                    }
                    let name = node.attribute("name").or_else(|| geometry.attribute("name"));
                    let scene_from_geometry = scene_from_node * bind;
                    collected.placed.push(GeometryInstance {
                        geometry,
                        instance: element,
                        scene_from_geometry,
                        name,
                    });
                }
                _ => {}
            }
        }
    }

    fn add_geometry(
        &self,
        source: &Source,
        placed: &GeometryInstance<'a, 'i>,
        materials: &mut Materials<'a, 'i>,
        parts: &mut DaePrimitives,
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
            let triangles = Triangles::triangulate(source, &corners.polygons, &positions)?;
            triangles.report(source, &mut parts.notes)?;
            parts.triangles += triangles.triangles.len();
            source.check_faces(parts.triangles as u64)?;
            let material = materials.index(placed.instance, primitive.attribute("material"));
            let part = inputs.part(&corners, &triangles, placed.scene_from_geometry);
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
    // COLLADA writes rows, glam has columns.
    <[f64; 16]>::try_from(numbers(node)).map_or(DMat4::IDENTITY, |m| DMat4::from_cols_array(&m).transpose())
}
