//! Every importer on a small file in the exact layout, most of them written by h5py and NumPy; and exports read back.
#![expect(clippy::unwrap_used, reason = "a test")]

mod duoduo;

use std::path::{Path, PathBuf};

use image::{Rgb, RgbImage, Rgba, RgbaImage};
use lexiform_data::annotations::AnnotationTable;
use lexiform_data::import::ImportOptions;
use lexiform_data::{
    BuildEvent, BuildOptions, Dataset, POINTS, TEXT_FEATURES, THUMBNAIL_FEATURES, build_dataset, export,
    import, merge_partitions,
};
use lexiform_formats::array::Array;
use lexiform_formats::hdf5::File;
use lexiform_formats::view_format::{ViewFormat, decode_view};

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/data").join(name)
}

struct Imported {
    folder: tempfile::TempDir,
    dataset: Dataset,
    warnings: Vec<String>,
    failed: Vec<String>,
}

fn run(format: &str, from: &Path, options: &ImportOptions) -> Imported {
    let folder = tempfile::tempdir().unwrap();
    let to = folder.path().join("set");
    let source = (import::find(format).unwrap().open)(from, options).unwrap();
    assert!(import::find(source.format()).is_some());
    let mut failed = Vec::new();
    build_dataset(&source, &to, &BuildOptions::default(), &mut |event| {
        if let BuildEvent::Failed(one) = event {
            failed.push(format!("{}: {}", one.source, one.reason));
        }
    })
    .unwrap();
    merge_partitions(&to).unwrap();
    failed.sort();
    Imported { dataset: Dataset::open(&to).unwrap(), folder, warnings: source.warnings().to_vec(), failed }
}

impl Imported {
    #[track_caller]
    fn shape(&self, key: &str) -> usize {
        let keys: Vec<&str> = (0..self.dataset.len()).map(|i| self.dataset.key(i)).collect();
        self.dataset.find(key).unwrap_or_else(|| panic!("no {key} in {keys:?}"))
    }

    fn points(&self, key: &str) -> (Vec<usize>, Vec<f32>) {
        let array = self.dataset.array(self.shape(key), POINTS).unwrap().unwrap();
        (array.shape.clone(), array.to_f32_vec())
    }
}

fn ramp(embedding: usize) -> Vec<f32> {
    (0..embedding).map(|i| ((i * 7 + 3) % 251) as f32).collect()
}

#[test]
fn openshape_and_objaverse_lvis() {
    let options = ImportOptions { features: true, ..ImportOptions::default() };
    let listed = run("openshape", &fixture("openshape/train.json"), &options);
    assert_eq!((listed.dataset.len(), listed.failed.len()), (1, 1));
    assert!(listed.warnings[0].contains("1 of 2 files are missing"), "{:?}", listed.warnings);
    let metadata = listed.dataset.metadata(listed.shape("u1")).unwrap();
    let said: Vec<(&str, &str)> =
        metadata.captions.iter().map(|c| (c.text.as_str(), c.source.as_str())).collect();
    let expected = [
        ("old chair", "metadata"),
        ("wood", "metadata"),
        ("a wooden chair", "blip"),
        ("antique chair", "retrieval"),
    ];
    assert_eq!(said, expected);
    let texts = listed.dataset.array(listed.shape("u1"), TEXT_FEATURES).unwrap().unwrap();
    let firsts: Vec<f32> = texts.to_f32_vec().chunks(4).map(|row| row[0]).collect();
    assert_eq!(firsts, [4.0, 5.0, 6.0, 7.0]);
    let thumbnail = listed.dataset.array(listed.shape("u1"), THUMBNAIL_FEATURES).unwrap().unwrap();
    assert_eq!(
        (thumbnail.shape.as_slice(), thumbnail.to_f32_vec()),
        (&[1, 4][..], vec![8.0, 15.0, 22.0, 29.0])
    );
    assert_eq!(listed.points("u1").0, [5, 6]);
    let lvis = run("openshape", &fixture("openshape/lvis.json"), &ImportOptions::default());
    assert_eq!(lvis.dataset.label(lvis.shape("u1")), Some("armchair"));
    // A training list has no labels of the evaluation list in the same folder.
    let training = run("openshape", &fixture("openshape/train.json"), &ImportOptions::default());
    assert_eq!(training.dataset.label(training.shape("u1")), None);
    let folder = run("openshape", &fixture("openshape"), &ImportOptions::default());
    assert_eq!(folder.dataset.len(), 1);
}

