//! Meshes with their primvars, and transforms.

use std::collections::HashSet;

use glam::{DMat3, DMat4, DQuat, DVec3, Vec2, Vec3, Vec4};

use super::stage::{ComposedPrim, Stage};
use crate::surface::Surface;

/// The polygons of a mesh, with the texture coordinates of a name.
pub(super) fn mesh(
    stage: &Stage,
    prim: &ComposedPrim,
    uv_name: Option<&str>,
    inherited: Option<Vec4>,
) -> Surface {
    let mut surface = Surface { positions: positions(stage, prim, "points"), ..Surface::default() };
    let corners = stage.numbers(prim, "faceVertexIndices").unwrap_or_default();
    let counts = stage.numbers(prim, "faceVertexCounts").unwrap_or_default();
    let mut layout = Layout { faces: Vec::new(), corners: Vec::new(), vertices: Vec::new() };
    let is_left_handed = stage.text(prim, "orientation").as_deref() == Some("leftHanded");
    let holes = face_set(stage, prim, "holeIndices");
    let mut start = 0_usize;
    for (face, &count) in counts.iter().enumerate() {
        let end = start.saturating_add(count.max(0.0) as usize);
        let Some(ring) = corners.get(start..end) else { break };
        if !holes.contains(&face) {
            let mut order: Vec<usize> = (start..end).collect();
            if is_left_handed {
                order.reverse();
            }
            let vertex = |&corner: &usize| corners[corner] as i64;
            surface.polygons.push(order.iter().map(vertex));
            layout.vertices.extend(order.iter().map(|&corner| corners[corner].max(0.0) as usize));
            layout.corners.append(&mut order);
            layout.faces.extend(std::iter::repeat_n(face, ring.len()));
            surface.materials.push(None);
        }
        start = end;
    }
    surface.normals = normals(stage, prim, &layout);
    surface.uvs = uvs(stage, prim, uv_name, &layout);
    surface.colors = colors(stage, prim, inherited, &layout);
    surface
}

/// Faces that each polygon of [`mesh`] was.
pub(super) fn faces(stage: &Stage, prim: &ComposedPrim) -> Vec<usize> {
    let count = stage.slice(prim, "faceVertexCounts").map_or(0, <[f64]>::len);
    let holes = face_set(stage, prim, "holeIndices");
    (0..count).filter(|face| !holes.contains(face)).collect()
}

/// The faces of an attribute.
pub(super) fn face_set(stage: &Stage, prim: &ComposedPrim, name: &str) -> HashSet<usize> {
    stage.slice(prim, name).unwrap_or_default().iter().map(|&face| face as usize).collect()
}

/// Face, place in the file's list, and vertex of each corner.
struct Layout {
    faces: Vec<usize>,
    corners: Vec<usize>,
    vertices: Vec<usize>,
}

/// Numbers of a primvar, with its interpolation and indices.
struct Primvar {
    values: Vec<f64>,
    width: usize,
    indices: Option<Vec<f64>>,
    interpolation: String,
}

impl Primvar {
    fn read(stage: &Stage, prim: &ComposedPrim, name: &str, width: usize, missing: &str) -> Option<Self> {
        let values = stage.numbers(prim, name)?;
        let interpolation = stage.property_text(prim, name, "interpolation");
        Some(Self {
            values,
            width,
            indices: stage.numbers(prim, &format!("{name}:indices")),
            interpolation: interpolation.unwrap_or_else(|| missing.to_owned()),
        })
    }

    fn at(&self, place: usize) -> Option<&[f64]> {
        let index = match &self.indices {
            Some(indices) => *indices.get(place)? as usize,
            None => place,
        };
        self.values.get(index.checked_mul(self.width)?..)?.get(..self.width)
    }

    /// The value of each corner.
    fn corners<T: Clone>(&self, layout: &Layout, missing: &T, convert: impl Fn(&[f64]) -> T) -> Vec<T> {
        let places = match self.interpolation.as_str() {
            "uniform" => &layout.faces,
            "faceVarying" => &layout.corners,
            "vertex" | "varying" => &layout.vertices,
            _ => {
                let constant = self.at(0).map_or_else(|| missing.clone(), convert);
                return vec![constant; layout.corners.len()];
            }
        };
        places.iter().map(|&place| self.at(place).map_or_else(|| missing.clone(), &convert)).collect()
    }
}

fn normals(stage: &Stage, prim: &ComposedPrim, layout: &Layout) -> Option<Vec<Vec3>> {
    let primvar = Primvar::read(stage, prim, "primvars:normals", 3, "vertex")
        .or_else(|| Primvar::read(stage, prim, "normals", 3, "vertex"))?;
    Some(primvar.corners(layout, &Vec3::ZERO, |n| DVec3::new(n[0], n[1], n[2]).as_vec3()))
}

fn uvs(stage: &Stage, prim: &ComposedPrim, wanted: Option<&str>, layout: &Layout) -> Option<Vec<Vec2>> {
    let usual = ["st", "st0", "UVMap", "uv", "map1", "st_0"];
    let names = wanted.into_iter().chain(usual);
    let mut primvars =
        names.map(|name| Primvar::read(stage, prim, &format!("primvars:{name}"), 2, "constant"));
    let primvar = primvars.find_map(|primvar| primvar)?;
    // USD counts v from the bottom of the image.
    Some(primvar.corners(layout, &Vec2::ZERO, |uv| Vec2::new(uv[0] as f32, (1.0 - uv[1]) as f32)))
}

