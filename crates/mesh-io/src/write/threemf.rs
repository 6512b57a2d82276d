//! 3MF: meshes with base materials, colors of vertices and textures, in millimeters, +Z up.

use std::io::{Cursor, Write as _};
use std::path::Path;

use glam::Vec4;
use lexiform_formats::{SOFTWARE, ZipWriter};

use super::error::WriteError;
use super::output::{AxisConversion, png, srgb_bytes, text};
use lexiform_geometry::{Mesh, Scene};

/// The unit of the format's practice; scenes are in meters.
const MILLIMETERS: f32 = 1000.0;
const CONTENT_TYPES: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="model" ContentType="application/vnd.ms-package.3dmanufacturing-3dmodel+xml"/><Default Extension="png" ContentType="image/png"/></Types>"#;
const RELATIONSHIPS: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="model" Target="/3D/3dmodel.model" Type="http://schemas.microsoft.com/3dmanufacturing/2013/01/3dmodel"/></Relationships>"#;

/// The archive.
pub(super) fn threemf(path: &Path, scene: &Scene, axes: AxisConversion) -> Result<Vec<u8>, WriteError> {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    archive.begin("[Content_Types].xml")?;
    archive.write_all(CONTENT_TYPES.as_bytes())?;
    archive.begin("_rels/.rels")?;
    archive.write_all(RELATIONSHIPS.as_bytes())?;
    archive.begin("3D/3dmodel.model")?;
    archive.write_all(&model(scene, axes))?;
    let mut relations = Vec::new();
    for (i, texture) in scene.textures.iter().enumerate() {
        archive.begin(&format!("3D/Textures/{i}.png"))?;
        archive.write_all(&png(path, texture)?)?;
        text!(
            relations,
            "<Relationship Id=\"t{i}\" Target=\"/3D/Textures/{i}.png\" Type=\"http://schemas.microsoft.com/3dmanufacturing/2013/01/3dtexture\"/>"
        );
    }
    if !relations.is_empty() {
        archive.begin("3D/_rels/3dmodel.model.rels")?;
        archive.write_all(b"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\">")?;
        archive.write_all(&relations)?;
        archive.write_all(b"</Relationships>")?;
    }
    Ok(archive.finish()?.into_inner())
}

/// Resources get numbers from 1 in the order in which they are written.
fn model(scene: &Scene, axes: AxisConversion) -> Vec<u8> {
    let mut xml = Vec::new();
    text!(
        xml,
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<model unit=\"millimeter\" xmlns=\"http://schemas.microsoft.com/3dmanufacturing/core/2015/02\" xmlns:m=\"http://schemas.microsoft.com/3dmanufacturing/material/2015/02\">\n<metadata name=\"Application\">{SOFTWARE}</metadata>\n<resources>\n"
    );
    let mut ids = 1..;
    let mut next = || ids.next().unwrap_or_default();
    let materials = next();
    text!(xml, "<basematerials id=\"{materials}\">\n");
    for (i, material) in scene.materials.iter().enumerate() {
        let name = material.name.clone().unwrap_or_else(|| format!("material-{i}"));
        text!(
            xml,
            "<base name=\"{}\" displaycolor=\"{}\"/>\n",
            escaped(&name),
            hexadecimal(material.base_color)
        );
    }
    // A group must not be empty.
    if scene.materials.is_empty() {
        text!(xml, "<base name=\"default\" displaycolor=\"#CCCCCCFF\"/>\n");
    }
    text!(xml, "</basematerials>\n");
    let textures: Vec<u32> = scene.textures.iter().map(|_| next()).collect();
    for (i, id) in textures.iter().enumerate() {
        text!(xml, "<m:texture2d id=\"{id}\" path=\"/3D/Textures/{i}.png\" contenttype=\"image/png\"/>\n");
    }
    let mut objects = Vec::new();
    for mesh in scene.meshes.iter().filter(|mesh| !mesh.faces().is_empty()) {
        let properties = properties(&mut xml, scene, mesh, (materials, &textures), &mut next);
        let object = next();
        write_object(&mut xml, mesh, object, &properties, axes);
        objects.push(object);
    }
    text!(xml, "</resources>\n<build>\n");
    objects.iter().for_each(|object| text!(xml, "<item objectid=\"{object}\"/>\n"));
    text!(xml, "</build>\n</model>\n");
    xml
}

