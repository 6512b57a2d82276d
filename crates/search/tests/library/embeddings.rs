//! Embeddings that were computed elsewhere: changed, failed and missing rows, in libraries of one and of several models.

use std::path::PathBuf;
use std::sync::Arc;

use crate::support::ColorEncoder;
use lexiform_search::{
    Embedding, EmbeddingSource, FileStatus, IndexEvent, IndexSummary, Library, LibraryPath, NamedFeatures,
    Query, QueryTerm, RowFeatures,
};

const RED: [f32; 3] = [1.0, 0.0, 0.0];
const GREEN: [f32; 3] = [0.0, 1.0, 0.0];
const BLUE: [f32; 3] = [0.0, 0.0, 1.0];

/// A folder for a library.
struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self) -> PathBuf {
        fs_err::canonicalize(self.0.path()).unwrap()
    }

    fn open(&self, model: &str) -> Library {
        let encoder = Arc::new(ColorEncoder::new(model));
        Library::open_or_add_model(LibraryPath::at(&self.path()), encoder, model).unwrap()
    }

    /// Imports rows, and removes those that are missing.
    fn import(&self, model: &str, rows: Vec<NamedFeatures>) -> (IndexSummary, Vec<FileStatus>) {
        let mut statuses = Vec::new();
        let count = rows.len();
        let mut rows = rows.into_iter().map(Ok);
        let source = EmbeddingSource { name: "set", count, batch: 16, rows: &mut rows };
        let summary = self.open(model).index_embeddings(source, true, &mut |event| {
            if let IndexEvent::File { status, .. } = event {
                statuses.push(status);
            }
        });
        (summary.unwrap(), statuses)
    }

    /// Imports a row of a data set; returns whether its embedding was written.
    fn import_shape(&self, model: &str, stamp: &str, values: [f32; 3]) -> bool {
        let (summary, _) = self.import(model, vec![row("chair", stamp, values)]);
        assert_eq!(summary.indexed + summary.unchanged, 1, "{summary:?}");
        summary.indexed == 1
    }

    /// The embedding of the only record; `None` if the model has none.
    fn vector(&self, model: &str) -> Option<Vec<f32>> {
        let library = self.open(model);
        let term = QueryTerm::Embedding(Embedding::new(vec![1.0, 1.0, 1.0]).unwrap());
        let query = Query { k: 9, ..Query::default() }.with(1.0, term);
        let answers = library.search(&query).unwrap();
        assert!(answers.len() < 2, "{answers:?}");
        answers.first().map(|answer| library.embedding(answer.id).unwrap().as_slice().to_vec())
    }
}

fn row(name: &str, stamp: &str, values: [f32; 3]) -> NamedFeatures {
    let features = RowFeatures::Embedding(Embedding::new(values.to_vec()).unwrap());
    NamedFeatures { name: name.to_owned(), stamp: stamp.to_owned(), features }
}

#[test]
fn a_changed_shape_has_no_embedding_of_its_old_content() {
    let folder = Folder::new();
    let has = |model: &str, values: Option<[f32; 3]>| {
        assert_eq!(folder.vector(model), values.map(Vec::from), "{model}");
    };
    assert!(folder.import_shape("a", "1", RED) && folder.import_shape("b", "1", GREEN));
    assert!(!folder.import_shape("a", "1", RED) && !folder.import_shape("b", "1", GREEN));
    // Another content: the other model's embedding is deleted until its next run.
    assert!(folder.import_shape("a", "2", BLUE));
    has("a", Some(BLUE));
    has("b", None);
    assert!(folder.import_shape("b", "2", RED));
    has("a", Some(BLUE));
    has("b", Some(RED));
    // A model that is added with another content.
    assert!(folder.import_shape("c", "3", GREEN));
    has("a", None);
    has("b", None);
    has("c", Some(GREEN));
    assert_eq!(folder.open("a").embedding_stamp("chair").unwrap(), None);
    // The same content as that of the last model.
    assert!(folder.import_shape("a", "3", RED));
    has("a", Some(RED));
    has("c", Some(GREEN));
}

#[test]
fn embeddings_without_a_content_are_those_of_one_model() {
    let folder = Folder::new();
    folder.import_shape("a", "1", RED);
    folder.import_shape("b", "1", GREEN);
    // A file of embeddings does not say what they were computed from.
    assert!(folder.import_shape("a", "", BLUE));
    assert!(!folder.import_shape("a", "", BLUE));
    assert_eq!(folder.vector("a"), Some(BLUE.to_vec()));
    assert_eq!(folder.vector("b"), Some(GREEN.to_vec()));
    assert_eq!(folder.open("a").embedding_stamp("chair").unwrap().as_deref(), Some("1"));
}

#[test]
fn a_row_that_fails_is_not_missing() {
    let folder = Folder::new();
    folder.import("a", vec![row("chair", "1", RED), row("lamp", "1", GREEN), row("sofa", "1", BLUE)]);
    let features = RowFeatures::Failed("broken".to_owned());
    let failed = NamedFeatures { features, ..row("lamp", "2", GREEN) };
    let (summary, statuses) = folder.import("a", vec![row("chair", "1", RED), failed]);
    assert_eq!(summary, IndexSummary { unchanged: 1, failed: 1, removed: 1, ..IndexSummary::default() });
    assert!(statuses.contains(&FileStatus::Failed { error: "broken".to_owned() }), "{statuses:?}");
    assert!(statuses.contains(&FileStatus::Removed { pruned: true }), "{statuses:?}");
    let library = folder.open("a");
    assert_eq!(library.embedding_stamp("lamp").unwrap().as_deref(), Some("1"));
    assert_eq!(library.embedding_stamp("sofa").unwrap(), None);
}
