//! 3DS of 3D Studio: chunks of meshes, with the materials of groups of faces.

use std::collections::HashMap;

use glam::{DMat4, DVec3, Vec2, Vec3};

use crate::builder::Polygons;
use crate::color;
use crate::cursor::Cursor;
use crate::image_file::TextureFiles;
use crate::sidecar::{Sidecar, Sidecars};
use crate::surface::{SceneBuilder, Surface};
use crate::{ReadError, source::Source, text};
use lexiform_geometry::{AlphaMode, Material, Scene, TextureRef};

const MAIN: u16 = 0x4D4D;
const EDITOR: u16 = 0x3D3D;
const OBJECT: u16 = 0x4000;
const MESH: u16 = 0x4100;
const VERTICES: u16 = 0x4110;
const FACES: u16 = 0x4120;
const FACE_MATERIAL: u16 = 0x4130;
const COORDINATES: u16 = 0x4140;
const MATERIAL: u16 = 0xAFFF;
const MATERIAL_NAME: u16 = 0xA000;
const DIFFUSE: u16 = 0xA020;
const TRANSPARENCY: u16 = 0xA050;
const TEXTURE: u16 = 0xA200;
const TEXTURE_FILE: u16 = 0xA300;
const COLOR_FLOAT: u16 = 0x0010;
const COLOR_BYTES: u16 = 0x0011;
const PERCENT: u16 = 0x0030;

/// Reads all meshes. Their vertices are in world coordinates already; the keyframer's pivots are not read.
pub(super) fn read(source: &Source) -> Result<Scene, ReadError> {
    let mut cursor = Cursor::new(source.bytes);
    let Some((MAIN, content)) = next(&mut cursor) else {
        return Err(source.invalid("expected the chunk 4D4D at the start"));
    };
    let mut scene = Scene::default();
    let mut builder = SceneBuilder::default();
    let mut files = TextureFiles::new(source.path);
    let mut materials: HashMap<Vec<u8>, usize> = HashMap::new();
    let mut objects = Vec::new();
    for (_, editor) in chunks(content).filter(|(id, _)| *id == EDITOR) {
        for (id, content) in chunks(editor) {
            match id {
                MATERIAL => {
                    let definition = Definition::parse(content);
                    materials.insert(definition.name.to_vec(), scene.materials.len());
                    scene.materials.push(definition.resolve(&mut files));
                }
                OBJECT => objects.push(content),
                _ => {}
            }
        }
    }
    for mut object in objects {
        let name = text::decode(object.c_string().unwrap_or_default());
        for (_, mesh) in chunks(object).filter(|(id, _)| *id == MESH) {
            builder.add(source, &surface(mesh, &materials), DMat4::IDENTITY, Some(&name))?;
        }
    }
    builder.notes.append(&mut files.notes);
    scene.textures = files.textures;
    builder.build(source, &mut scene)?;
    Ok(scene)
}

/// Textures.
pub(super) fn sidecars(bytes: &[u8], sidecars: &mut Sidecars) {
    let Some((MAIN, content)) = next(&mut Cursor::new(bytes)) else { return };
    let editors = chunks(content).filter(|(id, _)| *id == EDITOR);
    for (_, material) in editors.flat_map(|(_, editor)| chunks(editor)).filter(|(id, _)| *id == MATERIAL) {
        if let Some(texture) = Definition::parse(material).texture {
            sidecars.push(Sidecar::literal(&texture, false));
        }
    }
}

/// The next chunk; one that is longer than what is left is as long as that.
fn next<'a>(cursor: &mut Cursor<'a>) -> Option<(u16, Cursor<'a>)> {
    let id = cursor.u16()?;
    // The length includes these six bytes.
    let length = (cursor.u32()? as usize).saturating_sub(6).min(cursor.remaining().len());
    Some((id, Cursor::new(cursor.take(length)?)))
}

fn chunks(mut cursor: Cursor<'_>) -> impl Iterator<Item = (u16, Cursor<'_>)> {
    std::iter::from_fn(move || next(&mut cursor))
}

/// What a material's chunk says.
#[derive(Default)]
struct Definition<'a> {
    name: &'a [u8],
    diffuse: Option<Vec3>,
    transparency: f32,
    texture: Option<String>,
}

