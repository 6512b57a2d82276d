//! Wavefront OBJ: polygons, materials (see [`mtl`]), vertex colors, lines and points.

mod mtl;

use std::collections::HashMap;
use std::io::{self, BufRead};

use glam::{DVec3, Vec2, Vec3, Vec4};

use crate::{
    ReadError,
    builder::{MeshBuilder, PointCloudBuilder, Polygons, Triangles, pluralize, to_single_precision},
    color,
    image_file::TextureFiles,
    sidecar::{Sidecar, Sidecars, for_each_line},
    source::Source,
    text,
};

pub(super) use self::mtl::library_sidecars;
use self::mtl::{MaterialContext, Mtl};
use lexiform_geometry::Scene;

/// A corner without texture coordinate or normal, or with an invalid index.
const NONE: u32 = u32::MAX;

/// Reads the file and its material libraries and textures.
pub(super) fn read(source: &Source) -> Result<Scene, ReadError> {
    let file = Obj::parse(source)?;
    let mut scene = Scene::default();
    if file.skipped > 0 {
        scene.notes.push(format!("skipped {} that cannot be read", pluralize(file.skipped, "line")));
    }
    let positions = to_single_precision(&file.positions, &mut scene.notes);
    let colors = file.linear_colors();
    if file.faces.ends.is_empty() {
        return read_points(source, &file, scene);
    }
    let triangles = Triangles::triangulate(source, &file.faces, &positions)?;
    triangles.report(source, &mut scene.notes)?;
    let parts = file.parts(&triangles);
    for (part, triangles) in &parts {
        let builder = file.mesh_builder(&positions, colors.as_deref(), triangles);
        let mesh = builder.build(source, &mut scene.notes)?.with_material(part.material);
        scene.meshes.push(mesh.with_name(file.names[part.name].clone()));
    }
    file.add_materials(source, &mut scene);
    Ok(scene)
}

/// Material libraries.
pub(super) fn sidecars(content: impl BufRead, sidecars: &mut Sidecars) -> io::Result<()> {
    for_each_line(content, |line| {
        if let (b"mtllib", rest) = text::split_keyword(line) {
            for name in mtl::library_names(&text::decode(rest)) {
                sidecars.push(Sidecar::literal(&name, true));
            }
        }
    })
}

/// Files with only vertices, lines or curves: the vertices are read as points.
fn read_points(source: &Source, file: &Obj, mut scene: Scene) -> Result<Scene, ReadError> {
    scene.notes.push("no faces: the vertices are read as points".to_owned());
    let colors = file.linear_colors().unwrap_or_default();
    let normals = if file.normals.len() == file.positions.len() { file.normals.clone() } else { Vec::new() };
    let builder = PointCloudBuilder {
        positions: file.positions.clone(),
        colors: colors.iter().map(|c| c.truncate()).collect(),
        normals,
    };
    let cloud = builder.build(source, &mut scene.notes)?;
    scene.clouds.push(cloud);
    Ok(scene)
}

/// Faces that become one mesh.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct FaceGroup {
    name: usize,
    material: Option<usize>,
}

#[derive(Default)]
struct Obj {
    positions: Vec<DVec3>,
    /// As many as positions once one vertex has a color; NaN for those without.
    colors: Vec<Vec3>,
    uvs: Vec<Vec2>,
    normals: Vec<Vec3>,
    faces: Polygons,
    /// Texture coordinate and normal of each corner of `faces`.
    attributes: Vec<[u32; 2]>,
    /// The part of each polygon.
    part_of: Vec<FaceGroup>,
    /// Names of objects and groups; the first is "no name".
    names: Vec<Option<String>>,
    /// Names of materials in order of first use.
    materials: Vec<String>,
    libraries: Vec<String>,
    skipped: usize,
}

/// The state that applies to the next face.
#[derive(Default)]
struct ParserState {
    object: Option<usize>,
    group: Option<usize>,
    material: Option<usize>,
    name_indices: HashMap<String, usize>,
    material_indices: HashMap<String, usize>,
}

