//! Scenes of [Replica](https://arxiv.org/abs/1906.05797): a binary mesh whose faces have the number of their object (`object_id`), and the
//! classes of objects (`info_semantic.json`); +Z up.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use glam::{Vec3, Vec4};
use lexiform_geometry::{Mesh, Scene, linear_from_srgb};
use serde::Deserialize;

use super::failures::{invalid, unreadable};
use super::labeled_scene::NO_INSTANCE;
use super::{LabeledScene, SceneInstance};
use crate::EvalError;

/// The classes of a scene's objects.
const INFO: &str = "info_semantic.json";
/// Meshes with objects: as published, in the folder `habitat`, and as others rename it.
const MESHES: [&str; 2] = ["mesh_semantic.ply", "mesh.ply"];
/// Corners of a face.
const MAX_CORNERS: usize = 255;

#[derive(Deserialize)]
struct Info {
    objects: Vec<Object>,
}

#[derive(Deserialize)]
struct Object {
    id: i64,
    class_name: String,
}

/// The mesh with objects in a folder of a scene; `None` if the folder has another layout.
pub(super) fn replica_mesh(folder: &Path) -> Option<PathBuf> {
    let mesh = MESHES.iter().map(|name| folder.join(name)).find(|path| path.is_file())?;
    folder.join(INFO).is_file().then_some(mesh)
}

/// Reads a scene. Faces without an object that has a class are of no instance; polygons become triangles around their first corner.
pub(super) fn read_replica_scene(folder: &Path, mesh: &Path) -> Result<LabeledScene, EvalError> {
    let path = folder.join(INFO);
    let text = fs_err::read(&path).map_err(|error| unreadable(&error))?;
    let info: Info = serde_json::from_slice(&text).map_err(|error| invalid(&path, &error.to_string()))?;
    let of_ids: HashMap<i64, u32> = info.objects.iter().map(|object| object.id).zip(0..).collect();
    let bytes = fs_err::read(mesh).map_err(|error| unreadable(&error))?;
    let SemanticMesh { positions, colors, faces, objects } =
        SemanticMesh::parse(&bytes).map_err(|reason| invalid(mesh, &reason))?;
    let surface = Mesh::new(positions, faces).and_then(|surface| match colors.is_empty() {
        true => Ok(surface),
        false => surface.with_colors(colors),
    });
    let surface = surface.map_err(|error| invalid(mesh, &error.to_string()))?;
    let instances = info.objects.iter().map(|object| SceneInstance::new(&object.class_name)).collect();
    let of_elements = objects.iter().map(|id| of_ids.get(id).copied().unwrap_or(NO_INSTANCE)).collect();
    Ok(LabeledScene {
        name: name_of(folder),
        scene: Scene::from_mesh(surface),
        up: Vec3::Z,
        instances,
        of_elements,
    })
}

/// The name of a scene: of its folder, or of the one around `habitat`.
fn name_of(folder: &Path) -> String {
    let name = |path: &Path| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    match (name(folder), folder.parent()) {
        (own, Some(parent)) if own == "habitat" => name(parent),
        (own, _) => own,
    }
}

/// Triangles with the object of each.
struct SemanticMesh {
    positions: Vec<Vec3>,
    /// Linear; empty if the file has none.
    colors: Vec<Vec4>,
    faces: Vec<[u32; 3]>,
    objects: Vec<i64>,
}

/// A number of a binary PLY file.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Scalar {
    Signed(usize),
    Unsigned(usize),
    F32,
    F64,
}

/// A property of an element.
struct Property {
    name: String,
    /// Type of the length, if it is a list.
    length: Option<Scalar>,
    value: Scalar,
}

struct Element {
    name: String,
    count: usize,
    properties: Vec<Property>,
}

