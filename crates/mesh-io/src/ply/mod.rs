//! Stanford polygon files ([PLY]): text and both byte orders; meshes, points and Gaussian splats.
//!
//! [PLY]: https://paulbourke.net/dataformats/ply/

mod header;
mod values;
mod vertex;

use std::collections::HashMap;
use std::io::{self, BufRead, Read as _};
use std::path::Path;

use glam::{Vec2, Vec3, Vec4};

use lexiform_geometry::{Material, Scene, TextureRef};

use crate::{
    Format, ReadError,
    builder::{MeshBuilder, Polygons, Triangles, to_single_precision},
    image_file::TextureFiles,
    sidecar::{Sidecar, Sidecars},
    source::Source,
    thinning::{PointTable, Record},
};

use self::header::{Element, Encoding, Header, Scalar};
use self::values::{Values, truncated_error};
use self::vertex::Vertices;

/// Reads the file and the textures its comments name.
pub(super) fn read(source: &Source) -> Result<Scene, ReadError> {
    let (header, start) = Header::parse(source)?;
    let mut values = Values { encoding: header.encoding, rest: &source.bytes[start..] };
    let mut vertices = Vertices::default();
    let mut faces = Faces::default();
    for element in &header.elements {
        check_count(source, element, &values)?;
        match element.name.as_str() {
            _ if vertex::is_element(element) => vertices.read(source, element, &mut values)?,
            "face" | "faces" => faces.read(source, element, &mut values)?,
            "tristrips" => faces.read_strips(source, element, &mut values)?,
            _ => skip(source, element, &mut values)?,
        }
    }
    let mut scene = Scene::default();
    if !values.is_at_end() {
        // Tolerated: some writers pad their files.
        scene.notes.push("data behind the last element is ignored".to_owned());
    }
    if faces.polygons.ends.is_empty() {
        let cloud = vertices.into_cloud(&mut scene.notes).build(source, &mut scene.notes)?;
        scene.clouds.push(cloud);
        return Ok(scene);
    }
    build(source, &header, vertices, &faces, &mut scene)?;
    Ok(scene)
}

/// The points of a cloud without lists, in a file that has nothing else.
pub(super) fn point_table(source: &Source) -> Option<PointTable> {
    let (header, start) = Header::parse(source).ok()?;
    let [points] = &header.elements[..] else { return None };
    let is_flat = vertex::is_element(points) && points.properties.iter().all(|p| p.list.is_none());
    let size = points.properties.iter().map(|p| p.scalar.size()).sum();
    let record = if header.encoding == Encoding::Ascii { Record::Line } else { Record::Bytes(size) };
    (is_flat && size > 0).then_some(PointTable {
        start,
        count: Some(points.count),
        record,
        with_count: header::with_count,
    })
}

/// Longest header that is searched for textures.
const SEARCHED_HEADER_BYTES: u64 = 64 << 10;

/// Textures that comments of the header name.
pub(super) fn sidecars(path: &Path, content: impl BufRead, sidecars: &mut Sidecars) -> io::Result<()> {
    let mut bytes = Vec::new();
    content.take(SEARCHED_HEADER_BYTES).read_to_end(&mut bytes)?;
    let source = Source { path, bytes: &bytes, format: Format::Ply.name() };
    let textures = Header::parse(&source).map_or_else(|_| Vec::new(), |(header, _)| header.textures);
    textures.iter().for_each(|name| sidecars.push(Sidecar::literal(name, false)));
    Ok(())
}

/// Checks that the file can hold as many rows as the header declares.
fn check_count(source: &Source, element: &Element, values: &Values) -> Result<(), ReadError> {
    let least: u64 = element.properties.iter().map(|p| values.least_bytes(p.list.unwrap_or(p.scalar))).sum();
    // The last value of a text file needs no separator.
    let slack = u64::from(values.encoding == Encoding::Ascii);
    let need = element.count.saturating_mul(least).saturating_sub(slack);
    source.check_bytes(
        &format!("{} rows of element \"{}\"", element.count, element.name),
        need,
        values.rest.len(),
    )
}

fn skip(source: &Source, element: &Element, values: &mut Values) -> Result<(), ReadError> {
    if element.properties.is_empty() {
        return Ok(());
    }
    for row in 0..element.count {
        for property in &element.properties {
            let length = values.length(property.list).ok_or_else(|| truncated_error(source, element, row))?;
            for _ in 0..length {
                values.next(property.scalar).ok_or_else(|| truncated_error(source, element, row))?;
            }
        }
        values.end_row();
    }
    Ok(())
}

/// Faces with their attributes.
#[derive(Default)]
struct Faces {
    polygons: Polygons,
    /// u and v of each corner; empty or as long as the corners.
    corner_uvs: Vec<Vec2>,
    /// Display RGBA of each face; empty or as many as faces.
    colors: Vec<Vec4>,
    /// Which of the header's textures each face uses; empty or as many as faces.
    textures: Vec<u32>,
}

