//! Triangle meshes whose indices are checked once.

use glam::{Affine3A, Mat3, Vec2, Vec3, Vec4};

/// A triangle mesh. Every face names three existing vertices, every position is finite, and every
/// per-vertex list is as long as `positions`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Mesh {
    positions: Vec<Vec3>,
    faces: Vec<[u32; 3]>,
    normals: Option<Vec<Vec3>>,
    uvs: Option<Vec<Vec2>>,
    colors: Option<Vec<Vec4>>,
    /// Index into [`Scene::materials`](crate::Scene::materials); `None` is the gray default material.
    pub material: Option<usize>,
    /// Name in the file, if any.
    pub name: Option<String>,
}

/// Why lists of numbers do not make a mesh.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum MeshError {
    /// A face names a vertex that does not exist.
    #[error("face {face} names vertex {vertex}, but there are {vertices} vertices")]
    FaceIndex {
        /// Position of the face in the list.
        face: usize,
        /// The index it holds.
        vertex: u32,
        /// How many vertices there are.
        vertices: usize,
    },
    /// A coordinate is NaN or infinite.
    #[error("vertex {vertex} is not finite")]
    NotFinite {
        /// Position of the vertex in the list.
        vertex: usize,
    },
    /// A per-vertex list has another length than the positions.
    #[error("{found} {what} for {expected} vertices")]
    Length {
        /// Which list.
        what: &'static str,
        /// Number of vertices.
        expected: usize,
        /// Length of the list.
        found: usize,
    },
}

impl Mesh {
    /// Checks that every face names existing vertices and that every position is finite.
    ///
    /// ```
    /// use glam::Vec3;
    /// use lexiform_geometry::{Mesh, MeshError};
    ///
    /// let corners = vec![Vec3::ZERO, Vec3::X, Vec3::Y];
    /// assert_eq!(Mesh::new(corners.clone(), vec![[0, 1, 2]])?.faces().len(), 1);
    /// let error = Mesh::new(corners, vec![[0, 1, 3]]).unwrap_err();
    /// assert_eq!(error.to_string(), "face 0 names vertex 3, but there are 3 vertices");
    /// # Ok::<(), MeshError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// If a face names a vertex that does not exist, or a position is not finite.
    pub fn new(positions: Vec<Vec3>, faces: Vec<[u32; 3]>) -> Result<Self, MeshError> {
        if let Some(vertex) = positions.iter().position(|p| !p.is_finite()) {
            return Err(MeshError::NotFinite { vertex });
        }
        for (face, corners) in faces.iter().enumerate() {
            if let Some(&vertex) = corners.iter().find(|&&v| v as usize >= positions.len()) {
                return Err(MeshError::FaceIndex { face, vertex, vertices: positions.len() });
            }
        }
        Ok(Self { positions, faces, ..Self::default() })
    }

    /// Adds per-vertex normals of any length; renderers normalize them, and use the face's normal where one is zero or not
    /// finite.
    ///
    /// # Errors
    ///
    /// If there are not as many as vertices.
    pub fn with_normals(mut self, normals: Vec<Vec3>) -> Result<Self, MeshError> {
        self.check_length("normals", normals.len())?;
        self.normals = Some(normals);
        Ok(self)
    }

    /// Adds texture coordinates with the origin at the image's top left, as in glTF.
    ///
    /// # Errors
    ///
    /// If there are not as many as vertices.
    pub fn with_uvs(mut self, uvs: Vec<Vec2>) -> Result<Self, MeshError> {
        self.check_length("texture coordinates", uvs.len())?;
        self.uvs = Some(uvs);
        Ok(self)
    }

    /// Adds linear RGBA vertex colors.
    ///
    /// # Errors
    ///
    /// If there are not as many as vertices.
    pub fn with_colors(mut self, colors: Vec<Vec4>) -> Result<Self, MeshError> {
        self.check_length("colors", colors.len())?;
        self.colors = Some(colors);
        Ok(self)
    }

    /// Sets the material.
    pub fn with_material(mut self, material: Option<usize>) -> Self {
        self.material = material;
        self
    }

    /// Sets the name.
    pub fn with_name(mut self, name: Option<String>) -> Self {
        self.name = name;
        self
    }

    /// Vertex positions.
    pub fn positions(&self) -> &[Vec3] {
        &self.positions
    }

    /// Triangles, counter-clockwise seen from outside.
    pub fn faces(&self) -> &[[u32; 3]] {
        &self.faces
    }

    /// Vertex normals, if any.
    pub fn normals(&self) -> Option<&[Vec3]> {
        self.normals.as_deref()
    }

    /// Texture coordinates of the base color texture.
    pub fn uvs(&self) -> Option<&[Vec2]> {
        self.uvs.as_deref()
    }

    /// Linear RGBA vertex colors.
    pub fn colors(&self) -> Option<&[Vec4]> {
        self.colors.as_deref()
    }

    /// The corners of a face.
    ///
    /// # Panics
    ///
    /// If there is no such face.
    pub fn triangle(&self, face: usize) -> [Vec3; 3] {
        self.faces[face].map(|v| self.positions[v as usize])
    }

    /// The mesh transformed by `target_from_source`; a mirroring transform also flips the faces. If a vertex leaves the
    /// range of `f32`, the result is empty rather than invalid.
    pub fn transformed(mut self, target_from_source: Affine3A) -> Self {
        for position in &mut self.positions {
            *position = target_from_source.transform_point3(*position);
        }
        if self.positions.iter().any(|p| !p.is_finite()) {
            return Self { material: self.material, name: self.name, ..Self::default() };
        }
        let linear = Mat3::from(target_from_source.matrix3);
        if let Some(normals) = &mut self.normals {
            // Normals transform by the inverse transpose; the cofactor matrix is its multiple, and exists for singular
            // transforms too.
            let cofactor = Mat3::from_cols(
                linear.y_axis.cross(linear.z_axis),
                linear.z_axis.cross(linear.x_axis),
                linear.x_axis.cross(linear.y_axis),
            );
            let sign = if linear.determinant() < 0.0 { -1.0 } else { 1.0 };
            for normal in normals {
                *normal = (cofactor * *normal * sign).normalize_or_zero();
            }
        }
        // A mirror turns counter-clockwise faces clockwise.
        if linear.determinant() < 0.0 {
            self.faces.iter_mut().for_each(|face| face.swap(1, 2));
        }
        self
    }

    fn check_length(&self, what: &'static str, found: usize) -> Result<(), MeshError> {
        let expected = self.positions.len();
        if found == expected { Ok(()) } else { Err(MeshError::Length { what, expected, found }) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_face_must_name_existing_vertices() {
        let error = Mesh::new(vec![Vec3::ZERO; 3], vec![[0, 1, 3]]).unwrap_err();
        assert_eq!(error, MeshError::FaceIndex { face: 0, vertex: 3, vertices: 3 });
    }

    #[test]
    fn a_mirror_keeps_faces_facing_outward() {
        let mesh = Mesh::new(vec![Vec3::ZERO, Vec3::X, Vec3::Y], vec![[0, 1, 2]])
            .and_then(|m| m.with_normals(vec![Vec3::Z; 3]))
            .unwrap()
            .transformed(Affine3A::from_scale(Vec3::new(-1.0, 1.0, 1.0)));
        let [a, b, c] = mesh.triangle(0);
        assert_eq!((b - a).cross(c - a).normalize(), Vec3::Z);
        assert_eq!(mesh.normals().unwrap()[0], Vec3::Z);
    }
}
