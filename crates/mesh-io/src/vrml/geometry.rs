//! Geometry nodes as surfaces and points.

use glam::{DVec3, Vec2, Vec3, Vec4};

use super::node::{NodeId, Tree};
use crate::color;
use crate::primitive;
use crate::surface::Surface;

/// The surface of a geometry node; `None` for lines, text and others without one.
pub(super) fn surface(tree: &Tree, node: NodeId) -> Option<Surface> {
    Some(match tree.kind(node) {
        "IndexedFaceSet" => face_set(tree, node, &rings(&tree.numbers(node, "coordIndex"))),
        "IndexedTriangleSet" => face_set(tree, node, &groups(&tree.numbers(node, "index"), 3)),
        "IndexedQuadSet" => face_set(tree, node, &groups(&tree.numbers(node, "index"), 4)),
        "IndexedTriangleStripSet" => face_set(tree, node, &strips(&rings(&tree.numbers(node, "index")))),
        "IndexedTriangleFanSet" => face_set(tree, node, &fans(&rings(&tree.numbers(node, "index")))),
        "TriangleSet" => face_set(tree, node, &groups(&in_order(tree, node), 3)),
        "QuadSet" => face_set(tree, node, &groups(&in_order(tree, node), 4)),
        "ElevationGrid" => elevation(tree, node),
        "Box" => primitive::cuboid(match tree.numbers(node, "size")[..] {
            [x, y, z, ..] => DVec3::new(x, y, z) / 2.0,
            _ => DVec3::ONE,
        }),
        "Sphere" => primitive::sphere(tree.number(node, "radius", 1.0)),
        "Cone" => {
            let radius = tree.number(node, "bottomRadius", 1.0);
            primitive::cone(
                radius,
                tree.number(node, "height", 2.0) / 2.0,
                tree.is_true(node, "bottom", true),
            )
        }
        "Cylinder" => {
            let ends = ["bottom", "top"].map(|end| tree.is_true(node, end, true));
            primitive::cylinder(
                tree.number(node, "radius", 1.0),
                tree.number(node, "height", 2.0) / 2.0,
                ends,
            )
        }
        _ => return None,
    })
}

/// Points and their linear colors.
pub(super) fn points(tree: &Tree, node: NodeId) -> (Vec<DVec3>, Option<Vec<Vec3>>) {
    let points = positions(tree, node);
    let colors = colors(tree, node).map(|colors| colors.into_iter().map(Vec4::truncate).collect());
    (points, colors)
}

/// Places of corners in the lists of indices, which color, normal and texture indices follow.
type Ring = Vec<(usize, i64)>;

/// Polygons of a list, which −1 ends.
fn rings(indices: &[f64]) -> Vec<Ring> {
    let numbered: Vec<(usize, i64)> = indices.iter().map(|&i| i as i64).enumerate().collect();
    let rings = numbered.split(|&(_, index)| index < 0).map(<[_]>::to_vec);
    rings.filter(|ring| !ring.is_empty()).collect()
}

fn groups(indices: &[f64], corners: usize) -> Vec<Ring> {
    let numbered: Vec<(usize, i64)> = indices.iter().map(|&i| i as i64).enumerate().collect();
    numbered.chunks_exact(corners).map(<[_]>::to_vec).collect()
}

fn strips(rings: &[Ring]) -> Vec<Ring> {
    let turned = |(i, w): (usize, &[(usize, i64)])| {
        // Every other triangle of a strip has the opposite winding.
        if i % 2 == 0 { vec![w[0], w[1], w[2]] } else { vec![w[1], w[0], w[2]] }
    };
    rings.iter().flat_map(|ring| ring.windows(3).enumerate().map(turned).collect::<Vec<_>>()).collect()
}

fn fans(rings: &[Ring]) -> Vec<Ring> {
    let triangles =
        |ring: &Ring| -> Vec<Ring> { ring.windows(2).skip(1).map(|w| vec![ring[0], w[0], w[1]]).collect() };
    rings.iter().flat_map(triangles).collect()
}

fn in_order(tree: &Tree, node: NodeId) -> Vec<f64> {
    (0..positions(tree, node).len()).map(|i| i as f64).collect()
}

fn positions(tree: &Tree, node: NodeId) -> Vec<DVec3> {
    let coordinates = tree.nodes(node, "coord");
    let numbers = coordinates.first().map_or(Vec::new(), |&coord| tree.numbers(coord, "point"));
    let (points, _) = numbers.as_chunks::<3>();
    points.iter().map(|&point| DVec3::from(point)).collect()
}

