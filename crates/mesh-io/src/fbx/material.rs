//! Materials of FBX files: what ufbx makes of Lambert, Phong and the physical materials of Maya, 3ds Max and Blender.

use std::collections::HashMap;
use std::path::Path;

use glam::{Affine2, Mat2, Vec2, Vec3};
use ufbx::{MaterialMap, WrapMode};

use super::mesh::linear;
use crate::color::visible_opacity;
use crate::image_file::TextureFiles;
use lexiform_geometry::{AlphaMode, Material, Texture, TextureRef};

/// Materials in order of first use.
pub(super) struct Materials<'a> {
    files: TextureFiles<'a>,
    known: HashMap<u32, usize>,
    textures: HashMap<u32, Option<usize>>,
    all: Vec<Material>,
}

impl<'a> Materials<'a> {
    /// Materials of the file at `owner`.
    pub fn new(owner: &'a Path) -> Self {
        let files = TextureFiles::new(owner);
        Self { files, known: HashMap::new(), textures: HashMap::new(), all: Vec::new() }
    }

    /// The material's place in the scene.
    pub fn index(&mut self, material: &ufbx::Material) -> usize {
        let id = material.element.typed_id;
        if let Some(&known) = self.known.get(&id) {
            return known;
        }
        let resolved = self.resolve(material);
        self.all.push(resolved);
        self.known.insert(id, self.all.len() - 1);
        self.all.len() - 1
    }

    /// Materials and textures.
    pub fn into_parts(self, notes: &mut Vec<String>) -> (Vec<Material>, Vec<Texture>) {
        notes.extend(self.files.notes);
        (self.all, self.files.textures)
    }

    fn resolve(&mut self, file: &ufbx::Material) -> Material {
        let pbr = &file.pbr;
        let texture = self.texture(&pbr.base_color);
        let factor = scalar(&pbr.base_factor, 1.0);
        // A texture replaces the color.
        let base = match (&texture, pbr.base_color.has_value) {
            (None, true) => linear(pbr.base_color.value_vec4),
            _ => Vec3::ONE,
        };
        let opacity = visible_opacity(scalar(&pbr.opacity, 1.0));
        let is_transparent = opacity < 1.0 || (pbr.opacity.texture.is_some() && texture.is_some());
        let emission = scalar(&pbr.emission_factor, 1.0);
        let is_emissive = pbr.emission_color.has_value && emission > 0.0;
        Material {
            name: Some(file.element.name.to_string()).filter(|name| !name.is_empty()),
            base_color: (base * factor).extend(opacity),
            base_color_texture: texture,
            emissive: if is_emissive { linear(pbr.emission_color.value_vec4) * emission } else { Vec3::ZERO },
            emissive_texture: None,
            metallic: scalar(&pbr.metalness, 0.0),
            roughness: scalar(&pbr.roughness, 1.0),
            alpha: if is_transparent { AlphaMode::Blend } else { AlphaMode::Opaque },
            double_sided: true,
            unlit: file.features.unlit.enabled,
        }
    }

    fn texture(&mut self, map: &MaterialMap) -> Option<TextureRef> {
        let texture = map.texture.as_ref().filter(|_| map.texture_enabled)?;
        // Layered and procedural textures refer to files: the first one counts.
        let file = if texture.has_file { texture } else { texture.file_textures.as_ref().first()? };
        let id = file.element.typed_id;
        let index = match self.textures.get(&id) {
            Some(&known) => known,
            None => {
                let clamp = file.wrap_u == WrapMode::Clamp && file.wrap_v == WrapMode::Clamp;
                let name = file_name(file);
                let loaded = match file.content.as_ref() {
                    [] => self.files.load(name, clamp),
                    bytes => self.files.embedded(name, bytes, clamp),
                };
                *self.textures.entry(id).or_insert(loaded)
            }
        }?;
        let image_from_uv =
            if file.has_uv_transform { top_left(&file.uv_to_texture) } else { Affine2::IDENTITY };
        Some(TextureRef { texture: index, image_from_uv })
    }
}

/// The file as written: relative to the FBX file if the exporter knew that.
pub(super) fn file_name(texture: &ufbx::Texture) -> &str {
    [&texture.relative_filename, &texture.filename, &texture.absolute_filename]
        .into_iter()
        .map(|name| name.as_ref())
        .find(|name| !name.trim().is_empty())
        .unwrap_or_default()
}

fn scalar(map: &MaterialMap, missing: f32) -> f32 {
    let value = map.value_vec4.x as f32;
    if map.has_value && value.is_finite() { value.clamp(0.0, 1.0) } else { missing }
}

/// The transform of coordinates from the bottom left, for coordinates from the top left.
fn top_left(m: &ufbx::Matrix) -> Affine2 {
    let flip = Affine2::from_mat2_translation(Mat2::from_diagonal(Vec2::new(1.0, -1.0)), Vec2::Y);
    let linear = Mat2::from_cols_array(&[m.m00, m.m10, m.m01, m.m11].map(|v| v as f32));
    let transform =
        flip * Affine2::from_mat2_translation(linear, Vec2::new(m.m03 as f32, m.m13 as f32)) * flip;
    if transform.is_finite() { transform } else { Affine2::IDENTITY }
}