impl<'a> Definition<'a> {
    fn parse(content: Cursor<'a>) -> Self {
        let mut definition = Self::default();
        for (id, mut content) in chunks(content) {
            match id {
                MATERIAL_NAME => definition.name = content.c_string().unwrap_or_default(),
                DIFFUSE => definition.diffuse = chunks(content).find_map(|(id, content)| linear(id, content)),
                TRANSPARENCY => {
                    let percent = chunks(content).find(|(id, _)| *id == PERCENT);
                    let percent = percent.and_then(|(_, mut value)| value.u16()).unwrap_or(0);
                    definition.transparency = f32::from(percent.min(100)) / 100.0;
                }
                TEXTURE => {
                    let file = chunks(content).find(|(id, _)| *id == TEXTURE_FILE);
                    definition.texture = file.and_then(|(_, mut name)| name.c_string()).map(text::decode);
                }
                _ => {}
            }
        }
        definition
    }

    fn resolve(&self, files: &mut TextureFiles) -> Material {
        let texture = self.texture.as_ref().filter(|name| !name.is_empty());
        let texture = texture.and_then(|name| files.load(name, false)).map(TextureRef::new);
        // A texture covers the color.
        let base = if texture.is_some() { Vec3::ONE } else { self.diffuse.unwrap_or(Vec3::ONE) };
        let opacity = color::visible_opacity(1.0 - self.transparency);
        Material {
            name: Some(text::decode(self.name)).filter(|name| !name.is_empty()),
            base_color: base.extend(opacity),
            base_color_texture: texture,
            alpha: if opacity < 1.0 { AlphaMode::Blend } else { AlphaMode::Opaque },
            double_sided: true,
            ..Material::default()
        }
    }
}

fn linear(id: u16, mut content: Cursor) -> Option<Vec3> {
    match id {
        COLOR_FLOAT => Some(color::from_unit(Vec3::new(content.f32()?, content.f32()?, content.f32()?))),
        COLOR_BYTES => content.array().map(color::from_bytes),
        _ => None,
    }
}

fn surface(mesh: Cursor, materials: &HashMap<Vec<u8>, usize>) -> Surface {
    let mut surface = Surface::default();
    let mut coordinates = Vec::new();
    for (id, mut content) in chunks(mesh) {
        match id {
            VERTICES => {
                let count = content.u16().unwrap_or(0);
                let vertex = |_| Some(Vec3::new(content.f32()?, content.f32()?, content.f32()?).as_dvec3());
                surface.positions = (0..count).map_while(vertex).collect::<Vec<DVec3>>();
            }
            COORDINATES => {
                let count = content.u16().unwrap_or(0);
                let coordinate = |_| Some(Vec2::new(content.f32()?, 1.0 - content.f32()?));
                coordinates = (0..count).map_while(coordinate).collect();
            }
            FACES => {
                (surface.polygons, surface.materials) = faces(content, materials);
            }
            _ => {}
        }
    }
    if !coordinates.is_empty() {
        let uv = |&corner: &i64| coordinates.get(corner as usize).copied().unwrap_or_default();
        surface.uvs = Some(surface.polygons.corners.iter().map(uv).collect());
    }
    surface
}

/// Triangles, then chunks that bind materials to lists of them.
fn faces(mut content: Cursor, materials: &HashMap<Vec<u8>, usize>) -> (Polygons, Vec<Option<usize>>) {
    let mut polygons = Polygons::default();
    for _ in 0..content.u16().unwrap_or(0) {
        let Some([a, b, c, _flags]) = face(&mut content) else { break };
        polygons.push([a, b, c].map(i64::from));
    }
    let mut bound = vec![None; polygons.ends.len()];
    for (_, mut group) in chunks(content).filter(|(id, _)| *id == FACE_MATERIAL) {
        let material = group.c_string().and_then(|name| materials.get(name)).copied();
        for _ in 0..group.u16().unwrap_or(0) {
            let Some(face) = group.u16() else { break };
            if let Some(slot) = bound.get_mut(usize::from(face)) {
                *slot = material;
            }
        }
    }
    (polygons, bound)
}

fn face(content: &mut Cursor) -> Option<[u16; 4]> {
    Some([content.u16()?, content.u16()?, content.u16()?, content.u16()?])
}
