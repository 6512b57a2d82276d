//! The content of one 3D file, in world space.

use glam::{Affine3A, Vec3};

use crate::{Material, Mesh, PointCloud, Texture};

/// The content of one asset in world space, +Y up: triangles and points with their materials.
/// Instances are separate meshes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Scene {
    /// Triangle meshes.
    pub meshes: Vec<Mesh>,
    /// Point clouds.
    pub clouds: Vec<PointCloud>,
    /// Materials, named by [`Mesh::material`].
    pub materials: Vec<Material>,
    /// Textures, named by [`Material`].
    pub textures: Vec<Texture>,
    /// Names of the groups of objects that the file has, without duplicates, the inner ones first.
    pub groups: Vec<String>,
    /// Warnings about the file, one lower-case sentence each: dropped, repaired or ignored parts.
    pub notes: Vec<String>,
}

/// An axis-aligned box.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bounds {
    /// Smallest coordinates.
    pub min: Vec3,
    /// Largest coordinates.
    pub max: Vec3,
}

impl Bounds {
    /// The box around the points; `None` if there are none.
    pub fn from_points(points: impl IntoIterator<Item = Vec3>) -> Option<Self> {
        let mut points = points.into_iter();
        let first = points.next()?;
        Some(
            points
                .fold(Self { min: first, max: first }, |b, p| Self { min: b.min.min(p), max: b.max.max(p) }),
        )
    }

    /// The middle.
    pub fn center(&self) -> Vec3 {
        // Halved before the sum, which could overflow.
        self.min * 0.5 + self.max * 0.5
    }

    /// Edge lengths.
    pub fn extents(&self) -> Vec3 {
        self.max - self.min
    }
}

impl Scene {
    /// A scene of one mesh with the default material.
    pub fn from_mesh(mesh: Mesh) -> Self {
        Self { meshes: vec![mesh], ..Self::default() }
    }

    /// A scene of one cloud.
    pub fn from_cloud(cloud: PointCloud) -> Self {
        Self { clouds: vec![cloud], ..Self::default() }
    }

    /// Number of triangles.
    pub fn n_faces(&self) -> usize {
        self.meshes.iter().map(|m| m.faces().len()).sum()
    }

    /// Number of vertices of meshes.
    pub fn n_vertices(&self) -> usize {
        self.meshes.iter().map(|m| m.positions().len()).sum()
    }

    /// Number of points of clouds.
    pub fn n_points(&self) -> usize {
        self.clouds.iter().map(|c| c.positions().len()).sum()
    }

    /// Whether nothing is visible: no triangle and no point.
    pub fn is_empty(&self) -> bool {
        self.n_faces() == 0 && self.n_points() == 0
    }

    /// The box around everything visible: vertices that a face uses, and points.
    pub fn bounds(&self) -> Option<Bounds> {
        let corners = self
            .meshes
            .iter()
            .flat_map(|m| m.faces().iter().flat_map(move |f| f.map(|v| m.positions()[v as usize])));
        Bounds::from_points(corners.chain(self.clouds.iter().flat_map(|c| c.positions().iter().copied())))
    }

    /// The scene transformed by `target_from_source`.
    pub fn transformed(self, target_from_source: Affine3A) -> Self {
        Self {
            meshes: self.meshes.into_iter().map(|m| m.transformed(target_from_source)).collect(),
            clouds: self.clouds.into_iter().map(|c| c.transformed(target_from_source)).collect(),
            ..self
        }
    }
}
