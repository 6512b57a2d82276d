//! A scene as flat buffers that a browser hands to WebGL without parsing: one reader per format, here, instead of another one in
//! the page.
//!
//! Layout: `LXM1`, the length of the header (`u32`), the header (JSON, padded with spaces to 4 bytes), then the buffers that it
//! names by offset and length in bytes, counted from the end of the header. All numbers are little endian.

use image::{DynamicImage, ImageFormat};
use lexiform_geometry::color::tables;
use lexiform_geometry::{AlphaMode, Material, Mesh, Scene, Texture, TextureRef, Wrap};
use serde::Serialize;

use crate::Problem;

/// Most vertices and points of a mesh for the viewer: 96 MB of buffers.
const MAX_VERTICES: usize = 3_000_000;
/// Most triangles: 36 MB of indices.
const MAX_TRIANGLES: usize = 3_000_000;
/// Largest edge of a texture; larger ones are scaled down to it.
const MAX_TEXTURE_EDGE: u32 = 1024;
/// Most textures.
const MAX_TEXTURES: usize = 64;
/// First bytes.
const MAGIC: &[u8; 4] = b"LXM1";

/// What the buffers are.
#[derive(Default, Serialize)]
struct Header {
    /// Vertices of triangles, then points.
    vertices: usize,
    triangles: usize,
    points: usize,
    /// `f32 × 3`, in the unit sphere, +Y up.
    positions: Range,
    /// `i8 × 4`, normalized; zero where the file has none.
    normals: Range,
    /// `u8 × 4`, sRGB with straight alpha.
    colors: Range,
    /// `f32 × 2`.
    uvs: Range,
    /// `u32 × 3`.
    indices: Range,
    draws: Vec<Draw>,
    textures: Vec<TextureHeader>,
}

/// A part of the buffers.
#[derive(Clone, Copy, Default, Serialize)]
struct Range {
    offset: usize,
    bytes: usize,
}

/// Triangles with one material.
#[derive(Serialize)]
struct Draw {
    /// First index.
    first: usize,
    /// Number of indices.
    count: usize,
    /// Linear RGBA factor.
    color: [f32; 4],
    /// Linear emitted light.
    emissive: [f32; 3],
    texture: Option<usize>,
    unlit: bool,
    blend: bool,
    /// Fragments with less alpha are discarded.
    cutoff: f32,
}

/// An encoded image.
#[derive(Serialize)]
struct TextureHeader {
    image: Range,
    media_type: &'static str,
    wrap: [&'static str; 2],
}

/// The buffers of a scene in the unit sphere.
///
/// # Errors
/// 422 if it is too large for a browser.
pub(crate) fn viewer_mesh(scene: &Scene) -> Result<Vec<u8>, Problem> {
    check_size(scene)?;
    let mut buffers = Buffers::default();
    for mesh in &scene.meshes {
        buffers.add_mesh(mesh, scene);
    }
    let of_meshes = buffers.positions.len() / 3;
    for cloud in &scene.clouds {
        let colors = |i: usize| cloud.colors().map(|colors| colors[i]);
        for (i, position) in cloud.positions().iter().enumerate() {
            let normal = cloud.normals().map_or([0; 4], |normals| quantized(normals[i]));
            let color = colors(i).map_or([160, 170, 185, 255], |c| srgb([c.x, c.y, c.z, 1.0]));
            buffers.add_vertex(position.to_array(), normal, color, [0.0; 2]);
        }
    }
    let mut header = buffers.header();
    header.points = header.vertices - of_meshes;
    let mut body = Vec::new();
    // All machines that this is built for are little endian.
    header.positions = append(&mut body, bytemuck::cast_slice(&buffers.positions));
    header.normals = append(&mut body, bytemuck::cast_slice(&buffers.normals));
    header.colors = append(&mut body, bytemuck::cast_slice(&buffers.colors));
    header.uvs = append(&mut body, bytemuck::cast_slice(&buffers.uvs));
    header.indices = append(&mut body, bytemuck::cast_slice(&buffers.indices));
    for texture in scene.textures.iter().take(MAX_TEXTURES) {
        let (encoded, media_type) = encode(texture)?;
        let image = append(&mut body, &encoded);
        header.textures.push(TextureHeader { image, media_type, wrap: texture.wrap.map(wrap_name) });
    }
    header.draws = buffers.draws;
    assemble(&header, &body)
}

fn check_size(scene: &Scene) -> Result<(), Problem> {
    let (vertices, triangles) = (scene.n_vertices() + scene.n_points(), scene.n_faces());
    if vertices > MAX_VERTICES || triangles > MAX_TRIANGLES {
        let detail = format!(
            "expected at most {MAX_VERTICES} vertices and {MAX_TRIANGLES} triangles, found {vertices} and {triangles}"
        );
        return Err(Problem::unusable(detail).with_hint("ask for rendered views instead"));
    }
    Ok(())
}

/// All vertices and triangles, one after the other.
#[derive(Default)]
struct Buffers {
    positions: Vec<f32>,
    normals: Vec<[i8; 4]>,
    colors: Vec<[u8; 4]>,
    uvs: Vec<f32>,
    indices: Vec<u32>,
    draws: Vec<Draw>,
}

impl Buffers {
    fn add_vertex(&mut self, position: [f32; 3], normal: [i8; 4], color: [u8; 4], uv: [f32; 2]) {
        self.positions.extend(position);
        self.normals.push(normal);
        self.colors.push(color);
        self.uvs.extend(uv);
    }

