//! Property groups of 3MF: base materials, colors, textures, composites of base materials, and several at once ([materials
//! extension]).
//!
//! [materials extension]: https://github.com/3MFConsortium/spec_materials/blob/master/3MF%20Materials%20Extension.md

use std::collections::HashMap;
use std::path::Path;

use glam::{Vec2, Vec4};
use roxmltree::Node;

use super::package::Package;
use crate::color;
use crate::image_file::TextureFiles;
use crate::xml::{children, number};
use lexiform_geometry::{AlphaMode, Material, Texture, TextureRef};

/// A group of properties; triangles refer to its members by index.
pub(super) enum Property {
    /// Names and linear colors.
    Base(Vec<(String, Vec4)>),
    /// Linear colors.
    Colors(Vec<Vec4>),
    /// A texture and coordinates in it.
    Coordinates { path: String, clamp: bool, uvs: Vec<Vec2> },
    /// A texture, which groups of coordinates refer to.
    Texture { path: String, clamp: bool },
    /// Groups, and one index in each of them.
    Multiple { groups: Vec<String>, members: Vec<Vec<usize>> },
}

/// What a corner has.
#[derive(Clone, Default)]
pub(super) struct Value {
    /// Linear vertex color.
    pub color: Option<Vec4>,
    /// Texture coordinates, with the origin at the top left.
    pub uv: Option<Vec2>,
    base: Option<(String, Vec4)>,
    texture: Option<(String, bool)>,
    group: (String, String),
}

impl Property {
    /// A group, whose references are to groups before it; `None` for other resources.
    pub fn parse(node: Node, known: &HashMap<String, Self>) -> Option<Self> {
        Some(match node.tag_name().name() {
            "basematerials" => {
                let name = |base: Node| base.attribute("name").unwrap_or_default().to_owned();
                let color =
                    |base: Node| base.attribute("displaycolor").and_then(display_color).unwrap_or(Vec4::ONE);
                Self::Base(children(node, "base").map(|base| (name(base), color(base))).collect())
            }
            "colorgroup" => {
                let color = |c: Node| c.attribute("color").and_then(display_color).unwrap_or(Vec4::ONE);
                Self::Colors(children(node, "color").map(color).collect())
            }
            "texture2d" => {
                let clamp =
                    ["tilestyleu", "tilestylev"].iter().all(|&style| node.attribute(style) == Some("clamp"));
                Self::Texture { path: node.attribute("path")?.to_owned(), clamp }
            }
            "texture2dgroup" => {
                let Self::Texture { path, clamp } = known.get(node.attribute("texid")?)? else { return None };
                let coordinate = |c: Node, name| number(c, name).unwrap_or(0.0) as f32;
                let uvs = children(node, "tex2coord")
                    .map(|c| Vec2::new(coordinate(c, "u"), 1.0 - coordinate(c, "v")));
                Self::Coordinates { path: path.clone(), clamp: *clamp, uvs: uvs.collect() }
            }
            "compositematerials" => composites(node, known)?,
            "multiproperties" => Self::Multiple {
                groups: words(node.attribute("pids")?).map(str::to_owned).collect(),
                members: children(node, "multi")
                    .map(|multi| indices(multi.attribute("pindices").unwrap_or_default()))
                    .collect(),
            },
            _ => return None,
        })
    }

    /// A member of the group. Of several groups, the last color and the last texture count.
    pub fn value(&self, member: usize, known: &HashMap<String, Self>) -> Value {
        let mut value = Value::default();
        match self {
            Self::Multiple { groups, members } => {
                let members = members.get(member).map(Vec::as_slice).unwrap_or_default();
                for (layer, group) in groups.iter().enumerate() {
                    // A group of several has no others of its kind inside.
                    if let Some(group) = known.get(group).filter(|g| !matches!(g, Self::Multiple { .. })) {
                        group.apply(members.get(layer).copied().unwrap_or(0), &mut value);
                    }
                }
            }
            other => other.apply(member, &mut value),
        }
        value
    }

    fn apply(&self, member: usize, value: &mut Value) {
        match self {
            Self::Base(bases) => value.base = bases.get(member).cloned(),
            Self::Colors(colors) => value.color = colors.get(member).copied(),
            Self::Coordinates { path, clamp, uvs } => {
                value.uv = uvs.get(member).copied();
                // A texture covers the color below it.
                value.color = None;
                value.texture = Some((path.clone(), *clamp));
            }
            Self::Texture { .. } | Self::Multiple { .. } => {}
        }
    }
}

impl Value {
    /// The same, of a group of a model part.
    pub fn with_group(self, model: &str, group: &str) -> Self {
        Self { group: (model.to_owned(), group.to_owned()), ..self }
    }
}