impl Obj {
    fn parse(source: &Source) -> Result<Self, ReadError> {
        let mut file = Self { names: vec![None], ..Self::default() };
        let mut state = ParserState::default();
        let mut joined: Vec<u8> = Vec::new();
        for (_, line) in text::lines(source.bytes) {
            // A backslash at the end continues the line.
            let trimmed = line.trim_ascii_end();
            if let Some(start) = trimmed.strip_suffix(b"\\") {
                joined.extend_from_slice(start);
                joined.push(b' ');
                continue;
            }
            if joined.is_empty() {
                file.statement(trimmed, &mut state);
            } else {
                joined.extend_from_slice(trimmed);
                file.statement(&joined, &mut state);
                joined.clear();
            }
        }
        file.statement(&joined, &mut state);
        source.check_vertices(file.positions.len() as u64)?;
        if file.positions.is_empty() && file.skipped > 0 {
            return Err(source
                .invalid(format!("no vertex, and {} that cannot be read", pluralize(file.skipped, "line"))));
        }
        Ok(file)
    }

    fn statement(&mut self, line: &[u8], state: &mut ParserState) {
        let (keyword, rest) = text::split_keyword(line);
        let read = match keyword {
            b"v" => self.vertex(rest),
            b"vt" => self.texture_coordinate(rest),
            b"vn" => self.normal(rest),
            b"f" | b"fo" => self.face(rest, state),
            b"usemtl" => {
                state.material = Some(intern(&mut state.material_indices, &mut self.materials, rest, |s| s));
                Some(())
            }
            b"mtllib" => {
                let name = text::decode(rest);
                if !self.libraries.contains(&name) && self.libraries.len() < 64 {
                    self.libraries.push(name);
                }
                Some(())
            }
            b"o" => {
                state.object = Some(intern(&mut state.name_indices, &mut self.names, rest, Some));
                // Groups belong to the object before.
                state.group = None;
                Some(())
            }
            b"g" => {
                state.group = Some(intern(&mut state.name_indices, &mut self.names, rest, Some));
                Some(())
            }
            // Comments, lines, points, smoothing, curves and their parameters carry no surface.
            [] | [b'#', ..] | b"l" | b"p" | b"s" | b"vp" => Some(()),
            word => (word.len() < 16 && word.iter().all(|b| b.is_ascii_graphic())).then_some(()),
        };
        if read.is_none() {
            self.skipped += 1;
        }
    }

    /// `v x y z`, with `w`, or with a color behind (`r g b`, in bytes or `0..=1`).
    fn vertex(&mut self, rest: &[u8]) -> Option<()> {
        let mut values = [f64::NAN; 7];
        let mut n = 0;
        for (slot, field) in values.iter_mut().zip(text::fields(rest)) {
            let Some(value) = text::number(field) else { break };
            *slot = value;
            n += 1;
        }
        let [x, y, z, a, b, c, d] = values;
        // An invalid vertex is kept, so that later indices stay correct.
        self.positions.push(DVec3::new(x, y, z));
        // Six numbers are `x y z r g b`; seven have `w` before the color.
        let color = match n {
            6 => Some(Vec3::new(a as f32, b as f32, c as f32)),
            7 => Some(Vec3::new(b as f32, c as f32, d as f32)),
            _ => None,
        };
        if color.is_some() || !self.colors.is_empty() {
            self.colors.resize(self.positions.len() - 1, Vec3::NAN);
            self.colors.push(color.unwrap_or(Vec3::NAN));
        }
        (n >= 3).then_some(())
    }

    fn texture_coordinate(&mut self, rest: &[u8]) -> Option<()> {
        let mut values = text::fields(rest).map_while(text::number);
        let u = values.next();
        let v = values.next().unwrap_or(0.0);
        // v runs upward in OBJ, downward here.
        self.uvs.push(Vec2::new(u.unwrap_or(0.0) as f32, 1.0 - v as f32));
        u.map(|_| ())
    }

    fn normal(&mut self, rest: &[u8]) -> Option<()> {
        let mut values = text::fields(rest).map_while(text::number).map(|v| v as f32);
        let normal = (|| Some(Vec3::new(values.next()?, values.next()?, values.next()?)))();
        self.normals.push(normal.unwrap_or(Vec3::ZERO));
        normal.map(|_| ())
    }