    fn add_mesh(&mut self, mesh: &Mesh, scene: &Scene) {
        let default = Material::default();
        let material = mesh.material.and_then(|index| scene.materials.get(index)).unwrap_or(&default);
        let texture =
            material.base_color_texture.filter(|t| t.texture < scene.textures.len().min(MAX_TEXTURES));
        // Checked: there are at most `MAX_VERTICES`.
        let first_vertex = (self.positions.len() / 3) as u32;
        for (i, position) in mesh.positions().iter().enumerate() {
            let normal = mesh.normals().map_or([0; 4], |normals| quantized(normals[i]));
            let color = mesh.colors().map_or([255; 4], |colors| srgb(colors[i].to_array()));
            self.add_vertex(position.to_array(), normal, color, uv_of(mesh, i, texture));
        }
        let first = self.indices.len();
        self.indices.extend(mesh.faces().as_flattened().iter().map(|vertex| first_vertex + vertex));
        let cutoff = match material.alpha {
            AlphaMode::Mask { cutoff } => cutoff,
            AlphaMode::Opaque | AlphaMode::Blend => 0.0,
        };
        self.draws.push(Draw {
            first,
            count: self.indices.len() - first,
            color: material.base_color.to_array(),
            emissive: material.emissive.to_array(),
            texture: texture.map(|texture| texture.texture),
            unlit: material.unlit,
            blend: material.alpha == AlphaMode::Blend,
            cutoff,
        });
    }

    fn header(&self) -> Header {
        Header { vertices: self.positions.len() / 3, triangles: self.indices.len() / 3, ..Header::default() }
    }
}

/// Texture coordinates with the material's transform applied.
fn uv_of(mesh: &Mesh, vertex: usize, texture: Option<TextureRef>) -> [f32; 2] {
    match (mesh.uvs(), texture) {
        (Some(uvs), Some(texture)) => texture.image_from_uv.transform_point2(uvs[vertex]).to_array(),
        _ => [0.0; 2],
    }
}

/// A unit vector in bytes. Zero stays zero: the viewer computes normals of faces there.
fn quantized(normal: glam::Vec3) -> [i8; 4] {
    let unit = normal.normalize_or_zero() * 127.0;
    [unit.x.round() as i8, unit.y.round() as i8, unit.z.round() as i8, 0]
}

fn srgb([r, g, b, a]: [f32; 4]) -> [u8; 4] {
    let tables = tables();
    [tables.srgb(r), tables.srgb(g), tables.srgb(b), (a.clamp(0.0, 1.0) * 255.0).round() as u8]
}

/// JPEG where it is opaque, PNG otherwise.
fn encode(texture: &Texture) -> Result<(Vec<u8>, &'static str), Problem> {
    let image = DynamicImage::ImageRgba8(texture.image.clone());
    let edge = image.width().max(image.height());
    let image = match edge > MAX_TEXTURE_EDGE {
        true => image.thumbnail(MAX_TEXTURE_EDGE, MAX_TEXTURE_EDGE),
        false => image,
    };
    let is_opaque = texture.image.pixels().all(|pixel| pixel.0[3] == 255);
    let (image, format, media_type) = match is_opaque {
        true => (DynamicImage::ImageRgb8(image.into_rgb8()), ImageFormat::Jpeg, "image/jpeg"),
        false => (image, ImageFormat::Png, "image/png"),
    };
    let mut encoded = std::io::Cursor::new(Vec::new());
    image.write_to(&mut encoded, format).map_err(|error| Problem::unusable(format!("texture: {error}")))?;
    Ok((encoded.into_inner(), media_type))
}

fn wrap_name(wrap: Wrap) -> &'static str {
    match wrap {
        Wrap::Repeat => "repeat",
        Wrap::Mirror => "mirror",
        Wrap::Clamp => "clamp",
    }
}