/// Colors of corners: the mesh's own, or one that a prim around it has.
fn colors(stage: &Stage, prim: &ComposedPrim, inherited: Option<Vec4>, layout: &Layout) -> Option<Vec<Vec4>> {
    let own =
        Primvar::read(stage, prim, "primvars:displayColor", 3, "constant").filter(|p| !p.values.is_empty());
    let Some(color) = own else {
        return inherited.map(|color| vec![color; layout.corners.len()]);
    };
    // Colors are linear already.
    let mut colors =
        color.corners(layout, &Vec4::ONE, |c| DVec3::new(c[0], c[1], c[2]).as_vec3().extend(1.0));
    if let Some(opacity) = Primvar::read(stage, prim, "primvars:displayOpacity", 1, "constant") {
        let opacities = opacity.corners(layout, &1.0, |o| o[0] as f32);
        colors.iter_mut().zip(opacities).for_each(|(color, opacity)| color.w = opacity);
    }
    Some(colors)
}

/// A constant display color, which prims below inherit.
pub(super) fn constant_color(stage: &Stage, prim: &ComposedPrim) -> Option<Vec4> {
    match *stage.slice(prim, "primvars:displayColor")? {
        [r, g, b] => Some(Vec4::new(r as f32, g as f32, b as f32, 1.0)),
        _ => None,
    }
}

/// The points of an attribute.
pub(super) fn positions(stage: &Stage, prim: &ComposedPrim, name: &str) -> Vec<DVec3> {
    let (points, _) = stage.slice(prim, name).unwrap_or_default().as_chunks::<3>();
    points.iter().map(|&point| DVec3::from(point)).collect()
}

/// A prim's transform, and whether it is relative to the stage instead of to the prim around it.
pub(super) fn transform(stage: &Stage, prim: &ComposedPrim) -> (DMat4, bool) {
    use super::layer::Value;
    let Some(Value::Texts(order)) = stage.value(prim, "xformOpOrder").map(|found| found.value) else {
        return (DMat4::IDENTITY, false);
    };
    // What is before a reset does not count.
    let reset = order.iter().rposition(|op| op == "!resetXformStack!");
    let operations = &order[reset.map_or(0, |at| at + 1)..];
    // The first operation is the last one that is applied.
    let matrix = operations.iter().fold(DMat4::IDENTITY, |matrix, name| {
        let (is_inverse, name) =
            name.strip_prefix("!invert!").map_or((false, name.as_str()), |name| (true, name));
        let values = stage.numbers(prim, name);
        let operation = values.map_or(DMat4::IDENTITY, |values| operation(name, &values));
        matrix * if is_inverse { operation.inverse() } else { operation }
    });
    (matrix, reset.is_some())
}

/// One operation; angles are in degrees.
fn operation(name: &str, values: &[f64]) -> DMat4 {
    let kind = name.strip_prefix("xformOp:").unwrap_or(name).split(':').next().unwrap_or_default();
    let vector = match values {
        [x, y, z, ..] => DVec3::new(*x, *y, *z),
        [value, ..] => DVec3::splat(*value),
        [] => return DMat4::IDENTITY,
    };
    let [x, y, z] = vector.to_array().map(f64::to_radians);
    match kind {
        "translate" => DMat4::from_translation(vector),
        "translateX" => DMat4::from_translation(DVec3::X * vector.x),
        "translateY" => DMat4::from_translation(DVec3::Y * vector.x),
        "translateZ" => DMat4::from_translation(DVec3::Z * vector.x),
        "scale" => DMat4::from_scale(vector),
        "scaleX" => DMat4::from_scale(DVec3::new(vector.x, 1.0, 1.0)),
        "scaleY" => DMat4::from_scale(DVec3::new(1.0, vector.x, 1.0)),
        "scaleZ" => DMat4::from_scale(DVec3::new(1.0, 1.0, vector.x)),
        "orient" => match values {
            [w, x, y, z] => DMat4::from_quat(quaternion(*w, *x, *y, *z)),
            _ => DMat4::IDENTITY,
        },
        // Row by row, for row vectors: column by column for ours.
        "transform" => match <&[f64; 16]>::try_from(values) {
            Ok(matrix) => DMat4::from_cols_array(matrix),
            Err(_) => DMat4::IDENTITY,
        },
        _ => match kind.strip_prefix("rotate") {
            // The first letter is applied first.
            Some(axes) => axes.chars().fold(DMat4::IDENTITY, |matrix, axis| {
                matrix_about(axis, [x, y, z], axes.len() == 1) * matrix
            }),
            None => DMat4::IDENTITY,
        },
    }
}

fn matrix_about(axis: char, [x, y, z]: [f64; 3], is_single: bool) -> DMat4 {
    match axis {
        'X' => DMat4::from_rotation_x(x),
        'Y' => DMat4::from_rotation_y(if is_single { x } else { y }),
        'Z' => DMat4::from_rotation_z(if is_single { x } else { z }),
        _ => DMat4::IDENTITY,
    }
}

/// A unit quaternion; the identity where it has no length.
pub(super) fn quaternion(w: f64, x: f64, y: f64, z: f64) -> DQuat {
    let quaternion = DQuat::from_xyzw(x, y, z, w);
    if quaternion.length_squared() > 0.0 { quaternion.normalize() } else { DQuat::IDENTITY }
}

/// The rotation from +Y to a shape's axis.
pub(super) fn about_axis(axis: Option<&str>) -> DMat4 {
    DMat4::from_mat3(match axis {
        Some("X") => DMat3::from_cols(DVec3::Z, DVec3::X, DVec3::Y),
        Some("Y") => DMat3::IDENTITY,
        _ => DMat3::from_cols(DVec3::Y, DVec3::Z, DVec3::X),
    })
}
