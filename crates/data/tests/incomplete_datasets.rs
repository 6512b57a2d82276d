//! Missing or truncated shards, folders with other content, and runs without any shape are reported, never ignored.
#![expect(clippy::unwrap_used, reason = "a test")]

use std::path::Path;

use lexiform_data::import::{self, ImportOptions};
use lexiform_data::{
    BuildOptions, BuildSummary, DataError, Dataset, Key, Manifest, Member, Metadata, Partition, ProduceError,
    Producer, Shape, ShapeJob, build_dataset, concat_datasets, export, merge_partitions,
};
use serde_json::Value;

/// Shapes of a few bytes; the first `broken` cannot be used.
struct FakeProducer {
    jobs: Vec<ShapeJob>,
    broken: usize,
    version: u32,
}

impl FakeProducer {
    fn new(shapes: usize, broken: usize, version: u32) -> Self {
        let job = |i| ShapeJob { key: Key::from_id(&format!("s{i:03}")), source: format!("s{i:03}.obj") };
        Self { jobs: (0..shapes).map(job).collect(), broken, version }
    }
}

impl Producer for FakeProducer {
    fn jobs(&self) -> &[ShapeJob] {
        &self.jobs
    }

    fn settings(&self) -> Value {
        serde_json::json!({ "version": self.version })
    }

    fn produce(&self, index: usize) -> Result<Shape, ProduceError> {
        if index < self.broken {
            return Err(ProduceError::Shape("is broken".to_owned()));
        }
        let split = if index.is_multiple_of(2) { "train" } else { "test" }.to_owned();
        let metadata = Metadata { id: format!("s{index:03}"), split, ..Metadata::default() };
        let members = vec![Member::view(0, "png", vec![index as u8; 2000])];
        Ok(Shape { key: self.jobs[index].key.clone(), members, metadata })
    }
}

fn build(toy: &FakeProducer, folder: &Path, index: u32, count: u32) -> Result<BuildSummary, DataError> {
    let options = BuildOptions {
        partition: Partition { index, count },
        num_workers: 1,
        shard_bytes: 20_000,
        ..BuildOptions::default()
    };
    build_dataset(toy, folder, &options, &mut |_| {})
}

/// 64 shapes in four partitions of several shards.
fn parts(folder: &Path) {
    for index in 0..4 {
        build(&FakeProducer::new(64, 0, 1), folder, index, 4).unwrap();
    }
}

fn tars(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder.join("shards")).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.filter(|name| name.ends_with(".tar")).collect();
    names.sort();
    names
}

/// Truncates a file to its first half.
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
fn partitions_with_missing_shards_are_not_merged() {
    let folder = tempfile::tempdir().unwrap();
    let set = folder.path();
    parts(set);
    let (all, at) = (tars(set), |name: &str| set.join("shards").join(name));
    let gone = [&all[0], all.last().unwrap()];
    gone.iter().for_each(|name| std::fs::remove_file(at(name)).unwrap());
    let counted = format!("2 of {} shards", all.len());
    check(
        merge_partitions(set),
        &[&counted, &format!("{} is missing", gone[0]), &format!("{} is missing", gone[1])],
        "restore them",
    );
    assert!(matches!(Manifest::read(set), Err(DataError::Incomplete { .. })), "nothing was written");
    // The same run rebuilds them, and the partitions are complete.
    parts(set);
    assert_eq!(merge_partitions(set).unwrap().shapes, 64);
    tars(set).iter().for_each(|name| std::fs::remove_file(at(name)).unwrap());
    check(merge_partitions(set), &["is missing, ", ", …"], "restore them");
}

