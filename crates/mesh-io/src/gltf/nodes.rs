//! The node hierarchy and the placement of meshes in the world.

use glam::{Affine3A, Mat4, Quat, Vec3};

use super::accessor::IntegerConversion;
use super::document::{Document, get};
use super::error::{GltfError, Notes, invalid};
use super::json::{Instancing, Node};

/// Longest name of a mesh; each instance has a copy.
const MAX_NAME: usize = 200;
/// Most names of groups that are kept.
const MAX_GROUPS: usize = 64;
/// Most mesh instances of all nodes together.
const MAX_INSTANCES: usize = 1_000_000;

/// A mesh with its placements.
#[derive(Debug)]
pub(super) struct Placement {
    pub mesh: usize,
    /// The node that places it; `None` if there are no nodes at all.
    pub node: Option<usize>,
    /// One transform per instance.
    pub world_from_mesh: Vec<Affine3A>,
}

/// The forest of nodes.
pub(super) struct Hierarchy {
    /// `None` for roots.
    parents: Vec<Option<usize>>,
    /// `None` for nodes in cycles, or below cycles.
    world_from_node: Vec<Option<Affine3A>>,
}

impl Hierarchy {
    /// Computes the transforms of all nodes; each edge is followed once, whatever the file contains.
    pub fn new(nodes: &[Node], notes: &mut Notes) -> Result<Self, GltfError> {
        let mut parents = vec![None; nodes.len()];
        for (parent, node) in nodes.iter().enumerate() {
            for child in &node.children {
                get(nodes, child.0, "node")?;
                match parents[child.0] {
                    None => parents[child.0] = Some(parent),
                    Some(first) => notes.add(format!(
                        "node {} has the parents {first} and {parent}; only the first counts",
                        child.0
                    )),
                }
            }
        }
        let mut world_from_node = vec![None; nodes.len()];
        let mut open: Vec<usize> = (0..nodes.len()).filter(|&n| parents[n].is_none()).collect();
        while let Some(index) = open.pop() {
            // A node may list a child twice: without this, work would double at every level.
            if world_from_node[index].is_some() {
                continue;
            }
            let above = parents[index].and_then(|p: usize| world_from_node[p]).unwrap_or(Affine3A::IDENTITY);
            world_from_node[index] = Some(above * parent_from_node(&nodes[index]));
            open.extend(children(nodes, &parents, index));
        }
        Ok(Self { parents, world_from_node })
    }

    /// Node coordinates → world coordinates.
    pub fn world_from_node(&self, node: usize) -> Option<Affine3A> {
        self.world_from_node.get(node).copied().flatten()
    }

    /// The names of the nodes above placed meshes, without duplicates, the inner ones first.
    pub fn group_names(&self, nodes: &[Node], placements: &[Placement]) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        // Each node is visited once, however many meshes are below it.
        let mut seen = vec![false; nodes.len()];
        for placement in placements {
            let mut above = placement.node.and_then(|node| self.parents[node]);
            while let Some(node) = above.filter(|&node| !std::mem::replace(&mut seen[node], true)) {
                let name = nodes[node].name.as_deref().map(shortened);
                names.extend(name.filter(|name| names.len() < MAX_GROUPS && !names.contains(name)));
                above = self.parents[node];
            }
        }
        names
    }

    /// All visible meshes of the scene, in hierarchy order.
    pub fn placements(&self, document: &Document, notes: &mut Notes) -> Result<Vec<Placement>, GltfError> {
        let nodes = &document.root.nodes;
        if nodes.is_empty() && !document.root.meshes.is_empty() {
            notes.add("no nodes: all meshes are placed at the origin");
            let alone = |mesh| Placement { mesh, node: None, world_from_mesh: vec![Affine3A::IDENTITY] };
            return Ok((0..document.root.meshes.len()).map(alone).collect());
        }
        let mut open = self.roots(document, notes)?;
        // A stack: reversed, so that nodes are visited in the order of the file.
        open.reverse();
        let mut seen = vec![false; nodes.len()];
        let mut placements = Vec::new();
        let mut n_instances = 0;
        while let Some(index) = open.pop() {
            let node = get(nodes, index, "node")?;
            let Some(world) = self.world_from_node[index] else {
                return Err(invalid(format!("node {index} is its own ancestor, or below one that is")));
            };
            let extensions = node.extensions.as_deref();
            let visibility = extensions.and_then(|e| e.visibility.as_ref()).and_then(|v| v.visible);
            if std::mem::replace(&mut seen[index], true) || visibility == Some(false) {
                continue;
            }
            if let Some(mesh) = node.mesh {
                get(&document.root.meshes, mesh.0, "mesh")?;
                let world_from_mesh: Vec<_> = match extensions.and_then(|e| e.instancing.as_ref()) {
                    Some(json) => instances(document, json)
                        .map_err(|error| error.context(&format!("instances of node {index}")))?
                        .into_iter()
                        .map(|node_from_mesh| world * node_from_mesh)
                        .collect(),
                    None => vec![world],
                };
                n_instances += world_from_mesh.len();
                if n_instances > MAX_INSTANCES {
                    return Err(GltfError::too_large("number of instances", n_instances, MAX_INSTANCES));
                }
                placements.push(Placement { mesh: mesh.0, node: Some(index), world_from_mesh });
            }
            let below = open.len();
            open.extend(children(nodes, &self.parents, index));
            open[below..].reverse();
        }
        Ok(placements)
    }

    /// The default scene's roots; the first scene's if none is the default; all roots if there is no scene.
    fn roots(&self, document: &Document, notes: &mut Notes) -> Result<Vec<usize>, GltfError> {
        let root = &document.root;
        let scene = match root.scene {
            // A default scene in a file without scenes is common and harmless.
            Some(_) if root.scenes.is_empty() => None,
            Some(index) => Some(get(&root.scenes, index.0, "scene")?),
            None => root.scenes.first(),
        };
        if root.scenes.len() > 1 {
            notes.add(format!("one of {} scenes is read", root.scenes.len()));
        }
        Ok(match scene {
            Some(scene) => scene.nodes.iter().map(|node| node.0).collect(),
            None => (0..root.nodes.len()).filter(|&n| self.parents[n].is_none()).collect(),
        })
    }
}

