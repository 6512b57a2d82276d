//! `lexiform._lexiform.Library`: the embeddings of a folder's files, and searches among them.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use lexiform_search::{
    Answer, Combine, EmbeddingSource, Encoder, FileStatus, Filter, IndexEvent, IndexOptions, IndexSummary,
    Library as SearchLibrary, LibraryOptions, LibraryPath, NamedFeatures, Query, QueryTerm, RankBy, RecordId,
    SplitViews, UpRule,
};
use numpy::{PyArray2, PyReadonlyArray2};
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use serde_json::{Value, json};

use crate::arrays::{embeddings, embeddings_of, rows_array};
use crate::error::{PyError, Result, invalid};
use crate::model::Model;
use crate::options::parse_up;
use crate::progress::run_with_events;
use crate::threads::{check_not_forked, compute};

/// Rows of arrays that are written in one transaction.
const ROWS: usize = 4096;
/// Vectors that are read at once.
const PAGE: usize = 4096;

/// A library with the model that its embeddings are of.
#[pyclass(frozen, module = "lexiform._lexiform")]
pub struct Library {
    path: LibraryPath,
    model: String,
    encoder: Arc<dyn Encoder>,
    up: Option<UpRule>,
    /// Open for reading; others can write meanwhile.
    reader: Mutex<Option<Arc<SearchLibrary>>>,
}

/// What is searched for: terms by kind, each with its weight.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub struct Terms<'py> {
    texts: Vec<(String, f32)>,
    /// Each term is several files of one object.
    images: Vec<(Vec<PathBuf>, f32)>,
    shapes: Vec<(PathBuf, f32)>,
    records: Vec<(u64, f32)>,
    features: PyReadonlyArray2<'py, f32>,
    feature_weights: Vec<f32>,
}

#[pymethods]
impl Library {
    /// The library of a folder of 3D files, or one in a folder of its own; it need not exist.
    #[new]
    #[pyo3(signature = (path, model, up=None))]
    fn new(path: PathBuf, model: PyRef<'_, Model>, up: Option<&str>) -> Result<Self> {
        Ok(Self {
            path: library_path(&path)?,
            model: model.name().to_owned(),
            encoder: model.encoder.clone(),
            up: up.map(parse_up).transpose()?,
            reader: Mutex::new(None),
        })
    }

    /// Names or paths of the models that a library has, the oldest first.
    #[staticmethod]
    fn recorded_models(path: PathBuf) -> Result<Vec<String>> {
        Ok(SearchLibrary::recorded_models(&library_path(&path)?)?)
    }

    /// The folder of the database.
    #[getter]
    fn folder(&self) -> &Path {
        &self.path.folder
    }

    /// The folder of 3D files that has the library; `None` for one in a folder of its own.
    #[getter]
    fn root(&self) -> Option<&Path> {
        self.path.root.as_deref()
    }

    #[getter]
    fn exists(&self) -> bool {
        self.path.exists()
    }

    fn __len__(&self, py: Python<'_>) -> Result<usize> {
        if !self.path.exists() {
            return Ok(0);
        }
        compute(py, || Ok(self.open()?.len()?))
    }

    fn count(&self, py: Python<'_>, filter: &str) -> Result<usize> {
        let filter = parse_filter(filter)?;
        compute(py, || Ok(self.open()?.count(&filter)?))
    }

    /// Adds the 3D files below `paths`, or updates them. Returns numbers of files by outcome as JSON.
    #[pyo3(signature = (paths, *, jobs, prune, retry_failed, on_event=None))]
    fn index(
        &self,
        py: Python<'_>,
        paths: Vec<PathBuf>,
        jobs: usize,
        prune: bool,
        retry_failed: bool,
        on_event: Option<Py<PyAny>>,
    ) -> Result<String> {
        check_not_forked("indexing")?;
        let options = IndexOptions { jobs, prune, retry_failed };
        let summary = run_with_events(py, on_event, |on_event| -> Result<IndexSummary> {
            let library = self.open_for_writing()?;
            Ok(library.index(&paths, &options, &mut |event| on_event(described(&event).to_string()))?)
        })?;
        Ok(serde_json::to_string(&summary)?)
    }

