//! [`Library::index_embeddings`]: records of embeddings that were computed elsewhere, without files.

use std::collections::{HashMap, HashSet};

use lexiform_model::Embedding;
use lexiform_store::{
    Comparison, Entry, Field, Filter, IndexState, ListRequest, Payload, Record, RecordId, SqliteStore,
    StoreError, Value,
};

use crate::fileless::EMBEDDING_FORMAT;
use crate::{Error, FileStatus, IndexEvent, IndexSummary, Library};

/// Key of [`Payload::extra`] for the source that a record without a file comes from.
const SOURCE_KEY: &str = "source";
/// Records compared with the library at a time.
const BATCH: usize = 2048;

/// Embeddings with names, from a file or a data set.
pub struct EmbeddingSource<'a> {
    /// Tells the source from all others, as the absolute path of a file does: records that it no longer has are missing.
    pub name: &'a str,
    /// Number of embeddings, for progress.
    pub count: usize,
    /// Embeddings written in one transaction: all of a file, few if each takes long to compute.
    pub batch: usize,
    /// The embeddings; a name may occur once.
    pub rows: &'a mut dyn Iterator<Item = Result<NamedFeatures, Error>>,
}

/// A named row of a source.
#[derive(Clone, Debug, PartialEq)]
pub struct NamedFeatures {
    /// Name in the library.
    pub name: String,
    /// Changes whenever the features may; [`Library::embedding_stamp`] returns it in the next run.
    pub stamp: String,
    /// The features.
    pub features: RowFeatures,
}

/// Features of a row.
#[derive(Clone, Debug, PartialEq)]
pub enum RowFeatures {
    /// By the library's model.
    Embedding(Embedding),
    /// The stamp is the same as in the last run.
    Unchanged,
    /// They cannot be read or computed, and why.
    Failed(String),
}

impl From<Result<Embedding, String>> for RowFeatures {
    /// An embedding, or the reason why it could not be computed.
    fn from(computed: Result<Embedding, String>) -> Self {
        computed.map_or_else(Self::Failed, Self::Embedding)
    }
}

impl Library {
    /// Adds embeddings that the library's model computed elsewhere. With `prune`, records that an earlier version of the source
    /// had are deleted.
    ///
    /// # Errors
    /// The first error of the source, [`Error::Store`] if the library cannot be written. A name without usable features is an
    /// event, not an error.
    pub fn index_embeddings(
        &self,
        source: EmbeddingSource<'_>,
        prune: bool,
        on_event: &mut dyn FnMut(IndexEvent),
    ) -> Result<IndexSummary, Error> {
        on_event(IndexEvent::Planned { files: source.count, to_check: source.count });
        let mut importer = Importer::new(self, source.name, on_event)?;
        let mut is_at_end = false;
        while !is_at_end {
            let mut rows = (&mut *source.rows).take(source.batch).peekable();
            is_at_end = rows.peek().is_none();
            importer.write(&mut rows)?;
        }
        importer.remove_missing(prune)
    }

    /// The stamp with which the embedding of a name was added; `None` if the library does not have the name.
    ///
    /// # Errors
    /// [`Error::Store`] if the library cannot be read.
    pub fn embedding_stamp(&self, name: &str) -> Result<Option<String>, Error> {
        Ok(self.store().find_by_path(name)?.map(|entry| entry.index_state.stat_hash))
    }
}

/// Rows of a source.
type Rows<'r> = dyn Iterator<Item = Result<NamedFeatures, Error>> + 'r;

/// An import of one source.
struct Importer<'a> {
    library: &'a Library,
    source: &'a str,
    on_event: &'a mut dyn FnMut(IndexEvent),
    summary: IndexSummary,
    /// Ids of the records that the model has.
    known: HashMap<String, RecordId>,
    /// Whether the library has other models or preprocessing, whose ids a new record shares.
    is_shared: bool,
    ids: HashSet<RecordId>,
}

