//! Objects in a scene by words: the scene is segmented into proposals, each of which is embedded like a file of its own.

mod cache;
mod crop;
mod distinct;
mod paint;
mod parts;
mod record;
mod snapshots;

use glam::{Affine3A, Quat, Vec3};
use lexiform_geometry::{Bounds, Scene};
use lexiform_model::Embedding;
use lexiform_segment::{SegmentConfig, Segmentation, overlap, segment};
use rayon::prelude::*;
use serde::Serialize;

pub use self::cache::SceneFile;
pub use self::crop::crop;
pub(crate) use self::crop::without_textures;
pub(crate) use self::distinct::{keep_distinct, prefer_separate};
pub use self::paint::{ANSWER_COLORS, paint};
pub use self::record::SceneObjectRef;
pub(crate) use self::record::SceneRecords;

use crate::query::{embed_text, encode_error};
use crate::{EncodeError, Encoder, Error, ModelInput, ShapePreprocessor};

/// Proposals that are embedded at once.
const BATCH: usize = 8;
/// How much objectness counts next to similarity: enough to prefer a chair to its seat.
const OBJECTNESS_WEIGHT: f32 = 0.15;
/// Intersection over union, and share of the smaller one, from which two answers are the same object.
const SAME_OBJECT: f32 = 0.3;
const SAME_SHARE: f32 = 0.7;
/// Points or triangles of which a proposal's shape is made at most: views and encoders cannot show more.
const MAX_CROP_ELEMENTS: usize = 200_000;

/// What a scene consists of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ElementKind {
    /// Points of clouds, counted over all.
    Points,
    /// Triangles, counted over all meshes.
    Triangles,
}

impl ElementKind {
    /// The elements of a scene: its triangles, or its points if it has none.
    pub fn of(scene: &Scene) -> Self {
        if scene.n_faces() > 0 { Self::Triangles } else { Self::Points }
    }

    /// Plural noun.
    pub fn name(self) -> &'static str {
        match self {
            Self::Points => "points",
            Self::Triangles => "triangles",
        }
    }
}

/// What may be an object in a scene.
#[derive(Clone, Debug, PartialEq)]
pub struct SceneObject {
    /// Indices of its elements, ascending.
    pub elements: Vec<u32>,
    /// The box around them, in the coordinates of the scene.
    pub bounds: Bounds,
    /// How much it is separate from everything else, `0..=1`.
    pub objectness: f32,
    /// Its embedding by the model.
    pub embedding: Embedding,
}

/// The objects of a scene, ready to be found.
///
/// ```no_run
/// use lexiform_search::{EncoderOptions, SceneIndex};
///
/// let encoder = EncoderOptions::default().open("nano")?;
/// let room = lexiform_mesh_io::read(std::path::Path::new("room.ply"))?;
/// let index = SceneIndex::build(&*encoder, &room, &Default::default(), &|_, _| {})?;
/// for answer in index.find(&*encoder, "a chair", 3)? {
///     println!("{:.2} {:?}", answer.score, index.objects[answer.object].bounds);
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct SceneIndex {
    /// Unit vector that points up in the coordinates of the scene.
    pub up: Vec3,
    /// What elements are.
    pub kind: ElementKind,
    /// Number of elements of the scene.
    pub n_elements: usize,
    /// Proposals, the most object-like first.
    pub objects: Vec<SceneObject>,
}

/// An object that answers a query.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SceneAnswer {
    /// Index into [`SceneIndex::objects`].
    pub object: usize,
    /// Cosine similarity of query and object.
    pub score: f32,
}

impl SceneIndex {
    /// Segments a scene and embeds its proposals; `progress` gets the number done and that of all.
    ///
    /// # Errors
    /// [`Error::Encode`] if the model fails.
    pub fn build(
        encoder: &dyn Encoder,
        scene: &Scene,
        config: &SegmentConfig,
        progress: &dyn Fn(usize, usize),
    ) -> Result<Self, Error> {
        Self::of_segmentation(encoder, scene, &segment(scene, config), progress)
    }

    /// Embeds the proposals of a segmented scene.
    ///
    /// # Errors
    /// [`Error::Encode`] if the model fails.
    pub fn of_segmentation(
        encoder: &dyn Encoder,
        scene: &Scene,
        found: &Segmentation,
        progress: &dyn Fn(usize, usize),
    ) -> Result<Self, Error> {
        let masks: Vec<Vec<u32>> = found.proposals.par_iter().map(|p| found.elements(&p.voxels)).collect();
        let objectness = found.proposals.iter().map(|proposal| proposal.objectness);
        // Of a mesh, a part of a large triangle is no element.
        let masks = masks.into_iter().zip(objectness).filter(|(mask, _)| !mask.is_empty()).collect();
        Self::of_masks(encoder, scene, found.up, masks, progress)
    }