/// Mixtures of base materials.
fn composites(node: Node, known: &HashMap<String, Property>) -> Option<Property> {
    let Property::Base(bases) = known.get(node.attribute("matid")?)? else { return None };
    let used = indices(node.attribute("matindices").unwrap_or_default());
    let mix = |composite: Node| {
        let weights: Vec<f32> = words(composite.attribute("values").unwrap_or_default())
            .map(|w| w.parse().unwrap_or(0.0))
            .collect();
        let parts = used.iter().zip(&weights).filter_map(|(&i, &weight)| Some((bases.get(i)?.1, weight)));
        let (sum, total) =
            parts.fold((Vec4::ZERO, 0.0), |(sum, total), (c, weight)| (sum + c * weight, total + weight));
        if total > 0.0 { sum / total } else { Vec4::ONE }
    };
    Some(Property::Colors(children(node, "composite").map(mix).collect()))
}

/// `#RRGGBB` or `#RRGGBBAA` in sRGB, to linear.
fn display_color(written: &str) -> Option<Vec4> {
    let digits = written.trim().strip_prefix('#')?;
    let byte = |i: usize| u8::from_str_radix(digits.get(2 * i..2 * i + 2)?, 16).ok();
    let alpha = byte(3).map_or(1.0, |a| f32::from(a) / 255.0);
    Some(color::from_bytes([byte(0)?, byte(1)?, byte(2)?]).extend(alpha))
}

fn words(list: &str) -> impl Iterator<Item = &str> {
    list.split_ascii_whitespace()
}

fn indices(list: &str) -> Vec<usize> {
    words(list).map(|word| word.parse().unwrap_or(usize::MAX)).collect()
}

/// Model part, group, name and color of a base material, and texture.
type MaterialKey = (String, String, Option<String>, [u32; 4], Option<String>);

/// Materials in order of first use: one for each texture and each base material.
pub(super) struct Materials<'a> {
    package: &'a Package<'a>,
    files: TextureFiles<'a>,
    textures: HashMap<(String, bool), Option<usize>>,
    known: HashMap<MaterialKey, usize>,
    all: Vec<Material>,
}

impl<'a> Materials<'a> {
    /// Materials of the file at `owner`.
    pub fn new(package: &'a Package<'a>, owner: &'a Path) -> Self {
        let files = TextureFiles::new(owner);
        Self { package, files, textures: HashMap::new(), known: HashMap::new(), all: Vec::new() }
    }

    /// The material of a corner; `None` if it has none, or only a color.
    pub fn index(&mut self, value: Value) -> Option<usize> {
        if value.texture.is_none() && value.base.is_none() {
            return None;
        }
        let base_name = value.base.as_ref().map(|(name, _)| name.clone());
        let path = value.texture.as_ref().map(|(path, _)| path.clone());
        let color = value.base.as_ref().map_or([0; 4], |(_, color)| color.to_array().map(f32::to_bits));
        let key = (value.group.0, value.group.1, base_name.clone(), color, path);
        if let Some(&known) = self.known.get(&key) {
            return Some(known);
        }
        let texture = value.texture.and_then(|texture| self.texture(texture));
        // A texture or a color covers the base material.
        let is_covered = texture.is_some() || value.color.is_some();
        let base_color = value.base.filter(|_| !is_covered).map_or(Vec4::ONE, |(_, color)| color);
        let has_alpha = texture.is_some_and(|t| self.files.textures[t].image.pixels().any(|p| p.0[3] < 255));
        self.all.push(Material {
            name: base_name.filter(|name| !name.is_empty()),
            base_color,
            base_color_texture: texture.map(TextureRef::new),
            alpha: if base_color.w < 1.0 || has_alpha { AlphaMode::Blend } else { AlphaMode::Opaque },
            ..Material::default()
        });
        self.known.insert(key, self.all.len() - 1);
        Some(self.all.len() - 1)
    }

    fn texture(&mut self, (path, clamp): (String, bool)) -> Option<usize> {
        if let Some(&known) = self.textures.get(&(path.clone(), clamp)) {
            return known;
        }
        let loaded = match self.package.read(&path) {
            Ok(bytes) => self.files.embedded(&path, &bytes, clamp),
            Err(error) => {
                self.files.note_unreadable(&path, &error.note());
                None
            }
        };
        self.textures.insert((path, clamp), loaded);
        loaded
    }

    /// Materials and textures.
    pub fn into_parts(self, notes: &mut Vec<String>) -> (Vec<Material>, Vec<Texture>) {
        notes.extend(self.files.notes);
        (self.all, self.files.textures)
    }
}
