//! Batches of two sources, against Duoduo CLIP's own data sets and collate functions (`xtask/peers/two_sources.py`).

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use burn::tensor::Device;
use lexiform_data::import::{self, ImportOptions};
use lexiform_data::{BuildOptions, build_dataset, merge_partitions};
use lexiform_golden::{Golden, check, fixture};
use lexiform_model::Teacher;
use lexiform_model::point::GroupingPlan;
use lexiform_model::preprocess::Preprocess;
use lexiform_shapes::Rng;

use super::Sampler;
use crate::data::loaded_shape::LoadFields;
use crate::data::pool::ShapePool;
use crate::data::requirements::DataRequirements;
use crate::data::source::dataset::DatasetSource;
use crate::data::source::second::SecondSource;
use crate::loss::Objective;
use crate::recipe::Recipe;

/// The reference averages in half precision.
const FEATURE: f64 = 2e-3;
/// Views of the fixture.
const SIZE: usize = 8;

struct Sources {
    recipe: Recipe,
    first: ShapePool,
    second: SecondSource,
    _folder: tempfile::TempDir,
}

fn imported(file: &str, folder: &Path) -> PathBuf {
    let from = fixture("data/duoduo_two_sources").join(file);
    let out = folder.join(from.file_stem().unwrap());
    let options = ImportOptions { features: true, ..ImportOptions::default() };
    let source = (import::find("duoduo").unwrap().open)(&from, &options).unwrap();
    assert!(
        source.warnings().iter().all(|warning| !warning.contains("not imported")),
        "{:?}",
        source.warnings()
    );
    build_dataset(&source, &out, &BuildOptions::default(), &mut |_| {}).unwrap();
    merge_partitions(&out).unwrap();
    out
}

/// Both sources as `recipes/duoduo.toml` reads them.
fn sources() -> Sources {
    let folder = tempfile::tempdir().unwrap();
    let lists = fixture("data/duoduo_two_sources");
    let four = imported("four/mv_images.h5", folder.path());
    let mvimgnet = imported("mvimgnet/mvimgnet_mv_images.h5", folder.path());
    let settings = [
        "teacher=nano".to_owned(),
        "network.base=nano".to_owned(),
        format!("data={}", four.display()),
        "data.trust_features=true".to_owned(),
        format!("data.ids={}", lists.join("four/four_model_ids.txt").display()),
        format!("data.second.path={}", mvimgnet.display()),
        format!("data.second.ids={}", lists.join("mvimgnet/mvpnet_train_model_ids.txt").display()),
        "data.second.trust_features=true".to_owned(),
        "data.second.fraction=2".to_owned(),
        "batch.size.shapes=5".to_owned(),
    ];
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../recipes/duoduo.toml");
    let recipe = Recipe::read(&path, &settings).unwrap();
    let requirements =
        DataRequirements::of(&recipe, &Objective::new(&recipe.losses, recipe.run.gather).unwrap());
    let teacher = Teacher::open("nano", &Device::flex()).unwrap();
    let source = DatasetSource::open(&four, &recipe.data, requirements, Some(&teacher)).unwrap();
    let mut first = source.training(&recipe.data, SIZE);
    source.load_features(&mut first, &teacher, "", folder.path(), &mut |_| {}).unwrap();
    let second = recipe.data.second.as_ref().unwrap();
    let mut second = SecondSource::open(&recipe, second, requirements, Some(&teacher), SIZE).unwrap();
    second.load_features(&teacher, folder.path(), &mut |_| {}).unwrap();
    Sources { first: ShapePool::OnDisk(first), second, recipe, _folder: folder }
}

/// Sums of the bytes of each plane, `[views, 3]`.
fn plane_sums(views: &[std::borrow::Cow<image::RgbaImage>]) -> Vec<f64> {
    let sum = |view: &image::RgbaImage, channel: usize| {
        view.pixels().map(|pixel| f64::from(pixel.0[channel])).sum::<f64>()
    };
    views.iter().flat_map(|view| (0..3).map(|channel| sum(view, channel)).collect::<Vec<_>>()).collect()
}