#[test]
fn shapenet55_of_point_bert_and_ulip() {
    let imported = run("point-bert", &fixture("shapenet"), &ImportOptions::default());
    assert_eq!(imported.dataset.len(), 3);
    assert!(imported.warnings[0].contains("1 shapes are in train.txt and in test.txt: 03001627-cc"));
    let metadata = imported.dataset.metadata(imported.shape("02691156-bb")).unwrap();
    assert_eq!(
        (metadata.labels.as_slice(), metadata.split.as_str()),
        (&["airplane", "aeroplane", "plane"].map(str::to_owned)[..], "test")
    );
    assert_eq!(imported.points("02691156-aa").0, [16, 3]);

    // Triplets: the same with renders and depth maps.
    let folder = tempfile::tempdir().unwrap();
    let copy = |from: &Path, to: &Path| {
        std::fs::create_dir_all(to).unwrap();
        for entry in std::fs::read_dir(from).unwrap().map(|e| e.unwrap().path()).filter(|p| p.is_file()) {
            std::fs::copy(&entry, to.join(entry.file_name().unwrap())).unwrap();
        }
    };
    copy(&fixture("shapenet"), folder.path());
    copy(&fixture("shapenet/shapenet_pc"), &folder.path().join("shapenet_pc"));
    for id in ["02691156-aa", "02691156-bb", "03001627-cc"] {
        let renders = folder.path().join("rendered_images").join(id);
        std::fs::create_dir_all(&renders).unwrap();
        for angle in [0, 12, 348] {
            let image = RgbImage::from_pixel(4, 4, Rgb([angle as u8, 1, 2]));
            image.save(renders.join(format!("{id}_r_{angle:03}.png"))).unwrap();
            image.save(renders.join(format!("{id}_r_{angle:03}_depth0001.png"))).unwrap();
        }
    }
    let captions = folder.path().join("captions.json");
    let text = r#"{"rendered_images/02691156-aa/02691156-aa_r_348.png": ["seen from behind"]}"#;
    std::fs::write(&captions, text).unwrap();
    let options =
        ImportOptions { annotations: AnnotationTable::read(&captions).unwrap(), ..ImportOptions::default() };
    let triplets = run("ulip-shapenet", folder.path(), &options);
    let shape = triplets.shape("02691156-aa");
    assert_eq!(triplets.dataset.n_views(shape), 3);
    assert!(triplets.dataset.members(shape).any(|name| name == "d02.png"));
    let last = decode_view(&triplets.dataset.views(shape, &[2]).unwrap()[0]).unwrap();
    assert_eq!(last.get_pixel(0, 0).0[0], 348_u32 as u8);
    let captions = triplets.dataset.metadata(shape).unwrap().captions;
    assert_eq!((captions[0].text.as_str(), captions[0].view), ("seen from behind", Some(2)));
}