/// The role of a face property.
#[derive(Clone, Copy, PartialEq)]
enum FaceRole {
    Corners,
    Uvs,
    Texture,
    Color(usize),
    Other,
}

impl FaceRole {
    fn of(name: &str, is_list: bool) -> Self {
        match (name, is_list) {
            ("vertex_indices" | "vertex_index", true) => Self::Corners,
            ("texcoord", true) => Self::Uvs,
            ("texnumber", false) => Self::Texture,
            ("red" | "r" | "diffuse_red", false) => Self::Color(0),
            ("green" | "g" | "diffuse_green", false) => Self::Color(1),
            ("blue" | "b" | "diffuse_blue", false) => Self::Color(2),
            ("alpha" | "diffuse_alpha", false) => Self::Color(3),
            _ => Self::Other,
        }
    }
}

impl Faces {
    fn read(&mut self, source: &Source, element: &Element, values: &mut Values) -> Result<(), ReadError> {
        let mut roles: Vec<FaceRole> =
            element.properties.iter().map(|p| FaceRole::of(&p.name, p.list.is_some())).collect();
        if !roles.contains(&FaceRole::Corners) {
            // Some writers use another name; then it is most likely the first list.
            let Some(first) = element.properties.iter().position(|p| p.list.is_some()) else {
                return skip(source, element, values);
            };
            roles[first] = FaceRole::Corners;
        }
        // Checked before lists are allocated.
        source.check_faces(element.count)?;
        let colored = (0..3).all(|c| roles.contains(&FaceRole::Color(c)));
        let mut items = Vec::new();
        for row in 0..element.count {
            let (mut color, mut texture, mut corners) = (Vec4::ONE, 0, 0..0);
            let mut uvs = Vec::new();
            for (property, role) in element.properties.iter().zip(&roles) {
                read_list(values, property.list, property.scalar, &mut items)
                    .ok_or_else(|| truncated_error(source, element, row))?;
                match (role, items.first()) {
                    (FaceRole::Corners, _) => {
                        let start = self.polygons.corners.len();
                        self.polygons.push(items.iter().map(|v| *v as i64));
                        corners = start..self.polygons.corners.len();
                    }
                    (FaceRole::Uvs, _) => uvs.clone_from(&items),
                    (FaceRole::Texture, Some(&value)) => texture = value as u32,
                    (FaceRole::Color(c), Some(&value)) => {
                        color[*c] = property.scalar.normalized_channel(value) as f32
                    }
                    _ => {}
                }
            }
            values.end_row();
            if colored {
                self.colors.push(color);
            }
            if roles.contains(&FaceRole::Texture) {
                self.textures.push(texture);
            }
            if roles.contains(&FaceRole::Uvs) {
                let mut pairs =
                    uvs.as_chunks::<2>().0.iter().map(|[u, v]| Vec2::new(*u as f32, 1.0 - *v as f32));
                self.corner_uvs.extend(corners.map(|_| pairs.next().unwrap_or(Vec2::ZERO)));
            }
        }
        Ok(())
    }

    /// Triangle strips, separated by −1; every other triangle has the opposite winding.
    fn read_strips(
        &mut self,
        source: &Source,
        element: &Element,
        values: &mut Values,
    ) -> Result<(), ReadError> {
        let mut items = Vec::new();
        for row in 0..element.count {
            for property in &element.properties {
                read_list(values, property.list, property.scalar, &mut items)
                    .ok_or_else(|| truncated_error(source, element, row))?;
                if FaceRole::of(&property.name, property.list.is_some()) != FaceRole::Corners {
                    continue;
                }
                for strip in items.split(|v| *v < 0.0) {
                    for (i, window) in strip.windows(3).enumerate() {
                        let [a, b, c] = [window[0] as i64, window[1] as i64, window[2] as i64];
                        if a != b && b != c && c != a {
                            self.polygons.push(if i % 2 == 0 { [a, b, c] } else { [b, a, c] });
                        }
                    }
                }
                source.check_faces(self.polygons.ends.len() as u64)?;
            }
            values.end_row();
        }
        Ok(())
    }
}

fn read_list(values: &mut Values, list: Option<Scalar>, scalar: Scalar, items: &mut Vec<f64>) -> Option<()> {
    items.clear();
    for _ in 0..values.length(list)? {
        items.push(values.next(scalar)?);
    }
    Some(())
}

