//! Building, reading, damaging and concatenating data sets of real shapes.
#![expect(clippy::unwrap_used, reason = "a test")]

use std::path::Path;

use image::RgbaImage;
use lexiform_data::annotations::AnnotationTable;
use lexiform_data::prepare::{LocalFiles, Prepare, PrepareConfig};
use lexiform_data::{
    BuildEvent, BuildOptions, BuildSummary, CAMERAS, DataError, Dataset, Featurizer, Manifest, POINTS,
    Partition, Producer as _, TEXT_FEATURES, VIEW_FEATURES, build_dataset, concat_datasets, merge_partitions,
    verify,
};
use lexiform_formats::view_format::{ViewFormat, decode_view};

/// A box with these edges as an OBJ file.
fn write_box(path: &Path, [x, y, z]: [f32; 3]) {
    let mut text = String::new();
    for corner in 0..8_u8 {
        let pick = |bit: u8, edge: f32| if corner & bit == 0 { 0.0 } else { edge };
        text.push_str(&format!("v {} {} {}\n", pick(1, x), pick(2, y), pick(4, z)));
    }
    for quad in ["1 3 4 2", "5 6 8 7", "1 2 6 5", "3 7 8 4", "1 5 7 3", "2 4 8 6"] {
        text.push_str(&format!("f {quad}\n"));
    }
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

fn models(folder: &Path) {
    write_box(&folder.join("furniture/coffee_table_01.obj"), [4.0, 0.2, 4.0]);
    write_box(&folder.join("furniture/WoodenBox.obj"), [1.0, 1.0, 1.0]);
    write_box(&folder.join("tower.obj"), [0.5, 6.0, 0.5]);
    std::fs::write(folder.join("broken.obj"), "v 1 2\nf 1 2 3\n").unwrap();
    std::fs::write(folder.join("broken.glb"), b"glTF\x02\0\0\0\xff\xff\xff\xff").unwrap();
}

fn small() -> PrepareConfig {
    PrepareConfig { views: 4, size: 48, points: 100, folder_labels: true, ..PrepareConfig::default() }
}

fn prepare(
    from: &Path,
    to: &Path,
    config: PrepareConfig,
    featurizer: Option<&dyn Featurizer>,
    jobs: usize,
) -> (BuildSummary, Vec<BuildEvent>) {
    let source = LocalFiles::new(&[from.display().to_string()]).unwrap();
    let mut producer = Prepare::new(&source, config, AnnotationTable::default()).unwrap().with_jobs(jobs);
    if let Some(featurizer) = featurizer {
        producer = producer.with_featurizer(featurizer);
    }
    let mut events = Vec::new();
    let options = BuildOptions { num_workers: jobs, ..BuildOptions::default() };
    let summary = build_dataset(&producer, to, &options, &mut |event| events.push(event)).unwrap();
    merge_partitions(to).unwrap();
    (summary, events)
}

/// Counts of a run over [`models`], two of which are broken.
fn made(written: usize, already_written: usize) -> BuildSummary {
    BuildSummary { written, already_written, failed: 2, ..BuildSummary::default() }
}

#[test]
fn depth_and_normal_maps_follow_the_views_if_requested() {
    let folder = tempfile::tempdir().unwrap();
    let (from, plain, deep) =
        (folder.path().join("models"), folder.path().join("plain"), folder.path().join("deep"));
    write_box(&from.join("box.obj"), [1.0; 3]);
    let config = PrepareConfig { depth: true, normals: true, ..small() };
    prepare(&from, &plain, small(), None, 1);
    prepare(&from, &deep, config, None, 2);
    let (plain, deep) = (Dataset::open(&plain).unwrap(), Dataset::open(&deep).unwrap());
    let names: Vec<&str> = deep.members(0).take(12).collect();
    let expected: Vec<String> =
        ["v", "d", "n"].iter().flat_map(|kind| (0..4).map(move |i| format!("{kind}{i:02}.png"))).collect();
    assert_eq!(names, expected);
    assert_eq!((deep.n_views(0), deep.views(0, &[0, 3]).unwrap()), (4, plain.views(0, &[0, 3]).unwrap()));
    assert!(
        !plain.manifest().settings.to_string().contains("depth"),
        "settings of early data sets stay valid"
    );
    let depth = image::load_from_memory(&deep.member(0, "d02.png").unwrap().unwrap()).unwrap();
    let depth = depth.as_luma16().unwrap();
    // The box fills the unit sphere; the cameras are 2.4 to 3.7 radii away.
    let seen = depth.pixels().map(|p| p.0[0]).filter(|d| *d > 0);
    assert!(seen.clone().count() > 100 && seen.clone().all(|d| (14_000..47_000).contains(&d)));
    let normals = image::load_from_memory(&deep.member(0, "n02.png").unwrap().unwrap()).unwrap();
    for (depth, normal) in depth.pixels().zip(normals.as_rgb8().unwrap().pixels()) {
        assert_eq!(depth.0[0] == 0, normal.0 == [0; 3]);
    }
}

#[test]
fn shapes_become_views_points_and_captions() {
    let folder = tempfile::tempdir().unwrap();
    let (from, to) = (folder.path().join("models"), folder.path().join("set"));
    models(&from);
    let (summary, events) = prepare(&from, &to, small(), None, 2);
    assert_eq!(summary, made(3, 0));
    let failed: Vec<&str> = events
        .iter()
        .filter_map(|e| if let BuildEvent::Failed(f) = e { Some(f.source.as_str()) } else { None })
        .collect();
    assert_eq!(failed.len(), 2, "{failed:?}");
    let dataset = Dataset::open(&to).unwrap();
    assert_eq!((dataset.len(), dataset.manifest().failed, dataset.manifest().views), (3, 2, 12));
    let table = (0..3).find(|i| dataset.key(*i).starts_with("furniture_coffee_table_01-")).unwrap();
    assert_eq!(dataset.find(dataset.key(table)), Some(table));
    assert_eq!(
        (dataset.label(table), dataset.split(table), dataset.n_views(table)),
        (Some("furniture"), "train", 4)
    );
    let metadata = dataset.metadata(table).unwrap();
    let said: Vec<&str> = metadata.captions.iter().map(|c| c.text.as_str()).collect();
    assert_eq!(said, ["coffee table", "furniture"]);
    assert_eq!(metadata.extents, Some([4.0, 0.2, 4.0]));
    let views = dataset.views(table, &[3, 1]).unwrap();
    let images: Vec<RgbaImage> = views.iter().map(|bytes| decode_view(bytes).unwrap()).collect();
    assert_eq!(images[0].dimensions(), (48, 48));
    assert_ne!(images[0], images[1]);
    assert_eq!(dataset.views(table, &[1]).unwrap()[0], views[1]);
    assert!(dataset.views(table, &[4]).unwrap_err().to_string().contains("has no view 4"));
    let points = dataset.array(table, POINTS).unwrap().unwrap();
    assert_eq!(points.shape, [100, 3]);
    assert!(points.to_f32_vec().chunks(3).all(|p| p.iter().map(|v| v * v).sum::<f32>() < 1.001));
    assert_eq!(dataset.array(table, CAMERAS).unwrap().unwrap().shape, [4, 3, 4]);
    assert_eq!(verify(&to, &|_| {}).unwrap(), []);
}

#[test]
fn the_bytes_do_not_depend_on_threads_and_a_second_run_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let from = folder.path().join("models");
    models(&from);
    let sets = ["a", "b"].map(|name| folder.path().join(name));
    prepare(&from, &sets[0], small(), None, 1);
    prepare(&from, &sets[1], small(), None, 4);
    let manifests = sets.each_ref().map(|set| Manifest::read(set).unwrap());
    assert_eq!(manifests[0], manifests[1]);
    let (again, _) = prepare(&from, &sets[0], small(), None, 2);
    assert_eq!(again, made(0, 3));
    assert_eq!(Manifest::read(&sets[0]).unwrap(), manifests[0]);
    // New files are added to the existing shapes.
    write_box(&from.join("new.obj"), [1.0, 2.0, 3.0]);
    let (more, _) = prepare(&from, &sets[0], small(), None, 2);
    assert_eq!(more, made(1, 3));
    assert_eq!(Dataset::open(&sets[0]).unwrap().len(), 4);
}

