//! Reads primitives: vertices with triangles or points, in mesh coordinates.

use glam::{Vec2, Vec3, Vec4};

use super::attribute::{AttributeSource, Influence, OptionalAttributes};
use super::document::Document;
use super::error::{GltfError, Notes, invalid};
use super::json::Primitive;
use super::material::MaterialSet;
use super::topology::Mode;
use crate::limits;

/// The data of one primitive. All lists are as long as `positions`.
#[derive(Clone, Debug)]
pub(super) struct PrimitiveData {
    /// Which primitive of its mesh this is.
    pub primitive: usize,
    pub positions: Vec<Vec3>,
    pub normals: Option<Vec<Vec3>>,
    pub uvs: Option<Vec<Vec2>>,
    pub colors: Option<Vec<Vec4>>,
    /// Joints and weights, where the file has skins.
    pub influences: Vec<Influence>,
    pub topology: Topology,
    /// Index into the scene's materials.
    pub material: Option<usize>,
}

/// How vertices form primitives.
#[derive(Clone, Debug)]
pub(super) enum Topology {
    /// Triangles with valid indices.
    Faces(Vec<[u32; 3]>),
    /// The vertices themselves.
    Points,
}

impl PrimitiveData {
    /// Reads a primitive of triangles or points; `None`, with a note, if it has no positions.
    pub fn read(
        document: &Document,
        (primitive, json): (usize, &Primitive),
        mode: Mode,
        material_set: &mut MaterialSet,
        notes: &mut Notes,
    ) -> Result<Option<Self>, GltfError> {
        if !json.attributes.contains_key("POSITION") {
            notes.add("a primitive without positions is left out");
            return Ok(None);
        }
        let source = AttributeSource::open(document, json, notes)?;
        if source.count()? > limits::VERTICES {
            return Err(GltfError::too_large("number of vertices", source.count()?, limits::VERTICES));
        }
        let positions = source.positions()?;
        let topology = match mode {
            Mode::Points | Mode::Lines => Topology::Points,
            mode => Topology::Faces(valid_faces(source.faces(mode)?, positions.len(), notes)?),
        };
        let uv_set = material_set.uv_set(json.material.map(|m| m.0));
        let mut optional = OptionalAttributes { source: &source, count: positions.len(), notes };
        let mut part = Self {
            primitive,
            normals: optional.vectors("NORMAL"),
            uvs: optional.uvs(uv_set),
            colors: optional.colors(),
            influences: if document.root.skins.is_empty() { Vec::new() } else { optional.influences() },
            material: json.material.and_then(|m| material_set.material(m.0, notes)),
            positions,
            topology,
        };
        if let (Topology::Points, Some(indices)) = (&part.topology, json.indices) {
            part.keep_points(&document.integers::<1>(indices.0)?, notes);
        }
        Ok(Some(part))
    }

    /// Number of triangles.
    pub fn n_faces(&self) -> usize {
        match &self.topology {
            Topology::Faces(faces) => faces.len(),
            Topology::Points => 0,
        }
    }

    /// Reduces a cloud to its indexed points.
    fn keep_points(&mut self, indices: &[[u32; 1]], notes: &mut Notes) {
        let count = self.positions.len();
        let keep: Vec<u32> = indices.iter().map(|i| i[0]).filter(|&i| (i as usize) < count).collect();
        if keep.len() < indices.len() {
            notes.add(format!("{} points name vertices that do not exist", indices.len() - keep.len()));
        }
        self.select(&keep);
    }

    /// Removes non-finite vertices and the triangles that use them.
    pub fn drop_non_finite(&mut self, notes: &mut Notes) {
        let count = self.positions.len();
        if self.positions.iter().all(|p| p.is_finite()) {
            return;
        }
        let keep: Vec<u32> = (0..count as u32).filter(|&i| self.positions[i as usize].is_finite()).collect();
        notes.add(format!("{} of {count} vertices are not finite and left out", count - keep.len()));
        self.select(&keep);
        if let Topology::Faces(faces) = &mut self.topology {
            let mut place = vec![u32::MAX; count];
            keep.iter().enumerate().for_each(|(new, &old)| place[old as usize] = new as u32);
            let moved = faces.iter().map(|face| face.map(|v| place[v as usize]));
            *faces = moved.filter(|face| !face.contains(&u32::MAX)).collect();
        }
    }

    /// Keeps only these vertices, in this order.
    fn select(&mut self, keep: &[u32]) {
        fn pick<T: Copy>(list: &[T], keep: &[u32]) -> Vec<T> {
            keep.iter().map(|&i| list[i as usize]).collect()
        }
        self.positions = pick(&self.positions, keep);
        self.normals = self.normals.as_ref().map(|list| pick(list, keep));
        self.uvs = self.uvs.as_ref().map(|list| pick(list, keep));
        self.colors = self.colors.as_ref().map(|list| pick(list, keep));
        for influence in &mut self.influences {
            influence.joints = pick(&influence.joints, keep);
            influence.weights = pick(&influence.weights, keep);
        }
    }
}

/// Drops triangles with invalid indices; it is an error if none is left.
fn valid_faces(
    mut faces: Vec<[u32; 3]>,
    count: usize,
    notes: &mut Notes,
) -> Result<Vec<[u32; 3]>, GltfError> {
    let before = faces.len();
    faces.retain(|face| face.iter().all(|&v| (v as usize) < count));
    let dropped = before - faces.len();
    if dropped > 0 && faces.is_empty() {
        return Err(invalid(format!("all {before} triangles name vertices beyond the {count} there are")));
    }
    if dropped > 0 {
        notes
            .add(format!("{dropped} of {before} triangles name vertices that do not exist and are left out"));
    }
    Ok(faces)
}