/// Triangulates the faces and builds one mesh per texture.
fn build(
    source: &Source,
    header: &Header,
    vertices: Vertices,
    faces: &Faces,
    scene: &mut Scene,
) -> Result<(), ReadError> {
    let positions = to_single_precision(&vertices.positions, &mut scene.notes);
    let triangles = Triangles::triangulate(source, &faces.polygons, &positions)?;
    triangles.report(source, &mut scene.notes)?;
    let source_mesh = SourceMesh { colors: vertices.linear_colors(), positions, vertices: &vertices, faces };
    let splits = !faces.corner_uvs.is_empty() || faces.colors.len() == faces.polygons.ends.len();
    let mut files = TextureFiles::new(source.path);
    let mut by_texture: Vec<(u32, Vec<SourceTriangle>)> = Vec::new();
    for (triangle, polygon) in triangles.triangles {
        let used = faces.textures.get(polygon as usize).copied().unwrap_or(0);
        // Numbers beyond the textures all mean "none", which bounds the number of groups.
        let used = used.min(header.textures.len() as u32);
        match by_texture.iter_mut().find(|(texture, _)| *texture == used) {
            Some((_, triangles)) => triangles.push((triangle, polygon)),
            None => by_texture.push((used, vec![(triangle, polygon)])),
        }
    }
    for (texture, triangles) in by_texture {
        let builder = if splits { source_mesh.split(&triangles) } else { source_mesh.shared(&triangles) };
        let mesh = builder.build(source, &mut scene.notes)?;
        let material = header.textures.get(texture as usize).filter(|_| mesh.uvs().is_some()).map(|name| {
            let base_color_texture = files.load(name, false).map(TextureRef::new);
            scene.materials.push(Material { base_color_texture, double_sided: true, ..Material::default() });
            scene.materials.len() - 1
        });
        // Colors next to a texture are the scanner's second copy of the same colors: not multiplied.
        scene.meshes.push(mesh.with_material(material));
    }
    scene.textures = files.textures;
    scene.notes.extend(files.notes);
    Ok(())
}

/// A triangle of corners, and the face it is part of.
type SourceTriangle = ([u32; 3], u32);

/// All vertices and faces, from which meshes are built.
struct SourceMesh<'a> {
    positions: Vec<Vec3>,
    colors: Option<Vec<Vec4>>,
    vertices: &'a Vertices,
    faces: &'a Faces,
}

impl SourceMesh<'_> {
    /// Vertices as stored.
    fn shared(&self, triangles: &[SourceTriangle]) -> MeshBuilder {
        let vertex = |corner: u32| self.faces.polygons.corners[corner as usize] as u32;
        MeshBuilder {
            positions: self.positions.clone(),
            faces: triangles.iter().map(|(t, _)| t.map(vertex)).collect(),
            normals: (!self.vertices.normals.is_empty()).then(|| self.vertices.normals.clone()),
            uvs: (!self.vertices.uvs.is_empty()).then(|| self.vertices.uvs.clone()),
            colors: self.colors.clone(),
        }
    }

    /// One vertex for each combination of vertex, texture coordinate and face color.
    fn split(&self, triangles: &[SourceTriangle]) -> MeshBuilder {
        let faces = self.faces;
        let face_colors = (faces.colors.len() == faces.polygons.ends.len()).then_some(&faces.colors);
        let mut known: HashMap<(i64, [u32; 2], [u32; 4]), u32> = HashMap::new();
        // The corner and the polygon each new vertex comes from.
        let mut from: Vec<(u32, u32)> = Vec::new();
        let indices = triangles
            .iter()
            .map(|(t, polygon)| {
                t.map(|corner| {
                    let uv = faces
                        .corner_uvs
                        .get(corner as usize)
                        .map_or([0; 2], |uv| uv.to_array().map(f32::to_bits));
                    let color =
                        face_colors.map_or([0; 4], |c| c[*polygon as usize].to_array().map(f32::to_bits));
                    *known.entry((faces.polygons.corners[corner as usize], uv, color)).or_insert_with(|| {
                        from.push((corner, *polygon));
                        from.len() as u32 - 1
                    })
                })
            })
            .collect();
        let vertex = |corner: u32| faces.polygons.corners[corner as usize] as usize;
        let vertices = self.vertices;
        let uvs = match (faces.corner_uvs.is_empty(), vertices.uvs.is_empty()) {
            (false, _) => Some(from.iter().map(|(c, _)| faces.corner_uvs[*c as usize]).collect()),
            (_, false) => Some(from.iter().map(|(c, _)| vertices.uvs[vertex(*c)]).collect()),
            _ => None,
        };
        let colors = match (face_colors, &self.colors) {
            // Vertex colors are finer than face colors.
            (_, Some(colors)) => Some(from.iter().map(|(c, _)| colors[vertex(*c)]).collect()),
            (Some(colors), _) => {
                Some(from.iter().map(|(_, f)| crate::color::from_unit_alpha(colors[*f as usize])).collect())
            }
            _ => None,
        };
        let normals = (!vertices.normals.is_empty())
            .then(|| from.iter().map(|(c, _)| vertices.normals[vertex(*c)]).collect());
        let positions = from.iter().map(|(c, _)| self.positions[vertex(*c)]).collect();
        MeshBuilder { positions, faces: indices, normals, uvs, colors }
    }
}
