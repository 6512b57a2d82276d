//! Queries: texts, images and shapes, or a weighted mix of them, as one embedding.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use image::RgbaImage;
use lexiform_mesh_io::is_image;
use lexiform_model::Embedding;
use lexiform_store::{Filter, RecordId};

use crate::{Encoder, Error, ModelInput, ShapePreprocessor, SplitViews, is_view_set, read_image};

/// Usual weight of a text to rank down, subtracted from the query. A full weight would also subtract what all texts have in common.
pub const NOT_WEIGHT: f32 = 0.5;

/// A query: a weighted mix of terms, and a filter for records.
///
/// ```
/// use lexiform_search::{Filter, Query, QueryTerm};
///
/// // A chair like the one in a photo, but without armrests, of at most 10,000 triangles.
/// let query = Query::text("a chair", 10)
///     .with(1.0, QueryTerm::image("photo.jpg"))
///     .with(-0.5, QueryTerm::Text("armrests".into()));
/// let query = Query { filter: Some(Filter::parse("triangles <= 10k")?), ..query };
/// assert_eq!(query.terms.len(), 3);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Query {
    /// Terms with weights; a negative weight means dissimilar.
    pub terms: Vec<(f32, QueryTerm)>,
    /// Maximum number of answers.
    pub k: usize,
    /// Restricts answers to records it selects.
    pub filter: Option<Filter>,
    /// How several terms are combined.
    pub combine: Combine,
    /// Only answers with at least this score.
    pub min_score: Option<f32>,
    /// What answers are ranked by.
    pub rank_by: RankBy,
}

/// What answers are ranked by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RankBy {
    /// Meaning: the similarity of embeddings.
    Semantic,
    /// Words of the query's positive texts in the names of files, folders, objects and materials, and in captions. Records without
    /// any of them are no answers.
    Name,
    /// Both rankings, fused by reciprocal rank. Without a matching name, the same as [`Semantic`](Self::Semantic).
    #[default]
    Hybrid,
}

impl FromStr for RankBy {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "semantic" => Ok(Self::Semantic),
            "name" => Ok(Self::Name),
            "hybrid" => Ok(Self::Hybrid),
            _ => Err(format!("expected semantic, name or hybrid, found {text:?}")),
        }
    }
}

/// How the terms of a query are combined.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Combine {
    /// The normalized weighted sum of their embeddings is one query.
    #[default]
    Mean,
    /// Each record's score is its lowest cosine similarity to the terms: it must be similar to all of them
    /// ([OpenShape](https://arxiv.org/abs/2305.10764), section 4.4). Weights must be equal.
    Min,
}

impl FromStr for Combine {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "mean" => Ok(Self::Mean),
            "min" => Ok(Self::Min),
            _ => Err(format!("expected mean or min, found {text:?}")),
        }
    }
}

/// A term of a query: something with an embedding.
#[derive(Clone, Debug, PartialEq)]
pub enum QueryTerm {
    /// A description.
    Text(String),
    /// Image files of one object: photos or drawings, strips of views, or folders of images.
    Images {
        /// The files.
        files: Vec<PathBuf>,
        /// How each is split into views.
        split: SplitViews,
    },
    /// A 3D file.
    Shape(PathBuf),
    /// A record of the library, to find similar ones.
    Record(RecordId),
    /// An embedding computed by the library's model.
    Embedding(Embedding),
}

impl QueryTerm {
    /// One image file.
    pub fn image(file: impl Into<PathBuf>) -> Self {
        Self::Images { files: vec![file.into()], split: SplitViews::Auto }
    }
}

impl Query {
    /// A query for the `k` assets nearest to a description.
    pub fn text(text: impl Into<String>, k: usize) -> Self {
        Self { terms: vec![(1.0, QueryTerm::Text(text.into()))], k, ..Self::default() }
    }

    /// Checks that there are terms, with weights that their combination uses.
    pub(crate) fn check(&self) -> Result<(), Error> {
        let refused = |reason: String| Err(Error::Query { reason });
        let Some((first, _)) = self.terms.first() else { return refused("no terms".to_owned()) };
        if let Some((weight, _)) = self.terms.iter().find(|(weight, _)| !weight.is_finite()) {
            return refused(format!("expected a finite weight, found {weight}"));
        }
        let is_equal = *first > 0.0 && self.terms.iter().all(|(weight, _)| weight == first);
        if self.combine == Combine::Min && !is_equal {
            return refused("the lowest similarity to all terms has no weights".to_owned());
        }
        Ok(())
    }