#[test]
fn truncated_shards_are_errors() {
    let folder = tempfile::tempdir().unwrap();
    let (set, at) = (folder.path().join("set"), |name: &str| folder.path().join("set/shards").join(name));
    parts(&set);
    let (first, again) = (&tars(&set)[0], || build(&FakeProducer::new(64, 0, 1), &set, 0, 4));
    let manifest = merge_partitions(&set).unwrap();
    cut(&at(first));
    let told = [&*format!("{first} has "), "bytes, expected"];
    let hint = format!("delete {first} and its .parquet and run the same prepare again");
    check(merge_partitions(&set), &told, &hint);
    check(again(), &told, &hint);
    check(concat_datasets(&folder.path().join("new"), std::slice::from_ref(&set)), &told, &hint);
    // A data set of an early version, whose partitions do not record their shards.
    for index in 0..4 {
        let state = set.join("parts").join(format!("{}.json", Partition { index, count: 4 }.name()));
        let mut value: Value = serde_json::from_slice(&std::fs::read(&state).unwrap()).unwrap();
        assert!(value.as_object_mut().unwrap().remove("shards").is_some());
        std::fs::write(&state, value.to_string()).unwrap();
    }
    check(merge_partitions(&set), &told, &hint);
    let table = at(first).with_extension("parquet");
    std::fs::remove_file(&table).unwrap();
    check(again(), &["has no .parquet sidecar"], &hint);
    check(merge_partitions(&set), &["has no .parquet sidecar"], &hint);
    std::fs::remove_file(at(first)).unwrap();
    let made = again().unwrap();
    assert!(made.written > 0 && made.already_written > 0, "{made:?}");
    assert_eq!(merge_partitions(&set).unwrap().shapes, manifest.shapes);
}

#[test]
fn partitions_of_early_versions_are_merged() {
    let folder = tempfile::tempdir().unwrap();
    build(&FakeProducer::new(9, 0, 1), folder.path(), 0, 1).unwrap();
    let state = folder.path().join("parts/00000-of-00001.json");
    let mut value: Value = serde_json::from_slice(&std::fs::read(&state).unwrap()).unwrap();
    assert!(value.as_object_mut().unwrap().remove("shards").unwrap()[0]["shapes"].as_u64() > Some(0));
    std::fs::write(&state, value.to_string()).unwrap();
    assert_eq!(merge_partitions(folder.path()).unwrap().shapes, 9);
}

#[test]
fn a_folder_accepts_one_number_of_partitions() {
    let folder = tempfile::tempdir().unwrap();
    let run = |index, count| build(&FakeProducer::new(64, 0, 1), folder.path(), index, count);
    run(1, 4).unwrap();
    let before = tars(folder.path());
    for (index, count, asked) in [(3, 5, "has 5 partitions"), (0, 1, "is not partitioned")] {
        check(run(index, count), &[asked, "00001-of-00004.json, 00001-of-00004-000000.tar"], "--partition");
    }
    assert_eq!(tars(folder.path()), before);
    assert!(!folder.path().join("parts/00003-of-00005.lock").exists());
    run(0, 4).unwrap();
}

#[test]
fn a_run_without_shapes_does_not_block_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let run = |toy: &FakeProducer| build(toy, folder.path(), 0, 1);
    check(run(&FakeProducer::new(0, 0, 1)), &["no shape was made from 0 sources"], "check the path");
    let told = ["no shape was made from 3 sources; the first, s00", ".obj: is broken"];
    check(run(&FakeProducer::new(3, 3, 2)), &told, "check the files");
    assert!(merge_partitions(folder.path()).is_err());
    // Other settings are accepted, because no shape was made with the first; existing shapes are kept.
    assert_eq!(run(&FakeProducer::new(3, 2, 3)).unwrap().written, 1);
    assert_eq!(run(&FakeProducer::new(0, 0, 3)).unwrap(), BuildSummary::default());
    assert_eq!(merge_partitions(folder.path()).unwrap().shapes, 1);
    // A partition may be empty.
    let parts = folder.path().join("parts-of-one");
    for index in 0..2 {
        build(&FakeProducer::new(1, 0, 1), &parts, index, 2).unwrap();
    }
    assert_eq!(merge_partitions(&parts).unwrap().shapes, 1);
}

#[test]
fn an_import_without_valid_shapes_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("notes.npy"), "no pickle").unwrap();
    let format = import::find("openshape").unwrap();
    let source = (format.open)(folder.path(), &ImportOptions::default()).unwrap();
    let set = folder.path().join("set");
    let made = build_dataset(&source, &set, &BuildOptions::default(), &mut |_| {});
    check(made, &["no shape was made from 1 sources; the first, "], "check the files");
    assert!(!set.join("manifest.json").exists());
}

#[test]
fn exports_need_an_empty_folder_and_write_at_least_one_shape() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    build(&FakeProducer::new(5, 0, 1), &at("set"), 0, 1).unwrap();
    merge_partitions(&at("set")).unwrap();
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
