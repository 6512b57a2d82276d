//! A library: the files of a folder, as a model sees them, ready to answer.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use lexiform_model::Embedding;
use lexiform_store::{
    Failure, Filter, Payload, RecordId, SearchRequest, Space, SqliteStore, StoreError, VectorStore,
};

use crate::query::{embed_picture, embed_shape, embed_text, mix};
use crate::{Encoder, Error, Look, Place, Query, Term};

/// Note under which a library keeps the name its first model is opened by; for others their id follows.
const MODEL_NOTE: &str = "model";

/// A store of embeddings together with the model that made them.
pub struct Library {
    place: Place,
    store: Box<dyn VectorStore>,
    encoder: Arc<dyn Encoder>,
    look: Look,
}

/// A record that answers a query.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// Position, from 1.
    pub rank: usize,
    /// Cosine of query and record.
    pub score: f32,
    /// The record.
    pub id: RecordId,
    /// The file.
    pub file: PathBuf,
    /// What is known about it; its `path` is the name inside the library.
    pub payload: Payload,
}

impl Library {
    /// Opens a library for writing, and makes it if there is none. `model` is the name or path by which the encoder
    /// was opened, recorded so that [`recorded_model`](Self::recorded_model) finds it.
    ///
    /// # Errors
    /// [`StoreError::Locked`] while another process writes, [`StoreError::ModelMismatch`] if the library knows other
    /// models or other looks only.
    pub fn open(place: Place, encoder: Arc<dyn Encoder>, model: &str) -> Result<Self, Error> {
        Self::open_by(place, encoder, model, SqliteStore::open_or_create)
    }

    /// As [`open`](Self::open), but a library that does not know the model learns it, beside the models it knows.
    ///
    /// # Errors
    /// [`StoreError::Locked`] while another process writes.
    pub fn open_or_add(place: Place, encoder: Arc<dyn Encoder>, model: &str) -> Result<Self, Error> {
        Self::open_by(place, encoder, model, SqliteStore::open_or_add)
    }

    fn open_by(
        place: Place,
        encoder: Arc<dyn Encoder>,
        model: &str,
        open: fn(&Path, &Space) -> Result<SqliteStore, StoreError>,
    ) -> Result<Self, Error> {
        let look = Look::of(&*encoder);
        let store = open(&place.folder, &space(&*encoder, &look))?;
        keep_out_of_git(&place)?;
        let note = model_note(&SqliteStore::spaces(&place.folder)?, store.space());
        if store.note(&note)?.as_deref() != Some(model) {
            store.set_note(&note, Some(model))?;
        }
        Ok(Self { place, store: Box::new(store), encoder, look })
    }

    /// Opens a library that is there, without the right to change it; another process may be writing meanwhile.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], [`StoreError::ModelMismatch`].
    pub fn open_for_reading(place: Place, encoder: Arc<dyn Encoder>) -> Result<Self, Error> {
        let look = Look::of(&*encoder);
        let store = SqliteStore::open_space(&place.folder, &space(&*encoder, &look))?;
        Ok(Self { place, store: Box::new(store), encoder, look })
    }

    /// Names or paths of the models a library knows, each once, the one it was made with first; none if there is no library.
    pub fn recorded_models(place: &Place) -> Result<Vec<String>, Error> {
        if !place.exists() {
            return Ok(Vec::new());
        }
        let store = SqliteStore::open(&place.folder)?;
        let spaces = SqliteStore::spaces(&place.folder)?;
        let name = |space: &Space| {
            let note = store.note(&model_note(&spaces, space))?;
            Ok(note.unwrap_or_else(|| space.model.clone()))
        };
        let mut names = spaces.iter().map(name).collect::<Result<Vec<String>, Error>>()?;
        let mut seen = HashSet::new();
        names.retain(|name| seen.insert(name.clone()));
        Ok(names)
    }

