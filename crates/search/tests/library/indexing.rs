//! Indexing: new, changed, moved, missing and broken files, and interrupted runs.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::support::{BLUE, ColorEncoder, FailureMode, GREEN, RED, write_shape};
use lexiform_search::{
    Error, FileStatus, IndexEvent, IndexOptions, IndexSummary, Library, LibraryPath, Query, RankBy,
    StoreError,
};

/// A folder of shapes with a library.
struct Folder {
    folder: tempfile::TempDir,
    encoder: Arc<ColorEncoder>,
}

impl Folder {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        write_shape(&folder.path().join("a/red.ply"), RED, 1.0);
        write_shape(&folder.path().join("b/green.ply"), GREEN, 1.0);
        write_shape(&folder.path().join("blue.ply"), BLUE, 1.0);
        Self { folder, encoder: Arc::new(ColorEncoder::new("color-1")) }
    }

    fn root(&self) -> PathBuf {
        fs_err::canonicalize(self.folder.path()).unwrap()
    }

    fn file(&self, name: &str) -> PathBuf {
        self.root().join(name)
    }

    fn library(&self) -> Library {
        Library::open(LibraryPath::for_assets(&self.root()), self.encoder.clone(), "color").unwrap()
    }

    fn index_with(&self, options: &IndexOptions) -> Result<(IndexSummary, Vec<(String, FileStatus)>), Error> {
        let mut statuses = Vec::new();
        let summary = self.library().index(&[self.root()], options, &mut |event| {
            if let IndexEvent::File { path, status } = event {
                statuses.push((path, status));
            }
        })?;
        statuses.sort_by(|a, b| a.0.cmp(&b.0));
        Ok((summary, statuses))
    }

    fn index(&self) -> (IndexSummary, Vec<(String, FileStatus)>) {
        self.index_with(&IndexOptions::default()).unwrap()
    }

    /// The best answer by color, whatever the file is called.
    fn best(&self, text: &str) -> String {
        let query = Query { rank_by: RankBy::Semantic, ..Query::text(text, 1) };
        self.library().search(&query).unwrap().remove(0).payload.path
    }
}

/// Sets an old modification time, so that it can be trusted.
fn set_old_mtime(path: &Path) {
    let long_ago = std::time::SystemTime::now() - std::time::Duration::from_secs(3600);
    std::fs::File::options().write(true).open(path).unwrap().set_modified(long_ago).unwrap();
}

#[test]
fn files_are_found_by_color() {
    let folder = Folder::new();
    let (summary, _) = folder.index();
    assert_eq!(summary, IndexSummary { indexed: 3, ..IndexSummary::default() });
    assert_eq!(folder.best("something red"), "a/red.ply");
    assert_eq!(folder.best("something green"), "b/green.ply");
    assert_eq!(folder.best("something blue"), "blue.ply");
}

#[test]
fn unchanged_files_are_not_embedded_again() {
    let folder = Folder::new();
    set_old_mtime(&folder.file("blue.ply"));
    folder.index();
    for _ in 0..2 {
        let (summary, _) = folder.index();
        assert_eq!(summary, IndexSummary { unchanged: 3, ..IndexSummary::default() });
    }
    assert_eq!(folder.encoder.n_embedded(), 3);
}

#[test]
fn answers_do_not_contain_the_index_state() {
    let folder = Folder::new();
    let material = folder.file("plain.mtl");
    fs_err::write(&material, "newmtl plain\nKd 1 0 0\n").unwrap();
    let shape = "mtllib plain.mtl\nv 0 0 0\nv 1 0 0\nv 0 1 0\nv 0 0 1\nf 1 2 3\nf 1 2 4\nf 1 3 4\nf 2 3 4\n";
    fs_err::write(folder.file("plain.obj"), shape).unwrap();
    set_old_mtime(&material);
    set_old_mtime(&folder.file("plain.obj"));
    folder.index();
    let library = folder.library();
    let entry = library.store().find_by_path("plain.obj").unwrap().unwrap();
    assert_eq!(entry.index_state.dependencies, ["plain.mtl"]);
    assert!(!entry.index_state.stat_hash.is_empty());
    for answer in library.search(&Query::text("red", 9)).unwrap() {
        for key in ["stamp", "sides", "stat_hash", "dependencies"] {
            assert!(!answer.payload.extra.contains_key(key), "{key} of {}", answer.payload.path);
        }
    }
}

