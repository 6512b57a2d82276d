//! Queries: words, pictures and shapes, alone or mixed, as one direction in the joint space.

use std::path::{Path, PathBuf};

use lexiform_model::Embedding;
use lexiform_store::{Filter, RecordId};

use crate::{Encoder, Error, Look, read_picture};

/// What to look for: a weighted mix of terms, and which records may answer.
#[derive(Clone, Debug, Default)]
pub struct Query {
    /// What the answers should be like, with weights; a negative weight pushes away.
    pub terms: Vec<(f32, Term)>,
    /// At most so many answers.
    pub k: usize,
    /// Only among these.
    pub filter: Option<Filter>,
}

/// One part of a query.
#[derive(Clone, Debug, PartialEq)]
pub enum Term {
    /// A description.
    Text(String),
    /// A photo or drawing in a file.
    Image(PathBuf),
    /// A 3D file.
    Shape(PathBuf),
    /// An asset of the library.
    Like(RecordId),
    /// Anything already embedded by the library's model.
    Embedding(Embedding),
}

impl Query {
    /// The `k` assets nearest to a description.
    pub fn text(text: impl Into<String>, k: usize) -> Self {
        Self { terms: vec![(1.0, Term::Text(text.into()))], k, filter: None }
    }

    /// Adds a term.
    pub fn with(mut self, weight: f32, term: Term) -> Self {
        self.terms.push((weight, term));
        self
    }
}

/// The embedding of one 3D file.
pub fn embed_shape(encoder: &dyn Encoder, look: &Look, path: &Path) -> Result<Embedding, Error> {
    if !path.exists() {
        return Err(Error::NotFound { path: path.to_owned() });
    }
    let seen = look.see(path)?;
    let embeddings = encoder.embed_shapes(vec![seen.taken]).map_err(|e| encode_error(encoder, e))?;
    only(encoder, embeddings)
}

/// The embedding of one text.
pub fn embed_text(encoder: &dyn Encoder, text: &str) -> Result<Embedding, Error> {
    if text.trim().is_empty() {
        return Err(Error::Query { reason: "the text is empty".to_owned() });
    }
    only(encoder, encoder.embed_texts(&[text]).map_err(|e| encode_error(encoder, e))?)
}

/// The embedding of one picture file.
pub fn embed_picture(encoder: &dyn Encoder, path: &Path) -> Result<Embedding, Error> {
    encoder.embed_image(&read_picture(path)?).map_err(|e| encode_error(encoder, e))
}

/// The embedding of a file: a picture if its name ends like one's, a 3D file otherwise.
pub fn embed_file(encoder: &dyn Encoder, look: &Look, path: &Path) -> Result<Embedding, Error> {
    match image::ImageFormat::from_path(path) {
        Ok(_) => embed_picture(encoder, path),
        Err(_) => embed_shape(encoder, look, path),
    }
}

/// The direction of a weighted mix.
pub(crate) fn mix(parts: &[(f32, Embedding)]) -> Result<Embedding, Error> {
    if parts.is_empty() {
        return Err(Error::Query { reason: "it is empty".to_owned() });
    }
    if let Some((weight, _)) = parts.iter().find(|(weight, _)| !weight.is_finite()) {
        return Err(Error::Query { reason: format!("weight {weight} is not a finite number") });
    }
    let borrowed: Vec<(f32, &Embedding)> = parts.iter().map(|(w, e)| (*w, e)).collect();
    Embedding::mix(&borrowed).map_err(|_| Error::Query { reason: "its parts cancel out".to_owned() })
}

pub(crate) fn encode_error(encoder: &dyn Encoder, source: crate::EncodeError) -> Error {
    Error::Encode { model: encoder.id().to_owned(), source }
}

fn only(encoder: &dyn Encoder, embeddings: Vec<Embedding>) -> Result<Embedding, Error> {
    let found = embeddings.len();
    let count = || encode_error(encoder, format!("expected 1 embedding, found {found}").into());
    embeddings.into_iter().next().filter(|_| found == 1).ok_or_else(count)
}