    /// Adds named features of the library's model, `[n, dim]`. Returns numbers of names by outcome as JSON.
    #[pyo3(signature = (names, features, source, *, prune, on_event=None))]
    fn add_features(
        &self,
        py: Python<'_>,
        names: Vec<String>,
        features: PyReadonlyArray2<'_, f32>,
        source: &str,
        prune: bool,
        on_event: Option<Py<PyAny>>,
    ) -> Result<String> {
        let features = embeddings_of(&features, self.encoder.dim())?;
        if names.len() != features.len() {
            let (expected, found) = (features.len(), names.len());
            return Err(invalid(format!(
                "expected {expected} names, one per row of features, found {found}"
            )));
        }
        let count = names.len();
        let summary = run_with_events(py, on_event, |on_event| -> Result<IndexSummary> {
            let library = self.open_for_writing()?;
            let mut rows = names.into_iter().zip(features).map(|(name, embedding)| {
                Ok(NamedFeatures { name, stamp: stamp(embedding.as_slice()), features: Ok(embedding).into() })
            });
            let source = EmbeddingSource { name: source, count, batch: ROWS, rows: &mut rows };
            Ok(library
                .index_embeddings(source, prune, &mut |event| on_event(described(&event).to_string()))?)
        })?;
        Ok(serde_json::to_string(&summary)?)
    }

    /// Searches. Returns answers, spelling corrections and unknown texts as JSON.
    #[pyo3(signature = (terms, *, k, filter, combine, rank_by, min_score))]
    fn search(
        &self,
        py: Python<'_>,
        terms: Terms<'_>,
        k: usize,
        filter: Option<&str>,
        combine: &str,
        rank_by: &str,
        min_score: Option<f32>,
    ) -> Result<String> {
        let query = Query {
            terms: terms.parsed()?,
            k,
            filter: filter.map(parse_filter).transpose()?,
            combine: combine.parse::<Combine>().map_err(|e| invalid(format!("combine: {e}")))?,
            rank_by: rank_by.parse::<RankBy>().map_err(|e| invalid(format!("rank_by: {e}")))?,
            min_score,
        };
        compute(py, || {
            let library = self.open()?;
            let results = match query.terms.is_empty() {
                true => lexiform_search::SearchResults {
                    answers: library
                        .list_first(&query.filter.clone().unwrap_or(Filter::And(Vec::new())), k)?,
                    ..Default::default()
                },
                false => library.search_results(&query)?,
            };
            let corrections: Vec<Value> =
                results.corrections.iter().map(|c| json!([c.typed, c.corrected])).collect();
            let answers: Vec<Value> = results.answers.iter().map(answer).collect();
            let report = json!({
                "answers": answers, "corrections": corrections, "unknown_texts": results.unknown_texts,
            });
            Ok(report.to_string())
        })
    }

    /// The id of a file's record.
    fn find(&self, py: Python<'_>, path: PathBuf) -> Result<Option<u64>> {
        compute(py, || {
            let library = self.open()?;
            let absolute = path.canonicalize().unwrap_or_else(|_| path.clone());
            let found = library.find(&absolute)?;
            let by_name = || Ok::<_, PyError>(library.store().find_by_path(&path.to_string_lossy())?);
            let id = match found {
                Some(id) => Some(id),
                None => by_name()?.map(|entry| entry.id),
            };
            Ok(id.map(RecordId::value))
        })
    }

    /// Names and embeddings `[n, dim]` of all records that a filter selects.
    #[pyo3(signature = (filter=None))]
    fn embeddings<'py>(
        &self,
        py: Python<'py>,
        filter: Option<&str>,
    ) -> Result<(Vec<String>, Bound<'py, PyArray2<f32>>)> {
        let filter = filter.map(parse_filter).transpose()?.unwrap_or(Filter::And(Vec::new()));
        let (names, rows) = compute(py, || -> Result<(Vec<String>, Vec<Vec<f32>>)> {
            let library = self.open()?;
            let answers = library.list(&filter)?;
            let (mut names, mut rows) = (Vec::new(), Vec::new());
            for page in answers.chunks(PAGE) {
                let ids: Vec<RecordId> = page.iter().map(|answer| answer.id).collect();
                // A record that was deleted in between has no vector.
                for (answer, vector) in page.iter().zip(library.store().vectors(&ids)?) {
                    let Some(vector) = vector else { continue };
                    names.push(answer.payload.path.clone());
                    rows.push(vector);
                }
            }
            Ok((names, rows))
        })?;
        Ok((names, rows_array(py, &rows, self.encoder.dim())?))
    }

    /// The thumbnail of a record, a JPEG file.
    fn thumbnail<'py>(&self, py: Python<'py>, id: u64) -> Result<Option<Bound<'py, PyBytes>>> {
        let id = RecordId::new(id).ok_or_else(|| invalid(format!("{id} is no id of a record")))?;
        let jpeg = compute(py, || -> Result<_> { Ok(self.open()?.thumbnail(id)?) })?;
        Ok(jpeg.map(|bytes| PyBytes::new(py, &bytes)))
    }

    /// Files that could not be indexed, and why.
    fn failures(&self, py: Python<'_>) -> Result<Vec<(String, String)>> {
        let failures = compute(py, || -> Result<_> { Ok(self.open()?.failures()?) })?;
        Ok(failures.into_iter().map(|failure| (failure.path, failure.error)).collect())
    }
}

