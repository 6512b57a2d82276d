//! Duoduo CLIP's files, and the lists next to them.

use lexiform_data::annotations::AnnotationTable;
use lexiform_data::import::{self, IdFilter, ImportOptions};
use lexiform_data::{BuildOptions, TEXT_FEATURES, VIEW_FEATURES, build_dataset};
use lexiform_formats::npy::{Npy, read_npy};
use lexiform_formats::view_format::{ViewFormat, decode_view};

use super::{Imported, fixture, ramp, run};
#[test]
fn duoduo_and_its_known_pitfalls() {
    let options = ImportOptions { view_format: ViewFormat::Png, features: true, ..ImportOptions::default() };
    let imported = run("duoduo", &fixture("duoduo"), &options);
    assert_eq!(imported.dataset.len(), 3);
    let warnings = imported.warnings.join("\n");
    for trap in
        ["1 duplicate ids", "1 of 4 rows have no id", "big-endian", "in lvis.csv, which is for evaluation"]
    {
        assert!(warnings.contains(trap), "no {trap:?} in {warnings}");
    }
    let shape = imported.shape("bbbb");
    let view = decode_view(&imported.dataset.views(shape, &[3]).unwrap()[0]).unwrap();
    let Npy::Array(expected) =
        read_npy(&std::fs::read(fixture("duoduo/expected_view.npy")).unwrap()).unwrap()
    else {
        panic!("not an array")
    };
    assert_eq!(image::DynamicImage::ImageRgba8(view).into_rgb8().as_raw(), &expected.data);
    let metadata = imported.dataset.metadata(shape).unwrap();
    // The list next to the images is for evaluation.
    assert_eq!(metadata.labels, [""; 0]);
    assert_eq!(metadata.notes, ["view 5 is the same as view 2", "view 7 is blank"]);
    let features = imported.dataset.array(shape, VIEW_FEATURES).unwrap().unwrap();
    assert_eq!((features.shape.clone(), features.to_f32_vec()), (vec![12, 6], ramp(144)[72..].to_vec()));
    let texts = imported.dataset.array(imported.shape("aaaa"), TEXT_FEATURES).unwrap().unwrap();
    assert_eq!((texts.shape.clone(), &texts.to_f32_vec()[..12]), (vec![4, 6], &ramp(12)[..]));
    let embeddings = run("duoduo-embeddings", &fixture("duoduo"), &ImportOptions::default());
    let embedding = embeddings.dataset.array(embeddings.shape("u1"), "shape.npy").unwrap().unwrap();
    assert_eq!(embedding.to_f32_vec(), ramp(12)[6..]);
}

/// The images of the fixture under other names, with lists in the same folder.
fn duoduo_as(images: &str, index: &str, lists: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::copy(fixture("duoduo/mv_images.h5"), folder.path().join(images)).unwrap();
    std::fs::copy(fixture("duoduo/model_to_idx.json"), folder.path().join(index)).unwrap();
    for (name, text) in lists {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    folder
}

#[test]
fn duoduo_lists_determine_the_evaluation_split() {
    let said = |imported: &Imported, key: &str| {
        let metadata = imported.dataset.metadata(imported.shape(key)).unwrap();
        (metadata.labels.join(","), metadata.split)
    };
    let lvis = [("csv_list/lvis.csv", "0,Band_Aid,aaaa\n1,cup,bbbb\n")];
    let folder = duoduo_as("lvis_images.h5", "lvis_model_to_idx.json", &lvis);
    let imported = run("duoduo", folder.path(), &ImportOptions::default());
    assert_eq!(said(&imported, "bbbb"), ("cup".to_owned(), "test".to_owned()));
    assert!(!imported.warnings.iter().any(|warning| warning.contains("lvis.csv")), "{:?}", imported.warnings);

    // Training images have labels of an evaluation list only where the list is given.
    let folder = duoduo_as("mv_images.h5", "model_to_idx.json", &lvis);
    let imported = run("duoduo", folder.path(), &ImportOptions::default());
    assert_eq!(said(&imported, "bbbb"), (String::new(), "train".to_owned()));
    assert!(
        imported
            .warnings
            .iter()
            .any(|warning| warning.contains("2 shapes are in the training images and in lvis.csv"))
    );
    let annotations = AnnotationTable::read(&folder.path().join("csv_list/lvis.csv")).unwrap();
    let options = ImportOptions { annotations, ..ImportOptions::default() };
    let imported = run("duoduo", folder.path(), &options);
    assert_eq!(said(&imported, "bbbb"), ("cup".to_owned(), "train".to_owned()));

    let lists =
        [("mvpnet_val.csv", "3,wash_basin,bbbb\n"), ("captions/mvimgnet_category.txt", "aaaa,a cup\n")];
    let folder = duoduo_as("mvimgnet_mv_images.h5", "mvimgnet_model_to_idx.json", &lists);
    let imported = run("duoduo", folder.path(), &ImportOptions::default());
    assert_eq!(said(&imported, "bbbb"), ("wash basin".to_owned(), "val".to_owned()));
    assert_eq!(said(&imported, "aaaa"), ("a cup".to_owned(), "train".to_owned()));
    let warnings = imported.warnings.join("\n");
    assert!(
        warnings.contains("1 shapes are in the images and in mvpnet_val.csv") && warnings.contains("bbbb"),
        "{warnings}"
    );

    // Only the ids of a list, which are not in the val split.
    let ids = folder.path().join("mvpnet_train_model_ids.txt");
    std::fs::write(&ids, "aaaa\n\nelsewhere\n").unwrap();
    let options = ImportOptions { ids: Some(IdFilter::read(&ids).unwrap()), ..ImportOptions::default() };
    let chosen = run("duoduo", folder.path(), &options);
    assert_eq!((chosen.dataset.len(), said(&chosen, "aaaa").1.as_str()), (1, "train"));
    let same = |imported: &Imported| imported.dataset.views(imported.shape("aaaa"), &[0, 3]).unwrap();
    assert_eq!(same(&chosen), same(&imported));
    let warnings = chosen.warnings.join("\n");
    assert!(warnings.contains("mvpnet_train_model_ids.txt: 1 of 2 ids are not in the source"), "{warnings}");
    assert!(!warnings.contains("mvpnet_val.csv"), "{warnings}");
    let open = |options: &ImportOptions| (import::find("duoduo").unwrap().open)(folder.path(), options);
    let all = open(&ImportOptions::default()).unwrap();
    let set = chosen.folder.path().join("set");
    let error = build_dataset(&all, &set, &BuildOptions::default(), &mut |_| {}).unwrap_err();
    assert!(error.to_string().contains("was started with ids = \""), "{error}");
    std::fs::write(&ids, "elsewhere\n").unwrap();
    let options = ImportOptions { ids: Some(IdFilter::read(&ids).unwrap()), ..ImportOptions::default() };
    assert!(open(&options).err().unwrap().to_string().contains("lists none of the 3 shapes"));
    std::fs::write(&ids, "\n").unwrap();
    assert!(IdFilter::read(&ids).unwrap_err().to_string().contains("expected one id per line"));
}
