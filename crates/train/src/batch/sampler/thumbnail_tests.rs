//! Image targets of OpenShape's batches: `Four.get_objaverse` of its code (`src/data.py`) takes the thumbnail's feature with
//! probability 0.5, and that of a uniformly sampled view otherwise; `get_others` knows views only.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use burn::tensor::Device;
use lexiform_data::import::{self, ImportOptions};
use lexiform_data::{BuildOptions, build_dataset, merge_partitions};
use lexiform_formats::array::Array;
use lexiform_formats::pickle::DictWriter;
use lexiform_model::Teacher;
use lexiform_model::point::GroupingPlan;

use super::Sampler;
use crate::data::pool::ShapePool;
use crate::data::requirements::DataRequirements;
use crate::data::source::dataset::DatasetSource;
use crate::loss::Objective;
use crate::recipe::Recipe;

/// Views of a shape; the feature of view v is v + 1 in all numbers.
const VIEWS: usize = 12;
/// The feature of a thumbnail in all numbers.
const THUMBNAIL: f32 = 100.0;
/// Width of the built-in model's features.
const DIM: usize = 128;
/// Shapes in a batch: all of them.
const ROWS: usize = 20;
const STEPS: usize = 300;

/// Files of OpenShape's layout. The last shape has no thumbnail.
fn write_shapes(folder: &Path) {
    for shape in 0..ROWS {
        let mut dict = DictWriter::new();
        dict.array("xyz", &Array::from_f32(&[2, 3], &[0.0, 0.0, 0.0, 1.0, 1.0, 1.0]));
        let rows: Vec<f32> = (0..VIEWS * DIM).map(|i| (i / DIM + 1) as f32).collect();
        dict.array("image_feat", &Array::from_f32(&[VIEWS, DIM], &rows));
        if shape + 1 < ROWS {
            dict.array("thumbnail_feat", &Array::from_f32(&[DIM], &[THUMBNAIL; DIM]));
        }
        dict.texts("text", &["a chair"]);
        std::fs::write(folder.join(format!("s{shape:02}.npy")), dict.to_npy()).unwrap();
    }
}

/// Shares of the image targets over many batches of recipes/openshape.toml: with a thumbnail, and without.
fn shares(settings: &[String]) -> [BTreeMap<u32, f64>; 2] {
    let folder = tempfile::tempdir().unwrap();
    let [from, out] = ["files", "set"].map(|name| folder.path().join(name));
    std::fs::create_dir(&from).unwrap();
    write_shapes(&from);
    let options = ImportOptions { features: true, ..ImportOptions::default() };
    let source = (import::find("openshape").unwrap().open)(&from, &options).unwrap();
    build_dataset(&source, &out, &BuildOptions::default(), &mut |_| {}).unwrap();
    merge_partitions(&out).unwrap();
    let usual =
        ["teacher=nano".to_owned(), format!("data={}", out.display()), "data.trust_features=true".to_owned()];
    let sizes = [format!("batch.size.shapes={ROWS}"), "network.tower.projection.dim=128".to_owned()];
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../recipes/openshape.toml");
    let recipe = Recipe::read(&path, &[&usual[..], &sizes, settings].concat()).unwrap();
    let objective = Objective::new(&recipe.losses, recipe.run.gather).unwrap();
    // The files have no features of texts.
    let requirements = DataRequirements { text_features: false, ..DataRequirements::of(&recipe, &objective) };
    let teacher = Teacher::open("nano", &Device::flex()).unwrap();
    let source = DatasetSource::open(&out, &recipe.data, requirements, Some(&teacher)).unwrap();
    let mut pool = source.training(&recipe.data, 0);
    source.load_features(&mut pool, &teacher, "", folder.path(), &mut |_| {}).unwrap();
    let last = pool.keys().iter().position(|key| *key == "s19").unwrap();
    let sampler = Sampler {
        config: &recipe.batch,
        preprocess: None,
        input: None,
        augment: &recipe.augment,
        neighbors: None,
        teacher_dim: DIM,
        class_text: &HashMap::new(),
        seed: 1,
        grouping: &GroupingPlan::default(),
        process: [0, 1],
        stream: "",
        second: None,
    };
    let (pool, mut shares) = (ShapePool::OnDisk(pool), [BTreeMap::new(), BTreeMap::new()]);
    for step in 0..STEPS {
        let samples = sampler.choose(&pool, [step, 0]).samples;
        let targets = sampler.sample(&pool, step, 0).unwrap().teacher.unwrap().image;
        for (target, shape) in targets.chunks(DIM).zip(samples) {
            assert!(target.iter().all(|value| value == &target[0]), "{target:?}");
            *shares[usize::from(shape == last)].entry(target[0] as u32).or_insert(0.0) += 1.0;
        }
    }
    shares.map(|counts| {
        let all: f64 = counts.values().sum();
        counts.into_iter().map(|(target, count)| (target, count / all)).collect()
    })
}

#[test]
fn a_coin_chooses_the_thumbnail_or_a_view() {
    let [with, without] = shares(&[]);
    // 5,700 draws: three standard deviations are 2 % of a half and 0.8 % of a twelfth of it.
    assert!((with[&100] - 0.5).abs() < 0.02, "{with:?}");
    assert_eq!(with.len(), VIEWS + 1);
    assert!((1..=12).all(|view| (with[&view] - 0.5 / 12.0).abs() < 0.008), "{with:?}");
    assert!(!without.contains_key(&100), "{without:?}");
}

#[test]
fn thumbnails_are_not_used_unless_asked_for() {
    let [with, _] = shares(&["batch.thumbnail_probability=0".to_owned()]);
    assert!(with.keys().all(|target| *target <= 12), "{with:?}");
}
