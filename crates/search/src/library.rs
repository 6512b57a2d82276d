//! A library: the embeddings of a folder's files, opened with the model that computed them.

use std::collections::{BTreeMap, HashSet};
use std::path::Path;
use std::sync::Arc;

use lexiform_mesh_io::UpRule;
use lexiform_model::{ComputePrecision, Device, Embedding, TextModel, registry};
use lexiform_store::{
    EmbeddingSpace, Failure, Filter, Payload, RecordId, SearchRequest, SqliteStore, StoreError, VectorStore,
};

use crate::fileless::SCENE_OBJECT_FORMAT;
use crate::min_search::search_min;
use crate::query::{embed_photos, embed_shape, embed_text, mix};
use crate::scene::{SceneObjectRef, prefer_separate};
use crate::stored_encoder::StoredEncoder;
use crate::{Answer, Combine, Encoder, Error, LibraryPath, Query, QueryTerm, ShapePreprocessor, read_views};

/// Metadata key for the name or path of a library's first model; for other models, the key continues with their id.
const MODEL_KEY: &str = "model";
/// Metadata key for how the up axis of a library's files is found.
const UP_KEY: &str = "up axis";

/// A store of embeddings and the model that computed them. Example: [crate documentation](crate).
pub struct Library {
    library_path: LibraryPath,
    store: Box<dyn VectorStore>,
    encoder: Arc<dyn Encoder>,
    preprocessor: ShapePreprocessor,
    /// How the up axis of a query's files is found.
    query_up: UpRule,
}

/// How a library's files are read and embedded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LibraryOptions<'a> {
    /// Name or path with which the encoder was opened; [`recorded_models`](Library::recorded_models) returns it.
    pub model: &'a str,
    /// How the up axis of files is found; as recorded in the library if `None`.
    pub up: Option<UpRule>,
}

impl<'a> From<&'a str> for LibraryOptions<'a> {
    /// A model, and the library's own rule for the up axis.
    fn from(model: &'a str) -> Self {
        Self { model, up: None }
    }
}