impl Scalar {
    fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "char" | "int8" => Self::Signed(1),
            "short" | "int16" => Self::Signed(2),
            "int" | "int32" => Self::Signed(4),
            "uchar" | "uint8" => Self::Unsigned(1),
            "ushort" | "uint16" => Self::Unsigned(2),
            "uint" | "uint32" => Self::Unsigned(4),
            "float" | "float32" => Self::F32,
            "double" | "float64" => Self::F64,
            _ => return None,
        })
    }

    fn size(self) -> usize {
        match self {
            Self::Signed(size) | Self::Unsigned(size) => size,
            Self::F32 => 4,
            Self::F64 => 8,
        }
    }

    /// Reads a number; every integer of a PLY file is one of f64 too.
    fn read(self, rest: &mut &[u8]) -> Result<f64, String> {
        let (bytes, after) = rest.split_at_checked(self.size()).ok_or("the file is truncated")?;
        *rest = after;
        let mut wide = [0; 8];
        wide[..bytes.len()].copy_from_slice(bytes);
        let unsigned = u64::from_le_bytes(wide);
        Ok(match self {
            Self::Unsigned(_) => unsigned as f64,
            // The sign bit is moved to the top and back.
            Self::Signed(size) => ((unsigned << (64 - 8 * size)) as i64 >> (64 - 8 * size)) as f64,
            Self::F32 => f64::from(f32::from_bits(unsigned as u32)),
            Self::F64 => f64::from_bits(unsigned),
        })
    }
}

impl SemanticMesh {
    fn parse(bytes: &[u8]) -> Result<Self, String> {
        let (elements, mut rest) = header(bytes)?;
        let mut mesh =
            Self { positions: Vec::new(), colors: Vec::new(), faces: Vec::new(), objects: Vec::new() };
        for element in &elements {
            for _ in 0..element.count {
                match element.name.as_str() {
                    "vertex" => mesh.read_vertex(element, &mut rest)?,
                    "face" => mesh.read_face(element, &mut rest)?,
                    _ => element.properties.iter().try_for_each(|p| p.read(&mut rest).map(drop))?,
                }
            }
        }
        if mesh.faces.is_empty() {
            return Err("expected faces, found none".to_owned());
        }
        Ok(mesh)
    }

    fn read_vertex(&mut self, element: &Element, rest: &mut &[u8]) -> Result<(), String> {
        let (mut position, mut color) = ([f64::NAN; 3], [f64::NAN; 3]);
        for property in &element.properties {
            let value = property.read(rest)?.first().copied().unwrap_or(f64::NAN);
            match property.name.as_str() {
                "x" => position[0] = value,
                "y" => position[1] = value,
                "z" => position[2] = value,
                "red" => color[0] = value,
                "green" => color[1] = value,
                "blue" => color[2] = value,
                _ => {}
            }
        }
        self.positions.push(Vec3::from(position.map(|x| x as f32)));
        if !color.iter().any(|x| x.is_nan()) {
            let linear = color.map(|value| linear_from_srgb(value.clamp(0.0, 255.0) as u8));
            self.colors.push(Vec3::from(linear).extend(1.0));
        }
        Ok(())
    }

    fn read_face(&mut self, element: &Element, rest: &mut &[u8]) -> Result<(), String> {
        let (mut corners, mut object) = (Vec::new(), None);
        for property in &element.properties {
            let values = property.read(rest)?;
            match property.name.as_str() {
                "vertex_indices" | "vertex_index" => corners = values,
                "object_id" => object = values.first().map(|id| *id as i64),
                _ => {}
            }
        }
        let object = object.ok_or("expected faces with object_id, as in mesh_semantic.ply")?;
        for pair in corners.get(1..).unwrap_or_default().windows(2) {
            self.faces.push([corners[0], pair[0], pair[1]].map(|index| index as u32));
            self.objects.push(object);
        }
        Ok(())
    }
}

impl Property {
    /// Its numbers in a row: one, or those of the list.
    fn read(&self, rest: &mut &[u8]) -> Result<Vec<f64>, String> {
        let count = match self.length {
            Some(length) => length.read(rest)? as usize,
            None => 1,
        };
        if count > MAX_CORNERS {
            return Err(format!("expected lists of up to {MAX_CORNERS} numbers, found {count}"));
        }
        (0..count).map(|_| self.value.read(rest)).collect()
    }
}

