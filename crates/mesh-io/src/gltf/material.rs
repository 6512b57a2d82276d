//! Converts glTF materials to [`Material`]s, each once when a primitive first uses it.

use std::collections::HashMap;

use glam::{Affine2, Mat2, Vec2, Vec3, Vec4};

use super::document::Document;
use super::error::{Notes, quoted};
use super::json::{MaterialJson, TextureInfo};
use super::texture::Textures;
use lexiform_geometry::{AlphaMode, Material, TextureRef};

/// The materials used so far, with their textures.
pub(super) struct MaterialSet<'d> {
    document: &'d Document<'d>,
    pub textures: Textures<'d>,
    pub materials: Vec<Material>,
    known: HashMap<usize, usize>,
}

impl<'d> MaterialSet<'d> {
    pub fn new(document: &'d Document<'d>) -> Self {
        Self { document, textures: Textures::new(document), materials: Vec::new(), known: HashMap::new() }
    }

    /// The index of a glTF material in `materials`.
    pub fn material(&mut self, index: usize, notes: &mut Notes) -> Option<usize> {
        if let Some(&known) = self.known.get(&index) {
            return Some(known);
        }
        let Some(json) = self.document.root.materials.get(index) else {
            notes.add(format!("material {index} does not exist; the default is used"));
            return None;
        };
        let material = self.convert(json, notes);
        self.materials.push(material);
        self.known.insert(index, self.materials.len() - 1);
        Some(self.materials.len() - 1)
    }

    /// Which TEXCOORD set a primitive with this glTF material samples.
    pub fn uv_set(&self, material: Option<usize>) -> usize {
        let json = material.and_then(|index| self.document.root.materials.get(index));
        let info = json.and_then(|json| base_color_texture(json).or(json.emissive_texture));
        info.map_or(0, |info| info.uv_set())
    }

    fn convert(&mut self, json: &MaterialJson, notes: &mut Notes) -> Material {
        let pbr = json.pbr_metallic_roughness.as_ref();
        let extensions = json.extensions.as_deref();
        let glossiness = extensions.and_then(|e| e.specular_glossiness.as_ref());
        // The archived extension replaces the standard model if both are present.
        let base_color = match glossiness {
            Some(glossiness) => glossiness.diffuse_factor,
            None => pbr.and_then(|p| p.base_color_factor),
        };
        let (metallic, roughness) = match glossiness {
            Some(glossiness) => (0.0, 1.0 - glossiness.glossiness_factor.unwrap_or(1.0)),
            None => self.metallic_roughness(json),
        };
        let base_info = base_color_texture(json);
        let (emissive, emissive_texture) = self.emission(json, base_info, notes);
        Material {
            name: json.name.clone(),
            base_color: finite_or_one(base_color.map_or(Vec4::ONE, Vec4::from)),
            base_color_texture: base_info.and_then(|info| self.use_texture(info, notes)),
            emissive,
            emissive_texture,
            metallic: fraction(metallic),
            roughness: fraction(roughness),
            alpha: alpha_mode(json, notes),
            double_sided: json.double_sided,
            unlit: extensions.is_some_and(|e| e.unlit.is_some()),
        }
    }

    fn use_texture(&mut self, info: TextureInfo, notes: &mut Notes) -> Option<TextureRef> {
        let texture = self.textures.load(info.index.0, notes)?;
        Some(TextureRef { texture, image_from_uv: info.image_from_uv() })
    }

    /// A factor with a texture is nearly always white, so without the texture nothing may be emitted.
    fn emission(
        &mut self,
        json: &MaterialJson,
        base: Option<TextureInfo>,
        notes: &mut Notes,
    ) -> (Vec3, Option<TextureRef>) {
        let strength = json.extensions.as_ref().and_then(|e| e.emissive_strength.as_ref());
        let strength = strength.and_then(|s| s.emissive_strength).unwrap_or(1.0);
        let factor = json.emissive_factor.map_or(Vec3::ZERO, Vec3::from) * strength;
        if factor == Vec3::ZERO || !factor.is_finite() {
            return (Vec3::ZERO, None);
        }
        let Some(info) = json.emissive_texture else { return (factor, None) };
        if base.is_some_and(|base| base.uv_set() != info.uv_set()) {
            notes.add("an emissive texture with texture coordinates of its own is left out");
            return (Vec3::ZERO, None);
        }
        match self.use_texture(info, notes) {
            Some(texture) => (factor, Some(texture)),
            None => (Vec3::ZERO, None),
        }
    }

    /// One pair of values for the surface. If a texture varies them, its mean is used: the factors next to such a texture
    /// are 1 by default, and would turn wood into chrome.
    fn metallic_roughness(&mut self, json: &MaterialJson) -> (f32, f32) {
        let pbr = json.pbr_metallic_roughness.as_ref();
        let metallic = pbr.and_then(|p| p.metallic_factor).unwrap_or(1.0);
        let roughness = pbr.and_then(|p| p.roughness_factor).unwrap_or(1.0);
        let Some(info) = pbr.and_then(|p| p.metallic_roughness_texture) else { return (metallic, roughness) };
        match self.textures.mean(info.index.0) {
            Some([_, green, blue]) => (metallic * blue, roughness * green),
            // Without the texture, most surfaces are not metal.
            None => (0.0, roughness),
        }
    }
}

impl TextureInfo {
    /// The UV set of the transform takes precedence (KHR_texture_transform).
    fn uv_set(self) -> usize {
        let transform = self.extensions.and_then(|e| e.transform);
        transform.and_then(|t| t.tex_coord).unwrap_or(self.tex_coord).0
    }

    fn image_from_uv(self) -> Affine2 {
        let Some(transform) = self.extensions.and_then(|e| e.transform) else { return Affine2::IDENTITY };
        let offset = transform.offset.map_or(Vec2::ZERO, Vec2::from);
        let scale = transform.scale.map_or(Vec2::ONE, Vec2::from);
        // The extension rotates from +u toward −v, which is clockwise in these coordinates.
        let turn = Mat2::from_angle(-transform.rotation.unwrap_or(0.0));
        let affine = Affine2::from_mat2_translation(turn * Mat2::from_diagonal(scale), offset);
        if affine.is_finite() { affine } else { Affine2::IDENTITY }
    }
}

fn base_color_texture(json: &MaterialJson) -> Option<TextureInfo> {
    match json.extensions.as_ref().and_then(|e| e.specular_glossiness.as_ref()) {
        Some(glossiness) => glossiness.diffuse_texture,
        None => json.pbr_metallic_roughness.as_ref().and_then(|p| p.base_color_texture),
    }
}

fn alpha_mode(json: &MaterialJson, notes: &mut Notes) -> AlphaMode {
    match json.alpha_mode.as_deref() {
        None | Some("OPAQUE") => AlphaMode::Opaque,
        Some("MASK") => AlphaMode::Mask { cutoff: fraction(json.alpha_cutoff.unwrap_or(0.5)) },
        Some("BLEND") => AlphaMode::Blend,
        Some(other) => {
            notes.add(format!("unknown alpha mode {}; opaque is used", quoted(other)));
            AlphaMode::Opaque
        }
    }
}

fn fraction(value: f32) -> f32 {
    if value.is_nan() { 1.0 } else { value.clamp(0.0, 1.0) }
}

fn finite_or_one(color: Vec4) -> Vec4 {
    if color.is_finite() { color } else { Vec4::ONE }
}