impl Library {
    /// Opens a library for writing; creates it if it does not exist. The options are recorded in it; for the name of a model
    /// alone, files are read as before.
    ///
    /// # Errors
    /// [`StoreError::Locked`] while another process writes, [`StoreError::ModelMismatch`] if the library has
    /// only other models or preprocessing.
    pub fn open<'a>(
        library_path: LibraryPath,
        encoder: Arc<dyn Encoder>,
        options: impl Into<LibraryOptions<'a>>,
    ) -> Result<Self, Error> {
        Self::open_with(library_path, encoder, options.into(), SqliteStore::open_or_create)
    }

    /// As [`open`](Self::open), but adds the model if the library has only other models.
    ///
    /// # Errors
    /// [`StoreError::Locked`] while another process writes.
    pub fn open_or_add_model<'a>(
        library_path: LibraryPath,
        encoder: Arc<dyn Encoder>,
        options: impl Into<LibraryOptions<'a>>,
    ) -> Result<Self, Error> {
        Self::open_with(library_path, encoder, options.into(), SqliteStore::open_or_add_space)
    }

    /// Migrates a library that an older version of this software wrote to the current schema; other libraries are not changed,
    /// and none is created.
    ///
    /// # Errors
    /// [`StoreError::Locked`] while another process writes, [`Error::Store`] if the library cannot be read or written.
    pub fn migrate(library_path: &LibraryPath) -> Result<(), Error> {
        match SqliteStore::open(&library_path.folder) {
            Ok(_) | Err(StoreError::NotFound { .. }) => Ok(()),
            Err(StoreError::SchemaTooOld { .. }) => {
                Ok(SqliteStore::open_for_writing(&library_path.folder).map(drop)?)
            }
            Err(error) => Err(error.into()),
        }
    }

    fn open_with(
        library_path: LibraryPath,
        encoder: Arc<dyn Encoder>,
        LibraryOptions { model, up }: LibraryOptions<'_>,
        open: fn(&Path, &EmbeddingSpace) -> Result<SqliteStore, StoreError>,
    ) -> Result<Self, Error> {
        Self::migrate(&library_path)?;
        let recorded = Self::recorded_up(&library_path)?;
        let up = up.unwrap_or(recorded);
        let preprocessor = ShapePreprocessor::for_encoder(&*encoder).with_up(up);
        let store = open(&library_path.folder, &space(&*encoder, &preprocessor))?;
        write_gitignore(&library_path)?;
        let key = model_key(&SqliteStore::spaces(&library_path.folder)?, store.space());
        // Written only if it changed: a write waits for the disk.
        if store.metadata(&key)?.as_deref() != Some(model) {
            store.set_metadata(&key, Some(model))?;
        }
        if up != recorded {
            store.set_metadata(UP_KEY, Some(up.name()))?;
        }
        Ok(Self { library_path, store: Box::new(store), encoder, preprocessor, query_up: up })
    }

    /// Opens an existing library for reading; another process may write to it at the same time.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], [`StoreError::ModelMismatch`].
    pub fn open_for_reading(library_path: LibraryPath, encoder: Arc<dyn Encoder>) -> Result<Self, Error> {
        let up = Self::recorded_up(&library_path)?;
        let preprocessor = ShapePreprocessor::for_encoder(&*encoder).with_up(up);
        let store = SqliteStore::open_space(&library_path.folder, &space(&*encoder, &preprocessor))?;
        Ok(Self { library_path, store: Box::new(store), encoder, preprocessor, query_up: up })
    }

    /// Sets how the up axis of the files of queries is found; that of the library if not set.
    pub fn with_query_up(mut self, up: UpRule) -> Self {
        self.query_up = up;
        self
    }

    /// How the up axis of a library's files is found; by their format if it records nothing or does not exist.
    ///
    /// # Errors
    /// [`Error::Store`] if the library cannot be read.
    pub fn recorded_up(library_path: &LibraryPath) -> Result<UpRule, Error> {
        if !library_path.exists() {
            return Ok(UpRule::Format);
        }
        let recorded = SqliteStore::open(&library_path.folder)?.metadata(UP_KEY)?;
        let rule = recorded.map_or(Ok(UpRule::Format), |name| name.parse());
        rule.map_err(|source| Error::UpRule { library: library_path.folder.clone(), source })
    }

    /// Opens an existing library for reading without its model, for queries that are embeddings or records. `model` is the name
    /// or path with which the model was opened; the library's oldest one if `None`.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], [`Error::Query`] if the library has no such model.
    pub fn open_without_model(library_path: LibraryPath, model: Option<&str>) -> Result<Self, Error> {
        let spaces = spaces_of(&library_path, model)?;
        let missing =
            || Error::Query { reason: format!("the library has no model {}", model.unwrap_or_default()) };
        Self::with_stored(library_path, spaces.first().ok_or_else(missing)?, None)
    }

    /// Opens an existing library for reading with only the text tower of a model, for queries that are texts, embeddings or
    /// records: opening takes less time and memory. `None` if that is not possible, because the library has the model with several
    /// kinds of preprocessing, or its id depends on other towers.
    ///
    /// # Errors
    /// [`Error::Model`] if the model cannot be opened, [`Error::Store`] if the library cannot be read.
    pub fn open_for_texts(
        library_path: LibraryPath,
        model: &str,
        device: &Device,
        precision: ComputePrecision,
    ) -> Result<Option<Self>, Error> {
        let spaces = spaces_of(&library_path, Some(model))?;
        let [space] = &spaces[..] else { return Ok(None) };
        let text = TextModel::from_file(&registry::open_weights(model)?, device, precision)?;
        // Other weights than the library's: opening the whole model reports it.
        match text.filter(|text| text.id() == space.model) {
            Some(text) => Self::with_stored(library_path, space, Some(text)).map(Some),
            None => Ok(None),
        }
    }

    fn with_stored(
        library_path: LibraryPath,
        space: &EmbeddingSpace,
        text: Option<TextModel>,
    ) -> Result<Self, Error> {
        let store = SqliteStore::open_space(&library_path.folder, space)?;
        let encoder: Arc<dyn Encoder> = Arc::new(StoredEncoder::new(space, text));
        let query_up = Self::recorded_up(&library_path)?;
        let preprocessor = ShapePreprocessor::for_encoder(&*encoder).with_up(query_up);
        Ok(Self { library_path, store: Box::new(store), encoder, preprocessor, query_up })
    }

    /// Names or paths of a library's models without duplicates, the oldest first; empty if the library does not exist.
    ///
    /// # Errors
    /// [`Error::Store`] if the library cannot be read.
    pub fn recorded_models(library_path: &LibraryPath) -> Result<Vec<String>, Error> {
        if !library_path.exists() {
            return Ok(Vec::new());
        }
        let store = SqliteStore::open(&library_path.folder)?;
        let spaces = SqliteStore::spaces(&library_path.folder)?;
        let name = |space: &EmbeddingSpace| {
            let name = store.metadata(&model_key(&spaces, space))?;
            Ok(name.unwrap_or_else(|| space.model.clone()))
        };
        let mut names = spaces.iter().map(name).collect::<Result<Vec<String>, Error>>()?;
        // One model can have several spaces, with different preprocessing.
        let mut seen = HashSet::new();
        names.retain(|name| seen.insert(name.clone()));
        Ok(names)
    }

    /// The records nearest to a query by meaning, with the embeddings that [`query_embeddings`](Self::query_embeddings) returned for
    /// it.
    ///
    /// # Errors
    /// [`Error::Store`] if the library cannot be read, or embeddings have another length than its model's.
    pub fn search_embedded(&self, embeddings: &[Embedding], query: &Query) -> Result<Vec<Answer>, Error> {
        let hits = match embeddings {
            [embedding] => self.store.search(&SearchRequest {
                filter: query.filter.clone(),
                ..SearchRequest::new(embedding.as_slice().to_vec(), query.k)
            })?,
            terms => search_min(&*self.store, terms, query.filter.as_ref(), query.k)?,
        };
        let hits = hits.into_iter().enumerate();
        let mut answers: Vec<Answer> = hits
            .map(|(i, hit)| self.answer(i + 1, hit.score, (Some(i + 1), None), hit.id, hit.payload))
            .collect();
        if answers.iter().any(|answer| answer.payload.format == SCENE_OBJECT_FORMAT) {
            prefer_separate(&mut answers);
        }
        Ok(answers)
    }

    /// An answer; `ranks` are those by meaning and by names.
    pub(crate) fn answer(
        &self,
        rank: usize,
        score: f32,
        (semantic_rank, name_rank): (Option<usize>, Option<usize>),
        id: RecordId,
        payload: Payload,
    ) -> Answer {
        let scene = SceneObjectRef::of(&payload).map(|object| object.scene);
        let file = self.library_path.resolve(scene.as_ref().unwrap_or(&payload.path));
        Answer { rank, score, semantic_rank, name_rank, id, file, payload }
    }

    /// The embeddings that records are compared with: one for [`Combine::Mean`], one per term for [`Combine::Min`]. A record's
    /// score is its lowest cosine similarity to them.
    ///
    /// # Errors
    /// [`Error::Query`] if the query is empty, its terms cancel out, or its weights have no meaning for [`Combine::Min`];
    /// [`Error::NotFound`], [`Error::Image`] and [`Error::Shape`] for its files, [`Error::Encode`] if the model fails,
    /// [`StoreError::UnknownRecord`].
    pub fn query_embeddings(&self, query: &Query) -> Result<Vec<Embedding>, Error> {
        query.check()?;
        let preprocessor = self.preprocessor.clone().with_up(self.query_up);
        let embed = |term: &QueryTerm| match term {
            QueryTerm::Text(text) => embed_text(&*self.encoder, text),
            QueryTerm::Images { files, split } => embed_photos(&*self.encoder, &read_views(files, *split)?),
            QueryTerm::Shape(path) => embed_shape(&*self.encoder, &preprocessor, path),
            QueryTerm::Record(id) => self.embedding(*id),
            QueryTerm::Embedding(embedding) => Ok(embedding.clone()),
        };
        let parts = query.terms.iter().map(|(weight, term)| Ok((*weight, embed(term)?)));
        let parts = parts.collect::<Result<Vec<_>, Error>>()?;
        match query.combine {
            Combine::Mean => Ok(vec![mix(&parts)?]),
            Combine::Min => Ok(parts.into_iter().map(|(_, embedding)| embedding).collect()),
        }
    }

    /// The embedding of a record.
    ///
    /// # Errors
    /// [`StoreError::UnknownRecord`] if the library has no such record.
    pub fn embedding(&self, id: RecordId) -> Result<Embedding, Error> {
        let vector = self.store.vectors(&[id])?.into_iter().flatten().next();
        Embedding::new(vector.ok_or(StoreError::UnknownRecord { id })?).map_err(|source| Error::Encode {
            model: self.store.space().model.clone(),
            source: Box::new(source),
        })
    }

    /// The thumbnail of a record, a JPEG image.
    ///
    /// # Errors
    /// [`Error::Store`] if the library cannot be read.
    pub fn thumbnail(&self, id: RecordId) -> Result<Option<Vec<u8>>, Error> {
        Ok(self.store.thumbnail(id)?)
    }

    /// Number of records.
    ///
    /// # Errors
    /// [`Error::Store`] if the library cannot be read.
    pub fn len(&self) -> Result<usize, Error> {
        Ok(self.store.len()?)
    }

    /// A number that is another one after every change of the library, also by other processes; `None` if its store does not count
    /// changes.
    ///
    /// # Errors
    /// [`Error::Store`] if the library cannot be read.
    pub fn generation(&self) -> Result<Option<u64>, Error> {
        Ok(self.store.generation()?)
    }

    /// Whether there are no records.
    ///
    /// # Errors
    /// [`Error::Store`] if the library cannot be read.
    pub fn is_empty(&self) -> Result<bool, Error> {
        Ok(self.store.is_empty()?)
    }

    /// Number of records that a filter selects.
    ///
    /// # Errors
    /// [`Error::Store`] if the library cannot be read.
    pub fn count(&self, filter: &Filter) -> Result<usize, Error> {
        Ok(self.store.count(filter)?)
    }

    /// Numbers of records that a filter selects, by format.
    ///
    /// # Errors
    /// [`Error::Store`] if the library cannot be read.
    pub fn count_by_format(&self, filter: &Filter) -> Result<BTreeMap<String, usize>, Error> {
        Ok(self.store.count_by_format(filter)?)
    }

    /// The record of a file, if the library has it.
    ///
    /// # Errors
    /// [`Error::Store`] if the library cannot be read.
    pub fn find(&self, file: &Path) -> Result<Option<RecordId>, Error> {
        let Some(key) = self.library_path.key(file) else { return Ok(None) };
        Ok(self.store.find_by_path(&key)?.map(|entry| entry.id))
    }

    /// Files that could not be indexed.
    ///
    /// # Errors
    /// [`Error::Store`] if the library cannot be read.
    pub fn failures(&self) -> Result<Vec<Failure>, Error> {
        Ok(self.store.failures()?)
    }

    /// Files that could not be indexed and whose paths a filter selects; all without a filter. Of such a file, only the path is known.
    ///
    /// # Errors
    /// [`Error::Store`] if the library cannot be read.
    pub fn failures_within(&self, filter: Option<&Filter>) -> Result<Vec<Failure>, Error> {
        let mut failures = self.failures()?;
        failures.retain(|failure| {
            let payload = Payload { path: failure.path.clone(), ..Payload::default() };
            filter.is_none_or(|filter| filter.matches(&payload))
        });
        Ok(failures)
    }

    /// The path of the library.
    pub fn library_path(&self) -> &LibraryPath {
        &self.library_path
    }

    /// The model.
    pub fn encoder(&self) -> &dyn Encoder {
        &*self.encoder
    }

    /// The preprocessing of shapes.
    pub fn preprocessor(&self) -> &ShapePreprocessor {
        &self.preprocessor
    }

    /// The store of its records.
    pub fn store(&self) -> &dyn VectorStore {
        &*self.store
    }
}