#[test]
fn files_with_the_same_name_are_different_shapes() {
    let folder = tempfile::tempdir().unwrap();
    let files = ["m/a/model.obj", "m/b/model.obj", "m/cup.obj"].map(|name| folder.path().join(name));
    files.iter().zip([1.0, 2.0, 3.0]).for_each(|(path, edge)| write_box(path, [edge, 1.0, 1.0]));
    let run = |files: &[&Path], to: &str, partition: Partition| {
        let files: Vec<String> = files.iter().map(|path| path.display().to_string()).collect();
        let source = LocalFiles::new(&files).unwrap();
        let producer = Prepare::new(&source, small(), AnnotationTable::default()).unwrap();
        let options = BuildOptions { partition, ..BuildOptions::default() };
        build_dataset(&producer, &folder.path().join(to), &options, &mut |_| {}).unwrap()
    };
    let [a, b, cup] = [&*files[0], &*files[1], &*files[2]];
    assert_eq!(
        run(&[a, b, cup], "set", Partition::ALL),
        BuildSummary { written: 3, ..BuildSummary::default() }
    );
    for index in 0..2 {
        assert_eq!(run(&[cup, b, a], "parts", Partition { index, count: 2 }).failed, 0);
    }
    let ids = |to: &str| {
        merge_partitions(&folder.path().join(to)).unwrap();
        let dataset = Dataset::open(&folder.path().join(to)).unwrap();
        let mut ids: Vec<String> = (0..dataset.len()).map(|i| dataset.metadata(i).unwrap().id).collect();
        ids.sort();
        ids
    };
    assert_eq!(ids("set"), ["a/model.obj", "b/model.obj", "cup.obj"]);
    assert_eq!(ids("parts"), ids("set"));
}

