//! Several models in one library: separate embeddings, and searches with all of them.

use std::path::PathBuf;
use std::sync::Arc;

use crate::support::{BLUE, ColorEncoder, GREEN, RED, write_shape};
use lexiform_search::{
    Ensemble, EnsembleMember, Error, Fusion, IndexOptions, IndexSummary, InputSpec, Library, LibraryPath,
    Query, RankBy, StoreError,
};

/// A folder of three shapes.
struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        folder.write("red.ply", RED, 1.0);
        folder.write("green.ply", GREEN, 1.0);
        folder.write("blue.ply", BLUE, 1.0);
        folder
    }

    fn root(&self) -> PathBuf {
        fs_err::canonicalize(self.0.path()).unwrap()
    }

    fn write(&self, name: &str, color: [u8; 3], height: f32) {
        write_shape(&self.0.path().join(name), color, height);
    }

    fn open(&self, encoder: &Arc<ColorEncoder>) -> Library {
        Library::open_or_add_model(LibraryPath::for_assets(&self.root()), encoder.clone(), &encoder.id[..])
            .unwrap()
    }

    fn index(&self, encoder: &Arc<ColorEncoder>) -> IndexSummary {
        self.open(encoder).index(&[self.root()], &IndexOptions::default(), &mut |_| {}).unwrap()
    }

    fn read(&self, encoder: &Arc<ColorEncoder>) -> Library {
        Library::open_for_reading(LibraryPath::for_assets(&self.root()), encoder.clone()).unwrap()
    }

    fn paths(&self, encoder: &Arc<ColorEncoder>, text: &str) -> Vec<String> {
        let answers = self.read(encoder).search(&Query::text(text, 9)).unwrap();
        answers.into_iter().map(|answer| answer.payload.path).collect()
    }
}

fn views() -> Arc<ColorEncoder> {
    Arc::new(ColorEncoder::new("views-1"))
}

fn points() -> Arc<ColorEncoder> {
    Arc::new(ColorEncoder { input_spec: InputSpec::Points { count: 50 }, ..ColorEncoder::new("points-1") })
}

#[test]
fn a_library_holds_several_models() {
    let (folder, views, points) = (Folder::new(), views(), points());
    assert_eq!(folder.index(&views).indexed, 3);
    let missing =
        Library::open_for_reading(LibraryPath::for_assets(&folder.root()), points.clone()).err().unwrap();
    assert!(matches!(missing, Error::Store(StoreError::ModelMismatch { .. })), "{missing}");
    assert_eq!(folder.index(&points).indexed, 3);
    assert_eq!(
        Library::recorded_models(&LibraryPath::for_assets(&folder.root())).unwrap(),
        ["views-1", "points-1"]
    );
    assert_eq!((folder.index(&views).unchanged, folder.index(&points).unchanged), (3, 3));
    assert_eq!((views.n_embedded(), points.n_embedded()), (3, 3));
    for encoder in [&views, &points] {
        assert_eq!(folder.paths(encoder, "green")[0], "green.ply");
        assert_eq!(folder.read(encoder).len().unwrap(), 3);
    }
}

#[test]
fn each_model_is_indexed_separately() {
    let (folder, views, points) = (Folder::new(), views(), points());
    folder.index(&views);
    folder.index(&points);
    // A changed file: the other model's embedding is deleted until its next run.
    folder.write("red.ply", BLUE, 2.0);
    assert_eq!(folder.index(&points), IndexSummary { indexed: 1, unchanged: 2, ..IndexSummary::default() });
    assert_eq!(folder.read(&views).len().unwrap(), 2);
    assert_eq!(folder.index(&views), IndexSummary { indexed: 1, unchanged: 2, ..IndexSummary::default() });
    assert_eq!(folder.paths(&views, "blue").len(), 3);
    // A moved file: the first run renames the record, for the other model it is unchanged.
    fs_err::rename(folder.root().join("green.ply"), folder.root().join("grass.ply")).unwrap();
    assert_eq!(folder.index(&views).renamed, 1);
    assert_eq!(folder.index(&points), IndexSummary { unchanged: 3, ..IndexSummary::default() });
    assert_eq!(folder.paths(&points, "green")[0], "grass.ply");
    // A broken file: each model reports it.
    fs_err::write(folder.root().join("broken.ply"), "ply").unwrap();
    assert_eq!((folder.index(&views).failed, folder.index(&points).failed), (1, 1));
    let options = IndexOptions { prune: true, ..IndexOptions::default() };
    fs_err::remove_file(folder.root().join("red.ply")).unwrap();
    let summary = folder.open(&views).index(&[folder.root()], &options, &mut |_| {}).unwrap();
    assert_eq!(summary.removed, 1);
    assert_eq!((folder.read(&views).len().unwrap(), folder.read(&points).len().unwrap()), (2, 3));
}

