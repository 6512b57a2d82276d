//! Appearances: the diffuse color, transparency and texture.

use std::collections::HashMap;
use std::path::Path;

use glam::Vec3;

use super::node::{NodeId, Tree};
use crate::color;
use crate::image_file::TextureFiles;
use lexiform_geometry::{AlphaMode, Material, Texture, TextureRef};

/// Materials in order of first use.
pub(super) struct Materials<'a> {
    tree: &'a Tree,
    files: TextureFiles<'a>,
    known: HashMap<NodeId, Option<usize>>,
    all: Vec<Material>,
}

impl<'a> Materials<'a> {
    /// Materials of the file at `owner`.
    pub fn new(tree: &'a Tree, owner: &'a Path) -> Self {
        Self { tree, files: TextureFiles::new(owner), known: HashMap::new(), all: Vec::new() }
    }

    /// The material of an appearance.
    pub fn index(&mut self, appearance: NodeId) -> Option<usize> {
        if let Some(&known) = self.known.get(&appearance) {
            return known;
        }
        let resolved = self.resolve(appearance);
        let index = resolved.map(|material| {
            self.all.push(material);
            self.all.len() - 1
        });
        self.known.insert(appearance, index);
        index
    }

    /// Materials and textures.
    pub fn into_parts(self, notes: &mut Vec<String>) -> (Vec<Material>, Vec<Texture>) {
        notes.extend(self.files.notes);
        (self.all, self.files.textures)
    }

    fn resolve(&mut self, appearance: NodeId) -> Option<Material> {
        let tree = self.tree;
        let node = tree.nodes(appearance, "material").first().copied();
        let texture = tree.nodes(appearance, "texture").first().and_then(|&texture| self.texture(texture));
        node.or(texture.map(|_| appearance))?;
        let rgb = |field: &str, missing: f32| match node.map(|n| tree.numbers(n, field)).as_deref() {
            Some([r, g, b, ..]) => color::from_unit(Vec3::new(*r as f32, *g as f32, *b as f32)),
            _ => color::from_unit(Vec3::splat(missing)),
        };
        let is_physical = node.is_some_and(|node| tree.kind(node) == "PhysicalMaterial");
        let diffuse = if is_physical { rgb("baseColor", 1.0) } else { rgb("diffuseColor", 0.8) };
        let transparency = node.map_or(0.0, |node| tree.number(node, "transparency", 0.0) as f32);
        let opacity = 1.0 - transparency.clamp(0.0, 1.0);
        Some(Material {
            name: node.and_then(|node| tree.name(node)).or_else(|| tree.name(appearance)).map(str::to_owned),
            // A texture of colors covers the diffuse color.
            base_color: if texture.is_some() { Vec3::ONE } else { diffuse }.extend(opacity),
            base_color_texture: texture,
            emissive: rgb("emissiveColor", 0.0),
            alpha: if opacity < 1.0 { AlphaMode::Blend } else { AlphaMode::Opaque },
            double_sided: true,
            ..Material::default()
        })
    }

    /// The first of the image's addresses that is a file.
    fn texture(&mut self, texture: NodeId) -> Option<TextureRef> {
        let clamp =
            !self.tree.is_true(texture, "repeatS", true) && !self.tree.is_true(texture, "repeatT", true);
        let urls = self.tree.strings(texture, "url");
        let local = urls.iter().find(|url| !is_remote(url))?;
        self.files.load(local, clamp).map(TextureRef::new)
    }
}

/// Whether an address is in the network, where nothing is read from.
pub(super) fn is_remote(url: &str) -> bool {
    url.contains("://") && !url.starts_with("file://")
}
