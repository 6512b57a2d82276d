//! Materials: what UsdPreviewSurface says, and the colors of other surfaces under the names that are usual for them.

use std::collections::HashMap;

use glam::{Vec3, Vec4};

use super::assets::Assets;
use super::layer::Value;
use super::stage::{ComposedPrim, Found, Stage};
use crate::image_file::TextureFiles;
use lexiform_geometry::{AlphaMode, Material, Texture, TextureRef};

/// Names of the base color: of UsdPreviewSurface, of the standard surface of MaterialX, of OmniPBR, of others.
const BASE_COLORS: [&str; 5] = [
    "inputs:diffuseColor",
    "inputs:base_color",
    "inputs:diffuse_color_constant",
    "inputs:baseColor",
    "inputs:displayColor",
];
/// Textures where the color itself has no connection.
const TEXTURES: [&str; 2] = ["inputs:diffuse_texture", "inputs:base_color_texture"];
/// Connections from input to input.
const MAX_CONNECTIONS: usize = 16;

/// Materials in order of first use.
pub(super) struct Materials<'a> {
    files: TextureFiles<'a>,
    known: HashMap<String, Option<usize>>,
    textures: HashMap<(String, bool), Option<usize>>,
    /// The texture coordinates that each material wants.
    uv_names: Vec<Option<String>>,
    all: Vec<Material>,
}

/// Where the value of an input comes from.
enum Input {
    Value(Value),
    /// The output of a shader.
    Shader(ComposedPrim),
}

impl<'a> Materials<'a> {
    /// Materials of a stage.
    pub fn new(stage: &Stage<'a>) -> Self {
        Self {
            files: TextureFiles::new(stage.assets.root()),
            known: HashMap::new(),
            textures: HashMap::new(),
            uv_names: Vec::new(),
            all: Vec::new(),
        }
    }

    /// The material at a path of the stage.
    pub fn index(&mut self, stage: &mut Stage<'a>, path: &str) -> Option<usize> {
        if let Some(&known) = self.known.get(path) {
            return known;
        }
        let resolved = stage.at(path).and_then(|material| self.resolve(stage, &material));
        let index = resolved.map(|(material, uv_name)| {
            self.all.push(material);
            self.uv_names.push(uv_name);
            self.all.len() - 1
        });
        self.known.insert(path.to_owned(), index);
        index
    }

    /// The name of the texture coordinates of a material.
    pub fn uv_name(&self, material: usize) -> Option<&str> {
        self.uv_names.get(material)?.as_deref()
    }

    /// Materials and textures.
    pub fn into_parts(self, notes: &mut Vec<String>) -> (Vec<Material>, Vec<Texture>) {
        notes.extend(self.files.notes);
        (self.all, self.files.textures)
    }