#[test]
fn a_moved_file_keeps_its_record() {
    let folder = Folder::new();
    folder.index();
    let id = folder.library().find(&folder.file("a/red.ply")).unwrap();
    fs_err::create_dir(folder.file("c")).unwrap();
    fs_err::rename(folder.file("a/red.ply"), folder.file("c/crimson.ply")).unwrap();
    let (summary, statuses) = folder.index();
    assert_eq!(summary, IndexSummary { unchanged: 2, renamed: 1, ..IndexSummary::default() });
    assert!(
        statuses.contains(&("c/crimson.ply".into(), FileStatus::Renamed { from: "a/red.ply".into() })),
        "{statuses:?}"
    );
    assert_eq!(folder.library().find(&folder.file("c/crimson.ply")).unwrap(), id);
    assert_eq!(folder.best("red"), "c/crimson.ply");
    assert_eq!(folder.encoder.n_embedded(), 3);
}

#[test]
fn a_changed_file_is_embedded_again() {
    let folder = Folder::new();
    folder.index();
    let id = folder.library().find(&folder.file("blue.ply")).unwrap();
    write_shape(&folder.file("blue.ply"), RED, 7.0);
    fs_err::remove_file(folder.file("a/red.ply")).unwrap();
    let (summary, _) = folder.index_with(&IndexOptions { prune: true, ..IndexOptions::default() }).unwrap();
    assert_eq!(summary, IndexSummary { indexed: 1, unchanged: 1, removed: 1, ..IndexSummary::default() });
    assert_eq!(folder.library().find(&folder.file("blue.ply")).unwrap(), id);
    assert_eq!(folder.best("red"), "blue.ply");
}

#[test]
fn files_that_swap_paths_are_not_embedded_again() {
    let folder = Folder::new();
    folder.index();
    let (a, b, temporary) = (folder.file("a/red.ply"), folder.file("blue.ply"), folder.file("temporary"));
    fs_err::rename(&a, &temporary).unwrap();
    fs_err::rename(&b, &a).unwrap();
    fs_err::rename(&temporary, &b).unwrap();
    let (summary, _) = folder.index();
    assert_eq!((summary.indexed, summary.unchanged), (2, 1));
    assert_eq!(folder.best("red"), "blue.ply");
    assert_eq!(folder.best("blue"), "a/red.ply");
    assert_eq!(folder.encoder.n_embedded(), 3);
}

#[test]
fn copies_are_embedded_once() {
    let folder = Folder::new();
    folder.index();
    fs_err::copy(folder.file("a/red.ply"), folder.file("copy.ply")).unwrap();
    let (summary, _) = folder.index();
    assert_eq!((summary.indexed, summary.unchanged), (1, 3));
    assert_eq!(folder.library().len().unwrap(), 4);
    assert_eq!(folder.encoder.n_embedded(), 3);
}

#[test]
fn a_missing_file_is_deleted_only_on_request() {
    let folder = Folder::new();
    folder.index();
    fs_err::remove_file(folder.file("blue.ply")).unwrap();
    let (_, statuses) = folder.index();
    assert!(statuses.contains(&("blue.ply".into(), FileStatus::Removed { pruned: false })));
    assert_eq!(folder.library().len().unwrap(), 3);
    let (_, statuses) = folder.index_with(&IndexOptions { prune: true, ..IndexOptions::default() }).unwrap();
    assert!(statuses.contains(&("blue.ply".into(), FileStatus::Removed { pruned: true })));
    assert_eq!(folder.library().len().unwrap(), 2);
}

#[test]
fn a_broken_file_is_reported_and_skipped_until_it_changes() {
    let folder = Folder::new();
    let broken = folder.file("broken.ply");
    fs_err::write(&broken, "ply\nformat ascii 1.0\nelement vertex 900\nend_header\n").unwrap();
    fs_err::write(folder.file("empty.stl"), "").unwrap();
    for _ in 0..2 {
        let (summary, statuses) = folder.index();
        assert_eq!(summary.failed, 2, "{statuses:?}");
        let (_, status) = statuses.iter().find(|(path, _)| path == "broken.ply").unwrap();
        let FileStatus::Failed { error } = status else { panic!("{status:?}") };
        assert!(!error.contains("broken.ply"), "the path is reported separately: {error}");
    }
    assert_eq!(folder.library().failures().unwrap().len(), 2);
    write_shape(&broken, RED, 3.0);
    assert_eq!(
        folder.index().0,
        IndexSummary { indexed: 1, unchanged: 3, failed: 1, ..IndexSummary::default() }
    );
    fs_err::remove_file(folder.file("empty.stl")).unwrap();
    folder.index();
    assert!(folder.library().failures().unwrap().is_empty());
}