/// CG3D's own lists, renders by class, and what `--real` and `--real_caption` of its code add.
#[test]
fn cg3d_triplets_with_photos_and_captions_of_the_class() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    let clouds = root.join("ShapeNet55/shapenet_pc");
    std::fs::create_dir_all(&clouds).unwrap();
    for id in ["02691156-aa", "02691156-bb", "03001627-cc"] {
        std::fs::copy(fixture(&format!("shapenet/shapenet_pc/{id}.npy")), clouds.join(format!("{id}.npy")))
            .unwrap();
        let (synset, model) = id.split_once('-').unwrap();
        let renders = root.join("shapenet_render/img").join(synset).join(model);
        std::fs::create_dir_all(&renders).unwrap();
        for view in 0..5 {
            RgbImage::from_pixel(8, 8, Rgb([view, 1, 2]))
                .save(renders.join(format!("00{view}.png")))
                .unwrap();
        }
    }
    let write = |name: &str, text: &str| std::fs::write(root.join(name), text).unwrap();
    write("shapenet_render/train_img.txt", "02691156-aa.npy\n03001627-cc.npy\n");
    write("shapenet_render/test_img.txt", "02691156-bb.npy\n");
    write(
        "shapenet_render/taxonomy.json",
        r#"[{"synsetId": "02691156", "name": "vessel,watercraft"}, {"synsetId": "03001627", "name": "chair"}]"#,
    );
    let plain = run("cg3d", root, &ImportOptions::default());
    let shape = plain.shape("02691156-aa");
    let metadata = plain.dataset.metadata(shape).unwrap();
    assert_eq!((metadata.labels[0].as_str(), metadata.split.as_str()), ("ship", "train"));
    assert_eq!((plain.dataset.n_views(shape), metadata.captions.len()), (5, 0));
    let third = decode_view(&plain.dataset.views(shape, &[2]).unwrap()[0]).unwrap();
    assert_eq!(third.get_pixel(0, 0).0, [2, 1, 2, 255]);
    assert_eq!(plain.dataset.metadata(plain.shape("02691156-bb")).unwrap().split, "val");
    assert_eq!(plain.points("03001627-cc").0, [16, 3]);

    std::fs::create_dir_all(root.join("ShapeNetCore.v2_images/ship")).unwrap();
    for photo in 0..7 {
        let photo_path = root.join(format!("ShapeNetCore.v2_images/ship/{photo}.png"));
        RgbImage::from_pixel(12, 10, Rgb([100 + photo, 0, 0])).save(photo_path).unwrap();
    }
    write("ShapeNetCore.v2_images/ship.json", r#"{"caption": ["a ship at sea", "a white boat"]}"#);
    let options =
        ImportOptions { class_photos: true, class_captions: true, size: 6, ..ImportOptions::default() };
    let real = run("cg3d", root, &options);
    let shape = real.shape("02691156-aa");
    // As many photographs as renders: half of the images are photographs.
    assert_eq!(real.dataset.n_views(shape), 10);
    let photo = decode_view(&real.dataset.views(shape, &[7]).unwrap()[0]).unwrap();
    assert_eq!((photo.dimensions(), photo.get_pixel(3, 3).0[0] >= 100), ((6, 6), true));
    let mut captions: Vec<String> =
        real.dataset.metadata(shape).unwrap().captions.into_iter().map(|caption| caption.text).collect();
    captions.sort();
    assert_eq!(captions, ["a ship at sea", "a white boat"]);
    // A class without either keeps its renders.
    assert_eq!(real.dataset.n_views(real.shape("03001627-cc")), 5);
}

#[test]
fn modelnet_in_three_forms() {
    let text = run("modelnet", &fixture("modelnet"), &ImportOptions::default());
    let shape = text.shape("night_stand_0002");
    assert_eq!((text.dataset.label(shape), text.dataset.split(shape)), (Some("night stand"), "test"));
    assert_eq!(text.points("night_stand_0002").1, [0.1, 0.2, 0.3, -0.1, -0.2, -0.3]);
    assert_eq!(
        text.dataset.array(shape, "normals.npy").unwrap().unwrap().to_f32_vec(),
        [0.0, 0.0, 1.0, 1.0, 0.0, 0.0]
    );
    let colored = run("modelnet", &fixture("modelnet/test_pc.npy"), &ImportOptions::default());
    let (shape, values) = colored.points("airplane_0627");
    assert_eq!((shape, values[0], values[3]), (vec![4, 6], 1.03, 100.0 / 255.0));
    let sampled =
        run("modelnet", &fixture("modelnet/modelnet40_test_8pts_fps.dat"), &ImportOptions::default());
    let labels: Vec<_> = (0..2).map(|i| sampled.dataset.label(i).unwrap().to_owned()).collect();
    assert!(
        labels.contains(&"airplane".to_owned()) && labels.contains(&"night stand".to_owned()),
        "{labels:?}"
    );
}