    /// Embeds given masks, each with its objectness.
    ///
    /// # Errors
    /// [`Error::Encode`] if the model fails.
    pub fn of_masks(
        encoder: &dyn Encoder,
        scene: &Scene,
        up: Vec3,
        masks: Vec<(Vec<u32>, f32)>,
        progress: &dyn Fn(usize, usize),
    ) -> Result<Self, Error> {
        let preprocessor = ShapePreprocessor::for_encoder(encoder);
        let baked = crop::without_textures(scene);
        let input = |mask: &Vec<u32>| preprocessor.process_scene(upright_crop(&baked, mask, up));
        let kind = ElementKind::of(scene);
        let total = masks.len();
        let mut objects = Vec::with_capacity(total);
        for batch in masks.chunks(BATCH) {
            let inputs: Vec<ModelInput> = batch.par_iter().map(|(mask, _)| input(mask)).collect();
            let embeddings = encoder.embed_shapes(inputs).map_err(|e| encode_error(encoder, e))?;
            for ((elements, objectness), embedding) in batch.iter().zip(embeddings) {
                let Some(bounds) = crop(&baked, elements).bounds() else { continue };
                objects.push(SceneObject {
                    elements: elements.clone(),
                    bounds,
                    objectness: *objectness,
                    embedding,
                });
            }
            progress((objects.len()).min(total), total);
        }
        let n_elements = if kind == ElementKind::Triangles { scene.n_faces() } else { scene.n_points() };
        Ok(Self { up, kind, n_elements, objects })
    }

    /// The `k` objects that a text describes best, no two of the same thing.
    ///
    /// # Errors
    /// [`Error::Query`] for an empty text, [`Error::Encode`] if the model fails or is not that of the index.
    pub fn find(&self, encoder: &dyn Encoder, text: &str, k: usize) -> Result<Vec<SceneAnswer>, Error> {
        let query = embed_text(encoder, text)?;
        let dim = query.as_slice().len();
        if let Some(other) = self.objects.iter().find(|o| o.embedding.as_slice().len() != dim) {
            let found = other.embedding.as_slice().len();
            let source: EncodeError = format!("expected an index of length {dim}, found {found}").into();
            return Err(encode_error(encoder, source));
        }
        Ok(self.ranked(&query, k))
    }

    /// The `k` objects nearest to an embedding, no two of the same thing.
    pub fn ranked(&self, query: &Embedding, k: usize) -> Vec<SceneAnswer> {
        let score =
            |object: &SceneObject| object.embedding.dot(query) + OBJECTNESS_WEIGHT * object.objectness;
        let mut order: Vec<(f32, usize)> = self.objects.iter().map(score).zip(0..).collect();
        order.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        let mut answers: Vec<SceneAnswer> = Vec::new();
        for (_, object) in order {
            if answers.len() == k {
                break;
            }
            if answers.iter().all(|answer| !self.is_same_object(answer.object, object)) {
                answers.push(SceneAnswer { object, score: self.objects[object].embedding.dot(query) });
            }
        }
        answers
    }

    pub(crate) fn is_same_object(&self, a: usize, b: usize) -> bool {
        let (a, b) = (&self.objects[a].elements, &self.objects[b].elements);
        let (both, iou) = overlap(a, b);
        iou > SAME_OBJECT || both as f32 > SAME_SHARE * a.len().min(b.len()) as f32
    }
}

/// The elements of a mask, thinned if they are many, with +Y up.
pub(crate) fn upright_crop(scene: &Scene, mask: &[u32], up: Vec3) -> Scene {
    let step = mask.len().div_ceil(MAX_CROP_ELEMENTS).max(1);
    let thinned: Vec<u32> = mask.iter().step_by(step).copied().collect();
    let upright = Affine3A::from_quat(Quat::from_rotation_arc(up.normalize_or(Vec3::Y), Vec3::Y));
    crop(scene, &thinned).transformed(upright)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(elements: std::ops::Range<u32>, embedding: [f32; 2], objectness: f32) -> SceneObject {
        let bounds = Bounds { min: Vec3::ZERO, max: Vec3::ONE };
        let embedding = Embedding::new(embedding.to_vec()).unwrap();
        SceneObject { elements: elements.collect(), bounds, objectness, embedding }
    }

    #[test]
    fn answers_are_different_things() {
        let objects = vec![
            object(0..100, [1.0, 0.0], 1.0),
            // A part of the first, slightly more similar to the query.
            object(0..20, [0.99, 0.02], 0.1),
            object(200..300, [0.0, 1.0], 1.0),
        ];
        let index = SceneIndex { up: Vec3::Y, kind: ElementKind::Points, n_elements: 300, objects };
        let query = Embedding::new(vec![0.98, 0.05]).unwrap();
        let order: Vec<usize> = index.ranked(&query, 9).iter().map(|answer| answer.object).collect();
        assert_eq!(order, [0, 2]);
        assert_eq!(index.ranked(&query, 1).len(), 1);
    }
}
