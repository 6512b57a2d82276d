//! glTF 2.0 and GLB, after the Khronos specification 2.0.1 and the extensions that real files use.
//!
//! Everything in a file is untrusted. Offsets, lengths and counts are checked before memory is taken for them
//! ([`document`], [`accessor`]), node edges are followed once ([`nodes`]), and the sum over all instances is
//! held against [`limits`] before any is made.

mod accessor;
mod container;
mod document;
mod extension;
mod fault;
mod json;
mod material;
mod meshopt;
mod nodes;
mod primitive;
mod texture;
mod topology;
mod uri;

use std::collections::HashMap;
use std::path::Path;
use std::rc::Rc;

use glam::{Affine3A, Vec3, Vec4};

use self::document::Document;
use self::fault::{Fault, Notes, invalid};
use self::material::Looks;
use self::nodes::{Hierarchy, Placement};
use self::primitive::{Part, Shape};
use crate::io::{ReadError, limits};
use crate::{Mesh, PointCloud, Scene};

/// Reads a glTF file of either kind; `path` tells where other files lie beside it.
pub(super) fn read(path: &Path, bytes: &[u8]) -> Result<Scene, ReadError> {
    load(path, bytes).map_err(|fault| fault.at(path))
}

fn load(path: &Path, bytes: &[u8]) -> Result<Scene, Fault> {
    let document = Document::open(path, bytes)?;
    let mut notes = Notes::default();
    extension::check_required(&document.root, &mut notes)?;
    let hierarchy = Hierarchy::new(&document.root.nodes, &mut notes)?;
    let placements = hierarchy.placements(&document, &mut notes)?;
    let mut assembly = Assembly::new(&document, notes);
    for placement in &placements {
        assembly.place(placement)?;
    }
    assembly.finish()
}

/// A scene in the making.
struct Assembly<'d> {
    document: &'d Document<'d>,
    looks: Looks<'d>,
    notes: Notes,
    /// Primitives of meshes, read once however often they are placed.
    parts: HashMap<usize, Rc<Vec<Part>>>,
    meshes: Vec<Mesh>,
    clouds: Vec<PointCloud>,
    vertices: usize,
    faces: usize,
}

impl<'d> Assembly<'d> {
    fn new(document: &'d Document<'d>, notes: Notes) -> Self {
        let looks = Looks::new(document);
        let (parts, meshes, clouds) = (HashMap::new(), Vec::new(), Vec::new());
        Self { document, looks, notes, parts, meshes, clouds, vertices: 0, faces: 0 }
    }

    /// Adds all instances of a placed mesh.
    fn place(&mut self, placement: &Placement) -> Result<(), Fault> {
        let parts = self.parts(placement.mesh)?;
        for part in parts.iter() {
            self.reserve(part, placement.world_from_mesh.len())?;
            for &world_from_mesh in &placement.world_from_mesh {
                self.add(part.clone(), world_from_mesh, self.name(placement))?;
            }
        }
        Ok(())
    }

    fn parts(&mut self, mesh: usize) -> Result<Rc<Vec<Part>>, Fault> {
        if let Some(parts) = self.parts.get(&mesh) {
            return Ok(Rc::clone(parts));
        }
        let mut parts = Vec::new();
        for (index, primitive) in self.document.root.meshes[mesh].primitives.iter().enumerate() {
            let part = Part::read(self.document, primitive, &mut self.looks, &mut self.notes)
                .map_err(|fault| fault.within(&format!("mesh {mesh}, primitive {index}")))?;
            parts.extend(part);
        }
        let parts = Rc::new(parts);
        self.parts.insert(mesh, Rc::clone(&parts));
        Ok(parts)
    }

    /// Counts what `instances` copies add, before they are made.
    fn reserve(&mut self, part: &Part, instances: usize) -> Result<(), Fault> {
        let faces = match &part.shape {
            Shape::Faces(faces) => faces.len(),
            Shape::Points => 0,
        };
        self.vertices = self.vertices.saturating_add(part.positions.len().saturating_mul(instances));
        self.faces = self.faces.saturating_add(faces.saturating_mul(instances));
        if self.vertices > limits::VERTICES {
            return Err(Fault::too_large("number of vertices", self.vertices, limits::VERTICES));
        }
        if self.faces > limits::FACES {
            return Err(Fault::too_large("number of triangles", self.faces, limits::FACES));
        }
        Ok(())
    }

    fn add(&mut self, mut part: Part, world_from_mesh: Affine3A, name: Option<String>) -> Result<(), Fault> {
        part.drop_infinite(&mut self.notes);
        let built = |error: &dyn std::fmt::Display| invalid(error.to_string());
        match part.shape {
            Shape::Faces(faces) => {
                let mut mesh = Mesh::new(part.positions, faces).map_err(|e| built(&e))?;
                if let Some(normals) = part.normals {
                    mesh = mesh.with_normals(normals).map_err(|e| built(&e))?;
                }
                if let Some(uvs) = part.uvs {
                    mesh = mesh.with_uvs(uvs).map_err(|e| built(&e))?;
                }
                if let Some(colors) = part.colors {
                    mesh = mesh.with_colors(colors).map_err(|e| built(&e))?;
                }
                let mesh = mesh.with_material(part.material).with_name(name).transformed(world_from_mesh);
                if mesh.faces().is_empty() {
                    self.notes.add("a mesh without triangles at finite places is left out");
                } else {
                    self.meshes.push(mesh);
                }
            }
            Shape::Points => {
                let colors = self.point_colors(&part);
                let mut cloud = PointCloud::new(part.positions).map_err(|e| built(&e))?;
                if let Some(colors) = colors {
                    cloud = cloud.with_colors(colors).map_err(|e| built(&e))?;
                }
                if let Some(normals) = part.normals {
                    cloud = cloud.with_normals(normals).map_err(|e| built(&e))?;
                }
                let cloud = cloud.transformed(world_from_mesh);
                if !cloud.positions().is_empty() {
                    self.clouds.push(cloud);
                }
            }
        }
        Ok(())
    }

    /// What a point's material and vertex color make together; `None` if the file says nothing of either.
    fn point_colors(&self, part: &Part) -> Option<Vec<Vec3>> {
        if part.colors.is_none() && part.material.is_none() {
            return None;
        }
        let base = part.material.map_or(Vec4::ONE, |index| self.looks.materials[index].base_color);
        let color = |i: usize| part.colors.as_ref().map_or(Vec4::ONE, |colors| colors[i]);
        let color = |i| (base * color(i)).truncate().clamp(Vec3::ZERO, Vec3::ONE);
        Some((0..part.positions.len()).map(color).collect())
    }

    fn name(&self, placement: &Placement) -> Option<String> {
        let root = &self.document.root;
        let node = placement.node.and_then(|node| root.nodes[node].name.clone());
        node.or_else(|| root.meshes[placement.mesh].name.clone())
    }

    fn finish(self) -> Result<Scene, Fault> {
        let scene = Scene {
            meshes: self.meshes,
            clouds: self.clouds,
            materials: self.looks.materials,
            textures: self.looks.textures.textures,
            notes: self.notes.into_vec(),
        };
        if scene.is_empty() { Err(Fault::Empty) } else { Ok(scene) }
    }
}
