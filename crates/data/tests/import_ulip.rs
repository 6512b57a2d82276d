//! ULIP-2's Objaverse triplets: point clouds, renders in chunks or side by side, and captions of each render.
#![expect(clippy::unwrap_used, reason = "a test")]

use std::path::{Path, PathBuf};

use image::{Rgb, RgbImage};
use lexiform_data::Producer as _;
use lexiform_data::annotations::AnnotationTable;
use lexiform_data::import::{self, ImportOptions, ImportSource};
use lexiform_data::{BuildOptions, Dataset, POINTS, build_dataset, merge_partitions};
use lexiform_formats::view_format::decode_view;

fn fixture() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/data/ulip")
}

/// A copy of the fixture's point cloud `u1`, renders 0, 1 and 3 of two shapes, and captions by path.
fn triplets(folder: &Path, renders: &str) {
    let cloud = "objaverse_pc_parallel/u1/u1_8192.npz";
    std::fs::create_dir_all(folder.join(cloud).parent().unwrap()).unwrap();
    std::fs::copy(fixture().join(cloud), folder.join(cloud)).unwrap();
    for uid in ["u1", "u2"] {
        let images = folder.join(renders).join(uid);
        std::fs::create_dir_all(&images).unwrap();
        for number in [0, 1, 3] {
            let image = RgbImage::from_pixel(4, 4, Rgb([number, 1, 2]));
            image.save(images.join(format!("{number:03}.png"))).unwrap();
        }
    }
    let root = "/export/einstein-vision/3d_vision/objaverse/render_images_split_100";
    let captions = serde_json::json!({
        format!("{root}/u1/003.png"): ["a cup", "a mug"],
        format!("{root}/u1/002.png"): ["no such view"],
        format!("{root}/u1/000.png"): ["a bowl"],
    });
    std::fs::write(folder.join("merged_data.json"), captions.to_string()).unwrap();
}

fn open(folder: &Path, options: &ImportOptions) -> ImportSource {
    (import::find("ulip-objaverse").unwrap().open)(folder, options).unwrap()
}

/// Imports the triplets; gives the data set and the warnings.
fn imported(folder: &Path, out: PathBuf, options: &ImportOptions) -> (Dataset, Vec<String>) {
    let source = open(folder, options);
    build_dataset(&source, &out, &BuildOptions::default(), &mut |_| {}).unwrap();
    merge_partitions(&out).unwrap();
    (Dataset::open(&out).unwrap(), source.warnings().to_vec())
}

#[test]
fn shapes_have_renders_and_captions_of_each() {
    for renders in ["render_images_resized_224/objaverse_rgb_chunk_0000", "rendered_images_split_100"] {
        let (folder, sets) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        triplets(folder.path(), renders);
        let (dataset, warnings) =
            imported(folder.path(), sets.path().join("whole"), &ImportOptions::default());
        assert_eq!((dataset.len(), warnings.len()), (1, 0), "{renders}: {warnings:?}");
        assert_eq!(dataset.array(0, POINTS).unwrap().unwrap().shape, [8, 3]);
        let views = dataset.views(0, &[0, 1, 2]).unwrap();
        assert_eq!(decode_view(&views[2]).unwrap().get_pixel(0, 0).0[0], 3);
        let metadata = dataset.metadata(0).unwrap();
        assert_eq!(metadata.extra["view_numbers"], serde_json::json!([0, 1, 3]));
        let mut captions: Vec<_> = metadata.captions.iter().map(|c| (c.text.as_str(), c.view)).collect();
        // The order within a view is that of the file.
        captions.sort_by_key(|(_, view)| *view);
        assert_eq!(captions, [("a bowl", Some(0)), ("a cup", Some(2)), ("a mug", Some(2))]);
        // Another import of the data set keeps the captions of its views.
        let again =
            (import::find("lexiform").unwrap().open)(&sets.path().join("whole"), &ImportOptions::default());
        build_dataset(&again.unwrap(), &sets.path().join("again"), &BuildOptions::default(), &mut |_| {})
            .unwrap();
        merge_partitions(&sets.path().join("again")).unwrap();
        let again = Dataset::open(&sets.path().join("again")).unwrap();
        assert_eq!(again.metadata(0).unwrap().captions, metadata.captions);
        // Renders without point clouds.
        std::fs::remove_dir_all(folder.path().join("objaverse_pc_parallel")).unwrap();
        let (dataset, _) = imported(folder.path(), sets.path().join("renders"), &ImportOptions::default());
        assert_eq!((dataset.len(), dataset.n_views(1)), (2, 3));
    }
}

#[test]
fn shapes_without_renders_are_reported() {
    let (folder, sets) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    triplets(folder.path(), "render_images_resized_224");
    std::fs::remove_dir_all(folder.path().join("render_images_resized_224/u1")).unwrap();
    let (dataset, warnings) = imported(folder.path(), sets.path().join("set"), &ImportOptions::default());
    assert_eq!((dataset.len(), dataset.n_views(0)), (1, 0));
    let captions = dataset.metadata(0).unwrap().captions;
    assert!(captions.len() == 4 && captions.iter().all(|caption| caption.view.is_none()), "{captions:?}");
    assert_eq!(warnings, ["1 of 1 shapes have no rendered images"]);
}

#[test]
fn clouds_keep_their_axes_and_accept_captions() {
    let folder = tempfile::tempdir().unwrap();
    let cap3d = folder.path().join("Cap3D.csv");
    std::fs::write(&cap3d, "u1,\"A chair, red.\"\n").unwrap();
    let options =
        ImportOptions { annotations: AnnotationTable::read(&cap3d).unwrap(), ..ImportOptions::default() };
    let set = folder.path().join("set");
    let (dataset, _) = imported(&fixture(), set.clone(), &options);
    let points = dataset.array(0, POINTS).unwrap().unwrap();
    assert_eq!(points.shape, [8, 3]);
    // The values that `fixtures/data/make.py` wrote.
    let written = |i: usize| ((i * 7 + 3) % 251) as f32 / 100.0;
    assert!(points.to_f32_vec().iter().enumerate().all(|(i, x)| (x - written(i)).abs() < 1e-6));
    assert_eq!(dataset.metadata(0).unwrap().captions[0].text, "A chair, red.");
    // Other captions for the same data set are an error, because shapes that exist would not get them.
    let source = open(&fixture(), &ImportOptions::default());
    let error = build_dataset(&source, &set, &BuildOptions::default(), &mut |_| {}).unwrap_err();
    assert!(error.to_string().contains("was started with annotations = \""), "{error}");
    let match_counts = open(&fixture(), &options).match_counts();
    assert_eq!((match_counts.matched, match_counts.rows), (1, 1));
}
