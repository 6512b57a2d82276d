//! A model part of a 3MF file: objects, their triangles and components, and what is built.

use std::collections::HashMap;

use glam::{DMat4, DVec3, Vec2, Vec4};
use roxmltree::Node;

use super::property::{Materials, Property, Value};
use crate::surface::Surface;
use crate::xml::{child, children, declare_prefixes, index, number, parse};
use crate::{ReadError, source::Source, text};

/// A parsed model.
pub(super) struct Model {
    pub meters_per_unit: f64,
    pub objects: HashMap<String, Object>,
    pub properties: HashMap<String, Property>,
    pub build: Vec<Placement>,
    pub notes: Vec<String>,
}

/// An object: triangles, or components, which are other objects.
#[derive(Default)]
pub(super) struct Object {
    pub name: Option<String>,
    /// Whether it only holds other objects up while they are printed.
    pub is_support: bool,
    pub components: Vec<Placement>,
    pub triangles: Vec<Triangle>,
    positions: Vec<DVec3>,
    default: Option<(String, usize)>,
}

/// Corners, and the property group with an index for each corner.
pub(super) struct Triangle {
    corners: [i64; 3],
    property: Option<(String, [usize; 3])>,
}

/// An object placed in another one or in the build.
#[derive(Clone)]
pub(super) struct Placement {
    /// The model part that has the object, if it is another one.
    pub model: Option<String>,
    pub object: String,
    pub parent_from_object: DMat4,
}

impl Placement {
    /// An object where it is.
    pub fn of(object: &str) -> Self {
        Self { model: None, object: object.to_owned(), parent_from_object: DMat4::IDENTITY }
    }

    fn parse(node: Node) -> Option<Self> {
        // The attribute is in the namespace of the production extension.
        let path = node.attributes().find(|a| a.name() == "path").map(|a| a.value().to_owned());
        let matrix = node.attribute("transform").and_then(transform).unwrap_or(DMat4::IDENTITY);
        Some(Self {
            model: path,
            object: node.attribute("objectid")?.trim().to_owned(),
            parent_from_object: matrix,
        })
    }
}

/// Twelve numbers, row by row of a matrix that row vectors are multiplied with (3MF core, section 3.3).
fn transform(written: &str) -> Option<DMat4> {
    let numbers: Vec<f64> =
        written.split_ascii_whitespace().map_while(|field| text::number(field.as_bytes())).collect();
    let (rows, _) = numbers.as_chunks::<3>();
    let [x, y, z, origin] = rows else { return None };
    let column = |row: &[f64; 3], w: f64| DVec3::from(*row).extend(w);
    Some(DMat4::from_cols(column(x, 0.0), column(y, 0.0), column(z, 0.0), column(origin, 1.0)))
}

impl Model {
    /// Parses a model part.
    pub fn parse(source: &Source, bytes: &[u8]) -> Result<Self, ReadError> {
        let xml = text::decode(&text::without_byte_order_mark(bytes));
        let repaired;
        let document = match parse(&xml, source.bytes.len()) {
            Err(roxmltree::Error::UnknownNamespace(..)) => {
                repaired = declare_prefixes(xml.clone(), source.bytes.len());
                parse(&repaired, source.bytes.len())
            }
            parsed => parsed,
        };
        let document = document.map_err(|error| source.invalid(error.to_string()))?;
        let root = document.root_element();
        if root.tag_name().name() != "model" {
            let found = root.tag_name().name();
            return Err(source.invalid(format!("expected the element model, found {found}")));
        }
        let resources = child(root, "resources");
        let mut model = Self {
            meters_per_unit: meters_per_unit(root.attribute("unit")),
            objects: HashMap::new(),
            properties: HashMap::new(),
            build: child(root, "build")
                .into_iter()
                .flat_map(|b| children(b, "item"))
                .filter_map(Placement::parse)
                .collect(),
            notes: Vec::new(),
        };
        for node in resources.into_iter().flat_map(|r| r.children()).filter(Node::is_element) {
            let Some(id) = node.attribute("id").map(|id| id.trim().to_owned()) else { continue };
            if node.tag_name().name() == "object" {
                model.objects.insert(id, Object::parse(node, &mut model.notes));
            } else if let Some(property) = Property::parse(node, &model.properties) {
                model.properties.insert(id, property);
            }
        }
        Ok(model)
    }
}

