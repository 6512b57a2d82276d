//! ULIP-2's Objaverse triplets: point clouds, renders in chunks or side by side, and captions of each render.
#![expect(clippy::unwrap_used, reason = "a test")]

use std::path::{Path, PathBuf};

use image::{Rgb, RgbImage};
use lexiform_data::import::{self, ImportOptions};
use lexiform_data::{BuildOptions, Dataset, POINTS, build_dataset, merge_partitions};
use lexiform_formats::view_format::decode_view;

/// A copy of the fixture's point cloud `u1`, renders 0, 1 and 3 of two shapes, and captions by path.
fn triplets(folder: &Path, renders: &str) {
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/data/ulip");
    let cloud = "objaverse_pc_parallel/u1/u1_8192.npz";
    std::fs::create_dir_all(folder.join(cloud).parent().unwrap()).unwrap();
    std::fs::copy(fixture.join(cloud), folder.join(cloud)).unwrap();
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

/// Imports the triplets; gives the data set and the warnings.
fn imported(folder: &Path, out: PathBuf) -> (Dataset, Vec<String>) {
    let source = (import::find("ulip-objaverse").unwrap().open)(folder, &ImportOptions::default()).unwrap();
    build_dataset(&source, &out, &BuildOptions::default(), &mut |_| {}).unwrap();
    merge_partitions(&out).unwrap();
    (Dataset::open(&out).unwrap(), source.warnings().to_vec())
}

#[test]
fn shapes_have_renders_and_captions_of_each() {
    for renders in ["render_images_resized_224/objaverse_rgb_chunk_0000", "rendered_images_split_100"] {
        let (folder, sets) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        triplets(folder.path(), renders);
        let (dataset, warnings) = imported(folder.path(), sets.path().join("whole"));
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
        // Renders without point clouds.
        std::fs::remove_dir_all(folder.path().join("objaverse_pc_parallel")).unwrap();
        let (dataset, _) = imported(folder.path(), sets.path().join("renders"));
        assert_eq!((dataset.len(), dataset.n_views(1)), (2, 3));
    }
}

#[test]
fn shapes_without_renders_are_reported() {
    let (folder, sets) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    triplets(folder.path(), "render_images_resized_224");
    std::fs::remove_dir_all(folder.path().join("render_images_resized_224/u1")).unwrap();
    let (dataset, warnings) = imported(folder.path(), sets.path().join("set"));
    assert_eq!((dataset.len(), dataset.n_views(0)), (1, 0));
    assert_eq!(warnings, ["1 of 1 shapes have no rendered images"]);
}