    fn resolve(&mut self, stage: &mut Stage<'a>, prim: &ComposedPrim) -> Option<(Material, Option<String>)> {
        let surface = surface_shader(stage, prim)?;
        let name = prim.path.rsplit('/').next().map(str::to_owned);
        let mut material = Material { name, double_sided: true, ..Material::default() };
        let mut uv_name = None;
        let mut color = Vec3::splat(0.18);
        for input in BASE_COLORS.iter().chain(&TEXTURES) {
            match follow(stage, &surface, input) {
                Some(Input::Value(Value::Numbers { values, .. })) => {
                    color = vector(&values).unwrap_or(color);
                    break;
                }
                Some(Input::Value(Value::Texts(_))) => {
                    // A shader with the file as an input of its own.
                    material.base_color_texture = self.file(stage, &surface, input);
                }
                Some(Input::Shader(shader)) => {
                    (material.base_color_texture, uv_name) = self.texture(stage, &shader);
                    if material.base_color_texture.is_none() {
                        let fallback = stage.numbers(&shader, "inputs:fallback").and_then(|v| vector(&v));
                        color = fallback.or_else(|| first_color(stage, &shader)).unwrap_or(color);
                    }
                    break;
                }
                _ => {}
            }
        }
        let number = |stage: &mut Stage<'a>, input: &str, missing: f32| match follow(stage, &surface, input) {
            Some(Input::Value(value)) => value.as_number().map_or(missing, |v| v as f32),
            _ => missing,
        };
        let opacity = number(stage, "inputs:opacity", 1.0).clamp(0.0, 1.0);
        let has_opacity_map = matches!(follow(stage, &surface, "inputs:opacity"), Some(Input::Shader(_)));
        let cutoff = number(stage, "inputs:opacityThreshold", 0.0);
        material.alpha = match (opacity < 1.0 || has_opacity_map, cutoff > 0.0) {
            (true, true) => AlphaMode::Mask { cutoff },
            (true, false) => AlphaMode::Blend,
            _ => AlphaMode::Opaque,
        };
        let base = if material.base_color_texture.is_some() {
            Vec3::ONE
        } else {
            color.clamp(Vec3::ZERO, Vec3::ONE)
        };
        material.base_color = Vec4::from((base, opacity));
        material.metallic = number(stage, "inputs:metallic", 0.0).clamp(0.0, 1.0);
        material.roughness = number(stage, "inputs:roughness", 0.5).clamp(0.0, 1.0);
        if let Some(Input::Value(Value::Numbers { values, .. })) =
            follow(stage, &surface, "inputs:emissiveColor")
        {
            material.emissive = vector(&values).unwrap_or_default().max(Vec3::ZERO);
        }
        Some((material, uv_name))
    }

    /// The image of a texture shader, and the name of its coordinates.
    fn texture(
        &mut self,
        stage: &mut Stage<'a>,
        shader: &ComposedPrim,
    ) -> (Option<TextureRef>, Option<String>) {
        let texture = self.file(stage, shader, "inputs:file");
        let coordinates = match follow(stage, shader, "inputs:st") {
            Some(Input::Shader(reader)) => match follow(stage, &reader, "inputs:varname") {
                Some(Input::Value(name)) => name.as_text().map(str::to_owned),
                _ => None,
            },
            _ => None,
        };
        (texture, coordinates)
    }

    fn file(&mut self, stage: &mut Stage<'a>, shader: &ComposedPrim, input: &str) -> Option<TextureRef> {
        let found = match follow_to_layer(stage, shader, input) {
            Some(found) => found,
            None => stage.value(shader, input)?,
        };
        // Of the tiles of a surface, the first one is read.
        let asset = found.value.as_text()?.replace("<UDIM>", "1001");
        if asset.is_empty() {
            return None;
        }
        let is_clamped =
            |stage: &Stage, wrap| matches!(stage.text(shader, wrap).as_deref(), Some("clamp" | "black"));
        let clamp = is_clamped(stage, "inputs:wrapS") && is_clamped(stage, "inputs:wrapT");
        let layer = stage.layer_name(found.layer).to_owned();
        let name = Assets::resolve(&layer, &asset).unwrap_or(asset);
        let key = (name.clone(), clamp);
        if let Some(&known) = self.textures.get(&key) {
            return known.map(TextureRef::new);
        }
        let loaded = if stage.assets.is_packaged(&name) {
            match stage.assets.read(&name) {
                Ok(bytes) => self.files.embedded(&name, &bytes, clamp),
                Err(message) => {
                    self.files.note_unreadable(&name, &message);
                    None
                }
            }
        } else {
            self.files.load(&name, clamp)
        };
        self.textures.insert(key, loaded);
        loaded.map(TextureRef::new)
    }
}

/// The shader of the surface: of the universal render context, or of any other.
fn surface_shader(stage: &mut Stage, material: &ComposedPrim) -> Option<ComposedPrim> {
    for output in ["outputs:surface", "outputs:mtlx:surface", "outputs:mdl:surface", "outputs:ri:surface"] {
        if let Some(Input::Shader(shader)) = follow(stage, material, output) {
            return Some(shader);
        }
    }
    None
}

/// Follows connections from an input or output to a value or a shader.
fn follow(stage: &mut Stage, prim: &ComposedPrim, name: &str) -> Option<Input> {
    let (mut prim, mut name) = (prim.clone(), name.to_owned());
    for _ in 0..MAX_CONNECTIONS {
        let targets = stage.targets(&prim, &name, "connectionPaths");
        let Some((target, property)) = targets.first().and_then(|path| path.rsplit_once('.')) else {
            return stage.value(&prim, &name).map(|found| Input::Value(found.value));
        };
        let Some(next) = stage.at(target) else {
            return stage.value(&prim, &name).map(|found| Input::Value(found.value));
        };
        (prim, name) = (next, property.to_owned());
        if name.starts_with("outputs:") && stage.type_name(&prim) == "Shader" {
            return Some(Input::Shader(prim));
        }
    }
    None
}

/// The value at the end of connections, with the layer that has it.
fn follow_to_layer(stage: &mut Stage, prim: &ComposedPrim, name: &str) -> Option<Found> {
    let (mut prim, mut name) = (prim.clone(), name.to_owned());
    for _ in 0..MAX_CONNECTIONS {
        let targets = stage.targets(&prim, &name, "connectionPaths");
        let Some((target, property)) = targets.first().and_then(|path| path.rsplit_once('.')) else { break };
        (prim, name) = (stage.at(target)?, property.to_owned());
    }
    stage.value(&prim, &name)
}

/// A color among the inputs of a shader of another kind.
fn first_color(stage: &mut Stage, shader: &ComposedPrim) -> Option<Vec3> {
    ["inputs:value", "inputs:in", "inputs:color", "inputs:in1"]
        .iter()
        .find_map(|input| stage.numbers(shader, input).and_then(|values| vector(&values)))
}

fn vector(values: &[f64]) -> Option<Vec3> {
    match values {
        [r, g, b, ..] => Some(Vec3::new(*r as f32, *g as f32, *b as f32)).filter(|v| v.is_finite()),
        _ => None,
    }
}
