//! Missing or truncated shards, folders with other content, and runs without any shape are reported, never ignored.
#![expect(clippy::unwrap_used, reason = "a test")]

use std::path::Path;

use lexiform_data::import::{self, ImportOptions};
use lexiform_data::{
    About, DataError, Dataset, Job, Key, MakeOptions, MakeSummary, Manifest, Member, Part, Problem, Producer,
    Shape, export, join, make, merge,
};
use serde_json::Value;

/// Shapes of a few bytes; the first `broken` cannot be used.
struct Toy {
    jobs: Vec<Job>,
    broken: usize,
    version: u32,
}

impl Toy {
    fn new(shapes: usize, broken: usize, version: u32) -> Self {
        let job = |i| Job { key: Key::of_id(&format!("s{i:03}")), source: format!("s{i:03}.obj") };
        Self { jobs: (0..shapes).map(job).collect(), broken, version }
    }
}

impl Producer for Toy {
    fn jobs(&self) -> &[Job] {
        &self.jobs
    }

    fn settings(&self) -> Value {
        serde_json::json!({ "version": self.version })
    }

    fn produce(&self, index: usize) -> Result<Shape, Problem> {
        if index < self.broken {
            return Err(Problem::Shape("is broken".to_owned()));
        }
        let split = if index.is_multiple_of(2) { "train" } else { "test" }.to_owned();
        let about = About { id: format!("s{index:03}"), split, ..About::default() };
        let members = vec![Member::view(0, "png", vec![index as u8; 2000])];
        Ok(Shape { key: self.jobs[index].key.clone(), members, about })
    }
}

fn fill(toy: &Toy, folder: &Path, index: u32, of: u32) -> Result<MakeSummary, DataError> {
    let options =
        MakeOptions { part: Part { index, of }, jobs: 1, shard_bytes: 20_000, ..MakeOptions::default() };
    make(toy, folder, &options, &mut |_| {})
}

/// 64 shapes in four parts of several shards.
fn parts(folder: &Path) {
    for index in 0..4 {
        fill(&Toy::new(64, 0, 1), folder, index, 4).unwrap();
    }
}

fn tars(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder.join("shards")).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.filter(|name| name.ends_with(".tar")).collect();
    names.sort();
    names
}

/// Cuts a file in two and keeps the first half.
fn cut(path: &Path) {
    let bytes = std::fs::read(path).unwrap();
    std::fs::write(path, &bytes[..bytes.len() / 2]).unwrap();
}

#[track_caller]
fn check<T>(result: Result<T, DataError>, expected: &[&str], hint: &str) {
    let error = result.err().unwrap();
    let told = error.to_string();
    expected.iter().for_each(|expected| assert!(told.contains(expected), "{told}"));
    let given = error.hint().unwrap_or_default();
    assert!(given.contains(hint), "{told}: {given}");
}

#[test]
fn parts_without_their_shards_are_not_merged() {
    let folder = tempfile::tempdir().unwrap();
    let set = folder.path();
    parts(set);
    let (all, at) = (tars(set), |name: &str| set.join("shards").join(name));
    let gone = [&all[0], all.last().unwrap()];
    gone.iter().for_each(|name| std::fs::remove_file(at(name)).unwrap());
    let counted = format!("2 of {} shards", all.len());
    check(
        merge(set),
        &[&counted, &format!("{} is missing", gone[0]), &format!("{} is missing", gone[1])],
        "restore them",
    );
    assert!(matches!(Manifest::read(set), Err(DataError::Incomplete { .. })), "nothing was written");
    // The same run rebuilds them, and the partitions are complete.
    parts(set);
    assert_eq!(merge(set).unwrap().shapes, 64);
    tars(set).iter().for_each(|name| std::fs::remove_file(at(name)).unwrap());
    check(merge(set), &["is missing, ", ", …"], "restore them");
}

#[test]
fn shards_that_are_cut_short_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (set, at) = (folder.path().join("set"), |name: &str| folder.path().join("set/shards").join(name));
    parts(&set);
    let (first, again) = (&tars(&set)[0], || fill(&Toy::new(64, 0, 1), &set, 0, 4));
    let manifest = merge(&set).unwrap();
    cut(&at(first));
    let told = [&*format!("{first} has "), "bytes, expected"];
    let hint = format!("delete {first} and its .parquet and run the same prepare again");
    check(merge(&set), &told, &hint);
    check(again(), &told, &hint);
    check(join(&folder.path().join("new"), std::slice::from_ref(&set)), &told, &hint);
    // A set made before parts recorded their shards.
    for index in 0..4 {
        let state = set.join("parts").join(format!("{}.json", Part { index, of: 4 }.name()));
        let mut value: Value = serde_json::from_slice(&std::fs::read(&state).unwrap()).unwrap();
        assert!(value.as_object_mut().unwrap().remove("shards").is_some());
        std::fs::write(&state, value.to_string()).unwrap();
    }
    check(merge(&set), &told, &hint);
    let table = at(first).with_extension("parquet");
    std::fs::remove_file(&table).unwrap();
    check(again(), &["has no .parquet sidecar"], &hint);
    check(merge(&set), &["has no .parquet sidecar"], &hint);
    std::fs::remove_file(at(first)).unwrap();
    let made = again().unwrap();
    assert!(made.written > 0 && made.before > 0, "{made:?}");
    assert_eq!(merge(&set).unwrap().shapes, manifest.shapes);
}

