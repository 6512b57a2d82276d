//! Objects in scenes as records of a library.

use glam::Vec3;
use lexiform_geometry::Scene;
use lexiform_store::{IndexState, Payload};
use serde::{Deserialize, Serialize};

use super::cache::segmentation_settings;
use super::{ElementKind, SceneIndex, upright_crop, without_textures};
use crate::fileless::SCENE_OBJECT_FORMAT;
use crate::fingerprint::Fingerprint;
use crate::part_names::object_names;
use crate::preprocess::scene_thumbnail;
use crate::{Error, UpRule};

/// Where an object is: the fields of [`Payload::extra`] of a record that is an object in a scene. Coordinates are those of the file,
/// with +Y up if its format states the up axis.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SceneObjectRef {
    /// Path of the scene in the library.
    pub scene: String,
    /// Its number in the scene, starting at 1: the object before it in [`SceneIndex::objects`] is number 1.
    pub object: u32,
    /// Smallest corner of its box.
    pub min: [f32; 3],
    /// Largest corner of its box.
    pub max: [f32; 3],
    /// Unit vector that points up in the scene.
    pub up: [f32; 3],
    /// How much it is separate from everything else, `0..=1`.
    pub objectness: f32,
    /// Numbers of the proposals in the scene that are the same thing, a part of it or around it.
    pub overlaps: Vec<u32>,
}

impl SceneObjectRef {
    /// Where the object of a record is; `None` if the record is not an object in a scene.
    pub fn of(payload: &Payload) -> Option<Self> {
        if payload.format != SCENE_OBJECT_FORMAT {
            return None;
        }
        serde_json::from_value(serde_json::Value::Object(payload.extra.clone())).ok()
    }

    /// The path of an object in the library.
    pub(crate) fn path(scene: &str, object: u32) -> String {
        format!("{scene}#{object}")
    }
}

/// The records of a scene.
pub(crate) struct SceneRecords<'a> {
    /// Path of the scene in the library.
    pub key: &'a str,
    /// Its content.
    pub fingerprint: &'a Fingerprint,
    /// The given up axis.
    pub up: Option<UpRule>,
    /// Its objects.
    pub index: &'a SceneIndex,
}

impl SceneRecords<'_> {
    /// The content hash of an object: that of the scene, of what proposals depend on, and of its number.
    pub(crate) fn content_hash(scene_hash: &str, up: Option<UpRule>, object: u32) -> String {
        let text = format!("{scene_hash}; {}; {object}", segmentation_settings(up));
        blake3::hash(text.as_bytes()).to_hex()[..32].to_owned()
    }

    /// Payload, index state and thumbnail of each object.
    ///
    /// # Errors
    /// [`Error::Io`] if a thumbnail cannot be encoded.
    pub(crate) fn records(&self, scene: &Scene) -> Result<Vec<(Payload, IndexState, Vec<u8>)>, Error> {
        let baked = without_textures(scene);
        let numbers = 0..self.index.objects.len();
        numbers.map(|i| Ok((self.payload(scene, i), self.state(), self.thumbnail(&baked, i)?))).collect()
    }

    fn payload(&self, scene: &Scene, i: usize) -> Payload {
        let (object, number) = (&self.index.objects[i], i as u32 + 1);
        let others = 0..self.index.objects.len();
        let reference = SceneObjectRef {
            scene: self.key.to_owned(),
            object: number,
            min: object.bounds.min.to_array(),
            max: object.bounds.max.to_array(),
            up: self.index.up.to_array(),
            objectness: object.objectness,
            overlaps: others
                .filter(|&other| other != i && self.index.is_same_object(i, other))
                .map(|other| other as u32 + 1)
                .collect(),
        };
        let extra = match serde_json::to_value(reference) {
            Ok(serde_json::Value::Object(extra)) => extra,
            _ => serde_json::Map::new(),
        };
        let count = object.elements.len() as u64;
        let is_mesh = self.index.kind == ElementKind::Triangles;
        Payload {
            path: SceneObjectRef::path(self.key, number),
            content_hash: Self::content_hash(&self.fingerprint.content_hash, self.up, number),
            format: SCENE_OBJECT_FORMAT.to_owned(),
            triangles: if is_mesh { count } else { 0 },
            points: if is_mesh { 0 } else { count },
            extents: object.bounds.extents().to_array(),
            modified_ns: self.fingerprint.modified_ns,
            objects: object_names(&super::crop(scene, &object.elements)),
            extra,
            ..Payload::default()
        }
    }

    fn state(&self) -> IndexState {
        let Fingerprint { stat_hash, dependencies, .. } = self.fingerprint;
        IndexState { stat_hash: stat_hash.clone(), dependencies: dependencies.clone() }
    }

    fn thumbnail(&self, baked: &Scene, i: usize) -> Result<Vec<u8>, Error> {
        let up = self.index.up.normalize_or(Vec3::Y);
        let shape = upright_crop(baked, &self.index.objects[i].elements, up);
        scene_thumbnail(shape).map_err(|error| Error::Io(std::io::Error::other(error)))
    }
}