    /// The records nearest to a query, best first.
    pub fn search(&self, query: &Query) -> Result<Vec<Answer>, Error> {
        let direction = self.direction(query)?;
        let request = SearchRequest {
            filter: query.filter.clone(),
            ..SearchRequest::new(direction.as_slice().to_vec(), query.k)
        };
        let hits = self.store.search(&request)?.into_iter().enumerate();
        Ok(hits
            .map(|(i, hit)| Answer {
                rank: i + 1,
                score: hit.score,
                id: hit.id,
                file: self.place.path(&hit.payload.path),
                payload: hit.payload,
            })
            .collect())
    }

    /// Where a query points.
    pub fn direction(&self, query: &Query) -> Result<Embedding, Error> {
        let embed = |term: &Term| match term {
            Term::Text(text) => embed_text(&*self.encoder, text),
            Term::Image(path) => embed_picture(&*self.encoder, path),
            Term::Shape(path) => embed_shape(&*self.encoder, &self.look, path),
            Term::Like(id) => self.embedding(*id),
            Term::Embedding(embedding) => Ok(embedding.clone()),
        };
        let parts = query.terms.iter().map(|(weight, term)| Ok((*weight, embed(term)?)));
        mix(&parts.collect::<Result<Vec<_>, Error>>()?)
    }

    /// The embedding of a record.
    pub fn embedding(&self, id: RecordId) -> Result<Embedding, Error> {
        let record = self.store.get(&[id])?.into_iter().flatten().next();
        let record = record.ok_or(StoreError::UnknownRecord { id })?;
        Embedding::new(record.vector).map_err(|source| Error::Encode {
            model: self.store.space().model.clone(),
            source: Box::new(source),
        })
    }

    /// The small picture of a record.
    pub fn thumbnail(&self, id: RecordId) -> Result<Option<Vec<u8>>, Error> {
        Ok(self.store.thumbnail(id)?)
    }

    /// How many records there are.
    pub fn len(&self) -> Result<usize, Error> {
        Ok(self.store.len()?)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> Result<bool, Error> {
        Ok(self.store.is_empty()?)
    }

    /// How many records a filter selects.
    pub fn count(&self, filter: &Filter) -> Result<usize, Error> {
        Ok(self.store.count(filter)?)
    }

    /// The record of a file, if the library knows it.
    pub fn find(&self, file: &Path) -> Result<Option<RecordId>, Error> {
        let Some(key) = self.place.key(file) else { return Ok(None) };
        Ok(self.store.find_by_path(&key)?.map(|entry| entry.id))
    }

    /// Files that could not be indexed.
    pub fn failures(&self) -> Result<Vec<Failure>, Error> {
        Ok(self.store.failures()?)
    }

    /// Where the library lies.
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// The model.
    pub fn encoder(&self) -> &dyn Encoder {
        &*self.encoder
    }

    /// How its shapes are seen.
    pub fn look(&self) -> &Look {
        &self.look
    }

    /// Where its records are kept.
    pub fn store(&self) -> &dyn VectorStore {
        &*self.store
    }
}

/// The note that tells how the model of a space is opened.
fn model_note(spaces: &[Space], space: &Space) -> String {
    if spaces.first() == Some(space) {
        MODEL_NOTE.to_owned()
    } else {
        format!("{MODEL_NOTE} {}; {}", space.model, space.preprocessing)
    }
}

/// A library inside a folder of assets can be made again at any time: no matter for version control.
fn keep_out_of_git(place: &Place) -> std::io::Result<()> {
    let path = place.folder.join(".gitignore");
    if place.root.is_none() || path.exists() {
        return Ok(());
    }
    fs_err::write(path, "*\n")
}

/// The space of an encoder's embeddings of shapes that are looked at so.
fn space(encoder: &dyn Encoder, look: &Look) -> Space {
    let preprocessing = format!("{}; {}", look.describe(), encoder.preprocessing());
    Space { model: encoder.id().to_owned(), dim: encoder.dim(), preprocessing }
}