#[test]
fn a_file_that_becomes_broken_is_no_longer_found() {
    let folder = Folder::new();
    folder.index();
    fs_err::write(folder.file("blue.ply"), "scribble").unwrap();
    assert_eq!(folder.index().0, IndexSummary { unchanged: 2, failed: 1, ..IndexSummary::default() });
    assert_ne!(folder.best("blue"), "blue.ply");
}

#[test]
fn an_interrupted_run_is_resumed() {
    for failure_mode in [FailureMode::Error, FailureMode::Panic] {
        let mut folder = Folder::new();
        for i in 0..40 {
            write_shape(&folder.file(&format!("more/{i}.ply")), GREEN, 2.0 + i as f32);
        }
        let failing = ColorEncoder { max_shapes: 20, failure_mode, ..ColorEncoder::new("color-1") };
        folder.encoder = Arc::new(failing);
        let error = folder.index_with(&IndexOptions::default()).unwrap_err();
        assert!(matches!(error, Error::Encode { .. }), "{error}");
        let stored = folder.library().len().unwrap();
        assert!(stored > 0, "work completed before the failure is stored");
        folder.encoder = Arc::new(ColorEncoder::new("color-1"));
        assert_eq!(folder.index().0.indexed, 43 - stored);
        assert_eq!(folder.encoder.n_embedded(), 43 - stored);
        assert_eq!(folder.library().len().unwrap(), 43);
    }
}

#[test]
fn a_second_writer_is_refused_and_a_reader_is_not() {
    let folder = Folder::new();
    folder.index();
    let library_path = LibraryPath::for_assets(&folder.root());
    let _writer = folder.library();
    let second = Library::open(library_path.clone(), folder.encoder.clone(), "color").err().unwrap();
    assert!(matches!(second, Error::Store(StoreError::Locked { .. })), "{second}");
    assert!(second.hint().is_some());
    let reader = Library::open_for_reading(library_path, folder.encoder.clone()).unwrap();
    assert_eq!(reader.search(&Query::text("blue", 1)).unwrap()[0].payload.path, "blue.ply");
}

#[test]
fn opening_a_library_with_another_model_is_refused() {
    let folder = Folder::new();
    folder.index();
    let library_path = LibraryPath::for_assets(&folder.root());
    assert_eq!(Library::recorded_models(&library_path).unwrap(), ["color"]);
    let other = Arc::new(ColorEncoder::new("color-2"));
    for result in [
        Library::open(library_path.clone(), other.clone(), "other"),
        Library::open_for_reading(library_path.clone(), other.clone()),
    ] {
        let error = result.err().unwrap();
        assert!(matches!(error, Error::Store(StoreError::ModelMismatch { .. })), "{error}");
        assert!(error.to_string().contains("color-1") && error.to_string().contains("color-2"), "{error}");
    }
    assert_eq!(Library::recorded_models(&library_path).unwrap(), ["color"]);
}

#[test]
fn a_separate_library_has_absolute_paths() {
    let folder = Folder::new();
    let separate = tempfile::tempdir().unwrap();
    let library = Library::open(LibraryPath::at(separate.path()), folder.encoder.clone(), "color").unwrap();
    let options = IndexOptions::default();
    library.index(&[folder.root().join("a"), folder.file("blue.ply")], &options, &mut |_| {}).unwrap();
    let answers = library.search(&Query::text("red", 10)).unwrap();
    assert_eq!(
        answers.iter().map(|a| a.file.clone()).collect::<Vec<_>>(),
        [folder.file("a/red.ply"), folder.file("blue.ply")]
    );
    // Files outside the searched folders are not reported as missing.
    let summary = library.index(&[folder.root().join("b")], &options, &mut |_| {}).unwrap();
    assert_eq!(summary, IndexSummary { indexed: 1, ..IndexSummary::default() });
    let missing = library.index(&[folder.file("nowhere")], &options, &mut |_| {}).unwrap_err();
    assert!(matches!(missing, Error::NotFound { .. }));
}

#[test]
fn the_library_does_not_depend_on_the_number_of_workers() {
    let contents = |jobs| {
        let folder = Folder::new();
        (0..12).for_each(|i| write_shape(&folder.file(&format!("{i}.ply")), RED, 2.0 + i as f32));
        folder.index_with(&IndexOptions { jobs, ..IndexOptions::default() }).unwrap();
        let answers = folder.library().search(&Query::text("red", 100)).unwrap();
        let mut records: Vec<_> = answers.into_iter().map(|a| (a.id, a.score, a.payload.path)).collect();
        records.sort_by_key(|(id, ..)| *id);
        records
    };
    assert_eq!(contents(1), contents(5));
}