/// Appends bytes, padded so that the next buffer is aligned for numbers of 4 bytes.
fn append(body: &mut Vec<u8>, content: &[u8]) -> Range {
    let offset = body.len();
    body.extend_from_slice(content);
    body.resize(body.len().next_multiple_of(4), 0);
    Range { offset, bytes: content.len() }
}

fn assemble(header: &Header, body: &[u8]) -> Result<Vec<u8>, Problem> {
    let mut json = serde_json::to_vec(header).map_err(|error| Problem::internal(error.to_string()))?;
    json.resize(json.len().next_multiple_of(4), b' ');
    let length = u32::try_from(json.len()).map_err(|_| Problem::unusable("too many materials"))?;
    Ok([MAGIC, &length.to_le_bytes()[..], &json, body].concat())
}

#[cfg(test)]
mod tests {
    use glam::Vec3;
    use lexiform_geometry::PointCloud;

    use super::*;

    fn header_and_body(bytes: &[u8]) -> (serde_json::Value, &[u8]) {
        assert_eq!(&bytes[..4], MAGIC);
        let length = u32::from_le_bytes(bytes[4..8].try_into().unwrap()) as usize;
        (serde_json::from_slice(&bytes[8..8 + length]).unwrap(), &bytes[8 + length..])
    }

    fn range<'a>(header: &serde_json::Value, body: &'a [u8], name: &str) -> &'a [u8] {
        let number = |key: &str| header[name][key].as_u64().unwrap() as usize;
        &body[number("offset")..number("offset") + number("bytes")]
    }

    #[test]
    fn meshes_and_points_are_in_one_list_of_vertices() {
        let triangle = |z: f32| {
            let corners = vec![Vec3::new(0.0, 0.0, z), Vec3::X, Vec3::Y];
            Mesh::new(corners, vec![[0, 1, 2]]).unwrap()
        };
        let cloud = PointCloud::new(vec![Vec3::splat(0.5)]).unwrap().with_colors(vec![Vec3::X]).unwrap();
        let scene =
            Scene { meshes: vec![triangle(0.0), triangle(0.25)], clouds: vec![cloud], ..Scene::default() };
        let bytes = viewer_mesh(&scene).unwrap();
        let (header, body) = header_and_body(&bytes);
        assert_eq!([&header["vertices"], &header["triangles"], &header["points"]], [7, 2, 1]);
        let indices: Vec<u32> = range(&header, body, "indices")
            .chunks_exact(4)
            .map(|b| u32::from_le_bytes(b.try_into().unwrap()))
            .collect();
        assert_eq!(indices, [0, 1, 2, 3, 4, 5]);
        assert_eq!(&range(&header, body, "positions")[4 * 3 * 3 + 8..][..4], 0.25_f32.to_le_bytes());
        assert_eq!(range(&header, body, "colors")[6 * 4..], [255, 0, 0, 255], "the point is red");
        assert_eq!((&header["draws"][1]["first"], &header["draws"][1]["count"]), (&3.into(), &3.into()));
    }

    #[test]
    fn textures_are_images_that_browsers_read() {
        let image = image::RgbaImage::from_pixel(2048, 512, image::Rgba([10, 20, 30, 255]));
        let mut material = Material { alpha: AlphaMode::Mask { cutoff: 0.5 }, ..Material::default() };
        material.base_color_texture = Some(TextureRef::new(0));
        let mut mesh = Mesh::new(vec![Vec3::ZERO, Vec3::X, Vec3::Y], vec![[0, 1, 2]]).unwrap();
        mesh.material = Some(0);
        let textures = vec![Texture { image, wrap: [Wrap::Clamp, Wrap::Mirror] }];
        let scene = Scene { meshes: vec![mesh], materials: vec![material], textures, ..Scene::default() };
        let bytes = viewer_mesh(&scene).unwrap();
        let (header, body) = header_and_body(&bytes);
        let texture = &header["textures"][0];
        let image = image::load_from_memory(range(texture, body, "image")).unwrap();
        assert_eq!((image.width(), image.height()), (1024, 256));
        assert_eq!(texture["wrap"], serde_json::json!(["clamp", "mirror"]));
        assert_eq!((&header["draws"][0]["texture"], &header["draws"][0]["cutoff"]), (&0.into(), &0.5.into()));
    }

    #[test]
    fn what_a_browser_cannot_hold_is_refused() {
        let cloud = PointCloud::new(vec![Vec3::ZERO; MAX_VERTICES + 1]).unwrap();
        let problem = viewer_mesh(&Scene::from_cloud(cloud)).unwrap_err();
        assert_eq!(problem.status, 422);
    }
}