#[test]
fn modelnet10_shares_the_folder_of_modelnet40() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    for id in ["sofa_0001", "sofa_0002", "cup_0001", "cup_0002"] {
        write(&format!("{}/{id}.txt", id.split('_').next().unwrap()), "0,0,0,0,0,1\n");
    }
    for (name, text) in [
        ("modelnet40_train.txt", "sofa_0001\ncup_0001\n"),
        ("modelnet40_test.txt", "sofa_0002\ncup_0002\n"),
        ("modelnet10_train.txt", "sofa_0001\n"),
        ("modelnet10_test.txt", "sofa_0002\n"),
        ("modelnet10_shape_names.txt", "sofa\n"),
        ("notes.txt", "sofa_0001\n"),
    ] {
        write(name, text);
    }
    let check = |from: &Path, expected: &[(&str, &str)]| {
        let found = run("modelnet", from, &ImportOptions::default());
        let set = &found.dataset;
        let mut shapes: Vec<_> =
            (0..set.len()).map(|i| (set.key(i).to_owned(), set.split(i).to_owned())).collect();
        shapes.sort();
        let expected: Vec<_> =
            expected.iter().map(|(id, split)| ((*id).to_owned(), (*split).to_owned())).collect();
        assert_eq!((shapes, found.failed), (expected, Vec::new()), "{}", from.display());
        found.warnings
    };
    let all = [("cup_0001", "train"), ("cup_0002", "test"), ("sofa_0001", "train"), ("sofa_0002", "test")];
    let warnings = check(folder.path(), &all);
    assert!(warnings[0].contains("modelnet10_shape_names.txt"), "{warnings:?}");
    let list = |name: &str| folder.path().join(name);
    assert_eq!(check(&list("modelnet10_shape_names.txt"), &all[2..]), [""; 0]);
    check(&list("modelnet10_test.txt"), &all[3..]);
    check(&list("modelnet10_train.txt"), &all[2..3]);
    let open = |name: &str| {
        let opened = (import::find("modelnet").unwrap().open)(&list(name), &ImportOptions::default());
        opened.err().unwrap().to_string()
    };
    assert!(open("notes.txt").contains("expected a folder, or a list called modelnet10_train.txt"));
    assert!(open("nothing_train.txt").contains("nothing_train.txt"));
}

#[test]
fn scanobjectnn_in_both_byte_orders() {
    let imported = run("scanobjectnn", &fixture("scanobjectnn"), &ImportOptions::default());
    assert_eq!(imported.dataset.len(), 4);
    assert!(
        imported.warnings[0].contains("test_objectdataset.h5: values are big-endian"),
        "{:?}",
        imported.warnings
    );
    let (little, big) = (
        imported.points("main_split_nobg-training_objectdataset-00001"),
        imported.points("main_split_nobg-test_objectdataset-00001"),
    );
    assert_eq!(little, big);
    let toilet = imported.shape("main_split_nobg-test_objectdataset-00001");
    assert_eq!((imported.dataset.label(toilet), imported.dataset.split(toilet)), (Some("toilet"), "test"));
    let openshape = run("scanobjectnn", &fixture("scanobjectnn_openshape"), &ImportOptions::default());
    assert_eq!(openshape.dataset.label(openshape.shape("xyz_label-00001")), Some("sofa"));
}

#[test]
fn variants_of_scanobjectnn_are_never_mixed() {
    let folder = tempfile::tempdir().unwrap();
    let put = |name: &str| {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::copy(fixture("scanobjectnn/main_split_nobg/training_objectdataset.h5"), &path).unwrap();
    };
    let check = |from: &str, expected: &str| {
        let found = run("scanobjectnn", &folder.path().join(from), &ImportOptions::default());
        let metadata = found.dataset.metadata(0).unwrap();
        let of_all = &found.dataset.manifest().settings["variant"];
        assert_eq!(
            (metadata.extra["variant"].as_str(), of_all.as_str()),
            (Some(expected), Some(expected)),
            "{from}"
        );
    };
    ["main_split", "main_split_nobg"].iter().for_each(|f| put(&format!("{f}/training_objectdataset.h5")));
    put("main_split/test_objectdataset.h5");
    check("main_split", "OBJ_BG");
    check("main_split_nobg", "OBJ_ONLY");
    let refused = |from: &str| {
        let opened = (import::find("scanobjectnn").unwrap().open)(
            &folder.path().join(from),
            &ImportOptions::default(),
        );
        let error = opened.err().unwrap();
        assert!(error.hint().unwrap().contains("name one of its files or folders"));
        error.to_string()
    };
    assert!(refused("").contains("expected one variant of ScanObjectNN, found OBJ_BG, OBJ_ONLY"));
    for (end, variant) in [
        ("augmented25_norot", "PB_T25"),
        ("augmented25rot", "PB_T25_R"),
        ("augmentedrot", "PB_T50_R"),
        ("augmentedrot_scale75", "PB_T50_RS"),
    ] {
        put(&format!("main_split/training_objectdataset_{end}.h5"));
        check(&format!("main_split/training_objectdataset_{end}.h5"), variant);
    }
    put("split2_nobg/test_objectdataset_augmentedrot_scale75.h5");
    check("split2_nobg", "PB_T50_RS without background in split2");
    assert!(refused("main_split").contains("found OBJ_BG, PB_T25, PB_T25_R, PB_T50_R, PB_T50_RS"));
    check("main_split/test_objectdataset.h5", "OBJ_BG");
}