/// The first [`MAX_NAME`] characters of a name.
pub(super) fn shortened(name: &str) -> String {
    name.chars().take(MAX_NAME).collect()
}

/// The children whose first parent is this node.
fn children<'n>(
    nodes: &'n [Node],
    parents: &'n [Option<usize>],
    index: usize,
) -> impl Iterator<Item = usize> + 'n {
    nodes[index].children.iter().map(|c| c.0).filter(move |&c| parents[c] == Some(index))
}

/// Node coordinates → parent coordinates.
fn parent_from_node(node: &Node) -> Affine3A {
    if let Some(matrix) = &node.matrix {
        return Affine3A::from_mat4(Mat4::from_cols_array(matrix));
    }
    let translation = node.translation.map_or(Vec3::ZERO, Vec3::from);
    let scale = node.scale.map_or(Vec3::ONE, Vec3::from);
    Affine3A::from_scale_rotation_translation(
        scale,
        node.rotation.map_or(Quat::IDENTITY, rotation),
        translation,
    )
}

/// A unit quaternion from x, y, z, w; the identity if they are invalid.
fn rotation(xyzw: [f32; 4]) -> Quat {
    let quat = Quat::from_array(xyzw);
    let length = quat.length();
    if length.is_finite() && length > 0.0 { quat / length } else { Quat::IDENTITY }
}

/// EXT_mesh_gpu_instancing: one transform per instance.
fn instances(document: &Document, json: &Instancing) -> Result<Vec<Affine3A>, GltfError> {
    let Some(&first) = json.attributes.values().next() else { return Ok(vec![Affine3A::IDENTITY]) };
    let count = document.count(first.0)?;
    if count > MAX_INSTANCES {
        return Err(GltfError::too_large("number of instances", count, MAX_INSTANCES));
    }
    let attribute = |name| json.attributes.get(name).map(|accessor| accessor.0);
    let vectors = |name| match attribute(name) {
        Some(accessor) => document.floats::<3>(accessor, IntegerConversion::AsDeclared).map(Some),
        None => Ok(None),
    };
    let (translations, scales) = (vectors("TRANSLATION")?, vectors("SCALE")?);
    let rotations = match attribute("ROTATION") {
        Some(accessor) => Some(document.floats::<4>(accessor, IntegerConversion::AsDeclared)?),
        None => None,
    };
    let lengths = [
        translations.as_ref().map(Vec::len),
        scales.as_ref().map(Vec::len),
        rotations.as_ref().map(Vec::len),
    ];
    if lengths.into_iter().flatten().any(|length| length != count) {
        return Err(invalid("attributes of different lengths"));
    }
    let of =
        |list: &Option<Vec<[f32; 3]>>, i: usize, default| list.as_ref().map_or(default, |l| Vec3::from(l[i]));
    Ok((0..count)
        .map(|i| {
            let turn = rotations.as_ref().map_or(Quat::IDENTITY, |list| rotation(list[i]));
            let (scale, move_by) = (of(&scales, i, Vec3::ONE), of(&translations, i, Vec3::ZERO));
            Affine3A::from_scale_rotation_translation(scale, turn, move_by)
        })
        .collect())
}