    /// `f v v/vt v//vn v/vt/vn …`; negative numbers count back from the newest.
    fn face(&mut self, rest: &[u8], state: &ParserState) -> Option<()> {
        let before = self.faces.corners.len();
        for field in text::fields(rest).take_while(|f| !f.starts_with(b"#")) {
            let mut parts = field.split(|&b| b == b'/');
            let Some(vertex) = parts.next().and_then(text::integer) else {
                // An unreadable corner drops the whole face.
                self.faces.corners.truncate(before);
                self.attributes.truncate(before);
                return None;
            };
            let mut attribute = |total: usize| {
                let index = parts.next().and_then(text::integer).unwrap_or(0);
                u32::try_from(resolve(index, total)).unwrap_or(NONE)
            };
            let attributes = [attribute(self.uvs.len()), attribute(self.normals.len())];
            self.faces.corners.push(resolve(vertex, self.positions.len()));
            self.attributes.push(attributes);
        }
        self.faces.ends.push(self.faces.corners.len());
        // Groups are often finer than parts, so objects take precedence.
        let name = state.object.or(state.group).unwrap_or(0);
        self.part_of.push(FaceGroup { name, material: state.material });
        Some(())
    }

    /// Linear RGBA, white for vertices without; `None` where no vertex has a color.
    fn linear_colors(&self) -> Option<Vec<Vec4>> {
        let largest = self.colors.iter().filter(|c| !c.is_nan()).map(|c| c.max_element()).reduce(f32::max)?;
        let scale = color::full_scale(f64::from(largest)) as f32;
        let mut colors: Vec<Vec4> = self
            .colors
            .iter()
            .map(|c| if c.is_nan() { Vec4::ONE } else { color::from_unit(*c / scale).extend(1.0) })
            .collect();
        colors.resize(self.positions.len(), Vec4::ONE);
        Some(colors)
    }

    /// Triangles by part, in order of first use.
    fn parts(&self, triangles: &Triangles) -> Vec<(FaceGroup, Vec<[u32; 3]>)> {
        let mut index: HashMap<FaceGroup, usize> = HashMap::new();
        let mut parts: Vec<(FaceGroup, Vec<[u32; 3]>)> = Vec::new();
        for (triangle, polygon) in &triangles.triangles {
            let part = self.part_of[*polygon as usize];
            let at = *index.entry(part).or_insert_with(|| {
                parts.push((part, Vec::new()));
                parts.len() - 1
            });
            parts[at].1.push(*triangle);
        }
        parts
    }

    /// One vertex for each combination of position, texture coordinate and normal.
    fn mesh_builder(
        &self,
        positions: &[Vec3],
        colors: Option<&[Vec4]>,
        triangles: &[[u32; 3]],
    ) -> MeshBuilder {
        let mut known: HashMap<[u32; 3], u32> = HashMap::with_capacity(triangles.len());
        let mut vertices: Vec<[u32; 3]> = Vec::new();
        let faces = triangles
            .iter()
            .map(|t| {
                t.map(|corner| {
                    let [uv, normal] = self.attributes[corner as usize];
                    let key = [self.faces.corners[corner as usize] as u32, uv, normal];
                    *known.entry(key).or_insert_with(|| {
                        vertices.push(key);
                        vertices.len() as u32 - 1
                    })
                })
            })
            .collect();
        let uv = |i: u32| self.uvs.get(i as usize).copied();
        let normal = |i: u32| self.normals.get(i as usize).copied();
        let any_uv = vertices.iter().any(|v| uv(v[1]).is_some());
        let any_normal = vertices.iter().any(|v| normal(v[2]).is_some());
        MeshBuilder {
            positions: vertices.iter().map(|v| positions[v[0] as usize]).collect(),
            faces,
            uvs: any_uv.then(|| vertices.iter().map(|v| uv(v[1]).unwrap_or(Vec2::ZERO)).collect()),
            normals: any_normal
                .then(|| vertices.iter().map(|v| normal(v[2]).unwrap_or(Vec3::ZERO)).collect()),
            colors: colors.map(|c| vertices.iter().map(|v| c[v[0] as usize]).collect()),
        }
    }