#[test]
fn zero123_and_back() {
    let folder = tempfile::tempdir().unwrap();
    let from = folder.path().join("renders");
    for (id, views) in [("aa11", 3), ("bb22", 3), ("cc33", 2)] {
        std::fs::create_dir_all(from.join(id)).unwrap();
        for i in 0..views {
            let image = RgbaImage::from_fn(6, 6, |x, _| Rgba([i * 20, 3, 7, if x < 3 { 0 } else { 255 }]));
            image.save(from.join(id).join(format!("{i:03}.png"))).unwrap();
            let pose = Array::from_f32(&[3, 4], &[f32::from(i); 12]);
            std::fs::write(from.join(id).join(format!("{i:03}.npy")), pose.to_npy()).unwrap();
        }
    }
    let imported = run("zero123", &from, &ImportOptions::default());
    assert!(imported.warnings[0].contains("1 of 3 shapes do not have 3 views"));
    assert_eq!(
        imported.dataset.array(imported.shape("aa11"), "poses.npy").unwrap().unwrap().shape,
        [3, 3, 4]
    );
    let to = folder.path().join("back");
    let all: Vec<usize> = (0..3).collect();
    let exported = export::find("zero123").unwrap().write(&imported.dataset, &all, &to, &mut || {}).unwrap();
    assert_eq!(exported.shapes, 3);
    for name in ["aa11/002.png", "cc33/001.png"] {
        assert_eq!(std::fs::read(from.join(name)).unwrap(), std::fs::read(to.join(name)).unwrap());
    }
    // In the format of Duoduo CLIP: on white, without the shape that has fewer views; then imported again.
    let block = folder.path().join("block");
    let exported =
        export::find("duoduo").unwrap().write(&imported.dataset, &all, &block, &mut || {}).unwrap();
    assert_eq!((exported.shapes, exported.skipped.len()), (2, 1));
    let again = run("duoduo", &block, &ImportOptions::default());
    let view = decode_view(&again.dataset.views(again.shape("bb22"), &[1]).unwrap()[0]).unwrap();
    assert_eq!((view.get_pixel(0, 0).0, view.get_pixel(223, 0).0), ([255; 4], [20, 3, 7, 255]));
}

/// An image that the reference's preprocessing read or wrote.
fn prepared(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/duoduo_preprocess").join(name)
}

#[test]
fn exported_pixels_equal_those_of_the_duoduo_reference() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    std::fs::create_dir_all(at("renders/aa")).unwrap();
    std::fs::create_dir_all(at("photos/5/bb/images")).unwrap();
    std::fs::copy(prepared("zero123_rgba.png"), at("renders/aa/000.png")).unwrap();
    for i in 0..12 {
        let to = at("photos/5/bb/images").join(format!("{i:02}.png"));
        std::fs::copy(prepared("photo_300x200.png"), to).unwrap();
    }
    let export = |imported: &Imported, to: &str| {
        export::find("duoduo").unwrap().write(&imported.dataset, &[0], &at(to), &mut || {}).unwrap();
        let images = File::open(&at(to).join("mv_images.h5")).unwrap().dataset("imgs").unwrap();
        assert_eq!(images.shape()[2..], [3, 224, 224]);
        images.read_rows(0, 1).unwrap().data
    };
    let planes = |name: &str| {
        let image = image::open(prepared(name)).unwrap().into_rgb8();
        (0..3)
            .flat_map(|channel| image.pixels().map(move |p| p.0[channel]).collect::<Vec<_>>())
            .collect::<Vec<u8>>()
    };
    let renders = run("zero123", &at("renders"), &ImportOptions::default());
    assert!(export(&renders, "of_renders") == planes("zero123_expected.png"), "a render differs");
    let options = ImportOptions { size: 224, view_format: ViewFormat::Png, ..ImportOptions::default() };
    let photos = run("mvimgnet", &at("photos"), &options);
    let expected = planes("photo_resize224.png");
    assert!(
        export(&photos, "of_photos").chunks(expected.len()).all(|view| view == expected),
        "a photo differs"
    );
}