    /// Adds a term.
    pub fn with(mut self, weight: f32, term: QueryTerm) -> Self {
        self.terms.push((weight, term));
        self
    }
}

/// The embedding of a 3D file.
///
/// # Errors
/// [`Error::NotFound`], [`Error::Shape`] if the file cannot be used, [`Error::Encode`] if the model fails.
pub fn embed_shape(
    encoder: &dyn Encoder,
    preprocessor: &ShapePreprocessor,
    path: &Path,
) -> Result<Embedding, Error> {
    if !path.exists() {
        return Err(Error::NotFound { path: path.to_owned() });
    }
    let processed = preprocessor.process(path)?;
    let embeddings = encoder.embed_shapes(vec![processed.input]).map_err(|e| encode_error(encoder, e))?;
    exactly_one(encoder, embeddings)
}

/// The embedding of a text.
///
/// # Errors
/// [`Error::Query`] for an empty text, [`Error::Encode`] if the model fails.
pub fn embed_text(encoder: &dyn Encoder, text: &str) -> Result<Embedding, Error> {
    if text.trim().is_empty() {
        return Err(Error::Query { reason: "empty text".to_owned() });
    }
    exactly_one(encoder, encoder.embed_texts(&[text]).map_err(|e| encode_error(encoder, e))?)
}

/// The embedding of an image file.
///
/// # Errors
/// [`Error::NotFound`], [`Error::Image`] if the file cannot be used, [`Error::Encode`] if the model fails.
pub fn embed_image_file(encoder: &dyn Encoder, path: &Path) -> Result<Embedding, Error> {
    encoder.embed_image(&read_image(path)?).map_err(|e| encode_error(encoder, e))
}

/// The embedding of several photos of one object.
///
/// # Errors
/// [`Error::Encode`] if the model fails or there are no photos.
pub fn embed_photos(encoder: &dyn Encoder, photos: &[RgbaImage]) -> Result<Embedding, Error> {
    encoder.embed_photos(photos).map_err(|e| encode_error(encoder, e))
}

/// The embedding of the rendered views of one object.
///
/// # Errors
/// [`Error::Encode`] if the model fails or there are no views.
pub fn embed_views(encoder: &dyn Encoder, views: Vec<RgbaImage>) -> Result<Embedding, Error> {
    let embeddings = encoder.embed_shapes(vec![ModelInput::Views(views)]);
    exactly_one(encoder, embeddings.map_err(|e| encode_error(encoder, e))?)
}

/// The embedding of a file: a photo if it has the extension of an image and is no strip of views, a shape otherwise (a 3D file,
/// a strip, or a folder of views).
///
/// # Errors
/// As for [`embed_image_file`] and [`embed_shape`].
pub fn embed_file(
    encoder: &dyn Encoder,
    preprocessor: &ShapePreprocessor,
    path: &Path,
) -> Result<Embedding, Error> {
    // By extension alone: reading a 3D file to find out that it is not an image would take long.
    if is_image(path) && !is_view_set(path) {
        embed_image_file(encoder, path)
    } else {
        embed_shape(encoder, preprocessor, path)
    }
}

/// The normalized weighted sum of embeddings, for a query that [`Query::check`] accepts.
pub(crate) fn mix(parts: &[(f32, Embedding)]) -> Result<Embedding, Error> {
    // Weights are checked, so the only failure left is a sum of zero.
    let borrowed: Vec<(f32, &Embedding)> = parts.iter().map(|(w, e)| (*w, e)).collect();
    Embedding::weighted_sum(&borrowed).map_err(|_| Error::Query { reason: "the terms cancel out".to_owned() })
}

/// An error of the model, with its id.
pub(crate) fn encode_error(encoder: &dyn Encoder, source: crate::EncodeError) -> Error {
    Error::Encode { model: encoder.id().to_owned(), source }
}

/// The embedding of a batch of one.
fn exactly_one(encoder: &dyn Encoder, embeddings: Vec<Embedding>) -> Result<Embedding, Error> {
    let found = embeddings.len();
    let count = || encode_error(encoder, format!("expected 1 embedding, found {found}").into());
    embeddings.into_iter().next().filter(|_| found == 1).ok_or_else(count)
}