impl<'a> Importer<'a> {
    fn new(
        library: &'a Library,
        source: &'a str,
        on_event: &'a mut dyn FnMut(IndexEvent),
    ) -> Result<Self, Error> {
        let known: HashMap<String, RecordId> =
            library.store().file_states()?.into_iter().map(|state| (state.path, state.id)).collect();
        let is_shared = SqliteStore::spaces(&library.library_path().folder)?.len() > 1;
        let ids = HashSet::new();
        Ok(Self { library, source, on_event, summary: IndexSummary::default(), known, is_shared, ids })
    }

    /// Writes what is new or has changed of some rows, in one transaction.
    fn write(&mut self, rows: &mut Rows<'_>) -> Result<(), Error> {
        let library = self.library;
        // An error of the source ends the transaction as an error of the store, and is returned as itself.
        let mut failed = None;
        let mut ready = Vec::new().into_iter();
        let mut records = std::iter::from_fn(|| {
            loop {
                if let Some(record) = ready.next() {
                    return Some(Ok(record));
                }
                match self.next_batch(rows) {
                    Ok(None) => return None,
                    Ok(Some(batch)) => ready = batch.into_iter(),
                    Err(error) => {
                        failed = Some(error);
                        return Some(Err(StoreError::Source("the source cannot be read".into())));
                    }
                }
            }
        });
        let written = library.store().upsert_from(library.store().space(), &mut records);
        match failed {
            Some(error) => Err(error),
            None => Ok(written.map(drop)?),
        }
    }

    /// The next records to write; `None` at the end.
    fn next_batch(&mut self, rows: &mut Rows<'_>) -> Result<Option<Vec<Record>>, Error> {
        let (mut batch, mut is_at_end) = (Vec::new(), true);
        for row in rows.take(BATCH) {
            is_at_end = false;
            let NamedFeatures { name, stamp, features } = row?;
            let embedding = match features {
                RowFeatures::Embedding(embedding) => self.checked(embedding),
                RowFeatures::Failed(error) => Err(error),
                RowFeatures::Unchanged => {
                    self.ids.extend(self.known.get(&name));
                    self.report(name, FileStatus::Unchanged);
                    continue;
                }
            };
            match embedding {
                Ok(embedding) => batch.push(self.record(name, stamp, &embedding)?),
                Err(error) => {
                    // The source has the name: its record is not missing.
                    self.ids.extend(self.known.get(&name));
                    self.report(name, FileStatus::Failed { error });
                }
            }
        }
        if is_at_end { Ok(None) } else { self.changed(batch).map(Some) }
    }

    /// What to write of a batch: records that are not the stored ones.
    fn changed(&mut self, batch: Vec<Record>) -> Result<Vec<Record>, Error> {
        let store = self.library.store();
        let ids: Vec<RecordId> = batch.iter().map(|record| record.id).collect();
        // Nothing to compare with in the first import of a large library.
        let stored = if self.known.is_empty() { vec![None; ids.len()] } else { store.vectors(&ids)? };
        // Only what may have changed is read with its thumbnail.
        let differs = |(record, stored): &(&Record, &Option<Vec<f32>>)| {
            stored.as_ref().is_some_and(|stored| has_stamp(record) || *stored != record.vector)
        };
        let ids: Vec<RecordId> =
            batch.iter().zip(&stored).filter(differs).map(|(record, _)| record.id).collect();
        let mut known: HashMap<RecordId, Record> =
            store.get(&ids)?.into_iter().flatten().map(|record| (record.id, record)).collect();
        let mut changed = Vec::with_capacity(batch.len());
        for (record, stored) in batch.into_iter().zip(stored) {
            let path = record.payload.path.clone();
            let update = match (known.remove(&record.id), stored) {
                (Some(known), _) => updated(known, record),
                (None, Some(_)) => None,
                (None, None) => Some(record),
            };
            let status = if update.is_some() { FileStatus::Indexed } else { FileStatus::Unchanged };
            self.report(path, status);
            changed.extend(update);
        }
        Ok(changed)
    }

    /// An embedding of the model's length.
    fn checked(&self, embedding: Embedding) -> Result<Embedding, String> {
        let (expected, found) = (self.library.encoder().dim(), embedding.as_slice().len());
        if found == expected {
            Ok(embedding)
        } else {
            Err(format!("expected {expected} numbers, found {found}"))
        }
    }