/// Linear colors of a node's color node.
fn colors(tree: &Tree, node: NodeId) -> Option<Vec<Vec4>> {
    let id = *tree.nodes(node, "color").first()?;
    let numbers: Vec<f32> = tree.numbers(id, "color").into_iter().map(|c| c as f32).collect();
    Some(if tree.kind(id) == "ColorRGBA" {
        numbers.as_chunks::<4>().0.iter().map(|&c| color::from_unit_alpha(Vec4::from(c))).collect()
    } else {
        numbers.as_chunks::<3>().0.iter().map(|&c| color::from_unit(Vec3::from(c)).extend(1.0)).collect()
    })
}

fn face_set(tree: &Tree, node: NodeId, rings: &[Ring]) -> Surface {
    let mut surface = Surface { positions: positions(tree, node), ..Surface::default() };
    // Corners that wind the other way are read from the last.
    let is_clockwise = !tree.is_true(node, "ccw", true);
    let ordered = |ring: &Ring| -> Ring {
        if is_clockwise { ring.iter().rev().copied().collect() } else { ring.clone() }
    };
    let rings: Vec<Ring> = rings.iter().map(ordered).collect();
    for ring in &rings {
        surface.polygons.push(ring.iter().map(|&(_, vertex)| vertex));
    }
    let attribute = |field: &str, per_vertex: bool| {
        let indices = tree.numbers(node, field);
        Attribute { indices, per_vertex }
    };
    if let Some(values) = colors(tree, node) {
        let lookup = attribute("colorIndex", tree.is_true(node, "colorPerVertex", true));
        surface.colors = Some(lookup.at(&rings, &values, Vec4::ONE));
    }
    if let Some(&normal) = tree.nodes(node, "normal").first() {
        let numbers: Vec<f32> = tree.numbers(normal, "vector").into_iter().map(|c| c as f32).collect();
        let values: Vec<Vec3> = numbers.as_chunks::<3>().0.iter().map(|&n| Vec3::from(n)).collect();
        let lookup = attribute("normalIndex", tree.is_true(node, "normalPerVertex", true));
        surface.normals = Some(lookup.at(&rings, &values, Vec3::ZERO));
    }
    if let Some(&coordinate) = tree.nodes(node, "texCoord").first() {
        let numbers: Vec<f32> = tree.numbers(coordinate, "point").into_iter().map(|c| c as f32).collect();
        let values: Vec<Vec2> =
            numbers.as_chunks::<2>().0.iter().map(|&[u, v]| Vec2::new(u, 1.0 - v)).collect();
        surface.uvs = Some(attribute("texCoordIndex", true).at(&rings, &values, Vec2::ZERO));
    }
    surface
}

/// Indices of colors, normals or texture coordinates, of vertices or of faces.
struct Attribute {
    indices: Vec<f64>,
    per_vertex: bool,
}

impl Attribute {
    /// The value of each corner: without indices, vertices and faces have their own numbers.
    fn at<T: Copy>(&self, rings: &[Ring], values: &[T], missing: T) -> Vec<T> {
        let mut result = Vec::new();
        for (face, ring) in rings.iter().enumerate() {
            for &(place, vertex) in ring {
                let own = if self.per_vertex { vertex } else { face as i64 };
                let at = if self.per_vertex { place } else { face };
                let index = self.indices.get(at).map_or(own, |&index| index as i64);
                let value = usize::try_from(index).ok().and_then(|index| values.get(index));
                result.push(value.copied().unwrap_or(missing));
            }
        }
        result
    }
}

/// Heights over a grid in the plane of x and z.
fn elevation(tree: &Tree, node: NodeId) -> Surface {
    let count = |field| tree.number(node, field, 0.0).clamp(0.0, 65_536.0) as usize;
    let (columns, rows) = (count("xDimension"), count("zDimension"));
    let (dx, dz) = (tree.number(node, "xSpacing", 1.0), tree.number(node, "zSpacing", 1.0));
    let heights = tree.numbers(node, "height");
    let mut surface = Surface::default();
    // A grid cannot have more cells than heights.
    if columns == 0 || heights.len() < columns.saturating_mul(rows) {
        return surface;
    }
    for row in 0..rows {
        let position =
            |column: usize| DVec3::new(column as f64 * dx, heights[row * columns + column], row as f64 * dz);
        surface.positions.extend((0..columns).map(position));
    }
    for row in 1..rows {
        for column in 1..columns {
            let at = |row: usize, column: usize| (row * columns + column) as i64;
            surface.polygons.push([
                at(row - 1, column - 1),
                at(row, column - 1),
                at(row, column),
                at(row - 1, column),
            ]);
        }
    }
    surface
}