#[test]
fn a_run_is_resumed_only_with_the_annotations_it_was_started_with() {
    let folder = tempfile::tempdir().unwrap();
    let (from, to) = (folder.path().join("models"), folder.path().join("set"));
    write_box(&from.join("cup.obj"), [1.0; 3]);
    let run = |text: &str| {
        let path = folder.path().join("annotations.csv");
        std::fs::write(&path, text).unwrap();
        let source = LocalFiles::new(&[from.display().to_string()]).unwrap();
        let producer = Prepare::new(&source, small(), AnnotationTable::read(&path).unwrap()).unwrap();
        let made = build_dataset(&producer, &to, &BuildOptions::default(), &mut |_| {});
        (producer.match_counts(), made)
    };
    let (match_counts, made) = run("file,label\ncup.obj,cup\npot.obj,pot\n");
    assert_eq!((match_counts.matched, match_counts.rows, made.unwrap().written), (1, 2, 1));
    let error = run("file,label\ncup.obj,mug\npot.obj,pot\n").1.unwrap_err();
    assert!(error.to_string().contains("was started with annotations = \""), "{error}");
    assert!(error.hint().unwrap().contains("use the same settings"));
    assert_eq!(run("file,label\npot.obj,pot\ncup.obj,cup\n").1.unwrap().already_written, 1);
}

/// Features that depend on the brightness of an image and on one word of a text.
struct Colors;

impl Featurizer for Colors {
    fn id(&self) -> &str {
        "colors"
    }

    fn encode_images(&self, images: &[RgbaImage]) -> Result<Vec<Vec<f32>>, String> {
        Ok(images.iter().map(|image| vec![image.pixels().map(|p| f32::from(p.0[0])).sum(), 1.0]).collect())
    }

    fn encode_texts(&self, texts: &[&str]) -> Result<Vec<Vec<f32>>, String> {
        Ok(texts.iter().map(|text| vec![if text.contains("table") { -1.0 } else { 1.0 }, 0.0]).collect())
    }
}

#[test]
fn features_are_kept_and_rank_captions() {
    let folder = tempfile::tempdir().unwrap();
    let (from, to) = (folder.path().join("models"), folder.path().join("set"));
    models(&from);
    prepare(&from, &to, PrepareConfig { top_k_captions: 1, ..small() }, Some(&Colors), 2);
    let dataset = Dataset::open(&to).unwrap();
    let table = (0..3).find(|i| dataset.key(*i).contains("coffee")).unwrap();
    assert_eq!(dataset.array(table, VIEW_FEATURES).unwrap().unwrap().shape, [4, 2]);
    assert_eq!(dataset.array(table, TEXT_FEATURES).unwrap().unwrap().to_f32_vec(), [1.0, 0.0]);
    let captions = dataset.metadata(table).unwrap().captions;
    assert_eq!((captions.len(), captions[0].text.as_str()), (1, "furniture"));
    assert!(captions[0].score.unwrap() > 0.9);
}