/// The spaces of a library whose model was opened with this name or path, or has this id; all if `None`.
fn spaces_of(library_path: &LibraryPath, model: Option<&str>) -> Result<Vec<EmbeddingSpace>, Error> {
    let spaces = SqliteStore::spaces(&library_path.folder)?;
    let store = SqliteStore::open(&library_path.folder)?;
    let mut found = Vec::new();
    for space in &spaces {
        let name = store.metadata(&model_key(&spaces, space))?;
        if model.is_none_or(|model| name.as_deref() == Some(model) || space.model == model) {
            found.push(space.clone());
        }
    }
    Ok(found)
}

/// The metadata key for the name of a space's model.
fn model_key(spaces: &[EmbeddingSpace], space: &EmbeddingSpace) -> String {
    // Most libraries have one model and a plain key.
    if spaces.first() == Some(space) {
        MODEL_KEY.to_owned()
    } else {
        format!("{MODEL_KEY} {}; {}", space.model, space.preprocessing)
    }
}

/// Excludes a library inside a folder of assets from version control: it can be recreated at any time.
fn write_gitignore(library_path: &LibraryPath) -> std::io::Result<()> {
    let path = library_path.folder.join(".gitignore");
    if library_path.root.is_none() || path.exists() {
        return Ok(());
    }
    fs_err::write(path, "*\n")
}

/// The space of an encoder's embeddings with this preprocessing.
fn space(encoder: &dyn Encoder, preprocessor: &ShapePreprocessor) -> EmbeddingSpace {
    let preprocessing = format!("{}; {}", preprocessor.describe(), encoder.preprocessing());
    EmbeddingSpace { model: encoder.id().to_owned(), dim: encoder.dim(), preprocessing }
}