    fn add_materials(&self, source: &Source, scene: &mut Scene) {
        let library = mtl::read_libraries(source.path, &self.libraries, &mut scene.notes);
        let mut files = TextureFiles::new(source.path);
        let by_key = |key: fn(&str) -> String| -> HashMap<String, &Mtl> {
            // The first of several definitions counts, so it goes in last.
            library.iter().rev().map(|m| (key(&m.name), m)).collect()
        };
        // Names usually match exactly, but exporters differ in letter case.
        let (exact, loose) = (by_key(str::to_owned), by_key(str::to_ascii_lowercase));
        let find = |name: &str| exact.get(name).or_else(|| loose.get(&name.to_ascii_lowercase())).copied();
        let used: Vec<_> = self.materials.iter().map(|name| (name, find(name))).collect();
        let known = used.iter().filter_map(|(_, m)| *m);
        // Some exporters lose all colors: a model of which every part is black is not meant to be.
        let all_black = known.clone().count() > 1 && known.clone().all(mtl::is_black);
        if all_black {
            scene.notes.push("every material is black: treated as an export error".to_owned());
        }
        let around = MaterialContext { vertex_colors: !self.colors.is_empty(), all_black };
        for (name, material) in used {
            match material {
                Some(material) => scene.materials.push(mtl::resolve(material, around, &mut files)),
                None => {
                    if !library.is_empty() {
                        scene.notes.push(format!("material \"{}\" is missing", name.escape_debug()));
                    }
                    let name = Some(name.clone());
                    scene.materials.push(lexiform_geometry::Material {
                        name,
                        double_sided: true,
                        ..Default::default()
                    });
                }
            }
        }
        scene.textures = files.textures;
        scene.notes.extend(files.notes);
    }
}

/// Converts a 1-based or negative index to 0-based; negative if it is invalid.
fn resolve(index: i64, total: usize) -> i64 {
    match index {
        0 => -1,
        i if i > 0 => i - 1,
        i => (total as i64).saturating_add(i).max(-1),
    }
}

fn intern<T>(
    known: &mut HashMap<String, usize>,
    all: &mut Vec<T>,
    name: &[u8],
    new: fn(String) -> T,
) -> usize {
    let name = text::decode(name);
    *known.entry(name).or_insert_with_key(|name| {
        all.push(new(name.clone()));
        all.len() - 1
    })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn read_text(text: &str) -> Scene {
        read(&Source { path: Path::new("test.obj"), bytes: text.as_bytes(), format: "OBJ" }).unwrap()
    }

    #[test]
    fn corners_split_where_attributes_differ() {
        let scene = read_text(
            "v 0 0 0\nv 1 0 0\nv 1 1 0\nv 0 1 0\nvt 0 0\nvt 1 1\nf 1/1 2/1 3/2\nf 1/2 -2/2 \\\n-1/2\n",
        );
        assert_eq!((scene.n_vertices(), scene.n_faces()), (5, 2));
        assert_eq!(scene.meshes[0].uvs().unwrap()[0], Vec2::new(0.0, 1.0));
    }

    #[test]
    fn polygons_colors_and_faces_before_vertices() {
        let scene = read_text("f 1 2 3 4\nv 0 0 0 255 0 0\nv 1 0 0 0 0 0\nv 1 1 0 0 0 0\nv 0 1 0 0 0 0\n");
        assert_eq!(scene.n_faces(), 2);
        assert_eq!(scene.meshes[0].colors().unwrap()[0], Vec4::new(1.0, 0.0, 0.0, 1.0));
    }

    #[test]
    fn broken_faces_are_dropped_with_a_note_unless_all_are() {
        let scene = read_text("v 0 0 0\nv 1 0 0\nv 1 1 0\nf 1 2 3\nf 1 2 9\n");
        assert_eq!((scene.n_faces(), scene.notes.len()), (1, 1));
        let source = Source { path: Path::new("x"), bytes: b"v 0 0 0\nf 7 8 9\n", format: "OBJ" };
        let message = read(&source).unwrap_err().to_string();
        assert_eq!(message, "x: invalid OBJ: each of 1 face names a vertex that does not exist");
    }

    #[test]
    fn lines_without_faces_are_points() {
        assert_eq!(read_text("v 0 0 0\nv 1 0 0\nl 1 2\n").n_points(), 2);
    }
}
