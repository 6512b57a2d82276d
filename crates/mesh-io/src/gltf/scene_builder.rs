//! Builds the scene from placed meshes: deforms them, copies instances, and enforces the limits.

use std::collections::HashMap;
use std::rc::Rc;

use glam::{Affine3A, Vec3, Vec4};

use super::deform;
use super::document::{Document, get};
use super::error::{GltfError, Notes, invalid};
use super::material::MaterialSet;
use super::nodes::{Hierarchy, Placement, shortened};
use super::primitive::{PrimitiveData, Topology};
use super::topology::Mode;
use crate::limits;
use lexiform_geometry::{Mesh, MeshError, PointCloud, PointCloudError, Scene};

/// Most meshes and clouds of one scene.
const MAX_PARTS: usize = 1_000_000;
/// Most morph target vertices that are added.
const MAX_MORPHED: usize = 100_000_000;

/// Builds a scene.
pub(super) struct SceneBuilder<'d> {
    document: &'d Document<'d>,
    hierarchy: &'d Hierarchy,
    material_set: MaterialSet<'d>,
    notes: Notes,
    /// Primitives of meshes, read once for all instances.
    parts: HashMap<usize, Rc<Vec<PrimitiveData>>>,
    /// World-from-mesh transforms of each skin's joints; `None` for invalid skins.
    skins: HashMap<usize, Option<Rc<Vec<Affine3A>>>>,
    scene: Scene,
    vertices: usize,
    faces: usize,
    placed: usize,
    morphed: usize,
    /// Number of line primitives.
    lines: usize,
    /// Parts that lost all their triangles or points.
    lost: usize,
}

impl<'d> SceneBuilder<'d> {
    pub fn new(document: &'d Document<'d>, hierarchy: &'d Hierarchy, notes: Notes) -> Self {
        Self {
            document,
            hierarchy,
            material_set: MaterialSet::new(document),
            notes,
            parts: HashMap::new(),
            skins: HashMap::new(),
            scene: Scene::default(),
            vertices: 0,
            faces: 0,
            placed: 0,
            morphed: 0,
            lines: 0,
            lost: 0,
        }
    }

    /// Adds all instances of a placed mesh.
    pub fn place(&mut self, placement: &Placement) -> Result<(), GltfError> {
        let parts = self.parts(placement.mesh)?;
        let joints = self.joints(placement);
        for part in parts.iter() {
            self.reserve(part, placement.world_from_mesh.len())?;
            let mut part = part.clone();
            self.morph(&mut part, placement);
            let influences = std::mem::take(&mut part.influences);
            let still = [Affine3A::IDENTITY];
            let world_from_part = match (&joints, placement.world_from_mesh.first()) {
                // A skinned mesh is placed by its joints, not by its node (specification, section 3.7.3.3).
                (Some(joints), Some(&otherwise)) if !influences.is_empty() => {
                    deform::skin(&mut part, &influences, joints, otherwise);
                    &still[..]
                }
                _ => &placement.world_from_mesh[..],
            };
            part.drop_non_finite(&mut self.notes);
            let name = self.name(placement);
            for &world_from_part in world_from_part {
                self.add(part.clone(), world_from_part, name.clone())?;
            }
        }
        Ok(())
    }

    fn parts(&mut self, mesh: usize) -> Result<Rc<Vec<PrimitiveData>>, GltfError> {
        if let Some(parts) = self.parts.get(&mesh) {
            return Ok(Rc::clone(parts));
        }
        let mut parts = Vec::new();
        for (index, primitive) in self.document.root.meshes[mesh].primitives.iter().enumerate() {
            let place = |error: GltfError| error.context(&format!("mesh {mesh}, primitive {index}"));
            let code = primitive.mode.map_or(4, |mode| mode.0);
            match Mode::from_gl(code) {
                Some(Mode::Lines) => self.lines += 1,
                Some(mode) => {
                    let json = (index, primitive);
                    let part = PrimitiveData::read(
                        self.document,
                        json,
                        mode,
                        &mut self.material_set,
                        &mut self.notes,
                    );
                    parts.extend(part.map_err(place)?);
                }
                None => return Err(place(invalid(format!("mode: expected 0 to 6, found {code}")))),
            }
            // Checked even before the mesh is placed.
            let total = parts.iter().map(|part| part.positions.len()).sum::<usize>();
            if total > limits::VERTICES {
                return Err(GltfError::too_large("number of vertices", total, limits::VERTICES));
            }
        }
        let parts = Rc::new(parts);
        self.parts.insert(mesh, Rc::clone(&parts));
        Ok(parts)
    }

    /// Counts `instances` copies against the limits before they are created.
    fn reserve(&mut self, part: &PrimitiveData, instances: usize) -> Result<(), GltfError> {
        self.placed = self.placed.saturating_add(instances);
        if self.placed > MAX_PARTS {
            return Err(GltfError::too_large("number of meshes", self.placed, MAX_PARTS));
        }
        self.vertices = self.vertices.saturating_add(part.positions.len().saturating_mul(instances));
        self.faces = self.faces.saturating_add(part.n_faces().saturating_mul(instances));
        if self.vertices > limits::VERTICES {
            return Err(GltfError::too_large("number of vertices", self.vertices, limits::VERTICES));
        }
        if self.faces > limits::FACES {
            return Err(GltfError::too_large("number of triangles", self.faces, limits::FACES));
        }
        Ok(())
    }