#[test]
fn mvimgnet_chooses_twelve_views_and_reports_the_overlap() {
    let folder = tempfile::tempdir().unwrap();
    let images = folder.path().join("5/2600746d/images");
    std::fs::create_dir_all(&images).unwrap();
    std::fs::create_dir_all(folder.path().join("5/few/images")).unwrap();
    for i in 0..30_u8 {
        RgbImage::from_pixel(16, 12, Rgb([i * 8, 0, 0])).save(images.join(format!("{i:03}.jpg"))).unwrap();
    }
    std::fs::write(folder.path().join("mvpnet_train_model_ids.txt"), "5_2600746d\n5_few\n").unwrap();
    std::fs::write(folder.path().join("mvpnet_val.csv"), "3,wash_basin,5_2600746d\n").unwrap();
    std::fs::write(folder.path().join("mvimgnet_category.txt"), "5,wash basin\n").unwrap();
    let imported = run("mvimgnet", folder.path(), &ImportOptions { size: 8, ..ImportOptions::default() });
    assert!(
        imported.warnings[0].contains("1 shapes are in mvpnet_train_model_ids.txt and in mvpnet_val.csv")
    );
    assert!(imported.failed[0].contains("has 0 photographs, expected at least 12"), "{:?}", imported.failed);
    let shape = imported.shape("5_2600746d");
    assert_eq!((imported.dataset.n_views(shape), imported.dataset.label(shape)), (12, Some("wash basin")));
    assert_eq!(imported.dataset.split(shape), "val");
    let view = decode_view(&imported.dataset.views(shape, &[11]).unwrap()[0]).unwrap();
    assert_eq!(view.dimensions(), (8, 8));
    assert!(view.get_pixel(4, 4).0[0].abs_diff(22 * 8) < 8);
    let name = |imported: &Imported| {
        let shape = imported.shape("5_2600746d");
        imported.dataset.members(shape).next().unwrap().to_owned()
    };
    assert_eq!(name(&imported), "v00.png");
    for (view_format, size, expected) in
        [(ViewFormat::Jpeg, 8, "v00.jpg"), (ViewFormat::Webp, 8, "v00.webp"), (ViewFormat::Png, 0, "v00.jpg")]
    {
        let options = ImportOptions { size, view_format, ..ImportOptions::default() };
        assert_eq!(name(&run("mvimgnet", folder.path(), &options)), expected);
    }
    // Files that have the size and the format already are not compressed again.
    for i in 0..30_u8 {
        RgbImage::from_pixel(8, 8, Rgb([i, 0, 0])).save(images.join(format!("{i:03}.jpg"))).unwrap();
    }
    let options = ImportOptions { size: 8, view_format: ViewFormat::Jpeg, ..ImportOptions::default() };
    let same = run("mvimgnet", folder.path(), &options);
    let first = same.dataset.views(same.shape("5_2600746d"), &[0]).unwrap().remove(0);
    assert_eq!(first, std::fs::read(images.join("000.jpg")).unwrap());
}

#[test]
fn exports_are_imported_again() {
    let imported = run(
        "openshape",
        &fixture("openshape/lvis.json"),
        &ImportOptions { features: true, ..ImportOptions::default() },
    );
    let to = imported.folder.path().join("out");
    let write = |name: &str| {
        export::find(name).unwrap().write(&imported.dataset, &[0], &to.join(name), &mut || {}).unwrap()
    };
    assert!(["openshape", "captions", "files"].iter().all(|name| write(name).shapes == 1));
    let options = ImportOptions { features: true, ..ImportOptions::default() };
    let again = run("openshape", &to.join("openshape/split.json"), &options);
    let thumbnail =
        |set: &Dataset, shape: usize| set.array(shape, THUMBNAIL_FEATURES).unwrap().unwrap().to_f32_vec();
    let [before, after] = [(&imported, "u1"), (&again, "lexiform-u1")]
        .map(|(set, key)| thumbnail(&set.dataset, set.shape(key)));
    assert_eq!(before, after);
    let (before, after) = (imported.points("u1").1, again.points("lexiform-u1").1);
    assert!(before.iter().zip(&after).all(|(a, b)| (a - b).abs() < 1e-3));
    let table = AnnotationTable::read(&to.join("captions/captions.csv")).unwrap();
    assert_eq!(table.find("u1").unwrap().captions.len(), 4);
    assert_eq!(
        AnnotationTable::read(&to.join("captions/labels.csv")).unwrap().find("u1").unwrap().labels,
        ["armchair"]
    );
    assert!(to.join("files/u1/points.npy").exists());
    let same = run("lexiform", &imported.folder.path().join("set"), &ImportOptions::default());
    assert_eq!(same.dataset.shape(0).unwrap(), imported.dataset.shape(0).unwrap());
}
