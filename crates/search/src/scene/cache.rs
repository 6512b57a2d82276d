//! The index of a scene in a file, so that later queries need neither the scene nor its segmentation.
//!
//! Layout: `LXSI`, the length of the header (`u32`), the header (JSON), embeddings (`f32`, one row per object), then for each object
//! its elements as differences of ascending numbers in [LEB128]. All numbers are little endian.
//!
//! [LEB128]: https://en.wikipedia.org/wiki/LEB128

use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use glam::Vec3;
use lexiform_formats::write_file;
use lexiform_geometry::Bounds;
use lexiform_mesh_io::UpRule;
use lexiform_model::Embedding;
use serde::{Deserialize, Serialize};

use super::{ElementKind, SceneIndex, SceneObject};
use crate::{Encoder, HIDDEN_FOLDER};

const MAGIC: &[u8; 4] = b"LXSI";
/// Folder of indexed scenes in the hidden folder next to a scene.
const FOLDER: &str = "scenes";

/// The file of a scene's index: in the hidden folder next to the scene, for one model and one way to read the scene.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SceneFile {
    path: PathBuf,
    /// Size and time of the scene's file, and everything else that the index depends on.
    key: String,
}

/// What proposals depend on but the scene.
pub(super) fn segmentation_settings(up: Option<UpRule>) -> String {
    let up = up.map_or_else(|| "found".to_owned(), |up| up.to_string());
    format!("scene 1; up {up}")
}

#[derive(Serialize, Deserialize)]
struct Header {
    key: String,
    up: [f32; 3],
    triangles: bool,
    n_elements: usize,
    dim: usize,
    objects: Vec<ObjectHeader>,
}

#[derive(Serialize, Deserialize)]
struct ObjectHeader {
    min: [f32; 3],
    max: [f32; 3],
    objectness: f32,
    elements: usize,
}

impl SceneFile {
    /// The index file of a scene; `settings` are all that the index depends on but the scene: model, preprocessing, up axis.
    ///
    /// # Errors
    /// If the scene's file cannot be found.
    pub fn new(scene: &Path, settings: &str) -> std::io::Result<Self> {
        let scene = scene.canonicalize()?;
        let metadata = scene.metadata()?;
        let modified = metadata.modified()?.duration_since(UNIX_EPOCH).map_or(0, |time| time.as_nanos());
        let name = scene.file_name().unwrap_or_default().to_string_lossy();
        let folder = scene.parent().unwrap_or(Path::new("")).join(HIDDEN_FOLDER).join(FOLDER);
        let path = folder.join(format!("{name}-{}.scene", &blake3::hash(settings.as_bytes()).to_hex()[..12]));
        Ok(Self { path, key: format!("{} bytes at {modified}; {settings}", metadata.len()) })
    }

    /// The index file of a scene for a model. `up` is the given up axis; the one that the planes of the scene have if `None`.
    ///
    /// # Errors
    /// If the scene's file cannot be found.
    pub fn for_model(scene: &Path, encoder: &dyn Encoder, up: Option<UpRule>) -> std::io::Result<Self> {
        let settings =
            format!("{}; {}; {}", encoder.id(), encoder.preprocessing(), segmentation_settings(up));
        Self::new(scene, &settings)
    }

    /// The index file of a shape and its parts for a model; `up` is the rule that it was read with.
    ///
    /// # Errors
    /// If the shape's file cannot be found.
    pub fn for_parts(shape: &Path, encoder: &dyn Encoder, up: UpRule) -> std::io::Result<Self> {
        Self::new(shape, &format!("{}; {}; parts 1; up {up}", encoder.id(), encoder.preprocessing()))
    }

    /// The index, if it was written for the same scene and settings and is whole.
    pub fn read(&self) -> Option<SceneIndex> {
        let bytes = std::fs::read(&self.path).ok()?;
        decode(&bytes, &self.key)
    }

    /// Writes the index.
    ///
    /// # Errors
    /// If the folder cannot be made or the file not be written.
    pub fn write(&self, index: &SceneIndex) -> std::io::Result<()> {
        if let Some(folder) = self.path.parent() {
            fs_err::create_dir_all(folder)?;
        }
        write_file(&self.path, &encode(index, &self.key)?)
    }
}