/// Targets and views of every shape of a pool for the reference's choices of views.
#[test]
fn targets_and_views_equal_the_references() {
    let Sources { recipe, first, second, _folder } = sources();
    let expected = Golden::read(&fixture("data/duoduo_two_sources/expected.safetensors"));
    let samplings = [recipe.batch.caption_sampling, second.batch.caption_sampling];
    for (name, pool, sampling) in [("four", &first, samplings[0]), ("mvimgnet", &second.pool, samplings[1])] {
        for selected in [&[3][..], &[0, 5], &[1, 2, 7, 11], &[0, 1, 2, 3, 4, 5]] {
            let numbers = selected.iter().map(usize::to_string).collect::<Vec<_>>().join("-");
            let (mut images, mut texts, mut views) = (Vec::new(), Vec::new(), Vec::new());
            for at in 0..pool.len() {
                let shape =
                    pool.load(at, selected, LoadFields { images: true, ..LoadFields::default() }).unwrap();
                let teacher = shape.teacher.as_ref().unwrap();
                images.extend(teacher.image.iter().map(|value| f64::from(*value)));
                let chosen = sampling.sample(&shape, &mut Rng::new(1));
                let text = sampling.text_target(teacher, &chosen).unwrap();
                texts.extend(text.into_iter().map(f64::from));
                views.extend(plane_sums(&shape.views));
            }
            let key = |what: &str| format!("{name}/{numbers}/{what}");
            check(&key("image"), &images, &expected.values(&key("image")), FEATURE);
            check(&key("text"), &texts, &expected.values(&key("text")), FEATURE);
            check(&key("views"), &views, &expected.values(&key("views")), 0.0);
        }
    }
}

#[test]
fn each_source_has_its_own_number_of_views() {
    let Sources { recipe, first, second, _folder } = sources();
    let (class_text, grouping) = (HashMap::new(), GroupingPlan::default());
    let sampler = |config, stream| Sampler {
        config,
        preprocess: Some(Preprocess::clip(SIZE)),
        input: None,
        augment: &recipe.augment,
        neighbors: None,
        teacher_dim: 128,
        class_text: &class_text,
        seed: 1,
        grouping: &grouping,
        process: [0, 1],
        stream,
        second: None,
    };
    let own = sampler(&second.batch, "second ");
    let both = Sampler { second: Some((Box::new(own), &second.pool)), ..sampler(&recipe.batch, "") };
    let mut numbers = Vec::new();
    for step in 0..40 {
        let batch = both.sample(&first, step, 0).unwrap();
        // `batch_size // mvimgnet_fraction` rows of the second.
        let rows: Vec<usize> = batch.segments.iter().map(|segment| segment.rows).collect();
        assert_eq!(rows, [5, 2]);
        let n_views: Vec<usize> = batch.segments.iter().map(|segment| segment.n_views).collect();
        assert_eq!(batch.images(7), 5 * n_views[0] + 2 * n_views[1]);
        let bytes: usize = batch.views.iter().map(|views| views.bytes.len()).sum();
        assert_eq!((batch.views.len(), bytes), (7, batch.images(7) * 3 * SIZE * SIZE));
        assert_eq!(batch.segments(3..6), [(3..5, n_views[0]), (5..6, n_views[1])]);
        let teacher = batch.teacher.as_ref().unwrap();
        assert_eq!((teacher.image.len(), teacher.text.len()), (7 * 128, 7 * 128));
        let labels = &batch.labels;
        assert_eq!((labels.rows(), labels.has_text.clone()), (7, vec![true; 7]));
        // Rows of an epoch are different shapes, also across sources.
        let unique: std::collections::BTreeSet<usize> = labels.categories.iter().copied().collect();
        assert_eq!((unique.len(), labels.caption_ids.clone()), (7, (0..7).collect()));
        numbers.push(n_views);
    }
    for source in 0..2 {
        let seen: std::collections::BTreeSet<usize> = numbers.iter().map(|views| views[source]).collect();
        assert_eq!(seen, (1..=6).collect());
    }
    assert!(numbers.iter().any(|views| views[0] != views[1]));
    // The first source has the batches that it has alone.
    let alone = sampler(&recipe.batch, "").sample(&first, 3, 0).unwrap();
    let batch = both.sample(&first, 3, 0).unwrap();
    assert_eq!(alone.views[..], batch.views[..alone.views.len()]);
    // Three processes load the rows of both sources between them.
    let parts = [0, 1, 2].map(|rank| {
        let own = Sampler { process: [rank, 3], ..sampler(&second.batch, "second ") };
        let first_part = Sampler { process: [rank, 3], ..sampler(&recipe.batch, "") };
        let both = Sampler { second: Some((Box::new(own), &second.pool)), ..first_part };
        both.sample(&first, 3, 0).unwrap()
    });
    for (row, views) in batch.views.iter().enumerate() {
        let owner = [0..2, 2..4, 4..7].iter().position(|rows| rows.contains(&row));
        for (rank, part) in parts.iter().enumerate() {
            let expected = if owner == Some(rank) { views.bytes.as_slice() } else { &[] };
            assert_eq!(part.views[row].bytes, expected, "row {row} in process {rank}");
        }
    }
    assert!(parts.iter().all(|part| part.captions == batch.captions && part.seed == batch.seed));
}