impl Library {
    fn open(&self) -> Result<Arc<SearchLibrary>> {
        let mut reader = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(library) = &*reader {
            return Ok(library.clone());
        }
        let library = SearchLibrary::open_for_reading(self.path.clone(), self.encoder.clone())?;
        let library = Arc::new(match self.up {
            Some(up) => library.with_query_up(up),
            None => library,
        });
        *reader = Some(library.clone());
        Ok(library)
    }

    /// The library with its lock for writing, which the value holds.
    fn open_for_writing(&self) -> Result<SearchLibrary> {
        let options = LibraryOptions { model: &self.model, up: self.up };
        Ok(SearchLibrary::open_or_add_model(self.path.clone(), self.encoder.clone(), options)?)
    }
}

impl Terms<'_> {
    fn parsed(self) -> Result<Vec<(f32, QueryTerm)>> {
        let mut terms = Vec::new();
        terms.extend(self.texts.into_iter().map(|(text, weight)| (weight, QueryTerm::Text(text))));
        let images = |files| QueryTerm::Images { files, split: SplitViews::Auto };
        terms.extend(self.images.into_iter().map(|(files, weight)| (weight, images(files))));
        terms.extend(self.shapes.into_iter().map(|(file, weight)| (weight, QueryTerm::Shape(file))));
        for (id, weight) in self.records {
            let id = RecordId::new(id).ok_or_else(|| invalid(format!("{id} is no id of a record")))?;
            terms.push((weight, QueryTerm::Record(id)));
        }
        let features = embeddings(&self.features)?.into_iter().zip(self.feature_weights);
        terms.extend(features.map(|(features, weight)| (weight, QueryTerm::Embedding(features))));
        Ok(terms)
    }
}

/// Where the library of a path is: a folder of 3D files, a library, or a folder that will become one.
fn library_path(path: &Path) -> Result<LibraryPath> {
    match path.canonicalize() {
        Ok(path) if path.is_dir() => Ok(LibraryPath::discover(&path)),
        Ok(_) => Err(invalid(format!("{}: expected a folder or a library, found a file", path.display()))),
        Err(_) => Ok(LibraryPath::at(&std::path::absolute(path)?)),
    }
}

fn parse_filter(text: &str) -> Result<Filter> {
    Ok(Filter::parse(text).map_err(lexiform_search::StoreError::from)?)
}

/// Changes whenever the numbers do.
fn stamp(numbers: &[f32]) -> String {
    // Kept in libraries, so the same in every version of Rust.
    let bytes: Vec<u8> = numbers.iter().flat_map(|number| number.to_le_bytes()).collect();
    format!("array {}", blake3::hash(&bytes).to_hex())
}

fn answer(answer: &Answer) -> Value {
    json!({
        "rank": answer.rank,
        "score": answer.score,
        "semantic_rank": answer.semantic_rank,
        "name_rank": answer.name_rank,
        "id": answer.id.value(),
        "file": answer.file,
        "link": answer.link(),
        "payload": answer.payload,
    })
}

fn described(event: &IndexEvent) -> Value {
    match event {
        IndexEvent::Unsupported { extensions } => json!({ "event": "unsupported", "extensions": extensions }),
        IndexEvent::Planned { to_check, .. } => json!({ "event": "planned", "files": to_check }),
        IndexEvent::File { path, status } => match status {
            FileStatus::Indexed => json!({ "event": "step", "item": path }),
            FileStatus::Failed { error } => json!({ "event": "failed", "item": path, "reason": error }),
            FileStatus::Unchanged => json!({ "event": "unchanged", "item": path }),
            FileStatus::Renamed { from } => json!({ "event": "renamed", "item": path, "from": from }),
            FileStatus::Removed { pruned } => json!({ "event": "removed", "item": path, "pruned": pruned }),
        },
    }
}
