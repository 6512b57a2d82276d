//! VRML 97, and X3D as XML and in its classic encoding: face sets, triangle sets, primitives and points in groups, with materials
//! and textures. Prototypes, scripts, inlined files and lines are not read.

mod classic;
mod geometry;
mod material;
mod node;
mod xml;

use std::collections::HashMap;

use glam::{DMat4, DQuat, DVec3};
use lexiform_geometry::Scene;

use self::material::Materials;
use self::node::{MAX_DEPTH, NodeId, Tree};
use crate::builder::pluralize;
use crate::sidecar::{Sidecar, Sidecars};
use crate::surface::{SceneBuilder, SurfaceId};
use crate::{ReadError, source::Source, text};

/// Reads a file of either syntax; +Y points up, and a unit is a meter.
pub(super) fn read(source: &Source) -> Result<Scene, ReadError> {
    let tree = parse(source)?;
    let mut reader = Reader {
        source,
        tree: &tree,
        builder: SceneBuilder::default(),
        materials: Materials::new(&tree, source.path),
        surfaces: HashMap::new(),
        skipped: HashMap::new(),
    };
    for &root in &tree.roots {
        reader.visit(root, DMat4::IDENTITY, 0)?;
    }
    let mut scene = Scene::default();
    let mut skipped: Vec<_> = reader.skipped.into_iter().collect();
    skipped.sort();
    let notes = skipped.into_iter().map(|(kind, count)| format!("skipped {}", pluralize(count, kind)));
    reader.builder.notes.extend(notes.chain(tree.notes.iter().cloned()));
    (scene.materials, scene.textures) = reader.materials.into_parts(&mut reader.builder.notes);
    reader.builder.build(source, &mut scene)?;
    Ok(scene)
}

/// Textures.
pub(super) fn sidecars(source: &Source, sidecars: &mut Sidecars) {
    let Ok(tree) = parse(source) else { return };
    for texture in tree.ids().filter(|&id| tree.kind(id) == "ImageTexture") {
        for url in tree.strings(texture, "url").iter().filter(|url| !material::is_remote(url)) {
            sidecars.push(Sidecar::literal(url, false));
        }
    }
}

fn parse(source: &Source) -> Result<Tree, ReadError> {
    let start = source.bytes.trim_ascii_start();
    if start.starts_with(b"#VRML V1") {
        return Err(source.unsupported("VRML 1.0 (convert it to VRML 97 or X3D)"));
    }
    let content = text::decode(source.bytes);
    if start.starts_with(b"<") {
        return xml::parse(&content, source.bytes.len()).map_err(|message| source.invalid(message));
    }
    classic::parse(&content).map_err(|message| source.invalid(message))
}

/// A walk from the roots.
struct Reader<'a> {
    source: &'a Source<'a>,
    tree: &'a Tree,
    builder: SceneBuilder,
    materials: Materials<'a>,
    surfaces: HashMap<(NodeId, Option<NodeId>), Option<SurfaceId>>,
    /// Kinds of nodes that are not read.
    skipped: HashMap<&'static str, usize>,
}

impl Reader<'_> {
    fn visit(&mut self, node: NodeId, world_from_parent: DMat4, depth: usize) -> Result<(), ReadError> {
        // USE may refer to a node around it.
        if !self.builder.enter(depth, MAX_DEPTH) {
            return Ok(());
        }
        let tree = self.tree;
        match tree.kind(node) {
            "Shape" => self.shape(node, world_from_parent),
            "Switch" => {
                let choice = tree.number(node, "whichChoice", -1.0);
                let choices = [tree.nodes(node, "choice"), tree.nodes(node, "children")].concat();
                let chosen = if choice >= 0.0 { choices.get(choice as usize) } else { None };
                chosen.map_or(Ok(()), |&child| self.visit(child, world_from_parent, depth + 1))
            }
            "LOD" => {
                let levels = [tree.nodes(node, "level"), tree.nodes(node, "children")].concat();
                levels.first().map_or(Ok(()), |&child| self.visit(child, world_from_parent, depth + 1))
            }
            "Inline" => {
                *self.skipped.entry("inlined file").or_default() += 1;
                Ok(())
            }
            _ => {
                let world_from_node = world_from_parent * transform(tree, node);
                let children = [tree.nodes(node, "children"), tree.nodes(node, "shape")].concat();
                children.iter().try_for_each(|&child| self.visit(child, world_from_node, depth + 1))
            }
        }
    }

    fn shape(&mut self, shape: NodeId, world_from_shape: DMat4) -> Result<(), ReadError> {
        let tree = self.tree;
        let Some(&geometry) = tree.nodes(shape, "geometry").first() else { return Ok(()) };
        let appearance = tree.nodes(shape, "appearance").first().copied();
        if tree.kind(geometry) == "PointSet" {
            let (points, colors) = geometry::points(tree, geometry);
            let points = points.into_iter().map(|p| world_from_shape.transform_point3(p));
            return self.builder.add_points(self.source, points, colors);
        }
        let known = self.surfaces.get(&(geometry, appearance)).copied();
        let surface = match known {
            Some(known) => known,
            None => {
                let made = geometry::surface(tree, geometry);
                if made.is_none() {
                    *self.skipped.entry("geometry node of another kind").or_default() += 1;
                }
                let id = match made {
                    Some(mut surface) => {
                        let material = appearance.and_then(|appearance| self.materials.index(appearance));
                        surface.materials = vec![material; surface.polygons.ends.len()];
                        Some(self.builder.add_surface(self.source, &surface)?)
                    }
                    None => None,
                };
                self.surfaces.insert((geometry, appearance), id);
                id
            }
        };
        let name = tree.name(shape).or_else(|| tree.name(geometry));
        surface.map_or(Ok(()), |surface| self.builder.place(self.source, surface, world_from_shape, name))
    }
}

/// Translation, then rotation about a center, then scale along rotated axes ([X3D, Transform]).
///
/// [X3D, Transform]: https://www.web3d.org/documents/specifications/19775-1/V3.3/Part01/components/group.html#Transform
fn transform(tree: &Tree, node: NodeId) -> DMat4 {
    let vector = |field, missing: f64| match tree.numbers(node, field)[..] {
        [x, y, z, ..] => DVec3::new(x, y, z),
        _ => DVec3::splat(missing),
    };
    let rotation = |field| match tree.numbers(node, field)[..] {
        [x, y, z, angle, ..] => DVec3::new(x, y, z)
            .try_normalize()
            .map_or(DQuat::IDENTITY, |axis| DQuat::from_axis_angle(axis, angle)),
        _ => DQuat::IDENTITY,
    };
    let (center, orientation) = (vector("center", 0.0), DMat4::from_quat(rotation("scaleOrientation")));
    DMat4::from_translation(vector("translation", 0.0) + center)
        * DMat4::from_quat(rotation("rotation"))
        * orientation
        * DMat4::from_scale(vector("scale", 1.0))
        * orientation.transpose()
        * DMat4::from_translation(-center)
}