#[test]
fn a_flipped_byte_is_located() {
    let folder = tempfile::tempdir().unwrap();
    let (from, to) = (folder.path().join("models"), folder.path().join("set"));
    models(&from);
    prepare(&from, &to, PrepareConfig { view_format: ViewFormat::Png, ..small() }, None, 2);
    let dataset = Dataset::open(&to).unwrap();
    let wanted = dataset.views(1, &[2]).unwrap().remove(0);
    let shard = to.join("shards").join(&dataset.manifest().shards[0].file);
    let mut bytes = std::fs::read(&shard).unwrap();
    let at = bytes.windows(wanted.len()).position(|w| w == wanted).unwrap() + wanted.len() / 2;
    bytes[at] ^= 1;
    std::fs::write(&shard, &bytes).unwrap();
    let faults = verify(&to, &|_| {}).unwrap();
    assert_eq!((faults.len(), &faults[0].path), (1, &shard));
    assert!(faults[0].message.contains(&format!("{}.v02.png", dataset.key(1))), "{faults:?}");
    let error = dataset.views(1, &[2]).unwrap_err().to_string();
    assert!(error.contains("v02.png is damaged"), "{error}");
    assert!(dataset.views(1, &[1, 3]).is_ok());
    let mut seen = 0;
    dataset
        .scan(|_| {
            seen += 1;
            Ok(())
        })
        .unwrap();
    assert_eq!(seen, 3);
    bytes.truncate(bytes.len() - 700);
    std::fs::write(&shard, &bytes).unwrap();
    assert_eq!(verify(&to, &|_| {}).unwrap().len(), 1);
}

#[test]
fn sidecars_are_checked() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    models(&at("models"));
    prepare(&at("models"), &at("a"), small(), None, 2);
    write_box(&at("models/new.obj"), [1.0, 2.0, 3.0]);
    prepare(&at("models"), &at("b"), small(), None, 2);
    let sidecar = |set: &str| at(set).join("shards/00000-of-00001-000000.parquet");
    let faults = |set: &str| {
        let faults = verify(&at(set), &|_| {}).unwrap();
        assert!(faults.iter().all(|fault| fault.path == sidecar(set)), "{faults:?}");
        faults.into_iter().map(|fault| fault.message).collect::<Vec<_>>().join("\n")
    };
    let good = std::fs::read(sidecar("a")).unwrap();
    // The sidecar of another data set, changed names of members, a truncated file, a missing file.
    std::fs::copy(sidecar("b"), sidecar("a")).unwrap();
    assert!(faults("a").contains("differ from the manifest"), "{}", faults("a"));
    let mut bytes = good.clone();
    for at in (0..bytes.len()).filter(|at| good[*at..].starts_with(b"tower")) {
        bytes[at + 4] = b'l';
    }
    std::fs::write(sidecar("a"), &bytes).unwrap();
    assert!(faults("a").contains("its rows differ from index.parquet"), "{}", faults("a"));
    std::fs::write(sidecar("a"), &good[..good.len() - 9]).unwrap();
    assert!(faults("a").contains("damaged"));
    std::fs::remove_file(sidecar("a")).unwrap();
    assert!(faults("a").contains("damaged"));
    std::fs::write(sidecar("a"), &good).unwrap();
    assert_eq!(faults("a"), "");
}