/// The elements, and the bytes after the header.
fn header(bytes: &[u8]) -> Result<(Vec<Element>, &[u8]), String> {
    const END: &[u8] = b"end_header\n";
    let end = bytes.windows(END.len()).position(|part| part == END).ok_or("expected a PLY header")?;
    let (text, rest) = (String::from_utf8_lossy(&bytes[..end]), &bytes[end + END.len()..]);
    if !text.starts_with("ply\nformat binary_little_endian 1.0") {
        return Err("expected a binary PLY file, format binary_little_endian 1.0".to_owned());
    }
    let mut elements: Vec<Element> = Vec::new();
    for line in text.lines() {
        match line.split_whitespace().collect::<Vec<_>>()[..] {
            ["element", name, count] => {
                let count = count.parse().map_err(|_| format!("expected a count, found {count:?}"))?;
                elements.push(Element { name: name.to_owned(), count, properties: Vec::new() });
            }
            ["property", ref types @ .., name] => {
                let scalar = |name: &str| Scalar::parse(name).ok_or_else(|| format!("unknown type {name:?}"));
                let (length, value) = match types {
                    ["list", length, value] => (Some(scalar(length)?), scalar(value)?),
                    [value] => (None, scalar(value)?),
                    _ => return Err(format!("invalid property: {line}")),
                };
                let element = elements.last_mut().ok_or("expected an element before its properties")?;
                element.properties.push(Property { name: name.to_owned(), length, value });
            }
            _ => {}
        }
    }
    // An element without properties takes no bytes, and any number of them would be read.
    match elements.iter().find(|element| element.properties.is_empty() && element.count > 0) {
        Some(element) => Err(format!("element {} has no properties", element.name)),
        None => Ok((elements, rest)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str = "ply\nformat binary_little_endian 1.0\nelement vertex 5\nproperty float x\nproperty float y\n\
                          property float z\nproperty uchar red\nproperty uchar green\nproperty uchar blue\n\
                          element face 2\nproperty list uchar int vertex_indices\nproperty int object_id\nend_header\n";

    /// A square of object 7 and a triangle of object -1.
    fn mesh() -> Vec<u8> {
        let mut bytes = HEADER.as_bytes().to_vec();
        for [x, y] in [[0.0_f32, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0], [2.0, 2.0]] {
            [x, y, 0.0].iter().for_each(|value| bytes.extend(value.to_le_bytes()));
            bytes.extend([255, 0, 0]);
        }
        for (corners, object) in [(&[0, 1, 2, 3][..], 7_i32), (&[1, 4, 2], -1)] {
            bytes.push(corners.len() as u8);
            corners.iter().for_each(|corner: &i32| bytes.extend(corner.to_le_bytes()));
            bytes.extend(object.to_le_bytes());
        }
        bytes
    }

    #[test]
    fn faces_are_of_the_objects_with_classes() {
        let folder = tempfile::tempdir().unwrap();
        let scene = folder.path().join("room_0/habitat");
        fs_err::create_dir_all(&scene).unwrap();
        assert_eq!(replica_mesh(&scene), None);
        fs_err::write(scene.join("mesh_semantic.ply"), mesh()).unwrap();
        let info = r#"{"classes": [], "objects": [{"id": 3, "class_name": "wall"}, {"id": 7, "class_name": "chair"}]}"#;
        fs_err::write(scene.join(INFO), info).unwrap();
        let path = replica_mesh(&scene).unwrap();
        let read = read_replica_scene(&scene, &path).unwrap();
        assert_eq!((read.name.as_str(), read.up), ("room_0", Vec3::Z));
        assert_eq!(read.scene.meshes[0].faces(), [[0, 1, 2], [0, 2, 3], [1, 4, 2]]);
        assert_eq!(read.of_elements, [1, 1, NO_INSTANCE]);
        assert_eq!(read.instances[1], SceneInstance { label: "chair".into(), is_object: true });
        assert_eq!(read.scene.meshes[0].colors().unwrap()[0], Vec4::new(1.0, 0.0, 0.0, 1.0));
    }

    #[test]
    fn broken_files_are_errors() {
        let bytes = mesh();
        for end in 0..bytes.len() {
            assert!(SemanticMesh::parse(&bytes[..end]).is_err(), "{end} bytes");
        }
        let huge = HEADER.replace("vertex 5", "vertex 99999999999");
        assert!(SemanticMesh::parse(huge.as_bytes()).is_err());
        let without = HEADER.replace("property int object_id\n", "");
        let error = SemanticMesh::parse(&[without.as_bytes(), &[0; 200]].concat()).err().unwrap();
        assert!(error.contains("object_id"), "{error}");
    }
}
