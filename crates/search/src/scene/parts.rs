//! Parts of one shape by words: each part is embedded alone, and compared with the words and with the whole shape.

use glam::Vec3;
use lexiform_geometry::Scene;
use lexiform_model::Embedding;
use lexiform_segment::shape_parts;

use super::{SceneAnswer, SceneIndex};
use crate::query::embed_text;
use crate::{Encoder, Error};

/// How much similarity to the whole shape counts against a part: a seat alone still looks like a chair, and most words for parts are
/// near to the kind that has them.
const WHOLE_WEIGHT: f32 = 0.5;

impl SceneIndex {
    /// Embeds a shape and its parts: the first object is the whole shape, the others are its parts, the largest first.
    ///
    /// # Errors
    /// [`Error::Encode`] if the model fails.
    pub fn build_parts(
        encoder: &dyn Encoder,
        scene: &Scene,
        progress: &dyn Fn(usize, usize),
    ) -> Result<Self, Error> {
        let n = if scene.n_faces() > 0 { scene.n_faces() } else { scene.n_points() };
        let whole = std::iter::once((0..n as u32).collect());
        let masks = whole.chain(shape_parts(scene)).map(|mask: Vec<u32>| (mask, 1.0)).collect();
        Self::of_masks(encoder, scene, Vec3::Y, masks, progress)
    }

    /// The `k` parts of an index of [`build_parts`](Self::build_parts) that a text describes best. The score of an answer is its cosine
    /// similarity; answers are ranked by that less half of the similarity to the whole shape.
    ///
    /// # Errors
    /// [`Error::Query`] for an empty text, [`Error::Encode`] if the model fails.
    pub fn find_parts(&self, encoder: &dyn Encoder, text: &str, k: usize) -> Result<Vec<SceneAnswer>, Error> {
        let query = embed_text(encoder, text)?;
        let mut answers: Vec<SceneAnswer> = self.part_scores(&query).collect();
        // Already contrasts; replaced by similarities below.
        answers.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.object.cmp(&b.object)));
        answers.truncate(k);
        for answer in &mut answers {
            answer.score = self.objects[answer.object].embedding.dot(&query);
        }
        Ok(answers)
    }

    /// Every part with its similarity to a query less half of that to the whole shape.
    pub fn part_scores(&self, query: &Embedding) -> impl Iterator<Item = SceneAnswer> + '_ {
        let whole = self.objects.first().map(|object| &object.embedding);
        let contrast = query.clone();
        self.objects.iter().enumerate().skip(1).map(move |(object, part)| {
            let of_whole = whole.map_or(0.0, |whole| part.embedding.dot(whole));
            SceneAnswer { object, score: part.embedding.dot(&contrast) - WHOLE_WEIGHT * of_whole }
        })
    }
}
