//! Materials of COLLADA files: the diffuse color of an effect's common profile, and its texture.

use std::{collections::HashMap, path::Path};

use glam::{Vec3, Vec4};
use percent_encoding::percent_decode_str;
use roxmltree::Node;

use crate::xml::{ById, child, children, numbers, target};
use crate::{
    color,
    image_file::TextureFiles,
    sidecar::{Sidecar, Sidecars},
    text,
};
use lexiform_geometry::{AlphaMode, Material, Texture, TextureRef};

/// Materials in order of first use.
pub(super) struct Materials<'a, 'i> {
    by_id: &'a ById<'a, 'i>,
    files: TextureFiles<'a>,
    known: HashMap<&'a str, usize>,
    all: Vec<Material>,
}

impl<'a, 'i> Materials<'a, 'i> {
    /// Materials of the file at `owner`.
    pub fn new(owner: &'a Path, by_id: &'a ById<'a, 'i>) -> Self {
        Self { by_id, files: TextureFiles::new(owner), known: HashMap::new(), all: Vec::new() }
    }

    /// The material that an instance binds to a primitive's symbol.
    pub fn index(&mut self, instance: Node<'a, 'i>, symbol: Option<&str>) -> Option<usize> {
        let symbol = symbol?;
        let bind = child(instance, "bind_material").and_then(|b| child(b, "technique_common"));
        let bound = bind
            .into_iter()
            .flat_map(|b| children(b, "instance_material"))
            .find(|m| m.attribute("symbol") == Some(symbol))
            .and_then(|m| target(self.by_id, m, "target"));
        // Unbound symbols are often the material's own id.
        let material = bound.or_else(|| self.by_id.get(symbol).copied())?;
        let id = material.attribute("id")?;
        if let Some(known) = self.known.get(id) {
            return Some(*known);
        }
        let effect = child(material, "instance_effect").and_then(|e| target(self.by_id, e, "url"))?;
        let name = material.attribute("name").unwrap_or(id).to_owned();
        let resolved = Material { name: Some(name), ..self.resolve(effect) };
        self.all.push(resolved);
        self.known.insert(id, self.all.len() - 1);
        Some(self.all.len() - 1)
    }

    /// Materials and textures.
    pub fn into_parts(self, notes: &mut Vec<String>) -> (Vec<Material>, Vec<Texture>) {
        notes.extend(self.files.notes);
        (self.all, self.files.textures)
    }

    fn resolve(&mut self, effect: Node<'a, 'i>) -> Material {
        let mut material = Material { double_sided: true, ..Material::default() };
        let Some(profile) = child(effect, "profile_COMMON") else { return material };
        let technique = child(profile, "technique");
        let shading = technique
            .into_iter()
            .flat_map(|t| t.children())
            .find(|n| matches!(n.tag_name().name(), "phong" | "lambert" | "blinn" | "constant"));
        let Some(shading) = shading else { return material };
        material.unlit = shading.tag_name().name() == "constant";
        let diffuse = child(shading, if material.unlit { "emission" } else { "diffuse" });
        let mut rgba = diffuse.and_then(flat_color).unwrap_or(Vec4::ONE);
        if let Some(name) = diffuse.and_then(|d| child(d, "texture")).and_then(|t| t.attribute("texture")) {
            let file = self.image_file(profile, name);
            material.base_color_texture =
                file.and_then(|file| self.files.load(&decoded(&file), false)).map(TextureRef::new);
            // A texture replaces the color.
            rgba = Vec4::ONE;
        }
        rgba.w = opacity(shading);
        if rgba.w < 1.0 {
            material.alpha = AlphaMode::Blend;
        }
        material.base_color = color::from_unit_alpha(rgba);
        let emission = child(shading, "emission").and_then(flat_color);
        material.emissive =
            emission.filter(|_| !material.unlit).map_or(Vec3::ZERO, |e| color::from_unit(e.truncate()));
        material
    }

    /// Sampler → surface → image → file; some writers refer to the image directly.
    fn image_file(&self, profile: Node<'a, 'i>, name: &str) -> Option<String> {
        let parameter = |sid: &str, kind: &str| {
            let found = children(profile, "newparam").find(|p| p.attribute("sid") == Some(sid))?;
            child(found, kind)
        };
        let text = trimmed_text;
        let image = match parameter(name, "sampler2D") {
            Some(sampler) => match child(sampler, "instance_image") {
                Some(image) => target(self.by_id, image, "url"),
                None => {
                    let surface = child(sampler, "source").and_then(text)?;
                    let id =
                        parameter(&surface, "surface").and_then(|s| child(s, "init_from")).and_then(text)?;
                    self.by_id.get(id.as_str()).copied()
                }
            },
            None => self.by_id.get(name).copied(),
        };
        initial_file(image?)
    }
}

/// All image files.
pub(super) fn sidecars(root: Node, sidecars: &mut Sidecars) {
    let images = root.descendants().filter(|node| node.tag_name().name() == "image");
    for written in images.filter_map(initial_file) {
        let Sidecar { path, .. } = Sidecar::literal(&decoded(&written), false);
        sidecars.push(Sidecar { path, written, is_material_library: false });
    }
}

/// The file of an `image` element, as written.
fn initial_file(image: Node) -> Option<String> {
    let from = child(image, "init_from")?;
    child(from, "ref").and_then(trimmed_text).or_else(|| trimmed_text(from)).filter(|t| !t.is_empty())
}

fn trimmed_text(node: Node) -> Option<String> {
    node.text().map(|text| text.trim().to_owned())
}

fn flat_color(node: Node) -> Option<Vec4> {
    let values = numbers(child(node, "color")?);
    let at = |i: usize| values.get(i).map(|v| *v as f32);
    Some(Vec4::new(at(0)?, at(1)?, at(2)?, 1.0))
}

/// Opacity by the default mode (A_ONE), which many writers invert.
fn opacity(shading: Node) -> f32 {
    let transparency = child(shading, "transparency").and_then(|t| child(t, "float")).map(numbers);
    let factor = transparency.and_then(|t| t.first().copied()).unwrap_or(1.0) as f32;
    let transparent = child(shading, "transparent");
    // In this mode white is transparent in some writers and opaque in others.
    if transparent.and_then(|t| t.attribute("opaque")).is_some_and(|o| o == "RGB_ZERO") {
        return 1.0;
    }
    let color = transparent.and_then(|t| child(t, "color")).map(numbers);
    let alpha = color.and_then(|c| c.get(3).copied()).unwrap_or(1.0) as f32 * factor;
    color::visible_opacity(alpha).min(1.0)
}

/// The path of a URI: without escapes and a leading `file://`.
fn decoded(uri: &str) -> String {
    let uri = uri.strip_prefix("file://").unwrap_or(uri);
    text::decode(&percent_decode_str(uri).collect::<Vec<u8>>())
}