fn encode(index: &SceneIndex, key: &str) -> std::io::Result<Vec<u8>> {
    let object = |object: &SceneObject| ObjectHeader {
        min: object.bounds.min.to_array(),
        max: object.bounds.max.to_array(),
        objectness: object.objectness,
        elements: object.elements.len(),
    };
    let header = Header {
        key: key.to_owned(),
        up: index.up.to_array(),
        triangles: index.kind == ElementKind::Triangles,
        n_elements: index.n_elements,
        dim: index.objects.first().map_or(0, |o| o.embedding.as_slice().len()),
        objects: index.objects.iter().map(object).collect(),
    };
    let json = serde_json::to_vec(&header)?;
    let mut bytes = [&MAGIC[..], &(json.len() as u32).to_le_bytes(), &json].concat();
    for object in &index.objects {
        object.embedding.as_slice().iter().for_each(|value| bytes.extend(value.to_le_bytes()));
    }
    for object in &index.objects {
        let mut last = 0;
        for &element in &object.elements {
            push_leb128(&mut bytes, element - last);
            last = element;
        }
    }
    Ok(bytes)
}

/// `None` for anything but what [`encode`] writes for this key.
fn decode(bytes: &[u8], key: &str) -> Option<SceneIndex> {
    let rest = bytes.strip_prefix(MAGIC)?;
    let (length, rest) = rest.split_first_chunk::<4>()?;
    let (json, rest) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)?;
    let header: Header = serde_json::from_slice(json).ok()?;
    let row = header.dim.checked_mul(4)?;
    let (embeddings, mut elements) = rest.split_at_checked(row.checked_mul(header.objects.len())?)?;
    if header.key != key {
        return None;
    }
    let mut rows = embeddings.chunks_exact(row.max(1));
    let mut objects = Vec::with_capacity(header.objects.len());
    for object in &header.objects {
        let values = rows.next()?.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]));
        objects.push(SceneObject {
            elements: read_elements(&mut elements, object.elements, header.n_elements)?,
            bounds: Bounds { min: object.min.into(), max: object.max.into() },
            objectness: object.objectness,
            embedding: Embedding::new(values.collect()).ok()?,
        });
    }
    let kind = if header.triangles { ElementKind::Triangles } else { ElementKind::Points };
    Some(SceneIndex { up: Vec3::from(header.up), kind, n_elements: header.n_elements, objects })
}

fn read_elements(bytes: &mut &[u8], count: usize, n_elements: usize) -> Option<Vec<u32>> {
    // Each takes a byte at least.
    if count > bytes.len() {
        return None;
    }
    let mut last = 0_u32;
    let next = |_| {
        last = last.checked_add(pop_leb128(bytes)?)?;
        ((last as usize) < n_elements).then_some(last)
    };
    (0..count).map(next).collect()
}

fn push_leb128(bytes: &mut Vec<u8>, mut value: u32) {
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
}

fn pop_leb128(bytes: &mut &[u8]) -> Option<u32> {
    let mut value = 0_u32;
    for shift in (0..32).step_by(7) {
        let (&byte, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u32::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn index() -> SceneIndex {
        let object = |elements: Vec<u32>, x: f32| SceneObject {
            elements,
            bounds: Bounds { min: Vec3::ZERO, max: Vec3::splat(x) },
            objectness: 0.5,
            embedding: Embedding::new(vec![x, 1.0]).unwrap(),
        };
        let objects = vec![object(vec![0, 3, 200, 70_000], 1.0), object(vec![7], 2.0)];
        SceneIndex { up: Vec3::Z, kind: ElementKind::Points, n_elements: 70_001, objects }
    }

    #[test]
    fn an_index_is_read_back_for_the_same_key_only() {
        let bytes = encode(&index(), "a").unwrap();
        assert_eq!(decode(&bytes, "a"), Some(index()));
        assert_eq!(decode(&bytes, "b"), None);
    }

    #[test]
    fn broken_bytes_are_no_index() {
        let bytes = encode(&index(), "a").unwrap();
        for end in 0..bytes.len() {
            assert_eq!(decode(&bytes[..end], "a"), None, "{end} bytes");
        }
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 0x40;
            // A value or none, never a panic; numbers stay in range.
            if let Some(found) = decode(&changed, "a") {
                assert!(
                    found.objects.iter().flat_map(|o| &o.elements).all(|&e| (e as usize) < found.n_elements)
                );
            }
        }
    }

    #[test]
    fn a_changed_scene_has_another_key() {
        let folder = tempfile::tempdir().unwrap();
        let scene = folder.path().join("room.ply");
        std::fs::write(&scene, "one").unwrap();
        let file = SceneFile::new(&scene, "nano").unwrap();
        file.write(&index()).unwrap();
        assert_eq!(SceneFile::new(&scene, "nano").unwrap().read(), Some(index()));
        assert_eq!(SceneFile::new(&scene, "clip").unwrap().read(), None);
        std::fs::write(&scene, "three").unwrap();
        assert_eq!(SceneFile::new(&scene, "nano").unwrap().read(), None);
    }
}