#[test]
fn sets_whose_parts_list_no_shards_are_merged() {
    let folder = tempfile::tempdir().unwrap();
    fill(&Toy::new(9, 0, 1), folder.path(), 0, 1).unwrap();
    let state = folder.path().join("parts/00000-of-00001.json");
    let mut value: Value = serde_json::from_slice(&std::fs::read(&state).unwrap()).unwrap();
    assert!(value.as_object_mut().unwrap().remove("shards").unwrap()[0]["shapes"].as_u64() > Some(0));
    std::fs::write(&state, value.to_string()).unwrap();
    assert_eq!(merge(folder.path()).unwrap().shapes, 9);
}

#[test]
fn a_folder_holds_one_division() {
    let folder = tempfile::tempdir().unwrap();
    let run = |index, of| fill(&Toy::new(64, 0, 1), folder.path(), index, of);
    run(1, 4).unwrap();
    let before = tars(folder.path());
    for (index, of, asked) in [(3, 5, "has 5 partitions"), (0, 1, "is not partitioned")] {
        check(run(index, of), &[asked, "00001-of-00004.json, 00001-of-00004-000000.tar"], "--partition");
    }
    assert_eq!(tars(folder.path()), before);
    assert!(!folder.path().join("parts/00003-of-00005.lock").exists());
    run(0, 4).unwrap();
}

#[test]
fn a_run_without_any_shape_leaves_nothing_in_the_way() {
    let folder = tempfile::tempdir().unwrap();
    let run = |toy: &Toy| fill(toy, folder.path(), 0, 1);
    check(run(&Toy::new(0, 0, 1)), &["no shape was made from 0 sources"], "check the path");
    let told = ["no shape was made from 3 sources; the first, s00", ".obj: is broken"];
    check(run(&Toy::new(3, 3, 2)), &told, "check the files");
    assert!(merge(folder.path()).is_err());
    // Other settings, since nothing was made with the first; and the shapes that are there stay.
    assert_eq!(run(&Toy::new(3, 2, 3)).unwrap().written, 1);
    assert_eq!(run(&Toy::new(0, 0, 3)).unwrap(), MakeSummary::default());
    assert_eq!(merge(folder.path()).unwrap().shapes, 1);
    // A part may well be empty.
    let parts = folder.path().join("parts-of-one");
    for index in 0..2 {
        fill(&Toy::new(1, 0, 1), &parts, index, 2).unwrap();
    }
    assert_eq!(merge(&parts).unwrap().shapes, 1);
}

#[test]
fn an_import_of_something_else_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("notes.npy"), "no pickle").unwrap();
    let format = import::find("openshape").unwrap();
    let source = (format.open)(folder.path(), &ImportOptions::default()).unwrap();
    let set = folder.path().join("set");
    let made = make(&source, &set, &MakeOptions::default(), &mut |_| {});
    check(made, &["no shape was made from 1 sources; the first, "], "check the files");
    assert!(!set.join("manifest.json").exists());
}

#[test]
fn an_export_writes_something_into_a_folder_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    fill(&Toy::new(5, 0, 1), &at("set"), 0, 1).unwrap();
    merge(&at("set")).unwrap();
    let dataset = Dataset::open(&at("set")).unwrap();
    let shapes = |split| export::shapes_of(&dataset, &at("set"), split);
    assert_eq!((shapes(None).unwrap().len(), shapes(Some("test")).unwrap().len()), (5, 2));
    check(shapes(Some("nope")), &["no shape in split \"nope\", the splits are test, train"], "--split");
    let all = shapes(None).unwrap();
    let write = |name: &str, to: &str| {
        export::find(name).unwrap().write(&dataset, &all, &at(to), &mut || {}).map(|exported| exported.shapes)
    };
    std::fs::create_dir(at("empty")).unwrap();
    for to in ["new", "empty"] {
        check(
            write("openshape", to),
            &["none of 5 shapes can be written as openshape: ", "has no points"],
            "xyz",
        );
        check(write("captions", to), &["has no captions and no labels"], "captions.csv");
    }
    assert!(!at("new").exists() && std::fs::read_dir(at("empty")).unwrap().next().is_none());
    assert_eq!(write("files", "empty").unwrap(), 5);
    check(write("zero123", "empty"), &["expected an empty folder"], "new or empty folder");
    assert!(at("empty").join(dataset.key(all[0])).join("v00.png").exists());
    assert_eq!(write("zero123", "new").unwrap(), 5);
}