#[test]
fn an_interrupted_merge_is_detected_and_repeated() {
    let folder = tempfile::tempdir().unwrap();
    let (from, to) = (folder.path().join("models"), folder.path().join("set"));
    models(&from);
    prepare(&from, &to, small(), None, 2);
    let before = std::fs::read(to.join("manifest.json")).unwrap();
    write_box(&from.join("new.obj"), [1.0, 2.0, 3.0]);
    prepare(&from, &to, small(), None, 2);
    // The index is from the second merge, the manifest from the first.
    let inconsistent = |manifest: &[u8], expected: &str| {
        std::fs::write(to.join("manifest.json"), manifest).unwrap();
        let error = Dataset::open(&to).err().unwrap();
        assert!(error.to_string().contains(expected), "{error}");
        assert!(error.hint().unwrap().contains(&format!("run `lexiform data merge {}` again", to.display())));
        assert!(verify(&to, &|_| {}).unwrap().iter().any(|fault| fault.message.contains("rewrites both")));
    };
    inconsistent(
        &before,
        "index.parquet has shapes in \"00000-of-00001-000001.tar\", which manifest.json does not list",
    );
    merge_partitions(&to).unwrap();
    assert_eq!(Dataset::open(&to).unwrap().len(), 4);
    let after = std::fs::read_to_string(to.join("manifest.json")).unwrap();
    let fewer = after
        .replacen("\"shapes\": 4", "\"shapes\": 3", 1)
        .replace("index_sha256\": \"", "index_sha256\": \"x");
    inconsistent(fewer.as_bytes(), "manifest.json has 3 shapes, index.parquet 4");
    merge_partitions(&to).unwrap();
    assert_eq!(verify(&to, &|_| {}).unwrap(), []);
}

#[test]
fn data_sets_without_common_shapes_are_concatenated() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    models(&at("models"));
    write_box(&at("more/sofa.obj"), [2.0, 1.0, 1.0]);
    prepare(&at("models"), &at("a"), small(), None, 2);
    prepare(&at("more"), &at("b"), small(), None, 2);
    assert_eq!(concat_datasets(&at("c"), &[at("a"), at("b")]).unwrap().shapes, 4);
    assert_eq!(verify(&at("c"), &|_| {}).unwrap(), []);
    let concatenated = Dataset::open(&at("c")).unwrap();
    assert!((0..4).all(|i| concatenated.shape(i).is_ok()));
    // Shapes that failed in the partitions are still listed, and not retried.
    assert_eq!(concatenated.manifest().failed, 2);
    let error = concat_datasets(&at("d"), &[at("a"), at("a")]).unwrap_err();
    assert!(error.to_string().contains("is in another shard too"), "{error}");
    assert!(!at("d").exists(), "a failed concatenation left files behind");
    std::fs::create_dir(at("d")).unwrap();
    std::fs::write(at("d/notes.txt"), "mine").unwrap();
    assert!(concat_datasets(&at("d"), &[at("a"), at("nowhere")]).is_err());
    assert!(concat_datasets(&at("d"), &[at("b"), at("b")]).is_err());
    assert_eq!(concat_datasets(&at("d"), &[at("a"), at("b")]).unwrap().shapes, 4);
    assert_eq!(std::fs::read_to_string(at("d/notes.txt")).unwrap(), "mine");
    let error = concat_datasets(&at("d"), &[at("a"), at("b")]).unwrap_err();
    assert!(error.to_string().contains("already holds a data set"), "{error}");
    assert_eq!(verify(&at("a"), &|_| {}).unwrap(), []);
    assert!(matches!(Dataset::open(&at("models")), Err(DataError::Incomplete { .. })));
}

// Not in a file with tests that start processes: between fork and exec a child shares its parent's open files, and with them the
// locks. With a thread that starts processes, one lock in five hundred was still held after it was released.
#[test]
fn a_partition_is_written_by_one_process_with_one_setting() {
    let folder = tempfile::tempdir().unwrap();
    let begin = |settings: serde_json::Value| {
        lexiform_data::shard::PartitionWriter::open(folder.path(), Partition::ALL, settings, 1 << 20)
    };
    let settings = serde_json::json!({ "prepare": { "views": 12, "size": 224 } });
    let held = begin(settings.clone()).unwrap();
    assert!(
        begin(settings.clone()).err().unwrap().to_string().contains("another run is writing this partition")
    );
    drop(held);
    let other = serde_json::json!({ "prepare": { "views": 8, "size": 224 } });
    let error = begin(other).err().unwrap();
    assert!(error.to_string().contains("was started with prepare.views = 12, this run has 8"), "{error}");
    assert!(error.hint().is_some());
    begin(settings).unwrap();
}