    /// World-from-mesh transforms of the joints, if the node has a valid skin.
    fn joints(&mut self, placement: &Placement) -> Option<Rc<Vec<Affine3A>>> {
        let skin = self.document.root.nodes.get(placement.node?)?.skin?.0;
        if let Some(known) = self.skins.get(&skin) {
            return known.clone();
        }
        let joints = get(&self.document.root.skins, skin, "skin")
            .and_then(|json| deform::joint_matrices(self.document, json, self.hierarchy));
        let joints = joints
            .map(Rc::new)
            .map_err(|error| self.notes.add(format!("skin {skin} is left out: {error}")))
            .ok();
        self.skins.insert(skin, joints.clone());
        joints
    }

    fn morph(&mut self, part: &mut PrimitiveData, placement: &Placement) {
        let root = &self.document.root;
        let mesh = &root.meshes[placement.mesh];
        let of_node = placement.node.and_then(|node| root.nodes[node].weights.as_ref());
        if let Some(weights) = of_node.or(mesh.weights.as_ref()) {
            let primitive = &mesh.primitives[part.primitive];
            let active =
                weights.iter().take(primitive.targets.len()).filter(|&&weight| weight != 0.0).count();
            self.morphed = self.morphed.saturating_add(active.saturating_mul(part.positions.len()));
            if self.morphed > MAX_MORPHED {
                self.notes.add("morph targets are left out where they are too many");
                return;
            }
            deform::morph(part, self.document, primitive, weights, &mut self.notes);
        }
    }

    fn add(
        &mut self,
        part: PrimitiveData,
        world_from_part: Affine3A,
        name: Option<String>,
    ) -> Result<(), GltfError> {
        let seen = match part.topology {
            Topology::Faces(_) => {
                let mesh = mesh(part).map_err(|error| invalid(error.to_string()))?;
                let mesh = mesh.with_name(name).transformed(world_from_part);
                let seen = !mesh.faces().is_empty();
                self.scene.meshes.extend(seen.then_some(mesh));
                seen
            }
            Topology::Points => {
                let colors = self.material_set.point_colors(&part);
                let cloud = cloud(part, colors).map_err(|error| invalid(error.to_string()))?;
                let cloud = cloud.transformed(world_from_part);
                let seen = !cloud.positions().is_empty();
                self.scene.clouds.extend(seen.then_some(cloud));
                seen
            }
        };
        self.lost += usize::from(!seen);
        Ok(())
    }

    fn name(&self, placement: &Placement) -> Option<String> {
        let root = &self.document.root;
        let node = placement.node.and_then(|node| root.nodes[node].name.clone());
        let name = node.or_else(|| root.meshes[placement.mesh].name.clone());
        name.map(|name| shortened(&name))
    }

    /// Builds the scene; an error if it is empty.
    pub fn finish(mut self) -> Result<Scene, GltfError> {
        if self.lines > 0 {
            self.notes.add(format!("{} line primitives are left out", self.lines));
        }
        if self.lost > 0 {
            self.notes.add(format!("{} parts have no finite positions and are left out", self.lost));
        }
        let notes = self.notes.into_vec();
        if !self.scene.is_empty() {
            let (materials, textures) = (self.material_set.materials, self.material_set.textures.textures);
            return Ok(Scene { materials, textures, notes, ..self.scene });
        }
        match (self.lost, self.lines) {
            (0, 0) => Err(GltfError::Empty),
            (0, _) => Err(GltfError::Unsupported("rendering of lines (there is nothing else)".to_owned())),
            _ => Err(invalid(format!("no triangles and no points: {}", notes.join("; ")))),
        }
    }
}

fn mesh(part: PrimitiveData) -> Result<Mesh, MeshError> {
    let Topology::Faces(faces) = part.topology else { return Ok(Mesh::default()) };
    let mut mesh = Mesh::new(part.positions, faces)?.with_material(part.material);
    if let Some(normals) = part.normals {
        mesh = mesh.with_normals(normals)?;
    }
    if let Some(uvs) = part.uvs {
        mesh = mesh.with_uvs(uvs)?;
    }
    if let Some(colors) = part.colors {
        mesh = mesh.with_colors(colors)?;
    }
    Ok(mesh)
}

fn cloud(part: PrimitiveData, colors: Option<Vec<Vec3>>) -> Result<PointCloud, PointCloudError> {
    let mut cloud = PointCloud::new(part.positions)?;
    if let Some(colors) = colors {
        cloud = cloud.with_colors(colors)?;
    }
    if let Some(normals) = part.normals {
        cloud = cloud.with_normals(normals)?;
    }
    Ok(cloud)
}

impl MaterialSet<'_> {
    /// Material × texture × vertex color at each point; `None` if there are none.
    fn point_colors(&self, part: &PrimitiveData) -> Option<Vec<Vec3>> {
        if part.colors.is_none() && part.material.is_none() {
            return None;
        }
        let material = part.material.map(|index| &self.materials[index]);
        let base = material.map_or(Vec4::ONE, |material| material.base_color);
        let texture = material.and_then(|material| material.base_color_texture);
        let color = |i: usize| {
            let own = part.colors.as_ref().map_or(Vec4::ONE, |colors| colors[i]);
            let texel = match (&texture, &part.uvs) {
                (Some(used), Some(uvs)) => {
                    super::texture::nearest(&self.textures.textures[used.texture], used.image_from_uv, uvs[i])
                }
                _ => Vec3::ONE,
            };
            ((base * own).truncate() * texel).clamp(Vec3::ZERO, Vec3::ONE)
        };
        Some((0..part.positions.len()).map(color).collect())
    }
}