/// What the corners of a mesh refer to.
enum Properties {
    None,
    /// One member of a group.
    Same(u32, usize),
    /// The member of a group with the vertex's number.
    PerVertex(u32),
}

/// Writes the group of a mesh: coordinates in its texture, or its colors; a base material needs none.
fn properties(
    xml: &mut Vec<u8>,
    scene: &Scene,
    mesh: &Mesh,
    (materials, textures): (u32, &[u32]),
    next: &mut impl FnMut() -> u32,
) -> Properties {
    let material = mesh.material.and_then(|index| Some((index, scene.materials.get(index)?)));
    let texture = material.and_then(|(_, material)| material.base_color_texture);
    if let (Some(texture), Some(uvs)) = (texture, mesh.uvs()) {
        let id = next();
        text!(xml, "<m:texture2dgroup id=\"{id}\" texid=\"{}\">\n", textures[texture.texture]);
        for uv in uvs {
            let uv = texture.image_from_uv.transform_point2(*uv);
            text!(xml, "<m:tex2coord u=\"{}\" v=\"{}\"/>\n", uv.x, 1.0 - uv.y);
        }
        text!(xml, "</m:texture2dgroup>\n");
        return Properties::PerVertex(id);
    }
    if let Some(colors) = mesh.colors() {
        let id = next();
        let factor = material.map_or(Vec4::ONE, |(_, material)| material.base_color);
        text!(xml, "<m:colorgroup id=\"{id}\">\n");
        colors.iter().for_each(|color| text!(xml, "<m:color color=\"{}\"/>\n", hexadecimal(*color * factor)));
        text!(xml, "</m:colorgroup>\n");
        return Properties::PerVertex(id);
    }
    material.map_or(Properties::None, |(index, _)| Properties::Same(materials, index))
}

fn write_object(xml: &mut Vec<u8>, mesh: &Mesh, id: u32, properties: &Properties, axes: AxisConversion) {
    text!(xml, "<object id=\"{id}\" type=\"model\"");
    if let Some(name) = &mesh.name {
        text!(xml, " name=\"{}\"", escaped(name));
    }
    match properties {
        Properties::None => {}
        Properties::Same(group, index) => text!(xml, " pid=\"{group}\" pindex=\"{index}\""),
        Properties::PerVertex(group) => text!(xml, " pid=\"{group}\" pindex=\"0\""),
    }
    text!(xml, ">\n<mesh>\n<vertices>\n");
    for position in mesh.positions() {
        let p = axes.apply(*position) * MILLIMETERS;
        text!(xml, "<vertex x=\"{}\" y=\"{}\" z=\"{}\"/>\n", p.x, p.y, p.z);
    }
    text!(xml, "</vertices>\n<triangles>\n");
    for [a, b, c] in mesh.faces() {
        text!(xml, "<triangle v1=\"{a}\" v2=\"{b}\" v3=\"{c}\"");
        if let Properties::PerVertex(group) = properties {
            text!(xml, " pid=\"{group}\" p1=\"{a}\" p2=\"{b}\" p3=\"{c}\"");
        }
        text!(xml, "/>\n");
    }
    text!(xml, "</triangles>\n</mesh>\n</object>\n");
}

fn hexadecimal(color: Vec4) -> String {
    let [r, g, b, a] = srgb_bytes(color);
    format!("#{r:02X}{g:02X}{b:02X}{a:02X}")
}

/// Text of an attribute.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '"' => escaped.push_str("&quot;"),
            c if c.is_control() => escaped.push(' '),
            c => escaped.push(c),
        }
    }
    escaped
}