    /// The record of a name: a known one with a new vector, or a new one.
    fn record(&mut self, name: String, stamp: String, embedding: &Embedding) -> Result<Record, Error> {
        let vector = embedding.as_slice().to_vec();
        let store = self.library.store();
        if self.is_shared
            && !self.known.contains_key(&name)
            && let Some(Entry { id, mut payload, mut index_state }) = store.find_in_any_space(&name)?
        {
            self.ids.insert(id);
            // Another model has embedded another content: the store deletes that vector when the hash of the content changes.
            if payload.format == EMBEDDING_FORMAT && !stamp.is_empty() && index_state.stat_hash != stamp {
                payload.content_hash.clone_from(&stamp);
                index_state.stat_hash = stamp;
            }
            let thumbnail = store.thumbnail(id)?;
            return Ok(Record { id, vector, payload, index_state, thumbnail });
        }
        let id = match self.known.get(&name) {
            Some(id) => *id,
            None => self.new_id(&name)?,
        };
        self.ids.insert(id);
        let extra = [(SOURCE_KEY.to_owned(), self.source.into())].into_iter().collect();
        // The hash too, although there is no file: when it changes, the store deletes the vectors of other models.
        let index_state = IndexState { stat_hash: stamp.clone(), dependencies: Vec::new() };
        let format = EMBEDDING_FORMAT.to_owned();
        let payload = Payload { path: name, content_hash: stamp, format, extra, ..Payload::default() };
        Ok(Record { id, vector, payload, index_state, thumbnail: None })
    }

    fn new_id(&self, name: &str) -> Result<RecordId, Error> {
        if self.is_shared {
            return Ok(self.library.store().assign_id(name, "")?);
        }
        // Ids of names are unique but for accidents of the hash.
        let ids = (0..).map(|attempt| RecordId::derive(name, "", attempt));
        let free = ids.into_iter().find(|id| !self.ids.contains(id));
        free.ok_or_else(|| StoreError::UnknownRecord { id: RecordId::derive(name, "", 0) }.into())
    }

    /// Reports records of the source that it no longer has, and deletes them if `prune` is set.
    fn remove_missing(mut self, prune: bool) -> Result<IndexSummary, Error> {
        if self.known.is_empty() {
            return Ok(self.summary);
        }
        let store = self.library.store();
        let of_source = Filter::Compare(
            Field::Extra(SOURCE_KEY.to_owned()),
            Comparison::Equal,
            Value::Text(self.source.to_owned()),
        );
        let listed = store.list(&ListRequest { filter: Some(of_source), ..ListRequest::default() })?;
        let missing: Vec<Entry> = listed.into_iter().filter(|entry| !self.ids.contains(&entry.id)).collect();
        if prune {
            store.delete(&missing.iter().map(|entry| entry.id).collect::<Vec<_>>())?;
        }
        for entry in missing {
            self.report(entry.payload.path, FileStatus::Removed { pruned: prune });
        }
        Ok(self.summary)
    }

    fn report(&mut self, path: String, status: FileStatus) {
        self.summary.count(&status);
        (self.on_event)(IndexEvent::File { path, status });
    }
}

/// Whether a row says what its embedding was computed from. Rows of a data set do, those of a file of embeddings do not.
fn has_stamp(record: &Record) -> bool {
    !record.index_state.stat_hash.is_empty()
}

/// What to write of `new` in place of `known`; `None` if that is the same.
fn updated(known: Record, new: Record) -> Option<Record> {
    let is_same_content = !has_stamp(&new) || known.index_state == new.index_state;
    if is_same_content && known.vector == new.vector {
        return None;
    }
    // What is known of a file stays: only its embedding comes from the source.
    if known.payload.format != EMBEDDING_FORMAT {
        return Some(Record { vector: new.vector, ..known });
    }
    if has_stamp(&new) {
        return Some(new);
    }
    // Another hash would delete the vectors of other models.
    let payload = Payload { content_hash: known.payload.content_hash, ..new.payload };
    Some(Record { payload, index_state: known.index_state, ..new })
}