#[test]
fn a_file_can_move_to_a_path_that_only_another_model_knows() {
    let (folder, views, points) = (Folder::new(), views(), points());
    folder.index(&views);
    fs_err::rename(folder.root().join("green.ply"), folder.root().join("grass.ply")).unwrap();
    assert_eq!(folder.index(&points).indexed, 3);
    assert_eq!(folder.index(&views), IndexSummary { renamed: 1, unchanged: 2, ..IndexSummary::default() });
    assert_eq!(folder.paths(&views, "green")[0], "grass.ply");
    assert_eq!(folder.paths(&points, "green")[0], "grass.ply");
}

#[test]
fn weights_decide_if_models_disagree() {
    let (folder, views) = (Folder::new(), views());
    let constant = Arc::new(ColorEncoder { fixed_text: Some("blue"), ..ColorEncoder::new("constant-1") });
    folder.index(&views);
    folder.index(&constant);
    let ask = |weights: [f32; 2], fusion| {
        let members = [&views, &constant].into_iter().zip(weights);
        let members =
            members.map(|(encoder, weight)| EnsembleMember { weight, library: folder.read(encoder) });
        let ensemble = Ensemble::new(members.collect(), fusion).unwrap();
        // Names would decide for the first model: a file is called red.
        let query = Query { rank_by: RankBy::Semantic, ..Query::text("red", 9) };
        let answers = ensemble.search(&query).unwrap();
        assert_eq!(answers.iter().map(|answer| answer.rank).collect::<Vec<_>>(), [1, 2, 3]);
        assert!(answers.is_sorted_by(|a, b| a.score >= b.score));
        answers[0].payload.path.clone()
    };
    for fusion in [Fusion::ReciprocalRank, Fusion::WeightedScore] {
        assert_eq!(ask([1.0, 0.2], fusion), "red.ply", "{fusion:?}");
        assert_eq!(ask([0.2, 1.0], fusion), "blue.ply", "{fusion:?}");
        assert_eq!(ask([1.0, 0.0], fusion), "red.ply", "{fusion:?}");
    }
    for weights in [[0.0, 0.0], [-1.0, 1.0], [f32::NAN, 1.0]] {
        let members = weights.map(|weight| EnsembleMember { weight, library: folder.read(&views) });
        assert!(matches!(Ensemble::new(members.into(), Fusion::ReciprocalRank), Err(Error::Query { .. })));
    }
}

#[test]
fn files_that_only_one_model_has_embedded_are_found() {
    let (folder, views, points) = (Folder::new(), views(), points());
    folder.index(&views);
    folder.write("late.ply", RED, 3.0);
    folder.index(&points);
    let members =
        [&views, &points].map(|encoder| EnsembleMember { weight: 1.0, library: folder.read(encoder) });
    for fusion in [Fusion::ReciprocalRank, Fusion::WeightedScore] {
        let members = members.iter().map(|member| EnsembleMember {
            weight: 1.0,
            library: folder.read(if member.library.len().unwrap() == 3 { &views } else { &points }),
        });
        let answers =
            Ensemble::new(members.collect(), fusion).unwrap().search(&Query::text("red", 9)).unwrap();
        assert_eq!(answers.len(), 4);
        assert_eq!(answers[0].payload.path, "red.ply", "both models have embedded it");
    }
}