fn meters_per_unit(unit: Option<&str>) -> f64 {
    match unit.map(str::trim) {
        Some("micron") => 1e-6,
        Some("centimeter") => 0.01,
        Some("inch") => 0.0254,
        Some("foot") => 0.3048,
        Some("meter") => 1.0,
        _ => 0.001,
    }
}

impl Object {
    fn parse(node: Node, notes: &mut Vec<String>) -> Self {
        let components = child(node, "components");
        let mut object = Self {
            name: node.attribute("name").map(str::to_owned),
            is_support: matches!(node.attribute("type"), Some("support" | "solidsupport")),
            components: components
                .into_iter()
                .flat_map(|c| children(c, "component"))
                .filter_map(Placement::parse)
                .collect(),
            default: node.attribute("pid").map(|pid| (pid.to_owned(), index(node, "pindex").unwrap_or(0))),
            ..Self::default()
        };
        let Some(mesh) = child(node, "mesh") else { return object };
        if child(mesh, "beamlattice").is_some() {
            notes.push("a beam lattice is not read".to_owned());
        }
        let coordinate = |vertex: Node, axis: &str| number(vertex, axis).unwrap_or(f64::NAN);
        let vertices = child(mesh, "vertices").into_iter().flat_map(|v| children(v, "vertex"));
        object.positions = vertices
            .map(|v| DVec3::new(coordinate(v, "x"), coordinate(v, "y"), coordinate(v, "z")))
            .collect();
        let triangles = child(mesh, "triangles").into_iter().flat_map(|t| children(t, "triangle"));
        object.triangles = triangles.map(Triangle::parse).collect();
        object
    }

    /// Triangles with colors, texture coordinates and materials.
    pub fn surface(object: &Self, model: &Model, path: &str, materials: &mut Materials) -> Surface {
        let mut surface = Surface { positions: object.positions.clone(), ..Surface::default() };
        let (mut colors, mut uvs) = (Vec::new(), Vec::new());
        let (mut has_colors, mut has_uvs) = (false, false);
        for triangle in &object.triangles {
            surface.polygons.push(triangle.corners);
            let default = object.default.as_ref().map(|(pid, index)| (pid, [*index; 3]));
            let property = triangle.property.as_ref().map(|(pid, indices)| (pid, *indices)).or(default);
            let group = property.and_then(|(pid, indices)| Some((model.properties.get(pid)?, pid, indices)));
            let mut material = None;
            for corner in 0..3 {
                let value = group.map_or(Value::default(), |(group, pid, indices)| {
                    group.value(indices[corner], &model.properties).with_group(path, pid)
                });
                has_colors |= value.color.is_some();
                has_uvs |= value.uv.is_some();
                colors.push(value.color.unwrap_or(Vec4::ONE));
                uvs.push(value.uv.unwrap_or(Vec2::ZERO));
                // The first corner decides: a triangle has one material.
                if corner == 0 {
                    material = materials.index(value);
                }
            }
            surface.materials.push(material);
        }
        surface.colors = has_colors.then_some(colors);
        surface.uvs = has_uvs.then_some(uvs);
        surface
    }
}

impl Triangle {
    fn parse(node: Node) -> Self {
        let corner = |name| index(node, name).and_then(|v| i64::try_from(v).ok()).unwrap_or(-1);
        // Without p2 and p3, p1 is for the whole triangle.
        let property = node.attribute("pid").map(|pid| {
            let first = index(node, "p1").unwrap_or(0);
            (pid.to_owned(), [first, index(node, "p2").unwrap_or(first), index(node, "p3").unwrap_or(first)])
        });
        Self { corners: [corner("v1"), corner("v2"), corner("v3")], property }
    }
}
