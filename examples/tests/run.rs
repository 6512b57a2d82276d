//! Every example runs on files of `samples/` and prints what it promises.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

use std::path::{Path, PathBuf};
use std::process::Command;

use lexiform_data::annotations::AnnotationTable;
use lexiform_data::prepare::{CombinedSource, Prepare, PrepareConfig};
use lexiform_data::{BuildOptions, build_dataset, merge_partitions};

/// Runs an example and gives what it printed.
fn run(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output().unwrap();
    let (out, err) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{program} {arguments:?}: {err}");
    out
}

fn sample(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../samples").join(name)
}

/// A folder with copies of some samples: examples write into the folders they are given.
fn folder(names: &[&str]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for name in names {
        std::fs::copy(sample(name), folder.path().join(name)).unwrap();
    }
    folder
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn embed_file_writes_an_array() {
    let folder = folder(&["chair_01.glb"]);
    let out = folder.path().join("chair.npy");
    let printed = run(env!("CARGO_BIN_EXE_embed_file"), &[text(&sample("chair_01.glb")), text(&out)]);
    assert_eq!(printed.lines().count(), 5, "{printed}");
    assert!(std::fs::read(out).unwrap().starts_with(b"\x93NUMPY"));
}

#[test]
fn search_folder_finds_the_chair() {
    let folder = folder(&["chair_01.glb", "car_01.glb", "tree_01.glb", "mug_01.glb"]);
    let printed = run(env!("CARGO_BIN_EXE_search_folder"), &[text(folder.path()), "a chair"]);
    assert!(printed.starts_with("4 files indexed, 0 unchanged"), "{printed}");
    assert!(printed.lines().nth(1).unwrap().ends_with("chair_01.glb"), "{printed}");
    let again = run(env!("CARGO_BIN_EXE_search_folder"), &[text(folder.path()), "a chair"]);
    assert!(again.starts_with("0 files indexed, 4 unchanged"), "{again}");
}

#[test]
fn zero_shot_scores_every_label() {
    let chair = sample("chair_01.glb");
    let arguments = [text(&chair), "airplane", "chair", "mug"];
    let printed = run(env!("CARGO_BIN_EXE_zero_shot"), &arguments);
    assert_eq!(printed.lines().count(), 3);
    assert!(printed.lines().next().unwrap().ends_with("chair"), "{printed}");
}

#[test]
fn render_views_writes_images() {
    let folder = tempfile::tempdir().unwrap();
    run(env!("CARGO_BIN_EXE_render_views"), &[text(&sample("lamp.glb")), text(folder.path())]);
    let names = ["v00.png", "v11.png", "sheet.png"].map(|name| folder.path().join(name));
    assert!(names.iter().all(|path| std::fs::read(path).unwrap().starts_with(b"\x89PNG")));
}

#[test]
fn read_dataset_lists_shapes() {
    let folder = folder(&["chair_01.glb", "mug_01.glb"]);
    let source = CombinedSource::open(&[text(folder.path()).to_owned()]).unwrap();
    let config = PrepareConfig { views: 2, size: 32, points: 64, ..PrepareConfig::default() };
    let prepare = Prepare::new(&source, config, AnnotationTable::default()).unwrap();
    let set = folder.path().join("set");
    build_dataset(&prepare, &set, &BuildOptions::default(), &mut |_| {}).unwrap();
    merge_partitions(&set).unwrap();
    let printed = run(env!("CARGO_BIN_EXE_read_dataset"), &[text(&set)]);
    assert!(printed.starts_with("2 shapes in 1 shards"), "{printed}");
    assert_eq!(printed.matches("view 1: 32 × 32 pixels").count(), 2, "{printed}");
    assert_eq!(printed.matches("points: [64, ").count(), 2, "{printed}");
}

#[test]
fn fine_tune_learns_a_few_steps() {
    let names = [
        "chair_01.glb",
        "chair_02.glb",
        "chair_03.obj",
        "mug_01.glb",
        "mug_02.stl",
        "car_01.glb",
        "car_02.glb",
    ];
    let folder = folder(&names);
    let rows = names.map(|name| format!("{name},{}\n", name.split('_').next().unwrap()));
    std::fs::write(folder.path().join("labels.csv"), format!("file,label\n{}", rows.concat())).unwrap();
    let out = folder.path().join("run");
    let tiny = ["run.steps=3", "run.evaluate_every=3", "data.views=4", "batch.size.images=8"];
    let arguments = [&[text(folder.path()), text(&out)][..], &tiny].concat();
    let printed = run(env!("CARGO_BIN_EXE_fine_tune"), &arguments);
    assert_eq!(printed.matches("loss").count(), 3, "{printed}");
    assert!(printed.contains("val top-1") && out.join("model.safetensors").is_file(), "{printed}");
}

#[test]
fn add_format_reads_boxes() {
    let folder = tempfile::tempdir().unwrap();
    let image = folder.path().join("table.png");
    let boxes = Path::new(env!("CARGO_MANIFEST_DIR")).join("table.boxes");
    let printed = run(env!("CARGO_BIN_EXE_add_format"), &[text(&boxes), text(&image)]);
    assert!(printed.starts_with("60 triangles\n"), "{printed}");
    assert!(printed.lines().nth(1).unwrap().ends_with("table"), "{printed}");
    assert!(std::fs::read(&image).unwrap().starts_with(b"\x89PNG"));
}
